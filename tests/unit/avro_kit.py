# SPDX-License-Identifier: Apache-2.0
"""What the tests of the Avro serializers share."""

from __future__ import annotations

import json
from typing import Any

from confluent_kafka.schema_registry import (
    Rule,
    RuleKind,
    RuleMode,
    SchemaRegistryClient,
)
from confluent_kafka.serialization import MessageField, SerializationContext

ORDER = json.dumps(
    {
        "type": "record",
        "name": "Order",
        "namespace": "shop",
        "fields": [
            {"name": "id", "type": "long"},
            {"name": "customer", "type": "string"},
            {"name": "note", "type": ["null", "string"], "default": None},
            {"name": "lines", "type": {"type": "array", "items": "double"}},
        ],
    }
)
UNION = json.dumps(
    [
        {"type": "record", "name": "A", "namespace": "n", "fields": [{"name": "v", "type": "int"}]},
        {"type": "record", "name": "B", "namespace": "n", "fields": [{"name": "v", "type": "int"}]},
    ]
)
AN_ORDER = {"id": 1, "customer": "eve", "note": None, "lines": [0.5]}
AN_ORDER_BYTES = bytes.fromhex("0206657665000200000000 0000e03f00")
STRING = '{"type": "string"}'
RULE = Rule("hide", None, RuleKind.TRANSFORM, RuleMode.WRITEREAD, "ENCRYPT", ["PII"], None, None, None, None, False)


def context(
    topic: str = "orders", field: MessageField = MessageField.VALUE, headers: Any = None
) -> SerializationContext:
    return SerializationContext(topic, field, headers)


class Counting(SchemaRegistryClient):
    """Counts what is asked of the registry."""

    def __init__(self) -> None:
        super().__init__({"url": "mock://"})
        self.calls: list[str] = []

    def register_schema_full_response(self, *args: Any, **kwargs: Any) -> Any:
        self.calls.append("register")
        return super().register_schema_full_response(*args, **kwargs)

    def get_schema(self, *args: Any, **kwargs: Any) -> Any:
        self.calls.append("get")
        return super().get_schema(*args, **kwargs)

    def get_associations_by_resource_name(self, *args: Any, **kwargs: Any) -> Any:
        self.calls.append("associations")
        return super().get_associations_by_resource_name(*args, **kwargs)
