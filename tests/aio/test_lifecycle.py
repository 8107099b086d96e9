# SPDX-License-Identifier: Apache-2.0
"""Loops and clients that begin and end at odd moments: no hang, no thread, a clear error."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from typing import Any

import anyio
import pytest

from confluent_kafka import KafkaException, Message
from confluent_kafka._native import Batch
from confluent_kafka.aio import AIOConsumer, AIOProducer
from tests.aio.kit import (
    DEADLINE,
    LOOPS,
    MakeAIOConsumer,
    MakeAIOProducer,
    Run,
    end,
    ends,
    eventually,
    read,
    started,
    within,
)
from tests.fault.children import run_child
from tests.integration.kit import UNREACHABLE, MakeTopic, unique_name
from tests.support.broker import KafkaBroker


def conf(broker: KafkaBroker) -> dict[str, Any]:
    return {"bootstrap.servers": broker.bootstrap, "group.id": unique_name("group"), "auto.offset.reset": "earliest"}


async def round_trip(broker: KafkaBroker, topic: str) -> None:
    async with AIOProducer({"bootstrap.servers": broker.bootstrap}) as producer:
        assert (await producer.send(topic, b"v")).offset() == 0
    async with AIOConsumer(conf(broker)) as consumer:
        await consumer.subscribe([topic])
        assert [message.value() for message in await read(consumer, 1)] == [b"v"]


class BlindLoop(asyncio.SelectorEventLoop):
    """A loop that cannot watch descriptors, as Windows' default one."""

    def add_reader(self, *_: Any) -> None:
        raise NotImplementedError

    def remove_reader(self, *_: Any) -> bool:
        raise NotImplementedError


def test_a_loop_without_add_reader(broker: KafkaBroker, make_topic: MakeTopic) -> None:
    topic = make_topic()
    run = Run(BlindLoop)
    before = {thread.name for thread in threading.enumerate()}
    run(lambda: round_trip(broker, topic))
    # One thread for all such loops of the process.
    assert {thread.name for thread in threading.enumerate()} - before <= {"confluent_kafka.aio"}


def test_anyio_on_asyncio(broker: KafkaBroker, make_topic: MakeTopic) -> None:
    topic = make_topic()

    async def main() -> None:
        async with anyio.create_task_group() as group:
            with anyio.fail_after(DEADLINE):
                await round_trip(broker, topic)
            consumer = AIOConsumer(conf(broker))
            await consumer.subscribe([topic])
            assert await consumer.poll(DEADLINE) is not None
            group.start_soon(consumer.poll)
            await anyio.sleep(0.05)
            group.cancel_scope.cancel()
        await consumer.close()

    anyio.run(main)


def test_clients_made_outside_a_loop(run: Run, broker: KafkaBroker, make_topic: MakeTopic) -> None:
    topic = make_topic()
    producer = AIOProducer({"bootstrap.servers": broker.bootstrap})
    consumer = AIOConsumer(conf(broker))
    run.clients += [producer, consumer]

    async def main() -> None:
        await producer.send(topic, b"v")
        await consumer.subscribe([topic])
        await read(consumer, 1)

    run(main)


def test_use_from_a_second_loop_is_refused(loop_kind: str, broker: KafkaBroker, make_topic: MakeTopic) -> None:
    topic = make_topic()
    producer = AIOProducer({"bootstrap.servers": broker.bootstrap})
    consumer = AIOConsumer(conf(broker))
    first, second = LOOPS[loop_kind](), LOOPS[loop_kind]()
    first.run_until_complete(producer.send(topic, b"v"))
    assert first.run_until_complete(consumer.poll(0)) is None
    for call in (
        lambda: producer.produce(topic, b"v"),
        lambda: producer.flush(),
        lambda: producer.close(),
        lambda: consumer.poll(0),
        lambda: consumer.assignment(),
        lambda: consumer.close(),
    ):
        with pytest.raises(RuntimeError, match="another event loop"):
            second.run_until_complete(call())
    second.close()
    first.run_until_complete(producer.close())
    first.run_until_complete(consumer.close())
    first.close()


