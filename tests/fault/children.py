# SPDX-License-Identifier: Apache-2.0
"""Programs in processes of their own: what they do to signals, forks and exits must not touch the test run."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import dataclass

DEADLINE_S = 100
# A child that hangs prints the stacks of its threads before the deadline ends it.
PRELUDE = f"""
import faulthandler, gc, os, random, signal, sys, threading, time
def watch():
    faulthandler.dump_traceback_later({DEADLINE_S - 20}, exit=True)
watch()
# Its thread is not there in a forked child, which would wait for it for ever.
os.register_at_fork(before=faulthandler.cancel_dump_traceback_later, after_in_parent=watch, after_in_child=watch)
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
"""


@dataclass(frozen=True)
class Ended:
    """How a child ended; ``code`` is negative for a signal."""

    code: int
    out: str
    err: str

    def expect(self, code: int = 0) -> Ended:
        assert self.code == code, f"ended with {self.code}, not {code}:\n{self.out}\n{self.err}"
        return self


def run_child(source: str, *arguments: str, deadline: float = DEADLINE_S) -> Ended:
    """Run Python source, after the imports of PRELUDE, with ``sys.argv[1:]`` set, against a deadline."""
    program = PRELUDE + textwrap.dedent(source)
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=deadline, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"still running after {deadline:.0f} s:\n{error.stdout!r}\n{error.stderr!r}") from error
    return Ended(done.returncode, done.stdout, done.stderr)
