# SPDX-License-Identifier: Apache-2.0
"""What the producer offers beside confluent-kafka's interface: true batches, futures, waiting for room."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any

import pytest

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka.error import Error, QueueFullError
from tests.integration.kit import (
    DEADLINE,
    UNREACHABLE,
    MakeConsumer,
    MakeProducer,
    MakeTopic,
    eventually,
    read,
    values_of,
)
from tests.support.broker import KafkaBroker

pytestmark = pytest.mark.beyond_peer


def test_a_batch_honours_every_field_of_its_messages(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer
) -> None:
    topic, producer = make_topic(3), make_producer()
    reports: list[tuple[str, KafkaError | None, Any]] = []

    def named(name: str) -> Callable[[KafkaError | None, Message], None]:
        return lambda error, message: reports.append((name, error, message.value()))

    messages: list[Any] = [
        {"value": b"0", "key": b"k", "headers": [("h", b"1"), ("h", None)], "partition": 2, "timestamp": 1_111},
        {"value": "text", "headers": {"a": "é\0z"}, "partition": 0, "callback": named("own")},
        {"value": None, "key": b"tombstone", "partition": 1, "timestamp": None},
        {"value": bytearray(b"buffer"), "partition": 1},
        {},
        b"plain bytes",
        "plain text",
    ]
    assert producer.produce_batch(topic, messages, partition=2, on_delivery=named("batch")) == len(messages)
    assert producer.flush(DEADLINE) == 0
    assert sorted(reports, key=repr) == sorted(
        [
            ("own", None, b"text"),
            *(("batch", None, value) for value in (b"0", None, b"buffer", None, b"plain bytes", b"plain text")),
        ],
        key=repr,
    )
    assert all("_error" not in message for message in messages if isinstance(message, dict))
    consumer = make_consumer()
    consumer.subscribe([topic])
    seen = sorted(read(consumer, len(messages)), key=lambda message: (message.partition(), message.offset()))
    assert [(message.partition(), message.key(), message.value(), message.headers()) for message in seen] == [
        (0, None, b"text", [("a", "é\0z".encode())]),
        (1, b"tombstone", None, None),
        (1, None, b"buffer", None),
        (2, b"k", b"0", [("h", b"1"), ("h", None)]),
        (2, None, None, None),
        (2, None, b"plain bytes", None),
        (2, None, b"plain text", None),
    ]
    assert seen[3].timestamp() == (1, 1_111)


def test_a_batch_marks_what_the_queue_refused_and_takes_it_again(
    broker: KafkaBroker, make_topic: MakeTopic, make_producer: MakeProducer
) -> None:
    topic, producer = make_topic(), make_producer({"queue.buffering.max.messages": 10, "linger.ms": 200})
    messages: list[dict[str, Any]] = [{"value": str(number).encode()} for number in range(25)]
    reports: list[Any] = []
    left, rounds = messages, 0
    while left:
        taken = producer.produce_batch(
            topic, left, on_delivery=lambda error, message: reports.append((error, message.value()))
        )
        refused = [message for message in left if "_error" in message]
        assert taken == len(left) - len(refused)
        if rounds == 0:
            assert taken == 10
            assert {message["_error"].code() for message in refused} == {KafkaError._QUEUE_FULL}
        assert producer.flush(DEADLINE) == 0
        left, rounds = refused, rounds + 1
    assert reports == [(None, str(number).encode()) for number in range(25)]
    assert broker.offsets(topic) == (0, 25)


@pytest.mark.parametrize(
    ("messages", "error", "text"),
    [
        (({"value": b"x"},), TypeError, "messages must be a list"),
        ([{"value": b"x"}, 5], TypeError, "index 1"),
        ([{"value": b"x"}, {"value": 5}], TypeError, "index 1"),
        ([{"value": b"x"}, {"key": 5}], TypeError, "index 1"),
        ([{"value": b"x"}, {"partition": "0"}], TypeError, "Message partition at index 1 must be int"),
        ([{"value": b"x"}, {"headers": 5}], ValueError, "Invalid headers at index 1"),
    ],
)
def test_a_batch_with_a_malformed_message_produces_nothing(
    make_topic: MakeTopic, make_producer: MakeProducer, messages: Any, error: type[Exception], text: str
) -> None:
    producer = make_producer()
    with pytest.raises(error, match=text):
        producer.produce_batch(make_topic(), messages)
    assert len(producer) == 0


def test_send_resolves_its_future_without_anyone_polling(make_topic: MakeTopic, make_producer: MakeProducer) -> None:
    topic, producer = make_topic(), make_producer()
    futures = [producer.send(topic, str(number), key=b"k", headers={"a": "b"}, timestamp=5) for number in range(100)]
    assert all(isinstance(future, concurrent.futures.Future) for future in futures)
    messages = [future.result(DEADLINE) for future in futures]
    assert [message.offset() for message in messages] == list(range(100))
    assert values_of(messages) == [str(number).encode() for number in range(100)]
    assert messages[0].topic() == topic
    assert messages[0].key() == b"k"
    assert messages[0].timestamp() == (1, 5)


def test_a_failed_send_ends_in_the_exception_of_its_future(make_topic: MakeTopic, make_producer: MakeProducer) -> None:
    producer = make_producer()
    future = producer.send(make_topic(max_message_bytes="1000"), b"x" * 5_000)
    error = future.exception(DEADLINE)
    assert isinstance(error, KafkaException)
    assert error.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE


def test_futures_and_callbacks_do_not_take_each_others_reports(
    make_topic: MakeTopic, make_producer: MakeProducer
) -> None:
    topic, producer = make_topic(), make_producer()
    reports: list[Any] = []
    futures = []
    for number in range(200):
        if number % 2:
            futures.append(producer.send(topic, str(number)))
        else:
            producer.produce(topic, str(number), on_delivery=lambda error, message: reports.append(message.value()))
    assert {future.result(DEADLINE).value() for future in futures} == {str(n).encode() for n in range(1, 200, 2)}
    assert producer.flush(DEADLINE) == 0
    assert reports == [str(n).encode() for n in range(0, 200, 2)]


def test_done_callbacks_may_use_the_producer(make_topic: MakeTopic, make_producer: MakeProducer) -> None:
    topic, producer = make_topic(), make_producer()
    second: list[concurrent.futures.Future[Message]] = []
    producer.send(topic, b"first").add_done_callback(lambda done: second.append(producer.send(topic, b"second")))
    eventually(lambda: second, "the done callback")
    assert second[0].result(DEADLINE).offset() == 1


def test_futures_of_purged_and_closed_producers_end(make_producer: MakeProducer) -> None:
    producer = make_producer({"bootstrap.servers": UNREACHABLE, "log_level": 0})
    future = producer.send("anything", b"x")
    assert not future.done()
    producer.purge()
    error = future.exception(DEADLINE)
    assert isinstance(error, KafkaException)
    assert error.args[0].code() == KafkaError._PURGE_QUEUE


def test_block_waits_for_room(broker: KafkaBroker, make_topic: MakeTopic, make_producer: MakeProducer) -> None:
    topic = make_topic()
    producer = make_producer({"queue.buffering.max.messages": 10})
    served: list[Any] = []
    for _ in range(300):
        producer.produce(topic, b"x", block=DEADLINE, on_delivery=lambda error, message: served.append(error))
    assert producer.flush(DEADLINE) == 0
    assert served == [None] * 300
    assert broker.offsets(topic) == (0, 300)


def test_block_waits_without_limit_when_negative_and_room_may_come_from_another_thread(
    make_producer: MakeProducer,
) -> None:
    producer = make_producer({"bootstrap.servers": UNREACHABLE, "log_level": 0, "queue.buffering.max.messages": 1})
    producer.produce("anything", b"first")
    accepted = threading.Event()

    def wait_for_room() -> None:
        producer.produce("anything", b"second", block=-1)
        accepted.set()

    thread = threading.Thread(target=wait_for_room, daemon=True)
    thread.start()
    assert not accepted.is_set()

    def make_room() -> bool:
        if not accepted.is_set():
            producer.purge()
            producer.poll(0.01)
        return accepted.is_set()

    eventually(make_room, "room in the queue")
    thread.join(DEADLINE)
    assert not thread.is_alive()


@pytest.mark.parametrize("block", [None, 0, 0.05])
def test_a_queue_that_stays_full_is_told_by_name(make_producer: MakeProducer, block: float | None) -> None:
    producer = make_producer({"bootstrap.servers": UNREACHABLE, "log_level": 0, "queue.buffering.max.messages": 1})
    producer.produce("anything", b"first")
    with pytest.raises(BufferError, match="Queue full") as caught:
        producer.produce("anything", b"second", block=block)
    assert isinstance(caught.value, QueueFullError)
    assert isinstance(caught.value, Error)
    assert not isinstance(caught.value, KafkaException)
    assert len(producer) == 1
