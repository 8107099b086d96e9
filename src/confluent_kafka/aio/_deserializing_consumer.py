# SPDX-License-Identifier: Apache-2.0
"""An asyncio consumer that gives objects."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .. import _native
from ..serialization._conversion import Deserialization, check_count, deadline_of, left_of
from ..serialization._steps import is_steps
from ._consumer import AIOConsumer
from ._forward import refuse_more
from ._serdes import SerdeClient, walk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from .._native import Message
    from ..serialization._wiring import Serdes

K = TypeVar("K")
T = TypeVar("T")
V = TypeVar("V")


class AsyncDeserializingConsumer(SerdeClient, AIOConsumer, Generic[K, V]):
    """An :class:`AIOConsumer` that deserializes keys and values.

    ``consumer = AsyncDeserializingConsumer(conf)`` or ``consumer = await AsyncDeserializingConsumer(conf)``: builders
    that are coroutine functions are awaited then, or else in the first call, which raises what they raise.

    Args:
        conf: configuration of the consumer, and any of

            ``key.deserializer``, ``value.deserializer``: a function or coroutine function ``(bytes,
            SerializationContext) -> object``; it stays the caller's to close;

            ``key.deserializer.builder``, ``value.deserializer.builder``: an object with a method or coroutine method
            ``build(conf, is_key)`` that returns a deserializer and the remaining configuration; what it builds is
            closed with this consumer, by its ``aclose()`` or ``close()``.
        aio_kwargs: as for :class:`AIOConsumer`.
    Raises:
        ValueError: a deserializer and a builder for the same field, or no ``group.id``.
        KafkaException: as :class:`AIOConsumer`.

    A plain function runs on the event loop: one that waits for something holds everything else up.

    Messages that cannot be read are raised as exceptions, by every way of consuming: ``ConsumeError`` for an error the
    client reports (the end of a partition, too, with ``enable.partition.eof``), ``KeyDeserializationError`` and
    ``ValueDeserializationError`` for a deserializer that raised. The exception's ``kafka_message`` is the message, its
    key and value still bytes. Each such message is raised exactly once, in its place among the others; the next call
    goes on behind it. A message whose deserializer is cancelled, or under way when the consumer is closed or loses the
    partition, does not count as consumed: it comes again, to this consumer or to the next one.
    """

    _closed_text = "Consumer closed"
    _core = _native.LoopConsumer()  # closed: until there is one of its own

    def __init__(self, conf: dict[str, Any], **aio_kwargs: Any) -> None:
        self._make(conf, "deserializer", aio_kwargs)

    def _open(self, serdes: Serdes, aio_kwargs: dict[str, Any]) -> Deserialization[K, V]:
        AIOConsumer.__init__(self, serdes.client_conf, **aio_kwargs)
        self._poll_core = self._core._lend
        self._deserialization: Deserialization[K, V] = Deserialization(serdes.key, serdes.value)
        return self._deserialization

    async def poll(  # type: ignore[override]  # objects where the base class has bytes
        self, timeout: float = -1, *args: Any, **kwargs: Any
    ) -> Message[K, V] | None:
        """Wait for one message, deserialize it, the key first, and run the callbacks that are due.

        Args:
            timeout: seconds to wait for the message; -1 waits without limit.
        Returns: the message, whose ``key()`` and ``value()`` are the objects; None after the time-out and after
            ``wakeup()``.
        Raises:
            ConsumeError: the client reports an error in place of a message.
            KeyDeserializationError, ValueDeserializationError: a deserializer raised; ``exception`` and ``__cause__``
                hold what it raised.
            RuntimeError: as ``AIOConsumer.poll``.
        """
        if args or kwargs:
            refuse_more("poll", args, kwargs)
        return await self._take(timeout)

    async def consume(  # type: ignore[override]  # objects where the base class has bytes
        self, num_messages: int = 1, timeout: float = -1, *args: Any, **kwargs: Any
    ) -> list[Message[K, V]]:
        """Wait for up to ``num_messages`` messages and deserialize them.

        No message is lost to one that fails: when messages before it have been read already, they are returned, and
        the exception is raised by the next call, which deserializes it again.

        Args:
            num_messages: at most so many messages, 0 to 1,000,000.
            timeout: seconds to wait for all of them; -1 waits without limit.
        Returns: the messages that came in time, possibly none.
        Raises:
            ValueError: ``num_messages`` is out of range.
            ConsumeError, KeyDeserializationError, ValueDeserializationError: as ``poll``, for the first message.
            RuntimeError: as ``AIOConsumer.poll``.
        """
        refuse_more("consume", args, kwargs)
        check_count(num_messages)
        return await self._gather(num_messages, timeout, deadline_of(timeout)) or []

    def __aiter__(self) -> AsyncIterator[Message[K, V]]:  # type: ignore[override]  # objects where the base has bytes
        """Give messages as ``poll`` does, until the consumer is closed or ``wakeup()`` is called.

        The iterator goes on after an exception: the next one then gives the message behind the one that failed.
        """
        return _Stream(self, partial(self._take, -1))

    def batches(  # type: ignore[override]  # objects where the base class has bytes
        self, n: int, timeout: float = -1
    ) -> AsyncIterator[list[Message[K, V]]]:
        """Give lists of 1 to ``n`` messages, each as soon as there is one, until closed, woken up or timed out.

        What fails is raised in its place among the messages, as by ``consume``; the iterator goes on after it.

        Args:
            n: most messages of one list.
            timeout: seconds to wait for the first message of a list; -1 waits without limit. The iteration ends when
                no message came in that time.
        """
        if n < 1:
            raise ValueError(f"a batch has at least 1 message, not {n}")
        return _Stream(self, partial(self._some, n, timeout))

    async def _lend(self, timeout: float) -> Message[Any, Any] | None:
        return await super().poll(timeout)

    def _settle(self, message: Message[Any, Any]) -> bool:
        self._enter()  # not while it closes
        return self._core._settle(message)

    def _put_back(self, message: Message[Any, Any]) -> None:
        self._core._put_back(message)

    async def _take(self, timeout: float) -> Message[K, V] | None:
        deadline = deadline_of(timeout)
        while (message := await super().poll(timeout)) is not None:
            outcome = self._deserialization.take(self, message)
            if is_steps(outcome):
                outcome = await walk(outcome)
            if outcome is not None:
                return outcome
            timeout = left_of(deadline)
        return None

    async def _gather(self, count: int, timeout: float, deadline: float | None) -> list[Message[K, V]] | None:
        self._enter()
        return await walk(self._deserialization.gather(self, count, timeout, deadline))

    async def _some(self, n: int, timeout: float) -> list[Message[K, V]] | None:
        while (batch := await self._gather(n, timeout, 0.0)) == []:
            pass
        return batch


class _Stream(Generic[T]):
    """An iterator that, unlike a generator, goes on after an exception."""

    def __init__(self, consumer: AsyncDeserializingConsumer[Any, Any], take: Callable[[], Awaitable[T | None]]) -> None:
        self._consumer = consumer
        self._take = take

    def __aiter__(self) -> _Stream[T]:
        return self

    async def __anext__(self) -> T:
        try:
            if self._consumer._setup is not None:
                await self._consumer._until_open()
            item = await self._take()
        except RuntimeError:
            if not self._consumer._is_closed():
                raise
            item = None
        # not by its truth: a message without a value is false
        if item is None:
            raise StopAsyncIteration
        return item
