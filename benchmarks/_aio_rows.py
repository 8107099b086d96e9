# SPDX-License-Identifier: Apache-2.0
"""What is measured of the asyncio clients."""

from __future__ import annotations

from _rows import Contest, Limit, Row, Side

# librdkafka's default linger.ms, and what may come on top of it from produce() to the awaiting task.
LINGER_MS = 5.0
OVER_LINGER_MS = 1.0
# "Not slower", with room for the difference between runs of the same side.
NOISE = 1.05
# Some tenths of a second for the fastest side.
BACKLOG = 1_000_000

AIO_ROWS = (
    Row(
        "aio-produce",
        "await produce, futures gathered per 10,000",
        "aio_produce.py",
        0.45,
        arguments=("--outcomes", "futures"),
        measure="process_ns",
        messages=60_000,
    ),
    Row(
        "aio-produce-batch",
        "await produce_batch of 10,000 dicts (peer: produce, futures gathered, it has no such call)",
        "aio_produce.py",
        0.12,
        arguments=("--outcomes", "batch"),
        peer_arguments=("--outcomes", "futures"),
        measure="process_ns",
        messages=300_000,
        peer_messages=60_000,
    ),
    Row(
        "aio-poll",
        "await poll one by one, reading value",
        "aio_poll.py",
        0.03,
        consumes=True,
        measure="process_ns",
        # The peer takes up to 100 times as long for a message.
        peer_messages=20_000,
    ),
)

AIO_CONTESTS = (
    Contest(
        "aio-latency",
        "one produce awaited to delivery, default settings",
        {
            "ours": Side("ours", "aio_latency.py", 500),
            # Seconds for a message.
            "peer": Side("peer", "aio_latency.py", 3, ("--warm-up", "1")),
        },
        (Limit("p50_ms", at_most=LINGER_MS + OVER_LINGER_MS),),
        told=("p99_ms",),
    ),
    Contest(
        "aio-latency-no-linger",
        "one produce awaited to delivery, linger.ms=0",
        {
            "ours": Side("ours", "aio_latency.py", 10_000, ("--linger-ms", "0")),
            "aiokafka": Side("aiokafka", "aiokafka_latency.py", 10_000),
        },
        (Limit("p50_ms", at_most=NOISE, of="aiokafka"), Limit("p99_ms", at_most=NOISE, of="aiokafka")),
        # A fresh broker takes some ten thousand requests until its JVM has compiled their way.
        rehearsals=1,
    ),
    Contest(
        "aio-iterate-queue",
        "async for over a backlog in the client's queue",
        {"ours": Side("ours", "aio_iterate.py", BACKLOG), "sync poll": Side("ours", "poll.py", BACKLOG)},
        (Limit("messages_per_s", at_least=0.8, of="sync poll"),),
        filled=True,
    ),
    Contest(
        "aio-iterate-broker",
        "async for over a backlog on the broker",
        {
            "ours": Side("ours", "aio_iterate.py", BACKLOG, ("--backlog", "broker")),
            "sync poll": Side("ours", "poll.py", BACKLOG, ("--backlog", "broker")),
            "aiokafka": Side("aiokafka", "aiokafka_iterate.py", BACKLOG),
        },
        (Limit("messages_per_s", at_least=0.8, of="sync poll"), Limit("messages_per_s", at_least=4, of="aiokafka")),
        filled=True,
    ),
    Contest(
        "aio-clients",
        "50 producers and 50 consumers open, a poll pending in each",
        {"ours": Side("ours", "aio_clients.py"), "peer": Side("peer", "aio_clients.py")},
        (Limit("python_threads_added", at_most=0), Limit("native_threads_left", at_most=0)),
        told=("native_threads_added", "open_files_added"),
        runs=1,
    ),
)
