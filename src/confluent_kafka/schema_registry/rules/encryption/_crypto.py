# SPDX-License-Identifier: Apache-2.0
"""Data keys and what they do to bytes.

Layouts are those of Tink's raw keys, which all clients of the registry's client-side encryption share::

    AES128_GCM, AES256_GCM   IV: 12 bytes | ciphertext | tag: 16 bytes
    AES256_SIV               synthetic IV: 16 bytes | ciphertext       (deterministic)
    key material             0x1a | length | key (GCM), 0x12 | length | key (SIV): a protobuf message with one field
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
except ImportError as e:
    raise ImportError(
        'encryption needs the package cryptography, which is not installed: pip install "ferrokafka[encryption]"',
        name="cryptography",
    ) from e

from confluent_kafka.schema_registry.rules.encryption.dek_registry._models import DekAlgorithm

if TYPE_CHECKING:
    from collections.abc import Callable

IV_BYTES = 12
TAG_BYTES = 16


_KEY_BYTES = {DekAlgorithm.AES128_GCM: 16, DekAlgorithm.AES256_GCM: 32, DekAlgorithm.AES256_SIV: 64}
# Number of the field that holds the key, and protobuf's tag for it
_FIELD = {DekAlgorithm.AES128_GCM: 3, DekAlgorithm.AES256_GCM: 3, DekAlgorithm.AES256_SIV: 2}


class CorruptKeyError(ValueError):
    """Key material that is none; its text never says what it was."""


class CorruptDataError(ValueError):
    """Data that this key did not encrypt, or that was changed since."""


def generate_material(algorithm: DekAlgorithm) -> bytearray:
    """Return the material of a new data key."""
    size = _KEY_BYTES[algorithm]
    material = bytearray((_FIELD[algorithm] << 3 | 2, size))
    material += os.urandom(size)
    return material


def _varint(data: bytes | bytearray, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise IndexError


def _key_of(algorithm: DekAlgorithm, material: bytes | bytearray) -> bytearray:
    """Take the key out of a protobuf message; fields beside it (a version) are passed over."""
    key = None
    position = 0
    try:
        while position < len(material):
            tag, position = _varint(material, position)
            if tag & 7 == 0:
                _, position = _varint(material, position)
                continue
            if tag & 7 != 2:
                raise IndexError
            size, position = _varint(material, position)
            if position + size > len(material):
                raise IndexError
            if tag >> 3 == _FIELD[algorithm]:
                key = bytearray(memoryview(material)[position : position + size])
            position += size
    except IndexError:
        raise CorruptKeyError(f"the unwrapped key material is not that of an {algorithm.value} key") from None
    if key is None or len(key) != _KEY_BYTES[algorithm]:
        raise CorruptKeyError(f"the unwrapped key material is not that of an {algorithm.value} key")
    return key


def wipe(material: bytearray) -> None:
    """Overwrite key material with zeros."""
    material[:] = bytes(len(material))


class DataKey:
    """A plaintext data key. Zeroed when the last reference to it goes; no representation or pickle shows it.

    Args:
        algorithm: how it encrypts.
        material: its material; copied, wiping it is the caller's affair.
    Raises:
        CorruptKeyError: the material is not that of such a key.
    """

    __slots__ = ("__weakref__", "_key", "_open", "_seal", "algorithm")

    def __init__(self, algorithm: DekAlgorithm, material: bytes | bytearray) -> None:
        self.algorithm = algorithm
        self._key = _key_of(algorithm, material)
        self._seal: Callable[[bytes], bytes]
        self._open: Callable[[bytes], bytes]
        if algorithm is DekAlgorithm.AES256_SIV:
            self._seal, self._open = _siv(AESSIV(self._key))
        else:
            self._seal, self._open = _gcm(AESGCM(self._key))

    def encrypt(self, data: bytes, head: bytes = b"") -> bytes:
        """Return ``head`` and the encrypted data."""
        return head + self._seal(data)

    def decrypt(self, data: bytes) -> bytes:
        """Return what was encrypted.

        Raises:
            CorruptDataError: another key encrypted it, or it was changed.
        """
        try:
            return self._open(data)
        except InvalidTag as e:
            raise CorruptDataError(
                f"{len(data)} bytes were not encrypted by this {self.algorithm.value} key, or were changed since"
            ) from e

    def __del__(self) -> None:
        key = getattr(self, "_key", None)
        if key is not None:
            wipe(key)

    def __repr__(self) -> str:
        return f"<DataKey {self.algorithm.value}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a data key is not pickled or copied: it would leave the key cache")


def _gcm(cipher: AESGCM) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]:
    encrypt, decrypt, random = cipher.encrypt, cipher.decrypt, os.urandom

    def seal(data: bytes) -> bytes:
        iv = random(IV_BYTES)
        return iv + encrypt(iv, data, None)

    def open_(data: bytes) -> bytes:
        if len(data) < IV_BYTES + TAG_BYTES:
            raise InvalidTag
        return decrypt(data[:IV_BYTES], data[IV_BYTES:], None)

    return seal, open_


def _siv(cipher: AESSIV) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]:
    # the associated data is empty, and it counts: one empty component is not the same as none
    associated = [b""]

    def open_(data: bytes) -> bytes:
        if len(data) < TAG_BYTES:
            raise InvalidTag
        return cipher.decrypt(data, associated)

    return lambda data: cipher.encrypt(data, associated), open_
