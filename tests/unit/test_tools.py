# SPDX-License-Identifier: Apache-2.0
"""What `make dev` and `make test` say about a machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import dev, system
from tools.environments import SUPPORTED, interpreters


def tool(*commands: str, at_least: tuple[int, ...] = ()) -> system.Tool:
    version = ("--version",) if at_least else ()
    return system.Tool("the tool", commands, "apt-get it", "dnf it", "brew it", version, at_least)


@pytest.fixture
def old_tool(tmp_path: Path) -> str:
    path = tmp_path / "old-tool"
    path.write_text("#!/bin/sh\necho 'old-tool 1.84.9 (2025)'\n")
    path.chmod(0o755)
    return str(path)


def test_missing_tool_is_named_with_the_line_that_installs_it() -> None:
    text = system.missing([tool("no-such-command"), tool("sh")])
    assert (
        text == "the tool is missing. To install it:\n  Debian/Ubuntu: apt-get it\n  Fedora: dnf it\n  macOS: brew it"
    )


def test_old_tool_is_named_with_its_version(old_tool: str) -> None:
    assert f"{old_tool} is 1.84.9" in system.missing([tool(old_tool, at_least=(1, 85))])
    assert system.missing([tool(old_tool, at_least=(1, 84))]) == ""


def test_newer_command_beside_an_old_one_will_do(old_tool: str) -> None:
    assert tool(old_tool, sys.executable, at_least=(3, 10)).find() == sys.executable


def test_digest_tells_where_parts_end() -> None:
    assert dev.digest([b"ab", b"c"]) != dev.digest([b"a", b"bc"])


def test_interpreters_include_the_running_one() -> None:
    version = sys.version_info[:2]
    assert version in interpreters() or version not in SUPPORTED
