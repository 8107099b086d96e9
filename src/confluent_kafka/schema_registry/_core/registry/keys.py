# SPDX-License-Identifier: Apache-2.0
"""The keys of field encryption that a registry keeps: KEKs, and the DEKs that are encrypted by them.

Key material is kept as it is given: the registry here has no KMS. A DEK of a *shared* KEK is one that the registry
makes and unwraps for clients without access to the KMS: made without material, it gets a new random key, which is
returned as ``keyMaterial`` in the clear, beside an ``encryptedKeyMaterial`` of random bytes that no KMS can decrypt.
Given with encrypted material, there is nobody to decrypt it, and no ``keyMaterial``.
"""

from __future__ import annotations

import base64
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.registry import failures
from confluent_kafka.schema_registry._core.registry.names import DEFAULT_CONTEXT, SubjectName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from confluent_kafka.schema_registry.error import SchemaRegistryError

DEFAULT_ALGORITHM = "AES256_GCM"
# Tink's key messages: AesGcmKey has its key in field 3, AesSivKey in field 2
_PREFIXES = {"AES128_GCM": b"\x1a\x10", "AES256_GCM": b"\x1a\x20", "AES256_SIV": b"\x12\x40"}
ALGORITHMS = tuple(_PREFIXES)
_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)


@dataclass(slots=True)
class Kek:
    """A key encryption key: where its KMS has it. The key itself never comes here."""

    name: str
    kms_type: str
    kms_key_id: str
    kms_props: dict[str, str]
    doc: str | None
    shared: bool
    ts: int
    deleted: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return this as the registry's JSON."""
        described = {"name": self.name, "kmsType": self.kms_type, "kmsKeyId": self.kms_key_id}
        optional = {"kmsProps": self.kms_props or None, "doc": self.doc}
        return {**described, **_given(optional), "shared": self.shared, "ts": self.ts, **_mark(self.deleted)}


