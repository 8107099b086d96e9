# SPDX-License-Identifier: Apache-2.0
"""Client-side encryption with keys from a secret and a registry in memory: formats, keys, failures, secrets."""

from __future__ import annotations

import asyncio
import base64
import copy
import gc
import itertools
import logging
import pickle
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confluent_kafka.schema_registry import RuleMode, Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AvroDeserializer,
    AvroSerializer,
)
from confluent_kafka.schema_registry.error import (
    DecryptionError,
    DekNotFoundError,
    EncryptionError,
    KekNotFoundError,
    KmsError,
    RuleError,
    SchemaRegistryError,
)
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption._crypto import DataKey, generate_material
from confluent_kafka.schema_registry.rules.encryption._keys import KeyId, KeyRing
from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import (
    Dek,
    DekAlgorithm,
    DekRegistryClient,
    Kek,
    KekKmsProps,
)
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import (
    AeadWrapper,
    Clock,
    Cryptor,
    EncryptionExecutor,
    FieldEncryptionExecutor,
)
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import (
    KmsDriver,
    get_kms_driver,
    register_kms_driver,
    reset_kms_drivers,
)
from confluent_kafka.schema_registry.rules.encryption.localkms.local_client import LocalKmsClient
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import SerializationError
from tests.unit.rules_kit import context, rule, schema_with

SECRET = "s3cr3t-of-this-test"  # not one
KEK = {"encrypt.kek.name": "kek1", "encrypt.kms.type": "fake-kms", "encrypt.kms.key.id": "key1"}
ORDER = {
    "id": 1,
    "card": "4111-1111-1111",
    "note": "a note to hide",
    "photo": b"photo to hide",
    "emails": ["jane@hidden.example"],
    "phones": {"home": "555-hidden"},
    "address": {"street": "1 Hidden Street", "city": "Openville", "other": None},
}
HIDDEN = [b"4111-1111-1111", b"a note to hide", b"photo to hide", b"jane@hidden", b"555-hidden", b"1 Hidden Street"]
DAY_MS = 24 * 60 * 60 * 1000
names = (f"topic{number}" for number in itertools.count())


