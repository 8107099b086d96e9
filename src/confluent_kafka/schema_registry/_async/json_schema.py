# SPDX-License-Identifier: Apache-2.0
"""JSON Schema's asyncio serializers and their builders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._async.serde import AsyncBaseDeserializer, AsyncBaseSerializer, AsyncBuild
from confluent_kafka.schema_registry._core.json_serde import (
    JSONDeserializerSetup,
    JSONSerializerSetup,
    json_deserializer,
    json_serializer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.schema_registry._core.models import Schema
    from confluent_kafka.serialization import SerializationContext


class AsyncJSONSerializer(AsyncBaseSerializer):
    """``JSONSerializer`` for asyncio: ``await serializer(obj, context)``.

    Made with or without ``await``. A message whose schema is known takes no turn of the event loop.

    Args:
        schema_registry_client: an asyncio registry client.
        schema_str, to_dict, conf, rule_conf, rule_registry, json_encode, model: as for ``JSONSerializer``; the
            functions are plain ones.
    Raises: as ``JSONSerializer``.
    """

    def __init__(
        self,
        schema_str: str | Schema | None,
        schema_registry_client: Any,
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


class AsyncJSONDeserializer(AsyncBaseDeserializer):
    """``JSONDeserializer`` for asyncio: ``await deserializer(data, context)``.

    Made with or without ``await``. A message whose schema is known takes no turn of the event loop.

    Args:
        schema_registry_client: an asyncio registry client.
        schema_str, from_dict, conf, rule_conf, rule_registry, json_decode, model: as for ``JSONDeserializer``; the
            functions are plain ones.
    Raises: as ``JSONDeserializer``.
    """

    def __init__(
        self,
        schema_str: str | Schema | None,
        from_dict: Callable[[Any, SerializationContext], Any] | None = None,
        schema_registry_client: Any = None,
        conf: dict[str, Any] | None = None,
        rule_conf: dict[str, Any] | None = None,
        rule_registry: Any = None,
        json_decode: Callable[[bytes], Any] | None = None,
        *,
        model: type[Any] | None = None,
    ) -> None:
        core = json_deserializer(schema_str, from_dict, schema_registry_client is not None, conf, json_decode, model)
        super().__init__(schema_registry_client, core, rule_conf, rule_registry)


class AsyncJSONSerializerBuilder(AsyncBuild[AsyncJSONSerializer], JSONSerializerSetup):  # type: ignore[misc]  # awaited
    """Makes an :class:`AsyncJSONSerializer` for ``key.serializer.builder`` or ``value.serializer.builder``."""

    _kind = AsyncJSONSerializer


class AsyncJSONDeserializerBuilder(  # type: ignore[misc]  # awaited
    AsyncBuild[AsyncJSONDeserializer], JSONDeserializerSetup
):
    """Makes an :class:`AsyncJSONDeserializer` for ``key.deserializer.builder`` or ``value.deserializer.builder``."""

    _kind = AsyncJSONDeserializer