def test_no_loop_at_all(broker: KafkaBroker) -> None:
    consumer = AIOConsumer(conf(broker))
    call = consumer.poll(0)
    with pytest.raises(RuntimeError, match="no running event loop"):
        call.send(None)


def test_closed_clients_say_so(run: Run, broker: KafkaBroker) -> None:
    async def main() -> None:
        producer, consumer = AIOProducer({"bootstrap.servers": broker.bootstrap}), AIOConsumer(conf(broker))
        for client in (producer, consumer):
            await client.close()
            await client.close()
        assert len(producer) == 0
        for call in (producer.produce("t"), producer.send("t"), producer.flush(), producer.list_topics(),
                     producer.begin_transaction(), producer.produce_batch("t", [b""])):  # fmt: skip
            with pytest.raises(RuntimeError, match="Producer has been closed"):
                await call
        for call in (consumer.poll(), consumer.consume(), consumer.assignment(), consumer.commit(),
                     consumer.committed([]), consumer.subscribe(["t"])):  # fmt: skip
            with pytest.raises(RuntimeError, match="Consumer closed"):
                await call
        assert [message async for message in consumer] == []

    run(main)


def test_close_ends_the_calls_of_other_tasks(run: Run, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic) -> None:
    async def main() -> None:
        consumer = aio_consumer()
        await consumer.subscribe([make_topic()])
        waiting = [await started(consumer.poll()), await started(consumer.consume(10))]
        reader = await started(_all(consumer))
        await consumer.close()
        for task in waiting:
            assert isinstance(await ends(task), RuntimeError)
        assert await ends(reader) == []

    run(main)


async def _all(consumer: AIOConsumer) -> list[Message]:
    return [message async for message in consumer]


def test_close_ends_lookups_without_answer(run: Run) -> None:
    async def main() -> None:
        consumer = AIOConsumer({"bootstrap.servers": UNREACHABLE, "group.id": "g", "log_level": 0})
        lookup = await started(consumer.list_topics())
        await consumer.close()
        assert isinstance(await ends(lookup), RuntimeError)

    run(main)


def test_the_loop_ends_while_calls_wait(loop_kind: str, broker: KafkaBroker, make_topic: MakeTopic) -> None:
    """As asyncio.run does: every task is cancelled, and the loop closed under unclosed clients."""
    topic = make_topic()
    loop = LOOPS[loop_kind]()

    async def begin() -> list[asyncio.Task[Any]]:
        consumer = AIOConsumer(conf(broker))
        await consumer.subscribe([topic], on_assign=_never_ends)
        poll = await started(consumer.poll())
        await eventually(lambda: consumer._rebalance is not None, "the rebalance callback")
        producer = AIOProducer({"bootstrap.servers": UNREACHABLE, "log_level": 0})
        await producer.produce(topic, b"v")
        return [poll, await started(producer.flush())]

    tasks = loop.run_until_complete(begin())
    end(loop)
    assert all(task.cancelled() for task in tasks)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tasks.clear()
        gc.collect()
    assert [str(warning.message) for warning in caught if "1 message(s) not delivered" in str(warning.message)]


async def _never_ends(*_: Any) -> None:
    await asyncio.Event().wait()


@pytest.mark.filterwarnings("ignore:AIOProducer dropped")
def test_futures_of_a_dropped_producer_fail(run: Run) -> None:
    async def futures() -> list[asyncio.Future[Any]]:
        producer = AIOProducer({"bootstrap.servers": UNREACHABLE, "log_level": 0})
        batch: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        places = Batch(2, batch)
        assert producer._core._produce_batch(places, "anything", [b"1", b"2"], 0, -1) == 2
        return [await producer.produce("anything", b"v"), batch]

    async def main() -> None:
        single, batch = await futures()
        gc.collect()
        with pytest.raises(KafkaException, match="dropped without close"):
            await within(single, "the failure of a message")
        outcomes = await within(batch, "the outcomes of a batch")
        assert all(isinstance(outcome, KafkaException) for outcome in outcomes)

    run(main)


