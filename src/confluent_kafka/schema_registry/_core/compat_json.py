# SPDX-License-Identifier: Apache-2.0
"""JSON Schemas for a registry: read, put in a normal form, and compared by what they accept.

A schema reads another one's data if it accepts whatever the other one accepts. That is decided keyword by keyword, and
when it cannot be decided, the answer is no. What is looked at:

- ``true``, ``false``, ``type`` (an integer is a number), ``enum``, ``const``;
- ``minimum``, ``maximum``, ``exclusiveMinimum``, ``exclusiveMaximum`` (numbers), ``multipleOf``;
- ``minLength``, ``maxLength``, ``pattern`` (added or changed is narrower);
- ``items`` (one schema, or a list as in old drafts), ``prefixItems``, ``additionalItems``, ``minItems``, ``maxItems``,
  ``uniqueItems``, ``contains`` (added or changed is narrower);
- ``properties``, ``required`` (a property with a ``default`` may be required), ``additionalProperties``,
  ``patternProperties``, ``propertyNames``, ``minProperties``, ``maxProperties``, ``dependencies`` and their successors;
- ``allOf``, ``anyOf``, ``oneOf`` (as ``anyOf``), ``not`` and ``if`` (added or changed is narrower);
- ``$ref`` to a place in the schema or to a schema it refers to, recursive ones too. ``$dynamicRef`` is not followed.

A property that is added where the old schema leaves other properties open is narrower, since old data may have
anything there: close the schema with ``additionalProperties: false`` to add properties. Annotations such as ``format``,
``title`` and ``description`` are not looked at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin

from confluent_kafka.schema_registry._core.registry.problems import InvalidSchema, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_SUBSCHEMAS = (
    "items",
    "additionalItems",
    "contains",
    "additionalProperties",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
)
_SUBSCHEMA_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SUBSCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
# keyword: (kind of value, whether a greater value accepts less)
_LIMITS = {
    "minimum": True,
    "exclusiveMinimum": True,
    "minLength": True,
    "minItems": True,
    "minProperties": True,
    "maximum": False,
    "exclusiveMaximum": False,
    "maxLength": False,
    "maxItems": False,
    "maxProperties": False,
}
# keywords that may only be taken away or stay as they are
_RIGID = (
    "pattern",
    "contains",
    "minContains",
    "maxContains",
    "patternProperties",
    "propertyNames",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "not",
    "if",
    "then",
    "else",
    "unevaluatedProperties",
    "unevaluatedItems",
)
# which keyword is only about values of which type
_ABOUT = {
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength", "pattern"),
    "array": ("minItems", "maxItems", "uniqueItems", "items", "prefixItems", "additionalItems", "contains"),
    "object": (
        *("minProperties", "maxProperties", "properties", "required", "additionalProperties", "patternProperties"),
        *("propertyNames", "dependencies", "dependentRequired", "dependentSchemas"),
    ),
}


@dataclass(eq=False, slots=True)
class JsonSchema:
    """A schema, and the schemas it may refer to by their addresses."""

    root: Any
    places: dict[str, Any] = field(default_factory=dict)
    bases: dict[int, str] = field(default_factory=dict)

    def follow(self, reference: str, schema: Any) -> Any:
        """Return what a reference in ``schema`` stands for. Raises: InvalidSchema: nothing."""
        target = urljoin(self.bases.get(id(schema), ""), reference)
        address, _, fragment = target.partition("#")
        if target in self.places:
            return self.places[target]
        root = self.places.get(address) if address else self.root
        if root is None:
            raise InvalidSchema(f"cannot resolve $ref {reference}")
        if not fragment:
            return root
        return _at(root, fragment, reference)


def _at(root: Any, pointer: str, reference: str) -> Any:
    if not pointer.startswith("/"):
        raise InvalidSchema(f"cannot resolve $ref {reference}")
    found = root
    for part in unquote(pointer)[1:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            raise InvalidSchema(f"cannot resolve $ref {reference}")
    return found


def parse(text: str, dependencies: Mapping[str, str] | None = None) -> JsonSchema:
    """Read a schema and what it refers to. Raises: InvalidSchema."""
    schema = JsonSchema(_load(text))
    for name, referred in (dependencies or {}).items():
        root = _load(referred)
        schema.places.setdefault(name, root)
        _visit(schema, root, name)
    _visit(schema, schema.root, "")
    _check_references(schema)
    return schema


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as e:
        raise InvalidSchema(f"no JSON: {e}") from e


def _visit(schema: JsonSchema, raw: Any, base: str) -> None:
    """Check the form of a schema and what is below, and note the addresses of ``$id`` and ``$anchor``."""
    if isinstance(raw, bool):
        return
    if not isinstance(raw, dict):
        raise InvalidSchema(f"a schema must be an object or a boolean, not {json.dumps(raw)[:100]}")
    address = raw.get("$id", raw.get("id"))
    if isinstance(address, str):
        base = urljoin(base, address)
        schema.places.setdefault(base.rstrip("#"), raw)
    schema.bases[id(raw)] = base
    anchor = raw.get("$anchor")
    if isinstance(anchor, str):
        schema.places.setdefault(f"{base.partition('#')[0]}#{anchor}", raw)
    _check_form(raw)
    for below in _below(raw):
        _visit(schema, below, base)


def _below(raw: dict[str, Any]) -> Iterable[Any]:
    for key in _SUBSCHEMAS:
        if key in raw:
            yield from raw[key] if isinstance(raw[key], list) else [raw[key]]
    for key in _SUBSCHEMA_MAPS:
        if key in raw:
            yield from raw[key].values()
    for key in _SUBSCHEMA_LISTS:
        yield from raw.get(key, ())
    dependencies = raw.get("dependencies")
    if isinstance(dependencies, dict):
        yield from (value for value in dependencies.values() if not isinstance(value, list))


def _check_form(raw: dict[str, Any]) -> None:
    kinds = raw.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if kind not in TYPES:
            raise InvalidSchema(f"no such type: {json.dumps(kind)[:100]}")
    for keys, form, what in (
        (_SUBSCHEMA_MAPS, dict, "an object"),
        (_SUBSCHEMA_LISTS, list, "a list"),
        (("required", "enum"), list, "a list"),
        (("$ref", "pattern"), str, "a string"),
    ):
        for key in keys:
            # draft 3 has booleans for required
            if key in raw and not isinstance(raw[key], form) and not (key == "required" and raw[key] in (True, False)):
                raise InvalidSchema(f"{key} must be {what}")
    for key in _LIMITS:
        # draft 4 has booleans for the exclusive ones
        if key in raw and not isinstance(raw[key], int | float):
            raise InvalidSchema(f"{key} must be a number")


def _check_references(schema: JsonSchema) -> None:
    for raw in _every(schema.root):
        reference = raw.get("$ref")
        if isinstance(reference, str) and not reference.startswith(
            ("http://json-schema.org", "https://json-schema.org")
        ):
            schema.follow(reference, raw)


def _every(raw: Any) -> Iterable[dict[str, Any]]:
    if isinstance(raw, dict):
        yield raw
        for below in _below(raw):
            yield from _every(below)


def canonical(schema: JsonSchema) -> str:
    """Return a text that is equal for texts that differ in spaces only."""
    return json.dumps(schema.root, separators=(",", ":"), ensure_ascii=False)


def normalized(schema: JsonSchema) -> str:
    """Return a text that is equal for texts that differ in spaces and in the order of names."""
    return json.dumps(schema.root, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def problems(reader: JsonSchema, writer: JsonSchema) -> list[Problem]:
    """Return what the writer's schema accepts and the reader's may not; empty when there is nothing."""
    return _Comparison(reader, writer).compare(reader.root, writer.root, "")


class _Comparison:
    """Compares subschemas. Recursive ones are taken to fit while they are being compared."""

    def __init__(self, reader: JsonSchema, writer: JsonSchema) -> None:
        self._reader, self._writer = reader, writer
        self._under_way: set[tuple[int, int]] = set()
        # composed schemas: they have to live as long as their ids are remembered, and to be the same ones each time
        self._made: dict[tuple[Any, ...], Any] = {}

    def compare(self, reader: Any, writer: Any, path: str) -> list[Problem]:
        if reader is True or reader == {} or writer is False or _equal(reader, writer, self._reader, self._writer):
            return []
        pair = (id(reader), id(writer))
        if isinstance(reader, dict) and isinstance(writer, dict):
            if pair in self._under_way:
                return []
            self._under_way.add(pair)
        try:
            return list(self._compared(reader, writer, path))
        except RecursionError:
            return [Problem("UNDECIDED", path, "the schemas are nested too deeply to be compared")]
        finally:
            self._under_way.discard(pair)

    def _compared(self, reader: Any, writer: Any, path: str) -> Iterable[Problem]:
        if reader is False:
            yield Problem("TYPE_NARROWED", path, "nothing is accepted any more")
            return
        writer = {} if writer is True else writer
        if "$ref" in writer:
            writer = self._dereferenced(self._writer, writer)
            yield from self.compare(reader, writer, path)
            return
        if "$ref" in reader:
            yield from self.compare(self._dereferenced(self._reader, reader), writer, path)
            return
        for key in ("anyOf", "oneOf"):
            if key in writer:
                rest = self._without(writer, key)
                for number, branch in enumerate(writer[key]):
                    yield from self.compare(reader, self._both(rest, branch), f"{path}/{key}/{number}")
                return
        if "allOf" in writer:
            rest = self._without(writer, "allOf")
            branches = [rest, *writer["allOf"]] if rest else writer["allOf"]
            # one that already fits is enough: the others only accept less
            if any(not self.compare(reader, branch, path) for branch in branches):
                return
            merged: Any = {}
            for branch in branches:
                merged = self._both(merged, branch)
            if isinstance(merged, dict) and "allOf" in merged:
                yield Problem("COMBINED_TYPE_CHANGED", f"{path}/allOf", "cannot be decided")
            else:
                yield from self.compare(reader, merged, path)
            return
        yield from self._branches(reader, writer, path)
        yield from self._keywords(reader, writer, path)

    def _without(self, raw: dict[str, Any], key: str) -> dict[str, Any]:
        """Return what else a schema says."""
        rest = {name: value for name, value in raw.items() if name != key and name in _MEANINGFUL}
        made: dict[str, Any] = self._made.setdefault((id(raw), key), rest)
        return made

    def _dereferenced(self, schema: JsonSchema, raw: dict[str, Any]) -> Any:
        try:
            target = schema.follow(raw["$ref"], raw)
        except InvalidSchema:
            # the safe guess: all may have been written, nothing can be read
            target = schema is self._writer
        beside = self._without(raw, "$ref")
        return self._made.setdefault((id(raw), id(target)), {"allOf": [beside, target]}) if beside else target

    def _both(self, first: Any, second: Any) -> Any:
        """Return a schema for what two of the writer's accept together; flat if that is easily done."""
        if isinstance(second, dict) and "$ref" in second:
            second = self._dereferenced(self._writer, second)
        if first in ({}, True):
            return second
        if second in ({}, True):
            return first
        if first is False or second is False:
            return False
        return self._made.setdefault((id(first), id(second), "both"), _merged(first, second))

    def _branches(self, reader: dict[str, Any], writer: dict[str, Any], path: str) -> Iterable[Problem]:
        for number, branch in enumerate(reader.get("allOf", ())):
            yield from self.compare(branch, writer, f"{path}/allOf/{number}")
        for key in ("anyOf", "oneOf"):
            if key in reader and not any(not self.compare(branch, writer, path) for branch in reader[key]):
                yield Problem("COMBINED_TYPE_NARROWED", f"{path}/{key}", "none of its schemas accepts all that was")

    def _keywords(self, reader: dict[str, Any], writer: dict[str, Any], path: str) -> Iterable[Problem]:
        kinds = _types(writer)
        missing = kinds - _types(reader)
        if missing:
            yield Problem("TYPE_NARROWED", f"{path}/type", f"no longer accepted: {', '.join(sorted(missing))}")
            return
        allowed = _values(writer)
        if allowed is not None:
            # few enough to look at one by one would need a validator: only what both list is decided
            accepted = _values(reader)
            if accepted is not None:
                lost = [value for value in allowed if not _among(value, accepted)]
                if lost:
                    yield Problem("ENUM_NARROWED", f"{path}/enum", f"no longer accepted: {json.dumps(lost)[:200]}")
        elif _values(reader) is not None:
            yield Problem("ENUM_ADDED", f"{path}/enum", "only some values are accepted now")
        if kinds & {"number", "integer"}:
            yield from self._limits(reader, writer, path, _ABOUT["number"])
            yield from _multiple(reader, writer, path)
        if "string" in kinds:
            yield from self._limits(reader, writer, path, _ABOUT["string"])
        if "array" in kinds:
            yield from self._limits(reader, writer, path, _ABOUT["array"])
            yield from self._arrays(reader, writer, path)
        if "object" in kinds:
            yield from self._limits(reader, writer, path, _ABOUT["object"])
            yield from self._objects(reader, writer, path)
        for key in _RIGID:
            about = next((kind for kind, keys in _ABOUT.items() if key in keys), None)
            if key in reader and (about is None or about in kinds) and reader[key] != writer.get(key):
                yield Problem("KEYWORD_CHANGED", f"{path}/{key}", f"{key} was added or changed")

    def _limits(
        self, reader: dict[str, Any], writer: dict[str, Any], path: str, keys: Iterable[str]
    ) -> Iterable[Problem]:
        for key in keys:
            if key not in _LIMITS or key not in reader or reader[key] is False:
                continue
            new, old = reader[key], writer.get(key)
            if isinstance(new, bool) or isinstance(old, bool):  # draft 4: a flag beside minimum or maximum
                if new is not old:
                    yield Problem("LIMIT_NARROWED", f"{path}/{key}", f"{key} was added")
            elif old is None and key in ("minLength", "minItems", "minProperties") and new <= 0:
                continue
            elif old is None or (new > old if _LIMITS[key] else new < old):
                yield Problem(
                    "LIMIT_NARROWED", f"{path}/{key}", f"{key} is {new} and was {'absent' if old is None else old}"
                )

    def _arrays(self, reader: dict[str, Any], writer: dict[str, Any], path: str) -> Iterable[Problem]:
        if reader.get("uniqueItems") is True and writer.get("uniqueItems") is not True:
            yield Problem("UNIQUE_ITEMS_ADDED", f"{path}/uniqueItems", "items must be unique now")
        new_first, new_rest = _items(reader)
        old_first, old_rest = _items(writer)
        for number in range(max(len(new_first), len(old_first))):
            new = new_first[number] if number < len(new_first) else new_rest
            old = old_first[number] if number < len(old_first) else old_rest
            yield from self.compare(new, old, f"{path}/items/{number}")
        yield from self.compare(new_rest, old_rest, f"{path}/items")

    def _objects(self, reader: dict[str, Any], writer: dict[str, Any], path: str) -> Iterable[Problem]:
        new, old = reader.get("properties", {}), writer.get("properties", {})
        new_rest, old_rest = reader.get("additionalProperties", True), writer.get("additionalProperties", True)
        for name, schema in new.items():
            place = f"{path}/properties/{name}"
            if name in old:
                yield from self.compare(schema, old[name], place)
            elif _matched(writer):
                if schema is not True and schema != {}:
                    yield Problem("PROPERTY_ADDED", place, "whether it fits the old patternProperties is not decided")
            elif self.compare(schema, old_rest, place):
                text = "old data may have any other value there: the old schema does not close additionalProperties"
                yield Problem("PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", place, text)
        for name, schema in old.items():
            if name not in new and not _matched(reader) and self.compare(new_rest, schema, path):
                text = f"the property {name} is no longer accepted"
                yield Problem("PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL", f"{path}/properties/{name}", text)
            elif name not in new and _matched(reader):
                text = "whether it fits the new patternProperties is not decided"
                yield Problem("PROPERTY_REMOVED", f"{path}/properties/{name}", text)
        for problem in self.compare(new_rest, old_rest, f"{path}/additionalProperties"):
            yield Problem("ADDITIONAL_PROPERTIES_NARROWED", problem.path, problem.text)
        if _matched(writer) and not _matched(reader) and new_rest is not True and new_rest != {}:
            yield Problem("PATTERN_PROPERTIES_REMOVED", f"{path}/patternProperties", "no longer accepted")
        required = reader.get("required")
        before = writer.get("required")
        for name in required if isinstance(required, list) else ():
            schema = new.get(name)
            if not (isinstance(before, list) and name in before) and not (
                isinstance(schema, dict) and "default" in schema
            ):
                text = f"the property {name} is required now and has no default"
                yield Problem("REQUIRED_ATTRIBUTE_ADDED", f"{path}/required", text)


