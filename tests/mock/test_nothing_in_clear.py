# SPDX-License-Identifier: Apache-2.0
"""Whatever fails, nothing that is to be encrypted reaches a topic in clear: the raw records are searched for it.

Every way in which keys can be out of reach, for fields and payloads, by the synchronous and the asyncio producer, with
every action a rule can have for a failure, with a warm key and a cold one.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confluent_kafka import Consumer, Producer, SerializingProducer, TopicPartition
from confluent_kafka.aio import AsyncSerializingProducer
from confluent_kafka.error import SerializationError, ValueSerializationError
from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AsyncAvroSerializer, AvroSerializer
from confluent_kafka.schema_registry.error import EncryptionError
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.dlq.dlq_action import DlqAction
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import (
    register_kms_driver,
    reset_kms_drivers,
)
from confluent_kafka.testing import MockCluster, SchemaRegistryServer
from tests.mock import kit
from tests.unit.encryption_kit import DAY_MS, KEK, World
from tests.unit.rules_kit import rule, schema_with

DEADLINE_S = 60
# What all texts begin with that are to be encrypted; and in base64
IN_CLEAR = (b"hidden", b"aGlkZGVu")
numbers = itertools.count()


@dataclass
class Place:
    """A cluster and a registry; and how much was produced to which topics."""

    cluster: MockCluster
    server: SchemaRegistryServer
    dead: str
    dead_letters: Producer
    topics: dict[str, int] = field(default_factory=dict)

    def records(self) -> list[bytes]:
        """Read everything there is, and check that it is as much as was produced."""
        self.dead_letters.flush(DEADLINE_S)
        with Consumer({**kit.settings(self.cluster), "group.id": "raw", "auto.offset.reset": "earliest"}) as consumer:
            ends = {
                topic: consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=DEADLINE_S)[1]
                for topic in (*self.topics, self.dead)
            }
            assert {topic: ends[topic] for topic in self.topics} == self.topics
            consumer.assign([TopicPartition(topic, 0, 0) for topic in ends])
            found: list[bytes] = []
            while len(found) < sum(ends.values()):
                messages = consumer.consume(min(1000, sum(ends.values()) - len(found)), DEADLINE_S)
                assert messages, f"{len(found)} of {sum(ends.values())} records"
                for message in messages:
                    parts = (message.key(), message.value(), *(value for _, value in message.headers() or ()))
                    found.append(b"\0".join(part for part in parts if isinstance(part, bytes)))
        return found


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with MockCluster(brokers=1) as cluster, SchemaRegistryServer() as server:
        dead = kit.unique_name("dead")
        cluster.create_topic(dead, partitions=1)
        with Producer(kit.settings(cluster)) as producer:
            yield Place(cluster, server, dead, producer)
    reset_kms_drivers()


def _fails(error: Exception) -> Callable[[World, SchemaRegistryServer], None]:
    def set_error(world: World, server: SchemaRegistryServer) -> None:
        world.kms.error = error

    return set_error


def _answers(**fault: Any) -> Callable[[World, SchemaRegistryServer], None]:
    def add(world: World, server: SchemaRegistryServer) -> None:
        server.add_fault(**{"path": "/dek-registry/*", **fault})

    return add


def _forget_key(world: World, server: SchemaRegistryServer) -> None:
    world.kms.secrets = {}


def _change_key(world: World, server: SchemaRegistryServer) -> None:
    # for what is wrapped already: what it wrapped from now on, the next step could not unwrap
    real = world.kms.call

    def call(method: str, name: str, data: bytes) -> bytes:
        if method == "decrypt":
            raise PermissionError("not wrapped with this key")
        return real(method, name, data)

    world.kms.call = call  # type: ignore[method-assign]  # until it is mended


def _expire(world: World, server: SchemaRegistryServer) -> None:
    world.clock.ms += 3 * DAY_MS


def _expire_without_kms(world: World, server: SchemaRegistryServer) -> None:
    _expire(world, server)
    world.kms.error = ConnectionError("down")


def _no_driver(world: World, server: SchemaRegistryServer) -> None:
    reset_kms_drivers()


GARBAGE = {
    "kekName": "k",
    "subject": "s",
    "version": 1,
    "algorithm": "AES256_GCM",
    "encryptedKeyMaterial": base64.b64encode(b"garbage").decode(),
    "ts": 1,
}
BREAKS: dict[str, Callable[[World, SchemaRegistryServer], None]] = {
    "nothing": lambda world, server: None,
    "KMS down": _fails(ConnectionError("down")),
    "KMS slow": _fails(TimeoutError("slow")),
    "KMS denies": _fails(PermissionError("denied")),
    "KMS throttles": _fails(OSError("too many requests")),
    "KMS key deleted": _forget_key,
    "KMS key replaced": _change_key,
    "no driver": _no_driver,
    "registry down": _answers(drop="request"),
    "registry fails": _answers(status=500),
    "registry denies": _answers(status=403),
    "registry throttles": _answers(status=429),
    "registry has no keys": _answers(status=404),
    "registry keeps no keys": _answers(method="POST", status=500),
    "registry's answer is lost": _answers(method="POST", path="/dek-registry/*/deks/*", drop="reply"),
    "registry's key is garbage": _answers(method="GET", path="/dek-registry/*/versions/*", body=GARBAGE),
    "registry answers nonsense": _answers(body=b"<html>"),
    "data key expired": _expire,
    "data key expired, KMS down": _expire_without_kms,
}
ACTIONS = (None, "NONE", "ERROR", "DLQ", "NONE,NONE", "NO SUCH ACTION")


class Stage:
    """One writer with a topic of its own.

    Args:
        place: where it writes to.
        payload: whether it encrypts payloads.
        action: what its rule does about a failure.
        days: after how many days its data keys are too old.
    """

    def __init__(self, place: Place, *, payload: bool, action: str | None, days: str) -> None:
        self.place, self.payload = place, payload
        self.topic = kit.unique_name("clear")
        place.cluster.create_topic(self.topic, partitions=1)
        place.topics[self.topic] = 0
        reset_kms_drivers()
        self.world = World({"url": place.server.url, "max.retries": 0, "timeout": DEADLINE_S})
        self.world.client.close()
        self.kek = f"kek{next(numbers)}"
        params = {**KEK, "encrypt.kek.name": self.kek, "encrypt.dek.expiry.days": days}
        one = rule(
            "ENCRYPT_PAYLOAD" if payload else "ENCRYPT",
            tags=None if payload else ["PII"],
            params=params,
            on_failure=action,
        )
        self.schema = schema_with(encoding=[one]) if payload else schema_with([one])
        self.client: Any = None
        self.rules = self.world.rules()
        dlq: dict[str, Any] = {"dlq.topic": place.dead, "producer": place.dead_letters}
        self.rules.register_action(DlqAction(dlq))

    def order(self) -> dict[str, Any]:
        """An object whose tagged texts all begin as ``IN_CLEAR`` says."""
        number = next(numbers)
        card, note, photo = f"hidden-card-{number}", f"hidden-note-{number}", f"hidden-photo-{number}".encode()
        return {"id": number, "card": card, "note": note, "photo": photo, "emails": [card], "phones": {"home": note}}

    def before(self, name: str, *, cold: bool) -> None:
        """Mend everything, then break one thing."""
        self.place.server.clear_faults()
        world = self.world
        world.kms.error, world.kms.secrets = None, {"key1": "s3cr3t"}
        vars(world.kms).pop("call", None)
        reset_kms_drivers()
        register_kms_driver(world.kms)
        executors: list[Any] = [getattr(one, "executor", one) for one in self.rules.get_executors()]
        if cold:
            for executor in executors:
                executor.keys.clear()
                executor.client.clear_caches()
        for client in (self.client, *(executor.client for executor in executors)):
            health = client._rest_client.link.health
            for url in health.order():
                health.succeeded(url)  # else it would not ask again so soon after the last failure
        BREAKS[name](world, self.place.server)

    def judge(self, name: str, raised: ValueSerializationError | None) -> None:
        """Check what came out of one attempt."""
        self.place.server.clear_faults()
        if raised is None:
            self.place.topics[self.topic] += 1
            return
        assert name != "nothing", f"{self.kek}: {raised}"
        failure = raised.exception
        causes: list[BaseException | None] = [failure]
        while causes[-1] is not None and not isinstance(causes[-1], EncryptionError):
            causes.append(causes[-1].__cause__)
        reason = causes[-1]
        assert isinstance(reason, EncryptionError), f"{name}: {causes}"
        assert isinstance(failure, SerializationError) or "NO SUCH ACTION" in str(failure)
        assert (reason.kek, reason.subject) == (self.kek, f"{self.topic}-value")
        assert self.kek in str(failure) or "Could not find rule action" in str(failure) or "Rule failed" in str(failure)
        assert not any(text.decode() in str(raised) for text in IN_CLEAR)

    def run(self, steps: list[tuple[str, bool]], *, asynchronous: bool) -> None:
        """Try to produce one record per step: what is broken, whether the keys are cold."""
        if asynchronous:
            asyncio.run(self._run_async(steps))
            return
        with SchemaRegistryClient(self.world.conf) as client:
            self.client = client
            write = AvroSerializer(client, self.schema, rule_registry=self.rules)
            conf = {**kit.settings(self.place.cluster), "value.serializer": write}
            with SerializingProducer[Any, Any](conf) as producer:
                for name, cold in steps:
                    self.before(name, cold=cold)
                    raised = None
                    try:
                        producer.produce(self.topic, value=self.order())
                    except ValueSerializationError as e:
                        raised = e
                    self.judge(name, raised)
                assert producer.flush(DEADLINE_S) == 0
            write.close()

    async def _run_async(self, steps: list[tuple[str, bool]]) -> None:
        async with AsyncSchemaRegistryClient(self.world.conf) as client:
            self.client = client
            write = AsyncAvroSerializer(client, self.schema, rule_registry=self.rules)
            conf: Any = {**kit.settings(self.place.cluster), "value.serializer": write}
            producer: Any = AsyncSerializingProducer(conf)
            async with producer:
                futures = []
                for name, cold in steps:
                    self.before(name, cold=cold)
                    raised = None
                    try:
                        futures.append(await producer.produce(self.topic, value=self.order()))
                    except ValueSerializationError as e:
                        raised = e
                    self.judge(name, raised)
                await asyncio.wait_for(asyncio.gather(*futures), DEADLINE_S)
            await write.aclose()


def assert_nothing_in_clear(place: Place) -> int:
    records = place.records()
    for record in records:
        assert not any(text in record for text in IN_CLEAR), record
    return len(records)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("payload", [False, True], ids=["fields", "payload"])
def test_every_failure(place: Place, payload: bool, asynchronous: bool) -> None:
    refused = 0
    for action, days in (*((action, "0") for action in ACTIONS), (None, "1"), ("NONE", "1")):
        stage = Stage(place, payload=payload, action=action, days=days)
        # cold before there is any key, warm, then cold with keys in the registry
        steps = [(name, True) for name in BREAKS if name != "nothing"]
        steps += [("nothing", True), *((name, False) for name in BREAKS), *((name, True) for name in BREAKS)]
        stage.run(steps, asynchronous=asynchronous)
        refused += len(steps) - place.topics[stage.topic]
        assert place.topics[stage.topic] >= 2 + len(BREAKS) - 2  # with a warm key nothing has to be fetched
    assert refused > 200
    # and those in the dead letter queue
    assert assert_nothing_in_clear(place) > sum(place.topics.values()) + 10


@pytest.mark.timeout(300)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    payload=st.booleans(),
    asynchronous=st.booleans(),
    action=st.sampled_from(ACTIONS),
    days=st.sampled_from(["0", "1"]),
    steps=st.lists(st.tuples(st.sampled_from(sorted(BREAKS)), st.booleans()), min_size=1, max_size=6),
)
def test_any_sequence_of_failures(
    place: Place, payload: bool, asynchronous: bool, action: str | None, days: str, steps: list[tuple[str, bool]]
) -> None:
    stage = Stage(place, payload=payload, action=action, days=days)
    stage.run(steps, asynchronous=asynchronous)
    # this one's alone: all of them are searched by the test before
    own = Place(place.cluster, place.server, place.dead, place.dead_letters, {stage.topic: place.topics[stage.topic]})
    assert_nothing_in_clear(own)


class Unenforced(Stage):
    """A writer whose rules cannot run: no executor is there, or the registry has dropped them."""

    def __init__(self, place: Place, missing: str) -> None:
        super().__init__(place, payload=False, action="NONE", days="0")
        self.missing = missing
        self.refusals: list[str] = []
        if missing == "executor":
            self.rules = RuleRegistry()

    def before(self, name: str, *, cold: bool) -> None:
        if self.missing == "rule set":
            kept = {
                "schema": self.schema.schema_str,
                "schemaType": "AVRO",
                "id": 77,
                "guid": str(uuid.uuid4()),
                "version": 1,
            }
            self.place.server.add_fault(path="/subjects/*", body={**kept, "subject": f"{self.topic}-value"})

    def judge(self, name: str, raised: ValueSerializationError | None) -> None:
        self.place.server.clear_faults()
        self.refusals.append(str(raised))


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("missing", ["executor", "rule set"])
def test_rules_that_cannot_run(place: Place, missing: str, asynchronous: bool) -> None:
    stage = Unenforced(place, missing)
    stage.run([("nothing", True)] * 2, asynchronous=asynchronous)
    assert all("nothing is written without" in refusal for refusal in stage.refusals), stage.refusals
    assert len(stage.refusals) == 2
    assert_nothing_in_clear(place)


def test_the_search_finds_clear_text(place: Place) -> None:
    own = Place(place.cluster, place.server, place.dead, place.dead_letters)
    stage = Stage(own, payload=False, action=None, days="0")
    stage.schema = schema_with([])
    stage.run([("nothing", True)], asynchronous=False)
    assert own.topics[stage.topic] == 1
    with pytest.raises(AssertionError, match="hidden-card"):
        assert_nothing_in_clear(own)
