# SPDX-License-Identifier: Apache-2.0
"""Lists and key-value lists in one text, by librdkafka's rules.

Entries are separated by one character; white space around an entry is dropped; a backslash takes the next character as
it is, except that ``\\t``, ``\\n``, ``\\r`` and ``\\0`` mean tab, newline, carriage return and NUL.
Source: rd_string_split, rd_kafka_conf_kv_split.
"""

from __future__ import annotations

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "0": "\0"}
# isspace() of C in its default locale
_SPACE = " \t\n\v\f\r"


def split(raw: str, sep: str, skip_empty: bool) -> list[str]:
    """Return the entries of ``raw``; empty ones only if ``skip_empty`` is False."""
    entries: list[str] = []
    entry = ""
    escaped = False
    for char in raw:
        if escaped:
            escaped = False
            entry += _ESCAPES.get(char, char)
        elif char == "\\":
            escaped = True
        elif char == sep:
            entries.append(entry.rstrip(_SPACE))
            entry = ""
        elif entry or char not in _SPACE:
            entry += char
    entries.append(entry.rstrip(_SPACE))
    return [entry for entry in entries if entry] if skip_empty else entries


def parse_key_values(raw: str, sep: str, context_label: str | None = None) -> list[tuple[str, str]]:
    """Return the ``key=value`` entries of ``raw`` in order; the first ``=`` of an entry counts.

    Raises:
        ValueError: an entry has no key or no ``=``; it is named by its position, since it may hold a secret, and
            ``context_label`` says where.
    """
    pairs = []
    for number, entry in enumerate(split(raw, sep, True), 1):
        key, equals, value = entry.partition("=")
        if not key or not equals:
            where = f" in {context_label}" if context_label else ""
            raise ValueError(f"Malformed entry {number}{where} (expected key=value).")
        pairs.append((key, value))
    return pairs
