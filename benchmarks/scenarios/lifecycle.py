# SPDX-License-Identifier: Apache-2.0
"""Create, use and close a client again and again: memory, open files and threads return to what they were."""

from __future__ import annotations

import gc
import time
from typing import Any

from _measure import DEADLINE_S, BenchmarkError, expect, native_threads, open_files, parser, report, rss_bytes, value_at

from confluent_kafka import Consumer, Producer, TopicPartition


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--client", choices=("producer", "consumer"), required=True)
    arguments.add_argument("--cycles", type=int, default=1_000)
    options = arguments.parse_args()
    cycle = _producer_cycle if options.client == "producer" else _consumer_cycle
    warm_up = max(10, options.cycles // 5)
    for _ in range(warm_up):
        cycle(options.bootstrap, options.topic)
    gc.collect()
    memory = rss_bytes()
    files, threads = _settled(None)
    for _ in range(options.cycles):
        cycle(options.bootstrap, options.topic)
    gc.collect()
    growth = rss_bytes() - memory
    expect("open files and threads", (files, threads), _settled((files, threads)))
    report(options.cycles, growth_bytes=growth, baseline_bytes=memory, open_files=files, threads=threads)


def _settled(wanted: tuple[int, int] | None) -> tuple[int, int]:
    """Open files and threads, waiting up to 10 s for native threads that are just ending."""
    limit = time.monotonic() + 10
    last = (open_files(), native_threads())
    while time.monotonic() < limit and last != wanted:
        time.sleep(0.2)
        now = (open_files(), native_threads())
        if wanted is None and now == last:
            break
        last = now
    return last


def _producer_cycle(bootstrap: str, topic: str) -> None:
    delivered: list[Any] = []
    # linger.ms only spares time: 1,000 cycles are about handles, not about batches.
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
    producer.produce(topic, value_at(0), on_delivery=lambda error, message: delivered.append((error, message.value())))
    producer.close()
    expect("delivery report", [(None, value_at(0))], delivered)


def _consumer_cycle(bootstrap: str, topic: str) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "bench-cycle",
            "enable.auto.commit": False,
            # close() may wait for the fetch request that is on its way.
            "fetch.wait.max.ms": 5,
        }
    )
    # An absolute offset: looking up a logical one costs librdkafka a retry interval of 500 ms on a fresh client.
    consumer.assign([TopicPartition(topic, 0, 0)])
    message = consumer.poll(DEADLINE_S)
    if message is None or message.error() is not None:
        raise BenchmarkError(f"no message within {DEADLINE_S:g} s: {message and message.error()}")
    consumer.close()


if __name__ == "__main__":
    main()
