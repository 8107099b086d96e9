# SPDX-License-Identifier: Apache-2.0
"""Keeps secrets out of logs, representations and exception texts: the one place that decides what is secret."""

from __future__ import annotations

import re

MASK = "***"

# Whole parts of a dotted name. "key" also hides ssl.key.location, only a path: one rule without exceptions to forget
_SECRET_PARTS = frozenset(("password", "passphrase", "secret", "token", "key", "pem", "jaas", "credentials"))
# These carry secrets in a text of their own grammar
_SECRET_NAMES = frozenset(("sasl.oauthbearer.config", "sasl.oauthbearer.extensions"))
_PARTS = re.compile(r"[._\-\s]+")
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def is_secret(name: str) -> bool:
    """Return True if the value of the configuration property ``name`` must never be shown."""
    lowered = name.lower()
    return lowered in _SECRET_NAMES or not _SECRET_PARTS.isdisjoint(_PARTS.split(lowered))


def shown(name: str, value: object) -> str:
    """Return the value of a property as it may be shown: masked if it is secret, and URLs without user and password."""
    return MASK if is_secret(name) else _USER_INFO.sub(MASK, str(value))


def scrub(text: str, name: str, value: object) -> str:
    """Return ``text`` about property ``name`` with its value masked wherever it occurs, if the value is secret."""
    plain = str(value)
    if is_secret(name):
        return text.replace(plain, MASK) if plain else text
    safe = _USER_INFO.sub(MASK, plain)
    return text.replace(plain, safe) if safe != plain else text
