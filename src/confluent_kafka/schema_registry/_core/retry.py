# SPDX-License-Identifier: Apache-2.0
"""When a request is tried again, where, and after how long.

Every URL gets one attempt and ``max.retries`` more. A round goes through the URLs, the one that worked last first;
after a round without success there is a pause. While nothing works, the whole client sends only a few requests per
second, however many callers it has: the others are told what the last one was told.
"""

from __future__ import annotations

import copy
import email.utils
import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confluent_kafka.schema_registry._core.effects import HttpFailure, HttpReply, Sleep

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from confluent_kafka.schema_registry._core.effects import Op

    Outcome: TypeAlias = HttpReply | HttpFailure

RETRIABLE_STATUSES = frozenset((408, 429, 500, 502, 503, 504))
PROBE_INTERVAL_S = 0.15
# One schema that a registry cannot handle is no outage.
FAILING_ANSWERS = 5


def is_success(status_code: int) -> bool:
    """Return whether a status is one of success."""
    return 200 <= status_code <= 299


def is_retriable(status_code: int) -> bool:
    """Return whether a request with this status may succeed when it is tried again."""
    return status_code in RETRIABLE_STATUSES


def full_jitter(base_delay_ms: float, max_delay_ms: float, retries_attempted: int) -> float:
    """Return a random pause, milliseconds, that is at most ``base_delay_ms`` doubled for every retry before."""
    # an exponent that does not overflow a float
    return random.random() * min(max_delay_ms, base_delay_ms * 2.0 ** min(retries_attempted, 60))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how fast.

    Args:
        max_retries: attempts at each URL after the first one.
        wait_ms, max_wait_ms: bounds of the pauses.
        jitter: as :func:`full_jitter`.
        clock: monotonic time, seconds.
        wall_clock: time since the epoch, seconds.
    """

    max_retries: int
    wait_ms: float
    max_wait_ms: float
    jitter: Callable[[float, float, int], float]
    clock: Callable[[], float]
    wall_clock: Callable[[], float]

    def pause(self, retries: int, outcome: Outcome) -> float | None:
        """Return the seconds to wait before the next attempt; None when the server wants more than can be waited."""
        own = max(0.0, self.jitter(self.wait_ms, self.max_wait_ms, retries) / 1000)
        asked = self.asked_for(outcome)
        if asked is None:
            return own
        return None if asked > self.max_wait_ms / 1000 else max(own, asked)

    def asked_for(self, outcome: Outcome) -> float | None:
        """Return the seconds that ``Retry-After`` asks for; None when there is none."""
        value = outcome.headers.get("retry-after", "").strip() if isinstance(outcome, HttpReply) else ""
        if not value:
            return None
        if value.isdecimal():
            return float(value)
        try:
            at = email.utils.parsedate_to_datetime(value).timestamp()
        except (TypeError, ValueError, OverflowError):
            return None
        return max(0.0, at - self.wall_clock())


class Health:
    """Which of the URLs work. Thread-safe.

    Args:
        urls: base URLs, in the order of preference.
        policy: its clock counts.
    """

    def __init__(self, urls: tuple[str, ...], policy: RetryPolicy) -> None:
        self._urls = urls
        self._policy = policy
        self._lock = threading.Lock()
        self._preferred = 0
        self._failing: dict[str, Outcome] = {}
        self._answers: dict[str, int] = {}
        self._held: dict[str, float] = {}
        self._next_probe: dict[str, float] = {}
        # the limit is one for all URLs together, and each must have its turn
        self._interval = PROBE_INTERVAL_S * len(urls)

    def order(self) -> list[str]:
        """Return the URLs in the order they should be tried."""
        at = self._preferred
        return [*self._urls[at:], *self._urls[:at]]

    def forestalls(self, url: str) -> Outcome | None:
        """Return what became of the last request if ``url`` fails and it is too early to try again; else None."""
        if url not in self._failing:
            return None
        with self._lock:
            last = self._failing.get(url)
            if last is None:
                return None
            now = self._policy.clock()
            if now >= max(self._next_probe.get(url, 0.0), self._held.get(url, 0.0)):
                self._next_probe[url] = now + self._interval
                return None
            # an exception that several threads raise would collect all their tracebacks
            return HttpFailure(copy.copy(last.error), False) if isinstance(last, HttpFailure) else last

    def wait(self, url: str) -> float:
        """Return the seconds until ``url`` may be tried again."""
        with self._lock:
            if url not in self._failing:
                return 0.0
            at = max(self._next_probe.get(url, 0.0), self._held.get(url, 0.0))
            return max(0.0, at - self._policy.clock())

    def succeeded(self, url: str) -> None:
        """Note that ``url`` has answered."""
        if not self._answers and not self._failing and self._urls[self._preferred] == url:
            return
        with self._lock:
            self._failing.pop(url, None)
            self._answers.pop(url, None)
            self._held.pop(url, None)
            self._preferred = self._urls.index(url)

    def failed(self, url: str, outcome: Outcome) -> None:
        """Note that ``url`` has not answered, or with an error of its own."""
        if isinstance(outcome, HttpFailure) and not outcome.sent:
            return
        with self._lock:
            if outcome is self._failing.get(url):  # that is what it said before: nothing was sent
                return
            count = self._answers[url] = self._answers.get(url, 0) + 1
            now = self._policy.clock()
            asked = self._policy.asked_for(outcome)
            if asked is not None:
                self._held[url] = now + min(asked, self._policy.max_wait_ms / 1000)
            if asked is not None or isinstance(outcome, HttpFailure) or count >= FAILING_ANSWERS:
                self._failing[url] = outcome
                self._next_probe[url] = max(self._next_probe.get(url, 0.0), now + self._interval)


def with_retries(health: Health, policy: RetryPolicy, attempt: Callable[[str], Op[Outcome]]) -> Op[Outcome]:
    """Try one URL after the other, with pauses between the rounds, until one gives an answer that counts.

    Args:
        attempt: makes the operation that tries a base URL.
    Returns: an answer that is not retriable, or the last outcome when all attempts have been used up.
    """
    gave_up: set[str] = set()
    retries = 0
    while True:
        pause = 0.0
        outcome: Outcome | None = None
        for url in health.order():
            if url in gave_up:
                continue
            outcome = yield from attempt(url)
            if isinstance(outcome, HttpReply) and not is_retriable(outcome.status):
                health.succeeded(url)
                return outcome
            health.failed(url, outcome)
            wait = policy.pause(retries, outcome)
            if wait is None:
                gave_up.add(url)
            else:
                pause = max(pause, wait)
        if outcome is None:
            raise AssertionError("there is always a URL left")
        retries += 1
        if retries > policy.max_retries or len(gave_up) == len(health.order()):
            return outcome
        # an attempt that comes too early would be used up without a request
        pause = max(pause, min(health.wait(url) for url in health.order() if url not in gave_up))
        if pause > 0:
            yield Sleep(pause)
