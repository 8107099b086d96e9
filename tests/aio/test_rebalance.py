# SPDX-License-Identifier: Apache-2.0
"""Rebalances of asyncio consumers in both group protocols: callbacks that await, fail, close, and are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from confluent_kafka import KafkaError, TopicPartition
from confluent_kafka.aio import AIOConsumer
from tests.aio.kit import (
    DEADLINE,
    MakeAIOConsumer,
    MakeAIOProducer,
    Run,
    cancel,
    end,
    ends,
    eventually,
    ids,
    numbers,
    poll_until,
    read,
    started,
    values_of,
    within,
)
from tests.integration.kit import MakeTopic
from tests.integration.test_groups import PROTOCOLS
from tests.support.broker import KafkaBroker

both_kinds = pytest.mark.parametrize("kind", ["function", "coroutine function"])


@pytest.fixture(params=sorted(PROTOCOLS))
def conf(request: pytest.FixtureRequest, group: str) -> dict[str, Any]:
    """A member's configuration, in each group protocol."""
    return {**PROTOCOLS[request.param], "group.id": group}


@pytest.fixture(params=["cooperative", "consumer"])
def conf_of_both(request: pytest.FixtureRequest, group: str) -> dict[str, Any]:
    """As ``conf``, for what does not depend on the assignor."""
    return {**PROTOCOLS[request.param], "group.id": group}


def either(kind: str, callback: Callable[..., Any]) -> Callable[..., Any]:
    async def coroutine(*arguments: Any) -> Any:
        await asyncio.sleep(0)
        return callback(*arguments)

    return callback if kind == "function" else coroutine


class Member:
    """A consumer that commits what it read before it gives partitions up, in its callbacks, and notes all."""

    def __init__(self, consumer: AIOConsumer, taken: list[tuple[int, int]]) -> None:
        self.consumer = consumer
        self.taken = taken
        self.held: set[int] = set()

    async def assigned(self, consumer: AIOConsumer, partitions: list[TopicPartition]) -> None:
        assert consumer is self.consumer
        await consumer.committed(partitions)
        await consumer.get_watermark_offsets(partitions[0], timeout=DEADLINE) if partitions else None
        assert self.held.isdisjoint(ids(partitions))
        self.held.update(ids(partitions))

    async def revoked(self, consumer: AIOConsumer, partitions: list[TopicPartition]) -> None:
        assert consumer is self.consumer
        read = [
            TopicPartition(place.topic, place.partition, place.offset) for place in await consumer.position(partitions)
        ]
        read = [place for place in read if place.offset >= 0]
        if read:
            done = await consumer.commit(offsets=read, asynchronous=False)
            assert all(place.error is None for place in done)
        self.held.difference_update(ids(partitions))

    async def work(self) -> None:
        async for message in self.consumer:
            assert message.error() is None, message.error()
            self.taken.append((message.partition() or 0, message.offset() or 0))
            await asyncio.sleep(0)


def test_partitions_move_and_every_record_comes_once(
    run: Run, aio_producer: MakeAIOProducer, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic, conf: dict[str, Any]
) -> None:
    """Members come and go while records are written; offsets are committed in the callbacks only."""
    topic = make_topic(4)
    taken: list[tuple[int, int]] = []
    written = 0

    async def join() -> tuple[Member, asyncio.Task[None]]:
        member = Member(aio_consumer({**conf, "enable.auto.commit": False}), taken)
        await member.consumer.subscribe([topic], on_assign=member.assigned, on_revoke=member.revoked)
        return member, asyncio.ensure_future(member.work())

    async def write() -> None:
        nonlocal written
        while True:
            await producer.produce_batch(topic, [{"value": b"v", "partition": partition} for partition in range(4)])
            written += 1
            await asyncio.sleep(0.005)

    async def main() -> None:
        nonlocal producer
        producer = aio_producer()
        first, first_task = await join()
        await eventually(lambda: first.held == {0, 1, 2, 3}, "all partitions at the first member")
        writer = asyncio.ensure_future(write())
        second, second_task = await join()
        await eventually(lambda: len(first.held) == len(second.held) == 2, "two partitions at each")
        await within(first.consumer.close(), "close")
        assert (await ends(first_task), first.held) == (None, set())
        await eventually(lambda: second.held == {0, 1, 2, 3}, "all partitions at the second member")
        await eventually(lambda: written >= 20, "some records")
        await cancel(writer)
        # A batch that was cancelled may still be written: what is there counts.
        await producer.flush()
        everything = set()
        for partition in range(4):
            _, after = await second.consumer.get_watermark_offsets(TopicPartition(topic, partition))
            everything |= {(partition, offset) for offset in range(after)}
        await eventually(lambda: len(set(taken)) == len(everything), "all records")
        await within(second.consumer.close(), "close")
        assert (await ends(second_task), second.held) == (None, set())
        assert sorted(taken) == sorted(everything)

    producer: Any = None
    run(main)


