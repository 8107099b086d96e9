# SPDX-License-Identifier: Apache-2.0
"""Keeps credentials out of what is said about the errors of key management systems, whose answers may quote them."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Any

from confluent_kafka._redact import MASK, is_secret
from confluent_kafka.schema_registry.error import RuleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_VARIABLES = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_CLIENT_SECRET",
    "LOCAL_SECRET",
    "VAULT_APPROLE_SECRET_ID",
    "VAULT_TOKEN",
)
_CARRIERS = frozenset(("authorization", "x-vault-token", "x-amz-security-token"))
# Shorter ones would be found in ordinary words
_LEAST = 4
_SHOWN = 300
# What tokens look like that an SDK got by itself: of an HTTP header, a JSON web token, Vault's, AWS's
_TOKENS = re.compile(
    r"(?i:(?<=\bbearer )|(?<=\bbasic )|(?<=security-token[:=])|(?<=signature=))\s*[\w.~+/=%-]{8,}"
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|\bhv[sbr]\.[\w-]{8,}"
)


def secrets_of(conf: Mapping[str, Any]) -> list[str]:
    """Return the credentials in a configuration, of rules or of a registry client, and in the environment."""
    values = [value for name, value in conf.items() if is_secret(name) and not name.endswith(".location")]
    values.append(str(conf.get("basic.auth.user.info") or "").partition(":")[2])
    values += [os.environ.get(name) for name in _VARIABLES]
    return sorted({value for value in values if isinstance(value, str) and len(value) >= _LEAST}, key=len, reverse=True)


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text with credentials masked."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _TOKENS.sub(MASK, text)


def summary(error: BaseException | None, secrets: Iterable[str] = ()) -> str:
    """Say what an error is, in one line without credentials."""
    text = scrub(str(error), secrets).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:_SHOWN]}" if text else type(error).__name__


def presentable(error: Exception | None, secrets: Iterable[str] = ()) -> Exception | None:
    """Return an error, or one that says the same in place of it when it, or what it came from, quotes credentials."""
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        seen.append(one)
        _forget_headers(one)
        said = f"{one} {one.args!r}"
        if scrub(said, secrets) != said:
            return RuleError(summary(error, secrets))
        one = one.__cause__ or one.__context__
    return error


def _forget_headers(error: BaseException) -> None:
    """Mask the tokens in the request that SDKs over HTTP keep with their errors."""
    with contextlib.suppress(Exception):  # whatever it is: it is the SDK's
        response: Any = getattr(error, "response", None)
        headers = response.request.headers
        for name in [name for name in headers if name.lower() in _CARRIERS]:
            headers[name] = MASK
