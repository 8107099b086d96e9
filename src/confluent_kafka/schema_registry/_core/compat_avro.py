# SPDX-License-Identifier: Apache-2.0
"""Avro schemas for a registry: read with all names resolved, put in a normal form, compared by the rules of resolution.

Source: the Avro specification, "Complex Types", "Names" and "Schema Resolution".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.registry.problems import InvalidSchema, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import TypeAlias

    Node: TypeAlias = "Primitive | Record | Enumeration | Fixed | Array | MapOf | Union"

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PROMOTED = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}
_ORDER = ("type", "name", "doc", "aliases", "fields", "symbols", "items", "values", "size", "default", "order")
_INT, _LONG = 2**31, 2**63


@dataclass(eq=False, slots=True)
class Primitive:
    kind: str


@dataclass(eq=False, slots=True)
class Named:
    """A type with a full name, and the full names it is an alias of."""

    name: str
    aliases: list[str]
    raw: dict[str, Any]

    def answers_to(self, other: Named) -> bool:
        """Whether a reader of this type reads the other: by the name without namespace, or by an alias."""
        return _short(self.name) == _short(other.name) or other.name in self.aliases


@dataclass(eq=False, slots=True)
class Record(Named):
    fields: list[Field] = field(default_factory=list)
    kind: str = "record"


@dataclass(eq=False, slots=True)
class Enumeration(Named):
    symbols: list[str] = field(default_factory=list)
    default: str | None = None
    kind: str = "enum"


@dataclass(eq=False, slots=True)
class Fixed(Named):
    size: int = 0
    kind: str = "fixed"


@dataclass(eq=False, slots=True)
class Array:
    items: Node
    kind: str = "array"


@dataclass(eq=False, slots=True)
class MapOf:
    values: Node
    kind: str = "map"


@dataclass(eq=False, slots=True)
class Union:
    branches: list[Node]
    kind: str = "union"


@dataclass(eq=False, slots=True)
class Field:
    name: str
    aliases: list[str]
    type: Node
    has_default: bool


@dataclass(eq=False, slots=True)
class AvroSchema:
    """A schema with everything it refers to."""

    raw: Any
    node: Node
    names: dict[str, Node]


def parse(text: str, dependencies: Mapping[str, str] | None = None) -> AvroSchema:
    """Read a schema; its dependencies first, in their order. Raises: InvalidSchema."""
    reader = _Reader()
    for referred in (dependencies or {}).values():
        reader.read(load(referred), "", new=False)
    raw = load(text)
    return AvroSchema(raw, reader.read(raw, ""), reader.names)


def load(text: str) -> Any:
    """Read JSON. Raises: InvalidSchema."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as e:
        raise InvalidSchema(f"no JSON: {e}") from e


