# SPDX-License-Identifier: Apache-2.0
"""Reading: poll and batches, events, positions, seeking and looking up offsets."""

from __future__ import annotations

import gc
import time
from typing import Any

import pytest

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from tests.integration.kit import (
    DEADLINE,
    UNREACHABLE,
    MakeConsumer,
    MakeTopic,
    eventually,
    poll_until,
    produce_all,
    read,
    unique_name,
    values_of,
)
from tests.support.broker import KafkaBroker


def numbers(count: int, first: int = 0) -> list[bytes | None]:
    return [str(number).encode() for number in range(first, first + count)]


def at_start(topic: str, *partitions: int) -> list[TopicPartition]:
    return [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions or (0,)]


def next_event(consumer: Consumer) -> Message:
    """The next message or event."""
    return eventually(lambda: consumer.poll(0.2), "a message or event")


def offsets_of(partitions: list[TopicPartition]) -> list[tuple[int, int]]:
    return [(partition.partition, partition.offset) for partition in partitions]


def test_poll_returns_none_when_nothing_is_there(make_topic: MakeTopic, consumer: Consumer) -> None:
    assert consumer.poll(0) is None
    consumer.assign(at_start(make_topic()))
    assert consumer.poll(0) is None
    assert consumer.poll(0.05) is None
    assert consumer.consume(10, 0.05) == []
    assert consumer.consume(0, 0.05) == []


def test_consume_returns_what_came_until_the_timeout(
    make_topic: MakeTopic, producer: Producer, consumer: Consumer
) -> None:
    topic = make_topic()
    produce_all(producer, topic, numbers(25))
    consumer.assign(at_start(topic))
    assert values_of(consumer.consume(10, DEADLINE)) == numbers(10)
    assert values_of(consumer.consume(num_messages=10, timeout=DEADLINE)) == numbers(10, 10)
    rest: list[Message] = []
    eventually(lambda: rest.extend(consumer.consume(10, 0.5)) or len(rest) >= 5, "the rest")
    assert values_of(rest) == numbers(5, 20)


@pytest.mark.parametrize("count", [-1, 1_000_001])
def test_consume_refuses_impossible_counts(consumer: Consumer, count: int) -> None:
    with pytest.raises(ValueError, match="num_messages must be between 0 and 1000000"):
        consumer.consume(count)


def test_many_partitions_arrive_once_each_in_order(
    make_topic: MakeTopic, producer: Producer, consumer: Consumer
) -> None:
    topic = make_topic(4)
    for partition in range(4):
        produce_all(producer, topic, numbers(500), partition=partition)
    consumer.assign(at_start(topic, 0, 1, 2, 3))
    seen: dict[int, list[Any]] = {partition: [] for partition in range(4)}

    def step() -> bool:
        for message in consumer.consume(333, 0.2):
            assert message.error() is None
            assert message.offset() == len(seen[message.partition()])
            seen[message.partition()].append(message.value())
        return sum(map(len, seen.values())) >= 2_000

    eventually(step, "2,000 messages")
    assert all(values == numbers(500) for values in seen.values())
    assert consumer.poll(0.1) is None


def test_messages_outlive_their_consumer(make_topic: MakeTopic, producer: Producer, broker: KafkaBroker) -> None:
    topic = make_topic()
    produce_all(producer, topic, numbers(200), key=b"key", headers=[("h", b"v")])
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": unique_name("group")})
    consumer.assign(at_start(topic))
    messages = read(consumer, 100)
    messages += consumer.consume(100, DEADLINE)
    consumer.close()
    del consumer
    gc.collect()
    assert values_of(messages) == numbers(200)
    assert {message.key() for message in messages} == {b"key"}
    assert all(message.headers() == [("h", b"v")] and message.topic() == topic for message in messages)
    assert [message.offset() for message in messages] == list(range(200))


