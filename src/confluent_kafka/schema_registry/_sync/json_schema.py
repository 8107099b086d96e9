# SPDX-License-Identifier: Apache-2.0
"""JSON Schema's synchronous serializers and their builders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.json_serde import (
    JSONDeserializerSetup,
    JSONSerializerSetup,
    json_deserializer,
    json_serializer,
)
from confluent_kafka.schema_registry._sync.serde import BaseDeserializer, BaseSerializer, SyncBuild

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.schema_registry._core.models import Schema
    from confluent_kafka.schema_registry._sync.schema_registry_client import SchemaRegistryClient
    from confluent_kafka.serialization import SerializationContext


class JSONSerializer(BaseSerializer):
    """Writes objects as JSON that fits a JSON Schema of the registry: ``0x00 | id: 4 bytes | UTF-8 JSON``.

    Args:
        schema_str: the schema, drafts 4 to 2020-12 (by its ``$schema``; without, 2020-12), as text or
            :class:`Schema`, which can refer to others: ``$ref`` finds them by the names of the references, or by their
            ``$id``. Nothing is fetched from the web. Not needed with ``use.latest.version``,
            ``use.latest.with.metadata`` and ``use.schema.id``.
        schema_registry_client: where the schema is registered or looked up.
        to_dict: called as ``to_dict(obj, context)``; returns what is written.
        conf: configuration, as for ``AvroSerializer`` without its own options, and

            ``validate`` (True): check every object against the schema.
        rule_conf: configuration of rules: credentials of key management systems, for example.
        rule_registry: executors and actions of rules; None takes the global ones.
        json_encode: called as ``json_encode(obj)`` in place of orjson; returns str or bytes.
        model: class of the objects, in place of ``to_dict``: a dataclass, attrs, pydantic or msgspec.Struct class.
            Without ``schema_str`` the schema is made from it.
    Raises:
        ValueError: a wrong or unknown property; no JSON, no valid schema, or a ``$ref`` to nothing.
        TypeError: ``schema_str`` is neither str nor Schema.

    Without ``json_encode`` the text is compact, UTF-8 without escapes; dataclasses, dates and UUIDs are written as
    orjson does, and checked as what they become. ``format`` is not checked. Thread-safe.
    """

    def __init__(
        self,
        schema_str: str | Schema | None,
        schema_registry_client: SchemaRegistryClient,
        to_dict: Callable[[Any, SerializationContext], Any] | None = None,
        conf: dict[str, Any] | None = None,
        rule_conf: dict[str, Any] | None = None,
        rule_registry: Any = None,
        json_encode: Callable[[Any], str | bytes] | None = None,
        *,
        model: type[Any] | None = None,
    ) -> None:
        core = json_serializer(schema_str, to_dict, conf, json_encode, model)
        super().__init__(schema_registry_client, core, rule_conf, rule_registry)


class JSONDeserializer(BaseDeserializer):
    """Reads what :class:`JSONSerializer`, or another client's JSON Schema serializer, has written.

    Args:
        schema_str: the schema that objects are checked against; without it the one they were written with. Text or
            :class:`Schema`.
        from_dict: called as ``from_dict(value, context)``; returns the object.
        schema_registry_client: where schemas are fetched. Not needed with a schema that refers to no others: the
            schema's id in a message is then passed over.
        conf: configuration, as for ``AvroDeserializer``, and

            ``validate`` (True): check every object against the schema.
        rule_conf: configuration of rules: credentials of key management systems, for example.
        rule_registry: executors and actions of rules; None takes the global ones.
        json_decode: called as ``json_decode(data)`` in place of orjson; returns the value.
        model: class of the objects, in place of ``from_dict``: a dataclass, attrs, pydantic or msgspec.Struct class.
    Raises:
        ValueError: a wrong or unknown property, no valid schema, or no registry client where one is needed.
        TypeError: ``schema_str`` is neither str nor Schema.

    Thread-safe.
    """

    def __init__(
        self,
        schema_str: str | Schema | None,
        from_dict: Callable[[Any, SerializationContext], Any] | None = None,
        schema_registry_client: SchemaRegistryClient | None = None,
        conf: dict[str, Any] | None = None,
        rule_conf: dict[str, Any] | None = None,
        rule_registry: Any = None,
        json_decode: Callable[[bytes], Any] | None = None,
        *,
        model: type[Any] | None = None,
    ) -> None:
        core = json_deserializer(schema_str, from_dict, schema_registry_client is not None, conf, json_decode, model)
        super().__init__(schema_registry_client, core, rule_conf, rule_registry)


class JSONSerializerBuilder(SyncBuild[JSONSerializer], JSONSerializerSetup):
    """Makes a :class:`JSONSerializer` for ``key.serializer.builder`` or ``value.serializer.builder``."""

    _kind = JSONSerializer


class JSONDeserializerBuilder(SyncBuild[JSONDeserializer], JSONDeserializerSetup):
    """Makes a :class:`JSONDeserializer` for ``key.deserializer.builder`` or ``value.deserializer.builder``."""

    _kind = JSONDeserializer
