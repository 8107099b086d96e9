# SPDX-License-Identifier: Apache-2.0
"""Keys and values on their way through the (de)serializers of a client.

Functions here give their result or, from the first (de)serializer on that returned an awaitable, the steps that are
left (``_steps``): a message costs a generator only if something has to be awaited.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from confluent_kafka.error import (
    ConsumeError,
    KeyDeserializationError,
    KeySerializationError,
    ValueDeserializationError,
    ValueSerializationError,
)
from confluent_kafka.serialization._base import MessageContext, MessageField, SerializationContext
from confluent_kafka.serialization._steps import VALUES, is_awaitable, is_steps

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    from confluent_kafka._native import Message
    from confluent_kafka.error import KafkaException
    from confluent_kafka.serialization._steps import Steps

    Pair: TypeAlias = tuple[Any, Any]

C = TypeVar("C", bound=SerializationContext)
K = TypeVar("K")
V = TypeVar("V")

MAX_MESSAGES = 1_000_000


class _Conversion(Generic[C]):
    """Calls two (de)serializers, the key's first, with one context for both.

    ``lacking`` is asked when one of them raised: it gives an awaitable if that was for want of something which can be
    waited for. The (de)serializer is then called once more.
    """

    def __init__(self, key: Any, value: Any) -> None:
        self._key_serde = key
        self._value_serde = value
        self.lacking: Callable[[], Awaitable[Any] | None] = lambda: None

    def _failed(self, ctx: C, error: Exception) -> KafkaException:
        """Return what to raise in place of ``error``."""
        raise NotImplementedError

    def _convert(self, key: Any, value: Any, ctx: C) -> Pair | Steps[Pair]:
        serde = self._key_serde
        if serde is not None:
            try:
                made = serde(key, ctx)
            except Exception as e:
                return self._from_key_on(self._after(e, serde, key, ctx), value, ctx)
            if type(made) not in VALUES and is_awaitable(made):
                return self._from_key_on(self._awaited(made, serde, key, ctx), value, ctx)
            key = made
        return self._convert_value(key, value, ctx)

    def _convert_value(self, key: Any, value: Any, ctx: C) -> Pair | Steps[Pair]:
        serde = self._value_serde
        if serde is not None:
            ctx.field = MessageField.VALUE
            try:
                made = serde(value, ctx)
            except Exception as e:
                return self._from_value_on(key, self._after(e, serde, value, ctx))
            if type(made) not in VALUES and is_awaitable(made):
                return self._from_value_on(key, self._awaited(made, serde, value, ctx))
            value = made
        return key, value

    def _from_key_on(self, steps: Steps[Any], value: Any, ctx: C) -> Steps[Pair]:
        key = yield from steps
        pair = self._convert_value(key, value, ctx)
        return pair if isinstance(pair, tuple) else (yield from pair)

    def _from_value_on(self, key: Any, steps: Steps[Any]) -> Steps[Pair]:
        return key, (yield from steps)

    def _awaited(self, made: Awaitable[Any], serde: Any, obj: Any, ctx: C) -> Steps[Any]:
        try:
            return (yield made)
        except Exception as e:
            again = self._after(e, serde, obj, ctx)
        return (yield from again)

    def _after(self, error: Exception, serde: Any, obj: Any, ctx: C) -> Steps[Any]:
        """Return the steps to another call of a (de)serializer that raised ``error``; raise if there is none."""
        if (lacking := self.lacking()) is None:
            raise self._failed(ctx, error) from error
        return self._again(lacking, serde, obj, ctx)

    def _again(self, lacking: Awaitable[Any], serde: Any, obj: Any, ctx: C) -> Steps[Any]:
        try:
            yield lacking
            made = serde(obj, ctx)
            return (yield made) if is_awaitable(made) else made
        except Exception as e:
            raise self._failed(ctx, e) from e


class Serialization(_Conversion[SerializationContext]):
    """Serializes the messages of a producer."""

    def _failed(self, ctx: SerializationContext, error: Exception) -> KafkaException:
        return KeySerializationError(error) if ctx.field is MessageField.KEY else ValueSerializationError(error)

    def serialize(
        self, topic: str, key: Any, value: Any, headers: Any
    ) -> tuple[Any, Any, Any] | Steps[tuple[Any, Any, Any]]:
        """Serialize one message.

        Returns: key and value, serialized, and the headers with what the serializers added.
        Raises:
            TypeError: the topic is not a str. Nothing was serialized.
            KeySerializationError, ValueSerializationError: a serializer raised.
        """
        if not isinstance(topic, str):
            raise TypeError(f"topic must be a str, not {type(topic).__name__}")
        # a list of their own for serializers that write headers: appending to the caller's would make a list that is
        # used for many messages grow with each of them
        if headers is None:
            own: Any = []
        elif isinstance(headers, (list, dict)):
            own = headers.copy()
        else:
            own = headers
        ctx = SerializationContext(topic, MessageField.KEY, own)
        pair = self._convert(key, value, ctx)
        if isinstance(pair, tuple):
            return pair[0], pair[1], ctx.headers or None
        return self._with_headers(pair, ctx)

    def _with_headers(self, steps: Steps[Pair], ctx: SerializationContext) -> Steps[tuple[Any, Any, Any]]:
        key, value = yield from steps
        return key, value, ctx.headers or None


class Lender(Protocol):
    """A consumer whose messages count as consumed only once they are settled."""

    def _lend(self, timeout: float) -> Any:
        """Give a message or None, or an awaitable of that."""

    def _settle(self, message: Any, /) -> bool: ...
    def _put_back(self, message: Any, /) -> None: ...


class Deserialization(_Conversion[MessageContext], Generic[K, V]):
    """Deserializes messages that a consumer lends.

    A message is settled in the moment in which it, or the exception it leads to, is handed over. Until then it is the
    consumer's: one whose deserializer was interrupted is put back. It comes again, to this consumer or to the one that
    its partition belongs to by then.
    """

    def _failed(self, ctx: MessageContext, error: Exception) -> KafkaException:
        kind = KeyDeserializationError if ctx.field is MessageField.KEY else ValueDeserializationError
        return kind(exception=error, kafka_message=ctx._message)

    def take(self, lender: Lender, message: Message[Any, Any]) -> Message[K, V] | Steps[Message[K, V] | None] | None:
        """Deserialize one lent message, whose ``key()`` and ``value()`` become the objects, and settle it.

        Returns: None if it is not to be handed over.
        Raises:
            ConsumeError: it is an error of the client.
            KeyDeserializationError, ValueDeserializationError: a deserializer raised; the message keeps its bytes.
        """
        try:
            outcome = self._read(message)
        except BaseException as e:
            self._unreadable(lender, message, e)
            return None
        if is_steps(outcome):
            return self._take_later(outcome, lender, message)
        return outcome if lender._settle(message) else None

    def _take_later(
        self, steps: Steps[Message[K, V]], lender: Lender, message: Message[Any, Any]
    ) -> Steps[Message[K, V] | None]:
        try:
            outcome = yield from steps
        except BaseException as e:  # a cancellation, too
            self._unreadable(lender, message, e)
            return None
        return outcome if lender._settle(message) else None

    def _unreadable(self, lender: Lender, message: Message[Any, Any], error: BaseException) -> None:
        """Raise what came out of a message, unless that is not to be handed over."""
        if not isinstance(error, Exception):
            lender._put_back(message)
        elif not lender._settle(message):
            return
        raise error

    def gather(
        self, lender: Lender, count: int, timeout: float, deadline: float | None
    ) -> Steps[list[Message[K, V]] | None]:
        """Borrow, deserialize and settle up to ``count`` messages.

        Args:
            timeout: seconds to wait for the first.
            deadline: until when to wait for the others, of ``time.monotonic()``; None is without limit.

        Returns: None when no message came in time; an empty list if none of those that came is to be handed over.
        Raises: as ``take``, for the first message; one behind it that raises is put back, and so are all of them when
            something else raises, as a callback or a cancellation.
        """
        lent: list[Message[Any, Any]] = []
        try:
            while len(lent) < count:
                message = lender._lend(timeout)
                if is_awaitable(message):
                    message = yield message
                if message is None:  # time is over, or wakeup() was called
                    break
                lent.append(message)
                try:
                    outcome = self._read(message)
                    if is_steps(outcome):
                        yield from outcome
                except Exception as e:
                    if len(lent) > 1:  # those before it come first, and it comes again
                        lender._put_back(lent.pop())
                        break
                    self._unreadable(lender, lent.pop(), e)
                timeout = left_of(deadline)
        except BaseException:
            for message in lent:
                lender._put_back(message)
            raise
        return [message for message in lent if lender._settle(message)] if lent else None

    def _read(self, message: Message[Any, Any]) -> Message[K, V] | Steps[Message[K, V]]:
        error = message.error()
        if error is not None:
            raise ConsumeError(error, kafka_message=message)
        pair = self._convert(message.key(), message.value(), MessageContext(message))
        return self._filled(message, pair) if isinstance(pair, tuple) else self._read_later(pair, message)

    def _read_later(self, steps: Steps[Pair], message: Message[Any, Any]) -> Steps[Message[K, V]]:
        return self._filled(message, (yield from steps))

    def _filled(self, message: Message[Any, Any], pair: Pair) -> Message[K, V]:
        # only now: an exception's kafka_message keeps its bytes
        if self._key_serde is not None:
            message.set_key(pair[0])
        if self._value_serde is not None:
            message.set_value(pair[1])
        return message


def deadline_of(timeout: float) -> float | None:
    """Return when a time-out of so many seconds is over, of ``time.monotonic()``; None for never."""
    return None if timeout < 0 else time.monotonic() + timeout


def left_of(deadline: float | None) -> float:
    """Return how many seconds are left, as a time-out."""
    return -1 if deadline is None else max(0.0, deadline - time.monotonic())


def check_count(num_messages: int) -> None:
    """Check the argument of ``consume``."""
    if not 0 <= num_messages <= MAX_MESSAGES:
        raise ValueError("num_messages must be between 0 and 1000000 (1M)")