def test_end_of_partition_events(make_topic: MakeTopic, producer: Producer, make_consumer: MakeConsumer) -> None:
    topic = make_topic()
    consumer = make_consumer({"enable.partition.eof": True})
    produce_all(producer, topic, numbers(2))
    consumer.assign(at_start(topic))
    for expected in ([b"0", b"1"], [b"2"]):
        for value in expected:
            assert next_event(consumer).value() == value
        end = next_event(consumer)
        error = end.error()
        assert error is not None
        assert error.code() == KafkaError._PARTITION_EOF
        assert (end.topic(), end.partition(), end.key(), end.headers()) == (topic, 0, None, None)
        assert end.offset() == int(expected[-1]) + 1
        assert isinstance(end.value(), bytes)
        produce_all(producer, topic, numbers(1, 2))
    assert next_event(consumer).value() == b"2"


def test_end_of_partition_is_silent_by_default(make_topic: MakeTopic, producer: Producer, consumer: Consumer) -> None:
    topic = make_topic()
    produce_all(producer, topic, numbers(3))
    consumer.assign(at_start(topic))
    read(consumer, 3)
    assert consumer.consume(5, 0.5) == []


def test_pause_holds_what_was_fetched_and_resume_loses_nothing(
    make_topic: MakeTopic, producer: Producer, consumer: Consumer
) -> None:
    topic = make_topic(2)
    for partition in (0, 1):
        produce_all(producer, topic, numbers(300), partition=partition)
    consumer.assign(at_start(topic, 0, 1))
    seen: dict[int, list[Any]] = {0: [], 1: []}

    def take(count: int) -> None:
        for message in read(consumer, count):
            seen[message.partition()].append(message.value())

    take(10)
    paused = 0 if seen[0] else 1
    held = len(seen[paused])
    consumer.pause([TopicPartition(topic, paused)])
    take(300 - len(seen[1 - paused]))
    assert len(seen[paused]) == held
    assert consumer.poll(0.2) is None
    assert consumer.position([TopicPartition(topic, paused)])[0].offset == held
    consumer.resume([TopicPartition(topic, paused)])
    take(300 - held)
    assert seen == {0: numbers(300), 1: numbers(300)}


def test_pause_and_resume_of_a_partition_that_is_not_assigned(make_topic: MakeTopic, consumer: Consumer) -> None:
    topic = make_topic()
    consumer.pause([TopicPartition(topic, 0)])
    consumer.resume([TopicPartition(topic, 0)])


def test_seek_forth_and_back(make_topic: MakeTopic, producer: Producer, consumer: Consumer) -> None:
    topic = make_topic()
    produce_all(producer, topic, numbers(200))
    consumer.assign(at_start(topic))
    assert values_of(read(consumer, 5)) == numbers(5)
    for target in (150, 0, 199, 42):
        consumer.seek(TopicPartition(topic, 0, target))
        assert values_of(read(consumer, 1)) == numbers(1, target)
        assert consumer.position([TopicPartition(topic, 0)])[0].offset == target + 1
    consumer.seek(TopicPartition(topic, 0, OFFSET_BEGINNING))
    assert values_of(read(consumer, 200)) == numbers(200)
    consumer.seek(TopicPartition(topic, 0, OFFSET_END))
    assert consumer.poll(0.3) is None
    produce_all(producer, topic, numbers(1, 200))
    assert values_of(read(consumer, 1)) == numbers(1, 200)


def test_seek_after_a_batch_starts_again_exactly_there(
    make_topic: MakeTopic, producer: Producer, consumer: Consumer
) -> None:
    topic = make_topic()
    produce_all(producer, topic, numbers(500))
    consumer.assign(at_start(topic))
    assert values_of(consumer.consume(100, DEADLINE)) == numbers(100)
    consumer.seek(TopicPartition(topic, 0, 50))
    assert values_of(consumer.consume(100, DEADLINE)) == numbers(100, 50)
    assert values_of(read(consumer, 3)) == numbers(3, 150)
    consumer.seek(TopicPartition(topic, 0, 150))
    assert values_of(read(consumer, 350)) == numbers(350, 150)


