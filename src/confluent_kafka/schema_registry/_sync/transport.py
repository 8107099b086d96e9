# SPDX-License-Identifier: Apache-2.0
"""HTTP for the synchronous clients. Imported with the first request: httpx2 comes with an extra."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import httpcore2
import httpx2

from confluent_kafka.schema_registry._core.effects import HttpFailure, HttpReply
from confluent_kafka.schema_registry._tls import tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from confluent_kafka.schema_registry._core.client_config import ClientConfig
    from confluent_kafka.schema_registry._core.effects import HttpRequest

CONNECTIONS = 10


class Transport:
    """Sends requests over at most 10 connections. Thread-safe.

    A request has one time limit, from the wait for a connection to the last byte: a server that sends a byte now and
    then does not hold it up.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._pid = os.getpid()
        self._slots = threading.BoundedSemaphore(CONNECTIONS)
        self._deadline = _Deadline()
        self.session = httpx2.Client(
            verify=tls_context(config),
            proxy=config.proxy,
            limits=httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            follow_redirects=False,
        )
        transports = [self.session._transport, *self.session._mounts.values()]
        for transport in transports:
            pool = getattr(transport, "_pool", None)
            if pool is not None:  # there is no other way in: the pool is made by httpx2 itself
                pool._network_backend = _Network(pool._network_backend, self._deadline)

    @property
    def inherited(self) -> bool:
        """Whether this process is a fork of the one that made the connections, which are still the other's."""
        return self._pid != os.getpid()

    def send(self, request: HttpRequest) -> HttpReply | HttpFailure:
        """Send a request and read its answer."""
        limit = request.timeout
        deadline = None if limit is None else time.monotonic() + limit
        if not self._slots.acquire(timeout=-1 if limit is None else limit):
            waited = f"{CONNECTIONS} requests to the schema registry were under way for {limit} s"
            return HttpFailure(httpx2.PoolTimeout(waited), sent=False)
        try:
            if request.forestalled is not None and (outcome := request.forestalled()) is not None:
                return outcome
            return self._exchange(request, deadline)
        finally:
            self._slots.release()

    def _exchange(self, request: HttpRequest, deadline: float | None) -> HttpReply | HttpFailure:
        self._deadline.at = deadline
        try:
            reply = self.session.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.body,
                timeout=httpx2.Timeout(request.timeout),
            )
        except httpx2.RequestError as e:
            e.request = httpx2.Request(request.method, request.url)  # without the headers: errors are pickled and shown
            return HttpFailure(e)
        except OSError as e:
            # such as a TLS alert that comes with the first read, which httpcore2 does not always make one of its own
            return HttpFailure(_read_error(e))
        except RuntimeError as e:
            if not self.session.is_closed:
                raise
            # by somebody else in between; the next attempt opens it again
            closed = httpx2.CloseError("the registry client was closed while a request began")
            closed.__cause__ = e
            return HttpFailure(closed, sent=False)
        finally:
            self._deadline.at = None
        return HttpReply(reply.status_code, {k.lower(): v for k, v in reply.headers.items()}, reply.content)

    def close(self) -> None:
        """Close the connections."""
        self.session.close()


def _read_error(error: OSError) -> httpx2.ReadError:
    made = httpx2.ReadError(str(error))
    made.__cause__ = error
    return made


class _Deadline(threading.local):
    at: float | None = None

    def left(self, timeout: float | None, expired: type[Exception]) -> float | None:
        if self.at is None:
            return timeout
        left = self.at - time.monotonic()
        if left <= 0:
            raise expired("the time for this request is over")
        return left if timeout is None else min(left, timeout)


class _Network(httpcore2.NetworkBackend):
    def __init__(self, inner: httpcore2.NetworkBackend, deadline: _Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout, httpcore2.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._deadline)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream, deadline: _Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
