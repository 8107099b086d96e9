# SPDX-License-Identifier: Apache-2.0
"""Every block of docs/guide/admin.md runs as it stands on a broker with an authorizer, but for the names."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cli._main import build_parser
from tests.integration.kit import DEADLINE, eventually, produce_all, unique_name
from tests.mock.cli_kit import call_cli, environment
from tests.support.secure_broker import SecureBroker

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "guide" / "admin.md").read_text("utf-8")
NAMES = ("orders", "invoices", "receipts", "billing", "ann")
PYTHON = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
SHELL = re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
COMMANDS = ("topics", "groups", "configs", "acls", "cluster", "completion")


@pytest.fixture
def renamed(secure_broker: SecureBroker) -> Iterator[Callable[[str], str]]:
    """Puts unique names into a block; the topic ``orders`` is there, and offsets of the group ``billing``."""
    names = {name: unique_name(name) for name in NAMES}
    topic = secure_broker.create_topic(names["orders"], 3)
    with Producer({"bootstrap.servers": secure_broker.bootstrap}) as producer:
        produce_all(producer, topic, [b"x"] * 5, partition=0)
    billing = ConsumerGroupTopicPartitions(names["billing"], [TopicPartition(topic, 0, 1)])

    def committed(admin: AdminClient) -> bool:
        group = admin.alter_consumer_group_offsets([billing])[billing.group_id].result(DEADLINE)
        return all(place.error is None for place in group.topic_partitions or ())

    with AdminClient({"bootstrap.servers": secure_broker.bootstrap}) as admin:
        eventually(lambda: committed(admin), "the group's offsets")
        yield lambda block: re.sub(rf"\b({'|'.join(NAMES)})\b", lambda found: names[found[1]], block)
        for future in admin.delete_topics([names[name] for name in ("orders", "invoices", "receipts")]).values():
            future.exception(DEADLINE)


@pytest.mark.parametrize("block", PYTHON, ids=range(1, len(PYTHON) + 1))
def test_python_block_runs(block: str, renamed: Callable[[str], str], secure_broker: SecureBroker) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", renamed(block)],
        capture_output=True, text=True, env=environment(secure_broker.bootstrap), timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout


def test_shell_examples_run(renamed: Callable[[str], str], secure_broker: SecureBroker) -> None:
    [block] = SHELL
    *lines, completion = renamed(block).splitlines()
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "ferrokafka"
        done = call_cli(*arguments, bootstrap=secure_broker.bootstrap)
        assert done.returncode == 0, (line, done.stderr)
        # What a command has found or done, or that it is done.
        assert done.stdout or done.stderr, line
    ferrokafka = f'ferrokafka() {{ "{sys.executable}" -m confluent_kafka "$@"; }}\n'
    subprocess.run(["bash", "-euo", "pipefail", "-c", ferrokafka + completion], timeout=60, check=True)


def test_every_administrative_command_has_an_example() -> None:
    [block] = SHELL
    shown = {tuple(line.replace('eval "$(', "").split()[1:3]) for line in block.splitlines()}
    shown = {words if len(words) == 2 and words[0] not in ("cluster", "completion") else words[:1] for words in shown}
    assert shown == set(commands())


def commands() -> Iterator[tuple[str, ...]]:
    """The words of each administrative command, as the command line has them."""
    for name, parser in actions(build_parser()).items():
        if name in COMMANDS:
            below = actions(parser)
            yield from ((name, action) for action in below) if below else [(name,)]


def actions(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found.update(action.choices)
    return found