def test_seek_needs_an_assigned_partition(make_topic: MakeTopic, consumer: Consumer) -> None:
    with pytest.raises(KafkaException, match="Failed to seek to offset 5") as caught:
        consumer.seek(TopicPartition(make_topic(), 0, 5))
    # Which of the two depends on whether the client has metadata of the topic yet.
    assert caught.value.args[0].code() in (KafkaError._STATE, KafkaError._UNKNOWN_PARTITION)


def test_position_follows_what_was_handed_over(make_topic: MakeTopic, producer: Producer, consumer: Consumer) -> None:
    topic = make_topic()
    here = [TopicPartition(topic, 0)]
    produce_all(producer, topic, numbers(100))
    consumer.assign(at_start(topic))
    assert consumer.position(here)[0].offset == OFFSET_INVALID
    for count in (1, 2, 7):
        before = max(0, consumer.position(here)[0].offset)
        read(consumer, count)
        assert consumer.position(here)[0].offset == before + count
    consumer.consume(20, DEADLINE)
    assert consumer.position(here)[0].offset == 30


def test_offsets_for_times(make_topic: MakeTopic, producer: Producer, consumer: Consumer) -> None:
    topic = make_topic(2)
    for timestamp in (1_000, 2_000, 2_000, 3_000):
        produce_all(producer, topic, [b"x"], partition=0, timestamp=timestamp)
    times = [TopicPartition(topic, 0, 1_500), TopicPartition(topic, 1, 1_500)]
    assert offsets_of(consumer.offsets_for_times(times, timeout=DEADLINE)) == [(0, 1), (1, -1)]
    for timestamp, offset in ((0, 0), (1_000, 0), (2_001, 3), (3_001, OFFSET_END)):
        (found,) = consumer.offsets_for_times([TopicPartition(topic, 0, timestamp)], timeout=DEADLINE)
        assert (found.offset, found.error) == (offset, None)


def test_watermarks(broker: KafkaBroker, make_topic: MakeTopic, producer: Producer, consumer: Consumer) -> None:
    topic = make_topic()
    here = TopicPartition(topic, 0)
    assert consumer.get_watermark_offsets(here, timeout=DEADLINE) == (0, 0)
    produce_all(producer, topic, numbers(10))
    assert consumer.get_watermark_offsets(here, timeout=DEADLINE) == (0, 10)
    broker.delete_records(topic, 0, 4)
    assert consumer.get_watermark_offsets(here, timeout=DEADLINE) == (4, 10)
    assert consumer.get_watermark_offsets(here, cached=True) == (OFFSET_INVALID, OFFSET_INVALID)
    consumer.assign(at_start(topic))
    assert values_of(read(consumer, 6)) == numbers(6, 4)
    assert consumer.get_watermark_offsets(here, cached=True)[1] == 10


def test_watermarks_of_an_unknown_partition(make_topic: MakeTopic, consumer: Consumer) -> None:
    with pytest.raises(KafkaException) as caught:
        consumer.get_watermark_offsets(TopicPartition(make_topic(), 7), timeout=DEADLINE)
    assert caught.value.args[0].code() == KafkaError._UNKNOWN_PARTITION


