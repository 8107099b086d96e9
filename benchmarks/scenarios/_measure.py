# SPDX-License-Identifier: Apache-2.0
"""What the scenarios share: arguments, clocks, verification, and the one JSON line each of them prints.

A scenario runs unchanged under the interpreter of either package, so only the public API both have is used here. Those
of a third package share this module too: it imports no client at its top.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VALUE_BYTES = 100
# Distinct values cost nothing in the loops (they are made before the clock starts) and make a mixed-up message visible.
DISTINCT_VALUES = 1_000
# The default queue.buffering.max.messages: a round fills an unconfigured producer exactly.
ROUND = 100_000
DEADLINE_S = 120.0


class BenchmarkError(Exception):
    """The scenario lost, doubled or changed a message, so its times mean nothing."""


def value_at(index: int) -> bytes:
    """The 100-byte value of the message at position ``index`` of a stream."""
    return b"%012d" % (index % DISTINCT_VALUES) + b"v" * (VALUE_BYTES - 12)


def values(count: int) -> list[bytes]:
    """``count`` values in stream order; equal positions modulo 1,000 share one object."""
    distinct = [value_at(index) for index in range(DISTINCT_VALUES)]
    return (distinct * (count // DISTINCT_VALUES + 1))[:count]


def parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments every scenario takes."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--bootstrap", required=True, help="host:port of the broker")
    result.add_argument("--topic", required=True, help="an existing topic")
    result.add_argument("--partitions", type=int, default=1, help="number of partitions of the topic")
    result.add_argument("--messages", type=int, default=300_000, help="messages inside the measured part")
    return result


@dataclass
class Stopwatch:
    """CPU seconds of this thread and of the whole process; the two may start at different moments."""

    thread_s: float = 0.0
    process_s: float = 0.0
    wall_s: float = 0.0
    _thread: float = field(default=0.0, repr=False)
    _process: float = field(default=0.0, repr=False)
    _wall: float = field(default=0.0, repr=False)

    def start_process(self) -> None:
        self._process = time.process_time()

    def start_thread(self) -> None:
        self._wall = time.perf_counter()
        self._thread = time.thread_time()

    def stop(self) -> None:
        self.thread_s = time.thread_time() - self._thread
        self.process_s = time.process_time() - self._process
        self.wall_s = time.perf_counter() - self._wall


def wait_until_quiet(deadline_s: float = DEADLINE_S) -> None:
    """Return when the client's own threads rest: what was to be fetched has been fetched.

    Neither package tells how much is prefetched without serving messages; a process without CPU use does.
    """
    limit = time.monotonic() + deadline_s
    quiet_windows = 0
    while quiet_windows < 4:
        if time.monotonic() > limit:
            raise BenchmarkError(f"the client was still fetching after {deadline_s:g} s")
        before = time.process_time()
        time.sleep(0.1)
        quiet_windows = quiet_windows + 1 if time.process_time() - before < 0.002 else 0


def end_offsets(bootstrap: str, topic: str, partitions: int) -> int:
    """Sum of the partitions' end offsets, asked from the broker."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-end-offsets"})
    try:
        return sum(
            consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=DEADLINE_S)[1]
            for number in range(partitions)
        )
    finally:
        consumer.close()


def expect(what: str, expected: object, actual: object) -> None:
    if actual != expected:
        raise BenchmarkError(f"{what}: expected {expected!r}, got {actual!r}")


def check_values(sample: Sequence[tuple[int, bytes | None]]) -> None:
    """Compare (offset, value) pairs of a filled single-partition topic with what was filled in."""
    for offset, value in sample:
        expect(f"value at offset {offset}", value_at(offset), value)


def rss_bytes() -> int:
    """Resident memory of this process in bytes."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def native_threads() -> int:
    """Threads of this process, those of the native library included."""
    return len(os.listdir("/proc/self/task"))


def _client() -> dict[str, Any]:
    """Which package was measured: its name and version, its librdkafka's where it has one, where it lies."""
    installed = {found.metadata["Name"]: found.version for found in importlib.metadata.distributions()}
    names = [name for name in ("ferrokafka", "confluent-kafka", "aiokafka") if name in installed]
    distribution = ", ".join(f"{name} {installed[name]}" for name in names) or "unknown"
    module: Any = sys.modules.get("confluent_kafka") or sys.modules.get("aiokafka")
    libversion = getattr(module, "libversion", None)
    return {
        "distribution": distribution,
        "librdkafka": libversion()[0] if libversion else None,
        # Which copy it is, without where this machine has its files.
        "module": "/".join(Path(getattr(module, "__file__", None) or "unknown").parts[-3:]),
    }


def report(messages: int, watch: Stopwatch | None = None, **extra: Any) -> None:
    """Print the result as one JSON line: nanoseconds per message, messages per second, and what produced them."""
    line: dict[str, Any] = {
        "messages": messages,
        **_client(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "python_threads": threading.active_count(),
        **extra,
    }
    if watch is not None:
        line["thread_ns"] = watch.thread_s / messages * 1e9
        line["process_ns"] = watch.process_s / messages * 1e9
        line["wall_ns"] = watch.wall_s / messages * 1e9
        line["messages_per_s"] = messages / watch.wall_s
    print(json.dumps(line), flush=True)
