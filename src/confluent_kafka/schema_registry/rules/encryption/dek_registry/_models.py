# SPDX-License-Identifier: Apache-2.0
"""Data of the registry of keys: key encryption keys (KEKs), data keys (DEKs), requests.

Each class converts from and to the registry's JSON with ``from_dict`` and ``to_dict``.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from confluent_kafka._redact import shown
from confluent_kafka.schema_registry._core.models import _JsonMap, _JsonObject, _read

if TYPE_CHECKING:
    from typing_extensions import Self


class DekAlgorithm(str, Enum):
    """How a data key encrypts."""

    AES128_GCM = "AES128_GCM"
    AES256_GCM = "AES256_GCM"
    AES256_SIV = "AES256_SIV"

    def __str__(self) -> str:
        return str(self.value)


def _algorithm(raw: Any) -> DekAlgorithm:
    return DekAlgorithm(raw)


@dataclass(slots=True)
class KekKmsProps(_JsonMap):
    """Properties of a key management system, by name; secret ones are not shown."""

    properties: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        safe = {name: shown(name, value) for name, value in self.properties.items()}
        return f"KekKmsProps({safe!r})"


@dataclass(slots=True)
class CreateKekRequest(_JsonObject):
    """A key encryption key that is to be made."""

    name: str | None
    kms_type: str | None
    kms_key_id: str | None
    kms_props: KekKmsProps | None = field(metadata=_read(KekKmsProps.from_dict))
    doc: str | None
    shared: bool | None


@dataclass(slots=True)
class Kek(_JsonObject):
    """A key encryption key: where the key is that wraps data keys.

    Args:
        name: the name that rules have it by.
        kms_type: which key management system, for example ``aws-kms``.
        kms_key_id: the key in there.
        kms_props: properties for reaching it.
        doc: documentation.
        shared: whether the registry may use the key itself: it wraps and unwraps data keys then.
        ts: when it was made, milliseconds since the epoch.
        deleted: whether it was deleted.
    """

    name: str | None
    kms_type: str | None
    kms_key_id: str | None
    kms_props: KekKmsProps | None = field(metadata=_read(KekKmsProps.from_dict))
    doc: str | None
    shared: bool | None
    ts: int | None = None
    deleted: bool | None = None


@dataclass(slots=True)
class CreateDekRequest(_JsonObject):
    """A data key that is to be made."""

    subject: str | None
    version: int | None
    algorithm: DekAlgorithm | None = field(metadata=_read(_algorithm))
    encrypted_key_material: str | None


@dataclass(slots=True)
class Dek(_JsonObject):
    """A data key.

    Args:
        kek_name: the key encryption key that wraps it.
        subject: whose data it encrypts.
        version: 1, 2, ...
        algorithm: how it encrypts.
        encrypted_key_material: the wrapped key, base64.
        key_material: the key itself, base64, where the registry unwraps it. Not shown, and not pickled.
        ts: when it was made, milliseconds since the epoch.
        deleted: whether it was deleted.
    """

    kek_name: str | None
    subject: str | None
    version: int | None
    algorithm: DekAlgorithm | None = field(metadata=_read(_algorithm))
    encrypted_key_material: str | None
    key_material: str | None = field(default=None, repr=False)
    ts: int | None = None
    deleted: bool | None = None

    @property
    def encrypted_key_material_bytes(self) -> bytes | None:
        """The wrapped key."""
        return self.get_encrypted_key_material_bytes()

    @property
    def key_material_bytes(self) -> bytes | None:
        """The key itself."""
        return self.get_key_material_bytes()

    def get_encrypted_key_material_bytes(self) -> bytes | None:
        """Return the wrapped key; None when there is none."""
        return None if self.encrypted_key_material is None else base64.b64decode(self.encrypted_key_material)

    def get_key_material_bytes(self) -> bytes | None:
        """Return the key itself; None when it was not unwrapped."""
        return None if self.key_material is None else base64.b64decode(self.key_material)

    def set_key_material(self, key_material_bytes: bytes | None) -> None:
        """Set the key itself."""
        self.key_material = None if not key_material_bytes else base64.b64encode(key_material_bytes).decode()

    def __getstate__(self) -> list[Any]:
        return [None if name == "key_material" else getattr(self, name) for name in self.__slots__]

    def __setstate__(self, state: list[Any]) -> None:
        for name, value in zip(self.__slots__, state, strict=True):
            setattr(self, name, value)

    def without_key_material(self) -> Self:
        """Return a copy that can be kept: without the key itself."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return type(self)(**{**values, "key_material": None})


@dataclass(frozen=True, slots=True)
class KekId:
    """What identifies a key encryption key; ``context`` is that of the registry, None for the default one."""

    name: str
    deleted: bool
    context: str | None = None


@dataclass(frozen=True, slots=True)
class DekId:
    """What identifies a data key; version -1 is the latest."""

    kek_name: str
    subject: str
    version: int
    algorithm: DekAlgorithm
    deleted: bool
