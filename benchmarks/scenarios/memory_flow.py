# SPDX-License-Identifier: Apache-2.0
"""Produce messages with a delivery callback and consume them again with small queues; resident memory must not grow."""

from __future__ import annotations

import time
from typing import Any

from _measure import DEADLINE_S, BenchmarkError, expect, parser, report, rss_bytes, value_at

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

QUEUE_KBYTES = 8_192
BATCH = 10_000
# Brings queues, batches in flight and the allocator's arenas to their working size.
WARM_UP = 500_000


def main() -> None:
    options = parser(__doc__).parse_args()
    producer = Producer({"bootstrap.servers": options.bootstrap, "queue.buffering.max.kbytes": QUEUE_KBYTES})
    consumer = Consumer(
        {
            "bootstrap.servers": options.bootstrap,
            "group.id": f"bench-flow-{time.time_ns()}",
            "queued.max.messages.kbytes": QUEUE_KBYTES,
        }
    )
    consumer.assign([TopicPartition(options.topic, 0, OFFSET_BEGINNING)])
    _flow(producer, consumer, options.topic, WARM_UP)
    baseline = rss_bytes()
    _flow(producer, consumer, options.topic, options.messages)
    growth = rss_bytes() - baseline
    consumer.close()
    report(
        options.messages,
        growth_bytes=growth,
        baseline_bytes=baseline,
        queues_bytes=2 * QUEUE_KBYTES * 1024,
    )


def _flow(producer: Producer, consumer: Consumer, topic: str, count: int) -> None:
    """Send and read back ``count`` messages in turns of 100,000, so that both queues fill and empty."""
    delivered = 0

    def on_delivery(error: Any, message: Any) -> None:
        nonlocal delivered
        if error is not None or message.value() is None:
            raise BenchmarkError(f"delivery failed: {error}")
        delivered += 1

    sent = 0
    received = 0
    while received < count:
        goal = min(count, sent + 100_000)
        for index in range(sent, goal):
            while True:
                try:
                    producer.produce(topic, value_at(index), key=b"%d" % index, partition=0, on_delivery=on_delivery)
                    break
                except BufferError:
                    producer.poll(0.1)
        sent = goal
        expect("messages left by flush()", 0, producer.flush(DEADLINE_S))
        while received < goal:
            batch = consumer.consume(min(BATCH, goal - received), DEADLINE_S)
            if not batch:
                raise BenchmarkError(f"no message {received} within {DEADLINE_S:g} s")
            for message in batch:
                expect("value", value_at(received), message.value())
                expect("key", b"%d" % received, message.key())
                received += 1
    expect("delivery callbacks", count, delivered)


if __name__ == "__main__":
    main()