def test_a_callback_may_choose_where_to_start(
    run: Run,
    aio_producer: MakeAIOProducer,
    aio_consumer: MakeAIOConsumer,
    make_topic: MakeTopic,
    conf_of_both: dict[str, Any],
) -> None:
    topic = make_topic()
    seen: list[list[int]] = []

    async def assigned(consumer: AIOConsumer, partitions: list[TopicPartition]) -> None:
        await consumer.incremental_assign([TopicPartition(place.topic, place.partition, 3) for place in partitions])
        assert ids(await consumer.assignment()) == ids(partitions)
        await consumer.pause(partitions)
        seen.append(ids(partitions))

    async def main() -> None:
        await aio_producer().produce_batch(topic, list(numbers(5)))
        consumer = aio_consumer(conf_of_both)
        await consumer.subscribe([topic], on_assign=assigned)
        await poll_until(consumer, lambda: seen, "the callback")
        # paused inside: nothing comes until it is resumed
        assert await consumer.poll(0.2) is None
        await consumer.resume(await consumer.assignment())
        assert values_of(await read(consumer, 2)) == numbers(2, 3)
        assert seen == [[0]]

    run(main)


def test_reads_and_close_inside_a_callback(
    run: Run,
    aio_producer: MakeAIOProducer,
    aio_consumer: MakeAIOConsumer,
    make_topic: MakeTopic,
    conf_of_both: dict[str, Any],
) -> None:
    topic = make_topic()
    inside: list[Any] = []

    async def assigned(consumer: AIOConsumer, _partitions: list[TopicPartition]) -> None:
        inside.append(await consumer.poll(0.01))
        inside.append(await consumer.consume(5, 0.01))
        for endless in (consumer.poll(), consumer.consume(5), anext(aiter(consumer))):
            with pytest.raises(RuntimeError, match="need a timeout"):
                await endless
        consumer.wakeup()
        await consumer.close()  # it ends when this callback has ended
        inside.append(await consumer.position([TopicPartition(topic, 0)]) != [])
        inside.append("end")

    async def main() -> None:
        await aio_producer().produce_batch(topic, list(numbers(3)))
        consumer = aio_consumer(conf_of_both)
        await consumer.subscribe([topic], on_assign=assigned)
        with pytest.raises(RuntimeError, match="Consumer closed"):
            await poll_until(consumer, lambda: False, "the end")  # and nothing was handed out
        await within(consumer.close(), "close")
        assert inside == [None, [], True, "end"]

    run(main)


