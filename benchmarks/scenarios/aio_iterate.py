# SPDX-License-Identifier: Apache-2.0
"""AIOConsumer: ``async for`` over a backlog, reading the value of every message."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from typing import Any

from _aio_consumer import started_consumer
from _consumer import backlog_options
from _measure import VALUE_BYTES, Stopwatch, check_values, expect, report

from confluent_kafka import TopicPartition


async def measure(options: Namespace) -> None:
    watch = Stopwatch()
    consumer = await started_consumer(options, watch)
    wanted: int = options.messages
    size = 0
    count = 0
    message: Any = None
    watch.start_thread()
    async for message in consumer:
        size += len(message.value())
        count += 1
        if count == wanted:
            break
    watch.stop()

    # An error or a missing message changes the sum of lengths; a doubled or skipped one changes the last offset.
    expect("bytes of all values", wanted * VALUE_BYTES, size)
    if options.partitions == 1:
        expect("last offset", wanted, message.offset())
        position = await consumer.position([TopicPartition(options.topic, 0)])
        expect("position", wanted + 1, position[0].offset)
        check_values([(message.offset(), message.value())])
    await consumer.close()
    report(wanted, watch)


def main() -> None:
    asyncio.run(measure(backlog_options(__doc__)))


if __name__ == "__main__":
    main()
