# SPDX-License-Identifier: Apache-2.0
"""What a key management system's clients and keys can do.

These are the shapes of Tink's ``KmsClient`` and ``Aead``; any object with the same methods will do.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol, runtime_checkable


@runtime_checkable
class Aead(Protocol):
    """A key that wraps data keys. Its methods may block; they are called from several threads."""

    @abstractmethod
    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return the wrapped key."""

    @abstractmethod
    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Return the key that was wrapped."""


@runtime_checkable
class KmsClient(Protocol):
    """A connection to a key management system."""

    @abstractmethod
    def does_support(self, key_uri: str) -> bool:
        """Whether the client is for this key."""

    @abstractmethod
    def get_aead(self, key_uri: str) -> Aead:
        """Return a key."""
