# SPDX-License-Identifier: Apache-2.0
"""Virtual environments of the packages we are compared with, made once per Python version, kept in the user's cache."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

PEER = "confluent-kafka"
# Distribution, pinned in the text file of the same name: the module that it brings.
MODULES = {PEER: "confluent_kafka", "aiokafka": "aiokafka"}


class PeerError(Exception):
    """A peer's environment could not be made."""


def cache_directory() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ferrokafka"


def peer_python(interpreter: str = sys.executable, distribution: str = PEER) -> Path:
    """The interpreter of an environment that has the pinned ``distribution``, of the same Python as ``interpreter``.

    Raises PeerError: the environment could not be made; the text ends with what pip said.
    """
    requirements = Path(__file__).with_name(f"{distribution}.txt")
    requirement = requirements.read_text().strip()
    version = subprocess.run(
        [interpreter, "-c", "import sys, platform; print(sys.implementation.cache_tag, platform.python_version())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    home = cache_directory() / "peers"
    home.mkdir(parents=True, exist_ok=True)
    target = home / "-".join([re.sub(r"[^\w.-]+", "-", requirement), *version])
    python = target / "bin" / "python"
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = target / "ready.txt"
        if ready.exists() and ready.read_text() == requirement and _works(python, MODULES[distribution]):
            return python
        shutil.rmtree(target, ignore_errors=True)
        print(f"making the environment {target}", file=sys.stderr)
        _run([interpreter, "-m", "venv", str(target)])
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        # of all that the peers need, only hkdf (pure Python) has no wheels
        _run([*pip, "--only-binary", ":all:", "--no-binary", "hkdf", "-r", str(requirements)])
        ready.write_text(requirement)
    return python


def _works(python: Path, module: str) -> bool:
    return subprocess.run([python, "-E", "-s", "-c", f"import {module}"], capture_output=True).returncode == 0


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise PeerError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
