# SPDX-License-Identifier: Apache-2.0
"""What a command writes for people: messages and progress on standard error, sizes and rates in readable units."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any, ClassVar, TextIO

from confluent_kafka import KafkaError


def say(text: str) -> None:
    """One line on standard error; lost without complaint when nobody can read it."""
    stream = sys.stderr
    if stream is None:
        return
    if Progress.shown is not None:
        Progress.shown.clear()
    try:
        stream.write(text + "\n")
        stream.flush()
    except (OSError, ValueError):
        pass


def discard_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush cannot fail again."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, sys.stdout.fileno())
    except (OSError, ValueError):
        pass
    finally:
        os.close(devnull)


def readable_bytes(count: float) -> str:
    """``1536`` as ``1.5 KiB``."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1024
    raise AssertionError("unreachable")


def per_second(count: float, seconds: float) -> float:
    """A rate that survives a clock too coarse to see the work."""
    return count / max(seconds, 1e-9)


def plural(count: int, noun: str) -> str:
    """``1 message``, ``2,000 messages``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


class Progress:
    """A line on standard error that is rewritten while long work goes on.

    Args:
        wanted: True always shows it, False never, None when standard error is a terminal.
        quiet_s: seconds of work before the first line, so that short runs show nothing.
        every_s: seconds between two lines.
    """

    # The one whose line is on the screen, which `say` has to take away first.
    shown: ClassVar[Progress | None] = None

    def __init__(
        self,
        wanted: bool | None,
        quiet_s: float = 1.0,
        every_s: float = 0.2,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream is not None and self._stream.isatty()
        self.enabled = self._stream is not None and (self._terminal if wanted is None else wanted)
        self._clock = clock
        # A log file wants a line now and then, not five a second.
        self._every_s = every_s if self._terminal else max(every_s, 1.0)
        self._next = clock() + (0.0 if wanted else quiet_s)
        self._width = 0

    def show(self, text: Callable[[], str]) -> None:
        """Write ``text()`` if it is time to; cheap enough to be called per message."""
        if not self.enabled:
            return
        now = self._clock()
        if now < self._next:
            return
        self._next = now + self._every_s
        line = text()
        if self._terminal:
            self._write("\r" + line.ljust(self._width))
            self._width = len(line)
            Progress.shown = self
        else:
            self._write(line + "\n")

    def clear(self) -> None:
        """Take the line away before something else is written."""
        if self.enabled and self._width:
            self._write("\r" + " " * self._width + "\r")
            self._width = 0
            Progress.shown = None

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self.enabled = False


class ClientLog:
    """Shows what a client has to say: its errors once each, its log only when asked for.

    Pass ``settings()`` into the client's configuration.
    """

    def __init__(self, verbose: bool, write: Callable[[str], None] = say) -> None:
        self._verbose = verbose
        self._write = write
        self._seen: set[str] = set()
        self.last_error: KafkaError | None = None

    def settings(self) -> dict[str, object]:
        return {"error_cb": self.on_error, "logger": self}

    def on_error(self, error: KafkaError) -> None:
        self.last_error = error
        self._once(f"{'fatal: ' if error.fatal() else ''}{error.str()} ({error.name()})")

    def log(self, level: int, message: str, *arguments: Any) -> None:
        """The method of a logger that clients call."""
        text = message % arguments if arguments else message
        # Connection failures also arrive at on_error, with less noise.
        repeated = any(f"{facility} " in text[:12] for facility in ("FAIL", "ERROR"))
        if self._verbose or (level >= logging.WARNING and not repeated):
            self._once(text)

    def _once(self, text: str) -> None:
        if self._verbose or text not in self._seen:
            self._seen.add(text)
            self._write(text)
