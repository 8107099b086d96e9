# SPDX-License-Identifier: Apache-2.0
"""``AvroProducer`` and ``AvroConsumer``."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, Producer

from .cached_schema_registry_client import CachedSchemaRegistryClient
from .error import ClientError
from .serializer import KeySerializerError, SerializerError, ValueSerializerError
from .serializer.message_serializer import MessageSerializer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import Message

    from .load import ParsedSchema

_PREFIX = "schema.registry."


def _split(config: Mapping[str, Any], registry: Any) -> tuple[dict[str, Any], Any]:
    """Return the configuration of the Kafka client, and a registry client."""
    own = {key.removeprefix(_PREFIX): value for key, value in config.items() if key.startswith(_PREFIX)}
    kafka = {key: value for key, value in config.items() if not key.startswith(_PREFIX)}
    if str(own.get("basic.auth.credentials.source")).upper() == "SASL_INHERIT":
        own["sasl.mechanism"] = config.get("sasl.mechanism", config.get("sasl.mechanisms", ""))
        own["sasl.username"] = config.get("sasl.username", "")
        own["sasl.password"] = config.get("sasl.password", "")
    if "auto.register.schemas" in kafka:  # librdkafka has no such property
        own.setdefault("auto.register.schemas", kafka.pop("auto.register.schemas"))
    if registry is None:
        return kafka, CachedSchemaRegistryClient(own)
    if own.get("url") is not None:
        raise ValueError("Cannot pass schema_registry along with schema.registry.url config")
    return kafka, registry


class AvroProducer(Producer):
    """A producer that writes keys and values as Avro; deprecated, use :class:`SerializingProducer`.

    Args:
        config: configuration of the producer, and, with the prefix ``schema.registry.``, of the registry client.
        default_key_schema, default_value_schema: schemas of messages that come without.
        schema_registry: a registry client, instead of its configuration.
    Raises:
        ValueError: both a registry client and ``schema.registry.url``, or a wrong property.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        default_key_schema: ParsedSchema | str | None = None,
        default_value_schema: ParsedSchema | str | None = None,
        schema_registry: Any = None,
        **kwargs: Any,
    ) -> None:
        warnings.warn(
            "AvroProducer is deprecated: use SerializingProducer with AvroSerializer", DeprecationWarning, stacklevel=2
        )
        kafka, registry = _split(config, schema_registry)
        super().__init__(kafka, **kwargs)
        self._serializer = MessageSerializer(registry)
        self._owns_registry = schema_registry is None
        self._key_schema = default_key_schema
        self._value_schema = default_value_schema

    def produce(self, **kwargs: Any) -> None:  # type: ignore[override]  # keywords only, as it has always been
        """Send a message.

        Args:
            kwargs: ``topic``; ``key`` and ``value``, objects to be written by ``key_schema`` and ``value_schema`` (by
                default those of the producer); all others as for :meth:`Producer.produce`.
        Raises:
            ClientError: there is no topic, or the registry refused.
            KeySerializerError, ValueSerializerError: there is no schema.
            SchemaMismatchError: an object does not match its schema.
            KafkaException, BufferError: as :meth:`Producer.produce`.
        """
        key_schema = kwargs.pop("key_schema", self._key_schema)
        value_schema = kwargs.pop("value_schema", self._value_schema)
        topic = kwargs.pop("topic", None)
        if not topic:
            raise ClientError("Topic name not specified.")
        value, key = kwargs.pop("value", None), kwargs.pop("key", None)
        if value is not None:
            if not value_schema:
                raise ValueSerializerError("Avro schema required for values")
            value = self._serializer.encode_record_with_schema(topic, value_schema, value)
        if key is not None:
            if not key_schema:
                raise KeySerializerError("Avro schema required for key")
            key = self._serializer.encode_record_with_schema(topic, key_schema, key, True)
        super().produce(topic, value, key, **kwargs)

    def close(self) -> bool:
        """Close the producer, as :meth:`Producer.close`, and the registry client that was made for it."""
        try:
            return super().close()
        finally:
            if self._owns_registry:
                self._serializer.registry_client.close()


class AvroConsumer(Consumer):
    """A consumer that reads keys and values as Avro; deprecated, use :class:`DeserializingConsumer`.

    Args:
        config: configuration of the consumer, and, with the prefix ``schema.registry.``, of the registry client.
        schema_registry: a registry client, instead of its configuration.
        reader_key_schema, reader_value_schema: what keys and values are to be read as.
    Raises:
        ValueError: both a registry client and ``schema.registry.url``, or a wrong property.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        schema_registry: Any = None,
        reader_key_schema: ParsedSchema | str | None = None,
        reader_value_schema: ParsedSchema | str | None = None,
        **kwargs: Any,
    ) -> None:
        warnings.warn(
            "AvroConsumer is deprecated: use DeserializingConsumer with AvroDeserializer",
            DeprecationWarning,
            stacklevel=2,
        )
        kafka, registry = _split(config, schema_registry)
        super().__init__(kafka, **kwargs)
        self._serializer = MessageSerializer(registry, reader_key_schema, reader_value_schema)
        self._owns_registry = schema_registry is None

    def poll(self, timeout: float | None = None) -> Message[Any, Any] | None:
        """Return the next message with key and value read, None when the time is over.

        Args:
            timeout: seconds; None waits without limit.
        Raises:
            SerializerError: key or value could not be read; the text says of which message.
        """
        message = super().poll(-1 if timeout is None else timeout)
        if message is None or message.error():
            return message
        try:
            value, key = message.value(), message.key()
            if value is not None:
                message.set_value(self._serializer.decode_message(value, is_key=False))
            if key is not None:
                message.set_key(self._serializer.decode_message(key, is_key=True))
        except SerializerError as e:
            place = f"{message.topic()} [{message.partition()}] offset {message.offset()}"
            raise SerializerError(f"Message deserialization failed for message at {place}: {e}") from e
        return message

    def close(self) -> None:
        """Close the consumer, as :meth:`Consumer.close`, and the registry client that was made for it."""
        try:
            super().close()
        finally:
            if self._owns_registry:
                self._serializer.registry_client.close()
