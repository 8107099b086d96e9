# SPDX-License-Identifier: Apache-2.0
"""Consumer groups: rebalances under both group protocols, their callbacks, membership of members that only wait."""

from __future__ import annotations

import itertools
import struct
import threading
from collections.abc import Callable
from typing import Any

import pytest

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from tests.integration.kit import (
    DEADLINE,
    MakeConsumer,
    MakeTopic,
    eventually,
    produce_all,
    read,
    unique_name,
    values_of,
)
from tests.support import wire
from tests.support.broker import KafkaBroker

EAGER = {"partition.assignment.strategy": "range", "session.timeout.ms": 6_000, "heartbeat.interval.ms": 300}
COOPERATIVE = {**EAGER, "partition.assignment.strategy": "cooperative-sticky"}
KIP_848 = {"group.protocol": "consumer"}
PROTOCOLS = {"eager": EAGER, "cooperative": COOPERATIVE, "consumer": KIP_848}


@pytest.fixture(params=sorted(PROTOCOLS))
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def group(broker: KafkaBroker) -> str:
    """A group whose members, under KIP-848, hear of a rebalance within half a second and are missed after six."""
    name = unique_name("group")
    settings = {"consumer.heartbeat.interval.ms": "500", "consumer.session.timeout.ms": "6000"}
    changes = wire.array(
        wire.string(key) + struct.pack(">b", 0) + wire.string(value) for key, value in settings.items()
    )
    # IncrementalAlterConfigs of a resource of type GROUP.
    group_resource = struct.pack(">b", 32) + wire.string(name) + changes
    wire.request(broker.address, 44, 0, wire.array([group_resource]) + struct.pack(">b", 0))
    return name


def ids(partitions: list[TopicPartition]) -> list[int]:
    return sorted(partition.partition for partition in partitions)


class Member:
    """A consumer that notes its rebalances; ``held`` follows from the callbacks alone."""

    def __init__(self, consumer: Consumer, topic: str, with_lost: bool = True) -> None:
        self.consumer = consumer
        self.events: list[tuple[str, list[int]]] = []
        self.held: set[int] = set()
        self.messages: list[Message] = []
        callbacks: dict[str, Any] = {"on_assign": self._assigned, "on_revoke": self._revoked}
        if with_lost:
            callbacks["on_lost"] = self._lost
        consumer.subscribe([topic], **callbacks)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        assert consumer is self.consumer
        self.events.append(("assign", ids(partitions)))
        assert self.held.isdisjoint(ids(partitions))
        self.held.update(ids(partitions))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        assert consumer is self.consumer
        self.events.append(("revoke", ids(partitions)))
        self.held.difference_update(ids(partitions))

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        assert consumer is self.consumer
        self.events.append(("lost", ids(partitions)))
        self.held.difference_update(ids(partitions))

    def poll(self) -> None:
        message = self.consumer.poll(0.05)
        if message is not None:
            self.messages.append(message)


def pump(members: list[Member], check: Callable[[], Any], what: str) -> None:
    """Poll every member in turn until ``check`` holds."""

    def step() -> Any:
        for member in members:
            member.poll()
        return check()

    eventually(step, what)


def test_partitions_move_between_members(
    make_topic: MakeTopic, make_consumer: MakeConsumer, group: str, protocol: str
) -> None:
    topic = make_topic(4)
    conf = {**PROTOCOLS[protocol], "group.id": group}
    first = Member(make_consumer(conf), topic)
    pump([first], lambda: first.held == {0, 1, 2, 3}, "all partitions at the first member")
    assert ids(first.consumer.assignment()) == [0, 1, 2, 3]

    second = Member(make_consumer(conf), topic)
    both = [first, second]
    pump(both, lambda: len(first.held) == len(second.held) == 2, "two partitions at each member")
    assert first.held | second.held == {0, 1, 2, 3}
    assert all(ids(member.consumer.assignment()) == sorted(member.held) for member in both)
    revoked = [partitions for kind, partitions in first.events if kind == "revoke"]
    if protocol == "eager":
        assert revoked[0] == [0, 1, 2, 3]
    else:
        assert sorted(itertools.chain.from_iterable(revoked)) == sorted(second.held)

    second.consumer.close()
    assert second.events[-1][0] == "revoke"
    assert second.held == set()
    pump([first], lambda: first.held == {0, 1, 2, 3}, "all partitions back at the first member")
    assert ids(first.consumer.assignment()) == [0, 1, 2, 3]
    assert {kind for member in both for kind, _ in member.events} == {"assign", "revoke"}
    assert first.messages == second.messages == []


