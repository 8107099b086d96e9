# SPDX-License-Identifier: Apache-2.0
"""Consume in a group on asyncio: commit what was handled, take as long as it takes, and leave cleanly on SIGTERM.

    KAFKA_BOOTSTRAP_SERVERS=localhost:9092 python asyncio_consumer.py [TOPIC] [GROUP] [SECONDS]

Handling a message takes SECONDS (default: none). Ctrl-C or SIGTERM: finishes the message at hand and leaves the group.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from confluent_kafka import Message, TopicPartition, config_from_env
from confluent_kafka.aio import AIOConsumer

PATIENCE = 1.0
"""Seconds a handler may take before polling goes on beside it; far below max.poll.interval.ms."""


class Worker:
    """Handles the messages of a consumer, one after the other."""

    def __init__(self, consumer: AIOConsumer, seconds: float) -> None:
        self.consumer = consumer
        self.seconds = seconds
        self.handled = 0
        self._at_hand: tuple[TopicPartition, asyncio.Task[None]] | None = None
        self._stopping = False

    def stop(self) -> None:
        self._stopping = True
        self.consumer.wakeup()

    async def run(self, topic: str) -> None:
        await self.consumer.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked)
        async for message in self.consumer:
            if message.error() is not None:
                print(f"consumer error: {message.error()}", file=sys.stderr)
            else:
                work = asyncio.create_task(self._handle(message))
                self._at_hand = place_of(message), work
                await self._finish(work)
            # wakeup() ends an iteration that has to wait; with a backlog this one would go on.
            if self._stopping:
                break

    async def _handle(self, message: Message) -> None:
        await asyncio.sleep(self.seconds)  # a database, another service
        print(f"{message.partition()}:{message.offset()} {message.key()!r} = {message.value()!r}")
        # Only now: stored offsets are committed in the background, before a partition goes, and by close().
        await self.consumer.store_offsets(message)
        self.handled += 1

    async def _finish(self, work: asyncio.Task[None]) -> None:
        """Await a handler. While it is slow, poll: who does not loses the partitions after max.poll.interval.ms."""
        slow = False
        while not (await asyncio.wait({work}, timeout=PATIENCE))[0]:
            # Every time, as a rebalance may have added partitions.
            await self.consumer.pause(await self.consumer.assignment())
            if not slow:
                print("paused")
            slow = True
            message = await self.consumer.poll(0)
            if message is None:
                continue
            if message.error() is not None:
                print(f"consumer error: {message.error()}", file=sys.stderr)
            else:  # of a partition that came in this very call: read it again later
                await self.consumer.seek(place_of(message))
        if slow:
            await self.consumer.resume(await self.consumer.assignment())
            print("resumed")
        await work  # raises what the handler raised: the program ends, and the message is read again at the next start

    def _assigned(self, consumer: AIOConsumer, partitions: list[TopicPartition]) -> None:
        print(f"given partitions {sorted(tp.partition for tp in partitions)}")

    async def _revoked(self, consumer: AIOConsumer, partitions: list[TopicPartition]) -> None:
        # The rebalance waits for this coroutine, at most max.poll.interval.ms: the message at hand is handled and its
        # offset on record before the next member goes on behind it.
        if self._at_hand is not None and self._at_hand[0] in partitions:
            await asyncio.wait({self._at_hand[1]})
        # librdkafka remembers that a partition is paused: it would be so still when it comes back.
        await consumer.resume(partitions)
        print(f"giving back partitions {sorted(tp.partition for tp in partitions)}")


def place_of(message: Message) -> TopicPartition:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return TopicPartition(topic, partition, offset)


async def consume(topic: str, group: str, seconds: float) -> int:
    conf = {
        "bootstrap.servers": "localhost:9092",
        "auto.offset.reset": "earliest",
        "enable.auto.offset.store": False,
        **config_from_env(),
        "group.id": group,
    }
    # Leaving the block commits what is stored and leaves the group, which need not wait for a time-out then.
    async with AIOConsumer(conf) as consumer:
        worker = Worker(consumer, seconds)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, worker.stop)
        await worker.run(topic)
    print(f"handled {worker.handled} messages of {topic}")
    return 0


def main(topic: str, group: str, seconds: float) -> int:
    return asyncio.run(consume(topic, group, seconds))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("topic", nargs="?", default="example-orders")
    arguments.add_argument("group", nargs="?", default="example-group")
    arguments.add_argument("seconds", nargs="?", type=float, default=0.0)
    sys.exit(main(**vars(arguments.parse_args())))
