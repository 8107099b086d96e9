# SPDX-License-Identifier: Apache-2.0
"""Where data keys come from, as operations: each step that waits is an effect.

Writing: the key encryption key (KEK) is looked up by name, made when there is none; the data key (DEK) of the subject
is looked up, made when there is none or it is too old. Reading: both have to be there. A KEK that is ``shared`` lets
the registry wrap and unwrap; else the key management system (KMS) does.
"""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.effects import BlockingCall
from confluent_kafka.schema_registry.error import (
    DekNotFoundError,
    EncryptionError,
    KekNotFoundError,
    KmsError,
    RuleError,
    SchemaRegistryError,
)
from confluent_kafka.schema_registry.rules.encryption._crypto import (
    CorruptKeyError,
    DataKey,
    generate_material,
    wipe,
)
from confluent_kafka.schema_registry.rules.encryption._keys import LATEST, CachedKey, KeyId
from confluent_kafka.schema_registry.rules.encryption._secrets import presentable, scrub, secrets_of, summary
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import get_kms_driver

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.schema_registry._core.effects import Op
    from confluent_kafka.schema_registry._core.rules import RuleInfo
    from confluent_kafka.schema_registry.rules.encryption._keys import KeyRing
    from confluent_kafka.schema_registry.rules.encryption.dek_registry._models import Dek, DekAlgorithm, Kek
    from confluent_kafka.schema_registry.rules.encryption.dek_registry._tasks import RegistryOfTasks
    from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import Aead

log = logging.getLogger("confluent_kafka.schema_registry.rules.encryption")

ENCRYPT_KEK_NAME = "encrypt.kek.name"
ENCRYPT_KMS_KEY_ID = "encrypt.kms.key.id"
ENCRYPT_KMS_TYPE = "encrypt.kms.type"
ENCRYPT_DEK_ALGORITHM = "encrypt.dek.algorithm"
ENCRYPT_DEK_EXPIRY_DAYS = "encrypt.dek.expiry.days"
ENCRYPT_ALTERNATE_KMS_KEY_IDS = "encrypt.alternate.kms.key.ids"
MILLIS_IN_DAY = 24 * 60 * 60 * 1000
# How long a key that is past its time is used on, where a new one could not be made
RETRY_ROTATION_SEC = 60.0
MAX_CLIENTS = 100
# The registry's code for what was deleted, though not for good
MUST_BE_UNDELETED = 40472


def context_of(subject: str) -> str | None:
    """Return the context a subject is in, ``.ctx`` of ``:.ctx:name``; None for the default one."""
    if subject.startswith(":."):
        end = subject.find(":", 2)
        if end > 0:
            return subject[1:end]
    return None


def head_of(version: int) -> bytes:
    """Return what stands before data encrypted with a data key that is rotated: ``0x00 | version: 4 bytes``."""
    return b"\x00" + version.to_bytes(4, "big")


HEAD_BYTES = 5


@dataclass(frozen=True, slots=True)
class KeySpec:
    """What a rule says about keys.

    Args:
        kek: name of the key encryption key.
        kms_type: which key management system; None where the rule does not say.
        kms_key_id: the key in there; None where the rule does not say.
        algorithm: how data keys encrypt.
        expiry_days: after how many days a writer makes a new data key; 0 for never.
        subject: subject of the data keys.
        writing: whether keys may be made.
    """

    kek: str
    kms_type: str | None
    kms_key_id: str | None
    algorithm: DekAlgorithm
    expiry_days: int
    subject: str
    writing: bool

    @property
    def current(self) -> KeyId:
        """The key that a writer uses now."""
        version = LATEST if self.expiry_days > 0 else 1
        return KeyId(self.kek, self.subject, self.algorithm, version, True)

    def version(self, number: int) -> KeyId:
        """Return the key that a reader needs for data of a version."""
        return KeyId(self.kek, self.subject, self.algorithm, number or 1, False)

    @classmethod
    def of_rule(cls, info: RuleInfo, algorithm_of: Callable[[str | None], DekAlgorithm]) -> KeySpec:
        """Read the parameters of a rule.

        Raises:
            RuleError: one is missing or wrong.
        """
        kek = info.parameter(ENCRYPT_KEK_NAME)
        if kek is None:
            raise RuleError("no kek name found")
        if not kek:
            raise RuleError("empty kek name")
        if info.subject is None:
            raise RuleError("encryption needs a subject, which this message does not have: pass a context")
        return cls(
            kek,
            info.parameter(ENCRYPT_KMS_TYPE),
            info.parameter(ENCRYPT_KMS_KEY_ID),
            algorithm_of(info.parameter(ENCRYPT_DEK_ALGORITHM)),
            _days(info.parameter(ENCRYPT_DEK_EXPIRY_DAYS)),
            info.subject,
            info.mode.value == "WRITE",
        )


