# SPDX-License-Identifier: Apache-2.0
"""Every difference that a caller of confluent-kafka could find here stands in `allow.txt`, and nothing else does."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.parity.compare import differences
from tests.support.peer import interpreters

HERE = Path(__file__).parent
SURFACE, ALLOWED = HERE / "surface.py", HERE / "allow.txt"
LINE = re.compile(r"(\S+)  (\S+)  # (\S.*)")
LEFT_OUT = "left-out"


@pytest.fixture(scope="module")
def surfaces(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """The surface of confluent-kafka and ours, each walked by the interpreter that has it."""
    folder = tmp_path_factory.mktemp("surfaces")
    theirs, ours = folder / "theirs.json", folder / "ours.json"
    for package, out, *known in (("confluent-kafka", theirs), ("ferrokafka", ours, theirs)):
        command = [interpreters()[package], "-I", str(SURFACE), "confluent_kafka", str(out), *map(str, known)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
    return json.loads(theirs.read_text()), json.loads(ours.read_text())


def allowed() -> list[tuple[str, str]]:
    """``(kind, name)`` of each line that is no comment."""
    found = []
    for line in ALLOWED.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            match = LINE.fullmatch(line)
            assert match, f"not 'kind  dotted.name  # reason': {line}"
            found.append((match[1], match[2]))
    return found


@pytest.mark.timeout(400)
def test_differences_are_those_allowed(surfaces: tuple[Any, Any]) -> None:
    found, listed = differences(*surfaces), allowed()
    for kind, pattern in listed:
        if kind == LEFT_OUT:
            left_out = {line for line in found if re.search(pattern, line)}
            assert left_out, f"{pattern} leaves nothing out"
            found -= left_out
    expected = {f"{kind} {name}" for kind, name in listed if kind != LEFT_OUT}
    assert len(listed) == len(set(listed)), "a line stands twice"
    new = [f"{line.replace(' ', '  ', 1)}  # " for line in sorted(found - expected)]
    gone = [line.replace(" ", "  ", 1) for line in sorted(expected - found)]
    if new or gone:
        pytest.fail("\n".join(["different, and not allowed:", *new, "", "allowed, and not different:", *gone]), False)


@pytest.mark.timeout(400)
def test_the_walk_saw_all_of_it(surfaces: tuple[Any, Any]) -> None:
    theirs, _ = surfaces
    modules = {name: module for name, module in theirs["modules"].items() if module is not None}
    # its two programs for system tests import a module that the package does not have
    assert theirs["modules"].keys() - modules.keys() == {
        "confluent_kafka.kafkatest.verifiable_consumer",
        "confluent_kafka.kafkatest.verifiable_producer",
    }
    assert len(modules) > 75
    assert sum(map(len, modules.values())) > 800
    # a class in C, whose methods only the stub tells
    (asked,) = member(theirs, "confluent_kafka", "Producer", "purge")["signatures"]
    assert [(one["name"], one["default"]) for one in asked] == [
        ("in_queue", "True"),
        ("in_flight", "True"),
        ("blocking", "True"),
    ]
    # and one in Python, of a private module
    assert member(theirs, "confluent_kafka.schema_registry.avro", "AvroDeserializer", "__call__")["signatures"]


def member(surface: Any, module: str, name: str, of: str) -> Any:
    return surface["objects"][surface["modules"][module][name]["object"]]["members"][of]
