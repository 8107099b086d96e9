# SPDX-License-Identifier: Apache-2.0
"""Everything this package raises on its own account.

::

    Error
    ├ KafkaException                     args[0] is the KafkaError
    │ ├ KafkaError                       one error: code, name, text, flags
    │ ├ RetriableError                   the same call may succeed when made again     ┐
    │ ├ AbortableError                   abort the transaction, then run it again      ├ what to do
    │ ├ FatalError                       this client is done: close it, make another   ┘
    │ ├ KafkaTimeoutError                nobody answered in time                       ┐
    │ ├ TransportError                   no connection to a broker                     │
    │ ├ AuthenticationError              credentials or certificate not accepted       │
    │ ├ AuthorizationError               accepted, but not allowed to do this          │
    │ ├ InvalidArgumentError             an argument librdkafka or the broker refuses  │
    │ │ └ ConfigurationError             a configuration property                      ├ what it is about
    │ ├ UnknownTopicOrPartitionError     no such topic, partition or topic id          │
    │ ├ MessageRejectedError             the record itself: too large, corrupt, ...    │
    │ ├ GroupMembershipError             not, or no longer, a valid group member       │
    │ ├ ProducerFencedError              another producer took over                    │
    │ ├ WrongStateError                  the client is not in a state for this call    │
    │ ├ UnsupportedError                 the broker or librdkafka cannot do this       ┘
    │ ├ _KafkaClientError
    │ │ ├ ConsumeError                   ─ KeyDeserializationError, ValueDeserializationError
    │ │ └ ProduceError                   ─ KeySerializationError, ValueSerializationError
    │ └ SerializationError               ─ the four Key/Value...Error above
    ├ QueueFullError                     also a BufferError
    ├ ForkedClientError                  also a RuntimeError
    ├ UnavailableError                   also a NotImplementedError
    ├ IllegalStateException              also a RuntimeError
    └ ConcurrentModificationException    also a RuntimeError

An error can belong to several families at once: ``exception_for`` (and ``KafkaException(error)``) then makes an
instance of a class that derives from all of them, for example ``RetriableKafkaTimeoutError``, so that
``except RetriableError`` and ``except KafkaTimeoutError`` both catch it.  The families follow from the error alone.

All classes pickle and copy with their fields.
"""

from __future__ import annotations

import builtins
import operator
from typing import TYPE_CHECKING, Any, SupportsIndex, cast

from . import _native
from ._error_codes import NAMES, NEWER_TEXTS, ErrorCodes
from ._error_families import ABORTABLE_CODES, CODES_OF_FAMILY, FATAL_CODES, RETRIABLE_CODES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Self

    from ._native import Message

_NAMES: dict[int, str] = dict(NAMES)
_TEXTS: dict[int, str] = dict(NEWER_TEXTS)
for _code, _name, _text in _native.error_table():
    # librdkafka's table has markers of the local range in it: they have no text and no error carries them
    if _text and not hasattr(ErrorCodes, _name):
        setattr(ErrorCodes, _name, _code)
        _NAMES[_code] = _name
    if _text:
        _TEXTS[_code] = _text


class Error(Exception):
    """Root of every exception this package defines."""


