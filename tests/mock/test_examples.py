# SPDX-License-Identifier: Apache-2.0
"""Every file of examples/ runs as it stands, in a process of its own, on the embedded cluster."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.testing import MockCluster, SchemaRegistryServer
from tests.mock.cli_kit import environment

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PARTITIONS = 2


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with MockCluster(1) as running:
        yield running


@pytest.fixture
def topic(cluster: MockCluster, unique: Callable[[str], str]) -> str:
    name = unique("example")
    cluster.create_topic(name, PARTITIONS)
    return name


def run(cluster: MockCluster, name: str, *arguments: str, **properties: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        env={**environment(cluster.bootstrap_servers), **properties},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def read(cluster: MockCluster, topic: str, count: int) -> list[Message]:
    conf = {"bootstrap.servers": cluster.bootstrap_servers, "group.id": "judge", "enable.partition.eof": True}
    messages: list[Message] = []
    ended: set[int | None] = set()
    with Consumer(conf) as consumer:
        consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
        while len(messages) < count or len(ended) < PARTITIONS:
            message = consumer.poll(30)
            assert message is not None, f"only {len(messages)} of {count} messages"
            if message.error() is None:
                messages.append(message)
            else:
                ended.add(message.partition())
    return messages


def fill(cluster: MockCluster, topic: str, count: int) -> None:
    with Producer({"bootstrap.servers": cluster.bootstrap_servers}) as producer:
        for number in range(count):
            producer.produce(topic, key=f"k{number}", value=f"text {number}", headers=[("h", "1")])
        assert producer.flush(30) == 0


def test_produce_with_callbacks(cluster: MockCluster, topic: str) -> None:
    assert f"delivered 50 of 50 orders to {topic}" in run(cluster, "produce_with_callbacks.py", topic, "50")
    values = {message.value() for message in read(cluster, topic, 50)}
    assert values == {f"order {number}".encode() for number in range(50)}


def test_produce_batches(cluster: MockCluster, topic: str) -> None:
    assert "produced 2502 readings" in run(cluster, "produce_batches.py", topic, "2500")
    messages = read(cluster, topic, 2502)
    assert len(messages) == 2502
    readings = [message for message in messages if message.key() is not None]
    assert {message.timestamp()[1] for message in readings} == {1_700_000_000_000 + n for n in range(2500)}
    assert all(message.headers() == [("unit", b"kelvin")] for message in readings)


def test_typed_orders(cluster: MockCluster, topic: str) -> None:
    with SchemaRegistryServer() as registry:
        shown = run(cluster, "typed_orders.py", topic, SCHEMA_REGISTRY_URL=registry.url)
        assert "10 orders, 60.00 in all" in shown
        assert f'not sent: {topic}-value v1: field "lines[0].price": expected decimal, got str' in shown
    assert len(read(cluster, topic, 10)) == 10


def test_send_with_futures(cluster: MockCluster, topic: str) -> None:
    shown = run(cluster, "send_with_futures.py", topic, "20")
    assert f"sent 20 of 20 payments to {topic}" in shown
    assert len(read(cluster, topic, 20)) == 20


def test_consumer_group(cluster: MockCluster, topic: str, unique: Callable[[str], str]) -> None:
    fill(cluster, topic, 30)
    group = unique("group")
    # The mock coordinator lets a used group's next member in only when the last one's session time is over.
    session = {"KAFKA_SESSION_TIMEOUT_MS": "1000", "KAFKA_HEARTBEAT_INTERVAL_MS": "300"}
    first = run(cluster, "consumer_group.py", topic, group, "10", **session)
    assert "given partitions [0, 1]" in first
    assert f"handled 10 messages of {topic}" in first
    second = run(cluster, "consumer_group.py", topic, group, "20", **session)
    seen = [line for line in (first + second).splitlines() if "= b'text" in line]
    assert len(seen) == len(set(seen)) == 30


def test_transactional_copy(cluster: MockCluster, topic: str, unique: Callable[[str], str]) -> None:
    target = unique("target")
    cluster.create_topic(target, PARTITIONS)
    fill(cluster, topic, 30)
    assert f"copied 30 messages from {topic} to {target}" in run(cluster, "transactional_copy.py", topic, target, "30")
    copies = read(cluster, target, 30)
    assert {(message.key(), message.value()) for message in copies} == {
        (f"k{n}".encode(), f"TEXT {n}".encode()) for n in range(30)
    }
    assert all(message.headers() == [("h", b"1")] for message in copies)


def test_every_example_is_tested_and_listed() -> None:
    files = {path.name for path in EXAMPLES.glob("*.py")}
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    here = Path(__file__)
    # Those on asyncio run on the real broker.
    tested = "".join(path.read_text(encoding="utf-8") for path in (here, here.parents[1] / "aio" / here.name))
    assert {name for name in files if f"`{name}`" not in listed} == set()
    assert {name for name in files if f'"{name}"' not in tested} == set()
