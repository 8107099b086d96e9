# SPDX-License-Identifier: Apache-2.0
"""Paths into variants: ``$`` is the whole, ``.name``, ``["any key"]`` and ``[0]`` go into it.

In a quoted key (quotation marks or apostrophes) a backslash stands before a backslash or the quote.
"""

from __future__ import annotations

import re
from functools import lru_cache

from confluent_kafka.schema_registry.confluent.type.variant_utils import Variant, VariantType

__all__ = ["Variant", "VariantType", "parse", "walk"]

_NAME = re.compile(r"[^\W\d]\w*")
_INDEX = re.compile(r"[0-9]+")
_MAX_INDEX = 2**31 - 1


@lru_cache(maxsize=256)
def parse(path: str) -> tuple[tuple[str, str | int], ...]:
    """Return the steps of a path: ``("field", name)`` or ``("index", number)``; none for ``$``.

    Raises:
        ValueError: it is not a path; says where.
    """
    if not path.startswith("$"):
        raise ValueError("variant path must start with '$'")
    steps: list[tuple[str, str | int]] = []
    at = 1
    while at < len(path):
        if path[at] == ".":
            name = _NAME.match(path, at + 1)
            if name is None:
                raise ValueError(
                    f"expected a name (letters, digits, _) after '.' at character {at + 1} of variant path"
                )
            steps.append(("field", name[0]))
            at = name.end()
        elif path[at] == "[":
            step, at = _bracket(path, at + 1)
            steps.append(step)
        else:
            raise ValueError(f"expected '.' or '[' at character {at} of variant path")
    return tuple(steps)


def _bracket(path: str, at: int) -> tuple[tuple[str, str | int], int]:
    step: tuple[str, str | int]
    if path[at : at + 1] in ('"', "'"):
        key, at = _quoted(path, at)
        step = ("field", key)
    else:
        digits = _INDEX.match(path, at)
        if digits is None:
            raise ValueError(
                f"expected a number from 0 (counted from the start) or a quoted key at character {at} of variant path"
            )
        if digits.end() - at > len(str(_MAX_INDEX)) + 20 or int(digits[0]) > _MAX_INDEX:
            raise ValueError(f"index at character {at} of variant path is too large")
        step, at = ("index", int(digits[0])), digits.end()
    if path[at : at + 1] != "]":
        raise ValueError(f"expected ']' at character {at} of variant path")
    return step, at + 1


def _quoted(path: str, at: int) -> tuple[str, int]:
    mark, made = path[at], ""
    at += 1
    while path[at : at + 1] != mark:
        if at >= len(path):
            raise ValueError("a quoted key of variant path does not end")
        if path[at] == "\\":
            at += 1
            if path[at : at + 1] not in ("\\", mark):
                raise ValueError(f"unsupported escape at character {at} of variant path: only backslash and {mark}")
        made += path[at]
        at += 1
    return made, at + 1


def walk(root: Variant, path: str) -> Variant | None:
    """Return what a path leads to; None where a step goes nowhere.

    Raises:
        ValueError: it is not a path, or the variant is damaged.
    """
    at = root
    for _, step in parse(path):
        found = field(at, step) if isinstance(step, str) else element(at, step)
        if found is None:
            return None
        at = found
    return at


def field(variant: Variant, name: str) -> Variant | None:
    """Return a field of an object; None where there is none, or no object."""
    return variant.get_field_by_key(name) if variant.get_type() is VariantType.OBJECT else None


def element(variant: Variant, index: int) -> Variant | None:
    """Return an element of an array, from 0; None where there is none, or no array."""
    if variant.get_type() is not VariantType.ARRAY or not 0 <= index < variant.num_array_elements():
        return None
    return variant.get_element_at_index(index)
