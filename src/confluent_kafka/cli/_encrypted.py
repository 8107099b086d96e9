# SPDX-License-Identifier: Apache-2.0
"""The demo's last part: two fields of a table encrypted with a key from a secret, and what is on the topic then."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import (
    Rule,
    RuleKind,
    RuleMode,
    RuleParams,
    RuleSet,
    Schema,
    SchemaRegistryClient,
)
from confluent_kafka.serialization import MessageField, SerializationContext

from . import _schema
from ._datasets import Dataset
from ._errors import CommandError

FIELDS, RECORDS = 2, 1000
SHORT = 3
_KEYS = {"encrypt.kek.name": "demo", "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "demo"}


@dataclass(frozen=True)
class Encrypted:
    """What came of it; ``in_clear`` is how many records on the topic had one of the values in clear."""

    dataset: str
    topic: str
    fields: list[str]
    records: int
    in_clear: int
    different: int
    value: str
    on_the_topic: str

    @property
    def ok(self) -> bool:
        return not self.in_clear and not self.different

    def described(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok}


def columns_of(dataset: Dataset) -> list[str]:
    """The first fields with texts mostly long enough to be found again if they were there in clear."""
    schema, rows = _schema.derive_schema(dataset), _schema.records(dataset)
    texts = [field["name"] for field in schema["fields"] if field["type"] in ("string", ["null", "string"])]
    some = rows[:RECORDS]
    return [name for name in texts if sum(len(row[name] or "") > SHORT for row in some) > len(some) / 2][:FIELDS]


def run(settings: dict[str, object], producer: Producer, dataset: Dataset, topic: str, timeout: float) -> Encrypted:
    """Send the first records of a table with two fields encrypted, read them raw and decrypted.

    Raises: ImportError: cryptography is missing; CommandError: a message did not come back.
    """
    from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
    from confluent_kafka.schema_registry.rule_registry import RuleRegistry
    from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import FieldEncryptionExecutor
    from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver

    LocalKmsDriver.register()
    names = columns_of(dataset)
    schema = _schema.derive_schema(dataset)
    for field in schema["fields"]:
        if field["name"] in names:
            field["confluent:tags"] = ["PII"]
    parameters = RuleParams(_KEYS)
    kind, mode = RuleKind.TRANSFORM, RuleMode.WRITEREAD
    rule = Rule("hide", None, kind, mode, "ENCRYPT", ["PII"], parameters, None, None, None, False)
    registry = SchemaRegistryClient({"url": f"mock://{topic}?shared=true"})
    rules = RuleRegistry()
    rules.register_executor(FieldEncryptionExecutor())
    conf = {"secret": "of this demo"}
    write = AvroSerializer(
        registry, Schema(json.dumps(schema), rule_set=RuleSet([], [rule])), rule_conf=conf, rule_registry=rules
    )
    read = AvroDeserializer(registry, rule_conf=conf, rule_registry=rules)
    context = SerializationContext(topic, MessageField.VALUE)
    rows = _schema.records(dataset)[:RECORDS]
    for number, row in enumerate(rows):
        producer.produce(topic, write(row, context), str(number), 0)
    if producer.flush(timeout):
        raise CommandError(f"not all records of {topic} were delivered within {timeout:g} s")
    raw = _raw(settings, topic, len(rows), timeout)
    clear = sum(any(text in data for text in _hidden(row, names)) for row, data in zip(rows, raw, strict=True))
    different = sum(read(data, context) != row for row, data in zip(rows, raw, strict=True))
    return Encrypted(
        dataset.name,
        topic,
        names,
        len(rows),
        clear,
        different,
        ", ".join(str(rows[0][name]) for name in names),
        raw[0][5:45].hex(),
    )


def _hidden(row: dict[str, Any], names: list[str]) -> list[bytes]:
    """What must not be on the topic; not what another field has as well, which is not encrypted."""
    open_ = " ".join(str(value) for name, value in row.items() if name not in names)
    texts = [str(row[name] or "") for name in names]
    return [text.encode() for text in texts if len(text) > SHORT and text not in open_]


def _raw(settings: dict[str, object], topic: str, count: int, timeout: float) -> list[bytes]:
    from confluent_kafka import TopicPartition

    consumer = Consumer({**settings, "group.id": "demo-encrypted", "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        found: list[bytes] = []
        while len(found) < count:
            messages = consumer.consume(count - len(found), timeout)
            if not messages:
                raise CommandError(f"{count - len(found)} records of {topic} did not come back within {timeout:g} s")
            found += [message.value() or b"" for message in messages if message.error() is None]
    finally:
        consumer.close()
    return found
