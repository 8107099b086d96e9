# SPDX-License-Identifier: Apache-2.0
"""Serializers for floats, 32-bit integers and text. None stays None in all of them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from confluent_kafka.error import SerializationError
from confluent_kafka.serialization._base import Deserializer, Serializer

if TYPE_CHECKING:
    from confluent_kafka.serialization._base import SerializationContext

_DOUBLE = struct.Struct(">d")
_INT32 = struct.Struct(">i")


def _pack(layout: struct.Struct, what: str, obj: Any) -> bytes | None:
    if obj is None:
        return None
    try:
        return layout.pack(obj)
    except (struct.error, OverflowError, TypeError) as e:
        raise SerializationError(f"cannot serialize {_kind(obj)} as {what}: {e}") from e


def _unpack(layout: struct.Struct, what: str, data: Any) -> Any:
    if data is None:
        return None
    try:
        return layout.unpack(data)[0]
    except (struct.error, TypeError) as e:
        raise SerializationError(f"cannot deserialize {_kind(data)} as {what}: {e}") from e


def _kind(obj: Any) -> str:
    # never the value itself: it may be confidential
    if isinstance(obj, (bytes, bytearray, memoryview)):
        return f"{len(obj)} bytes"
    return f"a value of type {type(obj).__name__}"


def _checked_codec(codec: str) -> str:
    try:
        # not the empty string: Python answers that without looking the codec up
        "a".encode(codec)
    except LookupError as e:
        raise LookupError(f"{e}: give the name of a text codec of Python, for example 'utf_8' or 'latin_1'") from e
    except UnicodeError:
        pass  # it exists
    return codec


class DoubleSerializer(Serializer):
    """Writes a float as 8 bytes: IEEE 754 binary64, big-endian."""

    __slots__ = ()

    def __call__(self, obj: float | None, ctx: SerializationContext | None = None) -> bytes | None:
        """Return 8 bytes, or None for None; SerializationError if ``obj`` is no number or too large."""
        return _pack(_DOUBLE, "an 8-byte double", obj)


class DoubleDeserializer(Deserializer):
    """Reads a float from 8 bytes: IEEE 754 binary64, big-endian."""

    __slots__ = ()

    def __call__(self, value: bytes | None, ctx: SerializationContext | None = None) -> float | None:
        """Return the float, or None for None; SerializationError unless there are exactly 8 bytes."""
        number: float | None = _unpack(_DOUBLE, "an 8-byte double", value)
        return number


class IntegerSerializer(Serializer):
    """Writes an int as 4 bytes: signed, big-endian, -2147483648 to 2147483647."""

    __slots__ = ()

    def __call__(self, obj: int | None, ctx: SerializationContext | None = None) -> bytes | None:
        """Return 4 bytes, or None for None; SerializationError if ``obj`` is no integer or out of range."""
        return _pack(_INT32, "a 4-byte integer", obj)


class IntegerDeserializer(Deserializer):
    """Reads an int from 4 bytes: signed, big-endian."""

    __slots__ = ()

    def __call__(self, value: bytes | None, ctx: SerializationContext | None = None) -> int | None:
        """Return the int, or None for None; SerializationError unless there are exactly 4 bytes."""
        number: int | None = _unpack(_INT32, "a 4-byte integer", value)
        return number


class StringSerializer(Serializer):
    """Writes a ``str``.

    Args:
        codec: name of a text codec of Python.
    Raises:
        LookupError: there is no such text codec.
    """

    __slots__ = ("codec",)

    def __init__(self, codec: str = "utf_8") -> None:
        self.codec = _checked_codec(codec)

    def __call__(self, obj: str | None, ctx: SerializationContext | None = None) -> bytes | None:
        """Return the encoded text, or None for None; SerializationError if ``obj`` is no str or not encodable."""
        if obj is None:
            return None
        if not isinstance(obj, str):
            raise SerializationError(f"cannot serialize {_kind(obj)} as text: it must be a str")
        try:
            return obj.encode(self.codec)
        except UnicodeError as e:
            raise SerializationError(f"cannot encode the text with codec {self.codec}: {_reason(e)}") from e


class StringDeserializer(Deserializer):
    """Reads a ``str``.

    Args:
        codec: name of a text codec of Python.
    Raises:
        LookupError: there is no such text codec.
    """

    __slots__ = ("codec",)

    def __init__(self, codec: str = "utf_8") -> None:
        self.codec = _checked_codec(codec)

    def __call__(self, value: bytes | None, ctx: SerializationContext | None = None) -> str | None:
        """Return the decoded text, or None for None; SerializationError if the bytes are not text of this codec."""
        if value is None:
            return None
        try:
            return str(value, self.codec)
        except UnicodeError as e:
            raise SerializationError(f"cannot decode {_kind(value)} with codec {self.codec}: {_reason(e)}") from e
        except TypeError as e:
            raise SerializationError(f"cannot decode {_kind(value)} as text: it must be bytes") from e


def _reason(error: UnicodeError) -> str:
    # str() of these errors quotes what was being converted
    if isinstance(error, (UnicodeEncodeError, UnicodeDecodeError)):
        return f"{error.reason} at position {error.start}"
    return str(error)
