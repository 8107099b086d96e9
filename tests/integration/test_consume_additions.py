# SPDX-License-Identifier: Apache-2.0
"""What the consumer offers beside confluent-kafka's interface: iteration, early batches, wakeup, lag, subscription."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition
from tests.integration.kit import DEADLINE, MakeTopic, eventually, poll_until, produce_all, read, values_of

pytestmark = pytest.mark.beyond_peer


def in_thread(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run ``work`` beside the test; its result or exception is appended to the list."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, results


@pytest.fixture
def topic(make_topic: MakeTopic, producer: Producer) -> str:
    """A topic with the values b"0" to b"99"."""
    name = make_topic()
    produce_all(producer, name, [str(number).encode() for number in range(100)])
    return name


def test_iteration_gives_message_after_message(topic: str, consumer: Consumer) -> None:
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    seen: list[Any] = []
    for message in consumer:
        seen.append(message.value())
        if len(seen) == 50:
            break
    for message in consumer:
        seen.append(message.value())
        if len(seen) == 100:
            break
    assert seen == [str(number).encode() for number in range(100)]


@pytest.mark.parametrize("end", ["wakeup", "close"])
def test_iteration_ends_by_wakeup_and_close(topic: str, consumer: Consumer, end: str) -> None:
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    seen: list[Message] = []

    def work() -> str:
        seen.extend(consumer)
        return "ended"

    thread, results = in_thread(work)
    eventually(lambda: consumer.position([TopicPartition(topic, 0)])[0].offset == 100, "all records read")
    getattr(consumer, end)()
    thread.join(DEADLINE)
    assert results == ["ended"]
    assert len(seen) == 100


def test_batches_return_early_with_what_is_there(topic: str, consumer: Consumer) -> None:
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    seen: list[Any] = []
    for batch in consumer.batches(1_000, 10 * DEADLINE):
        assert isinstance(batch, list)
        seen += values_of(batch)
        if len(seen) >= 100:
            break
    assert seen == [str(number).encode() for number in range(100)]


def test_batches_are_at_most_as_long_as_asked(topic: str, consumer: Consumer) -> None:
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    seen: list[Any] = []
    for batch in consumer.batches(7, 1):
        assert len(batch) <= 7
        seen += values_of(batch)
        if len(seen) == 100:
            break
    assert seen == [str(number).encode() for number in range(100)]


@pytest.mark.parametrize("end", ["wakeup", "close"])
def test_batches_end_by_wakeup_and_close(topic: str, consumer: Consumer, end: str) -> None:
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    read(consumer, 100)
    thread, results = in_thread(lambda: sum(len(batch) for batch in consumer.batches(10, DEADLINE)))
    # A wakeup before the thread waits ends its wait all the same: both orders must work.
    getattr(consumer, end)()
    thread.join(DEADLINE)
    assert results == [0]


def test_wakeup_without_a_waiting_call_ends_the_next_one(topic: str, consumer: Consumer) -> None:
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    read(consumer, 100)
    consumer.wakeup()
    thread, results = in_thread(lambda: consumer.poll(10 * DEADLINE))
    thread.join(DEADLINE)
    assert results == [None]
    consumer.seek(TopicPartition(topic, 0, 99))
    assert values_of(read(consumer, 1)) == [b"99"]


def test_lag(topic: str, producer: Producer, consumer: Consumer) -> None:
    here = TopicPartition(topic, 0)
    consumer.subscribe([topic])
    read(consumer, 30)
    eventually(lambda: consumer.lag() == {here: 70}, "a lag of 70")
    read(consumer, 70)
    eventually(lambda: consumer.lag() == {here: 0}, "no lag")
    produce_all(producer, topic, [b"x"] * 5)
    consumer.pause([here])
    eventually(lambda: consumer.lag()[here] in (0, 5), "the lag")


def test_subscription(make_topic: MakeTopic, consumer: Consumer) -> None:
    first, second = make_topic(), make_topic()
    assert consumer.subscription() == []
    consumer.subscribe([first, second])
    assert sorted(consumer.subscription()) == sorted([first, second])
    consumer.subscribe([second])
    assert consumer.subscription() == [second]
    poll_until(consumer, consumer.assignment, "an assignment")
    consumer.unsubscribe()
    assert consumer.subscription() == []
