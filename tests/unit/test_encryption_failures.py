# SPDX-License-Identifier: Apache-2.0
"""Client-side encryption that cannot work: nothing in clear, specific errors, no secrets in them."""

from __future__ import annotations

import base64
import gc
import logging
import pickle
import traceback
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from confluent_kafka.schema_registry import RuleMode
from confluent_kafka.schema_registry.avro import (
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
    Kek,
    KekKmsProps,
)
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import (
    AeadWrapper,
    EncryptionExecutor,
    FieldEncryptionExecutor,
)
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import (
    Aead,
    KmsClient,
    get_kms_driver,
    reset_kms_drivers,
)
from confluent_kafka.schema_registry.rules.encryption.localkms.local_client import LocalKmsClient
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import SerializationError
from tests.unit.encryption_kit import HIDDEN, KEK, ORDER, SECRET, World, cause, fields, names, payload, without
from tests.unit.rules_kit import context, rule, schema_with


@pytest.fixture
def world() -> Iterator[World]:
    reset_kms_drivers()
    yield World()
    reset_kms_drivers()


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
            changed[position] = changed[position] ^ 1 if make is payload else (65 if changed[position] != 65 else 66)
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
        rules = without(world)
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


def chain(error: BaseException) -> list[BaseException]:
    """Return an error and all that it came from, shown in tracebacks or not."""
    found, left = [], [error]
    while left:
        one = left.pop()
        found.append(one)
        left += [other for other in (one.__cause__, one.__context__) if other is not None and other not in found]
    return found


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

    def test_bases(self) -> None:
        client = LocalKmsClient("a")
        assert isinstance(client, KmsClient)
        assert isinstance(client.get_aead("x"), Aead)
        assert isinstance(AeadWrapper({}, Kek("k", "fake-kms", "key1", KekKmsProps({}), None, False)), Aead)

        class Half(Aead):
            def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
                return plaintext

        with pytest.raises(TypeError, match="decrypt"):
            Half()  # type: ignore[abstract]  # on purpose

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
        (cached,) = executor.executor.keys.ring._keys.values()
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
        for secret in (cached, cached.key, executor.executor.keys.ring, executor.executor):
            with pytest.raises(TypeError, match="not pickled"):
                pickle.dumps(secret)

    @pytest.mark.parametrize(
        "quoted",
        [
            SECRET,
            "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
            "hvs.CAESIK-iNzyrrfWmc7ggiVSl_Zb4xxgZNl",
            "from-the-environment",
        ],
    )
    @pytest.mark.parametrize("deep", [False, True])
    def test_errors_that_quote_credentials(
        self, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, quoted: str, deep: bool
    ) -> None:
        caplog.set_level(logging.DEBUG)
        monkeypatch.setenv("AWS_SESSION_TOKEN", "from-the-environment")
        inner = PermissionError(f"refused: Authorization: Bearer {quoted}; try again")
        world.kms.error = ConnectionError("see the cause") if deep else inner
        world.kms.error.__cause__ = inner if deep else None
        with pytest.raises(SerializationError) as raised:
            world.writer(fields(), secret=SECRET)(ORDER, context())
        assert isinstance(cause(raised), KmsError)
        text = "".join(traceback.format_exception(raised.value))
        assert quoted not in text + caplog.text
        assert "see the cause" in text if deep else "refused: Authorization: Bearer ***; try again" in text
        assert not any(quoted in repr(one.args) for one in chain(raised.value))
        assert quoted.encode() not in pickle.dumps(cause(raised))

    def test_errors_of_the_registry_that_quote_credentials(self, world: World) -> None:
        rules = world.rules()
        write = world.writer(fields(), rules)
        executor: Any = rules.get_executor("ENCRYPT")
        client: Any = executor.client
        client.config = lambda: {"bearer.auth.token": "my-own-token", "basic.auth.user.info": "me:my-password"}
        for method in ("get_kek", "register_kek", "get_dek", "register_dek"):
            for error in (
                SchemaRegistryError(401, 40101, "my-own-token, my-password and Bearer abcdefghijk are wrong"),
                ValueError("my-own-token, my-password and Bearer abcdefghijk are wrong"),
            ):
                setattr(client, method, _raising(error))
                with pytest.raises(SerializationError, match=r"\*\*\*, \*\*\* and Bearer \*\*\* are wrong") as raised:
                    write(ORDER, context())
                text = "".join(repr(one.args) + str(one) for one in chain(raised.value))
                assert not any(secret in text for secret in ("my-own-token", "my-password", "abcdefghijk"))
                delattr(client, method)

    def test_errors_do_not_keep_what_could_not_be_encrypted_or_decrypted(self, world: World) -> None:
        write = world.writer(fields())
        with pytest.raises(SerializationError, match="lone surrogates") as raised:
            write({**ORDER, "card": "4111 hidden \ud800"}, context())
        assert not any("hidden" in repr(one.args) for one in chain(raised.value))
        binary = schema_with(
            [rule(tags=["PII"], params=KEK)],
            text={
                "type": "record",
                "name": "B",
                "fields": [{"name": "f", "type": "string", "confluent:tags": ["PII"]}],
            },
        )
        write = world.writer(binary)
        data = write({"f": "x" * 20}, context())
        rules = world.rules()
        read = world.reader(rules)
        assert read(data, context()) == {"f": "x" * 20}
        executor: Any = rules.get_executor("ENCRYPT")
        (cached,) = executor.executor.keys.ring._keys.values()
        sealed = base64.b64encode(cached.key.encrypt(b"hidden \xff\xff"))
        assert data is not None
        other = data[:5] + bytes((2 * len(sealed),)) + sealed
        with pytest.raises(SerializationError, match="not text") as raised:
            read(other, context())
        assert not any("hidden" in repr(one.args) for one in chain(raised.value))

    def test_errors_that_keep_their_request(self, world: World) -> None:
        class SdkError(Exception):
            response = SimpleNamespace(request=SimpleNamespace(headers={"Authorization": "Bearer abc", "Accept": "x"}))

        world.kms.error = SdkError("no access")
        with pytest.raises(SerializationError) as raised:
            world.writer(fields())(ORDER, context())
        kept = cause(raised).__cause__
        assert type(kept) is SdkError
        assert kept.response.request.headers == {"Authorization": "***", "Accept": "x"}

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
