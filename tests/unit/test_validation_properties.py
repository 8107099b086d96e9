# SPDX-License-Identifier: Apache-2.0
"""Inline validation of schemas of any shape finds what a plain walk over schema and message finds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from confluent_kafka.schema_registry.avro import validate_message as validate_avro
from confluent_kafka.schema_registry.error import SchemaMismatchError
from confluent_kafka.schema_registry.json_schema import validate_message as validate_json
from confluent_kafka.schema_registry.protobuf import validate_message as validate_protobuf
from confluent_kafka.serialization import SerializationError
from tests.unit.protobuf_kit import message_class
from tests.unit.validation_kit import BEFORE, Scripted, Writer, rules

# A shape is ("leaf",), ("list", shape), ("map", shape) or ("record", number of checks, fields); a field of a record is
# (name, number of checks, shape). Checks are called r0, r1 …
LEAF = ("leaf",)
NAMES = st.sampled_from(("a", "b", "c"))
CHECKS = st.integers(0, 2)


def record(depth: int, containers: bool) -> Any:
    fields = st.tuples(NAMES, CHECKS, field(depth, containers))
    return st.tuples(st.just("record"), CHECKS, st.lists(fields, min_size=1, max_size=3, unique_by=lambda one: one[0]))


def field(depth: int, containers: bool) -> Any:
    """The shape of a field; without ``containers`` in ``containers``, which Protobuf does not have."""
    if depth == 0:
        return st.just(LEAF)
    single = record(depth - 1, containers)
    item = st.one_of(single, field(depth - 1, containers) if containers else st.just(LEAF))
    return st.one_of(st.just(LEAF), single, st.tuples(st.sampled_from(("list", "map")), item))


def values(shape: Any) -> Any:
    """Messages of a shape; fields may be absent, or None."""
    kind = shape[0]
    if kind == "leaf":
        return st.integers(0, 100)
    if kind == "list":
        return st.lists(values(shape[1]), max_size=2)
    if kind == "map":
        return st.dictionaries(st.sampled_from(("k", 'q"', "ü")), values(shape[1]), max_size=2)
    present = {name: values(inner) for name, _, inner in shape[2]}
    maybe = {name: st.none() | one for name, one in present.items()}
    return st.fixed_dictionaries(present) | st.fixed_dictionaries({}, optional=maybe)


def messages(containers: bool = True) -> Any:
    return record(3, containers).flatmap(lambda shape: st.tuples(st.just(shape), values(shape)))


def checks(number: int) -> dict[str, Any]:
    return {"confluent:rules": rules(*(f"r{index}" for index in range(number)))} if number else {}


def found_at(number: int, path: str) -> list[str]:
    return [f"{path or '<root>'}: r{index}: no" for index in range(number)]


def avro(shape: Any, numbers: Iterator[int]) -> Any:
    kind = shape[0]
    if kind == "leaf":
        return "int"
    if kind == "list":
        return {"type": "array", "items": avro(shape[1], numbers)}
    if kind == "map":
        return {"type": "map", "values": avro(shape[1], numbers)}
    fields = [
        {"name": name, "type": ["null", avro(inner, numbers)], "default": None, **checks(number)}
        for name, number, inner in shape[2]
    ]
    return {"type": "record", "name": f"R{next(numbers)}", "fields": fields, **checks(shape[1])}


def json_schema(shape: Any, number: int) -> dict[str, Any]:
    kind = shape[0]
    if kind == "leaf":
        return {"type": ["integer", "null"], **checks(number)}
    if kind == "list":
        return {"type": ["array", "null"], "items": json_schema(shape[1], 0), **checks(number)}
    if kind == "map":
        return {"type": ["object", "null"], "additionalProperties": json_schema(shape[1], 0), **checks(number)}
    properties = {name: json_schema(inner, number) for name, number, inner in shape[2]}
    return {"type": ["object", "null"], "properties": properties, **checks(shape[1])}


def protobuf(shape: Any) -> str:
    """The text of a file whose message M has this shape."""
    return 'syntax = "proto3";\npackage v;\nimport "confluent/meta.proto";\n' + _message(shape, "M")


def _message(shape: Any, name: str) -> str:
    lines = [f"option (confluent.message_meta) = {{{_rules_text(shape[1])}}};"]
    for number, (field, checked, inner) in enumerate(shape[2], 1):
        item = inner[1] if inner[0] in ("list", "map") else inner
        kind = "int32"
        if item[0] == "record":
            kind = f"T{field}"
            lines.append(_message(item, kind))
        label = {"list": f"repeated {kind}", "map": f"map<string, {kind}>"}.get(inner[0], f"optional {kind}")
        lines.append(f"{label} {field} = {number} [(confluent.field_meta) = {{{_rules_text(checked)}}}];")
    return f"message {name} {{\n" + "\n".join(lines) + "\n}\n"


def _rules_text(number: int) -> str:
    return " ".join(f'rules: {{name: "r{index}" expr: "no"}}' for index in range(number))


def by_hand(shape: Any, value: Any, path: str) -> list[str]:
    """What Avro and Protobuf have to find, as the documentation tells it."""
    if value is None:
        return []
    kind, found = shape[0], list[str]()
    if kind == "list":
        for index, item in enumerate(value):
            found += by_hand(shape[1], item, f"{path}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            found += by_hand(shape[1], item, f'{path}["{key}"]')
    elif kind == "record":
        found += found_at(shape[1], path)
        for name, number, inner in shape[2]:
            if value.get(name) is not None:
                place = f"{path}.{name}" if path else name
                found += found_at(number, place) + by_hand(inner, value[name], place)
    return found


def json_by_hand(shape: Any, value: Any, path: str, number: int) -> list[str]:
    """What JSON Schema has to find: an object's checks are those of its schema, which may also be a property's."""
    if value is None:
        return []
    kind, found = shape[0], list[str]()
    if kind == "list":
        for index, item in enumerate(value):
            found += json_by_hand(shape[1], item, f"{path}[{index}]", 0)
    elif kind == "map":
        found += found_at(number, path)
        for key, item in value.items():
            found += _json_property(shape[1], item, f"{path}.{key}", 0)
    elif kind == "record":
        found += found_at(shape[1], path)
        for name, checked, inner in shape[2]:
            found += _json_property(inner, value.get(name), f"{path}.{name}", checked)
    return found


def _json_property(shape: Any, value: Any, path: str, number: int) -> list[str]:
    if value is None:
        return []
    own = shape[1] if shape[0] == "record" else number
    return found_at(own, path) + json_by_hand(shape, value, path, number)


def plain(value: Any) -> Any:
    """The value without its absent fields: a dict for Protobuf."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    return [plain(item) for item in value] if isinstance(value, list) else value


