# SPDX-License-Identifier: Apache-2.0
"""A consumer that gives objects."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from confluent_kafka._consumer import Consumer
from confluent_kafka._native import Message
from confluent_kafka.error import ConsumeError, KeyDeserializationError, ValueDeserializationError
from confluent_kafka.serialization import MessageField, SerializationContext
from confluent_kafka.serialization._conversion import Deserialization, check_count, deadline_of, left_of
from confluent_kafka.serialization._steps import is_steps, run
from confluent_kafka.serialization._wiring import close_all, take_serdes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# beside the class, what its methods and errors name: code imports it from here, too
__all__ = [
    "ConsumeError",
    "Consumer",
    "DeserializingConsumer",
    "KeyDeserializationError",
    "Message",
    "MessageField",
    "SerializationContext",
    "ValueDeserializationError",
]

K = TypeVar("K")
T = TypeVar("T")
V = TypeVar("V")


class DeserializingConsumer(Consumer, Generic[K, V]):
    """A :class:`Consumer` that deserializes keys and values.

    Args:
        conf: configuration of the consumer, and any of

            ``key.deserializer``, ``value.deserializer``: a callable ``(bytes, SerializationContext) -> object``; it
            stays the caller's to close;

            ``key.deserializer.builder``, ``value.deserializer.builder``: an object with ``build(conf, is_key)`` that
            returns a deserializer and the remaining configuration; what it builds is closed with this consumer.
    Raises:
        ValueError: a deserializer and a builder for the same field, or no ``group.id``.
        KafkaException: as :class:`Consumer`.

    Messages that cannot be read are raised as exceptions, by every way of consuming: ``ConsumeError`` for an error the
    client reports (the end of a partition, too, with ``enable.partition.eof``), ``KeyDeserializationError`` and
    ``ValueDeserializationError`` for a deserializer that raised. The exception's ``kafka_message`` is the message, its
    key and value still bytes. Each such message is raised exactly once, in its place among the others; the next call
    goes on behind it.
    """

    # class attributes: for an instance whose __init__ never ran
    _deserialization: Deserialization[K, V] | None = None
    _owned_serdes: tuple[Any, ...] = ()

    def __init__(self, conf: dict[str, Any]) -> None:
        serdes = take_serdes(conf, "deserializer")
        try:
            super().__init__(serdes.client_conf)
            serdes.offer_cluster_id(self)
        except BaseException:
            with contextlib.suppress(Exception):
                close_all(serdes.owned)
            raise
        # only now: __init__ of a consumer that is open already has failed above, and must leave it as it was
        self._deserialization = Deserialization(serdes.key, serdes.value)
        self._owned_serdes = serdes.owned

    def poll(self, timeout: float = -1) -> Message[K, V] | None:  # type: ignore[override]
        """Return the next message with key and value deserialized, the key first.

        Args:
            timeout: seconds to wait; negative waits without limit.
        Returns: the message, whose ``key()`` and ``value()`` are the objects; None when none came in time.
        Raises:
            ConsumeError: the client reports an error in place of a message.
            KeyDeserializationError, ValueDeserializationError: a deserializer raised; ``exception`` and ``__cause__``
                hold what it raised.
            RuntimeError: the consumer is closed.
        """
        return self._take(timeout)

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message[K, V]]:  # type: ignore[override]
        """Return up to ``num_messages`` messages with key and value deserialized.

        No message is lost to one that fails: when messages before it have been read already, they are returned, and
        the exception is raised by the next call of ``consume`` or ``poll``, which deserializes it again. ``position()``
        and stored offsets never pass a message that was not handed over, or raised.

        Args:
            num_messages: at most so many messages, 0 to 1000000.
            timeout: seconds to wait for all of them; negative waits without limit.
        Returns: the messages that came in time, possibly none.
        Raises:
            ValueError: ``num_messages`` is out of range.
            ConsumeError, KeyDeserializationError, ValueDeserializationError: as ``poll``, for the first message.
            RuntimeError: the consumer is closed.
        """
        check_count(num_messages)
        return self._gather(num_messages, timeout, deadline_of(timeout)) or []

    def __iter__(self) -> Iterator[Message[K, V]]:  # type: ignore[override]  # objects where the base class has bytes
        """Give messages as ``poll`` does, until the consumer is closed or ``wakeup()`` is called.

        The iterator goes on after an exception: ``next()`` then gives the message behind the one that failed.
        """
        return _Stream(self, lambda: self._take(-1))

    def batches(self, n: int, timeout: float = -1) -> Iterator[list[Message[K, V]]]:  # type: ignore[override]
        """Give lists of 1 to ``n`` messages, each as soon as there is one, until closed, woken up or timed out.

        What fails is raised in its place among the messages, as by ``consume``; the iterator goes on after it.

        Args:
            n: most messages of one list.
            timeout: seconds to wait for the first message of a list; negative waits without limit. The iteration ends
                when no message came in that time.
        """
        if n < 1:
            raise ValueError(f"a batch has at least 1 message, not {n}")
        return _Stream(self, lambda: self._some(n, timeout))

    def close(self) -> None:
        """Leave the group and close the consumer, then the deserializers its builders made.

        When closing the consumer raises, the deserializers stay open, and the next call closes them.
        """
        super().close()
        self._deserialization = None
        owned, self._owned_serdes = self._owned_serdes, ()
        close_all(owned)

    def _take(self, timeout: float) -> Message[K, V] | None:
        deserialization, deadline = self._opened(), deadline_of(timeout)
        while (message := self._lend(timeout)) is not None:
            outcome = deserialization.take(self, message)
            if is_steps(outcome):
                outcome = run(outcome)
            if outcome is not None:
                return outcome
            timeout = left_of(deadline)
        return None

    def _gather(self, count: int, timeout: float, deadline: float | None) -> list[Message[K, V]] | None:
        return run(self._opened().gather(self, count, timeout, deadline))

    def _some(self, n: int, timeout: float) -> list[Message[K, V]] | None:
        while (batch := self._gather(n, timeout, 0.0)) == []:
            pass
        return batch

    def _opened(self) -> Deserialization[K, V]:
        if self._deserialization is None:
            raise RuntimeError("Consumer closed")
        return self._deserialization


class _Stream(Generic[T]):
    """An iterator that, unlike a generator, goes on after an exception."""

    def __init__(self, consumer: DeserializingConsumer[Any, Any], take: Callable[[], T | None]) -> None:
        self._consumer = consumer
        self._take = take

    def __iter__(self) -> _Stream[T]:
        return self

    def __next__(self) -> T:
        try:
            item = self._take()
        except RuntimeError:
            if self._consumer._is_open():
                raise
            item = None
        # not by its truth: a message without a value is false
        if item is None:
            raise StopIteration
        return item
