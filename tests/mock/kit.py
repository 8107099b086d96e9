# SPDX-License-Identifier: Apache-2.0
"""What the embedded-cluster tests share: waiting for conditions, small clients, scripts run in their own process."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, Message, Producer
from confluent_kafka.testing import MockCluster

T = TypeVar("T")
DEADLINE = 60.0
"""Seconds a condition may take on a busy machine; a test that passes never needs them."""


def unique_name(prefix: str) -> str:
    """A topic, group or transaction name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def eventually(check: Callable[[], T], what: str) -> T:
    """Call ``check`` until it returns something true; fail with ``what`` after the deadline."""
    end = time.monotonic() + DEADLINE
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {DEADLINE:.0f} s: {what} (last result: {result!r})")
        time.sleep(0.01)


def settings(cluster: MockCluster, **options: Any) -> dict[str, Any]:
    """Configuration of a client that retries and reconnects at once; ``linger_ms=5`` sets ``linger.ms``."""
    return {
        "bootstrap.servers": cluster.bootstrap_servers,
        "reconnect.backoff.ms": 1,
        "reconnect.backoff.max.ms": 20,
        "retry.backoff.ms": 1,
        "retry.backoff.max.ms": 20,
        # Losing a broker is what these tests do: nobody wants to read about it on stderr.
        "log_level": 0,
    } | {name.replace("_", "."): value for name, value in options.items()}


_producers: list[Producer] = []


def producer_on(cluster: MockCluster, **options: Any) -> Producer:
    """A producer that :func:`close_producers` closes after the test."""
    producer = Producer(settings(cluster, **options))
    _producers.append(producer)
    return producer


def close_producers() -> None:
    while _producers:
        _producers.pop().close()


def consumer_on(cluster: MockCluster, topics: list[str], **options: Any) -> Consumer:
    """A consumer that reads the topics from the start, in a group of its own unless ``group_id`` is given."""
    defaults = {"group_id": unique_name("group"), "auto_offset_reset": "earliest", "enable_auto_commit": False}
    consumer = Consumer(settings(cluster, **(defaults | options)))
    consumer.subscribe(topics)
    return consumer


class Reports:
    """Delivery reports, in the order they came."""

    def __init__(self) -> None:
        self.errors: list[KafkaError | None] = []
        self.messages: list[Message] = []

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        self.errors.append(error)
        self.messages.append(message)

    @property
    def codes(self) -> list[int]:
        return [0 if error is None else error.code() for error in self.errors]


def produce(producer: Producer, topic: str, values: Iterable[bytes] = (b"x",), **options: Any) -> Reports:
    """Produce, wait for every delivery report and return them."""
    reports = Reports()
    count = 0
    for value in values:
        producer.produce(topic, value, on_delivery=reports, **options)
        count += 1
    assert producer.flush(DEADLINE) == 0
    assert len(reports.errors) == count
    return reports


def read(consumer: Consumer, count: int) -> list[Message]:
    """The next ``count`` messages; errors reported in between that the consumer goes on after are left out."""
    messages: list[Message] = []
    end = time.monotonic() + DEADLINE
    while len(messages) < count:
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            messages.append(message)
        assert time.monotonic() < end, f"{len(messages)} of {count} messages within {DEADLINE:.0f} s"
    return messages


def values_of(messages: Iterable[Message]) -> list[bytes]:
    return [message.value() for message in messages]


def run_script(script: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python source in a process of its own, which must end by itself within the deadline."""
    command = [sys.executable, "-W", "error", "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False, **options)
