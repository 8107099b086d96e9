# SPDX-License-Identifier: Apache-2.0
"""Random schedules of producers on the embedded cluster: one outcome for each record, and the log agrees with it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_kafka.aio import AIOProducer
from tests.aio.kit import within
from tests.aio.schedules import SHORT, Schedule, Step, examples, play, schedules
from tests.aio.stage import PARTITIONS, Reports, Stage

QUEUE = 5
"""Messages that the producers of these tests hold at most."""


class Writing:
    """One schedule with a producer of its own, whose queue is small."""

    def __init__(self, stage: Stage, **options: Any) -> None:
        self.stage = stage
        self.topic, self.partitions = stage.slot()
        self.reports = Reports(self.topic)
        conf = {"queue.buffering.max.messages": QUEUE, "batch.num.messages": 2}
        self.producer = AIOProducer({**stage.quick, **conf, **options})

    async def perform(self, step: Step) -> None:
        try:
            await getattr(self, step.name)(step.number)
        except RuntimeError as error:
            # Only a schedule that closes may find the producer closed.
            if str(error) != "Producer has been closed" or not self.closing:
                raise

    closing = False

    def partition(self, number: int) -> int:
        return self.partitions[number % PARTITIONS]

    async def produce(self, number: int) -> None:
        timeout = [*SHORT, -1.0][number % (len(SHORT) + 1)]
        await self.reports.produce(self.producer, self.partition(number), timeout)

    async def send(self, number: int) -> None:
        await self.reports.send(self.producer, self.partition(number), [*SHORT, -1.0][number % (len(SHORT) + 1)])

    async def batch(self, number: int) -> None:
        timeout = [*SHORT, -1.0][number % (len(SHORT) + 1)]
        await self.reports.batch(self.producer, self.partition(number), number % (3 * QUEUE), timeout)

    async def flush(self, number: int) -> None:
        assert await self.producer.flush(SHORT[number % len(SHORT)]) >= 0

    async def flush_all(self, _number: int) -> None:
        await self.producer.flush()

    async def purge(self, number: int) -> None:
        await self.producer.purge(in_queue=bool(number & 1), in_flight=bool(number & 2), blocking=bool(number & 4))

    async def poll(self, number: int) -> None:
        assert await self.producer.poll(SHORT[number % len(SHORT)]) >= 0

    async def forget(self, number: int) -> None:
        """Cancel a delivery future: its record is sent all the same."""
        futures = list(self.reports.futures.values())
        if futures:
            futures[number % len(futures)].cancel()

    async def slow(self, number: int) -> None:
        self.stage.cluster.set_broker_rtt(number % 4)

    async def close(self, _number: int) -> None:
        self.closing = True
        await self.producer.close()

    async def finish(self) -> None:
        self.stage.cluster.set_broker_rtt(0)
        if not self.closing:
            assert await within(self.producer.flush(), "flush") == 0
        await within(self.producer.close(), "close")
        await within(self.producer.close(), "the second close")
        with pytest.raises(RuntimeError, match="Producer has been closed"):
            await self.producer.produce(self.topic, b"too late")
        assert len(self.producer) == 0
        await self.reports.settled()
        self.reports.check_log(await self.stage.log_of(self.topic, self.partitions))


CALLS = ["produce", "produce", "produce", "send", "batch", "flush", "flush_all", "poll", "forget", "slow"]


def play_writing(stage: Stage, schedule: Schedule, linger: int) -> None:
    async def main() -> None:
        writing = Writing(stage, **{"linger.ms": linger})
        await play(schedule, writing.perform)
        await writing.finish()

    stage.run(main)


@examples(400)
@given(schedule=schedules(CALLS), linger=st.sampled_from([0, 0, 2]))
def test_every_record_has_one_outcome(stage: Stage, schedule: Schedule, linger: int) -> None:
    play_writing(stage, schedule, linger)


@examples(400)
@given(schedule=schedules([*CALLS, "purge", "purge", "close"]), linger=st.sampled_from([0, 2, 20]))
def test_every_record_has_one_outcome_also_when_purged_or_closed(stage: Stage, schedule: Schedule, linger: int) -> None:
    play_writing(stage, schedule, linger)
