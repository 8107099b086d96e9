# SPDX-License-Identifier: Apache-2.0
"""Protobuf serializers. Needs protobuf: ``pip install "ferrokafka[protobuf]"``."""

from __future__ import annotations

from confluent_kafka.schema_registry._async.protobuf import (
    AsyncProtobufDeserializer,
    AsyncProtobufDeserializerBuilder,
    AsyncProtobufSerializer,
    AsyncProtobufSerializerBuilder,
)
from confluent_kafka.schema_registry._sync.protobuf import (
    ProtobufDeserializer,
    ProtobufDeserializerBuilder,
    ProtobufSerializer,
    ProtobufSerializerBuilder,
)
from confluent_kafka.schema_registry.common.protobuf import (
    _create_index_array,  # noqa: F401 - existing code imports it from here
    _schema_to_str,  # noqa: F401 - as well
    decimal_to_protobuf,
    get_inline_tags,
    get_type,
    is_map_field,
    protobuf_to_decimal,
    protobuf_to_variant,
    transform,
    validate_message,
    variant_to_protobuf,
)

__all__ = [
    "AsyncProtobufDeserializer",
    "AsyncProtobufDeserializerBuilder",
    "AsyncProtobufSerializer",
    "AsyncProtobufSerializerBuilder",
    "ProtobufDeserializer",
    "ProtobufDeserializerBuilder",
    "ProtobufSerializer",
    "ProtobufSerializerBuilder",
    "decimal_to_protobuf",
    "get_inline_tags",
    "get_type",
    "is_map_field",
    "protobuf_to_decimal",
    "protobuf_to_variant",
    "transform",
    "validate_message",
    "variant_to_protobuf",
]
