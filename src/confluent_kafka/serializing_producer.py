# SPDX-License-Identifier: Apache-2.0
"""A producer that takes objects."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from confluent_kafka._producer import Producer
from confluent_kafka.error import KeySerializationError, ValueSerializationError
from confluent_kafka.serialization import MessageField, SerializationContext
from confluent_kafka.serialization._conversion import Serialization
from confluent_kafka.serialization._steps import run
from confluent_kafka.serialization._wiring import close_all, take_serdes

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from confluent_kafka._native import Message
    from confluent_kafka.error import KafkaError

# beside the class, what its errors and (de)serializers' signatures name: code imports it from here, too
__all__ = [
    "KeySerializationError",
    "MessageField",
    "Producer",
    "SerializationContext",
    "SerializingProducer",
    "ValueSerializationError",
]

K = TypeVar("K")
V = TypeVar("V")


class SerializingProducer(Producer, Generic[K, V]):
    """A :class:`Producer` that serializes keys and values.

    Args:
        conf: configuration of the producer, and any of

            ``key.serializer``, ``value.serializer``: a callable ``(obj, SerializationContext) -> bytes``; it stays the
            caller's to close;

            ``key.serializer.builder``, ``value.serializer.builder``: an object with ``build(conf, is_key)`` that
            returns a serializer and the remaining configuration; what it builds is closed with this producer.
    Raises:
        ValueError: a serializer and a builder for the same field.
        KafkaException: as :class:`Producer`.

    ``produce`` and ``send`` serialize; ``produce_batch`` takes keys and values that are bytes already.
    """

    # class attributes: an instance whose __init__ never ran counts as closed
    _serialization: Serialization | None = None
    _owned_serdes: tuple[Any, ...] = ()

    def __init__(self, conf: dict[str, Any]) -> None:
        serdes = take_serdes(conf, "serializer")
        try:
            super().__init__(serdes.client_conf)
            serdes.offer_cluster_id(self)
        except BaseException:
            with contextlib.suppress(Exception):
                close_all(serdes.owned)
            raise
        # only now: __init__ of a producer that is open already has failed above, and must leave it as it was
        self._serialization = Serialization(serdes.key, serdes.value)
        self._owned_serdes = serdes.owned

    def produce(  # type: ignore[override]  # key before value, as this class always had it
        self,
        topic: str,
        key: K | None = None,
        value: V | None = None,
        partition: int = -1,
        on_delivery: Callable[[KafkaError | None, Message[Any, Any]], Any] | None = None,
        timestamp: int = 0,
        headers: Any = None,
        *,
        block: float | None = None,
    ) -> None:
        """Serialize key and value, in this order, and put the message into the queue.

        Args:
            topic: name of the topic.
            key: given to the key serializer, also when None. Without one: bytes, str or None.
            value: given to the value serializer, also when None. Without one: bytes, str or None.
            partition: number of the partition; -1 lets the partitioner choose.
            on_delivery: called as ``(error or None, message)`` from ``poll`` or ``flush``.
            timestamp: milliseconds since the epoch, UTC; 0 is now.
            headers: list of (name, value) pairs, or dict. Serializers see a copy, and may add to it.
            block: seconds to wait for room when the queue is full; negative waits without limit.
        Raises:
            RuntimeError: the producer is closed. Nothing was serialized.
            TypeError: the topic is not a str. Nothing was serialized.
            KeySerializationError, ValueSerializationError: the serializer raised; ``exception`` and ``__cause__`` hold
                what it raised.
            BufferError: the queue is full.
            KafkaException: the message was refused.
        """
        key_bytes, value_bytes, headers = self._serialize(topic, key, value, headers)
        super().produce(
            topic,
            value_bytes,
            key_bytes,
            partition,
            on_delivery=on_delivery,
            timestamp=timestamp,
            headers=headers,
            block=block,
        )

    def send(  # type: ignore[override]  # objects where the base class has bytes
        self,
        topic: str,
        value: V | None = None,
        key: K | None = None,
        partition: int = -1,
        timestamp: int = 0,
        headers: Any = None,
        *,
        block: float | None = None,
    ) -> Future[Message[Any, Any]]:
        """Serialize key and value and send the message; the future gives the delivered message.

        Arguments in the order of ``Producer.send`` (value before key); meaning and errors as ``produce``.
        """
        key_bytes, value_bytes, headers = self._serialize(topic, key, value, headers)
        return super().send(topic, value_bytes, key_bytes, partition, timestamp, headers, block=block)

    def close(self) -> bool:
        """Deliver what is queued, close the producer, then the serializers its builders made; True.

        When closing the producer raises, the serializers stay open, and the next call closes them.
        """
        result = super().close()
        self._serialization = None
        owned, self._owned_serdes = self._owned_serdes, ()
        close_all(owned)
        return result

    def _serialize(self, topic: str, key: K | None, value: V | None, headers: Any) -> tuple[Any, Any, Any]:
        if self._serialization is None:
            raise RuntimeError("Producer has been closed")
        outcome = self._serialization.serialize(topic, key, value, headers)
        return outcome if isinstance(outcome, tuple) else run(outcome)
