# SPDX-License-Identifier: Apache-2.0
"""The cluster as its clients describe it, checked against the broker itself."""

from __future__ import annotations

import pytest

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from tests.integration.kit import DEADLINE, UNREACHABLE, MakeProducer, MakeTopic, eventually, unique_name
from tests.support.broker import CLUSTER_ID, KafkaBroker


@pytest.mark.parametrize("kind", ["producer", "consumer"])
def test_list_topics(
    broker: KafkaBroker, make_topic: MakeTopic, producer: Producer, consumer: Consumer, kind: str
) -> None:
    client: Producer | Consumer = producer if kind == "producer" else consumer
    topic, other = make_topic(3), make_topic()
    everything = client.list_topics(timeout=DEADLINE)
    assert {topic, other} <= set(everything.topics)
    only = client.list_topics(topic, DEADLINE)
    assert list(only.topics) == [topic]
    assert only.cluster_id == CLUSTER_ID
    assert only.controller_id == 1
    assert only.orig_broker_id == 1
    (node,) = only.brokers.values()
    assert (node.id, f"{node.host}:{node.port}") == (1, broker.bootstrap)
    described = only.topics[topic]
    assert (described.topic, described.error) == (topic, None)
    assert sorted(described.partitions) == [0, 1, 2]
    for index, partition in described.partitions.items():
        assert (partition.id, partition.leader, partition.error) == (index, 1, None)
        assert (partition.replicas, partition.isrs) == ([1], [1])
    assert str(described) == topic
    assert len(described) == 3 if hasattr(type(described), "__len__") else True


def test_new_partitions_are_seen(broker: KafkaBroker, make_topic: MakeTopic, producer: Producer) -> None:
    topic = make_topic(1)
    assert len(producer.list_topics(topic, DEADLINE).topics[topic].partitions) == 1
    broker.create_partitions(topic, 4)
    eventually(lambda: len(producer.list_topics(topic, DEADLINE).topics[topic].partitions) == 4, "four partitions")


def test_a_topic_that_does_not_exist(consumer: Consumer) -> None:
    name = unique_name("missing")
    described = consumer.list_topics(name, DEADLINE).topics[name]
    assert described.partitions == {}
    assert described.error is not None
    assert described.error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.LEADER_NOT_AVAILABLE)


@pytest.mark.parametrize("kind", ["producer", "consumer"])
def test_cluster_id(producer: Producer, consumer: Consumer, kind: str) -> None:
    client: Producer | Consumer = producer if kind == "producer" else consumer
    assert client.cluster_id(timeout=DEADLINE) == CLUSTER_ID
    assert client.cluster_id(DEADLINE) == CLUSTER_ID
    assert client.cluster_id() == CLUSTER_ID


def test_an_unreachable_cluster(make_producer: MakeProducer) -> None:
    producer = make_producer({"bootstrap.servers": UNREACHABLE, "log_level": 0})
    with pytest.raises(KafkaException, match="Failed to get metadata") as caught:
        producer.list_topics(timeout=0.3)
    assert caught.value.args[0].code() in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT)
    with pytest.raises(KafkaException, match="Failed to retrieve cluster id"):
        producer.cluster_id(timeout=0.3)