class _Reader:
    """Reads schemas one after another; later ones may use names of earlier ones."""

    def __init__(self) -> None:
        self.names: dict[str, Node] = {}

    def read(self, raw: Any, namespace: str, new: bool = True) -> Node:
        try:
            return self._type(raw, namespace, new)
        except RecursionError as e:
            raise InvalidSchema("nested too deeply") from e

    def _type(self, raw: Any, namespace: str, new: bool) -> Node:
        if isinstance(raw, str):
            return self._by_name(raw, namespace)
        if isinstance(raw, list):
            return self._union(raw, namespace, new)
        if not isinstance(raw, dict):
            raise InvalidSchema(f"a type must be a name, an object or a list, not {json.dumps(raw)}")
        kind = raw.get("type")
        if isinstance(kind, dict | list):
            return self._type(kind, namespace, new)
        if kind in ("record", "error"):
            return self._record(raw, namespace, new)
        if kind == "enum":
            return self._enumeration(raw, namespace)
        if kind == "fixed":
            return self._fixed(raw, namespace)
        if kind == "array":
            return Array(self._type(_needed(raw, "items", "an array"), namespace, new))
        if kind == "map":
            return MapOf(self._type(_needed(raw, "values", "a map"), namespace, new))
        if not isinstance(kind, str):
            raise InvalidSchema(f"no type: {json.dumps(raw)[:100]}")
        return self._by_name(kind, namespace)

    def _by_name(self, name: str, namespace: str) -> Node:
        if name in PRIMITIVES:
            return Primitive(name)
        full = _full(name, namespace)
        found = self.names.get(full) or self.names.get(name)
        if found is None:
            raise InvalidSchema(f'undefined name: "{full}"')
        return found

    def _union(self, raw: list[Any], namespace: str, new: bool) -> Union:
        branches: list[Node] = []
        seen = set()
        for item in raw:
            branch = self._type(item, namespace, new)
            if isinstance(branch, Union):
                raise InvalidSchema("a union directly in a union")
            key = branch.name if isinstance(branch, Named) else branch.kind
            if key in seen:
                raise InvalidSchema(f"duplicate in union: {key}")
            seen.add(key)
            branches.append(branch)
        return Union(branches)

    def _named(self, raw: dict[str, Any], namespace: str) -> tuple[str, list[str]]:
        name = raw.get("name")
        if not isinstance(name, str) or not name:
            raise InvalidSchema(f"a {raw.get('type')} without name")
        own = raw.get("namespace")
        full = _full(name, own if isinstance(own, str) else namespace)
        for part in full.split("."):
            if not _NAME.fullmatch(part):
                raise InvalidSchema(f"illegal name: {full}")
        if _short(full) in PRIMITIVES and "." not in full:
            raise InvalidSchema(f"a primitive type's name cannot be defined: {full}")
        if full in self.names:
            raise InvalidSchema(f"cannot redefine: {full}")
        return full, [_full(alias, _namespace(full)) for alias in _texts(raw, "aliases")]

    def _record(self, raw: dict[str, Any], namespace: str, new: bool) -> Record:
        full, aliases = self._named(raw, namespace)
        node = Record(full, aliases, raw)
        self.names[full] = node
        listed = raw.get("fields")
        if not isinstance(listed, list):
            raise InvalidSchema(f"record {full} has no fields")
        seen = set()
        for item in listed:
            name = item.get("name") if isinstance(item, dict) else None
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise InvalidSchema(f"record {full}: illegal field name: {json.dumps(name)}")
            if name in seen:
                raise InvalidSchema(f"duplicate field {name} in record {full}")
            seen.add(name)
            if "type" not in item:
                raise InvalidSchema(f"field {name} of record {full} has no type")
            kind = self._type(item["type"], _namespace(full), new)
            if new and "default" in item and not fits(kind, item["default"]):
                raise InvalidSchema(f"invalid default for field {full}.{name}: {json.dumps(item['default'])[:100]}")
            node.fields.append(Field(name, _texts(item, "aliases"), kind, "default" in item))
        return node

    def _enumeration(self, raw: dict[str, Any], namespace: str) -> Enumeration:
        full, aliases = self._named(raw, namespace)
        if "symbols" not in raw:
            raise InvalidSchema(f"enum {full} has no symbols")
        symbols = _texts(raw, "symbols")
        for symbol in symbols:
            if not _NAME.fullmatch(symbol):
                raise InvalidSchema(f"enum {full}: illegal symbol: {symbol}")
        if len(set(symbols)) != len(symbols):
            raise InvalidSchema(f"enum {full} has a symbol twice")
        default = raw.get("default")
        if default is not None and default not in symbols:
            raise InvalidSchema(f"enum {full}: the default {json.dumps(default)} is no symbol")
        node = Enumeration(full, aliases, raw, symbols, default)
        self.names[full] = node
        return node

    def _fixed(self, raw: dict[str, Any], namespace: str) -> Fixed:
        full, aliases = self._named(raw, namespace)
        size = raw.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise InvalidSchema(f"fixed {full}: invalid size: {json.dumps(size)}")
        node = Fixed(full, aliases, raw, size)
        self.names[full] = node
        return node


def _needed(raw: dict[str, Any], key: str, what: str) -> Any:
    if key not in raw:
        raise InvalidSchema(f"{what} has no {key} type")
    return raw[key]


def _texts(raw: dict[str, Any], key: str) -> list[str]:
    listed = raw.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise InvalidSchema(f"{key} must be a list of strings")
    return listed