@both_kinds
@pytest.mark.parametrize("moment", ["assign", "revoke by unsubscribe", "revoke by close"])
def test_an_exception_in_a_callback_comes_out_and_the_rebalance_goes_on(
    run: Run,
    aio_producer: MakeAIOProducer,
    aio_consumer: MakeAIOConsumer,
    make_topic: MakeTopic,
    conf_of_both: dict[str, Any],
    moment: str,
    kind: str,
) -> None:
    topic = make_topic(2)
    calls: list[str] = []
    caught: list[str] = []

    def raising(name: str) -> Callable[..., Any]:
        def callback(_consumer: AIOConsumer, _partitions: list[TopicPartition]) -> None:
            calls.append(name)
            if moment.startswith(name):
                raise LookupError(f"in {name}")

        return either(kind, callback)

    async def main() -> None:
        await aio_producer().produce_batch(topic, list(numbers(4)))
        consumer = aio_consumer(conf_of_both)
        await consumer.subscribe([topic], on_assign=raising("assign"), on_revoke=raising("revoke"))
        taken: list[Any] = []

        async def step() -> bool:
            try:
                message = await consumer.poll(0.1)
            except LookupError as error:
                caught.append(str(error))
            else:
                taken.extend([] if message is None else [message.value()])
            if moment == "revoke by unsubscribe" and len(taken) == 4 and "revoke" not in calls:
                await consumer.unsubscribe()
            return len(taken) == 4 and (moment == "revoke by close" or bool(caught))

        await eventually(step, "all records and the exception")
        assert sorted(taken) == numbers(4)
        try:
            await within(consumer.close(), "close")
        except LookupError as error:
            caught.append(str(error))
        run.clients.remove(consumer)  # another close would raise it again
        assert caught == [f"in {moment.split()[0]}"]
        assert calls == ["assign", "revoke"]

    run(main)


def test_lost_partitions_and_an_exception_about_them(
    run_asyncio: Run,
    broker: KafkaBroker,
    make_topic: MakeTopic,
    group: str,
    conf_of_both: dict[str, Any],
) -> None:
    """A handler that took too long: the error, on_lost (which raises here), and the way back."""
    topic = make_topic()
    session = {} if "group.protocol" in conf_of_both else {"session.timeout.ms": 2_000}
    events: list[str] = []

    def note(name: str) -> Callable[..., Any]:
        def callback(_consumer: AIOConsumer, _partitions: list[TopicPartition]) -> None:
            events.append(name)
            if name == "lost":
                raise LookupError("in lost")

        return either("coroutine function", callback)

    async def main() -> None:
        consumer = AIOConsumer(
            {"bootstrap.servers": broker.bootstrap, **conf_of_both, **session, "max.poll.interval.ms": 2_000}
        )
        run_asyncio.clients.append(consumer)
        await consumer.subscribe([topic], note("assign"), note("revoke"), note("lost"))
        await poll_until(consumer, consumer.assignment, "the partition")
        seen: list[Any] = []

        name = await consumer.memberid()

        def has_left() -> bool:
            members = broker.tool("consumer.group.ConsumerGroupCommand", "--describe", "--members", "--group", group)
            return name not in members

        # Nobody polls: the loop is busy with something else for all the client knows.
        loop = asyncio.get_running_loop()
        await eventually(lambda: loop.run_in_executor(None, has_left), "the departure")

        async def step() -> bool:
            try:
                message = await consumer.poll(0.1)
            except LookupError as error:
                seen.append(str(error))
            else:
                seen.extend([] if message is None else [message.error()])
            return events.count("assign") == 2

        await eventually(step, "the loss and the way back")
        assert events == ["assign", "lost", "assign"]
        errors = [error.code() for error in seen if isinstance(error, KafkaError)]
        assert errors == [KafkaError._MAX_POLL_EXCEEDED]
        assert "in lost" in seen

    run_asyncio(main)


def test_cancelling_reads_while_a_callback_runs(
    run: Run,
    aio_producer: MakeAIOProducer,
    aio_consumer: MakeAIOConsumer,
    make_topic: MakeTopic,
    conf_of_both: dict[str, Any],
) -> None:
    """The callback is not the read's: it goes on, and the rebalance with it."""
    topic = make_topic()

    async def main() -> None:
        entered, release, left = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def assigned(consumer: AIOConsumer, _partitions: list[TopicPartition]) -> None:
            entered.set()
            await release.wait()
            assert await consumer.assignment() == []
            left.set()

        await aio_producer().produce_batch(topic, list(numbers(3)))
        consumer = aio_consumer(conf_of_both)
        await consumer.subscribe([topic], on_assign=assigned)
        reads = [asyncio.ensure_future(call) for call in (consumer.poll(), consumer.consume(3), _first(consumer))]
        await within(entered.wait(), "the callback")
        for task in reads:
            assert isinstance(await cancel(task), asyncio.CancelledError)
        waiting = await started(consumer.consume(3))
        assert not left.is_set()
        release.set()
        assert values_of(await ends(waiting)) == numbers(3)
        assert left.is_set()

    run(main)


