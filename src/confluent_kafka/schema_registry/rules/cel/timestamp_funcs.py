# SPDX-License-Identifier: Apache-2.0
"""The function ``timestamp`` of expressions, and timestamps as text."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from celpy import celtypes
from celpy.evaluation import CELEvalError

__all__ = ["TIMESTAMP_FUNCS", "epoch_timestamp", "format_timestamp", "plain_datetime", "seconds_text", "timestamp_text"]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_UNITS = {0: "seconds", 3: "milliseconds", 6: "microseconds", 9: "nanoseconds"}


def format_timestamp(t: datetime) -> str:
    """Return a time in UTC as RFC 3339 has it, with as many digits of a second (0, 3 or 6) as it needs."""
    if t.utcoffset() is not None:
        t = t.astimezone(timezone.utc)
    digits = "" if not t.microsecond else f".{t.microsecond // 1000:03d}"
    if t.microsecond % 1000:
        digits = f".{t.microsecond:06d}"
    return f"{t.year:04d}-{t.month:02d}-{t.day:02d}T{t.hour:02d}:{t.minute:02d}:{t.second:02d}{digits}Z"


def timestamp_text(value: celtypes.TimestampType) -> str:
    """Return a timestamp as ``format`` and cel-python show it: with its own offset, without fractions of a second."""
    return str(value)


def seconds_text(value: celtypes.DurationType) -> str:
    """Return a duration as ``format`` and cel-python show it: whole seconds, ``90s``."""
    return str(value)


def epoch_timestamp(value: int, precision: int = 0) -> Any:
    """Return the timestamp that so many units lie after 1970: seconds, or with 3, 6 or 9 digits more.

    What is less than a microsecond is cut off.

    Raises:
        CELEvalError: before year 1 or after year 9999.
    """
    try:
        micros = value * 10 ** (6 - precision) if precision <= 6 else value // 10 ** (precision - 6)
        return celtypes.TimestampType(EPOCH + timedelta(microseconds=micros))
    except (OverflowError, ValueError) as e:
        raise CELEvalError(
            f"timestamp: a number of {_UNITS[precision]} outside of the years 1 to 9999; is the precision right?"
        ) from e


def plain_datetime(value: celtypes.TimestampType) -> datetime:
    """Return a timestamp as Python's own type, whose differences have no narrower range."""
    return datetime(*value.timetuple()[:6], value.microsecond, value.tzinfo)


def _timestamp(*args: Any) -> Any:
    if len(args) == 2:
        value, precision = args
        if type(value) is not celtypes.IntType:
            raise CELEvalError(f"timestamp: epoch value must be int, got {type(value).__name__}")
        if type(precision) is not celtypes.IntType:
            raise CELEvalError(f"timestamp: precision must be int, got {type(precision).__name__}")
        if precision not in _UNITS:
            raise CELEvalError(
                "timestamp: unknown precision; expected 0 (seconds), 3 (millis), 6 (micros) or 9 (nanos)"
            )
        return epoch_timestamp(int(value), int(precision))
    if len(args) == 1:
        value = args[0]
        if value is None or isinstance(value, (celtypes.BoolType, celtypes.UintType, bool)):
            raise CELEvalError(f"timestamp: cannot convert {type(value).__name__}; give seconds as int, or a text")
        if isinstance(value, int):
            return epoch_timestamp(int(value))
    return celtypes.TimestampType(*args)


TIMESTAMP_FUNCS = {"timestamp": _timestamp}
