# SPDX-License-Identifier: Apache-2.0
"""aiokafka: one message awaited to delivery, and only then the next; its default linger is 0."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from typing import Any

from _aio import latencies
from _measure import expect, parser, report, value_at
from aiokafka import AIOKafkaProducer


async def measure(options: Namespace) -> None:
    # All in-sync replicas, as by librdkafka's default; aiokafka's own is the leader alone.
    producer: Any = AIOKafkaProducer(bootstrap_servers=options.bootstrap, acks="all", linger_ms=0)
    await producer.start()
    topic: str = options.topic
    offsets: list[int] = []

    async def deliver(position: int) -> None:
        metadata = await producer.send_and_wait(topic, value_at(position))
        offsets.append(metadata.offset)

    found = await latencies(deliver, options.warm_up, options.messages)
    await producer.stop()
    if options.partitions == 1:
        sent = options.warm_up + options.messages
        expect("offsets", list(range(offsets[0], offsets[0] + sent)), offsets)
    report(options.messages, **found)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--warm-up", type=int, default=100, help="messages before the counted ones")
    asyncio.run(measure(arguments.parse_args()))


if __name__ == "__main__":
    main()
