# SPDX-License-Identifier: Apache-2.0
"""The variant encoding, version 1, as Apache Parquet and Spark have it: constants and single numbers.

::

    metadata   version and size of offsets: 1 byte | number of keys | offsets, one more than keys | keys, UTF-8
    value      basic type: 2 bits, information: 6 bits | content

Numbers are little-endian. A short string's information is its length, a primitive's its type, a container's the sizes
of its numbers.
"""

from __future__ import annotations

from enum import Enum

BASIC_TYPE_BITS = 2
BASIC_TYPE_MASK = 3
TYPE_INFO_MASK = 63
PRIMITIVE, SHORT_STR, OBJECT, ARRAY = range(4)
NULL, TRUE, FALSE, INT1, INT2, INT4, INT8, DOUBLE, DECIMAL4, DECIMAL8, DECIMAL16 = range(11)
DATE, TIMESTAMP, TIMESTAMP_NTZ, FLOAT, BINARY, LONG_STR, TIME, TIMESTAMP_NANOS, TIMESTAMP_NANOS_NTZ, UUID = range(
    11, 21
)
VERSION = 1
VERSION_MASK = 15
U8_MAX, U16_MAX, U24_MAX = 255, 65535, 16777215
U24_SIZE, U32_SIZE, UUID_SIZE = 3, 4, 16
I8_MIN, I8_MAX = -128, 127
I16_MIN, I16_MAX = -32768, 32767
I32_MIN, I32_MAX = -(2**31), 2**31 - 1
I64_MIN, I64_MAX = -(2**63), 2**63 - 1
MAX_SHORT_STR_SIZE = 63
MAX_DECIMAL4_PRECISION, MAX_DECIMAL8_PRECISION, MAX_DECIMAL16_PRECISION = 9, 18, 38
MAX_DECIMAL4_VALUE = 10**MAX_DECIMAL4_PRECISION
MAX_DECIMAL8_VALUE = 10**MAX_DECIMAL8_PRECISION
MAX_DECIMAL16_VALUE = 10**MAX_DECIMAL16_PRECISION
MAX_DEPTH = 300

# primitive type: (bytes of the content, the sign counts)
FIXED = {
    NULL: 0, TRUE: 0, FALSE: 0, INT1: 1, INT2: 2, INT4: 4, INT8: 8, DOUBLE: 8, DECIMAL4: 5, DECIMAL8: 9, DECIMAL16: 17,
    DATE: 4, TIMESTAMP: 8, TIMESTAMP_NTZ: 8, FLOAT: 4, TIME: 8, TIMESTAMP_NANOS: 8, TIMESTAMP_NANOS_NTZ: 8, UUID: 16,
}  # fmt: skip


class VariantError(ValueError):
    """Bytes that are no variant, a value that is not of the type that was asked for, or cannot be encoded."""


class VariantType(Enum):
    """What a variant is."""

    OBJECT = "OBJECT"
    ARRAY = "ARRAY"
    NULL = "NULL"
    BOOLEAN = "BOOLEAN"
    BYTE = "BYTE"
    SHORT = "SHORT"
    INT = "INT"
    LONG = "LONG"
    STRING = "STRING"
    DOUBLE = "DOUBLE"
    DECIMAL4 = "DECIMAL4"
    DECIMAL8 = "DECIMAL8"
    DECIMAL16 = "DECIMAL16"
    DATE = "DATE"
    TIMESTAMP_TZ = "TIMESTAMP_TZ"
    TIMESTAMP_NTZ = "TIMESTAMP_NTZ"
    FLOAT = "FLOAT"
    BINARY = "BINARY"
    TIME = "TIME"
    TIMESTAMP_NANOS_TZ = "TIMESTAMP_NANOS_TZ"
    TIMESTAMP_NANOS_NTZ = "TIMESTAMP_NANOS_NTZ"
    UUID = "UUID"


TYPES = {
    NULL: VariantType.NULL, TRUE: VariantType.BOOLEAN, FALSE: VariantType.BOOLEAN, INT1: VariantType.BYTE,
    INT2: VariantType.SHORT, INT4: VariantType.INT, INT8: VariantType.LONG, DOUBLE: VariantType.DOUBLE,
    DECIMAL4: VariantType.DECIMAL4, DECIMAL8: VariantType.DECIMAL8, DECIMAL16: VariantType.DECIMAL16,
    DATE: VariantType.DATE, TIMESTAMP: VariantType.TIMESTAMP_TZ, TIMESTAMP_NTZ: VariantType.TIMESTAMP_NTZ,
    FLOAT: VariantType.FLOAT, BINARY: VariantType.BINARY, LONG_STR: VariantType.STRING, TIME: VariantType.TIME,
    TIMESTAMP_NANOS: VariantType.TIMESTAMP_NANOS_TZ, TIMESTAMP_NANOS_NTZ: VariantType.TIMESTAMP_NANOS_NTZ,
    UUID: VariantType.UUID,
}  # fmt: skip


def read_number(data: bytes, at: int, size: int, *, signed: bool = False) -> int:
    """Return the number of ``size`` bytes at a place.

    Raises:
        VariantError: it is not all there.
    """
    return int.from_bytes(read_bytes(data, at, size), "little", signed=signed)


def read_bytes(data: bytes, at: int, size: int) -> bytes:
    """Return ``size`` bytes at a place.

    Raises:
        VariantError: they are not all there.
    """
    part = data[at : at + size]
    if at < 0 or len(part) < size:
        raise VariantError("malformed variant: index out of bounds")
    return bytes(part)


def size_of(number: int) -> int:
    """Return how many bytes it takes to write a number up to this one: 1 to 4."""
    return 1 if number <= U8_MAX else 2 if number <= U16_MAX else 3 if number <= U24_MAX else 4
