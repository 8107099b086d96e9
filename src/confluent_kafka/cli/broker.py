# SPDX-License-Identifier: Apache-2.0
"""``broker``: an embedded cluster that other terminals can use until this one presses Ctrl-C."""

from __future__ import annotations

import argparse
import json
import time

from confluent_kafka.testing import MockCluster

from ._errors import UsageError
from ._terminal import say

EPILOG = """\
examples:
  %(prog)s                                  one broker; prints its address, runs until Ctrl-C
  %(prog)s --brokers 3 --topic orders:6 --topic words

It is librdkafka's mock cluster, for trying things out: data lives in memory, 5 MiB or 100,000 messages per
partition (older ones drop silently); no admin requests, no lookup by time, aborted data stays visible. A group that
had members before waits 44 s for the next one: consume with -X session.timeout.ms=1000 or -X group.protocol=consumer.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "broker",
        help="run an embedded cluster for other terminals",
        description="Run a Kafka cluster inside this process; the first line printed is its bootstrap address.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--brokers", type=int, default=1, metavar="N", help="number of brokers (1)")
    parser.add_argument(
        "--topic",
        dest="topics",
        action="append",
        default=[],
        type=parse_topic,
        metavar="NAME[:PARTITIONS]",
        help="make a topic, with one partition if no number is given; repeatable",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the address")
    parser.set_defaults(run=run)


def parse_topic(text: str) -> tuple[str, int]:
    """``name`` or ``name:partitions``."""
    name, separator, count = text.rpartition(":")
    if not separator:
        return text, 1
    if not name or not count.isdigit() or int(count) < 1:
        raise argparse.ArgumentTypeError(f"expected NAME or NAME:PARTITIONS, got {text!r}")
    return name, int(count)


def run(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C. Raises: UsageError: a number is impossible; KeyboardInterrupt: the usual end."""
    if arguments.brokers < 1:
        raise UsageError(f"--brokers must be at least 1, got {arguments.brokers}")
    topics = dict(arguments.topics)
    try:
        cluster = MockCluster(arguments.brokers, topics=topics)
    except ValueError as error:
        raise UsageError(str(error)) from error
    with cluster:
        address = cluster.bootstrap_servers
        print(json.dumps({"bootstrap_servers": address, "topics": topics}) if arguments.json else address, flush=True)
        say("embedded cluster is running, stop it with Ctrl-C")
        while True:
            # A plain sleep ends at a signal on every platform; a lock or event does not on Windows.
            time.sleep(3600)
