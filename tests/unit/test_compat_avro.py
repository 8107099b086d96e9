# SPDX-License-Identifier: Apache-2.0
"""Avro schemas in a registry: what is valid, equal, compatible; judged by fastavro, which reads what it writes."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import pytest
from fastavro.read import SchemaResolutionError
from hypothesis import event, given, reject, settings
from hypothesis import strategies as st

from confluent_kafka.schema_registry._core import compat_avro
from confluent_kafka.schema_registry._core.registry.problems import InvalidSchema
from tests.support.avro_evolution import FITTING, UNFIT, enum, field, record


def schema(raw: Any, **dependencies: Any) -> compat_avro.AvroSchema:
    return compat_avro.parse(json.dumps(raw), {name: json.dumps(text) for name, text in dependencies.items()})


def kinds(reader: Any, writer: Any) -> list[str]:
    return [problem.kind for problem in compat_avro.problems(schema(reader), schema(writer))]


@pytest.mark.parametrize(("reader", "writer"), FITTING)
def test_what_can_be_read(reader: Any, writer: Any) -> None:
    assert kinds(reader, writer) == []


@pytest.mark.parametrize(("reader", "writer", "kind"), UNFIT)
def test_what_cannot(reader: Any, writer: Any, kind: str) -> None:
    assert kinds(reader, writer) == [kind]


def test_all_problems_are_told_with_their_places() -> None:
    reader = record(field("a", "int"), field("b"), field("c", enum("X")))
    writer = record(field("a", "string"), field("c", enum("X", "Y")))
    found = compat_avro.problems(schema(reader), schema(writer))
    assert [(problem.kind, problem.path) for problem in found] == [
        ("TYPE_MISMATCH", "/fields/0/type"),
        ("READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/1"),
        ("MISSING_ENUM_SYMBOLS", "/fields/2/type/symbols"),
    ]
    assert "'b'" in found[1].text
    assert "Y" in found[2].text


def test_a_recursive_type_that_fits_only_at_first_sight() -> None:
    """A branch that is taken to fit while its record is compared counts for nothing when the record does not."""

    def tree(leaf: str) -> dict[str, Any]:
        branch = record(field("up", ["null", "Tree"]), name="Branch")
        return record(field("a", ["null", branch]), field("b", leaf), field("c", ["null", "Branch"]), name="Tree")

    assert kinds(["null", tree("int"), "int"], tree("long")) == ["MISSING_UNION_BRANCH"]
    assert kinds(tree("long"), tree("int")) == []


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("unknown", "undefined name"),
        (5, "a type must be"),
        ({"type": "array"}, "no items"),
        ({"type": "map"}, "no values"),
        ({"no": "type"}, "no type"),
        ({"type": "record", "name": "R"}, "no fields"),
        ({"type": "record", "fields": []}, "without name"),
        (record(field("a"), field("a")), "duplicate field a"),
        (record({"name": "a"}), "no type"),
        (record(field("a b")), "illegal field name"),
        (record(5), "illegal field name"),
        (record(name="9x"), "illegal name"),
        (record(name="int"), "primitive"),
        (record(field("a", default="x")), "invalid default"),
        (record(field("a", ["null", "int"], default="x")), "invalid default"),
        (record(field("a", enum("X"), default="Y")), "invalid default"),
        (record(field("r", record(name="R"))), "cannot redefine"),
        (enum("A", "A"), "twice"),
        (enum("A", default="B"), "no symbol"),
        (enum("a-b"), "illegal symbol"),
        ({"type": "enum", "name": "E"}, "no symbols"),
        ({"type": "fixed", "name": "F"}, "invalid size"),
        (["int", "int"], "duplicate in union"),
        (["int", ["null"]], "directly in a union"),
    ],
)
def test_invalid_schemas(raw: Any, text: str) -> None:
    with pytest.raises(InvalidSchema, match=text):
        schema(raw)


@pytest.mark.parametrize("text", ["", "{", "string", "[" * 100_000])
def test_no_json(text: str) -> None:
    with pytest.raises(InvalidSchema):
        compat_avro.parse(text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("null", None),
        ("boolean", True),
        ("int", -(2**31)),
        ("long", 2**62),
        ("double", 1),
        ("float", "NaN"),
        ("bytes", "\u00ff"),
        ("string", "x"),
        (["null", "string"], "x"),
        ({"type": "array", "items": "int"}, [1, 2]),
        ({"type": "map", "values": "int"}, {"a": 1}),
        ({"type": "fixed", "name": "F", "size": 2}, "ab"),
        (enum("A"), "A"),
        (record(field("x"), field("y", default=1), name="In"), {"x": 1}),
    ],
)
def test_defaults(kind: Any, value: Any) -> None:
    assert schema(record(field("a", kind, default=value)))
    with pytest.raises(InvalidSchema):
        schema(record(field("a", kind, default={"un": {"fit": []}})))


def test_forms_of_one_schema() -> None:
    one = record(field("a", {"type": "string"}), field("b", "n.E2"), namespace="n", doc="d", aliases=["Q"], name="R")
    two = {
        "fields": [{"type": "string", "name": "a"}, {"type": "E2", "name": "b", "order": "ascending"}],
        "aliases": ["n.Q"],
        "doc": "d",
        "name": "n.R",
        "type": "record",
    }
    inner = enum("A", name="E2", namespace="n")
    first, second = schema(one, e=inner), schema(two, e=inner)
    assert compat_avro.normalized(first) == compat_avro.normalized(second)
    assert compat_avro.canonical(first) != compat_avro.canonical(second)
    assert compat_avro.normalized(first).startswith('{"type":"record","name":"n.R","doc":"d","aliases":["n.Q"]')
    again = compat_avro.parse(compat_avro.normalized(first), {"e": json.dumps(inner)})
    assert compat_avro.normalized(again) == compat_avro.normalized(first)


def test_references_are_written_out_once() -> None:
    leaf = record(field("x"), name="Leaf", namespace="a")
    middle = record(field("l", "a.Leaf"), name="Middle", namespace="b")
    bare = enum("X", name="Bare")
    outer = record(field("m", "b.Middle"), field("l", "a.Leaf"), field("e", ["null", "Bare"]), namespace="c")
    found = compat_avro.resolved(schema(outer, leaf=leaf, middle=middle, bare=bare))
    parsed = compat_avro.parse(found)
    assert set(parsed.names) == {"c.R", "b.Middle", "a.Leaf", "Bare"}
    assert fastavro.parse_schema(json.loads(found))
    assert compat_avro.problems(parsed, schema(outer, leaf=leaf, middle=middle, bare=bare)) == []


PRIMITIVE = st.sampled_from(["null", "boolean", "int", "long", "float", "double", "bytes", "string"])


@st.composite
def schemas(draw: st.DrawFn, depth: int = 2) -> Any:
    """Schemas whose names are shared, so that two of them are often alike."""
    counter = iter(range(1000))

    def make(depth: int) -> Any:
        form = draw(st.sampled_from(["primitive", "record", "enum", "fixed", "array", "map", "union"]))
        if depth == 0 or form == "primitive":
            return draw(PRIMITIVE)
        number = next(counter)
        if form == "record":
            names = draw(st.lists(st.sampled_from("abc"), unique=True, max_size=3))
            fields = []
            for name in names:
                kind = make(depth - 1)
                more: dict[str, Any] = {}
                if draw(st.booleans()):
                    kind, more = (
                        ["null", kind] if kind != "null" and not isinstance(kind, list) else "null",
                        {"default": None},
                    )
                fields.append(field(name, kind, **more))
            return record(*fields, name=f"R{number}")
        if form == "enum":
            symbols = draw(st.lists(st.sampled_from("ABC"), unique=True, min_size=1))
            return enum(*symbols, name=f"E{number}", **({"default": symbols[0]} if draw(st.booleans()) else {}))
        if form == "fixed":
            return {"type": "fixed", "name": f"F{number}", "size": draw(st.integers(1, 2))}
        if form == "array":
            return {"type": "array", "items": make(depth - 1)}
        if form == "map":
            return {"type": "map", "values": make(depth - 1)}
        branches = draw(st.lists(PRIMITIVE, unique=True, min_size=1, max_size=3))
        return branches

    return make(depth)


def value_of(draw: st.DrawFn, kind: Any) -> Any:
    if isinstance(kind, list):
        return value_of(draw, draw(st.sampled_from(kind)))
    if isinstance(kind, dict):
        name = kind["type"]
        if name == "record":
            return {item["name"]: value_of(draw, item["type"]) for item in kind["fields"]}
        if name == "enum":
            return draw(st.sampled_from(kind["symbols"]))
        if name == "fixed":
            return draw(st.binary(min_size=kind["size"], max_size=kind["size"]))
        if name == "array":
            return [value_of(draw, kind["items"]) for _ in range(draw(st.integers(0, 2)))]
        return {str(n): value_of(draw, kind["values"]) for n in range(draw(st.integers(0, 2)))}
    return draw(
        {
            "null": st.none(),
            "boolean": st.booleans(),
            "int": st.integers(-(2**31), 2**31 - 1),
            "long": st.integers(-(2**63), 2**63 - 1),
            "float": st.floats(width=32, allow_nan=False),
            "double": st.floats(allow_nan=False),
            "bytes": st.just(b"ascii"),
            "string": st.text("abc"),
        }[kind]
    )


def evolved(draw: st.DrawFn, kind: Any) -> Any:
    """The schema after a change or two, some of which readers bear."""
    if isinstance(kind, list):
        return [*kind, *draw(st.sampled_from([[], [], ["string"] if "string" not in kind else []]))]
    if isinstance(kind, str):
        return draw(
            st.sampled_from([kind, kind, "long", "double", "string", ["null", kind] if kind != "null" else kind])
        )
    name = kind["type"]
    if name == "record":
        fields = [{**item, "type": evolved(draw, item["type"])} for item in kind["fields"] if draw(st.integers(0, 4))]
        fields += draw(st.sampled_from([[], [field("z", default=7)], [field("z")]]))
        # a default has to fit the first branch for fastavro
        return {
            **kind,
            "fields": [
                item
                for item in fields
                if "default" not in item
                or item["default"] == 7
                or (isinstance(item["type"], list) and item["type"][0] == "null")
            ],
        }
    if name == "enum":
        return {**kind, "symbols": [*kind["symbols"], *draw(st.sampled_from([[], ["D"]]))]}
    if name == "array":
        return {**kind, "items": evolved(draw, kind["items"])}
    if name == "map":
        return {**kind, "values": evolved(draw, kind["values"])}
    return kind


@settings(deadline=None)
@given(data=st.data(), writer=schemas())
def test_fastavro_reads_what_is_said_to_be_readable(writer: Any, data: st.DataObject) -> None:
    @st.composite
    def pairs(draw: st.DrawFn) -> Any:
        return evolved(draw, writer), value_of(draw, writer)

    reader, value = data.draw(pairs())
    try:
        found = compat_avro.problems(schema(reader), schema(writer))
    except InvalidSchema:
        reject()
    event("fits" if not found else "does not")
    buffer = io.BytesIO()
    written = fastavro.parse_schema(json.loads(json.dumps(writer)))
    fastavro.schemaless_writer(buffer, written, value)
    buffer.seek(0)
    try:
        fastavro.schemaless_reader(buffer, written, fastavro.parse_schema(json.loads(json.dumps(reader))))
    except SchemaResolutionError:
        assert found


@settings(deadline=None)
@given(schemas())
def test_a_schema_reads_itself_in_every_form(raw: Any) -> None:
    one = schema(raw)
    for text in (compat_avro.canonical(one), compat_avro.normalized(one), compat_avro.resolved(one)):
        other = compat_avro.parse(text)
        assert compat_avro.problems(one, other) == compat_avro.problems(other, one) == []
        assert compat_avro.normalized(other) == compat_avro.normalized(one)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab") | st.sampled_from(["int", "record", "array", "union"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "name", "fields", "symbols", "items", "values", "size", "default", "aliases"]),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON)
def test_any_json_is_a_schema_or_refused(raw: Any) -> None:
    try:
        one = schema(raw)
    except InvalidSchema:
        return
    compat_avro.normalized(one)
    compat_avro.resolved(one)
