# SPDX-License-Identifier: Apache-2.0
"""Inline validation: which checks in a schema's text run on a message, on what, when, and what they say."""

from __future__ import annotations

import dataclasses
import importlib
import json
import pickle
import sys
from collections import UserDict, UserList, deque
from types import SimpleNamespace
from typing import Any

import pytest

from confluent_kafka.schema_registry import RuleMode, Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry._core.validation import ValidationRule, ValidationRuleError
from confluent_kafka.schema_registry.avro import (
    AvroDeserializer,
    AvroSerializer,
    AvroSerializerBuilder,
    validate_message,
)
from confluent_kafka.schema_registry.error import SchemaMismatchError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.schema_registry.json_schema import validate_message as validate_json
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.schema_registry.protobuf import validate_message as validate_protobuf
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.serde import ValidationRulesExecution
from confluent_kafka.serialization import MessageField, SerializationError
from tests.unit.protobuf_kit import message_class
from tests.unit.rules_kit import Mark, context, rule, schema_with
from tests.unit.validation_kit import AVRO, BEFORE, CASES, JSON, PROTO, SUB, Scripted, Writer, rules

ONE = {"type": "record", "name": "One", "fields": [{"name": "a", "type": "int", "confluent:rules": rules("a")}]}


def checked(*names: str) -> dict[str, Any]:
    """What makes a schema have checks."""
    return {"confluent:rules": rules(*names)}


def one(*checks: dict[str, Any], kind: Any = "int") -> dict[str, Any]:
    """A record with one field that has these checks."""
    fields = [{"name": "a", "type": kind, "confluent:rules": list(checks)}]
    return {"type": "record", "name": "One", "fields": fields}


class Indexed:
    """A sequence as it was before there were iterators."""

    def __init__(self, *items: Any) -> None:
        self._items = items

    def __getitem__(self, index: int) -> Any:
        return self._items[index]


def refused(write: Any, obj: Any) -> list[str]:
    """The violations that a serializer's error lists."""
    with pytest.raises(SerializationError) as caught:
        write(obj)
    assert type(caught.value) is SerializationError
    head, *lines = str(caught.value).split("\n  - ")
    assert head == f"Validation rule failed ({len(lines)} violation{'s' if len(lines) > 1 else ''}):"
    return lines


@pytest.mark.parametrize("asyncio_class", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("kind", "schema", "obj", "violations"), CASES)
class TestPlaces:
    def test_all_are_found_in_order(
        self, kind: str, schema: Any, obj: Any, violations: list[str], asyncio_class: bool
    ) -> None:
        assert refused(Writer(kind, schema, asyncio_class=asyncio_class), obj) == violations

    def test_first_one_is_enough(
        self, kind: str, schema: Any, obj: Any, violations: list[str], asyncio_class: bool
    ) -> None:
        write = Writer(kind, schema, asyncio_class=asyncio_class, conf={"validation.rules.fail.fast": True})
        assert refused(write, obj) == violations[:1]
        assert len(write.executor.seen) == 1

    def test_a_message_that_passes_is_written_as_ever(
        self, kind: str, schema: Any, obj: Any, violations: list[str], asyncio_class: bool
    ) -> None:
        plain = Writer(kind, schema, conf={"validation.rules.execution": "DISABLED"})
        passing = Scripted(True)
        checked = Writer(kind, schema, asyncio_class=asyncio_class, conf={"validation.rules.executor": passing})
        assert checked(obj) == plain(obj)
        assert len(passing.seen) >= len(violations)
        assert plain.executor.seen == []


