# SPDX-License-Identifier: Apache-2.0
"""Keys and values on their way through the (de)serializers of a client.

Functions here give their result or, from the first (de)serializer on that returned an awaitable, the steps that are
left (``_steps``): a message costs a generator only if something has to be awaited.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from confluent_kafka.error import (
    ConsumeError,
    KeyDeserializationError,
    KeySerializationError,
    ValueDeserializationError,
    ValueSerializationError,
)
from confluent_kafka.serialization._base import MessageContext, MessageField, SerializationContext
from confluent_kafka.serialization._steps import VALUES, is_awaitable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterable
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


class Deserialization(_Conversion[MessageContext], Generic[K, V]):
    """Deserializes the messages of a consumer.

    It keeps what was taken from the client but could not be handed over: messages that are deserialized already, the
    exception that comes next, a message whose deserializer was interrupted.
    """

    def __init__(self, key: Any, value: Any) -> None:
        super().__init__(key, value)
        self._kept: deque[Message[K, V] | Exception | _Unread] | None = deque()

    def _failed(self, ctx: MessageContext, error: Exception) -> KafkaException:
        kind = KeyDeserializationError if ctx.field is MessageField.KEY else ValueDeserializationError
        return kind(exception=error, kafka_message=ctx._message)

    def read(self, message: Message[Any, Any]) -> Message[K, V] | Steps[Message[K, V]]:
        """Deserialize one message, whose ``key()`` and ``value()`` become the objects.

        Raises:
            ConsumeError: it is an error of the client.
            KeyDeserializationError, ValueDeserializationError: a deserializer raised; the message keeps its bytes.
        """
        error = message.error()
        if error is not None:
            raise ConsumeError(error, kafka_message=message)
        try:
            pair = self._convert(message.key(), message.value(), MessageContext(message))
        except Exception:
            raise
        except BaseException:
            # interrupted: the message has left the client, so the next call begins with it
            self._keep((_Unread(message),))
            raise
        return self._filled(message, pair) if isinstance(pair, tuple) else self._read_later(pair, message)

    def _read_later(self, steps: Steps[Pair], message: Message[Any, Any]) -> Steps[Message[K, V]]:
        try:
            pair = yield from steps
        except Exception:
            raise
        except BaseException:  # cancelled
            self._keep((_Unread(message),))
            raise
        return self._filled(message, pair)

    def _filled(self, message: Message[Any, Any], pair: Pair) -> Message[K, V]:
        # only now: an exception's kafka_message keeps its bytes
        if self._key_serde is not None:
            message.set_key(pair[0])
        if self._value_serde is not None:
            message.set_value(pair[1])
        return message

    @property
    def keeps(self) -> bool:
        """Whether there is something that was kept."""
        return bool(self._kept)

    def kept(self) -> Message[K, V] | Steps[Message[K, V]] | None:
        """What was kept and comes next, or None. An exception that was kept is raised."""
        kept = self._kept
        if not kept:
            return None
        try:
            item = kept.popleft()
        except IndexError:  # another thread was quicker
            return None
        if isinstance(item, Exception):
            raise item
        return self.read(item.message) if isinstance(item, _Unread) else item

    def gather(
        self, count: int, timeout: float, deadline: float | None
    ) -> Generator[float, Message[K, V] | None, list[Message[K, V]]]:
        """Collect up to ``count`` messages, one by one: one that is left with the client cannot be lost here.

        Yields the seconds to wait for a message, and is sent the message, read, or None when none came, or has thrown
        into it what reading raised.

        Args:
            timeout: seconds to wait for the first.
            deadline: until when to wait for the others, of ``time.monotonic()``; None is without limit.
        """
        messages: list[Message[K, V]] = []
        try:
            while len(messages) < count:
                message = yield timeout
                if message is None:  # time is over, or wakeup() was called
                    break
                messages.append(message)
                timeout = -1 if deadline is None else max(0.0, deadline - time.monotonic())
        except Exception as e:
            if not messages:
                raise
            self._keep((e,))
        except BaseException:
            # interrupted: these have left the client, and the interrupt cannot wait
            self._keep(messages)
            raise
        return messages

    def _keep(self, items: Iterable[Message[K, V] | Exception | _Unread]) -> None:
        if self._kept is not None:
            self._kept.extendleft(reversed(list(items)))

    def close(self) -> None:
        """Forget what was kept: the consumer is closed."""
        self._kept = None


class _Unread:
    """A message with key and value as they came."""

    __slots__ = ("message",)

    def __init__(self, message: Message[Any, Any]) -> None:
        self.message = message


def deadline_of(num_messages: int, timeout: float) -> float | None:
    """Check the arguments of ``consume``; return the end of its time-out for ``gather``."""
    if not 0 <= num_messages <= MAX_MESSAGES:
        raise ValueError("num_messages must be between 0 and 1000000 (1M)")
    return None if timeout < 0 else time.monotonic() + timeout
