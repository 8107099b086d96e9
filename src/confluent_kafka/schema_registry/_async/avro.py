# SPDX-License-Identifier: Apache-2.0
"""Avro's asyncio serializers and their builders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._async.serde import AsyncBaseDeserializer, AsyncBaseSerializer, AsyncBuild
from confluent_kafka.schema_registry._core.avro_serde import (
    AvroDeserializerSetup,
    AvroSerializerSetup,
    avro_deserializer,
    avro_serializer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.schema_registry._core.models import Schema
    from confluent_kafka.serialization import SerializationContext


class AsyncAvroSerializer(AsyncBaseSerializer):
    """``AvroSerializer`` for asyncio: ``await serializer(obj, context)``.

    Made with or without ``await``. A message whose schema is known takes no turn of the event loop.

    Args:
        schema_registry_client: an asyncio registry client.
        schema_str, to_dict, conf, rule_conf, rule_registry, model: as for ``AvroSerializer``; ``to_dict`` is a plain
            function.
    Raises: as ``AvroSerializer``.
    """

    def __init__(
        self,
        schema_registry_client: Any,
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


class AsyncAvroDeserializer(AsyncBaseDeserializer):
    """``AvroDeserializer`` for asyncio: ``await deserializer(data, context)``.

    Made with or without ``await``. A message whose schema is known takes no turn of the event loop.

    Args:
        schema_registry_client: an asyncio registry client.
        schema_str, from_dict, return_record_name, conf, rule_conf, rule_registry, model: as for ``AvroDeserializer``;
            ``from_dict`` is a plain function.
    Raises: as ``AvroDeserializer``.
    """

    def __init__(
        self,
        schema_registry_client: Any,
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


class AsyncAvroSerializerBuilder(AsyncBuild[AsyncAvroSerializer], AvroSerializerSetup):  # type: ignore[misc]  # awaited
    """Makes an :class:`AsyncAvroSerializer` for ``key.serializer.builder`` or ``value.serializer.builder``."""

    _kind = AsyncAvroSerializer


class AsyncAvroDeserializerBuilder(  # type: ignore[misc]  # awaited
    AsyncBuild[AsyncAvroDeserializer], AvroDeserializerSetup
):
    """Makes an :class:`AsyncAvroDeserializer` for ``key.deserializer.builder`` or ``value.deserializer.builder``."""

    _kind = AsyncAvroDeserializer
