"""The system tools that building and testing need, each with the line that installs it. Standard library only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROBE_DEADLINE_S = 60


@dataclass(frozen=True)
class Tool:
    """A program that must be there.

    Attributes:
        name: as a person knows it.
        commands: any one of them will do.
        debian, fedora, macos: the lines that install it.
        version: arguments that make it print its version; empty if any version will do.
        at_least: the oldest version that works.
    """

    name: str
    commands: tuple[str, ...]
    debian: str
    fedora: str
    macos: str
    version: tuple[str, ...] = ()
    at_least: tuple[int, ...] = ()

    def find(self) -> str | None:
        """Path of the first of the commands that is new enough."""
        for path in self._paths():
            if not self.version or (_version(path, self.version) or ()) >= self.at_least:
                return path
        return None

    def problem(self) -> str | None:
        """What is wrong, in one line; None if the tool is there and new enough."""
        if self.find():
            return None
        seen = [(path, _version(path, self.version)) for path in self._paths()]
        old = ", ".join(f"{path} is {'.'.join(map(str, found)) if found else 'unusable'}" for path, found in seen)
        return f"{self.name} is missing{f' ({old})' if old else ''}"

    def install_lines(self) -> list[str]:
        """The line that installs it, per system."""
        return [f"Debian/Ubuntu: {self.debian}", f"Fedora: {self.fedora}", f"macOS: {self.macos}"]

    def _paths(self) -> list[str]:
        return [path for command in self.commands if (path := shutil.which(command))]


def _version(path: str, arguments: tuple[str, ...]) -> tuple[int, ...] | None:
    try:
        done = subprocess.run(
            [path, *arguments], capture_output=True, text=True, timeout=PROBE_DEADLINE_S, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\d+(\.\d+)*", done.stdout + done.stderr)
    return tuple(int(part) for part in match[0].split(".")) if match else None


_RUSTUP = "apt-get install rustup && rustup default stable (before Debian 13 and Ubuntu 24.04: https://rustup.rs)"
_JAVA_HOME = os.environ.get("JAVA_HOME")

BUILD_TOOLS = (
    Tool("a C compiler", ("cc", "gcc", "clang"), "apt-get install gcc", "dnf install gcc", "xcode-select --install"),
    Tool("a C++ compiler", ("c++", "g++", "clang++"), "apt-get install g++", "dnf install gcc-c++",
         "xcode-select --install"),
    Tool("make", ("make", "gmake"), "apt-get install make", "dnf install make", "xcode-select --install"),
    Tool("perl (it configures OpenSSL)", ("perl",), "apt-get install perl", "dnf install perl", "brew install perl"),
    Tool("Rust (rustc) 1.85 or newer", ("rustc",), _RUSTUP, "dnf install rust cargo", "brew install rust",
         ("--version",), (1, 85)),
    Tool("Cargo 1.85 or newer", ("cargo",), _RUSTUP, "dnf install rust cargo", "brew install rust",
         ("--version",), (1, 85)),
)  # fmt: skip
JAVA = Tool(
    "Java 17 or newer (it runs the Kafka broker)",
    (*((str(Path(_JAVA_HOME) / "bin" / "java"),) if _JAVA_HOME else ()), "java"),
    "apt-get install openjdk-17-jre-headless", "dnf install java-21-openjdk-headless", "brew install openjdk",
    ("-version",), (17,),
)  # fmt: skip
MAVEN = Tool(
    "Maven (it fetches the Kafka broker)", ("mvn",), "apt-get install maven", "dnf install maven", "brew install maven"
)
TEST_TOOLS = (JAVA, MAVEN)


def missing(tools: Iterable[Tool]) -> str:
    """One paragraph per tool that is missing or too old, with the lines that install it; empty if all are there."""
    problems = ((tool, tool.problem()) for tool in tools)
    return "\n".join("\n  ".join([f"{text}. To install it:", *tool.install_lines()]) for tool, text in problems if text)
