# SPDX-License-Identifier: Apache-2.0
"""Committed and stored offsets: by hand, by the clock, at close, and after a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from tests.integration.kit import (
    DEADLINE,
    MakeConsumer,
    MakeTopic,
    eventually,
    poll_until,
    produce_all,
    read,
    unique_name,
    values_of,
)
from tests.support.broker import KafkaBroker

BY_HAND = {"enable.auto.commit": False}


def committed(consumer: Consumer, topic: str, partition: int = 0) -> int:
    (found,) = consumer.committed([TopicPartition(topic, partition)], timeout=DEADLINE)
    assert found.error is None
    return found.offset


@pytest.fixture
def topic(make_topic: MakeTopic, producer: Producer) -> str:
    """A topic with the values b"0" to b"99"."""
    name = make_topic()
    produce_all(producer, name, [str(number).encode() for number in range(100)])
    return name


def test_commit_of_the_current_position(topic: str, make_consumer: MakeConsumer) -> None:
    consumer = make_consumer(BY_HAND)
    consumer.subscribe([topic])
    assert committed(consumer, topic) == OFFSET_INVALID
    read(consumer, 10)
    result = consumer.commit(asynchronous=False)
    assert result is not None
    assert [(entry.topic, entry.partition, entry.offset, entry.error) for entry in result] == [(topic, 0, 10, None)]
    assert committed(consumer, topic) == 10
    consumer.consume(20, DEADLINE)
    consumer.commit(asynchronous=False)
    assert committed(consumer, topic) == 30


def test_commit_of_a_message_and_of_offsets(topic: str, make_consumer: MakeConsumer) -> None:
    consumer = make_consumer(BY_HAND)
    consumer.subscribe([topic])
    messages = read(consumer, 10)
    result = consumer.commit(message=messages[4], asynchronous=False)
    assert result is not None
    assert (result[0].offset, result[0].leader_epoch) == (5, 0)
    assert committed(consumer, topic) == 5
    consumer.commit(offsets=[TopicPartition(topic, 0, 77, "a note")], asynchronous=False)
    (found,) = consumer.committed([TopicPartition(topic, 0)], timeout=DEADLINE)
    assert (found.offset, found.metadata) == (77, "a note")
    consumer.commit(messages[0], asynchronous=False)
    assert committed(consumer, topic) == 1
    consumer.commit(**{"message": messages[1], "async": False})
    assert committed(consumer, topic) == 2


def test_an_asynchronous_commit_reports_to_on_commit(topic: str, make_consumer: MakeConsumer) -> None:
    reports: list[tuple[KafkaError | None, list[TopicPartition]]] = []
    consumer = make_consumer({**BY_HAND, "on_commit": lambda error, offsets: reports.append((error, offsets))})
    consumer.subscribe([topic])
    read(consumer, 10)
    consumer.pause(consumer.assignment())
    assert consumer.commit() is None
    poll_until(consumer, lambda: reports, "the commit's report")
    ((error, offsets),) = reports
    assert error is None
    assert [(entry.topic, entry.partition, entry.offset, entry.error) for entry in offsets] == [(topic, 0, 10, None)]
    assert committed(consumer, topic) == 10


def test_a_commit_that_fails_says_why(topic: str, make_consumer: MakeConsumer) -> None:
    consumer = make_consumer({**BY_HAND, "enable.partition.eof": True})
    consumer.subscribe([topic])
    with pytest.raises(KafkaException, match="Commit failed") as caught:
        consumer.commit(asynchronous=False)
    assert caught.value.args[0].code() == KafkaError._NO_OFFSET
    with pytest.raises(KafkaException) as caught:
        consumer.commit(offsets=[], asynchronous=False)
    assert caught.value.args[0].code() == KafkaError._NO_OFFSET
    (message, *_) = read(consumer, 100)
    with pytest.raises(ValueError, match="mutually exclusive"):
        consumer.commit(message=message, offsets=[TopicPartition(topic, 0, 1)])
    end = eventually(lambda: consumer.poll(0.2), "the end of the partition")
    assert end.error() is not None
    with pytest.raises(KafkaException, match="Cannot commit offsets for message with error") as caught:
        consumer.commit(message=end)
    assert caught.value.args[0].code() == KafkaError._INVALID_ARG


def test_stored_offsets_are_what_commit_commits(topic: str, make_consumer: MakeConsumer) -> None:
    consumer = make_consumer({**BY_HAND, "enable.auto.offset.store": False})
    consumer.subscribe([topic])
    messages = read(consumer, 10)
    with pytest.raises(KafkaException) as caught:
        consumer.commit(asynchronous=False)
    assert caught.value.args[0].code() == KafkaError._NO_OFFSET
    consumer.store_offsets(messages[2])
    consumer.commit(asynchronous=False)
    assert committed(consumer, topic) == 3
    consumer.store_offsets(offsets=[TopicPartition(topic, 0, 8)])
    consumer.commit(asynchronous=False)
    assert committed(consumer, topic) == 8


def test_store_offsets_needs_its_configuration_and_an_argument(topic: str, make_consumer: MakeConsumer) -> None:
    consumer = make_consumer()
    consumer.subscribe([topic])
    (message,) = read(consumer, 1)
    with pytest.raises(ValueError, match="expected either message or offsets"):
        consumer.store_offsets()
    with pytest.raises(KafkaException) as caught:
        consumer.store_offsets(message)
    assert caught.value.args[0].code() == KafkaError._INVALID_ARG
    other = make_consumer({"enable.auto.offset.store": False})
    with pytest.raises(KafkaException):
        other.store_offsets(offsets=[TopicPartition(topic, 0, 5)])


@pytest.mark.parametrize("way", ["poll", "consume"])
@pytest.mark.parametrize("automatic", [True, False])
def test_the_next_member_goes_on_after_the_last_commit(
    topic: str, make_consumer: MakeConsumer, automatic: bool, way: str
) -> None:
    group = {"group.id": unique_name("group")}
    first = make_consumer({**group, "enable.auto.commit": automatic})
    first.subscribe([topic])
    assert len(read(first, 30) if way == "poll" else first.consume(30, DEADLINE)) == 30
    first.close()
    second = make_consumer({**group, **BY_HAND})
    second.subscribe([topic])
    start = 30 if automatic else 0
    assert values_of(read(second, 100 - start)) == [str(number).encode() for number in range(start, 100)]


def test_automatic_commit_by_the_clock(topic: str, make_consumer: MakeConsumer) -> None:
    reports: list[Any] = []
    consumer = make_consumer(
        {"auto.commit.interval.ms": 100, "on_commit": lambda error, offsets: reports.append((error, offsets))}
    )
    consumer.subscribe([topic])
    read(consumer, 100)
    poll_until(consumer, lambda: committed(consumer, topic) == 100, "all committed")
    poll_until(consumer, lambda: reports, "a report of the automatic commit")
    assert all(error is None for error, _ in reports)


READER = """
import sys
from confluent_kafka import Consumer
bootstrap, group, topic, way = sys.argv[1:]
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest",
                     "auto.commit.interval.ms": 20, "session.timeout.ms": 2000, "heartbeat.interval.ms": 500})
