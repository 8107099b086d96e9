# SPDX-License-Identifier: Apache-2.0
"""How requests to the registry say who sends them.

A scheme's ``headers()`` is an operation that returns headers. Tokens are fetched at the first request, shared by all,
and renewed when a fifth of their life is left: by one caller, while the others go on with the old one.
"""

from __future__ import annotations

import base64
import copy
import inspect
import json
import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from confluent_kafka.schema_registry._core.effects import HttpReply, HttpRequest, Sleep, UserCall, http, share
from confluent_kafka.schema_registry._core.retry import is_retriable, is_success
from confluent_kafka.schema_registry.error import OAuthTokenError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka.schema_registry._core.client_config import Bearer, ClientConfig
    from confluent_kafka.schema_registry._core.effects import Op
    from confluent_kafka.schema_registry._core.retry import RetryPolicy

TOKEN_FIELD = "bearer.auth.token"
CLUSTER_FIELD = "bearer.auth.logical.cluster"
POOL_FIELD = "bearer.auth.identity.pool.id"
# RFC 6749 5.1 lets the answer be silent about the token's life.
DEFAULT_LIFE_S = 300.0
RENEWAL_SHARE = 0.2
RENEWAL_PAUSE_S = 5.0
FAILURE_PAUSE_S = 0.5
_LOG = logging.getLogger("confluent_kafka.schema_registry")


class Auth(Protocol):
    """A scheme."""

    def headers(self) -> Op[Mapping[str, str]]:
        """Return the headers for one request."""

    def rejected(self) -> bool:
        """Take note of an answer 401; return whether another try would have other headers."""


def basic_header(user: str, password: str) -> str:
    """Return the value of ``Authorization`` for a user and a password (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def bearer_headers(token: str, logical_cluster: str | None, identity_pool: str | None) -> dict[str, str]:
    """Return the headers that carry a token.

    Raises:
        ValueError: one of them has characters that a header cannot have; the text does not have them.
    """
    headers = {"Authorization": f"Bearer {_header_value(TOKEN_FIELD, token)}"}
    if logical_cluster is not None:
        headers["target-sr-cluster"] = _header_value(CLUSTER_FIELD, logical_cluster)
    if identity_pool is not None:
        headers["Confluent-Identity-Pool-Id"] = _header_value(POOL_FIELD, identity_pool)
    return headers


def _header_value(name: str, value: str) -> str:
    # tokens come out of files with a newline behind them; the HTTP library would show them in its complaint
    stripped = value.strip()
    if not (stripped.isascii() and stripped.isprintable()):
        raise ValueError(f"{name} has characters that cannot stand in an HTTP header")
    return stripped


def make_auth(config: ClientConfig, policy: RetryPolicy) -> Auth:
    """Return the scheme that a configuration asks for."""
    bearer = config.bearer
    if bearer is None:
        return Fixed({} if config.basic is None else {"Authorization": basic_header(*config.basic)})
    if bearer.source == "CUSTOM":
        return Custom(bearer)
    if bearer.source == "STATIC_TOKEN":
        return Fixed(bearer_headers(bearer.options["token"], bearer.logical_cluster, bearer.identity_pool))
    return OAuth(bearer, policy, config.timeout)


class Fixed:
    """Always the same headers."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def headers(self) -> Op[Mapping[str, str]]:
        """Return them."""
        yield from ()  # an operation that asks for nothing
        return self._headers

    def rejected(self) -> bool:
        """Nothing can be done about it."""
        return False


class Custom:
    """Tokens from a function, or coroutine function, of the application's; it is called for every request."""

    __slots__ = ("_config", "_function")

    def __init__(self, bearer: Bearer) -> None:
        self._function = bearer.options["custom.provider.function"]
        self._config = bearer.options["custom.provider.config"]

    def headers(self) -> Op[Mapping[str, str]]:
        """Call the function.

        Raises:
            ValueError: the function's answer lacks the token or the logical cluster.
            TypeError: its answer is no dict.
        """
        fields = yield UserCall(self._function, (self._config,))
        if not hasattr(fields, "get"):
            hint = ""
            if inspect.iscoroutine(fields):
                fields.close()  # or it would be complained about as never awaited
                hint = " (a coroutine function is for AsyncSchemaRegistryClient)"
            raise TypeError(
                f"bearer.auth.custom.provider.function must return a dict, not {type(fields).__name__}{hint}"
            )
        missing = [name for name in (TOKEN_FIELD, CLUSTER_FIELD) if not fields.get(name)]
        if missing:
            raise ValueError(
                "Missing required bearer auth fields, needs to be set in config or custom function: "
                + ", ".join(missing)
            )
        return bearer_headers(fields[TOKEN_FIELD], fields[CLUSTER_FIELD], fields.get(POOL_FIELD))

    def rejected(self) -> bool:
        """The function is asked for every request anyway."""
        return False


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    renew_at: float
    expires_at: float


