# SPDX-License-Identifier: Apache-2.0
"""Which offset of a partition is asked for, and the answer."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from typing_extensions import Self


class OffsetSpec:
    """Which offset ``list_offsets`` shall find.

    One of ``earliest()``, ``latest()``, ``max_timestamp()`` and ``for_timestamp(milliseconds)``. ``OffsetSpec(number)``
    finds the one with this number, that of rd_kafka_OffsetSpec_t or the timestamp; they compare, order and hash by it.

    Raises: KeyError: a negative number that has no meaning.
    """

    _value: int
    _fixed: ClassVar[dict[int, OffsetSpec]] = {}

    def __new__(cls, index: int) -> OffsetSpec:
        return OffsetSpec._fixed[index] if index < 0 else TimestampSpec(index)

    @classmethod
    def earliest(cls) -> EarliestSpec:
        """The partition's first offset."""
        return _EARLIEST

    @classmethod
    def latest(cls) -> LatestSpec:
        """One above the last message's offset; under ``READ_COMMITTED`` the last stable offset."""
        return _LATEST

    @classmethod
    def max_timestamp(cls) -> MaxTimestampSpec:
        """The message with the largest timestamp. Source: KIP-734."""
        return _MAX_TIMESTAMP

    @classmethod
    def for_timestamp(cls, timestamp: float) -> TimestampSpec:
        """The first message at or after a time, in milliseconds since the epoch, UTC; fractions are cut off.

        Raises: TypeError: no number. ValueError: negative.
        """
        return TimestampSpec(timestamp)

    def __eq__(self, other: object) -> bool:
        return self._value == other._value if isinstance(other, OffsetSpec) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._value)

    def __lt__(self, other: object) -> bool:
        return self._value < other._value if isinstance(other, OffsetSpec) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self._value <= other._value if isinstance(other, OffsetSpec) else NotImplemented

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __reduce__(self) -> tuple[Any, ...]:
        return OffsetSpec, (self._value,)


class _FixedSpec(OffsetSpec):
    """A specification without argument, of which there is one object."""

    def __new__(cls) -> Self:
        found = OffsetSpec._fixed.get(cls._value)
        if found is None:
            found = OffsetSpec._fixed.setdefault(cls._value, object.__new__(cls))
        return found  # type: ignore[return-value]  # made three lines above, of this class


class EarliestSpec(_FixedSpec):
    """``OffsetSpec.earliest()``."""

    _value = -2


class LatestSpec(_FixedSpec):
    """``OffsetSpec.latest()``."""

    _value = -1


class MaxTimestampSpec(_FixedSpec):
    """``OffsetSpec.max_timestamp()``."""

    _value = -3


class TimestampSpec(OffsetSpec):
    """``OffsetSpec.for_timestamp(timestamp)``."""

    timestamp: int

    def __new__(cls, timestamp: float) -> Self:
        # time.time() * 1000 is a float
        number = int(timestamp) if isinstance(timestamp, float) else operator.index(timestamp)
        if number < 0:
            # As a number it would be one of the fixed specifications, or nothing that a broker knows.
            raise ValueError(
                f"timestamp must be milliseconds since the epoch, not {number}: for the ends of a partition use "
                "OffsetSpec.earliest() or OffsetSpec.latest()"
            )
        self = object.__new__(cls)
        self.timestamp = self._value = number
        return self

    def __repr__(self) -> str:
        return f"TimestampSpec({self.timestamp})"


_EARLIEST, _LATEST, _MAX_TIMESTAMP = EarliestSpec(), LatestSpec(), MaxTimestampSpec()


@dataclass(unsafe_hash=True)
class ListOffsetsResultInfo:
    """``ListOffsetsResultInfo(offset, timestamp, leader_epoch)``.

    ``offset`` is -1 where no message matches; ``timestamp`` is in milliseconds since the epoch, -1 where it is not
    known; ``leader_epoch`` is None where it is not known.
    """

    offset: int
    timestamp: int
    leader_epoch: int | None