async def _first(consumer: AIOConsumer) -> Any:
    async for message in consumer:
        return message
    return None


def test_a_callback_that_is_cancelled_ends_its_rebalance(
    run: Run,
    aio_producer: MakeAIOProducer,
    aio_consumer: MakeAIOConsumer,
    make_topic: MakeTopic,
    conf_of_both: dict[str, Any],
) -> None:
    topic = make_topic()

    async def main() -> None:
        tasks: list[asyncio.Task[Any] | None] = []

        async def endless(_consumer: AIOConsumer, _partitions: list[TopicPartition]) -> None:
            tasks.append(asyncio.current_task())
            await asyncio.Event().wait()

        await aio_producer().produce_batch(topic, list(numbers(3)))
        consumer = aio_consumer(conf_of_both)
        await consumer.subscribe([topic], on_assign=endless, on_revoke=endless)
        reading = asyncio.ensure_future(consumer.consume(3))
        [task] = await eventually(lambda: tasks, "the callback")
        await cancel(task)
        assert values_of(await ends(reading)) == numbers(3)
        # the same in a close
        closing = asyncio.ensure_future(consumer.close())
        await eventually(lambda: len(tasks) == 2, "the callback of close")
        assert isinstance(await cancel(closing), asyncio.CancelledError)
        task = tasks[1]
        assert task is not None
        await cancel(task)
        assert await within(consumer.close(), "the close that went on") is None

    run(main)


def test_the_loop_ends_while_a_callback_of_close_runs(
    loop_kind: str, run: Run, broker: KafkaBroker, make_topic: MakeTopic, conf_of_both: dict[str, Any]
) -> None:
    """As with asyncio.run: all is cancelled and nothing hangs; another process may take over once it is missed."""
    topic = make_topic()
    entered: list[str] = []
    loop = run.new_loop()

    async def endless(_consumer: AIOConsumer, _partitions: list[TopicPartition]) -> None:
        entered.append("revoke")
        await asyncio.Event().wait()

    async def begin() -> asyncio.Task[None]:
        consumer = AIOConsumer({"bootstrap.servers": broker.bootstrap, "auto.offset.reset": "earliest", **conf_of_both})
        await consumer.subscribe([topic], on_revoke=endless)
        await poll_until(consumer, consumer.assignment, "an assignment")
        closing = asyncio.ensure_future(consumer.close())
        await eventually(lambda: entered, "the callback")
        return closing

    closing = loop.run_until_complete(begin())
    end(loop)
    assert closing.cancelled()


def test_a_new_subscription_replaces_callbacks_and_partitions(
    run: Run,
    aio_producer: MakeAIOProducer,
    aio_consumer: MakeAIOConsumer,
    make_topic: MakeTopic,
    conf_of_both: dict[str, Any],
) -> None:
    first, second = make_topic(), make_topic()
    events: list[tuple[str, str]] = []

    def noting(name: str) -> Callable[..., Any]:
        async def callback(_consumer: AIOConsumer, partitions: list[TopicPartition]) -> None:
            events.extend((name, place.topic) for place in partitions)

        return callback

    async def main() -> None:
        producer = aio_producer()
        await producer.send(first, b"first")
        await producer.send(second, b"second")
        consumer = aio_consumer(conf_of_both)
        await consumer.subscribe([first], on_assign=noting("a1"), on_revoke=noting("r1"))
        assert values_of(await read(consumer, 1)) == [b"first"]
        await consumer.subscribe([second], on_assign=noting("a2"), on_revoke=noting("r2"))
        assert values_of(await read(consumer, 1)) == [b"second"]
        assert events == [("a1", first), ("r2", first), ("a2", second)]
        await consumer.unsubscribe()
        await poll_until(consumer, lambda: len(events) == 4, "the last revocation")
        assert events[3] == ("r2", second)
        assert await consumer.assignment() == []

    run(main)
