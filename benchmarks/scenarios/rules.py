# SPDX-License-Identifier: Apache-2.0
"""Serialize the same order again and again with a rule in CEL, or with checks in the schema's text."""

from __future__ import annotations

import copy
import json
from typing import Any

from _measure import Stopwatch, expect, parser, report
from _serde import AVRO, ORDER, context

from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode, RuleSet, Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.cel.cel_executor import CelExecutor
from confluent_kafka.schema_registry.rules.cel.cel_field_executor import CelFieldExecutor

LATEST = {"auto.register.schemas": False, "use.latest.version": True}
CONDITION = ("CEL", RuleKind.CONDITION, None, "message.id > 0 && message.customer != ''")
TRANSFORM = ("CEL_FIELD", RuleKind.TRANSFORM, ["PII"], "value + '!'")


def serializer(kind: str) -> Any:
    """Return a serializer whose output was read back."""
    schema: dict[str, Any] = copy.deepcopy(AVRO)
    wanted: dict[str, Any] = dict(ORDER)
    conf: dict[str, Any] = dict(LATEST)
    rules = []
    if kind == "checks":
        schema["confluent:rules"] = [{"name": "both", "expr": "this.id > 0 && this.customer != ''"}]
        schema["fields"][0]["confluent:rules"] = [{"name": "id", "expr": "this > 0"}]
        conf["validation.rules.execution"] = "AFTER_DOMAIN_RULES"
    else:
        type_, what, tags, expr = CONDITION if kind == "condition" else TRANSFORM
        rules = [Rule("one", None, what, RuleMode.WRITE, type_, tags, None, expr, None, None, False)]
    if kind == "field":
        schema["fields"][1]["confluent:tags"] = ["PII"]
        wanted["customer"] += "!"
    client: Any = SchemaRegistryClient.new_client({"url": "mock://"})
    client.register_schema("orders-value", Schema(json.dumps(schema), "AVRO", [], None, RuleSet([], rules)))
    registry = RuleRegistry()
    registry.register_executor(CelExecutor())
    registry.register_executor(CelFieldExecutor())
    made: Any = AvroSerializer(client, None, conf=conf, rule_registry=registry)
    expect("what comes back", wanted, AvroDeserializer(client)(made(dict(ORDER), context()), context()))
    return made


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--kind", choices=("condition", "field", "checks"), required=True)
    chosen = options.parse_args()
    call = serializer(chosen.kind)
    ctx = context()
    result = call(dict(ORDER), ctx)
    for _ in range(chosen.messages // 10):
        call(dict(ORDER), ctx)
    watch = Stopwatch()
    watch.start_process()
    watch.start_thread()
    for _ in range(chosen.messages):
        # confluent-kafka changes the record that it is given
        last = call(dict(ORDER), ctx)
    watch.stop()
    expect("the last result", result, last)
    report(chosen.messages, watch)


if __name__ == "__main__":
    main()
