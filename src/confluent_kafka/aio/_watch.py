# SPDX-License-Identifier: Apache-2.0
"""Readable descriptors as callbacks on an event loop, also on loops that cannot watch any."""

from __future__ import annotations

import os
import selectors
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


def watch(loop: asyncio.AbstractEventLoop, fd: int, callback: Callable[[], None]) -> None:
    """Call ``callback`` on ``loop`` whenever ``fd`` is readable; the callback has to read it."""
    try:
        loop.add_reader(fd, callback)
    except NotImplementedError:
        _selector().add(fd, loop, callback)


def unwatch(loop: asyncio.AbstractEventLoop, fd: int) -> None:
    """End a ``watch``, before the descriptor is closed. From the loop's thread, or once the loop is closed."""
    if loop.is_closed():
        return
    try:
        loop.remove_reader(fd)
    except NotImplementedError:
        _selector().remove(fd)


class _SelectorThread:
    """The one thread of a process for loops without ``add_reader``."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._lock = threading.Lock()
        self._changes: list[Callable[[], object]] = []
        self._watched: dict[int, Callable[[], None]] = {}
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        threading.Thread(target=self._run, name="confluent_kafka.aio", daemon=True).start()

    def add(self, fd: int, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        def called() -> None:
            if self._watched.get(fd) is not called:
                return  # removed meanwhile
            callback()
            # Only now: the callback has read the descriptor, which would be reported again and again before.
            if self._watched.get(fd) is called:
                self._change(lambda: self._register(fd, (loop, called)))

        self._watched[fd] = called
        self._change(lambda: self._register(fd, (loop, called)))

    def remove(self, fd: int) -> None:
        self._watched.pop(fd, None)
        done = threading.Event()

        def forget() -> None:
            self._forget(fd)
            done.set()

        self._change(forget)
        done.wait()

    def _change(self, change: Callable[[], object]) -> None:
        with self._lock:
            self._changes.append(change)
        os.write(self._wake_write, b"x")

    def _register(self, fd: int, data: object) -> None:
        self._forget(fd)
        self._selector.register(fd, selectors.EVENT_READ, data)

    def _forget(self, fd: int) -> None:
        try:
            self._selector.unregister(fd)
        except KeyError:
            pass

    def _run(self) -> None:
        while True:
            for key, _events in self._selector.select():
                if key.data is None:
                    os.read(self._wake_read, 4096)
                    continue
                self._selector.unregister(key.fd)
                loop, called = key.data
                try:
                    loop.call_soon_threadsafe(called)
                except RuntimeError:
                    pass  # the loop is closed: nobody waits any more
            with self._lock:
                changes, self._changes = self._changes, []
            for change in changes:
                change()


_thread: _SelectorThread | None = None
_starting = threading.Lock()


def _selector() -> _SelectorThread:
    global _thread
    with _starting:
        # A forked child has no threads of its parent's.
        if _thread is None or _thread.pid != os.getpid():
            _thread = _SelectorThread()
        return _thread