@dataclass(slots=True)
class Dek:
    """A data encryption key, encrypted."""

    kek_name: str
    subject: str
    version: int
    algorithm: str
    encrypted_key_material: str | None = field(repr=False)
    key_material: str | None = field(repr=False)
    ts: int
    deleted: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return this as the registry's JSON."""
        described = {"kekName": self.kek_name, "subject": self.subject, "version": self.version}
        material = {"encryptedKeyMaterial": self.encrypted_key_material, "keyMaterial": self.key_material}
        return {**described, "algorithm": self.algorithm, **_given(material), "ts": self.ts, **_mark(self.deleted)}


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _mark(deleted: bool) -> dict[str, bool]:
    return {"deleted": True} if deleted else {}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class KeyStore:
    """KEKs by context and name, DEKs by KEK, subject, algorithm and version. Not thread-safe.

    Args:
        now_ms: clock for ``ts``, milliseconds since the epoch.
        random_bytes: makes keys of shared KEKs.
    """

    def __init__(
        self, now_ms: Callable[[], int] = _now_ms, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._now_ms = now_ms
        self._random_bytes = random_bytes
        self._keks: dict[tuple[str, str], Kek] = {}
        self._deks: dict[tuple[str, str], list[Dek]] = {}

    def kek_names(self, deleted: bool, context: str | None) -> list[str]:
        """Return the names of KEKs, of one context or (None) of all."""
        return sorted(
            {
                kek.name
                for (where, _), kek in self._keks.items()
                if (deleted or not kek.deleted) and context in (None, where)
            }
        )

    def kek(self, name: str, deleted: bool = False, context: str = DEFAULT_CONTEXT) -> Kek:
        """Return a KEK. Raises: SchemaRegistryError 40470: there is none, or a deleted one that was not asked for."""
        kek = self._keks.get((context, name))
        if kek is None or (kek.deleted and not deleted):
            raise failures.no_key(name)
        return kek

    def add_kek(self, body: Mapping[str, Any], context: str = DEFAULT_CONTEXT) -> Kek:
        """Make a KEK. Raises: SchemaRegistryError 42271: something is missing or wrong; 40971: it exists."""
        name = _checked_name(body.get("name"))
        for key in ("kmsType", "kmsKeyId"):
            if not isinstance(body.get(key), str) or not body[key]:
                raise failures.invalid_key(key)
        existing = self._keks.get((context, name))
        if existing is not None:
            raise failures.key_deleted(name) if existing.deleted else failures.key_exists(name)
        kek = Kek(
            name,
            body["kmsType"],
            body["kmsKeyId"],
            _props(body.get("kmsProps")),
            _doc(body.get("doc")),
            bool(body.get("shared", False)),
            self._now_ms(),
        )
        self._keks[context, name] = kek
        return kek

    def change_kek(self, name: str, body: Mapping[str, Any], context: str = DEFAULT_CONTEXT) -> Kek:
        """Change a KEK's properties, text, and whether it is shared. Raises: SchemaRegistryError 40470, 42271."""
        kek = self.kek(name, context=context)
        if "kmsProps" in body:
            kek.kms_props = _props(body["kmsProps"])
        if "doc" in body:
            kek.doc = _doc(body["doc"])
        if body.get("shared") is not None:
            kek.shared = bool(body["shared"])
        kek.ts = self._now_ms()
        return kek

    def delete_kek(self, name: str, permanent: bool, context: str = DEFAULT_CONTEXT) -> None:
        """Delete a KEK. Raises: SchemaRegistryError 40470; 40471: not deleted softly before; 42272: it has DEKs."""
        kek = self.kek(name, deleted=True, context=context)
        if permanent and not kek.deleted:
            raise failures.key_not_deleted(name)
        deks = self._deks.get((context, name), ())
        if any(permanent or not dek.deleted for dek in deks):
            raise failures.key_referenced(name)
        kek.deleted = True
        if permanent:
            del self._keks[context, name]

    def undelete_kek(self, name: str, context: str = DEFAULT_CONTEXT) -> None:
        """Take a soft deletion back. Raises: SchemaRegistryError 40470."""
        self.kek(name, deleted=True, context=context).deleted = False

    def subjects(self, name: str, deleted: bool) -> list[str]:
        """Return the subjects that have DEKs of a KEK. Raises: SchemaRegistryError 40470."""
        place = self._place(name, None, deleted)
        return sorted({dek.subject for dek in self._deks.get(place, ()) if deleted or not dek.deleted})

    def versions(self, name: str, subject: str, algorithm: str | None, deleted: bool) -> list[int]:
        """Return the versions of a DEK, lowest first. Raises: SchemaRegistryError 40470."""
        found = [dek.version for dek in self._of(name, subject, algorithm) if deleted or not dek.deleted]
        if not found:
            raise failures.no_key(subject)
        return sorted(found)

    def dek(self, name: str, subject: str, algorithm: str | None, version: int | str, deleted: bool) -> Dek:
        """Return a DEK; version ``latest`` or -1 is the highest. Raises: SchemaRegistryError 40470."""
        found = [dek for dek in self._of(name, subject, algorithm, deleted) if deleted or not dek.deleted]
        if version not in ("latest", -1):
            found = [dek for dek in found if dek.version == version]
        if not found:
            raise failures.no_key(subject)
        return max(found, key=lambda dek: dek.version)

    def add_dek(self, name: str, subject: Any, body: Mapping[str, Any]) -> Dek:
        """Make a DEK.

        Raises:
            SchemaRegistryError: 40470: no such KEK; 40472: deleted, to be undeleted first; 40971: it exists;
                42271: something is missing or wrong.
        """
        if not isinstance(subject, str) or not subject or any(ord(c) < 32 for c in subject):
            raise failures.invalid_key("subject")
        place = self._place(name, subject, deleted=False)
        algorithm = _checked_algorithm(body.get("algorithm"))
        version = body.get("version") or 1
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise failures.invalid_key("version")
        for dek in self._deks.get(place, ()):
            if (dek.subject, dek.algorithm, dek.version) == (subject, algorithm, version):
                raise failures.key_deleted(subject) if dek.deleted else failures.key_exists(subject)
        material, clear = body.get("encryptedKeyMaterial"), None
        if material is not None and not isinstance(material, str):
            raise failures.invalid_key("encryptedKeyMaterial")
        if not material:
            if not self._keks[place].shared:
                raise failures.invalid_key("encryptedKeyMaterial")
            prefix = _PREFIXES[algorithm]
            clear = base64.b64encode(prefix + self._random_bytes(prefix[1])).decode()
            material = base64.b64encode(self._random_bytes(64)).decode()
        dek = Dek(name, subject, version, algorithm, material, clear, self._now_ms(), bool(body.get("deleted", False)))
        self._deks.setdefault(place, []).append(dek)
        return dek

    def delete_deks(
        self, name: str, subject: str, algorithm: str | None, version: int | str | None, permanent: bool
    ) -> None:
        """Delete one version of a DEK, or (None) all. Raises: SchemaRegistryError 40470; 40471: not deleted before."""
        place = self._place(name, subject, deleted=True)
        chosen = self._chosen(name, subject, algorithm, version)
        if permanent and not all(dek.deleted for dek in chosen):
            raise failures.key_not_deleted(subject)
        for dek in chosen:
            dek.deleted = True
            if permanent:
                self._deks[place].remove(dek)

    def undelete_deks(self, name: str, subject: str, algorithm: str | None, version: int | str | None) -> None:
        """Take soft deletions back. Raises: SchemaRegistryError 40470; 40472: the KEK is deleted."""
        if self._keks[self._place(name, subject, deleted=True)].deleted:
            raise failures.key_deleted(name)
        for dek in self._chosen(name, subject, algorithm, version):
            dek.deleted = False

    def _chosen(self, name: str, subject: str, algorithm: str | None, version: int | str | None) -> list[Dek]:
        found = self._of(name, subject, algorithm)
        if version in ("latest", -1) and found:
            version = max(dek.version for dek in found)
        chosen = [dek for dek in found if version in (None, dek.version)]
        if not chosen:
            raise failures.no_key(subject)
        return chosen

    def _of(self, name: str, subject: str, algorithm: str | None, deleted: bool = True) -> list[Dek]:
        algorithm = _checked_algorithm(algorithm)
        place = self._place(name, subject, deleted)
        return [dek for dek in self._deks.get(place, ()) if (dek.subject, dek.algorithm) == (subject, algorithm)]

    def _place(self, name: str, subject: str | None, deleted: bool) -> tuple[str, str]:
        """Find the KEK of a subject: the one in the subject's context, else the one in the default context."""
        contexts: Iterable[str] = (SubjectName.parse(subject).context, DEFAULT_CONTEXT)
        error: SchemaRegistryError = failures.no_key(name)
        for context in contexts:
            kek = self._keks.get((context, name))
            if kek is not None and (deleted or not kek.deleted):
                return context, name
        raise error


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise failures.invalid_key("name")
    return name


def _checked_algorithm(algorithm: Any) -> str:
    algorithm = algorithm or DEFAULT_ALGORITHM
    if algorithm not in ALGORITHMS:
        raise failures.invalid_key("algorithm")
    return str(algorithm)


def _props(props: Any) -> dict[str, str]:
    if props is None:
        return {}
    if not isinstance(props, dict):
        raise failures.invalid_key("kmsProps")
    return {str(name): str(value) for name, value in props.items()}


def _doc(doc: Any) -> str | None:
    return None if doc is None else str(doc)
