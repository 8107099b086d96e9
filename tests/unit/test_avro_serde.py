# SPDX-License-Identifier: Apache-2.0
"""Avro serializers: bytes and values."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
import subprocess
import sys
import uuid
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confluent_kafka.schema_registry import (
    Metadata,
    MetadataProperties,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SchemaRegistryError,
)
from confluent_kafka.schema_registry.avro import (
    AvroDeserializer,
    AvroSerializer,
)
from confluent_kafka.serialization import SerializationError
from tests.unit.avro_kit import AN_ORDER, AN_ORDER_BYTES, ORDER, STRING, UNION, Counting, context


@pytest.fixture
def client() -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": "mock://"})


def test_golden_bytes(client: SchemaRegistryClient) -> None:
    serializer, deserializer = AvroSerializer(client, ORDER), AvroDeserializer(client)
    data = serializer(AN_ORDER, context())
    assert data == b"\x00\x00\x00\x00\x01" + AN_ORDER_BYTES
    assert deserializer(data, context()) == AN_ORDER
    assert deserializer(data) == AN_ORDER
    assert deserializer(bytearray(data), context()) == deserializer(memoryview(data), context()) == AN_ORDER
    assert client.get_subjects() == ["orders-value"]
    assert client.get_latest_version("orders-value").schema == Schema(ORDER)


def test_none_asks_nobody() -> None:
    client = Counting()
    assert AvroSerializer(client, ORDER)(None, context()) is None
    assert AvroSerializer(client, ORDER)(None) is None
    assert AvroDeserializer(client)(None) is None
    assert client.calls == []


@pytest.mark.parametrize(
    ("schema", "value", "data"),
    [
        ('"string"', "x", b"\x02x"),
        ('{"type": "string"}', "x", b"\x02x"),
        (' "int" ', -3, b"\x05"),
        ('"boolean"', True, b"\x01"),
        ('"double"', 1.0, b"\x00\x00\x00\x00\x00\x00\xf0?"),
        ('["null", "string"]', "x", b"\x02\x02x"),
        ('{"type": "map", "values": "int"}', {"a": 1}, b"\x02\x02a\x02\x00"),
        ('{"type": "enum", "name": "E", "symbols": ["A", "B"]}', "B", b"\x02"),
        ('{"type": "fixed", "name": "F", "size": 2}', b"ab", b"ab"),
        ('{"type": {"type": "array", "items": "int"}}', [1, 2], b"\x04\x02\x04\x00"),
        ('"bytes"', b"abc", b"abc"),
        ('"bytes"', b"", b""),
        ('{"type": "record", "name": "Empty", "fields": []}', {}, b""),
    ],
)
def test_other_top_levels(client: SchemaRegistryClient, schema: str, value: Any, data: bytes) -> None:
    written = AvroSerializer(client, schema)(value, context())
    assert written == b"\x00\x00\x00\x00\x01" + data
    assert AvroDeserializer(client)(written, context()) == value


def test_name_of_a_type_is_registered_as_json(client: SchemaRegistryClient) -> None:
    AvroSerializer(client, '"string"')("x", context())
    assert client.get_schema(1).schema_str == '{"type":"string"}'


def test_top_level_bytes(client: SchemaRegistryClient) -> None:
    serializer = AvroSerializer(client, '"bytes"')
    assert serializer("é", context()) == b"\x00\x00\x00\x00\x01\xc3\xa9"
    assert serializer(bytearray(b"x"), context()) == b"\x00\x00\x00\x00\x01x"
    with pytest.raises(TypeError, match="expected bytes or str, got int"):
        serializer(5, context())
    # read as another type, by Avro's schema resolution
    data = serializer(b"text", context())
    assert AvroDeserializer(client, STRING)(data, context()) == "text"


def test_logical_types(client: SchemaRegistryClient) -> None:
    def field(name: str, kind: str, logical: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "type": {"type": kind, "logicalType": logical, **more}}

    fields = [
        field("day", "int", "date"),
        field("ms", "int", "time-millis"),
        field("us", "long", "time-micros"),
        field("at", "long", "timestamp-millis"),
        field("precise", "long", "timestamp-micros"),
        field("price", "bytes", "decimal", precision=6, scale=2),
        field("key", "string", "uuid"),
    ]
    value = {
        "day": dt.date(2026, 1, 2),
        "ms": dt.time(1, 2, 3, 4000),
        "us": dt.time(1, 2, 3, 4),
        "at": dt.datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=dt.timezone.utc),
        "precise": dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.timezone.utc),
        "price": decimal.Decimal("1234.56"),
        "key": uuid.UUID("963cb43b-c538-4e8c-8d1a-b9d25e954d9b"),
    }
    schema = json.dumps({"type": "record", "name": "L", "fields": fields})
    data = AvroSerializer(client, schema)(value, context())
    assert AvroDeserializer(client)(data, context()) == value


def test_top_level_decimal(client: SchemaRegistryClient) -> None:
    schema = '{"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}'
    data = AvroSerializer(client, schema)(decimal.Decimal("1.23"), context())
    assert data == b"\x00\x00\x00\x00\x01\x7b"
    assert AvroDeserializer(client)(data, context()) == decimal.Decimal("1.23")


def test_unions(client: SchemaRegistryClient) -> None:
    serializer = AvroSerializer(client, UNION)
    plain, named = AvroDeserializer(client), AvroDeserializer(client, return_record_name=True)
    for value in (("n.B", {"v": 7}), {"-type": "n.B", "v": 7}):
        data = serializer(value, context())
        assert data == b"\x00\x00\x00\x00\x01\x02\x0e"
        assert plain(data, context()) == {"v": 7}
        assert named(data, context()) == ("n.B", {"v": 7})


class TestReferences:
    A = Schema('{"type": "record", "name": "A", "fields": [{"name": "v", "type": "int"}]}')

    def register(self, client: SchemaRegistryClient) -> None:
        client.register_schema("a", self.A)
        a = SchemaReference("A", "a", 1)
        in_b = {"type": "record", "name": "B", "namespace": "y", "fields": [{"name": "a", "type": "A"}]}
        client.register_schema("b", Schema(json.dumps(in_b), references=[a]))
        # the reference's name is not the name of the type
        in_c = {"type": "record", "name": "C", "namespace": "y", "fields": [{"name": "a", "type": "a.avsc"}]}
        client.register_schema("c", Schema(json.dumps(in_c), references=[SchemaReference("a.avsc", "a", 1)]))

    def test_diamond(self, client: SchemaRegistryClient) -> None:
        self.register(client)
        fields = [
            {"name": "b", "type": "y.B"},
            {"name": "a", "type": ["null", "A"]},
            {"name": "c", "type": {"type": "map", "values": "y.C"}},
            {"name": "again", "type": "y.B"},
        ]
        main = Schema(
            json.dumps({"type": "record", "name": "M", "namespace": "x", "fields": fields}),
            references=[
                SchemaReference("y.B", "b", 1),
                SchemaReference("A", "a", 1),
                SchemaReference("y.C", "c", 1),
            ],
        )
        client.delete_version("a", 1)  # what is referred to may be deleted
        value = {"b": {"a": {"v": 1}}, "a": {"v": 2}, "c": {"k": {"a": {"v": 3}}}, "again": {"a": {"v": 4}}}
        data = AvroSerializer(client, main)(value, context())
        assert data is not None
        assert data[5:] == bytes.fromhex("02 02 04 02 02 6b 06 00 08")
        assert AvroDeserializer(client)(data, context()) == value
        assert AvroDeserializer(client, main)(data, context()) == value

    def test_type_without_namespace_used_inside_and_outside_of_one(self, client: SchemaRegistryClient) -> None:
        self.register(client)
        record = {"type": "record", "name": "x.R", "fields": [{"name": "a", "type": "A"}]}
        schema = Schema(json.dumps(["A", record]), references=[SchemaReference("A", "a", 1)])
        serializer, deserializer = AvroSerializer(client, schema), AvroDeserializer(client, schema)
        for value in ({"v": 1}, {"a": {"v": 2}}):
            assert deserializer(serializer(value, context()), context()) == value

    def test_reference_to_a_type_that_contains_itself(self, client: SchemaRegistryClient) -> None:
        text = '{"type": "record", "name": "n.L", "fields": [{"name": "next", "type": ["null", "L"]}]}'
        client.register_schema("l", Schema(text))
        fields = [{"name": "one", "type": "n.L"}, {"name": "two", "type": "list"}]
        schema = Schema(
            json.dumps({"type": "record", "name": "M", "fields": fields}),
            references=[SchemaReference("n.L", "l", 1), SchemaReference("list", "l", 1)],
        )
        value = {"one": {"next": {"next": None}}, "two": {"next": None}}
        data = AvroSerializer(client, schema)(value, context())
        assert AvroDeserializer(client)(data, context()) == value
        deep: dict[str, Any] = {"next": None}
        for _ in range(1000):
            deep = {"next": deep}
        with pytest.raises(SerializationError, match="nested more than"):
            AvroSerializer(client, schema)({"one": deep, "two": {"next": None}}, context())

    def test_union_of_references(self, client: SchemaRegistryClient) -> None:
        self.register(client)
        union = Schema('["null", "A"]', references=[SchemaReference("A", "a", 1)])
        data = AvroSerializer(client, union)({"v": 3}, context())
        assert data is not None
        assert data[5:] == b"\x02\x06"
        assert AvroDeserializer(client)(data, context()) == {"v": 3}

    def test_nothing_but_a_reference(self, client: SchemaRegistryClient) -> None:
        self.register(client)
        for text in ('"A"', '{"type": "A"}'):
            schema = Schema(text, references=[SchemaReference("A", "a", 1)])
            data = AvroSerializer(client, schema)({"v": 3}, context())
            assert data is not None
            assert AvroDeserializer(client)(data, context()) == {"v": 3}

    def test_what_is_missing(self, client: SchemaRegistryClient) -> None:
        schema = Schema('["null", "A"]', references=[SchemaReference("A", "nowhere", 1)])
        with pytest.raises(SchemaRegistryError):
            AvroSerializer(client, schema)({"v": 3}, context())
        with pytest.raises(fastavro.schema.UnknownType):
            AvroSerializer(client, '["null", "A"]')


class TestResolution:
    def test_reader_schema(self, client: SchemaRegistryClient) -> None:
        wanted = json.loads(ORDER)
        wanted["fields"] = [
            {"name": "lines", "type": {"type": "array", "items": "double"}},
            {"name": "id", "type": "double"},
            {"name": "added", "type": "string", "default": "new"},
        ]
        data = AvroSerializer(client, ORDER)(AN_ORDER, context())
        read = AvroDeserializer(client, json.dumps(wanted))(data, context())
        assert read == {"lines": [0.5], "id": 1.0, "added": "new"}

    def test_schemas_that_do_not_fit(self, client: SchemaRegistryClient) -> None:
        data = AvroSerializer(client, STRING)("x", context())
        with pytest.raises(fastavro.read.SchemaResolutionError):
            AvroDeserializer(client, '"int"')(data, context())

    def test_latest_version(self, client: SchemaRegistryClient) -> None:
        data = AvroSerializer(client, '"int"')(5, context())
        deserializer = AvroDeserializer(client, conf={"use.latest.version": True})
        assert repr(deserializer(data, context())) == "5"
        client.register_schema("orders-value", Schema('"double"'))
        assert repr(deserializer(data, context())) == "5.0"

    def test_latest_with_metadata(self, client: SchemaRegistryClient) -> None:
        data = AvroSerializer(client, '"int"')(5, context())
        metadata = Metadata(None, MetadataProperties({"major": "2"}), None)
        client.register_schema("orders-value", Schema('"double"', metadata=metadata))
        client.register_schema("orders-value", Schema('"float"'))
        deserializer = AvroDeserializer(client, conf={"use.latest.with.metadata": {"major": "2"}})
        assert repr(deserializer(data, context())) == "5.0"


class TestConversion:
    def test_to_dict_and_from_dict(self, client: SchemaRegistryClient) -> None:
        ctx = context()
        serializer = AvroSerializer(client, STRING, to_dict=lambda obj, c: f"{obj} {c.topic}")
        deserializer = AvroDeserializer(client, from_dict=lambda obj, c: (obj, c is ctx))
        data = serializer(5, ctx)
        assert deserializer(data, ctx) == ("5 orders", True)
        with pytest.raises(TypeError, match="SerializationContext cannot be None"):
            deserializer(data)
        by_record = AvroSerializer(
            client, STRING, to_dict=lambda obj, c: obj, conf={"subject.name.strategy.type": "RECORD"}
        )
        with pytest.raises(TypeError, match="SerializationContext cannot be None"):
            by_record("x")

    def test_objects_that_do_not_match(self, client: SchemaRegistryClient) -> None:
        serializer = AvroSerializer(client, ORDER)
        for wrong in ({}, {**AN_ORDER, "id": "x"}, 5):
            with pytest.raises((TypeError, ValueError, AttributeError)):
                serializer(wrong, context())
        assert serializer({**AN_ORDER, "extra": 1}, context()) == b"\x00\x00\x00\x00\x01" + AN_ORDER_BYTES

    def test_strict(self, client: SchemaRegistryClient) -> None:
        extra, without_note = {**AN_ORDER, "extra": 1}, {k: v for k, v in AN_ORDER.items() if k != "note"}
        strict = AvroSerializer(client, ORDER, conf={"validate.strict": True})
        for wrong in (extra, without_note):
            with pytest.raises(ValueError, match=r"extra|note"):
                strict(wrong, context())
        lenient = AvroSerializer(client, ORDER, conf={"validate.strict": True, "validate.strict.allow.default": True})
        assert lenient(without_note, context()) == strict(AN_ORDER, context())
        with pytest.raises(ValueError, match="extra"):
            lenient(extra, context())

    def test_the_callers_object_is_left_alone(self, client: SchemaRegistryClient) -> None:
        value = {"id": 1, "customer": "eve", "lines": (0.5,)}
        before = repr(value)
        AvroSerializer(client, ORDER)(value, context())
        assert repr(value) == before


class TestBadData:
    @pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x00\x01"])
    def test_too_short(self, client: SchemaRegistryClient, data: bytes) -> None:
        with pytest.raises(SerializationError, match=f"total data size is {len(data)} bytes"):
            AvroDeserializer(client)(data, context())

    def test_not_framed(self, client: SchemaRegistryClient) -> None:
        with pytest.raises(SerializationError, match="Invalid magic byte 0x7b"):
            AvroDeserializer(client)(b'{"json": 1}', context())
        with pytest.raises(SerializationError, match="GUID is cut off"):
            AvroDeserializer(client)(b"\x01abcdef", context())

    def test_unknown_schema(self, client: SchemaRegistryClient) -> None:
        with pytest.raises(SchemaRegistryError):
            AvroDeserializer(client)(b"\x00\x00\x00\x00\x63\x02x", context())

    def test_cut_off(self, client: SchemaRegistryClient) -> None:
        data = AvroSerializer(client, ORDER)(AN_ORDER, context())
        assert data is not None
        deserializer = AvroDeserializer(client)
        for end in range(5, len(data)):
            with pytest.raises(SerializationError) as raised:
                deserializer(data[:end], context())
            assert isinstance(raised.value, EOFError)

    def test_text_is_not_quoted(self, client: SchemaRegistryClient) -> None:
        AvroSerializer(client, STRING)("x", context())
        with pytest.raises(SerializationError) as raised:
            AvroDeserializer(client)(b"\x00\x00\x00\x00\x01\x10secret \xff", context())
        assert "secret" not in str(raised.value)

    @given(st.binary(max_size=60))
    def test_arbitrary_payloads(self, payload: bytes) -> None:
        client = SchemaRegistryClient({"url": "mock://"})
        client.register_schema("s", Schema(ORDER))
        try:
            AvroDeserializer(client)(b"\x00\x00\x00\x00\x01" + payload)
        except SerializationError:
            pass

    def test_deep_nesting_does_not_end_the_process(self) -> None:
        # in a process of its own: what this guards against is a stack overflow
        script = """
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import SerializationError
text = '{"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]}'
client = SchemaRegistryClient({"url": "mock://"})
client.register_schema("L", Schema(text))
deep = {"next": None}
for _ in range(100_000):
    deep = {"next": deep}
