# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._native import Message


class Messages:
    """An immutable batch of messages: has a length, can be iterated, indexed and sliced (a slice is a ``Messages``)."""

    def __init__(self, messages: Iterable[Message[Any, Any]] = ()) -> None:
        self._records: list[Message[Any, Any]] = list(messages)

    def records(self) -> list[Message[Any, Any]]:
        """Return the messages as a new list."""
        return list(self._records)

    def count(self) -> int:
        """Return the number of messages."""
        return len(self._records)

    def is_empty(self) -> bool:
        """Return True if there is no message."""
        return not self._records

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Message[Any, Any]]:
        return iter(self._records)

    @overload
    def __getitem__(self, index: int) -> Message[Any, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Messages: ...
    def __getitem__(self, index: int | slice) -> Message[Any, Any] | Messages:
        if isinstance(index, slice):
            return type(self)(self._records[index])
        return self._records[index]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._records!r})"
