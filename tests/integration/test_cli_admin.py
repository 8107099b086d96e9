# SPDX-License-Identifier: Apache-2.0
"""The administrative commands on a real broker."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from confluent_kafka import Consumer
from tests.integration.kit import unique_name
from tests.mock.cli_kit import lines, ok, run_cli, words
from tests.support.broker import KafkaBroker
from tests.support.secure_broker import SecureBroker

Cli = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def cli(broker: KafkaBroker) -> Cli:
    return lambda *arguments, **options: run_cli(*arguments, bootstrap=broker.bootstrap, **options)


def objects(done: subprocess.CompletedProcess[bytes]) -> Any:
    return json.loads(ok(done))


@pytest.fixture
def name(cli: Cli) -> Iterator[str]:
    topic = unique_name("topic")
    ok(cli("topics", "create", topic, "--partitions", "3", "--set", "retention.ms=60000"))
    yield topic
    run_cli("topics", "delete", topic, "--yes")


def test_topics(cli: Cli, name: str) -> None:
    assert {"topic": name, "partitions": 3, "replication_factor": 1} in objects(cli("topics", "list", "--json"))
    again = cli("topics", "create", name)
    assert again.returncode == 1
    assert b"TOPIC_ALREADY_EXISTS" in again.stderr
    ok(cli("topics", "create", name, "--if-not-exists"))
    ok(cli("topics", "alter", name, "--partitions", "5", "--set", "cleanup.policy=compact", "--unset", "retention.ms"))
    [described] = objects(cli("topics", "describe", name, "--json"))
    assert described["config"] == {"cleanup.policy": "compact"}
    assert described["partitions"] == [
        {"partition": number, "leader": 1, "replicas": [1], "isr": [1]} for number in range(5)
    ]
    assert ok(cli("topics", "describe", name)).decode().startswith(f"{name}  id ")
    asked = cli("topics", "delete", name)
    assert asked.returncode == 2
    assert b"--yes" in asked.stderr
    assert ok(cli("topics", "delete", name, "--yes")).split() == [b"DELETED", name.encode()]
    gone = cli("topics", "describe", name)
    assert gone.returncode == 1
    assert name.encode() in gone.stderr


def test_validate_only_changes_nothing(cli: Cli, name: str) -> None:
    other = unique_name("topic")
    ok(cli("topics", "create", other, "--validate-only"))
    ok(cli("topics", "alter", name, "--partitions", "9", "--validate-only"))
    listed = {entry["topic"]: entry["partitions"] for entry in objects(cli("topics", "list", "--json"))}
    assert other not in listed
    assert listed[name] == 3
    refused = cli("topics", "alter", name, "--set", "retention.ms=never")
    assert refused.returncode == 1
    assert b"INVALID_CONFIG" in refused.stderr


def test_configs(cli: Cli, name: str) -> None:
    ok(cli("configs", "alter", "topic", name, "--set", "max.message.bytes=5000"))
    changed = objects(cli("configs", "describe", "topic", name, "--json"))
    assert {
        "name": "max.message.bytes",
        "value": "5000",
        "source": "dynamic_topic_config",
        "read_only": False,
    } in changed
    everything = objects(cli("configs", "describe", "topic", name, "--all", "--json"))
    assert len(everything) > len(changed)
    assert len(objects(cli("configs", "describe", "broker", "1", "--all", "--json"))) > 100
    assert cli("configs", "alter", "topic", name).returncode == 2


def test_cluster(cli: Cli, broker: KafkaBroker) -> None:
    cluster = objects(cli("cluster", "--json"))
    host, port = broker.bootstrap.split(":")
    assert cluster["brokers"] == [{"id": 1, "host": host, "port": int(port), "rack": None}]
    assert cluster["cluster_id"].encode() in ok(cli("cluster"))


def test_groups(cli: Cli, broker: KafkaBroker, name: str) -> None:
    group = unique_name("group")
    ok(cli("produce", name, "--partition", "0", stdin=lines(words(10))))
    ok(cli("consume", name, "--group", group, "--count", "4"))
    listed = objects(cli("groups", "list", "--state", "empty", "--json"))
    assert {"group": group, "state": "empty", "type": "classic", "simple": False} in listed
    [lag] = objects(cli("groups", "lag", group, "--json"))
    assert (lag["topic"], lag["partition"], lag["committed"], lag["end"], lag["lag"]) == (name, 0, 4, 10, 6)
    told = broker.tool("consumer.group.ConsumerGroupCommand", "--describe", "--group", group, "--offsets")
    [row] = [line.split() for line in told.splitlines() if line.startswith(group)]
    assert row[1:6] == [name, "0", "4", "10", "6"]

    [planned] = objects(cli("groups", "reset", group, "--to", "earliest", "--dry-run", "--json"))
    assert planned == {"topic": name, "partition": 0, "before": 4, "after": 0}
    assert objects(cli("groups", "lag", group, "--json")) == [lag]
    for where, after in (("latest", 10), ("7", 7), ("99", 10), ("@2020-01-01T00:00Z", 0), ("@2999-01-01", 10)):
        [moved] = objects(cli("groups", "reset", group, "--to", where, "--yes", "--json"))
        assert moved["after"] == after, where
    ok(cli("groups", "reset", group, "--to", "earliest", "--topic", f"{name}:2", "--yes"))
    assert [entry["partition"] for entry in objects(cli("groups", "lag", group, "--json"))] == [0, 2]

    with Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group}) as member:
        member.subscribe([name])
        while not member.assignment():
            member.poll(0.1)
        [described] = objects(cli("groups", "describe", group, "--json"))
        assert described["state"] == "stable"
        assert [entry["member"] for entry in described["members"]] == [member.memberid()]
        refused = cli("groups", "delete", group, "--yes")
        assert refused.returncode == 1
        assert b"NON_EMPTY_GROUP" in refused.stderr
    ok(cli("groups", "delete", group, "--yes"))
    assert group not in [entry["group"] for entry in objects(cli("groups", "list", "--json"))]


@pytest.mark.parametrize(
    "arguments",
    [
        ("topics", "alter", "t"),
        ("groups", "reset", "g", "--to", "sometime"),
        ("groups", "list", "--state", "tired"),
        ("acls", "create", "--allow", "User:a", "--operation", "read"),
        ("acls", "list", "--operation", "sing"),
        ("groups",),
    ],
)
def test_wrong_use_is_told(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments)
    assert done.returncode == 2
    assert done.stderr


def test_acls(secure_broker: SecureBroker) -> None:
    def cli(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return run_cli(*arguments, bootstrap=secure_broker.bootstrap)

    topic, who = unique_name("topic"), f"User:{unique_name('ann')}"
    ok(cli("acls", "create", "--allow", who, "--operation", "read", "--topic", topic))
    ok(cli("acls", "create", "--deny", who, "--operation", "describe", "--group", "bill", "--prefixed"))
    found = objects(cli("acls", "list", "--principal", who, "--json"))
    assert [(e["resource"], e["name"], e["pattern"], e["operation"], e["permission"]) for e in found] == [
        ("group", "bill", "prefixed", "describe", "deny"),
        ("topic", topic, "literal", "read", "allow"),
    ]
    assert cli("acls", "delete", "--principal", who).returncode == 2
    assert len(objects(cli("acls", "delete", "--principal", who, "--yes", "--json"))) == 2
    assert objects(cli("acls", "list", "--principal", who, "--json")) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_commands_and_options(cli: Cli, shell: str) -> None:
    script = ok(cli("completion", shell)).decode()
    for word in ("topics", "reset", "dry-run", "if-not-exists"):
        assert word in script


def test_completion_works_in_bash(cli: Cli) -> None:
    ask = (
        'eval "$0"; COMP_WORDS=(ferrokafka groups res); COMP_CWORD=2; _ferrokafka; echo "${COMPREPLY[@]}"; '
        'COMP_WORDS=(ferrokafka topics create --if); COMP_CWORD=3; _ferrokafka; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", ask, ok(cli("completion", "bash")).decode()], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["reset", "--if-not-exists"]