def _full(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _namespace(full: str) -> str:
    return full.rpartition(".")[0]


def _short(full: str) -> str:
    return full.rpartition(".")[2]


def fits(node: Node, value: Any) -> bool:
    """Whether a JSON value can be a field's default: one of a union's branches will do."""
    if isinstance(node, Union):
        return any(fits(branch, value) for branch in node.branches)
    if isinstance(node, Record):
        return isinstance(value, dict) and all(
            fits(item.type, value[item.name]) if item.name in value else item.has_default for item in node.fields
        )
    if isinstance(node, Enumeration):
        return value in node.symbols
    if isinstance(node, Fixed):
        return isinstance(value, str) and len(value) == node.size
    if isinstance(node, Array):
        return isinstance(value, list) and all(fits(node.items, item) for item in value)
    if isinstance(node, MapOf):
        return isinstance(value, dict) and all(fits(node.values, item) for item in value.values())
    return _fits_primitive(node.kind, value)


def _fits_primitive(kind: str, value: Any) -> bool:
    if kind == "null":
        return value is None
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind in ("int", "long"):
        limit = _INT if kind == "int" else _LONG
        return isinstance(value, int) and -limit <= value < limit
    if kind in ("float", "double"):
        return isinstance(value, int | float) or value in ("NaN", "Infinity", "-Infinity")
    if kind == "bytes":
        return isinstance(value, str) and all(ord(c) < 256 for c in value)
    return isinstance(value, str)


def canonical(schema: AvroSchema) -> str:
    """Return a text that is equal for texts that differ in spaces only."""
    return json.dumps(schema.raw, separators=(",", ":"))


def normalized(schema: AvroSchema) -> str:
    """Return a text that is equal for schemas that differ in the order of properties and in how names are written."""
    return json.dumps(_normal(schema.raw, "", schema.names), separators=(",", ":"), ensure_ascii=False)


def resolved(schema: AvroSchema) -> str:
    """Return the schema with everything it refers to written out at the first place that uses it."""
    own = {id(raw) for raw in _objects(schema.raw)}
    outside = {name: node for name, node in schema.names.items() if isinstance(node, Named) and id(node.raw) not in own}
    return json.dumps(_inline(schema.raw, "", outside, set()), separators=(",", ":"), ensure_ascii=False)


def _objects(raw: Any) -> Iterator[dict[str, Any]]:
    if isinstance(raw, dict):
        yield raw
    for item in raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list) else ():
        yield from _objects(item)


def _inline(raw: Any, namespace: str, outside: Mapping[str, Named], done: set[str]) -> Any:
    if isinstance(raw, str):
        full = _full(raw, namespace)
        full = full if full in outside else raw
        if raw in PRIMITIVES or full not in outside:
            return raw
        return _inline(outside[full].raw, _namespace(full), outside, done)
    if isinstance(raw, list):
        return [_inline(item, namespace, outside, done) for item in raw]
    kind = raw["type"]
    result = dict(raw)
    if kind in ("record", "error", "enum", "fixed"):
        own = raw.get("namespace")
        full = _full(raw["name"], own if isinstance(own, str) else namespace)
        if full in done:
            return full
        done.add(full)
        namespace = _namespace(full)
        # with its namespace, as the place it is put at may be in another one
        result |= {"name": _short(full), "namespace": namespace}
        if kind in ("record", "error"):
            fields = raw["fields"]
            result["fields"] = [{**item, "type": _inline(item["type"], namespace, outside, done)} for item in fields]
        return result
    key = {"array": "items", "map": "values"}.get(kind, "type") if isinstance(kind, str) else "type"
    result[key] = _inline(raw[key], namespace, outside, done)
    return result


def _normal(raw: Any, namespace: str, names: Mapping[str, Node]) -> Any:
    if isinstance(raw, str):
        full = _full(raw, namespace)
        return raw if raw in PRIMITIVES or full not in names else full
    if isinstance(raw, list):
        return [_normal(item, namespace, names) for item in raw]
    kind = raw["type"]
    result = {key: value for key, value in raw.items() if key != "namespace"}
    if kind in ("record", "error", "enum", "fixed"):
        own = raw.get("namespace")
        result["name"] = _full(raw["name"], own if isinstance(own, str) else namespace)
        namespace = _namespace(result["name"])
        if "aliases" in raw:
            result["aliases"] = sorted(_full(alias, namespace) for alias in raw["aliases"])
    if kind in ("record", "error"):
        result["fields"] = [_normal_field(item, namespace, names) for item in raw["fields"]]
    elif kind == "array":
        result["items"] = _normal(raw["items"], namespace, names)
    elif kind == "map":
        result["values"] = _normal(raw["values"], namespace, names)
    elif kind not in ("enum", "fixed"):
        result["type"] = _normal(kind, namespace, names)
        if len(result) == 1:
            return result["type"]
    return _ordered(result)


def _normal_field(raw: dict[str, Any], namespace: str, names: Mapping[str, Node]) -> dict[str, Any]:
    result = {**raw, "type": _normal(raw["type"], namespace, names)}
    if "aliases" in raw:
        result["aliases"] = sorted(raw["aliases"])
    if result.get("order") == "ascending":
        del result["order"]
    return _ordered(result)


