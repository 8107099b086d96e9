# SPDX-License-Identifier: Apache-2.0
"""A registry's REST interface as one function, without network: what is asked in, status and JSON out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.memory import MemoryRegistry
from confluent_kafka.schema_registry._core.registry import (
    routes_keys,
    routes_schemas,
    routes_settings,
    routes_subjects,
)
from confluent_kafka.schema_registry._core.registry.keys import KeyStore
from confluent_kafka.schema_registry._core.registry.request import NO_CONTENT, Request, match, split_path
from confluent_kafka.schema_registry.error import SchemaRegistryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROUTES = (
    *routes_subjects.ROUTES.all,
    *routes_schemas.ROUTES.all,
    *routes_settings.ROUTES.all,
    *routes_keys.ROUTES.all,
)


class RegistryApp:
    """The REST interface of a registry in memory. Thread-safe.

    Args:
        registry: where schemas are kept; None for a new one that behaves as a registry server.
        keys: where keys for encryption are kept; None for a new store.
        cluster_id: what the registry says its Kafka cluster's id is.
    """

    def __init__(
        self, registry: MemoryRegistry | None = None, keys: KeyStore | None = None, cluster_id: str = "embedded"
    ) -> None:
        self.registry = MemoryRegistry(strict=True) if registry is None else registry
        self.keys = KeyStore() if keys is None else keys
        self.cluster_id = cluster_id

    def handle(
        self, method: str, path: str, query: Mapping[str, str | Sequence[str]], body: Any = None
    ) -> tuple[int, Any]:
        """Answer one request.

        Args:
            method: GET, POST, PUT or DELETE.
            path: raw path without scheme and host, segments percent-encoded: ``/subjects/orders-value/versions``.
            query: parameters, decoded; a list of values where one is given several times.
            body: JSON value, None without.
        Returns: HTTP status and JSON value; None with 204. An error is ``{"error_code": ..., "message": ...}``.
        """
        try:
            result = self._answer(method, path, query, body)
        except SchemaRegistryError as e:
            return e.http_status_code, {"error_code": e.error_code, "message": e.error_message}
        except RecursionError:
            return 422, {"error_code": 42201, "message": "Invalid schema, details: nested too deeply"}
        return (204, None) if result is NO_CONTENT else (200, result)

    def _answer(self, method: str, path: str, query: Mapping[str, str | Sequence[str]], body: Any) -> Any:
        context, segments = split_path(path)
        allowed = False
        for route in ROUTES:
            arguments = match(route.pattern, segments)
            if arguments is not None:
                if route.method == method:
                    with self.registry.lock:
                        return route.handler(self, Request(arguments, query, body, context))
                allowed = True
        status = 405 if allowed else 404
        reason = "Method Not Allowed" if allowed else "Not Found"
        raise SchemaRegistryError(status, status, f"HTTP {status} {reason}")
