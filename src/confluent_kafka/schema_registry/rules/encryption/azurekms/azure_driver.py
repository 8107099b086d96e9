# SPDX-License-Identifier: Apache-2.0
"""The driver for ``azure-kms://https://vault.vault.azure.net/keys/name[/version]``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry.rules.encryption.azurekms._key_id import (
    AZURE_KEYURI_PREFIX,
    ENCRYPT_AZURE_KEY_VERSION_SAVE,
    is_versionless,
    with_version,
)
from confluent_kafka.schema_registry.rules.encryption.azurekms.azure_client import AzureKmsClient
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import KmsDriver, register_kms_driver

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "AZURE_KEYURI_PREFIX",
    "ENCRYPT_AZURE_KEY_VERSION_SAVE",
    "AzureKmsClient",
    "AzureKmsDriver",
    "get_versioned_key_id",
    "is_versionless",
    "with_version",
]

log = logging.getLogger("confluent_kafka.schema_registry.rules.encryption")


def get_versioned_key_id(conf: dict[str, Any], kms_key_id: str) -> str:
    """Return a key's id with the version that is the current one; as it is, if it names one. Asks the vault."""
    if not is_versionless(kms_key_id):
        return kms_key_id
    client = AzureKmsDriver().new_kms_client(conf, AZURE_KEYURI_PREFIX + kms_key_id)
    return with_version(kms_key_id, client.current_version(kms_key_id))


class AzureKmsDriver(KmsDriver):
    """Wraps data keys with Azure Key Vault (RSA-OAEP-256), by azure-keyvault-keys.

    Credentials: ``tenant.id``, ``client.id`` and ``client.secret``, else azure-identity's ``DefaultAzureCredential``.
    With ``encrypt.azure.key.version.save`` the version of a key named without one is written to what is wrapped: after
    a rotation of the key, data keys from before can be unwrapped then.

    Args:
        credential: a ``TokenCredential``.
        options: for the clients of the SDK, ``transport`` for example.
        client_factory: makes a ``CryptographyClient`` for a key's id.
        resolve: returns the current version of a key's id.
    """

    def __init__(
        self,
        credential: Any = None,
        options: dict[str, Any] | None = None,
        client_factory: Callable[[str], Any] | None = None,
        resolve: Callable[[str], str] | None = None,
    ) -> None:
        self._credential = credential
        self._options = options
        self._client_factory = client_factory
        self._resolve = resolve

    def get_key_url_prefix(self) -> str:
        """Return ``azure-kms://``."""
        return AZURE_KEYURI_PREFIX

    def new_kms_client(self, conf: dict[str, Any], key_url: str | None) -> AzureKmsClient:
        """Make a client; ImportError when the SDK is missing."""
        try:
            import azure.keyvault.keys  # noqa: F401  # what the client needs
        except ImportError as e:
            raise ImportError(
                'Azure Key Vault needs azure-keyvault-keys: pip install "ferrokafka[encryption-azure]"',
                name="azure.keyvault.keys",
            ) from e
        saves = str(conf.get(ENCRYPT_AZURE_KEY_VERSION_SAVE, "")).lower() == "true"
        if key_url and is_versionless(key_url) and not saves:
            log.warning(
                "the key %s names no version: data keys wrapped now cannot be unwrapped after it is rotated; set %s, "
                "or name a version",
                key_url,
                ENCRYPT_AZURE_KEY_VERSION_SAVE,
            )
        credential = self._credential
        if credential is None and self._client_factory is None:
            credential = _credential(conf)
        return AzureKmsClient(
            key_url or AZURE_KEYURI_PREFIX, credential, conf, self._options, self._client_factory, self._resolve
        )

    @classmethod
    def register(cls) -> None:
        """Have keys of Azure Key Vault wrapped by this driver."""
        register_kms_driver(cls())


def _credential(conf: dict[str, Any]) -> Any:
    from azure.identity import ClientSecretCredential, DefaultAzureCredential

    tenant, client, secret = (conf.get(name) for name in ("tenant.id", "client.id", "client.secret"))
    if tenant is None or client is None or secret is None:
        return DefaultAzureCredential()
    return ClientSecretCredential(tenant, client, secret)
