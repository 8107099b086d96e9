# SPDX-License-Identifier: Apache-2.0
"""Avro and JSON schemas of the user's classes."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import json
import re
import typing
import uuid
from typing import Any

from confluent_kafka.schema_registry._core.typed import (
    MISSING,
    Field,
    bare,
    branches_of,
    check_model,
    fields_of,
    item_of,
    library_of,
)

_SYMBOL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
DRAFT = "https://json-schema.org/draft/2020-12/schema"
_AVRO: dict[Any, Any] = {
    type(None): "null",
    bool: "boolean",
    int: "long",
    float: "double",
    str: "string",
    bytes: "bytes",
    bytearray: "bytes",
    dt.datetime: {"type": "long", "logicalType": "timestamp-micros"},
    dt.date: {"type": "int", "logicalType": "date"},
    dt.time: {"type": "long", "logicalType": "time-micros"},
    uuid.UUID: {"type": "string", "logicalType": "uuid"},
}
_JSON: dict[Any, dict[str, Any]] = {
    Any: {},
    type(None): {"type": "null"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    bytearray: {"type": "string", "contentEncoding": "base64"},
    dt.datetime: {"type": "string", "format": "date-time"},
    dt.date: {"type": "string", "format": "date"},
    dt.time: {"type": "string", "format": "time"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    decimal.Decimal: {"type": "string"},
}


def avro_schema(model: Any) -> str:
    """Return the Avro schema of a class, as JSON text.

    ``int`` is a long, ``float`` a double; a decimal needs its digits: ``Annotated[Decimal, {"precision": 9, "scale":
    2}]`` (any dict in an annotation is taken as the Avro type, if it has a ``type``), or pydantic's ``max_digits`` and
    ``decimal_places``.

    Raises:
        TypeError: no class of a known kind, or a field of a type that Avro has nothing for.
    """
    check_model(model)
    return json.dumps(_Avro().of(model, model.__name__))


def json_schema(model: Any) -> str:
    """Return the JSON Schema (2020-12) of a class, as text; TypeError as for Avro."""
    library = check_model(model)
    if library == "pydantic":
        made = model.model_json_schema(by_alias=True, mode="serialization")
        return json.dumps({"$schema": DRAFT, **made})
    maker = _Json()
    made = maker.of(model, model.__name__)
    top = maker.definitions.pop(model.__name__) if model not in maker.recursive else made
    rest = {"$defs": maker.definitions} if maker.definitions else {}
    return json.dumps({"$schema": DRAFT, "title": model.__name__, **top, **rest})


class _Avro:
    def __init__(self) -> None:
        self._names: dict[str, Any] = {}

    def of(self, hint: Any, where: str) -> Any:
        hint, metadata = bare(hint)
        given = next((one for one in metadata if isinstance(one, dict) and "type" in one), None)
        if given is not None:
            return given
        if library_of(hint) is not None:
            return self._record(hint)
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return self._enum(hint, where)
        branches = branches_of(hint)
        if branches is not None:
            return [self.of(branch, where) for branch in branches]
        item = item_of(hint)
        if item is not None:
            kind, inner = item
            if kind == "map":
                return {"type": "map", "values": self.of(inner, where)}
            return {"type": "array", "items": self.of(inner, where)}
        if typing.get_origin(hint) is typing.Literal:
            kinds = {type(value) for value in typing.get_args(hint)}
            if len(kinds) == 1:
                return self.of(kinds.pop(), where)
        if hint is decimal.Decimal:
            return _decimal(metadata, where)
        try:
            return _AVRO[hint]
        except (KeyError, TypeError) as e:
            raise TypeError(f"{where}: Avro has no type for {_text(hint)}: annotate it, or give schema_str") from e

    def _named(self, kind: Any, make: Any) -> Any:
        name = kind.__name__
        if name in self._names:
            if self._names[name] is not kind:
                raise TypeError(f"two different types are called {name}: rename one, or give schema_str")
            return name
        self._names[name] = kind
        made = make()
        return {"type": made.pop("type"), "name": name, **made}

    def _enum(self, kind: type[enum.Enum], where: str) -> Any:
        """An enum of the members' values where these can be symbols, else the type of the values."""
        values = [member.value for member in kind]
        if all(isinstance(value, str) and _SYMBOL.fullmatch(value) for value in values):
            return self._named(kind, lambda: {"type": "enum", "symbols": values})
        types = {type(value) for value in values}
        if len(types) == 1:
            return self.of(types.pop(), where)
        raise TypeError(f"{where}: the values of {kind.__name__} are of different types: give schema_str")

    def _record(self, model: Any) -> Any:
        def make() -> dict[str, Any]:
            return {"type": "record", "fields": [self._field(model, field) for field in fields_of(model)]}

        return self._named(model, make)

    def _field(self, model: Any, field: Field) -> dict[str, Any]:
        made: dict[str, Any] = {"name": field.key, "type": self.of(field.hint, f"{model.__name__}.{field.name}")}
        default = field.default
        if isinstance(default, enum.Enum):
            default = default.value
        if default is None or isinstance(default, (bool, int, float, str)) or default in ([], {}):
            if isinstance(made["type"], list):
                # the default is of the first branch
                made["type"].sort(key=lambda branch: (branch == "null") is not (default is None))
                if default is not None and not _is_of(made["type"][0], default):
                    return made
            elif default is None or (isinstance(made["type"], dict) and "logicalType" in made["type"]):
                return made
            made["default"] = default
        return made


