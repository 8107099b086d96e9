# SPDX-License-Identifier: Apache-2.0
"""JSON Schemas in a registry: what is valid, equal, compatible; judged by jsonschema-rs, which validates."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from confluent_kafka.schema_registry._core import compat_json
from confluent_kafka.schema_registry._core.registry.problems import InvalidSchema


def schema(raw: Any, **dependencies: Any) -> compat_json.JsonSchema:
    named = {name.replace("_", "."): json.dumps(text) for name, text in dependencies.items()}
    return compat_json.parse(json.dumps(raw), named)


def kinds(reader: Any, writer: Any) -> list[str]:
    return [problem.kind for problem in compat_json.problems(schema(reader), schema(writer))]


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def opened(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


NUMBER, INTEGER, STRING = {"type": "number"}, {"type": "integer"}, {"type": "string"}
TREE = {
    "$ref": "#/definitions/node",
    "definitions": {
        "node": closed(value=INTEGER, children={"type": "array", "items": {"$ref": "#/definitions/node"}}),
    },
}
NUMBER_TREE = json.loads(json.dumps(TREE).replace("integer", "number"))

FITTING = [
    (True, STRING),
    ({}, False),
    (NUMBER, INTEGER),
    ({"type": ["string", "null"]}, STRING),
    ({"enum": ["a", "b"]}, {"enum": ["a"]}),
    ({"enum": [1, "a"]}, {"const": "a"}),
    (STRING, {"enum": ["a", "b"]}),
    ({"type": "number", "minimum": 1}, {"type": "number", "minimum": 2}),
    ({"type": "integer", "multipleOf": 2}, {"type": "integer", "multipleOf": 4}),
    ({"type": "string", "maxLength": 5}, {"type": "string", "maxLength": 4}),
    (STRING, {"type": "string", "pattern": "x"}),
    ({"type": "string", "minLength": 0}, STRING),
    ({"minLength": 4, "type": ["string", "integer"]}, INTEGER),
    ({"type": "array", "items": NUMBER}, {"type": "array", "items": INTEGER}),
    ({"type": "array"}, {"type": "array", "uniqueItems": True}),
    ({"type": "array", "items": [NUMBER, STRING]}, {"type": "array", "items": [INTEGER, STRING]}),
    ({"prefixItems": [NUMBER], "items": False}, {"prefixItems": [INTEGER], "items": False}),
    (closed(a=NUMBER, b=STRING), closed(a=INTEGER)),
    (opened(a=NUMBER), closed(a=INTEGER, b=STRING)),
    (opened(), opened(a=STRING)),
    ({**closed(a=STRING, b={"type": "string", "default": "x"}), "required": ["b"]}, closed(a=STRING)),
    ({**opened(a=STRING), "required": ["a"]}, {**opened(a=STRING), "required": ["a"]}),
    ({**opened(a=STRING), "additionalProperties": STRING}, {**opened(), "additionalProperties": STRING}),
    ({"anyOf": [STRING, NUMBER]}, INTEGER),
    ({"oneOf": [STRING, NUMBER, {"type": "null"}]}, {"oneOf": [INTEGER, STRING]}),
    ({"anyOf": [NUMBER, STRING]}, {"type": ["integer"], "anyOf": [{"minimum": 2}, {"maximum": 1}]}),
    (NUMBER, {"allOf": [INTEGER, {"minimum": 2}]}),
    ({"allOf": [NUMBER, {"minimum": 1}]}, {"type": "integer", "minimum": 2}),
    (opened(a=NUMBER, b=STRING), {"allOf": [opened(a=INTEGER), {"properties": {"b": STRING}}]}),
    (NUMBER_TREE, TREE),
    (TREE, TREE),
    ({"$ref": "#/$defs/x", "$defs": {"x": NUMBER}}, INTEGER),
    (NUMBER, {"$id": "http://x/y", "$ref": "z#/$defs/q", "$defs": {"w": {"$id": "z", "$defs": {"q": INTEGER}}}}),
    ({"title": "a", "format": "date", "type": "string"}, {"title": "b", "type": "string"}),
]  # fmt: skip
UNFIT = [
    (False, STRING, "TYPE_NARROWED"),
    (STRING, True, "TYPE_NARROWED"),
    (INTEGER, NUMBER, "TYPE_NARROWED"),
    (STRING, {"type": ["string", "null"]}, "TYPE_NARROWED"),
    ({"enum": ["a"]}, {"enum": ["a", "b"]}, "ENUM_NARROWED"),
    ({"type": "string", "enum": ["a"]}, STRING, "ENUM_ADDED"),
    ({"type": "number", "minimum": 2}, {"type": "number", "minimum": 1}, "LIMIT_NARROWED"),
    ({"type": "number", "maximum": 2}, NUMBER, "LIMIT_NARROWED"),
    ({"type": "integer", "multipleOf": 4}, {"type": "integer", "multipleOf": 2}, "MULTIPLE_OF_NARROWED"),
    ({"type": "string", "pattern": "x"}, STRING, "KEYWORD_CHANGED"),
    ({"type": "array", "uniqueItems": True}, {"type": "array"}, "UNIQUE_ITEMS_ADDED"),
    ({"type": "array", "items": INTEGER}, {"type": "array", "items": NUMBER}, "TYPE_NARROWED"),
    (opened(a=STRING), opened(), "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"),
    (closed(), closed(a=STRING), "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL"),
    (closed(), opened(), "ADDITIONAL_PROPERTIES_NARROWED"),
    ({**closed(a=STRING), "required": ["a"]}, closed(a=STRING), "REQUIRED_ATTRIBUTE_ADDED"),
    ({**opened(), "propertyNames": {"pattern": "x"}}, opened(), "KEYWORD_CHANGED"),
    ({"anyOf": [STRING, {"type": "null"}]}, NUMBER, "COMBINED_TYPE_NARROWED"),
    (STRING, {"oneOf": [STRING, NUMBER]}, "TYPE_NARROWED"),
    ({"allOf": [NUMBER, {"minimum": 2}]}, {"type": "integer", "minimum": 1}, "LIMIT_NARROWED"),
    ({"type": "string", "not": {"const": "x"}}, STRING, "KEYWORD_CHANGED"),
    (STRING, {"allOf": [True]}, "TYPE_NARROWED"),
    (TREE, NUMBER_TREE, "TYPE_NARROWED"),
]


@pytest.mark.parametrize(("reader", "writer"), FITTING)
def test_what_can_be_read(reader: Any, writer: Any) -> None:
    assert kinds(reader, writer) == []


@pytest.mark.parametrize(("reader", "writer", "kind"), UNFIT)
def test_what_cannot(reader: Any, writer: Any, kind: str) -> None:
    assert kinds(reader, writer) == [kind]


def test_equal_texts_may_refer_to_different_schemas() -> None:
    raw = opened(a={"$ref": "other.json"})
    new, old = schema(raw, other_json=INTEGER), schema(raw, other_json=NUMBER)
    assert [(problem.kind, problem.path) for problem in compat_json.problems(new, old)] == [
        ("TYPE_NARROWED", "/properties/a/type")
    ]
    assert compat_json.problems(old, new) == []


def test_references_to_places_in_other_schemas() -> None:
    other = {"$id": "http://example.com/other.json", "$defs": {"n": {"$anchor": "num", **INTEGER}}}
    for target in (
        "other.json#/$defs/n",
        "http://example.com/other.json#/$defs/n",
        "http://example.com/other.json#num",
    ):
        assert schema(opened(a={"$ref": target}), other_json=other)
    for target in ("other.json#/$defs/m", "nothing.json", "#/x", "#nothing"):
        with pytest.raises(InvalidSchema, match="cannot resolve"):
            schema(opened(a={"$ref": target}), other_json=other)


@pytest.mark.parametrize(
    "raw",
    [
        5,
        [],
        {"type": "text"},
        {"type": ["string", 5]},
        {"properties": []},
        {"properties": {"a": 5}},
        {"allOf": {}},
        {"enum": 5},
        {"minimum": "1"},
        {"$ref": 5},
        {"items": [5]},
    ],
)
def test_invalid_schemas(raw: Any) -> None:
    with pytest.raises(InvalidSchema):
        schema(raw)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_no_json(text: str) -> None:
    with pytest.raises(InvalidSchema):
        compat_json.parse(text)


def test_forms_of_one_schema() -> None:
    one = compat_json.parse('{"type": "object",  "title": "é"}')
    two = compat_json.parse('{"title":"é","type":"object"}')
    assert compat_json.canonical(one) == '{"type":"object","title":"é"}' != compat_json.canonical(two)
    assert compat_json.normalized(one) == compat_json.normalized(two) == '{"title":"é","type":"object"}'


VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, 2, 3, 2.5, -1, "", "a", "ab", "abc"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
SIMPLE: st.SearchStrategy[Any] = st.one_of(
    st.booleans(),
    st.fixed_dictionaries({"type": st.sampled_from([*compat_json.TYPES, ["string", "null"], ["integer", "object"]])}),
    st.fixed_dictionaries(
        {"type": st.just("number")},
        optional={
            "minimum": st.integers(0, 2),
            "exclusiveMaximum": st.integers(1, 3),
            "multipleOf": st.sampled_from([1, 2, 4, 0.5]),
        },
    ),
    st.fixed_dictionaries({"minLength": st.integers(0, 2)}, optional={"pattern": st.just("a")}),
    st.fixed_dictionaries({"enum": st.lists(st.sampled_from([0, 1, 1.0, True, "a", None]), min_size=1, max_size=3)}),
)
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.just("object"),
                "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
                "additionalProperties": inner,
                "required": st.lists(st.sampled_from("abc"), unique=True, max_size=1),
                "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=1),
                "maxProperties": st.integers(0, 2),
            },
        ),
        st.fixed_dictionaries(
            {"type": st.just("array")},
            optional={"items": inner, "prefixItems": st.lists(inner, min_size=1, max_size=2), "minItems": st.just(1)},
        ),
        st.fixed_dictionaries(
            {}, optional={key: st.lists(inner, min_size=1, max_size=2) for key in ("anyOf", "allOf")} | {"not": inner}
        ),
        st.builds(
            lambda first, second: {**first, "allOf": [second]} if isinstance(first, dict) else first, inner, inner
        ),
    ),
    max_leaves=5,
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two schemas that are often alike."""
    one = draw(SCHEMAS)
    form = draw(st.sampled_from(["other", "same", "less", "more"]))
    if form == "other" or not isinstance(one, dict) or not one:
        return draw(SCHEMAS), one
    less = {key: value for key, value in one.items() if key != draw(st.sampled_from(sorted(one)))}
    if form == "less":
        return less, one
    if form == "more":
        return one, less
    return json.loads(json.dumps(one)), one


