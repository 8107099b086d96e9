# SPDX-License-Identifier: Apache-2.0
"""The driver for ``hcvault://https://host:port/transit/keys/name``."""

from __future__ import annotations

from typing import Any

from confluent_kafka.schema_registry.rules.encryption.hcvault.hcvault_client import (
    VAULT_KEYURI_PREFIX,
    HcVaultKmsClient,
)
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import (
    KmsDriver,
    register_kms_driver,
    setting,
    timeout_of,
)

__all__ = ["HcVaultKmsClient", "HcVaultKmsDriver", "KmsDriver", "register_kms_driver"]


class HcVaultKmsDriver(KmsDriver):
    """Wraps data keys with the transit engine of a HashiCorp Vault, by its REST API.

    Properties, else environment variables: ``token.id`` (``VAULT_TOKEN``), or ``approle.role.id`` and
    ``approle.secret.id`` (``VAULT_APPROLE_ROLE_ID``, ``VAULT_APPROLE_SECRET_ID``); ``namespace`` (``VAULT_NAMESPACE``);
    ``ssl.ca.location`` (``VAULT_CACERT``), ``ssl.certificate.location`` (``VAULT_CLIENT_CERT``), ``ssl.key.location``
    (``VAULT_CLIENT_KEY``).

    Args:
        client: a ready client.
        transport: a transport of httpx2, in place of the network.
    """

    def __init__(self, client: Any = None, transport: Any = None) -> None:
        self._client = client
        self._transport = transport

    def get_key_url_prefix(self) -> str:
        """Return ``hcvault://``."""
        return VAULT_KEYURI_PREFIX

    def new_kms_client(self, conf: dict[str, Any], key_url: str | None) -> Any:
        """Make a client.

        Raises:
            RuleError: there are no credentials, or the key's URL is none.
            ValueError: there is a private key without a certificate.
        """
        if self._client is not None:
            return self._client
        certificate = setting(conf, "ssl.certificate.location", "VAULT_CLIENT_CERT")
        key = setting(conf, "ssl.key.location", "VAULT_CLIENT_KEY")
        if key is not None and certificate is None:
            raise ValueError("ssl.certificate.location required when configuring ssl.key.location")
        verify = setting(conf, "ssl.ca.location", "VAULT_CACERT")
        return HcVaultKmsClient(
            key_url or VAULT_KEYURI_PREFIX,
            setting(conf, "token.id", "VAULT_TOKEN"),
            setting(conf, "namespace", "VAULT_NAMESPACE"),
            setting(conf, "approle.role.id", "VAULT_APPROLE_ROLE_ID"),
            setting(conf, "approle.secret.id", "VAULT_APPROLE_SECRET_ID"),
            True if verify is None else verify,
            certificate if key is None else (certificate, key),
            timeout_of(conf),
            self._transport,
        )

    @classmethod
    def register(cls) -> None:
        """Have keys of Vaults wrapped by this driver."""
        register_kms_driver(cls())