class TestValues:
    def test_this_is_the_record_or_the_value(self) -> None:
        write = Writer("AVRO", {**AVRO, "fields": AVRO["fields"][:3]})
        obj: Any = {"a": 1, "sub": ("n.Sub", {"x": 2}), "list": [{"x": 3}]}
        refused(write, obj)
        assert write.executor.seen == [
            ("R1", obj),
            ("R2", obj),
            ("a", 1),
            ("sub", {"x": 2}),
            ("Sub", {"x": 2}),
            ("x", 2),
            ("list", [{"x": 3}]),
            ("Sub", {"x": 3}),
            ("x", 3),
        ]
        types = [schema.get("name") if isinstance(schema, dict) else schema for schema in write.executor.schemas]
        assert types[:3] == ["R", "R", "int"]

    def test_protobuf_fields_are_given_their_descriptors(self) -> None:
        write = Writer("PROTOBUF", message_class(PROTO, "M"))
        refused(write, message_class(PROTO, "M")(b=1))
        assert [schema.full_name for schema in write.executor.schemas] == ["v.M", "v.M.a", "v.M.b", "v.M.b"]
        assert write.executor.seen[1:] == [("a", 0), ("b", 1), ("b2", 1)]

    def test_objects_of_classes_are_checked_as_json(self) -> None:
        @dataclasses.dataclass
        class Point:
            x: int
            inner: Any = None

        schema = {
            "confluent:rules": rules("root"),
            "properties": {"x": {"confluent:rules": rules("x")}, "inner": {"confluent:rules": rules("inner")}},
        }
        write = Writer("JSON", schema)
        refused(write, Point(1, Point(2)))
        assert write.executor.seen == [
            ("root", {"x": 1, "inner": {"x": 2, "inner": None}}),
            ("x", 1),
            ("inner", {"x": 2, "inner": None}),
            ("inner", {"x": 2, "inner": None}),
        ]

    @pytest.mark.parametrize(
        "items", [deque([{"x": 1}]), UserList([{"x": 1}]), {0: {"x": 1}}.values(), ({"x": 1},), Indexed({"x": 1})]
    )
    def test_whatever_the_encoder_takes_for_an_array_is_checked(self, items: Any) -> None:
        write = Writer("AVRO", AVRO)
        obj = {"list": items, "map": UserDict(k={})}
        assert refused(write, obj)[3:] == ["list[0]: Sub: no", "list[0].x: x: no", 'map["k"]: Sub: no']

    @pytest.mark.parametrize("items", [deque([{"x": 1}]), UserList([UserDict(x=1)]), ({"x": 1}, {"x": 2})[:1]])
    def test_and_in_a_union(self, items: Any) -> None:
        assert refused(Writer("AVRO", AVRO), {"union": items})[2:] == ["union[0]: Sub: no", "union[0].x: x: no"]

    def test_what_can_be_read_once_is_refused(self) -> None:
        write = Writer("AVRO", AVRO, conf={"validation.rules.executor": Scripted(True)})
        for _ in range(2):
            with pytest.raises(SchemaMismatchError, match=r'^t-value v1: field "list": .* give a list'):
                write({"list": iter([{}])})

    def test_whatever_json_encode_takes_is_checked(self) -> None:
        class Point:
            def __init__(self, x: int) -> None:
                self.x = x

        def encode(obj: Any) -> str:
            return json.dumps(obj, default=lambda one: list(one) if isinstance(one, deque) else vars(one))

        sub = {"type": ["object", "null"], "properties": {"x": {"confluent:rules": rules("x")}}}
        some = {"anyOf": [{"type": "array", "items": sub}]}
        schema = {"properties": {"one": sub, "many": {"type": ["array", "null"], "items": sub}, "some": some}}
        write = Writer("JSON", schema, json_encode=encode)
        obj = {"one": Point(1), "many": deque([Point(2)]), "some": deque([Point(3)])}
        assert refused(write, obj) == ["$.one.x: x: no", "$.many[0].x: x: no", "$.some[0].x: x: no"]

    def test_what_to_dict_returns_is_checked(self) -> None:
        write = Writer("AVRO", ONE, to_dict=lambda obj, ctx: {"a": obj})
        assert refused(write, 5) == ["a: a: no"]
        assert write.executor.seen == [("a", 5)]

    @pytest.mark.parametrize(("kind", "schema"), [("AVRO", AVRO), ("JSON", JSON), ("PROTOBUF", PROTO)])
    def test_what_does_not_match_is_left_to_the_encoder(self, kind: str, schema: Any) -> None:
        wrong: list[Any] = [5, "text", [{}]]
        for obj in wrong:
            with pytest.raises(SchemaMismatchError):
                Writer(kind, schema)(obj)

    def test_a_message_of_another_class_is_left_to_the_encoder(self) -> None:
        write = Writer("PROTOBUF", message_class(PROTO, "M"))
        for _ in range(2):
            with pytest.raises(ValueError, match="message must be of type"):
                write(message_class(PROTO, "M.S")())

    def test_a_dict_that_is_no_message_is_refused_by_name(self) -> None:
        write = Writer("PROTOBUF", PROTO, conf={"validation.rules.executor": Scripted(True)})
        write({})
        for _ in range(2):
            with pytest.raises(SchemaMismatchError, match=r'^t-value v1: field "nothing": v\.M has no such field'):
                write({"nothing": 1})

    @pytest.mark.parametrize("kind", ["AVRO", "JSON"])
    def test_an_object_that_contains_itself_is_refused(self, kind: str) -> None:
        schema: Any = {"AVRO": AVRO, "JSON": JSON}[kind]
        obj: dict[str, Any] = {}
        obj["self" if kind == "JSON" else "next"] = obj
        write = Writer(kind, schema, conf={"validation.rules.executor": Scripted(True)})
        with pytest.raises(SerializationError, match="nested too deeply, or contains itself"):
            write(obj)

    def test_the_message_stays_as_it_was(self) -> None:
        obj = {"a": 1, "list": [{"x": 3}], "map": {"k": {}}}
        before = json.dumps(obj)
        refused(Writer("AVRO", AVRO), obj)
        assert json.dumps(obj) == before