class KafkaException(Error):
    """A call failed; ``args[0]`` is the :class:`KafkaError` that says why.

    ``KafkaException(error)`` makes an instance of the family class the error belongs to (see the module's tree), as
    every client call does; any other arguments, and any subclass, are taken as they are.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if cls is KafkaException and args and isinstance(args[0], KafkaError):
            return cast("Self", super().__new__(_class_for(args[0]), *args, **kwargs))
        return super().__new__(cls, *args, **kwargs)


class KafkaError(ErrorCodes, KafkaException):
    """One error: a code, its name, a text and flags.

    Clients hand it to callbacks, and in ``args[0]`` of a :class:`KafkaException`.  It may be raised itself and is then
    caught as a ``KafkaException`` whose ``args[0]`` is the error.  Compares, orders and hashes by its code, with other
    errors and with ``int``: ``error == KafkaError._PARTITION_EOF``.  Always true, also for ``NO_ERROR``.  Immutable.

    Args:
        code: error code; one of the class attributes, or any other number. Also accepted by the name ``error``.
        reason: text; None takes the standard text of the code.
        fatal: the client that reported it cannot go on.
        retriable: the transactional call that reported it may be made again.
        txn_requires_abort: the current transaction must be aborted.

    Raises:
        TypeError: the code is no integer, or the reason neither ``str`` nor None.
        OverflowError: the code does not fit into 32 bits.
    """

    __module__ = "confluent_kafka.cimpl"  # where existing code, and pickles, look for it

    # defaults for subclasses that never call __init__
    _code: int = 0
    _reason: builtins.str | None = None
    _fatal: bool = False
    _retriable: bool = False
    _txn_requires_abort: bool = False

    def __init__(
        self,
        code: SupportsIndex | None = None,
        reason: builtins.str | None = None,
        fatal: bool = False,
        retriable: bool = False,
        txn_requires_abort: bool = False,
        *,
        error: SupportsIndex | None = None,
    ) -> None:
        if code is None:
            code = error
        elif error is not None:
            raise TypeError("KafkaError: 'code' and 'error' are two names of one argument, give one of them")
        if code is None:
            raise TypeError("KafkaError: the error code is missing, for example KafkaError(KafkaError._TIMED_OUT)")
        number = operator.index(code)
        if not -0x80000000 <= number <= 0x7FFFFFFF:
            raise OverflowError(f"KafkaError: code {number} does not fit into 32 bits")
        if reason is not None and not isinstance(reason, builtins.str):
            raise TypeError(f"KafkaError: reason must be str or None, not {type(reason).__name__}")
        super().__init__()
        self.__dict__.update(
            _code=number,
            _reason=reason,
            _fatal=bool(fatal),
            _retriable=bool(retriable),
            _txn_requires_abort=bool(txn_requires_abort),
        )

    @property
    def args(self) -> tuple[Any, ...]:  # type: ignore[override]  # kept out of the C field: no reference to itself
        return (self,)

    def code(self) -> int:
        """Return the error code."""
        return self._code

    def name(self) -> builtins.str:
        """Return the code's name, such as ``_TIMED_OUT``; ``ERR_99999?`` for a code without a name."""
        return _NAMES.get(self._code) or f"ERR_{self._code}?"

    def str(self) -> builtins.str:
        """Return the text: the given reason, else the standard text; ``Err-99999?`` for an unknown code."""
        if self._reason is not None:
            return self._reason
        return _TEXTS.get(self._code) or f"Err-{self._code}?"

    def fatal(self) -> bool:
        """Return True if the client that reported this cannot go on and must be closed."""
        return self._fatal

    def retriable(self) -> bool:
        """Return True if the transactional call that reported this may be made again."""
        return self._retriable

    def txn_requires_abort(self) -> bool:
        """Return True if the current transaction must be aborted."""
        return self._txn_requires_abort

    def __repr__(self) -> builtins.str:
        fatal = "FATAL," if self._fatal else ""
        return f'KafkaError{{{fatal}code={self.name()},val={self._code},str="{self.str()}"}}'

    __str__ = __repr__

    def __hash__(self) -> int:
        return hash(self._code)

    def __eq__(self, other: object) -> bool:
        number = _code_of(other)
        return NotImplemented if number is None else self._code == number

    def __ne__(self, other: object) -> bool:
        number = _code_of(other)
        return NotImplemented if number is None else self._code != number

    def __lt__(self, other: KafkaError | int) -> bool:
        number = _code_of(other)
        return NotImplemented if number is None else self._code < number

    def __le__(self, other: KafkaError | int) -> bool:
        number = _code_of(other)
        return NotImplemented if number is None else self._code <= number

    def __gt__(self, other: KafkaError | int) -> bool:
        number = _code_of(other)
        return NotImplemented if number is None else self._code > number

    def __ge__(self, other: KafkaError | int) -> bool:
        number = _code_of(other)
        return NotImplemented if number is None else self._code >= number

    def __setattr__(self, attribute: builtins.str, value: object) -> None:
        # writable: what interpreter and contextlib keep on an exception in flight, and a subclass's own names
        if attribute in _FIELDS or (type(self) is KafkaError and not attribute.startswith("__")):
            raise AttributeError(f"KafkaError is immutable: cannot set {attribute!r}; make a new KafkaError instead")
        super().__setattr__(attribute, value)

    def __delattr__(self, attribute: builtins.str) -> None:
        if attribute in _FIELDS:
            raise AttributeError(f"KafkaError is immutable: cannot delete {attribute!r}")
        super().__delattr__(attribute)

    def __reduce__(self) -> tuple[Any, ...]:
        extra = {key: value for key, value in self.__dict__.items() if key not in _FIELDS}
        fields = (self._code, self._reason, self._fatal, self._retriable, self._txn_requires_abort)
        if type(self) is KafkaError and not extra:
            return KafkaError, fields
        return _restore_kafka_error, (type(self), fields), extra or None


