# SPDX-License-Identifier: Apache-2.0
"""Azure Key Vault by its official client."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.cache import BoundedDict
from confluent_kafka.schema_registry.rules.encryption._kms import KmsClient
from confluent_kafka.schema_registry.rules.encryption.azurekms._key_id import (
    AZURE_KEYURI_PREFIX,
    ENCRYPT_AZURE_KEY_VERSION_SAVE,
    is_versionless,
    with_version,
)
from confluent_kafka.schema_registry.rules.encryption.azurekms.azure_aead import AzureKmsAead
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import ATTEMPTS, key_id_of, timeout_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AZURE_KEYURI_PREFIX", "AzureKmsClient"]


class AzureKmsClient(KmsClient):
    """A connection to Azure Key Vault. Thread-safe.

    Args:
        key_uri: a key, ``azure-kms://https://vault/keys/name[/version]``.
        credentials: a ``TokenCredential``.
        conf: ``rule_conf``.
        options: for the clients of the SDK, ``transport`` for example.
        client_factory: makes a ``CryptographyClient`` for a key's id, in place of the SDK.
        resolve: returns the current version of a key's id, in place of the SDK.
    """

    def __init__(
        self,
        key_uri: str,
        credentials: Any,
        conf: dict[str, Any] | None = None,
        options: dict[str, Any] | None = None,
        client_factory: Callable[[str], Any] | None = None,
        resolve: Callable[[str], str] | None = None,
    ) -> None:
        conf = conf or {}
        timeout = timeout_of(conf)
        self._credentials = credentials
        self._options = {
            "connection_timeout": timeout,
            "read_timeout": timeout,
            "retry_total": ATTEMPTS - 1,
            **(options or {}),
        }
        self._saves = str(conf.get(ENCRYPT_AZURE_KEY_VERSION_SAVE, "")).lower() == "true"
        self._make = client_factory or self._new
        self._resolve = resolve or self.current_version
        self._clients: BoundedDict[str, Any] = BoundedDict(100)
        self._lock = threading.Lock()

    def does_support(self, key_uri: str) -> bool:
        """Whether the key is one of Azure Key Vault."""
        return key_uri.startswith(AZURE_KEYURI_PREFIX)

    def get_aead(self, key_uri: str) -> AzureKmsAead:
        """Return a key."""
        from azure.keyvault.keys.crypto import EncryptionAlgorithm

        key_id = key_id_of(key_uri, AZURE_KEYURI_PREFIX)

        def version(name: str) -> Any:
            return self._client(with_version(key_id, name))

        def current() -> tuple[Any, str]:
            name = self._resolve(key_id)
            return version(name), name

        target = current if self._saves and is_versionless(key_id) else None
        return AzureKmsAead(self._client(key_id), EncryptionAlgorithm.rsa_oaep_256, target, version)

    def _client(self, key_id: str) -> Any:
        with self._lock:
            client = self._clients.get(key_id)
            return self._clients.put(key_id, self._make(key_id)) if client is None else client

    def _new(self, key_id: str) -> Any:
        from azure.keyvault.keys.crypto import CryptographyClient

        return CryptographyClient(key_id, self._credentials, **self._options)

    def current_version(self, key_id: str) -> str:
        """Return the version of a key that is the current one. Asks the vault."""
        from azure.keyvault.keys import KeyClient

        vault, _, name = key_id.rstrip("/").rpartition("/keys/")
        with KeyClient(vault, self._credentials, **self._options) as client:
            return str(client.get_key(name).properties.version)
