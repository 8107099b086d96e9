# SPDX-License-Identifier: Apache-2.0
"""Avro serializers. Needs fastavro: ``pip install "ferrokafka[avro]"``."""

from __future__ import annotations

from confluent_kafka.schema_registry._async.avro import (
    AsyncAvroDeserializer,
    AsyncAvroDeserializerBuilder,
    AsyncAvroSerializer,
    AsyncAvroSerializerBuilder,
)
from confluent_kafka.schema_registry._sync.avro import (
    AvroDeserializer,
    AvroDeserializerBuilder,
    AvroSerializer,
    AvroSerializerBuilder,
)
from confluent_kafka.schema_registry.common.avro import (
    LocalSchemaRepository,
    get_inline_tags,
    get_type,
    parse_schema_with_repo,
    transform,
    validate_message,
)

__all__ = [
    "AsyncAvroDeserializer",
    "AsyncAvroDeserializerBuilder",
    "AsyncAvroSerializer",
    "AsyncAvroSerializerBuilder",
    "AvroDeserializer",
    "AvroDeserializerBuilder",
    "AvroSerializer",
    "AvroSerializerBuilder",
    "LocalSchemaRepository",
    "get_inline_tags",
    "get_type",
    "parse_schema_with_repo",
    "transform",
    "validate_message",
]
