# SPDX-License-Identifier: Apache-2.0
"""A key of Azure Key Vault."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry.error import RuleError
from confluent_kafka.schema_registry.rules.encryption._kms import Aead

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AzureKmsAead"]

# azure:v1: | version of the key: 32 hexadecimal digits | : | ciphertext
_VERSIONED = re.compile(rb"azure:v1:([0-9a-fA-F]{32}):")


class AzureKmsAead(Aead):
    """Wraps with one key.

    Args:
        default_client: a ``CryptographyClient`` for the key.
        algorithm: the ``EncryptionAlgorithm``.
        encrypt_target: gives the client of the key's current version and that version, which is then written before
            what is wrapped.
        client_factory: gives the client of a version.
    """

    def __init__(
        self,
        default_client: Any,
        algorithm: Any,
        encrypt_target: Callable[[], tuple[Any, str]] | None = None,
        client_factory: Callable[[str], Any] | None = None,
    ) -> None:
        self._default_client = default_client
        self._algorithm = algorithm
        self._encrypt_target = encrypt_target
        self._client_factory = client_factory

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Wrap a key; RSA has no associated data."""
        if self._encrypt_target is None:
            return bytes(self._default_client.encrypt(self._algorithm, plaintext).ciphertext)
        client, version = self._encrypt_target()
        return f"azure:v1:{version}:".encode() + bytes(client.encrypt(self._algorithm, plaintext).ciphertext)

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Unwrap a key, with the version it names if it does.

        Raises:
            RuleError: it names a version, and there is no way to that one.
        """
        client, named = self._default_client, _VERSIONED.match(ciphertext)
        if named is not None:
            if self._client_factory is None:
                raise RuleError("the wrapped key names a version of its key, and this client knows one version only")
            client, ciphertext = self._client_factory(named.group(1).decode()), ciphertext[named.end() :]
        return bytes(client.decrypt(self._algorithm, ciphertext).plaintext)