def _is_of(branch: Any, default: Any) -> bool:
    kinds = {"boolean": bool, "long": int, "double": float, "string": str}
    return isinstance(branch, str) and type(default) is kinds.get(branch)


def _decimal(metadata: tuple[Any, ...], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in metadata:
        if isinstance(one, dict):
            found |= one
        for name, attribute in (("precision", "max_digits"), ("scale", "decimal_places")):
            value = getattr(one, attribute, None)
            if isinstance(value, int):
                found.setdefault(name, value)
    if "precision" not in found:
        raise TypeError(
            f'{where}: how many digits has this decimal? Annotated[Decimal, {{"precision": 9, "scale": 2}}], '
            "or give schema_str"
        )
    digits: dict[str, Any] = {name: found[name] for name in ("precision", "scale") if name in found}
    return {"type": "bytes", "logicalType": "decimal", **digits}


class _Json:
    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}
        self.recursive: set[Any] = set()
        self._known: dict[str, Any] = {}

    def of(self, hint: Any, where: str) -> dict[str, Any]:
        hint, metadata = bare(hint)
        given = next((one for one in metadata if isinstance(one, dict) and ("type" in one or "$ref" in one)), None)
        if given is not None:
            return given
        if library_of(hint) is not None:
            return self._class(hint)
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return {"enum": [member.value for member in hint]}
        branches = branches_of(hint)
        if branches is not None:
            return {"anyOf": [self.of(branch, where) for branch in branches]}
        item = item_of(hint)
        if item is not None:
            kind, inner = item
            if kind == "map":
                return {"type": "object", "additionalProperties": self.of(inner, where)}
            return {"type": "array", "items": self.of(inner, where)}
        if typing.get_origin(hint) is typing.Literal:
            return {"enum": list(typing.get_args(hint))}
        try:
            return dict(_JSON[hint])
        except (KeyError, TypeError) as e:
            raise TypeError(
                f"{where}: JSON Schema has no type for {_text(hint)}: annotate it, or give schema_str"
            ) from e

    def _class(self, model: Any) -> dict[str, Any]:
        name = model.__name__
        reference = {"$ref": f"#/$defs/{name}"}
        if name in self._known:
            if self._known[name] is not model:
                raise TypeError(f"two different types are called {name}: rename one, or give schema_str")
            if name not in self.definitions:
                self.recursive.add(model)
            return reference
        self._known[name] = model
        properties = {field.key: self.of(field.hint, f"{name}.{field.name}") for field in fields_of(model)}
        required = [field.key for field in fields_of(model) if field.default is MISSING]
        made = {"title": name, "type": "object", "properties": properties}
        self.definitions[name] = {**made, "required": required} if required else made
        return reference


def _text(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint)
