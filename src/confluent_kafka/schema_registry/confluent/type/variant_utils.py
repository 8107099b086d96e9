# SPDX-License-Identifier: Apache-2.0
"""Values of any type in the variant encoding of Apache Parquet and Spark, version 1: reading, making, JSON."""

from __future__ import annotations

import base64
import datetime
import json
import math
import struct
import uuid
from decimal import Decimal
from typing import Any

from confluent_kafka.schema_registry.confluent.type._variant_build import VariantBuilder
from confluent_kafka.schema_registry.confluent.type._variant_format import (
    ARRAY,
    BASIC_TYPE_BITS,
    BASIC_TYPE_MASK,
    BINARY,
    DATE,
    DECIMAL4,
    DECIMAL8,
    DECIMAL16,
    DOUBLE,
    FALSE,
    FIXED,
    FLOAT,
    I8_MAX,
    I8_MIN,
    I16_MAX,
    I16_MIN,
    I32_MAX,
    I32_MIN,
    I64_MAX,
    I64_MIN,
    INT1,
    INT2,
    INT4,
    INT8,
    LONG_STR,
    MAX_DECIMAL4_PRECISION,
    MAX_DECIMAL4_VALUE,
    MAX_DECIMAL8_PRECISION,
    MAX_DECIMAL8_VALUE,
    MAX_DECIMAL16_PRECISION,
    MAX_DECIMAL16_VALUE,
    MAX_DEPTH,
    MAX_SHORT_STR_SIZE,
    NULL,
    OBJECT,
    PRIMITIVE,
    SHORT_STR,
    TIME,
    TIMESTAMP,
    TIMESTAMP_NANOS,
    TIMESTAMP_NANOS_NTZ,
    TIMESTAMP_NTZ,
    TRUE,
    TYPE_INFO_MASK,
    TYPES,
    U8_MAX,
    U16_MAX,
    U24_MAX,
    U24_SIZE,
    U32_SIZE,
    UUID,
    UUID_SIZE,
    VERSION,
    VERSION_MASK,
    VariantError,
    VariantType,
    read_bytes,
    read_number,
)
from confluent_kafka.schema_registry.confluent.type.decimal_utils import EXACT

__all__ = [
    "ARRAY",
    "BASIC_TYPE_BITS",
    "BASIC_TYPE_MASK",
    "BINARY",
    "DATE",
    "DECIMAL4",
    "DECIMAL8",
    "DECIMAL16",
    "DOUBLE",
    "FALSE",
    "FLOAT",
    "I8_MAX",
    "I8_MIN",
    "I16_MAX",
    "I16_MIN",
    "I32_MAX",
    "I32_MIN",
    "I64_MAX",
    "I64_MIN",
    "INT1",
    "INT2",
    "INT4",
    "INT8",
    "LONG_STR",
    "MAX_DECIMAL4_PRECISION",
    "MAX_DECIMAL4_VALUE",
    "MAX_DECIMAL8_PRECISION",
    "MAX_DECIMAL8_VALUE",
    "MAX_DECIMAL16_PRECISION",
    "MAX_DECIMAL16_VALUE",
    "MAX_SHORT_STR_SIZE",
    "NULL",
    "OBJECT",
    "PRIMITIVE",
    "SHORT_STR",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_NANOS",
    "TIMESTAMP_NANOS_NTZ",
    "TIMESTAMP_NTZ",
    "TRUE",
    "TYPE_INFO_MASK",
    "U8_MAX",
    "U16_MAX",
    "U24_MAX",
    "U24_SIZE",
    "U32_SIZE",
    "UUID",
    "UUID_SIZE",
    "VERSION",
    "VERSION_MASK",
    "Variant",
    "VariantBuilder",
    "VariantError",
    "VariantType",
    "from_bytes",
    "parse_json",
    "to_json_string",
]

for _public in (VariantBuilder, VariantError, VariantType):
    _public.__module__ = __name__  # where existing code knows them, pickles of them too

