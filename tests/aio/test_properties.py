# SPDX-License-Identifier: Apache-2.0
"""Random schedules on the embedded cluster: nothing is lost, doubled, late or loud, whatever is cancelled when."""

from __future__ import annotations

import asyncio
import contextlib

from hypothesis import given

from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException, Message, TopicPartition
from tests.aio.kit import cancel, cancel_when_served, ends, settle, within
from tests.aio.schedules import SHORT, Schedule, Step, Track, examples, play, schedules
from tests.aio.stage import PARTITIONS, PRELOADED, Reports, Stage


class Reading:
    """One schedule's use of the shared consumer, and of the shared producer beside it."""

    def __init__(self, stage: Stage) -> None:
        self.consumer, self.producer = stage.consumer, stage.producer
        self.topic, self.partitions = stage.slot()
        self.reports = Reports(self.topic)
        self.tracks = {partition: Track() for partition in self.partitions}

    @property
    def log(self) -> dict[tuple[int, int], bytes]:
        return {(part, at): value for part, track in self.tracks.items() for at, value in track.values.items()}

    def places(self, offset: int = -1001) -> list[TopicPartition]:
        return [TopicPartition(self.topic, partition, offset) for partition in self.partitions]

    def take(self, *messages: Message | None) -> None:
        for message in messages:
            if message is not None:
                assert message.topic() == self.topic, f"{message} of a former assignment"
                self.tracks[message.partition() or 0].deliver(message)

    async def perform(self, step: Step) -> None:
        await getattr(self, step.name)(step.number)

    def partition(self, number: int) -> int:
        return self.partitions[number % PARTITIONS]

    async def poll(self, number: int) -> None:
        self.take(await self.consumer.poll(SHORT[number % len(SHORT)]))

    async def poll_within(self, number: int) -> None:
        async def poll() -> None:
            self.take(await self.consumer.poll())

        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(poll(), SHORT[number % len(SHORT)])

    async def consume(self, number: int) -> None:
        self.take(*await self.consumer.consume(number % 7, SHORT[number % len(SHORT)]))

    async def iterate(self, number: int) -> None:
        async def iterate() -> None:
            left = 1 + number % 5
            async for message in self.consumer:
                self.take(message)
                left -= 1
                if not left:
                    break

        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(iterate(), SHORT[number % len(SHORT)])

    async def batches(self, number: int) -> None:
        async for batch in self.consumer.batches(1 + number % 6, SHORT[number % len(SHORT)]):
            self.take(*batch)
            if number % 3:
                break

    async def wakeup(self, _number: int) -> None:
        self.consumer.wakeup()

    async def position(self, _number: int) -> None:
        for place in await self.consumer.position(self.places()):
            track = self.tracks[place.partition]
            assert place.error is None
            assert place.offset <= max(track.next_offsets), f"position {place} with {track.next_offsets} next"

    async def commit(self, _number: int) -> None:
        try:
            self._not_beyond(await self.consumer.commit(asynchronous=False))
        except KafkaException as error:
            # Nothing was delivered yet.
            if error.args[0].code() != KafkaError._NO_OFFSET:
                raise

    async def commit_later(self, _number: int) -> None:
        await self.consumer.commit()

    async def committed(self, _number: int) -> None:
        self._not_beyond(await self.consumer.committed(self.places()))

    def _not_beyond(self, places: list[TopicPartition] | None) -> None:
        for place in places or []:
            if place.topic == self.topic:
                assert place.error is None
                assert place.offset <= self.tracks[place.partition].highest, f"committed beyond: {place}"

    async def seek(self, number: int) -> None:
        partition, target = self.partition(number), number % (PRELOADED + 1)
        track = self.tracks[partition]
        jump = track.jump(target)
        try:
            await self.consumer.seek(TopicPartition(self.topic, partition, target))
        except KafkaException as error:
            # Refused while an assignment is on its way, like any seek of a partition that is not being fetched.
            if error.args[0].code() != KafkaError._STATE:
                raise
        else:
            track.landed(jump)

    async def assign(self, number: int) -> None:
        target = number % (PRELOADED + 1)
        with contextlib.ExitStack() as stack:
            jumps = [(track, track.jump(target)) for track in self.tracks.values()]
            for track in self.tracks.values():
                stack.enter_context(track.resuming())
            await self.consumer.assign(self.places(target))
            for track, jump in jumps:
                track.landed(jump)

    async def pause(self, number: int) -> None:
        partition = self.partition(number)
        with self.tracks[partition].pausing():
            await self.consumer.pause([TopicPartition(self.topic, partition)])

    async def resume(self, number: int) -> None:
        partition = self.partition(number)
        with self.tracks[partition].resuming():
            await self.consumer.resume([TopicPartition(self.topic, partition)])

    async def produce(self, number: int) -> None:
        await self.reports.produce(self.producer, self.partition(number))

    async def send(self, number: int) -> None:
        await self.reports.send(self.producer, self.partition(number))

    async def produce_batch(self, number: int) -> None:
        await self.reports.batch(self.producer, self.partition(number), number % 5)

    async def begin(self) -> None:
        await self.consumer.assign(self.places(0))

    async def finish(self) -> None:
        """Everything ends, and what was not delivered yet still comes."""
        assert await within(self.producer.flush(), "flush") == 0
        await self.reports.settled()
        for track in self.tracks.values():
            track.paused = False
        await self.consumer.resume(self.places())
        ends = {}
        for place in self.places():
            _, ends[place.partition] = await within(self.consumer.get_watermark_offsets(place), "the watermarks")

        async def drain() -> None:
            while any(ends[partition] not in track.next_offsets for partition, track in self.tracks.items()):
                self.take(await self.consumer.poll(1))

        await within(drain(), f"all records up to {ends}")
        await self.position(0)
        if all(not track.targets for track in self.tracks.values()):
            for partition, track in self.tracks.items():
                assert track.delivered == list(range(ends[partition])), f"not once each: {track.delivered}"
            # Nothing was consumed of a partition without records.
            expected = [after or OFFSET_INVALID for after in ends.values()]
            assert [place.offset for place in await self.consumer.position(self.places())] == expected
            self.reports.check_log(self.log)


