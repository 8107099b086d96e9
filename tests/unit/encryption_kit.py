# SPDX-License-Identifier: Apache-2.0
"""A registry in memory, a KMS that can fail, and schemas for tests of client-side encryption."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

import pytest

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import (
    AvroDeserializer,
    AvroSerializer,
)
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import (
    DekRegistryClient,
)
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import (
    Clock,
    EncryptionExecutor,
    FieldEncryptionExecutor,
)
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import (
    KmsDriver,
    register_kms_driver,
)
from confluent_kafka.schema_registry.rules.encryption.localkms.local_client import LocalKmsClient
from confluent_kafka.serialization import SerializationError
from tests.unit.rules_kit import Mark, rule, schema_with

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
    """A registry, a KMS, and executors over both.

    Args:
        conf: configuration of the registry client; None takes a registry in memory.
        kind: the registry client's class.
    """

    def __init__(self, conf: dict[str, Any] | None = None, kind: Any = SchemaRegistryClient) -> None:
        self.conf = conf or {"url": f"mock://{next(names)}?shared=true"}
        self.client: Any = kind(self.conf)
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


def fields(**params: str) -> Schema:
    return schema_with([rule(tags=["PII"], params={**KEK, **params})])


def payload(**params: str) -> Schema:
    return schema_with(encoding=[rule("ENCRYPT_PAYLOAD", params={**KEK, **params})])


def cause(raised: pytest.ExceptionInfo[BaseException]) -> Any:
    assert type(raised.value) is SerializationError
    return raised.value.__cause__


def without(world: World) -> RuleRegistry:
    """A registry whose ENCRYPT leaves everything as it is."""
    registry = RuleRegistry()
    registry.register_executor(Mark("ENCRYPT", []))
    return registry
