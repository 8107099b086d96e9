# SPDX-License-Identifier: Apache-2.0
"""JSON Schema serializers. Needs orjson and jsonschema-rs: ``pip install "ferrokafka[json]"``."""

from __future__ import annotations

from confluent_kafka.schema_registry._async.json_schema import (
    AsyncJSONDeserializer,
    AsyncJSONDeserializerBuilder,
    AsyncJSONSerializer,
    AsyncJSONSerializerBuilder,
)
from confluent_kafka.schema_registry._core.codecs.json_checks import validate_message
from confluent_kafka.schema_registry._sync.json_schema import (
    JSONDeserializer,
    JSONDeserializerBuilder,
    JSONSerializer,
    JSONSerializerBuilder,
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
    "validate_message",
]
