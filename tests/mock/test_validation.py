# SPDX-License-Identifier: Apache-2.0
"""A message that does not pass the checks in its schema's text is not produced."""

from __future__ import annotations

import json
from typing import Any

import pytest

from confluent_kafka import Consumer, SerializingProducer, TopicPartition
from confluent_kafka.aio import AsyncSerializingProducer
from confluent_kafka.error import SerializationError, ValueSerializationError
from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import (
    AsyncAvroSerializer,
    AsyncAvroSerializerBuilder,
    AvroSerializer,
    AvroSerializerBuilder,
)
from confluent_kafka.testing import MockCluster
from tests.mock.async_serde_kit import run
from tests.mock.kit import DEADLINE, settings, unique_name

FIELD = {"name": "price", "type": "int", "confluent:rules": [{"name": "positive", "expr": "this > 0"}]}
SCHEMA = json.dumps({"type": "record", "name": "Order", "fields": [FIELD]})
CONF: dict[str, Any] = {"validation.rules.execution": "BEFORE_DOMAIN_RULES"}
REFUSAL = "Validation rule failed (1 violation):\n  - price: positive: this > 0"


def check(cluster: MockCluster, topic: str, refusals: list[SerializationError]) -> None:
    """Two were refused, and only what came before and after them is there."""
    assert [str(refusal.__cause__) for refusal in refusals] == [REFUSAL, REFUSAL]
    with Consumer(settings(cluster, group_id=unique_name("group"), auto_offset_reset="earliest")) as consumer:
        consumer.subscribe([topic])
        found: list[Any] = consumer.consume(2, DEADLINE)
        assert [(message.offset(), message.value()[5:]) for message in found] == [(0, b"\x02"), (1, b"\x04")]
        assert consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=DEADLINE) == (0, 2)


@pytest.mark.parametrize("by_builder", [False, True])
def test_sync(cluster: MockCluster, topic: str, by_builder: bool) -> None:
    registry = SchemaRegistryClient({"url": "mock://"})
    serializer: Any = AvroSerializer(registry, SCHEMA, conf=CONF)
    if by_builder:
        serializer = AvroSerializerBuilder(schema_registry_client=registry, schema=SCHEMA, serializer_config=CONF)
    name = "value.serializer.builder" if by_builder else "value.serializer"
    refusals: list[SerializationError] = []
    sender: SerializingProducer[Any, Any] = SerializingProducer(settings(cluster) | {name: serializer})
    with sender as producer:
        producer.produce(topic, value={"price": 1})
        for call in (producer.produce, producer.send):
            with pytest.raises(ValueSerializationError) as caught:
                call(topic, value={"price": 0})
            refusals.append(caught.value)
        producer.produce(topic, value={"price": 2})
        assert producer.flush(DEADLINE) == 0
    check(cluster, topic, refusals)


@pytest.mark.parametrize("by_builder", [False, True])
def test_asyncio(cluster: MockCluster, topic: str, by_builder: bool) -> None:
    refusals: list[SerializationError] = []

    async def main() -> None:
        registry = AsyncSchemaRegistryClient({"url": "mock://"})
        serializer: Any = AsyncAvroSerializer(registry, SCHEMA, conf=CONF)
        if by_builder:
            serializer = AsyncAvroSerializerBuilder(
                schema_registry_client=registry, schema=SCHEMA, serializer_config=CONF
            )
        name = "value.serializer.builder" if by_builder else "value.serializer"
        sender: AsyncSerializingProducer[Any, Any] = AsyncSerializingProducer(settings(cluster) | {name: serializer})
        async with sender as producer:
            await producer.send(topic, value={"price": 1})
            for call in (producer.produce, producer.send):
                with pytest.raises(ValueSerializationError) as caught:
                    await call(topic, value={"price": 0})
                refusals.append(caught.value)
            await producer.send(topic, value={"price": 2})

    run(main)
    check(cluster, topic, refusals)