class TestResults:
    def test_texts(self) -> None:
        checks: list[Any] = [
            {"name": "text", "doc": "doc", "expr": "it says why"},
            {"name": "doc", "doc": "the doc", "expr": "no", "sql": "a > 1"},
            {"name": "sql", "expr": "no", "sql": "a > 1"},
            {"expr": "no"},
            {"name": "error", "expr": "error"},
            {"name": "passes", "expr": "yes"},
            {"name": "empty", "expr": ""},
            "no check",
        ]
        assert refused(Writer("AVRO", one(*checks)), {"a": 1}) == [
            "a: text: it says why",
            "a: doc: the doc",
            "a: sql: a > 1",
            "a: unnamed: no",
            "a: error: error (caused by: no such thing)",
        ]

    def test_what_is_no_list_of_checks_is_none(self) -> None:
        schema = {"type": "record", "name": "One", "fields": [{"name": "a", "type": "int", "confluent:rules": {}}]}
        assert Writer("AVRO", schema)({"a": 1})

    @pytest.mark.parametrize("result", [0, 1, [], 0.0, b""])
    def test_neither_bool_nor_text(self, result: Any) -> None:
        write = Writer("AVRO", ONE, conf={"validation.rules.executor": Scripted(result)})
        kind = type(result).__name__
        with pytest.raises(SerializationError, match=f"Validation rule 'a' resolved to an unexpected type: {kind}$"):
            write({"a": 1})

    def test_an_executor_that_is_broken_is_heard_of(self) -> None:
        class Broken(Scripted):
            def execute(self, rule: ValidationRule, schema: Any, message: Any) -> bool | str:
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            Writer("AVRO", ONE, conf={"validation.rules.executor": Broken()})({"a": 1})

    def test_batches_say_which_object(self) -> None:
        write = Writer("AVRO", one({"name": "a", "expr": "no"}))
        with pytest.raises(SerializationError, match=r"^object 1 of the batch: Validation rule failed \(1 violation\)"):
            write.serializer.serialize_many([None, {"a": 1}], context("t"))

    def test_errors_can_be_compared_hashed_and_sent(self) -> None:
        first, second = (ValidationRuleError(ValidationRule("a"), "p", "m") for _ in range(2))
        assert first == second
        assert len({first, second}) == 1
        assert repr(first) == "ValidationRuleError(p: a: m)"
        with pytest.raises(SerializationError) as caught:
            Writer("AVRO", ONE)({"a": 1})
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


