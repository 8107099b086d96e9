# SPDX-License-Identifier: Apache-2.0
"""Turns what ``produce`` is given (lines, NDJSON objects, files) into records; nothing in here talks to a broker."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ._errors import CommandError, UsageError

Header = tuple[str, bytes | None]

# What `consume --json` writes beside the record itself, so that its output can be produced again as it is.
_IGNORED_FIELDS = frozenset({"topic", "offset", "timestamp_type", "leader_epoch"})
_FIELDS = frozenset({"key", "key_base64", "value", "value_base64", "headers", "partition", "timestamp"})


class Record(NamedTuple):
    """One message to produce; ``where`` names its source for error messages (``line 3``)."""

    value: bytes | None
    key: bytes | None
    headers: list[Header]
    partition: int
    timestamp: int
    where: str


@dataclass(frozen=True)
class Overrides:
    """What the command line says about every record; it wins over the record's own fields, headers are added."""

    key: bytes | None = None
    partition: int | None = None
    headers: list[Header] = field(default_factory=list)
    tombstones: bool = False

    def apply(
        self,
        where: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: list[Header] | None = None,
        partition: int = -1,
        timestamp: int = 0,
    ) -> Record:
        return Record(
            value=None if self.tombstones and not value else value,
            key=key if self.key is None else self.key,
            headers=[*(headers or []), *self.headers],
            partition=partition if self.partition is None else self.partition,
            timestamp=timestamp,
            where=where,
        )


class BadRecord(CommandError):
    """A piece of the input is no record; the text starts with where it stands."""


def parse_header(text: str) -> Header:
    """``name=value`` of -H. Raises: UsageError: no name or no sign."""
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise UsageError(f"-H expects NAME=VALUE, got {text!r}")
    return name, value.encode("utf-8", "surrogateescape")


def lines(stream: Iterable[bytes], overrides: Overrides, key_separator: bytes | None = None) -> Iterator[Record]:
    """One record per line, without its line feed; every other byte is kept.

    Args:
        stream: lines of bytes, the last one with or without a line feed.
        key_separator: what stands between key and value; None: the whole line is the value.
    Raises: BadRecord: a line has no separator.
    """
    for number, line in enumerate(stream, 1):
        where = f"line {number}"
        text = line[:-1] if line.endswith(b"\n") else line
        if key_separator is None:
            yield overrides.apply(where, text)
            continue
        key, found, value = text.partition(key_separator)
        if not found:
            raise BadRecord(f"{where}: no key separator {key_separator.decode(errors='replace')!r} in it")
        yield overrides.apply(where, value, key)


def files(paths: Iterable[str], overrides: Overrides) -> Iterator[Record]:
    """One record per file, its whole content the value. Raises: BadRecord: a file cannot be read."""
    for path in paths:
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise BadRecord(f"file {path}: {error.strerror or error}") from error
        yield overrides.apply(f"file {path}", content)


def ndjson(stream: Iterable[bytes], overrides: Overrides) -> Iterator[Record]:
    """One record per line of JSON; blank lines are skipped.

    Raises: BadRecord: a line is no JSON object, or has a field that is unknown or of the wrong type.
    """
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise BadRecord(f"{where}: not valid JSON: {error}") from error
        if not isinstance(entry, dict):
            raise BadRecord(f"{where}: expected a JSON object with a value, got {_kind(entry)}")
        yield _record(where, entry, overrides)


def _record(where: str, entry: dict[str, object], overrides: Overrides) -> Record:
    unknown = sorted(set(entry) - _FIELDS - _IGNORED_FIELDS)
    if unknown:
        # Taking {"id": 1} for a record would send an empty message and lose the document without a word.
        raise BadRecord(
            f"{where}: unknown field {unknown[0]!r}; known are {', '.join(sorted(_FIELDS))}. "
            'Wrap a document as {"value": ...}, or leave out --json to send lines as they are'
        )
    if not entry.keys() & {"value", "value_base64"}:
        raise BadRecord(f'{where}: no "value" (write null for a tombstone)')
    return overrides.apply(
        where,
        _bytes(where, entry, "value"),
        _bytes(where, entry, "key"),
        _headers(where, entry.get("headers")),
        _whole(where, entry, "partition", -1),
        _whole(where, entry, "timestamp", 0),
    )


def _bytes(where: str, entry: dict[str, object], name: str) -> bytes | None:
    """A text as UTF-8, another JSON value as its JSON text; ``<name>_base64`` for bytes that are no text."""
    encoded = entry.get(f"{name}_base64")
    if encoded is not None:
        if entry.get(name) is not None:
            raise BadRecord(f"{where}: both {name!r} and '{name}_base64' are given")
        if not isinstance(encoded, str):
            raise BadRecord(f"{where}: '{name}_base64' must be a text, got {_kind(encoded)}")
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadRecord(f"{where}: '{name}_base64' is not base64: {error}") from error
    plain = entry.get(name)
    if plain is None:
        return None
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise BadRecord(f"{where}: {name!r} holds half of a surrogate pair; use '{name}_base64'") from error


def _headers(where: str, given: object) -> list[Header]:
    """Headers as an object, as ``[name, value]`` pairs, or as objects with ``key`` and ``value``, in order."""
    if given is None:
        return []
    if isinstance(given, dict):
        return [(str(name), _bytes(where, {"value": value}, "value")) for name, value in given.items()]
    if not isinstance(given, list):
        raise BadRecord(f"{where}: 'headers' must be an object or a list, got {_kind(given)}")
    headers: list[Header] = []
    for header in given:
        if isinstance(header, list) and len(header) == 2 and isinstance(header[0], str):
            headers.append((header[0], _bytes(where, {"value": header[1]}, "value")))
        elif isinstance(header, dict) and isinstance(header.get("key"), str):
            headers.append((header["key"], _bytes(where, header, "value")))
        else:
            raise BadRecord(f'{where}: a header must be [name, value] or {{"key": name, "value": value}}')
    return headers


def _whole(where: str, entry: dict[str, object], name: str, default: int) -> int:
    number = entry.get(name)
    if number is None:
        return default
    if not isinstance(number, int) or isinstance(number, bool):
        raise BadRecord(f"{where}: {name!r} must be a whole number, got {_kind(number)}")
    return number


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
