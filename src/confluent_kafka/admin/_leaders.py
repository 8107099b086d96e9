# SPDX-License-Identifier: Apache-2.0
"""Requests that look for partition leaders, kept from meeting each other's metadata.

``rd_kafka_ListOffsets`` and ``rd_kafka_DeleteRecords`` look up leaders on the calling thread. Where one is not cached,
librdkafka 2.12 registers for the next metadata and goes on using what its main thread frees as soon as that comes
(rd_kafka_topic_partition_list_query_leaders_async): the process crashes. So only one such request at a time is made for
topics whose leaders are not known to be cached; the others follow its answer, all at once if that was a failure.
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Any

from ..error import KafkaError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .. import _native
    from ._request import Request

    Done = Callable[[Any, Any], None]

KINDS = frozenset({"list_offsets", "delete_records"})
# librdkafka forgets a topic after metadata.max.age.ms, 15 minutes by default.
KNOWN_S = 60.0


class Leaders:
    """Makes the requests of one admin client. Thread-safe.

    Args:
        core: the native client, referred to weakly: requests that wait must not keep it alive.
    """

    def __init__(self, core: _native.Admin) -> None:
        self._core = weakref.ref(core)
        self._lock = Lock()
        self._known: dict[str, float] = {}
        self._asking = False
        self._waiting: deque[tuple[Request[Any, Any], Done, Callable[[Exception], None]]] = deque()

    def request(self, request: Request[Any, Any], done: Done, fail: Callable[[Exception], None]) -> None:
        """Make a request, now or behind others.

        Args:
            done: called with error and raw result.
            fail: called instead when a request that had to wait is refused.

        Raises: what the native client raises, for a request that did not wait.
        """
        if request.kind not in KINDS:
            self._make(request, done)
            return
        with self._lock:
            unknown = self._unknown(request)
            if unknown:
                if self._asking:
                    self._waiting.append((request, done, fail))
                    return
                self._asking = True
        self._ask(request, done, unknown)

    def _make(self, request: Request[Any, Any], done: Done) -> None:
        core = self._core()
        if core is None:
            raise RuntimeError("the admin client was dropped without close() while this request waited for another one")
        core._request(request.kind, request.items, request.options, done)

    def _unknown(self, request: Request[Any, Any]) -> set[str]:
        now = time.monotonic()
        return {topic for topic, *_ in request.items if self._known.get(topic, 0) <= now}

    def _ask(self, request: Request[Any, Any], done: Done, unknown: set[str]) -> None:
        if not unknown:
            self._make(request, done)
            return

        def answered(error: KafkaError | None, raw: Any) -> None:
            try:
                done(error, raw)
            finally:
                if error is None:
                    self._next(unknown)
                else:
                    self._release(error)

        try:
            self._make(request, answered)
        except BaseException:
            self._next(())
            raise

    def _release(self, error: KafkaError) -> None:
        """The request that looked for leaders has failed: the others do not wait for each other's failures too."""
        with self._lock:
            self._asking = False
            waiting = list(self._waiting)
            self._waiting.clear()
        for request, done, fail in waiting:
            if error.code() == KafkaError._DESTROY:
                done(error, None)
                continue
            try:
                self._make(request, done)
            except Exception as e:
                fail(e)

    def _next(self, known: set[str] | tuple[()]) -> None:
        """The request that looked for leaders has ended: make those that waited, up to the next that has to look."""
        with self._lock:
            self._asking = False
            until = time.monotonic() + KNOWN_S
            self._known.update(dict.fromkeys(known, until))
        while True:
            with self._lock:
                if self._asking or not self._waiting:
                    return
                request, done, fail = self._waiting.popleft()
                unknown = self._unknown(request)
                self._asking = bool(unknown)
            try:
                self._ask(request, done, unknown)
            except Exception as e:
                fail(e)
