# SPDX-License-Identifier: Apache-2.0
"""Callers that want the same thing at the same time share one call for it."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs at most one call per key at a time; keeps no results. Thread-safe."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Future[T]] = {}

    def run(self, key: Hashable, call: Callable[[], T]) -> T:
        """Return the result of ``call()``, or that of the call for ``key`` another thread has under way.

        An ``Exception`` reaches everyone who waited. Anything else (a KeyboardInterrupt) concerns only the thread that
        made the call: one of those that waited then makes its own.
        """
        if self._pid != os.getpid():
            self._begin()  # after a fork: the threads that made the calls are the parent's, and so may be the lock
        while True:
            with self._lock:
                flight = self._flights.get(key)
                if flight is None:
                    mine: Future[T] = Future()
                    self._flights[key] = mine
                    break
            try:
                return flight.result()
            except _Abandoned:
                continue
        try:
            result = call()
        except BaseException as e:
            self._land(key)
            mine.set_exception(e if isinstance(e, Exception) else _Abandoned())
            raise
        # out of the table first: who asks from now on wants a fresh answer
        self._land(key)
        mine.set_result(result)
        return result

    def _land(self, key: Hashable) -> None:
        with self._lock:
            self._flights.pop(key, None)


class _Abandoned(Exception):
    """The thread that made the call was interrupted."""