class TestCel:
    def test_expressions(self) -> None:
        schema = one(
            {"name": "big", "expr": "this > 5"},
            {"name": "why", "expr": "this > 5 ? '' : 'too small'"},
            {"name": "now", "expr": "now > timestamp('2020-01-01T00:00:00Z')"},
            {"name": "no expression", "sql": "a > 5"},
            {"name": "wrong", "expr": "this >"},
            {"name": "fails", "expr": "this.x"},
            {"name": "number", "expr": "this"},
        )
        write = Writer("AVRO", schema, conf={"validation.rules.executor": None})
        assert refused(write, {"a": 3}) == [
            "a: big: this > 5",
            "a: why: too small",
            "a: no expression: a > 5 (caused by: Validation rule 'no expression' has no expression)",
            "a: wrong: this > (caused by: Could not compile validation rule 'wrong')",
            "a: fails: this.x (caused by: Could not execute validation rule 'fails')",
            "a: number: this (caused by: Validation rule 'number' must return bool or string; got IntType)",
        ]

    def test_a_value_that_is_none_in_cel(self) -> None:
        schema = {"properties": {"a": {"confluent:rules": [{"name": "big", "expr": "this > 5"}]}}}
        write = Writer("JSON", schema, conf={"validation.rules.executor": None})
        cause = "Could not convert value for validation rule 'big'"
        assert refused(write, {"a": 10**20}) == [f"$.a: big: this > 5 (caused by: {cause})"]

    def test_protobuf_fields_have_their_types(self) -> None:
        text = """
syntax = "proto3";
import "confluent/meta.proto";
message M {
  uint32 a = 1 [(confluent.field_meta).rules = {name: "a" expr: "this == 1u"}];
  repeated S b = 2 [(confluent.field_meta).rules = {name: "b" expr: "this.all(one, one.x > 0)"}];
  map<string, S> c = 3 [(confluent.field_meta).rules = {name: "c" expr: "size(this) < 2"}];
  message S { int32 x = 1; }
}
"""
        write = Writer("PROTOBUF", text, conf={"validation.rules.executor": None})
        assert write({"a": 1, "b": [{"x": 1}], "c": {"k": {}}})
        assert refused(write, {"b": [{}], "c": {"k": {}, "l": {}}}) == [
            "a: a: this == 1u",
            "b: b: this.all(one, one.x > 0)",
            "c: c: size(this) < 2",
        ]

    def test_values_are_not_in_the_text(self) -> None:
        schema = one(
            {"name": "length", "expr": "size(this) < 3"},
            {"name": "type", "expr": "this > 5"},
            {"name": "field", "expr": "this.x == 'y'"},
            kind="string",
        )
        lines = refused(Writer("AVRO", schema, conf={"validation.rules.executor": None}), {"a": "s3cret"})
        assert len(lines) == 3
        assert "s3cret" not in "".join(lines)

    def test_records(self) -> None:
        schema = {**ONE, "confluent:rules": [{"name": "r", "expr": "this.a < 10"}]}
        schema["fields"] = [{"name": "a", "type": "int"}, {"name": "b", "type": ["null", "int"], "default": None}]
        write = Writer("AVRO", schema, conf={"validation.rules.executor": None})
        assert write({"a": 1})
        assert refused(write, {"a": 11}) == ["<root>: r: this.a < 10"]

    def test_cel_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        name = "confluent_kafka.schema_registry.rules.cel.cel_validator"
        importlib.import_module(name)
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ValueError, match=r"ferrokafka\[rules\]"):
            AvroSerializer(SchemaRegistryClient({"url": "mock://"}), json.dumps(ONE), conf=dict(BEFORE))
        assert AvroSerializer(SchemaRegistryClient({"url": "mock://"}), json.dumps(ONE))


