# SPDX-License-Identifier: Apache-2.0
"""Rules that take plain calls for most messages: what fails, or is special, goes the long way with the same result."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, RuleKind, RuleMode, SchemaRegistryClient
from confluent_kafka.schema_registry._core import ruled
from confluent_kafka.schema_registry.avro import AsyncAvroSerializer, AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import RuleConditionError
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.cel.cel_executor import CelExecutor
from confluent_kafka.schema_registry.rules.cel.cel_field_executor import CelFieldExecutor
from confluent_kafka.serialization import SerializationError
from tests.unit.rules_kit import Act, Mark, context, rule, schema_with

CONDITION, WRITE, READ = RuleKind.CONDITION, RuleMode.WRITE, RuleMode.READ
ORDER = {"id": 1, "card": "4111"}
BAD = {"id": 0, "card": "4111"}


@pytest.fixture
def registry() -> RuleRegistry:
    made = RuleRegistry()
    made.register_executor(CelExecutor())
    made.register_executor(CelFieldExecutor())
    return made


@pytest.fixture
def client() -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": "mock://"})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Which messages took the short way."""
    seen: list[bool] = []
    for name in ("write_quickly", "read_quickly"):
        inner = getattr(ruled, name)

        def watched(*arguments: Any, inner: Any = inner) -> Any:
            result = inner(*arguments)
            seen.append(result is not None)
            return result

        monkeypatch.setattr(ruled, name, watched)
    return seen


def test_conditions_and_transforms(client: SchemaRegistryClient, registry: RuleRegistry, quick: list[bool]) -> None:
    rules = [
        rule("CEL", "a", what=CONDITION, expr="message.id > 0"),
        rule("CEL_FIELD", "b", what=CONDITION, expr="name != 'card' || value != ''", tags=["PII"]),
        rule("CEL_FIELD", "c", expr="name == 'card' ; value + '!'", tags=["PII"], mode=WRITE),
    ]
    write = AvroSerializer(client, schema_with(rules), rule_registry=registry)
    read = AvroDeserializer(client, rule_registry=registry)
    data = [write(ORDER, context()) for _ in range(3)]
    assert [read(one, context())["card"] for one in data] == ["4111!"] * 3
    assert quick == [True] * 4  # all but the first ones, which make the plans
    for bad, which in ((BAD, "a"), ({"id": 1, "card": ""}, "b")):
        with pytest.raises(SerializationError, match=f"rule {which} ") as raised:
            write(bad, context())
        assert isinstance(raised.value.__cause__, RuleConditionError)
        assert not quick.pop()
    assert read(write(ORDER, context()), context())["card"] == "4111!"
    assert ORDER == {"id": 1, "card": "4111"}


@pytest.mark.parametrize("kind", ["CEL", "CEL_FIELD"])
def test_what_is_replayed_is_not_asked_again(
    client: SchemaRegistryClient, registry: RuleRegistry, quick: list[bool], kind: str
) -> None:
    bad = rule(kind, "never", what=CONDITION, expr="false", mode=WRITE)
    write = AvroSerializer(client, schema_with([bad]), rule_registry=registry)
    for headers in (None, [("h", b"1")], [("__rule.name", b"another")]):
        with pytest.raises(SerializationError, match="rule never"):
            write(ORDER, context(headers=headers))
    assert write(ORDER, context(headers=[("__rule.name", b"never")])) is not None
    assert write(ORDER, context(headers={"__rule.name": b"never"})) is not None


@pytest.mark.parametrize("mode", [WRITE, READ])
def test_a_transform_that_is_replayed_is_not_done_again(
    client: SchemaRegistryClient, registry: RuleRegistry, mode: RuleMode
) -> None:
    change = rule("CEL_FIELD", "change", expr="name == 'card' ; value + '!'", mode=mode)
    write = AvroSerializer(client, schema_with([change]), rule_registry=registry)
    read = AvroDeserializer(client, rule_registry=registry)
    cards = [
        read(write(ORDER, context(headers=headers)), context(headers=headers))["card"]
        for headers in (None, None, [("__rule.name", b"change")], [("__rule.name", b"another")], {"h": b"1"})
    ]
    assert cards == ["4111!", "4111!", "4111", "4111!", "4111!"]


def test_a_transform_without_a_result_fails(client: SchemaRegistryClient, registry: RuleRegistry) -> None:
    write = AvroSerializer(client, schema_with([rule("CEL", "none", expr="null", mode=WRITE)]), rule_registry=registry)
    for _ in range(2):
        with pytest.raises(SerializationError, match="rule none"):
            write(ORDER, context())


def test_failures_and_successes_have_their_actions(client: SchemaRegistryClient, registry: RuleRegistry) -> None:
    log: list[str] = []
    registry.register_action(Act("NOTE", log))
    checked = rule("CEL", "c", what=CONDITION, expr="message.id > 0", mode=WRITE, on_failure="NOTE")
    told = rule("CEL", "t", what=CONDITION, expr="true", mode=WRITE, on_success="NOTE")
    write = AvroSerializer(client, schema_with([checked, told]), rule_registry=registry)
    for order in (ORDER, BAD, ORDER):
        assert write(order, context()) is not None
    assert log == ["NOTE(t)", "NOTE(c)", "NOTE(t)", "NOTE(t)"]


def test_rules_between_that_know_nothing_of_plans(client: SchemaRegistryClient, registry: RuleRegistry) -> None:
    log: list[str] = []
    registry.register_executor(Mark("MARK", log))
    rules = [rule("CEL", "a", what=CONDITION, expr="true"), rule("MARK", "m"), rule("CEL_FIELD", "b", expr="value")]
    write = AvroSerializer(client, schema_with(rules), rule_registry=registry)
    for _ in range(3):
        write(ORDER, context())
    assert log == ["m:WRITE"] * 3


def test_a_subclass_does_what_it_says(client: SchemaRegistryClient) -> None:
    class Never(CelExecutor):
        def transform(self, ctx: Any, msg: Any) -> Any:
            return False

    class Shout(CelFieldExecutor):
        def new_transform(self, ctx: Any) -> Any:
            return lambda ctx, field, value: "LOUD" if field.name == "card" else value

    registry = RuleRegistry()
    registry.register_executor(Never())
    registry.register_executor(Shout())
    write = AvroSerializer(
        client, schema_with([rule("CEL_FIELD", expr="value", tags=["PII"], mode=WRITE)]), rule_registry=registry
    )
    data = [write(ORDER, context()) for _ in range(2)]
    assert [AvroDeserializer(client)(one, context())["card"] for one in data] == ["LOUD"] * 2
    refused = AvroSerializer(
        client, schema_with([rule("CEL", what=CONDITION, expr="true", mode=WRITE)]), rule_registry=registry
    )
    for _ in range(2):
        with pytest.raises(SerializationError):
            refused(ORDER, context())


def test_on_an_event_loop(registry: RuleRegistry) -> None:
    async def main() -> None:
        client = AsyncSchemaRegistryClient({"url": "mock://"})
        schema = schema_with([rule("CEL", "a", what=CONDITION, expr="message.id > 0", mode=WRITE)])
        write = await AsyncAvroSerializer(client, schema, rule_registry=registry)
        for _ in range(2):
            assert await write(ORDER, context()) is not None
            with pytest.raises(SerializationError, match="rule a "):
                await write(BAD, context())

    asyncio.run(main())
