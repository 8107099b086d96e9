# SPDX-License-Identifier: Apache-2.0
"""AsyncSerializingProducer on the embedded cluster, and the cluster id that (de)serializers can ask for on asyncio."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.aio import AIOProducer, AsyncSerializingProducer
from confluent_kafka.error import (
    KeySerializationError,
    SerializationError,
    ValueSerializationError,
)
from confluent_kafka.schema_registry import (
    AssociationCreateOrUpdateInfo,
    AssociationCreateOrUpdateRequest,
    SchemaRegistryClient,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import (
    IntegerDeserializer,
    IntegerSerializer,
    MessageField,
    SerializationContext,
    StringDeserializer,
    StringSerializer,
)
from confluent_kafka.testing import MockCluster
from tests.mock.async_serde_kit import (
    FORMS,
    AsyncBuild,
    Spy,
    awaited,
    producer_of,
    reading,
    run,
    values,
)
from tests.mock.kit import DEADLINE, settings, unique_name


class TestProducer:
    def test_round_trip(self, cluster: MockCluster, topic: str) -> None:
        conf = settings(cluster) | {
            "key.serializer": IntegerSerializer(),
            "value.serializer": awaited(StringSerializer()),
        }
        given_conf = dict(conf)
        reports: list[Any] = []

        async def main() -> None:
            producer: AsyncSerializingProducer[int, str] = AsyncSerializingProducer(conf)
            assert isinstance(producer, AIOProducer)
            async with producer:
                futures = [
                    # key before value, also by position
                    await producer.produce(
                        topic, 1, "one", 0, 1234, [("h", b"x")], lambda err, msg: reports.append((err, msg.key()))
                    ),
                    await producer.produce(topic, key=2, value=None, partition=0),
                    await producer.produce(topic, value="no key", partition=0, timeout=1.0),
                ]
                delivered = [await future for future in futures]
            assert [message.offset() for message in delivered] == [0, 1, 2]
            consumer = await reading(cluster, topic, awaited(IntegerDeserializer()), StringDeserializer())
            messages = await consumer.consume(3, DEADLINE)
            assert [(one.key(), one.value()) for one in messages] == [(1, "one"), (2, None), (None, "no key")]
            assert messages[0].headers() == [("h", b"x")]
            assert messages[0].timestamp()[1] == 1234
            assert messages[0].deserialized_key() == 1
            await consumer.close()

        run(main)
        assert reports == [(None, b"\x00\x00\x00\x01")]
        assert conf == given_conf

    @pytest.mark.parametrize("form", FORMS)
    def test_order_and_context(self, cluster: MockCluster, topic: str, form: Any) -> None:
        order: list[str] = []
        key, value = Spy(b"k"), Spy(b"v")

        async def main() -> None:
            async with producer_of(
                cluster,
                form(lambda obj, ctx: (order.append("key"), key(obj, ctx))[1]),
                form(lambda obj, ctx: (order.append("value"), value(obj, ctx))[1]),
            ) as producer:
                message = await producer.send(topic)  # serializers decide about None too
                assert (message.key(), message.value()) == (b"k", b"v")

        run(main)
        assert order == ["key", "value"]
        assert key.calls == [(None, topic, MessageField.KEY)]
        assert value.calls == [(None, topic, MessageField.VALUE)]
        assert key.contexts[0] is value.contexts[0]

    def test_send_takes_the_value_first(self, cluster: MockCluster, topic: str) -> None:
        async def main() -> None:
            async with producer_of(cluster, IntegerSerializer(), StringSerializer()) as producer:
                message = await producer.send(topic, "value", 7, headers={"h": "x"})
                assert (message.key(), message.value()) == (b"\x00\x00\x00\x07", b"value")
                assert message.headers() == [("h", b"x")]

        run(main)

    def test_without_serializers_bytes_pass(self, cluster: MockCluster, topic: str) -> None:
        async def main() -> None:
            async with producer_of(cluster) as producer:
                message = await producer.send(topic, "value", b"key")
                assert (message.key(), message.value()) == (b"key", b"value")
                batch = await producer.produce_batch(topic, [b"as it is", {"value": b"2", "key": b"k"}])
                assert values(batch) == [b"as it is", b"2"]

        run(main)

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize(
        ("side", "kind", "code"),
        [
            ("key", KeySerializationError, KafkaError._KEY_SERIALIZATION),
            ("value", ValueSerializationError, KafkaError._VALUE_SERIALIZATION),
        ],
    )
    def test_failures(self, cluster: MockCluster, topic: str, form: Any, side: str, kind: Any, code: int) -> None:
        cause = KeyError("mine")
        bad, good = Spy(error=cause), Spy(b"x")

        async def main() -> None:
            serdes = {"key": good, "value": good, side: bad}
            async with producer_of(cluster, form(serdes["key"]), form(serdes["value"])) as producer:
                for call in (producer.produce, producer.send):
                    with pytest.raises(kind) as raised:
                        await call(topic, 1, 2)
                    assert raised.value.exception is raised.value.__cause__ is cause
                    assert raised.value.code == code
                    assert isinstance(raised.value, SerializationError)
                assert len(producer) == 0

        run(main)
        # a key that fails does so before the value is looked at
        assert [field for _, _, field in good.calls] == ([] if side == "key" else [MessageField.KEY] * 2)

    def test_checked_before_anything_is_serialized(self, cluster: MockCluster, topic: str) -> None:
        spy = Spy(b"x")

        async def main() -> None:
            producer = producer_of(cluster, value=spy)
            for wrong in (None, 5, b"topic"):
                with pytest.raises(TypeError, match="topic must be a str"):
                    await producer.produce(wrong, value=1)
            with pytest.raises(TypeError, match="unexpected keyword argument 'valu'"):
                await producer.produce(topic, valu=1)
            await producer.close()
            await producer.close()
            for call in (producer.produce, producer.send):
                with pytest.raises(RuntimeError, match="Producer has been closed"):
                    await call(topic, value=1)
            assert len(producer) == 0

        run(main)
        assert spy.calls == []

    @pytest.mark.parametrize("form", FORMS)
    def test_serializers_write_headers(self, cluster: MockCluster, topic: str, form: Any) -> None:
        def mark(obj: Any, ctx: SerializationContext) -> bytes:
            assert isinstance(ctx.headers, list)
            ctx.headers.append(("by", str(ctx.field).encode()))
            return b"x"

        mine = [("mine", b"1")]
        by = [("by", b"key"), ("by", b"value")]

        async def main() -> None:
            async with producer_of(cluster, form(mark), form(mark)) as producer:
                delivered = [await producer.send(topic, 1, 1, headers=headers) for headers in (None, mine, mine)]
            assert [one.headers() for one in delivered] == [by, mine + by, mine + by]
            async with producer_of(cluster, value=form(Spy(b"x"))) as producer:
                assert (await producer.send(topic, 1)).headers() is None

        run(main)
        assert mine == [("mine", b"1")]  # used for many messages, it must not grow

    def test_cancelled_in_a_serializer_produces_nothing(self, cluster: MockCluster, topic: str) -> None:
        async def main() -> None:
            inside = asyncio.Event()

            async def slow(obj: Any, ctx: Any) -> bytes:
                inside.set()
                await asyncio.get_running_loop().create_future()
                raise AssertionError

            async with producer_of(cluster, value=slow) as producer:
                task = asyncio.create_task(producer.produce(topic, None, 1))
                await inside.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert len(producer) == 0

        run(main)

    def test_closed_while_a_serializer_runs(self, cluster: MockCluster, topic: str) -> None:
        async def main() -> None:
            inside, go = asyncio.Event(), asyncio.Event()

            async def slow(obj: Any, ctx: Any) -> bytes:
                inside.set()
                await go.wait()
                return b"x"

            producer = producer_of(cluster, value=slow)
            task = asyncio.create_task(producer.produce(topic, None, 1))
            await inside.wait()
            await producer.close()
            go.set()
            with pytest.raises(RuntimeError, match="Producer has been closed"):
                await task

        run(main)

    def test_transaction(self, cluster: MockCluster, topic: str) -> None:
        async def main() -> None:
            # the builder has to be awaited: the transaction's calls come to an open client all the same
            options = {"transactional.id": unique_name("txn"), "value.serializer": None}
            builder = AsyncBuild(awaited(StringSerializer()))
            producer = producer_of(cluster, **options, **{"value.serializer.builder": builder})
            await producer.init_transactions(DEADLINE)
            async with producer.transaction():
                await producer.produce(topic, value="in it", partition=0)
            await producer.close()
            consumer = await reading(cluster, topic, value=StringDeserializer())
            assert values(await consumer.consume(1, DEADLINE)) == ["in it"]
            await consumer.close()

        run(main)


class Wanting(Spy):
    """A plain (de)serializer that asks for the cluster's id, as those of the registry do."""

    resolver: Any = None

    def set_cluster_id_resolver(self, resolver: Any) -> None:
        self.resolver = resolver

    def __call__(self, obj: Any, ctx: SerializationContext) -> Any:
        super().__call__(obj, ctx)
        try:
            cluster_id: str = self.resolver()
        except Exception as e:
            raise SerializationError("no id") from e
        return cluster_id.encode()