class FakeKms(KmsDriver):
    """Keys from a secret, which can fail, be slow, and counts calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.error: Exception | None = None
        self.gate: threading.Event | None = None
        self.secrets = {"key1": SECRET}
        self.configs: list[dict[str, Any]] = []

    def get_key_url_prefix(self) -> str:
        return "fake-kms://"

    def new_kms_client(self, conf: dict[str, Any], key_url: str | None) -> Any:
        self.configs.append(conf)
        return self

    def does_support(self, key_uri: str) -> bool:
        return True

    def get_aead(self, key_uri: str) -> Any:
        driver, name = self, key_uri.partition("://")[2]

        class Aead:
            def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
                return driver.call("encrypt", name, plaintext)

            def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
                return driver.call("decrypt", name, ciphertext)

        return Aead()

    def call(self, method: str, name: str, data: bytes) -> bytes:
        self.calls.append(f"{method} {name}")
        if self.gate is not None:
            assert self.gate.wait(30)
        if self.error is not None:
            raise self.error
        if name not in self.secrets:
            raise KeyError(f"no key {name}")
        result: bytes = getattr(LocalKmsClient(self.secrets[name]).get_aead("local-kms://x"), method)(data, b"")
        return result


class Manual(Clock):
    def __init__(self) -> None:
        self.ms = int(time.time() * 1000)

    def now(self) -> int:
        return self.ms


class World:
    """A registry in memory, a KMS, and executors over both."""

    def __init__(self) -> None:
        self.conf = {"url": f"mock://{next(names)}?shared=true"}
        self.client = SchemaRegistryClient(self.conf)
        self.kms = FakeKms()
        register_kms_driver(self.kms)
        self.clock = Manual()

    def rules(self) -> RuleRegistry:
        registry = RuleRegistry()
        registry.register_executor(FieldEncryptionExecutor(self.clock))
        registry.register_executor(EncryptionExecutor(self.clock))
        return registry

    def writer(self, schema: Schema | str, rules: RuleRegistry | None = None, **conf: Any) -> AvroSerializer:
        return AvroSerializer(self.client, schema, rule_conf=conf, rule_registry=rules or self.rules())

    def reader(self, rules: RuleRegistry | None = None, schema: Any = None, **conf: Any) -> AvroDeserializer:
        return AvroDeserializer(self.client, schema, rule_conf=conf, rule_registry=rules or self.rules())

    def keys(self) -> DekRegistryClient:
        return DekRegistryClient(self.conf)


@pytest.fixture
def world() -> Iterator[World]:
    reset_kms_drivers()
    yield World()
    reset_kms_drivers()


def fields(**params: str) -> Schema:
    return schema_with([rule(tags=["PII"], params={**KEK, **params})])


def payload(**params: str) -> Schema:
    return schema_with(encoding=[rule("ENCRYPT_PAYLOAD", params={**KEK, **params})])


def cause(raised: pytest.ExceptionInfo[BaseException]) -> Any:
    assert type(raised.value) is SerializationError
    return raised.value.__cause__


class TestLayout:
    """Bytes that another client of the same layout has written."""

    VECTORS = (
        ("AES128_GCM", "1a10000102030405060708090a0b0c0d0e0f", ""),
        ("AES256_GCM", "1a20" + bytes(range(32)).hex(), ""),
        ("AES256_SIV", "1240" + bytes(range(64)).hex(), "SIV"),
    )

    @pytest.mark.parametrize("algorithm", list(DekAlgorithm))
    @pytest.mark.parametrize("data", [b"", b"x", bytes(range(256))])
    def test_there_and_back(self, algorithm: DekAlgorithm, data: bytes) -> None:
        key = DataKey(algorithm, generate_material(algorithm))
        sealed = key.encrypt(data, b"head")
        assert sealed.startswith(b"head")
        assert len(sealed) == 4 + len(data) + (16 if algorithm is DekAlgorithm.AES256_SIV else 28)
        assert key.decrypt(sealed[4:]) == data
        assert (key.encrypt(data) == key.encrypt(data)) is (algorithm is DekAlgorithm.AES256_SIV)

    def test_material(self) -> None:
        for algorithm, start, size in (("AES128_GCM", b"\x1a\x10", 16), ("AES256_GCM", b"\x1a\x20", 32)):
            material = generate_material(DekAlgorithm(algorithm))
            assert material.startswith(start)
            assert len(material) == 2 + size
        assert generate_material(DekAlgorithm.AES256_SIV).startswith(b"\x12\x40")

    def test_material_with_a_version(self) -> None:
        material = b"\x08\x00" + bytes(generate_material(DekAlgorithm.AES128_GCM))
        DataKey(DekAlgorithm.AES128_GCM, material)

    @pytest.mark.parametrize("material", [b"", b"\x1a", b"\x1a\x10short", b"\x1a\x20" + bytes(32), b"\xff" * 20])
    def test_wrong_material(self, material: bytes) -> None:
        with pytest.raises(ValueError, match="not that of an AES128_GCM key"):
            DataKey(DekAlgorithm.AES128_GCM, material)

    @given(st.binary(max_size=40))
    def test_arbitrary_material_never_crashes(self, material: bytes) -> None:
        try:
            DataKey(DekAlgorithm.AES128_GCM, material)
        except ValueError:
            pass

    def test_siv_vector(self) -> None:
        # RFC 5297's S2V over one empty component of associated data, as Tink has it
        cryptor = Cryptor(DekAlgorithm.AES256_SIV)
        material = bytes.fromhex("1240" + bytes(range(64)).hex())
        assert cryptor.encrypt(material, b"plaintext").hex() == SIV_VECTOR
        assert cryptor.decrypt(material, bytes.fromhex(SIV_VECTOR)) == b"plaintext"

    def test_local_kms_vector(self) -> None:
        aead = LocalKmsClient("mysecret").get_aead("local-kms://any")
        assert aead.decrypt(bytes.fromhex(LOCAL_VECTOR), b"") == b"wrapped by another client"


SIV_VECTOR = "aa1023770fc3ce167b3df8ef13a387434bdad7d447fab093e2"
LOCAL_VECTOR = (
    "740edd23c5a516fd8e1b93fae5fd5ca5b71c034436e68f19a151106f698128a9fe63a22ea4f0fe58e8b62997a69cd3f678fc467f87"
)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=5)


class TestRoundTrip:
    @pytest.mark.parametrize("algorithm", [algorithm.value for algorithm in DekAlgorithm])
    @pytest.mark.parametrize("days", ["0", "1"])
    @pytest.mark.parametrize("make", [fields, payload])
    def test_sync(self, world: World, algorithm: str, days: str, make: Any) -> None:
        schema = make(**{"encrypt.dek.algorithm": algorithm, "encrypt.dek.expiry.days": days})
        order = copy.deepcopy(ORDER)
        write, read = world.writer(schema), world.reader()
        for _ in range(3):
            data = write(order, context())
            assert data is not None
            assert order == ORDER
            assert not any(hidden in data for hidden in HIDDEN)
            assert (b"Openville" in data) is (make is fields)
            assert read(data, context()) == ORDER
        assert write.serialize_many([order, None], context())[1] is None
        assert read.deserialize_many([data, None], context()) == [ORDER, None]
        assert world.kms.calls == ["encrypt key1", "decrypt key1"]

    @pytest.mark.parametrize("make", [fields, payload])
    def test_async(self, world: World, make: Any) -> None:
        async def main() -> None:
            write = AsyncAvroSerializer(world.client, make(), rule_registry=world.rules())
            read = AsyncAvroDeserializer(world.client, rule_registry=world.rules())
            data = await write(ORDER, context())
            assert data is not None
            assert not any(hidden in data for hidden in HIDDEN)
            assert await read(data, context()) == ORDER

        asyncio.run(main())

    def test_layout_of_fields(self, world: World) -> None:
        data = world.writer(fields(**{"encrypt.dek.expiry.days": "1"}))({**ORDER, "photo": b""}, context())
        assert data is not None
        raw = AvroDeserializer(world.client, rule_registry=_without(world))(data, context())
        for text in (raw["card"], raw["emails"][0], raw["address"]["street"]):
            assert base64.b64decode(text, validate=True)[:5] == struct.pack(">bI", 0, 1)
        assert raw["photo"][:5] == struct.pack(">bI", 0, 1)
        assert len(raw["photo"]) == 5 + 28
        assert raw["address"]["city"] == "Openville"

    @given(card=TEXT, note=st.none() | TEXT, emails=st.lists(TEXT))
    @settings(deadline=None, max_examples=60)
    def test_plaintext_is_never_written(self, card: str, note: str | None, emails: list[str]) -> None:
        reset_kms_drivers()
        world = World()
        order = {**ORDER, "card": card, "note": note, "emails": emails}
        for schema in (fields(), payload()):
            data = world.writer(schema)(order, context(next(names)))
            assert data is not None
            for text in (card, note, *emails):
                assert text is None or text.encode() not in data

    def test_own_schema_of_the_reader_has_no_rules(self, world: World) -> None:
        schema = fields()
        data = world.writer(schema)(ORDER, context())
        assert world.reader(schema=schema.schema_str)(data, context()) == ORDER

    def test_subjects_have_keys_of_their_own(self, world: World) -> None:
        write, read = world.writer(fields()), world.reader()
        for topic in ("a", "b"):
            assert read(write(ORDER, context(topic)), context(topic)) == ORDER
        assert sorted(world.keys().get_deks("kek1")) == ["a-value", "b-value"]

    def test_contexts(self, world: World) -> None:
        conf = {"subject.name.strategy": lambda ctx, name: ":.ctx:orders"}
        write = AvroSerializer(world.client, fields(), conf=conf, rule_registry=world.rules())
        read = AvroDeserializer(world.client, conf=conf, rule_registry=world.rules())
        assert read(write(ORDER, context()), context()) == ORDER
        assert world.keys().get_kek("kek1", context=".ctx").name == "kek1"


def _without(world: World) -> RuleRegistry:
    """A registry whose ENCRYPT leaves everything as it is."""
    from tests.unit.rules_kit import Mark

    registry = RuleRegistry()
    registry.register_executor(Mark("ENCRYPT", []))
    return registry


class TestKeys:
    def test_requests(self, world: World) -> None:
        asked: list[str] = []

        def counting(registry: RuleRegistry) -> RuleRegistry:
            executor: Any = registry.get_executor("ENCRYPT")
            executor.configure(world.conf, {})
            client = executor.client
            inner = client._rest_client._send

            def send(request: Any) -> Any:
                asked.append(f"{request.method} {request.url.partition('/v1/')[2].partition('?')[0]}")
                return inner(request)

            client._rest_client._send = send
            return registry

        base = "keks/kek1/deks/orders-value"
        write = world.writer(fields(), counting(world.rules()))
        for _ in range(3):
            data = write(ORDER, context())
        assert asked == ["GET keks/kek1", "POST keks", f"GET {base}/versions/1", f"POST {base}"]
        asked.clear()
        read = world.reader(counting(world.rules()))
        for _ in range(3):
            read(data, context())
        assert asked == ["GET keks/kek1", f"GET {base}/versions/1"]
        asked.clear()
        # another subject: the KEK is known
        write(ORDER, context("others"))
        assert asked == ["GET keks/kek1/deks/others-value/versions/1", "POST keks/kek1/deks/others-value"]

    def test_one_unwrap_for_many_tasks(self, world: World) -> None:
        data = world.writer(fields())(ORDER, context())
        world.kms.calls.clear()

        async def main() -> None:
            read = AsyncAvroDeserializer(world.client, rule_registry=world.rules())
            world.kms.gate = threading.Event()
            tasks = [asyncio.ensure_future(read(data, context())) for _ in range(200)]
            ticks = 0
            while not world.kms.calls:
                await asyncio.sleep(0.001)  # the loop runs while the KMS is waited for
                ticks += 1
            assert ticks
            world.kms.gate.set()
            assert await asyncio.gather(*tasks) == [ORDER] * 200

        asyncio.run(main())
        assert world.kms.calls == ["decrypt key1"]

    def test_one_unwrap_for_many_threads(self, world: World) -> None:
        data = world.writer(fields())(ORDER, context())
        world.kms.calls.clear()
        read = world.reader()
        world.kms.gate = threading.Event()
        with ThreadPoolExecutor(30) as pool:
            futures = [pool.submit(read, data, context()) for _ in range(30)]
            deadline = time.monotonic() + 30
            while not world.kms.calls and time.monotonic() < deadline:
                time.sleep(0.001)
            world.kms.gate.set()
            assert [future.result(30) for future in futures] == [ORDER] * 30
        assert world.kms.calls == ["decrypt key1"]

    def test_rotation_while_producing(self, world: World) -> None:
        write, read = world.writer(fields(**{"encrypt.dek.expiry.days": "2"})), world.reader()
        first = write(ORDER, context())
        world.clock.ms += 2 * DAY_MS - 60_000
        assert _version(write(ORDER, context())) == 1
        world.clock.ms += 120_000
        second = write(ORDER, context())
        assert (_version(first), _version(second)) == (1, 2)
        assert read(first, context()) == read(second, context()) == ORDER
        assert world.keys().get_dek_versions("kek1", "orders-value") == [1, 2]

    def test_rotation_that_fails(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        write = world.writer(fields(**{"encrypt.dek.expiry.days": "1"}))
        write(ORDER, context())
        world.clock.ms += 2 * DAY_MS
        real = world.kms.call

        def failing(method: str, name: str, data: bytes) -> bytes:
            if method == "encrypt":
                raise OSError("down")
            return real(method, name, data)

        world.kms.call = failing  # type: ignore[method-assign]  # on purpose
        for _ in range(3):
            assert _version(write(ORDER, context())) == 1
        assert "going on with version 1" in caplog.text

    def test_two_writers_make_the_same_key(self, world: World) -> None:
        writers = [world.writer(fields()) for _ in range(8)]
        barrier = threading.Barrier(8)

        def write(one: AvroSerializer) -> bytes | None:
            barrier.wait(30)
            return one(ORDER, context())

        with ThreadPoolExecutor(8) as pool:
            written = list(pool.map(write, writers))
        read = world.reader()
        assert [read(data, context()) for data in written] == [ORDER] * 8
        assert world.keys().get_dek_versions("kek1", "orders-value") == [1]

    def test_conflicts(self, world: World) -> None:
        """Both keys are made by somebody else between looking and making."""
        other, mine = world.writer(fields()), world.writer(fields())
        executor: Any = mine._rule_registry.get_executor("ENCRYPT")
        client = executor.client
        get_kek, get_dek, once = client.get_kek, client.get_dek, set()

        def missing_at_first(name: str, get: Any) -> Any:
            def call(*args: Any, **named: Any) -> Any:
                if name not in once:
                    once.add(name)
                    raise SchemaRegistryError(404, 40470, "Key Not Found")
                return get(*args, **named)

            return call

        data = other(ORDER, context())
        client.get_kek, client.get_dek = missing_at_first("kek", get_kek), missing_at_first("dek", get_dek)
        mine(ORDER, context())
        assert once == {"kek", "dek"}
        keys = [executor.executor.keys._ring for executor in (executor,)]
        assert len(keys[0]) == 1
        assert world.reader(mine._rule_registry)(data, context()) == ORDER

    def test_shared_kek(self, world: World) -> None:
        world.keys().register_kek("kek1", "fake-kms", "key1", shared=True)
        executor_rules = world.rules()
        registry: Any = executor_rules.get_executor("ENCRYPT")
        registry.configure(world.conf, {})
        client, made = registry.client, []

        def register_dek(kek: str, subject: str, wrapped: str | None, algorithm: Any, version: int) -> Dek:
            made.append(wrapped)
            material = base64.b64encode(bytes(generate_material(algorithm))).decode()
            return Dek(kek, subject, version, algorithm, "d3JhcHBlZA==", material, 1)

        client.register_dek = register_dek
        data = world.writer(fields(), executor_rules)(ORDER, context())
        assert made == [None]
        assert data is not None
        assert not any(hidden in data for hidden in HIDDEN)
        assert world.kms.calls == []
        assert client._registry.deks == {}

    def test_alternate_keys(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        world.kms.secrets = {"other": SECRET}
        conf: dict[str, Any] = {"encrypt.alternate.kms.key.ids": " nothing, other ,"}
        data = world.writer(fields(), **conf)(ORDER, context())
        assert world.reader(**conf)(data, context()) == ORDER
        assert world.kms.calls[:3] == ["encrypt key1", "encrypt nothing", "encrypt other"]
        with pytest.raises(SerializationError) as raised:
            world.reader()(data, context())
        assert isinstance(cause(raised), KmsError)

    def test_properties_of_the_kek_win(self, world: World) -> None:
        world.keys().register_kek("kek1", "fake-kms", "key1", kms_props={"region": "there", "token": "hide me"})
        world.writer(fields(), region="here", zone="1")(ORDER, context())
        assert world.kms.configs == [{"region": "there", "zone": "1", "token": "hide me"}]
        assert "hide me" not in repr(world.keys().get_kek("kek1"))

    def test_keys_end(self, world: World) -> None:
        write = world.writer(fields(), None, **{"encrypt.key.cache.ttl.sec": 10})
        ring = write._rule_registry.get_executor("ENCRYPT").executor.keys._ring
        now = 0.0
        ring.clock = lambda: now
        write(ORDER, context())
        now = 9.0
        write(ORDER, context())
        assert world.kms.calls == ["encrypt key1"]
        now = 10.0
        world.kms.error = PermissionError("revoked")
        with pytest.raises(SerializationError) as raised:
            write(ORDER, context())
        assert isinstance(cause(raised), KmsError)
        assert len(ring) == 0


def _version(data: bytes | None) -> int:
    assert data is not None
    text = data[8:16]  # after magic, id, the int 1 and the text's length: 2 bytes
    return int(struct.unpack(">bI", base64.b64decode(text)[:5])[1])


class TestFailures:
    """Nothing is written in clear, and the error says what was about which key."""

    @pytest.mark.parametrize("make", [fields, payload])
    @pytest.mark.parametrize("action", [None, "NONE"])
    @pytest.mark.parametrize(
        "error", [ConnectionError("down"), TimeoutError("slow"), PermissionError("denied"), OSError("throttled")]
    )
    def test_kms(self, world: World, make: Any, action: str | None, error: Exception) -> None:
        world.kms.error = error
        kind = "ENCRYPT" if make is fields else "ENCRYPT_PAYLOAD"
        one = rule(kind, tags=["PII"] if make is fields else None, params=KEK, on_failure=action)
        schema = schema_with([one]) if make is fields else schema_with(encoding=[one])
        write = world.writer(schema)
        for _ in range(2):
            with pytest.raises(SerializationError) as raised:
                write(ORDER, context())
            failure = cause(raised)
            assert isinstance(failure, KmsError)
            assert failure.__cause__ is error
            assert (failure.kek, failure.subject, failure.version) == ("kek1", "orders-value", 1)
            assert "kek1" in str(raised.value)
            assert str(error) in str(raised.value)
        world.kms.error = None
        assert write(ORDER, context()) is not None

    def test_driver_missing(self, world: World) -> None:
        reset_kms_drivers()
        with pytest.raises(SerializationError, match="no KMS driver found for key URL: fake-kms://key1") as raised:
            world.writer(fields())(ORDER, context())
        assert isinstance(cause(raised), KmsError)
        with pytest.raises(RuleError, match="no KMS driver found"):
            get_kms_driver("none://x")

    def test_reading_without_keys(self, world: World) -> None:
        schema = fields()
        data = world.writer(schema)(ORDER, context())
        keys = world.keys()
        keys.delete_dek("kek1", "orders-value")
        assert world.reader()(data, context()) == ORDER  # deleted keys still decrypt
        keys.delete_dek("kek1", "orders-value", permanent=True)
        with pytest.raises(SerializationError) as raised:
            world.reader()(data, context())
        failure = cause(raised)
        assert isinstance(failure, DekNotFoundError)
        assert (failure.kek, failure.subject, failure.version) == ("kek1", "orders-value", 1)
        keys.delete_kek("kek1")
        keys.delete_kek("kek1", permanent=True)
        with pytest.raises(SerializationError) as raised:
            world.reader()(data, context())
        assert isinstance(cause(raised), KekNotFoundError)

    def test_wrong_key(self, world: World) -> None:
        data = world.writer(fields())(ORDER, context())
        world.kms.secrets["key1"] = "another secret"
        with pytest.raises(SerializationError) as raised:
            world.reader()(data, context())
        assert isinstance(cause(raised), KmsError)

    @pytest.mark.parametrize("make", [fields, payload])
    def test_tampered(self, world: World, make: Any) -> None:
        data = world.writer(make())(ORDER, context())
        assert data is not None
        read = world.reader()
        for position in (8, 12, 30):
            changed = bytearray(data)
            changed[position] = changed[position] + 1 if make is payload else (65 if changed[position] != 65 else 66)
            with pytest.raises(SerializationError) as raised:
                read(bytes(changed), context())
            failure = cause(raised)
            assert isinstance(failure, DecryptionError)
            assert (failure.kek, failure.subject) == ("kek1", "orders-value")

    def test_cut_off(self, world: World) -> None:
        data = world.writer(payload(**{"encrypt.dek.expiry.days": "1"}))(ORDER, context())
        assert data is not None
        read = world.reader()
        for length in range(6, len(data)):
            with pytest.raises(SerializationError) as raised:
                read(data[:length], context())
            assert isinstance(cause(raised), (DecryptionError, DekNotFoundError))

    def test_clear_text_where_ciphertext_is_expected(self, world: World) -> None:
        schema = fields()
        world.writer(schema)(ORDER, context())
        rules = _without(world)
        data = AvroSerializer(world.client, schema, rule_registry=rules)(ORDER, context())
        with pytest.raises(SerializationError, match="not base64") as raised:
            world.reader()(data, context())
        assert isinstance(cause(raised), DecryptionError)

    @pytest.mark.parametrize(
        ("params", "text"),
        [
            ({}, "no kek name found"),
            ({"encrypt.kek.name": ""}, "empty kek name"),
            ({"encrypt.kek.name": "k"}, "no kms type found for k during produce"),
            ({"encrypt.kek.name": "k", "encrypt.kms.type": "fake-kms"}, "no kms key id found for k during produce"),
            ({**KEK, "encrypt.dek.expiry.days": "x"}, "invalid value for encrypt.dek.expiry.days: x"),
            ({**KEK, "encrypt.dek.expiry.days": "-1"}, "invalid value for encrypt.dek.expiry.days: -1"),
            ({**KEK, "encrypt.dek.algorithm": "ROT13"}, "ROT13"),
        ],
    )
    def test_parameters(self, world: World, params: dict[str, str], text: str) -> None:
        with pytest.raises(SerializationError, match=text) as raised:
            world.writer(schema_with([rule(tags=["PII"], params=params, on_failure="NONE")]))(ORDER, context())
        assert isinstance(cause(raised), (RuleError, KeyError))

    def test_kek_of_another_kms(self, world: World) -> None:
        world.keys().register_kek("kek1", "aws-kms", "arn")
        with pytest.raises(SerializationError, match="kms type aws-kms which differs from rule kms type fake-kms"):
            world.writer(fields())(ORDER, context())
        world.keys().register_kek("kek2", "fake-kms", "elsewhere")
        with pytest.raises(SerializationError, match="kms key id elsewhere which differs from rule kms key id key1"):
            world.writer(fields(**{"encrypt.kek.name": "kek2"}))(ORDER, context())

    def test_types_that_cannot_be_encrypted(self, world: World) -> None:
        for kind in ("int", {"type": "fixed", "name": "F", "size": 2}, {"type": "string", "logicalType": "uuid"}):
            text = {"type": "record", "name": "T", "fields": [{"name": "f", "type": kind, "confluent:tags": ["PII"]}]}
            value = 5 if kind == "int" else b"ab" if "fixed" in str(kind) else "6f1c3a34-8d1f-4a55-9f3f-6f5f1c1f1c1f"
            write = world.writer(schema_with([rule(tags=["PII"], params=KEK, on_failure="NONE")], text=text))
            with pytest.raises(SerializationError, match="not supported for encryption"):
                write({"f": value}, context(next(names)))

    def test_schema_without_fields(self, world: World) -> None:
        write = world.writer(schema_with([rule(params=KEK)], text={"type": "string"}))
        with pytest.raises(SerializationError, match="use ENCRYPT_PAYLOAD"):
            write("secret", context())

    def test_registry_down(self, world: World) -> None:
        executor: Any = world.rules().get_executor("ENCRYPT")
        rules = RuleRegistry()
        rules.register_executor(executor)
        write = world.writer(fields(), rules)
        for failure, text in (
            (SchemaRegistryError(500, 50070, "broken"), "could not get kek kek1"),
            (ConnectionError("down"), "could not get kek kek1"),
        ):
            executor.client.get_kek = _raising(failure)
            with pytest.raises(SerializationError, match=text) as raised:
                write(ORDER, context())
            assert isinstance(cause(raised), EncryptionError)
            assert cause(raised).__cause__ is failure


def _raising(error: Exception) -> Any:
    def call(*args: Any, **named: Any) -> Any:
        raise error

    return call


class TestConfiguration:
    def test_once(self) -> None:
        executor = FieldEncryptionExecutor()
        executor.configure({"url": "mock://"}, {"a": "1"})
        executor.configure({"url": "mock://"}, {"a": "1", "b": "2"})
        assert executor.executor.config == {"a": "1", "b": "2"}
        with pytest.raises(RuleError, match="executor already configured"):
            executor.configure({"url": "mock://other"}, {})
        with pytest.raises(RuleError, match="rule config key already set: a"):
            executor.configure({"url": "mock://"}, {"a": "2"})
        executor.close()

    def test_not_at_all(self) -> None:
        with pytest.raises(RuleError, match="client not configured"):
            _ = EncryptionExecutor().keys

    def test_global_registry(self, world: World) -> None:
        registry = RuleRegistry.get_global_instance()
        try:
            FieldEncryptionExecutor.register_with_clock(world.clock)
            EncryptionExecutor.register()
            data = AvroSerializer(world.client, fields())(ORDER, context())
            assert AvroDeserializer(world.client)(data, context()) == ORDER
        finally:
            registry.clear()

    def test_local_driver(self, monkeypatch: pytest.MonkeyPatch) -> None:
        LocalKmsDriver.register()
        driver = get_kms_driver("local-kms://x")
        monkeypatch.delenv("LOCAL_SECRET", raising=False)
        with pytest.raises(RuleError, match="cannot load secret"):
            driver.new_kms_client({}, "local-kms://x")
        monkeypatch.setenv("LOCAL_SECRET", "a")
        one, two = driver.new_kms_client({}, None), driver.new_kms_client({"secret": "a"}, None)
        assert two.get_aead("x").decrypt(one.get_aead("y").encrypt(b"key", b""), b"") == b"key"
        with pytest.raises(RuleError, match="not wrapped with this secret"):
            LocalKmsClient("b").get_aead("x").decrypt(one.get_aead("y").encrypt(b"key", b""), b"")
        reset_kms_drivers()

    def test_aead_wrapper(self, world: World) -> None:
        kek = Kek("kek1", "fake-kms", "key1", KekKmsProps({}), None, False)
        wrapper = AeadWrapper({}, kek)
        assert wrapper.decrypt(wrapper.encrypt(b"key", b""), b"") == b"key"
        world.kms.error = OSError("down")
        with pytest.raises(RuleError, match="failed to encrypt with all KEKs for kek1"):
            wrapper.encrypt(b"key", b"")

    def test_subclass(self, world: World) -> None:
        """A class of the application's over ours goes the long way, with the same result."""

        class Mine(FieldEncryptionExecutor):
            def new_transform(self, ctx: Any) -> Any:
                inner = super().new_transform(ctx)
                return lambda ctx, field, value: inner(ctx, field, value)

        rules = RuleRegistry()
        rules.register_executor(Mine())
        data = world.writer(fields(), rules)(ORDER, context())
        assert data is not None
        assert not any(hidden in data for hidden in HIDDEN)
        assert world.reader()(data, context()) == ORDER
        assert world.reader(rules)(data, context()) == ORDER


