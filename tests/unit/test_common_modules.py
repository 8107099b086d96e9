# SPDX-License-Identifier: Apache-2.0
"""The modules ``common.avro``, ``common.json_schema`` and ``common.protobuf`` by the names of existing code."""

from __future__ import annotations

import copy
import datetime
import json
import subprocess
import sys
import uuid
from decimal import Decimal
from typing import Any

import fastavro
import pytest
import referencing
from fastavro.repository import AbstractSchemaRepository
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode, Schema
from confluent_kafka.schema_registry import avro as public_avro
from confluent_kafka.schema_registry import json_schema as public_json
from confluent_kafka.schema_registry._core.codecs.avro import AvroCodec
from confluent_kafka.schema_registry._core.validation import ValidationRule, ValidationRuleExecutor
from confluent_kafka.schema_registry.common import avro, json_schema, protobuf
from confluent_kafka.schema_registry.common.serde import FieldContext, FieldType, RuleConditionError, RuleContext
from confluent_kafka.schema_registry.error import RuleError
from tests.unit.rules_kit import rule, schema_with

POINT = {"type": "record", "name": "n.Point", "fields": [{"name": "x", "type": "int"}]}
LINE = {"type": "record", "name": "n.Line", "fields": [{"name": "text", "type": "string"}]}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}
USER: dict[str, Any] = {
    "type": "record",
    "name": "n.User",
    "fields": [
        {"name": "name", "type": "string", "confluent:tags": ["PII"]},
        {"name": "plain", "type": "string"},
        {"name": "note", "type": ["null", "string"], "confluent:tags": ["PII"]},
        {"name": "mails", "type": {"type": "array", "items": "string"}, "confluent:tags": ["PII"]},
        {"name": "phones", "type": {"type": "map", "values": "string"}, "confluent:tags": ["PII"]},
        {
            "name": "home",
            "type": {
                "type": "record",
                "name": "n.Home",
                "fields": [{"name": "street", "type": "string", "confluent:tags": ["PII", "PLACE"]}],
            },
        },
        {"name": "friend", "type": ["null", "n.User"], "default": None},
    ],
}


def context(*tags: str, what: RuleKind = RuleKind.TRANSFORM, **more: Any) -> RuleContext:
    one: Rule = rule("T", tags=list(tags) or None, what=what, mode=RuleMode.WRITE)
    return RuleContext(
        None, None, None, more.get("target"), "s", RuleMode.WRITE, one, 0, [one], more.get("inline"), None
    )


def upper(ctx: RuleContext, field: FieldContext, value: Any) -> Any:
    assert ctx.current_field() is field
    return value.upper() if isinstance(value, str) else value


