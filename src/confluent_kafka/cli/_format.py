# SPDX-License-Identifier: Apache-2.0
"""Turns messages into output: a format with %-escapes, or one JSON object per line."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME

from ._documents import Document, dumps
from ._errors import UsageError

if TYPE_CHECKING:
    from confluent_kafka import Message

Formatter = Callable[["Message"], bytes]

DEFAULT_FORMAT = r"%s\n"
_TOKEN = re.compile(r"%(?P<escape>.?)|\\(?P<control>x[0-9a-fA-F]{2}|.?)", re.DOTALL)
_CONTROLS = {"n": b"\n", "t": b"\t", "r": b"\r", "0": b"\0", "\\": b"\\"}
_TIMESTAMP_TYPES = {TIMESTAMP_CREATE_TIME: "create", TIMESTAMP_LOG_APPEND_TIME: "append"}


def compile_format(text: str, null: str = "") -> Formatter:
    """Compile a format once.

    Args:
        text: %s value, %k key, %h headers, %t topic, %p partition, %o offset, %T timestamp in ms, %d timestamp as
            ISO 8601 UTC, %S and %K size of value and key in bytes (-1: null), %% a percent sign; backslash escapes
            n, t, r, 0, xHH and a backslash.
        null: what stands for a null key or value.
    Returns: a function from a message to the bytes to write; values and keys are written as they are.
    Raises: UsageError: an unknown escape.
    """
    absent = null.encode()
    fields: dict[str, Formatter] = {
        "s": lambda message: _or(message.value(), absent),
        "k": lambda message: _or(message.key(), absent),
        "h": lambda message: _headers_text(message, absent),
        "t": lambda message: (message.topic() or "").encode(),
        "p": lambda message: b"%d" % _number(message.partition()),
        "o": lambda message: b"%d" % _number(message.offset()),
        "T": lambda message: b"%d" % message.timestamp()[1],
        "d": lambda message: _iso(message.timestamp()[1]).encode(),
        "S": lambda message: b"%d" % _size(message.value()),
        "K": lambda message: b"%d" % _size(message.key()),
    }
    pieces: list[Formatter | bytes] = []
    position = 0
    for token in _TOKEN.finditer(text):
        pieces.append(text[position : token.start()].encode("utf-8", "surrogateescape"))
        position = token.end()
        escape, control = token["escape"], token["control"]
        if escape == "%":
            pieces.append(b"%")
        elif escape is not None and escape in fields:
            pieces.append(fields[escape])
        elif control is not None and control in _CONTROLS:
            pieces.append(_CONTROLS[control])
        elif control is not None and len(control) == 3:
            pieces.append(bytes([int(control[1:], 16)]))
        else:
            raise UsageError(
                f"--format: unknown escape {token[0]!r} at character {token.start() + 1}; "
                f"known are %{' %'.join(fields)} %% and \\n \\t \\r \\0 \\xHH \\\\"
            )
    pieces.append(text[position:].encode("utf-8", "surrogateescape"))
    parts = [piece for piece in pieces if piece != b""]
    return lambda message: b"".join([part if isinstance(part, bytes) else part(message) for part in parts])


def as_json(message: Message) -> bytes:
    """One line of JSON; what is no UTF-8 text is given as base64 under ``<name>_base64``.

    The line can be read back by ``produce --json``. ``timestamp`` is in ms since the epoch, null when there is none;
    ``headers`` is a list in wire order, null when the message has none.
    """
    kind, timestamp = message.timestamp()
    entry: dict[str, Any] = {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp": timestamp if kind in _TIMESTAMP_TYPES else None,
        "timestamp_type": _TIMESTAMP_TYPES.get(kind),
        **_text_or_base64("key", message.key()),
        **_text_or_base64("value", message.value()),
    }
    headers = message.headers()
    entry["headers"] = (
        None if headers is None else [{"key": name, **_text_or_base64("value", value)} for name, value in headers]
    )
    return dumps(entry) + b"\n"


def _text_or_base64(name: str, data: Any) -> dict[str, Any]:
    if data is None or isinstance(data, str):
        return {name: data}
    if isinstance(data, Document):
        return {name: data.value}
    try:
        return {name: data.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(data).decode()}


def _headers_text(message: Message, absent: bytes) -> bytes:
    """``a=1,b=2``: for reading; names or values with these signs in them need --json."""
    return b",".join(name.encode() + b"=" + _or(value, absent) for name, value in message.headers() or ())


def _or(data: bytes | None, absent: bytes) -> bytes:
    return absent if data is None else data


def _size(data: bytes | None) -> int:
    return -1 if data is None else len(data)


def _number(number: int | None) -> int:
    return -1 if number is None else number


def _iso(timestamp_ms: int) -> str:
    if timestamp_ms < 0:
        return ""
    try:
        moment = datetime.fromtimestamp(timestamp_ms / 1000, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return str(timestamp_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
