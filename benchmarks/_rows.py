# SPDX-License-Identifier: Apache-2.0
"""What is measured: one row per kind of work, with the ratio to the peer that must not be exceeded.

The rows of the asyncio clients are in _aio_rows.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# Messages in the topic that the consuming rows read: the measured ones, the first one, and some that stay unread, so
# that no run reaches the end of the topic.
FILLED_MARGIN = 2_000


@dataclass(frozen=True)
class Row:
    """One line of the table: the same script under both interpreters.

    ``limit`` and ``aim`` are ratios ours / peer of CPU nanoseconds per message: those of the calling thread, or of the
    process where several threads do a client's work. ``messages`` are per run, by default as many as the command says.
    """

    key: str
    work: str
    script: str
    limit: float
    aim: float | None = None
    arguments: tuple[str, ...] = ()
    peer_arguments: tuple[str, ...] | None = None
    consumes: bool = False
    measure: Literal["thread_ns", "process_ns"] = "thread_ns"
    messages: int | None = None
    peer_messages: int | None = None

    def arguments_of(self, side: str) -> tuple[str, ...]:
        return self.arguments if side == "ours" or self.peer_arguments is None else self.peer_arguments

    def messages_of(self, side: str, default: int) -> int:
        own = self.messages or default
        return own if side == "ours" else self.peer_messages or own


@dataclass(frozen=True)
class Check:
    """A script run under our interpreter only; resident memory may grow by ``limit_bytes``."""

    key: str
    work: str
    script: str
    limit_bytes: int
    messages: int
    arguments: tuple[str, ...] = ()
    filled: int = 0


@dataclass(frozen=True)
class Side:
    """A script under the interpreter that has ``package``: ours, peer, or aiokafka."""

    package: str
    script: str
    messages: int | None = None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limit:
    """What our median of ``measure`` may be: a number, or a multiple of the median of the side ``of``."""

    measure: str
    at_most: float | None = None
    at_least: float | None = None
    of: str | None = None

    def holds(self, reached: float) -> bool:
        above = self.at_least is None or reached >= self.at_least
        return above and (self.at_most is None or reached <= self.at_most)

    def __str__(self) -> str:
        number = f"at most {self.at_most:g}" if self.at_most is not None else f"at least {self.at_least:g}"
        return number if self.of is None else f"{number} x {self.of}"


@dataclass(frozen=True)
class Contest:
    """Several sides, each with its own script and its own measures; the first is ours.

    ``limits`` hold ours to what the others reached; measures in ``told`` are shown without a limit. ``filled`` sides
    read a topic that holds their messages. ``rehearsals`` are runs of every side that do not count.
    """

    key: str
    work: str
    sides: Mapping[str, Side]
    limits: tuple[Limit, ...]
    told: tuple[str, ...] = ()
    filled: bool = False
    runs: int | None = None
    rehearsals: int = 0

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*(limit.measure for limit in self.limits), *self.told]))


ROWS = (
    Row("produce", "produce, one by one, then flush", "produce.py", 0.68, 0.55),
    Row(
        "produce-callback",
        "produce with a delivery callback, poll(0) after each",
        "produce_callback.py",
        0.45,
        0.35,
        ("--serve", "poll"),
    ),
    Row(
        "produce-callback-flush",
        "produce with a delivery callback, served by flush",
        "produce_callback.py",
        0.45,
        0.35,
        ("--serve", "flush"),
    ),
    Row("produce-batch", "produce_batch of 10,000 dicts", "produce_batch.py", 1.00, 0.80),
    Row(
        "produce-batch-bytes",
        "produce_batch of 10,000 bytes items (peer: dicts)",
        "produce_batch.py",
        0.85,
        0.70,
        ("--items", "bytes"),
        ("--items", "dicts"),
    ),
    Row("poll", "poll one by one, reading value", "poll.py", 0.55, 0.30, consumes=True),
    Row("consume", "consume(10,000), reading value", "consume.py", 0.65, 0.40, consumes=True),
)

MIB = 1 << 20

CHECKS = (
    Check(
        "memory-keep",
        "keep every 1,000th of 10 million messages",
        "memory_keep.py",
        20 * MIB,
        10_000_000,
        filled=1_000_000,
    ),
    Check(
        # Two queues of 8 MiB each.
        "memory-flow",
        "produce and consume a million messages",
        "memory_flow.py",
        16 * MIB,
        1_000_000,
    ),
    Check(
        "cycles-producer",
        "1,000 producers created, used, closed",
        "lifecycle.py",
        2 * MIB,
        1_000,
        ("--client", "producer"),
    ),
    Check(
        "cycles-consumer",
        "1,000 consumers created, used, closed",
        "lifecycle.py",
        2 * MIB,
        1_000,
        ("--client", "consumer"),
        filled=10,
    ),
)
