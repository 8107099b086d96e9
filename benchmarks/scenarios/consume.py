# SPDX-License-Identifier: Apache-2.0
"""consume() 10,000 messages a call and read the value of every message."""

from __future__ import annotations

from typing import Any

from _consumer import backlog_options, started_consumer
from _measure import DEADLINE_S, VALUE_BYTES, BenchmarkError, Stopwatch, check_values, expect, report

from confluent_kafka import TopicPartition

BATCH = 10_000


def main() -> None:
    options = backlog_options(__doc__)
    watch = Stopwatch()
    consumer = started_consumer(options, watch)

    consume: Any = consumer.consume
    wanted = options.messages // BATCH * BATCH
    size = 0
    count = 0
    calls = 0
    watch.start_thread()
    while count < wanted:
        batch = consume(min(BATCH, wanted - count), DEADLINE_S)
        if not batch:
            break
        calls += 1
        count += len(batch)
        for message in batch:
            size += len(message.value())
    watch.stop()

    if not batch:
        raise BenchmarkError(f"only {count} of {wanted} messages came within {DEADLINE_S:g} s")
    expect("bytes of all values", wanted * VALUE_BYTES, size)
    last = batch[-1]
    if options.partitions == 1:
        expect("last offset", wanted, last.offset())
        expect("position", wanted + 1, consumer.position([TopicPartition(options.topic, 0)])[0].offset)
        check_values([(message.offset(), message.value()) for message in batch[:: BATCH // 100]])
    consumer.close()
    report(wanted, watch, calls=calls)


if __name__ == "__main__":
    main()
