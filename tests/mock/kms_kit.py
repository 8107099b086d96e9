# SPDX-License-Identifier: Apache-2.0
"""What the tests of the drivers of all key management systems share."""

from __future__ import annotations

import asyncio
from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AvroDeserializer,
    AvroSerializer,
)
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import FieldEncryptionExecutor
from tests.unit.rules_kit import context, rule, schema_with

ORDER = {"id": 1, "card": "4111-hidden", "note": None, "photo": None, "emails": [], "phones": {}, "address": None}


def there_and_back(driver: Any, url: str, conf: dict[str, Any]) -> Any:
    """Wrap and unwrap; return the client."""
    client = driver.new_kms_client(conf, url)
    assert client.does_support(url)
    aead = client.get_aead(url)
    wrapped = aead.encrypt(b"a data key", b"")
    assert b"a data key" not in wrapped
    assert driver.new_kms_client(conf, url).get_aead(url).decrypt(wrapped, b"") == b"a data key"
    return client


def rules() -> RuleRegistry:
    registry = RuleRegistry()
    registry.register_executor(FieldEncryptionExecutor())
    return registry


def schema(kind: str, key: str) -> Any:
    params = {"encrypt.kek.name": "k", "encrypt.kms.type": kind, "encrypt.kms.key.id": key}
    return schema_with([rule(tags=["PII"], params=params)])


def through_serializers(kind: str, key: str, conf: dict[str, Any], name: str) -> None:
    """Fields with a key of this system, synchronous and asyncio, read by each other."""
    client = SchemaRegistryClient({"url": f"mock://{name}?shared=true"})
    options: dict[str, Any] = {"rule_conf": conf}
    data = AvroSerializer(client, schema(kind, key), rule_registry=rules(), **options)(ORDER, context())
    assert data is not None
    assert b"hidden" not in data

    async def main() -> None:
        read = AsyncAvroDeserializer(client, rule_registry=rules(), **options)
        assert await read(data, context()) == ORDER
        write = AsyncAvroSerializer(client, schema(kind, key), rule_registry=rules(), **options)
        again = await write(ORDER, context())
        assert AvroDeserializer(client, rule_registry=rules(), **options)(again, context()) == ORDER

    asyncio.run(main())