def texts(found: Any) -> list[str]:
    return [str(item) for item in found]


@settings(deadline=None)
@given(messages())
def test_avro(case: tuple[Any, Any]) -> None:
    shape, value = case
    schema, expected = avro(shape, count()), by_hand(shape, value, "")
    assert texts(validate_avro(Scripted(), schema, value)) == expected
    assert texts(validate_avro(Scripted(), schema, value, fail_fast=True)) == expected[:1]
    assert validate_avro(Scripted(True), schema, value) == []


@settings(deadline=None)
@given(messages())
def test_json(case: tuple[Any, Any]) -> None:
    shape, value = case
    schema, expected = json_schema(shape, 0), json_by_hand(shape, value, "$", 0)
    assert texts(validate_json(Scripted(), schema, None, None, value)) == expected
    assert texts(validate_json(Scripted(), schema, None, None, value, fail_fast=True)) == expected[:1]


@settings(deadline=None, max_examples=50)
@given(messages(containers=False))
def test_protobuf(case: tuple[Any, Any]) -> None:
    shape, value = case
    # a field that holds many is never absent: it is empty
    value = _filled(shape, plain(value))
    text = protobuf(shape)
    kind = message_class(text, "M")
    message = Writer("PROTOBUF", text, conf={"validation.rules.execution": "DISABLED"})(value)
    parsed = kind.FromString(message[6:])
    found = texts(validate_protobuf(Scripted(), kind.DESCRIPTOR, parsed))
    assert sorted(found) == sorted(by_hand(shape, value, ""))  # a map of Protobuf has its own order
    assert texts(validate_protobuf(Scripted(), kind.DESCRIPTOR, parsed, fail_fast=True)) == found[:1]


