# SPDX-License-Identifier: Apache-2.0
"""The fields of an Avro schema, and walks to them through objects as the codec takes and gives them."""

from __future__ import annotations

import datetime
import decimal
import uuid
from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka.schema_registry._core.codecs.avro_schema import PRIMITIVES, defined_name, find_type
from confluent_kafka.schema_registry._core.rule_fields import Field, Place, Tags, place_of, walk_from
from confluent_kafka.schema_registry._core.rule_types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from confluent_kafka.schema_registry._core.models import Schema
    from confluent_kafka.schema_registry._core.rule_fields import Leaf, LeafRun, Walk
    from confluent_kafka.schema_registry._core.rule_types import FieldContext

T = TypeVar("T")

TAGS = "confluent:tags"
_MISSING: Any = object()
_TYPES = {name: FieldType(name.upper()) for name in PRIMITIVES} | {
    "enum": FieldType.ENUM,
    "fixed": FieldType.FIXED,
}
_ALL_TYPES = _TYPES | {
    "record": FieldType.RECORD,
    "error": FieldType.RECORD,
    "array": FieldType.ARRAY,
    "map": FieldType.MAP,
}


def field_type(schema: Any) -> FieldType:
    """Return what rules take values of a schema for; NULL for the name of a type, which alone does not tell."""
    if isinstance(schema, list):
        return FieldType.COMBINED
    kind = schema.get("type") if isinstance(schema, dict) else schema
    if isinstance(kind, (list, dict)):
        return field_type(kind)
    return _ALL_TYPES.get(kind, FieldType.NULL) if isinstance(kind, str) else FieldType.NULL


class AvroFields:
    """The fields of one schema.

    Args:
        schema: JSON of the schema, complete with all it refers to.
        tagged: schemas whose metadata gives tags to the fields.
        other: JSON of a schema whose inline tags count too, for fields of the same full names.
        namespace: the namespace the schema stands in.

    ``inline`` are the tags in the text by full name of the field, where there are any.
    """

    def __init__(
        self, schema: Any, tagged: Iterable[Schema | None] = (), other: Any = None, namespace: str = ""
    ) -> None:
        self._named: dict[str, tuple[Any, str]] = {}
        self.inline: dict[str, set[str]] = {}
        self._collect(other, "")
        self._named.clear()
        self.has_fields = False
        self._collect(schema, namespace)
        self._schema = schema
        self._namespace = namespace
        self._tags = Tags(tagged)

    def _collect(self, schema: Any, namespace: str) -> None:
        """Remember named types, and the tags in the text."""
        if isinstance(schema, list):
            for branch in schema:
                self._collect(branch, namespace)
            return
        if not isinstance(schema, dict):
            return
        kind = schema.get("type")
        if not isinstance(kind, str):
            self._collect(kind, namespace)
        elif kind == "array":
            self._collect(schema.get("items"), namespace)
        elif kind == "map":
            self._collect(schema.get("values"), namespace)
        elif kind in ("record", "error", "enum", "fixed"):
            full, inner = defined_name(schema, namespace)
            self._named[full] = (schema, inner)
            for field in schema.get("fields") or ():
                self.has_fields = True
                if tags := field.get(TAGS):
                    self.inline.setdefault(f"{full}.{field['name']}", set()).update(tags)
                self._collect(field.get("type"), inner)

    def _compiler(self, leaf: Leaf, writing: bool) -> _Compiler:
        return _Compiler(self._named, self.inline, self._tags, leaf, writing)

    def walk(self, leaf: Leaf, *, writing: bool, field: FieldContext | None = None) -> Walk | None:
        """Compile a walk to the fields ``leaf`` wants; None when it wants none.

        ``field`` is the field that the values are inside of, where the schema is not that of a whole message.
        """
        run = self._compiler(leaf, writing).compile(self._schema, self._namespace, place_of(field))
        return walk_from(run, field)

    def field_walk(self, field: dict[str, Any], leaf: Leaf) -> LeafRun | None:
        """Compile a walk to what ``leaf`` wants inside of one field of the record."""
        full, inner = defined_name(self._schema, self._namespace)
        compiler = self._compiler(leaf, False)
        return compiler.compile(field.get("type"), inner, compiler.place(full, field))

    def resolve(self, value: Any) -> tuple[Any, Any]:
        """Return the branch of a union that a value takes, and the value without a branch's name around it.

        The branch is None where there is none for it.
        """
        if not isinstance(self._schema, list):
            return None, value
        find = self._compiler(lambda field: None, False).find
        found = _pick([(Matcher(branch, self._namespace, find), branch) for branch in self._schema], value)
        return (None, value) if found is None else (found[1], found[2])