def test_fifty_clients_start_no_python_thread(run_asyncio: Run, broker: KafkaBroker, make_topic: MakeTopic) -> None:
    topic = make_topic()
    before = threading.active_count()

    async def main() -> None:
        producers = [AIOProducer({"bootstrap.servers": broker.bootstrap, "linger.ms": 0}) for _ in range(50)]
        consumers = [AIOConsumer(conf(broker)) for _ in range(50)]
        run_asyncio.clients += [*producers, *consumers]
        await asyncio.gather(*(producer.send(topic, b"v") for producer in producers))
        await asyncio.gather(*(consumer.subscribe([topic]) for consumer in consumers))
        await asyncio.gather(*(consumer.poll(0.1) for consumer in consumers))
        assert threading.active_count() == before

    run_asyncio(main, deadline=120)


def test_an_inherited_client_is_refused_in_a_forked_child(broker: KafkaBroker, make_topic: MakeTopic) -> None:
    source = """
        import asyncio
        from confluent_kafka.aio import AIOConsumer, AIOProducer
        from confluent_kafka.error import ForkedClientError

        bootstrap, topic = sys.argv[1:]

        async def main():
            producer = AIOProducer({"bootstrap.servers": bootstrap})
            consumer = AIOConsumer({"bootstrap.servers": bootstrap, "group.id": topic})
            await producer.send(topic, b"before")
            await consumer.poll(0)
            child = os.fork()
            if child == 0:
                for call in (producer.produce(topic, b"x"), producer.flush(), consumer.poll(0), consumer.assignment()):
                    try:
                        await call
                    except ForkedClientError:
                        continue
                    os._exit(1)
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            print((await producer.send(topic, b"after")).offset())
            await producer.close()
            await consumer.close()

        asyncio.run(main())
    """
    assert run_child(source, broker.bootstrap, make_topic()).expect().out == "1\n"


def test_a_broker_restart_loses_nothing(run_asyncio: Run, own_broker: KafkaBroker) -> None:
    topic = own_broker.create_topic(unique_name("topic"))

    async def main() -> None:
        conf = {"bootstrap.servers": own_broker.bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 500}
        producer = AIOProducer({**conf, "enable.idempotence": True})
        consumer = AIOConsumer({**conf, "group.id": unique_name("group"), "auto.offset.reset": "earliest"})
        run_asyncio.clients += [producer, consumer]
        await consumer.subscribe([topic])
        await producer.send(topic, b"0")
        assert len(await read(consumer, 1)) == 1
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, own_broker.kill)
        waiting = [await producer.produce(topic, str(number)) for number in range(1, 20)]
        await loop.run_in_executor(None, own_broker.restart)
        await asyncio.gather(*waiting)
        seen: list[int] = []
        while len(seen) < 19:
            message = await consumer.poll(DEADLINE)
            assert message is not None
            if message.error() is None:
                seen.append(int(message.value() or b""))
        assert seen == list(range(1, 20))

    run_asyncio(main, deadline=120)


def test_many_tasks_share_a_full_queue(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, aio_consumer: MakeAIOConsumer
) -> None:
    topic = make_topic()

    async def main() -> None:
        producer = aio_producer({"queue.buffering.max.messages": 5, "linger.ms": 0})

        async def one(number: int) -> int | None:
            return (await (await producer.produce(topic, str(number)))).offset()

        offsets = await asyncio.gather(*(one(number) for number in range(300)))
        assert sorted(offset for offset in offsets if offset is not None) == list(range(300))
        consumer = aio_consumer()
        await consumer.subscribe([topic])
        # Whoever came first went first.
        assert [int(message.value() or b"") for message in await read(consumer, 300)] == list(range(300))

    run(main)
