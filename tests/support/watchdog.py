# SPDX-License-Identifier: Apache-2.0
"""Ends a server that this process started when this process is gone, however it ended."""

from __future__ import annotations

import subprocess
from pathlib import Path

STOP_DEADLINE_S = 30


class Watchdog:
    """A shell whose standard input closes with this process; then it kills the server and removes its folder."""

    def __init__(self, pid: int, folder: Path) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", f"read _; kill -9 {pid}; rm -rf '{folder}'"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def end(self) -> None:
        """Leave the server to whoever has ended it."""
        self._shell.kill()
        self._shell.wait(STOP_DEADLINE_S)
        if self._shell.stdin is not None:
            self._shell.stdin.close()