_FIELDS = frozenset(("_code", "_reason", "_fatal", "_retriable", "_txn_requires_abort", "args"))


def _code_of(other: object) -> int | None:
    if isinstance(other, KafkaError):
        return other._code
    return other if isinstance(other, int) else None


def _restore_kafka_error(cls: type[KafkaError], fields: tuple[Any, ...]) -> KafkaError:
    # a subclass may take other arguments: its __init__ is not called again, its own fields come with the state
    error = cls.__new__(cls)
    KafkaError.__init__(error, *fields)
    return error


class RetriableError(KafkaException):
    """The same call may succeed when it is made again, after a pause."""


class AbortableError(KafkaException):
    """The current transaction must be aborted; it may then be run again."""


class FatalError(KafkaException):
    """The client cannot go on: close it and make another one."""


class KafkaTimeoutError(KafkaException):
    """Nobody answered within the given or configured time."""


class TransportError(KafkaException):
    """No connection to a broker: name resolution, network, TLS layer, or all brokers down."""


class AuthenticationError(KafkaException):
    """The broker did not accept this client's credentials, token, certificate or mechanism."""


class AuthorizationError(KafkaException):
    """The principal is known but not allowed to do this with this topic, group, transaction or cluster."""


class InvalidArgumentError(KafkaException):
    """An argument was refused by librdkafka or by the broker."""


class ConfigurationError(InvalidArgumentError):
    """A configuration property is unknown, misplaced, or has an unusable value."""


class UnknownTopicOrPartitionError(KafkaException):
    """There is no such topic, partition or topic id."""


class MessageRejectedError(KafkaException):
    """The record itself was refused: too large, corrupt, with a bad timestamp or an unsupported compression."""


class GroupMembershipError(KafkaException):
    """The consumer is not, or no longer, a valid member of its group."""


class ProducerFencedError(KafkaException):
    """Another producer with the same transactional id, or a newer epoch of it, has taken over."""


class WrongStateError(KafkaException):
    """The client, or its transaction, is not in a state that allows this call."""


class UnsupportedError(KafkaException):
    """The broker, or the linked librdkafka, cannot do this."""


_KINDS: dict[int, type[KafkaException]] = {
    code: globals()[family] for family, codes in CODES_OF_FAMILY.items() for code in codes
}
_composites: dict[tuple[type[KafkaException], ...], type[KafkaException]] = {}


def _families(error: KafkaError) -> Iterable[type[KafkaException]]:
    # one answer to "what now": a fatal error is never worth a retry, and an abort comes before one
    code = error.code()
    if error.fatal() or code in FATAL_CODES:
        yield FatalError
    elif error.txn_requires_abort() or code in ABORTABLE_CODES:
        yield AbortableError
    elif error.retriable() or code in RETRIABLE_CODES:
        yield RetriableError
    if code in _KINDS:
        yield _KINDS[code]


def _reduce_composite(self: KafkaException) -> tuple[Any, ...]:
    # the class is made at run time and cannot be imported; the error alone leads back to it
    return KafkaException, self.args, self.__dict__ or None


def _class_for(error: KafkaError) -> type[KafkaException]:
    bases = tuple(_families(error))
    if not bases:
        return KafkaException
    if len(bases) == 1:
        return bases[0]
    if bases not in _composites:
        name = bases[0].__name__.removesuffix("Error") + bases[1].__name__
        body = {"__module__": __name__, "__doc__": bases[1].__doc__, "__reduce__": _reduce_composite}
        # setdefault: two threads may make it at once, all must use the same one
        _composites.setdefault(bases, type(name, bases, body))
    return _composites[bases]


