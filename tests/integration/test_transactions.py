# SPDX-License-Identifier: Apache-2.0
"""Transactions: what is committed is seen once, what is aborted is not, and wrong uses say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from tests.integration.kit import (
    DEADLINE,
    MakeConsumer,
    MakeProducer,
    MakeTopic,
    produce_all,
    read,
    report_of,
    stored_batches,
    unique_name,
    values_of,
)
from tests.support.broker import KafkaBroker


@pytest.fixture
def make_transactional(make_producer: MakeProducer) -> Callable[..., Producer]:
    def make(transactional_id: str | None = None, ready: bool = True) -> Producer:
        producer = make_producer({"transactional.id": transactional_id or unique_name("txn")})
        if ready:
            producer.init_transactions(DEADLINE)
        return producer

    return make


@pytest.fixture
def transactional(make_transactional: Callable[..., Producer]) -> Producer:
    return make_transactional()


def visible(make_consumer: MakeConsumer, topic: str, isolation: str = "read_committed") -> list[Any]:
    """Every value a consumer of this isolation level sees, up to the end of partition 0."""
    consumer = make_consumer({"isolation.level": isolation, "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values: list[Any] = []
    while True:
        message = consumer.poll(DEADLINE)
        assert message is not None
        error = message.error()
        if error is None:
            values.append(message.value())
        else:
            assert error.code() == KafkaError._PARTITION_EOF
            return values


def refused(call: Callable[[], Any]) -> KafkaError:
    """The KafkaError of the KafkaException that ``call`` raises."""
    with pytest.raises(KafkaException) as caught:
        call()
    error = caught.value.args[0]
    assert isinstance(error, KafkaError)
    return error


def test_commit_and_abort_as_both_isolation_levels_see_them(
    broker: KafkaBroker, make_topic: MakeTopic, make_consumer: MakeConsumer, transactional: Producer
) -> None:
    topic = make_topic()
    transactional.begin_transaction()
    produce_all(transactional, topic, [b"1 aborted", b"2 aborted"])
    transactional.abort_transaction(DEADLINE)
    transactional.begin_transaction()
    produce_all(transactional, topic, [b"3 committed", b"4 committed"])
    transactional.commit_transaction(DEADLINE)
    transactional.begin_transaction()
    produce_all(transactional, topic, [b"5 aborted"])
    transactional.abort_transaction()
    transactional.begin_transaction()
    transactional.produce(topic, b"6 committed without flush")
    transactional.commit_transaction()
    assert visible(make_consumer, topic) == [b"3 committed", b"4 committed", b"6 committed without flush"]
    assert visible(make_consumer, topic, "read_uncommitted") == [
        b"1 aborted",
        b"2 aborted",
        b"3 committed",
        b"4 committed",
        b"5 aborted",
        b"6 committed without flush",
    ]
    assert all(batch.transactional for batch in stored_batches(broker, topic))


def test_an_open_transaction_hides_what_follows_it(
    make_topic: MakeTopic, make_consumer: MakeConsumer, producer: Producer, transactional: Producer
) -> None:
    topic = make_topic()
    produce_all(producer, topic, [b"before"])
    transactional.begin_transaction()
    produce_all(transactional, topic, [b"inside"])
    produce_all(producer, topic, [b"after"])
    assert visible(make_consumer, topic) == [b"before"]
    assert visible(make_consumer, topic, "read_uncommitted") == [b"before", b"inside", b"after"]
    transactional.commit_transaction(DEADLINE)
    assert visible(make_consumer, topic) == [b"before", b"inside", b"after"]


def test_read_committed_is_the_default(
    make_topic: MakeTopic, make_consumer: MakeConsumer, producer: Producer, transactional: Producer
) -> None:
    topic = make_topic()
    transactional.begin_transaction()
    produce_all(transactional, topic, [b"aborted"])
    transactional.abort_transaction(DEADLINE)
    produce_all(producer, topic, [b"plain"])
    consumer = make_consumer()
    consumer.subscribe([topic])
    assert values_of(read(consumer, 1)) == [b"plain"]


def test_abort_fails_what_was_not_sent_yet(make_topic: MakeTopic, make_producer: MakeProducer) -> None:
    producer = make_producer({"transactional.id": unique_name("txn"), "linger.ms": 20_000})
    producer.init_transactions(DEADLINE)
    producer.begin_transaction()
    errors: list[Any] = []
    for _ in range(3):
        producer.produce(make_topic(), b"x", on_delivery=lambda error, message: errors.append(error))
    producer.abort_transaction(DEADLINE)
    producer.poll(0)
    assert [error.code() for error in errors] == [KafkaError._PURGE_QUEUE] * 3


def test_offsets_travel_with_the_transaction(
    make_topic: MakeTopic, make_consumer: MakeConsumer, producer: Producer, transactional: Producer
) -> None:
    source, target, group = make_topic(), make_topic(), unique_name("group")
    produce_all(producer, source, [str(number).encode() for number in range(20)])
    consumer = make_consumer({"group.id": group, "enable.auto.commit": False})
    consumer.subscribe([source])

    def copy(count: int) -> None:
        transactional.begin_transaction()
        for message in read(consumer, count):
            transactional.produce(target, message.value())
        transactional.send_offsets_to_transaction(
            consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), DEADLINE
        )

    copy(5)
    transactional.commit_transaction(DEADLINE)
    assert consumer.committed([TopicPartition(source, 0)], DEADLINE)[0].offset == 5
    copy(5)
    transactional.abort_transaction(DEADLINE)
    assert consumer.committed([TopicPartition(source, 0)], DEADLINE)[0].offset == 5
    consumer.seek(TopicPartition(source, 0, 5))
    copy(15)
    transactional.commit_transaction(DEADLINE)
    assert consumer.committed([TopicPartition(source, 0)], DEADLINE)[0].offset == 20
    assert visible(make_consumer, target) == [str(number).encode() for number in range(20)]


def test_send_offsets_checks_its_arguments(make_topic: MakeTopic, consumer: Consumer, transactional: Producer) -> None:
    metadata = consumer.consumer_group_metadata()
    here = [TopicPartition(make_topic(), 0, 5)]
    transactional.begin_transaction()
    assert transactional.send_offsets_to_transaction([], metadata, DEADLINE) is None  # type: ignore[func-returns-value]
    for arguments in ((here,), (here, None), (here, "group"), (here[0], metadata), (["topic"], metadata)):
        with pytest.raises(TypeError):
            transactional.send_offsets_to_transaction(*arguments)
    assert refused(lambda: transactional.send_offsets_to_transaction(here, b"nonsense")).code() == KafkaError._BAD_MSG
    transactional.abort_transaction(DEADLINE)


def test_a_second_producer_of_the_same_id_fences_the_first(
    make_topic: MakeTopic, make_consumer: MakeConsumer, make_transactional: Callable[..., Producer]
) -> None:
    topic, name = make_topic(), unique_name("txn")
    first = make_transactional(name)
    first.begin_transaction()
    produce_all(first, topic, [b"of the first"])
    second = make_transactional(name)
    second.begin_transaction()
    produce_all(second, topic, [b"of the second"])
    first.produce(topic, b"too late")
    error = refused(lambda: first.commit_transaction(DEADLINE))
    assert error.code() == KafkaError._FENCED
    assert error.fatal()
    assert not error.retriable()
    assert not error.txn_requires_abort()
    second.commit_transaction(DEADLINE)
    assert visible(make_consumer, topic) == [b"of the second"]
    refused(first.begin_transaction)


def test_without_a_transactional_id(make_topic: MakeTopic, consumer: Consumer, producer: Producer) -> None:
    for call in (
        lambda: producer.init_transactions(DEADLINE),
        producer.begin_transaction,
        lambda: producer.send_offsets_to_transaction([TopicPartition("t", 0, 1)], consumer.consumer_group_metadata()),
        lambda: producer.commit_transaction(DEADLINE),
        lambda: producer.abort_transaction(DEADLINE),
    ):
        assert refused(call).code() == KafkaError._NOT_CONFIGURED
    assert report_of(producer, make_topic())[0] is None


def test_calls_in_the_wrong_state(make_topic: MakeTopic, make_transactional: Callable[..., Producer]) -> None:
    producer, topic = make_transactional(ready=False), make_topic()
    error = refused(producer.begin_transaction)
    assert (error.code(), error.str()) == (KafkaError._STATE, "Operation not valid in state Init")
    assert refused(lambda: producer.produce(topic, b"x")).code() == KafkaError._STATE
    producer.init_transactions(DEADLINE)
    assert refused(lambda: producer.init_transactions(DEADLINE)).code() == KafkaError._STATE
    assert "Operation not valid in state Ready" in refused(lambda: producer.commit_transaction(DEADLINE)).str()
    assert refused(lambda: producer.produce(topic, b"x")).code() == KafkaError._STATE
    producer.begin_transaction()
    assert "Operation not valid in state InTransaction" in refused(producer.begin_transaction).str()
    assert report_of(producer, topic)[0] is None
    producer.commit_transaction(DEADLINE)


def test_an_abortable_error_says_so(
    make_topic: MakeTopic, make_consumer: MakeConsumer, transactional: Producer
) -> None:
    good, small = make_topic(), make_topic(max_message_bytes="1000")
    transactional.begin_transaction()
    produce_all(transactional, good, [b"lost with the others"])
    transactional.produce(small, b"x" * 5_000)
    error = refused(lambda: transactional.commit_transaction(DEADLINE))
    assert error.txn_requires_abort()
    assert not error.fatal()
    assert not error.retriable()
    transactional.abort_transaction(DEADLINE)
    transactional.begin_transaction()
    produce_all(transactional, good, [b"kept"])
    transactional.commit_transaction(DEADLINE)
    assert visible(make_consumer, good) == [b"kept"]


def test_close_aborts_an_open_transaction(
    make_topic: MakeTopic, make_consumer: MakeConsumer, producer: Producer, transactional: Producer
) -> None:
    topic = make_topic()
    transactional.begin_transaction()
    produce_all(transactional, topic, [b"aborted by close"])
    assert transactional.close() is True
    produce_all(producer, topic, [b"after"])
    assert visible(make_consumer, topic) == [b"after"]
