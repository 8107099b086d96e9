# SPDX-License-Identifier: Apache-2.0
"""Decoded messages as JSON."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any


class Document:
    """What was decoded, for output as JSON inside of JSON."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def dumps(value: Any) -> bytes:
    """The JSON text of what was decoded: dates as ISO 8601, decimals and UUIDs as texts, bytes as base64."""
    return json.dumps(value, default=plain, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def plain(value: Any) -> Any:
    """What JSON has in place of a value."""
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return str(value)
