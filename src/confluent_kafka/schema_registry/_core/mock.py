# SPDX-License-Identifier: Apache-2.0
"""Registries in memory behind ``mock://`` URLs: requests are answered in this process, without network."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from confluent_kafka.schema_registry._core.effects import HttpReply

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.client_config import ClientConfig
    from confluent_kafka.schema_registry._core.effects import HttpRequest
    from confluent_kafka.schema_registry._core.server import RegistryApp


_shared: dict[str, RegistryApp] = {}
_lock = threading.Lock()


def registry_for(config: ClientConfig) -> RegistryApp:
    """Return a client's registry: a new one, or with ``?shared=true`` the process's registry of that name."""
    if not config.shared:
        return _new()
    with _lock:
        name = config.urls[0]
        if name not in _shared:
            _shared[name] = _new()
        return _shared[name]


def _new() -> RegistryApp:
    # here, not above: a whole registry, which clients of a real one do without
    from confluent_kafka.schema_registry._core.memory import MemoryRegistry
    from confluent_kafka.schema_registry._core.server import RegistryApp

    return RegistryApp(MemoryRegistry())


def serve(app: RegistryApp, request: HttpRequest) -> HttpReply:
    """Answer a request."""
    parts = urlsplit(request.url)
    query = {name: values[0] if len(values) == 1 else values for name, values in _pairs(parts.query).items()}
    body = None if request.body is None else json.loads(request.body)
    status, answer = app.handle(request.method, parts.path, query, body)
    return HttpReply(status, {}, b"" if answer is None else json.dumps(answer).encode())


def _pairs(query: str) -> dict[str, list[str]]:
    return parse_qs(query, keep_blank_values=True)
