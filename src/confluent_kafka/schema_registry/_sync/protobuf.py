# SPDX-License-Identifier: Apache-2.0
"""Protobuf's synchronous serializers and their builders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.codecs.protobuf import PROTOBUF_TYPE
from confluent_kafka.schema_registry._core.protobuf_serde import (
    ProtobufDeserializerSetup,
    ProtobufSerializerSetup,
    protobuf_deserializer,
    protobuf_serializer,
)
from confluent_kafka.schema_registry._core.serializer import Pending
from confluent_kafka.schema_registry._sync.serde import BaseDeserializer, BaseSerializer, SyncBuild

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._sync.schema_registry_client import SchemaRegistryClient
    from confluent_kafka.serialization import SerializationContext

__all__ = [
    "PROTOBUF_TYPE",
    "ProtobufDeserializer",
    "ProtobufDeserializerBuilder",
    "ProtobufSerializer",
    "ProtobufSerializerBuilder",
]


class ProtobufSerializer(BaseSerializer):
    """Writes Protobuf messages: ``0x00 | id: 4 bytes | message indexes | message``.

    Args:
        msg_type: the generated class of the messages. Their file is registered as a serialized file descriptor, the
            files that it imports as its references. Or, without generated code: a :class:`Schema`, its ``.proto`` text,
            or None together with ``use.latest.version``, ``use.latest.with.metadata`` or ``use.schema.id``; then dicts
            are written, or messages of the type by whatever class.
        schema_registry_client: where the schema is registered or looked up.
        conf: configuration:

            ``auto.register.schemas`` (True): register the schemas at the first message of a subject, else look them up.

            ``normalize.schemas`` (False): have the registry normalize them for that.

            ``use.schema.id`` (None), ``use.latest.with.metadata`` (None), ``use.latest.version`` (False): write with
            the schema the registry has by this id, by these properties, or as the latest one; the first one counts.

            ``skip.known.types`` (True): do not register the files that every client has, as
            ``google/protobuf/timestamp.proto``.

            ``reference.subject.name.strategy``: ``(context, file descriptor) -> subject`` of an import; its name.

            ``subject.name.strategy`` (None), ``.type`` (ASSOCIATED), ``.conf``: a callable, or TOPIC, RECORD,
            TOPIC_RECORD, ASSOCIATED.

            ``schema.id.serializer`` (``prefix_schema_id_serializer``): where the id goes.

            ``validation.rules.execution`` (DISABLED), ``validation.rules.fail.fast`` (False),
            ``validation.rules.executor`` (None, which is CEL): check objects by the rules in the schema's text,
            BEFORE_DOMAIN_RULES or AFTER_DOMAIN_RULES; nothing is written that fails.
        rule_conf: configuration of rules: credentials of key management systems, for example.
        rule_registry: executors and actions of rules; None takes the global ones.
        message_name: full name of the message when ``msg_type`` is no class; the first one of the schema.
    Raises:
        ValueError: a wrong or unknown property.
        SerializationError: the schema is not valid, or has rules.

    A dict has the fields' own names; enums are names or numbers, messages and maps dicts. Thread-safe.
    """

    def __init__(
        self,
        msg_type: Any,
        schema_registry_client: SchemaRegistryClient,
        conf: dict[str, Any] | None = None,
        rule_conf: dict[str, Any] | None = None,
        rule_registry: Any = None,
        *,
        message_name: str | None = None,
    ) -> None:
        core = protobuf_serializer(msg_type, conf, message_name)
        super().__init__(schema_registry_client, core, rule_conf, rule_registry)

    def __call__(self, message: Any, ctx: SerializationContext | None = None) -> bytes | None:
        """Return ``message`` as bytes with the schema's id, None for None.

        Args: the message, or a dict of it; topic, field and headers, which most subject name strategies need.
        Raises: as :class:`BaseSerializer` does.
        """
        outcome = self._core.start(message, ctx)
        return self._run(outcome.operation) if isinstance(outcome, Pending) else outcome


class ProtobufDeserializer(BaseDeserializer):
    """Reads what :class:`ProtobufSerializer`, or another client's Protobuf serializer, has written.

    Args:
        message_type: the generated class of the messages; all are read as it, whatever their writer's. None makes the
            class from the schema in the registry: messages have the type that they were written with.
        conf: configuration:

            ``use.latest.with.metadata`` (None), ``use.latest.version`` (False): read as the schema the registry has by
            these properties or as the latest one.

            ``subject.name.strategy`` (None), ``.type`` (ASSOCIATED), ``.conf``: as for the serializer.

            ``schema.id.deserializer`` (``dual_schema_id_deserializer``): where the id is.
        schema_registry_client: where the writer's schema is fetched. Without one, which takes a class, the schema id is
            read and ignored.
        rule_conf: configuration of rules: credentials of key management systems, for example.
        rule_registry: executors and actions of rules; None takes the global ones.
        as_dict: return dicts with the fields' own names instead of messages: numbers, bytes and str as they are, enums
            as names, unset fields left out where that can be told.
    Raises:
        ValueError: a wrong or unknown property, or neither a class nor a registry.

    Rules of the schema run on what is read. Thread-safe.
    """

    def __init__(
        self,
        message_type: Any = None,
        conf: dict[str, Any] | None = None,
        schema_registry_client: SchemaRegistryClient | None = None,
        rule_conf: dict[str, Any] | None = None,
        rule_registry: Any = None,
        *,
        as_dict: bool = False,
    ) -> None:
        core = protobuf_deserializer(message_type, conf, as_dict, offline=schema_registry_client is None)
        super().__init__(schema_registry_client, core, rule_conf, rule_registry)


class ProtobufSerializerBuilder(SyncBuild[ProtobufSerializer], ProtobufSerializerSetup):
    """Makes a :class:`ProtobufSerializer` for ``key.serializer.builder`` or ``value.serializer.builder``."""

    _kind = ProtobufSerializer


class ProtobufDeserializerBuilder(SyncBuild[ProtobufDeserializer], ProtobufDeserializerSetup):
    """Makes a :class:`ProtobufDeserializer` for ``key.deserializer.builder`` or ``value.deserializer.builder``."""

    _kind = ProtobufDeserializer