_EPOCH_DATE = datetime.date(1970, 1, 1)
_EPOCH = datetime.datetime(1970, 1, 1)
_DAYS = ((datetime.date.min - _EPOCH_DATE).days, (datetime.date.max - _EPOCH_DATE).days)
_DAY_MICROS = 24 * 60 * 60 * 1_000_000
_INTEGERS = {INT1: 1, INT2: 2, INT4: 4, INT8: 8}
_LONGS = {
    **_INTEGERS, DATE: 4, TIMESTAMP: 8, TIMESTAMP_NTZ: 8, TIME: 8, TIMESTAMP_NANOS: 8, TIMESTAMP_NANOS_NTZ: 8,
}  # fmt: skip
_DECIMALS = {
    DECIMAL4: (4, MAX_DECIMAL4_VALUE, MAX_DECIMAL4_PRECISION),
    DECIMAL8: (8, MAX_DECIMAL8_VALUE, MAX_DECIMAL8_PRECISION),
    DECIMAL16: (16, MAX_DECIMAL16_VALUE, MAX_DECIMAL16_PRECISION),
}


class Variant:
    """Reads a variant; parts of objects and arrays are variants on the same bytes.

    Args:
        value: the bytes of the value.
        metadata: the bytes of the keys.
        pos: where in ``value`` it begins.
    Raises:
        VariantError: the metadata is not of version 1; later, by any method: the bytes are malformed, or the value is
            not of the type that was asked for.
    """

    _BINARY_SEARCH_THRESHOLD = 32

    __slots__ = ("_metadata", "_pos", "_value")

    def __init__(self, value: bytes, metadata: bytes, pos: int = 0) -> None:
        self._value = bytes(value)
        self._metadata = bytes(metadata)
        self._pos = pos
        version = read_number(self._metadata, 0, 1) & VERSION_MASK
        if version != VERSION:
            raise VariantError(f"unsupported variant metadata version: {version}")

    @property
    def value(self) -> bytes:
        """The bytes that hold this value, and perhaps others."""
        return self._value

    @property
    def metadata(self) -> bytes:
        """The bytes of the keys."""
        return self._metadata

    @property
    def pos(self) -> int:
        """Where in ``value`` this value begins."""
        return self._pos

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Variant):
            return NotImplemented
        return (self.standalone_value_bytes(), self._metadata) == (other.standalone_value_bytes(), other._metadata)

    def __hash__(self) -> int:
        return hash((self.standalone_value_bytes(), self._metadata))

    def __repr__(self) -> str:
        return f"Variant({self.standalone_value_bytes()!r}, {self._metadata!r})"

    def standalone_value_bytes(self) -> bytes:
        """Return the bytes of this value alone."""
        return self._value[self._pos : self._pos + self._length()] if self._pos else self._value

    def _head(self) -> tuple[int, int]:
        head = read_number(self._value, self._pos, 1)
        return head & BASIC_TYPE_MASK, head >> BASIC_TYPE_BITS & TYPE_INFO_MASK

    def _number(self, offset: int, size: int, signed: bool = False) -> int:
        return read_number(self._value, self._pos + offset, size, signed=signed)

    def _length(self) -> int:
        basic, info = self._head()
        if basic == SHORT_STR:
            return 1 + info
        if basic == OBJECT:
            count, _, size, _, offsets, data = self._object()
            return data + read_number(self._value, offsets + count * size, size) - self._pos
        if basic == ARRAY:
            count, size, offsets, data = self._array()
            return data + read_number(self._value, offsets + count * size, size) - self._pos
        if info in (BINARY, LONG_STR):
            return 5 + self._number(1, 4)
        if info not in FIXED:
            raise VariantError(f"unknown variant primitive type: {info}")
        return 1 + FIXED[info]

    def get_type(self) -> VariantType:
        """Return what this is."""
        basic, info = self._head()
        if basic != PRIMITIVE:
            return {SHORT_STR: VariantType.STRING, OBJECT: VariantType.OBJECT, ARRAY: VariantType.ARRAY}[basic]
        if info not in TYPES:
            raise VariantError(f"unknown variant primitive type: {info}")
        return TYPES[info]

    def _primitive(self) -> int:
        basic, info = self._head()
        if basic != PRIMITIVE:
            raise VariantError("expected a primitive variant value")
        return info

    def get_boolean(self) -> bool:
        """Return a boolean."""
        info = self._primitive()
        if info not in (TRUE, FALSE):
            raise VariantError("variant is not a boolean")
        return info == TRUE

    def _integer(self, widest: int, what: str) -> int:
        size = _INTEGERS.get(self._primitive(), 16)
        if size > widest:
            raise VariantError(f"variant is not a {what}-width integer")
        return self._number(1, size, signed=True)

    def get_byte(self) -> int:
        """Return a number of 8 bits."""
        return self._integer(1, "byte")

    def get_short(self) -> int:
        """Return a number of up to 16 bits."""
        return self._integer(2, "short")

    def get_int(self) -> int:
        """Return a number of up to 32 bits."""
        return self._integer(4, "int")

    def get_long(self) -> int:
        """Return a number of up to 64 bits; of dates, times and timestamps what they count."""
        size = _LONGS.get(self._primitive())
        if size is None:
            raise VariantError("variant is not an integer-backed type")
        return self._number(1, size, signed=True)

    def get_float(self) -> float:
        """Return a number of single precision."""
        if self._primitive() != FLOAT:
            raise VariantError("variant is not a float")
        return float(struct.unpack("<f", read_bytes(self._value, self._pos + 1, 4))[0])

    def get_double(self) -> float:
        """Return a number of double precision."""
        if self._primitive() != DOUBLE:
            raise VariantError("variant is not a double")
        return float(struct.unpack("<d", read_bytes(self._value, self._pos + 1, 8))[0])

    def get_decimal(self) -> Decimal:
        """Return a decimal."""
        sizes = _DECIMALS.get(self._primitive())
        if sizes is None:
            raise VariantError("variant is not a decimal")
        size, limit, precision = sizes
        scale, unscaled = self._number(1, 1), self._number(2, size, signed=True)
        if abs(unscaled) >= limit or scale > precision:
            raise VariantError("malformed variant: decimal out of range")
        return Decimal(unscaled).scaleb(-scale, context=EXACT)

    def get_binary(self) -> bytes:
        """Return bytes."""
        if self._primitive() != BINARY:
            raise VariantError("variant is not binary")
        return read_bytes(self._value, self._pos + 5, self._number(1, 4))

    def get_uuid(self) -> uuid.UUID:
        """Return a UUID."""
        if self._primitive() != UUID:
            raise VariantError("variant is not a uuid")
        return uuid.UUID(bytes=read_bytes(self._value, self._pos + 1, UUID_SIZE))

    def get_string(self) -> str:
        """Return text."""
        basic, info = self._head()
        if basic == SHORT_STR:
            data = read_bytes(self._value, self._pos + 1, info)
        elif basic == PRIMITIVE and info == LONG_STR:
            data = read_bytes(self._value, self._pos + 5, self._number(1, 4))
        else:
            raise VariantError("variant is not a string")
        return _text(data)

    def _object(self) -> tuple[int, int, int, int, int, int]:
        """Return count, bytes of an id, bytes of an offset, places of ids, offsets, and values."""
        basic, info = self._head()
        if basic != OBJECT:
            raise VariantError("variant is not an object")
        wide = 4 if info & 16 else 1
        count, id_size, size = self._number(1, wide), (info >> 2 & 3) + 1, (info & 3) + 1
        ids = self._pos + 1 + wide
        offsets = ids + count * id_size
        data = offsets + (count + 1) * size
        if data > len(self._value):
            raise VariantError("malformed variant: index out of bounds")
        return count, id_size, size, ids, offsets, data

    def _array(self) -> tuple[int, int, int, int]:
        """Return count, bytes of an offset, places of offsets and values."""
        basic, info = self._head()
        if basic != ARRAY:
            raise VariantError("variant is not an array")
        wide = 4 if info & 4 else 1
        count, size = self._number(1, wide), (info & 3) + 1
        offsets = self._pos + 1 + wide
        data = offsets + (count + 1) * size
        if data > len(self._value):
            raise VariantError("malformed variant: index out of bounds")
        return count, size, offsets, data

    def num_object_fields(self) -> int:
        """Return how many fields an object has."""
        return self._object()[0]

    def num_array_elements(self) -> int:
        """Return how many elements an array has."""
        return self._array()[0]

    def _key(self, number: int) -> bytes:
        metadata = self._metadata
        size = (metadata[0] >> 6) + 1
        count = read_number(metadata, 1, size)
        if number >= count:
            raise VariantError("malformed variant: field id out of range")
        offsets = 1 + size
        start, end = (read_number(metadata, offsets + (number + i) * size, size) for i in (0, 1))
        return read_bytes(metadata, offsets + (count + 1) * size + start, max(0, end - start))

    def _field_key(self, index: int) -> bytes:
        _, id_size, _, ids, _, _ = self._object()
        return self._key(read_number(self._value, ids + index * id_size, id_size))

    def _field(self, index: int) -> Variant:
        _, _, size, _, offsets, data = self._object()
        return self._part(data + read_number(self._value, offsets + index * size, size))

    def _part(self, pos: int) -> Variant:
        return Variant(self._value, self._metadata, pos)

    def get_field_by_key(self, key: str) -> Variant | None:
        """Return the field of an object with this key, None if there is none."""
        wanted, count = key.encode(errors="surrogatepass"), self.num_object_fields()
        if count < self._BINARY_SEARCH_THRESHOLD:
            return next((self._field(index) for index in range(count) if self._field_key(index) == wanted), None)
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            found = self._field_key(middle)
            if found == wanted:
                return self._field(middle)
            low, high = (middle + 1, high) if found < wanted else (low, middle)
        return None

    def get_field_at_index(self, idx: int) -> tuple[str, Variant]:
        """Return key and value of a field by its place; fields are in the order of their keys."""
        if not 0 <= idx < self.num_object_fields():
            raise VariantError(f"the object has no field at index {idx}")
        return _text(self._field_key(idx)), self._field(idx)

    def get_element_at_index(self, index: int) -> Variant | None:
        """Return an element of an array, None if there is none."""
        count, size, offsets, data = self._array()
        if not 0 <= index < count:
            return None
        return self._part(data + read_number(self._value, offsets + index * size, size))

    def to_json(self) -> str:
        """Return JSON: numbers as they are (NaN and Infinity, too), times in ISO 8601, bytes in base64."""
        # a valid value takes a byte at least: overlapping ones, which could go on and on, run out of these
        try:
            return self._json(1, [len(self._value)])
        except RecursionError as e:
            raise VariantError("variant is nested too deep") from e

    def _json(self, depth: int, left: list[int]) -> str:
        left[0] -= 1
        if left[0] < 0:
            raise VariantError("malformed variant: more values than bytes")
        if depth > MAX_DEPTH:
            raise VariantError(f"variant is nested more than {MAX_DEPTH} levels deep")
        kind = self.get_type()
        if kind is VariantType.OBJECT:
            fields = (self.get_field_at_index(index) for index in range(self.num_object_fields()))
            return "{" + ",".join(f"{_quoted(key)}:{value._json(depth + 1, left)}" for key, value in fields) + "}"
        if kind is VariantType.ARRAY:
            count, size, offsets, data = self._array()
            places = (data + read_number(self._value, offsets + index * size, size) for index in range(count))
            return "[" + ",".join(self._part(place)._json(depth + 1, left) for place in places) + "]"
        if kind is VariantType.STRING:
            return _quoted(self.get_string())
        return str(_PRIMITIVES[kind](self))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as e:
        raise VariantError(f"malformed variant: text is not UTF-8: {e}") from e


