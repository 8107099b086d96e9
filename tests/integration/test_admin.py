# SPDX-License-Identifier: Apache-2.0
"""AdminClient and AIOAdminClient on a real broker: each kind of request, and how calls end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

import pytest

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ElectionType,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from confluent_kafka.aio import AIOAdminClient
from tests.integration.kit import (
    DEADLINE,
    UNREACHABLE,
    MakeConsumer,
    MakeTopic,
    eventually,
    produce_all,
    read,
    unique_name,
)
from tests.support.broker import KafkaBroker
from tests.support.secure_broker import SecureBroker

T = TypeVar("T")


@pytest.fixture
def admin(broker: KafkaBroker) -> Iterator[AdminClient]:
    with AdminClient({"bootstrap.servers": broker.bootstrap}) as client:
        yield client


def only(futures: dict[Any, Future[T]]) -> T:
    [future] = futures.values()
    return future.result(DEADLINE)


def code_of(future: Future[Any]) -> int:
    with pytest.raises(KafkaException) as caught:
        future.result(DEADLINE)
    error = caught.value.args[0]
    assert isinstance(error, KafkaError)
    return error.code()


def described(admin: AdminClient, topic: str) -> list[int]:
    """The numbers of a topic's partitions; none while it is unknown."""
    future = admin.describe_topics(TopicCollection([topic]))[topic]
    if future.exception(DEADLINE) is not None:
        assert code_of(future) == KafkaError.UNKNOWN_TOPIC_OR_PART
        return []
    assert future.result().name == topic
    return [partition.id for partition in future.result().partitions]


def test_topics(admin: AdminClient) -> None:
    name = unique_name("topic")
    assert only(admin.create_topics([NewTopic(name, 2, 1, config={"retention.ms": "60000"})])) is None
    assert code_of(admin.create_topics([NewTopic(name, 2, 1)])[name]) == KafkaError.TOPIC_ALREADY_EXISTS
    # The broker answers when a change is decided, a moment before it shows.
    eventually(lambda: described(admin, name) == [0, 1], "the new topic")
    assert only(admin.create_partitions([NewPartitions(name, 4)])) is None
    eventually(lambda: described(admin, name) == [0, 1, 2, 3], "the new partitions")
    resource = ConfigResource(ResourceType.TOPIC, name)
    assert only(admin.describe_configs([resource]))["retention.ms"].value == "60000"
    change = ConfigEntry("retention.ms", "70000", incremental_operation=AlterConfigOpType.SET)
    altered = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[change])
    assert only(admin.incremental_alter_configs([altered])) is None
    eventually(
        lambda: only(admin.describe_configs([resource]))["retention.ms"].value == "70000", "the changed property"
    )
    assert only(admin.delete_topics([name])) is None
    eventually(lambda: described(admin, name) == [], "the end of the topic")
    assert code_of(admin.delete_topics([name])[name]) == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_cluster_and_elections(admin: AdminClient, broker: KafkaBroker, make_topic: MakeTopic) -> None:
    cluster = admin.describe_cluster(include_authorized_operations=True).result(DEADLINE)
    assert [node.id for node in cluster.nodes] == [1]
    assert cluster.cluster_id == admin.cluster_id(DEADLINE)
    place = TopicPartition(make_topic(), 0)
    [(elected, error)] = admin.elect_leaders(ElectionType.PREFERRED, [place]).result(DEADLINE).items()
    assert (elected.topic, elected.partition) == (place.topic, 0)
    assert error is not None
    assert error.code() == KafkaError.ELECTION_NOT_NEEDED


def test_records_and_offsets(admin: AdminClient, make_topic: MakeTopic, producer: Producer) -> None:
    topic = make_topic()
    produce_all(producer, topic, [b"x"] * 10)
    place = TopicPartition(topic, 0)
    assert only(admin.delete_records([TopicPartition(topic, 0, 4)])).low_watermark == 4
    assert only(admin.list_offsets({place: OffsetSpec.earliest()})).offset == 4
    assert only(admin.list_offsets({place: OffsetSpec.latest()})).offset == 10
    assert only(admin.list_offsets({place: OffsetSpec.for_timestamp(1)})).offset == 4


def test_groups(admin: AdminClient, make_topic: MakeTopic, producer: Producer, make_consumer: MakeConsumer) -> None:
    topic, group = make_topic(), unique_name("group")
    produce_all(producer, topic, [b"x"] * 5)
    member = make_consumer({"group.id": group, "enable.auto.commit": False})
    member.subscribe([topic])
    read(member, 5)
    member.commit(asynchronous=False)
    described = only(admin.describe_consumer_groups([group]))
    assert described.state is ConsumerGroupState.STABLE
    assert [m.member_id for m in described.members] == [member.memberid()]
    assert code_of(admin.delete_consumer_groups([group])[group]) == KafkaError.NON_EMPTY_GROUP
    member.close()
    listed = admin.list_consumer_groups(states={ConsumerGroupState.EMPTY}).result(DEADLINE)
    assert group in [entry.group_id for entry in listed.valid]
    moved = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 2)])
    assert [place.error for place in only(admin.alter_consumer_group_offsets([moved])).topic_partitions or ()] == [None]
    found = only(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]))
    assert [(p.topic, p.offset) for p in found.topic_partitions or ()] == [(topic, 2)]
    assert only(admin.delete_consumer_groups([group])) is None
    assert only(admin.describe_consumer_groups([group])).state is ConsumerGroupState.DEAD


