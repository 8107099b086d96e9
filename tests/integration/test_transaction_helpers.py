# SPDX-License-Identifier: Apache-2.0
"""`transaction()` and `run_transaction()`: exactly-once copies that survive failures half-way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from tests.integration.kit import (
    DEADLINE,
    MakeConsumer,
    MakeProducer,
    MakeTopic,
    poll_until,
    produce_all,
    read,
    unique_name,
    values_of,
)
from tests.integration.test_transactions import visible

pytestmark = pytest.mark.beyond_peer


class Copy:
    """A source topic with the values b"0" to b"29", a target, and the clients of a transactional copy loop."""

    def __init__(self, make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer) -> None:
        self.source, self.target = make_topic(), make_topic()
        self.small = make_topic(max_message_bytes="1000")
        self.numbers = [str(number).encode() for number in range(30)]
        produce_all(make_producer(), self.source, self.numbers)
        self.producer: Producer = make_producer({"transactional.id": unique_name("txn")})
        self.producer.init_transactions(DEADLINE)
        self.consumer: Consumer = make_consumer({"enable.auto.commit": False})
        self.consumer.subscribe([self.source])
        self.make_consumer = make_consumer

    def copy(self, count: int) -> list[Any]:
        values = values_of(read(self.consumer, count))
        for value in values:
            self.producer.produce(self.target, value)
        return values

    def committed(self) -> int:
        (found,) = self.consumer.committed([TopicPartition(self.source, 0)], DEADLINE)
        return found.offset

    def copied(self) -> list[Any]:
        return visible(self.make_consumer, self.target)


def fail_inside(block: AbstractContextManager[Any], work: Callable[[], Any]) -> None:
    """Do the work inside the block, then fail there."""
    with block:
        work()
        raise LookupError("half-way")


@pytest.fixture
def job(make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer) -> Copy:
    return Copy(make_topic, make_producer, make_consumer)


def test_a_transaction_block_commits_messages_and_offsets(job: Copy) -> None:
    for _ in range(3):
        with job.producer.transaction(job.consumer):
            job.copy(10)
    assert job.copied() == job.numbers
    assert job.committed() == 30


def test_a_transaction_block_without_a_consumer(job: Copy) -> None:
    with job.producer.transaction():
        job.producer.produce(job.target, b"one")
    with job.producer.transaction():
        pass
    with pytest.raises(LookupError):
        fail_inside(job.producer.transaction(), lambda: job.producer.produce(job.target, b"two"))
    with job.producer.transaction():
        job.producer.produce(job.target, b"three")
    assert job.copied() == [b"one", b"three"]


def test_an_exception_aborts_and_rewinds_the_consumer(job: Copy) -> None:
    with job.producer.transaction(job.consumer):
        job.copy(10)
    with pytest.raises(LookupError, match="half-way"):
        fail_inside(job.producer.transaction(job.consumer), lambda: job.copy(5))
    assert job.committed() == 10
    with job.producer.transaction(job.consumer):
        assert job.copy(20) == job.numbers[10:]
    assert job.copied() == job.numbers
    assert job.committed() == 30


def test_an_exception_in_the_first_block_rewinds_to_the_start(job: Copy) -> None:
    with pytest.raises(LookupError):
        fail_inside(job.producer.transaction(job.consumer), lambda: job.copy(7))
    assert job.committed() == OFFSET_INVALID
    with job.producer.transaction(job.consumer):
        assert job.copy(30) == job.numbers
    assert job.copied() == job.numbers


def test_rewinding_goes_back_to_where_the_assignment_started(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer
) -> None:
    source, target = make_topic(2), make_topic()
    plain = make_producer()
    for partition in (0, 1):
        produce_all(plain, source, [f"{partition}-{number}".encode() for number in range(5)], partition=partition)
    producer = make_producer({"transactional.id": unique_name("txn")})
    producer.init_transactions(DEADLINE)
    consumer = make_consumer({"enable.auto.commit": False})
    consumer.assign([TopicPartition(source, 0, 0), TopicPartition(source, 1, 3)])

    def copy(count: int) -> None:
        for message in read(consumer, count):
            producer.produce(target, message.value())

    with pytest.raises(LookupError):
        fail_inside(producer.transaction(consumer), lambda: copy(4))
    with producer.transaction(consumer):
        copy(7)
    expected = [f"0-{number}".encode() for number in range(5)] + [b"1-3", b"1-4"]
    assert sorted(visible(make_consumer, target)) == expected


def test_a_failed_message_aborts_the_block(job: Copy) -> None:

    def copy_and_overreach() -> None:
        with job.producer.transaction(job.consumer):
            job.copy(10)
            job.producer.produce(job.small, b"x" * 5_000)

    with pytest.raises(KafkaException) as caught:
        copy_and_overreach()
    assert caught.value.args[0].txn_requires_abort()
    with job.producer.transaction(job.consumer):
        assert job.copy(30) == job.numbers
    assert job.copied() == job.numbers


def test_run_transaction_runs_again_after_an_abortable_failure(job: Copy) -> None:
    attempts: list[list[Any]] = []

    def work() -> str:
        attempts.append(job.copy(10))
        if len(attempts) <= 2:
            # Refused by the broker: librdkafka then demands an abort.
            job.producer.produce(job.small, b"x" * 5_000)
        return f"done at attempt {len(attempts)}"

    assert job.producer.run_transaction(work, job.consumer) == "done at attempt 3"
    assert attempts == [job.numbers[:10]] * 3
    assert job.copied() == job.numbers[:10]
    assert job.committed() == 10
    assert job.producer.run_transaction(lambda: job.copy(20), job.consumer) == job.numbers[10:]
    assert job.copied() == job.numbers


def test_run_transaction_gives_other_exceptions_to_the_caller(job: Copy) -> None:
    attempts: list[int] = []

    def work() -> None:
        job.copy(10)
        attempts.append(1)
        raise LookupError("a bug of the caller")

    with pytest.raises(LookupError, match="a bug of the caller"):
        job.producer.run_transaction(work, job.consumer)
    assert attempts == [1]
    assert job.committed() == OFFSET_INVALID
    assert job.producer.run_transaction(lambda: job.copy(30), job.consumer) == job.numbers
    assert job.copied() == job.numbers


def test_run_transaction_ends_when_the_producer_is_fenced(job: Copy, make_producer: MakeProducer) -> None:
    name = unique_name("txn")
    first = make_producer({"transactional.id": name})
    first.init_transactions(DEADLINE)
    attempts: list[int] = []

    def work() -> None:
        attempts.append(1)
        first.produce(job.target, b"of the fenced one")
        assert first.flush(DEADLINE) == 0
        make_producer({"transactional.id": name}).init_transactions(DEADLINE)

    with pytest.raises(KafkaException) as caught:
        first.run_transaction(work)
    assert caught.value.args[0].fatal()
    assert caught.value.args[0].code() in (KafkaError._FENCED, KafkaError._FATAL)
    assert attempts == [1]
    assert job.copied() == []


def test_a_member_that_lost_its_partition_cannot_commit_its_offsets(job: Copy, make_consumer: MakeConsumer) -> None:
    group = unique_name("group")
    conf = {"group.id": group, "enable.auto.commit": False, "partition.assignment.strategy": "range"}
    old = make_consumer(conf)
    old.subscribe([job.source])
    first = read(old, 5)
    metadata, positions = old.consumer_group_metadata(), old.position(old.assignment())
    old.close()
    new = make_consumer(conf)
    new.subscribe([job.source])
    poll_until_message = read(new, 1)
    assert values_of(poll_until_message) == values_of(first[:1])
    job.producer.begin_transaction()
    job.producer.produce(job.target, b"of the zombie")
    with pytest.raises(KafkaException) as caught:
        job.producer.send_offsets_to_transaction(positions, metadata, DEADLINE)
    assert caught.value.args[0].txn_requires_abort()
    job.producer.abort_transaction(DEADLINE)
    new.pause(new.assignment())
    poll_until(new, lambda: job.copied() == [], "nothing from the zombie")
