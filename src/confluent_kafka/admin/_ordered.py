# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any


class Ordered:
    """Compares, orders and hashes by ``_order()``, with objects that have the same ``_order`` function."""

    def _order(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def _comparable(self, other: object) -> bool:
        return getattr(type(other), "_order", None) is type(self)._order

    def __hash__(self) -> int:
        return hash(self._order())

    def __eq__(self, other: object) -> bool:
        return self._order() == other._order() if self._comparable(other) else NotImplemented  # type: ignore[attr-defined]

    def __lt__(self, other: Any) -> bool:
        return bool(self._order() < other._order()) if self._comparable(other) else NotImplemented

    def __le__(self, other: Any) -> bool:
        return bool(self._order() <= other._order()) if self._comparable(other) else NotImplemented

    def __gt__(self, other: Any) -> bool:
        return bool(self._order() > other._order()) if self._comparable(other) else NotImplemented

    def __ge__(self, other: Any) -> bool:
        return bool(self._order() >= other._order()) if self._comparable(other) else NotImplemented
