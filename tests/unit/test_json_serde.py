# SPDX-License-Identifier: Apache-2.0
"""JSON Schema serializers."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import decimal
import json
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_kafka.schema_registry import (
    Metadata,
    MetadataProperties,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
)
from confluent_kafka.schema_registry.error import SchemaMismatchError
from confluent_kafka.schema_registry.json_schema import (
    AsyncJSONDeserializer,
    AsyncJSONDeserializerBuilder,
    AsyncJSONSerializer,
    AsyncJSONSerializerBuilder,
    JSONDeserializer,
    JSONDeserializerBuilder,
    JSONSerializer,
    JSONSerializerBuilder,
)
from confluent_kafka.serialization import SerializationError
from tests.unit.avro_kit import RULE, Counting, context

ORDER = json.dumps(
    {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Order",
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "integer"},
            "note": {"type": ["string", "null"]},
            "lines": {
                "type": "array",
                "items": {"type": "object", "properties": {"price": {"type": "number", "minimum": 0}}},
            },
        },
    }
)
AN_ORDER = {"id": 1, "note": "größe", "lines": [{"price": 0.5}]}
AN_ORDER_BYTES = '{"id":1,"note":"größe","lines":[{"price":0.5}]}'.encode()
HEAD = b"\x00\x00\x00\x00\x01"


@pytest.fixture
def client() -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": "mock://"})


def test_golden_bytes(client: SchemaRegistryClient) -> None:
    serializer = JSONSerializer(ORDER, client)
    data = serializer(AN_ORDER, context())
    assert data == HEAD + AN_ORDER_BYTES
    assert client.get_latest_version("orders-value").schema == Schema(ORDER, "JSON")
    for deserializer in (
        JSONDeserializer(None, schema_registry_client=client),
        JSONDeserializer(ORDER, schema_registry_client=client),
        JSONDeserializer(ORDER),
        JSONDeserializer(Schema(ORDER, "JSON")),
    ):
        assert deserializer(data, context()) == AN_ORDER
        assert deserializer(data) == AN_ORDER
        assert deserializer(None) is None
    assert serializer(None) is None


def test_the_registry_is_asked_once() -> None:
    client = Counting()
    serializer = JSONSerializer(ORDER, client)
    deserializer = JSONDeserializer(None, schema_registry_client=client)
    data = [serializer(AN_ORDER, context()) for _ in range(3)]
    assert [deserializer(one, context()) for one in data] == [AN_ORDER] * 3
    assert client.calls == ["associations", "register", "associations", "get"]


def test_record_name_is_the_title(client: SchemaRegistryClient) -> None:
    conf = {"subject.name.strategy.type": "RECORD"}
    data = JSONSerializer(ORDER, client, conf=conf)(AN_ORDER)
    assert client.get_subjects() == ["Order"]
    assert JSONDeserializer(None, schema_registry_client=client, conf=conf)(data, context()) == AN_ORDER


@pytest.mark.parametrize(
    ("obj", "path", "reason"),
    [
        ({"id": "secret"}, "id", "expected integer, got str"),
        ({"id": 1, "note": 5}, "note", "expected null or string, got int"),
        ({"id": 1, "lines": [{}, {"price": "secret"}]}, "lines[1].price", "expected number, got str"),
        ({"id": 1, "lines": [{"price": -77}]}, "lines[0].price", "the value is less than the minimum of 0"),
        ({"note": "secret"}, "", 'the required property "id" is missing'),
        (["secret"], "", "expected object, got list"),
    ],
)
def test_errors_say_where_and_what_but_not_the_value(
    client: SchemaRegistryClient, obj: Any, path: str, reason: str
) -> None:
    serializer = JSONSerializer(ORDER, client)
    with pytest.raises(SchemaMismatchError) as raised:
        serializer(obj, context())
    field = f'field "{path}": ' if path else ""
    assert str(raised.value) == f"orders-value v1: {field}{reason}"
    assert isinstance(raised.value, (SerializationError, TypeError, ValueError))
    unchecked = JSONSerializer(ORDER, client, conf={"validate": False})
    data = unchecked(obj, context())
    with pytest.raises(SerializationError) as read:
        JSONDeserializer(ORDER, schema_registry_client=client)(data, context())
    assert str(read.value) == f"orders-value, schema 1: {field}{reason}"
    for error in (raised.value, read.value):
        assert "secret" not in f"{error!r}{error.__cause__}"
    lenient = JSONDeserializer(ORDER, schema_registry_client=client, conf={"validate": False})
    assert lenient(data, context()) == obj


def test_what_is_no_json_is_named(client: SchemaRegistryClient) -> None:
    serializer = JSONSerializer("{}", client)
    for obj, text in (
        ({"a": [{"b": decimal.Decimal(1)}]}, r'field "a\[0\].b": expected a JSON value, got Decimal'),
        ({"a": {1: 2}}, 'field "a": expected names of properties to be str, got int'),
        ({"a": 2**64}, 'field "a": Integer exceeds 64-bit range'),
        ({"a": b"x"}, 'field "a": expected a JSON value, got bytes'),
    ):
        with pytest.raises(TypeError, match=text):
            serializer(obj, context())


def test_objects_that_orjson_writes_are_checked_as_what_they_become(client: SchemaRegistryClient) -> None:
    @dataclasses.dataclass
    class Point:
        x: int
        at: Any

    schema = '{"properties": {"x": {"type": "integer"}, "at": {"type": "string"}}, "required": ["x"]}'
    serializer = JSONSerializer(schema, client)
    data = serializer(Point(1, dt.date(2026, 1, 2)), context())
    assert data == HEAD + b'{"x":1,"at":"2026-01-02"}'
    assert serializer({"x": 1, "at": uuid.UUID(int=0)}, context()) is not None
    with pytest.raises(SchemaMismatchError, match='field "at": expected string, got int'):
        serializer(Point(1, 5), context())
    with pytest.raises(SchemaMismatchError, match='field "x": expected integer, got str'):
        serializer({"x": dt.date(2026, 1, 2)}, context())


class TestReferences:
    CUSTOMER = Schema('{"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}', "JSON")

    @pytest.mark.parametrize("base", [None, "http://shop.example/order.json"])
    @pytest.mark.parametrize(
        "name", ["customer.json", "http://shop.example/customer.json", "types/customer.json", "urn:shop:customer"]
    )
    def test_by_name(self, client: SchemaRegistryClient, base: str | None, name: str) -> None:
        client.register_schema("customer", self.CUSTOMER)
        order: dict[str, Any] = {"type": "object", "properties": {"customer": {"$ref": name}}}
        if base is not None:
            order["$id"] = base
        schema = Schema(json.dumps(order), "JSON", references=[SchemaReference(name, "customer", 1)])
        serializer = JSONSerializer(schema, client)
        data = serializer({"customer": {"name": "eve"}}, context())
        deserializer = JSONDeserializer(None, schema_registry_client=client)
        assert deserializer(data, context()) == {"customer": {"name": "eve"}}
        with pytest.raises(SchemaMismatchError, match=r'field "customer.name": expected string, got int'):
            serializer({"customer": {"name": 5}}, context())

    def test_by_id_and_in_a_diamond(self, client: SchemaRegistryClient) -> None:
        client.register_schema("d", Schema('{"$id": "http://x.example/d", "type": "integer"}', "JSON"))
        to_d = [SchemaReference("d", "d", 1)]
        client.register_schema("b", Schema('{"properties": {"v": {"$ref": "http://x.example/d"}}}', "JSON", to_d))
        client.register_schema("c", Schema('{"properties": {"v": {"$ref": "d"}}}', "JSON", to_d))
        schema = Schema(
            '{"properties": {"b": {"$ref": "b"}, "c": {"$ref": "c"}}}',
            "JSON",
            [SchemaReference("b", "b", 1), SchemaReference("c", "c", 1)],
        )
        serializer = JSONSerializer(schema, client)
        assert serializer({"b": {"v": 1}, "c": {"v": 2}}, context()) is not None
        for name in "bc":
            with pytest.raises(SchemaMismatchError, match=f'field "{name}.v": expected integer, got str'):
                serializer({name: {"v": "x"}}, context())

    def test_part_of_a_reference_and_cycles(self, client: SchemaRegistryClient) -> None:
        text = '{"definitions": {"n": {"type": "integer"}}, "properties": {"next": {"$ref": "node.json"}}}'
        client.register_schema("node", Schema(text, "JSON"))
        schema = Schema(
            '{"properties": {"n": {"$ref": "node.json#/definitions/n"}, "node": {"$ref": "node.json"}}}',
            "JSON",
            [SchemaReference("node.json", "node", 1)],
        )
        serializer = JSONSerializer(schema, client)
        assert serializer({"n": 1, "node": {"next": {"next": {}}}}, context()) is not None
        with pytest.raises(SchemaMismatchError, match='field "n": expected integer'):
            serializer({"n": "x"}, context())

    def test_missing_ones_are_named_and_nothing_is_fetched(self, client: SchemaRegistryClient) -> None:
        with pytest.raises(ValueError, match=r"(?s)'http://127.0.0.1:9/x.json'.*nothing is fetched"):
            JSONSerializer('{"$ref": "http://127.0.0.1:9/x.json"}', client)
        with pytest.raises(ValueError, match="schema_registry_client must be provided"):
            JSONDeserializer(Schema("{}", "JSON", [SchemaReference("a", "a", 1)]))


@pytest.mark.parametrize(
    ("draft", "schema", "good", "bad"),
    [
        ("http://json-schema.org/draft-04/schema#", {"maximum": 3, "exclusiveMaximum": True}, 2, 3),
        ("http://json-schema.org/draft-06/schema#", {"exclusiveMaximum": 3}, 2, 3),
        ("http://json-schema.org/draft-07/schema#", {"if": {"minimum": 5}, "then": {"multipleOf": 2}}, 6, 7),
        ("https://json-schema.org/draft/2019-09/schema", {"dependentRequired": {"a": ["b"]}}, {"b": 2}, {"a": 1}),
        ("https://json-schema.org/draft/2020-12/schema", {"prefixItems": [{"type": "string"}]}, ["a"], [1]),
        (None, {"prefixItems": [{"type": "string"}]}, ["a"], [1]),
        ("http://json-schema.org/draft-07/schema", {"prefixItems": [{"type": "string"}]}, [1], None),
        ("http://nobody.example/schema", {"prefixItems": [{"type": "string"}]}, ["a"], [1]),
        (None, {"format": "date-time"}, "no date", None),
    ],
)  # fmt: skip
def test_drafts(client: SchemaRegistryClient, draft: str | None, schema: dict[str, Any], good: Any, bad: Any) -> None:
    text = json.dumps(schema if draft is None else {"$schema": draft, **schema})
    serializer = JSONSerializer(text, client)
    assert serializer(good, context()) is not None
    if bad is not None:
        with pytest.raises(SchemaMismatchError):
            serializer(bad, context())


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "5", '{"type": "frob"}', '{"pattern": "("}', '{"$ref": "#/nope"}', "[" * 100_000]
)
def test_bad_schemas_are_refused_at_once(client: SchemaRegistryClient, text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON schema"):
        JSONSerializer(text, client)


class TestArguments:
    def test_wrong_ones(self, client: SchemaRegistryClient) -> None:
        with pytest.raises(TypeError, match="You must pass either str or Schema"):
            JSONSerializer(5, client)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="schema_registry_client must be provided"):
            JSONDeserializer(None)
        with pytest.raises(ValueError, match="to_dict must be callable"):
            JSONSerializer(ORDER, client, to_dict=5)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="json_encode must be callable"):
            JSONSerializer(ORDER, client, json_encode=5)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"Unrecognized properties: validat \(did you mean validate\?\)"):
            JSONSerializer(ORDER, client, conf={"validat": False})
        with pytest.raises(ValueError, match="validate must be a boolean value"):
            JSONDeserializer(ORDER, conf={"validate": "no"})
        with pytest.raises(TypeError, match="there is no schema"):
            JSONSerializer(None, client)({}, context())

    def test_conversion(self, client: SchemaRegistryClient) -> None:
        serializer = JSONSerializer(ORDER, client, to_dict=lambda obj, ctx: {"id": obj, "note": ctx.topic})
        deserializer = JSONDeserializer(ORDER, from_dict=lambda obj, ctx: (obj["id"], obj["note"], ctx.topic))
        assert deserializer(serializer(7, context()), context()) == (7, "orders", "orders")

    def test_encoder_and_decoder(self, client: SchemaRegistryClient) -> None:
        def encode(obj: Any) -> str:
            return json.dumps(obj, default=float, indent=1)

        schema = '{"properties": {"price": {"type": "number"}, "when": {"type": "number"}}}'
        serializer = JSONSerializer(schema, client, json_encode=encode)
        data = serializer({"price": decimal.Decimal("1.5")}, context())
        assert data == HEAD + b'{\n "price": 1.5\n}'
        with pytest.raises(SchemaMismatchError, match='field "price": expected number, got str'):
            serializer({"price": "x"}, context())
        exact = JSONDeserializer(schema, json_decode=lambda text: json.loads(text, parse_float=decimal.Decimal))
        assert repr(exact(data)) == "{'price': Decimal('1.5')}"
        assert JSONSerializer(schema, client, json_encode=lambda obj: b"{}")({}, context()) == HEAD + b"{}"

    def test_schema_from_the_registry(self, client: SchemaRegistryClient) -> None:
        client.register_schema("orders-value", Schema('{"type": "integer"}', "JSON"))
        metadata = Metadata(None, MetadataProperties({"major": "1"}), None)
        client.register_schema("orders-value", Schema('{"type": "string"}', "JSON", metadata=metadata))
        client.register_schema("orders-value", Schema('{"type": "boolean"}', "JSON"))
        for conf, value, number in (
            ({"auto.register.schemas": False, "use.latest.version": True}, True, 3),
            ({"use.latest.with.metadata": {"major": "1"}}, "x", 2),
            ({"use.schema.id": 1}, 5, 1),
        ):
            data = JSONSerializer(None, client, conf=conf)(value, context())
            assert data is not None
            assert data[4] == number
        reader = JSONDeserializer(None, schema_registry_client=client, conf={"use.latest.version": True})
        assert reader(b"\0\0\0\0\1true", context()) is True
        with pytest.raises(SchemaMismatchError, match="expected boolean, got int"):
            reader(b"\0\0\0\0\x015", context())

    def test_rules_are_refused(self, client: SchemaRegistryClient) -> None:
        serializer = JSONSerializer(Schema("{}", "JSON", rule_set=RuleSet(None, [RULE])), client)
        with pytest.raises(SerializationError, match="cannot run, and nothing is written"):
            serializer({}, context())

    def test_builders(self, client: SchemaRegistryClient) -> None:
        serializer, conf = (
            JSONSerializerBuilder()
            .set_schema_registry_client(client)
            .set_schema(ORDER)
            .set_json_encode(json.dumps)
            .build({"a": 1}, False)
        )
        assert conf == {"a": 1}
        deserializer, _ = JSONDeserializerBuilder().set_schema(ORDER).set_json_decode(json.loads).build({}, True)
        assert deserializer(serializer(AN_ORDER, context())) == AN_ORDER
        with pytest.raises(ValueError, match="no Schema Registry"):
            JSONSerializerBuilder(schema=ORDER).build({}, False)

    def test_asyncio(self, client: SchemaRegistryClient) -> None:
        async def main() -> None:
            serializer = await AsyncJSONSerializer(ORDER, client)
            deserializer = AsyncJSONDeserializer(None, schema_registry_client=client)
            data = await serializer(AN_ORDER, context())
            assert data == HEAD + AN_ORDER_BYTES
            assert await deserializer(data, context()) == AN_ORDER
            built, _ = await AsyncJSONSerializerBuilder(schema_registry_client=client, schema=ORDER).build({}, False)
            assert await built(AN_ORDER, context()) == data
            read, _ = await AsyncJSONDeserializerBuilder(schema=ORDER).build({}, False)
            assert await read.deserialize_many([data, None], context()) == [AN_ORDER, None]

        asyncio.run(main())


class TestHostileData:
    TREE = '{"properties": {"a": {"$ref": "#"}, "l": {"items": {"$ref": "#"}}}}'

    @pytest.mark.parametrize(
        "payload",
        [
            b"",
            b"{",
            b'{"a":}',
            b"nul",
            b"\xff\xfe",
            b'"\xed\xa0\x80"',
            b"[" * 1_000_000,
            b'{"a":' * 1_000_000,
            b"NaN",
            b"1" * 10_000_000 + b"x",
        ],
        ids=range(10),
    )
    def test_no_json(self, payload: bytes) -> None:
        deserializer, began = JSONDeserializer(self.TREE), time.process_time()
        with pytest.raises(SerializationError) as raised:
            deserializer(HEAD + payload)
        assert isinstance(raised.value, ValueError)
        assert time.process_time() - began < 10
        assert len(str(raised.value)) < 300

    def test_frames(self) -> None:
        deserializer = JSONDeserializer("{}")
        for data in (b"", b"\0\0\0", b"\x01" + b"0" * 15, b"{}{}{}{}"):
            with pytest.raises(SerializationError):
                deserializer(data)

    def test_deep_objects(self, client: SchemaRegistryClient) -> None:
        """Neither a cycle nor depth ends the process: the validator would follow both without looking at its stack."""
        serializer = JSONSerializer(self.TREE, client)
        deep: Any = {}
        for _ in range(100_000):
            deep = {"a": deep}
        cycle: Any = {}
        cycle["a"] = cycle
        for obj in (deep, cycle):
            with pytest.raises(SchemaMismatchError, match="Recursion limit reached"):
                serializer(obj, context())
            with pytest.raises((RecursionError, ValueError)):
                JSONSerializer(self.TREE, client, json_encode=json.dumps)(obj, context())
        while deep:  # taken apart by hand: this is not what is tested
            deep = deep.pop("a", None)

    def test_deepest_data_on_a_small_stack(self) -> None:
        results: list[Any] = []
        # orjson reads 1024 levels
        data = HEAD + b'{"l":[' * 511 + b"{}" + b"]}" * 511
        deserializer = JSONDeserializer(self.TREE)

        def read() -> None:
            results.append(deserializer(data))

        old = threading.stack_size(1024 * 1024)
        try:
            thread = threading.Thread(target=read)
            thread.start()
            thread.join(60)
        finally:
            threading.stack_size(old)
        assert len(results) == 1

    def test_patterns_that_backtrack(self, client: SchemaRegistryClient) -> None:
        for pattern in ("^(a+)+$", r"^(?=a)(a+)+\1$"):
            serializer, began = JSONSerializer(json.dumps({"pattern": pattern}), client), time.process_time()
            with pytest.raises(SchemaMismatchError):
                serializer("a" * 40 + "b", context())
            assert time.process_time() - began < 10


def test_without_the_packages() -> None:
    script = """
