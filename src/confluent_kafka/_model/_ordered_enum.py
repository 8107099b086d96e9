# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from enum import Enum


class OrderedEnum(Enum):
    """An enumeration whose members order by their values; values are those of librdkafka's C enumerations."""

    def __lt__(self, other: object) -> bool:
        if self.__class__ is not other.__class__:
            return NotImplemented
        return bool(self.value < other.value)