def exception_for(error: KafkaError) -> KafkaException:
    """Return the exception to raise for an error: an instance of the families it belongs to, with it as ``args[0]``."""
    return _class_for(error)(error)


class SerializationError(KafkaException):
    """An object could not be turned into bytes, or bytes into an object."""


class _KafkaClientError(KafkaException):
    """A :class:`KafkaError` with the exception and the message it came with.

    Args:
        kafka_error: what went wrong; also ``args[0]``.
        exception: what the serializer, deserializer or callback raised, if that was the reason.
        kafka_message: the message concerned, if there is one.
    """

    def __init__(
        self,
        kafka_error: KafkaError,
        exception: Exception | None = None,
        kafka_message: Message[Any, Any] | None = None,
    ) -> None:
        super().__init__(kafka_error)
        self.exception = exception
        self.kafka_message = kafka_message

    @property
    def code(self) -> int:
        """Error code of ``args[0]``."""
        return int(self.args[0].code())

    @property
    def name(self) -> str:
        """Name of the error code of ``args[0]``."""
        return str(self.args[0].name())

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_client_error, (type(self), self.args), self.__dict__


def _restore_client_error(cls: type[_KafkaClientError], args: tuple[Any, ...]) -> _KafkaClientError:
    # the subclasses' constructors take other arguments than what args holds; fields come with the state
    return cls.__new__(cls, *args)


class ConsumeError(_KafkaClientError):
    """A message could not be consumed; ``kafka_message`` is the message that carried the error."""


class KeyDeserializationError(ConsumeError, SerializationError):
    """The key of ``kafka_message`` could not be deserialized; ``exception`` is what the deserializer raised."""

    def __init__(self, exception: Exception | None = None, kafka_message: Message[Any, Any] | None = None) -> None:
        super().__init__(KafkaError(KafkaError._KEY_DESERIALIZATION, str(exception)), exception, kafka_message)


class ValueDeserializationError(ConsumeError, SerializationError):
    """The value of ``kafka_message`` could not be deserialized; ``exception`` is what the deserializer raised."""

    def __init__(self, exception: Exception | None = None, kafka_message: Message[Any, Any] | None = None) -> None:
        super().__init__(KafkaError(KafkaError._VALUE_DESERIALIZATION, str(exception)), exception, kafka_message)


class ProduceError(_KafkaClientError):
    """A message could not be handed to the producer."""

    def __init__(self, kafka_error: KafkaError, exception: Exception | None = None) -> None:
        super().__init__(kafka_error, exception, None)


class KeySerializationError(ProduceError, SerializationError):
    """The key could not be serialized; ``exception`` is what the serializer raised."""

    def __init__(self, exception: Exception | None = None) -> None:
        super().__init__(KafkaError(KafkaError._KEY_SERIALIZATION, str(exception)), exception)


class ValueSerializationError(ProduceError, SerializationError):
    """The value could not be serialized; ``exception`` is what the serializer raised."""

    def __init__(self, exception: Exception | None = None) -> None:
        super().__init__(KafkaError(KafkaError._VALUE_SERIALIZATION, str(exception)), exception)


class QueueFullError(Error, BufferError):
    """The producer's queue is full: the message was not taken.

    ``error`` is the :class:`KafkaError` behind it (code ``_QUEUE_FULL``).
    """

    def __init__(self, error: KafkaError | None = None) -> None:
        self.error = KafkaError(KafkaError._QUEUE_FULL) if error is None else error
        super().__init__(
            f"{self.error.str()}: call poll() so that delivery reports are served, wait for room with "
            "produce(..., block=seconds) (asyncio: timeout=seconds), or raise queue.buffering.max.messages / "
            "queue.buffering.max.kbytes"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.error,)


class ForkedClientError(Error, RuntimeError):
    """A client made before ``os.fork()`` was used in the child process: make a new one there."""


class UnavailableError(Error, NotImplementedError):
    """The linked librdkafka has no calls for this."""


class IllegalStateException(Error, RuntimeError):
    """The client is not in a state that allows this call."""


class ConcurrentModificationException(Error, RuntimeError):
    """Another thread is inside a call of a client that only one thread may use at a time."""
