# SPDX-License-Identifier: Apache-2.0
"""The deprecated package ``confluent_kafka.avro``: schemas, registry client, serializer."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import pytest

from confluent_kafka import avro
from confluent_kafka.avro import (
    CachedSchemaRegistryClient,
    ClientError,
    KeySerializerError,
    MessageSerializer,
    SerializerError,
    ValueSerializerError,
)
from confluent_kafka.avro.load import ParsedSchema
from confluent_kafka.avro.serializer.message_serializer import ContextStringIO
from confluent_kafka.error import Error
from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode, RuleSet, Schema
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from tests.unit.avro_kit import AN_ORDER, AN_ORDER_BYTES, ORDER, STRING, context


@pytest.fixture
def client() -> CachedSchemaRegistryClient:
    return CachedSchemaRegistryClient({"url": "mock://"})


class TestSchemas:
    def test_loads(self, tmp_path: Path) -> None:
        schema = avro.loads(ORDER)
        assert (schema.type, schema.name, schema.namespace, schema.fullname) == (
            "record",
            "Order",
            "shop",
            "shop.Order",
        )
        assert schema.to_json() == json.loads(str(schema)) == json.loads(ORDER)
        path = tmp_path / "order.avsc"
        path.write_text(ORDER)
        assert avro.load(path) == avro.load(str(path)) == schema
        assert {schema: 1}[avro.loads(ORDER)] == 1
        assert schema != avro.loads(STRING)
        assert schema != ORDER
        assert [avro.loads(text).type for text in ('"int"', '["null", "int"]', STRING)] == ["int", "union", "string"]
        assert (avro.loads('"int"').name, avro.loads('"int"').namespace) == (None, None)
        assert repr(avro.loads('"int"')) == 'ParsedSchema("int")'

    @pytest.mark.parametrize("text", ["", "{", "5", '"nothing"', '{"type": "record"}', '{"type": "array"}', "null"])
    def test_no_schema(self, text: str) -> None:
        with pytest.raises(ClientError, match="Schema parse failed"):
            avro.loads(text)


class TestErrors:
    def test_fields_and_pickles(self) -> None:
        error = ClientError("no", 404)
        assert (str(error), repr(error), error.http_code) == ("no", "ClientError(error=no)", 404)
        again = pickle.loads(pickle.dumps(error))
        assert (again.message, again.http_code) == ("no", 404)
        for kind in (SerializerError, KeySerializerError, ValueSerializerError):
            told = pickle.loads(pickle.dumps(kind("no")))
            assert (str(told), repr(told), told.message) == ("no", f"{kind.__name__}(error=no)", "no")
            assert isinstance(told, SerializerError)
            assert isinstance(told, Error)


class TestConfiguration:
    def test_what_is_refused(self) -> None:
        for wrong in ({}, {"url": ""}, {"url": "localhost:8081"}, {"url": "mock://", "nope": 1}):
            with pytest.raises(ValueError, match=r"Invalid URL|Unrecognized configuration properties: nope"):
                CachedSchemaRegistryClient(wrong)
        with pytest.raises(TypeError, match="URL must be of type str"):
            CachedSchemaRegistryClient({"url": 5})
        with pytest.raises(ValueError, match="Both"):
            CachedSchemaRegistryClient({"url": "http://x", "ssl.key.location": "key.pem"})
        with pytest.raises(ValueError, match="must be one of"):
            CachedSchemaRegistryClient({"url": "http://x", "basic.auth.credentials.source": "TREE"})
        with pytest.raises(ValueError, match="does not support SASL mechanism GSSAPI"):
            CachedSchemaRegistryClient(
                {"url": "http://x", "basic.auth.credentials.source": "SASL_INHERIT", "sasl.mechanism": "gssapi"}
            )

    def test_url_alone_is_deprecated(self) -> None:
        with pytest.warns(DeprecationWarning, match="give a configuration"):
            client = CachedSchemaRegistryClient("http://registry:8081/")
        assert client.url == "http://registry:8081"

    @pytest.mark.parametrize(
        ("conf", "credentials"),
        [
            ({"url": "http://eve:secret@registry"}, ("eve", "secret")),
            (
                {"basic.auth.credentials.source": "user_info", "basic.auth.user.info": "eve:secret"},
                ("eve", "secret"),
            ),
            (
                {"basic.auth.credentials.source": "SASL_INHERIT", "sasl.mechanism": "PLAIN", "sasl.username": "eve",
                 "sasl.password": "a:b"},
                ("eve", "a:b"),
            ),
            ({"basic.auth.user.info": "eve:secret"}, None),
        ],
    )  # fmt: skip
    def test_credentials(self, conf: dict[str, Any], credentials: Any) -> None:
        given = {"url": "http://registry", **conf}
        before = dict(given)
        client = CachedSchemaRegistryClient(given)
        assert given == before
        assert client._client._rest_client.config.basic == credentials
        assert client.url == "http://registry"


class TestClient:
    def test_register_and_find(self, client: CachedSchemaRegistryClient) -> None:
        schema = avro.loads(ORDER)
        schema_id = client.register("orders-value", schema)
        assert client.register("orders-value", schema) == client.check_registration("orders-value", schema) == schema_id
        assert client.register("orders-value", ORDER) == schema_id
        assert client.get_by_id(schema_id) == schema
        assert client.get_latest_schema("orders-value") == (schema_id, schema, 1)
        assert client.get_by_version("orders-value", 1) == (schema_id, schema, 1)
        assert client.get_version("orders-value", schema) == 1
        assert client.delete_subject("orders-value") == [1]
        with pytest.raises(ClientError, match="not found") as raised:
            client.check_registration("orders-value", schema)
        assert raised.value.http_code == 404

    def test_what_there_is_not(self, client: CachedSchemaRegistryClient) -> None:
        schema = avro.loads(ORDER)
        assert client.get_by_id(99) is None
        assert client.get_latest_schema("nowhere") == client.get_by_version("nowhere", 7) == (None, None, None)
        assert client.get_version("nowhere", schema) is None

    def test_compatibility(self, client: CachedSchemaRegistryClient) -> None:
        assert client.update_compatibility("FULL", "orders-value") == "FULL"
        assert client.get_compatibility("orders-value") == "FULL"
        with pytest.raises(ClientError, match="Invalid level"):
            client.update_compatibility("SOME")

    def test_rules_are_not_ignored(self, client: CachedSchemaRegistryClient) -> None:
        rule = Rule(
            "hide", None, RuleKind.TRANSFORM, RuleMode.WRITEREAD, "ENCRYPT", ["PII"], None, None, None, None, False
        )
        contract = Schema(ORDER, rule_set=RuleSet(None, [rule]))
        schema_id = client._client.register_schema("orders-value", contract)
        with pytest.raises(ClientError, match="has rules"):
            client.get_by_id(schema_id)
        with pytest.raises(SerializerError, match="has rules"):
            MessageSerializer(client).decode_message(schema_id.to_bytes(5, "big") + AN_ORDER_BYTES)


class TestSerializer:
    def test_both_ways(self, client: CachedSchemaRegistryClient) -> None:
        serializer = MessageSerializer(client)
        schema = avro.loads(ORDER)
        data = serializer.encode_record_with_schema("orders", schema, AN_ORDER)
        schema_id = client.register("orders-value", schema)
        assert data == schema_id.to_bytes(5, "big") + AN_ORDER_BYTES
        assert serializer.encode_record_with_schema_id(schema_id, AN_ORDER) == data
        assert MessageSerializer(client).encode_record_with_schema_id(schema_id, AN_ORDER) == data
        assert serializer.decode_message(data) == serializer.decode_message(data, is_key=True) == AN_ORDER
        assert serializer.decode_message(None) is None
        key = serializer.encode_record_with_schema("orders", STRING, "k", is_key=True)
        assert serializer.decode_message(key, is_key=True) == "k"
        assert client.get_latest_schema("orders-key")[2] == 1

    def test_with_what_is_new(self, client: CachedSchemaRegistryClient) -> None:
        serializer, new = MessageSerializer(client), client._client
        written = AvroSerializer(new, ORDER)(AN_ORDER, context())
        assert serializer.decode_message(written) == AN_ORDER
        data = serializer.encode_record_with_schema("orders", ORDER, AN_ORDER)
        assert AvroDeserializer(new)(data, context()) == AN_ORDER

    def test_reader_schemas(self, client: CachedSchemaRegistryClient) -> None:
        wanted = avro.loads('{"type": "record", "name": "shop.Order", "fields": [{"name": "id", "type": "double"}]}')
        data = MessageSerializer(client).encode_record_with_schema("orders", ORDER, AN_ORDER)
        reader = MessageSerializer(client, reader_value_schema=wanted)
        assert repr(reader.decode_message(data)) == "{'id': 1.0}"
        assert reader.decode_message(data, is_key=True) == AN_ORDER

    def test_schemas_are_only_looked_up(self) -> None:
        client = CachedSchemaRegistryClient({"url": "mock://", "auto.register.schemas": False})
        with pytest.raises(ClientError, match="not found"):
            MessageSerializer(client).encode_record_with_schema("orders", ORDER, AN_ORDER)

    def test_what_cannot_be_read(self, client: CachedSchemaRegistryClient) -> None:
        serializer = MessageSerializer(client)
        data = serializer.encode_record_with_schema("orders", ORDER, AN_ORDER)
        for wrong, text in (
            (b"", "too small"), (b"\x00\x00", "too small"), (b"\x01" + data[1:], "magic byte"),
            (b"\x00\x00\x00\x00\x63abc", "unable to fetch schema with id 99"), (data[:-3], "cut off"),
        ):  # fmt: skip
            with pytest.raises(SerializerError, match=text):
                serializer.decode_message(wrong)

    def test_what_cannot_be_written(self, client: CachedSchemaRegistryClient) -> None:
        serializer = MessageSerializer(client)
        for wrong in ({}, {**AN_ORDER, "id": "x"}, 5):
            with pytest.raises((TypeError, ValueError)):
                serializer.encode_record_with_schema("orders", ORDER, wrong)
        with pytest.raises(ValueSerializerError, match="does not exist"):
            serializer.encode_record_with_schema_id(99, AN_ORDER)
        with pytest.raises(KeySerializerError, match="does not exist"):
            serializer.encode_record_with_schema_id(99, AN_ORDER, is_key=True)


def test_context_string_io() -> None:
    with ContextStringIO(b"abc") as file:
        assert file.read() == b"abc"
    assert file.closed


def test_schema_objects_of_others_are_taken_as_text(client: CachedSchemaRegistryClient) -> None:
    class Theirs:
        def __str__(self) -> str:
            return ORDER

    schema: Any = Theirs()
    data = MessageSerializer(client).encode_record_with_schema("orders", schema, AN_ORDER)
    assert MessageSerializer(client).decode_message(data) == AN_ORDER
    assert isinstance(client.get_by_id(int.from_bytes(data[:5], "big")), (Theirs, ParsedSchema))


def test_importing_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert avro.AvroProducer.__name__ == "AvroProducer"
