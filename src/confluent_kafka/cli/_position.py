# SPDX-License-Identifier: Apache-2.0
"""Where ``consume`` starts and ends: the --from option and the offsets of each partition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Literal, NamedTuple

from ._errors import UsageError


@dataclass(frozen=True)
class Start:
    """A starting point, the same for every partition.

    Args:
        kind: "beginning", "end", "offset" (number is an offset), "last" (number of messages before the end) or
            "time" (number is ms since the epoch, UTC).
    """

    kind: Literal["beginning", "end", "offset", "last", "time"]
    number: int = 0


class Span(NamedTuple):
    """The offsets to read of one partition: from ``first`` up to, not including, ``end``."""

    first: int
    end: int


def parse_start(text: str) -> Start:
    """``beginning``, ``end``, an offset, ``-N`` (the last N messages) or ``@TIME`` (ISO 8601 or ms).

    Raises: UsageError: anything else.
    """
    if text in ("beginning", "end"):
        return Start("beginning" if text == "beginning" else "end")
    if text.startswith("@"):
        return Start("time", milliseconds(text[1:], f"--from {text}"))
    try:
        number = int(text)
    except ValueError:
        raise UsageError(
            f"--from {text!r}: expected beginning, end, an offset, -N for the last N messages, or @TIME"
        ) from None
    return Start("last", -number) if text.startswith("-") else Start("offset", number)


def milliseconds(text: str, option: str) -> int:
    """A time of the command line in milliseconds since the epoch: these, or ISO 8601 (without zone: UTC).

    Raises: UsageError naming ``option``: neither.
    """
    if text.isdigit():
        return int(text)
    try:
        # Python 3.10 does not know the Z of UTC.
        moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        raise UsageError(f"{option}: expected ms since the epoch or ISO 8601, such as @2024-05-01T12:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return int(moment.timestamp() * 1000)


def span(start: Start, low: int, high: int, found: int | None = None) -> Span:
    """The part of a partition to read.

    Args:
        start: where the user wants to begin.
        low, high: first offset still there, and the offset the next message will get.
        found: for a time, the first offset at or after it; None or negative: nothing that late.
    Returns: offsets within low..high, so that reading never asks for what is gone or not there yet.
    """
    if start.kind == "beginning":
        first = low
    elif start.kind == "end":
        first = high
    elif start.kind == "last":
        first = high - start.number
    elif start.kind == "time":
        first = high if found is None or found < 0 else found
    else:
        first = start.number
    return Span(min(max(first, low), high), high)
