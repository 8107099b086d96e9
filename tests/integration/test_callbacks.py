# SPDX-License-Identifier: Apache-2.0
"""error_cb, stats_cb, throttle_cb, logger and the rest: when they run, with what, and what a raising one does."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from tests.integration.kit import (
    DEADLINE,
    UNREACHABLE,
    MakeConsumer,
    MakeProducer,
    MakeTopic,
    eventually,
    produce_all,
    read,
    unique_name,
)
from tests.support.broker import KafkaBroker

Make = Callable[[dict[str, Any]], "Producer | Consumer"]


@pytest.fixture(params=["producer", "consumer"])
def make(request: pytest.FixtureRequest, make_producer: MakeProducer, make_consumer: MakeConsumer) -> Make:
    return make_producer if request.param == "producer" else make_consumer


def serve(client: Producer | Consumer, check: Callable[[], Any], what: str) -> None:
    eventually(lambda: (client.poll(0.05), check())[1], what)


def test_statistics(make: Make) -> None:
    reports: list[dict[str, Any]] = []
    threads: set[int] = set()

    def stats(text: str) -> None:
        assert isinstance(text, str)
        reports.append(json.loads(text))
        threads.add(threading.get_ident())

    name = unique_name("client")
    client = make({"stats_cb": stats, "statistics.interval.ms": 20, "client.id": name})
    serve(client, lambda: len(reports) >= 3, "three statistics")
    assert {report["client_id"] for report in reports} == {name}
    assert threads == {threading.get_ident()}


def test_the_logger_gets_what_librdkafka_says(make: Make) -> None:
    calls: list[tuple[Any, ...]] = []

    class Logger:
        def log(self, *arguments: Any) -> None:
            calls.append(arguments)

    client = make({"bootstrap.servers": UNREACHABLE, "logger": Logger(), "debug": "broker", "client.id": "named"})
    levels = {logging.DEBUG, logging.ERROR}
    serve(client, lambda: levels <= {call[0] for call in calls}, "debug and error lines")
    for _, form, facility, name, text in calls:
        assert form == "%s [%s] %s"
        assert all(isinstance(part, str) for part in (facility, name, text))
        assert name.startswith("named")


def test_a_logger_of_the_standard_library(make: Make) -> None:
    records: list[logging.LogRecord] = []
    logger = logging.Logger("of the test", logging.INFO)
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger.addHandler(handler)
    client = make({"bootstrap.servers": UNREACHABLE, "logger": logger})
    serve(client, lambda: records, "a log record")
    assert "UNREACHABLE" not in records[0].getMessage()
    assert UNREACHABLE in "".join(record.getMessage() for record in records)


def test_throttling_is_told(broker: KafkaBroker, make_topic: MakeTopic, make_producer: MakeProducer) -> None:
    name = unique_name("greedy")
    broker.tool(
        "kafka.admin.ConfigCommand",
        "--alter", "--add-config", "producer_byte_rate=2000", "--entity-type", "clients", "--entity-name", name,
    )  # fmt: skip
    events: list[Any] = []
    producer = make_producer({"client.id": name, "throttle_cb": events.append})
    topic = make_topic()

    def produce_more() -> list[Any]:
        if len(producer) < 5:
            producer.produce(topic, b"x" * 10_000)
        producer.poll(0.05)
        return events

    eventually(produce_more, "a throttle event")
    event = events[0]
    assert event.broker_id == 1
    assert isinstance(event.broker_name, str)
    assert isinstance(event.throttle_time, float)
    assert event.throttle_time > 0
    assert str(event) == f"{event.broker_name}/1 throttled for {int(event.throttle_time * 1000)} ms"
    producer.purge()


CALLBACKS: dict[str, dict[str, Any]] = {
    "error_cb": {"bootstrap.servers": UNREACHABLE, "log_level": 0},
    "stats_cb": {"statistics.interval.ms": 50},
}


@pytest.mark.parametrize("name", sorted(CALLBACKS))
def test_an_exception_in_a_callback_surfaces_and_the_next_one_runs(make: Make, name: str) -> None:
    calls: list[Any] = []

    def callback(argument: Any) -> None:
        calls.append(argument)
        raise LookupError(f"number {len(calls)}")

    client = make({**CALLBACKS[name], name: callback})
    caught: list[str] = []

    def step() -> bool:
        try:
            client.poll(0.1)
        except LookupError as error:
            caught.append(str(error))
        return len(caught) >= 2

    eventually(step, "two exceptions")
    assert caught[0] == "number 1"


def test_an_exception_in_the_logger_surfaces(make: Make) -> None:
    class Logger:
        def log(self, *arguments: Any) -> None:
            raise LookupError("in the logger")

    client = make({"bootstrap.servers": UNREACHABLE, "logger": Logger()})

    def step() -> bool:
        try:
            client.poll(0.1)
        except LookupError:
            return True
        return False

    eventually(step, "the exception")


def test_an_exception_in_on_commit_surfaces(
    make_topic: MakeTopic, make_consumer: MakeConsumer, producer: Producer
) -> None:
    def on_commit(error: KafkaError | None, offsets: list[TopicPartition]) -> None:
        raise LookupError("in on_commit")

    topic = make_topic()
    produce_all(producer, topic, [b"x"])
    consumer = make_consumer({"on_commit": on_commit, "enable.auto.commit": False})
    consumer.subscribe([topic])
    read(consumer, 1)
    consumer.commit()

    def step() -> bool:
        try:
            consumer.poll(0.1)
        except LookupError:
            return True
        return False

    eventually(step, "the exception")
    assert consumer.committed([TopicPartition(topic, 0)], DEADLINE)[0].offset == 1


@pytest.mark.parametrize(
    ("kind", "name", "value", "error"),
    [
        ("both", "error_cb", 5, TypeError),
        ("both", "error_cb", None, TypeError),
        ("both", "stats_cb", "text", TypeError),
        ("both", "oauth_cb", 5, TypeError),
        ("both", "throttle_cb", 5, ValueError),
        ("producer", "on_delivery", 5, KafkaException),
        ("producer", "on_delivery", None, KafkaException),
        ("producer", "delivery.report.only.error", 1, TypeError),
        ("consumer", "on_commit", 5, KafkaException),
    ],
)
def test_what_is_not_callable_is_refused_at_creation(
    broker: KafkaBroker, kind: str, name: str, value: Any, error: type[Exception]
) -> None:
    conf = {"bootstrap.servers": broker.bootstrap, name: value}
    if kind != "consumer":
        with pytest.raises(error):
            Producer(conf)
    if kind != "producer":
        with pytest.raises(error):
            Consumer({**conf, "group.id": "group"})


@pytest.mark.parametrize("polling", [False, pytest.param(True, marks=pytest.mark.beyond_peer)])
def test_a_delivery_callback_may_use_its_producer(make_topic: MakeTopic, producer: Producer, polling: bool) -> None:
    """The peer aborts the process when its callback polls."""
    topic = make_topic()
    delivered: list[Any] = []

    def again(error: KafkaError | None, message: Any) -> None:
        delivered.append(message.value())
        if len(delivered) < 5:
            producer.produce(topic, str(len(delivered)).encode(), on_delivery=again)
            if polling:
                producer.poll(0)

    producer.produce(topic, b"0", on_delivery=again)
    eventually(lambda: producer.flush(1) == 0 and len(delivered) == 5, "five deliveries")
    assert delivered == [b"0", b"1", b"2", b"3", b"4"]


def test_a_rebalance_callback_may_use_its_consumer(
    make_topic: MakeTopic, make_consumer: MakeConsumer, producer: Producer
) -> None:
    topic = make_topic()
    produce_all(producer, topic, [b"0", b"1", b"2", b"3", b"4"])
    inside: list[Any] = []

    def assigned(consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.assign(partitions)
        consumer.pause(partitions)
        inside.append((consumer.assignment(), consumer.position(partitions), consumer.memberid(), consumer.poll(0)))
        consumer.resume(partitions)
        inside.append(consumer.committed(partitions, DEADLINE)[0].offset)

    consumer = make_consumer({"partition.assignment.strategy": "range"})
    consumer.subscribe([topic], on_assign=assigned)
    assert len(read(consumer, 5)) == 5
    assert inside[0][0] == [TopicPartition(topic, 0)]
    assert inside[1] == -1001


@pytest.mark.beyond_peer
def test_closing_a_client_inside_its_own_callback_does_not_hang(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer
) -> None:
    topic, producer = make_topic(), make_producer()
    results: list[Any] = []

    def close(error: KafkaError | None, message: Any) -> None:
        try:
            results.append(producer.close())
        except RuntimeError as refused:
            results.append(refused)

    producer.produce(topic, b"x", on_delivery=close)
    try:
        producer.flush(DEADLINE)
    except RuntimeError:
        pass
    assert len(results) == 1
    consumer = make_consumer()
    closed: list[Any] = []

    def on_assign(consumer: Consumer, partitions: list[TopicPartition]) -> None:
        try:
            closed.append(consumer.close())  # type: ignore[func-returns-value]
        except RuntimeError as refused:
            closed.append(refused)

    consumer.subscribe([topic], on_assign=on_assign)

    def step() -> bool:
        try:
            consumer.poll(0.1)
        except RuntimeError:
            pass
        return bool(closed)

    eventually(step, "the assignment")
