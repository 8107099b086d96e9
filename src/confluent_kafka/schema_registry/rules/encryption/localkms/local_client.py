# SPDX-License-Identifier: Apache-2.0
"""Keys made from a secret that the application has itself: for tests, and where there is no key management system."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from confluent_kafka.schema_registry.error import RuleError
from confluent_kafka.schema_registry.rules.encryption._kms import Aead, KmsClient

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["LocalKmsClient"]

PREFIX = "local-kms://"
_KEY_BYTES, _IV_BYTES = 16, 12


class _LocalAead(Aead):
    """AES-128-GCM: ``IV: 12 bytes | ciphertext | tag: 16 bytes``."""

    def __init__(self, cipher: AESGCM) -> None:
        self._cipher = cipher

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        iv = os.urandom(_IV_BYTES)
        return iv + self._cipher.encrypt(iv, plaintext, associated_data or None)

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(ciphertext[:_IV_BYTES], ciphertext[_IV_BYTES:], associated_data or None)
        except (InvalidTag, ValueError) as e:
            raise RuleError("the data key was not wrapped with this secret, or was changed since") from e


class LocalKmsClient(KmsClient):
    """Wraps data keys with a key derived from a secret: HKDF-SHA256 without salt and info, 16 bytes.

    Args:
        secret: the secret; None takes the environment variable ``LOCAL_SECRET``.
    Raises:
        RuleError: there is no secret.
    """

    def __init__(self, secret: str | None = None) -> None:
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
            from cryptography.hazmat.primitives.hashes import SHA256
            from cryptography.hazmat.primitives.kdf.hkdf import HKDF
        except ImportError as e:
            raise ImportError(
                'local keys need cryptography: pip install "ferrokafka[encryption]"', name="cryptography"
            ) from e
        secret = secret or os.environ.get("LOCAL_SECRET")
        if not secret:
            raise RuleError(
                "cannot load secret: set secret in the rule configuration (rule_conf), or the environment variable "
                "LOCAL_SECRET"
            )
        key = HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"").derive(secret.encode())
        self._aead = _LocalAead(AESGCM(key))

    def does_support(self, key_uri: str) -> bool:
        """Whether the key is a local one."""
        return key_uri.startswith(PREFIX)

    def get_aead(self, key_uri: str) -> _LocalAead:
        """Return the key; all names of local keys stand for the one secret."""
        return self._aead
