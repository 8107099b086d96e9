# SPDX-License-Identifier: Apache-2.0
"""JSON Schema serializers. Needs orjson and jsonschema-rs: ``pip install "ferrokafka[json]"``."""

from __future__ import annotations

from confluent_kafka.schema_registry._async.json_schema import (
    AsyncJSONDeserializer,
    AsyncJSONDeserializerBuilder,
    AsyncJSONSerializer,
    AsyncJSONSerializerBuilder,
)
from confluent_kafka.schema_registry._sync.json_schema import (
    JSONDeserializer,
    JSONDeserializerBuilder,
    JSONSerializer,
    JSONSerializerBuilder,
)
from confluent_kafka.schema_registry.common.json_schema import (
    get_inline_tags,
    get_type,
    transform,
    validate_message,
)

__all__ = [
    "AsyncJSONDeserializer",
    "AsyncJSONDeserializerBuilder",
    "AsyncJSONSerializer",
    "AsyncJSONSerializerBuilder",
    "JSONDeserializer",
    "JSONDeserializerBuilder",
    "JSONSerializer",
    "JSONSerializerBuilder",
    "get_inline_tags",
    "get_type",
    "transform",
    "validate_message",
]