@settings(deadline=None)
@given(pairs(), st.lists(VALUES, min_size=5, max_size=20))
def test_what_is_said_to_be_readable_is_accepted(pair: tuple[Any, Any], values: list[Any]) -> None:
    reader, writer = pair
    fits = not compat_json.problems(schema(reader), schema(writer))
    event(f"fits: {fits}")
    if fits:
        new, old = (
            jsonschema_rs.validator_for({"allOf": [raw], "$schema": "https://json-schema.org/draft/2020-12/schema"})
            for raw in (reader, writer)
        )
        for value in values:
            assert new.is_valid(value) or not old.is_valid(value), value


@settings(deadline=None)
@given(SCHEMAS)
def test_a_schema_reads_itself_in_every_form(raw: Any) -> None:
    one = schema(raw)
    for text in (compat_json.canonical(one), compat_json.normalized(one)):
        assert compat_json.problems(one, compat_json.parse(text)) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab") | st.sampled_from(["object", "#", "#/a", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "$ref",
                    "$id",
                    "items",
                    "properties",
                    "allOf",
                    "anyOf",
                    "required",
                    "enum",
                    "minimum",
                    "dependencies",
                ]
            ),
            inner,
        )
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(JSON, JSON)
def test_any_json_is_a_schema_or_refused(first: Any, second: Any) -> None:
    try:
        one, two = schema(first), schema(second)
    except InvalidSchema:
        return
    compat_json.normalized(one)
    compat_json.problems(one, two)
