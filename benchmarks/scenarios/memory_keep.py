# SPDX-License-Identifier: Apache-2.0
"""Read a topic over and over, keep every 1,000th message: a kept message must not keep its fetch buffer.

The topic has one partition and is filled by fill.py; half of the kept messages are read at once, half only at the end.
"""

from __future__ import annotations

import time
from typing import Any

from _measure import DEADLINE_S, BenchmarkError, check_values, expect, parser, report, rss_bytes

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

KEEP_EVERY = 1_000
BATCH = 10_000
# Passes that keep nothing: they bring queue and allocator to their working size, by either way of reading.
WARM_UP = 2


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--filled", type=int, default=1_000_000, help="messages in the topic")
    options = arguments.parse_args()
    consumer = Consumer(
        {
            "bootstrap.servers": options.bootstrap,
            "group.id": f"bench-keep-{time.time_ns()}",
            # A small, bounded queue: what grows is what is kept.
            "queued.max.messages.kbytes": 16_384,
            "queued.min.messages": 100_000,
        }
    )
    kept: list[Any] = []
    passes = max(1, options.messages // options.filled)
    baseline = 0
    for number in range(-WARM_UP, passes):
        if number == 0:
            baseline = rss_bytes()
        consumer.assign([TopicPartition(options.topic, 0, OFFSET_BEGINNING)])
        read = _read_by_consume if number % 2 else _read_by_poll
        read(consumer, options.filled, kept if number >= 0 else None)
    growth = rss_bytes() - baseline

    expect("kept messages", passes * (options.filled // KEEP_EVERY), len(kept))
    check_values([(message.offset(), message.value()) for message in kept])
    consumer.close()
    check_values([(message.offset(), message.value()) for message in kept])
    report(passes * options.filled, growth_bytes=growth, baseline_bytes=baseline, kept=len(kept))


def _keep(message: Any, kept: list[Any]) -> None:
    if len(kept) % 2:
        message.value()
    kept.append(message)


def _read_by_poll(consumer: Consumer, count: int, kept: list[Any] | None) -> None:
    for offset in range(count):
        message = consumer.poll(DEADLINE_S)
        if message is None:
            raise BenchmarkError(f"no message at offset {offset} within {DEADLINE_S:g} s")
        if offset % KEEP_EVERY == 0:
            expect("offset", offset, message.offset())
            if kept is not None:
                _keep(message, kept)


def _read_by_consume(consumer: Consumer, count: int, kept: list[Any] | None) -> None:
    offset = 0
    while offset < count:
        batch = consumer.consume(min(BATCH, count - offset), DEADLINE_S)
        if not batch:
            raise BenchmarkError(f"no message at offset {offset} within {DEADLINE_S:g} s")
        for message in batch[-offset % KEEP_EVERY :: KEEP_EVERY]:
            expect("offset modulo", 0, (message.offset() or 0) % KEEP_EVERY)
            if kept is not None:
                _keep(message, kept)
        offset += len(batch)


if __name__ == "__main__":
    main()
