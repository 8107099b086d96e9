# SPDX-License-Identifier: Apache-2.0
"""confluent-kafka on cases of client-side encryption: writes objects, or reads what was written.

Usage: encryption_by_peer.py write|read CASES RESULTS
"""

from __future__ import annotations

import base64
import json
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import (
    Clock,
    EncryptionExecutor,
    FieldEncryptionExecutor,
)
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

LATEST: dict[str, Any] = {"auto.register.schemas": False, "use.latest.version": True}


class Later(Clock):
    """A clock that is some days ahead."""

    def __init__(self, days: float) -> None:
        self.days = days

    def now(self) -> int:
        return int((time.time() + self.days * 86400) * 1000)


def registry(days: float) -> RuleRegistry:
    made = RuleRegistry()
    for kind in (FieldEncryptionExecutor, EncryptionExecutor):
        made.register_executor(kind(Later(days)))
    return made


def message_class(case: dict[str, Any]) -> Any:
    return make_class(tuple(case["files"]), case["message"])


@cache
def make_class(files: tuple[str, ...], message: str) -> Any:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    pool = descriptor_pool.DescriptorPool()
    for text in files:
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(text)))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(message))


def serializer(client: SchemaRegistryClient, case: dict[str, Any], rules: RuleRegistry) -> Any:
    conf = case["conf"]
    if case["kind"] == "AVRO":
        from confluent_kafka.schema_registry.avro import AvroSerializer

        return AvroSerializer(client, None, conf=LATEST, rule_conf=conf, rule_registry=rules)
    if case["kind"] == "JSON":
        from confluent_kafka.schema_registry.json_schema import JSONSerializer

        return JSONSerializer(None, client, conf=LATEST, rule_conf=conf, rule_registry=rules)
    from confluent_kafka.schema_registry.protobuf import ProtobufSerializer

    return ProtobufSerializer(message_class(case), client, conf=LATEST, rule_conf=conf, rule_registry=rules)


def deserializer(client: SchemaRegistryClient, case: dict[str, Any], rules: RuleRegistry) -> Any:
    conf = case["conf"]
    if case["kind"] == "AVRO":
        from confluent_kafka.schema_registry.avro import AvroDeserializer

        return AvroDeserializer(client, rule_conf=conf, rule_registry=rules)
    if case["kind"] == "JSON":
        from confluent_kafka.schema_registry.json_schema import JSONDeserializer

        return JSONDeserializer(None, schema_registry_client=client, rule_conf=conf, rule_registry=rules)
    from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer

    kind = message_class(case)
    return ProtobufDeserializer(kind, {}, client, rule_conf=conf, rule_registry=rules)


def plain(value: Any) -> Any:
    """An object as JSON, bytes as {"bytes": hex}."""
    if hasattr(value, "DESCRIPTOR"):
        from google.protobuf.json_format import MessageToDict

        return MessageToDict(value, preserving_proto_field_name=True)
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def rich(value: Any) -> Any:
    if isinstance(value, dict):
        return bytes.fromhex(value["bytes"]) if set(value) == {"bytes"} else {k: rich(v) for k, v in value.items()}
    return [rich(item) for item in value] if isinstance(value, list) else value


def register_drivers(kinds: set[str]) -> None:
    if "local-kms" in kinds:
        LocalKmsDriver.register()
    if "aws-kms" in kinds:
        from confluent_kafka.schema_registry.rules.encryption.awskms.aws_driver import AwsKmsDriver

        AwsKmsDriver.register()
    if "hcvault" in kinds:
        from confluent_kafka.schema_registry.rules.encryption.hcvault.hcvault_driver import HcVaultKmsDriver

        HcVaultKmsDriver.register()


def main(work: str, given: str, made: str) -> None:
    cases = json.loads(Path(given).read_text())
    register_drivers({case["kms"] for case in cases})
    results: list[Any] = []
    client = SchemaRegistryClient({"url": cases[0]["url"]})
    registries = {days: registry(days) for days in {case["days"] for case in cases}}
    for case in cases:
        ctx = SerializationContext(case["topic"], MessageField.VALUE)
        rules = registries[case["days"]]
        if work == "write":
            value = rich(case["value"])
            if case["kind"] == "PROTOBUF":
                from google.protobuf.json_format import ParseDict

                value = ParseDict(case["value"], message_class(case)())
            results.append(serializer(client, case, rules)(value, ctx).hex())
        else:
            results.append(plain(deserializer(client, case, rules)(bytes.fromhex(case["data"]), ctx)))
    Path(made).write_text(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
