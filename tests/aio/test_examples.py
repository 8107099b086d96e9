# SPDX-License-Identifier: Apache-2.0
"""The asyncio examples run as they stand, in processes of their own, on the real broker."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Any

import pytest

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from tests.integration.kit import DEADLINE, UNREACHABLE, MakeConsumer, MakeTopic, eventually, produce_all
from tests.support import wire
from tests.support.broker import KafkaBroker

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RECORD = re.compile(r"\d+:\d+ \S+ = b'.*'")
# Longer than any wait in here: a member that did not leave its group would still be in it.
SESSION = {"KAFKA_SESSION_TIMEOUT_MS": "240000", "KAFKA_MAX_POLL_INTERVAL_MS": "300000"}


class Script:
    """An example that runs: its lines, standard error among them, as they come."""

    def __init__(self, name: str, *arguments: str, bootstrap: str, **properties: str) -> None:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("KAFKA_")}
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-W", "error", str(EXAMPLES / name), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**clean, "KAFKA_BOOTSTRAP_SERVERS": bootstrap, **properties},
        )
        self.lines: list[str] = []
        self._queue: Queue[str | None] = Queue()
        self._thread = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Script:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE)
        self._thread.join(DEADLINE)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def until(self, pattern: str, count: int = 1) -> re.Match[str]:
        """Read on until so many further lines match; gives the last match."""
        while True:
            try:
                line = self._queue.get(timeout=DEADLINE)
            except Empty:
                line = None
            assert line is not None, f"no line with {pattern!r}:\n" + "\n".join(self.lines)
            self.lines.append(line)
            if found := re.search(pattern, line):
                count -= 1
                if count == 0:
                    return found

    def end(self, how: signal.Signals) -> int:
        """Send a signal and give the exit code; all lines are read then."""
        self.process.send_signal(how)
        code = self.process.wait(DEADLINE)
        while (line := self._queue.get(timeout=DEADLINE)) is not None:
            self.lines.append(line)
        assert not any("Traceback" in line for line in self.lines), "\n".join(self.lines)
        return code

    def records(self) -> list[str]:
        """``partition:offset key = value`` of each handled message."""
        return [line for line in self.lines if RECORD.fullmatch(line)]


def service(bootstrap: str, topic: str, **properties: str) -> Script:
    return Script("asyncio_service.py", topic, "0", bootstrap=bootstrap, **properties)


def address_of(running: Script) -> str:
    return running.until(r"Uvicorn running on (http://[\d.:]+)")[1]


def post(address: str, customer: str, body: bytes) -> tuple[int, dict[str, Any], str | None]:
    """Status, answer and Retry-After of an order."""
    request = urllib.request.Request(f"{address}/orders/{customer}", data=body)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return answer.status, json.loads(answer.read()), answer.headers["Retry-After"]
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read()), refused.headers["Retry-After"]


def test_service_answers_with_the_place_of_each_order(
    broker: KafkaBroker, make_topic: MakeTopic, make_consumer: MakeConsumer
) -> None:
    topic = make_topic(3)
    orders = {f"customer-{number}": f"{number} apples".encode() for number in range(40)}
    with service(broker.bootstrap, topic) as running, ThreadPoolExecutor(8) as clients:
        address = address_of(running)
        answers = dict(zip(orders, clients.map(lambda order: post(address, *order), orders.items()), strict=True))
        # uvicorn shuts down and then ends by the signal it was sent.
        assert running.end(signal.SIGTERM) in (0, -signal.SIGTERM)
        assert any("Application shutdown complete" in line for line in running.lines)
    assert {status for status, _answer, _retry in answers.values()} == {201}
    consumer = make_consumer()
    consumer.assign([TopicPartition(topic, number, 0) for number in range(3)])
    stored: dict[str, Message] = {}
    while len(stored) < len(orders):
        message = consumer.poll(DEADLINE)
        assert message is not None, f"only {len(stored)} orders on the broker"
        assert message.error() is None
        stored[(message.key() or b"").decode()] = message
    for customer, (_status, answer, _retry) in answers.items():
        message = stored[customer]
        assert answer == {"partition": message.partition(), "offset": message.offset()}
        assert message.value() == orders[customer]


def test_service_says_so_when_an_order_is_not_delivered(broker: KafkaBroker, make_topic: MakeTopic) -> None:
    topic = make_topic(1, max_message_bytes="1000")
    with service(broker.bootstrap, topic) as running:
        address = address_of(running)
        status, answer, retry = post(address, "c", b"x" * 2000)
        assert (status, retry) == (503, None)
        assert answer == {"error": "the order was not taken: Broker: Message size too large"}
        assert post(address, "c", b"small enough")[:2] == (201, {"partition": 0, "offset": 0})


def test_service_says_so_when_the_queue_is_full() -> None:
    full = {"KAFKA_QUEUE_BUFFERING_MAX_MESSAGES": "1", "KAFKA_MESSAGE_TIMEOUT_MS": "300000"}
    with ThreadPoolExecutor(2) as clients:
        with service(UNREACHABLE, "orders", **full) as running:
            address = address_of(running)
            # One of them fills the queue, as nobody takes it from there; it has no answer when the service is killed.
            asked = [clients.submit(post, address, f"c{number}", b"apples") for number in range(2)]
            answered, waiting = wait(asked, DEADLINE, FIRST_COMPLETED)
            assert (len(answered), len(waiting)) == (1, 1)
            assert answered.pop().result() == (503, {"error": "too many orders at once, try again later"}, "1")
        assert isinstance(waiting.pop().exception(DEADLINE), OSError)


def fill(make: MakeTopic, broker: KafkaBroker, partitions: int, count: int) -> str:
    topic = make(partitions)
    with Producer({"bootstrap.servers": broker.bootstrap}) as producer:
        for partition in range(partitions):
            produce_all(producer, topic, (b"%d" % number for number in range(count)), partition=partition)
    return topic


def committed(broker: KafkaBroker, group: str, topic: str, partitions: int) -> list[int]:
    with Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group}) as judge:
        asked = judge.committed([TopicPartition(topic, number) for number in range(partitions)], DEADLINE)
    return [max(partition.offset, 0) for partition in asked]


def state_of(broker: KafkaBroker, group: str) -> str:
    """DescribeGroups, version 0."""
    reader = wire.request(broker.address, 15, 0, wire.array([wire.string(group)]))
    assert reader.take("i") == 1
    assert reader.take("h") == 0
    assert reader.string() == group
    return reader.string() or ""


def consumer(broker: KafkaBroker, topic: str, group: str, seconds: float, **properties: str) -> Script:
    return Script("asyncio_consumer.py", topic, group, str(seconds), bootstrap=broker.bootstrap, **properties)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_consumer_commits_and_leaves_its_group_at_a_signal(
    broker: KafkaBroker, make_topic: MakeTopic, group: str, how: signal.Signals
) -> None:
    topic = fill(make_topic, broker, 2, 30)
    with consumer(broker, topic, group, 0, **SESSION) as running:
        running.until("given partitions")
        running.until(RECORD.pattern, 60)
        assert state_of(broker, group) == "Stable"
        assert running.end(how) == 0
    assert running.lines[-2:] == ["giving back partitions [0, 1]", f"handled 60 messages of {topic}"]
    assert committed(broker, group, topic, 2) == [30, 30]
    eventually(lambda: state_of(broker, group) == "Empty", "the group to be empty")


def test_consumer_ends_after_the_message_at_hand(broker: KafkaBroker, make_topic: MakeTopic, group: str) -> None:
    topic = fill(make_topic, broker, 1, 10_000)
    with consumer(broker, topic, group, 0.01, **SESSION) as running:
        running.until(RECORD.pattern, 3)
        assert running.end(signal.SIGTERM) == 0
    handled = len(running.records())
    assert 3 <= handled < 10_000
    assert running.lines[-1] == f"handled {handled} messages of {topic}"
    assert committed(broker, group, topic, 1) == [handled]
    eventually(lambda: state_of(broker, group) == "Empty", "the group to be empty")


def test_consumer_keeps_its_partitions_while_handlers_are_slow(
    broker: KafkaBroker, make_topic: MakeTopic, group: str
) -> None:
    topic = fill(make_topic, broker, 1, 2)
    short = {"KAFKA_SESSION_TIMEOUT_MS": "4000", "KAFKA_MAX_POLL_INTERVAL_MS": "4000"}
    with consumer(broker, topic, group, 6, **short) as running:
        running.until(RECORD.pattern, 2)
        assert running.end(signal.SIGTERM) == 0
    assert running.lines == [
        "given partitions [0]",
        "paused",
        "0:0 None = b'0'",
        "resumed",
        "paused",
        "0:1 None = b'1'",
        "resumed",
        "giving back partitions [0]",
        f"handled 2 messages of {topic}",
    ]
    assert committed(broker, group, topic, 1) == [2]


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_consumer_finishes_the_message_at_hand_before_another_member_goes_on(
    broker: KafkaBroker, make_topic: MakeTopic, group: str, strategy: str
) -> None:
    topic = fill(make_topic, broker, 2, 2)
    conf = {**SESSION, "KAFKA_PARTITION_ASSIGNMENT_STRATEGY": strategy}
    with consumer(broker, topic, group, 4, **conf) as first:
        first.until("paused")
        with consumer(broker, topic, group, 0, **conf) as second:
            eventually(lambda: sum(committed(broker, group, topic, 2)) == 4, "all to be handled")
            assert second.end(signal.SIGTERM) == 0
            assert first.end(signal.SIGTERM) == 0
    both = first.records() + second.records()
    assert first.records()
    assert second.records()
    assert sorted(both) == [f"{partition}:{offset} None = b'{offset}'" for partition in (0, 1) for offset in range(2)]
