# SPDX-License-Identifier: Apache-2.0
"""Both admin clients on cluster brokers: leaders, replicas out of sync, brokers that end during a call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from confluent_kafka import ElectionType, KafkaError, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
    TopicDescription,
)
from confluent_kafka.aio import AIOAdminClient
from tests.integration.kit import DEADLINE, eventually, unique_name
from tests.support.cluster import KafkaCluster

# What a call may end with whose broker went away: nothing else, and never nothing.
LOST_BROKER = {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError.REQUEST_TIMED_OUT}


@pytest.fixture
def admin(cluster: KafkaCluster) -> Iterator[AdminClient]:
    with AdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 0}) as client:
        yield client


def new_topic(cluster: KafkaCluster, admin: AdminClient, replicas: list[list[int]], **config: str) -> str:
    """A topic with these brokers for its partitions, led by the first of them; returns its name."""
    name = unique_name("topic")
    properties = {key.replace("_", "."): value for key, value in config.items()}
    new = NewTopic(name, len(replicas), replica_assignment=replicas, config=properties)
    assert admin.create_topics([new])[name].result(DEADLINE) is None
    for number, brokers in enumerate(replicas):
        cluster.wait_for(name, number, leader=brokers[0], isr=brokers)
    return name


def describe(admin: AdminClient, topic: str) -> TopicDescription:
    return admin.describe_topics(TopicCollection([topic]))[topic].result(DEADLINE)


def brokers_of(topic: TopicDescription, number: int = 0) -> tuple[int | None, list[int], list[int]]:
    """Leader, replicas and replicas in sync of a partition."""
    partition = topic.partitions[number]
    leader = partition.leader.id if partition.leader is not None else None
    return leader, [node.id for node in partition.replicas], sorted(node.id for node in partition.isr)


def reassign(cluster: KafkaCluster, topic: str, replicas: list[list[int]], plan: Path) -> None:
    """Give the partitions other brokers by Kafka's own tool, and wait until that is done."""
    moves = [{"topic": topic, "partition": number, "replicas": brokers} for number, brokers in enumerate(replicas)]
    plan.write_text(json.dumps({"version": 1, "partitions": moves}))
    cluster.tool("reassign.ReassignPartitionsCommand", "--reassignment-json-file", str(plan), "--execute")
    for number, brokers in enumerate(replicas):
        cluster.wait_for(topic, number, replicas=brokers, isr=brokers)


def end_of(admin: AdminClient, place: TopicPartition) -> list[int]:
    """The offset after a partition's last message; nothing while the client does not know the leader."""
    future = admin.list_offsets({place: OffsetSpec.latest()})[place]
    error = future.exception(DEADLINE)
    if error is not None:
        assert code_of(error) == KafkaError._NOENT
        return []
    return [future.result().offset]


def code_of(error: BaseException) -> int:
    assert isinstance(error, KafkaException), error
    kafka_error = error.args[0]
    assert isinstance(kafka_error, KafkaError)
    return kafka_error.code()


def test_preferred_leaders_after_a_reassignment(cluster: KafkaCluster, admin: AdminClient, tmp_path: Path) -> None:
    topic = new_topic(cluster, admin, [[1, 2, 3], [2, 3, 1]])
    reassign(cluster, topic, [[2, 3, 1], [3, 1, 2]], tmp_path / "plan.json")
    described = describe(admin, topic)
    # The brokers are in their new order, but whoever led leads on.
    assert brokers_of(described, 0) == (1, [2, 3, 1], [1, 2, 3])
    assert brokers_of(described, 1) == (2, [3, 1, 2], [1, 2, 3])
    first = TopicPartition(topic, 0)
    assert admin.elect_leaders(ElectionType.PREFERRED, [first]).result(DEADLINE) == {first: None}
    cluster.wait_for(topic, 0, leader=2)
    cluster.wait_for(topic, 1, leader=2)
    [error] = admin.elect_leaders(ElectionType.PREFERRED, [first]).result(DEADLINE).values()
    assert error is not None
    assert error.code() == KafkaError.ELECTION_NOT_NEEDED

    async def elect_everywhere() -> dict[TopicPartition, KafkaError | None]:
        async with AIOAdminClient({"bootstrap.servers": cluster.bootstrap}) as client:
            return await client.elect_leaders(ElectionType.PREFERRED)

    elected = asyncio.run(elect_everywhere())
    assert elected[TopicPartition(topic, 1)] is None
    cluster.wait_for(topic, 1, leader=3)
    assert brokers_of(describe(admin, topic), 1)[0] == 3


