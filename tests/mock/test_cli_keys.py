# SPDX-License-Identifier: Apache-2.0
"""``schemas keys`` and ``schemas rotate`` on a registry over HTTP, with keys from a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import reset_kms_drivers
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.testing import MockCluster, SchemaRegistryServer
from tests.mock.cli_kit import ok, run_cli
from tests.mock.kit import unique_name
from tests.unit.rules_kit import context, rule, schema_with

ORDER = {"id": 1, "card": "4111", "note": None, "photo": None, "emails": [], "phones": {}, "address": None}
SECRET = {"secret": "of this test"}


@pytest.fixture
def registry() -> Iterator[SchemaRegistryServer]:
    reset_kms_drivers()
    LocalKmsDriver.register()
    with SchemaRegistryServer() as running:
        yield running
    reset_kms_drivers()


def rules() -> RuleRegistry:
    made = RuleRegistry()
    made.register_executor(FieldEncryptionExecutor())
    return made


def test_keys_and_rotate(registry: SchemaRegistryServer) -> None:
    at = ("--schema-registry", registry.url)
    params = {
        "encrypt.kek.name": "orders",
        "encrypt.kms.type": "local-kms",
        "encrypt.kms.key.id": "key",
        "encrypt.dek.expiry.days": "30",
    }
    options: dict[str, Any] = {"rule_conf": SECRET}
    with SchemaRegistryClient({"url": registry.url}) as client:
        schema = schema_with([rule(tags=["PII"], params=params)])
        writers = [AvroSerializer(client, schema, rule_registry=rules(), **options) for _ in range(2)]
        written = [writers[0](ORDER, context())]
        (row,) = json.loads(ok(run_cli("schemas", "keys", "--json", *at)))
        assert [row[name] for name in ("kek", "kms", "key_id", "subject", "algorithm", "version", "deleted")] == [
            "orders",
            "local-kms",
            "key",
            "orders-value",
            "AES256_GCM",
            1,
            False,
        ]
        said = ok(
            run_cli("schemas", "rotate", "orders", "orders-value", "--kms", f"secret={SECRET['secret']}", *at)
        ).decode()
        assert said.strip() == "data key version 2 of orders-value under orders"
        assert SECRET["secret"] not in said
        assert b"orders-value" in ok(run_cli("schemas", "keys", "orders", *at))
        written.append(writers[1](ORDER, context()))
        reader = AvroDeserializer(client, rule_registry=rules(), **options)
        assert [reader(data, context()) for data in written] == [ORDER] * 2
        for one in (*writers, reader):
            one.close()
    assert len(json.loads(ok(run_cli("schemas", "keys", "--json", *at)))) == 2
    failed = run_cli("schemas", "rotate", "orders", "others", "--kms", "secret=x", *at)
    assert failed.returncode != 0
    assert b"there is no data key yet" in failed.stderr


def test_consume_decrypts(registry: SchemaRegistryServer) -> None:
    params = {"encrypt.kek.name": "orders", "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "key"}
    topic = unique_name("encrypted")
    with SchemaRegistryClient({"url": registry.url}) as client, MockCluster(1, topics={topic: 1}) as cluster:
        schema = schema_with([rule(tags=["PII"], params=params)])
        write = AvroSerializer(client, schema, rule_conf=SECRET, rule_registry=rules())
        with Producer({"bootstrap.servers": cluster.bootstrap_servers}) as producer:
            producer.produce(topic, write(ORDER, context(topic)))
        write.close()
        command = ("consume", topic, "--from", "beginning", "--count", "1", "--schema-registry", registry.url)
        place = cluster.bootstrap_servers
        kms = f"secret={SECRET['secret']}"
        assert b'"card": "4111"' in ok(run_cli(*command, "--kms", kms, bootstrap=place)).replace(b'":"', b'": "')
        assert b"4111" not in run_cli(*command, bootstrap=place).stdout
