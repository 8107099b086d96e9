# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing as closing_after
from typing import Any

import pytest

from confluent_kafka.aio import AIOConsumer, AIOProducer
from tests.aio.kit import LOOPS, MakeAIOConsumer, MakeAIOProducer, Run
from tests.aio.oauth_broker import OAuthBroker
from tests.aio.stage import Stage
from tests.integration.fixtures import (
    closing,
    consumer,
    make_consumer,
    make_producer,
    make_topic,
    producer,
    pytest_configure,
)
from tests.integration.kit import unique_name
from tests.integration.test_groups import group
from tests.support.broker import KafkaBroker

__all__ = [
    "closing",
    "consumer",
    "group",
    "make_consumer",
    "make_producer",
    "make_topic",
    "producer",
    "pytest_configure",
]


@pytest.fixture(scope="session", params=sorted(LOOPS))
def loop_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run(loop_kind: str) -> Run:
    return Run(LOOPS[loop_kind])


@pytest.fixture
def run_asyncio() -> Run:
    """For what takes seconds and does not depend on the loop: asyncio's own only."""
    return Run(LOOPS["asyncio"])


def producer_factory(run: Run, bootstrap: str) -> MakeAIOProducer:
    def make(conf: dict[str, Any] | None = None, /, **options: Any) -> AIOProducer:
        producer = AIOProducer({"bootstrap.servers": bootstrap, "linger.ms": 1, **(conf or {})}, **options)
        run.clients.append(producer)
        return producer

    return make


def consumer_factory(run: Run, bootstrap: str) -> MakeAIOConsumer:
    def make(conf: dict[str, Any] | None = None, /, **options: Any) -> AIOConsumer:
        defaults = {
            "bootstrap.servers": bootstrap,
            "group.id": unique_name("group"),
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 100,
        }
        consumer = AIOConsumer({**defaults, **(conf or {})}, **options)
        run.clients.append(consumer)
        return consumer

    return make


@pytest.fixture
def aio_producer(broker: KafkaBroker, run: Run) -> MakeAIOProducer:
    return producer_factory(run, broker.bootstrap)


@pytest.fixture
def aio_consumer(broker: KafkaBroker, run: Run) -> MakeAIOConsumer:
    return consumer_factory(run, broker.bootstrap)


@pytest.fixture(scope="session")
def own_broker() -> Iterator[OAuthBroker]:
    """A broker of this lane's own: tests may stop it, and one of its listeners wants OAuth tokens."""
    with OAuthBroker() as running:
        yield running


@pytest.fixture(scope="module")
def stage(loop_kind: str) -> Iterator[Stage]:
    with closing_after(Stage(loop_kind)) as running:
        yield running