class OAuth:
    """Tokens from an OAuth server (client credentials grant) or from Azure's metadata service. Thread-safe.

    Args:
        bearer: where, and with which credentials.
        policy: how often to try, and the clock.
        timeout: seconds for one attempt.
    """

    def __init__(self, bearer: Bearer, policy: RetryPolicy, timeout: float | None) -> None:
        self._bearer = bearer
        self._policy = policy
        self._timeout = timeout
        self._token: _Token | None = None
        self._lock = threading.Lock()
        self._renewing = False
        self._not_before = 0.0
        self._failed: tuple[float, OAuthTokenError] | None = None

    def headers(self) -> Op[Mapping[str, str]]:
        """Return headers with a token that is valid.

        Raises:
            OAuthTokenError: there is none, and none could be had.
        """
        token = self._token
        now = self._policy.clock()
        if token is None or now >= token.expires_at:
            if self._failed is not None and now < self._failed[0]:
                # its server is spared: however many callers there are, they come one after the other with a pause
                raise copy.copy(self._failed[1]) from self._failed[1].__cause__
            token = yield from share(("token", id(self)), self._fetch)
        elif now >= token.renew_at and self._claim(now):
            try:
                token = yield from share(("token", id(self)), lambda: self._fetch(once=True))
            except OAuthTokenError as e:
                _LOG.warning("the token for the schema registry could not be renewed, the old one is kept: %s", e)
            finally:
                self._renewing = False
        return bearer_headers(token.value, self._bearer.logical_cluster, self._bearer.identity_pool)

    def rejected(self) -> bool:
        """Forget the token: it may have been revoked."""
        with self._lock:
            now = self._policy.clock()
            if self._token is None or now < self._not_before:
                return self._token is None
            self._not_before = now + RENEWAL_PAUSE_S
            self._token = None
            return True

    def _claim(self, now: float) -> bool:
        with self._lock:
            if self._renewing or now < self._not_before:
                return False
            self._renewing = True
            self._not_before = now + RENEWAL_PAUSE_S
            return True

    def _fetch(self, once: bool = False) -> Op[_Token]:
        known = self._token
        if known is not None and self._policy.clock() < known.renew_at:
            return known  # somebody else was quicker
        attempts = 0
        while True:
            attempts += 1
            started = self._policy.clock()
            outcome = yield from http(self._request())
            problem: str
            cause: Exception | None = None
            status: int | None = None
            final = once
            if isinstance(outcome, HttpReply):
                status = outcome.status
                if is_success(status):
                    try:
                        self._token = token = _read_token(outcome.body, started)
                    except ValueError as e:
                        problem, cause, final = str(e), e, True
                    else:
                        return token
                else:
                    problem = f"HTTP {status} from the token endpoint{_oauth_error(outcome.body)}"
                    final = final or not is_retriable(status)
            else:
                problem, cause = f"{type(outcome.error).__name__}: {outcome.error}", outcome.error
            pause = self._policy.pause(attempts - 1, outcome)
            if final or attempts > self._policy.max_retries or pause is None:
                times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
                failed = OAuthTokenError(f"Failed to retrieve token after {times} due to error: {problem}", status)
                self._failed = (self._policy.clock() + FAILURE_PAUSE_S, failed)
                raise failed from cause
            if pause > 0:
                yield Sleep(pause)

    def _request(self) -> HttpRequest:
        options = self._bearer.options
        if self._bearer.source == "OAUTHBEARER_AZURE_IMDS":
            return HttpRequest("GET", options["token.url"], {"Metadata": "true"}, None, self._timeout)
        headers = {
            "Authorization": basic_header(options["client.id"], options["client.secret"]),
            "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8",
            "Accept": "application/json",
        }
        body = urlencode({"grant_type": "client_credentials", "scope": options["scope"]}).encode()
        return HttpRequest("POST", options["issuer.endpoint.url"], headers, body, self._timeout)


def _read_token(body: bytes, started: float) -> _Token:
    # what the answer says is not quoted: it may be the token
    try:
        answer: Any = json.loads(body)
    except ValueError:
        raise ValueError("the token endpoint's answer is not JSON") from None
    value = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value:
        raise ValueError("the token endpoint's answer has no access_token")
    try:
        life = float(answer.get("expires_in", DEFAULT_LIFE_S))
    except (TypeError, ValueError):
        life = DEFAULT_LIFE_S
    return _Token(value, started + life * (1 - RENEWAL_SHARE), started + life)


def _oauth_error(body: bytes) -> str:
    """Return the standard error code of an answer (RFC 6749 5.2), which is never a secret."""
    try:
        code = json.loads(body).get("error")
    except (ValueError, AttributeError):
        return ""
    return f" ({code})" if isinstance(code, str) and code.replace("_", "").isalnum() and len(code) < 60 else ""
