# SPDX-License-Identifier: Apache-2.0
"""Open many AIOProducers and AIOConsumers, use each, let every consumer wait in poll(): which threads are there?"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from argparse import Namespace
from typing import Any

from _measure import DEADLINE_S, BenchmarkError, expect, native_threads, open_files, parser, report, value_at

from confluent_kafka.aio import AIOConsumer, AIOProducer

# Long enough for every pending poll to be seen at once, short enough for a package whose polls cannot be ended.
PENDING_S = 4.0
# Native threads of closed clients end a moment later.
SETTLE_S = 2.0


def python_threads() -> int:
    """Threads that run Python code: those that threading knows, and those that only the interpreter knows."""
    return len({thread.ident for thread in threading.enumerate()} | set(sys._current_frames()))


async def measure(options: Namespace) -> None:
    count: int = options.clients
    python_before, native_before, files_before = python_threads(), native_threads(), open_files()
    producers = [AIOProducer({"bootstrap.servers": options.bootstrap, "linger.ms": 0}) for _ in range(count)]
    await asyncio.gather(*[_deliver(producer, options.topic) for producer in producers])
    consumers = [AIOConsumer(_consumer_config(options.bootstrap, number)) for number in range(count)]
    await asyncio.gather(*[_take_all(consumer, options.topic, count) for consumer in consumers])

    pending = [asyncio.ensure_future(consumer.poll(PENDING_S)) for consumer in consumers]
    await asyncio.sleep(PENDING_S / 2)
    expect("polls that wait", count, sum(not poll.done() for poll in pending))
    python_open, native_open, files_open = python_threads(), native_threads(), open_files()
    for message in await asyncio.gather(*pending):
        expect("message of a poll at the end of the topic", None, message)

    for client in (*producers, *consumers):
        await client.close()
    await asyncio.sleep(SETTLE_S)
    report(
        2 * count,
        python_threads_added=python_open - python_before,
        native_threads_added=native_open - native_before,
        native_threads_left=native_threads() - native_before,
        open_files_added=files_open - files_before,
    )


def _consumer_config(bootstrap: str, number: int) -> dict[str, Any]:
    return {
        "bootstrap.servers": bootstrap,
        "group.id": f"bench-clients-{os.getpid()}-{number}",
        "auto.offset.reset": "earliest",
    }


async def _deliver(producer: Any, topic: str) -> None:
    delivery = await producer.produce(topic, value_at(0))
    expect("delivered value", value_at(0), (await delivery).value())


async def _take_all(consumer: Any, topic: str, count: int) -> None:
    """Subscribe with a callback and take what the producers have sent."""
    assigned: list[int] = []

    async def on_assign(_: Any, partitions: list[Any]) -> None:
        assigned.extend(partition.partition for partition in partitions)

    await consumer.subscribe([topic], on_assign=on_assign)
    limit = time.monotonic() + DEADLINE_S
    taken = 0
    while taken < count:
        message = await consumer.poll(1.0)
        if message is not None:
            expect("error of a message", None, message.error())
            expect("value of a message", value_at(0), message.value())
            taken += 1
        elif time.monotonic() > limit:
            raise BenchmarkError(f"only {taken} of {count} messages within {DEADLINE_S:g} s")
    expect("partitions given to on_assign", [0], assigned)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--clients", type=int, default=50, help="producers, and as many consumers")
    asyncio.run(measure(arguments.parse_args()))


if __name__ == "__main__":
    main()
