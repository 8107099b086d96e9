# SPDX-License-Identifier: Apache-2.0
"""Produce many messages in one call: plain values, and records with their own key, headers and partition.

KAFKA_BOOTSTRAP_SERVERS=localhost:9092 python produce_batches.py [TOPIC] [COUNT]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from confluent_kafka import KafkaError, Message, Producer, config_from_env

BATCH = 1000


def readings(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "key": f"sensor-{number % 7}",
            "value": f'{{"reading": {number}}}',
            "headers": [("unit", "kelvin")],
            "timestamp": 1_700_000_000_000 + number,
        }


def main(topic: str, count: int) -> int:
    failed: list[KafkaError] = []

    def report(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            failed.append(error)

    with Producer({"bootstrap.servers": "localhost:9092", "linger.ms": 20, **config_from_env()}) as producer:
        source = readings(count)
        while batch := list(islice(source, BATCH)):
            while batch:
                producer.produce_batch(topic, batch, on_delivery=report)
                # A full queue takes the front of the batch and marks the others: offer these again when there is room.
                batch = [message for message in batch if message.pop("_error", None) is not None]
                producer.poll(0.1 if batch else 0)
        producer.produce_batch(topic, [b"plain values", b"need no dict"], on_delivery=report)
        producer.flush()
    print(f"produced {count + 2} readings to {topic}, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("topic", nargs="?", default="example-readings")
    arguments.add_argument("count", nargs="?", default=5000, type=int)
    sys.exit(main(**vars(arguments.parse_args())))
