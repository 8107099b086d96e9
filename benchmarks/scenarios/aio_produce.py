# SPDX-License-Identifier: Apache-2.0
"""AIOProducer: 10,000 messages and all their outcomes, again and again; default configuration.

``futures`` awaits produce() for every message and gathers the delivery futures; ``batch`` awaits one produce_batch().
"""

from __future__ import annotations

import asyncio
from argparse import Namespace
from typing import Any

from _measure import BenchmarkError, Stopwatch, end_offsets, expect, parser, report, values

from confluent_kafka.aio import AIOProducer

BATCH = 10_000


async def measure(options: Namespace) -> None:
    producer: Any = AIOProducer({"bootstrap.servers": options.bootstrap})
    topic: str = options.topic
    payloads = values(BATCH)
    batch = [{"value": payload} for payload in payloads]
    rounds = max(1, options.messages // BATCH)
    watch = Stopwatch()
    produce = producer.produce
    outcomes: list[Any] = []
    before = 0
    for number in range(rounds + 1):
        if number == 1:  # the first round connects, learns the topic, and warms the memory
            before = end_offsets(options.bootstrap, topic, options.partitions)
            watch.start_process()
            watch.start_thread()
        if options.outcomes == "futures":
            # A delivery that failed raises here.
            outcomes = await asyncio.gather(*[await produce(topic, payload) for payload in payloads])
        else:
            outcomes = await producer.produce_batch(topic, batch)
            for outcome in outcomes:
                if isinstance(outcome, Exception):
                    raise BenchmarkError(f"delivery failed: {outcome}")
    watch.stop()

    messages = rounds * BATCH
    expect("messages on the broker", messages, end_offsets(options.bootstrap, topic, options.partitions) - before)
    expect("values of the last outcomes", payloads, [message.value() for message in outcomes])
    expect("errors of the last outcomes", {None}, {message.error() for message in outcomes})
    if options.partitions == 1:
        first = outcomes[0].offset()
        expect("last offsets", list(range(first, first + BATCH)), [message.offset() for message in outcomes])
    await producer.close()
    report(messages, watch)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--outcomes", choices=("futures", "batch"), required=True, help="how outcomes are awaited")
    asyncio.run(measure(arguments.parse_args()))


if __name__ == "__main__":
    main()
