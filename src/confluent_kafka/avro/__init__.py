# SPDX-License-Identifier: Apache-2.0
"""Producer and consumer of Avro messages as they were before ``AvroSerializer``; deprecated, use that."""

from __future__ import annotations

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
    "KeySerializerError",
    "MessageSerializer",
    "SerializerError",
    "ValueSerializerError",
    "load",
    "loads",
]