def credentials(admin: AdminClient, user: str) -> list[ScramCredentialInfo]:
    future = admin.describe_user_scram_credentials([user])[user]
    if future.exception(DEADLINE) is not None:
        assert code_of(future) == KafkaError.RESOURCE_NOT_FOUND
        return []
    return future.result().scram_credential_infos


def test_acls_and_scram(secure_broker: SecureBroker) -> None:
    user = unique_name("ann")
    acl = AclBinding(
        ResourceType.TOPIC, unique_name("topic"), ResourcePatternType.LITERAL, f"User:{user}", "*",
        AclOperation.READ, AclPermissionType.ALLOW,
    )  # fmt: skip
    chosen = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, f"User:{user}", None, AclOperation.ANY, AclPermissionType.ANY
    )
    with AdminClient({"bootstrap.servers": secure_broker.bootstrap}) as admin:
        assert only(admin.create_acls([acl])) is None
        eventually(lambda: admin.describe_acls(chosen).result(DEADLINE) == [acl], "the new entry")
        assert only(admin.delete_acls([chosen])) == [acl]
        eventually(lambda: admin.describe_acls(chosen).result(DEADLINE) == [], "the end of the entry")
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 5_000)
        assert only(admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, info, b"secret")])) is None
        [credential] = eventually(lambda: credentials(admin, user), "the new credential")
        assert (credential.mechanism, credential.iterations) == (ScramMechanism.SCRAM_SHA_256, 5_000)
        gone = UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_256)
        assert only(admin.alter_user_scram_credentials([gone])) is None
        eventually(lambda: not credentials(admin, user), "the end of the credential")


def test_calls_without_an_answer_end() -> None:
    with AdminClient({"bootstrap.servers": UNREACHABLE, "log_level": 0}) as admin:
        late = admin.create_topics([NewTopic("t")], request_timeout=0.2)["t"]
        assert code_of(late) == KafkaError._TIMED_OUT
        pending = admin.describe_cluster(request_timeout=3_000)
        assert not pending.done()
    assert code_of(pending) == KafkaError._DESTROY
    with pytest.raises(RuntimeError, match="AdminClient has been closed"):
        admin.describe_cluster()
    dropped = AdminClient({"bootstrap.servers": UNREACHABLE, "log_level": 0})
    pending = dropped.describe_cluster(request_timeout=3_000)
    del dropped
    assert code_of(pending) == KafkaError._DESTROY


def run(main: Callable[[], Any]) -> None:
    asyncio.run(asyncio.wait_for(main(), DEADLINE))


def test_asyncio(broker: KafkaBroker) -> None:
    name = unique_name("topic")

    async def main() -> None:
        before = threading.active_count()
        async with AIOAdminClient({"bootstrap.servers": broker.bootstrap}) as admin:
            assert await admin.create_topics([NewTopic(name, 2, 1)]) == {name: None}
            again = await admin.create_topics([NewTopic(name, 2, 1)])
            assert isinstance(again[name], KafkaException)
            with pytest.raises(KafkaException):
                await admin.create_topics(NewTopic(name, 2, 1))
            while name not in (await admin.list_topics(timeout=DEADLINE)).topics:  # noqa: ASYNC110  # a real broker's
                await asyncio.sleep(0.01)
            topic = await admin.describe_topics(name)
            assert topic.name == name
            cluster = await admin.describe_cluster()
            assert cluster.cluster_id == await admin.cluster_id(DEADLINE)
            assert threading.active_count() == before
            assert await admin.delete_topics([name]) == {name: None}
        with pytest.raises(RuntimeError, match="AdminClient has been closed"):
            await admin.describe_cluster()

    run(main)


def test_asyncio_close_with_calls_under_way() -> None:
    async def main() -> None:
        admin = AIOAdminClient({"bootstrap.servers": UNREACHABLE, "log_level": 0})
        waiting = asyncio.ensure_future(admin.describe_cluster(request_timeout=3_000))
        cancelled = asyncio.ensure_future(admin.describe_cluster(request_timeout=3_000))
        await asyncio.sleep(0.05)
        cancelled.cancel()
        await admin.close()
        outcomes = await asyncio.gather(waiting, cancelled, return_exceptions=True)
        assert isinstance(outcomes[0], (KafkaException, RuntimeError))
        assert isinstance(outcomes[1], asyncio.CancelledError)

    run(main)
