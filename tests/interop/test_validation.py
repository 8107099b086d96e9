# SPDX-License-Identifier: Apache-2.0
"""Inline validation refuses what it refuses with confluent-kafka, in the same words, and lets the same pass.

Left out is what confluent-kafka does not look at, and we do: Avro records inside of themselves, tuples, properties by
``additionalProperties`` and ``patternProperties``, and what stands beside an ``allOf`` or a ``$ref``.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from confluent_kafka.schema_registry._core.codecs.protobuf_files import link
from tests.interop.kit import by_peer, different
from tests.interop.validation_by_peer import outcome
from tests.unit.validation_kit import AVRO, AVRO_CASES, JSON, JSON_CASES, PROTO, PROTO_CASES, rules

LEFT_OUT = ("next", "pair", "rest")


def avro_field(kind: Any, expr: str) -> dict[str, Any]:
    return {
        "type": "record",
        "name": "R",
        "fields": [{"name": "a", "type": kind, "confluent:rules": rules("r", expr=expr)}],
    }


def json_field(expr: str) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": {"confluent:rules": rules("r", expr=expr)}}}


def proto_text(text: str, name: str) -> str:
    proto = link(text, {}).descriptor
    file = FileDescriptorProto.FromString(proto.serialized_pb)
    file.name = name
    return base64.b64encode(file.SerializeToString()).decode()


def places() -> list[dict[str, Any]]:
    """Checks everywhere, none of which passes."""
    json_schema = {**JSON, "properties": {k: v for k, v in JSON["properties"].items() if k not in LEFT_OUT}}
    proto = proto_text(PROTO, "places.proto")
    cases: list[dict[str, Any]] = []
    for kind, schema, table in (
        ("AVRO", json.dumps(AVRO), AVRO_CASES),
        ("JSON", json.dumps(json_schema), JSON_CASES),
        ("PROTOBUF", proto, PROTO_CASES),
    ):
        for obj, _ in table:
            if kind != "PROTOBUF" and any(name in obj for name in LEFT_OUT):
                continue
            tuples = [name for name, item in obj.items() if isinstance(item, tuple)]
            if kind == "PROTOBUF" and "texts" in obj:
                obj = {**obj, "texts": {"true": "t"}}
            case = {"kind": kind, "schema": schema, "message": "v.M", "object": obj, "tuples": tuples}
            cases += [{**case, "fail_fast": fast} for fast in (False, True)]
    return cases


RESULTS = [
    [{"name": "n", "doc": "the doc", "expr": "no"}],
    [{"name": "n", "sql": "a > 1", "expr": "no"}],
    [{"expr": "no"}, {"name": "", "expr": "no"}],
    [{"name": "n"}],
    [{"name": "yes", "expr": "yes"}, {"name": "no", "expr": "no"}, {"name": "tell", "doc": "d", "expr": "tell"}],
    ["no check", 5, None, {"name": "n", "expr": "no", "disabled": True}],
    {"name": "n", "expr": "no"},
    "no",
    None,
    [],
]


def results() -> list[dict[str, Any]]:
    """What checks are and say."""
    cases: list[dict[str, Any]] = []
    for checks in RESULTS:
        avro = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int", "confluent:rules": checks}]}
        properties = {
            "type": "object",
            "title": "R",
            "properties": {"a": {"type": "integer", "confluent:rules": checks}},
        }
        for kind, schema in (("AVRO", avro), ("JSON", properties)):
            text = json.dumps(schema)
            one = {"kind": kind, "schema": text, "object": {"a": 1}}
            cases += [one, {**one, "cel": True}, {**one, "execution": "DISABLED"}]
            wrong: list[Any] = [{"a": "1"}, {}, 5]
            cases += [{**one, "object": obj} for obj in wrong]
    return cases


def logical(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "logicalType": name, **more}


_MONEY = logical("bytes", "decimal", precision=6, scale=2)
_TIME = "datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)"
LOGICAL: list[tuple[Any, str, list[str]]] = [
    (logical("int", "date"), "datetime.date(2020, 1, 2)", ["this == 18263", "this < 5"]),
    (logical("long", "timestamp-millis"), _TIME, ["this < now", "this == timestamp('2020-01-02T03:04:05Z')"]),
    (logical("long", "timestamp-micros"), _TIME, ["this.getFullYear() == 2021", "this > 5"]),
    (logical("int", "time-millis"), "datetime.time(3, 4, 5)", ["this > 0", "this == '03:04:05'"]),
    (_MONEY, "Decimal('1.50')", ["decimals.gt(this, decimal('1.2'))", "string(this) == '1.50'", "this > 1"]),
    (logical("string", "uuid"), "UUID(int=5)", ["size(this) == 36", "this.isUuid()", "this == ''"]),
    ("bytes", "b'\\x00\\x01'", ["size(this) == 2", "this == b'a'"]),
    ({"type": "fixed", "name": "F", "size": 2}, "b'ab'", ["this == b'ab'", "size(this) > 2"]),
    ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "'A'", ["this == 'A'", "this == 'B'"]),
    ("long", "2**40", ["this == 1099511627776"]),
    (["null", "string", "int"], "5", ["this == 'x'", "this > 1"]),
    ({"type": "array", "items": logical("int", "date")}, "[datetime.date(2020, 1, 2)]", ["this[0] > 20000"]),
    ({"type": "map", "values": _MONEY}, "{'x': Decimal('1.5')}", ["decimals.gt(this.x, decimal('1.2'))"]),
]


def logical_types() -> list[dict[str, Any]]:
    """CEL on what Avro makes of numbers, texts and bytes; and a number that is none in CEL."""
    cases: list[dict[str, Any]] = []
    for kind, value, exprs in LOGICAL:
        for expr in exprs:
            case = {"kind": "AVRO", "schema": json.dumps(avro_field(kind, expr)), "cel": True}
            cases.append({**case, "python": f"{{'a': {value}}}", "object": None})
    return [
        *cases,
        {"kind": "JSON", "schema": json.dumps(json_field("this > 5")), "cel": True, "object": {"a": 10**20}},
    ]


PROTO_CEL = """
syntax = "proto3";
package w;
import "confluent/meta.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message M {
  RULES
  int32 i = 1;
  string s = 2;
  repeated int32 list = 3;
  map<string, int32> map = 4;
  S sub = 5;
  E e = 6;
  optional bool flag = 7;
  google.protobuf.Timestamp at = 8;
  google.protobuf.StringValue wrapped = 9;
  bytes raw = 10;
  message S { string x = 1; }
  enum E { A = 0; B = 1; }
}
"""
PROTO_OBJECTS: list[Any] = [
    {},
    {"i": 5, "s": "abc", "list": [1, 2], "map": {"k": 1}, "sub": {"x": "y"}, "e": "B", "flag": False},
    {"at": "2020-01-01T00:00:00Z", "wrapped": "text", "raw": "AAE="},
]
PROTO_EXPRESSIONS = [
    "this.i > 3",
    "this.s == 'abc'",
    "size(this.list) == 2",
    "this.list.all(one, one > 0)",
    "this.map['k'] == 1",
    "'k' in this.map",
    "this.sub.x == 'y'",
    "has(this.sub)",
    "this.sub == null",
    "this.e == 1",
    "has(this.flag)",
    "this.flag == null || !this.flag",
    "this.at < timestamp('2021-01-01T00:00:00Z')",
    "this.wrapped == 'text'",
    "size(this.raw) == 2",
    "this.nothing == 1",
]


PROTO_FIELDS: list[tuple[str, Any, list[str]]] = [
    ("int64", "5", ["this == 5", "this > 2 ? '' : 'small'"]),
    ("uint32", 5, ["this == 5", "this == 5u", "this > 2"]),
    ("float", 1.5, ["this == 1.5", "this > 1.0"]),
    ("bool", True, ["this", "!this"]),
    ("string", "abc", ["size(this) == 3", "this.startsWith('b')"]),
    ("bytes", "AAE=", ["size(this) == 2", "this == b'\\\\x00\\\\x01'"]),
    ("E", "B", ["this == 1", "this == 'B'"]),
    ("S", {"x": "y"}, ["this.x == 'y'", "has(this.x)", "this == null"]),
    ("repeated int32", [1, 2], ["size(this) == 2", "this[0] == 1", "this.all(one, one > 1)"]),
    ("repeated S", [{"x": "y"}], ["this[0].x == 'y'", "this.exists(one, one.x == 'z')"]),
    ("map<string, int32>", {"k": 1}, ["this['k'] == 1", "'l' in this", "size(this) == 1"]),
    ("map<int32, S>", {"1": {"x": "y"}}, ["this[1].x == 'y'", "size(this) == 1"]),
    ("google.protobuf.Timestamp", "2020-01-01T00:00:00Z", ["this < now", "this == timestamp('2020-01-01T00:00:00Z')"]),
    ("google.protobuf.StringValue", "text", ["this == 'text'", "size(this) > 10"]),
]


def protobuf() -> list[dict[str, Any]]:
    """CEL on messages."""
    cases: list[dict[str, Any]] = []
    for number, expr in enumerate(PROTO_EXPRESSIONS):
        checks = f'option (confluent.message_meta).rules = {{name: "m" expr: "{expr}"}};'
        text = PROTO_CEL.replace("package w", f"package w{number}").replace("RULES", checks)
        case = {"kind": "PROTOBUF", "schema": proto_text(text, f"w{number}.proto"), "message": f"w{number}.M"}
        cases += [{**case, "object": obj, "cel": True} for obj in PROTO_OBJECTS]
    for number, (kind, obj, exprs) in enumerate(PROTO_FIELDS):
        for place, expr in enumerate(exprs):
            field = f'{kind} a = 1 [(confluent.field_meta).rules = {{name: "f" expr: "{expr}"}}];'
            text = re.sub(r"RULES.*?bytes raw = 10;", field, PROTO_CEL, flags=re.DOTALL)
            name = f"x{number}_{place}"
            text = text.replace("package w", f"package {name}")
            case = {"kind": "PROTOBUF", "schema": proto_text(text, f"{name}.proto"), "message": f"{name}.M"}
            cases.append({**case, "object": {"a": obj}, "cel": True})
    return cases


def order() -> list[dict[str, Any]]:
    """When checks run, and the checks of which schema."""
    cases: list[dict[str, Any]] = []
    tell, no, yes = (json.dumps(avro_field("int", expr)) for expr in ("tell", "no", "yes"))
    transform = "{'a': message.a + 100}"
    for execution in ("DISABLED", "BEFORE_DOMAIN_RULES", "AFTER_DOMAIN_RULES"):
        case: dict[str, Any] = {"kind": "AVRO", "object": {"a": 1}, "execution": execution}
        cases += [{**case, "schema": schema} for schema in (tell, no, yes)]
        cases += [{**case, "schema": no, "latest": schema} for schema in (tell, no, yes)]
        cases += [{**case, "schema": None, "latest": schema, "transform": transform} for schema in (tell, no, yes)]
    return cases


SCALARS: list[tuple[Any, Any]] = [
    ("int", 3),
    ("int", 0),
    ("string", "abc"),
    ("string", ""),
    ("double", 2.5),
    ("boolean", True),
]
EXPRESSIONS = [
    "this > 2",
    "this == 3",
    "this == 'abc'",
    "this != ''",
    "size(this) > 2",
    "this.size() == 3",
    "this.matches('^a')",
    "this.startsWith('a') ? '' : 'no a'",
    "this > 2.0",
    "this",
    "!this",
    "this == null",
    "this.x > 1",
    "now > timestamp('2020-01-01T00:00:00Z')",
    "this >",
    "nothing(this)",
    "value > 1",
    "1",
    "null",
    "''",
    "'text'",
    "true",
    "false",
]
INNER = {
    "type": "record",
    "name": "I",
    "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": ["null", "string"]}],
}
STRUCTURES: list[tuple[Any, Any]] = [
    ({"type": "array", "items": "int"}, [1, 2, 3]),
    ({"type": "array", "items": "int"}, []),
    ({"type": "map", "values": "int"}, {"x": 5}),
    (INNER, {"x": 5, "y": None}),
    (["null", INNER], {"x": 5, "y": "text"}),
    (["null", INNER], None),
]
STRUCTURED = [
    "size(this) > 2",
    "this.all(one, one > 0)",
    "this.exists(one, one == 2)",
    "this[0] == 1",
    "2 in this",
    "'x' in this",
    "this['x'] == 5",
    "this.x == 5",
    "this.y == null",
    "has(this.y)",
    "this.x > 5 ? '' : 'x is small'",
]


def expressions() -> list[dict[str, Any]]:
    """CEL on values of all types."""
    cases: list[dict[str, Any]] = []
    for values, exprs in ((SCALARS, EXPRESSIONS), (STRUCTURES, STRUCTURED)):
        for kind, value in values:
            for expr in exprs:
                case = {"object": {"a": value}, "cel": True}
                cases.append({**case, "kind": "AVRO", "schema": json.dumps(avro_field(kind, expr))})
                if values is STRUCTURES:
                    cases.append({**case, "kind": "JSON", "schema": json.dumps(json_field(expr))})
    return cases


CORPORA = {work.__name__: work() for work in (places, results, order, expressions, logical_types, protobuf)}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What comes out with confluent-kafka."""
    done = by_peer("validation_by_peer.py", "write", CORPORA, tmp_path_factory.mktemp("validation"))
    assert isinstance(done, dict)
    return done


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CORPORA)
def test_the_same_is_refused_in_the_same_words(name: str, theirs: dict[str, list[str]]) -> None:
    cases = CORPORA[name]
    ours = [outcome(case) for case in json.loads(json.dumps(cases))]
    assert different(ours, theirs[name], cases) == []
    refused = sum(text.startswith("Validation rule failed (") for text in ours)
    if name == "places":
        assert refused == len(ours)
    else:
        # both kinds are there in numbers, or the corpus has become blind
        assert len(ours) / 5 < refused < len(ours) * 9 / 10