class TestWhen:
    @pytest.mark.parametrize(("execution", "value"), [("BEFORE_DOMAIN_RULES", 1), ("AFTER_DOMAIN_RULES", 101)])
    def test_around_domain_rules(self, execution: str, value: int) -> None:
        registry, log = RuleRegistry(), list[str]()
        registry.register_executor(Mark("ADD", log, lambda message: {"a": message["a"] + 100}))
        schema = schema_with([rule("ADD", mode=RuleMode.WRITE)], text=ONE)
        passing = Scripted(True)
        conf = {"validation.rules.execution": execution, "validation.rules.executor": passing}
        write = Writer("AVRO", schema, conf=conf, rule_registry=registry)
        assert write({"a": 1})[5:] == b"\xca\x01"
        assert passing.seen == [("a", value)]
        failing = Writer("AVRO", schema, conf={**conf, "validation.rules.executor": Scripted()}, rule_registry=registry)
        log.clear()
        assert refused(failing, {"a": 1}) == ["a: a: no"]
        assert log == ([] if execution == "BEFORE_DOMAIN_RULES" else ["rule:WRITE"])

    @pytest.mark.parametrize("execution", ["BEFORE_DOMAIN_RULES", ValidationRulesExecution.AFTER_DOMAIN_RULES])
    def test_without_domain_rules(self, execution: str) -> None:
        assert refused(Writer("AVRO", ONE, conf={"validation.rules.execution": execution}), {"a": 1}) == ["a: a: no"]

    @pytest.mark.parametrize("execution", ["BEFORE_DOMAIN_RULES", "AFTER_DOMAIN_RULES"])
    @pytest.mark.parametrize("expr", ["yes", "no"])
    def test_each_message_is_checked_once(self, execution: str, expr: str) -> None:
        write = Writer("AVRO", one({"name": "a", "expr": expr}), conf={"validation.rules.execution": execution})
        for number in range(3):
            if expr == "yes":
                write({"a": number})
            else:
                refused(write, {"a": number})
        assert write.executor.seen == [("a", 0), ("a", 1), ("a", 2)]

    def test_the_schema_that_is_written_with_counts(self) -> None:
        client = SchemaRegistryClient({"url": "mock://"})
        client.register_schema("t-value", schema_with(text=one({"name": "latest", "expr": "no"})))
        given = json.dumps(one({"name": "given", "expr": "no"}))
        latest = {"use.latest.version": True, "auto.register.schemas": False}
        assert refused(Writer("AVRO", given, client=client, conf=latest), {"a": 1}) == ["a: latest: no"]
        assert refused(Writer("AVRO", given, client=client), {"a": 1}) == ["a: given: no"]

    def test_a_new_version_brings_its_checks(self) -> None:
        client = SchemaRegistryClient({"url": "mock://"})
        latest = {"use.latest.version": True, "auto.register.schemas": False}
        client.register_schema("t-value", schema_with(text=one({"name": "first", "expr": "no"})))
        write = Writer("AVRO", None, client=client, conf=latest)
        assert refused(write, {"a": 1}) == ["a: first: no"]
        client.register_schema("t-value", schema_with(text=one({"name": "second", "expr": "no"})))
        client.clear_latest_caches()
        assert refused(write, {"a": 1}) == ["a: second: no"]

    def test_schemas_that_are_referred_to(self) -> None:
        client = SchemaRegistryClient({"url": "mock://"})
        client.register_schema("sub", Schema(json.dumps({**SUB, "namespace": "n"}), "AVRO"))
        client.register_schema("other", Schema(json.dumps({"type": "object", "confluent:rules": rules("O")}), "JSON"))
        client.register_schema("file", Schema(PROTO, "PROTOBUF"))
        avro = {"type": "record", "name": "R", "fields": [{"name": "sub", "type": "n.Sub"}]}
        json_schema = {"properties": {"o": {"$ref": "other.json"}}}
        proto = 'syntax = "proto3"; package w; import "file.proto"; message R { v.M.S s = 1; }'
        cases: list[tuple[str, str, SchemaReference, Any, str]] = [
            ("AVRO", json.dumps(avro), SchemaReference("n.Sub", "sub", 1), {"sub": {}}, "sub: Sub: no"),
            ("JSON", json.dumps(json_schema), SchemaReference("other.json", "other", 1), {"o": {}}, "$.o: O: no"),
            ("PROTOBUF", proto, SchemaReference("file.proto", "file", 1), {"s": {}}, "s: S: no"),
        ]
        for kind, text, reference, obj, found in cases:
            write = Writer(kind, Schema(text, kind, [reference]), client=client)
            key = context(kind, MessageField.KEY)
            assert refused(lambda one_of, write=write, key=key: write(one_of, key), obj) == [found]

    def test_objects_of_a_model(self) -> None:
        @dataclasses.dataclass
        class Price:
            a: int

        for kind, schema, path in (("AVRO", ONE, "a"), ("JSON", {"properties": {"a": checked("a")}}, "$.a")):
            serializer = Writer.KINDS[kind, False]
            given = (json.dumps(schema), SchemaRegistryClient({"url": "mock://"}))
            conf = {**BEFORE, "validation.rules.executor": Scripted()}
            write = serializer(*(given if kind == "JSON" else given[::-1]), conf=conf, model=Price)
            assert refused(lambda obj, write=write: write(obj, context("t")), Price(1)) == [f"{path}: a: no"]

    def test_protobuf_names_and_checks_are_those_of_the_schema(self) -> None:
        client = SchemaRegistryClient({"url": "mock://"})
        renamed = PROTO.replace("int32 a = 1", "int32 renamed = 1").replace('name: "M"', 'name: "latest"')
        client.register_schema("t-value", schema_with(text=renamed, kind="PROTOBUF"))
        kind = message_class(PROTO, "M")
        latest = {"use.latest.version": True, "auto.register.schemas": False}
        found = refused(Writer("PROTOBUF", kind, client=client, conf=latest), kind())
        assert found == ["<root>: latest: no", "renamed: a: no"]

    def test_a_schema_without_checks_takes_the_plain_path(self) -> None:
        plain = {"type": "record", "name": "One", "fields": [{"name": "a", "type": "int"}]}
        for schema, conf in ((plain, BEFORE), (ONE, {"validation.rules.execution": "DISABLED"})):
            write = Writer("AVRO", schema, conf=conf)
            assert write({"a": 1})
            planner = write.serializer._core._planner
            assert len(planner.by_message) == 1
            assert len(planner.ruled) == 0


