# SPDX-License-Identifier: Apache-2.0
"""A message's key on its way to the rules of the value, which send both to the dead letter queue."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AvroDeserializer,
    AvroSerializer,
)
from confluent_kafka.schema_registry.common.serde import clear_original_key, get_original_key, set_original_key
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.dlq.dlq_action import DlqAction
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError
from tests.unit.rules_kit import DeadLetters, Mark, context, rule, schema_with

KEY = MessageField.KEY
TEXT = '"string"'
ORDER = {"id": 1, "card": "4111"}


class World:
    """An executor that notes the key it is told, among executors of this test only."""

    def __init__(self) -> None:
        self.mark = Mark("MARK", [])
        self.registry = RuleRegistry()
        self.registry.register_executor(self.mark)
        self.client = SchemaRegistryClient({"url": "mock://"})
        self.write_key = AvroSerializer(self.client, TEXT, rule_registry=self.registry)
        self.read_key = AvroDeserializer(self.client, rule_registry=self.registry)
        self.write = AvroSerializer(self.client, schema_with([rule("MARK")]), rule_registry=self.registry)
        self.read = AvroDeserializer(self.client, rule_registry=self.registry)

    @property
    def told(self) -> list[Any]:
        """The keys that rules were told, one per message."""
        return [ctx.original_key for ctx in self.mark.contexts]


@pytest.fixture
def world() -> Any:
    clear_original_key()
    yield World()
    clear_original_key()


class TestSingle:
    def test_a_value_gets_the_key_before_it_once(self, world: World) -> None:
        for number in range(3):  # the first message makes the plan, later ones find it
            world.write_key(f"k{number}", context(field=KEY))
            assert get_original_key() == f"k{number}"
            world.write(ORDER, context())
        world.write(ORDER, context())
        assert world.told == ["k0", "k1", "k2", None]

    def test_reading_gives_the_bytes_of_the_key(self, world: World) -> None:
        key, value = world.write_key("k", context(field=KEY)), world.write(ORDER, context())
        for _ in range(2):
            world.read_key(key, context(field=KEY))
            world.read(value, context())
        world.read(value, context())
        assert world.told == ["k", key, key, None]

    @pytest.mark.parametrize("field", [KEY, MessageField.VALUE])
    def test_none_has_no_key(self, world: World, field: MessageField) -> None:
        for nothing in (world.write, world.read):
            world.write_key("k", context(field=KEY))
            assert nothing(None, context(field=field)) is None
            assert get_original_key() is None

    def test_the_key_of_another_topic_does_not_count(self, world: World) -> None:
        world.write_key("k", context("bills", KEY))
        world.write(ORDER, context())
        set_original_key("mine")  # the application's own words count for any topic
        world.write(ORDER, context())
        assert world.told == [None, "mine"]

    def test_a_key_that_is_the_message_itself(self, world: World) -> None:
        world.write(ORDER, context(field=KEY))
        assert world.told == [ORDER]
        assert world.mark.contexts[0].original_value is None

    def test_one_serializer_for_both_fields(self, world: World) -> None:
        conf = {"subject.name.strategy": lambda ctx, name: "shared"}
        write, read = AvroSerializer(world.client, TEXT, conf=conf), AvroDeserializer(world.client, conf=conf)
        for _ in range(2):
            data = write("v", context())
            read(data, context())
            assert get_original_key() is None
            write("k", context(field=KEY))
            assert get_original_key() == "k"
            read(data, context(field=KEY))
            assert get_original_key() == data
            clear_original_key()

    def test_the_latest_version(self, world: World) -> None:
        world.write_key("k", context(field=KEY))
        latest = {"auto.register.schemas": False, "use.latest.version": True}
        write = AvroSerializer(world.client, conf=latest)
        read = AvroDeserializer(world.client, conf={"use.latest.version": True})
        for _ in range(2):
            data = write("new", context(field=KEY))
            assert get_original_key() == "new"
            read(data, context(field=KEY))
            assert get_original_key() == data


class TestBatches:
    def test_none_of_many_keys_is_left(self, world: World) -> None:
        keys = world.write_key.serialize_many(["a", "b"], context(field=KEY))
        assert get_original_key() is None
        assert world.read_key.deserialize_many(keys * 2, context(field=KEY)) == ["a", "b"] * 2
        assert get_original_key() is None

    def test_many_values_get_no_key(self, world: World) -> None:
        world.write_key("k", context(field=KEY))
        values = world.write.serialize_many([ORDER, ORDER], context())
        world.read_key(world.write_key("k", context(field=KEY)), context(field=KEY))
        world.read.deserialize_many(values, context())
        assert world.told == [None] * 4


def test_a_key_that_rules_protect_leaves_as_it_is_written(world: World) -> None:
    def seal(message: Any) -> Any:
        return {**message, "card": "sealed"}

    world.registry.register_executor(Mark("ENCRYPT", [], seal))
    write_key = AvroSerializer(world.client, schema_with([rule("ENCRYPT")]), rule_registry=world.registry)
    for _ in range(2):
        key = write_key(ORDER, context(field=KEY))
        assert key is not None
        assert b"4111" not in key
        world.write(ORDER, context())
        assert world.told.pop() == key


def test_the_dead_letter_queue_gets_the_key_and_is_flushed(world: World) -> None:
    producer = DeadLetters()
    world.registry.register_executor(Mark("FAIL", [], lambda message: 1 / 0))
    world.registry.register_action(DlqAction({"producer": producer, "dlq.topic": "dead"}))
    write = AvroSerializer(world.client, schema_with([rule("FAIL", on_failure="DLQ")]), rule_registry=world.registry)
    for key in ("k1", "k2"):
        world.write_key(key, context(field=KEY))
        with pytest.raises(SerializationError):
            write(ORDER, context())
    with pytest.raises(SerializationError):
        write(ORDER, context())
    assert [(sent["topic"], sent["key"]) for sent in producer.sent] == [
        ("dead", b"k1"),
        ("dead", b"k2"),
        ("dead", None),
    ]
    write.close()
    assert producer.flushed == 1


def test_tasks_do_not_see_each_others_keys(world: World) -> None:
    async def main() -> None:
        client = AsyncSchemaRegistryClient({"url": "mock://"})
        write_key = await AsyncAvroSerializer(client, TEXT, rule_registry=world.registry)
        read_key = await AsyncAvroDeserializer(client, rule_registry=world.registry)
        write = await AsyncAvroSerializer(client, schema_with([rule("MARK")]), rule_registry=world.registry)

        async def one(key: str) -> None:
            data = await write_key(key, SerializationContext("orders", KEY))
            await asyncio.sleep(0)
            await write({"id": int(key), "card": key}, context())
            assert await read_key(data, SerializationContext("orders", KEY)) == key

        await asyncio.gather(*(one(str(number)) for number in range(20)))
        assert get_original_key() is None

    asyncio.run(main())
    keys = {ctx.original_key: ctx.original_value for ctx in world.mark.contexts}
    assert keys == {str(number): {"id": number, "card": str(number)} for number in range(20)}