def _float(value: float, single: bool = False) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if single and not (value.is_integer() and abs(value) < 1e16):
        # the fewest digits that are this number in single precision
        shorter = (float(f"{value:.{digits}g}") for digits in range(1, 10))
        value = next((item for item in shorter if struct.pack("f", item) == struct.pack("f", value)), value)
    return repr(value)


def _date(days: int) -> str:
    if not _DAYS[0] <= days <= _DAYS[1]:
        raise VariantError(f"date epoch day ({days}) must be in range [{_DAYS[0]}, {_DAYS[1]}]")
    return f'"{(_EPOCH_DATE + datetime.timedelta(days=days)).isoformat()}"'


def _fraction(nanos: int) -> str:
    if not nanos:
        return ""
    text = f"{nanos:09}"
    return "." + (text[:3] if text.endswith("000000") else text[:6] if text.endswith("000") else text)


def _time(micros: int) -> str:
    if not 0 <= micros < _DAY_MICROS:
        raise VariantError(f"time microseconds of day ({micros}) must be in range [0, {_DAY_MICROS - 1}]")
    seconds, rest = divmod(micros, 1_000_000)
    return f'"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{_fraction(rest * 1000)}"'


def _moment(nanos: int, zone: str) -> str:
    seconds, rest = divmod(nanos, 1_000_000_000)
    try:
        whole = _EPOCH + datetime.timedelta(seconds=seconds)
    except OverflowError as e:
        raise VariantError(f"a timestamp of {seconds} seconds since 1970 is not in the years 1 to 9999") from e
    return f'"{whole.isoformat()}{_fraction(rest)}{zone}"'


