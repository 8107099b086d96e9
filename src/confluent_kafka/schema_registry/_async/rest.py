# SPDX-License-Identifier: Apache-2.0
"""Performs what the operations of the registry client ask for, awaiting it."""

from __future__ import annotations

import asyncio
import os
import time
import weakref
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka.schema_registry._async.drive import Flights, drive
from confluent_kafka.schema_registry._core import rest
from confluent_kafka.schema_registry._core.client_config import read_client_config
from confluent_kafka.schema_registry._core.effects import HttpRequest, Share, Sleep, UserCall
from confluent_kafka.schema_registry._core.mock import registry_for, serve
from confluent_kafka.schema_registry._core.retry import RetryPolicy, full_jitter
from confluent_kafka.schema_registry._sync.rest import MISSING_EXTRA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka.schema_registry._async.transport import Transport
    from confluent_kafka.schema_registry._core.effects import Effect, HttpFailure, HttpReply, Op

T = TypeVar("T")


class AsyncRestClient:
    """A registry's REST API: JSON in and out, with retries, fail-over and authentication.

    It belongs to no event loop: each that uses it has connections of its own.

    Args:
        conf: configuration of the registry client.
        clock: monotonic time, seconds.
    Raises:
        ValueError, TypeError: the configuration is wrong.
    """

    def __init__(self, conf: Mapping[str, Any], clock: Callable[[], float] = time.monotonic) -> None:
        self.config = config = read_client_config(conf)
        policy = RetryPolicy(config.max_retries, config.wait_ms, config.max_wait_ms, self._jitter, clock, time.time)
        self.link = rest.Link(config, policy)
        self._app = registry_for(config) if config.in_memory else None
        self._flight = Flights()
        self._transports: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Transport] = weakref.WeakKeyDictionary()
        self._pid = os.getpid()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.config.urls)})"

    def _jitter(self, base_delay_ms: float, max_delay_ms: float, retries_attempted: int) -> float:
        return full_jitter(base_delay_ms, max_delay_ms, retries_attempted)

    async def run(self, operation: Op[T]) -> T:
        """Run an operation to its end."""
        return await drive(operation, self._perform)

    async def get(self, url: str, query: Mapping[str, Any] | None = None) -> Any:
        """Send GET to ``url``, relative to the registry's; return the answer as JSON values."""
        return await self.run(rest.request(self.link, "GET", url, rest.pairs(query)))

    async def delete(self, url: str, query: Mapping[str, Any] | None = None) -> Any:
        """Send DELETE, as :meth:`get`."""
        return await self.run(rest.request(self.link, "DELETE", url, rest.pairs(query)))

    async def post(self, url: str, body: Any, query: Mapping[str, Any] | None = None) -> Any:
        """Send POST with a body of JSON values, as :meth:`get`."""
        return await self.run(rest.request(self.link, "POST", url, rest.pairs(query), body))

    async def put(self, url: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        """Send PUT with a body of JSON values, as :meth:`get`."""
        return await self.run(rest.request(self.link, "PUT", url, rest.pairs(query), body))

    async def close(self) -> None:
        """Close this event loop's connections; the next request opens new ones."""
        transport = self._transports.pop(asyncio.get_running_loop(), None)
        if transport is not None:
            await transport.close()

    async def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, HttpRequest):
            return await self._send(effect)
        if isinstance(effect, Sleep):
            return await asyncio.sleep(effect.seconds)
        if isinstance(effect, Share):
            return await self._flight.run(effect.key, lambda: self.run(effect.make()))
        if isinstance(effect, UserCall):
            result = effect.function(*effect.arguments)
            return await result if isawaitable(result) else result
        raise NotImplementedError(f"unknown effect {effect!r}")

    async def _send(self, request: HttpRequest) -> HttpReply | HttpFailure:
        if self._app is not None and request.url.startswith("mock://"):
            return serve(self._app, request)
        return await self._connected().send(request)

    def _connected(self) -> Transport:
        if self._pid != os.getpid():  # after a fork, the connections are still the parent's
            self._transports = weakref.WeakKeyDictionary()
            self._pid = os.getpid()
        loop = asyncio.get_running_loop()
        transport = self._transports.get(loop)
        if transport is None:
            try:
                from confluent_kafka.schema_registry._async.transport import Transport
            except ImportError as e:
                raise ImportError(MISSING_EXTRA) from e
            transport = self._transports[loop] = Transport(self.config)
        return transport