def _filled(shape: Any, value: Any) -> Any:
    if shape[0] == "list":
        return [_filled(shape[1], item) for item in value]
    if shape[0] == "map":
        return {key: _filled(shape[1], item) for key, item in value.items()}
    if shape[0] == "leaf":
        return value
    empty = {"list": list, "map": dict}
    more = {name: empty[inner[0]]() for name, _, inner in shape[2] if inner[0] in empty and name not in value}
    both = {**value, **more}
    return {name: _filled(inner, both[name]) for name, _, inner in shape[2] if name in both}


@settings(deadline=None, max_examples=50)
@given(messages())
def test_a_serializer_writes_all_or_nothing(case: tuple[Any, Any]) -> None:
    shape, value = case
    schema = avro(shape, count())
    passing = Writer("AVRO", schema, conf={**BEFORE, "validation.rules.executor": Scripted(True)})
    disabled = Writer("AVRO", schema, conf={"validation.rules.execution": "DISABLED"})
    assert passing(value) == disabled(value)
    failing = Writer("AVRO", schema)
    if by_hand(shape, value, ""):
        with pytest.raises(SerializationError, match=r"^Validation rule failed"):
            failing(value)
    else:
        assert failing(value) == disabled(value)


BRANCHES = st.one_of(
    st.lists(st.tuples(NAMES, st.booleans()), max_size=3, unique_by=lambda field: field[0]),
    st.sampled_from(("array", "map")),
)


def branch(index: int, parts: Any) -> Any:
    """A branch of a union; a record, or a container of records, with a check that has the branch's number."""
    if isinstance(parts, str):
        inner = {"type": "record", "name": f"B{index}", "fields": [], "confluent:rules": rules(str(index), expr="yes")}
        return {"type": parts, "items" if parts == "array" else "values": inner}
    fields = [{"name": name, "type": "int", **({"default": 0} if absent else {})} for name, absent in parts]
    return {"type": "record", "name": f"B{index}", "fields": fields, "confluent:rules": rules(str(index), expr="yes")}


@settings(deadline=None)
@given(
    st.lists(BRANCHES, min_size=2, max_size=4),
    st.dictionaries(NAMES, st.integers(0, 9) | st.just({}), max_size=3) | st.just([{}]),
)
@example([[("a", False)], [("a", False), ("b", True)]], {"a": 1, "b": 2})
@example([[("a", False), ("b", True)], [("a", False)]], {"a": 1})
@example([[("a", True)], "map"], {"a": {}})
def test_the_branch_of_a_union_that_is_written_is_checked(branches: list[Any], value: Any) -> None:
    kinds = [parts for parts in branches if isinstance(parts, str)]
    if len(kinds) != len(set(kinds)):
        return  # no schema: a union has one array and one map at most
    write = Writer("AVRO", ["null", *(branch(index, parts) for index, parts in enumerate(branches))])
    try:
        data = write(value)
    except SchemaMismatchError:
        return
    written = data[5] // 2 - 1  # a zigzag number
    parts = branches[written]
    checked = {name for name, _ in write.executor.seen}
    if not isinstance(parts, str) or value not in ([], {}):
        assert checked == {str(written)}
    else:
        assert checked == set()
