# SPDX-License-Identifier: Apache-2.0
"""Consume as a member of a group, commit what was handled, and see the partitions come and go.

    KAFKA_BOOTSTRAP_SERVERS=localhost:9092 python consumer_group.py [TOPIC] [GROUP] [COUNT]

Without COUNT it runs until Ctrl-C. Start it twice to see the group share out the partitions.
"""

from __future__ import annotations

import argparse
import sys

from confluent_kafka import Consumer, TopicPartition, config_from_env


def assigned(consumer: Consumer, partitions: list[TopicPartition]) -> None:
    print(f"given partitions {sorted(tp.partition for tp in partitions)}")


def revoked(consumer: Consumer, partitions: list[TopicPartition]) -> None:
    # Before another member takes over, what this one has handled must be on record; stored offsets are committed here.
    print(f"giving back partitions {sorted(tp.partition for tp in partitions)}")


def main(topic: str, group: str, count: int | None) -> int:
    conf = {
        "bootstrap.servers": "localhost:9092",
        "auto.offset.reset": "earliest",
        # An offset is stored after its message was handled, and stored offsets are committed in the background.
        "enable.auto.offset.store": False,
        **config_from_env(),
        "group.id": group,
    }
    handled = 0
    with Consumer(conf) as consumer:
        consumer.subscribe([topic], on_assign=assigned, on_revoke=revoked)
        try:
            for message in consumer:
                error = message.error()
                if error is not None:
                    print(f"consumer error: {error}", file=sys.stderr)
                    continue
                print(f"{message.partition()}:{message.offset()} {message.key()!r} = {message.value()!r}")
                consumer.store_offsets(message)
                handled += 1
                if handled == count:
                    break
        except KeyboardInterrupt:
            pass
    print(f"handled {handled} messages of {topic}")
    return 0


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("topic", nargs="?", default="example-orders")
    arguments.add_argument("group", nargs="?", default="example-group")
    arguments.add_argument("count", nargs="?", type=int)
    sys.exit(main(**vars(arguments.parse_args())))
