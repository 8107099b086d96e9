# SPDX-License-Identifier: Apache-2.0
"""What Avro's serializers are made of, and their builders' settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.builders import (
    ReaderSetup,
    WithFromDict,
    WithModel,
    WithSchema,
    WithToDict,
    WriterSetup,
)
from confluent_kafka.schema_registry._core.codecs.avro import AvroCodec
from confluent_kafka.schema_registry._core.codecs.avro_schema import normalized_text
from confluent_kafka.schema_registry._core.framing import dual_schema_id_deserializer, prefix_schema_id_serializer
from confluent_kafka.schema_registry._core.models import Schema
from confluent_kafka.schema_registry._core.options import (
    AVRO_SERIALIZER,
    deserializer_options,
    naming_of,
    read_options,
    serializer_options,
)
from confluent_kafka.schema_registry._core.plan import ReadPlanner, WritePlanner
from confluent_kafka.schema_registry._core.serializer import (
    DeserializerCore,
    SerializerCore,
    from_dict_converter,
    from_registry,
    model_reader,
    model_writer,
    to_dict_converter,
)
from confluent_kafka.schema_registry._core.typed_schema import avro_schema
from confluent_kafka.serialization import DeserializerBuilder, SerializerBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.serialization import SerializationContext

_SERIALIZER_OPTIONS = {**serializer_options(prefix_schema_id_serializer), **AVRO_SERIALIZER}
_DESERIALIZER_OPTIONS = deserializer_options(dual_schema_id_deserializer)


def avro_serializer(
    schema_str: str | Schema | None,
    to_dict: Callable[[Any, SerializationContext], Any] | None,
    conf: dict[str, Any] | None,
    model: Any,
) -> SerializerCore:
    """Make the core of an ``AvroSerializer`` from its arguments."""
    convert = to_dict_converter(to_dict)
    options = read_options(_SERIALIZER_OPTIONS, conf)
    if model is not None:
        convert = model_writer(model, to_dict, as_json=False)
        if schema_str is None and not from_registry(options):
            schema_str = avro_schema(model)
    codec = AvroCodec(strict=options["validate.strict"], strict_allow_default=options["validate.strict.allow.default"])
    if isinstance(schema_str, str):
        schema: Schema | None = Schema(normalized_text(schema_str), "AVRO")
    else:
        schema = schema_str if isinstance(schema_str, Schema) else None
    return SerializerCore(WritePlanner(codec, schema, naming_of(options), options), convert)


def avro_deserializer(
    schema_str: str | Schema | None,
    from_dict: Callable[[Any, SerializationContext], Any] | None,
    return_record_name: bool,
    conf: dict[str, Any] | None,
    model: Any,
) -> DeserializerCore:
    """Make the core of an ``AvroDeserializer`` from its arguments."""
    convert = from_dict_converter(from_dict) if model is None else model_reader(model, from_dict, as_json=False)
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
    return DeserializerCore(ReadPlanner(codec, schema, naming_of(options), options), convert)


class AvroSerializerSetup(WithModel, WithSchema, WithToDict, WriterSetup, SerializerBuilder):
    """Settings of the builders of Avro serializers.

    All of it can be given to the constructor or to the methods, which return the builder.

    Args:
        schema_registry_config: configuration of a registry client that is made for, and closed with, the serializer.
        schema_registry_client: a registry client, instead.
        schema, to_dict, serializer_config, rule_config, rule_registry: as for the serializer.
        serializer_init: called with the serializer when it is made.
    """

    def __init__(
        self,
        schema_registry_config: dict[str, Any] | None = None,
        schema_registry_client: Any = None,
        schema: str | Schema | None = None,
        to_dict: Callable[[Any, SerializationContext], Any] | None = None,
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
        self._schema = schema
        self._to_dict = to_dict

    def _make(self, client: Any) -> Any:
        return self._kind(
            client,
            self._schema,
            self._to_dict,
            self._conf,
            self._rule_conf,
            self._rule_registry,
            model=self._model,
        )


class AvroDeserializerSetup(WithModel, WithSchema, WithFromDict, ReaderSetup, DeserializerBuilder):
    """Settings of the builders of Avro deserializers.

    All of it can be given to the constructor or to the methods, which return the builder.

    Args:
        schema_registry_config: configuration of a registry client that is made for, and closed with, the deserializer.
        schema_registry_client: a registry client, instead.
        schema, from_dict, return_record_name, deserializer_config, rule_config, rule_registry: as for the deserializer.
        deserializer_init: called with the deserializer when it is made.
    """

    def __init__(
        self,
        schema_registry_config: dict[str, Any] | None = None,
        schema_registry_client: Any = None,
        schema: str | Schema | None = None,
        from_dict: Callable[[Any, SerializationContext], Any] | None = None,
        return_record_name: bool = False,
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
        self._schema = schema
        self._from_dict = from_dict
        self._return_record_name = return_record_name

    def set_return_record_name(self, return_record_name: bool) -> Any:
        """Set whether records in unions come as ``(name, record)``."""
        self._return_record_name = return_record_name
        return self

    def _make(self, client: Any) -> Any:
        return self._kind(
            client,
            self._schema,
            self._from_dict,
            self._return_record_name,
            self._conf,
            self._rule_conf,
            self._rule_registry,
            model=self._model,
        )
