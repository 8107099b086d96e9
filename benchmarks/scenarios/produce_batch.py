# SPDX-License-Identifier: Apache-2.0
"""produce_batch() of 10,000 items a call, flush after every 100,000 messages; default configuration."""

from __future__ import annotations

from typing import Any

from _measure import DEADLINE_S, ROUND, Stopwatch, end_offsets, expect, parser, report, values

from confluent_kafka import Producer

BATCH = 10_000


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--items", choices=("dicts", "bytes"), default="dicts", help="what a batch is made of")
    options = arguments.parse_args()
    producer = Producer({"bootstrap.servers": options.bootstrap})
    topic: str = options.topic
    payloads = values(BATCH)
    batch: list[Any] = payloads if options.items == "bytes" else [{"value": payload} for payload in payloads]
    rounds = max(1, options.messages // ROUND)
    watch = Stopwatch()
    produce_batch = producer.produce_batch
    accepted = 0
    left = 0
    before = 0
    for number in range(rounds + 1):
        if number == 1:  # the first round connects, learns the topic, and warms the memory
            before = end_offsets(options.bootstrap, topic, options.partitions)
            watch.start_process()
            watch.start_thread()
        for _ in range(ROUND // BATCH):
            accepted += produce_batch(topic, batch)
        left += producer.flush(DEADLINE_S)
    watch.stop()

    messages = rounds * ROUND
    expect("accepted messages", messages + ROUND, accepted)
    expect("messages left by flush()", 0, left)
    expect("messages on the broker", messages, end_offsets(options.bootstrap, topic, options.partitions) - before)
    report(messages, watch)


if __name__ == "__main__":
    main()
