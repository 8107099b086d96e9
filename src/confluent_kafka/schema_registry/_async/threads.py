# SPDX-License-Identifier: Apache-2.0
"""Threads for calls that block and have no asynchronous form: a key management system's SDK, on a missing key only."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
MAX_THREADS = 8

_lock = threading.Lock()
_pool: tuple[int, ThreadPoolExecutor] | None = None


def _get_pool() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None or _pool[0] != os.getpid():  # after a fork the threads are the parent's
            _pool = (os.getpid(), ThreadPoolExecutor(MAX_THREADS, "confluent-kafka-kms"))
        return _pool[1]


async def in_thread(function: Callable[[], T]) -> T:
    """Call a function that blocks, in one of a few threads that the whole process shares."""
    return await asyncio.get_running_loop().run_in_executor(_get_pool(), function)