_OPEN = ("allOf", "anyOf", "oneOf", "additionalProperties", "patternProperties", *_RIGID)
_MEANINGFUL = frozenset(
    {"type", "enum", "const", "$ref", "items", "prefixItems", "additionalItems", "properties", "required"}
    | {"additionalProperties", "multipleOf", "uniqueItems", "allOf", "anyOf", "oneOf", *_LIMITS, *_RIGID}
)


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    common = {key for key in first.keys() & second.keys() if key in _MEANINGFUL and first[key] != second[key]}
    properties = [schema.get("properties", {}) for schema in (first, second)]
    clash = any(properties[0][name] != properties[1][name] for name in properties[0].keys() & properties[1].keys())
    if common - {"properties", "required", "type"} or clash or any(key in _OPEN for key in (*first, *second)):
        return {"allOf": [first, second]}
    made = {**first, **second}
    if "properties" in common:
        made["properties"] = {**properties[0], **properties[1]}
    if "required" in common:
        made["required"] = sorted({*first["required"], *second["required"]})
    if "type" in common:
        made["type"] = sorted(_types(first) & _types(second))
    return made


def _equal(reader: Any, writer: Any, first: JsonSchema, second: JsonSchema) -> bool:
    """Whether two are the same, and mean the same: a reference could lead elsewhere."""
    return bool(reader == writer) and (first is second or not any("$ref" in raw for raw in _every(reader)))