cyclic = {}
cyclic["next"] = cyclic
serializer = AvroSerializer(client, text, conf={"subject.name.strategy.type": "RECORD"})
for value in (deep, cyclic):
    try:
        serializer(value)
    except SerializationError as e:
        print("refused")
    value = None
try:
    AvroDeserializer(client)(b"\\0\\0\\0\\0\\1" + b"\\2" * 1_000_000 + b"\\0")
except SerializationError as e:
    print("refused")
shallow = {"next": {"next": {"next": None}}}
print(AvroDeserializer(client)(serializer(shallow)) == shallow)
import os, sys
sys.stdout.flush()
os._exit(0)  # taking the deep object apart is no concern of this test
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=False)
        assert (done.returncode, done.stdout.split()) == (0, ["refused"] * 3 + ["True"]), done.stderr


def test_large_values_of_recursive_types(client: SchemaRegistryClient) -> None:
    text = '{"type": "record", "name": "T", "fields": [{"name": "v", "type": "int"}, {"name": "sub", "type": {"type": "array", "items": "T"}}]}'  # noqa: E501
    tree = {"v": 0, "sub": [{"v": n, "sub": [{"v": n, "sub": []}]} for n in range(500)]}
    data = AvroSerializer(client, text)(tree, context())
    assert AvroDeserializer(client)(data, context()) == tree


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False),
    "bytes": st.binary(max_size=20),
    "string": st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
}


