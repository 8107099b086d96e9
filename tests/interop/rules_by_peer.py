# SPDX-License-Identifier: Apache-2.0
"""Rules on Avro records, by whichever package runs this: the hex of what is written, or null where a rule refuses.

Usage: rules_by_peer.py write CASES RESULTS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode, RuleSet, Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.cel.cel_executor import CelExecutor
from confluent_kafka.schema_registry.rules.cel.cel_field_executor import CelFieldExecutor
from confluent_kafka.schema_registry.rules.jsonata.jsonata_executor import JsonataExecutor
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

LATEST: dict[str, Any] = {"auto.register.schemas": False, "use.latest.version": True}


def written(case: dict[str, Any], schema: str, value: dict[str, Any]) -> str | None:
    kind = RuleKind(case["kind"])
    rule = Rule("r", None, kind, RuleMode.WRITE, case["type"], case.get("tags"), None, case["expr"], None, None, False)
    client = SchemaRegistryClient.new_client({"url": "mock://"})
    client.register_schema("t-value", Schema(schema, "AVRO", [], None, RuleSet([], [rule])))
    registry = RuleRegistry()
    for executor in (CelExecutor(), CelFieldExecutor(), JsonataExecutor()):
        registry.register_executor(executor)
    serializer = AvroSerializer(client, None, conf=LATEST, rule_registry=registry)
    try:
        # a copy: confluent-kafka changes the record that it is given
        data: Any = serializer(json.loads(json.dumps(value)), SerializationContext("t", MessageField.VALUE))
    except (SerializationError, TypeError, ValueError, AttributeError, KeyError):
        return None  # by the rule, or by the codec for what the rule has made
    return str(data[5:].hex())


def main(work: str, given: str, made: str) -> None:
    corpus = json.loads(Path(given).read_text())
    results = [written(case, corpus["schema"], value) for case in corpus["cases"] for value in corpus["values"]]
    Path(made).write_text(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
