# SPDX-License-Identifier: Apache-2.0
"""Objects through a real broker, with schemas in a registry over HTTP: all formats, synchronous and asyncio clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from confluent_kafka import DeserializingConsumer, SerializingProducer
from confluent_kafka.aio import AsyncDeserializingConsumer, AsyncSerializingProducer
from confluent_kafka.error import ValueSerializationError
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry import avro as avro_format
from confluent_kafka.schema_registry import json_schema as json_format
from confluent_kafka.schema_registry import protobuf as protobuf_format
from confluent_kafka.schema_registry.error import SchemaMismatchError
from confluent_kafka.serialization import StringDeserializer, StringSerializer
from confluent_kafka.testing import SchemaRegistryServer
from tests.integration.kit import DEADLINE, MakeTopic, unique_name
from tests.support.apicurio import FETCH_DEADLINE_S, ApicurioRegistry
from tests.support.broker import KafkaBroker

AVRO = json.dumps(
    {
        "type": "record",
        "name": "Order",
        "fields": [{"name": "id", "type": "long"}, {"name": "tags", "type": {"type": "array", "items": "string"}}],
    }
)
JSON = json.dumps({"title": "Order", "type": "object", "properties": {"id": {"type": "integer"}}})
PROTO = 'syntax = "proto3"; package shop; message Order { int64 id = 1; repeated string tags = 2; }'
ORDERS = [{"id": number, "tags": [f"t{number}"] * (number % 3 + 1)} for number in range(1, 301)]
FORMATS = ["avro", "json", "protobuf"]


@pytest.fixture(scope="module")
def registry() -> Iterator[SchemaRegistryServer]:
    with SchemaRegistryServer() as running:
        yield running


def serdes(name: str, url: str, *, waiting: bool = False, conf: dict[str, Any] | None = None) -> tuple[Any, Any]:
    """Builders of a serializer and a deserializer, each with a registry client of its own."""
    module: Any = {"avro": avro_format, "json": json_format, "protobuf": protobuf_format}[name]
    kind = {"avro": "Avro", "json": "JSON", "protobuf": "Protobuf"}[name]
    prefix = "Async" if waiting else ""
    writer = getattr(module, f"{prefix}{kind}SerializerBuilder")().set_schema_registry_config({"url": url})
    reader = getattr(module, f"{prefix}{kind}DeserializerBuilder")().set_schema_registry_config({"url": url})
    if name == "protobuf":
        writer.set_message_type(Schema(PROTO, "PROTOBUF"))
        reader.set_message_type(Schema(PROTO, "PROTOBUF"))
    else:
        writer.set_schema(AVRO if name == "avro" else JSON)
    return writer.set_serializer_config(conf or {}), reader


def plain(value: Any) -> Any:
    return value if isinstance(value, dict) else {"id": value.id, "tags": list(value.tags)}


@pytest.mark.parametrize("framing", ["prefix", "header"])
@pytest.mark.parametrize("name", FORMATS)
def test_synchronous_clients(
    broker: KafkaBroker, make_topic: MakeTopic, registry: SchemaRegistryServer, name: str, framing: str
) -> None:
    topic, server = make_topic(3), {"bootstrap.servers": broker.bootstrap}
    conf = {} if framing == "prefix" else {"schema.id.serializer": header_schema_id_serializer}
    writer, reader = serdes(name, registry.url, conf=conf)
    settings = {**server, "key.serializer": StringSerializer(), "value.serializer.builder": writer}
    producer: SerializingProducer[str, Any] = SerializingProducer(settings)
    with producer:
        for order in ORDERS:
            producer.produce(topic, key=str(order["id"]), value=order)
        with pytest.raises(ValueSerializationError) as raised:
            producer.produce(topic, key="bad", value={"id": "secret", "tags": []})
        assert isinstance(raised.value.exception, SchemaMismatchError)
        assert "secret" not in str(raised.value)
        assert producer.flush(DEADLINE) == 0
    group = {"group.id": unique_name("group"), "auto.offset.reset": "earliest"}
    settings = {**server, **group, "key.deserializer": StringDeserializer(), "value.deserializer.builder": reader}
    found: dict[str, Any] = {}
    consumer: DeserializingConsumer[str, Any] = DeserializingConsumer(settings)
    with consumer:
        consumer.subscribe([topic])
        for batch in consumer.batches(100, DEADLINE):
            found.update({str(message.key()): plain(message.value()) for message in batch})
            if len(found) == len(ORDERS):
                break
    assert found == {str(order["id"]): order for order in ORDERS}
    with SchemaRegistryClient({"url": registry.url}) as client:
        assert client.get_versions(f"{topic}-value") == [1]


@pytest.mark.parametrize("name", FORMATS)
def test_asyncio_clients(broker: KafkaBroker, make_topic: MakeTopic, registry: SchemaRegistryServer, name: str) -> None:
    topic, server = make_topic(3), {"bootstrap.servers": broker.bootstrap}

    async def main() -> dict[int, Any]:
        writer, reader = serdes(name, registry.url, waiting=True)
        producer: AsyncSerializingProducer[None, Any]
        producer = AsyncSerializingProducer({**server, "value.serializer.builder": writer})
        async with producer:
            await asyncio.gather(*[producer.send(topic, order) for order in ORDERS])
        group = {"group.id": unique_name("group"), "auto.offset.reset": "earliest"}
        found: dict[int, Any] = {}
        consumer: AsyncDeserializingConsumer[None, Any]
        consumer = AsyncDeserializingConsumer({**server, **group, "value.deserializer.builder": reader})
        async with consumer:
            await consumer.subscribe([topic])
            async for batch in consumer.batches(100, DEADLINE):
                found.update({plain(message.value())["id"]: plain(message.value()) for message in batch})
                if len(found) == len(ORDERS):
                    break
        return found

    assert asyncio.run(main()) == {order["id"]: order for order in ORDERS}


# the first test on a machine waits for the download
@pytest.mark.timeout(FETCH_DEADLINE_S)
@pytest.mark.parametrize("name", FORMATS)
def test_a_real_registry(broker: KafkaBroker, make_topic: MakeTopic, apicurio: ApicurioRegistry, name: str) -> None:
    topic = make_topic(1)
    writer, reader = serdes(name, apicurio.url)
    settings: dict[str, Any] = {"bootstrap.servers": broker.bootstrap, "value.serializer.builder": writer}
    producer: SerializingProducer[None, Any] = SerializingProducer(settings)
    with producer:
        for order in ORDERS:
            producer.produce(topic, value=order)
        assert producer.flush(DEADLINE) == 0
    group = {"group.id": unique_name("group"), "auto.offset.reset": "earliest"}
    settings = {"bootstrap.servers": broker.bootstrap, **group, "value.deserializer.builder": reader}
    found: list[Any] = []
    consumer: DeserializingConsumer[None, Any] = DeserializingConsumer(settings)
    with consumer:
        consumer.subscribe([topic])
        for batch in consumer.batches(100, DEADLINE):
            found += [plain(message.value()) for message in batch]
            if len(found) == len(ORDERS):
                break
    assert found == ORDERS
