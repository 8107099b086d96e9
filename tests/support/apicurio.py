# SPDX-License-Identifier: Apache-2.0
"""A real Schema Registry for tests: Apicurio Registry on a free port of 127.0.0.1, its data in memory.

It speaks the Confluent API, except for a few calls: GUIDs, modes, associations, metadata (it drops metadata and rule
sets without a word), subjects by id, pages of lists. Version 3.0.9 is the last one that runs on Java 17.

`python -m tests.support.apicurio` starts one by hand and prints its URL until Ctrl-C.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from tests.support.broker import HOST, free_ports
from tests.support.kafka_jars import java, maven
from tests.support.watchdog import Watchdog
from tools.environments import cache_dir, locked

if TYPE_CHECKING:
    from typing_extensions import Self


VERSION = "3.0.9"
FETCH_DEADLINE_S = 600
START_DEADLINE_S = 120
LOG_TAIL_LINES = 40


@cache
def application() -> Path:
    """The registry's program; the first call on a machine fetches it by Maven (about 160 MB).

    Raises: MissingTool without Maven; RuntimeError with Maven's output when it fails.
    """
    folder = cache_dir() / f"apicurio-{VERSION}"
    jar = folder / f"apicurio-registry-app-{VERSION}-runner.jar"
    if jar.is_file():
        return jar
    with locked(cache_dir() / "apicurio.lock"):
        if not jar.is_file():
            with tempfile.TemporaryDirectory(dir=cache_dir()) as scratch:
                archive = _fetch(Path(scratch))
                unpacked = Path(scratch) / "unpacked"
                with tarfile.open(archive) as files:
                    files.extractall(unpacked, filter="data")
                shutil.rmtree(folder, ignore_errors=True)
                unpacked.rename(folder)
    return jar


def _fetch(folder: Path) -> Path:
    artifact = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
    # Its parent is not published, which later versions of the plugin do not put up with. `get` has no target folder.
    command = [maven(), "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:2.8:get", "-Dtransitive=false",
               f"-Dartifact={artifact}", f"-Dmaven.repo.local={folder}"]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=FETCH_DEADLINE_S, check=False, stdin=subprocess.DEVNULL,
        cwd=folder,
    )  # fmt: skip
    archives = list(folder.glob(f"io/apicurio/**/*-{VERSION}-all.tar.gz"))
    if done.returncode != 0 or len(archives) != 1:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return archives[0]


class ApicurioRegistry:
    """``with ApicurioRegistry() as registry: SchemaRegistryClient({"url": registry.url})``.

    Raises (start): MissingTool without Java or Maven; RuntimeError with the end of its log if it does not start.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: Watchdog | None = None
        self._folder: Path | None = None
        self._owner = os.getpid()
        self._port = 0

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Base URL of its Confluent API."""
        return f"http://{HOST}:{self._port}/apis/ccompat/v7"

    def stop(self) -> None:
        """End it by its process id; does nothing once stopped, or in a forked child."""
        if self._owner != os.getpid():
            return
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait()
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is not None:
            watchdog.end()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _start(self) -> None:
        jar = application()
        self._port, management = free_ports(2)
        self._folder = Path(tempfile.mkdtemp(prefix="ferrokafka-registry-"))
        properties = {
            "quarkus.http.host": HOST,
            "quarkus.http.port": str(self._port),
            "quarkus.management.host": HOST,
            "quarkus.management.port": str(management),
            "quarkus.http.access-log.enabled": "false",
            "quarkus.log.level": "WARN",
            "apicurio.storage.kind": "sql",
            "apicurio.storage.sql.kind": "h2",
        }
        command = [java(), "-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
                   *(f"-D{name}={value}" for name, value in properties.items()), "-jar", str(jar)]  # fmt: skip
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder, start_new_session=True
            )
        self._watchdog = Watchdog(self._process.pid, self._folder)
        deadline = time.monotonic() + START_DEADLINE_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = (self._folder / "log").read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
                raise RuntimeError("Apicurio Registry does not start; the end of its log:\n" + "\n".join(tail))
            time.sleep(0.1)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


if __name__ == "__main__":
    with ApicurioRegistry() as running:
        print(running.url, flush=True)
        signal.sigwait([signal.SIGINT, signal.SIGTERM])
