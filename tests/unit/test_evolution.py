# SPDX-License-Identifier: Apache-2.0
"""Chains of schema versions: each version's messages, read with each version, and as the latest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaMismatchError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from tests.unit.avro_kit import context


def record(*fields: dict[str, Any], **more: Any) -> str:
    return json.dumps({"type": "record", "name": "Order", "fields": list(fields), **more})


def enum(*symbols: str, **more: Any) -> dict[str, Any]:
    return {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": list(symbols), **more}}


# each version: the schema, what is written with it, what that is in the last version
AVRO_CHAIN = [
    (
        record({"name": "id", "type": "int"}, {"name": "amount", "type": "float"}, enum("A", "B")),
        {"id": 1, "amount": 0.5, "kind": "B"},
        {"number": 1, "amount": 0.5, "kind": "B", "note": "none", "lines": []},
    ),
    (  # promotions, a field with a default
        record(
            {"name": "id", "type": "long"},
            {"name": "amount", "type": "double"},
            enum("A", "B"),
            {"name": "note", "type": "string", "default": "none"},
        ),
        {"id": 2**40, "amount": 0.25, "kind": "A", "note": "x"},
        {"number": 2**40, "amount": 0.25, "kind": "A", "note": "x", "lines": []},
    ),
    (  # reordered, one gone, one that may be null, an array
        record(
            enum("A", "B", "C", default="A"),
            {"name": "note", "type": ["null", "string"], "default": None},
            {"name": "id", "type": "long"},
            {"name": "gone", "type": "bytes", "default": ""},
            {"name": "amount", "type": "double"},
            {"name": "lines", "type": {"type": "array", "items": "int"}, "default": []},
        ),
        {"kind": "C", "note": "y", "id": 3, "gone": b"x", "amount": 1.0, "lines": [1, 2]},
        {"number": 3, "amount": 1.0, "kind": "A", "note": "y", "lines": [1.0, 2.0]},
    ),
    (  # renamed by an alias, symbols fewer with a default, items promoted
        record(
            {"name": "number", "aliases": ["id"], "type": "long"},
            {"name": "amount", "type": "double"},
            enum("A", "B", default="A"),
            {"name": "note", "type": ["string", "null"], "default": "none"},
            {"name": "lines", "type": {"type": "array", "items": "double"}, "default": []},
        ),
        {"number": 4, "amount": 2.0, "kind": "B", "note": None, "lines": [0.5]},
        {"number": 4, "amount": 2.0, "kind": "B", "note": None, "lines": [0.5]},
    ),
]


@pytest.fixture
def client() -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": "mock://"})


def test_avro_as_the_latest(client: SchemaRegistryClient) -> None:
    data = [AvroSerializer(client, schema)(value, context()) for schema, value, _ in AVRO_CHAIN]
    expected = [latest for _, _, latest in AVRO_CHAIN]
    for deserializer in (
        AvroDeserializer(client, conf={"use.latest.version": True}),
        AvroDeserializer(client, AVRO_CHAIN[-1][0]),
    ):
        assert [deserializer(one, context()) for one in data] == expected
        assert deserializer.deserialize_many(data, context()) == expected
    assert AvroDeserializer(client).deserialize_many(data, context()) == [value for _, value, _ in AVRO_CHAIN]


@pytest.mark.parametrize("reader", range(len(AVRO_CHAIN)))
def test_avro_each_with_each(client: SchemaRegistryClient, reader: int) -> None:
    """Every older version is read, in whatever order the messages come."""
    writers = [AvroSerializer(client, schema) for schema, _, _ in AVRO_CHAIN[: reader + 1]]
    deserializer = AvroDeserializer(client, AVRO_CHAIN[reader][0])
    names = {field["name"] for field in json.loads(AVRO_CHAIN[reader][0])["fields"]}
    for _ in range(2):
        for number in (*range(reader + 1), *reversed(range(reader + 1))):
            data = writers[number](AVRO_CHAIN[number][1], context())
            assert deserializer(data, context()).keys() == names


def test_the_latest_changes_under_a_running_deserializer(client: SchemaRegistryClient) -> None:
    schema, value, _ = AVRO_CHAIN[0]
    data = AvroSerializer(client, schema)(value, context())
    deserializer = AvroDeserializer(client, conf={"use.latest.version": True})
    assert deserializer(data, context()) == value
    for newer, _, _ in AVRO_CHAIN[1:]:
        client.register_schema("orders-value", Schema(newer))
        client.clear_latest_caches()
    assert deserializer(data, context()) == AVRO_CHAIN[0][2]


def test_json_readers_check_what_older_writers_wrote(client: SchemaRegistryClient) -> None:
    versions = [
        {"properties": {"id": {"type": "integer"}}, "required": ["id"]},
        {"properties": {"id": {"type": "number"}, "note": {"type": "string"}}, "required": ["id"]},
        {"properties": {"id": {"type": "number"}, "note": {"type": ["string", "null"]}}, "required": ["id", "note"]},
    ]
    values: list[dict[str, Any]] = [{"id": 1}, {"id": 1.5, "note": "x"}, {"id": 2, "note": None}]
    pairs = zip(versions, values, strict=True)
    data = [JSONSerializer(json.dumps(schema), client)(value, context()) for schema, value in pairs]
    assert JSONDeserializer(None, schema_registry_client=client).deserialize_many(data, context()) == values
    latest = JSONDeserializer(None, schema_registry_client=client, conf={"use.latest.version": True})
    with pytest.raises(SchemaMismatchError, match='the required property "note" is missing'):
        latest(data[0], context())
    assert [latest(one, context()) for one in data[1:]] == values[1:]
    first = JSONDeserializer(json.dumps(versions[0]), schema_registry_client=client)
    with pytest.raises(SchemaMismatchError, match='field "id": expected integer, got float'):
        first(data[1], context())


def test_a_version_that_is_gone(client: SchemaRegistryClient) -> None:
    schema, value, _ = AVRO_CHAIN[0]
    data = AvroSerializer(client, schema)(value, context())
    client.delete_subject("orders-value")
    # deleted for the time being: what was written is still read
    assert AvroDeserializer(client)(data, context()) == value
    client.delete_subject("orders-value", permanent=True)
    client.clear_caches()
    with pytest.raises(SchemaRegistryError):
        AvroDeserializer(client)(data, context())