def types(depth: int = 2) -> st.SearchStrategy[tuple[Any, st.SearchStrategy[Any]]]:
    """Schemas with the values that fit them."""
    scalar = st.sampled_from(sorted(SCALARS)).map(lambda name: (name, SCALARS[name]))
    if depth == 0:
        return scalar
    inner = types(depth - 1)
    arrays = inner.map(lambda t: ({"type": "array", "items": t[0]}, st.lists(t[1], max_size=3)))
    keys = st.text("abc", max_size=3)
    maps = inner.map(lambda t: ({"type": "map", "values": t[0]}, st.dictionaries(keys, t[1], max_size=3)))
    optional = inner.filter(lambda t: t[0] != "null" and not isinstance(t[0], list)).map(
        lambda t: (["null", t[0]], st.none() | t[1])
    )
    records = st.lists(inner, max_size=4).map(
        lambda fields: (
            {
                "type": "record",
                "name": f"R{uuid.uuid4().hex}",
                "fields": [{"name": f"f{n}", "type": t[0]} for n, t in enumerate(fields)],
            },
            st.fixed_dictionaries({f"f{n}": t[1] for n, t in enumerate(fields)}),
        )
    )
    return st.one_of(scalar, arrays, maps, optional, records)


@settings(deadline=None)
@given(types(), st.data())
def test_round_trip(kind: tuple[Any, st.SearchStrategy[Any]], data: st.DataObject) -> None:
    schema, values = kind
    client = SchemaRegistryClient({"url": "mock://"})
    serializer, deserializer = AvroSerializer(client, json.dumps(schema)), AvroDeserializer(client)
    for _ in range(3):
        value = data.draw(values)
        written = serializer(value, context())
        if value is None:
            assert written is None
            continue
        assert written is not None
        if schema != "bytes":
            buffer = io.BytesIO()
            fastavro.schemaless_writer(buffer, fastavro.parse_schema(schema), value)
            assert written[5:] == buffer.getvalue()
        assert deserializer(written, context()) == value