class TestSecrets:
    def test_keys_are_zeroed(self) -> None:
        material = generate_material(DekAlgorithm.AES256_GCM)
        key = DataKey(DekAlgorithm.AES256_GCM, material)
        raw = key._key
        assert bytes(raw) == bytes(material[2:])
        del key
        gc.collect()
        assert bytes(raw) == bytes(32)

    def test_ring(self) -> None:
        ring = KeyRing(2)
        keys = [DataKey(DekAlgorithm.AES128_GCM, generate_material(DekAlgorithm.AES128_GCM)) for _ in range(3)]
        raw = [key._key for key in keys]
        for number, key in enumerate(keys):
            ring.put(KeyId("k", f"s{number}", DekAlgorithm.AES128_GCM, 1, True), key, 1, b"", None)
        assert len(ring) == 2
        del keys, key
        gc.collect()
        assert bytes(raw[0]) == bytes(16)
        assert bytes(raw[2]) != bytes(16)

    def test_representations(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        rules = world.rules()
        write = world.writer(fields(), rules, secret=SECRET)
        write(ORDER, context())
        executor: Any = rules.get_executor("ENCRYPT")
        (cached,) = executor.executor.keys._ring._keys.values()
        raw = bytes(cached.key._key)
        world.kms.error = OSError("down")
        with pytest.raises(SerializationError) as raised:
            world.reader(secret=SECRET)(write(ORDER, context()), context())
        shown = [repr(cached), repr(cached.key), repr(executor.executor.keys), repr(executor), repr(executor.executor)]
        shown += [str(raised.value), str(cause(raised)), repr(cause(raised)), caplog.text]
        for text in shown:
            assert SECRET not in text
            assert raw.hex() not in text
            assert base64.b64encode(raw).decode() not in text
            assert repr(raw) not in text
        for secret in (cached, cached.key, executor.executor.keys._ring, executor.executor):
            with pytest.raises(TypeError, match="not pickled"):
                pickle.dumps(secret)

    def test_data_keys_in_clear_are_not_shown_or_pickled(self) -> None:
        dek = Dek("k", "s", 1, DekAlgorithm.AES256_GCM, "d3JhcHBlZA==", base64.b64encode(b"secret").decode())
        assert dek.get_key_material_bytes() == b"secret"
        assert "c2VjcmV0" not in repr(dek)
        assert pickle.loads(pickle.dumps(dek)).key_material is None
        dek.set_key_material(b"x")
        assert dek.key_material_bytes == b"x"

    def test_errors_pickle(self) -> None:
        for kind in (EncryptionError, KekNotFoundError, DekNotFoundError, KmsError, DecryptionError):
            error = pickle.loads(pickle.dumps(kind("reason", "kek", "subject", 3)))
            assert type(error) is kind
            assert str(error) == "reason (kek kek, subject subject, dek version 3)"


def test_mode_of_a_rule_decides(world: World) -> None:
    one = rule(tags=["PII"], params=KEK, mode=RuleMode.WRITE)
    data = world.writer(schema_with([one]))(ORDER, context())
    out = world.reader()(data, context())
    assert out["card"] != ORDER["card"]
    assert out["address"]["city"] == "Openville"
