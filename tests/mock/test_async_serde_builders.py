# SPDX-License-Identifier: Apache-2.0
"""How the asyncio clients with (de)serializers are made and closed, on the embedded cluster."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from confluent_kafka import (
    DeserializingConsumer,
    KafkaException,
    SerializingProducer,
    TopicPartition,
)
from confluent_kafka.aio import AsyncDeserializingConsumer, AsyncSerializingProducer
from confluent_kafka.error import KeyDeserializationError, ValueSerializationError
from confluent_kafka.serialization import StringDeserializer, StringSerializer
from confluent_kafka.testing import MockCluster
from tests.mock.async_serde_kit import (
    KINDS,
    AsyncBuild,
    AsyncSpy,
    Build,
    Spy,
    awaited,
    client_of,
    consumer_of,
    producer_of,
    run,
    until,
)
from tests.mock.kit import DEADLINE, settings, unique_name


class TestBuilders:
    """What is the same for both clients."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("builder", [Build, AsyncBuild])
    def test_owned_are_closed_with_the_client(self, cluster: MockCluster, kind: str, builder: Any) -> None:
        log: list[str] = []
        key, value, ready = AsyncSpy(log=log), Spy(log=log), Spy()
        options = {f"key.{kind}.builder": builder(key), f"value.{kind}.builder": builder(value), "mine.x": 1}

        async def main() -> None:
            async with client_of(kind, cluster, **options) as client:
                assert await client.cluster_id(DEADLINE)
                assert log == []
            assert log == ["aclose", "close"]
            await client.close()
            assert log == ["aclose", "close"]
            async with client_of(kind, cluster, key=ready) as client:
                assert await client.cluster_id(DEADLINE)
            assert ready.log == []

        run(main)

    @pytest.mark.parametrize("kind", KINDS)
    def test_one_that_cannot_be_closed_keeps_none_open(self, cluster: MockCluster, kind: str) -> None:
        log: list[str] = []
        key, value = AsyncSpy(log=log), AsyncSpy(log=log)
        key.closing_error = KeyError("key")

        async def main() -> None:
            options = {f"key.{kind}.builder": Build(key), f"value.{kind}.builder": Build(value)}
            client = client_of(kind, cluster, **options)
            with pytest.raises(KeyError, match="key"):
                await client.close()
            assert log == ["aclose", "aclose"]
            with pytest.raises(RuntimeError, match="closed"):
                await client.cluster_id()

        run(main)

    @pytest.mark.parametrize("kind", KINDS)
    def test_plain_builders_run_at_once(self, cluster: MockCluster, kind: str) -> None:
        # outside of any loop, too; the client itself can be awaited all the same
        spy = Spy()
        client = client_of(kind, cluster, **{f"value.{kind}.builder": Build(spy)})

        async def main() -> None:
            assert await client is client
            assert await client is client
            await client.close()

        run(main)
        assert spy.log == ["close"]
        with pytest.raises(Exception, match=r"no\.such\.property"):
            client_of(kind, cluster, **{f"value.{kind}.builder": Build(spy), "no.such.property": 1})
        assert spy.log == ["close", "close"]
        with pytest.raises(ValueError, match=rf"both key\.{kind} and key\.{kind}\.builder"):
            client_of(kind, cluster, key=spy, **{f"key.{kind}.builder": Build(spy)})
        with pytest.raises(ValueError, match="max_workers"):
            (AsyncSerializingProducer if kind == "serializer" else AsyncDeserializingConsumer)(
                settings(cluster, group_id="g") if kind == "deserializer" else settings(cluster), max_workers=0
            )

    @pytest.mark.parametrize(
        "use",
        [
            lambda producer, topic: producer,
            lambda producer, topic: producer.send(topic, "x"),
            lambda producer, topic: producer.produce_batch(topic, [b"x"]),
            lambda producer, topic: producer.list_topics(timeout=DEADLINE),
            lambda producer, topic: producer.flush(),
            lambda producer, topic: producer.poll(0),
            lambda producer, topic: producer.__aenter__(),
        ],
    )
    def test_first_use_of_a_producer(self, cluster: MockCluster, topic: str, use: Any) -> None:
        builder = AsyncBuild(awaited(StringSerializer()))

        async def main() -> None:
            producer = producer_of(cluster, **{"value.serializer": None, "value.serializer.builder": builder})
            assert len(producer) == 0
            assert producer.executor is None
            assert builder.begun == 0
            await use(producer, topic)
            assert builder.ended == 1
            assert (await producer.send(topic, "text")).value() == b"text"
            # nothing is left in front of the class's own methods
            assert not [name for name in vars(producer) if not name.startswith("_") and name != "executor"]
            await producer.close()
            assert builder.begun == 1

        run(main)

    @pytest.mark.parametrize(
        "use",
        [
            lambda consumer, topic: consumer,
            lambda consumer, topic: consumer.subscribe([topic]),
            lambda consumer, topic: consumer.poll(0),
            lambda consumer, topic: consumer.consume(1, 0),
            lambda consumer, topic: consumer.assignment(),
            lambda consumer, topic: anext(aiter(consumer.batches(1, 0)), None),
            lambda consumer, topic: consumer.__aenter__(),
        ],
    )
    def test_first_use_of_a_consumer(self, cluster: MockCluster, topic: str, fill: Any, use: Any) -> None:
        fill(b"1")
        builder = AsyncBuild(awaited(StringDeserializer()))

        async def main() -> None:
            consumer = consumer_of(cluster, **{"value.deserializer.builder": builder})
            assert builder.begun == 0
            await use(consumer, topic)
            assert builder.ended == 1
            await consumer.assign([TopicPartition(topic, 0, 0)])
            assert (await anext(aiter(consumer))).value() == "1"
            await consumer.close()
            assert builder.begun == 1

        run(main)

    @pytest.mark.parametrize("kind", KINDS)
    def test_first_uses_at_the_same_time(self, cluster: MockCluster, kind: str) -> None:
        async def main() -> None:
            builder = AsyncBuild(Spy(), gated=True)
            client = client_of(kind, cluster, **{f"value.{kind}.builder": builder})
            tasks = [asyncio.create_task(client.cluster_id(DEADLINE)) for _ in range(3)]
            await until(lambda: builder.begun == 1, "the builder runs")
            tasks[0].cancel()  # whoever came first: it is not its own affair
            builder.go.set()
            first, *others = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(first, asyncio.CancelledError)
            assert len(set(others)) == 1
            assert isinstance(others[0], str)
            assert builder.begun == 1
            await client.close()

        run(main)

    @pytest.mark.parametrize("kind", KINDS)
    def test_builder_that_fails(self, cluster: MockCluster, kind: str) -> None:
        log: list[str] = []

        async def main() -> None:
            failing = AsyncBuild(None, error=KeyError("mine"))
            options = {f"key.{kind}.builder": Build(AsyncSpy(log=log)), f"value.{kind}.builder": failing}
            client = client_of(kind, cluster, **options)
            for use in (lambda: client, lambda: client.cluster_id(0), lambda: client.__aenter__()):
                with pytest.raises(KeyError, match="mine"):
                    await use()
            assert log == ["aclose"]
            await client.close()
            assert failing.begun == 1
            for wrong in (None, 5, (Spy(),), (Spy(), None)):
                bad = Build(None)
                bad.build = lambda conf, is_key, wrong=wrong: wrong  # type: ignore[method-assign, misc]
                with pytest.raises(ValueError, match=rf"value\.{kind}\.builder"):
                    client_of(kind, cluster, **{f"value.{kind}.builder": bad})

        run(main)

    @pytest.mark.parametrize("kind", KINDS)
    def test_client_that_cannot_be_made(self, cluster: MockCluster, kind: str) -> None:
        spy = AsyncSpy()

        async def main() -> None:
            options = {f"value.{kind}.builder": AsyncBuild(spy), "no.such.property": 1}
            with pytest.raises(KafkaException, match=r"no\.such\.property"):
                await client_of(kind, cluster, **options)
            assert spy.log == ["aclose"]

        run(main)

    @pytest.mark.parametrize("kind", KINDS)
    def test_closed_before_its_first_use(self, cluster: MockCluster, kind: str) -> None:
        spy, builder = AsyncSpy(), AsyncBuild(Spy())

        async def main() -> None:
            options = {f"key.{kind}.builder": Build(spy), f"value.{kind}.builder": builder}
            client = client_of(kind, cluster, **options)
            await client.close()
            await client.close()
            assert spy.log == ["aclose"]
            assert builder.begun == 0
            with pytest.raises(RuntimeError, match="closed"):
                await client.cluster_id()
            with pytest.raises(RuntimeError, match="closed"):
                await client
            if kind == "deserializer":
                assert [message async for message in client] == []
                assert [batch async for batch in client.batches(1)] == []

        run(main)

    @pytest.mark.parametrize("kind", KINDS)
    def test_closed_while_a_builder_runs(self, cluster: MockCluster, kind: str) -> None:
        spy = AsyncSpy()

        async def main() -> None:
            builder = AsyncBuild(Spy(), gated=True)
            options = {f"key.{kind}.builder": Build(spy), f"value.{kind}.builder": builder}
            client = client_of(kind, cluster, **options)
            waiting = asyncio.create_task(client.cluster_id(DEADLINE))
            await until(lambda: builder.begun == 1, "the builder runs")
            await client.close()
            with pytest.raises(RuntimeError, match="closed"):
                await waiting
            assert spy.log == ["aclose"]
            assert builder.ended == 0

        run(main)

    def test_synchronous_clients_refuse_what_they_cannot_await(
        self, cluster: MockCluster, topic: str, fill: Any
    ) -> None:
        with SerializingProducer(settings(cluster) | {"value.serializer": awaited(Spy())}) as producer:
            with pytest.raises(ValueSerializationError, match="AsyncSerializingProducer") as refused:
                producer.produce(topic, value=1)
            assert isinstance(refused.value.__cause__, TypeError)
        spy = Spy()
        options: dict[str, Any] = {"key.serializer.builder": Build(spy), "value.serializer.builder": AsyncBuild(Spy())}
        with pytest.raises(TypeError, match="AsyncSerializingProducer"):
            SerializingProducer(settings(cluster) | options)
        assert spy.log == ["close"]
        fill(b"1")
        conf = settings(cluster, group_id=unique_name("group")) | {"key.deserializer": awaited(Spy())}
        with DeserializingConsumer(conf) as consumer:
            consumer.assign([TopicPartition(topic, 0, 0)])
            with pytest.raises(KeyDeserializationError, match="AsyncDeserializingConsumer"):
                consumer.poll(DEADLINE)