@pytest.mark.parametrize("reset", ["earliest", "latest", "error"])
def test_where_reading_starts_without_an_offset(
    make_topic: MakeTopic, producer: Producer, make_consumer: MakeConsumer, reset: str
) -> None:
    topic = make_topic()
    produce_all(producer, topic, numbers(3))
    consumer = make_consumer({"auto.offset.reset": reset, "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0)])
    first = next_event(consumer)
    if reset == "earliest":
        assert (first.error(), first.value()) == (None, b"0")
        return
    error = first.error()
    assert error is not None
    if reset == "error":
        assert error.code() == KafkaError._AUTO_OFFSET_RESET
    else:
        assert (error.code(), first.offset()) == (KafkaError._PARTITION_EOF, 3)


def test_an_offset_out_of_range_is_reset(make_topic: MakeTopic, producer: Producer, consumer: Consumer) -> None:
    topic = make_topic()
    produce_all(producer, topic, numbers(3))
    consumer.assign([TopicPartition(topic, 0, 1_000)])
    assert values_of(read(consumer, 3)) == numbers(3)


def test_assignments_replace_each_other_and_change_by_steps(
    make_topic: MakeTopic, producer: Producer, consumer: Consumer
) -> None:
    topic = make_topic(3)
    for partition in range(3):
        produce_all(producer, topic, numbers(20), partition=partition)

    def assigned() -> list[int]:
        return sorted(partition.partition for partition in consumer.assignment())

    def source(count: int) -> set[int | None]:
        return {message.partition() for message in read(consumer, count)}

    assert assigned() == []
    consumer.assign(at_start(topic, 0))
    assert assigned() == [0]
    assert source(10) == {0}
    consumer.assign([TopicPartition(topic, 1, 15)])
    assert assigned() == [1]
    assert source(5) == {1}
    consumer.unassign()
    assert assigned() == []
    assert consumer.poll(0.2) is None
    consumer.incremental_assign(at_start(topic, 0))
    consumer.incremental_assign(at_start(topic, 2))
    assert assigned() == [0, 2]
    assert source(40) == {0, 2}
    consumer.incremental_unassign([TopicPartition(topic, 0)])
    assert assigned() == [2]
    with pytest.raises(KafkaException) as caught:
        consumer.incremental_unassign([TopicPartition(topic, 0)])
    assert caught.value.args[0].code() == KafkaError._INVALID_ARG
    produce_all(producer, topic, numbers(1), partition=0)
    produce_all(producer, topic, numbers(1), partition=2)
    assert source(1) == {2}
    assert consumer.poll(0.2) is None


def test_a_partition_cannot_be_assigned_twice(make_topic: MakeTopic, consumer: Consumer) -> None:
    topic = make_topic()
    with pytest.raises(KafkaException) as caught:
        consumer.assign(at_start(topic, 0, 0))
    assert caught.value.args[0].code() == KafkaError._INVALID_ARG


def test_a_subscription_may_be_a_pattern(make_topic: MakeTopic, producer: Producer, consumer: Consumer) -> None:
    topic = make_topic()
    produce_all(producer, topic, numbers(3))
    consumer.subscribe([f"^{topic[:-2]}.*"])
    assert values_of(read(consumer, 3)) == numbers(3)
    consumer.unsubscribe()
    poll_until(consumer, lambda: not consumer.assignment(), "no assignment")


def test_a_topic_that_does_not_exist_is_told_as_a_message(make_consumer: MakeConsumer) -> None:
    consumer = make_consumer({"allow.auto.create.topics": False})
    topic = unique_name("missing")
    consumer.subscribe([topic])
    message = next_event(consumer)
    error = message.error()
    assert error is not None
    assert error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
    assert "Subscribed topic not available" in error.str()
    assert message.topic() == topic


@pytest.mark.parametrize("topics", [[], [""], ["^[unclosed"]])
def test_impossible_subscriptions(consumer: Consumer, topics: list[str]) -> None:
    with pytest.raises(KafkaException) as caught:
        consumer.subscribe(topics)
    assert caught.value.args[0].code() == KafkaError._INVALID_ARG


@pytest.mark.parametrize(
    "call",
    [
        lambda consumer: consumer.subscribe("topic"),
        lambda consumer: consumer.subscribe(("topic",)),
        lambda consumer: consumer.subscribe(["topic"], on_assign=None),
        lambda consumer: consumer.subscribe(["topic"], on_revoke=5),
        lambda consumer: consumer.assign(TopicPartition("t", 0)),
        lambda consumer: consumer.assign(["t"]),
        lambda consumer: consumer.pause(["t"]),
        lambda consumer: consumer.seek("t"),
        lambda consumer: consumer.position(["t"]),
        lambda consumer: consumer.committed("t"),
        lambda consumer: consumer.commit(message="m"),
        lambda consumer: consumer.store_offsets(message=5),
        lambda consumer: consumer.poll(None),
        lambda consumer: consumer.poll("1"),
        lambda consumer: consumer.consume(5, None),
        lambda consumer: consumer.consume("5"),
        lambda consumer: consumer.get_watermark_offsets("t"),
    ],
)
def test_wrong_types_are_refused(consumer: Consumer, call: Any) -> None:
    with pytest.raises(TypeError):
        call(consumer)


def test_a_consumer_needs_a_group(broker: KafkaBroker) -> None:
    with pytest.raises(ValueError, match=r"group\.id must be set"):
        Consumer({"bootstrap.servers": broker.bootstrap})


@pytest.mark.beyond_peer
@pytest.mark.parametrize("group", [None, ""])
def test_an_empty_group_is_no_group(broker: KafkaBroker, group: str | None) -> None:
    with pytest.raises((ValueError, KafkaException), match=r"group\.id"):
        Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group})


