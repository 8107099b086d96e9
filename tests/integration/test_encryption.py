# SPDX-License-Identifier: Apache-2.0
"""Encrypted fields through a real broker with keys in a real KMS API (moto); a registry that drops rules is refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from confluent_kafka import DeserializingConsumer, SerializingProducer, TopicPartition
from confluent_kafka.aio import AsyncDeserializingConsumer, AsyncSerializingProducer
from confluent_kafka.error import ValueSerializationError
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AvroDeserializer,
    AvroSerializer,
)
from confluent_kafka.schema_registry.error import RulesNotEnforcedError
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.awskms.aws_driver import AwsKmsDriver
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import (
    EncryptionExecutor,
    FieldEncryptionExecutor,
)
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import (
    register_kms_driver,
    reset_kms_drivers,
)
from confluent_kafka.schema_registry.schema_registry_client import AsyncSchemaRegistryClient
from confluent_kafka.testing import SchemaRegistryServer
from tests.integration.kit import DEADLINE, MakeConsumer, MakeTopic, read, unique_name
from tests.support.apicurio import FETCH_DEADLINE_S, ApicurioRegistry
from tests.support.broker import KafkaBroker
from tests.unit.rules_kit import rule, schema_with

CREDENTIALS = {"access.key.id": "x", "secret.access.key": "y"}
ORDERS = [
    {
        "id": number,
        "card": f"4111-hidden-{number}",
        "note": f"hidden note {number}",
        "photo": b"hidden photo",
        "emails": [f"hidden{number}@example.com"],
        "phones": {"home": f"hidden {number}"},
        "address": {"street": f"{number} Hidden Street", "city": "Openville", "other": None},
    }
    for number in range(100)
]


@pytest.fixture(scope="module")
def registry() -> Iterator[SchemaRegistryServer]:
    with SchemaRegistryServer() as running:
        yield running


@pytest.fixture
def key() -> Iterator[str]:
    """A key in a KMS with AWS's API, and the driver for it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    options: dict[str, Any] = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
    kms = boto3.client("kms", region_name="eu-west-1", endpoint_url=url, **options)
    reset_kms_drivers()
    register_kms_driver(AwsKmsDriver(endpoint_url=url))
    yield kms.create_key()["KeyMetadata"]["Arn"]
    reset_kms_drivers()
    server.stop()


def rules() -> RuleRegistry:
    made = RuleRegistry()
    made.register_executor(FieldEncryptionExecutor())
    made.register_executor(EncryptionExecutor())
    return made


def contract(key: str, *, payload: bool = False) -> Any:
    params = {"encrypt.kek.name": unique_name("kek"), "encrypt.kms.type": "aws-kms", "encrypt.kms.key.id": key}
    if payload:
        return schema_with(encoding=[rule("ENCRYPT_PAYLOAD", params=params)])
    return schema_with([rule(tags=["PII"], params=params)])


def assert_ciphertext(make_consumer: MakeConsumer, topic: str, *, payload: bool) -> None:
    """Read the raw topic and search for what must not be there."""
    consumer = make_consumer()
    consumer.subscribe([topic])
    values = [message.value() for message in read(consumer, len(ORDERS))]
    for value in values:
        assert value is not None
        assert b"idden" not in value
        assert b"4111" not in value
        assert (b"Openville" in value) is not payload


