# SPDX-License-Identifier: Apache-2.0
"""A subscribed AIOConsumer that has taken its first message; see _consumer.py."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import Any

from _consumer import check_first, consumer_config
from _measure import DEADLINE_S, Stopwatch, wait_until_quiet

from confluent_kafka.aio import AIOConsumer


async def started_consumer(options: Namespace, watch: Stopwatch) -> Any:
    """What the function of the same name in _consumer.py does, on the event loop."""
    consumer: Any = AIOConsumer(consumer_config(options))
    watch.start_process()
    await consumer.subscribe([options.topic])
    limit = time.monotonic() + DEADLINE_S
    while not check_first(await consumer.poll(1.0), options, limit):
        pass
    if options.backlog == "queue":
        # Blocks the loop on purpose: nothing that runs on it may take what has been fetched.
        wait_until_quiet()
    return consumer
