# SPDX-License-Identifier: Apache-2.0
"""Delivery while the broker dies, freezes and comes back: every message is delivered or reported, and that once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition
from tests.integration.kit import (
    DEADLINE,
    UNREACHABLE,
    MakeConsumer,
    MakeProducer,
    MakeTopic,
    eventually,
    produce_all,
    read,
    report_of,
    values_of,
)
from tests.support.broker import KafkaBroker

QUEUE = 2_000


@pytest.fixture(scope="module")
def own_broker() -> Iterator[KafkaBroker]:
    with KafkaBroker() as running:
        yield running


@pytest.fixture
def broker(own_broker: KafkaBroker) -> KafkaBroker:
    """These tests stop their broker, so it is not the run's common one."""
    return own_broker


class Flow:
    """Produces numbered messages in a thread until stopped, and counts the reports of each."""

    def __init__(self, producer: Producer, topic: str) -> None:
        self._producer, self._topic = producer, topic
        self._stop = threading.Event()
        self.produced = 0
        self.reports: Counter[int] = Counter()
        self.errors: list[KafkaError] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._producer.produce(self._topic, str(self.produced).encode(), on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(0.05)
                continue
            self.produced += 1
            self._producer.poll(0 if self.produced % 100 else 0.01)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        value = message.value()
        assert value is not None
        self.reports[int(value)] += 1
        if error is not None:
            self.errors.append(error)

    def fill(self) -> None:
        """Wait until the queue is full, as it becomes when nothing is delivered."""
        eventually(
            lambda: self.produced - len(self.reports) >= QUEUE or not self._thread.is_alive(),
            f"{QUEUE} messages queued",
        )
        assert self._thread.is_alive()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        assert self._producer.flush(2 * DEADLINE) == 0
        assert self.reports == Counter(range(self.produced)), "each message has one report"


@pytest.mark.parametrize("fault", ["kill", "pause"])
@pytest.mark.parametrize("idempotence", [False, True], ids=["plain", "idempotent"])
def test_nothing_is_lost_while_the_broker_is_away(
    broker: KafkaBroker,
    make_topic: MakeTopic,
    make_producer: MakeProducer,
    make_consumer: MakeConsumer,
    fault: str,
    idempotence: bool,
) -> None:
    topic = make_topic()
    conf = {
        "enable.idempotence": idempotence,
        "queue.buffering.max.messages": QUEUE,
        "socket.timeout.ms": 1_000,
        "reconnect.backoff.max.ms": 200,
        "log_level": 0,
    }
    flow = Flow(make_producer(conf), topic)
    eventually(lambda: len(flow.reports) > 500, "the first deliveries")
    if fault == "kill":
        broker.kill()
        flow.fill()
        broker.restart()
    else:
        broker.pause()
        try:
            flow.fill()
        finally:
            broker.resume()
    before = len(flow.reports)
    eventually(lambda: len(flow.reports) > before + 3_000, "deliveries after the fault", 2 * DEADLINE)
    flow.end()
    assert flow.errors == []
    end = broker.offsets(topic)[1]
    consumer = make_consumer()
    consumer.assign([TopicPartition(topic, 0, 0)])
    seen = [int(value) for value in values_of(read(consumer, end))]
    if idempotence:
        assert seen == list(range(flow.produced))
    else:
        assert set(seen) == set(range(flow.produced))


def test_a_consumer_reads_on_after_a_restart(
    broker: KafkaBroker, make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer
) -> None:
    topic, producer = make_topic(), make_producer({"log_level": 0, "reconnect.backoff.max.ms": 200})
    consumer = make_consumer({"log_level": 0, "reconnect.backoff.max.ms": 200})
    consumer.subscribe([topic])
    produce_all(producer, topic, [b"before"])
    assert values_of(read(consumer, 1)) == [b"before"]
    broker.kill()
    broker.restart()
    produce_all(producer, topic, [b"after"])
    seen: list[Any] = []

    def step() -> bool:
        message = consumer.poll(0.2)
        # Errors of the connection may be told meanwhile; records may not be lost or repeated.
        if message is not None and message.error() is None:
            seen.append(message.value())
        return bool(seen)

    eventually(step, "the record after the restart")
    assert seen == [b"after"]


def test_message_timeout_ends_in_one_error(make_producer: MakeProducer) -> None:
    producer = make_producer({"bootstrap.servers": UNREACHABLE, "message.timeout.ms": 300, "log_level": 0})
    reports: list[tuple[KafkaError | None, Message]] = []
    for _ in range(10):
        producer.produce("anything", b"x", on_delivery=lambda error, message: reports.append((error, message)))
    assert producer.flush(DEADLINE) == 0
    producer.poll(0.1)
    assert len(reports) == 10
    for error, message in reports:
        assert error is not None
        assert error.code() == KafkaError._MSG_TIMED_OUT
        assert message.error() == error
        assert (message.value(), message.offset(), message.timestamp()) == (b"x", None, (0, -1))


@pytest.mark.beyond_peer
def test_message_timeout_ends_the_future_too(make_producer: MakeProducer) -> None:
    producer = make_producer({"bootstrap.servers": UNREACHABLE, "message.timeout.ms": 300, "log_level": 0})
    calls: list[Any] = []
    futures = [producer.send("anything", b"x") for _ in range(10)]
    for future in futures:
        future.add_done_callback(calls.append)
    for future in futures:
        error = future.exception(DEADLINE)
        assert isinstance(error, KafkaException)
        assert error.args[0].code() == KafkaError._MSG_TIMED_OUT
    eventually(lambda: len(calls) == 10, "ten done callbacks")
    assert calls == futures


def test_retries_0_ends_in_one_error_after_one_try(
    broker: KafkaBroker, make_topic: MakeTopic, make_producer: MakeProducer
) -> None:
    topic = make_topic()
    conf = {"retries": 0, "socket.timeout.ms": 1_000, "request.timeout.ms": 1_000, "linger.ms": 0, "log_level": 0}
    producer = make_producer(conf)
    assert report_of(producer, topic)[0] is None
    broker.pause()
    try:
        error, message = report_of(producer, topic, b"never")
    finally:
        broker.resume()
    assert error is not None
    # The one request may have timed out or its connection may have been given up.
    assert error.code() in (KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._MSG_TIMED_OUT)
    assert message.value() == b"never"
    assert eventually(lambda: report_of(producer, topic)[0] is None, "a delivery after the fault")


def test_purge_of_what_is_in_flight(broker: KafkaBroker, make_topic: MakeTopic, make_producer: MakeProducer) -> None:
    topic, producer = make_topic(), make_producer({"linger.ms": 0, "log_level": 0})
    assert report_of(producer, topic)[0] is None
    errors: list[Any] = []
    broker.pause()
    try:
        producer.produce(topic, b"x", on_delivery=lambda error, message: errors.append(error))

        def purge() -> list[Any]:
            producer.purge(in_queue=False, in_flight=True)
            producer.poll(0.1)
            return errors

        eventually(purge, "the report of the purged message")
    finally:
        broker.resume()
    assert [error.code() for error in errors] == [KafkaError._PURGE_INFLIGHT]
    assert producer.flush(DEADLINE) == 0
    assert len(errors) == 1


def test_flush_waits_for_a_broker_that_comes_back(
    broker: KafkaBroker, make_topic: MakeTopic, make_producer: MakeProducer
) -> None:
    topic, producer = make_topic(), make_producer({"log_level": 0, "reconnect.backoff.max.ms": 200})
    assert report_of(producer, topic)[0] is None
    broker.kill()
    reports: list[Any] = []
    for _ in range(10):
        producer.produce(topic, b"x", on_delivery=lambda error, message: reports.append(error))
    assert producer.flush(0.2) == 10
    broker.restart()
    assert producer.flush(2 * DEADLINE) == 0
    assert reports == [None] * 10


def test_a_down_cluster_is_told_to_error_cb(make_producer: MakeProducer) -> None:
    errors: list[KafkaError] = []
    producer = make_producer({"bootstrap.servers": UNREACHABLE, "error_cb": errors.append, "log_level": 0})
    eventually(
        lambda: (
            producer.poll(0.1) is None
            or {error.code() for error in errors}
            >= {
                KafkaError._TRANSPORT,
                KafkaError._ALL_BROKERS_DOWN,
            }
        ),
        "both errors",
    )
    assert not any(error.fatal() for error in errors)