class _Compiler:
    def __init__(
        self,
        named: dict[str, tuple[Any, str]],
        inline: dict[str, set[str]],
        tags: Tags,
        leaf: Leaf,
        writing: bool,
    ) -> None:
        self._named = named
        self._inline = inline
        self._tags = tags
        self._leaf = leaf
        self._writing = writing
        # record walks by name, in a list so that a record inside of itself finds what is not compiled yet
        self._records: dict[str, list[LeafRun | None]] = {}

    def compile(self, schema: Any, namespace: str, place: Place | None) -> LeafRun | None:
        if isinstance(schema, str):
            if schema in PRIMITIVES:
                return self._value(schema, None, place)
            found = self.find(schema, namespace)
            return None if found is None else self.compile(*found, place)
        if isinstance(schema, list):
            return self._union(schema, namespace, place)
        if not isinstance(schema, dict):
            return None
        kind = schema.get("type")
        if not isinstance(kind, str):
            return self.compile(kind, namespace, place)
        if kind == "array":
            return _array(self.compile(schema.get("items"), namespace, place))
        if kind == "map":
            return _map(self.compile(schema.get("values"), namespace, place))
        if kind in ("record", "error"):
            return self._record(schema, namespace)
        if kind in _TYPES:
            return self._value(kind, schema.get("logicalType"), place)
        found = self.find(kind, namespace)
        return None if found is None else self.compile(*found, place)

    def find(self, name: str, namespace: str) -> tuple[Any, str] | None:
        """Return the definition of a type, and the namespace it stands in."""
        return find_type(self._named, name, namespace)

    def place(self, record: str, field: dict[str, Any]) -> Place:
        """Return the place that a field of a record is."""
        name = str(field["name"])
        full_name = f"{record}.{name}"
        return Place(full_name, name, self._tags.of(full_name, self._inline.get(full_name, ())))

    def _value(self, kind: str, logical: Any, place: Place | None) -> LeafRun | None:
        if place is None:
            return None  # a value that is no record has no fields
        logical = logical if isinstance(logical, str) else None
        return self._leaf(Field(place.full_name, place.name, _TYPES[kind], place.tags, logical=logical))

    def _record(self, schema: dict[str, Any], namespace: str) -> LeafRun | None:
        full, inner = defined_name(schema, namespace)
        known = self._records.get(full)
        if known is not None:
            if known and known[0] is None:
                return None
            return known[0] if known else lambda value, containing, state: _later(known, value, containing, state)
        slot: list[LeafRun | None] = []
        self._records[full] = slot
        runs: list[tuple[str, LeafRun, Any]] = []
        for field in schema.get("fields") or ():
            run = self.compile(field.get("type"), inner, self.place(full, field))
            if run is not None:
                # a default that the encoder would put in has to go through the rule as well: the reader undoes it
                default = _default(field) if self._writing else _MISSING
                runs.append((str(field["name"]), run, default))
        slot.append(_record_walk(full, runs) if runs else None)
        return slot[0]

    def _union(self, branches: list[Any], namespace: str, place: Place | None) -> LeafRun | None:
        compiled = [(branch, self.compile(branch, namespace, place)) for branch in branches]
        if all(run is None for _, run in compiled):
            return None
        others = [(branch, run) for branch, run in compiled if branch != "null"]
        null = next((run for branch, run in compiled if branch == "null"), None)
        has_null = len(others) < len(compiled)
        if len(others) == 1 and has_null:
            return _optional(others[0][1], null, Matcher(others[0][0], namespace, self.find))
        return _Union([(Matcher(branch, namespace, self.find), run) for branch, run in compiled], self._writing).run


def _later(slot: list[LeafRun | None], value: Any, containing: Any, state: Any) -> Any:
    run = slot[0]
    return value if run is None else run(value, containing, state)


def _default(field: dict[str, Any]) -> Any:
    if "default" not in field:
        return _MISSING
    default, kind = field["default"], field.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    if isinstance(kind, dict):
        kind = kind.get("type")
    if kind in ("bytes", "fixed") and isinstance(default, str):
        return default.encode("iso-8859-1")
    return default


