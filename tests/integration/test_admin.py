# SPDX-License-Identifier: Apache-2.0
"""Every request of AdminClient and AIOAdminClient on a real broker, the same tests for both."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
import uvloop

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ConsumerGroupType,
    ElectionType,
    IsolationLevel,
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
    ConfigSource,
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
from tests.integration.kit import DEADLINE, MakeConsumer, MakeTopic, eventually, produce_all, read, unique_name
from tests.support.broker import KafkaBroker
from tests.support.secure_broker import SecureBroker


class Asking:
    """An admin client of either kind, whose calls wait: they give the result, or a dict of results and exceptions."""

    def __init__(self, flavour: str, conf: dict[str, Any]) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self.client: AdminClient | AIOAdminClient
        if flavour == "sync":
            self.client = AdminClient(conf)
        else:
            self._loop = uvloop.new_event_loop() if flavour == "uvloop" else asyncio.new_event_loop()
            self.client = AIOAdminClient(conf)

    def __call__(self, method: str, *args: Any, **options: Any) -> Any:
        answer = getattr(self.client, method)(*args, **options)
        if self._loop is not None:
            return self._loop.run_until_complete(asyncio.wait_for(answer, DEADLINE))
        if isinstance(answer, Future):
            return answer.result(DEADLINE)
        if isinstance(answer, dict):
            return {key: future.exception(DEADLINE) or future.result() for key, future in answer.items()}
        return answer

    def one(self, method: str, *args: Any, **options: Any) -> Any:
        """The result of a call's only item; its exception is raised."""
        [outcome] = self(method, *args, **options).values()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def code(self, method: str, *args: Any, **options: Any) -> int | None:
        """The code of what went wrong with a call's only item; None: nothing did."""
        try:
            self.one(method, *args, **options)
        except KafkaException as error:
            return code_of(error)
        return None

    def close(self) -> None:
        if isinstance(self.client, AdminClient):
            self.client.close()
        elif self._loop is not None and not self._loop.is_closed():
            self._loop.run_until_complete(asyncio.wait_for(self.client.close(), DEADLINE))
            self._loop.close()


Make = Callable[[dict[str, Any]], Asking]
pytestmark = pytest.mark.filterwarnings("ignore:(alter_configs|list_groups):DeprecationWarning")


def code_of(error: BaseException | None) -> int:
    assert isinstance(error, KafkaException), error
    kafka_error = error.args[0]
    assert isinstance(kafka_error, KafkaError)
    return kafka_error.code()


