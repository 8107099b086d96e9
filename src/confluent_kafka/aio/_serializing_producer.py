# SPDX-License-Identifier: Apache-2.0
"""An asyncio producer that takes objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .. import _native
from ..serialization._conversion import Serialization
from ._forward import refuse_more
from ._producer import AIOProducer
from ._serdes import SerdeClient, walk

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from .._native import Message
    from .._types import HeadersType
    from ..error import KafkaError
    from ..serialization._wiring import Serdes

K = TypeVar("K")
V = TypeVar("V")


class AsyncSerializingProducer(SerdeClient, AIOProducer, Generic[K, V]):
    """An :class:`AIOProducer` that serializes keys and values.

    ``producer = AsyncSerializingProducer(conf)`` or ``producer = await AsyncSerializingProducer(conf)``: builders that
    are coroutine functions are awaited then, or else in the first call, which raises what they raise.

    Args:
        conf: configuration of the producer, and any of

            ``key.serializer``, ``value.serializer``: a function or coroutine function ``(obj, SerializationContext) ->
            bytes``; it stays the caller's to close;

            ``key.serializer.builder``, ``value.serializer.builder``: an object with a method or coroutine method
            ``build(conf, is_key)`` that returns a serializer and the remaining configuration; what it builds is closed
            with this producer, by its ``aclose()`` or ``close()``.
        aio_kwargs: as for :class:`AIOProducer`.
    Raises:
        ValueError: a serializer and a builder for the same field.
        KafkaException: as :class:`AIOProducer`.

    A plain function runs on the event loop: one that waits for something holds everything else up. ``produce`` and
    ``send`` serialize; ``produce_batch`` takes keys and values that are bytes already.
    """

    _closed_text = "Producer has been closed"
    _core = _native.LoopProducer()  # closed: until there is one of its own

    def __init__(self, conf: dict[str, Any], **aio_kwargs: Any) -> None:
        self._make(conf, "serializer", aio_kwargs)

    def _open(self, serdes: Serdes, aio_kwargs: dict[str, Any]) -> Serialization:
        AIOProducer.__init__(self, serdes.client_conf, **aio_kwargs)
        self._serialization = Serialization(serdes.key, serdes.value)
        return self._serialization

    async def produce(  # type: ignore[override]  # objects where the base class has bytes; key before value, as ever
        self,
        topic: str,
        key: K | None = None,
        value: V | None = None,
        partition: int = -1,
        timestamp: int = 0,
        headers: HeadersType | None = None,
        on_delivery: Callable[[KafkaError | None, Message], Any] | None = None,
        *args: Any,
        timeout: float = -1,
        **kwargs: Any,
    ) -> asyncio.Future[Message]:
        """Serialize key and value, in this order, and put the message into the send queue.

        Args:
            key: given to the key serializer, also when None. Without one: bytes, str or None.
            value: given to the value serializer, also when None. Without one: bytes, str or None.
            headers: list of (name, value) pairs, or dict. Serializers see a copy, and may add to it.
            partition, timestamp, on_delivery, timeout: as for ``AIOProducer.produce``.
        Returns: a future of the delivered message, as ``AIOProducer.produce``.
        Raises:
            RuntimeError: the producer is closed. Nothing was serialized.
            TypeError: the topic is not a str. Nothing was serialized.
            KeySerializationError, ValueSerializationError: the serializer raised; ``exception`` and ``__cause__`` hold
                what it raised.
            QueueFullError: no room in time.

        Messages whose serializers take different times may overtake each other, unless each call is awaited before the
        next. A call that is cancelled in a serializer produces nothing.
        """
        if args or kwargs:
            refuse_more("produce", args, kwargs)
        self._enter()
        outcome = self._serialization.serialize(topic, key, value, headers)
        key_bytes, value_bytes, headers = outcome if isinstance(outcome, tuple) else await walk(outcome)
        return await super().produce(
            topic,
            value_bytes,
            key_bytes,
            partition,
            on_delivery=on_delivery,
            timestamp=timestamp,
            headers=headers,
            timeout=timeout,
        )

    async def send(  # type: ignore[override]  # objects where the base class has bytes
        self,
        topic: str,
        value: V | None = None,
        key: K | None = None,
        partition: int = -1,
        timestamp: int = 0,
        headers: HeadersType | None = None,
        *,
        timeout: float = -1,
    ) -> Message:
        """Serialize and produce one message and wait until it is delivered.

        Arguments in the order of ``AIOProducer.send`` (value before key); meaning and errors as ``produce``.

        Returns: the delivered message. Its key and value are the serialized ones.

        Raises: KafkaException: it was not delivered.
        """
        future = await self.produce(topic, key, value, partition, timestamp=timestamp, headers=headers, timeout=timeout)
        return await future