def _variant_walk(walk: LeafRun, value: Any, state: Any) -> Any:
    """Walk through a Variant as the record {metadata, value} that is written for it."""
    record = {"metadata": value.metadata, "value": value.standalone_value_bytes()}
    changed = walk(record, None, state)
    if changed is record:
        return value
    try:
        return type(value)(changed["value"], changed["metadata"])
    except ValueError:  # encrypted
        return changed


def _record_walk(full: str, runs: list[tuple[str, LeafRun, Any]]) -> LeafRun:
    def walk(value: Any, containing: Any, state: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            if isinstance(value, tuple) and len(value) == 2:  # (name, record), as return_record_name gives it
                return (value[0], walk(value[1], containing, state))
            if hasattr(value, "standalone_value_bytes"):
                return _variant_walk(walk, value, state)
            raise TypeError(f"record {full}: expected a dict, got {type(value).__name__}")
        changed: dict[str, Any] | None = None
        for name, run, default in runs:
            old = value.get(name, default)
            if old is _MISSING:
                continue
            new = run(old, value, state)
            if new is not old:
                if changed is None:
                    changed = dict(value)
                changed[name] = new
        return value if changed is None else changed

    return walk


def _array(run: LeafRun | None) -> LeafRun | None:
    if run is None:
        return None

    def walk(value: Any, containing: Any, state: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, (str, Mapping)):
            # a list made of its parts would be one that the encoder takes
            raise TypeError(f"array: expected a list, got {type(value).__name__}")
        return [run(item, containing, state) for item in value]

    return walk


def _map(run: LeafRun | None) -> LeafRun | None:
    if run is None:
        return None

    def walk(value: Any, containing: Any, state: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise TypeError(f"map: expected a dict, got {type(value).__name__}")
        return {name: run(item, containing, state) for name, item in value.items()}

    return walk


def _optional(run: LeafRun | None, null: LeafRun | None, matcher: Matcher) -> LeafRun:
    def walk(value: Any, containing: Any, state: Any) -> Any:
        if value is None:
            return None if null is None else null(None, containing, state)
        if run is None:
            return value
        if isinstance(value, tuple) and len(value) == 2 and value[0] == matcher.name:
            new = run(value[1], containing, state)
            return (matcher.name, new) if new is value[1] or matcher.may_hold(new) else new
        return run(value, containing, state)

    return walk


class _Union:
    """A union of several types: the branch is the one named, else the first one that a value fits.

    The encoder is told the branch of named types, so that it cannot take another one than was walked.
    """

    def __init__(self, branches: list[tuple[Matcher, LeafRun | None]], writing: bool) -> None:
        self._branches = branches
        self._writing = writing

    def run(self, value: Any, containing: Any, state: Any) -> Any:
        found = _pick(self._branches, value)
        if found is None:
            raise TypeError(f"no branch of the union is for this {type(value).__name__}")
        matcher, run, inner, name = found
        new = inner if run is None else run(inner, containing, state)
        if inner is not value or (self._writing and name is None and matcher.is_named):
            # a rule may have made what is of another branch: then the encoder finds out which
            return (matcher.name, new) if new is inner or matcher.may_hold(new) else new
        return new


def branch_of(value: Any) -> tuple[str | None, Any]:
    """Return the branch of a union that a value names, if it does, and the value without it."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        return value[0], value[1]
    if isinstance(value, Mapping) and isinstance(value.get("-type"), str):
        return value["-type"], value
    return None, value


def _pick(branches: list[tuple[Matcher, T]], value: Any) -> tuple[Matcher, T, Any, str | None] | None:
    """Return the branch for a value with what goes with it, the value itself, and the name it had given."""
    name, inner = branch_of(value)
    for matcher, what in branches:
        if matcher.name == name if name is not None else matcher.fits(value):
            return matcher, what, inner, name
    return None


class Matcher:
    """Whether a value is of a type. Text, numbers and bytes are told by class, named types by what is in them."""

    def __init__(self, schema: Any, namespace: str, find: Callable[[str, str], tuple[Any, str] | None]) -> None:
        if isinstance(schema, dict) and not isinstance(schema.get("type"), str):
            schema = schema.get("type")
        kind = schema.get("type") if isinstance(schema, dict) else schema
        if isinstance(kind, str) and kind not in PRIMITIVES and kind not in _STRUCTURES:
            found = find(kind, namespace)
            if found is not None:
                schema, namespace = found
                kind = schema.get("type")
        self._schema, self._namespace, self._find, self._kind = schema, namespace, find, str(kind)
        self._logical = schema.get("logicalType") if isinstance(schema, dict) else None
        self.is_named = self._kind in ("record", "error", "enum", "fixed")
        self.name = defined_name(schema, namespace)[0] if self.is_named else self._kind

    def may_hold(self, value: Any) -> bool:
        """As ``fits``, at less cost for records."""
        return isinstance(value, Mapping) if self._kind in ("record", "error") else self.fits(value)

    def fits(self, value: Any, depth: int = 0) -> bool:
        if depth > 100:
            return True  # deep enough to tell
        if isinstance(value, _LOGICAL):
            # a Decimal is no double: the encoder does not take it for one in a union
            return isinstance(value, _LOGICAL_OF.get(self._logical or "", ()))
        if self._logical == "date" and isinstance(value, str):
            return _is_date(value)
        if self._kind in ("record", "error"):
            return isinstance(value, Mapping) and all(
                self._fits_field(field, value, depth) for field in self._schema.get("fields") or ()
            )
        if self._kind == "array":
            # to the encoder bytes are a list of numbers
            return (
                isinstance(value, (list, tuple, Sequence, array))
                and not isinstance(value, str)
                and all(self._fits(self._schema.get("items"), item, depth) for item in value)
            )
        if self._kind == "map":
            return isinstance(value, Mapping) and all(
                isinstance(name, str) and self._fits(self._schema.get("values"), item, depth)
                for name, item in value.items()
            )
        if self._kind == "enum":
            return value in (self._schema.get("symbols") or ()) if isinstance(value, str) else False
        if self._kind == "fixed":
            return isinstance(value, (bytes, bytearray)) and len(value) == self._schema.get("size")
        return _fits_primitive(self._kind, value)

    def fields_in(self, value: Any) -> int | None:
        """Return how many of a record's fields a value has; None where this is no record."""
        if self._kind != "record":
            return None
        return sum(field["name"] in value for field in self._schema.get("fields") or ())

    def _fits_field(self, field: dict[str, Any], value: Mapping[str, Any], depth: int) -> bool:
        if field["name"] not in value:
            return "default" in field or self._fits(field.get("type"), None, depth)
        return self._fits(field.get("type"), value[field["name"]], depth)

    def _fits(self, schema: Any, value: Any, depth: int) -> bool:
        namespace = defined_name(self._schema, self._namespace)[1] if self.is_named else self._namespace
        branches = schema if isinstance(schema, list) else [schema]
        if isinstance(value, tuple) and len(value) == 2 and isinstance(schema, list) and isinstance(value[0], str):
            value = value[1]
        return any(Matcher(branch, namespace, self._find).fits(value, depth + 1) for branch in branches)


_STRUCTURES = frozenset(("record", "error", "enum", "fixed", "array", "map"))
_LOGICAL = (datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, uuid.UUID)
_LOGICAL_OF: dict[str, Any] = {
    "date": datetime.date,
    "time-millis": datetime.time,
    "time-micros": datetime.time,
    "timestamp-millis": datetime.datetime,
    "timestamp-micros": datetime.datetime,
    "timestamp-nanos": datetime.datetime,
    "local-timestamp-millis": datetime.datetime,
    "local-timestamp-micros": datetime.datetime,
    "local-timestamp-nanos": datetime.datetime,
    "decimal": decimal.Decimal,
    "uuid": uuid.UUID,
    "duration": datetime.timedelta,
}


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _fits_primitive(kind: str, value: Any) -> bool:
    if kind == "null":
        return value is None
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str)
    if kind == "bytes":
        return isinstance(value, (bytes, bytearray, memoryview))
    if isinstance(value, bool) or not hasattr(type(value), "__float__"):
        return False
    if kind == "int":
        return hasattr(type(value), "__index__") and -(2**31) <= int(value) < 2**31
    if kind == "long":
        return hasattr(type(value), "__index__") and -(2**63) <= int(value) < 2**63
    return kind in ("float", "double")