def _days(value: str | None) -> int:
    if value is None:
        return 0
    try:
        days = int(value)
    except ValueError as e:
        raise RuleError(f"invalid value for {ENCRYPT_DEK_EXPIRY_DAYS}: {value}") from e
    if days < 0:
        raise RuleError(f"invalid value for {ENCRYPT_DEK_EXPIRY_DAYS}: {value}")
    return days


class Keys:
    """Gets the data keys of one executor.

    Args:
        registry: a client of the registry of keys; asked by effects, and only for what its caches do not have.
        ring: where plaintext keys are kept.
        config: ``rule_conf``.
        clock: milliseconds since the epoch.
        registry_of_tasks: the same registry for asyncio tasks; None has threads ask the client.
        follow_clock: whether the clock is taken at its word, however far it is from the registry's.
    """

    def __init__(
        self,
        registry: Any,
        ring: KeyRing,
        config: dict[str, Any],
        clock: Callable[[], float],
        registry_of_tasks: RegistryOfTasks | None = None,
        follow_clock: bool = False,
    ) -> None:
        self._registry = registry
        self._registry_of_tasks = registry_of_tasks
        self.ring = ring
        self._config = config
        self._clock = clock
        self._follow_clock = follow_clock
        self._clients: dict[Any, Any] = {}

    def reconfigure(self, config: dict[str, Any]) -> None:
        """Use another ``rule_conf`` from now on."""
        self._config = config

    def clear(self) -> None:
        """Drop keys and connections."""
        self.ring.clear()
        self._clients.clear()

    def current(self, spec: KeySpec) -> CachedKey | None:
        """Return the key a writer uses now; None when it has to be fetched, or is too old."""
        cached = self.ring.get(spec.current)
        if cached is not None and cached.expires is not None and self._clock() > cached.expires:
            return None
        return cached

    def of_version(self, spec: KeySpec, version: int) -> CachedKey | None:
        """Return the key for data of a version; None when it has to be fetched."""
        return self.ring.get(spec.version(version))

    def load_current(self, spec: KeySpec) -> Op[CachedKey]:
        """Fetch the key that a writer uses now, or make it.

        Raises:
            EncryptionError: there is none, and none could be made.
        """
        if (cached := self.current(spec)) is not None:
            return cached
        kek = yield from self._kek(spec)
        key_id = spec.current
        dek = yield from self._find_dek(spec, key_id.version, deleted=False)
        if dek is not None and self._is_old(spec, dek):
            old = dek
            try:
                return self._keep(spec, (yield from self._new_dek(spec, kek, (dek.version or 1) + 1)), new=True)
            except EncryptionError as e:
                log.warning("%s: could not make a new data key, going on with version %s", e, old.version)
                key = yield from self._unwrap(spec, kek, old)
                version = old.version or 1
                return self.ring.put(key_id, key, version, head_of(version), None, RETRY_ROTATION_SEC)
        if dek is not None:
            key = yield from self._unwrap(spec, kek, dek)
            return self._keep(spec, (dek, key))
        return self._keep(spec, (yield from self._new_dek(spec, kek, 1)), new=True)

    def load_version(self, spec: KeySpec, version: int) -> Op[CachedKey]:
        """Fetch the key for data of a version.

        Raises:
            EncryptionError: there is none, or it could not be unwrapped.
        """
        version = version or 1
        if (cached := self.of_version(spec, version)) is not None:
            return cached
        kek = yield from self._kek(spec)
        dek = yield from self._find_dek(spec, version, deleted=True)
        if dek is None:
            raise DekNotFoundError(
                f"no dek found for {spec.kek} during consume: it was deleted for good, or the data was encrypted under "
                "another subject",
                spec.kek,
                spec.subject,
                version,
            )
        key = yield from self._unwrap(spec, kek, dek)
        return self.ring.put(spec.version(version), key, version, b"", None)

    def rotate(self, spec: KeySpec) -> Op[Dek]:
        """Make the next version of a subject's data key.

        Raises:
            EncryptionError: there is no such key encryption key, or no data key yet; or none could be made.
        """
        kek = yield from self._kek(spec)
        dek = yield from self._find_dek(spec, LATEST, deleted=False)
        if dek is None:
            raise DekNotFoundError("there is no data key yet: a writer makes the first one", spec.kek, spec.subject)
        made, _ = yield from self._new_dek(spec, kek, (dek.version or 1) + 1)
        return made

    def _keep(self, spec: KeySpec, made: tuple[Dek, DataKey], *, new: bool = False) -> CachedKey:
        dek, key = made
        version = dek.version or 1
        if spec.expiry_days == 0:
            return self.ring.put(spec.current, key, version, b"", None)
        # a new key is new, whatever the registry's clock says: else each message would make another one, where the
        # clocks are days apart
        start = self._clock() if new and not self._follow_clock else dek.ts
        expires = None if start is None else start + spec.expiry_days * MILLIS_IN_DAY
        if new and expires is not None:
            expires = max(expires, self._clock())  # it is for the message, at least, that it was made for
        return self.ring.put(spec.current, key, version, head_of(version), expires)

    def _is_old(self, spec: KeySpec, dek: Dek) -> bool:
        return spec.expiry_days > 0 and dek.ts is not None and self._clock() > dek.ts + spec.expiry_days * MILLIS_IN_DAY

    # the registry of keys

    def _ask(self, method: str, *arguments: Any) -> Op[Any]:
        function = partial(getattr(self._registry, method), *arguments)
        tasks = self._registry_of_tasks
        return (yield BlockingCall(function, None if tasks is None else partial(tasks.ask, method, arguments)))

    def _answer(self, method: str, *arguments: Any) -> Op[tuple[Any, Exception | None]]:
        """Ask the registry; the result is its answer, or why there is none."""
        try:
            return (yield from self._ask(method, *arguments)), None
        except Exception as e:  # of the registry, the network, or a function for tokens
            return None, e

    def _kek(self, spec: KeySpec) -> Op[Kek]:
        context = context_of(spec.subject)
        kek = yield from self._find_kek(spec, context)
        if kek is None and not spec.writing:
            raise KekNotFoundError(f"no kek found for {spec.kek} during consume", spec.kek, spec.subject)
        if kek is None:
            kek = yield from self._new_kek(spec, context)
        if spec.kms_type and kek.kms_type != spec.kms_type:
            raise EncryptionError(
                f"found {spec.kek} with kms type {kek.kms_type} which differs from rule kms type {spec.kms_type}",
                spec.kek,
                spec.subject,
            )
        if spec.kms_key_id and kek.kms_key_id != spec.kms_key_id:
            raise EncryptionError(
                f"found {spec.kek} with kms key id {kek.kms_key_id} which differs from rule kms key id "
                f"{spec.kms_key_id}",
                spec.kek,
                spec.subject,
            )
        return kek

    def _failed(
        self, what: str, error: Exception, where: tuple[Any, ...], kind: type[EncryptionError] = EncryptionError
    ) -> EncryptionError:
        """Return what is raised for an error of the registry: where none is handled, so that it is no context."""
        secrets = secrets_of(self._registry.config())
        if getattr(error, "error_code", None) == MUST_BE_UNDELETED:
            what = f"{what}: it was deleted; undelete it, or delete it for good"
        said = scrub(str(error), secrets) if isinstance(error, SchemaRegistryError) else summary(error, secrets)
        failure = kind(f"{what}: {said}", *where)
        failure.__cause__ = presentable(error, secrets)
        return failure

    def _find_kek(self, spec: KeySpec, context: str | None) -> Op[Kek | None]:
        kek: Kek | None
        kek, error = yield from self._answer("get_kek", spec.kek, False, context)
        if error is not None and _status(error) != 404:
            raise self._failed(f"could not get kek {spec.kek}", error, (spec.kek, spec.subject))
        return kek

    def _new_kek(self, spec: KeySpec, context: str | None) -> Op[Kek]:
        for name, value in (("type", spec.kms_type), ("key id", spec.kms_key_id)):
            if not value:
                raise KekNotFoundError(
                    f"no kms {name} found for {spec.kek} during produce: the registry does not have this kek, and to "
                    f"make it the rule needs {ENCRYPT_KMS_TYPE} and {ENCRYPT_KMS_KEY_ID}",
                    spec.kek,
                    spec.subject,
                )
        made: Kek | None
        made, error = yield from self._answer(
            "register_kek", spec.kek, spec.kms_type, spec.kms_key_id, False, None, None, context
        )
        if made is not None:
            return made
        if error is not None and _status(error) != 409:
            kind = KekNotFoundError if _status(error) == 404 else EncryptionError
            raise self._failed(f"could not register kek {spec.kek}", error, (spec.kek, spec.subject), kind)
        # somebody else made it just now
        kek = yield from self._find_kek(spec, context)
        if kek is None:
            raise KekNotFoundError(f"no kek found for {spec.kek} during produce", spec.kek, spec.subject)
        return kek

    def _find_dek(self, spec: KeySpec, version: int, *, deleted: bool) -> Op[Dek | None]:
        shown = None if version == LATEST else version
        dek: Dek | None
        dek, error = yield from self._answer("get_dek", spec.kek, spec.subject, spec.algorithm, version, deleted)
        if error is not None and _status(error) != 404:
            raise self._failed("could not get dek", error, (spec.kek, spec.subject, shown))
        return dek if dek is not None and (dek.encrypted_key_material or dek.key_material) else None

    def _new_dek(self, spec: KeySpec, kek: Kek, version: int) -> Op[tuple[Dek, DataKey]]:
        if kek.shared:
            dek = yield from self._register_dek(spec, version, None)
            return dek, (yield from self._unwrap(spec, kek, dek))
        material = generate_material(spec.algorithm)
        try:
            wrapped = yield from self._kms(spec, kek, "encrypt", bytes(material), version)
            text = base64.b64encode(wrapped).decode()
            dek = yield from self._register_dek(spec, version, text)
            if dek.encrypted_key_material == text:
                return dek, DataKey(spec.algorithm, material)
        finally:
            wipe(material)
        # somebody else made one just now: it is the one that counts
        return dek, (yield from self._unwrap(spec, kek, dek))

    def _register_dek(self, spec: KeySpec, version: int, wrapped: str | None) -> Op[Dek]:
        where = (spec.kek, spec.subject, version)
        made: Dek | None
        made, error = yield from self._answer("register_dek", spec.kek, spec.subject, wrapped, spec.algorithm, version)
        if made is not None:
            return made
        if error is not None and _status(error) != 409:
            kind = EncryptionError
            if _status(error) == 404:
                deleted = getattr(error, "error_code", None) == MUST_BE_UNDELETED
                kind = DekNotFoundError if deleted else KekNotFoundError
                self._registry.clear_caches()  # the kek that it remembers is gone: the next message asks for it anew
            raise self._failed("could not register dek", error, where, kind)
        dek = yield from self._find_dek(spec, version, deleted=False)
        if dek is None:
            raise DekNotFoundError(
                "no dek found during produce, though the registry says that it exists: it may be deleted; undelete it, "
                "or delete it for good",
                *where,
            )
        return dek

    # the key management system

    def _unwrap(self, spec: KeySpec, kek: Kek, dek: Dek) -> Op[DataKey]:
        where = (spec.kek, spec.subject, dek.version)
        material = dek.get_key_material_bytes()
        if material is None:
            wrapped = dek.get_encrypted_key_material_bytes()
            if wrapped is None:
                raise DekNotFoundError("the registry returned a dek without key material", *where)
            material = yield from self._kms(spec, kek, "decrypt", wrapped, dek.version)
        try:
            return DataKey(spec.algorithm, material)
        except CorruptKeyError as e:
            raise EncryptionError(str(e), *where) from e

    def _kms(self, spec: KeySpec, kek: Kek, method: str, data: bytes, version: int | None) -> Op[bytes]:
        try:
            return (yield from self._with_any(kek, method, data))
        except KmsError as e:
            raise KmsError(e.reason, spec.kek, spec.subject, version) from e.__cause__

    def wrap(self, kek: Kek, key: bytes) -> Op[bytes]:
        """Wrap a key; KmsError when no key of the KEK does."""
        return self._with_any(kek, "encrypt", key)

    def unwrap(self, kek: Kek, wrapped: bytes) -> Op[bytes]:
        """Unwrap a key; KmsError when no key of the KEK does."""
        return self._with_any(kek, "decrypt", wrapped)

    def _with_any(self, kek: Kek, method: str, data: bytes) -> Op[bytes]:
        """Wrap or unwrap with the first key that does it: the KEK's own, then the alternates."""
        props = {} if kek.kms_props is None else kek.kms_props.properties
        alternates = props.get(ENCRYPT_ALTERNATE_KMS_KEY_IDS) or self._config.get(ENCRYPT_ALTERNATE_KMS_KEY_IDS) or ""
        ids = [kek.kms_key_id or "", *(part.strip() for part in alternates.split(",") if part.strip())]
        error: Exception | None = None
        for key_id in ids:
            url = f"{kek.kms_type}://{key_id}"
            config = {**self._config, **props}
            try:
                result: bytes = yield BlockingCall(partial(self._transform, url, config, method, data))
            except Exception as e:  # whatever an SDK raises; the next key may do
                error = e
                log.warning(
                    "failed to %s with kek %s and kms key id %s: %s", method, kek.name, key_id, type(e).__name__
                )
            else:
                return result
        secrets = secrets_of({**self._config, **props})
        said = f"failed to {method} with all KEKs for {kek.name}: {summary(error, secrets)}"
        raise KmsError(said, kek.name) from presentable(error, secrets)

    def _transform(self, url: str, config: dict[str, Any], method: str, data: bytes) -> bytes:
        aead = self._aead(url, config)
        result: bytes = aead.encrypt(data, b"") if method == "encrypt" else aead.decrypt(data, b"")
        return result

    def _aead(self, url: str, config: dict[str, Any]) -> Aead:
        driver = get_kms_driver(url)
        known = (url, id(driver), frozenset((name, _hashable(value)) for name, value in config.items()))
        client = self._clients.get(known)
        if client is None:
            if len(self._clients) >= MAX_CLIENTS:
                self._clients.clear()
            client = self._clients.setdefault(known, driver.new_kms_client(config, url))
        aead: Aead = client.get_aead(url)
        return aead


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return id(value)  # a client or credential
    return value


def _status(error: Exception) -> int | None:
    return error.http_status_code if isinstance(error, SchemaRegistryError) else None
