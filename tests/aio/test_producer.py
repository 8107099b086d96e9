# SPDX-License-Identifier: Apache-2.0
"""AIOProducer on a real broker: what is sent arrives as it was given, and every record has its own outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.aio import AIOProducer
from confluent_kafka.error import QueueFullError
from tests.aio.kit import (
    DEADLINE,
    HOUR,
    MakeAIOProducer,
    Run,
    cancel,
    ends,
    eventually,
    failure_of,
    numbers,
    settle,
    started,
    within,
)
from tests.integration import kit
from tests.integration.kit import UNREACHABLE, MakeConsumer, MakeTopic, values_of
from tests.support.broker import KafkaBroker

NOWHERE = {"bootstrap.servers": UNREACHABLE, "log_level": 0}
"""A producer that never delivers."""


@pytest.fixture
def stored(make_consumer: MakeConsumer) -> Callable[[str, int], list[Message]]:
    """``stored(topic, count)``: the first records of a topic, read by the synchronous consumer."""

    def read(topic: str, count: int) -> list[Message]:
        consumer: Consumer = make_consumer()
        consumer.subscribe([topic])
        return kit.read(consumer, count)

    return read


Stored = Callable[[str, int], list[Message]]


def test_a_record_arrives_as_it_was_given(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, stored: Stored
) -> None:
    topic = make_topic(3)
    headers = [("a", b"1"), ("b", "text"), ("a", None), ("empty", b"")]

    async def main() -> None:
        producer = aio_producer()
        future = await producer.produce(
            topic, b"value", b"key", partition=2, timestamp=1_600_000_000_123, headers=headers
        )
        assert isinstance(future, asyncio.Future)
        message = await future
        assert (message.topic(), message.partition(), message.offset()) == (topic, 2, 0)
        assert (message.key(), message.value(), message.error()) == (b"key", b"value", None)
        assert message.timestamp() == (1, 1_600_000_000_123)
        assert (message.latency() or 0) > 0

    run(main)
    (message,) = stored(topic, 1)
    assert (message.partition(), message.key(), message.value()) == (2, b"key", b"value")
    assert message.headers() == [("a", b"1"), ("b", b"text"), ("a", None), ("empty", b"")]
    assert message.timestamp() == (1, 1_600_000_000_123)


@pytest.mark.parametrize(
    ("given", "arrives"),
    [("tëxt", "tëxt".encode()), (b"bytes", b"bytes"), (bytearray(b"array"), b"array"), (memoryview(b"view"), b"view"),
     (b"", b""), (None, None)],
)  # fmt: skip
def test_keys_and_values_of_every_kind(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, stored: Stored, given: Any, arrives: Any
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer()
        assert (await producer.send(topic, given, key=given)).value() == arrives
        assert (await (await producer.produce(topic, value=given, key=given))).key() == arrives

    run(main)
    assert [(message.key(), message.value()) for message in stored(topic, 2)] == [(arrives, arrives)] * 2


def test_send_with_default_settings_needs_nobody_to_poll(run: Run, broker: KafkaBroker, make_topic: MakeTopic) -> None:
    topic = make_topic()

    async def main() -> None:
        async with AIOProducer({"bootstrap.servers": broker.bootstrap}) as producer:
            for number in range(5):
                message = await within(producer.send(topic, str(number), headers={"n": str(number)}), "the delivery")
                assert (message.offset(), message.value()) == (number, str(number).encode())

    run(main)


def test_futures_gathered_by_the_thousand(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, stored: Stored
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer()
        futures = [await producer.produce(topic, value) for value in numbers(10_000)]
        messages = await asyncio.gather(*futures)
        assert [message.offset() for message in messages] == list(range(10_000))
        assert [message.value() for message in messages] == numbers(10_000)
        assert len(producer) == 0

    run(main)
    assert values_of(stored(topic, 10_000)) == numbers(10_000)


def test_a_batch_has_its_outcomes_in_order(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, stored: Stored
) -> None:
    topic = make_topic(2)
    messages: list[Any] = [
        {"value": b"0", "key": b"k", "partition": 1, "timestamp": 1_600_000_000_000, "headers": [("h", b"1")]},
        b"1",
        "2",
        {"value": b"x" * 2_000},
        {"value": "4", "headers": {"h": "4"}},
        {"value": None, "key": "5"},
        {"value": b"6", "partition": 7},
    ]
    before = [dict(message) if isinstance(message, dict) else message for message in messages]

    async def main() -> None:
        producer = aio_producer({"message.max.bytes": 1_000})
        # The partitions are known from now on: a wrong one is refused at once.
        await producer.send(topic, b"first", partition=1)
        outcomes = await producer.produce_batch(topic, messages, partition=0)
        assert messages == before, "the caller's messages were changed"
        places = [(o.partition(), o.value()) if isinstance(o, Message) else o.args[0].code() for o in outcomes]
        assert places == [
            (1, b"0"), (0, b"1"), (0, b"2"), KafkaError.MSG_SIZE_TOO_LARGE, (0, b"4"), (0, None),
            KafkaError._UNKNOWN_PARTITION,
        ]  # fmt: skip
        assert [o.offset() for o in outcomes if isinstance(o, Message)] == [1, 0, 1, 2, 3]

    run(main)
    seen = {message.value(): message for message in stored(topic, 6)}
    assert (seen[b"0"].key(), seen[b"0"].headers(), seen[b"0"].timestamp()) == (
        b"k", [("h", b"1")], (1, 1_600_000_000_000)
    )  # fmt: skip
    assert seen[b"4"].headers() == [("h", b"4")]
    assert seen[None].key() == b"5"


def test_a_batch_of_nothing_and_batches_of_the_wrong_form(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, broker: KafkaBroker
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer()
        assert await producer.produce_batch(topic, []) == []
        for wrong in ([b"fine", 5], [{"value": b"fine"}, {"value": 5}], [{"key": 1.5}], [{"partition": "0"}]):
            with pytest.raises(TypeError):
                await producer.produce_batch(topic, wrong)
        with pytest.raises((TypeError, ValueError), match="1"):
            await producer.produce_batch(topic, [b"fine", {"value": b"x", "headers": 5}])
        assert await producer.flush(DEADLINE) == 0

    run(main)
    assert broker.offsets(topic) == (0, 0)


def test_a_batch_larger_than_the_queue(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, stored: Stored
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer({"queue.buffering.max.messages": 10})
        outcomes = await producer.produce_batch(topic, numbers(500))
        assert [o.value() for o in outcomes if isinstance(o, Message)] == numbers(500)

    run(main)
    assert values_of(stored(topic, 500)) == numbers(500)


def test_a_batch_without_room_in_time(run: Run, aio_producer: MakeAIOProducer) -> None:
    async def main() -> None:
        producer = aio_producer({**NOWHERE, "queue.buffering.max.messages": 3})
        batch = await started(producer.produce_batch("anything", numbers(5), timeout=0.05))
        await eventually(lambda: len(producer) == 3, "a full queue")
        await asyncio.sleep(0.1)
        await producer.purge()
        outcomes = await ends(batch)
        assert [outcome.args[0].code() for outcome in outcomes[:3]] == [KafkaError._PURGE_QUEUE] * 3
        assert all(isinstance(outcome, QueueFullError) for outcome in outcomes[3:])
        assert len(outcomes) == 5

    run(main)


def test_what_librdkafka_refuses_fails_alone(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, stored: Stored
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer({"message.max.bytes": 1_000})
        before = await producer.produce(topic, b"before")
        large = await producer.produce(topic, b"x" * 2_000)
        after = await producer.produce(topic, b"after")
        assert (await failure_of(large)).code() == KafkaError.MSG_SIZE_TOO_LARGE
        assert [message.offset() for message in await asyncio.gather(before, after)] == [0, 1]
        assert (await failure_of(producer.send(topic, b"x" * 2_000))).code() == KafkaError.MSG_SIZE_TOO_LARGE
        assert (await failure_of(await producer.produce(topic, b"x", partition=5))).code() in (
            KafkaError._UNKNOWN_PARTITION,
        )
        assert await within(producer.flush(), "flush") == 0

    run(main)
    assert values_of(stored(topic, 2)) == [b"before", b"after"]


def test_what_the_broker_refuses_fails_alone(run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic) -> None:
    topic = make_topic(max_message_bytes="1000")

    async def main() -> None:
        producer = aio_producer({"linger.ms": 0})
        assert (await failure_of(producer.send(topic, b"x" * 5_000))).code() == KafkaError.MSG_SIZE_TOO_LARGE
        assert (await producer.send(topic, b"small")).offset() == 0
        illegal = await failure_of(producer.send("not a topic!", b"x"))
        assert illegal.code() == KafkaError.TOPIC_EXCEPTION

    run(main)


def test_arguments_of_the_wrong_type_raise_at_once(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, broker: KafkaBroker
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer: Any = aio_producer()
        wrong: list[dict[str, Any]] = [
            {"value": 5}, {"key": 1.5}, {"partition": "0"}, {"timestamp": "now"}, {"headers": 5}, {"no": "such"},
        ]  # fmt: skip
        for arguments in wrong:
            with pytest.raises(TypeError):
                await producer.produce(topic, **arguments)
            with pytest.raises(TypeError):
                await producer.send(topic, **arguments)
        for name in (5, None, b"bytes"):
            with pytest.raises(TypeError):
                await producer.produce(name, b"x")
        assert await producer.flush(DEADLINE) == 0
        assert len(producer) == 0

    run(main)
    assert broker.offsets(topic) == (0, 0)


def test_a_full_queue_makes_produce_wait(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, stored: Stored
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer({"queue.buffering.max.messages": 2, "linger.ms": 200_000})
        futures = [await producer.produce(topic, value) for value in numbers(2)]
        waiting = [await started(producer.produce(topic, value)) for value in numbers(3, 2)]
        assert not any(future.done() for future in futures)
        assert await within(producer.flush(), "flush") == 0
        # flush() sent what was queued; what waited takes the room it left.
        await eventually(lambda: waiting[1].done(), "room for those who waited")
        assert await within(producer.flush(), "flush") == 0
        await eventually(lambda: waiting[2].done(), "room for the last")
        futures += [task.result() for task in waiting]
        assert await within(producer.flush(), "flush") == 0
        assert [message.value() for message in await asyncio.gather(*futures)] == numbers(5)

    run(main)
    assert values_of(stored(topic, 5)) == numbers(5)


@pytest.mark.parametrize("call", ["produce", "send"])
def test_waiting_for_room_has_its_limit(run: Run, aio_producer: MakeAIOProducer, call: str) -> None:
    async def main() -> None:
        producer = aio_producer({**NOWHERE, "queue.buffering.max.messages": 1})
        first = await producer.produce("anything", b"first")
        for timeout in (0, 0.02):
            with pytest.raises(QueueFullError):
                await within(getattr(producer, call)("anything", b"second", timeout=timeout), "the refusal")
        with pytest.raises(BufferError):
            await producer.produce("anything", b"second", timeout=0)
        assert len(producer) == 1
        await producer.purge()
        assert (await failure_of(first)).code() == KafkaError._PURGE_QUEUE
        third = await producer.produce("anything", b"third", timeout=0)
        await producer.purge()
        assert (await failure_of(third)).code() == KafkaError._PURGE_QUEUE

    run(main)


def test_a_cancelled_wait_for_room_produces_nothing(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, broker: KafkaBroker, stored: Stored
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer({"queue.buffering.max.messages": 1, "linger.ms": 200_000})
        futures = [await producer.produce(topic, b"0")]
        given_up = await started(producer.produce(topic, b"given up"))
        patient = await started(producer.produce(topic, b"1"))
        assert isinstance(await cancel(given_up), asyncio.CancelledError)
        await settle()
        assert not patient.done()
        await within(producer.flush(), "flush")
        futures.append(await within(patient, "room"))
        await within(producer.flush(), "flush")
        await asyncio.gather(*futures)

    run(main)
    assert values_of(stored(topic, 2)) == [b"0", b"1"]
    assert broker.offsets(topic) == (0, 2)


def test_a_cancelled_delivery_future_takes_nothing_back(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, stored: Stored
) -> None:
    topic = make_topic()
    reports: list[bytes | None] = []

    async def main() -> None:
        producer = aio_producer({"linger.ms": 50})
        futures = [
            await producer.produce(topic, value, on_delivery=lambda error, message: reports.append(message.value()))
            for value in numbers(4)
        ]
        futures[1].cancel()
        sending = await started(producer.send(topic, b"4"))
        assert isinstance(await cancel(sending), asyncio.CancelledError)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(futures[3], 0)
        assert await producer.flush(DEADLINE) == 0
        assert [futures[0].result().offset(), futures[2].result().offset()] == [0, 2]

    run(main)
    assert reports == numbers(4)
    assert values_of(stored(topic, 5)) == numbers(5)


def test_flush_waits_for_outcomes(run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer({"linger.ms": 200_000})
        assert await producer.flush() == 0
        futures = [await producer.produce(topic, value) for value in numbers(50)]
        assert len(producer) == 50
        # Both flushes end the linger, and both end.
        assert await within(asyncio.gather(producer.flush(), producer.flush(DEADLINE)), "two flushes") == [0, 0]
        assert all(future.done() for future in futures)
        assert len(producer) == 0

    run(main)


def test_flush_has_its_limit_and_may_be_cancelled(run: Run, aio_producer: MakeAIOProducer) -> None:
    async def main() -> None:
        producer = aio_producer(NOWHERE)
        futures = [await producer.produce("anything", value) for value in numbers(3)]
        assert await within(producer.flush(0), "flush") == 3
        assert await within(producer.flush(0.02), "flush") == 3
        assert isinstance(await cancel(await started(producer.flush())), asyncio.CancelledError)
        assert len(producer) == 3
        flushing = await started(producer.flush(HOUR))
        await producer.purge()
        assert await ends(flushing) == 0
        assert [(await failure_of(future)).code() for future in futures] == [KafkaError._PURGE_QUEUE] * 3

    run(main)


def test_purge_fails_what_it_removes(run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer({"linger.ms": 200_000})
        assert await producer.purge() is None
        future = await producer.produce(topic, b"x")
        sending = await started(producer.send(topic, b"y"))
        batch = await started(producer.produce_batch(topic, [b"z"]))
        await producer.purge(in_queue=False, in_flight=True)
        await settle()
        assert not future.done()
        await producer.purge(in_queue=True, in_flight=False, blocking=False)
        assert (await failure_of(future)).code() == KafkaError._PURGE_QUEUE
        assert (await failure_of(sending)).code() == KafkaError._PURGE_QUEUE
        (outcome,) = await ends(batch)
        assert isinstance(outcome, KafkaException)
        assert outcome.args[0].code() == KafkaError._PURGE_QUEUE
        assert len(producer) == 0

    run(main)


def test_a_dead_broker_times_messages_out(run: Run, aio_producer: MakeAIOProducer) -> None:
    async def main() -> None:
        producer = aio_producer({**NOWHERE, "message.timeout.ms": 200, "linger.ms": 0})
        future = await producer.produce("anything", b"x")
        sending = await started(producer.send("anything", b"y"))
        assert (await failure_of(future)).code() == KafkaError._MSG_TIMED_OUT
        assert (await failure_of(sending)).code() == KafkaError._MSG_TIMED_OUT
        (outcome,) = await producer.produce_batch("anything", [b"z"])
        assert isinstance(outcome, KafkaException)
        assert (await failure_of(producer.list_topics(timeout=0.05))).code() in (
            KafkaError._TRANSPORT, KafkaError._TIMED_OUT,
        )  # fmt: skip

    run(main)


def test_poll_tells_how_much_was_served(run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer()
        assert await producer.poll() == 0
        assert await within(producer.poll(0.02), "poll") == 0
        polling = await started(producer.poll(HOUR))
        await producer.produce(topic, b"x")
        assert await ends(polling) >= 1
        assert isinstance(await cancel(await started(producer.poll(-1))), asyncio.CancelledError)

    run(main)


def test_lookups(run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic) -> None:
    topic = make_topic(3)

    async def main() -> None:
        producer = aio_producer()
        everything, one, name = await asyncio.gather(
            producer.list_topics(timeout=DEADLINE), producer.list_topics(topic), producer.cluster_id(DEADLINE)
        )
        assert topic in everything.topics
        assert sorted(one.topics[topic].partitions) == [0, 1, 2]
        assert name == one.cluster_id
        assert await producer.set_sasl_credentials("user", "secret") is None
        assert bool(producer)
        assert len(producer) == 0

    run(main)


def test_close_sends_what_is_queued(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, stored: Stored
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer({"linger.ms": 200_000})
        futures = [await producer.produce(topic, value) for value in numbers(20)]
        sending = await started(producer.send(topic, b"20"))
        # The wait for the end may be cancelled: the end comes all the same.
        closing = asyncio.ensure_future(producer.close())
        await asyncio.sleep(0)
        await cancel(closing)
        with pytest.raises(RuntimeError, match="Producer has been closed"):
            await producer.produce(topic, b"too late")
        await within(producer.close(), "close")
        assert [future.result().value() for future in futures] == numbers(20)
        assert (await sending).value() == b"20"

    run(main)
    assert values_of(stored(topic, 21)) == numbers(21)


def test_close_ends_the_wait_for_room(run: Run, aio_producer: MakeAIOProducer) -> None:
    async def main() -> None:
        producer = aio_producer({**NOWHERE, "queue.buffering.max.messages": 1, "message.timeout.ms": 500})
        first = await producer.produce("anything", b"first")
        waiting = [await started(producer.produce("anything", b"second")) for _ in range(3)]
        await within(producer.close(), "close")
        assert (await failure_of(first)).code() == KafkaError._MSG_TIMED_OUT
        for task in waiting:
            outcome = await ends(task)
            # Whoever got room before the end has an outcome; the others are told.
            if isinstance(outcome, asyncio.Future):
                assert (await failure_of(outcome)).code() == KafkaError._MSG_TIMED_OUT
            else:
                assert isinstance(outcome, RuntimeError)

    run(main)


@pytest.mark.parametrize("options", [{"max_workers": 1}, {"batch_size": 10, "buffer_timeout": 0}, {"executor": None}])
def test_options_of_existing_code_are_accepted(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, options: dict[str, Any]
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer(None, **options)
        assert producer.executor is None
        assert (await producer.send(topic, b"x")).offset() == 0

    run(main)


def test_no_workers_are_refused_as_before(broker: KafkaBroker) -> None:
    with pytest.raises(ValueError, match="max_workers"):
        AIOProducer({"bootstrap.servers": broker.bootstrap}, max_workers=0)


def test_a_delivery_callback_may_produce(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, stored: Stored
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer()
        done = asyncio.get_running_loop().create_future()

        async def again(error: KafkaError | None, message: Message) -> None:
            count = int(message.value() or b"")
            if count < 4:
                await producer.produce(topic, str(count + 1), on_delivery=again)
            else:
                done.set_result(None)

        await producer.produce(topic, b"0", on_delivery=again)
        await within(done, "five deliveries")

    run(main)
    assert values_of(stored(topic, 5)) == numbers(5)


def test_transactions_need_their_property(run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer()
        for call in (
            producer.init_transactions(1),
            producer.begin_transaction(),
            producer.commit_transaction(1),
            producer.abort_transaction(1),
            producer.send_offsets_to_transaction([TopicPartition(topic, 0, 1)], b"", 1),
        ):
            assert (await failure_of(call)).code() in (KafkaError._NOT_CONFIGURED, KafkaError._BAD_MSG)

    run(main)
