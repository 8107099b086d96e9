# SPDX-License-Identifier: Apache-2.0
"""Patterns of field names, as the tags in a schema's metadata use them."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["wildcard_match"]


def wildcard_match(text: str, matcher: str) -> bool:
    """Whether a dotted name matches a pattern.

    Args:
        text: the name, such as ``com.example.Order.card``.
        matcher: ``*`` stands for any characters but ``.``, ``**`` for any, ``?`` for one that is not ``.``, ``[..]``
            for one of a set; a backslash takes the next character as it is.
    """
    return _compiled(matcher).fullmatch(text) is not None


@lru_cache(maxsize=1000)
def _compiled(matcher: str) -> re.Pattern[str]:
    # "all below" is "all", with or without a dot in between
    rest = matcher.replace("**.*", "**")
    parts = []
    while rest:
        if rest.startswith("**"):
            parts.append(".*")
            rest = rest[2:]
            continue
        first, rest = rest[0], rest[1:]
        if first == "*":
            parts.append(r"[^.]*")
        elif first == "?":
            parts.append(r"[^.]")
        elif first == "\\" and rest:
            parts.append(re.escape(rest[0]))
            rest = rest[1:]
        elif first == "[" and "]" in rest:
            inside, _, rest = rest.partition("]")
            negated = inside.startswith("!")
            body = inside[1:] if negated else inside
            parts.append(f"[{'^' if negated else ''}{body}]" if body else re.escape("[]"))
        else:
            parts.append(re.escape(first))
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:
        return re.compile(re.escape(matcher))
