# SPDX-License-Identifier: Apache-2.0
"""Where the property tests play: an embedded cluster with clients on one loop, and a record of what was produced."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.aio import AIOConsumer, AIOProducer
from confluent_kafka.error import QueueFullError
from confluent_kafka.testing import MockCluster
from tests.aio.kit import LOOPS, cancel_all, end, settle, within
from tests.mock.kit import settings, unique_name

PRELOADED = 8
PARTITIONS = 2
"""Partitions that one schedule has for itself."""
SLOTS = 60
"""Schedules that share a topic."""


class Stage:
    """A cluster, a loop and clients on it, for many schedules."""

    def __init__(self, kind: str) -> None:
        self.noise: list[dict[str, Any]] = []
        self.loop = LOOPS[kind]()
        self.loop.set_exception_handler(lambda _loop, context: self.noise.append(context))
        self.cluster = MockCluster(brokers=1)
        # A member that went before it had quite joined is missed after its session only.
        self.cluster.set_group_consumer_session_timeout(1_000)
        self.cluster.set_group_consumer_heartbeat_interval(50)
        # The mock broker answers an empty fetch after this time only, whatever arrives meanwhile.
        self.quick = settings(self.cluster, fetch_wait_max_ms=2, linger_ms=0)
        self.producer = AIOProducer(self.quick)
        self.consumer = self.consumer_in(unique_name("group"), enable_auto_commit=False)
        self._slots = iter(())
        self._played = itertools.count(1)

    def consumer_in(self, group: str, **options: Any) -> AIOConsumer:
        conf = {name.replace("_", "."): value for name, value in options.items()}
        return AIOConsumer({**self.quick, "group.id": group, "auto.offset.reset": "earliest", **conf})

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run on the stage's loop; fails on noise and on tasks that are left over."""
        try:
            self.loop.run_until_complete(main())
            self.loop.run_until_complete(settle())
        except BaseException:
            # A schedule that failed must not take part in the next one.
            self.loop.run_until_complete(cancel_all(self.loop))
            raise
        # Collecting takes longer than a schedule; what it would complain about does not go away.
        if next(self._played) % 50 == 0:
            gc.collect()
        assert not self.noise, self.noise
        assert not asyncio.all_tasks(self.loop)

    def slot(self) -> tuple[str, list[int]]:
        """A topic, and partitions of it that no other schedule uses."""
        found: tuple[str, list[int]] | None = next(self._slots, None)
        if found is None:
            topic = unique_name("topic")
            self.cluster.create_topic(topic, SLOTS * PARTITIONS)
            ranges = (
                [start + part for part in range(PARTITIONS)] for start in range(0, SLOTS * PARTITIONS, PARTITIONS)
            )
            self._slots = iter([(topic, partitions) for partitions in ranges])
            found = next(self._slots)
        return found

    async def preload(self, topic: str, partitions: list[int], count: int = PRELOADED) -> None:
        batch = [{"value": b"preloaded", "partition": part} for part in partitions for _ in range(count)]
        outcomes = await within(self.producer.produce_batch(topic, batch), "the preloaded records")
        assert all(isinstance(outcome, Message) for outcome in outcomes), outcomes

    async def log_of(self, topic: str, partitions: list[int]) -> dict[tuple[int, int], bytes]:
        """Everything written to the partitions: (partition, offset) to value."""
        found: dict[tuple[int, int], bytes] = {}
        await self.consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        for partition in partitions:
            place = TopicPartition(topic, partition)
            _, after = await within(self.consumer.get_watermark_offsets(place), "the watermarks")
            found.update(dict.fromkeys(((partition, offset) for offset in range(after)), b""))
        for _ in range(len(found)):
            message = await within(self.consumer.poll(), f"{len(found)} records of {topic} {partitions}")
            assert message is not None
            assert message.error() is None
            key, value = (message.partition(), message.offset()), message.value()
            assert isinstance(value, bytes)
            assert found.get(key) == b"", f"{message} came twice"  # type: ignore[call-overload]
            found[key] = value  # type: ignore[index]
        return found

    def close(self) -> None:
        async def close() -> None:
            await within(self.consumer.close(), "the end of the consumer")
            await within(self.producer.close(), "the end of the producer")

        try:
            self.run(close)
            gc.collect()
            assert not self.noise, self.noise
        finally:
            end(self.loop)
            self.cluster.close()


