# SPDX-License-Identifier: Apache-2.0
"""Send messages and wait for their futures, which are resolved without anybody calling poll.

KAFKA_BOOTSTRAP_SERVERS=localhost:9092 python send_with_futures.py [TOPIC] [COUNT]
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import as_completed

from confluent_kafka import Producer, config_from_env


def main(topic: str, count: int) -> int:
    failed = 0
    with Producer({"bootstrap.servers": "localhost:9092", **config_from_env()}) as producer:
        futures = {producer.send(topic, key=f"{n}", value=f"payment {n}"): n for n in range(count)}
        for future in as_completed(futures, timeout=60):
            error = future.exception()
            if error is not None:
                failed += 1
                print(f"payment {futures[future]} failed: {error}", file=sys.stderr)
            else:
                message = future.result()
                print(f"payment {futures[future]} is at {message.partition()}:{message.offset()}")
    print(f"sent {count - failed} of {count} payments to {topic}")
    return 1 if failed else 0


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("topic", nargs="?", default="example-payments")
    arguments.add_argument("count", nargs="?", default=20, type=int)
    sys.exit(main(**vars(arguments.parse_args())))