_PRIMITIVES: dict[VariantType, Any] = {
    VariantType.NULL: lambda v: "null",
    VariantType.BOOLEAN: lambda v: "true" if v.get_boolean() else "false",
    **{
        kind: lambda v: str(v.get_long())
        for kind in (VariantType.BYTE, VariantType.SHORT, VariantType.INT, VariantType.LONG)
    },
    VariantType.FLOAT: lambda v: _float(v.get_float(), single=True),
    VariantType.DOUBLE: lambda v: _float(v.get_double()),
    **{
        kind: lambda v: format(v.get_decimal(), "f")
        for kind in (VariantType.DECIMAL4, VariantType.DECIMAL8, VariantType.DECIMAL16)
    },
    VariantType.DATE: lambda v: _date(v.get_long()),
    VariantType.TIME: lambda v: _time(v.get_long()),
    VariantType.TIMESTAMP_TZ: lambda v: _moment(v.get_long() * 1000, "Z"),
    VariantType.TIMESTAMP_NTZ: lambda v: _moment(v.get_long() * 1000, ""),
    VariantType.TIMESTAMP_NANOS_TZ: lambda v: _moment(v.get_long(), "Z"),
    VariantType.TIMESTAMP_NANOS_NTZ: lambda v: _moment(v.get_long(), ""),
    VariantType.BINARY: lambda v: f'"{base64.b64encode(v.get_binary()).decode()}"',
    VariantType.UUID: lambda v: f'"{v.get_uuid()}"',
}


