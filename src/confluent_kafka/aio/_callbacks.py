# SPDX-License-Identifier: Apache-2.0
"""Configuration callbacks that may be coroutine functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._bridge import Bridge

_ON_LOOP = ("error_cb", "stats_cb", "throttle_cb", "on_commit")


def on_loop(callbacks: dict[str, Any], bridge: Callable[[], Bridge]) -> dict[str, Any]:
    """Return the callbacks of a client as the native core calls them, on the loop's thread.

    What a coroutine function returns becomes a task. ``oauth_cb``, which librdkafka's side asks for at any time, is
    taken from the core's own thread to the loop.
    """
    wrapped = dict(callbacks)
    for name in _ON_LOOP:
        if wrapped.get(name) is not None:
            wrapped[name] = spawning(wrapped[name], bridge)
    if wrapped.get("logger") is not None:
        wrapped["logger"] = _Logger(wrapped["logger"], bridge)
    if (oauth_cb := wrapped.get("oauth_cb")) is not None:
        wrapped["oauth_cb"] = lambda config: bridge().call_from_thread(lambda: oauth_cb(config))
    return wrapped


def spawning(callback: Callable[..., Any], bridge: Callable[[], Bridge]) -> Callable[..., None]:
    """Return a plain function that calls ``callback`` and, if that gives an awaitable, runs it as a task."""

    def call(*args: Any) -> None:
        result = callback(*args)
        if hasattr(result, "__await__"):
            bridge().spawn(result)

    return call


class _Logger:
    """A logger whose ``log`` may be a coroutine function."""

    def __init__(self, logger: Any, bridge: Callable[[], Bridge]) -> None:
        self.log = spawning(logger.log, bridge)
