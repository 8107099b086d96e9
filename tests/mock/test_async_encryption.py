# SPDX-License-Identifier: Apache-2.0
"""Client-side encryption on an event loop, with a registry over HTTP: who is asked, how often; that nothing blocks."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import pytest

from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, SchemaRegistryClient
from confluent_kafka.schema_registry._async import threads
from confluent_kafka.schema_registry.avro import AsyncAvroDeserializer, AsyncAvroSerializer, AvroDeserializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import reset_kms_drivers
from confluent_kafka.serialization import SerializationError
from confluent_kafka.testing import RegistryFault, SchemaRegistryServer
from tests.unit.encryption_kit import HIDDEN, ORDER, World, cause, fields, payload
from tests.unit.rules_kit import context

TOKEN = "a-token-of-the-provider"  # not one
DEADLINE_S = 30


@pytest.fixture
def server() -> Iterator[SchemaRegistryServer]:
    with SchemaRegistryServer(bearer_token=TOKEN) as server:
        yield server


@pytest.fixture
def world(server: SchemaRegistryServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(threads, "_pool", None)  # so that its threads can be counted
    reset_kms_drivers()
    yield World({"url": server.url, "timeout": None, **with_tokens(coroutine_provider)}, AsyncSchemaRegistryClient)
    reset_kms_drivers()


async def coroutine_provider(config: dict[str, Any]) -> dict[str, str]:
    await asyncio.sleep(0)
    return plain_provider(config)


def plain_provider(config: dict[str, Any]) -> dict[str, str]:
    return {"bearer.auth.token": TOKEN, "bearer.auth.logical.cluster": "lsrc-1"}


def with_tokens(provider: Callable[..., Any]) -> dict[str, Any]:
    return {
        "bearer.auth.credentials.source": "CUSTOM",
        "bearer.auth.custom.provider.function": provider,
        "bearer.auth.custom.provider.config": {},
    }


def run(world: World, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def closing() -> None:
        try:
            await main()
        finally:
            await world.client.aclose()

    asyncio.run(closing())


def kms_threads() -> int:
    return 0 if threads._pool is None else len(threads._pool[1]._threads)


def asked(server: SchemaRegistryServer) -> Counter[str]:
    found = Counter(f"{one.method} {one.path.partition('/v1/')[2]}" for one in server.requests(path="/dek-registry/*"))
    server.clear_requests()
    return found


def hits(fault: RegistryFault, number: int) -> bool:
    return fault.hits == number


async def until(condition: Callable[[], Any]) -> None:
    """Wait on the loop, which therefore has to run."""

    async def poll() -> None:
        while True:
            if condition():
                return
            await asyncio.sleep(0.001)

    await asyncio.wait_for(poll(), DEADLINE_S)


@pytest.mark.parametrize("make", [fields, payload])
def test_coroutine_token_provider(world: World, server: SchemaRegistryServer, make: Any) -> None:
    async def main() -> None:
        write = AsyncAvroSerializer(world.client, make(), rule_registry=world.rules())
        read = AsyncAvroDeserializer(world.client, rule_registry=world.rules())
        for _ in range(3):
            data = await write(ORDER, context())
            assert data is not None
            assert not any(hidden in data for hidden in HIDDEN)
            assert await read(data, context()) == ORDER
        tokens = {one.headers["authorization"] for one in server.requests(path="/dek-registry/*")}
        assert tokens == {f"Bearer {TOKEN}"}
        assert server.connections == 1  # that of the registry client serves the registry of keys as well
        deks = "keks/kek1/deks/orders-value"
        assert asked(server) == {
            "GET keks/kek1": 2,
            "POST keks": 1,
            f"GET {deks}/versions/1": 2,
            f"POST {deks}": 1,
        }
        assert world.kms.calls == ["encrypt key1", "decrypt key1"]
        with SchemaRegistryClient({"url": server.url, **with_tokens(plain_provider)}) as client:
            reader = AvroDeserializer(client, rule_registry=world.rules())
            assert reader(data, context()) == ORDER
            reader.close()

    run(world, main)


def test_nothing_blocks_and_each_key_is_fetched_once(world: World, server: SchemaRegistryServer) -> None:
    async def main() -> None:
        rules = world.rules()
        writers = [AsyncAvroSerializer(world.client, fields(), rule_registry=rules) for _ in range(3)]
        await world.client.register_schema("orders-value", fields())
        hold = server.add_fault(path="/dek-registry/*", delay=DEADLINE_S)
        world.kms.gate = threading.Event()
        tasks = [asyncio.ensure_future(writers[number % 3](ORDER, context())) for number in range(60)]
        for request in range(1, 4):
            await until(partial(hits, hold, request))
            assert kms_threads() == 0  # a slow registry takes none
            assert not any(task.done() for task in tasks)
            if request < 3:
                hold.release()
        hold.release()  # the lookup of the data key: now it is made
        await until(lambda: world.kms.calls)
        assert kms_threads() == 1  # and a slow KMS takes one, however many wait
        world.kms.gate.set()
        await until(lambda: hold.hits == 4)
        hold.remove()
        results = await asyncio.gather(*tasks)
        assert all(result and not any(hidden in result for hidden in HIDDEN) for result in results)
        assert world.kms.calls == ["encrypt key1"]
        assert max(asked(server).values()) == 1

    run(world, main)


@pytest.mark.parametrize("where", ["registry", "kms"])
def test_a_cancelled_task_fails_no_other(world: World, server: SchemaRegistryServer, where: str) -> None:
    async def main() -> None:
        write = AsyncAvroSerializer(world.client, fields(), rule_registry=world.rules())
        await write(ORDER, context("warm"))  # the KEK and the schema's text are known
        await world.client.register_schema("orders-value", fields())
        world.kms.calls.clear()
        hold = server.add_fault(path="/dek-registry/*/orders-value*", delay=DEADLINE_S if where == "registry" else 0)
        world.kms.gate = threading.Event()
        tasks = [asyncio.ensure_future(write(ORDER, context())) for _ in range(20)]
        await until(lambda: hold.hits if where == "registry" else world.kms.calls)
        tasks[0].cancel()  # the one that asks
        tasks[7].cancel()  # one that waits for it
        await until(lambda: tasks[0].done() and tasks[7].done())
        assert sum(task.done() for task in tasks) == 2
        hold.remove()
        world.kms.gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for number, result in enumerate(results):
            if number in (0, 7):
                assert isinstance(result, asyncio.CancelledError)
            else:
                assert isinstance(result, bytes)
                assert not any(hidden in result for hidden in HIDDEN)
        read = AsyncAvroDeserializer(world.client, rule_registry=world.rules())
        assert isinstance(results[1], bytes)
        assert await read(results[1], context()) == ORDER

    run(world, main)


@pytest.mark.parametrize("coroutine", [False, True])
def test_an_executor_over_ours_does_not_block_either(
    world: World, server: SchemaRegistryServer, coroutine: bool
) -> None:
    class Mine(FieldEncryptionExecutor):
        def new_transform(self, ctx: Any) -> Any:
            inner = super().new_transform(ctx)

            def transform(ctx: Any, field: Any, value: Any) -> Any:
                try:
                    return inner(ctx, field, value)
                except Exception:
                    return value  # in clear: what waits for a key must not get here

            async def later(ctx: Any, field: Any, value: Any) -> Any:
                await asyncio.sleep(0)
                return transform(ctx, field, value)

            return later if coroutine else transform

    async def main() -> None:
        rules = RuleRegistry()
        rules.register_executor(Mine())
        write = AsyncAvroSerializer(world.client, fields(), rule_registry=rules)
        world.kms.gate = threading.Event()
        tasks = [asyncio.ensure_future(write(ORDER, context())) for _ in range(20)]
        await until(lambda: world.kms.calls)
        assert not any(task.done() for task in tasks)
        world.kms.gate.set()
        for data in await asyncio.gather(*tasks):
            assert data is not None
            assert not any(hidden in data for hidden in HIDDEN)
        assert world.kms.calls == ["encrypt key1"]

    run(world, main)


def test_a_registry_client_of_another_kind_gets_connections_that_are_closed(
    world: World, server: SchemaRegistryServer
) -> None:
    conf = {"url": server.url, **with_tokens(plain_provider)}

    async def main() -> None:
        client = SchemaRegistryClient(conf)
        write = AsyncAvroSerializer(client, fields(), rule_registry=world.rules())
        read = AsyncAvroDeserializer(client, rule_registry=world.rules())
        assert await read(await write(ORDER, context()), context()) == ORDER
        assert kms_threads() == 1
        assert server.connections == 3
        await write.aclose()
        await read.aclose()
        await until(lambda: server.connections == 1)
        client.close()

    run(world, main)


def test_one_executor_after_another_loop(world: World, server: SchemaRegistryServer) -> None:
    rules = world.rules()

    async def main(topic: str) -> None:
        write = AsyncAvroSerializer(world.client, fields(), rule_registry=rules)
        assert await write(ORDER, context(topic))

    for topic in ("one", "two"):
        run(world, partial(main, topic))
    assert asked(server)["GET keks/kek1"] == 1


@pytest.mark.parametrize("status", [403, 500])
def test_a_registry_that_refuses(world: World, server: SchemaRegistryServer, status: int) -> None:
    async def main() -> None:
        client = AsyncSchemaRegistryClient({**world.conf, "max.retries": 0})
        write = AsyncAvroSerializer(client, fields(), rule_registry=world.rules())
        server.add_fault(path="/dek-registry/*", status=status)
        with pytest.raises(SerializationError) as raised:
            await write(ORDER, context())
        failure = cause(raised)
        assert (failure.kek, failure.subject) == ("kek1", "orders-value")
        assert str(status) in str(failure)
        assert TOKEN not in str(raised.value)
        await client.aclose()

    run(world, main)
