# SPDX-License-Identifier: Apache-2.0
"""aiokafka: ``async for`` over a backlog on the broker, reading the value of every message."""

from __future__ import annotations

import asyncio
import os
import time
from argparse import Namespace
from typing import Any

from _measure import DEADLINE_S, VALUE_BYTES, Stopwatch, check_values, expect, parser, report
from aiokafka import AIOKafkaConsumer, TopicPartition


async def measure(options: Namespace) -> None:
    watch = Stopwatch()
    consumer: Any = AIOKafkaConsumer(
        options.topic,
        bootstrap_servers=options.bootstrap,
        group_id=f"bench-{os.getpid()}-{time.time_ns()}",
        auto_offset_reset="earliest",
        # As by librdkafka's default.
        check_crcs=False,
    )
    watch.start_process()
    await consumer.start()
    first = await asyncio.wait_for(consumer.getone(), DEADLINE_S)
    if options.partitions == 1:
        check_values([(first.offset, first.value)])

    wanted: int = options.messages
    size = 0
    count = 0
    message: Any = None
    watch.start_thread()
    async for message in consumer:
        size += len(message.value)
        count += 1
        if count == wanted:
            break
    watch.stop()

    expect("bytes of all values", wanted * VALUE_BYTES, size)
    if options.partitions == 1:
        expect("last offset", wanted, message.offset)
        expect("position", wanted + 1, await consumer.position(TopicPartition(options.topic, 0)))
        check_values([(message.offset, message.value)])
    await consumer.stop()
    report(wanted, watch)


def main() -> None:
    asyncio.run(measure(parser(__doc__).parse_args()))


if __name__ == "__main__":
    main()
