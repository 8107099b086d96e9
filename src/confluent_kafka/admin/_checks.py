# SPDX-License-Identifier: Apache-2.0
"""Checks of what callers give, with the exceptions that existing code expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

_T = TypeVar("_T")


def list_of(value: Any, kind: type[_T], wrong: type[Exception] = ValueError) -> list[_T]:
    """Check a list that must not be empty; an element of another type raises ``wrong``."""
    elements = list(value)  # TypeError: not iterable
    for element in elements:
        if not isinstance(element, kind):
            raise wrong(f"Expected list of {kind}")
    if not elements or not isinstance(value, list):
        raise ValueError(f"Expected non-empty list of {kind.__name__} objects")
    return elements


def planned(value: Any, kind: type[_T]) -> list[_T]:
    """Check a list of topics or partitions to be made."""
    for element in value:
        element.topic  # noqa: B018  # AttributeError
    if not isinstance(value, list) or not value:
        raise ValueError(f"Expected non-empty list of {kind.__name__} objects")
    if not all(isinstance(element, kind) for element in value):
        raise ValueError(f"Expected list of {kind.__name__} objects")
    return value


def texts(value: Any, what: str) -> dict[Hashable, Any]:
    """Check a list whose elements are used as text; give the elements by their text."""
    if not isinstance(value, list):
        raise TypeError(f"argument 1 must be list, not {type(value).__name__}")
    if not value:
        raise ValueError(f"Expected non-empty list of {what} strings")
    if None in value:
        raise ValueError(f"Expected list of {what} strings, not NoneType")
    return {str(element): element for element in value}


def named(field: str, value: Any) -> str:
    """Check a name that must not be empty."""
    if value is None:
        raise TypeError(f"'{field}' cannot be None")
    if not isinstance(value, str):
        raise TypeError(f"'{field}' must be a string")
    if not value:
        raise ValueError(f"'{field}' cannot be empty")
    return value
