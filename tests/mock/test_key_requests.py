# SPDX-License-Identifier: Apache-2.0
"""What keys cost: requests to the registry over HTTP, and calls of the KMS, counted; by both kinds of serializers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AvroDeserializer,
    AvroSerializer,
)
from confluent_kafka.schema_registry.error import DekNotFoundError, EncryptionError, KekNotFoundError, KmsError
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import reset_kms_drivers
from confluent_kafka.serialization import SerializationError
from confluent_kafka.testing import SchemaRegistryServer
from tests.unit.encryption_kit import DAY_MS, ORDER, World, cause, fields, payload
from tests.unit.rules_kit import context

Call = Callable[..., Any]


class Flavour:
    """(De)serializers called in the same way, whichever kind they are."""

    def __init__(self, server: SchemaRegistryServer, *, asynchronous: bool) -> None:
        self.server = server
        self.world = World({"url": server.url, "max.retries": 0, "timeout": 60})
        self.world.client.close()
        self._loop = asyncio.new_event_loop() if asynchronous else None
        kind = AsyncSchemaRegistryClient if asynchronous else SchemaRegistryClient
        self.client: Any = kind(self.world.conf)
        self._made: list[Any] = []

    def writer(self, schema: Any, rules: RuleRegistry | None = None) -> Call:
        kind: Any = AsyncAvroSerializer if self._loop else AvroSerializer
        return self._call(kind(self.client, schema, rule_registry=rules or self.world.rules()))

    def reader(self, rules: RuleRegistry | None = None) -> Call:
        kind: Any = AsyncAvroDeserializer if self._loop else AvroDeserializer
        return self._call(kind(self.client, rule_registry=rules or self.world.rules()))

    def _call(self, serde: Any) -> Call:
        self._made.append(serde)
        if self._loop is None:
            return serde  # type: ignore[no-any-return]  # it is one or the other
        loop = self._loop
        return lambda value, ctx: loop.run_until_complete(serde(value, ctx))

    def costs(self) -> list[str]:
        """Return what was asked since the last time."""
        asked = [
            f"{one.method} {one.path.partition('/v1/')[2]}" for one in self.server.requests(path="/dek-registry/*")
        ]
        asked += self.world.kms.calls
        self.server.clear_requests()
        self.world.kms.calls.clear()
        return asked

    def close(self) -> None:
        if self._loop is None:
            for serde in self._made:
                serde.close()
            self.client.close()
            return
        for serde in self._made:
            self._loop.run_until_complete(serde.aclose())
        self._loop.run_until_complete(self.client.aclose())
        self._loop.close()


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def flavour(request: pytest.FixtureRequest) -> Iterator[Flavour]:
    reset_kms_drivers()
    with SchemaRegistryServer() as server:
        made = Flavour(server, asynchronous=request.param)
        yield made
        made.close()
    reset_kms_drivers()


def deks(subject: str) -> str:
    return f"keks/kek1/deks/{subject}"


@pytest.mark.parametrize("make", [fields, payload])
def test_what_keys_cost(flavour: Flavour, make: Any) -> None:
    orders = deks("orders-value")
    rules = flavour.world.rules()
    write = flavour.writer(make(), rules)
    data = write(ORDER, context())
    # one POST per new object
    assert flavour.costs() == [
        "GET keks/kek1",
        "POST keks",
        f"GET {orders}/versions/1",
        f"POST {orders}",
        "encrypt key1",
    ]
    for _ in range(20):
        data = write(ORDER, context())
    assert flavour.costs() == []
    # a new subject of a KEK that is known
    other = write(ORDER, context("other"))
    assert flavour.costs() == [f"GET {deks('other-value')}/versions/1", f"POST {deks('other-value')}", "encrypt key1"]
    # nothing is known, everything exists
    fresh = flavour.world.rules()
    again, read = flavour.writer(make(), fresh), flavour.reader(fresh)
    again(ORDER, context())
    assert flavour.costs() == ["GET keks/kek1", f"GET {orders}/versions/1", "decrypt key1"]
    # the KEK is known, the data key exists
    again(ORDER, context("other"))
    assert flavour.costs() == [f"GET {deks('other-value')}/versions/1", "decrypt key1"]
    for _ in range(20):
        assert read(data, context()) == ORDER
        assert read(other, context("other")) == ORDER
    # readers take data keys that were deleted, too: another request than that of a writer
    assert flavour.costs() == [
        f"GET {orders}/versions/1",
        f"GET {deks('other-value')}/versions/1",
        "decrypt key1",
        "decrypt key1",
    ]


def test_what_rotation_costs(flavour: Flavour) -> None:
    orders = deks("orders-value")
    write = flavour.writer(fields(**{"encrypt.dek.expiry.days": "1"}))
    write(ORDER, context())
    flavour.costs()
    flavour.world.clock.ms += 2 * DAY_MS
    for _ in range(20):
        write(ORDER, context())
    assert flavour.costs() == [f"GET {orders}/versions/-1", f"POST {orders}", "encrypt key1"]


def test_a_failure_costs_no_more_than_a_success(flavour: Flavour) -> None:
    write = flavour.writer(fields())
    write(ORDER, context("other"))
    flavour.costs()
    flavour.world.kms.error = ConnectionError("down")
    for _ in range(3):
        with pytest.raises(SerializationError) as raised:
            write(ORDER, context())
        assert isinstance(cause(raised), KmsError)
        assert flavour.costs() == [f"GET {deks('orders-value')}/versions/1", "encrypt key1"]


def test_keys_deleted_while_producing(flavour: Flavour) -> None:
    flavour.writer(fields())(ORDER, context())
    keys = flavour.world.keys()
    with keys:
        keys.delete_dek("kek1", "orders-value")
        with pytest.raises(SerializationError) as raised:
            flavour.writer(fields())(ORDER, context())
        failure = cause(raised)
        assert isinstance(failure, DekNotFoundError)
        assert (failure.kek, failure.subject, failure.version) == ("kek1", "orders-value", 1)
        assert "undelete it" in str(failure)
        keys.delete_kek("kek1")
        with pytest.raises(SerializationError) as raised:
            flavour.writer(fields())(ORDER, context())
        failure = cause(raised)
        assert isinstance(failure, EncryptionError)
        assert (failure.kek, failure.subject) == ("kek1", "orders-value")
        assert isinstance(failure, KekNotFoundError), failure


def test_a_kek_that_is_gone_is_asked_for_again(flavour: Flavour) -> None:
    write = flavour.writer(fields())
    write(ORDER, context())
    with flavour.world.keys() as keys:
        for permanent in (False, True):
            keys.delete_dek("kek1", "orders-value", permanent=permanent)
        for permanent in (False, True):
            keys.delete_kek("kek1", permanent=permanent)
    with pytest.raises(SerializationError) as raised:
        write(ORDER, context("other"))
    assert isinstance(cause(raised), KekNotFoundError)
    flavour.costs()
    assert flavour.reader()(write(ORDER, context("other")), context("other")) == ORDER
    assert flavour.costs()[:2] == ["GET keks/kek1", "POST keks"]


def test_two_writers_make_one_key(flavour: Flavour) -> None:
    """The second one finds the key made between its look and its own."""
    first, second = flavour.writer(fields()), flavour.writer(fields())
    flavour.writer(fields())(ORDER, context("other"))  # the KEK is there
    flavour.server.add_fault(method="GET", path="/dek-registry/*/orders-value/*", status=404, times=2)
    one, two = first(ORDER, context()), second(ORDER, context())
    posts = flavour.server.requests("POST", "/dek-registry/*/orders-value")
    assert [post.status for post in posts] == [200, 409]
    read = flavour.reader()
    assert read(one, context()) == read(two, context()) == ORDER
    with flavour.world.keys() as keys:
        assert keys.get_dek_versions("kek1", "orders-value") == [1]