def from_bytes(value: bytes, metadata: bytes) -> Variant:
    """Return the variant with these bytes."""
    return Variant(value, metadata)


def to_json_string(variant: Variant) -> str:
    """Return a variant as JSON."""
    return variant.to_json()


def parse_json(json_str: str) -> Variant:
    """Return JSON as variant.

    Whole numbers become the shortest integer, or a decimal of up to 38 digits; others double. Of equal keys the last
    counts.

    Raises:
        ValueError: this is no JSON.
        VariantError: it has a whole number of more than 38 digits, or is nested too deep.
    """
    try:
        parsed = json.loads(json_str)
        builder = VariantBuilder()
        _append(builder, parsed)
    except RecursionError as e:
        raise VariantError("this JSON is nested too deep") from e
    return builder.build()


def _append(builder: VariantBuilder, item: Any) -> None:
    if isinstance(item, dict):
        builder.start_object()
        for key, value in item.items():
            builder.append_key(key)
            _append(builder, value)
        builder.end_object()
    elif isinstance(item, list):
        builder.start_array()
        for value in item:
            _append(builder, value)
        builder.end_array()
    elif item is None:
        builder.append_null()
    elif isinstance(item, bool):
        builder.append_boolean(item)
    elif isinstance(item, str):
        builder.append_string(item)
    elif isinstance(item, float):
        builder.append_double(item)
    elif I8_MIN <= item <= I8_MAX:
        builder.append_byte(item)
    elif I16_MIN <= item <= I16_MAX:
        builder.append_short(item)
    elif I32_MIN <= item <= I32_MAX:
        builder.append_int(item)
    elif I64_MIN <= item <= I64_MAX:
        builder.append_long(item)
    else:
        builder.append_decimal(item, 0)
