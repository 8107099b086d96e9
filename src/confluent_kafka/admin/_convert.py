# SPDX-License-Identifier: Apache-2.0
"""Members of enumerations out of what users and brokers give."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

_E = TypeVar("_E", bound=Enum)


def to_member(kind: type[_E], value: Any) -> _E:
    """Return the member that a user means: itself, its name in any case, or its number.

    Raises:
        ValueError: no member has this name or number.
        TypeError: the value is neither a member, nor str, nor int.
    """
    if isinstance(value, kind):
        return value
    if isinstance(value, str):
        member = kind.__members__.get(value.upper())
        if member is None:
            raise ValueError(f'Unknown value "{value}": should be a {kind.__name__}')
        return member
    if isinstance(value, int):
        return kind(value)
    raise TypeError(f'Unknown value "{value}": should be a {kind.__name__}')


def to_members(kind: type[_E], values: Iterable[Any] | None) -> list[_E] | None:
    """Return a new list of members, or None for None; otherwise as ``to_member``."""
    return None if values is None else [to_member(kind, value) for value in values]


def member_or_unknown(kind: type[_E], number: int) -> _E:
    """Return the member of a number that a broker sent, ``UNKNOWN`` for one that is newer than this package."""
    try:
        return kind(number)
    except ValueError:
        return kind["UNKNOWN"]