def _types(schema: Any) -> set[str]:
    """Return the types a schema accepts; number includes integer."""
    given = schema.get("type") if isinstance(schema, dict) else None
    if given is None:
        kinds = {*TYPES}
    else:
        kinds = set(given) if isinstance(given, list) else {given}
    values = _values(schema)
    if values is not None:
        kinds &= {_type_of(value) for value in values} | (
            {"number"} if any(_type_of(value) == "integer" for value in values) else set()
        )
    if "number" in kinds:
        kinds.add("integer")
    return kinds


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _values(schema: Any) -> list[Any] | None:
    """Return the only values a schema accepts, None when it does not list them."""
    if not isinstance(schema, dict):
        return None
    if "const" in schema:
        return [schema["const"]]
    return schema.get("enum")


def _among(value: Any, values: list[Any]) -> bool:
    return any(value == item and isinstance(value, bool) == isinstance(item, bool) for item in values)


def _multiple(reader: dict[str, Any], writer: dict[str, Any], path: str) -> Iterable[Problem]:
    new, old = reader.get("multipleOf"), writer.get("multipleOf")
    if new is None or new == old or (new == 1 and "number" not in _types(writer)):
        return
    if old is None or not isinstance(new, int) or not isinstance(old, int) or new == 0 or old % new:
        yield Problem("MULTIPLE_OF_NARROWED", f"{path}/multipleOf", f"was {old} and is {new}")


def _items(schema: dict[str, Any]) -> tuple[list[Any], Any]:
    """Return the schemas of the first items, and that of all others."""
    if "prefixItems" in schema:
        return schema["prefixItems"], schema.get("items", True)
    items = schema.get("items", True)
    if isinstance(items, list):
        return items, schema.get("additionalItems", True)
    return [], items


def _matched(schema: dict[str, Any]) -> bool:
    return bool(schema.get("patternProperties"))
