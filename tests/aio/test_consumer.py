# SPDX-License-Identifier: Apache-2.0
"""AIOConsumer on the real broker: every way of reading, calls beside a read that waits, reads that are cancelled."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.aio import AIOConsumer, AIOProducer
from confluent_kafka.testing import MockCluster
from tests.aio.kit import (
    DEADLINE,
    HOUR,
    MakeAIOConsumer,
    MakeAIOProducer,
    Run,
    cancel,
    cancel_when_served,
    ends,
    eventually,
    failure_of,
    numbers,
    poll_until,
    read,
    settle,
    started,
    values_of,
    within,
)
from tests.integration.kit import MakeTopic, unique_name
from tests.mock.kit import settings


async def fill(producer: AIOProducer, topic: str, values: list[bytes], partition: int = 0) -> None:
    outcomes = await within(producer.produce_batch(topic, list(values), partition), "the deliveries")
    assert all(isinstance(outcome, Message) for outcome in outcomes), outcomes


async def by_poll(consumer: AIOConsumer, count: int) -> list[Message]:
    messages = [await consumer.poll(DEADLINE) for _ in range(count)]
    return [message for message in messages if message is not None]


async def by_consume(consumer: AIOConsumer, count: int) -> list[Message]:
    return await consumer.consume(count, DEADLINE)


async def by_iteration(consumer: AIOConsumer, count: int) -> list[Message]:
    messages: list[Message] = []
    async for message in consumer:
        messages.append(message)
        if len(messages) == count:
            break
    return messages


async def by_batches(consumer: AIOConsumer, count: int) -> list[Message]:
    messages: list[Message] = []
    async for batch in consumer.batches(7, DEADLINE):
        assert 1 <= len(batch) <= 7
        messages += batch
        if len(messages) >= count:
            break
    return messages


READS: dict[str, Callable[[AIOConsumer, int], Coroutine[Any, Any, list[Message]]]] = {
    "poll": by_poll,
    "consume": by_consume,
    "iteration": by_iteration,
    "batches": by_batches,
}
WAITS: dict[str, Callable[[AIOConsumer], Coroutine[Any, Any, Any]]] = {
    "poll": lambda consumer: consumer.poll(),
    "poll with a time-out": lambda consumer: consumer.poll(HOUR),
    "consume": lambda consumer: consumer.consume(10),
    "iteration": lambda consumer: _listed(consumer),
    "batches": lambda consumer: _listed(consumer.batches(10)),
}


async def _listed(stream: Any) -> list[Any]:
    return [item async for item in stream]


@pytest.mark.parametrize("way", sorted(READS))
def test_records_come_in_order_and_are_committed_at_the_end(
    run: Run, aio_producer: MakeAIOProducer, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic, way: str
) -> None:
    topic, group = make_topic(), unique_name("group")
    here = TopicPartition(topic, 0)

    async def main() -> None:
        await fill(aio_producer(), topic, numbers(21))
        async with aio_consumer({"group.id": group}) as consumer:
            await consumer.subscribe([topic])
            messages = await within(READS[way](consumer, 21), "the records")
            assert values_of(messages) == numbers(21)
            assert [message.offset() for message in messages] == list(range(21))
            assert [place.offset for place in await consumer.position([here])] == [21]
            assert await consumer.poll(0) is None
        assert [place.offset for place in await aio_consumer({"group.id": group}).committed([here])] == [21]

    run(main)


def test_arguments(
    run: Run, aio_producer: MakeAIOProducer, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic
) -> None:
    topic = make_topic()

    async def main() -> None:
        await fill(aio_producer(), topic, numbers(3))
        consumer = aio_consumer()
        await consumer.subscribe([topic])
        assert values_of(await consumer.consume(num_messages=1, timeout=DEADLINE)) == [b"0"]
        assert await consumer.consume(0, HOUR) == []
        # fewer than asked for, when the time is over
        assert values_of(await consumer.consume(10, 0.3)) == [b"1", b"2"]
        assert await consumer.consume(1, 0) == []
        for number in (-1, 1_000_001):
            with pytest.raises(ValueError, match="num_messages must be between 0 and 1000000"):
                await consumer.consume(number, 0)
        for call in (consumer.poll("soon"), consumer.consume(1, None), consumer.poll(None)):  # type: ignore[arg-type]
            with pytest.raises(TypeError):
                await call
        with pytest.raises(TypeError, match="unexpected keyword argument 'time'"):
            await consumer.poll(time=1)
        with pytest.raises(TypeError, match="expects a callable"):
            await consumer.subscribe([topic], on_assign=5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="list"):
            await consumer.subscribe(topic)  # type: ignore[arg-type]

    run(main)


def test_consumer_errors_are_messages(
    run: Run, aio_producer: MakeAIOProducer, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic
) -> None:
    topic, missing = make_topic(), unique_name("missing")

    async def main() -> None:
        await fill(aio_producer(), topic, numbers(2))
        consumer = aio_consumer({"enable.partition.eof": True})
        await consumer.subscribe([topic])
        messages = await within(by_iteration(consumer, 3), "two records and the end")
        assert values_of(messages[:2]) == numbers(2)
        error = messages[2].error()
        assert error is not None
        assert (error.code(), messages[2].offset()) == (KafkaError._PARTITION_EOF, 2)
        other = aio_consumer({"allow.auto.create.topics": False})
        await other.subscribe([missing])
        message = await within(other.poll(), "an error")
        assert message is not None
        error = message.error()
        assert error is not None
        assert error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
        refused = await failure_of(consumer.commit(message=messages[2], asynchronous=False))
        assert refused.code() == KafkaError._INVALID_ARG

    run(main)


@pytest.mark.parametrize("name", ["batches", "consume", "iteration", "poll"])
def test_no_call_waits_behind_a_read(
    run: Run, aio_producer: MakeAIOProducer, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic, name: str
) -> None:
    topic = make_topic()
    here = TopicPartition(topic, 0)

    async def main() -> None:
        await fill(aio_producer(), topic, numbers(3))
        consumer = aio_consumer({"enable.auto.offset.store": False, "enable.auto.commit": False})
        await consumer.subscribe([topic])
        messages = await read(consumer, 3)
        waiting = await started(WAITS[name](consumer))
        assert [place.offset for place in await within(consumer.position([here]), "position")] == [3]
        assert await within(consumer.assignment(), "assignment") == [here]
        assert await within(consumer.subscription(), "subscription") == [topic]
        assert isinstance(await within(consumer.memberid(), "memberid"), str)
        assert isinstance(await within(consumer.consumer_group_metadata(), "the metadata"), bytes)
        await within(consumer.store_offsets(messages[0]), "store_offsets")
        done = await within(consumer.commit(asynchronous=False), "commit")
        assert [(place.offset, place.error) for place in done or []] == [(1, None)]
        await within(consumer.commit(messages[1]), "commit without waiting")
        done = await within(consumer.commit(offsets=[TopicPartition(topic, 0, 3)], asynchronous=False), "commit")
        assert [place.offset for place in done or []] == [3]
        assert [place.offset for place in await within(consumer.committed([here]), "committed")] == [3]
        await within(consumer.pause([here]), "pause")
        await within(consumer.resume([here]), "resume")
        assert await within(consumer.get_watermark_offsets(here), "watermarks") == (0, 3)
        [found] = await within(consumer.offsets_for_times([TopicPartition(topic, 0, 0)]), "offsets_for_times")
        assert found.offset == 0
        assert topic in (await within(consumer.list_topics(topic), "list_topics")).topics
        assert await within(consumer.cluster_id(), "cluster_id")
        assert await within(consumer.lag(), "lag") == {here: 0}
        assert await within(consumer.poll(0), "another poll") is None
        assert await within(consumer.consume(5, 0), "another consume") == []
        assert not waiting.done()
        consumer.wakeup()
        assert await ends(waiting) in (None, [])

    run(main)


@pytest.mark.parametrize("name", ["batches", "consume", "iteration", "poll"])
def test_a_read_that_waits_sees_what_other_calls_do(
    run: Run, aio_producer: MakeAIOProducer, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic, name: str
) -> None:
    """Paused partitions give nothing, resumed ones what came meanwhile, and a seek what was read before."""
    topic = make_topic()
    here = TopicPartition(topic, 0)

    async def main() -> None:
        producer = aio_producer()
        await fill(producer, topic, numbers(2))
        consumer = aio_consumer()
        await consumer.subscribe([topic])
        await read(consumer, 2)
        taken: list[Message] = []

        async def keep_reading() -> None:
            while len(taken) < 4:
                got = await (consumer.consume(1) if name == "consume" else consumer.poll())
                taken.extend(got if isinstance(got, list) else [got] if got is not None else [])

        async def keep_iterating() -> None:
            stream = consumer if name == "iteration" else consumer.batches(1)
            async for got in stream:
                taken.extend(got if isinstance(got, list) else [got])
                if len(taken) >= 4:
                    return

        reader = await started(keep_iterating() if name in ("iteration", "batches") else keep_reading())
        await consumer.pause([here])
        await fill(producer, topic, [b"paused"])
        # others have their turn, and the broker its time to answer
        assert await consumer.get_watermark_offsets(here) == (0, 3)
        await settle(100)
        assert taken == []
        assert [place.offset for place in await consumer.position([here])] == [2]
        await consumer.resume([here])
        await eventually(lambda: values_of(taken) == [b"paused"], "the record of the resumed partition")
        await consumer.seek(TopicPartition(topic, 0, 0))
        await ends(reader)
        assert values_of(taken) == [b"paused", b"0", b"1", b"paused"]
        assert [place.offset for place in await consumer.position([here])] == [3]

    run(main)


@pytest.mark.parametrize("name", ["poll", "consume", "iteration", "batches"])
def test_cancelled_reads_lose_and_repeat_nothing(
    run: Run, aio_producer: MakeAIOProducer, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic, name: str
) -> None:
    topic = make_topic()
    here = TopicPartition(topic, 0)
    count = 120

    async def main() -> None:
        producer = aio_producer({"linger.ms": 0})
        consumer = aio_consumer({"fetch.wait.max.ms": 5})
        await consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        taken: list[bytes] = []

        def take(outcome: Any) -> None:
            if isinstance(outcome, Message):
                outcome = [outcome]
            if isinstance(outcome, list):
                taken.extend(message.value() for message in outcome)

        # Records come all the while, each read is cancelled at another moment.
        writer = asyncio.ensure_future(_write(producer, topic, numbers(count)))
        stream, batches = aiter(consumer), None
        for number in range(4_000):
            if len(taken) == count:
                break
            if name == "poll":
                call: Any = consumer.poll()
            elif name == "consume":
                call = consumer.consume(1 + number % 4)
            elif name == "iteration":
                call = _next(stream)
            else:
                batches = consumer.batches(1 + number % 4)
                call = _next(batches)
            task = asyncio.ensure_future(call)
            if number % 3 == 0:
                take(await cancel_when_served(task, 0.003))
            else:
                await settle(number % 7)
                if number % 5 == 0:
                    await asyncio.wait({task}, timeout=0.002)
                take(await cancel(task))
            position = (await consumer.position([here]))[0].offset
            assert max(position, 0) == len(taken), f"position {position} after {len(taken)} records"
        await writer
        take(await consumer.consume(count - len(taken), DEADLINE) if len(taken) < count else [])
        assert taken == numbers(count)
        assert await consumer.poll(0) is None

    run(main)


async def _next(stream: Any) -> Any:
    # a coroutine of its own: the iterator's awaitable is none that a task takes
    return await anext(stream)


async def _write(producer: AIOProducer, topic: str, values: list[bytes]) -> None:
    for value in values:
        await producer.send(topic, value)


def test_wait_for_around_reads_loses_nothing(
    run: Run, aio_producer: MakeAIOProducer, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic
) -> None:
    """What applications write: a time limit around each read, hit again and again just as records come."""
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer({"linger.ms": 0})
        consumer = aio_consumer({"fetch.wait.max.ms": 5})
        await consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        writer = asyncio.ensure_future(_write(producer, topic, numbers(60)))
        taken: list[Any] = []
        for number in range(5_000):
            if len(taken) == 60:
                break
            try:
                message = await asyncio.wait_for(consumer.poll(), 0.0005 * (number % 8))
            except (TimeoutError, asyncio.TimeoutError):
                continue
            assert message is not None
            taken.append(message.value())
        await writer
        taken += values_of(await consumer.consume(60 - len(taken), DEADLINE)) if len(taken) < 60 else []
        assert taken == numbers(60)

    run(main)


@pytest.mark.parametrize("name", sorted(WAITS))
def test_wakeup_ends_a_read_or_the_next_one(
    run: Run, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic, name: str
) -> None:
    topic = make_topic()

    async def main() -> None:
        consumer = aio_consumer()
        await consumer.assign([TopicPartition(topic, 0)])
        waiting = await started(WAITS[name](consumer))
        threading.Thread(target=consumer.wakeup).start()
        assert await ends(waiting) in (None, [])
        # nobody waits: the next that would wait does not
        consumer.wakeup()
        await settle(100)
        assert await within(WAITS[name](consumer), "the end of the next read") in (None, [])
        again = await started(WAITS[name](consumer))
        await cancel(again)

    run(main)


def test_tasks_share_a_consumer(
    run: Run, aio_producer: MakeAIOProducer, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic
) -> None:
    topic = make_topic(3)

    async def main() -> None:
        producer, consumer = aio_producer(), aio_consumer()
        for partition in range(3):
            await fill(producer, topic, numbers(50, 50 * partition), partition)
        await consumer.subscribe([topic])
        taken: list[Message] = []

        async def work(way: str) -> None:
            if way == "iteration":
                async for message in consumer:
                    taken.append(message)
                    await asyncio.sleep(0)
            while True:
                got = await (consumer.consume(3, 0.05) if way == "consume" else consumer.poll())
                taken.extend(got if isinstance(got, list) else [got] if got is not None else [])
                await asyncio.sleep(0)

        tasks = [asyncio.ensure_future(work(way)) for way in ("iteration", "consume", "poll", "poll")]
        await eventually(lambda: len(taken) >= 150, "all records")
        for task in tasks:
            assert isinstance(await cancel(task), asyncio.CancelledError)
        assert sorted(int(value) for value in values_of(taken)) == list(range(150))

    run(main)


def test_lag_follows_what_was_handed_out(
    run: Run, aio_producer: MakeAIOProducer, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic
) -> None:
    topic = make_topic(2)
    places = [TopicPartition(topic, partition) for partition in range(2)]

    async def main() -> None:
        producer, consumer = aio_producer(), aio_consumer()
        assert await consumer.lag() == {}
        await fill(producer, topic, numbers(5), 0)
        await fill(producer, topic, numbers(2), 1)
        await consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(2)])
        taken = [await consumer.poll(DEADLINE) for _ in range(4)]
        per_partition = [sum(message is not None and message.partition() == p for message in taken) for p in range(2)]
        assert await consumer.lag() == {places[0]: 5 - per_partition[0], places[1]: 2 - per_partition[1]}
        await read(consumer, 3)
        assert await consumer.lag() == dict.fromkeys(places, 0)

    run(main)


def test_assignments_by_hand(
    run: Run, aio_producer: MakeAIOProducer, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic
) -> None:
    topic = make_topic(2)

    async def main() -> None:
        producer, consumer = aio_producer(), aio_consumer()
        for partition in range(2):
            await fill(producer, topic, numbers(4, 10 * partition), partition)
        await consumer.assign([TopicPartition(topic, 0, 2)])
        waiting = asyncio.ensure_future(consumer.consume(2))
        assert values_of(await within(waiting, "two records")) == [b"2", b"3"]
        # a new assignment beside a read that waits
        reader = await started(consumer.consume(3))
        await consumer.assign([TopicPartition(topic, 1, 1)])
        assert values_of(await ends(reader)) == [b"11", b"12", b"13"]
        await consumer.incremental_assign([TopicPartition(topic, 0, 3)])
        assert values_of(await consumer.consume(1, DEADLINE)) == [b"3"]
        await consumer.incremental_unassign([TopicPartition(topic, 1)])
        assert [place.partition for place in await consumer.assignment()] == [0]
        assert (await failure_of(consumer.seek(TopicPartition(topic, 1, 0)))).code() == KafkaError._STATE
        await consumer.unassign()
        assert await consumer.assignment() == []
        duplicates = [TopicPartition(topic, 0), TopicPartition(topic, 0)]
        assert (await failure_of(consumer.assign(duplicates))).code() == KafkaError._INVALID_ARG

    run(main)


def test_a_commit_with_nothing_to_commit_says_so(
    run: Run, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic
) -> None:
    topic = make_topic()

    async def main() -> None:
        consumer = aio_consumer()
        await consumer.subscribe([topic])
        await poll_until(consumer, consumer.assignment, "an assignment")
        assert (await failure_of(consumer.commit(asynchronous=False))).code() == KafkaError._NO_OFFSET
        with pytest.raises(ValueError, match="mutually exclusive"):
            await consumer.commit(message=Message(), offsets=[])
        with pytest.raises(KafkaException):
            await consumer.store_offsets(offsets=[TopicPartition(topic, 0, 1)])  # enable.auto.offset.store is on

    run(main)


def test_a_long_handler_is_warned_of_early_and_a_long_wait_is_not(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "confluent_kafka.aio")

    def warnings() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == "confluent_kafka.aio"]

    async def main(cluster: MockCluster, topic: str) -> None:
        conf = settings(cluster, group_id=unique_name("group"), auto_offset_reset="earliest")
        consumer = AIOConsumer({**conf, "session.timeout.ms": 1_000, "max.poll.interval.ms": 1_000})
        run.clients.append(consumer)
        await consumer.subscribe([topic])
        await poll_until(consumer, consumer.assignment, "an assignment")
        # Three times as long as the group would wait: a pending poll keeps the membership.
        assert await consumer.poll(3) is None
        assert warnings() == []
        # (The group may have missed it in the meantime, if the machine is slow.)
        await poll_until(consumer, consumer.assignment, "an assignment")
        # A handler, with the loop running beside it.
        [text, *_] = await eventually(warnings, "a warning")
        assert "no poll() for 0 s" in text or "no poll() for 1 s" in text
        assert "pause()" in text

    with MockCluster(brokers=1) as cluster:
        topic = unique_name("topic")
        cluster.create_topic(topic, partitions=1)
        run(lambda: main(cluster, topic))
