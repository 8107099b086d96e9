# SPDX-License-Identifier: Apache-2.0
"""Avro's synchronous serializers and their builders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.avro_serde import (
    AvroDeserializerSetup,
    AvroSerializerSetup,
    avro_deserializer,
    avro_serializer,
)
from confluent_kafka.schema_registry._sync.serde import BaseDeserializer, BaseSerializer, SyncBuild

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.schema_registry._core.models import Schema
    from confluent_kafka.schema_registry._sync.schema_registry_client import SchemaRegistryClient
    from confluent_kafka.serialization import SerializationContext


class AvroSerializer(BaseSerializer):
    """Writes objects as Avro, with the id of a schema from the registry: ``0x00 | id: 4 bytes | Avro binary``.

    Args:
        schema_registry_client: where the schema is registered or looked up.
        schema_str: the Avro schema, as JSON text or :class:`Schema` (which can refer to others). Not needed with
            ``use.latest.version``, ``use.latest.with.metadata`` and ``use.schema.id``.
        to_dict: called as ``to_dict(obj, context)``; returns what Avro is to write.
        conf: configuration:

            ``auto.register.schemas`` (True): register the schema at the first message of a subject, else look it up.

            ``normalize.schemas`` (False): have the registry normalize it for that.

            ``use.schema.id`` (None), ``use.latest.with.metadata`` (None), ``use.latest.version`` (False): write with
            the schema the registry has by this id, by these properties, or as the latest one; the first one counts.

            ``subject.name.strategy`` (None), ``.type`` (ASSOCIATED), ``.conf``: a callable, or TOPIC, RECORD,
            TOPIC_RECORD, ASSOCIATED.

            ``schema.id.serializer`` (``prefix_schema_id_serializer``): where the id goes.

            ``validation.rules.execution`` (DISABLED), ``validation.rules.fail.fast`` (False),
            ``validation.rules.executor`` (None, which is CEL): check objects by the rules in the schema's text,
            BEFORE_DOMAIN_RULES or AFTER_DOMAIN_RULES; nothing is written that fails.

            ``validate.strict`` (False), ``validate.strict.allow.default`` (False): refuse records with other fields.
        rule_conf: configuration of rules: credentials of key management systems, for example.
        rule_registry: executors and actions of rules; None takes the global ones.
        model: class of the objects, in place of ``to_dict``: a dataclass, attrs, pydantic or msgspec.Struct class.
            Without ``schema_str`` the schema is made from it.
    Raises:
        ValueError: a wrong or unknown property, or no JSON.

    Rules of the schema run before anything is written; where they cannot, encryption above all, nothing is. Records
    are dicts; in unions ``(name, value)`` and the key ``-type`` choose a branch. Top-level ``bytes`` are written
    without Avro's length. Thread-safe.
    """

    def __init__(
        self,
        schema_registry_client: SchemaRegistryClient,
        schema_str: str | Schema | None = None,
        to_dict: Callable[[Any, SerializationContext], Any] | None = None,
        conf: dict[str, Any] | None = None,
        rule_conf: dict[str, Any] | None = None,
        rule_registry: Any = None,
        *,
        model: type[Any] | None = None,
    ) -> None:
        core = avro_serializer(schema_str, to_dict, conf, model)
        super().__init__(schema_registry_client, core, rule_conf, rule_registry)


class AvroDeserializer(BaseDeserializer):
    """Reads what :class:`AvroSerializer`, or another client's Avro serializer, has written.

    Args:
        schema_registry_client: where the writer's schema is fetched.
        schema_str: the schema that the objects are to have, by Avro's schema resolution; without it they have the
            writer's. JSON text or :class:`Schema`.
        from_dict: called as ``from_dict(value, context)``; returns the object.
        return_record_name: give records in unions as ``(name, record)``.
        conf: configuration:

            ``use.latest.with.metadata`` (None), ``use.latest.version`` (False): read as the schema the registry has by
            these properties or as the latest one, rather than ``schema_str``.

            ``subject.name.strategy`` (None), ``.type`` (ASSOCIATED), ``.conf``: as for the serializer.

            ``schema.id.deserializer`` (``dual_schema_id_deserializer``): where the id is.
        rule_conf: configuration of rules: credentials of key management systems, for example.
        rule_registry: executors and actions of rules; None takes the global ones.
        model: class of the objects, in place of ``from_dict``: a dataclass, attrs, pydantic or msgspec.Struct class.
    Raises:
        ValueError: a wrong or unknown property, or no JSON.
        TypeError: ``schema_str`` is neither str nor Schema.

    Rules of the schema run on what is read. Thread-safe.
    """

    def __init__(
        self,
        schema_registry_client: SchemaRegistryClient,
        schema_str: str | Schema | None = None,
        from_dict: Callable[[Any, SerializationContext], Any] | None = None,
        return_record_name: bool = False,
        conf: dict[str, Any] | None = None,
        rule_conf: dict[str, Any] | None = None,
        rule_registry: Any = None,
        *,
        model: type[Any] | None = None,
    ) -> None:
        core = avro_deserializer(schema_str, from_dict, return_record_name, conf, model)
        super().__init__(schema_registry_client, core, rule_conf, rule_registry)


class AvroSerializerBuilder(SyncBuild[AvroSerializer], AvroSerializerSetup):
    """Makes an :class:`AvroSerializer` for ``key.serializer.builder`` or ``value.serializer.builder``."""

    _kind = AvroSerializer


class AvroDeserializerBuilder(SyncBuild[AvroDeserializer], AvroDeserializerSetup):
    """Makes an :class:`AvroDeserializer` for ``key.deserializer.builder`` or ``value.deserializer.builder``."""

    _kind = AvroDeserializer
