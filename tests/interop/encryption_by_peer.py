# SPDX-License-Identifier: Apache-2.0
"""confluent-kafka on cases of client-side encryption: writes objects, or reads what was written.

Usage: encryption_by_peer.py write|read CASES RESULTS
"""

import base64
import json
import sys
import time

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import (
    EncryptionExecutor,
    FieldEncryptionExecutor,
)
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

LATEST = {"auto.register.schemas": False, "use.latest.version": True}


class Later:
    """A clock that is some days ahead."""

    def __init__(self, days):
        self.days = days

    def now(self):
        return int((time.time() + self.days * 86400) * 1000)


def registry(days):
    made = RuleRegistry()
    for kind in (FieldEncryptionExecutor, EncryptionExecutor):
        made.register_executor(kind(Later(days)))
    return made


def message_class(case):
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    pool = descriptor_pool.DescriptorPool()
    for text in case["files"]:
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(text)))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(case["message"]))


def serializer(client, case, rules):
    conf = {"secret": case["secret"]}
    if case["kind"] == "AVRO":
        from confluent_kafka.schema_registry.avro import AvroSerializer

        return AvroSerializer(client, None, conf=LATEST, rule_conf=conf, rule_registry=rules)
    if case["kind"] == "JSON":
        from confluent_kafka.schema_registry.json_schema import JSONSerializer

        return JSONSerializer(None, client, conf=LATEST, rule_conf=conf, rule_registry=rules)
    from confluent_kafka.schema_registry.protobuf import ProtobufSerializer

    return ProtobufSerializer(message_class(case), client, conf=LATEST, rule_conf=conf, rule_registry=rules)


def deserializer(client, case, rules):
    conf = {"secret": case["secret"]}
    if case["kind"] == "AVRO":
        from confluent_kafka.schema_registry.avro import AvroDeserializer

        return AvroDeserializer(client, rule_conf=conf, rule_registry=rules)
    if case["kind"] == "JSON":
        from confluent_kafka.schema_registry.json_schema import JSONDeserializer

        return JSONDeserializer(None, schema_registry_client=client, rule_conf=conf, rule_registry=rules)
    from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer

    kind = message_class(case)
    return ProtobufDeserializer(kind, {}, client, rule_conf=conf, rule_registry=rules)


def plain(value):
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


def rich(value):
    if isinstance(value, dict):
        return bytes.fromhex(value["bytes"]) if set(value) == {"bytes"} else {k: rich(v) for k, v in value.items()}
    return [rich(item) for item in value] if isinstance(value, list) else value


def main(work, given, made):
    LocalKmsDriver.register()
    with open(given) as file:
        cases = json.load(file)
    results = []
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
    with open(made, "w") as file:
        json.dump(results, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