class Reports:
    """Records by their values, and what became of each."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.futures: dict[bytes, asyncio.Future[Message]] = {}
        self.outcomes: dict[bytes, Message | BaseException] = {}
        self.calls: Counter[bytes] = Counter()
        self.refused: set[bytes] = set()
        self.unknown: set[bytes] = set()
        """Sent, but the wait for the outcome was cancelled."""
        self._names = itertools.count()

    def name(self) -> bytes:
        return f"record {next(self._names)}".encode()

    def report(self, error: KafkaError | None, message: Message) -> None:
        value = message.value()
        assert isinstance(value, bytes)
        self.calls[value] += 1

    async def produce(self, producer: AIOProducer, partition: int, timeout: float = -1) -> None:
        value = self.name()
        # Until the call returns, the record was not accepted: whoever cancels may produce it again.
        self.refused.add(value)
        with contextlib.suppress(QueueFullError):
            self.futures[value] = await producer.produce(
                self.topic, value, partition=partition, on_delivery=self.report, timeout=timeout
            )
            self.refused.discard(value)

    async def send(self, producer: AIOProducer, partition: int, timeout: float = -1) -> None:
        value = self.name()
        self.unknown.add(value)
        try:
            self.outcomes[value] = await producer.send(self.topic, value, partition=partition, timeout=timeout)
        except QueueFullError:
            self.refused.add(value)
        except KafkaException as error:
            self.outcomes[value] = error
        self.unknown.discard(value)

    async def batch(self, producer: AIOProducer, partition: int, count: int, timeout: float = -1) -> None:
        values = [self.name() for _ in range(count)]
        self.unknown.update(values)
        outcomes = await producer.produce_batch(self.topic, list(values), partition, timeout=timeout)
        assert len(outcomes) == count
        self.unknown.difference_update(values)
        for value, outcome in zip(values, outcomes, strict=True):
            if isinstance(outcome, QueueFullError):
                self.refused.add(value)
            else:
                self.outcomes[value] = outcome

    async def settled(self) -> None:
        """Every record whose outcome somebody was promised has exactly one."""
        for value, future in self.futures.items():
            _, late = await asyncio.wait({future}, timeout=60)
            assert not late, f"{value!r} has no outcome"
            if not future.cancelled():
                self.outcomes[value] = future.exception() or future.result()
        for value, outcome in self.outcomes.items():
            assert isinstance(outcome, (Message, KafkaException)), outcome
            if isinstance(outcome, Message):
                assert (outcome.value(), outcome.error()) == (value, None)
        assert self.calls == Counter(self.futures.keys()), "on_delivery: once for each accepted record"

    def check_log(self, log: dict[tuple[int, int], bytes]) -> None:
        """``log``: (partition, offset) to value, all that was written."""
        written = Counter(value for value in log.values() if value != b"preloaded")
        assert all(count == 1 for count in written.values()), f"written twice: {written}"
        assert written.keys().isdisjoint(self.refused), "written although refused"
        assert written.keys() <= self.futures.keys() | self.outcomes.keys() | self.unknown
        for value, outcome in self.outcomes.items():
            if isinstance(outcome, Message):
                assert log.get((outcome.partition() or 0, outcome.offset() or 0)) == value, f"{outcome} is not there"
            elif outcome.args[0].code() == KafkaError._PURGE_QUEUE:
                assert value not in written, f"{value!r} was written although purged before"
