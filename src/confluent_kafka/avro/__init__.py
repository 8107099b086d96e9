# SPDX-License-Identifier: Apache-2.0
"""Producer and consumer of Avro messages as they were before ``AvroSerializer``; deprecated, use that."""

from __future__ import annotations

from confluent_kafka._consumer import Consumer
from confluent_kafka._producer import Producer

from ._clients import AvroConsumer, AvroProducer
from .cached_schema_registry_client import CachedSchemaRegistryClient
from .error import ClientError
from .load import load, loads
from .serializer import KeySerializerError, SerializerError, ValueSerializerError
from .serializer.message_serializer import MessageSerializer

__all__ = [
    "AvroConsumer",
    "AvroProducer",
    "CachedSchemaRegistryClient",
    "ClientError",
    "Consumer",
    "KeySerializerError",
    "MessageSerializer",
    "Producer",
    "SerializerError",
    "ValueSerializerError",
    "load",
    "loads",
]
