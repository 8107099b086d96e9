# SPDX-License-Identifier: Apache-2.0
"""Produce messages and learn from a callback what became of each of them.

KAFKA_BOOTSTRAP_SERVERS=localhost:9092 python produce_with_callbacks.py [TOPIC] [COUNT]
"""

from __future__ import annotations

import argparse
import sys

from confluent_kafka import KafkaError, Message, Producer, config_from_env


def main(topic: str, count: int) -> int:
    failed: list[KafkaError] = []
    delivered = 0

    def report(error: KafkaError | None, message: Message) -> None:
        nonlocal delivered
        if error is not None:
            failed.append(error)
            print(f"order {message.key()!r} was not delivered: {error}", file=sys.stderr)
        else:
            delivered += 1

    conf = {"bootstrap.servers": "localhost:9092", "enable.idempotence": True, **config_from_env()}
    with Producer(conf) as producer:
        for number in range(count):
            # block: wait up to 10 s for room in the queue instead of raising BufferError.
            producer.produce(topic, key=f"{number}", value=f"order {number}", on_delivery=report, block=10)
            # Callbacks run in here, on this thread.
            producer.poll(0)
        producer.flush()
    print(f"delivered {delivered} of {count} orders to {topic}")
    return 1 if failed else 0


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("topic", nargs="?", default="example-orders")
    arguments.add_argument("count", nargs="?", default=100, type=int)
    sys.exit(main(**vars(arguments.parse_args())))