class TestConfiguration:
    @pytest.mark.parametrize("asyncio_class", [False, True])
    @pytest.mark.parametrize("kind", ["AVRO", "JSON", "PROTOBUF"])
    def test_from_now_on(self, kind: str, asyncio_class: bool) -> None:
        schema, obj = {"AVRO": (ONE, {"a": 1}), "JSON": (JSON, {}), "PROTOBUF": (PROTO, {})}[kind]
        write = Writer(kind, schema, asyncio_class=asyncio_class, conf={"validation.rules.execution": "DISABLED"})
        written = write(obj)
        conf = {**BEFORE, "validation.rules.executor": Scripted(), "validation.rules.fail.fast": True, "other": 1}
        assert write.serializer.configure_validation_rules(conf) is None
        assert conf == {"other": 1}
        assert len(refused(write, obj)) == 1
        write.serializer.configure_validation_rules({})
        assert write(obj) == written

    def test_deserializers_take_it_and_check_nothing(self) -> None:
        client = SchemaRegistryClient({"url": "mock://"})
        data = Writer("AVRO", ONE, client=client, conf={"validation.rules.execution": "DISABLED"})({"a": 1})
        for reader in (
            AvroDeserializer(client),
            JSONDeserializer("{}"),
            ProtobufDeserializer(message_class(PROTO, "M")),
        ):
            conf = {**BEFORE, "validation.rules.executor": Scripted()}
            reader.configure_validation_rules(conf)
            assert conf == {}
        reader = AvroDeserializer(client)
        reader.configure_validation_rules({**BEFORE, "validation.rules.executor": Scripted()})
        assert reader(data, context("t")) == {"a": 1}
        with pytest.raises(ValueError, match=r"Unrecognized properties: validation\.rules\.execution"):
            AvroDeserializer(client, conf=dict(BEFORE))

    @pytest.mark.parametrize(
        ("conf", "text"),
        [
            ({"validation.rules.execution": value}, "must be one of DISABLED, BEFORE_DOMAIN_RULES, AFTER_DOMAIN_RULES")
            for value in ("x", "before_domain_rules", "", None, 5, True)
        ]
        + [({"validation.rules.fail.fast": value}, "must be a boolean value") for value in (1, None, "true")]
        + [
            ({**BEFORE, "validation.rules.executor": value}, "must be a ValidationRuleExecutor instance")
            for value in (5, "x", Scripted)
        ],
    )
    def test_wrong_values(self, conf: dict[str, Any], text: str) -> None:
        client = SchemaRegistryClient({"url": "mock://"})
        with pytest.raises(ValueError, match=text):
            AvroSerializer(client, json.dumps(ONE), conf=dict(conf))
        for one_of_them in (AvroSerializer(client, json.dumps(ONE)), AvroDeserializer(client)):
            with pytest.raises(ValueError, match=text):
                one_of_them.configure_validation_rules(dict(conf))

    def test_disabled_does_not_look_at_the_executor(self) -> None:
        assert Writer("AVRO", ONE, conf={"validation.rules.execution": "DISABLED", "validation.rules.executor": 5})(
            {"a": 1}
        )

    def test_builders(self) -> None:
        builder = AvroSerializerBuilder(schema_registry_client=SchemaRegistryClient({"url": "mock://"}))
        builder.set_schema(json.dumps(ONE)).set_serializer_config({**BEFORE, "validation.rules.executor": Scripted()})
        serializer, _ = builder.build({}, False)
        assert refused(lambda obj: serializer(obj, context("t")), {"a": 1}) == ["a: a: no"]


