# SPDX-License-Identifier: Apache-2.0
"""AIOConsumer: await poll() one by one and read the value of every message."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from typing import Any

from _aio_consumer import started_consumer
from _consumer import backlog_options
from _measure import DEADLINE_S, VALUE_BYTES, BenchmarkError, Stopwatch, check_values, expect, report

from confluent_kafka import TopicPartition


async def measure(options: Namespace) -> None:
    watch = Stopwatch()
    consumer = await started_consumer(options, watch)

    poll = consumer.poll
    size = 0
    empty = 0
    message: Any = None
    watch.start_thread()
    for _ in range(options.messages):
        message = await poll(1.0)
        while message is None:
            empty += 1
            if empty > DEADLINE_S:
                raise BenchmarkError(f"no more messages after {size // VALUE_BYTES} of {options.messages}")
            message = await poll(1.0)
        size += len(message.value())
    watch.stop()

    # An error or a missing message changes the sum of lengths; a doubled or skipped one changes the last offset.
    expect("bytes of all values", options.messages * VALUE_BYTES, size)
    if options.partitions == 1:
        expect("last offset", options.messages, message.offset())
        position = await consumer.position([TopicPartition(options.topic, 0)])
        expect("position", options.messages + 1, position[0].offset)
        check_values([(message.offset(), message.value())])
    await consumer.close()
    report(options.messages, watch, empty_polls=empty)


def main() -> None:
    asyncio.run(measure(backlog_options(__doc__)))


if __name__ == "__main__":
    main()
