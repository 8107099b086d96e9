# SPDX-License-Identifier: Apache-2.0
"""Performs what the operations of the registry client ask for, with plain calls."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka.schema_registry._core import rest
from confluent_kafka.schema_registry._core.client_config import read_client_config
from confluent_kafka.schema_registry._core.effects import HttpRequest, Share, Sleep, UserCall
from confluent_kafka.schema_registry._core.mock import registry_for, serve
from confluent_kafka.schema_registry._core.retry import RetryPolicy, full_jitter
from confluent_kafka.schema_registry._sync.drive import drive
from confluent_kafka.serialization._single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka.schema_registry._core.effects import Effect, HttpFailure, HttpReply, Op
    from confluent_kafka.schema_registry._sync.transport import Transport

T = TypeVar("T")
MISSING_EXTRA = 'a registry on the network needs httpx2: pip install "ferrokafka[schemaregistry]"'


class RestClient:
    """A registry's REST API: JSON in and out, with retries, fail-over and authentication. Thread-safe.

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
        self._flight: SingleFlight[Any] = SingleFlight()
        self._transport: Transport | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.config.urls)})"

    def _jitter(self, base_delay_ms: float, max_delay_ms: float, retries_attempted: int) -> float:
        return full_jitter(base_delay_ms, max_delay_ms, retries_attempted)

    def run(self, operation: Op[T]) -> T:
        """Run an operation to its end."""
        return drive(operation, self._perform)

    def get(self, url: str, query: Mapping[str, Any] | None = None) -> Any:
        """Send GET to ``url``, relative to the registry's; return the answer as JSON values."""
        return self.run(rest.request(self.link, "GET", url, rest.pairs(query)))

    def delete(self, url: str, query: Mapping[str, Any] | None = None) -> Any:
        """Send DELETE, as :meth:`get`."""
        return self.run(rest.request(self.link, "DELETE", url, rest.pairs(query)))

    def post(self, url: str, body: Any, query: Mapping[str, Any] | None = None) -> Any:
        """Send POST with a body of JSON values, as :meth:`get`."""
        return self.run(rest.request(self.link, "POST", url, rest.pairs(query), body))

    def put(self, url: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        """Send PUT with a body of JSON values, as :meth:`get`."""
        return self.run(rest.request(self.link, "PUT", url, rest.pairs(query), body))

    def close(self) -> None:
        """Close connections; the next request opens new ones."""
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None and not transport.inherited:
            transport.close()

    def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, HttpRequest):
            return self._send(effect)
        if isinstance(effect, Sleep):
            return time.sleep(effect.seconds)
        if isinstance(effect, Share):
            return self._flight.run(effect.key, lambda: self.run(effect.make()))
        if isinstance(effect, UserCall):
            return effect.function(*effect.arguments)
        raise NotImplementedError(f"unknown effect {effect!r}")

    def _send(self, request: HttpRequest) -> HttpReply | HttpFailure:
        if self._app is not None and request.url.startswith("mock://"):
            return serve(self._app, request)
        transport = self._transport
        if transport is None or transport.inherited:
            transport = self._connect()
        return transport.send(request)

    def _connect(self) -> Transport:
        try:
            from confluent_kafka.schema_registry._sync.transport import Transport
        except ImportError as e:
            raise ImportError(MISSING_EXTRA) from e
        with self._lock:
            if self._transport is None or self._transport.inherited:
                self._transport = Transport(self.config)
            return self._transport
