# SPDX-License-Identifier: Apache-2.0
"""Copy a topic into another exactly once: output and consumed offsets are committed together, or not at all.

    KAFKA_BOOTSTRAP_SERVERS=localhost:9092 python transactional_copy.py SOURCE TARGET [COUNT]

Without COUNT it runs until Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys

from confluent_kafka import Consumer, Message, Producer, config_from_env


def copy(producer: Producer, target: str, messages: list[Message]) -> int:
    for message in messages:
        value = message.value()
        upper = None if value is None else value.upper()
        producer.produce(target, key=message.key(), value=upper, headers=message.headers(), block=10)
    return len(messages)


def main(source: str, target: str, count: int | None) -> int:
    conf = {"bootstrap.servers": "localhost:9092", **config_from_env()}
    group = f"copy-{source}-{target}"
    readers = {"auto.offset.reset": "earliest", "enable.auto.commit": False, "isolation.level": "read_committed"}
    copied = 0
    with (
        Consumer({**conf, **readers, "group.id": group}) as consumer,
        Producer({**conf, "transactional.id": group}) as producer,
    ):
        producer.init_transactions(30)
        consumer.subscribe([source])
        try:
            while count is None or copied < count:
                messages = [message for message in consumer.consume(500, timeout=0.5) if message.error() is None]
                if not messages:
                    continue
                # Commits the consumer's offsets with the output; after an exception, aborts and rewinds the consumer.
                with producer.transaction(consumer):
                    copied += copy(producer, target, messages)
        except KeyboardInterrupt:
            pass
    print(f"copied {copied} messages from {source} to {target}")
    return 0


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("source")
    arguments.add_argument("target")
    arguments.add_argument("count", nargs="?", type=int)
    sys.exit(main(**vars(arguments.parse_args())))
