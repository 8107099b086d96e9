# SPDX-License-Identifier: Apache-2.0
"""What a serializer is told about its message, and what it has to offer."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka._native import Message

Headers: TypeAlias = "dict[str, str | bytes | None] | list[tuple[str, str | bytes | None]]"


class MessageField(str, Enum):
    """The part of a message that is being serialized."""

    NONE = "none"
    KEY = "key"
    VALUE = "value"

    # equal to its text, so it must hash like it; Enum's own hash is also slower, and plans are looked up by the field
    __hash__ = str.__hash__

    def __str__(self) -> str:
        return str(self.value)


class SerializationContext:
    """Where the bytes of one (de)serialization come from or go to.

    One context serves the key and then the value of a message: ``field`` is switched in between. All attributes may be
    set. A serializer may add to ``headers`` when it is a list or dict: ``SerializingProducer`` sends what is there.

    Args:
        topic: name of the topic.
        field: the part of the message.
        headers: headers of the message, a list of (name, value) pairs or a dict; None when there are none.
    """

    # __dict__ so that serializers can leave notes for each other, made only when one does
    __slots__ = ("__dict__", "field", "headers", "topic")

    def __init__(self, topic: str, field: MessageField, headers: Headers | None = None) -> None:
        self.topic = topic
        self.field = field
        self.headers = headers

    def __repr__(self) -> str:
        return f"SerializationContext(topic={self.topic!r}, field={self.field!r})"


class MessageContext(SerializationContext):
    """The context of a message that was consumed: its headers become Python objects when they are first asked for."""

    __slots__ = ("_message",)

    def __init__(self, message: Message[Any, Any]) -> None:
        # headers stays unset, so that reading it comes to __getattr__, once
        topic: Any = message.topic()  # only events have none, and they have nothing to deserialize
        self.topic = topic
        self.field = MessageField.KEY
        self._message = message

    def __getattr__(self, name: str) -> Any:
        if name != "headers":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        headers: Any = self._message.headers()
        self.headers = headers
        return headers


class Serializer:
    """Turns an object into bytes. Any callable with this signature can be used in its place."""

    __slots__ = ()

    def __call__(self, obj: Any, ctx: SerializationContext | None = None) -> bytes | None:
        """Return ``obj`` as bytes.

        Args:
            obj: the object; None is passed too, and is to become None (a null key or value).
            ctx: topic, field and headers of the message.
        Raises:
            SerializationError: the object cannot be serialized.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(obj, ctx)")

    def set_cluster_id_resolver(self, resolver: Callable[[], Any]) -> None:
        """Take note of a function that returns the id of the Kafka cluster; it may block for up to 60 seconds."""

    def close(self) -> None:
        """Release what this object opened itself."""


class Deserializer:
    """Turns bytes into an object. Any callable with this signature can be used in its place."""

    __slots__ = ()

    def __call__(self, value: bytes | None, ctx: SerializationContext | None = None) -> Any:
        """Return the object that ``value`` stands for.

        Args:
            value: the bytes; None (a null key or value) is passed too.
            ctx: topic, field and headers of the message.
        Raises:
            SerializationError: the bytes cannot be deserialized.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(value, ctx)")

    def set_cluster_id_resolver(self, resolver: Callable[[], Any]) -> None:
        """Take note of a function that returns the id of the Kafka cluster; it may block for up to 60 seconds."""

    def close(self) -> None:
        """Release what this object opened itself."""


class SerializerBuilder:
    """Makes a serializer from the configuration of the client that will use it."""

    def build(self, conf: dict[str, Any], is_key: bool) -> tuple[Any, dict[str, Any]]:
        """Return the serializer and the configuration that is left for the client.

        Args:
            conf: configuration of the client, a copy; properties of the serializer can be taken out of it.
            is_key: True for the serializer of keys, False for that of values.
        Returns: the serializer, owned and closed by the client, and the properties the client is to use.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define build(conf, is_key)")


class DeserializerBuilder:
    """Makes a deserializer from the configuration of the client that will use it."""

    def build(self, conf: dict[str, Any], is_key: bool) -> tuple[Any, dict[str, Any]]:
        """Return the deserializer and the configuration that is left for the client.

        Args:
            conf: configuration of the client, a copy; properties of the deserializer can be taken out of it.
            is_key: True for the deserializer of keys, False for that of values.
        Returns: the deserializer, owned and closed by the client, and the properties the client is to use.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define build(conf, is_key)")
