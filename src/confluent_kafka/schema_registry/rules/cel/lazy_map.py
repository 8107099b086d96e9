# SPDX-License-Identifier: Apache-2.0
"""Maps of expressions that make a value when it is asked for: an expression looks at few fields of a message."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from celpy import celtypes

__all__ = ["LazyMap", "Record"]

_MISSING: Any = object()


class LazyMap(celtypes.MapType):
    """A map that cannot be changed. What it is in C, a dict, holds the values that were made."""

    def _names(self) -> Collection[Any]:
        raise NotImplementedError

    def _make(self, key: Any) -> Any:
        """Return the value of a key; KeyError where there is none."""
        raise NotImplementedError

    def __getitem__(self, key: Any) -> Any:
        made = dict.get(self, key, _MISSING)
        if made is _MISSING:
            made = self._make(key)
            dict.__setitem__(self, key, made)
        return made

    def get(self, key: Any, default: Any = None) -> Any:
        """Return a value, or a default."""
        try:
            return self[key]
        except KeyError:
            return default

    def __len__(self) -> int:
        return len(self._names())

    def __contains__(self, key: Any) -> bool:
        return key in self._names()

    # that it is not dict's own makes dict(), update() and ** ask for the values
    def __iter__(self) -> Iterator[Any]:
        return (celtypes.StringType(name) if type(name) is str else name for name in self._names())

    def keys(self) -> Any:
        """The keys."""
        return list(self)

    def values(self) -> Any:
        """The values."""
        return [self[name] for name in self]

    def items(self) -> Any:
        """Keys and values."""
        return [(name, self[name]) for name in self]

    def __eq__(self, other: object) -> Any:
        if other is None:
            return celtypes.BoolType(False)
        return celtypes.MapType(dict(self.items())) == (dict(other.items()) if isinstance(other, LazyMap) else other)

    def __ne__(self, other: object) -> Any:
        return celtypes.BoolType(not self == other)

    __hash__ = None  # type: ignore[assignment]  # as of any map

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self.items())!r})"


class Record(LazyMap):
    """A record of Avro, or an object of JSON.

    Args:
        source: its fields, with texts as names.
        convert: makes a value of a field's value.
    """

    def __init__(self, source: dict[str, Any], convert: Callable[[Any], Any]) -> None:
        super().__init__()
        self.source = source
        self._convert = convert

    def _names(self) -> Collection[Any]:
        return self.source

    def _make(self, key: Any) -> Any:
        return self._convert(self.source[key])