class TestValidateMessage:
    def test_avro(self) -> None:
        obj = {"a": 1, "list": [{}]}
        found = validate_message(Scripted(), AVRO, obj)
        assert [str(item) for item in found] == [
            "<root>: R1: no",
            "<root>: R2: no",
            "a: a: no",
            "list: list: no",
            "list[0]: Sub: no",
        ]
        assert [item.field_path for item in found[:3]] == ["", "", "a"]
        assert found[0].rule == ValidationRule("R1", None, "no", None)
        assert validate_message(Scripted(), AVRO, obj, True) == found[:1]
        assert str(validate_message(Scripted(), {"type": "array", "items": ONE}, [{"a": 1}])[0]) == "[0].a: a: no"

    def test_json(self) -> None:
        others = {"other.json": SimpleNamespace(contents={"type": "object", "confluent:rules": rules("other")})}
        schema = {"type": "object", "properties": {"a": {"$ref": "other.json"}, "b": {"confluent:rules": rules("b")}}}
        found = validate_json(Scripted(), schema, others, None, {"a": {}, "b": 1})
        assert [str(item) for item in found] == ["$.a: other: no", "$.b: b: no"]
        assert validate_json(Scripted(), schema, others, None, {"a": {}}, fail_fast=True) == found[:1]
        with pytest.raises(ValueError, match=r"other\.json"):
            validate_json(Scripted(), schema, None, None, {"a": {}})

    def test_protobuf(self) -> None:
        kind = message_class(PROTO, "M")
        found = validate_protobuf(Scripted(), kind.DESCRIPTOR, kind(next=kind()))
        assert [str(item) for item in found] == ["<root>: M: no", "a: a: no", "next: M: no", "next.a: a: no"]
        assert validate_protobuf(Scripted(), kind.DESCRIPTOR, kind(), True) == found[:1]
        with pytest.raises(AttributeError):
            validate_protobuf(Scripted(), kind.DESCRIPTOR, {})

    def test_nothing_to_check(self) -> None:
        kind = message_class(PROTO, "M")
        assert validate_message(None, AVRO, {"a": 1}) == []
        assert validate_message(Scripted(), None, {"a": 1}) == []
        assert validate_message(Scripted(), AVRO, None) == []
        assert validate_json(None, JSON, None, None, {}) == []
        assert validate_json(Scripted(), True, None, None, {}) == []
        assert validate_json(Scripted(), None, None, None, {}) == []
        assert validate_json(Scripted(), JSON, None, None, None) == []
        assert validate_protobuf(None, kind.DESCRIPTOR, kind()) == []
        assert validate_protobuf(Scripted(), None, kind()) == []
        assert validate_protobuf(Scripted(), kind.DESCRIPTOR, None) == []
