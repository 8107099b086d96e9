# SPDX-License-Identifier: Apache-2.0
"""The registry of keys for asyncio tasks that use an executor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry.rules.encryption.dek_registry import _ops as ops

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._async.rest import AsyncRestClient
    from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import DekRegistryClient


class RegistryOfTasks:
    """Asks what a synchronous client asks, awaiting it, and remembers it in the same place.

    Requests go out over the connections of the task's registry client, with its token and its view of which URL works,
    where that is configured as this one; else over connections of their own.

    Args:
        client: the synchronous client.
    """

    def __init__(self, client: DekRegistryClient) -> None:
        self._client = client
        self._own: AsyncRestClient | None = None

    def ask(self, method: str, arguments: tuple[Any, ...], user: Any) -> Any:
        """Return the answer, or an awaitable of it.

        Args:
            method: one of the client's methods that has an operation of the same name.
            arguments: all of them.
            user: the task's registry client.
        """
        link = self._client._rest_client
        if link.config.in_memory:
            return getattr(self._client, method)(*arguments)  # nothing to wait for
        rest = self._rest(user)
        known = self._client._registry
        registry = ops.DekRegistry(rest.link, known.keks, known.deks)
        return rest.run(getattr(ops, method)(registry, *arguments))

    def _rest(self, user: Any) -> AsyncRestClient:
        from confluent_kafka.schema_registry._async.rest import AsyncRestClient

        rest = getattr(user, "_rest_client", None)
        if isinstance(rest, AsyncRestClient) and rest.config == self._client._rest_client.config:
            return rest
        if self._own is None:
            self._own = AsyncRestClient(self._client.config())
        return self._own

    async def close(self) -> None:
        """Close connections of its own on this event loop; the next request opens new ones."""
        if self._own is not None:
            await self._own.close()
