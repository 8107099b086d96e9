# SPDX-License-Identifier: Apache-2.0
"""The administrative commands on a real broker."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from confluent_kafka import Consumer, Producer, TopicPartition
from tests.integration.kit import eventually, produce_all, unique_name
from tests.mock.cli_kit import call_cli, environment, ok, words
from tests.support.broker import KafkaBroker
from tests.support.secure_broker import SecureBroker

Cli = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def cli(broker: KafkaBroker) -> Cli:
    return lambda *arguments: call_cli(*arguments, bootstrap=broker.bootstrap)


def objects(done: subprocess.CompletedProcess[bytes]) -> Any:
    return json.loads(ok(done))


@pytest.fixture
def name(cli: Cli) -> Iterator[str]:
    topic = unique_name("topic")
    ok(cli("topics", "create", topic, "--partitions", "3", "--set", "retention.ms=60000"))
    yield topic
    cli("topics", "delete", topic, "--yes")


def shown(cli: Cli, topic: str) -> dict[str, Any]:
    """A topic as ``describe`` shows it; nothing while it is unknown."""
    done = cli("topics", "describe", topic, "--json")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found[0] if found else {}


def test_topics(cli: Cli, name: str) -> None:
    row = {"topic": name, "partitions": 3, "replication_factor": 1}
    eventually(lambda: row in objects(cli("topics", "list", "--json")), "the new topic")
    assert re.search(rf"(?m)^{name} +3 +1$", ok(cli("topics", "list")).decode())
    assert "__consumer_offsets" not in ok(cli("topics", "list")).decode()
    again = cli("topics", "create", name)
    assert again.returncode == 1
    assert b"TOPIC_ALREADY_EXISTS" in again.stderr
    assert objects(cli("topics", "create", name, "--if-not-exists", "--json")) == []
    changes = ("--partitions", "5", "--set", "cleanup.policy=compact", "--unset", "retention.ms")
    assert objects(cli("topics", "alter", name, *changes, "--json")) == [{"topic": name, "changed": True}]
    eventually(
        lambda: (
            shown(cli, name)["config"] == {"cleanup.policy": "compact"} and len(shown(cli, name)["partitions"]) == 5
        ),
        "the changes",
    )
    assert shown(cli, name)["partitions"] == [
        {"partition": number, "leader": 1, "replicas": [1], "isr": [1]} for number in range(5)
    ]
    table = ok(cli("topics", "describe", name)).decode().splitlines()
    assert table[0].startswith(f"{name}  id ")
    assert table[1:3] == ["  cleanup.policy=compact", "PARTITION  LEADER  REPLICAS  ISR"]
    assert table[3].split() == ["0", "1", "1", "1"]
    asked = cli("topics", "delete", name)
    assert asked.returncode == 2
    assert b"--yes" in asked.stderr
    assert objects(cli("topics", "delete", name, "--yes", "--json")) == [{"deleted": name}]
    eventually(lambda: shown(cli, name) == {}, "the end of the topic")
    gone = cli("topics", "describe", name)
    assert gone.returncode == 1
    assert name.encode() in gone.stderr


def test_one_of_several_topics_fails(cli: Cli, name: str) -> None:
    """The others are done, and the exit code tells."""
    other = unique_name("topic")
    done = cli("topics", "create", name, other, "--json")
    assert (done.returncode, json.loads(done.stdout)) == (1, [{"created": other}])
    eventually(lambda: shown(cli, other), "the new topic")
    done = cli("topics", "delete", other, unique_name("absent"), "--yes")
    assert (done.returncode, done.stdout.split()) == (1, [b"DELETED", other.encode()])
    assert b"UNKNOWN_TOPIC_OR_PART" in done.stderr


def test_whoever_sits_at_the_terminal_is_asked(cli: Cli, broker: KafkaBroker, name: str) -> None:
    eventually(lambda: shown(cli, name), "the new topic")
    for answer, code in (("n", 2), ("", 2), ("y", 0)):
        ours, theirs = os.openpty()
        try:
            os.write(ours, answer.encode() + b"\n")
            done = subprocess.run(
                [sys.executable, "-m", "confluent_kafka", "topics", "delete", name],
                stdin=theirs,
                capture_output=True,
                text=True,
                env=environment(broker.bootstrap),
                timeout=60,
                check=False,
            )
        finally:
            os.close(ours)
            os.close(theirs)
        assert f"delete 1 topic with all data: {name}? [y/N]" in done.stderr
        assert (done.returncode, done.stdout.split()) == (code, ["DELETED", name] if code == 0 else [])


def test_a_topic_is_altered_whole_or_not_at_all(cli: Cli, name: str) -> None:
    eventually(lambda: shown(cli, name), "the new topic")
    refused = cli("topics", "alter", name, "--partitions", "9", "--set", "retention.ms=never", "--json")
    assert (refused.returncode, json.loads(refused.stdout)) == (1, [])
    assert b"INVALID_CONFIG" in refused.stderr
    assert len(shown(cli, name)["partitions"]) == 3


def test_validate_only_changes_nothing(cli: Cli, name: str) -> None:
    other = unique_name("topic")
    assert objects(cli("topics", "create", other, "--validate-only", "--json")) == [{"valid": other}]
    eventually(lambda: shown(cli, name), "the new topic")
    valid = cli("topics", "alter", name, "--partitions", "9", "--set", "retention.ms=1", "--validate-only")
    assert valid.stderr == f"{name}: valid, nothing was changed\n".encode()
    same = ("configs", "alter", "topic", name, "--set", "retention.ms=1", "--validate-only", "--json")
    assert objects(cli(*same)) == [{"kind": "topic", "name": name, "changed": False}]
    assert len(shown(cli, name)["partitions"]) == 3
    assert shown(cli, name)["config"] == {"retention.ms": "60000"}
    assert shown(cli, other) == {}


def test_configs(cli: Cli, name: str) -> None:
    change = ("configs", "alter", "topic", name, "--set", "max.message.bytes=5000")
    assert objects(cli(*change, "--json")) == [{"kind": "topic", "name": name, "changed": True}]
    assert cli(*change).stderr == f"topic {name}: changed\n".encode()
    row = {"name": "max.message.bytes", "value": "5000", "source": "dynamic_topic_config", "read_only": False}
    eventually(lambda: row in objects(cli("configs", "describe", "topic", name, "--json")), "the changed property")
    table = ok(cli("configs", "describe", "topic", name)).decode()
    assert re.search(r"(?m)^max\.message\.bytes +5000 +dynamic_topic_config +no$", table)
    changed = objects(cli("configs", "describe", "topic", name, "--json"))
    everything = objects(cli("configs", "describe", "topic", name, "--all", "--json"))
    assert len(everything) > len(changed)
    assert len(objects(cli("configs", "describe", "broker", "1", "--all", "--json"))) > 100
    assert cli("configs", "alter", "topic", name).returncode == 2
    absent = cli("configs", "describe", "topic", unique_name("absent"))
    assert absent.returncode == 1
    assert b"UNKNOWN_TOPIC_OR_PART" in absent.stderr


def test_cluster(cli: Cli, broker: KafkaBroker) -> None:
    cluster = objects(cli("cluster", "--json"))
    host, port = broker.bootstrap.split(":")
    assert cluster["brokers"] == [{"id": 1, "host": host, "port": int(port), "rack": None}]
    assert cluster["cluster_id"].encode() in ok(cli("cluster"))


@pytest.fixture
def group(broker: KafkaBroker, name: str, producer: Producer) -> str:
    """A group without members that has read four of ten records of partition 0."""
    produce_all(producer, name, words(10), partition=0)
    group = unique_name("group")
    with Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group}) as consumer:
        consumer.commit(offsets=[TopicPartition(name, 0, 4)], asynchronous=False)
    return group


def test_groups(cli: Cli, broker: KafkaBroker, name: str, group: str) -> None:
    row = {"group": group, "state": "empty", "type": "classic", "simple": True}
    assert row in objects(cli("groups", "list", "--state", "empty", "--json"))
    assert row in objects(cli("groups", "list", "--type", "classic", "--json"))
    assert row not in objects(cli("groups", "list", "--state", "stable", "--json"))
    assert row not in objects(cli("groups", "list", "--type", "consumer", "--json"))
    assert re.search(rf"(?m)^{group} +empty +classic +yes$", ok(cli("groups", "list")).decode())
    with Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group, "client.id": "clerk"}) as member:
        member.subscribe([name])
        while not member.assignment():
            member.poll(0.1)
        [described] = objects(cli("groups", "describe", group, "--json"))
        assert (described["state"], described["assignor"], described["coordinator"]) == ("stable", "range", 1)
        places = [[name, number] for number in range(3)]
        assert [(m["member"], m["client"], m["partitions"]) for m in described["members"]] == [
            (member.memberid(), "clerk", places)
        ]
        table = ok(cli("groups", "describe", group)).decode()
        assert table.startswith(f"{group}  stable, assignor range, coordinator {broker.bootstrap}\n")
        assert f"{name}:0,{name}:1,{name}:2" in table
        refused = cli("groups", "delete", group, "--yes")
        assert refused.returncode == 1
        assert b"NON_EMPTY_GROUP" in refused.stderr
        refused = cli("groups", "reset", group, "--to", "earliest", "--yes")
        assert refused.returncode == 1
        assert b"UNKNOWN_MEMBER_ID" in refused.stderr
    assert cli("groups", "delete", group).returncode == 2
    assert objects(cli("groups", "delete", group, "--yes", "--json")) == [{"deleted": group}]
    assert group not in [entry["group"] for entry in objects(cli("groups", "list", "--json"))]
    assert cli("groups", "delete", group, "--yes").returncode == 1
    assert cli("groups", "lag", group).returncode == 1


def test_offsets_of_a_group_are_reset(cli: Cli, name: str, group: str) -> None:
    before = objects(cli("groups", "lag", group, "--json"))
    [planned] = objects(cli("groups", "reset", group, "--to", "earliest", "--dry-run", "--json"))
    assert planned == {"topic": name, "partition": 0, "before": 4, "after": 0}
    assert b"nothing was changed" in cli("groups", "reset", group, "--to", "latest", "--dry-run").stderr
    assert cli("groups", "reset", group, "--to", "earliest").returncode == 2
    assert objects(cli("groups", "lag", group, "--json")) == before
    for where, after in (("latest", 10), ("earliest", 0), ("7", 7), ("99", 10), ("@2020-01-01T00:00Z", 0),
                         ("@2999-01-01", 10), ("@1577836800000", 0)):  # fmt: skip
        [moved] = objects(cli("groups", "reset", group, "--to", where, "--yes", "--json"))
        assert moved["after"] == after, where
        [lag] = objects(cli("groups", "lag", group, "--json"))
        assert (lag["committed"], lag["lag"]) == (after, 10 - after), where
    table = ok(cli("groups", "reset", group, "--to", "earliest", "--topic", f"{name}:2", "--yes")).decode()
    assert [line.split() for line in table.splitlines()] == [["TOPIC", "PARTITION", "BEFORE", "AFTER"],
                                                             [name, "2", "-", "0"]]  # fmt: skip
    assert [entry["partition"] for entry in objects(cli("groups", "lag", group, "--json"))] == [0, 2]
    moved = objects(cli("groups", "reset", group, "--to", "1", "--topic", name, "--yes", "--json"))
    assert [(entry["partition"], entry["after"]) for entry in moved] == [(0, 1), (1, 0), (2, 0)]
    # A topic that is not there is not made, although the broker would.
    absent = unique_name("absent")
    refused = cli("groups", "reset", group, "--to", "latest", "--topic", absent, "--yes")
    assert refused.returncode == 1
    assert b"UNKNOWN_TOPIC_OR_PART" in refused.stderr
    assert absent not in [entry["topic"] for entry in objects(cli("topics", "list", "--json"))]


def lag_by_kafka(broker: KafkaBroker, group: str) -> list[list[str]]:
    """Topic, partition, committed, end, lag, member, host, client, as Kafka's own tool prints them."""
    told = broker.tool("consumer.group.ConsumerGroupCommand", "--describe", "--group", group, "--offsets")
    rows = [line.split() for line in told.splitlines()]
    [columns] = [row for row in rows if row[:1] == ["GROUP"]]
    wanted = ("TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "CONSUMER-ID", "HOST", "CLIENT-ID")
    return sorted([row[columns.index(name)] for name in wanted] for row in rows if row[:1] == [group])


def lag_by_us(cli: Cli, group: str) -> list[list[str]]:
    header, *rows = (line.split() for line in ok(cli("groups", "lag", group)).decode().splitlines())
    assert header == ["TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "MEMBER", "HOST", "CLIENT"]
    return sorted(rows)


def test_lag_is_what_kafkas_own_tool_prints(cli: Cli, broker: KafkaBroker, name: str, group: str) -> None:
    found = lag_by_us(cli, group)
    assert found == [[name, "0", "4", "10", "6", "-", "-", "-"]]
    assert found == lag_by_kafka(broker, group)
    with Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group, "client.id": "clerk"}) as member:
        member.subscribe([name])
        while not member.assignment():
            member.poll(0.1)
        # Partitions without committed offset as well, now that somebody reads them.
        found = lag_by_us(cli, group)
        assert [row[:5] for row in found] == [
            [name, "0", "4", "10", "6"], [name, "1", "-", "0", "-"], [name, "2", "-", "0", "-"]
        ]  # fmt: skip
        assert {(row[5], row[7]) for row in found} == {(member.memberid(), "clerk")}
        assert found == lag_by_kafka(broker, group)


