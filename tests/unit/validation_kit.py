# SPDX-License-Identifier: Apache-2.0
"""Executors of checks, serializers of all formats that validate, and what is wrong with messages."""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry._core.validation import ValidationRule, ValidationRuleExecutor
from confluent_kafka.schema_registry.avro import AsyncAvroSerializer, AvroSerializer
from confluent_kafka.schema_registry.error import RuleError
from confluent_kafka.schema_registry.json_schema import AsyncJSONSerializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import AsyncProtobufSerializer, ProtobufSerializer
from tests.unit.rules_kit import context

BEFORE: dict[str, Any] = {"validation.rules.execution": "BEFORE_DOMAIN_RULES"}


def rules(*names: str, expr: str = "no") -> list[dict[str, str]]:
    """Checks as they stand in a schema's text; none passes, unless told otherwise."""
    return [{"name": name, "expr": expr} for name in names]


class Scripted(ValidationRuleExecutor):
    """Does what the expression says: yes, no, error, or a text; notes each check and its value."""

    def __init__(self, result: Any = None) -> None:
        self.seen: list[tuple[str | None, Any]] = []
        self.schemas: list[Any] = []
        self._result = result

    def execute(self, rule: ValidationRule, schema: Any, message: Any) -> bool | str:
        self.seen.append((rule.name, message))
        self.schemas.append(schema)
        if self._result is not None:
            return self._result  # type: ignore[no-any-return]  # some tests return neither, on purpose
        if rule.expr == "error":
            raise RuleError("no such thing")
        return rule.expr == "yes" if rule.expr in ("yes", "no") else str(rule.expr)


class Writer:
    """Serializes with the synchronous or the asyncio class of a format."""

    KINDS: ClassVar[dict[tuple[str, bool], Any]] = {
        ("AVRO", False): AvroSerializer,
        ("AVRO", True): AsyncAvroSerializer,
        ("JSON", False): JSONSerializer,
        ("JSON", True): AsyncJSONSerializer,
        ("PROTOBUF", False): ProtobufSerializer,
        ("PROTOBUF", True): AsyncProtobufSerializer,
    }

    def __init__(self, kind: str, schema: Any, *, asyncio_class: bool = False, client: Any = None, **more: Any) -> None:
        self.client = SchemaRegistryClient({"url": "mock://"}) if client is None else client
        self.executor = Scripted()
        conf = {**BEFORE, "validation.rules.executor": self.executor, **more.pop("conf", {})}
        text = json.dumps(schema) if isinstance(schema, (dict, list)) else schema
        given = (self.client, text) if kind == "AVRO" else (text, self.client)
        self.serializer = self.KINDS[kind, asyncio_class](*given, conf=conf, **more)
        self._asyncio = asyncio_class

    def __call__(self, obj: Any, ctx: Any = None) -> bytes:
        """Return what is written, framed."""
        result = self.serializer(obj, context("t") if ctx is None else ctx)
        if self._asyncio:

            async def wait() -> Any:
                return await result

            result = asyncio.run(wait())
        assert isinstance(result, bytes)
        return result


