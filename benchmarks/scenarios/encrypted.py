# SPDX-License-Identifier: Apache-2.0
"""What an encrypted field of 32 bytes costs, over the same record without encryption; the key is there."""

from __future__ import annotations

import json
import time
from typing import Any

from _measure import expect, parser, report

from confluent_kafka.schema_registry import (
    Rule,
    RuleKind,
    RuleMode,
    RuleParams,
    RuleSet,
    Schema,
    SchemaRegistryClient,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

FIELDS, ENCRYPTED = 4, 2
ROUNDS = 5
LATEST = {"auto.register.schemas": False, "use.latest.version": True}
PARAMETERS = {"encrypt.kek.name": "kek", "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "key"}


def calls(work: str, encrypted: int) -> Any:
    """One call of the work on a record with so many encrypted fields."""
    fields: list[dict[str, Any]] = [
        {"name": f"f{number}", "type": "string", **({"confluent:tags": ["PII"]} if number < encrypted else {})}
        for number in range(FIELDS)
    ]
    rule = Rule(
        "hide",
        None,
        RuleKind.TRANSFORM,
        RuleMode.WRITEREAD,
        "ENCRYPT",
        ["PII"],
        RuleParams(PARAMETERS),
        None,
        None,
        None,
        False,
    )
    text = json.dumps({"type": "record", "name": "Order", "fields": fields})
    client = SchemaRegistryClient.new_client({"url": "mock://"})
    client.register_schema("t-value", Schema(text, "AVRO", [], None, RuleSet([], [rule]) if encrypted else None))
    registry = RuleRegistry()
    registry.register_executor(FieldEncryptionExecutor())
    conf = {"secret": "of this benchmark"}
    serializer = AvroSerializer(client, None, conf=LATEST, rule_conf=conf, rule_registry=registry)
    deserializer = AvroDeserializer(client, rule_conf=conf, rule_registry=registry)
    ctx = SerializationContext("t", MessageField.VALUE)
    order = {f"f{number}": f"{number:032}" for number in range(FIELDS)}
    data: Any = serializer(dict(order), ctx)
    expect("in clear", False, order["f0"].encode() in data if encrypted else False)
    expect("what comes back", order, deserializer(data, ctx))
    # confluent-kafka changes the record that it is given
    return (lambda: serializer(dict(order), ctx)) if work == "serialize" else (lambda: deserializer(data, ctx))


def best(call: Any, count: int) -> float:
    taken = []
    for _ in range(ROUNDS):
        began = time.thread_time_ns()
        for _ in range(count):
            call()
        taken.append((time.thread_time_ns() - began) / count)
    return min(taken)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--work", choices=("serialize", "deserialize"), required=True)
    chosen = options.parse_args()
    LocalKmsDriver.register()
    count = chosen.messages // ROUNDS
    plain, encrypted = (best(calls(chosen.work, fields), count) for fields in (0, ENCRYPTED))
    report(chosen.messages, plain_ns=plain, encrypted_ns=encrypted, field_ns=(encrypted - plain) / ENCRYPTED)


if __name__ == "__main__":
    main()
