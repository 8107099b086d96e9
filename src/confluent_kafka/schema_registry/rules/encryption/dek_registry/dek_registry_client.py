# SPDX-License-Identifier: Apache-2.0
"""The registry of keys: its client and its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._sync.rest import RestClient
from confluent_kafka.schema_registry.rules.encryption.dek_registry import _ops as ops
from confluent_kafka.schema_registry.rules.encryption.dek_registry._models import (
    CreateDekRequest,
    CreateKekRequest,
    Dek,
    DekAlgorithm,
    DekId,
    Kek,
    KekId,
    KekKmsProps,
)

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = [
    "CreateDekRequest",
    "CreateKekRequest",
    "Dek",
    "DekAlgorithm",
    "DekId",
    "DekRegistryClient",
    "Kek",
    "KekId",
    "KekKmsProps",
]


class DekRegistryClient:
    """A client of the registry of keys that client-side encryption uses. Thread-safe.

    Keys that were fetched are remembered, except in clear.

    Args:
        conf: configuration as that of SchemaRegistryClient; not changed.
    Raises:
        ValueError, TypeError: the configuration is wrong.
    """

    def __init__(self, conf: dict[str, Any]) -> None:
        self._conf = conf
        self._rest_client = RestClient(conf)
        self._registry = ops.DekRegistry(self._rest_client.link)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        exc_traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close connections; the next request opens new ones."""
        self._rest_client.close()

    def config(self) -> dict[str, Any]:
        """Return the configuration this client was made with."""
        return self._conf

    def clear_caches(self) -> None:
        """Forget what was fetched."""
        self._registry.clear()

    @staticmethod
    def new_client(conf: dict[str, Any]) -> DekRegistryClient:
        """Return a client for ``conf``: one of a registry in memory without ``url``, or where it is ``mock://``."""
        from confluent_kafka.schema_registry.rules.encryption.dek_registry import mock_dek_registry_client as mock

        url = conf.get("url")
        if url is None or str(url).startswith("mock://"):
            return mock.MockDekRegistryClient({**conf, "url": url or "mock://"})
        return DekRegistryClient(conf)

    def register_kek(
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
        return self._rest_client.run(
            ops.register_kek(self._registry, name, kms_type, kms_key_id, shared, kms_props, doc, context)
        )

    def get_kek(self, name: str, deleted: bool = False, context: str | None = None) -> Kek:
        """Return a key encryption key; SchemaRegistryError 404 when there is none."""
        return self._rest_client.run(ops.get_kek(self._registry, name, deleted, context))

    def get_keks(self, deleted: bool = False, context: str | None = None) -> list[str]:
        """Return the names of all key encryption keys."""
        return self._rest_client.run(ops.get_keks(self._registry, deleted, context))

    def delete_kek(self, name: str, permanent: bool = False, context: str | None = None) -> None:
        """Delete a key encryption key without data keys; for good with ``permanent``, after it was deleted."""
        self._rest_client.run(ops.delete_kek(self._registry, name, permanent, context))

    def undelete_kek(self, name: str, context: str | None = None) -> None:
        """Restore a key encryption key that was deleted."""
        self._rest_client.run(ops.undelete_kek(self._registry, name, context))

    def register_dek(
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
        return self._rest_client.run(
            ops.register_dek(self._registry, kek_name, subject, encrypted_key_material, algorithm, version)
        )

    def get_dek(
        self,
        kek_name: str,
        subject: str,
        algorithm: DekAlgorithm = DekAlgorithm.AES256_GCM,
        version: int = 1,
        deleted: bool = False,
    ) -> Dek:
        """Return a data key, version -1 being the latest; SchemaRegistryError 404 when there is none."""
        return self._rest_client.run(ops.get_dek(self._registry, kek_name, subject, algorithm, version, deleted))

    def get_deks(self, kek_name: str, deleted: bool = False) -> list[str]:
        """Return the subjects that have data keys under a key encryption key."""
        return self._rest_client.run(ops.get_deks(self._registry, kek_name, deleted))

    def get_dek_versions(
        self,
        kek_name: str,
        subject: str,
        algorithm: DekAlgorithm = DekAlgorithm.AES256_GCM,
        deleted: bool = False,
    ) -> list[int]:
        """Return the versions of a subject's data keys."""
        return self._rest_client.run(ops.get_dek_versions(self._registry, kek_name, subject, algorithm, deleted))

    def delete_dek(
        self,
        kek_name: str,
        subject: str,
        algorithm: DekAlgorithm = DekAlgorithm.AES256_GCM,
        version: int | None = None,
        permanent: bool = False,
    ) -> None:
        """Delete data keys: one version, or all with None; for good with ``permanent``, after they were deleted."""
        self._rest_client.run(ops.delete_dek(self._registry, kek_name, subject, algorithm, version, permanent))

    def undelete_dek(
        self,
        kek_name: str,
        subject: str,
        algorithm: DekAlgorithm = DekAlgorithm.AES256_GCM,
        version: int | None = None,
    ) -> None:
        """Restore data keys that were deleted: one version, or all with None."""
        self._rest_client.run(ops.undelete_dek(self._registry, kek_name, subject, algorithm, version))