@pytest.fixture(params=["sync", "asyncio", "uvloop"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    made: list[Asking] = []

    def new(conf: dict[str, Any]) -> Asking:
        made.append(Asking(request.param, conf))
        return made[-1]

    before = threading.active_count()
    yield new
    if request.param != "sync":
        assert threading.active_count() == before
    for asking in made:
        asking.close()


@pytest.fixture
def ask(make: Make, broker: KafkaBroker) -> Asking:
    return make({"bootstrap.servers": broker.bootstrap})


def partitions(ask: Asking, topic: str) -> list[int]:
    """The numbers of a topic's partitions; none while it is unknown."""
    [found] = ask("describe_topics", TopicCollection([topic])).values()
    if isinstance(found, Exception):
        assert code_of(found) == KafkaError.UNKNOWN_TOPIC_OR_PART
        return []
    assert found.name == topic
    return [partition.id for partition in found.partitions]


def test_topics(ask: Asking) -> None:
    name, other = unique_name("topic"), unique_name("topic")
    checked = [NewTopic(other, 1, 1)]
    assert ask("create_topics", checked, validate_only=True) == {other: None}
    new = [NewTopic(name, 2, 1, config={"retention.ms": 60_000}), NewTopic(other, replica_assignment=[[1]] * 3)]
    new[1].num_partitions = 3
    assert ask("create_topics", new, operation_timeout=30) == {name: None, other: None}
    assert ask.code("create_topics", [NewTopic(name)]) == KafkaError.TOPIC_ALREADY_EXISTS
    # The broker answers when a change is decided, a moment before it shows.
    eventually(lambda: partitions(ask, name) == [0, 1], "the new topic")
    eventually(lambda: partitions(ask, other) == [0, 1, 2], "the topic with chosen replicas")
    assert ask("create_partitions", [NewPartitions(name, 3), NewPartitions(other, 4, [[1]])]) == {
        name: None, other: None
    }  # fmt: skip
    eventually(lambda: partitions(ask, name) == [0, 1, 2], "the new partition")
    assert ask.code("create_partitions", [NewPartitions(name, 2)]) == KafkaError.INVALID_PARTITIONS
    found = ask("describe_topics", TopicCollection([name, unique_name("absent")]), include_authorized_operations=True)
    described, absent = found.values()
    assert AclOperation.DELETE in described.authorized_operations
    assert [partition.leader.id for partition in described.partitions] == [1, 1, 1]
    assert code_of(absent) == KafkaError.UNKNOWN_TOPIC_OR_PART
    deleted = ask("delete_topics", [name, other, unique_name("absent")])
    assert [*deleted.values()][:2] == [None, None]
    assert code_of([*deleted.values()][2]) == KafkaError.UNKNOWN_TOPIC_OR_PART
    eventually(lambda: partitions(ask, name) == [], "the end of the topic")


def test_configs(ask: Asking, make_topic: MakeTopic) -> None:
    topic = ConfigResource(ResourceType.TOPIC, make_topic(retention_ms="60000"))
    broker = ConfigResource(ResourceType.BROKER, "1")
    found = ask("describe_configs", [topic, broker])
    entry = found[topic]["retention.ms"]
    assert (entry.value, entry.source, entry.is_default) == ("60000", ConfigSource.DYNAMIC_TOPIC_CONFIG, False)
    assert entry.synonyms["retention.ms"].value == "60000"
    assert found[broker]["node.id"].value == "1"
    assert ask.one("describe_configs", [topic], broker=1)["retention.ms"].value == "60000"

    def value(name: str) -> str | None:
        text: str | None = ask.one("describe_configs", [topic])[name].value
        return text

    topic.add_incremental_config(ConfigEntry("retention.ms", "70000", incremental_operation=AlterConfigOpType.SET))
    topic.add_incremental_config(
        ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND)
    )
    assert ask("incremental_alter_configs", [topic], validate_only=True) == {topic: None}
    assert value("retention.ms") == "60000"
    assert ask("incremental_alter_configs", [topic]) == {topic: None}
    eventually(lambda: value("retention.ms") == "70000", "the changed property")
    assert value("cleanup.policy") == "delete,compact"
    topic.incremental_configs = [ConfigEntry("retention.ms", "x", incremental_operation=AlterConfigOpType.SET)]
    assert ask.code("incremental_alter_configs", [topic]) == KafkaError.INVALID_CONFIG
    topic.set_config("max.message.bytes", 5_000)
    assert ask("alter_configs", [topic]) == {topic: None}
    # It resets what it does not name.
    eventually(lambda: (value("max.message.bytes"), value("cleanup.policy")) == ("5000", "delete"), "the properties")


def test_cluster_and_metadata(ask: Asking, broker: KafkaBroker, make_topic: MakeTopic) -> None:
    cluster = ask("describe_cluster", include_authorized_operations=True)
    assert [f"{node.host}:{node.port}" for node in cluster.nodes] == [broker.bootstrap]
    assert cluster.controller.id == 1
    assert AclOperation.CREATE in cluster.authorized_operations
    assert cluster.cluster_id == ask("cluster_id", timeout=DEADLINE)
    topic = make_topic(2)
    metadata = ask("list_topics", topic, timeout=DEADLINE)
    assert sorted(metadata.topics[topic].partitions) == [0, 1]
    assert topic in ask("list_topics", timeout=DEADLINE).topics


def test_elections(ask: Asking, make_topic: MakeTopic) -> None:
    place = TopicPartition(make_topic(), 0)
    [(elected, error)] = ask("elect_leaders", ElectionType.PREFERRED, [place]).items()
    assert (elected.topic, elected.partition) == (place.topic, 0)
    assert error.code() == KafkaError.ELECTION_NOT_NEEDED
    assert ask("elect_leaders", ElectionType.UNCLEAN, []) == {}


def test_records_and_offsets(ask: Asking, make_topic: MakeTopic, producer: Producer) -> None:
    topic = make_topic()
    produce_all(producer, topic, [b"x"] * 9, timestamp=1_600_000_000_000)
    produce_all(producer, topic, [b"x"], timestamp=1_700_000_000_000)
    place = TopicPartition(topic, 0)
    assert ask.one("delete_records", [TopicPartition(topic, 0, 4)]).low_watermark == 4
    for spec, offset, timestamp in (
        (OffsetSpec.earliest(), 4, -1),
        (OffsetSpec.latest(), 10, -1),
        (OffsetSpec.max_timestamp(), 9, 1_700_000_000_000),
        (OffsetSpec.for_timestamp(1_650_000_000_000), 9, 1_700_000_000_000),
        (OffsetSpec.for_timestamp(1_800_000_000_000), -1, -1),
    ):
        for isolation in IsolationLevel:
            found = ask.one("list_offsets", {place: spec}, isolation_level=isolation)
            assert (found.offset, found.timestamp) == (offset, timestamp), (spec, isolation)


def test_groups(
    ask: Asking, make_topic: MakeTopic, producer: Producer, make_consumer: MakeConsumer, broker: KafkaBroker
) -> None:
    topic, group = make_topic(), unique_name("group")
    produce_all(producer, topic, [b"x"] * 5)
    member = make_consumer({"group.id": group, "enable.auto.commit": False, "client.id": "clerk"})
    member.subscribe([topic])
    read(member, 5)
    member.commit(asynchronous=False)
    described, unknown = ask("describe_consumer_groups", [group, unique_name("absent")]).values()
    assert (described.state, described.type) == (ConsumerGroupState.STABLE, ConsumerGroupType.CLASSIC)
    assert [(m.member_id, m.client_id) for m in described.members] == [(member.memberid(), "clerk")]
    assert [(p.topic, p.partition) for p in described.members[0].assignment.topic_partitions] == [(topic, 0)]
    assert f"{described.coordinator.host}:{described.coordinator.port}" == broker.bootstrap
    assert (unknown.state, unknown.members) == (ConsumerGroupState.DEAD, [])
    [old] = ask("list_groups", group, timeout=DEADLINE)
    assert (old.id, old.state, old.protocol_type, [m.client_id for m in old.members]) == (
        group, "Stable", "consumer", ["clerk"]
    )  # fmt: skip
    assert ask("list_groups", unique_name("absent"), timeout=DEADLINE) == []
    assert ask.code("delete_consumer_groups", [group]) == KafkaError.NON_EMPTY_GROUP
    member.close()

    def listed(**chosen: Any) -> bool:
        found = ask("list_consumer_groups", **chosen)
        assert found.errors == []
        return group in [entry.group_id for entry in found.valid]

    eventually(lambda: listed(states={ConsumerGroupState.EMPTY}, types={ConsumerGroupType.CLASSIC}), "the empty group")
    assert not listed(states={ConsumerGroupState.STABLE})
    assert not listed(types={ConsumerGroupType.CONSUMER})
    assert ask("delete_consumer_groups", [group]) == {group: None}
    assert ask.code("delete_consumer_groups", [group]) == KafkaError.GROUP_ID_NOT_FOUND


def test_groups_of_the_consumer_protocol(
    ask: Asking, make_topic: MakeTopic, producer: Producer, make_consumer: MakeConsumer
) -> None:
    topic, group = make_topic(2), unique_name("group")
    produce_all(producer, topic, [b"x"])
    member = make_consumer({"group.id": group, "group.protocol": "consumer", "group.instance.id": "desk-1"})
    member.subscribe([topic])
    read(member, 1)
    described = ask.one("describe_consumer_groups", [group], include_authorized_operations=True)
    assert (described.type, described.partition_assignor) == (ConsumerGroupType.CONSUMER, "uniform")
    assert AclOperation.READ in described.authorized_operations
    [one] = described.members
    assert (one.member_id, one.group_instance_id) == (member.memberid(), "desk-1")

    def places() -> list[list[tuple[str, int]]]:
        [one] = ask.one("describe_consumer_groups", [group]).members
        return [
            sorted((p.topic, p.partition) for p in assigned.topic_partitions)
            for assigned in (one.assignment, one.target_assignment)
        ]

    eventually(lambda: places() == [[(topic, 0), (topic, 1)]] * 2, "what the member has, and shall have")
    found = ask("list_consumer_groups", types={ConsumerGroupType.CONSUMER}).valid
    assert group in [entry.group_id for entry in found]


def test_offsets_of_many_groups(ask: Asking, make_topic: MakeTopic) -> None:
    topic, groups = make_topic(2), [unique_name("group") for _ in range(20)]
    wanted = [
        ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, number), TopicPartition(topic, 1, 7)])
        for number, group in enumerate(groups)
    ]

    def errors() -> list[Any]:
        altered = ask("alter_consumer_group_offsets", wanted)
        assert [*altered] == groups
        return [place.error for group in altered.values() for place in group.topic_partitions if place.error]

    # The broker says for a moment that it does not coordinate its first groups.
    eventually(lambda: errors() == [], "the groups' offsets")

    def committed(places: list[TopicPartition] | None = None) -> list[list[tuple[int, int]]]:
        asked = [ConsumerGroupTopicPartitions(group, places) for group in groups]
        found = ask("list_consumer_group_offsets", asked, require_stable=True)
        return [sorted((p.partition, p.offset) for p in found[group].topic_partitions) for group in groups]

    assert committed() == [[(0, number), (1, 7)] for number in range(20)]
    assert committed([TopicPartition(topic, 0)]) == [[(0, number)] for number in range(20)]
    # Of a group that does not exist nothing is committed.
    [unknown] = ask("list_consumer_group_offsets", [ConsumerGroupTopicPartitions(unique_name("absent"))]).values()
    assert unknown.topic_partitions == []
    gone = [ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 1)]) for group in groups]
    deleted = ask("delete_consumer_group_offsets", gone)
    assert [[place.error for place in deleted[group].topic_partitions] for group in groups] == [[None]] * 20
    assert committed() == [[(0, number)] for number in range(20)]
    missing = committed([TopicPartition(topic, 1)])
    assert missing == [[(1, -1001)]] * 20


