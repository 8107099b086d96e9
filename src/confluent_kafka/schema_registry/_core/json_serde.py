# SPDX-License-Identifier: Apache-2.0
"""What JSON Schema's serializers are made of, and their builders' settings."""

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
from confluent_kafka.schema_registry._core.codecs.json_schema import JsonCodec
from confluent_kafka.schema_registry._core.framing import dual_schema_id_deserializer, prefix_schema_id_serializer
from confluent_kafka.schema_registry._core.models import Schema
from confluent_kafka.schema_registry._core.options import (
    JSON,
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
from confluent_kafka.schema_registry._core.typed_schema import json_schema
from confluent_kafka.serialization import DeserializerBuilder, SerializerBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from confluent_kafka.serialization import SerializationContext

_SERIALIZER_OPTIONS = {**serializer_options(prefix_schema_id_serializer), **JSON}
_DESERIALIZER_OPTIONS = {**deserializer_options(dual_schema_id_deserializer), **JSON}


def _schema(schema_str: str | Schema | None) -> Schema | None:
    if isinstance(schema_str, str):
        return Schema(schema_str, "JSON")
    if schema_str is None or isinstance(schema_str, Schema):
        return schema_str
    raise TypeError("You must pass either str or Schema")


def _check_function(name: str, function: Any) -> None:
    if function is not None and not callable(function):
        raise ValueError(f"{name} must be callable")


def json_serializer(
    schema_str: str | Schema | None,
    to_dict: Callable[[Any, SerializationContext], Any] | None,
    conf: dict[str, Any] | None,
    json_encode: Callable[[Any], str | bytes] | None,
    model: Any,
) -> SerializerCore:
    """Make the core of a ``JSONSerializer`` from its arguments."""
    schema, convert = _schema(schema_str), to_dict_converter(to_dict)
    _check_function("json_encode", json_encode)
    options = read_options(_SERIALIZER_OPTIONS, conf)
    if model is not None:
        convert = model_writer(model, to_dict, as_json=True)
        if schema is None and not from_registry(options):
            schema = Schema(json_schema(model), "JSON")
    codec = JsonCodec(validate=options["validate"], encode=json_encode)
    return SerializerCore(WritePlanner(codec, schema, naming_of(options), options), convert)


def json_deserializer(
    schema_str: str | Schema | None,
    from_dict: Callable[[Any, SerializationContext], Any] | None,
    has_client: bool,
    conf: dict[str, Any] | None,
    json_decode: Callable[[bytes], Any] | None,
    model: Any,
) -> DeserializerCore:
    """Make the core of a ``JSONDeserializer`` from its arguments."""
    schema = _schema(schema_str)
    convert = from_dict_converter(from_dict) if model is None else model_reader(model, from_dict, as_json=True)
    _check_function("json_decode", json_decode)
    if not has_client:
        if schema is None and model is not None:
            schema = Schema(json_schema(model), "JSON")
        if schema is None:
            raise ValueError("schema_registry_client must be provided if schema_str is not a Schema instance")
        if schema.references:
            raise ValueError("schema_registry_client must be provided if the schema has references")
    options = read_options(_DESERIALIZER_OPTIONS, conf)
    codec = JsonCodec(validate=options["validate"], decode=json_decode)
    planner = ReadPlanner(codec, schema, naming_of(options), options, offline=not has_client)
    return DeserializerCore(planner, convert)


class JSONSerializerSetup(WithModel, WithSchema, WithToDict, WriterSetup, SerializerBuilder):
    """Settings of the builders of JSON Schema serializers.

    All of it can be given to the constructor or to the methods, which return the builder.

    Args:
        schema_registry_config: configuration of a registry client that is made for, and closed with, the serializer.
        schema_registry_client: a registry client, instead.
        schema, to_dict, serializer_config, rule_config, rule_registry, json_encode: as for the serializer.
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
        json_encode: Callable[[Any], str | bytes] | None = None,
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
        self._json_encode = json_encode

    def set_json_encode(self, json_encode: Callable[[Any], str | bytes]) -> Self:
        """Set the function that writes objects as JSON."""
        self._json_encode = json_encode
        return self

    def _make(self, client: Any) -> Any:
        return self._kind(
            self._schema,
            client,
            self._to_dict,
            self._conf,
            self._rule_conf,
            self._rule_registry,
            self._json_encode,
            model=self._model,
        )


class JSONDeserializerSetup(WithModel, WithSchema, WithFromDict, ReaderSetup, DeserializerBuilder):
    """Settings of the builders of JSON Schema deserializers.

    All of it can be given to the constructor or to the methods, which return the builder.

    Args:
        schema_registry_config: configuration of a registry client that is made for, and closed with, the deserializer.
        schema_registry_client: a registry client, instead; neither is needed with a schema that refers to no others.
        schema, from_dict, deserializer_config, rule_config, rule_registry, json_decode: as for the deserializer.
        deserializer_init: called with the deserializer when it is made.
    """

    _needs_client = False

    def __init__(
        self,
        schema_registry_config: dict[str, Any] | None = None,
        schema_registry_client: Any = None,
        schema: str | Schema | None = None,
        from_dict: Callable[[Any, SerializationContext], Any] | None = None,
        deserializer_config: dict[str, Any] | None = None,
        rule_config: dict[str, Any] | None = None,
        rule_registry: Any = None,
        json_decode: Callable[[bytes], Any] | None = None,
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
        self._json_decode = json_decode

    def set_json_decode(self, json_decode: Callable[[bytes], Any]) -> Self:
        """Set the function that reads JSON."""
        self._json_decode = json_decode
        return self

    def _make(self, client: Any) -> Any:
        return self._kind(
            self._schema,
            self._from_dict,
            client,
            self._conf,
            self._rule_conf,
            self._rule_registry,
            self._json_decode,
            model=self._model,
        )
