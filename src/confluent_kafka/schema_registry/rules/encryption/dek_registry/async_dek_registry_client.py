# SPDX-License-Identifier: Apache-2.0
"""The registry of keys: its client on an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._async.rest import AsyncRestClient
from confluent_kafka.schema_registry.rules.encryption.dek_registry import _ops as ops
from confluent_kafka.schema_registry.rules.encryption.dek_registry._models import (
    Dek,
    DekAlgorithm,
    Kek,
)

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = [
    "AsyncDekRegistryClient",
]


class AsyncDekRegistryClient:
    """An asyncio client of the registry of keys that client-side encryption uses. Any event loop can use it.

    Keys that were fetched are remembered, except in clear.

    Args:
        conf: configuration as that of AsyncSchemaRegistryClient; not changed.
    Raises:
        ValueError, TypeError: the configuration is wrong.
    """

    def __init__(self, conf: dict[str, Any]) -> None:
        self._conf = conf
        self._rest_client = AsyncRestClient(conf)
        self._registry = ops.DekRegistry(self._rest_client.link)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        exc_traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close connections; the next request opens new ones."""
        await self._rest_client.close()

    def config(self) -> dict[str, Any]:
        """Return the configuration this client was made with."""
        return self._conf

    def clear_caches(self) -> None:
        """Forget what was fetched."""
        self._registry.clear()

    @staticmethod
    def new_client(conf: dict[str, Any]) -> AsyncDekRegistryClient:
        """Return a client for ``conf``: one of a registry in memory without ``url``, or where it is ``mock://``."""
        return AsyncDekRegistryClient({**conf, "url": conf.get("url", "mock://")})

    async def register_kek(
        self,
        name: str,
        kms_type: str,
        kms_key_id: str,
        shared: bool = False,
        kms_props: dict[str, str] | None = None,
        doc: str | None = None,
        context: str | None = None,
    ) -> Kek:
        """Register a key encryption key.

        Args:
            name: the name that rules have it by.
            kms_type: which key management system, for example ``aws-kms``.
            kms_key_id: the key in there.
            shared: whether the registry may use the key: it wraps and unwraps data keys then.
            kms_props: properties for reaching it.
            doc: documentation.
            context: context of the registry; None for the default one.
        Raises:
            SchemaRegistryError: 409: there is another one of this name.
        """
        return await self._rest_client.run(
            ops.register_kek(self._registry, name, kms_type, kms_key_id, shared, kms_props, doc, context)
        )

    async def get_kek(self, name: str, deleted: bool = False, context: str | None = None) -> Kek:
        """Return a key encryption key; SchemaRegistryError 404 when there is none."""
        return await self._rest_client.run(ops.get_kek(self._registry, name, deleted, context))

    async def get_keks(self, deleted: bool = False, context: str | None = None) -> list[str]:
        """Return the names of all key encryption keys."""
        return await self._rest_client.run(ops.get_keks(self._registry, deleted, context))

    async def delete_kek(self, name: str, permanent: bool = False, context: str | None = None) -> None:
        """Delete a key encryption key without data keys; for good with ``permanent``, after it was deleted."""
        await self._rest_client.run(ops.delete_kek(self._registry, name, permanent, context))

    async def undelete_kek(self, name: str, context: str | None = None) -> None:
        """Restore a key encryption key that was deleted."""
        await self._rest_client.run(ops.undelete_kek(self._registry, name, context))

    async def register_dek(
        self,
        kek_name: str,
        subject: str,
        encrypted_key_material: str | None,
        algorithm: DekAlgorithm = DekAlgorithm.AES256_GCM,
        version: int = 1,
    ) -> Dek:
        """Register a data key.

        Args:
            kek_name: the key encryption key that wraps it.
            subject: whose data it encrypts.
            encrypted_key_material: the wrapped key, base64; None has the registry make one, for a shared KEK.
            algorithm: how it encrypts.
            version: 1, 2, ...
        Raises:
            SchemaRegistryError: 409: there is another one of this version.
        """
        return await self._rest_client.run(
            ops.register_dek(self._registry, kek_name, subject, encrypted_key_material, algorithm, version)
        )

    async def get_dek(
        self,
        kek_name: str,
        subject: str,
        algorithm: DekAlgorithm = DekAlgorithm.AES256_GCM,
        version: int = 1,
        deleted: bool = False,
    ) -> Dek:
        """Return a data key, version -1 being the latest; SchemaRegistryError 404 when there is none."""
        return await self._rest_client.run(ops.get_dek(self._registry, kek_name, subject, algorithm, version, deleted))

    async def get_deks(self, kek_name: str, deleted: bool = False) -> list[str]:
        """Return the subjects that have data keys under a key encryption key."""
        return await self._rest_client.run(ops.get_deks(self._registry, kek_name, deleted))

    async def get_dek_versions(
        self,
        kek_name: str,
        subject: str,
        algorithm: DekAlgorithm = DekAlgorithm.AES256_GCM,
        deleted: bool = False,
    ) -> list[int]:
        """Return the versions of a subject's data keys."""
        return await self._rest_client.run(ops.get_dek_versions(self._registry, kek_name, subject, algorithm, deleted))

    async def delete_dek(
        self,
        kek_name: str,
        subject: str,
        algorithm: DekAlgorithm = DekAlgorithm.AES256_GCM,
        version: int | None = None,
        permanent: bool = False,
    ) -> None:
        """Delete data keys: one version, or all with None; for good with ``permanent``, after they were deleted."""
        await self._rest_client.run(ops.delete_dek(self._registry, kek_name, subject, algorithm, version, permanent))

    async def undelete_dek(
        self,
        kek_name: str,
        subject: str,
        algorithm: DekAlgorithm = DekAlgorithm.AES256_GCM,
        version: int | None = None,
    ) -> None:
        """Restore data keys that were deleted: one version, or all with None."""
        await self._rest_client.run(ops.undelete_dek(self._registry, kek_name, subject, algorithm, version))