RULE = (ResourceType.TOPIC, ResourcePatternType.LITERAL, "*", AclPermissionType.ALLOW)


def allow(topic: str, user: str, operation: AclOperation) -> AclBinding:
    kind, pattern, host, permission = RULE
    return AclBinding(kind, topic, pattern, f"User:{user}", host, operation, permission)


def test_users_and_what_they_may_do(make: Make, secure_broker: SecureBroker) -> None:
    root = make({"bootstrap.servers": secure_broker.bootstrap})
    user, topic = unique_name("ann"), secure_broker.create_topic(unique_name("topic"))
    mechanism = ScramMechanism.SCRAM_SHA_512
    upsertion = UserScramCredentialUpsertion(user, ScramCredentialInfo(mechanism, 5_000), b"open sesame")
    assert root("alter_user_scram_credentials", [upsertion]) == {user: None}

    def credentials() -> list[ScramCredentialInfo]:
        outcome = root("describe_user_scram_credentials", [user])[user]
        if isinstance(outcome, Exception):
            assert code_of(outcome) == KafkaError.RESOURCE_NOT_FOUND
            return []
        infos: list[ScramCredentialInfo] = outcome.scram_credential_infos
        return infos

    eventually(lambda: credentials() == [ScramCredentialInfo(mechanism, 5_000)], "the credential")
    everybody = root("describe_user_scram_credentials")
    assert {user, "alice"} <= everybody.keys()
    read_only, others = allow(topic, user, AclOperation.DESCRIBE), allow(topic, "nobody", AclOperation.ALTER)
    assert root("create_acls", [read_only, others]) == {read_only: None, others: None}
    mine = AclBindingFilter(
        ResourceType.ANY, topic, ResourcePatternType.ANY, f"User:{user}", None, AclOperation.ANY, AclPermissionType.ANY
    )
    eventually(lambda: root("describe_acls", mine) == [read_only], "the entry")

    # The password is one, and the entries bind whoever has it.
    ann = make({**secure_broker.scram_config(), "sasl.username": user, "sasl.password": "a wrong one", "log_level": 0})
    ann("set_sasl_credentials", user, "open sesame")
    assert partitions(ann, topic) == [0]
    grown = [NewPartitions(topic, 2)]
    assert ann.code("create_partitions", grown) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert root("delete_acls", [mine]) == {mine: [read_only]}
    eventually(lambda: root("describe_acls", mine) == [], "the end of the entry")
    assert root("create_acls", [allow(topic, user, AclOperation.ALL)])
    eventually(lambda: ann.code("create_partitions", grown) is None, "the right to add partitions")
    root("delete_acls", [mine])

    deletion = UserScramCredentialDeletion(user, mechanism)
    assert root("alter_user_scram_credentials", [deletion]) == {user: None}
    eventually(lambda: credentials() == [], "the end of the credential")
    assert root.code("alter_user_scram_credentials", [deletion]) == KafkaError.RESOURCE_NOT_FOUND


