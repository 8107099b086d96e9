# SPDX-License-Identifier: Apache-2.0
"""A dictionary that does not grow without limit."""

from __future__ import annotations

import contextlib
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedDict(dict[K, V]):
    """Forgets the oldest entry when it is full. Reading is a plain ``get``: no lock, no order to keep up.

    Args:
        capacity: number of entries.
    """

    __slots__ = ("_capacity",)

    def __init__(self, capacity: int = 1000) -> None:
        super().__init__()
        self._capacity = capacity

    def put(self, key: K, value: V) -> V:
        """Keep ``value``; return it."""
        while len(self) >= self._capacity and key not in self:
            # another thread may change it in between
            with contextlib.suppress(RuntimeError, StopIteration):
                self.pop(next(iter(self)), None)
        self[key] = value
        return value