class TestAvro:
    @pytest.mark.parametrize(
        ("value", "branch", "inner"),
        [
            (None, "null", None),
            ("a", "string", "a"),
            (1, "int", 1),
            (2**40, "long", 2**40),
            (1.5, "double", 1.5),
            (True, "boolean", True),
            (b"x", "bytes", b"x"),
            ({"x": 1}, POINT, {"x": 1}),
            ({"text": "t", "more": 1}, LINE, {"text": "t", "more": 1}),
            (("n.Line", {"text": "t"}), LINE, {"text": "t"}),
            ({"-type": "n.Line"}, LINE, {"-type": "n.Line"}),
            ([1], {"type": "array", "items": "int"}, [1]),
            (Decimal("1.50"), DECIMAL, Decimal("1.50")),
            (("n.Other", {}), None, ("n.Other", {})),
            ({"x": "text"}, None, {"x": "text"}),
            (["text"], None, ["text"]),
            ("2026-01-02", "string", "2026-01-02"),
            (uuid.uuid4, None, uuid.uuid4),
        ],
    )
    def test_branch_of_a_union(self, value: Any, branch: Any, inner: Any) -> None:
        union = ["null", "string", "int", "long", "double", "boolean", "bytes", POINT, LINE]
        union += [{"type": "array", "items": "int"}, DECIMAL]
        assert avro._resolve_union(union, value) == (branch, inner)

    def test_branches_are_those_of_the_encoder(self) -> None:
        date = {"type": "int", "logicalType": "date"}
        numbers = {"type": "array", "items": "int"}
        unions = [["null", date, "boolean"], ["null", numbers, "string"], ["null", "double", DECIMAL], ["long", LINE]]
        values = [
            "2026-01-02",
            datetime.date(2026, 1, 2),
            b"ab",
            [1],
            True,
            Decimal("1.5"),
            1.5,
            5,
            {"text": "t"},
            None,
        ]
        for union in unions:
            encode = AvroCodec().encoder(AvroCodec().compile(Schema(json.dumps(union), "AVRO"), {}))
            for value in values:
                branch, _ = avro._resolve_union(union, value)
                try:
                    index = encode(value, b"")[0] // 2
                except ValueError:
                    assert branch is None
                else:
                    assert branch == union[index]

    def test_what_is_no_union_has_no_branch(self) -> None:
        assert avro._resolve_union("string", "a") == (None, "a")
        assert avro._resolve_union([], "a") == (None, "a")

    def test_a_type_is_defined_once(self) -> None:
        inner = {"type": "record", "name": "In", "namespace": "n", "fields": [{"name": "x", "type": "int"}]}
        mood = {"type": "enum", "name": "Mood", "symbols": ["A"]}
        fields = [
            {"name": "a", "type": inner},
            {"name": "b", "type": ["null", inner]},
            {"name": "c", "type": {"type": "array", "items": inner}},
            {"name": "d", "type": {"type": "map", "values": inner}},
            {"name": "e", "type": mood},
            {"name": "f", "type": {"type": mood}},
        ]
        expanded = {"type": "record", "name": "Out", "fields": fields}
        before = copy.deepcopy(expanded)
        collapsed = avro._collapse_schema(expanded)
        assert [field["type"] for field in collapsed["fields"]] == [
            inner,
            ["null", "n.In"],
            {"type": "array", "items": "n.In"},
            {"type": "map", "values": "n.In"},
            mood,
            {"type": "Mood"},
        ]
        assert expanded == before
        value = {"a": {"x": 1}, "b": {"x": 2}, "c": [], "d": {"k": {"x": 3}}, "e": "A", "f": "A"}
        collapsed["fields"][5]["type"] = "Mood"  # what fastavro takes
        assert fastavro.validate(value, fastavro.parse_schema(collapsed))
        known = ["n.In"]
        assert avro._collapse_schema(expanded, known)["fields"][0]["type"] == "n.In"
        assert known == ["n.In", "Out", "Mood"]
        # a name without namespace inside of one would mean another type
        bare = {"type": "record", "name": ".In", "fields": []}
        outer = [bare, {"type": "record", "name": "n.Out", "fields": [{"name": "a", "type": bare}]}]
        assert avro._collapse_schema(outer)[1]["fields"][0]["type"] == ".In"
        fastavro.parse_schema(avro._collapse_schema(outer))
        assert avro._collapse_schema("string") == "string"

    def test_tags_in_the_text(self) -> None:
        assert avro.get_inline_tags(USER) == {
            "n.User.name": {"PII"},
            "n.User.note": {"PII"},
            "n.User.mails": {"PII"},
            "n.User.phones": {"PII"},
            "n.Home.street": {"PII", "PLACE"},
        }
        assert avro.get_inline_tags("string") == avro.get_inline_tags(None) == {}
        tags: dict[str, set[str]] = {"ns.R.a": {"OLD"}}
        record = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int", "confluent:tags": ["NEW"]}]}
        avro._get_inline_tags_recursively("ns", "", ["null", record], tags)
        assert tags == {"ns.R.a": {"OLD", "NEW"}}

    def test_transform(self) -> None:
        value = {
            "name": "a",
            "plain": "p",
            "note": "n",
            "mails": ["m"],
            "phones": {"k": "v"},
            "home": {"street": "s"},
            "friend": {"name": "b", "home": {"street": "t"}},
        }
        before = copy.deepcopy(value)
        fields: list[tuple[str, FieldType, bool]] = []

        def note(ctx: RuleContext, field: FieldContext, one: Any) -> Any:
            home = field.containing_message is before["home"] or field.containing_message == before["home"]
            fields.append((field.full_name, field.field_type, home))
            return upper(ctx, field, one)

        result = avro.transform(context("PII"), USER, value, note)
        assert result == {
            "name": "A",
            "plain": "p",
            "note": "N",
            "mails": ["M"],
            "phones": {"k": "V"},
            "home": {"street": "S"},
            "friend": {"name": "B", "home": {"street": "T"}},
        }
        assert result is value
        assert fields[:2] == [("n.User.name", FieldType.STRING, False), ("n.User.note", FieldType.STRING, False)]
        assert fields.count(("n.Home.street", FieldType.STRING, True)) == 1
        assert avro.transform(context("PLACE"), USER, copy.deepcopy(before), upper)["name"] == "a"
        assert avro.transform(context(), fastavro.parse_schema(USER), before, upper)["plain"] == "P"
        assert avro.transform(context(), USER, None, upper) is None
        assert avro.transform(context(), None, value, upper) is value

    def test_tags_of_the_context_and_of_the_metadata(self) -> None:
        value = {"name": "a", "plain": "p"}
        assert avro.transform(context("X", inline={"n.User.plain": {"X"}}), USER, value, upper)["plain"] == "P"
        target: Schema = schema_with(tags={"**.plain": ["X"]}, text=USER)
        assert avro.transform(context("X", target=target), USER, value, upper) == {"name": "a", "plain": "P"}

    @pytest.mark.parametrize(
        ("union", "value", "made", "written"),
        [
            (["null", "string"], ("null", None), "b", "b"),
            (["null", "string"], ("string", "a"), "b", ("string", "b")),
            (["null", "string"], ("string", "a"), None, None),
            (["string", "int"], ("string", "a"), 3, 3),
            (["string", "int"], ("int", 1), 3, ("int", 3)),
            (["string", POINT], ("string", "a"), {"x": 1}, {"x": 1}),
        ],
    )
    def test_what_a_rule_makes_decides_on_the_branch(self, union: Any, value: Any, made: Any, written: Any) -> None:
        schema = {"type": "record", "name": "R", "fields": [{"name": "u", "type": union}]}
        changed = avro.transform(context(), schema, {"u": value}, lambda ctx, field, one: made)
        assert changed == {"u": written}

    def test_inside_of_a_field(self) -> None:
        ctx = context("PII")
        field = ctx.enter_field({"f": ["a"]}, "n.R.f", "f", FieldType.ARRAY, {"PII"})
        seen: list[Any] = []

        def note(inner: RuleContext, one: FieldContext, value: Any) -> Any:
            seen.append((one.full_name, one.field_type, one.tags, one.containing_message is field.containing_message))
            return value * 2

        assert avro.transform(ctx, {"type": "array", "items": "string"}, ["a"], note) == ["aa"]
        assert seen == [("n.R.f", FieldType.STRING, {"PII"}, True)]
        ctx.exit_field()
        assert avro.transform(ctx, {"type": "array", "items": "string"}, ["a"], note) == ["a"]

    def test_one_field_in_its_place(self) -> None:
        value = {"name": "a", "friend": {"name": "b", "plain": "q"}}
        fields = {field["name"]: field for field in USER["fields"]}
        for name in ("name", "friend", "note"):
            avro._transform_field(context("PII"), USER, fields[name], value, upper)
        assert value == {"name": "A", "friend": {"name": "B", "plain": "q"}}

    def test_conditions(self) -> None:
        ctx = context("PII", what=RuleKind.CONDITION)
        value = {"name": "a", "plain": "bad"}
        assert avro.transform(ctx, USER, value, lambda ctx, field, one: one != "bad") is value
        with pytest.raises(RuleConditionError):
            avro.transform(ctx, USER, {"name": "bad"}, lambda ctx, field, one: one != "bad")

    def test_a_message_stays_as_it_was_when_a_field_fails(self) -> None:
        value = {"name": "a", "plain": 1}
        with pytest.raises(AttributeError):
            avro.transform(context(), USER, value, lambda ctx, field, one: one.upper())
        assert value == {"name": "a", "plain": 1}

    @pytest.mark.parametrize(
        ("schema", "value"),
        [
            (USER, ["a"]),
            (USER, {"mails": "text"}),
            (USER, {"phones": "text"}),
            (["int", POINT, LINE], 1.5),
        ],
    )
    def test_what_is_not_of_the_schema_is_not_passed_over(self, schema: Any, value: Any) -> None:
        with pytest.raises(TypeError):
            avro.transform(context(), schema, value, upper)

    def test_a_coroutine_function_is_refused(self) -> None:
        async def later(ctx: RuleContext, field: FieldContext, value: Any) -> Any:
            return value

        with pytest.raises(RuleError, match="coroutine"):
            avro.transform(context(), USER, {"name": "a", "plain": "b"}, later)

    @pytest.mark.parametrize(
        ("schema", "kind"),
        [
            ("string", "STRING"),
            ({"type": "long", "logicalType": "timestamp-millis"}, "LONG"),
            (["null", "string"], "COMBINED"),
            ({"type": ["null", "string"]}, "COMBINED"),
            (POINT, "RECORD"),
            ({"type": {"type": "map", "values": "int"}}, "MAP"),
            ({"type": "array", "items": "int"}, "ARRAY"),
            ({"type": "fixed", "name": "F", "size": 1}, "FIXED"),
            ({"type": "enum", "name": "E", "symbols": []}, "ENUM"),
            ("n.Point", "NULL"),
            (None, "NULL"),
        ],
    )
    def test_types(self, schema: Any, kind: str) -> None:
        assert avro.get_type(schema) is FieldType[kind]

    def test_schemas_that_refer_to_others(self) -> None:
        text = '{"type": "record", "name": "n.A", "fields": [{"name": "p", "type": ["null", "n.Point"]}]}'
        for point in (POINT, fastavro.parse_schema(copy.deepcopy(POINT))):
            parsed = avro.parse_schema_with_repo(text, {"n.Point": point})
            assert parsed["fields"] == [{"name": "p", "type": ["null", POINT]}]
            assert fastavro.validate({"p": {"x": 1}}, parsed)
        with pytest.raises(fastavro.schema.UnknownType, match=r"n\.Point"):
            avro.parse_schema_with_repo(text, {})
        repository = avro.LocalSchemaRepository({"n.A": json.loads(text), "n.Point": POINT})
        assert isinstance(repository, AbstractSchemaRepository)
        loaded: Any = fastavro.schema.load_schema("n.A", repo=repository)
        assert loaded["fields"][0]["type"][1]["name"] == "n.Point"
        assert repository.load("n.B") is None

    def test_small_ones(self) -> None:
        assert avro._schema_loads('"string"') == Schema('{"type":"string"}', "AVRO")
        assert [avro._implied_namespace(name) for name in ("a.b.C", "C", ".C")] == ["a.b", None, ""]
        assert avro._disjoint({"a"}, {"b"})
        assert not avro._disjoint({"a"}, {"a", "b"})
        assert avro.Variant.__name__ == "Variant"
        with pytest.raises(AttributeError):
            _ = avro.Nothing
        assert public_avro.transform is avro.transform
        assert public_json.transform is json_schema.transform


