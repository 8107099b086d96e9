# SPDX-License-Identifier: Apache-2.0
"""The package whose interface ours matches, in an environment of its own, to run the same program with both."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.environment import peer_python

DEADLINE_S = 180


def interpreters() -> dict[str, str]:
    """``{"ferrokafka": ..., "confluent-kafka": ...}``: the Python that has the one or the other."""
    return {"ferrokafka": sys.executable, "confluent-kafka": str(peer_python())}


def run_program(interpreter: str, program: Path, *arguments: str) -> str:
    """Run a program to its end and return what it printed.

    librdkafka's log lines on stderr differ from run to run and are not looked at.

    Raises: AssertionError with both outputs when it fails.
    """
    # Neither this checkout's src nor the user's site may decide which package the program imports.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [interpreter, "-s", str(program), *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=program.parent,
        timeout=DEADLINE_S,
        check=False,
    )
    said = f"{program.name} with {interpreter} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    return done.stdout
