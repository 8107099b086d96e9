# SPDX-License-Identifier: Apache-2.0
"""AvroProducer and AvroConsumer on the embedded cluster and registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from confluent_kafka import TopicPartition
from confluent_kafka.avro import (
    AvroConsumer,
    AvroProducer,
    CachedSchemaRegistryClient,
    ClientError,
    KeySerializerError,
    SerializerError,
    ValueSerializerError,
    loads,
)
from confluent_kafka.testing import MockCluster, SchemaRegistryServer
from tests.mock.kit import DEADLINE, settings, unique_name
from tests.unit.avro_kit import AN_ORDER, ORDER, STRING

USER = ("eve", "secret")


@pytest.fixture(scope="module")
def cluster() -> Iterator[MockCluster]:
    with MockCluster(brokers=1) as running:
        yield running


@pytest.fixture(scope="module")
def registry() -> Iterator[SchemaRegistryServer]:
    with SchemaRegistryServer(basic_auth=USER) as running:
        yield running


def registry_settings(registry: SchemaRegistryServer) -> dict[str, Any]:
    return {
        "schema.registry.url": registry.url,
        "schema.registry.basic.auth.credentials.source": "USER_INFO",
        "schema.registry.basic.auth.user.info": ":".join(USER),
    }


def consumer_of(cluster: MockCluster, registry: SchemaRegistryServer, topic: str, **options: Any) -> AvroConsumer:
    conf = settings(cluster, group_id=unique_name("group"), auto_offset_reset="earliest", enable_auto_commit=False)
    with pytest.warns(DeprecationWarning, match="DeserializingConsumer"):
        made = AvroConsumer({**conf, **registry_settings(registry)}, **options)
    made.assign([TopicPartition(topic, 0, 0)])
    return made


def test_round_trip(cluster: MockCluster, registry: SchemaRegistryServer) -> None:
    topic = unique_name("legacy")
    conf = {**settings(cluster), **registry_settings(registry)}
    before = dict(conf)
    reports: list[Any] = []
    with pytest.warns(DeprecationWarning, match="SerializingProducer"):
        producer = AvroProducer(conf, default_value_schema=loads(ORDER))
    assert conf == before
    with producer:
        producer.produce(topic=topic, value=AN_ORDER, key="k", key_schema=loads(STRING), partition=0,
                         callback=lambda error, message: reports.append((error, message.topic())))  # fmt: skip
        producer.produce(topic=topic, partition=0, headers=[("h", b"x")])
        with pytest.raises(ClientError, match="Topic name"):
            producer.produce(value=AN_ORDER)
        with pytest.raises(KeySerializerError, match="schema required"):
            producer.produce(topic=topic, key="k")
        with pytest.raises(ValueSerializerError, match="schema required"):
            producer.produce(topic=topic, value=AN_ORDER, value_schema=None)
        with pytest.raises((TypeError, ValueError)):
            producer.produce(topic=topic, value={"id": "x"})
        assert producer.flush(DEADLINE) == 0
    assert reports == [(None, topic)]
    with consumer_of(cluster, registry, topic) as consumer:
        first, second = consumer.poll(DEADLINE), consumer.poll()
        assert first is not None
        assert second is not None
        assert (first.key(), first.value()) == ("k", AN_ORDER)
        assert (second.key(), second.value(), second.headers()) == (None, None, [("h", b"x")])
        assert consumer.poll(0) is None


def test_reader_schema_and_own_client(cluster: MockCluster, registry: SchemaRegistryServer) -> None:
    topic = unique_name("legacy")
    own = CachedSchemaRegistryClient({"url": registry.url.replace("//", f"//{':'.join(USER)}@")})
    with (
        pytest.warns(DeprecationWarning, match="AvroProducer"),
        AvroProducer(settings(cluster), schema_registry=own) as producer,
    ):
        producer.produce(topic=topic, value=AN_ORDER, value_schema=ORDER, partition=0)
    wanted = '{"type": "record", "name": "shop.Order", "fields": [{"name": "customer", "type": "string"}]}'
    with consumer_of(cluster, registry, topic, reader_value_schema=loads(wanted)) as consumer:
        message = consumer.poll(DEADLINE)
        assert message is not None
        assert message.value() == {"customer": "eve"}
    with (
        pytest.raises(ValueError, match="Cannot pass schema_registry"),
        pytest.warns(DeprecationWarning, match="AvroProducer"),
    ):
        AvroProducer({**settings(cluster), **registry_settings(registry)}, schema_registry=own)


def test_what_cannot_be_read_says_which_message(cluster: MockCluster, registry: SchemaRegistryServer) -> None:
    topic = unique_name("legacy")
    with pytest.warns(DeprecationWarning, match="AvroProducer"):
        producer = AvroProducer({**settings(cluster), **registry_settings(registry)})
    with producer:
        super(AvroProducer, producer).produce(topic, b"no Avro", partition=0)
    with consumer_of(cluster, registry, topic) as consumer:
        with pytest.raises(SerializerError, match=rf"message at {topic} \[0\] offset 0: .*magic byte"):
            consumer.poll(DEADLINE)


def test_registry_that_refuses_or_is_not_there(registry: SchemaRegistryServer) -> None:
    with pytest.raises(ClientError, match="Unauthorized") as raised:
        CachedSchemaRegistryClient({"url": registry.url}).register("s", loads(STRING))
    assert raised.value.http_code == 401
    client = CachedSchemaRegistryClient({"url": registry.url.replace("//", f"//{':'.join(USER)}@")})
    client.register("evolving", loads('"int"'))
    with pytest.raises(ClientError, match="Incompatible"):
        client.register("evolving", loads(STRING))
    assert client.test_compatibility("evolving", loads(STRING)) is False
    assert client.test_compatibility("evolving", loads('"long"')) is True
    assert client.get_compatibility() == "BACKWARD"
    with SchemaRegistryServer() as gone:
        away = CachedSchemaRegistryClient({"url": gone.url})
    with pytest.raises(ClientError, match="Unable to"):
        away.register("s", loads(STRING))
