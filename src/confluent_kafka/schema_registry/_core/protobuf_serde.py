# SPDX-License-Identifier: Apache-2.0
"""What Protobuf's serializers are made of, and their builders' settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.builders import ReaderSetup, Setup, WriterSetup
from confluent_kafka.schema_registry._core.codecs.protobuf import ProtobufCodec, ProtobufWritePlanner
from confluent_kafka.schema_registry._core.framing import dual_schema_id_deserializer, prefix_schema_id_serializer
from confluent_kafka.schema_registry._core.models import Schema
from confluent_kafka.schema_registry._core.options import (
    PROTOBUF_DESERIALIZER,
    deserializer_options,
    naming_of,
    protobuf_serializer_options,
    read_options,
    serializer_options,
)
from confluent_kafka.schema_registry._core.plan import ReadPlanner
from confluent_kafka.schema_registry._core.serializer import DeserializerCore, SerializerCore
from confluent_kafka.schema_registry._core.subject import reference_subject_name_strategy
from confluent_kafka.serialization import DeserializerBuilder, SerializerBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

_SERIALIZER_OPTIONS = {
    **serializer_options(prefix_schema_id_serializer),
    **protobuf_serializer_options(reference_subject_name_strategy),
}
_DESERIALIZER_OPTIONS = {**deserializer_options(dual_schema_id_deserializer), **PROTOBUF_DESERIALIZER}


def protobuf_serializer(msg_type: Any, conf: dict[str, Any] | None, message_name: str | None) -> SerializerCore:
    """Make the core of a ``ProtobufSerializer`` from its arguments."""
    options = read_options(_SERIALIZER_OPTIONS, conf)
    message_class, schema = _type_or_schema(msg_type)
    if message_class is not None and message_name is not None:
        raise ValueError("message_name is for schemas: a message class says by itself which message it is")
    codec = ProtobufCodec(
        message_class,
        message_name=message_name,
        skip_known_types=options["skip.known.types"],
        reference_subject=options["reference.subject.name.strategy"],
    )
    planner = ProtobufWritePlanner(codec, codec.schema or schema, naming_of(options), options)
    return SerializerCore(planner)


def protobuf_deserializer(
    message_type: Any, conf: dict[str, Any] | None, as_dict: bool, offline: bool
) -> DeserializerCore:
    """Make the core of a ``ProtobufDeserializer`` from its arguments."""
    options = read_options(_DESERIALIZER_OPTIONS, conf)
    message_class, schema = _type_or_schema(message_type)
    if offline and message_class is None and schema is None:
        raise ValueError(
            "message_type or schema_registry_client is required: there is nothing else to read messages by"
        )
    codec = ProtobufCodec(message_class, as_dict=as_dict)
    planner = ReadPlanner(codec, codec.schema or schema, naming_of(options), options, offline=offline)
    return DeserializerCore(planner)


def _type_or_schema(given: Any) -> tuple[Any, Schema | None]:
    """Return the message class, or the schema; TypeError for anything else."""
    if given is None or isinstance(given, Schema):
        return None, given
    if isinstance(given, str):
        return None, Schema(given, "PROTOBUF")
    if getattr(given, "DESCRIPTOR", None) is None or not isinstance(given, type):
        # an instance stands for its class
        given = type(given)
        if getattr(given, "DESCRIPTOR", None) is None:
            raise TypeError(f"expected a Protobuf message class, a Schema, or its text, got {given.__name__}")
    return given, None


class WithMessageType(Setup):
    """A builder that takes a message class."""

    _message_type: Any

    def set_message_type(self, msg_type: Any) -> Self:
        """Set the message class, or the schema, that is written or read."""
        self._message_type = msg_type
        return self

    def _construct(self, client: Any) -> Any:
        if self._message_type is None:
            raise ValueError(f"{self._kind.__name__} requires a message type; call set_message_type()")
        return super()._construct(client)


class ProtobufSerializerSetup(WithMessageType, WriterSetup, SerializerBuilder):
    """Settings of the builders of Protobuf serializers.

    All of it can be given to the constructor or to the methods, which return the builder.

    Args:
        schema_registry_config: configuration of a registry client that is made for, and closed with, the serializer.
        schema_registry_client: a registry client, instead.
        message_type, serializer_config, rule_config, rule_registry: as for the serializer.
        serializer_init: called with the serializer when it is made.
    """

    def __init__(
        self,
        schema_registry_config: dict[str, Any] | None = None,
        schema_registry_client: Any = None,
        message_type: Any = None,
        serializer_config: dict[str, Any] | None = None,
        rule_config: dict[str, Any] | None = None,
        rule_registry: Any = None,
        serializer_init: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(
            schema_registry_config,
            schema_registry_client,
            serializer_config,
            rule_config,
            rule_registry,
            serializer_init,
        )
        self._message_type = message_type

    def _make(self, client: Any) -> Any:
        return self._kind(self._message_type, client, self._conf, self._rule_conf, self._rule_registry)


class ProtobufDeserializerSetup(WithMessageType, ReaderSetup, DeserializerBuilder):
    """Settings of the builders of Protobuf deserializers.

    All of it can be given to the constructor or to the methods, which return the builder.

    Args:
        schema_registry_config: configuration of a registry client that is made for, and closed with, the deserializer.
        schema_registry_client: a registry client, instead. Neither is needed.
        message_type, deserializer_config, rule_config, rule_registry: as for the deserializer.
        deserializer_init: called with the deserializer when it is made.
    """

    _needs_client = False

    def __init__(
        self,
        schema_registry_config: dict[str, Any] | None = None,
        schema_registry_client: Any = None,
        message_type: Any = None,
        deserializer_config: dict[str, Any] | None = None,
        rule_config: dict[str, Any] | None = None,
        rule_registry: Any = None,
        deserializer_init: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(
            schema_registry_config,
            schema_registry_client,
            deserializer_config,
            rule_config,
            rule_registry,
            deserializer_init,
        )
        self._message_type = message_type

    def _make(self, client: Any) -> Any:
        return self._kind(self._message_type, self._conf, client, self._rule_conf, self._rule_registry)
