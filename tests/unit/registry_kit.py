# SPDX-License-Identifier: Apache-2.0
"""Runs operations of the registry client with scripted answers: no network, no clock, no sleeping."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from confluent_kafka.schema_registry._core.client_caches import ClientCaches
from confluent_kafka.schema_registry._core.client_config import read_client_config
from confluent_kafka.schema_registry._core.effects import (
    HttpFailure,
    HttpReply,
    HttpRequest,
    Share,
    Sleep,
    UserCall,
)
from confluent_kafka.schema_registry._core.ops import Registry
from confluent_kafka.schema_registry._core.rest import Link
from confluent_kafka.schema_registry._core.retry import RetryPolicy

URL = "http://registry:8081"
WALL = 1_700_000_000.0


def reply(body: Any = None, status: int = 200, **headers: str) -> HttpReply:
    """An answer; ``body`` is JSON, or bytes as they are."""
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return HttpReply(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


def error(status: int, code: int = 40400, message: str = "not there") -> HttpReply:
    return reply({"error_code": code, "message": message}, status)


class Down(Exception):
    """Stands for a transport error."""


DOWN = HttpFailure(Down("refused"))


class Script:
    """A registry client's core with a clock that only sleeping, and the test, moves on.

    Args:
        conf: more configuration.
    """

    def __init__(self, **conf: Any) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.requests: list[HttpRequest] = []
        self.jitters: list[tuple[float, float, int]] = []
        self.answers: list[Any] = []
        config = read_client_config({"url": URL, **conf})
        policy = RetryPolicy(
            config.max_retries, config.wait_ms, config.max_wait_ms, self._jitter, lambda: self.now, lambda: WALL
        )
        self.link = Link(config, policy)
        self.caches = ClientCaches(config.capacity, config.latest_ttl, lambda: self.now)
        self.reg = Registry(self.link, self.caches)

    def _jitter(self, base: float, cap: float, retries: int) -> float:
        self.jitters.append((base, cap, retries))
        return min(cap, base * 2.0**retries)

    def run(self, operation: Generator[Any, Any, Any], *answers: Any) -> Any:
        """Run an operation that must ask for exactly these answers; exceptions among them are raised by it."""
        self.answers = list(answers)
        result = self.drive(operation)
        assert self.answers == [], "not asked for"
        return result

    def drive(self, operation: Generator[Any, Any, Any]) -> Any:
        try:
            effect = next(operation)
            while True:
                try:
                    result = self.perform(effect)
                except Exception as e:  # noqa: PERF203  # the operation decides what becomes of it
                    effect = operation.throw(e)
                else:
                    effect = operation.send(result)
        except StopIteration as done:
            return done.value

    def perform(self, effect: Any) -> Any:
        if isinstance(effect, Share):
            return self.drive(effect.make())
        if isinstance(effect, Sleep):
            self.slept.append(effect.seconds)
            self.now += effect.seconds
            return None
        if isinstance(effect, UserCall):
            return effect.function(*effect.arguments)
        assert isinstance(effect, HttpRequest)
        if effect.forestalled is not None and (outcome := effect.forestalled()) is not None:
            return outcome
        self.requests.append(effect)
        assert self.answers, f"unexpected {effect}"
        answer = self.answers.pop(0)
        return answer() if isinstance(answer, Callable) else answer  # type: ignore[arg-type]

    def drive_with(self, effect: Share, *answers: Any) -> Any:
        """Run the operation of one effect."""
        return self.run(effect.make(), *answers)

    @property
    def last(self) -> tuple[str, str, dict[str, list[str]]]:
        """Method, path and query of the last request."""
        sent = self.requests[-1]
        parts = urlsplit(sent.url)
        return sent.method, parts.path, parse_qs(parts.query)

    @property
    def hosts(self) -> list[str | None]:
        return [urlsplit(sent.url).hostname for sent in self.requests]

    def body(self) -> Any:
        """JSON of the last request."""
        return json.loads(self.requests[-1].body or b"null")