def test_unsubscribe_and_close_revoke(
    make_topic: MakeTopic, make_consumer: MakeConsumer, group: str, protocol: str
) -> None:
    topic = make_topic(2)
    member = Member(make_consumer({**PROTOCOLS[protocol], "group.id": group}), topic)
    pump([member], lambda: member.held == {0, 1}, "an assignment")
    member.consumer.unsubscribe()
    pump([member], lambda: member.held == set(), "a revocation")
    assert member.consumer.assignment() == []
    again = Member(member.consumer, topic)
    pump([again], lambda: again.held == {0, 1}, "a second assignment")
    member.consumer.close()
    assert [kind for kind, _ in member.events] == ["assign", "revoke"]
    assert [kind for kind, _ in again.events] == ["assign", "revoke"]


def test_every_record_arrives_once_while_members_come_and_go(
    make_topic: MakeTopic, make_consumer: MakeConsumer, producer: Producer, group: str, protocol: str
) -> None:
    topic = make_topic(4)
    conf = {**PROTOCOLS[protocol], "group.id": group}
    produced = 0

    def produce_more() -> None:
        nonlocal produced
        for partition in range(4):
            produce_all(producer, topic, [str(produced + partition).encode()], partition=partition)
        produced += 4

    first = Member(make_consumer(conf), topic)
    pump([first], lambda: len(first.held) == 4, "the first member's partitions")
    second = Member(make_consumer(conf), topic)
    members = [first, second]

    def settled() -> bool:
        produce_more()
        return len(second.held) == 2

    pump(members, settled, "the second member's partitions")
    produce_more()
    second.consumer.close()
    pump([first], lambda: len(first.held) == 4, "all partitions back")
    produce_more()
    pump([first], lambda: len(first.messages) + len(second.messages) >= produced, "all records")
    seen = [int(value) for value in values_of(first.messages + second.messages)]
    assert sorted(seen) == list(range(produced))


