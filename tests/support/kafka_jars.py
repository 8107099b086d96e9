"""Java, Maven and Apache Kafka's jars: found, fetched once, kept in the user's cache."""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from tools.environments import cache_dir, locked
from tools.system import JAVA, MAVEN, Tool

POM = Path(__file__).with_name("pom.xml")
FETCH_DEADLINE_S = 600


class MissingTool(RuntimeError):
    """A system tool that the real broker needs is not installed; the text has the line that installs it."""


@cache
def java() -> str:
    """Path of a Java 17 or newer. Raises MissingTool."""
    return _path_of(JAVA)


@cache
def maven() -> str:
    """Path of Maven. Raises MissingTool."""
    return _path_of(MAVEN)


def _path_of(tool: Tool) -> str:
    path = tool.find()
    if path is None:
        raise MissingTool(f"{tool.problem()}; {'; '.join(tool.install_lines())}")
    return path


@cache
def kafka_jars() -> Path:
    """The folder of Kafka's jars; the first call on a machine fetches them by Maven (about 55 MB).

    Raises: MissingTool without Maven; RuntimeError with Maven's output when it fails.
    """
    match = re.search(r"<kafka.version>(.+?)</kafka.version>", POM.read_text())
    if match is None:
        raise RuntimeError(f"{POM} has no <kafka.version>")
    # The digest makes a changed list of artifacts another folder, so that an old one is never taken for it.
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:8]
    target = cache_dir() / f"kafka-{match[1]}" / digest
    if target.is_dir():
        return target
    target.parent.mkdir(exist_ok=True)
    with locked(target.parent / "lock"):
        if target.is_dir():
            return target
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            jars = Path(scratch) / "jars"
            command = [maven(), "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=FETCH_DEADLINE_S, check=False, stdin=subprocess.DEVNULL
            )
            if done.returncode != 0 or not any(jars.glob("kafka-clients-*.jar")):
                raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
            jars.rename(target)
    return target