class CoroutineWanting(Wanting):
    async def __call__(self, obj: Any, ctx: SerializationContext) -> Any:
        await asyncio.sleep(0)
        return super().__call__(obj, ctx)


class AsyncWanting(Wanting):
    async_resolver: Any = None

    def set_async_cluster_id_resolver(self, resolver: Any) -> None:
        self.async_resolver = resolver


class TestClusterId:
    def test_coroutine_functions_get_one_to_await(self, cluster: MockCluster) -> None:
        spy = AsyncWanting()
        asked: list[float] = []

        class Producer(AsyncSerializingProducer[Any, Any]):
            async def cluster_id(self, timeout: float = -1) -> str:  # type: ignore[override]
                asked.append(timeout)
                return await super().cluster_id(timeout)

        async def main() -> None:
            producer = Producer(settings(cluster) | {"key.serializer": spy})
            assert spy.resolver is None
            assert asked == []
            answers = await asyncio.gather(*(spy.async_resolver() for _ in range(5)))
            assert set(answers) == {await producer.cluster_id(DEADLINE)}
            assert asked == [60.0, DEADLINE]
            await producer.close()

        run(main)

    def test_a_cancelled_question_is_answered_for_the_others(self, cluster: MockCluster) -> None:
        spy = AsyncWanting()

        async def main() -> None:
            producer = producer_of(cluster, spy)
            first, second = (asyncio.create_task(spy.async_resolver()) for _ in range(2))
            await asyncio.sleep(0)
            first.cancel()
            assert await second == await producer.cluster_id(DEADLINE)
            await producer.close()

        run(main)

    @pytest.mark.parametrize("kind", [Wanting, CoroutineWanting])
    @pytest.mark.parametrize("side", ["key", "value"])
    def test_plain_resolvers_do_not_wait(self, cluster: MockCluster, topic: str, kind: Any, side: str) -> None:
        wanting = kind()

        async def main() -> None:
            async with producer_of(cluster, **{side: wanting}) as producer:
                message = await producer.send(topic, "v", "k")
                cluster_id = (await producer.cluster_id(DEADLINE)).encode()
                expected = {"key": b"k", "value": b"v", side: cluster_id}
                assert {"key": message.key(), "value": message.value()} == expected
                # called without the id, and once more with it
                assert len(wanting.calls) == 2
                await producer.send(topic, "v", "k")
                assert len(wanting.calls) == 3
            consumer = await reading(cluster, topic, **{side: kind()})
            message = await consumer.poll(DEADLINE)
            assert (message.key() if side == "key" else message.value()) == cluster_id
            await consumer.close()

        run(main)

    def test_a_resolver_that_fails(self, cluster: MockCluster, topic: str) -> None:
        wanting = Wanting()
        reason = KafkaException(KafkaError(KafkaError._TIMED_OUT))

        class Lost(AsyncSerializingProducer[Any, Any]):
            async def cluster_id(self, timeout: float = -1) -> str:  # type: ignore[override]
                raise reason

        async def main() -> None:
            async with Lost(settings(cluster) | {"value.serializer": wanting}) as producer:
                with pytest.raises(ValueSerializationError) as raised:
                    await producer.produce(topic, value=1)
                assert raised.value.exception is reason
                assert len(producer) == 0

        run(main)

    @pytest.mark.parametrize("kind", [Wanting, AsyncWanting])
    def test_a_serializer_does_not_keep_its_client_alive(self, cluster: MockCluster, kind: Any) -> None:
        wanting = kind()

        async def main() -> None:
            producer = producer_of(cluster, wanting)
            gone = weakref.ref(producer)
            del producer
            gc.collect()
            assert gone() is None
            if kind is AsyncWanting:
                with pytest.raises(RuntimeError, match="does not exist any more"):
                    await wanting.async_resolver()

        run(main)


