# SPDX-License-Identifier: Apache-2.0
"""Runs a program with confluent-kafka on a corpus, and gives what it printed."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.support.peer import interpreters

PROGRAMS = Path(__file__).parent
DEADLINE_S = 300


def by_peer(program: str, work: str, corpus: Any, folder: Path) -> Any:
    """Give a corpus to a program of this folder under the peer's interpreter; return the JSON that it writes."""
    given, made = folder / f"{work}.json", folder / f"{work}-done.json"
    given.write_text(json.dumps(corpus))
    python = interpreters()["confluent-kafka"]
    began = time.monotonic()
    done = subprocess.run(
        [python, "-I", str(PROGRAMS / program), work, str(given), str(made)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, f"{program} {work} after {time.monotonic() - began:.0f} s:\n{done.stderr[-3000:]}"
    return json.loads(made.read_text())


def different(ours: list[Any], theirs: list[Any], about: list[Any]) -> list[str]:
    """Say for the first places where two lists differ what they hold, and what it is about."""
    assert len(ours) == len(theirs) == len(about)
    pairs = zip(ours, theirs, about, strict=True)
    return [f"{one!r} by us, {other!r} by them: {what!r}" for one, other, what in pairs if repr(one) != repr(other)][:5]
