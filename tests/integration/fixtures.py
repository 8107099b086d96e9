# SPDX-License-Identifier: Apache-2.0
"""Clients and topics of the real-broker lanes; every client made here is closed after its test."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from confluent_kafka import Consumer, Producer
from tests.integration.kit import MakeConsumer, MakeProducer, MakeTopic, unique_name
from tests.support.broker import KafkaBroker


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "beyond_peer: uses or expects what confluent-kafka does not have or does wrong")


@pytest.fixture
def make_topic(broker: KafkaBroker) -> MakeTopic:
    def make(partitions: int = 1, /, **config: str) -> str:
        properties = {key.replace("_", "."): value for key, value in config.items()}
        return broker.create_topic(unique_name("topic"), partitions, properties)

    return make


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    """Closes the clients of a test after it, the last made first."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def make_producer(broker: KafkaBroker, closing: ExitStack) -> MakeProducer:
    def make(conf: dict[str, Any] | None = None, /) -> Producer:
        producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 1, **(conf or {})})
        closing.callback(_close_producer, producer)
        return producer

    return make


def _close_producer(producer: Producer) -> None:
    """Close without waiting for messages, or for a transaction, that a test left behind on purpose."""
    with contextlib.suppress(RuntimeError), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        producer.purge()
        producer.close()


@pytest.fixture
def make_consumer(broker: KafkaBroker, closing: ExitStack) -> MakeConsumer:
    def make(conf: dict[str, Any] | None = None, /) -> Consumer:
        defaults = {
            "bootstrap.servers": broker.bootstrap,
            "group.id": unique_name("group"),
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 100,
        }
        consumer = Consumer({**defaults, **(conf or {})})
        closing.callback(consumer.close)
        return consumer

    return make


@pytest.fixture
def producer(make_producer: MakeProducer) -> Producer:
    return make_producer()


@pytest.fixture
def consumer(make_consumer: MakeConsumer) -> Consumer:
    return make_consumer()