READS = ["poll", "poll", "poll_within", "consume", "iterate", "batches", "wakeup", "position"]
COMMITS = ["commit", "commit_later", "committed"]
WRITES = ["produce", "send", "produce_batch"]
JUMPS = ["seek", "assign", "pause", "resume"]


def play_reading(stage: Stage, schedule: Schedule) -> None:
    async def main() -> None:
        reading = Reading(stage)
        await stage.preload(reading.topic, reading.partitions)
        await reading.begin()
        await play(schedule, reading.perform)
        await reading.finish()

    stage.run(main)


@examples(1200)
@given(schedule=schedules([*READS, *COMMITS, *WRITES, "pause", "resume"]))
def test_every_record_is_delivered_once(stage: Stage, schedule: Schedule) -> None:
    play_reading(stage, schedule)


@examples(400)
@given(schedule=schedules([*READS, *COMMITS, *WRITES, *JUMPS]))
def test_every_record_is_delivered_once_per_position(stage: Stage, schedule: Schedule) -> None:
    play_reading(stage, schedule)


class Endless:
    """Reads without time limit in tasks of their own, while records come and reads are cancelled."""

    def __init__(self, stage: Stage) -> None:
        self.reading = Reading(stage)
        self.waiting: list[asyncio.Task[None]] = []

    async def perform(self, step: Step) -> None:
        await getattr(self, step.name)(step.number)

    async def poll(self, _number: int) -> None:
        async def poll() -> None:
            self.reading.take(await self.reading.consumer.poll())

        self.waiting.append(asyncio.ensure_future(poll()))

    async def consume(self, number: int) -> None:
        async def consume() -> None:
            self.reading.take(*await self.reading.consumer.consume(1 + number % 3))

        self.waiting.append(asyncio.ensure_future(consume()))

    async def batch(self, number: int) -> None:
        async def batch() -> None:
            async for batch in self.reading.consumer.batches(1 + number % 3):
                self.reading.take(*batch)
                break

        self.waiting.append(asyncio.ensure_future(batch()))

    async def give_up(self, number: int) -> None:
        if self.waiting:
            await cancel(self.waiting.pop(number % len(self.waiting)))

    async def give_up_when_served(self, number: int) -> None:
        if self.waiting:
            await cancel_when_served(self.waiting.pop(number % len(self.waiting)), 0.003)

    async def wakeup(self, _number: int) -> None:
        self.reading.consumer.wakeup()

    async def produce(self, number: int) -> None:
        await self.reading.produce(number)

    async def pause(self, number: int) -> None:
        await asyncio.sleep(SHORT[number % len(SHORT)])

    async def finish(self) -> None:
        """With a record for each, every read ends."""
        for _ in range(3 * len(self.waiting)):
            await self.reading.produce(0)
        for read in self.waiting:
            result = await ends(read)
            if result is not None:
                raise result
        await self.reading.finish()


def play_endless(stage: Stage, schedule: Schedule) -> None:
    async def main() -> None:
        endless = Endless(stage)
        await endless.reading.begin()
        await play(schedule, endless.perform)
        await settle()
        await endless.finish()

    stage.run(main)


@examples(300)
@given(
    schedule=schedules(
        ["poll", "poll", "consume", "batch", "give_up", "give_up_when_served", "produce", "produce", "pause", "wakeup"],
        steps=10,
        cut=False,
    )
)
def test_no_wake_up_is_lost(stage: Stage, schedule: Schedule) -> None:
    play_endless(stage, schedule)
