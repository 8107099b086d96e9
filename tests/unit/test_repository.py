# SPDX-License-Identifier: Apache-2.0
"""Promises about the repository as a whole."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.environments import ROOT, SUPPORTED
from tools.project import pyproject

CODE_FOLDERS = ("docs", "src", "rust", "tests", "tools", "benchmarks", "examples")
TEXT_SUFFIXES = {".py", ".pyi", ".rs", ".toml", ".md", ".sh", ".yml", ".xml", ".txt"}
MAX_LINES = 600
IMPORT_DEADLINE_S = 60


def files(*suffixes: str) -> list[Path]:
    """The repository's own files with one of the suffixes."""
    below = [path for folder in CODE_FOLDERS for path in (ROOT / folder).rglob("*")]
    return sorted(
        path for path in [*below, *ROOT.iterdir()]
        if path.is_file() and path.suffix in suffixes and "__pycache__" not in path.parts
    )  # fmt: skip


def test_no_module_is_too_long_to_read_at_once() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in files(".py", ".pyi", ".rs")}
    # The stub is one file per native module by construction.
    long = {str(path.relative_to(ROOT)): n for path, n in lines.items() if n > MAX_LINES and path.suffix != ".pyi"}
    assert lines
    assert long == {}


def test_nothing_names_a_place_on_one_machine() -> None:
    # Written in parts, or this file would be its own finding.
    home = re.compile("(?<![\\w.])/(?:ho" + "me|ro" + "ot|Us" + "ers|wo" + "rk)/\\w")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files(*TEXT_SUFFIXES)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if home.search(line)
    ]
    assert found == []


def test_importing_the_package_imports_nothing_but_the_standard_library() -> None:
    code = (
        "import sys, json; before = set(sys.modules); import confluent_kafka; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(json.dumps(sorted(new - set(sys.stdlib_module_names))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=IMPORT_DEADLINE_S, check=False,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["confluent_kafka"]


def test_package_needs_no_other_distribution() -> None:
    required = importlib.metadata.requires("ferrokafka") or []
    assert [line for line in required if "extra ==" not in line] == []


def test_every_extra_is_in_the_development_environment() -> None:
    project = pyproject()
    groups = project["dependency-groups"]
    developed = {line for group in groups.values() for line in group if isinstance(line, str)}
    for extra, requirements in project["project"]["optional-dependencies"].items():
        assert set(requirements) <= developed, f"extra {extra!r} is not tested in .venv"


def test_every_supported_python_is_declared() -> None:
    classifiers = pyproject()["project"]["classifiers"]
    assert [f"Programming Language :: Python :: {major}.{minor}" for major, minor in SUPPORTED] == [
        line for line in classifiers if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", line)
    ]


def test_version_is_the_same_in_cargo_and_in_the_installed_package() -> None:
    cargo = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    assert cargo is not None
    assert importlib.metadata.version("ferrokafka") == cargo[1]


@pytest.mark.parametrize("path", [".ci/run", "tools/python.sh"])
def test_scripts_are_executable(path: str) -> None:
    assert os.access(ROOT / path, os.X_OK)
