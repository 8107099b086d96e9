# SPDX-License-Identifier: Apache-2.0
"""AIOProducer: one produce awaited to delivery, and only then the next."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from typing import Any

from _aio import latencies
from _measure import end_offsets, expect, parser, report, value_at

from confluent_kafka.aio import AIOProducer


async def measure(options: Namespace) -> None:
    config: dict[str, Any] = {"bootstrap.servers": options.bootstrap}
    if options.linger_ms is not None:
        config["linger.ms"] = options.linger_ms
    producer: Any = AIOProducer(config)
    topic: str = options.topic
    before = end_offsets(options.bootstrap, topic, options.partitions)

    async def deliver(position: int) -> None:
        delivery = await producer.produce(topic, value_at(position))
        await delivery

    found = await latencies(deliver, options.warm_up, options.messages)
    sent = options.warm_up + options.messages
    expect("messages on the broker", sent, end_offsets(options.bootstrap, topic, options.partitions) - before)
    await producer.close()
    report(options.messages, **found)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--linger-ms", type=float, help="linger.ms (default: the client's default)")
    arguments.add_argument("--warm-up", type=int, default=100, help="messages before the counted ones")
    asyncio.run(measure(arguments.parse_args()))


if __name__ == "__main__":
    main()