def test_a_request_reaches_every_broker_that_it_concerns(cluster: KafkaCluster, admin: AdminClient) -> None:
    topic = new_topic(cluster, admin, [[1, 2, 3], [2, 3, 1], [3, 1, 2]])
    places = [TopicPartition(topic, number) for number in range(3)]
    with Producer({"bootstrap.servers": cluster.bootstrap}) as producer:
        for place in places:
            for _ in range(place.partition + 2):
                producer.produce(topic, b"x", partition=place.partition)
        assert producer.flush(DEADLINE) == 0
    offsets = admin.list_offsets(dict.fromkeys(places, OffsetSpec.latest()))
    assert [offsets[place].result(DEADLINE).offset for place in places] == [2, 3, 4]
    deleted = admin.delete_records([TopicPartition(topic, number, number + 1) for number in range(3)])
    assert [future.result(DEADLINE).low_watermark for future in deleted.values()] == [1, 2, 3]
    brokers = [ConfigResource(ResourceType.BROKER, str(number)) for number in (1, 2, 3)]
    configs = admin.describe_configs(brokers)
    assert [configs[broker].result(DEADLINE)["node.id"].value for broker in brokers] == ["1", "2", "3"]
    nodes = admin.describe_cluster().result(DEADLINE).nodes
    assert sorted((node.id, node.rack) for node in nodes) == [(1, "rack1"), (2, "rack2"), (3, "rack3")]


def test_replicas_out_of_sync_and_unclean_leaders(cluster: KafkaCluster, admin: AdminClient) -> None:
    topic = new_topic(cluster, admin, [[1, 2]], min_insync_replicas="1")
    place = TopicPartition(topic, 0)
    cluster[2].terminate()
    cluster.wait_for(topic, isr=[1])
    # Under-replicated: fewer replicas in sync than there are.
    assert brokers_of(describe(admin, topic)) == (1, [1, 2], [1])
    assert [node.id for node in admin.describe_cluster().result(DEADLINE).nodes] == [1, 3]
    with Producer({"bootstrap.servers": cluster.bootstrap}) as producer:
        assert producer.send(topic, b"only on broker 1").result(DEADLINE).offset() == 0
    cluster[1].kill()
    cluster[2].start()
    cluster.wait_for(topic, leader=-1)
    with AdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 0}) as other:
        assert brokers_of(describe(other, topic))[:2] == (None, [1, 2])
        [error] = other.elect_leaders(ElectionType.PREFERRED, [place]).result(DEADLINE).values()
        assert error is not None
        assert error.code() == KafkaError.PREFERRED_LEADER_NOT_AVAILABLE
        assert other.elect_leaders(ElectionType.UNCLEAN, [place]).result(DEADLINE) == {place: None}
        cluster.wait_for(topic, leader=2, isr=[2])
        # Unclean: what only the former leader had is lost.
        assert eventually(lambda: end_of(other, place), "the end of the partition") == [0]


def outcome(future: Future[Any]) -> int | None:
    """The code of a call's error; None: it has succeeded."""
    error = future.exception(DEADLINE)
    return None if error is None else code_of(error)


def test_a_broker_that_ends_during_calls(cluster: KafkaCluster, admin: AdminClient) -> None:
    resource = ConfigResource(ResourceType.BROKER, "3")
    seconds = 5.0

    async def main() -> list[Any]:
        async with AIOAdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 0}) as client:
            for ask in (admin.describe_configs([resource])[resource].result, admin.describe_cluster().result):
                await asyncio.to_thread(ask, DEADLINE)
            await client.describe_configs(resource)
            # A frozen broker keeps its calls waiting, so that they are under way when it ends.
            cluster[3].pause()
            pinned = admin.describe_configs([resource], request_timeout=seconds)[resource]
            anywhere = [admin.describe_cluster(request_timeout=seconds) for _ in range(20)]
            awaited: list[asyncio.Future[Any]] = [
                asyncio.ensure_future(client.describe_configs(resource, request_timeout=seconds))
            ]
            awaited += [asyncio.ensure_future(client.describe_cluster(request_timeout=seconds)) for _ in range(20)]
            await asyncio.wait(awaited, timeout=0.1)
            assert not pinned.done()
            assert not awaited[0].done()
            cluster[3].kill()
            ended = await asyncio.wait_for(asyncio.gather(*awaited, return_exceptions=True), DEADLINE)
            assert outcome(pinned) in LOST_BROKER
            assert {outcome(future) for future in anywhere} <= {None, *LOST_BROKER}
            # The brokers that are left answer the next ones.
            found = await client.describe_cluster(request_timeout=DEADLINE)
            assert {1, 2} <= {node.id for node in found.nodes}
            return ended

    first, *rest = asyncio.run(main())
    assert code_of(first) in LOST_BROKER
    assert {code_of(one) for one in rest if isinstance(one, BaseException)} <= LOST_BROKER

    def without_it() -> bool:
        future = admin.describe_cluster(request_timeout=DEADLINE)
        return outcome(future) is None and [node.id for node in future.result().nodes] == [1, 2]

    eventually(without_it, "the cluster without the broker")
    name = unique_name("topic")
    eventually(
        lambda: outcome(admin.create_topics([NewTopic(name, 1, 2)])[name]) in (None, KafkaError.TOPIC_ALREADY_EXISTS),
        "a topic made without the broker",
    )
