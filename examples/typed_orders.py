# SPDX-License-Identifier: Apache-2.0
"""Dataclasses through Kafka as Avro: the schema is made from the class, registered, and checked for every message.

The registry is that of SCHEMA_REGISTRY_URL. To try it without one: `ferrokafka registry`.
"""

from __future__ import annotations

import os
import sys
import uuid
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated

from confluent_kafka import DeserializingConsumer, SerializingProducer, config_from_env
from confluent_kafka.error import ValueSerializationError
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer

TOPIC = sys.argv[1] if len(sys.argv) > 1 else "example-typed-orders"


@dataclass
class Line:
    article: str
    price: Annotated[Decimal, {"precision": 9, "scale": 2}]


@dataclass
class Order:
    id: int
    day: date
    lines: list[Line] = field(default_factory=list)
    note: str | None = None


def main() -> None:
    registry = SchemaRegistryClient({"url": os.environ.get("SCHEMA_REGISTRY_URL", "http://localhost:8081")})
    server = {"bootstrap.servers": "localhost:9092", **config_from_env()}

    producer: SerializingProducer[None, Order] = SerializingProducer(
        {**server, "value.serializer": AvroSerializer(registry, model=Order)}
    )
    with producer:
        for number in range(10):
            lines = [Line("pen", Decimal("1.50")), Line("paper", Decimal(number))]
            producer.produce(TOPIC, value=Order(number, date(2026, 1, number + 1), lines))
        try:
            producer.produce(TOPIC, value=Order(10, date(2026, 1, 11), [Line("ink", "free")]))  # type: ignore[arg-type]
        except ValueSerializationError as error:
            print(f"not sent: {error.exception}")
        producer.flush()

    group = {"group.id": f"example-{uuid.uuid4()}", "auto.offset.reset": "earliest"}
    consumer: DeserializingConsumer[None, Order] = DeserializingConsumer(
        {**server, **group, "value.deserializer": AvroDeserializer(registry, model=Order)}
    )
    total, seen = Decimal(0), 0
    with consumer:
        consumer.subscribe([TOPIC])
        for batch in consumer.batches(100, timeout=30):
            for message in batch:
                order = message.value()
                total += sum(line.price for line in order.lines)
                seen += 1
            if seen >= 10:
                break
    print(f"{seen} orders, {total} in all")


if __name__ == "__main__":
    main()
