# SPDX-License-Identifier: Apache-2.0
"""What the tests of the asyncio clients with (de)serializers share."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.aio import AsyncDeserializingConsumer, AsyncSerializingProducer
from confluent_kafka.serialization import SerializationContext
from confluent_kafka.testing import MockCluster
from tests.mock.kit import DEADLINE, settings, unique_name

T = TypeVar("T")
BAD = b"\xff"


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function on a loop of its own, against a deadline; nothing may end up in its handler."""
    noise: list[Any] = []

    async def against() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: noise.append(context))
        return await asyncio.wait_for(main(), DEADLINE)

    result = asyncio.run(against())
    gc.collect()  # coroutines and tasks that nobody looked at complain now
    assert noise == []
    return result


async def until(check: Callable[[], bool], what: str) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + DEADLINE
    while not check():
        assert loop.time() < end, what
        await asyncio.sleep(0.002)


def fill_topic(
    cluster: MockCluster, topic: str, *values: bytes | None, key: bytes | None = None, headers: Any = None
) -> None:
    """Produce raw values to partition 0."""
    with Producer(settings(cluster)) as producer:
        for value in values:
            producer.produce(topic, value, key, partition=0, headers=headers)
        assert producer.flush(DEADLINE) == 0


def producer_of(cluster: MockCluster, key: Any = None, value: Any = None, **options: Any) -> Any:
    return AsyncSerializingProducer(settings(cluster) | {"key.serializer": key, "value.serializer": value, **options})


def consumer_of(cluster: MockCluster, key: Any = None, value: Any = None, **options: Any) -> Any:
    conf = settings(cluster, group_id=unique_name("group"), auto_offset_reset="earliest", enable_auto_commit=False)
    return AsyncDeserializingConsumer(conf | {"key.deserializer": key, "value.deserializer": value, **options})


async def reading(cluster: MockCluster, topic: str, key: Any = None, value: Any = None, **options: Any) -> Any:
    """A consumer that reads the topic from its start."""
    consumer = consumer_of(cluster, key, value, **options)
    await consumer.assign([TopicPartition(topic, 0, 0)])
    return consumer


def client_of(kind: str, cluster: MockCluster, **options: Any) -> Any:
    return producer_of(cluster, **options) if kind == "serializer" else consumer_of(cluster, **options)


def values(messages: list[Any]) -> list[Any]:
    return [message.value() for message in messages]


def awaited(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same as a coroutine function that really waits."""

    async def call(obj: Any, ctx: Any) -> Any:
        await asyncio.sleep(0)
        return function(obj, ctx)

    return call


# Each of these makes a (de)serializer out of a plain one.
FORMS = [pytest.param(lambda serde: serde, id="plain"), pytest.param(awaited, id="awaited")]
KINDS = ["serializer", "deserializer"]


class Spy:
    """A (de)serializer that notes what it is given."""

    def __init__(self, result: Any = None, error: Exception | None = None, log: list[str] | None = None) -> None:
        self.calls: list[tuple[Any, Any, Any]] = []
        self.contexts: list[SerializationContext] = []
        self.result, self.error = result, error
        self.log = [] if log is None else log

    def __call__(self, obj: Any, ctx: SerializationContext) -> Any:
        self.calls.append((obj, ctx.topic, ctx.field))
        self.contexts.append(ctx)
        if self.error is not None:
            raise self.error
        return obj if self.result is None else self.result

    def close(self) -> None:
        self.log.append("close")


class AsyncSpy(Spy):
    """Closed by ``aclose``, which raises ``closing_error``."""

    closing_error: Exception | None = None

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.log.append("aclose")
        if self.closing_error is not None:
            raise self.closing_error


class Build:
    """A plain builder."""

    def __init__(self, serde: Any) -> None:
        self.serde = serde

    def build(self, conf: dict[str, Any], is_key: bool) -> Any:
        return self.serde, {name: value for name, value in conf.items() if not name.startswith("mine.")}


class AsyncBuild(Build):
    """A builder that has to be awaited; waits for ``go`` if there is one."""

    def __init__(self, serde: Any, error: Exception | None = None, gated: bool = False) -> None:
        super().__init__(serde)
        self.error, self.gated = error, gated
        self.begun = self.ended = 0
        self.go = asyncio.Event()

    async def build(self, conf: dict[str, Any], is_key: bool) -> Any:
        self.begun += 1
        await asyncio.sleep(0)
        if self.gated:
            await self.go.wait()
        self.ended += 1
        if self.error is not None:
            raise self.error
        return super().build(conf, is_key)
