# SPDX-License-Identifier: Apache-2.0
"""Checks in a schema's text, by whichever package runs this: the hex of what is written, or what the error says.

Usage: validation_by_peer.py write CASES RESULTS
"""

from __future__ import annotations

import base64
import datetime
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode, RuleSet, Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.confluent import meta_pb2
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.cel.cel_executor import CelExecutor
from confluent_kafka.schema_registry.serde import ValidationRuleExecutor
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

assert meta_pb2.DESCRIPTOR.name == "confluent/meta.proto"  # what the cases' files import
# what a case's object may be written with, where JSON has no such values
NAMES: dict[str, Any] = {"datetime": datetime, "Decimal": Decimal, "UUID": UUID}
CONTEXT = SerializationContext("t", MessageField.VALUE)


class Scripted(ValidationRuleExecutor):
    """Passes where the expression says yes; tells the value where it says tell."""

    def execute(self, rule: Any, schema: Any, message: Any) -> bool | str:
        if rule.expr == "tell":
            return json.dumps(message, default=str)
        return bool(rule.expr == "yes")


def message_class(text: str, name: str) -> Any:
    proto = descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(text))
    pool = descriptor_pool.Default()
    try:
        pool.Add(proto)
    except TypeError:
        pass  # there from the case before
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def serializer(case: dict[str, Any]) -> Any:
    kind, schema = case["kind"], case["schema"]
    conf: dict[str, Any] = {
        "validation.rules.execution": case.get("execution", "BEFORE_DOMAIN_RULES"),
        "validation.rules.fail.fast": case.get("fail_fast", False),
        "validation.rules.executor": None if case.get("cel") else Scripted(),
    }
    registry = RuleRegistry()
    registry.register_executor(CelExecutor())
    client = SchemaRegistryClient.new_client({"url": "mock://"})
    if case.get("latest"):
        conf |= {"auto.register.schemas": False, "use.latest.version": True}
        rules = None
        if case.get("transform"):
            made = Rule(
                "r", "", RuleKind.TRANSFORM, RuleMode.WRITE, "CEL", None, None, case["transform"], None, None, False
            )
            rules = RuleSet([], [made])
        client.register_schema("t-value", Schema(case["latest"], kind, [], None, rules))
    if kind == "AVRO":
        return AvroSerializer(client, schema, conf=conf, rule_registry=registry)
    if kind == "JSON":
        return JSONSerializer(schema, client, conf=conf, rule_registry=registry)
    return ProtobufSerializer(message_class(schema, case["message"]), client, conf=conf, rule_registry=registry)


def outcome(case: dict[str, Any]) -> str:
    """What a serializer does with the object of a case."""
    write = serializer(case)
    obj = eval(case["python"], NAMES) if "python" in case else case["object"]
    if case["kind"] == "PROTOBUF":
        obj = json_format.ParseDict(obj, message_class(case["schema"], case["message"])())
    elif isinstance(obj, dict):
        obj = {name: tuple(item) if name in case.get("tuples", ()) else item for name, item in obj.items()}
    try:
        data: Any = write(obj, CONTEXT)
    except SerializationError as e:
        text = str(e)
        return text if text.startswith("Validation rule") else "refused"
    except (TypeError, ValueError):
        return "refused"  # by the codec: each has its own words
    return str(data.hex())


def main(work: str, given: str, made: str) -> None:
    corpora = json.loads(Path(given).read_text())
    Path(made).write_text(json.dumps({name: [outcome(case) for case in cases] for name, cases in corpora.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
