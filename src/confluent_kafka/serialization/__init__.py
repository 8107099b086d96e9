# SPDX-License-Identifier: Apache-2.0
"""Objects to bytes and back: the interface of serializers, and the ones for simple types."""

from __future__ import annotations

from confluent_kafka.error import KafkaException as KafkaException  # existing code imports it from here
from confluent_kafka.error import SerializationError
from confluent_kafka.serialization._base import (
    Deserializer,
    DeserializerBuilder,
    MessageField,
    SerializationContext,
    Serializer,
    SerializerBuilder,
)
from confluent_kafka.serialization._primitives import (
    DoubleDeserializer,
    DoubleSerializer,
    IntegerDeserializer,
    IntegerSerializer,
    StringDeserializer,
    StringSerializer,
)

__all__ = [
    "Deserializer",
    "DeserializerBuilder",
    "DoubleDeserializer",
    "DoubleSerializer",
    "IntegerDeserializer",
    "IntegerSerializer",
    "MessageField",
    "SerializationContext",
    "SerializationError",
    "Serializer",
    "SerializerBuilder",
    "StringDeserializer",
    "StringSerializer",
]