def test_avro_through_the_cluster(cluster: MockCluster, topic: str) -> None:
    schema = '{"type": "record", "name": "R", "fields": [{"name": "n", "type": "int"}]}'
    registry = SchemaRegistryClient({"url": "mock://"})

    async def main() -> None:
        async with producer_of(
            cluster, AvroSerializer(registry, '"string"'), AvroSerializer(registry, schema)
        ) as producer:
            futures = [await producer.produce(topic, str(n), {"n": n}, 0) for n in range(100)]
            await asyncio.gather(*futures)
        consumer = await reading(cluster, topic, AvroDeserializer(registry), AvroDeserializer(registry))
        messages = await consumer.consume(100, DEADLINE)
        assert [(one.key(), one.value()) for one in messages] == [(str(n), {"n": n}) for n in range(100)]
        await consumer.close()

    run(main)
    assert registry.get_subjects() == [f"{topic}-key", f"{topic}-value"]


def test_avro_subject_by_the_id_of_the_cluster(cluster: MockCluster, topic: str) -> None:
    registry = SchemaRegistryClient({"url": "mock://"})

    async def main() -> None:
        async with producer_of(cluster, value=AvroSerializer(registry, '"string"')) as producer:
            here = await producer.cluster_id(DEADLINE)
            for subject, where in (("bound-here", here), ("bound-elsewhere", "elsewhere")):
                info = [AssociationCreateOrUpdateInfo(subject, "value")]
                registry.create_association(
                    AssociationCreateOrUpdateRequest(topic, where, f"{topic} of {where}", "topic", info)
                )
            await producer.send(topic, "text")

    run(main)
    assert registry.get_subjects() == ["bound-here"]
