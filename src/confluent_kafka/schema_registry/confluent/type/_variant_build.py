# SPDX-License-Identifier: Apache-2.0
"""Making variants value by value."""

from __future__ import annotations

import struct
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from confluent_kafka.schema_registry.confluent.type import _variant_format as f
from confluent_kafka.schema_registry.confluent.type._variant_format import VariantError, size_of
from confluent_kafka.schema_registry.confluent.type.decimal_utils import unscaled_and_scale

if TYPE_CHECKING:
    from confluent_kafka.schema_registry.confluent.type.variant_utils import Variant


class _Container(NamedTuple):
    is_object: bool
    keys: list[int]
    values: list[bytes]


class VariantBuilder:
    """Makes one variant: a value, or a container whose values are appended between its start and its end.

    Args:
        size_limit: most bytes of value and keys together.

    All methods raise VariantError when the order is wrong, a value is out of its type's range, or the limit is passed.
    """

    DEFAULT_SIZE_LIMIT = 16 * 1024 * 1024

    def __init__(self, size_limit: int = DEFAULT_SIZE_LIMIT) -> None:
        self._size_limit = size_limit
        self._dictionary: dict[str, int] = {}
        self._keys: list[bytes] = []
        self._open: list[_Container] = []
        self._root: bytes | None = None
        self._size = 0

    @property
    def size_limit(self) -> int:
        """Most bytes of value and keys together."""
        return self._size_limit

    @property
    def dictionary(self) -> dict[str, int]:
        """The keys that were appended, and their numbers."""
        return self._dictionary

    @property
    def dictionary_keys(self) -> list[bytes]:
        """The keys by number, UTF-8."""
        return self._keys

    @property
    def value(self) -> bytearray:
        """The bytes of the value, empty before it is complete."""
        return bytearray(self._root or b"")

    def build(self) -> Variant:
        """Return the variant."""
        from confluent_kafka.schema_registry.confluent.type.variant_utils import Variant

        if self._open:
            raise VariantError("cannot build with an open container")
        if self._root is None:
            raise VariantError("cannot build an empty variant")
        return Variant(self._root, self._metadata())

    def _metadata(self) -> bytes:
        size = size_of(max(len(self._keys), sum(map(len, self._keys))))
        offsets, at = [], 0
        for key in (*self._keys, b""):
            offsets.append(at.to_bytes(size, "little"))
            at += len(key)
        head = bytes((f.VERSION | (size - 1) << 6,)) + len(self._keys).to_bytes(size, "little")
        return head + b"".join(offsets) + b"".join(self._keys)

    def _grow(self, count: int) -> None:
        self._size += count
        if self._size > self._size_limit:
            raise VariantError("variant size limit exceeded")

    def _append(self, data: bytes) -> None:
        if self._open:
            container = self._open[-1]
            if container.is_object and len(container.keys) == len(container.values):
                raise VariantError("a value in an object must follow append_key")
            container.values.append(data)
        elif self._root is not None:
            raise VariantError("cannot append multiple root values")
        else:
            self._root = data
        if len(data) > self._size_limit:
            raise VariantError("variant size limit exceeded")

    def _primitive(self, kind: int, content: bytes = b"") -> None:
        self._grow(1 + len(content))
        self._append(bytes((f.PRIMITIVE | kind << f.BASIC_TYPE_BITS,)) + content)

    def _integer(self, kind: int, value: int, size: int) -> None:
        try:
            content = int(value).to_bytes(size, "little", signed=True)
        except OverflowError as e:
            raise VariantError(f"integer value out of range for a {size}-byte width") from e
        self._primitive(kind, content)

    def append_null(self) -> None:
        """Append null."""
        self._primitive(f.NULL)

    def append_boolean(self, b: bool) -> None:
        """Append true or false."""
        self._primitive(f.TRUE if b else f.FALSE)

    def append_byte(self, value: int) -> None:
        """Append a whole number of 8 bits."""
        self._integer(f.INT1, value, 1)

    def append_short(self, value: int) -> None:
        """Append a whole number of 16 bits."""
        self._integer(f.INT2, value, 2)

    def append_int(self, value: int) -> None:
        """Append a whole number of 32 bits."""
        self._integer(f.INT4, value, 4)

    def append_long(self, value: int) -> None:
        """Append a whole number of 64 bits."""
        self._integer(f.INT8, value, 8)

    def append_float(self, value: float) -> None:
        """Append a number of single precision; one that is too large becomes infinite."""
        try:
            content = struct.pack("<f", value)
        except OverflowError:
            content = struct.pack("<f", float("inf") if value > 0 else float("-inf"))
        self._primitive(f.FLOAT, content)

    def append_double(self, value: float) -> None:
        """Append a number of double precision."""
        self._primitive(f.DOUBLE, struct.pack("<d", value))

    def append_decimal(self, unscaled: Any, scale: int | None = None) -> None:
        """Append a ``Decimal``, or the whole number ``unscaled`` with ``scale`` digits behind the point; 38 digits."""
        if isinstance(unscaled, Decimal) and scale is None:
            if not unscaled.is_finite():
                raise VariantError("cannot encode non-finite decimal")
            unscaled, scale, _ = unscaled_and_scale(unscaled)
        elif not isinstance(unscaled, int):
            raise VariantError("invalid append_decimal arguments")
        elif scale is None:
            raise VariantError("scale is required when appending an unscaled integer")
        if scale < 0:
            raise VariantError("cannot encode decimal with negative scale")
        size = abs(unscaled)
        if size < f.MAX_DECIMAL4_VALUE and scale <= f.MAX_DECIMAL4_PRECISION:
            kind, count = f.DECIMAL4, 4
        elif size < f.MAX_DECIMAL8_VALUE and scale <= f.MAX_DECIMAL8_PRECISION:
            kind, count = f.DECIMAL8, 8
        elif size < f.MAX_DECIMAL16_VALUE and scale <= f.MAX_DECIMAL16_PRECISION:
            kind, count = f.DECIMAL16, 16
        else:
            raise VariantError(f"decimal exceeds maximum precision ({f.MAX_DECIMAL16_PRECISION})")
        self._primitive(kind, bytes((scale,)) + unscaled.to_bytes(count, "little", signed=True))

    def append_date(self, days_since_epoch: int) -> None:
        """Append a day, counted from 1970-01-01."""
        self._integer(f.DATE, days_since_epoch, 4)

    def append_time(self, micros_since_midnight: int) -> None:
        """Append a time of day in microseconds."""
        self._integer(f.TIME, micros_since_midnight, 8)

    def append_timestamp_tz(self, micros: int) -> None:
        """Append a moment, microseconds since 1970 UTC."""
        self._integer(f.TIMESTAMP, micros, 8)

    def append_timestamp_ntz(self, micros: int) -> None:
        """Append a local date and time, microseconds since 1970."""
        self._integer(f.TIMESTAMP_NTZ, micros, 8)

    def append_timestamp_nanos_tz(self, nanos: int) -> None:
        """Append a moment, nanoseconds since 1970 UTC."""
        self._integer(f.TIMESTAMP_NANOS, nanos, 8)

    def append_timestamp_nanos_ntz(self, nanos: int) -> None:
        """Append a local date and time, nanoseconds since 1970."""
        self._integer(f.TIMESTAMP_NANOS_NTZ, nanos, 8)

    def append_binary(self, data: bytes) -> None:
        """Append bytes."""
        data = bytes(data)
        self._primitive(f.BINARY, len(data).to_bytes(4, "little") + data)

    def append_string(self, s: str) -> None:
        """Append text."""
        data = _utf8(s)
        if len(data) <= f.MAX_SHORT_STR_SIZE:
            self._grow(1 + len(data))
            self._append(bytes((f.SHORT_STR | len(data) << f.BASIC_TYPE_BITS,)) + data)
        else:
            self._primitive(f.LONG_STR, len(data).to_bytes(4, "little") + data)

    def append_uuid(self, value: Any) -> None:
        """Append a ``uuid.UUID``, or its 16 bytes."""
        data = value.bytes if isinstance(value, uuid.UUID) else bytes(value)
        if len(data) != f.UUID_SIZE:
            raise VariantError("uuid must be 16 bytes")
        self._primitive(f.UUID, data)

    def start_object(self) -> None:
        """Begin an object: keys and values follow, in turn."""
        self._start(True)

    def start_array(self) -> None:
        """Begin an array: values follow."""
        self._start(False)

    def _start(self, is_object: bool) -> None:
        if self._open and self._open[-1].is_object and len(self._open[-1].keys) == len(self._open[-1].values):
            raise VariantError("a value in an object must follow append_key")
        if not self._open and self._root is not None:
            raise VariantError("cannot append multiple root values")
        self._open.append(_Container(is_object, [], []))

    def append_key(self, key: str) -> None:
        """Append the key of the next value."""
        if not self._open or not self._open[-1].is_object:
            raise VariantError("append_key called outside of an object")
        container = self._open[-1]
        if len(container.keys) > len(container.values):
            raise VariantError("append_key called twice without an intervening value")
        number = self._dictionary.get(key)
        if number is None:
            data = _utf8(key)
            self._grow(len(data))
            number = self._dictionary[key] = len(self._keys)
            self._keys.append(data)
        container.keys.append(number)

    def end_object(self) -> None:
        """End the object begun last."""
        if not self._open or not self._open[-1].is_object:
            raise VariantError("end_object without a matching start_object")
        _, keys, values = self._open[-1]
        if len(keys) > len(values):
            raise VariantError("end_object with a dangling append_key (no value)")
        self._open.pop()
        # readers search by key; the values stay in the order in which they came
        starts, data_size = _starts(values)
        order = sorted(range(len(keys)), key=lambda index: self._keys[keys[index]])
        id_size, offset_size = size_of(max(keys, default=0)), size_of(data_size)
        large = len(keys) > f.U8_MAX
        info = large << 4 | (id_size - 1) << 2 | (offset_size - 1)
        ids = b"".join(keys[index].to_bytes(id_size, "little") for index in order)
        offsets = b"".join(at.to_bytes(offset_size, "little") for at in (*(starts[i] for i in order), data_size))
        self._end(f.OBJECT, info, large, len(keys), ids + offsets, values)

    def end_array(self) -> None:
        """End the array begun last."""
        if not self._open or self._open[-1].is_object:
            raise VariantError("end_array without a matching start_array")
        values = self._open.pop().values
        starts, data_size = _starts(values)
        offset_size, large = size_of(data_size), len(values) > f.U8_MAX
        offsets = b"".join(at.to_bytes(offset_size, "little") for at in (*starts, data_size))
        self._end(f.ARRAY, large << 2 | (offset_size - 1), large, len(values), offsets, values)

    def _end(self, kind: int, info: int, large: bool, count: int, table: bytes, values: list[bytes]) -> None:
        head = bytes((kind | info << f.BASIC_TYPE_BITS,)) + count.to_bytes(4 if large else 1, "little")
        self._grow(len(head) + len(table))
        self._append(head + table + b"".join(values))


def _starts(values: list[bytes]) -> tuple[list[int], int]:
    starts, at = [], 0
    for value in values:
        starts.append(at)
        at += len(value)
    return starts, at


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as e:
        raise VariantError(f"this is no text that UTF-8 can hold: {e}") from e
