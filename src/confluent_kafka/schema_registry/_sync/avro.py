# SPDX-License-Identifier: Apache-2.0
"""The synchronous Avro serializers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.codecs.avro import AvroCodec
from confluent_kafka.schema_registry._core.codecs.avro_schema import normalized_text
from confluent_kafka.schema_registry._core.framing import dual_schema_id_deserializer, prefix_schema_id_serializer
from confluent_kafka.schema_registry._core.models import Schema
from confluent_kafka.schema_registry._core.options import (
    AVRO_SERIALIZER,
    deserializer_options,
    read_options,
    serializer_options,
)
from confluent_kafka.schema_registry._core.plan import ReadPlanner, WritePlanner
from confluent_kafka.schema_registry._core.subject import SubjectNaming
from confluent_kafka.schema_registry._sync.serde import BaseDeserializer, BaseSerializer, build_serde
from confluent_kafka.serialization import DeserializerBuilder, SerializerBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from confluent_kafka.schema_registry._sync.schema_registry_client import SchemaRegistryClient
    from confluent_kafka.serialization import SerializationContext

_SERIALIZER_OPTIONS = {**serializer_options(prefix_schema_id_serializer), **AVRO_SERIALIZER}
_DESERIALIZER_OPTIONS = deserializer_options(dual_schema_id_deserializer)


def _naming(options: dict[str, Any]) -> SubjectNaming:
    return SubjectNaming(
        options["subject.name.strategy"], options["subject.name.strategy.type"], options["subject.name.strategy.conf"]
    )


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

            ``validate.strict`` (False), ``validate.strict.allow.default`` (False): refuse records with other fields.
        rule_conf: for rules, which this version does not run.
        rule_registry: for rules, which this version does not run.
    Raises:
        ValueError: a wrong or unknown property, or no JSON.
        SerializationError: the schema has rules.

    A schema with rules, encryption above all, is refused rather than used without them. Records are dicts; in unions
    ``(name, value)`` and the key ``-type`` choose a branch. Top-level ``bytes`` are written without Avro's length.
    Thread-safe.
    """

    def __init__(
        self,
        schema_registry_client: SchemaRegistryClient,
        schema_str: str | Schema | None = None,
        to_dict: Callable[[Any, SerializationContext], Any] | None = None,
        conf: dict[str, Any] | None = None,
        rule_conf: dict[str, Any] | None = None,
        rule_registry: Any = None,
    ) -> None:
        super().__init__(schema_registry_client)
        if to_dict is not None and not callable(to_dict):
            raise ValueError("to_dict must be callable with the signature to_dict(object, SerializationContext)->dict")
        self._to_dict = to_dict
        options = read_options(_SERIALIZER_OPTIONS, conf)
        codec = AvroCodec(
            strict=options["validate.strict"], strict_allow_default=options["validate.strict.allow.default"]
        )
        if isinstance(schema_str, str):
            schema: Schema | None = Schema(normalized_text(schema_str), "AVRO")
        else:
            schema = schema_str if isinstance(schema_str, Schema) else None
        self._planner = WritePlanner(codec, schema, _naming(options), options)


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
        rule_conf: for rules, which this version does not run.
        rule_registry: for rules, which this version does not run.
    Raises:
        ValueError: a wrong or unknown property, or no JSON.
        TypeError: ``schema_str`` is neither str nor Schema.
        SerializationError: the schema has rules.

    Messages whose schema has rules are refused: what they encrypted could not be read. Thread-safe.
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
    ) -> None:
        super().__init__(schema_registry_client)
        if from_dict is not None and not callable(from_dict):
            raise ValueError(
                "from_dict must be callable with the signature from_dict(dict, SerializationContext) -> object"
            )
        self._from_dict = from_dict
        if not isinstance(return_record_name, bool):
            raise ValueError("return_record_name must be a boolean value")
        if isinstance(schema_str, str):
            schema: Schema | None = Schema(normalized_text(schema_str), "AVRO")
        elif schema_str is None or isinstance(schema_str, Schema):
            schema = schema_str
        else:
            raise TypeError("You must pass either schema string or schema object")
        options = read_options(_DESERIALIZER_OPTIONS, conf)
        codec = AvroCodec(return_record_name=return_record_name)
        self._planner = ReadPlanner(codec, schema, _naming(options), options)


