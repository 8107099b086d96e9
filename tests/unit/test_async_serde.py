# SPDX-License-Identifier: Apache-2.0
"""Asyncio serializers: as the synchronous ones, and what only they have; batches; errors that say where."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from confluent_kafka.schema_registry import (
    AsyncSchemaRegistryClient,
    Schema,
    SchemaRegistryClient,
    SchemaRegistryError,
    header_schema_id_serializer,
)
from confluent_kafka.schema_registry.avro import (
    AsyncAvroDeserializer,
    AsyncAvroDeserializerBuilder,
    AsyncAvroSerializer,
    AsyncAvroSerializerBuilder,
    AvroDeserializer,
    AvroSerializer,
)
from confluent_kafka.schema_registry.serde import AssociatedNameStrategy, AsyncAssociatedNameStrategy
from confluent_kafka.serialization import SerializationError
from tests.unit.avro_kit import AN_ORDER, AN_ORDER_BYTES, ORDER, STRING, Counting, context


class Awaitable:
    """A registry client whose methods have to be awaited, and take a turn of the loop or wait for ``gate``."""

    def __init__(self) -> None:
        self.inner = Counting()
        self.gate: asyncio.Event | None = None
        self.closed = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            await (asyncio.sleep(0) if self.gate is None else self.gate.wait())
            return method(*args, **kwargs)

        return call

    async def close(self) -> None:
        self.closed += 1


def test_round_trip_with_and_without_await() -> None:
    async def main() -> None:
        client = Awaitable()
        serializer = await AsyncAvroSerializer(client, ORDER)
        deserializer = AsyncAvroDeserializer(client)
        assert isinstance(serializer, AsyncAvroSerializer)
        data = await serializer(AN_ORDER, context())
        assert data == b"\x00\x00\x00\x00\x01" + AN_ORDER_BYTES
        assert await deserializer(data, context()) == AN_ORDER
        assert await serializer(None, context()) is None
        assert await deserializer(None) is None
        await serializer.aclose()
        await deserializer.aclose()
        assert client.closed == 0  # not theirs

    asyncio.run(main())


def test_what_is_known_takes_no_turn_of_the_loop() -> None:
    async def main() -> None:
        client = Awaitable()
        serializer, deserializer = AsyncAvroSerializer(client, ORDER), AsyncAvroDeserializer(client)
        data = await serializer(AN_ORDER, context())
        await deserializer(data, context())
        client.gate = asyncio.Event()  # whoever asks now waits for ever
        for coroutine, result in ((serializer(AN_ORDER, context()), data), (deserializer(data, context()), AN_ORDER)):
            with pytest.raises(StopIteration) as done:
                coroutine.send(None)
            assert done.value.value == result

    asyncio.run(main())


def test_first_messages_at_the_same_time_register_once() -> None:
    async def main() -> None:
        client = Awaitable()
        serializer = AsyncAvroSerializer(client, ORDER)
        results = await asyncio.gather(*(serializer(AN_ORDER, context()) for _ in range(20)))
        assert results == [b"\x00\x00\x00\x00\x01" + AN_ORDER_BYTES] * 20
        assert client.inner.calls == ["associations", "register"]

    asyncio.run(main())


def test_a_cancelled_first_message_does_not_fail_those_behind_it() -> None:
    async def main() -> None:
        client = Awaitable()
        client.gate = asyncio.Event()
        serializer = AsyncAvroSerializer(client, ORDER)
        first, second, third = (asyncio.ensure_future(serializer(AN_ORDER, context())) for _ in range(3))
        await asyncio.sleep(0)
        first.cancel()
        third.cancel()
        await asyncio.wait((first, third))
        assert first.cancelled()
        assert third.cancelled()
        assert not second.done()
        client.gate.set()
        assert await second == b"\x00\x00\x00\x00\x01" + AN_ORDER_BYTES

    asyncio.run(main())


def test_an_error_reaches_all_who_waited_and_is_not_kept() -> None:
    async def main() -> None:
        client = Awaitable()
        serializer = AsyncAvroSerializer(client, STRING, conf={"auto.register.schemas": False})
        failed = await asyncio.gather(*(serializer("x", context()) for _ in range(3)), return_exceptions=True)
        assert [type(error) for error in failed] == [SchemaRegistryError] * 3
        client.inner.register_schema("orders-value", Schema('{"type":"string"}'))
        client.inner.register_schema("orders-value", Schema(STRING))
        assert await serializer("x", context()) is not None

    asyncio.run(main())


def test_one_loop_after_the_other() -> None:
    serializer = AsyncAvroSerializer(Awaitable(), ORDER)

    async def main(topic: str) -> Any:
        return await serializer(AN_ORDER, context(topic))

    assert asyncio.run(main("a"))[:5] != asyncio.run(main("b"))[:5]


def test_cluster_id_is_awaited() -> None:
    async def main() -> None:
        client = Awaitable()
        asked = []

        async def cluster_id() -> str:
            await asyncio.sleep(0)
            asked.append(1)
            return "c1"

        serializer = AsyncAvroSerializer(client, ORDER)
        serializer.set_async_cluster_id_resolver(cluster_id)
        await serializer(AN_ORDER, context())
        await serializer(AN_ORDER, context())
        assert asked == [1]

    asyncio.run(main())


def test_builders() -> None:
    async def main() -> None:
        client = Awaitable()
        made = []

        async def init(serde: Any) -> None:
            await asyncio.sleep(0)
            made.append(serde)

        builder = AsyncAvroSerializerBuilder(serializer_init=init).set_schema_registry_client(client).set_schema(ORDER)
        serializer, conf = await builder.build({"a": 1}, False)
        assert (made, conf) == ([serializer], {"a": 1})
        reading = AsyncAvroDeserializerBuilder(schema_registry_client=client)
        deserializer, _ = await reading.set_return_record_name(True).build({}, False)
        assert await deserializer(await serializer(AN_ORDER, context()), context()) == AN_ORDER
        with pytest.raises(ValueError, match="no Schema Registry"):
            await AsyncAvroSerializerBuilder().build({}, False)
        with pytest.raises(ValueError, match="both"):
            await AsyncAvroSerializerBuilder({"url": "mock://"}, client).build({}, False)

    asyncio.run(main())


def test_associated_name_strategy_by_itself() -> None:
    strategy = AssociatedNameStrategy()
    assert strategy(context(), None, SchemaRegistryClient({"url": "mock://"}), {}) == "orders-value"
    asked = Counting()
    assert [strategy(context("b"), None, asked) for _ in range(2)] == ["b-value"] * 2
    assert asked.calls == ["associations"]
    strategy.clear_cache()
    strategy(context("b"), None, asked)
    assert asked.calls == ["associations"] * 2

    async def main() -> None:
        waiting = AsyncAssociatedNameStrategy()
        client = Awaitable()
        assert [await waiting(context(), None, client) for _ in range(2)] == ["orders-value"] * 2
        assert client.inner.calls == ["associations"]
        await waiting.clear_cache()

    asyncio.run(main())


class TestBatches:
    def test_same_as_one_by_one(self) -> None:
        client = Counting()
        serializer, deserializer = AvroSerializer(client, ORDER), AvroDeserializer(client)
        orders = [{**AN_ORDER, "id": number} for number in range(5)]
        objects = [*orders[:2], None, *orders[2:]]
        data = serializer.serialize_many(objects, context())
        assert data == [serializer(one, context()) for one in objects]
        assert deserializer.deserialize_many(data, context()) == objects
        assert deserializer.deserialize_many(iter(data), context()) == objects
        assert deserializer.deserialize_many([], context()) == serializer.serialize_many([], context()) == []
        assert client.calls == ["associations", "register", "associations", "get"]

    def test_schemas_may_change_in_between(self) -> None:
        client = Counting()
        first, second = AvroSerializer(client, '"int"'), AvroSerializer(client, '"string"')
        data = [first(1, context()), second("a", context()), None, first(2, context()), second("b", context())]
        assert AvroDeserializer(client).deserialize_many(data, context()) == [1, "a", None, 2, "b"]

    def test_conversion(self) -> None:
        client = Counting()
        serializer = AvroSerializer(client, STRING, to_dict=lambda obj, ctx: f"{ctx.topic} {obj}")
        deserializer = AvroDeserializer(client, from_dict=lambda obj, ctx: obj.split())
        data = serializer.serialize_many([1, None, 2], context())
        assert deserializer.deserialize_many(data, context()) == [["orders", "1"], None, ["orders", "2"]]

    def test_header_is_written_once(self) -> None:
        client = Counting()
        serializer = AvroSerializer(client, STRING, conf={"schema.id.serializer": header_schema_id_serializer})
        ctx = context(headers=[])
        data = serializer.serialize_many(["a", "b"], ctx)
        assert data == [b"\x02a", b"\x02b"]
        assert len(ctx.headers or ()) == 1
        assert AvroDeserializer(client).deserialize_many(data, ctx) == ["a", "b"]

    def test_bad_value_is_named(self) -> None:
        client = Counting()
        data = AvroSerializer(client, ORDER).serialize_many([AN_ORDER] * 3, context())
        assert data[1] is not None
        data[1] = data[1][:-1]
        with pytest.raises(SerializationError, match="value 1 of the batch, orders-value, schema 1: "):
            AvroDeserializer(client).deserialize_many(data, context())

    def test_asyncio(self) -> None:
        async def main() -> None:
            client = Awaitable()
            serializer, deserializer = AsyncAvroSerializer(client, '"int"'), AsyncAvroDeserializer(client)
            numbers = list(range(10))
            data = await serializer.serialize_many(numbers, context())
            assert await deserializer.deserialize_many(data, context()) == numbers

        asyncio.run(main())


def test_errors_of_reading_say_which_schema() -> None:
    client = SchemaRegistryClient({"url": "mock://"})
    data = AvroSerializer(client, ORDER)(AN_ORDER, context())
    assert data is not None
    with pytest.raises(EOFError, match=r"^orders-value, schema 1: the Avro data is cut off"):
        AvroDeserializer(client)(data[:-3], context())
    with pytest.raises(EOFError, match=r"^schema 1: "):
        AvroDeserializer(client)(data[:-3])


def test_schemas_of_both_flavours_are_the_same() -> None:
    text = json.dumps(json.loads(ORDER))
    client = SchemaRegistryClient({"url": "mock://"})
    AvroSerializer(client, text)(AN_ORDER, context())
    data = asyncio.run(AsyncAvroSerializer(client, text)(AN_ORDER, context()))  # a plain client will do
    assert data is not None
    assert client.get_versions("orders-value") == [1]


LATEST = {"auto.register.schemas": False, "use.latest.version": True}


class TestLatestVersion:
    def test_the_subject_is_found_out_once(self) -> None:
        client = Counting()
        client.register_schema("orders-value", Schema(ORDER))
        serializer = AvroSerializer(client, conf=LATEST)
        deserializer = AvroDeserializer(client, conf={"use.latest.version": True})
        data = [serializer(AN_ORDER, context()) for _ in range(3)]
        assert [deserializer(one, context()) for one in data] == [AN_ORDER] * 3
        assert client.calls.count("associations") == 2
        many = serializer.serialize_many([AN_ORDER] * 3, context())
        assert deserializer.deserialize_many(many, context()) == [AN_ORDER] * 3

    def test_what_the_client_knows_takes_no_turn_of_the_loop(self) -> None:
        async def main() -> None:
            client = AsyncSchemaRegistryClient.new_client({"url": "mock://"})
            await client.register_schema("orders-value", Schema('"int"'))
            serializer = AsyncAvroSerializer(client, conf=LATEST)
            deserializer = AsyncAvroDeserializer(client, conf={"use.latest.version": True})
            data = await serializer(1, context())
            assert await deserializer(data, context()) == 1
            for coroutine, result in ((serializer(1, context()), data), (deserializer(data, context()), 1)):
                with pytest.raises(StopIteration) as done:
                    coroutine.send(None)
                assert done.value.value == result
            # and what changes is seen as soon as the client knows
            await client.register_schema("orders-value", Schema('"double"'))
            await client.clear_latest_caches()
            newer = await serializer(1.5, context())
            assert await deserializer(newer, context()) == 1.5
            assert repr(await deserializer(data, context())) == "1.0"

        asyncio.run(main())

    def test_a_method_of_ones_own_is_called_each_time(self) -> None:
        asked = []

        class Own(SchemaRegistryClient):
            def get_latest_version(self, *args: Any, **kwargs: Any) -> Any:
                asked.append(1)
                return super().get_latest_version(*args, **kwargs)

        client = Own({"url": "mock://"})
        client.register_schema("orders-value", Schema(ORDER))
        serializer = AvroSerializer(client, conf=LATEST)
        for _ in range(3):
            serializer(AN_ORDER, context())
        assert len(asked) == 3