SUB: dict[str, Any] = {
    "type": "record",
    "name": "Sub",
    "confluent:rules": rules("Sub"),
    "fields": [{"name": "x", "type": ["null", "int"], "default": None, "confluent:rules": rules("x")}],
}
AVRO: dict[str, Any] = {
    "type": "record",
    "name": "R",
    "namespace": "n",
    "confluent:rules": rules("R1", "R2"),
    "fields": [
        {"name": "a", "type": "int", "default": 0, "confluent:rules": rules("a")},
        {"name": "sub", "type": ["null", SUB], "default": None, "confluent:rules": rules("sub")},
        {"name": "list", "type": {"type": "array", "items": "Sub"}, "default": [], "confluent:rules": rules("list")},
        {"name": "map", "type": {"type": "map", "values": ["null", "n.Sub"]}, "default": {}},
        {"name": "union", "type": ["null", "int", "Sub", {"type": "array", "items": "Sub"}], "default": None},
        {"name": "next", "type": ["null", "R"], "default": None, "confluent:rules": rules("next", expr="yes")},
    ],
}
_R = ["<root>: R1: no", "<root>: R2: no"]
AVRO_CASES: list[tuple[Any, list[str]]] = [
    ({}, _R),
    ({"a": 1}, [*_R, "a: a: no"]),
    ({"sub": {"x": None}}, [*_R, "sub: sub: no", "sub: Sub: no"]),
    (
        {"list": [{"x": 1}, {}]},
        [*_R, "list: list: no", "list[0]: Sub: no", "list[0].x: x: no", "list[1]: Sub: no"],
    ),
    ({"map": {"k": {}, "n": None}}, [*_R, 'map["k"]: Sub: no']),
    ({"union": 5}, _R),
    ({"union": {"x": 5}}, [*_R, "union: Sub: no", "union.x: x: no"]),
    ({"union": ("n.Sub", {"x": 5})}, [*_R, "union: Sub: no", "union.x: x: no"]),
    ({"union": {"-type": "n.Sub"}}, [*_R, "union: Sub: no"]),
    ({"union": [{}]}, [*_R, "union[0]: Sub: no"]),
    # a record inside of itself, to any depth
    (
        {"next": {"next": {"a": 1}}},
        [*_R, "next: R1: no", "next: R2: no", "next.next: R1: no", "next.next: R2: no", "next.next.a: a: no"],
    ),
]
JSON: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "confluent:rules": rules("root"),
    "definitions": {
        "D": {"type": "object", "confluent:rules": rules("D"), "properties": {"x": {"confluent:rules": rules("x")}}}
    },
    "properties": {
        "a": {"type": ["integer", "null"], "confluent:rules": rules("a")},
        # as a property, and again as an object
        "o": {"type": "object", "confluent:rules": rules("o"), "properties": {"x": {"confluent:rules": rules("ox")}}},
        "ref": {"$ref": "#/definitions/D", "confluent:rules": rules("ref")},
        "list": {"type": "array", "items": {"$ref": "#/definitions/D"}},
        "pair": {"items": [{"type": "integer"}, {"$ref": "#/definitions/D"}]},
        "all": {"allOf": [{"$ref": "#/definitions/D"}, {"properties": {"y": {"confluent:rules": rules("y")}}}]},
        "one": {"oneOf": [{"type": "string"}, {"$ref": "#/definitions/D"}]},
        "any": {"anyOf": [{"type": "object", "confluent:rules": rules("any")}, {"$ref": "#/definitions/D"}]},
        "self": {"$ref": "#"},
        "rest": {
            "type": "object",
            "properties": {"known": {"type": "integer"}},
            "patternProperties": {"^p": {"confluent:rules": rules("pattern")}},
            "additionalProperties": {"confluent:rules": rules("other")},
        },
    },
}
JSON_CASES: list[tuple[Any, list[str]]] = [
    ({}, ["$: root: no"]),
    ({"a": 1, "unknown": 2}, ["$: root: no", "$.a: a: no"]),
    ({"a": None}, ["$: root: no"]),
    ({"o": {"x": 1}}, ["$: root: no", "$.o: o: no", "$.o: o: no", "$.o.x: ox: no"]),
    ({"ref": {"x": 0}}, ["$: root: no", "$.ref: ref: no", "$.ref: D: no", "$.ref.x: x: no"]),
    ({"list": [{}, {"x": 1}]}, ["$: root: no", "$.list[0]: D: no", "$.list[1]: D: no", "$.list[1].x: x: no"]),
    ({"pair": [1, {}]}, ["$: root: no", "$.pair[1]: D: no"]),
    ({"all": {"x": 1, "y": 1}}, ["$: root: no", "$.all: D: no", "$.all.x: x: no", "$.all.y: y: no"]),
    ({"one": "text"}, ["$: root: no"]),
    ({"one": {"x": 1}}, ["$: root: no", "$.one: D: no", "$.one.x: x: no"]),
    ({"any": {}}, ["$: root: no", "$.any: any: no", "$.any: D: no"]),
    (
        {"self": {"self": {"a": 1}}},
        ["$: root: no", "$.self: root: no", "$.self.self: root: no", "$.self.self.a: a: no"],
    ),
    ({"rest": {"known": 1, "p": 1, "q": 1}}, ["$: root: no", "$.rest.p: pattern: no", "$.rest.q: other: no"]),
]
PROTO = """
syntax = "proto3";
package v;
import "confluent/meta.proto";
message M {
  option (confluent.message_meta).rules = {name: "M" expr: "no"};
  int32 a = 1 [(confluent.field_meta).rules = {name: "a" expr: "no"}];
  optional int32 b = 2 [(confluent.field_meta) = {
    rules: {name: "b" expr: "no"}
    rules: {name: "b2" doc: "why" expr: "no"}
  }];
  S s = 3 [(confluent.field_meta).rules = {name: "s" expr: "no"}];
  repeated S list = 4;
  map<string, S> map = 5;
  map<bool, string> texts = 6;
  oneof way { S left = 7; string right = 8 [(confluent.field_meta).rules = {name: "right" expr: "no"}]; }
  M next = 9;
  message S { option (confluent.message_meta).rules = {name: "S" expr: "no"}; string x = 1; }
}
"""
_M = ["<root>: M: no", "a: a: no"]
PROTO_CASES: list[tuple[Any, list[str]]] = [
    ({}, _M),
    ({"b": 0}, [*_M, "b: b: no", "b: b2: why"]),
    ({"s": {"x": ""}}, [*_M, "s: s: no", "s: S: no"]),
    ({"list": [{}, {"x": "1"}]}, [*_M, "list[0]: S: no", "list[1]: S: no"]),
    ({"map": {"k": {}}, "texts": {True: "t"}}, [*_M, 'map["k"]: S: no']),
    ({"left": {}}, [*_M, "left: S: no"]),
    ({"right": ""}, [*_M, "right: right: no"]),
    ({"next": {"next": {}}}, [*_M, "next: M: no", "next.a: a: no", "next.next: M: no", "next.next.a: a: no"]),
]
CASES = [
    (kind, schema, *case)
    for kind, schema, cases in (
        ("AVRO", AVRO, AVRO_CASES),
        ("JSON", JSON, JSON_CASES),
        ("PROTOBUF", PROTO, PROTO_CASES),
    )
    for case in cases
]
