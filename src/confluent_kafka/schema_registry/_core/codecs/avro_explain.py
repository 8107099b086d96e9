# SPDX-License-Identifier: Apache-2.0
"""Where and why an object does not fit an Avro schema: looked for when writing it has failed, not before."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka.schema_registry.error import SchemaMismatchError

_MAX_DEPTH = 200
_LOGICAL: dict[str, tuple[type, ...]] = {
    "date": (dt.date, int),
    "time-millis": (dt.time, int),
    "time-micros": (dt.time, int),
    "timestamp-millis": (dt.datetime, int),
    "timestamp-micros": (dt.datetime, int),
    "timestamp-nanos": (dt.datetime, int),
    "local-timestamp-millis": (dt.datetime, int),
    "local-timestamp-micros": (dt.datetime, int),
    "local-timestamp-nanos": (dt.datetime, int),
    "decimal": (decimal.Decimal,),
    "uuid": (uuid.UUID, str),
}
_BITS = {"int": 32, "long": 64}


class Fault(NamedTuple):
    """What is wrong at one place; ``depth`` is how far the object fitted until there."""

    path: str
    reason: str
    depth: int


def explain(schema: Any, obj: Any, error: Exception) -> SchemaMismatchError:
    """Return what says why ``obj`` could not be written.

    Args:
        schema: JSON of the schema, complete with all it refers to.
        obj: the object.
        error: what the codec said.
    """
    try:
        fault = _Explainer(schema).look(schema, obj, "", "", 0)
    except (RecursionError, KeyError, AttributeError):  # a schema, or an object, out of the ordinary
        fault = None
    if fault is None:
        return SchemaMismatchError(f"the object does not match the schema: {type(error).__name__}: {error}")
    return SchemaMismatchError(fault.reason, fault.path)


class _Explainer:
    def __init__(self, schema: Any) -> None:
        self._types: dict[str, tuple[Any, str]] = {}
        self._collect(schema, "")

    def _collect(self, schema: Any, namespace: str) -> None:
        if isinstance(schema, list):
            for branch in schema:
                self._collect(branch, namespace)
        if not isinstance(schema, dict):
            return
        if "name" in schema and schema.get("type") in ("record", "error", "enum", "fixed"):
            full, namespace = _names(schema, namespace)
            self._types[full] = (schema, namespace)
            for field in schema.get("fields", ()):
                self._collect(field.get("type"), namespace)
        for inner in ("type", "items", "values"):
            if not isinstance(schema.get(inner), str):
                self._collect(schema.get(inner), namespace)

    def look(self, schema: Any, value: Any, path: str, namespace: str, depth: int) -> Fault | None:
        """Return the first fault in ``value``, None when it fits."""
        if depth > _MAX_DEPTH:
            return None
        if isinstance(schema, list):
            return self._union(schema, value, path, namespace, depth)
        if isinstance(schema, str):
            found = self._types.get(schema.lstrip(".")) if "." in schema else None
            found = found or self._types.get(f"{namespace}.{schema}") or self._types.get(schema)
            if found is not None:
                return self.look(found[0], value, path, namespace, depth)
            return _primitive(schema, {}, value, path, depth)
        kind = schema["type"]
        if not isinstance(kind, str) or kind in self._types or f"{namespace}.{kind}" in self._types:
            return self.look(kind, value, path, namespace, depth)
        if kind in ("record", "error"):
            return self._record(schema, value, path, namespace, depth)
        if kind == "array":
            if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, (Sequence, Iterable)):
                return _wrong("array", value, path, depth)
            found_faults = (
                self.look(schema["items"], item, f"{path}[{index}]", namespace, depth + 1)
                for index, item in enumerate(value)
            )
            return next((fault for fault in found_faults if fault is not None), None)
        if kind == "map":
            return self._map(schema, value, path, namespace, depth)
        return _primitive(kind, schema, value, path, depth)

    def _record(self, schema: Any, value: Any, path: str, namespace: str, depth: int) -> Fault | None:
        full, namespace = _names(schema, namespace)
        if not isinstance(value, Mapping):
            return _wrong(f"record {full}", value, path, depth)
        for field in schema["fields"]:
            name = field["name"]
            here = f"{path}.{name}" if path else name
            if name not in value:
                if "default" in field or self.look(field["type"], None, here, namespace, depth + 1) is None:
                    continue
                return Fault(here, "the field is missing, and has no default", depth + 1)
            fault = self.look(field["type"], value[name], here, namespace, depth + 1)
            if fault is not None:
                return fault
        return None

    def _map(self, schema: Any, value: Any, path: str, namespace: str, depth: int) -> Fault | None:
        if not isinstance(value, Mapping):
            return _wrong("map", value, path, depth)
        for key, item in value.items():
            if not isinstance(key, str):
                return Fault(path, f"expected keys of a map to be str, got {type(key).__name__}", depth)
            fault = self.look(schema["values"], item, f"{path}.{key}" if path else key, namespace, depth + 1)
            if fault is not None:
                return fault
        return None

    def _union(self, schema: list[Any], value: Any, path: str, namespace: str, depth: int) -> Fault | None:
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
            named, value = value
        else:
            named = value.get("-type") if isinstance(value, Mapping) else None
        branches = schema
        if named is not None:
            branches = [branch for branch in schema if self._branch_name(branch, namespace) in (named, _short(named))]
            if not branches:
                known = ", ".join(self._branch_name(branch, namespace) for branch in schema)
                return Fault(path, f"the union has no branch {named!r}: there are {known}", depth)
        faults = [self.look(branch, value, path, namespace, depth) for branch in branches]
        if None in faults:
            return None
        deepest = max((fault for fault in faults if fault is not None), key=lambda fault: fault.depth)
        if deepest.depth > depth:
            return deepest
        expected = " or ".join(_type_name(branch, self._branch_name(branch, namespace)) for branch in branches)
        return _wrong(expected, value, path, depth)

    def _branch_name(self, branch: Any, namespace: str) -> str:
        if isinstance(branch, dict):
            return _names(branch, namespace)[0] if "name" in branch else str(branch.get("type"))
        full = f"{namespace}.{branch}"
        return full if full in self._types else str(branch).lstrip(".")


def _names(schema: Mapping[str, Any], namespace: str) -> tuple[str, str]:
    """Return the full name of a type, and the namespace inside of it."""
    name = str(schema["name"])
    if "." in name:
        namespace, _, name = name.rpartition(".")
    else:
        namespace = schema.get("namespace", namespace) or ""
    return (f"{namespace}.{name}" if namespace else name), namespace


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _type_name(schema: Any, name: str) -> str:
    logical = schema.get("logicalType") if isinstance(schema, dict) else None
    return logical if isinstance(logical, str) and logical in _LOGICAL else name


def _wrong(expected: str, value: Any, path: str, depth: int) -> Fault:
    return Fault(path, f"expected {expected}, got {type(value).__name__}", depth)


def _primitive(kind: str, schema: Mapping[str, Any], value: Any, path: str, depth: int) -> Fault | None:
    logical = schema.get("logicalType")
    if isinstance(logical, str) and logical in _LOGICAL:
        if isinstance(value, _LOGICAL[logical]) and not isinstance(value, bool):
            return _decimal(schema, value, path, depth) if isinstance(value, decimal.Decimal) else None
        return _wrong(logical, value, path, depth)
    if kind in _BITS:
        if not isinstance(value, int) or isinstance(value, bool):
            return _wrong(kind, value, path, depth)
        bits = _BITS[kind]
        fits = -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)
        return None if fits else Fault(path, f"expected {kind}, got an int of more than {bits} bits", depth)
    if kind == "enum":
        if not isinstance(value, str):
            return _wrong(f"enum {schema.get('name')}", value, path, depth)
        symbols = ", ".join(map(str, schema.get("symbols", ())))
        return (
            None
            if value in schema.get("symbols", ())
            else Fault(path, f"expected one of {symbols}, got another", depth)
        )
    if kind == "fixed":
        if not isinstance(value, (bytes, bytearray)):
            return _wrong(f"fixed {schema.get('name')}", value, path, depth)
        size = schema.get("size")
        return None if len(value) == size else Fault(path, f"expected {size} bytes, got {len(value)}", depth)
    kinds: dict[str, tuple[type, ...]] = {
        "null": (type(None),),
        "boolean": (bool,),
        "float": (float, int),
        "double": (float, int),
        "bytes": (bytes, bytearray, memoryview),
        "string": (str,),
    }
    allowed = kinds.get(kind)
    if allowed is None:
        return None
    fits = isinstance(value, allowed) and (kind == "boolean" or not isinstance(value, bool))
    return None if fits else _wrong(kind, value, path, depth)


def _decimal(schema: Mapping[str, Any], value: decimal.Decimal, path: str, depth: int) -> Fault | None:
    scale, precision = schema.get("scale", 0), schema.get("precision", 0)
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return Fault(path, "expected a finite decimal", depth)
    if -exponent > scale:
        return Fault(path, f"expected a decimal of scale {scale}, got one of scale {-exponent}", depth)
    size = len(digits) + exponent + scale
    if precision and size > precision:
        return Fault(path, f"expected a decimal of precision {precision}, got one of precision {size}", depth)
    return None
