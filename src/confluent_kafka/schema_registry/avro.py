# SPDX-License-Identifier: Apache-2.0
"""Avro serializers. Needs fastavro: ``pip install "ferrokafka[avro]"``."""

from __future__ import annotations

from confluent_kafka.schema_registry._async.avro import (
    AsyncAvroDeserializer,
    AsyncAvroDeserializerBuilder,
    AsyncAvroSerializer,
    AsyncAvroSerializerBuilder,
)
from confluent_kafka.schema_registry._core.codecs.avro_checks import validate_message
from confluent_kafka.schema_registry._sync.avro import (
    AvroDeserializer,
    AvroDeserializerBuilder,
    AvroSerializer,
    AvroSerializerBuilder,
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
    "validate_message",
]