class AvroSerializerBuilder(SerializerBuilder):
    """Makes an :class:`AvroSerializer` for ``key.serializer.builder`` or ``value.serializer.builder``.

    All of it can be given to the constructor or to the methods, which return the builder.

    Args:
        schema_registry_config: configuration of a registry client that is made for, and closed with, the serializer.
        schema_registry_client: a registry client, instead.
        schema, to_dict, serializer_config, rule_config, rule_registry: as for :class:`AvroSerializer`.
        serializer_init: called with the serializer when it is made.
    """

    def __init__(
        self,
        schema_registry_config: dict[str, Any] | None = None,
        schema_registry_client: SchemaRegistryClient | None = None,
        schema: str | Schema | None = None,
        to_dict: Callable[[Any, SerializationContext], Any] | None = None,
        serializer_config: dict[str, Any] | None = None,
        rule_config: dict[str, Any] | None = None,
        rule_registry: Any = None,
        serializer_init: Callable[[AvroSerializer], Any] | None = None,
    ) -> None:
        self._client_conf = schema_registry_config
        self._client = schema_registry_client
        self._schema = schema
        self._to_dict = to_dict
        self._conf = serializer_config
        self._rule_conf = rule_config
        self._rule_registry = rule_registry
        self._init = serializer_init

    def set_schema_registry_config(self, schema_registry_conf: dict[str, Any]) -> Self:
        """Set the configuration of the registry client."""
        self._client_conf = schema_registry_conf
        return self

    def set_schema_registry_client(self, schema_registry_client: SchemaRegistryClient) -> Self:
        """Set the registry client."""
        self._client = schema_registry_client
        return self

    def set_schema(self, schema_str: str | Schema) -> Self:
        """Set the schema."""
        self._schema = schema_str
        return self

    def set_to_dict(self, to_dict: Callable[[Any, SerializationContext], Any]) -> Self:
        """Set the function that makes objects into what Avro writes."""
        self._to_dict = to_dict
        return self

    def set_serializer_config(self, serializer_conf: dict[str, Any]) -> Self:
        """Set the configuration of the serializer."""
        self._conf = serializer_conf
        return self

    def set_rule_config(self, rule_conf: dict[str, Any]) -> Self:
        """Set the configuration of rules."""
        self._rule_conf = rule_conf
        return self

    def set_rule_registry(self, rule_registry: Any) -> Self:
        """Set the registry of rules."""
        self._rule_registry = rule_registry
        return self

    def set_serializer_init(self, serializer_init: Callable[[AvroSerializer], Any]) -> Self:
        """Set the function that is called with the serializer when it is made."""
        self._init = serializer_init
        return self

    def build(self, conf: dict[str, Any], is_key: bool) -> tuple[AvroSerializer, dict[str, Any]]:
        """Return the serializer and a copy of ``conf``.

        Raises:
            ValueError: both a registry client and a configuration for one were given, or none of them.
        """
        serializer = build_serde(
            self._client,
            self._client_conf,
            lambda client: AvroSerializer(
                client, self._schema, self._to_dict, self._conf, self._rule_conf, self._rule_registry
            ),
            self._init,
        )
        return serializer, dict(conf)


class AvroDeserializerBuilder(DeserializerBuilder):
    """Makes an :class:`AvroDeserializer` for ``key.deserializer.builder`` or ``value.deserializer.builder``.

    All of it can be given to the constructor or to the methods, which return the builder.

    Args:
        schema_registry_config: configuration of a registry client that is made for, and closed with, the deserializer.
        schema_registry_client: a registry client, instead.
        schema, from_dict, return_record_name, deserializer_config, rule_config, rule_registry: as for
            :class:`AvroDeserializer`.
        deserializer_init: called with the deserializer when it is made.
    """

    def __init__(
        self,
        schema_registry_config: dict[str, Any] | None = None,
        schema_registry_client: SchemaRegistryClient | None = None,
        schema: str | Schema | None = None,
        from_dict: Callable[[Any, SerializationContext], Any] | None = None,
        return_record_name: bool = False,
        deserializer_config: dict[str, Any] | None = None,
        rule_config: dict[str, Any] | None = None,
        rule_registry: Any = None,
        deserializer_init: Callable[[AvroDeserializer], Any] | None = None,
    ) -> None:
        self._client_conf = schema_registry_config
        self._client = schema_registry_client
        self._schema = schema
        self._from_dict = from_dict
        self._return_record_name = return_record_name
        self._conf = deserializer_config
        self._rule_conf = rule_config
        self._rule_registry = rule_registry
        self._init = deserializer_init

    def set_schema_registry_config(self, schema_registry_conf: dict[str, Any]) -> Self:
        """Set the configuration of the registry client."""
        self._client_conf = schema_registry_conf
        return self

    def set_schema_registry_client(self, schema_registry_client: SchemaRegistryClient) -> Self:
        """Set the registry client."""
        self._client = schema_registry_client
        return self

    def set_schema(self, schema_str: str | Schema) -> Self:
        """Set the schema that objects are to have."""
        self._schema = schema_str
        return self

    def set_from_dict(self, from_dict: Callable[[Any, SerializationContext], Any]) -> Self:
        """Set the function that makes objects of what Avro reads."""
        self._from_dict = from_dict
        return self

    def set_return_record_name(self, return_record_name: bool) -> Self:
        """Set whether records in unions come as ``(name, record)``."""
        self._return_record_name = return_record_name
        return self

    def set_deserializer_config(self, deserializer_conf: dict[str, Any]) -> Self:
        """Set the configuration of the deserializer."""
        self._conf = deserializer_conf
        return self

    def set_rule_config(self, rule_conf: dict[str, Any]) -> Self:
        """Set the configuration of rules."""
        self._rule_conf = rule_conf
        return self

    def set_rule_registry(self, rule_registry: Any) -> Self:
        """Set the registry of rules."""
        self._rule_registry = rule_registry
        return self

    def set_deserializer_init(self, deserializer_init: Callable[[AvroDeserializer], Any]) -> Self:
        """Set the function that is called with the deserializer when it is made."""
        self._init = deserializer_init
        return self

    def build(self, conf: dict[str, Any], is_key: bool) -> tuple[AvroDeserializer, dict[str, Any]]:
        """Return the deserializer and a copy of ``conf``.

        Raises:
            ValueError: both a registry client and a configuration for one were given, or none of them.
        """
        deserializer = build_serde(
            self._client,
            self._client_conf,
            lambda client: AvroDeserializer(
                client,
                self._schema,
                self._from_dict,
                self._return_record_name,
                self._conf,
                self._rule_conf,
                self._rule_registry,
            ),
            self._init,
        )
        return deserializer, dict(conf)