def test_callbacks(make: Make, broker: KafkaBroker) -> None:
    statistics: list[str] = []
    ask = make({"bootstrap.servers": broker.bootstrap, "stats_cb": statistics.append, "statistics.interval.ms": 20})
    eventually(lambda: ask("poll", 0.05) is not None and statistics, "statistics")
    assert json.loads(statistics[0])["type"] == "producer"


def test_a_closed_client_says_so(ask: Asking) -> None:
    assert ask("describe_cluster").cluster_id
    ask.close()
    if isinstance(ask.client, AdminClient):
        with pytest.raises(RuntimeError, match="AdminClient has been closed"):
            ask.client.describe_cluster()
        return
    with pytest.raises(RuntimeError, match="AdminClient has been closed"):
        asyncio.run(ask.client.describe_cluster())


def test_one_item_awaited_gives_its_result_or_raises(broker: KafkaBroker) -> None:
    name = unique_name("topic")

    async def main() -> None:
        async with AIOAdminClient({"bootstrap.servers": broker.bootstrap}) as admin:
            # mypy knows that these give nothing.
            await admin.create_topics(NewTopic(name, 2, 1))
            with pytest.raises(KafkaException) as caught:
                await admin.create_topics(NewTopic(name, 2, 1))
            assert code_of(caught.value) == KafkaError.TOPIC_ALREADY_EXISTS
            while name not in (await admin.list_topics(timeout=DEADLINE)).topics:  # noqa: ASYNC110  # a real broker's
                await asyncio.sleep(0.01)
            assert len((await admin.describe_topics(name)).partitions) == 2
            entries = await admin.describe_configs(ConfigResource(ResourceType.TOPIC, name))
            assert entries["cleanup.policy"].value == "delete"
            await admin.delete_topics(name)

    asyncio.run(asyncio.wait_for(main(), DEADLINE))
