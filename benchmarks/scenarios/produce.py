# SPDX-License-Identifier: Apache-2.0
"""Produce one by one without callbacks, flush after every 100,000 messages; default configuration."""

from __future__ import annotations

from _measure import DEADLINE_S, ROUND, Stopwatch, end_offsets, expect, parser, report, values

from confluent_kafka import Producer


def main() -> None:
    options = parser(__doc__).parse_args()
    producer = Producer({"bootstrap.servers": options.bootstrap})
    topic: str = options.topic
    payloads = values(ROUND)
    rounds = max(1, options.messages // ROUND)
    watch = Stopwatch()
    produce = producer.produce
    left = 0
    before = 0
    for number in range(rounds + 1):
        if number == 1:  # the first round connects, learns the topic, and warms the memory
            before = end_offsets(options.bootstrap, topic, options.partitions)
            watch.start_process()
            watch.start_thread()
        for payload in payloads:
            produce(topic, payload)
        left += producer.flush(DEADLINE_S)
    watch.stop()

    messages = rounds * ROUND
    expect("messages left by flush()", 0, left)
    expect("messages on the broker", messages, end_offsets(options.bootstrap, topic, options.partitions) - before)
    report(messages, watch)


if __name__ == "__main__":
    main()
