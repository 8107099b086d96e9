# SPDX-License-Identifier: Apache-2.0
"""Client-side encryption with keys from a secret and a registry in memory: formats, keys, failures, secrets."""

from __future__ import annotations

import asyncio
import base64
import copy
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confluent_kafka.schema_registry.avro import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AvroDeserializer,
    AvroSerializer,
)
from confluent_kafka.schema_registry.error import (
    KmsError,
    SchemaRegistryError,
)
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption._crypto import DataKey, generate_material
from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import (
    Dek,
    DekAlgorithm,
)
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import (
    Clock,
    Cryptor,
    FieldEncryptionExecutor,
    rotate,
)
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import (
    reset_kms_drivers,
)
from confluent_kafka.schema_registry.rules.encryption.localkms.local_client import LocalKmsClient
from confluent_kafka.serialization import SerializationError
from tests.unit.encryption_kit import DAY_MS, HIDDEN, ORDER, SECRET, World, cause, fields, names, payload, without
from tests.unit.rules_kit import context


@pytest.fixture
def world() -> Iterator[World]:
    reset_kms_drivers()
    yield World()
    reset_kms_drivers()


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

    def test_long_batches(self, world: World) -> None:
        write, read = world.writer(fields()), world.reader()
        data = write.serialize_many([ORDER] * 1500, context())
        assert read.deserialize_many(data, context()) == [ORDER] * 1500
        data[1200] = data[1200][:-3] + b"???" if data[1200] is not None else None
        with pytest.raises(SerializationError, match="value 1200 of the batch"):
            read.deserialize_many(data, context())
        with pytest.raises(SerializationError, match="object 1 of the batch"):
            write.serialize_many([ORDER, {**ORDER, "card": 5}], context())

    def test_layout_of_fields(self, world: World) -> None:
        data = world.writer(fields(**{"encrypt.dek.expiry.days": "1"}))({**ORDER, "photo": b""}, context())
        assert data is not None
        raw = AvroDeserializer(world.client, rule_registry=without(world))(data, context())
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

    def test_clocks_that_are_days_apart(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        schema = fields(**{"encrypt.dek.expiry.days": "1"})
        wrong = world.clock.now() + 2 * DAY_MS
        monkeypatch.setattr(Clock, "now", lambda self: wrong)
        rules = RuleRegistry()
        rules.register_executor(FieldEncryptionExecutor())
        write = world.writer(schema, rules)
        versions = []
        for _ in range(3):
            versions.append(_version(write(ORDER, context())))
            wrong += 1
        assert versions == [1, 1, 1]
        # a test's clock is taken at its word, as existing tests of applications expect
        world.clock.ms = wrong
        write = world.writer(schema)
        for version in (2, 3, 4):
            assert _version(write(ORDER, context())) == version
            world.clock.ms += 1

    def test_rotation_by_somebody_else(self, world: World) -> None:
        write = world.writer(fields(**{"encrypt.dek.expiry.days": "9"}), None, **{"encrypt.key.cache.ttl.sec": 10})
        ring = _ring(write)
        now = 0.0
        ring.clock = lambda: now
        assert _version(write(ORDER, context())) == 1
        assert rotate(world.conf, {}, "kek1", "orders-value", "AES256_GCM").version == 2
        assert _version(write(ORDER, context())) == 1
        now = 10.0
        assert _version(write(ORDER, context())) == 2

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
        keys = [executor.executor.keys.ring for executor in (executor,)]
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
        ring = _ring(write)
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


def _ring(serde: AvroSerializer) -> Any:
    executor: Any = serde._rule_registry.get_executor("ENCRYPT")
    return executor.executor.keys.ring


def _version(data: bytes | None) -> int:
    assert data is not None
    text = data[8:16]  # after magic, id, the int 1 and the text's length: 2 bytes
    return int(struct.unpack(">bI", base64.b64decode(text)[:5])[1])
