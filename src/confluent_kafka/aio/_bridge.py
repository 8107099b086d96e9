# SPDX-License-Identifier: Apache-2.0
"""One native client on one event loop: its wake-ups, the calls it has under way, its callbacks."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from .._native import Pending
from ._watch import unwatch, watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .._native import LoopAdmin, LoopConsumer, LoopProducer

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Bridge:
    """Wakes awaiting tasks up when a native client has something for them.

    The client is bound to the event loop that runs at its first use. Everything here runs on that loop's thread, but
    for ``call_from_thread``.

    Args:
        core: the native client.
        serve: called on the loop whenever the client signals, before the waiting tasks go on.
        failed: told of what a coroutine callback raised.
        closed_text: text of the RuntimeError for calls after the end.
    """

    def __init__(
        self,
        core: LoopAdmin | LoopConsumer | LoopProducer,
        serve: Callable[[], None],
        failed: Callable[[BaseException], None],
        closed_text: str,
    ) -> None:
        self._core = core
        # Weak: the loop holds the bridge's callback, and must not keep a client alive that nobody else has.
        self._serve = weakref.WeakMethod(serve)
        self._failed = weakref.WeakMethod(failed)
        self._closed_text = closed_text
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bound = threading.Event()
        self._fd = -1
        self._waiters: list[asyncio.Future[None]] = []
        self._calls: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._released = False
        self._pid = os.getpid()

    @property
    def forked(self) -> bool:
        """Whether this is a child of the process that the client belongs to, whose loop must not be touched."""
        return self._pid != os.getpid()

    def bind(self) -> asyncio.AbstractEventLoop:
        """Return the running loop, which must be the one of the first call.

        Raises: RuntimeError: no loop runs, another one does, or the client is closed.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._core._fileno()  # what is wrong in a forked child is not that no loop runs
            raise
        if loop is self._loop:
            return loop
        fd = self._core._fileno()  # raises for a closed client, and in a forked child
        if self._loop is not None:
            raise RuntimeError(
                "this client belongs to another event loop, where it was used first: make one client per loop"
            )
        ref = weakref.ref(self)

        def ready() -> None:
            bridge = ref()
            if bridge is not None:
                bridge._ready()

        watch(loop, fd, ready)
        self._loop, self._fd = loop, fd
        self._bound.set()
        # What came before there was anybody to signal is there already.
        loop.call_soon(ready)
        return loop

    def _ready(self) -> None:
        serve = self._serve()
        if serve is not None and not self._released:
            serve()
            self.wake()

    def wake(self) -> None:
        """Let every task in ``changed`` look again."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    @property
    def waiting(self) -> bool:
        """Whether a task is in ``changed``."""
        return bool(self._waiters)

    async def changed(self, until: float | None) -> None:
        """Wait for the client's next signal, at most until ``until`` of the loop's clock.

        What the caller has looked for before this call, without awaiting in between, cannot be missed.
        """
        loop = self.bind()
        waiter = loop.create_future()
        self._waiters.append(waiter)
        timer = None if until is None else loop.call_at(until, _finish, waiter)
        try:
            await waiter
        finally:
            if timer is not None:
                timer.cancel()
            with suppress(ValueError):
                self._waiters.remove(waiter)

    async def call(self, method: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Make a call of the native client and await its outcome.

        The stub declares the outcome, as for the synchronous clients; what comes is a ``Pending`` if it has to be
        waited for. A cancelled wait abandons the call.
        """
        loop = self.bind()
        made: Any = method(*args, **kwargs)
        if not isinstance(made, Pending):
            return cast("_T", made)
        fd = made.fileno()
        while (outcome := made.poll()) is None:
            waiter = loop.create_future()
            self._calls.add(waiter)
            watch(loop, fd, partial(_finish, waiter))
            try:
                await waiter
            finally:
                unwatch(loop, fd)
                self._calls.discard(waiter)
        return cast("_T", outcome[0])

    def spawn(self, awaitable: Awaitable[Any]) -> None:
        """Run what a coroutine callback returned as a task; what it raises goes to ``failed``."""
        task = self.bind().create_task(_run(awaitable))
        self._tasks.add(task)
        task.add_done_callback(self._spawned)

    def _spawned(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error, failed = task.exception(), self._failed()
        if error is not None and failed is not None:
            failed(error)

    def call_from_thread(self, call: Callable[[], Any]) -> Any:
        """Call ``call`` on the loop, await what it returns, and give the result to the calling native thread."""
        self._bound.wait()
        if self._released or self._loop is None:
            raise RuntimeError(self._closed_text)
        return asyncio.run_coroutine_threadsafe(_call(call), self._loop).result()

    def release(self) -> None:
        """End the connection: tasks that wait for the client get RuntimeError."""
        if self._released:
            return
        self._released = True
        self._bound.set()
        if self._loop is None:
            return
        unwatch(self._loop, self._fd)
        for waiter in [*self._waiters, *self._calls]:
            if not waiter.done():
                waiter.set_exception(RuntimeError(self._closed_text))
        self._waiters = []

    def __del__(self) -> None:
        loop, fd = self._loop, self._fd
        self._bound.set()
        if self._released or loop is None or loop.is_closed() or self.forked:
            return
        with suppress(RuntimeError):
            # The client is handed over as well: it holds the descriptor open until the loop has let go of it.
            loop.call_soon_threadsafe(_forget, loop, fd, self._core)


def run_events(core: LoopAdmin | LoopProducer, failed: Callable[[BaseException], None]) -> int:
    """Run what a client has for its application: answers, reports, callbacks. Returns how many there were.

    What a callback raises goes to ``failed``, and the others run.
    """
    while True:
        try:
            return core.poll(0)
        except (KeyboardInterrupt, SystemExit):  # noqa: PERF203  # once per callback that raises
            raise
        except BaseException as e:
            failed(e)


async def _run(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


async def _call(call: Callable[[], Any]) -> Any:
    result = call()
    return await result if hasattr(result, "__await__") else result


def _forget(loop: asyncio.AbstractEventLoop, fd: int, _core: object) -> None:
    unwatch(loop, fd)


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