def test_a_closed_consumer_says_so(make_topic: MakeTopic, consumer: Consumer) -> None:
    topic = make_topic()
    here = TopicPartition(topic, 0)
    consumer.assign([here])
    assert consumer.close() is None  # type: ignore[func-returns-value]  # documented to return None
    assert consumer.close() is None  # type: ignore[func-returns-value]
    calls: list[Any] = [
        lambda: consumer.poll(0),
        lambda: consumer.consume(1, 0),
        lambda: consumer.subscribe([topic]),
        lambda: consumer.unsubscribe(),
        lambda: consumer.assign([here]),
        lambda: consumer.unassign(),
        lambda: consumer.assignment(),
        lambda: consumer.commit(),
        lambda: consumer.committed([here]),
        lambda: consumer.position([here]),
        lambda: consumer.pause([here]),
        lambda: consumer.resume([here]),
        lambda: consumer.seek(here),
        lambda: consumer.memberid(),
        lambda: consumer.consumer_group_metadata(),
        lambda: consumer.get_watermark_offsets(here),
        lambda: consumer.offsets_for_times([here]),
    ]
    for call in calls:
        with pytest.raises(RuntimeError, match="Consumer closed"):
            call()
    for call in (lambda: consumer.list_topics(timeout=1), lambda: consumer.cluster_id(timeout=1)):
        with pytest.raises(RuntimeError, match="Handle has been closed"):
            call()


def test_lookups_on_an_unreachable_cluster_end_with_the_timeout(make_consumer: MakeConsumer) -> None:
    consumer = make_consumer({"bootstrap.servers": UNREACHABLE, "log_level": 0})
    here = TopicPartition("anything", 0, 0)
    for call in (
        lambda: consumer.list_topics(timeout=0.2),
        lambda: consumer.get_watermark_offsets(here, timeout=0.2),
        lambda: consumer.offsets_for_times([here], timeout=0.2),
        lambda: consumer.committed([here], timeout=0.2),
    ):
        with pytest.raises(KafkaException) as caught:
            call()
        assert caught.value.args[0].code() in (
            KafkaError._TIMED_OUT,
            KafkaError._TRANSPORT,
            KafkaError._WAIT_COORD,
            KafkaError._ALL_BROKERS_DOWN,
        )


def test_a_poll_that_finds_a_message_does_not_wait_for_its_timeout(
    make_topic: MakeTopic, producer: Producer, consumer: Consumer
) -> None:
    topic = make_topic()
    consumer.assign(at_start(topic))
    produce_all(producer, topic, numbers(1))
    begin = time.monotonic()
    message = consumer.poll(10 * DEADLINE)
    assert message is not None
    assert message.value() == b"0"
    assert time.monotonic() - begin < 5 * DEADLINE