def _ordered(raw: dict[str, Any]) -> dict[str, Any]:
    known = [key for key in _ORDER if key in raw]
    return {key: raw[key] for key in [*known, *sorted(key for key in raw if key not in _ORDER)]}


def problems(reader: AvroSchema, writer: AvroSchema) -> list[Problem]:
    """Return why data of the writer's schema cannot be read with the reader's; empty when all can."""
    return _Comparison().compare(reader.node, writer.node, "")


class _Comparison:
    """Compares types. Recursive ones are taken to fit while they are being compared."""

    def __init__(self) -> None:
        self._under_way: set[tuple[int, int]] = set()
        self._fitting: dict[tuple[int, int], None] = {}

    def compare(self, reader: Node, writer: Node, path: str) -> list[Problem]:
        pair = (id(reader), id(writer))
        if pair in self._under_way or pair in self._fitting:
            return []
        known = len(self._fitting)
        self._under_way.add(pair)
        found = list(self._compared(reader, writer, path))
        self._under_way.discard(pair)
        if found:
            # what was found to fit meanwhile may have relied on this pair
            for key in list(self._fitting)[known:]:
                del self._fitting[key]
        else:
            self._fitting[pair] = None
        return found

    def _compared(self, reader: Node, writer: Node, path: str) -> Iterable[Problem]:
        if isinstance(writer, Union):
            for number, branch in enumerate(writer.branches):
                for problem in self.compare(reader, branch, f"{path}/{number}"):
                    yield Problem("MISSING_UNION_BRANCH", f"{path}/{number}", problem.text)
            return
        if isinstance(reader, Union):
            if not any(not self.compare(branch, writer, path) for branch in reader.branches):
                text = f"the union that reads it lacks a branch for {_described(writer)}"
                yield Problem("MISSING_UNION_BRANCH", path, text)
            return
        if isinstance(reader, Primitive) or isinstance(writer, Primitive) or reader.kind != writer.kind:
            if reader.kind != writer.kind and reader.kind not in _PROMOTED.get(writer.kind, ()):
                text = f"{_described(writer)} cannot be read as {_described(reader)}"
                yield Problem("TYPE_MISMATCH", path, text)
            return
        if isinstance(reader, Array) and isinstance(writer, Array):
            yield from self.compare(reader.items, writer.items, f"{path}/items")
        elif isinstance(reader, MapOf) and isinstance(writer, MapOf):
            yield from self.compare(reader.values, writer.values, f"{path}/values")
        elif isinstance(reader, Named) and isinstance(writer, Named):
            if not reader.answers_to(writer):
                text = f"the name {writer.name} is neither that of {reader.name} nor one of its aliases"
                yield Problem("NAME_MISMATCH", f"{path}/name", text)
            else:
                yield from self._named(reader, writer, path)

    def _named(self, reader: Named, writer: Named, path: str) -> Iterable[Problem]:
        if isinstance(reader, Record) and isinstance(writer, Record):
            yield from self._fields(reader, writer, path)
        elif isinstance(reader, Enumeration) and isinstance(writer, Enumeration):
            missing = [symbol for symbol in writer.symbols if symbol not in reader.symbols]
            if missing and reader.default is None:
                text = f"the enum that reads it lacks {', '.join(missing)} and has no default"
                yield Problem("MISSING_ENUM_SYMBOLS", f"{path}/symbols", text)
        elif isinstance(reader, Fixed) and isinstance(writer, Fixed) and reader.size != writer.size:
            text = f"{writer.size} bytes cannot be read as {reader.size} bytes"
            yield Problem("FIXED_SIZE_MISMATCH", f"{path}/size", text)

    def _fields(self, reader: Record, writer: Record, path: str) -> Iterable[Problem]:
        written = {item.name: item for item in writer.fields}
        for number, wanted in enumerate(reader.fields):
            place = f"{path}/fields/{number}"
            given = next((written[name] for name in (wanted.name, *wanted.aliases) if name in written), None)
            if given is not None:
                yield from self.compare(wanted.type, given.type, f"{place}/type")
            elif not wanted.has_default:
                text = f"the field '{wanted.name}' of {reader.name} has no default value and is not written"
                yield Problem("READER_FIELD_MISSING_DEFAULT_VALUE", place, text)


def _described(node: Node) -> str:
    return f"{node.kind} {node.name}" if isinstance(node, Named) else node.kind
