# SPDX-License-Identifier: Apache-2.0
"""Produce one by one with a delivery callback; serving the callbacks by poll() and flush() is part of the time."""

from __future__ import annotations

from typing import Any

from _measure import DEADLINE_S, ROUND, Stopwatch, end_offsets, expect, parser, report, values

from confluent_kafka import Producer


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument(
        "--serve",
        choices=("poll", "flush"),
        default="poll",
        help="poll: poll(0) after every message, as the documentation of both packages shows; flush: only at the end",
    )
    options = arguments.parse_args()
    producer = Producer({"bootstrap.servers": options.bootstrap})
    topic: str = options.topic
    payloads = values(ROUND)
    rounds = max(1, options.messages // ROUND)
    delivered = 0
    failed = 0

    def on_delivery(error: Any, message: Any) -> None:
        nonlocal delivered, failed
        if error is None:
            delivered += 1
        else:
            failed += 1

    watch = Stopwatch()
    produce = producer.produce
    poll = producer.poll
    left = 0
    before = 0
    for number in range(rounds + 1):
        if number == 1:  # the first round connects, learns the topic, and warms the memory
            before = end_offsets(options.bootstrap, topic, options.partitions)
            watch.start_process()
            watch.start_thread()
        if options.serve == "poll":
            for payload in payloads:
                produce(topic, payload, on_delivery=on_delivery)
                poll(0)
        else:
            for payload in payloads:
                produce(topic, payload, on_delivery=on_delivery)
        left += producer.flush(DEADLINE_S)
    watch.stop()

    messages = rounds * ROUND
    expect("messages left by flush()", 0, left)
    expect("failed deliveries", 0, failed)
    expect("delivery callbacks", messages + ROUND, delivered)
    expect("messages on the broker", messages, end_offsets(options.bootstrap, topic, options.partitions) - before)
    report(messages, watch)


if __name__ == "__main__":
    main()
