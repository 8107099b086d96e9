# SPDX-License-Identifier: Apache-2.0
"""A subscribed consumer that has taken its first message, with the backlog in its own queue or still on the broker."""

from __future__ import annotations

import os
import time
from argparse import Namespace
from typing import Any

from _measure import DEADLINE_S, BenchmarkError, Stopwatch, check_values, parser, wait_until_quiet

from confluent_kafka import Consumer


def backlog_options(description: str | None) -> Namespace:
    """The arguments of a scenario that reads a filled topic."""
    arguments = parser(description)
    arguments.add_argument(
        "--backlog",
        choices=("queue", "broker"),
        default="queue",
        help="queue: fetched before the clock starts, so that calls are measured and not waiting; "
        "broker: fetched meanwhile",
    )
    return arguments.parse_args()


def consumer_config(options: Namespace) -> dict[str, Any]:
    """A group of its own, from the topic's start. Offsets are stored and committed automatically, as by default."""
    return {
        "bootstrap.servers": options.bootstrap,
        "group.id": f"bench-{os.getpid()}-{time.time_ns()}",
        "auto.offset.reset": "earliest",
        # Room for the whole topic. A queue that is full once would pause fetching for fetch.queue.backoff.ms, a second.
        "queued.min.messages": 10_000_000,
        "queued.max.messages.kbytes": 2_000_000,
    }


def started_consumer(options: Namespace, watch: Stopwatch) -> Consumer:
    """Subscribe, take the first message, and wait until the rest of the topic is in the client's queue if it shall be.

    The process clock starts before the subscription: fetching is work of the process, wherever it happens.
    """
    consumer = Consumer(consumer_config(options))
    watch.start_process()
    consumer.subscribe([options.topic])
    limit = time.monotonic() + DEADLINE_S
    while not check_first(consumer.poll(1.0), options, limit):
        pass
    if options.backlog == "queue":
        wait_until_quiet()
    return consumer


def check_first(message: Any, options: Namespace, limit: float) -> bool:
    """Whether this is the first message. Raises BenchmarkError: it is an error, another one, or late."""
    if message is None:
        if time.monotonic() > limit:
            raise BenchmarkError(f"no first message within {DEADLINE_S:g} s; is the topic filled?")
        return False
    if message.error() is not None:
        raise BenchmarkError(f"no first message: {message.error()}")
    if options.partitions == 1:
        check_values([(message.offset(), message.value())])
    return True
