# SPDX-License-Identifier: Apache-2.0
"""Protobuf's asyncio serializers and their builders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._async.serde import AsyncBaseDeserializer, AsyncBaseSerializer, AsyncBuild
from confluent_kafka.schema_registry._core.codecs.protobuf import PROTOBUF_TYPE
from confluent_kafka.schema_registry._core.protobuf_serde import (
    ProtobufDeserializerSetup,
    ProtobufSerializerSetup,
    protobuf_deserializer,
    protobuf_serializer,
)
from confluent_kafka.schema_registry._core.serializer import Pending

if TYPE_CHECKING:
    from confluent_kafka.serialization import SerializationContext

__all__ = [
    "PROTOBUF_TYPE",
    "AsyncProtobufDeserializer",
    "AsyncProtobufDeserializerBuilder",
    "AsyncProtobufSerializer",
    "AsyncProtobufSerializerBuilder",
]


class AsyncProtobufSerializer(AsyncBaseSerializer):
    """``ProtobufSerializer`` for asyncio: ``await serializer(message, context)``.

    Made with or without ``await``. A message whose schema is known takes no turn of the event loop.

    Args:
        msg_type, conf, rule_conf, rule_registry, message_name: as for ``ProtobufSerializer``.
        schema_registry_client: an asyncio registry client.
    Raises: as ``ProtobufSerializer``.
    """

    def __init__(
        self,
        msg_type: Any,
        schema_registry_client: Any,
        conf: dict[str, Any] | None = None,
        rule_conf: dict[str, Any] | None = None,
        rule_registry: Any = None,
        *,
        message_name: str | None = None,
    ) -> None:
        core = protobuf_serializer(msg_type, conf, message_name)
        super().__init__(schema_registry_client, core, rule_conf, rule_registry)

    async def __call__(  # type: ignore[override]  # awaited
        self, message: Any, ctx: SerializationContext | None = None
    ) -> bytes | None:
        """Return ``message`` as bytes with the schema's id, None for None.

        Args: the message, or a dict of it; topic, field and headers, which most subject name strategies need.
        Raises: as :class:`AsyncBaseSerializer` does.
        """
        outcome = self._core.start(message, ctx)
        return await self._run(outcome.operation) if isinstance(outcome, Pending) else outcome


class AsyncProtobufDeserializer(AsyncBaseDeserializer):
    """``ProtobufDeserializer`` for asyncio: ``await deserializer(data, context)``.

    Made with or without ``await``. A message whose schema is known takes no turn of the event loop.

    Args:
        message_type, conf, rule_conf, rule_registry, as_dict: as for ``ProtobufDeserializer``.
        schema_registry_client: an asyncio registry client; None as for ``ProtobufDeserializer``.
    Raises: as ``ProtobufDeserializer``.
    """

    def __init__(
        self,
        message_type: Any = None,
        conf: dict[str, Any] | None = None,
        schema_registry_client: Any = None,
        rule_conf: dict[str, Any] | None = None,
        rule_registry: Any = None,
        *,
        as_dict: bool = False,
    ) -> None:
        core = protobuf_deserializer(message_type, conf, as_dict, offline=schema_registry_client is None)
        super().__init__(schema_registry_client, core, rule_conf, rule_registry)


class AsyncProtobufSerializerBuilder(  # type: ignore[misc]  # awaited
    AsyncBuild[AsyncProtobufSerializer], ProtobufSerializerSetup
):
    """Makes an :class:`AsyncProtobufSerializer` for ``key.serializer.builder`` or ``value.serializer.builder``."""

    _kind = AsyncProtobufSerializer


class AsyncProtobufDeserializerBuilder(  # type: ignore[misc]  # awaited
    AsyncBuild[AsyncProtobufDeserializer], ProtobufDeserializerSetup
):
    """Makes an :class:`AsyncProtobufDeserializer` for ``key.deserializer.builder``, ``value.deserializer.builder``."""

    _kind = AsyncProtobufDeserializer
