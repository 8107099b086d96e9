# SPDX-License-Identifier: Apache-2.0
"""poll() one by one and read the value of every message."""

from __future__ import annotations

from typing import Any

from _consumer import backlog_options, started_consumer
from _measure import DEADLINE_S, VALUE_BYTES, BenchmarkError, Stopwatch, check_values, expect, report

from confluent_kafka import TopicPartition


def main() -> None:
    options = backlog_options(__doc__)
    watch = Stopwatch()
    consumer = started_consumer(options, watch)

    poll: Any = consumer.poll
    size = 0
    empty = 0
    message: Any = None
    watch.start_thread()
    for _ in range(options.messages):
        message = poll(1.0)
        while message is None:
            empty += 1
            if empty > DEADLINE_S:
                raise BenchmarkError(f"no more messages after {size // VALUE_BYTES} of {options.messages}")
            message = poll(1.0)
        size += len(message.value())
    watch.stop()

    # An error or a missing message changes the sum of lengths; a doubled or skipped one changes the last offset.
    expect("bytes of all values", options.messages * VALUE_BYTES, size)
    if options.partitions == 1:
        expect("last offset", options.messages, message.offset())
        expect("position", options.messages + 1, consumer.position([TopicPartition(options.topic, 0)])[0].offset)
        check_values([(message.offset(), message.value())])
    consumer.close()
    report(options.messages, watch, empty_polls=empty)


if __name__ == "__main__":
    main()
