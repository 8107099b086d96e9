# SPDX-License-Identifier: Apache-2.0
"""Random schedules of group members on the embedded cluster: whoever comes and goes, all records come once."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import Any

import pytest
from hypothesis import given

from confluent_kafka import Message, TopicPartition
from confluent_kafka.aio import AIOConsumer
from tests.aio.kit import within
from tests.aio.schedules import SHORT, Schedule, Step, examples, play, schedules
from tests.aio.stage import Stage
from tests.mock.kit import unique_name

RECORDS = 12
"""Per partition, of which there are two."""
PROTOCOLS = {
    # The mock group waits session.timeout.ms less a second for members it had before.
    "classic": {"session.timeout.ms": 1_000, "heartbeat.interval.ms": 50},
    "cooperative": {
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": 1_000,
        "heartbeat.interval.ms": 50,
    },
    "consumer": {"group.protocol": "consumer"},
}


class Members:
    """One schedule's group: up to two members at a time, closed ones are replaced."""

    def __init__(self, stage: Stage, protocol: str) -> None:
        self.stage = stage
        self.group = unique_name("group")
        self.topic = unique_name("topic")
        stage.cluster.create_topic(self.topic, 2)
        self.conf = {**stage.quick, **PROTOCOLS[protocol], "group.id": self.group, "auto.offset.reset": "earliest"}
        self.members: list[AIOConsumer | None] = [None, None]
        self.closing: list[AIOConsumer] = []
        self.taken: list[tuple[int | None, int | None]] = []
        self.held: Counter[int] = Counter()

    def take(self, *messages: Message | None) -> None:
        for message in messages:
            if message is not None:
                assert message.error() is None, message.error()
                self.taken.append((message.partition(), message.offset()))

    async def assigned(self, _consumer: AIOConsumer, partitions: list[TopicPartition]) -> None:
        self.held.update(place.partition for place in partitions)
        assert all(count <= 1 for count in self.held.values()), f"a partition of two members: {self.held}"
        await asyncio.sleep(0.001)

    async def revoked(self, consumer: AIOConsumer, partitions: list[TopicPartition]) -> None:
        for place in await consumer.position(partitions):
            delivered = [offset for partition, offset in self.taken if partition == place.partition]
            assert place.offset <= max(delivered, default=-1) + 1, f"position {place} with {delivered}"
        await asyncio.sleep(0.001)
        self.held.subtract(place.partition for place in partitions)

    async def member(self, number: int) -> AIOConsumer:
        found = self.members[number % 2]
        if found is None:
            found = self.members[number % 2] = AIOConsumer(self.conf)
            await found.subscribe([self.topic], on_assign=self.assigned, on_revoke=self.revoked)
        return found

    async def perform(self, step: Step) -> None:
        member = await self.member(step.number)
        try:
            await getattr(self, step.name)(member, step.number)
        except RuntimeError as error:
            if str(error) != "Consumer closed" or member not in self.closing:
                raise

    async def poll(self, member: AIOConsumer, number: int) -> None:
        self.take(await member.poll(SHORT[number % len(SHORT)]))

    async def consume(self, member: AIOConsumer, number: int) -> None:
        self.take(*await member.consume(number % 5, SHORT[number % len(SHORT)]))

    async def iterate(self, member: AIOConsumer, number: int) -> None:
        async def iterate() -> None:
            left = 1 + number % 4
            async for message in member:
                self.take(message)
                left -= 1
                if not left:
                    break

        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(iterate(), SHORT[number % len(SHORT)])

    async def commit(self, member: AIOConsumer, number: int) -> None:
        await member.commit()

    async def wakeup(self, member: AIOConsumer, number: int) -> None:
        member.wakeup()

    async def leave(self, member: AIOConsumer, number: int) -> None:
        self.members[number % 2] = None
        self.closing.append(member)
        await member.close()

    async def finish(self) -> None:
        """All members leave; who starts at the offsets they committed reads what is left."""
        everyone = [member for member in [*self.members, *self.closing] if member is not None]
        # Closing again waits for the close that was cancelled.
        await within(asyncio.gather(*(member.close() for member in everyone)), "the end of all members")
        assert not +self.held, f"still held: {self.held}"
        async with AIOConsumer(self.conf) as last:
            await last.assign([TopicPartition(self.topic, partition) for partition in range(2)])

            async def read() -> None:
                while len(set(self.taken)) < 2 * RECORDS:
                    self.take(await last.poll())

            await within(read(), f"the rest of {sorted(self.taken)}")
        expected = [(partition, offset) for partition in range(2) for offset in range(RECORDS)]
        assert sorted(self.taken) == expected  # type: ignore[type-var]


def play_membership(stage: Stage, schedule: Schedule, protocol: str) -> None:
    async def main() -> None:
        members = Members(stage, protocol)
        await stage.preload(members.topic, [0, 1], RECORDS)
        await play(schedule, members.perform)
        await members.finish()

    stage.run(main)


@pytest.fixture(scope="module", params=sorted(PROTOCOLS))
def group_protocol(request: pytest.FixtureRequest) -> Any:
    return request.param


@examples(60)
@given(
    schedule=schedules(["poll", "poll", "consume", "consume", "iterate", "commit", "wakeup", "leave"], tasks=2, steps=8)
)
def test_members_deliver_every_record_once(stage: Stage, group_protocol: str, schedule: Schedule) -> None:
    play_membership(stage, schedule, group_protocol)