@pytest.mark.timeout(180)
@pytest.mark.parametrize("payload", [False, True])
def test_all_stages_with_our_registry_since_no_other_has_rules_and_keys(
    broker: KafkaBroker,
    make_topic: MakeTopic,
    make_consumer: MakeConsumer,
    registry: SchemaRegistryServer,
    key: str,
    payload: bool,
) -> None:
    topic, server = make_topic(3), {"bootstrap.servers": broker.bootstrap}
    group = {"group.id": unique_name("group"), "auto.offset.reset": "earliest"}
    with SchemaRegistryClient({"url": registry.url}) as client:
        options: dict[str, Any] = {"rule_conf": CREDENTIALS}
        write = AvroSerializer(client, contract(key, payload=payload), rule_registry=rules(), **options)
        producer: SerializingProducer[Any, Any] = SerializingProducer({**server, "value.serializer": write})
        with producer:
            for order in ORDERS:
                producer.produce(topic, value=order)
            assert producer.flush(DEADLINE) == 0
        assert_ciphertext(make_consumer, topic, payload=payload)
        undo = AvroDeserializer(client, rule_registry=rules(), **options)
        consumer: DeserializingConsumer[Any, Any] = DeserializingConsumer(
            {**server, **group, "value.deserializer": undo}
        )
        found: list[Any] = []
        with consumer:
            consumer.subscribe([topic])
            deadline = time.monotonic() + DEADLINE
            while len(found) < len(ORDERS) and time.monotonic() < deadline:
                message = consumer.poll(1)
                if message is not None:
                    found.append(message.value())
        write.close()
        undo.close()
    assert sorted(found, key=lambda order: order["id"]) == ORDERS


@pytest.mark.timeout(180)
def test_all_stages_on_an_event_loop(
    broker: KafkaBroker, make_topic: MakeTopic, make_consumer: MakeConsumer, registry: SchemaRegistryServer, key: str
) -> None:
    topic, server = make_topic(3), {"bootstrap.servers": broker.bootstrap}
    group = {"group.id": unique_name("group"), "auto.offset.reset": "earliest"}

    async def main() -> list[Any]:
        options: dict[str, Any] = {"rule_conf": CREDENTIALS}
        async with AsyncSchemaRegistryClient({"url": registry.url}) as client:
            write = AsyncAvroSerializer(client, contract(key), rule_registry=rules(), **options)
            producer: Any = AsyncSerializingProducer({**server, "value.serializer": write})
            async with producer:
                futures = [await producer.produce(topic, value=order) for order in ORDERS]
                await asyncio.gather(*futures)
            undo = AsyncAvroDeserializer(client, rule_registry=rules(), **options)
            consumer: Any = AsyncDeserializingConsumer({**server, **group, "value.deserializer": undo})
            found: list[Any] = []
            async with consumer:
                await consumer.subscribe([topic])
                deadline = time.monotonic() + DEADLINE
                while len(found) < len(ORDERS) and time.monotonic() < deadline:
                    message = await consumer.poll(1)
                    if message is not None:
                        found.append(message.value())
            await write.aclose()
            await undo.aclose()
        return found

    found = asyncio.run(main())
    assert sorted(found, key=lambda order: order["id"]) == ORDERS
    assert_ciphertext(make_consumer, topic, payload=False)


@pytest.mark.timeout(FETCH_DEADLINE_S)
def test_a_registry_that_drops_rules_gets_nothing_written(
    broker: KafkaBroker, make_topic: MakeTopic, make_consumer: MakeConsumer, apicurio: ApicurioRegistry, key: str
) -> None:
    topic = make_topic()
    with SchemaRegistryClient({"url": apicurio.url, "timeout": 60}) as client:
        for schema, missing in (
            (contract(key), r"domain rule rule \(ENCRYPT\)"),
            (contract(key, payload=True), r"encoding rule rule \(ENCRYPT_PAYLOAD\)"),
            (schema_with(tags={"shop.Order.card": ["PII"]}), r"tags of shop\.Order\.card"),
        ):
            write = AvroSerializer(client, schema, rule_conf=CREDENTIALS, rule_registry=rules())
            producer: SerializingProducer[Any, Any] = SerializingProducer(
                {"bootstrap.servers": broker.bootstrap, "value.serializer": write}
            )
            with producer:
                for _ in range(2):
                    with pytest.raises(ValueSerializationError, match=missing) as raised:
                        producer.produce(topic, value=ORDERS[0])
                refusal = raised.value.exception
                assert isinstance(refusal, RulesNotEnforcedError)
                assert apicurio.url in str(refusal)
                assert f"{topic}-value" in str(refusal)
            write.close()
    consumer = make_consumer()
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=DEADLINE)
    assert (low, high) == (0, 0)