consumer.subscribe([topic])
while True:
    found = consumer.consume(7, 0.01) if way == "consume" else [consumer.poll(1)]
    lines = [message.value().decode() for message in found if message is not None and message.error() is None]
    if lines:
        print("\\n".join(lines), flush=True)
"""


@pytest.mark.parametrize("way", ["poll", "consume"])
def test_nothing_is_skipped_when_a_member_is_killed(
    broker: KafkaBroker,
    make_topic: MakeTopic,
    producer: Producer,
    make_consumer: MakeConsumer,
    tmp_path: Path,
    way: str,
) -> None:
    """Automatic commit may repeat records after a kill; it must never pass one that was not handed over."""
    topic, group = make_topic(), unique_name("group")
    produce_all(producer, topic, [str(number).encode() for number in range(20_000)])
    script = tmp_path / "reader.py"
    script.write_text(READER)
    watcher = make_consumer({"group.id": group, **BY_HAND})
    with subprocess.Popen(
        [sys.executable, str(script), broker.bootstrap, group, topic, way], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        printed = [int(child.stdout.readline())]
        while printed[-1] < 3_000 or committed(watcher, topic) < 100:
            printed.append(int(child.stdout.readline()))
            assert len(printed) < 19_000, "no automatic commit arrived"
        child.send_signal(signal.SIGKILL)
        printed += [int(line) for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    assert printed == list(range(len(printed)))
    start = committed(watcher, topic)
    # What the last call handed over may be committed before it is printed whole: one record, or consume()'s seven.
    assert 100 <= start <= len(printed) + (7 if way == "consume" else 1)
    watcher.subscribe([topic])
    rest: list[Message] = read(watcher, 20_000 - start)
    assert int(values_of(rest)[0]) == start
