# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import operator
from typing import SupportsIndex


class Uuid:
    """A 128-bit identifier of Kafka, such as a topic id; immutable.

    Args:
        most_significant_bits: upper half as a signed 64-bit integer.
        least_significant_bits: lower half, alike.

    ``str()`` is the URL-safe base64 of the 16 bytes, big-endian, without padding: 22 characters, as Kafka's own tools
    print it. ``int()`` is the whole as an unsigned 128-bit number, as in ``uuid.UUID.int``.

    Raises:
        TypeError: a half is no integer.
        OverflowError: a half does not fit into 64 bits.
    """

    __slots__ = ("_least", "_most")
    _least: int
    _most: int

    def __init__(self, most_significant_bits: SupportsIndex, least_significant_bits: SupportsIndex) -> None:
        object.__setattr__(self, "_most", _int64(most_significant_bits))
        object.__setattr__(self, "_least", _int64(least_significant_bits))

    def get_most_significant_bits(self) -> int:
        """Return the upper half, signed."""
        return self._most

    def get_least_significant_bits(self) -> int:
        """Return the lower half, signed."""
        return self._least

    def __int__(self) -> int:
        return (self._most & _MASK) << 64 | (self._least & _MASK)

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(int(self).to_bytes(16, "big")).rstrip(b"=").decode("ascii")

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Uuid):
            return NotImplemented
        return self._most == other._most and self._least == other._least

    def __hash__(self) -> int:
        return hash(self._most ^ self._least)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Uuid is immutable: cannot set {name!r}")

    def __reduce__(self) -> tuple[type[Uuid], tuple[int, int]]:
        return type(self), (self._most, self._least)


_MASK = (1 << 64) - 1


def _int64(value: SupportsIndex) -> int:
    number = operator.index(value)
    if not -(1 << 63) <= number < 1 << 63:
        raise OverflowError(f"Uuid: {number} does not fit into a signed 64-bit integer")
    return number
