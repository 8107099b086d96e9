# SPDX-License-Identifier: Apache-2.0
"""AsyncDeserializingConsumer on the embedded cluster."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from confluent_kafka import KafkaError, TopicPartition
from confluent_kafka.aio import AIOConsumer, AsyncDeserializingConsumer
from confluent_kafka.error import (
    ConsumeError,
    KeyDeserializationError,
    SerializationError,
    ValueDeserializationError,
)
from confluent_kafka.serialization import MessageField, StringDeserializer
from confluent_kafka.testing import MockCluster
from tests.mock.async_serde_kit import (
    BAD,
    FORMS,
    Build,
    Spy,
    awaited,
    consumer_of,
    reading,
    run,
    until,
    values,
)
from tests.mock.kit import DEADLINE, settings, unique_name


class TestConsumer:
    @pytest.mark.parametrize("form", FORMS)
    def test_poll(self, cluster: MockCluster, topic: str, fill: Any, form: Any) -> None:
        fill(b"1", None, key=b"k", headers=[("h", b"x")])
        key, value = Spy("key"), Spy("value")

        async def main() -> None:
            consumer = await reading(cluster, topic, form(key), form(value))
            assert isinstance(consumer, AIOConsumer)
            first, second = await consumer.poll(DEADLINE), await consumer.poll()
            assert (first.key(), first.value()) == (second.key(), second.value()) == ("key", "value")
            assert await consumer.poll(0) is None
            with pytest.raises(TypeError, match="unexpected keyword argument 'time'"):
                await consumer.poll(time=0)
            await consumer.close()

        run(main)
        assert key.calls == [(b"k", topic, MessageField.KEY)] * 2
        assert value.calls == [(b"1", topic, MessageField.VALUE), (None, topic, MessageField.VALUE)]
        assert key.contexts[0] is value.contexts[0]
        assert key.contexts[0].headers == [("h", b"x")]

    @pytest.mark.parametrize("form", FORMS)
    def test_poll_raises_what_fails_and_goes_on(self, cluster: MockCluster, topic: str, fill: Any, form: Any) -> None:
        fill(b"a", BAD, b"c", key=b"k")

        async def main() -> None:
            consumer = await reading(cluster, topic, form(StringDeserializer()), form(StringDeserializer()))
            assert (await consumer.poll(DEADLINE)).value() == "a"
            with pytest.raises(ValueDeserializationError) as raised:
                await consumer.poll(DEADLINE)
            message = raised.value.kafka_message
            assert message is not None
            assert (message.key(), message.value(), message.offset()) == (b"k", BAD, 1)  # still bytes
            assert raised.value.__cause__ is raised.value.exception
            assert isinstance(raised.value.exception, SerializationError)
            assert raised.value.code == KafkaError._VALUE_DESERIALIZATION
            assert (await consumer.poll(DEADLINE)).value() == "c"
            await consumer.close()

        run(main)

    @pytest.mark.parametrize("form", FORMS)
    def test_key_fails_before_the_value_is_read(self, cluster: MockCluster, topic: str, fill: Any, form: Any) -> None:
        fill(b"a", key=BAD)
        value = Spy()

        async def main() -> None:
            consumer = await reading(cluster, topic, form(StringDeserializer()), form(value))
            with pytest.raises(KeyDeserializationError) as raised:
                await consumer.poll(DEADLINE)
            assert raised.value.code == KafkaError._KEY_DESERIALIZATION
            await consumer.close()

        run(main)
        assert value.calls == []

    def test_errors_of_the_client_are_raised(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(b"a")

        async def main() -> None:
            consumer = await reading(cluster, topic, None, StringDeserializer(), **{"enable.partition.eof": True})
            assert values(await consumer.consume(2, DEADLINE)) == ["a"]
            with pytest.raises(ConsumeError) as raised:
                await consumer.consume(2, DEADLINE)
            assert raised.value.code == KafkaError._PARTITION_EOF
            assert raised.value.kafka_message is not None
            assert raised.value.kafka_message.error() == KafkaError._PARTITION_EOF
            await consumer.close()

        run(main)

    @pytest.mark.parametrize("form", FORMS)
    def test_consume(self, cluster: MockCluster, topic: str, fill: Any, form: Any) -> None:
        fill(b"1", b"2", None, b"4", b"5")

        async def main() -> None:
            consumer = await reading(cluster, topic, value=form(StringDeserializer()))
            assert values(await consumer.consume(3, DEADLINE)) == ["1", "2", None]
            assert await consumer.consume(0, 0) == []
            assert values(await consumer.consume(2)) == ["4", "5"]
            assert await consumer.consume(10, 0.01) == []
            assert await consumer.consume(timeout=0) == []
            for number in (-1, 1_000_001):
                with pytest.raises(ValueError, match="num_messages must be between 0 and 1000000"):
                    await consumer.consume(number, 0)
            with pytest.raises(TypeError):
                await consumer.consume(1, None)
            await consumer.close()

        run(main)

    @pytest.mark.parametrize("form", FORMS)
    def test_consume_loses_nothing_to_a_message_that_fails(
        self, cluster: MockCluster, topic: str, fill: Any, form: Any
    ) -> None:
        fill(b"1", b"2", BAD, BAD, b"5", BAD)

        async def main() -> None:
            consumer = await reading(cluster, topic, value=form(StringDeserializer()))
            assert values(await consumer.consume(5, DEADLINE)) == ["1", "2"]
            # the failing message and what is behind it are still with the client
            assert (await consumer.position([TopicPartition(topic, 0)]))[0].offset == 2
            for offset in (2, 3):
                with pytest.raises(ValueDeserializationError) as raised:
                    await consumer.consume(5, DEADLINE)
                assert raised.value.kafka_message.offset() == offset
            assert values(await consumer.consume(2, DEADLINE)) == ["5"]
            with pytest.raises(ValueDeserializationError):
                await consumer.poll(0)
            await consumer.close()

        run(main)

    @pytest.mark.parametrize("form", FORMS)
    def test_iteration_goes_on_after_an_exception(self, cluster: MockCluster, topic: str, fill: Any, form: Any) -> None:
        fill(b"1", BAD, None, b"4")

        async def main() -> None:
            consumer = await reading(cluster, topic, value=form(StringDeserializer()))
            stream = aiter(consumer)
            assert (await anext(stream)).value() == "1"
            with pytest.raises(ValueDeserializationError):
                await anext(stream)
            assert (await anext(stream)).value() is None  # a message without a value is false, but no end
            assert (await anext(stream)).value() == "4"
            await consumer.close()

        run(main)

    def test_iteration_ends(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(b"1")

        async def main() -> None:
            consumer = await reading(cluster, topic, value=StringDeserializer())
            seen = []
            async for message in consumer:
                seen.append(message.value())
                consumer.wakeup()
            assert seen == ["1"]
            for stream in (consumer, consumer.batches(2)):
                ended = asyncio.create_task(anext(aiter(stream), "end"))
                await asyncio.sleep(0.01)
                consumer.wakeup()
                assert await ended == "end"
            ended = asyncio.create_task(anext(aiter(consumer), "end"))
            await asyncio.sleep(0.01)
            await consumer.close()
            assert await ended == "end"
            assert [message async for message in consumer] == []
            assert [batch async for batch in consumer.batches(5, 1)] == []

        run(main)

    @pytest.mark.parametrize("form", FORMS)
    def test_batches(self, cluster: MockCluster, topic: str, fill: Any, form: Any) -> None:
        fill(*(str(n).encode() for n in range(10)), BAD, b"11")

        async def main() -> None:
            consumer = await reading(cluster, topic, value=form(StringDeserializer()))
            stream, seen = consumer.batches(4, 5.0), []
            while len(seen) < 10:
                batch = await anext(stream)
                assert 1 <= len(batch) <= 4
                seen += values(batch)
            with pytest.raises(ValueDeserializationError):
                await anext(stream)
            assert seen == [str(n) for n in range(10)]
            assert values(await anext(stream)) == ["11"]
            with pytest.raises(ValueError, match="at least 1"):
                consumer.batches(0)
            await consumer.close()

        run(main)

    def test_cancelled_waits_take_nothing(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        async def main() -> None:
            consumer = await reading(cluster, topic, value=StringDeserializer())
            for call in (consumer.poll, lambda: consumer.consume(2), lambda: anext(aiter(consumer))):
                task = asyncio.create_task(call())
                await asyncio.sleep(0.01)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await asyncio.get_running_loop().run_in_executor(None, fill, b"1", b"2")
            assert values(await consumer.consume(2, DEADLINE)) == ["1", "2"]
            await consumer.close()

        run(main)

    @pytest.mark.parametrize("side", ["key", "value"])
    def test_cancelled_in_a_deserializer_loses_nothing(
        self, cluster: MockCluster, topic: str, fill: Any, side: str
    ) -> None:
        fill(b"1", b"2", b"3", b"4", key=b"k")
        seen: list[bytes] = []
        stuck = asyncio.Event()

        async def slow(data: bytes, ctx: Any) -> str:
            seen.append(data)
            if len(seen) in (1, 4):
                stuck.set()
                await asyncio.get_running_loop().create_future()
            return data.decode()

        async def main() -> None:
            consumer = await reading(cluster, topic, **{side: slow})

            async def cancelled(call: Any) -> None:
                stuck.clear()
                task = asyncio.create_task(call)
                await stuck.wait()
                # other calls do not wait for the deserializer
                assert await consumer.assignment() == [TopicPartition(topic, 0)]
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

            await cancelled(consumer.poll())
            await cancelled(consumer.consume(4))
            messages = await consumer.consume(4, DEADLINE)
            assert [message.offset() for message in messages] == [0, 1, 2, 3]
            assert [one.key() if side == "key" else one.value() for one in messages] == (
                ["k"] * 4 if side == "key" else ["1", "2", "3", "4"]
            )
            await consumer.close()

        run(main)
        # nothing was handed over by the calls that were cancelled: all comes again
        assert seen == ([b"k"] * 8 if side == "key" else [b"1", b"1", b"2", b"3", b"1", b"2", b"3", b"4"])

    def test_several_tasks(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(*(str(n).encode() for n in range(30)))

        async def main() -> None:
            consumer = await reading(cluster, topic, value=awaited(StringDeserializer()))
            polled = await asyncio.gather(*(consumer.poll(DEADLINE) for _ in range(30)))
            assert sorted(int(message.value()) for message in polled) == list(range(30))
            await consumer.close()

        run(main)

    def test_in_a_rebalance_callback_nothing_is_handed_out(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(b"1", BAD)
        inside: list[Any] = []

        async def main() -> None:
            consumer = consumer_of(cluster, value=StringDeserializer())

            async def revoked(same: Any, partitions: Any) -> None:
                assert same is consumer
                inside.append(await same.poll(0.01))
                inside.append(await same.consume(5, 0.01))

            await consumer.subscribe([topic], on_revoke=revoked)
            # the exception of the second message waits for its turn
            assert values(await consumer.consume(2, DEADLINE)) == ["1"]
            await consumer.close()
            assert inside == [None, []]

        run(main)

    def test_closed(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(b"1", BAD)

        async def main() -> None:
            consumer = await reading(cluster, topic, value=StringDeserializer())
            await consumer.consume(2, DEADLINE)
            await consumer.close()
            await consumer.close()
            for call in (consumer.poll, consumer.consume):
                with pytest.raises(RuntimeError, match="Consumer closed"):
                    await call(timeout=0)

        run(main)

    def test_what_is_said_where_there_is_no_group(self, cluster: MockCluster) -> None:
        failing = Spy()
        with pytest.raises(ValueError, match=r"group\.id"):
            AsyncDeserializingConsumer(settings(cluster) | {"value.deserializer.builder": Build(failing)})
        assert failing.log == ["close"]


class TestUnderWay:
    """A message whose deserializer has not ended belongs to the consumer, not to the application."""

    def test_close_leaves_it_to_the_next_member(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(b"1", b"2", b"3", headers=[("h", b"x")])
        group = unique_name("group")
        stuck = asyncio.Event()

        async def slow(data: bytes, ctx: Any) -> str:
            if data == b"2":
                stuck.set()
                await asyncio.get_running_loop().create_future()
            return data.decode()

        async def main() -> None:
            options = {"group.id": group, "enable.auto.commit": True, "session.timeout.ms": 1_000}
            consumer = consumer_of(cluster, None, slow, **options)
            await consumer.subscribe([topic])
            assert (await consumer.poll(DEADLINE)).value() == "1"
            reading_ = asyncio.create_task(consumer.poll())
            await stuck.wait()
            assert [place.offset for place in await consumer.position([TopicPartition(topic, 0)])] == [1]
            await consumer.close()
            reading_.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading_
            following = consumer_of(cluster, None, StringDeserializer(), **options)
            await following.subscribe([topic])
            messages = await following.consume(2, DEADLINE)
            assert values(messages) == ["2", "3"]
            assert [message.headers() for message in messages] == [[("h", b"x")]] * 2
            await following.close()

        run(main)

    def test_one_that_ends_after_close_is_not_handed_over(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(b"1")
        stuck, release = asyncio.Event(), asyncio.Event()

        async def slow(data: bytes, ctx: Any) -> str:
            stuck.set()
            await release.wait()
            return data.decode()

        async def main() -> None:
            consumer = await reading(cluster, topic, value=slow)
            reader = asyncio.create_task(consumer.poll())
            await stuck.wait()
            await consumer.close()
            release.set()
            with pytest.raises(RuntimeError, match="Consumer closed"):
                await reader

        run(main)

    @pytest.mark.parametrize("call", ["poll", "consume", "batches"])
    def test_what_is_taken_away_meanwhile_is_not_handed_over(
        self, cluster: MockCluster, topic: str, fill: Any, call: str
    ) -> None:
        """Seek, pause and a new assignment while the deserializer runs are seen as they are without one."""
        fill(b"1", b"2", b"3", b"4", headers=[("h", b"x")])
        here = TopicPartition(topic, 0)
        stuck, release = asyncio.Event(), asyncio.Event()

        async def slow(data: bytes, ctx: Any) -> str:
            stuck.set()
            await release.wait()
            return data.decode()

        async def main() -> None:
            consumer = await reading(cluster, topic, value=slow)

            async def begun() -> asyncio.Task[Any]:
                stuck.clear()
                release.clear()
                calls = {
                    "poll": consumer.poll,
                    "consume": lambda: consumer.consume(1),
                    "batches": lambda: anext(aiter(consumer.batches(1))),
                }
                task = asyncio.create_task(_first_of(calls[call]()))
                await stuck.wait()
                return task

            task = await begun()
            await consumer.seek(TopicPartition(topic, 0, 2))
            release.set()
            if call == "consume" and (got := await task) is None:  # an empty list: what came was taken away
                got = (await consumer.consume(1, DEADLINE))[0]
            elif call != "consume":
                got = await task
            assert (got.value(), got.offset()) == ("3", 2)

            task = await begun()
            await consumer.pause([here])
            release.set()
            if call == "consume":
                assert await task is None
                task = asyncio.create_task(_first_of(consumer.consume(1)))
            await asyncio.sleep(0.05)
            assert not task.done()
            assert [place.offset for place in await consumer.position([here])] == [3]
            await consumer.resume([here])
            got = await task
            assert (got.value(), got.headers()) == ("4", [("h", b"x")])

            await consumer.seek(TopicPartition(topic, 0, 0))
            task = await begun()
            await consumer.assign([TopicPartition(topic, 0, 1)])
            release.set()
            got = await task
            if got is None:
                got = (await consumer.consume(1, DEADLINE))[0]
            assert got.offset() == 1
            await consumer.close()

        run(main)

    def test_offsets_of_messages_under_way_side_by_side(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        """Nothing is stored past the first that is not handed over, in whatever order they end."""
        fill(*(str(number).encode() for number in range(6)))
        gates = {str(number): asyncio.Event() for number in range(6)}
        begun: list[str] = []
        group = unique_name("group")

        async def gated(data: bytes, ctx: Any) -> str:
            begun.append(data.decode())
            await gates[data.decode()].wait()
            return data.decode()

        async def main() -> None:
            consumer = consumer_of(cluster, None, gated, **{"group.id": group, "enable.auto.commit": False})
            here = TopicPartition(topic, 0)
            await consumer.assign([TopicPartition(topic, 0, 0)])
            tasks = {}
            for number in range(4):
                tasks[number] = asyncio.create_task(consumer.poll())
                await until(lambda: len(begun) == number + 1, "the deserializer")  # noqa: B023
            for number in (1, 3):
                gates[str(number)].set()
                assert (await tasks[number]).value() == str(number)
            assert [place.offset for place in await consumer.position([here])] == [0]
            gates["0"].set()
            await tasks[0]
            assert [place.offset for place in await consumer.commit(asynchronous=False)] == [2]
            assert [place.offset for place in await consumer.position([here])] == [2]
            tasks[2].cancel()
            with pytest.raises(asyncio.CancelledError):
                await tasks[2]
            for gate in gates.values():
                gate.set()
            assert values(await consumer.consume(3, DEADLINE)) == ["2", "4", "5"]
            assert [place.offset for place in await consumer.commit(asynchronous=False)] == [6]
            await consumer.close()

        run(main)


async def _first_of(call: Any) -> Any:
    got = await call
    return (got[0] if got else None) if isinstance(got, list) else got
