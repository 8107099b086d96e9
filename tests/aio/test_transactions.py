# SPDX-License-Identifier: Apache-2.0
"""Transactions of the asyncio producer on a real broker: the same outcomes as the synchronous ones'."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.aio import AIOConsumer, AIOProducer
from tests.aio.kit import DEADLINE, MakeAIOConsumer, MakeAIOProducer, Run, failure_of, read, values_of
from tests.integration.kit import MakeConsumer, MakeTopic, unique_name


def transactional(make: MakeAIOProducer, **conf: Any) -> AIOProducer:
    return make({"transactional.id": unique_name("txn"), **conf})


def committed_values(make_consumer: MakeConsumer, topic: str) -> list[Any]:
    """What a read_committed consumer sees of partition 0."""
    consumer: Consumer = make_consumer({"isolation.level": "read_committed", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values: list[Any] = []
    while True:
        message = consumer.poll(DEADLINE)
        assert message is not None
        error = message.error()
        if error is not None:
            assert error.code() == KafkaError._PARTITION_EOF
            return values
        values.append(message.value())


def test_commit_and_abort(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, make_consumer: MakeConsumer
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = transactional(aio_producer)
        await producer.init_transactions(DEADLINE)
        await producer.begin_transaction()
        kept = await producer.produce(topic, b"kept")
        await producer.commit_transaction(DEADLINE)
        assert kept.done()
        assert kept.result().offset() == 0
        await producer.begin_transaction()
        assert (await producer.send(topic, b"aborted")).offset() is not None
        await producer.abort_transaction(DEADLINE)

    run(main)
    assert committed_values(make_consumer, topic) == [b"kept"]


def test_abort_never_sends_what_was_not_sent_yet(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, make_consumer: MakeConsumer
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = transactional(aio_producer, **{"linger.ms": 30_000})
        await producer.init_transactions(DEADLINE)
        await producer.begin_transaction()
        waiting = await producer.produce(topic, b"never")
        await producer.abort_transaction(DEADLINE)
        error = await failure_of(waiting)
        assert error.code() == KafkaError._PURGE_QUEUE

    run(main)
    consumer = make_consumer({"isolation.level": "read_uncommitted"})
    assert consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=DEADLINE) == (0, 0)


def test_block_commits_output_and_offsets_together(
    run: Run,
    aio_producer: MakeAIOProducer,
    aio_consumer: MakeAIOConsumer,
    make_topic: MakeTopic,
    make_consumer: MakeConsumer,
) -> None:
    source, target = make_topic(), make_topic()

    async def main() -> None:
        outside = aio_producer()
        await outside.produce_batch(source, [str(n).encode() for n in range(10)])
        consumer: AIOConsumer = aio_consumer({"enable.auto.commit": False})
        await consumer.subscribe([source])
        producer = transactional(aio_producer)
        await producer.init_transactions(DEADLINE)

        async def failing() -> None:
            async with producer.transaction(consumer):
                for message in await read(consumer, 4):
                    await producer.produce(target, message.value())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await failing()
        # Moved back: the same messages come again.
        async with producer.transaction(consumer) as inside:
            assert inside is producer
            messages = await read(consumer, 10)
            assert values_of(messages) == [str(n).encode() for n in range(10)]
            for message in messages:
                await producer.produce(target, message.value())
        assert [p.offset for p in await consumer.committed(await consumer.assignment(), DEADLINE)] == [10]

    run(main)
    assert committed_values(make_consumer, target) == [str(n).encode() for n in range(10)]


def test_run_transaction_runs_the_work_again_after_an_abortable_error(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, make_consumer: MakeConsumer
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = transactional(aio_producer)
        await producer.init_transactions(DEADLINE)
        attempts = 0

        async def work() -> str:
            nonlocal attempts
            attempts += 1
            await producer.produce(topic, f"attempt {attempts}")
            if attempts < 3:
                raise KafkaException(KafkaError(KafkaError._FAIL, "again, please", txn_requires_abort=True))
            return "done"

        assert await producer.run_transaction(work) == "done"
        assert attempts == 3
        with pytest.raises(LookupError):
            await producer.run_transaction(_raising)

    run(main)
    assert committed_values(make_consumer, topic) == [b"attempt 3"]


async def _raising() -> None:
    raise LookupError("not Kafka's to retry")


def test_a_cancelled_call_goes_on_and_is_taken_up_again(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, make_consumer: MakeConsumer
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = transactional(aio_producer)
        await producer.init_transactions(DEADLINE)
        await producer.begin_transaction()
        await producer.produce(topic, b"v")
        commit = asyncio.ensure_future(producer.commit_transaction(DEADLINE))
        await asyncio.sleep(0)
        commit.cancel()
        await asyncio.gather(commit, return_exceptions=True)
        await producer.commit_transaction(DEADLINE)

    run(main)
    assert committed_values(make_consumer, topic) == [b"v"]


def test_close_aborts_an_open_transaction(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, make_consumer: MakeConsumer
) -> None:
    topic = make_topic()

    async def main() -> None:
        async with transactional(aio_producer) as producer:
            await producer.init_transactions(DEADLINE)
            await producer.begin_transaction()
            await producer.send(topic, b"open")

    run(main)
    assert committed_values(make_consumer, topic) == []
