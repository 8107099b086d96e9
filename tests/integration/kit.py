# SPDX-License-Identifier: Apache-2.0
"""What the real-broker lanes share: waiting for conditions, small clients, a look into the broker's log files."""

from __future__ import annotations

import struct
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from confluent_kafka import Consumer, KafkaError, Message, Producer
from tests.support.broker import KafkaBroker

T = TypeVar("T")
DEADLINE = 60.0
"""Seconds a condition may take on a busy machine; a test that passes never needs them."""
UNREACHABLE = "127.0.0.1:1"
"""An address nobody listens on: connections are refused at once."""


class MakeTopic(Protocol):
    def __call__(self, partitions: int = 1, /, **config: str) -> str:
        """Create a topic; ``max_message_bytes="1"`` sets ``max.message.bytes``. Returns its unique name."""


class MakeProducer(Protocol):
    def __call__(self, conf: dict[str, Any] | None = None, /) -> Producer:
        """A producer on the test's broker, closed after the test."""


class MakeConsumer(Protocol):
    def __call__(self, conf: dict[str, Any] | None = None, /) -> Consumer:
        """A consumer on the test's broker in a group of its own, reading from the start, closed after the test."""


def unique_name(prefix: str) -> str:
    """A topic, group or transaction name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def eventually(check: Callable[[], T], what: str, deadline: float = DEADLINE) -> T:
    """Call ``check`` until it returns something true; fail with ``what`` after ``deadline`` seconds."""
    end = time.monotonic() + deadline
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline:.0f} s: {what} (last result: {result!r})")
        time.sleep(0.01)


def produce_all(producer: Producer, topic: str, values: Iterable[bytes | None], **options: Any) -> list[Message]:
    """Produce every value, wait for all, and return the delivery reports in the order they came."""
    reports: list[Message] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        assert error is None, error
        reports.append(message)

    count = 0
    for value in values:
        producer.produce(topic, value, on_delivery=delivered, **options)
        count += 1
    assert producer.flush(DEADLINE) == 0
    assert len(reports) == count
    return reports


def report_of(producer: Producer, topic: str, value: Any = b"x", **options: Any) -> tuple[KafkaError | None, Message]:
    """Produce one message and return its delivery report, successful or not."""
    reports: list[tuple[KafkaError | None, Message]] = []
    producer.produce(topic, value, on_delivery=lambda error, message: reports.append((error, message)), **options)
    eventually(lambda: producer.poll(0.1) is None or reports, "the delivery report")
    assert len(reports) == 1
    return reports[0]


def read(consumer: Consumer, count: int, deadline: float = DEADLINE) -> list[Message]:
    """Poll until ``count`` records have arrived; any error message fails the test."""
    messages: list[Message] = []
    end = time.monotonic() + deadline
    while len(messages) < count:
        assert time.monotonic() < end, f"only {len(messages)} of {count} records within {deadline:.0f} s"
        message = consumer.poll(0.2)
        if message is None:
            continue
        assert message.error() is None, message.error()
        messages.append(message)
    return messages


def poll_until(consumer: Consumer, check: Callable[[], T], what: str, deadline: float = DEADLINE) -> T:
    """Poll (a record arriving meanwhile fails the test) until ``check`` returns something true."""

    def step() -> T:
        message = consumer.poll(0.05)
        assert message is None, f"unexpected {message!r} while waiting for {what}"
        return check()

    return eventually(step, what, deadline)


def values_of(messages: Iterable[Message]) -> list[Any]:
    return [message.value() for message in messages]


@dataclass(frozen=True)
class Batch:
    """One record batch as the broker stored it (Kafka protocol, record batch version 2)."""

    codec: str
    producer_id: int
    records: int
    transactional: bool


CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def stored_batches(broker: KafkaBroker, topic: str, partition: int = 0) -> Iterator[Batch]:
    """Read the batches of a partition from the broker's log: proof that does not rest on the client under test."""
    for segment in sorted((broker.directory / "data" / f"{topic}-{partition}").glob("*.log")):
        raw = segment.read_bytes()
        at = 0
        while at + 61 <= len(raw):
            length, _epoch, magic, _crc, attributes = struct.unpack_from(">iiBIh", raw, at + 8)
            if length <= 0:
                break
            assert magic == 2, f"record batch version {magic}"
            producer_id, _producer_epoch, _sequence, records = struct.unpack_from(">qhii", raw, at + 43)
            yield Batch(CODECS[attributes & 7], producer_id, records, bool(attributes & 0x10))
            at += 12 + length
