# SPDX-License-Identifier: Apache-2.0
"""Runs the command line as users do: in a process of its own, with a deadline."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, Queue
from typing import IO, Any
from unittest import mock

from confluent_kafka.cli import main

Environment = dict[str, str]


def environment(bootstrap: str | None = None) -> Environment:
    """This process's environment without any KAFKA_* variable, then the given address."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
    if bootstrap is not None:
        clean["KAFKA_BOOTSTRAP_SERVERS"] = bootstrap
    return clean


def run_cli(
    *arguments: str, bootstrap: str | None = None, stdin: bytes = b"", timeout: float = 60
) -> subprocess.CompletedProcess[bytes]:
    """``python -m confluent_kafka`` with these arguments; standard error never holds a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "confluent_kafka", *arguments],
        input=stdin,
        capture_output=True,
        env=environment(bootstrap),
        timeout=timeout,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def call_cli(*arguments: str, bootstrap: str) -> subprocess.CompletedProcess[bytes]:
    """The same in this process, in a tenth of the time; nobody can be asked anything."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment(bootstrap), clear=True),
        mock.patch("sys.stdin", io.StringIO()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = main(arguments)
    return subprocess.CompletedProcess(arguments, code, out.getvalue().encode(), err.getvalue().encode())


def ok(done: subprocess.CompletedProcess[bytes]) -> bytes:
    """The standard output of a run that must have succeeded."""
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def entries(output: bytes) -> list[dict[str, Any]]:
    """NDJSON output, one object per line."""
    return [json.loads(line) for line in output.splitlines()]


class Running:
    """A command that is still running: its output by lines, ended by a signal."""

    def __init__(self, *arguments: str, bootstrap: str | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "confluent_kafka", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(bootstrap),
            # A test run in the background ignores Ctrl-C, and children would inherit that.
            preexec_fn=_heed_interrupts,
        )
        self._lines: Queue[bytes] = Queue()
        self.stderr: list[bytes] = []
        self._threads = [
            self._reader(self.process.stdout, self._lines.put),
            self._reader(self.process.stderr, self.stderr.append),
        ]

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        for thread in self._threads:
            thread.join(30)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def line(self, timeout: float = 60) -> bytes:
        """The next line of standard output, without its line feed."""
        try:
            return self._lines.get(timeout=timeout).rstrip(b"\n")
        except Empty:
            raise AssertionError(f"no output within {timeout} s; standard error: {self.said()}") from None

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def interrupt(self, timeout: float = 60) -> int:
        """Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout)
        for thread in self._threads:
            thread.join(30)
        assert "Traceback" not in self.said(), self.said()
        return code

    def said(self) -> str:
        return b"".join(self.stderr).decode()

    @staticmethod
    def _reader(stream: IO[bytes] | None, take: Callable[[bytes], object]) -> threading.Thread:
        assert stream is not None

        def read() -> None:
            for line in stream:
                take(line)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_until(condition: Callable[[], bool], what: str, timeout: float = 60) -> None:
    """Wait for a condition with a deadline."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.02)


def words(count: int, start: int = 0) -> list[bytes]:
    return [f"word {number}".encode() for number in range(start, start + count)]


def lines(values: Sequence[bytes]) -> bytes:
    return b"".join(value + b"\n" for value in values)
