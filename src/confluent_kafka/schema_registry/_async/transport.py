# SPDX-License-Identifier: Apache-2.0
"""HTTP for the asyncio clients. Imported with the first request: httpx2 comes with an extra."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio
import httpx2

from confluent_kafka.schema_registry._core.effects import HttpFailure, HttpReply
from confluent_kafka.schema_registry._tls import tls_context

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.client_config import ClientConfig
    from confluent_kafka.schema_registry._core.effects import HttpRequest

CONNECTIONS = 10


class Transport:
    """Sends requests over at most 10 connections, on one event loop.

    A request has one time limit, from the wait for a connection to the last byte.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._slots = asyncio.Semaphore(CONNECTIONS)
        self.session = httpx2.AsyncClient(
            verify=tls_context(config),
            proxy=config.proxy,
            limits=httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            follow_redirects=False,
        )

    async def send(self, request: HttpRequest) -> HttpReply | HttpFailure:
        """Send a request and read its answer."""
        sent = False
        try:
            with anyio.fail_after(request.timeout):
                async with self._slots:
                    if request.forestalled is not None and (outcome := request.forestalled()) is not None:
                        return outcome
                    sent = True
                    reply = await self.session.request(
                        request.method,
                        request.url,
                        headers=dict(request.headers),
                        content=request.body,
                        timeout=httpx2.Timeout(request.timeout),
                    )
        except httpx2.RequestError as e:
            e.request = httpx2.Request(request.method, request.url)  # without the headers: errors are pickled and shown
            return HttpFailure(e)
        except RuntimeError as e:
            if not self.session.is_closed:
                raise
            # by somebody else in between; the next attempt opens it again
            closed = httpx2.CloseError("the registry client was closed while a request began")
            closed.__cause__ = e
            return HttpFailure(closed, sent=False)
        except TimeoutError:
            if sent:
                return HttpFailure(httpx2.ReadTimeout("the time for this request is over"))
            waited = f"{CONNECTIONS} requests to the schema registry were under way for {request.timeout} s"
            return HttpFailure(httpx2.PoolTimeout(waited), sent=False)
        except OSError as e:
            # an SSLError after the handshake, as when the server refuses the certificate: httpx2 lets it through
            broken = httpx2.ReadError(str(e))
            broken.__cause__ = e
            return HttpFailure(broken)
        return HttpReply(reply.status_code, {k.lower(): v for k, v in reply.headers.items()}, reply.content)

    async def close(self) -> None:
        """Close the connections."""
        await self.session.aclose()