@pytest.mark.parametrize(
    "arguments",
    [
        ("topics", "alter", "t"),
        ("groups", "reset", "g", "--to", "sometime"),
        ("groups", "list", "--state", "tired"),
        ("groups", "list", "--type", "unknown"),
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
        return call_cli(*arguments, bootstrap=secure_broker.bootstrap)

    topic, who = unique_name("topic"), f"User:{unique_name('ann')}"
    created = objects(cli("acls", "create", "--allow", who, "--operation", "read", "--topic", topic, "--json"))
    row = {"resource": "topic", "name": topic, "pattern": "literal", "principal": who, "host": "*",
           "operation": "read", "permission": "allow"}  # fmt: skip
    assert created == [row]
    ok(cli("acls", "create", "--deny", who, "--operation", "describe", "--group", "bill", "--prefixed"))
    listing = ("acls", "list", "--principal", who, "--json")
    eventually(lambda: len(objects(cli(*listing))) == 2, "the new entries")
    found = objects(cli(*listing))
    assert [(e["resource"], e["name"], e["pattern"], e["operation"], e["permission"]) for e in found] == [
        ("group", "bill", "prefixed", "describe", "deny"),
        ("topic", topic, "literal", "read", "allow"),
    ]
    assert cli("acls", "delete", "--principal", who).returncode == 2
    assert len(objects(cli("acls", "delete", "--principal", who, "--yes", "--json"))) == 2
    eventually(lambda: objects(cli(*listing)) == [], "the end of the entries")


def test_a_broker_without_authorizer_has_no_entries(cli: Cli) -> None:
    done = cli("acls", "list", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


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
