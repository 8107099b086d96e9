# SPDX-License-Identifier: Apache-2.0
"""Avro schemas as text: loading them, and making one out of a schema and those it refers to."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PRIMITIVES = frozenset(("null", "boolean", "int", "long", "float", "double", "bytes", "string"))
_NAMED = frozenset(("record", "error", "enum", "fixed"))


def normalized_text(schema_str: str) -> str:
    """Return the text that is registered for a schema given as ``str``: a type's name alone becomes ``{"type": name}``.

    Raises:
        ValueError: there is no text.
    """
    text = schema_str.strip()
    if not text:
        raise ValueError('the Avro schema is empty: give JSON, for example \'{"type": "string"}\'')
    return text if text[0] in "{[" else f'{{"type":{text}}}'


def load(schema_str: str | None) -> Any:
    """Return the JSON of a schema; ValueError when it is none."""
    if not schema_str:
        raise ValueError("the Avro schema is empty")
    try:
        return json.loads(schema_str)
    except RecursionError as e:
        raise ValueError("the Avro schema is nested too deeply") from e


def full_name(schema: Any) -> str | None:
    """Return a schema's name with its namespace, a primitive's type, None for a union."""
    if isinstance(schema, str):
        return schema
    if not isinstance(schema, dict):
        return None
    if "name" in schema:
        name, namespace = str(schema["name"]), schema.get("namespace")
        return f"{namespace}.{name}" if namespace and "." not in name else name
    kind = schema.get("type")
    return kind if isinstance(kind, str) else full_name(kind)


def link(schema: Any, references: Mapping[str, Any]) -> Any:
    """Put the schemas that one refers to in the place where they are first used.

    A parser then needs to know nothing of references.

    Args:
        schema: JSON of the schema.
        references: JSON of those it refers to, by the names they are used by.
    """
    linker = _Linker(references, dotted=False)
    linked = linker.link(schema)
    if linker.mixed:
        linker = _Linker(references, dotted=True)
        linked = linker.link(schema)
    return linked


def collapse(schema: Any, known: list[str]) -> Any:
    """Write a type that is defined again by its name only: the opposite of an expanded schema.

    Args:
        schema: JSON of the schema; it stays as it was.
        known: full names of types that are defined already. Those found are added.
    """
    return _collapsed(schema, "", known)


def _collapsed(schema: Any, namespace: str, known: list[str]) -> Any:
    if isinstance(schema, list):
        return [_collapsed(branch, namespace, known) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in _NAMED:
        inner = next((part for part in ("items", "values") if part in schema), "type")
        return {**schema, inner: _collapsed(schema.get(inner), namespace, known)}
    full, inside = defined_name(schema, namespace)
    if full in known:
        return full if inside or not namespace else f".{full}"
    known.append(full)
    if "fields" not in schema:
        return schema
    fields = [{**field, "type": _collapsed(field.get("type"), inside, known)} for field in schema["fields"]]
    return {**schema, "fields": fields}


def defined_name(schema: dict[str, Any], namespace: str) -> tuple[str, str]:
    """Return the full name of a type that is defined in a namespace, and the namespace inside of it."""
    name = str(schema.get("name", ""))
    if "." in name:
        namespace, _, name = name.rpartition(".")  # ".Name" has none
    else:
        namespace = schema.get("namespace", namespace) or ""
    return (f"{namespace}.{name}" if namespace else name), namespace


def find_type(named: Mapping[str, tuple[Any, str]], name: str, namespace: str) -> tuple[Any, str] | None:
    """Return the definition that a name in a namespace stands for, and the namespace inside of it; None without any.

    ``named`` are both by full name: a type is what it is where it was defined, not where it is used.
    """
    full = name.lstrip(".") if "." in name or not namespace else f"{namespace}.{name}"
    return named.get(full) or named.get(name)


class _Linker:
    """``dotted`` writes referenced types without a namespace as ``.Name``: where one is used inside of a namespace
    (``mixed``), its bare name would mean another type."""

    def __init__(self, references: Mapping[str, Any], dotted: bool) -> None:
        self._references = dict(references)
        for schema in references.values():
            name = full_name(schema)
            if name is not None and name not in PRIMITIVES:
                self._references.setdefault(name, schema)
        self._dotted = dotted
        self._defined: set[str] = set()
        self.mixed = False

    def link(self, schema: Any, namespace: str = "") -> Any:
        """Return ``schema`` with all that it refers to."""
        if isinstance(schema, str):
            return self._use(schema, namespace)
        if isinstance(schema, list):
            return [self.link(branch, namespace) for branch in schema]
        if not isinstance(schema, dict):
            return schema
        kind = schema.get("type")
        if not isinstance(kind, str):
            # {"type": {...}}: some tools wrap a type like this; the parser does not take it
            return self.link(kind, namespace) if kind is not None else schema
        if kind == "array":
            return {**schema, "items": self.link(schema.get("items"), namespace)}
        if kind == "map":
            return {**schema, "values": self.link(schema.get("values"), namespace)}
        if kind in _NAMED:
            return self._define(schema, namespace)
        return schema if kind in PRIMITIVES else self._use(kind, namespace)

    def _define(self, schema: dict[str, Any], namespace: str) -> dict[str, Any]:
        full, namespace = defined_name(schema, namespace)
        self._defined.add(full)
        if "fields" not in schema:
            return schema
        fields = [
            {**field, "type": self.link(field.get("type"), namespace)} if isinstance(field, dict) else field
            for field in schema["fields"]
        ]
        return {**schema, "fields": fields}

    def _use(self, name: str, namespace: str) -> Any:
        if name in PRIMITIVES:
            return name
        full = name if "." in name or not namespace else f"{namespace}.{name}"
        if full in self._defined:
            return name
        schema = self._references.get(full, self._references.get(name))
        if schema is None:
            return name  # the parser says that it is unknown
        target = full_name(schema)
        if not isinstance(schema, dict) or target is None or "name" not in schema:
            return self.link(copy.deepcopy(schema))
        # what it is called here: reference names are free, and several may stand for one type
        used = target
        if "." not in target:
            self.mixed = self.mixed or bool(namespace)
            used = f".{target}" if self._dotted else target
        if target in self._defined:
            return used
        schema = copy.deepcopy(schema)
        if used != target:
            schema["name"] = used
        return self.link(schema)