import sys
sys.modules["orjson"] = None
import confluent_kafka.schema_registry, confluent_kafka.schema_registry.serde
try:
    import confluent_kafka.schema_registry.json_schema
except ImportError as e:
    print(e)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert 'pip install "ferrokafka[json]"' in done.stdout


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_round_trip(value: Any) -> None:
    client = SchemaRegistryClient({"url": "mock://"})
    serializer, deserializer = JSONSerializer("{}", client), JSONDeserializer(None, schema_registry_client=client)
    data = serializer(value, context())
    if value is None:
        assert data is None
        return
    assert data is not None
    assert json.loads(data[5:]) == value
    assert deserializer(data, context()) == value


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    deserializer = JSONDeserializer(ORDER)
    try:
        deserializer(data)
    except SerializationError:
        pass


def test_messages_of_another_format_are_named_as_such(client: SchemaRegistryClient) -> None:
    from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer

    record = '{"type": "record", "name": "R", "fields": []}'
    data = AvroSerializer(client, record)({}, context())
    with pytest.raises(SerializationError, match=r"schema 1 is of type AVRO, and this deserializer reads JSON"):
        JSONDeserializer(None, schema_registry_client=client)(data, context())
    data = JSONSerializer(ORDER, client)(AN_ORDER, context("b"))
    with pytest.raises(SerializationError, match=r"schema 2 is of type JSON, and this deserializer reads AVRO"):
        AvroDeserializer(client)(data, context("b"))


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals() | st.dates() | st.uuids(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.tuples(inner)
        | st.sets(st.integers(), max_size=2)
        | st.dictionaries(st.text() | st.integers() | st.none(), inner, max_size=2)
    ),
    max_leaves=5,
)
CHECKING = JSONSerializer(ORDER, SchemaRegistryClient({"url": "mock://"}))
LENIENT = JSONSerializer("{}", SchemaRegistryClient({"url": "mock://"}))


@given(ANYTHING | st.fixed_dictionaries({"id": ANYTHING}, optional={"note": ANYTHING, "lines": ANYTHING}))
def test_any_object_is_written_as_json_or_refused_as_a_mismatch(obj: Any) -> None:
    for serializer in (CHECKING, LENIENT):
        # anything else is raised from here
        with suppress(SchemaMismatchError):
            data = serializer(obj, context())
            assert (data is None) is (obj is None)
            if data is not None:
                json.loads(data[5:])