def test_on_assign_may_choose_where_to_start(
    make_topic: MakeTopic, make_consumer: MakeConsumer, producer: Producer, group: str, protocol: str
) -> None:
    topic = make_topic()
    produce_all(producer, topic, [str(number).encode() for number in range(10)])
    consumer = make_consumer({**PROTOCOLS[protocol], "group.id": group})

    def from_seven(consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            partition.offset = 7
        consumer.assign(partitions) if protocol == "eager" else consumer.incremental_assign(partitions)

    consumer.subscribe([topic], on_assign=from_seven)
    assert values_of(read(consumer, 3)) == [b"7", b"8", b"9"]


def test_a_commit_inside_on_revoke_is_where_the_next_member_starts(
    make_topic: MakeTopic, make_consumer: MakeConsumer, producer: Producer, group: str, protocol: str
) -> None:
    topic = make_topic()
    produce_all(producer, topic, [str(number).encode() for number in range(10)])
    conf = {**PROTOCOLS[protocol], "group.id": group, "enable.auto.commit": False}
    first = make_consumer(conf)
    results: list[Any] = []

    def commit(consumer: Consumer, partitions: list[TopicPartition]) -> None:
        assert consumer.position(partitions)[0].offset == 4
        results.append(consumer.commit(asynchronous=False))

    first.subscribe([topic], on_revoke=commit)
    read(first, 4)
    first.close()
    ((result,),) = results
    assert (result.offset, result.error) == (4, None)
    second = make_consumer(conf)
    second.subscribe([topic])
    assert values_of(read(second, 6)) == [str(number).encode() for number in range(4, 10)]


@pytest.mark.parametrize("with_lost", [True, False], ids=["on_lost", "only on_revoke"])
def test_partitions_of_a_member_that_stopped_polling_are_lost(
    broker: KafkaBroker, make_topic: MakeTopic, make_consumer: MakeConsumer, group: str, protocol: str, with_lost: bool
) -> None:
    topic = make_topic(2)
    session = {} if protocol == "consumer" else {"session.timeout.ms": 2_000}
    conf = {**PROTOCOLS[protocol], **session, "group.id": group, "max.poll.interval.ms": 2_000}
    member = Member(make_consumer(conf), topic, with_lost)
    pump([member], lambda: member.held == {0, 1}, "the partitions")
    name = member.consumer.memberid()
    assert name

    def has_left() -> bool:
        return name not in broker.tool(
            "consumer.group.ConsumerGroupCommand", "--describe", "--members", "--group", group
        )

    eventually(has_left, "the member's departure")
    pump([member], lambda: member.messages and len(member.events) >= 3, "the loss and the way back")
    assert member.events == [("assign", [0, 1]), ("lost" if with_lost else "revoke", [0, 1]), ("assign", [0, 1])]
    errors = [message.error() for message in member.messages]
    assert [error.code() for error in errors if error is not None] == [KafkaError._MAX_POLL_EXCEEDED]


@pytest.mark.parametrize("moment", ["assign", "revoke by unsubscribe", "revoke by close"])
def test_an_exception_in_a_rebalance_callback_surfaces_and_the_rebalance_goes_on(
    make_topic: MakeTopic, make_consumer: MakeConsumer, group: str, protocol: str, moment: str
) -> None:
    topic = make_topic(2)
    consumer = make_consumer({**PROTOCOLS[protocol], "group.id": group})
    calls: list[str] = []
    caught: list[LookupError] = []

    def raising(name: str) -> Callable[[Consumer, list[TopicPartition]], None]:
        def callback(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            calls.append(name)
            if moment.startswith(name):
                raise LookupError(f"in {name}")

        return callback

    def step(call: Callable[[], Any], check: Callable[[], Any]) -> Any:
        try:
            call()
        except LookupError as error:
            caught.append(error)
        return check()

    consumer.subscribe([topic], on_assign=raising("assign"), on_revoke=raising("revoke"))
    eventually(lambda: step(lambda: consumer.poll(0.1), lambda: ids(consumer.assignment()) == [0, 1]), "an assignment")
    if moment == "revoke by close":
        step(consumer.close, lambda: None)
        with pytest.raises(RuntimeError, match="Consumer closed"):
            consumer.poll(0)
    else:
        step(consumer.unsubscribe, lambda: None)
        eventually(lambda: step(lambda: consumer.poll(0.1), lambda: not consumer.assignment()), "no assignment")
    assert calls == ["assign", "revoke"]
    assert [error.args for error in caught] == [(f"in {moment.split()[0]}",)]


@pytest.mark.parametrize("name", ["eager", "consumer"])
def test_a_static_member_comes_back_to_its_partitions_unnoticed(
    make_topic: MakeTopic, make_consumer: MakeConsumer, group: str, name: str
) -> None:
    topic = make_topic(4)
    conf = {**PROTOCOLS[name], "group.id": group}
    if name == "eager":
        conf["session.timeout.ms"] = 60_000

    def member(instance: str) -> Member:
        return Member(make_consumer({**conf, "group.instance.id": instance}), topic)

    stays, leaves = member("stays"), member("leaves")
    pump([stays, leaves], lambda: len(stays.held) == len(leaves.held) == 2, "two partitions each")
    before, events = set(leaves.held), list(stays.events)
    leaves.consumer.close()
    returns = member("leaves")
    pump([stays, returns], lambda: returns.held, "the partitions of the returning member")
    assert returns.held == before
    assert stays.events == events


def test_a_second_member_of_the_same_name_fences_the_first(
    make_topic: MakeTopic, make_consumer: MakeConsumer, group: str
) -> None:
    topic = make_topic()
    conf = {**EAGER, "group.id": group, "group.instance.id": "same"}
    first = Member(make_consumer(conf), topic)
    pump([first], lambda: first.held, "an assignment")
    second = Member(make_consumer(conf), topic)
    pump([first, second], lambda: first.messages and second.held, "the first member's end")
    (message,) = first.messages
    error = message.error()
    assert error is not None
    assert error.code() == KafkaError._FATAL
    assert "fenced" in error.str()
    with pytest.raises(KafkaException) as caught:
        first.consumer.commit(offsets=[TopicPartition(topic, 0, 0)], asynchronous=False)
    assert caught.value.args[0].code() in (KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID)


def test_a_new_subscription_replaces_the_old_one_and_its_callbacks(
    make_topic: MakeTopic, make_consumer: MakeConsumer, group: str, protocol: str
) -> None:
    first_topic, second_topic = make_topic(1), make_topic(1)
    consumer = make_consumer({**PROTOCOLS[protocol], "group.id": group})
    first = Member(consumer, first_topic)
    pump([first], lambda: first.held, "the first assignment")
    second = Member(consumer, second_topic)
    pump([second], lambda: [entry.topic for entry in consumer.assignment()] == [second_topic], "the second assignment")
    assert ("assign", [0]) in second.events


def test_member_id_and_group_metadata(
    make_topic: MakeTopic, make_consumer: MakeConsumer, group: str, protocol: str
) -> None:
    topic = make_topic()
    consumer = make_consumer({**PROTOCOLS[protocol], "group.id": group})
    assert isinstance(consumer.consumer_group_metadata(), bytes)
    member = Member(consumer, topic)
    pump([member], lambda: member.held, "an assignment")
    name = consumer.memberid()
    assert isinstance(name, str)
    assert name
    assert name.encode() in consumer.consumer_group_metadata()
    assert group.encode() in consumer.consumer_group_metadata()


def test_a_member_that_only_waits_keeps_its_membership(
    broker: KafkaBroker, make_topic: MakeTopic, make_consumer: MakeConsumer, protocol: str
) -> None:
    """One call that waits three times max.poll.interval.ms on an empty topic is polling all the while."""
    topic, wait = make_topic(), 20
    limits = {"max.poll.interval.ms": 6_000, **({} if protocol == "consumer" else {"session.timeout.ms": 6_000})}
    ways: dict[str, Callable[[Consumer], Any]] = {
        "poll": lambda consumer: consumer.poll(wait),
        "consume": lambda consumer: consumer.consume(10, wait),
    }
    members: list[Member] = []
    results: list[Any] = []
    threads: list[threading.Thread] = []
    for way in ways.values():
        conf = {**PROTOCOLS[protocol], **limits, "group.id": unique_name("group")}
        member = Member(make_consumer(conf), topic)
        pump([member], lambda member=member: member.held, "an assignment")  # type: ignore[misc]
        members.append(member)
        threads.append(
            threading.Thread(target=lambda way=way, member=member: results.append(way(member.consumer)), daemon=True)  # type: ignore[misc]
        )
    names = [member.consumer.memberid() for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(wait + DEADLINE)
    assert sorted(results, key=repr) == [None, []] or sorted(results, key=repr) == [[], None]
    for member, name in zip(members, names, strict=True):
        assert member.events == [("assign", [0])]
        assert member.messages == []
        assert member.consumer.memberid() == name
        assert ids(member.consumer.assignment()) == [0]


@pytest.mark.beyond_peer
@pytest.mark.parametrize("way", ["iteration", "batches", "poll without limit"])
def test_a_member_that_iterates_keeps_its_membership(
    make_topic: MakeTopic, make_consumer: MakeConsumer, way: str
) -> None:
    topic = make_topic()
    consumer = make_consumer({**EAGER, "group.id": unique_name("group"), "max.poll.interval.ms": 6_000})
    member = Member(consumer, topic)
    pump([member], lambda: member.held, "an assignment")
    results: list[Any] = []
    calls: dict[str, Callable[[], Any]] = {
        "iteration": lambda: list(consumer),
        "batches": lambda: [batch for batch in consumer.batches(10, 60) if batch],
        "poll without limit": consumer.poll,
    }
    thread = threading.Thread(target=lambda: results.append(calls[way]()), daemon=True)
    thread.start()
    # Only the clock can tell that nothing happens: join() waits on the thread that must not end by itself.
    thread.join(15)
    assert thread.is_alive()
    consumer.wakeup()
    thread.join(DEADLINE)
    assert not thread.is_alive()
    assert results in ([[]], [None])
    assert consumer.poll(0) is None
    assert member.events == [("assign", [0])]