def resolved(schema: Any, **others: Any) -> tuple[Any, Any]:
    """Return a registry and a resolver of the package referencing, as the official client makes them."""
    registry: Any = referencing.Registry()
    for name, other in others.items():
        registry = registry.with_resource(f"{name}.json", json_schema.DEFAULT_SPEC.create_resource(other))
    return registry, registry.resolver_with_root(json_schema.DEFAULT_SPEC.create_resource(schema))


def transformed(schema: Any, value: Any, *tags: str, path: str = "$", **others: Any) -> Any:
    given = copy.deepcopy(value)
    result = json_schema.transform(context(*tags), schema, *resolved(schema, **others), path, given, upper)
    assert result is given
    return result


def text(*tags: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", **({"confluent:tags": list(tags)} if tags else {}), **more}


def record(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


class TestJson:
    def test_properties(self) -> None:
        schema = record(
            name=text("PII"),
            plain=text(),
            mails={"type": "array", "items": text(), "confluent:tags": ["PII"]},
            home=record(street=text("PII")),
            maybe={"type": ["null", "string"], "confluent:tags": ["PII"]},
            lines={"type": "array", "items": record(note=text("PII"))},
        )
        value = {
            "name": "a",
            "plain": "p",
            "mails": ["m"],
            "home": {"street": "s"},
            "maybe": "x",
            "lines": [{"note": "n"}, {}],
            "unknown": "u",
        }
        assert transformed(schema, value, "PII") == {
            "name": "A",
            "plain": "p",
            "mails": ["M"],
            "home": {"street": "S"},
            "maybe": "X",
            "lines": [{"note": "N"}, {}],
            "unknown": "u",
        }
        assert transformed(schema, {"name": None}, "PII") == {"name": None}
        assert transformed(schema, None) is None
        assert transformed(True, value) == value

    def test_names_and_containing_objects(self) -> None:
        seen: list[Any] = []

        def note(ctx: RuleContext, field: FieldContext, value: Any) -> Any:
            seen.append((field.full_name, field.name, field.field_type, field.containing_message))
            return value

        schema = record(home=record(number={"type": "integer"}, kind={"enum": ["a"]}))
        value = {"home": {"number": 1, "kind": "a"}}
        json_schema.transform(context(), schema, None, None, "$.x", value, note)
        assert seen == [
            ("$.x.home.number", "number", FieldType.INT, value["home"]),
            ("$.x.home.kind", "kind", FieldType.ENUM, value["home"]),
        ]

    def test_references(self) -> None:
        node = record(name={"$ref": "#/definitions/Name", "confluent:tags": ["PII"]}, next={"$ref": "#"})
        schema = {**node, "definitions": {"Name": {"type": "string"}}}
        assert transformed(schema, {"name": "a", "next": {"name": "b"}}, "PII") == {"name": "A", "next": {"name": "B"}}
        tagged = {"$ref": "#/definitions/S", "confluent:tags": ["PII"]}
        other = {**record(street=tagged), "definitions": {"S": text("PII")}}
        outer = record(home={"$ref": "other.json"}, road={"$ref": "other.json#/definitions/S"})
        value = {"home": {"street": "s"}, "road": "r"}
        # a property has the tags beside its reference, not those of what it refers to
        assert transformed(outer, value, "PII", other=other) == {"home": {"street": "S"}, "road": "r"}
        with pytest.raises(ValueError, match=r"missing\.json"):
            transformed(record(a={"$ref": "missing.json"}), {"a": "a"})
        with pytest.raises(ValueError, match="nothing was given"):
            json_schema.transform(context(), record(a={"$ref": "missing.json"}), None, None, "$", {"a": "a"}, upper)

    def test_a_part_of_a_document_refers_to_the_document(self) -> None:
        document = {**record(inner=record(a={"$ref": "#/definitions/Name"})), "definitions": {"Name": text()}}
        registry, resolver = resolved(document)
        inner = document["properties"]["inner"]
        for part in (inner, copy.deepcopy(inner)):
            assert json_schema.transform(context(), part, registry, resolver, "$", {"a": "x"}, upper) == {"a": "X"}

    def test_checks_in_a_part_of_a_document(self) -> None:
        class No(ValidationRuleExecutor):
            def execute(self, rule: ValidationRule, schema: Any, message: Any) -> bool:
                return False

        check = {"confluent:rules": [{"name": "one", "expr": "false"}]}
        other = record(b=text(**check))
        document = {**record(a=record(c={"$ref": "#/definitions/C"}, d={"$ref": "other.json"}))}
        document["definitions"] = {"C": {**record(), **check}}
        registry, resolver = resolved(document, other=other)
        part, value = document["properties"]["a"], {"c": {}, "d": {"b": "x"}}
        found = json_schema.validate_message(No(), part, registry, resolver, value)
        assert [str(one) for one in found] == ["$.c: one: false", "$.d.b: one: false"]

    def test_a_registry_alone(self) -> None:
        registry, _ = resolved({}, other=record(a=text()))
        schema = record(b={"$ref": "other.json"})
        value = {"b": {"a": "x"}}
        assert json_schema.transform(context(), schema, registry, None, "$", value, upper) == {"b": {"a": "X"}}

    @pytest.mark.parametrize(
        ("kind", "both", "one"),
        [
            ("oneOf", {"a": "X", "b": "y"}, {"b": "Y"}),
            ("anyOf", {"a": "X", "b": "Y"}, {"b": "Y"}),
            ("allOf", {"a": "X", "b": "Y"}, {"b": "Y"}),
        ],
    )
    def test_branches(self, kind: str, both: Any, one: Any) -> None:
        branches = [{**record(a=text()), "required": ["a"]}, {**record(b=text()), "required": ["b"]}]
        schema = {kind: branches}
        assert transformed(schema, {"a": "x", "b": "y"}) == both
        assert transformed(schema, {"b": "y"}) == one
        own = {**schema, **record(c=text())}
        assert transformed(own, {"b": "y", "c": "z"}) == {"b": "Y", "c": "Z"}
        field = record(f={kind: [{"$ref": "#/definitions/S"}], "confluent:tags": ["PII"]})
        assert transformed({**field, "definitions": {"S": {"type": "string"}}}, {"f": "v"}, "PII") == {"f": "V"}

    def test_branches_below_any_name(self) -> None:
        name = "größe/100 %~ä#?"
        schema = record(**{name: {"oneOf": [{"type": "integer"}, {"type": "string"}], "confluent:tags": ["PII"]}})
        assert transformed(schema, {name: "x"}, "PII") == {name: "X"}
        inner = {
            "definitions": {name: {"anyOf": [text()]}},
            **record(a={"$ref": "#/definitions/gr%C3%B6%C3%9Fe~1100%20%25~0%C3%A4%23%3F"}),
        }
        assert transformed(inner, {"a": "x"}) == {"a": "X"}

    def test_null_has_no_value_and_whole_numbers_are_integers(self) -> None:
        seen: list[Any] = []

        def note(ctx: RuleContext, field: FieldContext, value: Any) -> Any:
            seen.append((field.field_type.name, value))
            return value

        schema = record(a={"type": "array", "items": text()}, b={"type": ["string", "integer"]})
        json_schema.transform(context(), schema, None, None, "$", {"a": ["x", None], "b": 3.0}, note)
        assert seen == [("STRING", "x"), ("INT", 3.0)]

    def test_first_valid_schema(self) -> None:
        document = {"definitions": {"Name": text("PII")}}
        places = resolved(document)
        schemas: list[Any] = [True, {"type": "integer"}, {"$ref": "#/definitions/Name"}, {}]
        assert json_schema._validate_subschemas(schemas, 1, *places) == {"type": "integer"}
        assert json_schema._validate_subschemas(schemas, "a", *places) == text("PII")
        assert json_schema._validate_subschemas(schemas, 1.5, *places) == {}
        assert json_schema._validate_subschemas([{"type": "integer"}], "a", None, None) is None

    def test_one_property_in_its_place(self) -> None:
        schema = record(a=text("PII"), b=record(c={"$ref": "#/definitions/N"}), d=text())
        schema["definitions"] = {"N": text()}
        value = {"a": "x", "b": {"c": "y"}, "d": "z"}
        seen: list[str] = []

        def note(ctx: RuleContext, field: FieldContext, one: Any) -> Any:
            seen.append(field.full_name)
            return upper(ctx, field, one)

        for name in ("a", "b", "missing"):
            part = schema["properties"].get(name, text())
            json_schema._transform_field(context(), "$.r", name, value, part, *resolved(schema), note)
        assert value == {"a": "X", "b": {"c": "Y"}, "d": "z"}
        assert seen == ["$.r.a", "$.r.b.c"]

    def test_inside_of_a_field(self) -> None:
        ctx = context("PII")
        ctx.enter_field({}, "$.a", "a", FieldType.ARRAY, {"PII"})
        schema = {"type": "array", "items": {"type": "string"}}
        assert json_schema.transform(ctx, schema, *resolved(schema), "$.a", ["x"], upper) == ["X"]

    def test_conditions(self) -> None:
        ctx = context(what=RuleKind.CONDITION)
        with pytest.raises(RuleConditionError):
            json_schema.transform(ctx, record(a=text()), None, None, "$", {"a": "x"}, lambda ctx, field, one: False)

    @pytest.mark.parametrize(
        ("schema", "kind"),
        [
            (True, "COMBINED"),
            ({}, "NULL"),
            ({"const": 1}, "ENUM"),
            (text(enum=["a"]), "ENUM"),
            ({"type": "integer"}, "INT"),
            ({"type": "number"}, "DOUBLE"),
            ({"type": "boolean"}, "BOOLEAN"),
            ({"type": "array"}, "ARRAY"),
            ({"type": "object"}, "MAP"),
            (record(), "MAP"),
            (record(a={}), "RECORD"),
            ({"properties": {}}, "RECORD"),
            ({"type": ["string"]}, "NULL"),
        ],
    )
    def test_types(self, schema: Any, kind: str) -> None:
        assert json_schema.get_type(schema) is FieldType[kind]

    def test_small_ones(self) -> None:
        assert json_schema.get_inline_tags(text("A", "B")) == {"A", "B"}
        assert json_schema.get_inline_tags({}) == json_schema.get_inline_tags(True) == set()
        assert json_schema._json_dumps({"é": [1, datetime.date(2020, 1, 2)]}) == '{"é":[1,"2020-01-02"]}'
        assert json_schema._json_loads(b"[1]") == json_schema._json_loads("[1]") == [1]
        assert json_schema._HAS_ORJSON
        assert json_schema._disjoint({"a"}, set())
        assert json_schema.DEFAULT_SPEC is referencing.jsonschema.DRAFT7
        with pytest.raises(ValueError, match="nothing is fetched from the web"):
            json_schema._retrieve_via_httpx("http://localhost/x.json")
        with pytest.raises(AttributeError):
            _ = json_schema.Nothing

    def test_neither_needs_the_package_referencing(self) -> None:
        program = (
            "import sys; sys.modules['referencing'] = sys.modules['google.protobuf'] = None\n"
            "from confluent_kafka.schema_registry.common import avro, json_schema\n"
            "try:\n    json_schema.DEFAULT_SPEC\n"
            "except ImportError as e:\n    assert 'pip install referencing' in str(e)\n"
            "else:\n    raise SystemExit('no error')\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


class TestProtobuf:
    def test_one_field_in_its_place(self) -> None:
        file = descriptor_pb2.FileDescriptorProto(name="common_one.proto", package="common_one", syntax="proto3")
        inner, outer = file.message_type.add(name="B"), file.message_type.add(name="A")
        inner.field.add(name="t", number=1, type=9, label=1)
        outer.field.add(name="s", number=1, type=9, label=1)
        outer.field.add(name="many", number=2, type=9, label=3)
        outer.field.add(name="subs", number=3, type=11, label=3, type_name=".common_one.B")
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        descriptor = pool.FindMessageTypeByName("common_one.A")
        kind: Any = message_factory.GetMessageClass(descriptor)
        message = kind(s="a", many=["b"], subs=[{"t": "c"}])
        for name in ("s", "subs"):
            field = descriptor.fields_by_name[name]
            protobuf._transform_field(context(), field, field, descriptor, message, upper)
        assert message == kind(s="A", many=["b"], subs=[{"t": "C"}])
        field = descriptor.fields_by_name["s"]
        protobuf._transform_field(context("PII"), field, field, descriptor, message, lambda ctx, field, value: "new")
        assert message.s == "A"
        with pytest.raises(RuleConditionError):
            protobuf._transform_field(
                context(what=RuleKind.CONDITION), field, field, descriptor, message, lambda ctx, field, value: False
            )
