# SPDX-License-Identifier: Apache-2.0
"""Requests to the registry's REST API: headers, redirects, answers, errors."""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from confluent_kafka._version import API_VERSION
from confluent_kafka.schema_registry._core.auth import make_auth
from confluent_kafka.schema_registry._core.effects import HttpFailure, HttpReply, HttpRequest, http
from confluent_kafka.schema_registry._core.retry import Health, is_success, with_retries
from confluent_kafka.schema_registry.error import SchemaRegistryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confluent_kafka.schema_registry._core.client_config import ClientConfig
    from confluent_kafka.schema_registry._core.effects import Op
    from confluent_kafka.schema_registry._core.retry import Outcome, RetryPolicy

ACCEPT = "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json"
CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
MAX_REDIRECTS = 5
_SHOWN_BYTES = 500
# They say who asks: nobody's business but that of the server they were meant for.
_CREDENTIALS = frozenset(("authorization", "target-sr-cluster", "confluent-identity-pool-id"))
_NO_BODY = object()


class Link:
    """A registry as it can be reached: where, how often to try, by whose name. Thread-safe."""

    __slots__ = ("auth", "config", "health", "policy")

    def __init__(self, config: ClientConfig, policy: RetryPolicy) -> None:
        self.config = config
        self.policy = policy
        self.health = Health(config.urls, policy)
        self.auth = make_auth(config, policy)

    def __repr__(self) -> str:
        return f"Link({', '.join(self.config.urls)})"


def segment(value: object) -> str:
    """Return a value as one segment of a path; nothing in it is left as it is but letters, digits and ``_.-~``."""
    return quote(str(value), safe="")


def pairs(query: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    """Return the parameters of a query as pairs; a list or tuple gives one for each of its values."""
    found: list[tuple[str, Any]] = []
    for name, value in (query or {}).items():
        found += [(name, one) for one in (value if isinstance(value, (list, tuple)) else (value,))]
    return found


def _query_text(query: Iterable[tuple[str, Any]]) -> str:
    pairs = [
        (name, str(value).lower() if isinstance(value, bool) else value) for name, value in query if value is not None
    ]
    return urlencode(pairs, quote_via=quote)


def request(
    link: Link,
    method: str,
    path: str,
    query: Iterable[tuple[str, Any]] = (),
    body: Any = _NO_BODY,
    *,
    patient: bool = True,
) -> Op[Any]:
    """Send a request and return its answer as JSON values, None for an empty one.

    Args:
        path: relative to the base URL, its segments quoted.
        query: pairs; those whose value is None are left out.
        body: JSON value.
        patient: False tries each URL once only.
    Raises:
        SchemaRegistryError: the answer is an error.
        OAuthTokenError: no token could be had.
        httpx2.TransportError: there was no answer; the URLs and the number of attempts are in its notes.
    """
    text = _query_text(query)
    target = f"{path}?{text}" if text else path
    own = {"Accept": ACCEPT, "Confluent-Client-Version": f"python/{API_VERSION}"}
    data: bytes | None = None
    if body is not _NO_BODY:
        own.update({"Content-Type": CONTENT_TYPE, "Confluent-Accept-Unknown-Properties": "true"})
        data = json.dumps(body).encode("ascii")
    policy = link.policy if patient else dataclasses.replace(link.policy, max_retries=0)

    def attempt(base: str) -> Op[Outcome]:
        headers = {**own, **(yield from link.auth.headers())}
        forestalled = partial(link.health.forestalls, base)
        sent = HttpRequest(method, f"{base}/{target}", headers, data, link.config.timeout, forestalled)
        outcome = yield from http(sent)
        for _ in range(MAX_REDIRECTS):
            following = _redirected(sent, outcome)
            if following is None:
                break
            sent = following
            outcome = yield from http(sent)
        return outcome

    outcome = yield from with_retries(link.health, policy, attempt)
    if isinstance(outcome, HttpReply) and outcome.status == 401 and link.auth.rejected():
        outcome = yield from with_retries(link.health, policy, attempt)
    return _answer(outcome, method, path, link, policy)


def _redirected(sent: HttpRequest, outcome: Outcome) -> HttpRequest | None:
    if not isinstance(outcome, HttpReply) or outcome.status not in (301, 302, 303, 307, 308):
        return None
    if outcome.status < 304 and sent.method != "GET":  # these make a GET of everything else
        return None
    location = outcome.headers.get("location")
    if not location:
        return None
    old = urlsplit(sent.url)
    try:
        new = urlsplit(urljoin(sent.url, location))
        place = (new.scheme, new.hostname, new.port)
    except ValueError:  # no URL
        return None
    if new.scheme not in ("http", "https") or not new.hostname:
        return None
    headers = sent.headers
    if (old.scheme, old.hostname, old.port) != place:
        headers = {name: value for name, value in headers.items() if name.lower() not in _CREDENTIALS}
    clean = new._replace(netloc=new.netloc.rpartition("@")[2]).geturl()
    return HttpRequest(sent.method, clean, headers, sent.body, sent.timeout)


def _answer(outcome: Outcome, method: str, path: str, link: Link, policy: RetryPolicy) -> Any:
    where = f"{method} {path} at {', '.join(link.config.urls)}"
    url = f"{link.health.order()[0]}/{path}"  # the one that answered
    if isinstance(outcome, HttpFailure):
        tries = f"{policy.max_retries + 1} attempt{'s' if policy.max_retries else ''} at each URL"
        note = f"no answer to {where} after {tries}: is the registry up, and are url, proxy and ssl.* right?"
        # BaseException.add_note came with Python 3.11, and this may be a copy that has such a note already
        outcome.error.__notes__ = [note]  # type: ignore[attr-defined]
        raise outcome.error
    if is_success(outcome.status):
        if outcome.status == 204 or not outcome.body.strip():
            return None
        try:
            return json.loads(outcome.body)
        except ValueError as e:
            text = f"the answer is not JSON: {outcome.body[:_SHOWN_BYTES]!r}; is this the URL of a Schema Registry?"
            raise SchemaRegistryError(outcome.status, SchemaRegistryError.UNKNOWN, text, method=method, url=url) from e
    raise registry_error(outcome, method, url)


def registry_error(reply: HttpReply, method: str | None = None, url: str | None = None) -> SchemaRegistryError:
    """Return the exception for an answer that is an error."""
    try:
        answer = json.loads(reply.body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        unknown = f"Unknown Schema Registry Error: {reply.body[:_SHOWN_BYTES]!r}"
        return SchemaRegistryError(reply.status, SchemaRegistryError.UNKNOWN, unknown, method=method, url=url)
    code: Any = answer.get("error_code")
    text: Any = answer.get("message")  # both as they came, which may be None
    return SchemaRegistryError(reply.status, code, text, method=method, url=url)
