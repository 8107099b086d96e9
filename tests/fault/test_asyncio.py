# SPDX-License-Identifier: Apache-2.0
"""Programs on asyncio that end, or lose their broker, while calls wait: no hang, no crash, no silence about losses."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.aio import AIOConsumer, AIOProducer
from tests.aio.kit import eventually
from tests.fault.children import run_child
from tests.integration.kit import DEADLINE, UNREACHABLE, MakeTopic, unique_name
from tests.support.broker import KafkaBroker

LOOPS = {"asyncio": "asyncio.run(main())", "uvloop": "uvloop.run(main())"}
ENDINGS = {
    "Ctrl-C": ("os.kill(os.getpid(), signal.SIGINT)", "KeyboardInterrupt"),
    "sys.exit": ("sys.exit(7)", "SystemExit"),
    "an exception": ("raise LookupError('end')", "LookupError"),
    "the main task ends": ("return", "no exception"),
}


@pytest.mark.parametrize("ending", sorted(ENDINGS))
@pytest.mark.parametrize("loop", sorted(LOOPS))
def test_a_program_ends_while_calls_wait(broker: KafkaBroker, make_topic: MakeTopic, loop: str, ending: str) -> None:
    """What asyncio.run does then: every task is cancelled, the loop closed, and clients collected with the rest."""
    statement, expected = ENDINGS[ending]
    source = """
        import asyncio, uvloop
        from confluent_kafka.aio import AIOConsumer, AIOProducer

        bootstrap, topic, unreachable = sys.argv[1:]

        async def endless(*_):
            await asyncio.Event().wait()

        async def iterate(consumer):
            async for message in consumer:
                pass

        async def main():
            producer = AIOProducer({"bootstrap.servers": bootstrap})
            consumer = AIOConsumer({"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"})
            rebalancing = AIOConsumer({"bootstrap.servers": bootstrap, "group.id": topic + "-2"})
            lost = AIOProducer({"bootstrap.servers": unreachable, "log_level": 0, "queue.buffering.max.messages": 1})
            lost_consumer = AIOConsumer({"bootstrap.servers": unreachable, "log_level": 0, "group.id": "g"})
            await producer.send(topic, b"x")
            await consumer.subscribe([topic])
            await consumer.poll(60)
            await rebalancing.subscribe([topic], on_assign=endless)
            await lost.produce(topic, b"never delivered")
            calls = [consumer.poll(), consumer.consume(5), iterate(consumer), rebalancing.poll(), lost.flush(),
                     lost.produce(topic, b"no room"), lost_consumer.list_topics(), lost_consumer.poll(),
                     lost_consumer.committed([TopicPartition("t", 0)])]
            tasks = [asyncio.ensure_future(call) for call in calls]
            while rebalancing._rebalance is None:
                await asyncio.sleep(0.01)
            print([task.done() for task in tasks if task.done()])
            STATEMENT

        try:
            LOOP
            print("no exception")
        except BaseException as error:
            print(type(error).__name__)
    """
    if ending == "Ctrl-C":
        statement += "\n            await asyncio.sleep(60)"
    ended = run_child(
        source.replace("STATEMENT", statement).replace("LOOP", LOOPS[loop]), broker.bootstrap, make_topic(), UNREACHABLE
    ).expect()
    assert ended.out.splitlines() == ["[]", expected]
    assert "1 message(s) not delivered" in ended.err
    assert "Traceback" not in ended.err


def test_a_broker_that_is_gone_for_a_while() -> None:
    """Reads wait, requests say what is wrong, and all goes on after it. (tests/aio has the classic protocol.)"""

    async def main(broker: KafkaBroker, topic: str) -> None:
        conf = {"bootstrap.servers": broker.bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 500}
        group = {"group.id": unique_name("group"), "group.protocol": "consumer", "auto.offset.reset": "earliest"}
        loop = asyncio.get_running_loop()
        async with AIOProducer({**conf, "enable.idempotence": True}) as producer, AIOConsumer(conf | group) as consumer:
            await producer.send(topic, b"0")
            await consumer.subscribe([topic])
            seen: list[int] = []

            async def read() -> None:
                async for message in consumer:
                    # errors of the broker's absence are told, too
                    if message.error() is None:
                        seen.append(int(message.value() or b""))  # noqa: PERF401  # as they come

            reader = asyncio.ensure_future(read())
            await eventually(lambda: seen, "the first record")
            await loop.run_in_executor(None, broker.kill)
            waiting = [await producer.produce(topic, str(number)) for number in range(1, 20)]
            with pytest.raises(KafkaException) as raised:
                await consumer.list_topics(topic, timeout=0.5)
            assert raised.value.args[0].code() in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT)
            assert not reader.done()
            await loop.run_in_executor(None, broker.restart)
            await asyncio.gather(*waiting)
            await eventually(lambda: len(seen) == 20, "all records")
            # The group's coordinator is back some time after the broker.
            for _ in range(200):
                with contextlib.suppress(KafkaException):
                    await consumer.commit(offsets=[TopicPartition(topic, 0, 20)], asynchronous=False)
                    break
                await asyncio.sleep(0.1)
            [place] = await consumer.committed([TopicPartition(topic, 0)], timeout=DEADLINE)
            assert place.offset == 20
            await consumer.close()
            await reader
            assert seen == list(range(20))

    with KafkaBroker() as broker:
        topic = broker.create_topic(unique_name("topic"))
        asyncio.run(asyncio.wait_for(main(broker, topic), 100))
