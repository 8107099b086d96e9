# SPDX-License-Identifier: Apache-2.0
"""The executors of rules that encrypt: fields (ENCRYPT) and whole payloads (ENCRYPT_PAYLOAD)."""

from __future__ import annotations

import base64
import binascii
import io
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.effects import BlockingCall, Share, share
from confluent_kafka.schema_registry._core.models import RuleMode
from confluent_kafka.schema_registry._core.rule_fields import Field
from confluent_kafka.schema_registry._core.rule_types import (
    FieldContext,
    FieldRuleExecutor,
    FieldTransform,
    FieldType,
    RuleContext,
    RuleExecutor,
)
from confluent_kafka.schema_registry._core.rules import RuleCall, RuleInfo, Run, Suspend
from confluent_kafka.schema_registry._sync.drive import drive
from confluent_kafka.schema_registry.error import DecryptionError, RuleError, SchemaRegistryError
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption._core import (
    ENCRYPT_ALTERNATE_KMS_KEY_IDS,
    ENCRYPT_DEK_ALGORITHM,
    ENCRYPT_DEK_EXPIRY_DAYS,
    ENCRYPT_KEK_NAME,
    ENCRYPT_KMS_KEY_ID,
    ENCRYPT_KMS_TYPE,
    HEAD_BYTES,
    MILLIS_IN_DAY,
    Keys,
    KeySpec,
)
from confluent_kafka.schema_registry.rules.encryption._crypto import CorruptDataError, DataKey, generate_material
from confluent_kafka.schema_registry.rules.encryption._keys import (
    DEFAULT_CAPACITY,
    DEFAULT_TTL_SEC,
    CachedKey,
    KeyRing,
)
from confluent_kafka.schema_registry.rules.encryption._kms import Aead
from confluent_kafka.schema_registry.rules.encryption.dek_registry._tasks import RegistryOfTasks
from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import (
    Dek,
    DekAlgorithm,
    DekId,
    DekRegistryClient,
    Kek,
    KekId,
)
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import KmsDriver, get_kms_driver

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.effects import Op
    from confluent_kafka.schema_registry._core.rule_fields import LeafRun

__all__ = [
    "ENCRYPT_ALTERNATE_KMS_KEY_IDS",
    "ENCRYPT_DEK_ALGORITHM",
    "ENCRYPT_DEK_EXPIRY_DAYS",
    "ENCRYPT_KEK_NAME",
    "ENCRYPT_KMS_KEY_ID",
    "ENCRYPT_KMS_TYPE",
    "KEY_CACHE_CAPACITY",
    "KEY_CACHE_TTL_SEC",
    "MILLIS_IN_DAY",
    "AeadWrapper",
    "Clock",
    "Cryptor",
    "Dek",
    "DekAlgorithm",
    "DekId",
    "DekRegistryClient",
    "EncryptionExecutor",
    "EncryptionExecutorTransform",
    "FieldContext",
    "FieldEncryptionExecutor",
    "FieldEncryptionExecutorTransform",
    "FieldRuleExecutor",
    "FieldType",
    "Kek",
    "KekId",
    "KmsDriver",
    "RuleContext",
    "RuleError",
    "RuleExecutor",
    "RuleMode",
    "RuleRegistry",
    "SchemaRegistryError",
    "get_kms_driver",
    "rotate",
]

KEY_CACHE_CAPACITY = "encrypt.key.cache.capacity"
KEY_CACHE_TTL_SEC = "encrypt.key.cache.ttl.sec"


class Clock:
    """Tells the time."""

    def now(self) -> int:
        """Return milliseconds since the epoch."""
        return int(time.time() * 1000)


class Cryptor:
    """Encrypts with the material of a data key, in the layout that all clients share.

    Args:
        dek_format: how data keys encrypt.
    """

    EMPTY_AAD = b""

    def __init__(self, dek_format: DekAlgorithm) -> None:
        self.dek_format = dek_format
        self.is_deterministic = dek_format is DekAlgorithm.AES256_SIV

    def generate_key(self) -> bytes:
        """Return the material of a new key."""
        return bytes(generate_material(self.dek_format))

    def encrypt(self, dek: bytes, plaintext: bytes, associated_data: bytes = b"") -> bytes:
        """Encrypt; ``associated_data`` is empty in all clients and is not used."""
        return DataKey(self.dek_format, dek).encrypt(plaintext)

    def decrypt(self, dek: bytes, ciphertext: bytes, associated_data: bytes = b"") -> bytes:
        """Decrypt; ValueError when another key encrypted it, or it was changed."""
        return DataKey(self.dek_format, dek).decrypt(ciphertext)


def _algorithm(name: str | None) -> DekAlgorithm:
    return DekAlgorithm.AES256_GCM if name is None else DekAlgorithm[name]


class EncryptionExecutor(RuleExecutor):
    """Encrypts and decrypts whole payloads: rules of type ENCRYPT_PAYLOAD among the encoding rules.

    It is configured once, by the first (de)serializer that has it, with that one's registry client and ``rule_conf``:
    credentials for the key management system, ``encrypt.alternate.kms.key.ids``, and of our own
    ``encrypt.key.cache.capacity`` (1000 keys) and ``encrypt.key.cache.ttl.sec`` (3600).

    Args:
        clock: tells when data keys are too old.
    """

    protects = True

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.client: DekRegistryClient | None = None
        self.config: dict[str, Any] | None = None
        self._client_conf: dict[str, Any] | None = None
        self._keys: Keys | None = None
        self._tasks: RegistryOfTasks | None = None

    def configure(self, client_conf: dict[str, Any], rule_conf: dict[str, Any]) -> None:
        """Take the configuration of a (de)serializer.

        Raises:
            RuleError: it was configured with another registry, or with another value of ``rule_conf``.
        """
        if self._client_conf is not None and self._client_conf != client_conf:
            raise RuleError(
                "executor already configured: it belongs to another registry; give this (de)serializer a rule_registry "
                "with an executor of its own"
            )
        rule_conf = rule_conf or {}
        config = dict(self.config or {})
        for name, value in rule_conf.items():
            if name in config and config[name] != value:
                raise RuleError(f"rule config key already set: {name}")
            config[name] = value
        self.config = config
        if self.client is None:
            self.client = DekRegistryClient.new_client(dict(client_conf))
            self._client_conf = dict(client_conf)
        if self._keys is None:
            ring = KeyRing(
                int(config.get(KEY_CACHE_CAPACITY, DEFAULT_CAPACITY)),
                max(1.0, float(config.get(KEY_CACHE_TTL_SEC, DEFAULT_TTL_SEC))),
            )
            self._tasks = RegistryOfTasks(self.client)
            by_test = type(self.clock) is not Clock
            self._keys = Keys(self.client, ring, self.config, self.clock.now, self._tasks, by_test)
        else:
            self._keys.reconfigure(config)

    @property
    def keys(self) -> Keys:
        """Where this executor gets its keys.

        Raises:
            RuleError: it was not configured.
        """
        if self._keys is None:
            raise RuleError("client not configured: the executor has to belong to a (de)serializer's rule registry")
        return self._keys

    def type(self) -> str:
        """Return ``ENCRYPT_PAYLOAD``."""
        return "ENCRYPT_PAYLOAD"

    def close(self) -> None:
        """Drop all keys, and the connection to the registry of keys."""
        if self._keys is not None:
            self._keys.clear()
        if self.client is not None:
            self.client.close()

    async def aclose(self) -> None:
        """Close what asyncio (de)serializers have opened on this event loop to reach the registry of keys."""
        if self._tasks is not None:
            await self._tasks.close()

    def __getstate__(self) -> Any:
        raise TypeError("an encryption executor holds keys: it is not pickled")

    @classmethod
    def register(cls) -> None:
        """Have payloads encrypted by (de)serializers without a rule registry of their own."""
        RuleRegistry.register_rule_executor(cls())

    @classmethod
    def register_with_clock(cls, clock: Clock) -> EncryptionExecutor:
        """Register one with a clock of its own, for tests: it decides, whatever the registry's clock says."""
        executor = cls(clock)
        RuleRegistry.register_rule_executor(executor)
        return executor

    def compile_rule(self, info: RuleInfo) -> Run:
        """Return what runs a rule on payloads."""
        cipher = Cipher(self.keys, KeySpec.of_rule(info, _algorithm))
        transform = cipher.encrypt if info.mode is RuleMode.WRITE else cipher.decrypt

        def run(message: Any, call: RuleCall) -> bytes:
            return transform(bytes(message))

        return run

    def transform(self, ctx: RuleContext, message: Any) -> Any:
        """Encrypt or decrypt a payload; waits for the key where it is not there yet."""
        return self.new_transform(ctx).transform(ctx, FieldType.BYTES, message)

    def new_transform(self, ctx: RuleContext) -> EncryptionExecutorTransform:
        """Return what transforms single values for a rule; it waits for keys that are not there yet."""
        name = ctx.get_parameter(ENCRYPT_KEK_NAME)
        days = KeySpec.of_rule(_info(ctx), _algorithm).expiry_days
        cryptor = Cryptor(_algorithm(ctx.get_parameter(ENCRYPT_DEK_ALGORITHM)))
        return EncryptionExecutorTransform(self, cryptor, str(name), days)


def _info(ctx: RuleContext) -> RuleInfo:
    return RuleInfo(ctx.rule, ctx.index, ctx.rules, ctx.rule_mode, ctx.source, ctx.target, ctx.subject, ctx.enabled_env)


class Cipher:
    """Encrypts and decrypts the values of one rule. Raises ``Suspend`` for a key that is not there yet."""

    def __init__(self, keys: Keys, spec: KeySpec) -> None:
        self._keys = keys
        self._spec = spec
        self._rotated = spec.expiry_days > 0
        self._get = keys.ring.get
        self._current_id = spec.current
        self._first_id = spec.version(1)

    def _load_current(self) -> Op[Any]:
        # many messages may want the same key at the same time
        return share((id(self._keys), self._spec), lambda: self._keys.load_current(self._spec), everywhere=True)

    def _load(self, version: int) -> Op[Any]:
        key = (id(self._keys), self._spec, version)
        return share(key, lambda: self._keys.load_version(self._spec, version), everywhere=True)

    def encrypt(self, data: bytes) -> bytes:
        """Return the bytes that are written in place of ``data``."""
        cached = self._get(self._current_id)
        if cached is None or (cached.expires is not None and self._keys.current(self._spec) is None):
            raise Suspend(self._load_current)
        return cached.key.encrypt(data, cached.head)

    def encrypt_text(self, text: str) -> str:
        """Return the text that is written in place of ``text``."""
        cached = self._get(self._current_id)
        if cached is None or (cached.expires is not None and self._keys.current(self._spec) is None):
            raise Suspend(self._load_current)
        data: bytes | None
        try:
            data = text.encode()
        except UnicodeEncodeError:
            data = None
        if data is None:
            # not above: that error, which holds the text, would be the context of this one
            raise RuleError("a text with lone surrogates cannot be encrypted: it is not Unicode")
        return binascii.b2a_base64(cached.key.encrypt(data, cached.head), newline=False).decode("ascii")

    def decrypt(self, data: bytes) -> bytes:
        """Return what ``data`` was written in place of.

        Raises:
            DecryptionError: another key encrypted it, or it was changed.
        """
        version = 1
        if self._rotated:
            if len(data) < HEAD_BYTES:
                raise self._corrupt("no version found in ciphertext", None)
            version = int.from_bytes(data[1:HEAD_BYTES], "big")
            data = data[HEAD_BYTES:]
        cached: CachedKey | None = self._get(self._spec.version(version) if self._rotated else self._first_id)
        if cached is None:
            raise Suspend(lambda: self._load(version))
        try:
            return cached.key.decrypt(data)
        except CorruptDataError as e:
            raise self._corrupt(str(e), version) from e

    def decrypt_text(self, text: str) -> str:
        """Return what ``text`` was written in place of; DecryptionError as ``decrypt``."""
        try:
            data = _from_base64(text)
        except ValueError as e:
            raise self._corrupt("the text is not base64: it is not encrypted", None) from e
        decrypted: str | None
        try:
            decrypted = self.decrypt(data).decode()
        except UnicodeDecodeError:
            decrypted = None
        if decrypted is None:
            # not above: that error, which holds the decrypted bytes, would be the context of this one
            raise self._corrupt("the decrypted bytes are not text", None)
        return decrypted

    def _corrupt(self, reason: str, version: int | None) -> DecryptionError:
        return DecryptionError(reason, self._spec.kek, self._spec.subject, version)


def _from_base64(text: str) -> bytes:
    if sys.version_info >= (3, 11):
        return binascii.a2b_base64(text, strict_mode=True)  # what the other does in the end, sooner
    return base64.b64decode(text, validate=True)


def _binary(value: Any) -> bytes:
    if isinstance(value, io.BytesIO):
        return value.getvalue()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise RuleError(f"type {type(value).__name__} not supported for encryption")


def _leaf_of(cipher: Cipher, item: Field, *, writing: bool) -> LeafRun:
    """Return what transforms the values of one field."""
    if item.type is FieldType.NULL:
        return lambda value, containing, state: value
    text: Callable[[str], str]
    if item.type is FieldType.STRING and item.logical is None:
        text = cipher.encrypt_text if writing else cipher.decrypt_text

        def run_text(value: Any, containing: Any, state: Any) -> Any:
            if value is None:
                return None
            if not isinstance(value, str):
                raise RuleError(f"field {item.full_name}: type {type(value).__name__} not supported for encryption")
            return text(value)

        return run_text
    if item.type is FieldType.BYTES and item.logical is None:
        binary = cipher.encrypt if writing else cipher.decrypt
        return lambda value, containing, state: None if value is None else binary(_binary(value))
    kind = item.type.value if item.logical is None else f"{item.type.value} ({item.logical})"

    def refuse(value: Any, containing: Any, state: Any) -> Any:
        if value is None:
            return None
        raise RuleError(f"field {item.full_name}: type {kind} not supported for encryption")

    return refuse


class FieldEncryptionExecutor(FieldRuleExecutor):
    """Encrypts and decrypts fields: rules of type ENCRYPT among the domain rules.

    A text becomes base64 text, bytes become bytes; other types are refused.

    Args:
        clock: tells when data keys are too old.
    """

    protects = True

    def __init__(self, clock: Clock | None = None) -> None:
        self.executor = EncryptionExecutor(clock)

    @property
    def client(self) -> DekRegistryClient | None:
        """The client of the registry of keys; None before it is configured."""
        return self.executor.client

    def configure(self, client_conf: dict[str, Any], rule_conf: dict[str, Any]) -> None:
        """Take the configuration of a (de)serializer; see :class:`EncryptionExecutor`."""
        self.executor.configure(client_conf, rule_conf)

    def type(self) -> str:
        """Return ``ENCRYPT``."""
        return "ENCRYPT"

    def compile_rule(self, info: RuleInfo) -> Run | None:
        """Return what runs a rule on messages, None when it is for no field of the schema.

        Raises:
            RuleError: the rule has no tags, and the schema no fields.
        """
        if info.fields is not None and not info.fields.has_fields and not info.rule.tags:
            raise RuleError(
                f"rule {info.rule.name} encrypts fields, and this schema has none: use ENCRYPT_PAYLOAD among the "
                "encoding rules"
            )
        cipher = Cipher(self.executor.keys, KeySpec.of_rule(info, _algorithm))
        writing = info.mode is RuleMode.WRITE
        walk = info.walk(lambda item: _leaf_of(cipher, item, writing=writing))
        return None if walk is None else lambda message, call: walk(message, None)

    def new_transform(self, ctx: RuleContext) -> FieldTransform:
        """Return ``(context, field, value) -> value``; it waits for keys that are not there yet."""
        return FieldEncryptionExecutorTransform(self.executor.new_transform(ctx)).transform

    def close(self) -> None:
        """Drop all keys, and the connection to the registry of keys."""
        self.executor.close()

    async def aclose(self) -> None:
        """Close what asyncio (de)serializers have opened on this event loop to reach the registry of keys."""
        await self.executor.aclose()

    @classmethod
    def register(cls) -> None:
        """Have fields encrypted by (de)serializers without a rule registry of their own."""
        RuleRegistry.register_rule_executor(cls())

    @classmethod
    def register_with_clock(cls, clock: Clock) -> FieldEncryptionExecutor:
        """Register one with a clock of its own, for tests: it decides, whatever the registry's clock says."""
        executor = cls(clock)
        RuleRegistry.register_rule_executor(executor)
        return executor


class EncryptionExecutorTransform:
    """Transforms single values for a rule; waits for keys that are not there yet.

    Args:
        executor: has the keys.
        cryptor: says how data keys encrypt.
        kek_name: the key encryption key.
        dek_expiry_days: after how many days data keys are too old; 0 for never.
    """

    def __init__(self, executor: EncryptionExecutor, cryptor: Cryptor, kek_name: str, dek_expiry_days: int) -> None:
        self._executor = executor
        self._cryptor = cryptor
        self._kek_name = kek_name
        self._dek_expiry_days = dek_expiry_days

    def transform(self, ctx: RuleContext, field_type: FieldType, field_value: Any) -> Any:
        """Return the value that is written, or read, in place of another one.

        Raises:
            RuleError: the value is neither text nor bytes, or there is no key.
        """
        if ctx.rule_mode not in (RuleMode.WRITE, RuleMode.READ):
            raise RuleError(f"unsupported rule mode {ctx.rule_mode}")
        spec = KeySpec(
            self._kek_name,
            ctx.get_parameter(ENCRYPT_KMS_TYPE),
            ctx.get_parameter(ENCRYPT_KMS_KEY_ID),
            self._cryptor.dek_format,
            self._dek_expiry_days,
            str(ctx.subject),
            ctx.rule_mode is RuleMode.WRITE,
        )
        item = Field("", "", field_type, frozenset())
        run = _leaf_of(Cipher(self._executor.keys, spec), item, writing=spec.writing)
        while True:
            try:
                return run(field_value, None, None)
            except Suspend as wait:  # noqa: PERF203  # rare
                if ctx.suspends:
                    raise
                _block(wait.operation())


class FieldEncryptionExecutorTransform:
    """Transforms the values of fields; waits for keys that are not there yet.

    Args:
        executor_transform: transforms single values.
    """

    def __init__(self, executor_transform: EncryptionExecutorTransform) -> None:
        self.executor_transform = executor_transform

    def transform(self, ctx: RuleContext, field_ctx: FieldContext, field_value: Any) -> Any:
        """Return the value that is written, or read, in place of another one."""
        return self.executor_transform.transform(ctx, field_ctx.field_type, field_value)


def _block(operation: Op[Any]) -> Any:
    """Run an operation whose effects are calls that may block."""
    return drive(operation, _perform)


def _perform(effect: Any) -> Any:
    if isinstance(effect, Share):
        return _block(effect.make())
    if isinstance(effect, BlockingCall):
        return effect.function()
    raise NotImplementedError(f"unexpected effect {effect!r}")


def rotate(client_conf: dict[str, Any], rule_conf: dict[str, Any], kek: str, subject: str, algorithm: str) -> Dek:
    """Make the next version of a subject's data key, which writers with ``encrypt.dek.expiry.days`` use from then on.

    A writer that is running notices when its own key is too old, or after ``encrypt.key.cache.ttl.sec``.

    Args:
        client_conf: configuration of the registry client.
        rule_conf: properties for the key management system; its driver has to be registered.
        kek: the key encryption key.
        subject: whose data the key is for.
        algorithm: how it encrypts, for example ``AES256_GCM``.
    Raises:
        EncryptionError: there is no such key encryption key or no data key yet, or none could be made.
    """
    spec = KeySpec(kek, None, None, _algorithm(algorithm), 1, subject, True)
    with DekRegistryClient.new_client(client_conf) as client:
        dek: Dek = _block(Keys(client, KeyRing(1), rule_conf, Clock().now).rotate(spec))
    return dek


class AeadWrapper(Aead):
    """Wraps and unwraps with the keys of a key encryption key: its own, then the alternates. Blocks.

    Args:
        config: ``rule_conf``.
        kek: the key encryption key.
    """

    def __init__(self, config: dict[str, Any], kek: Kek) -> None:
        self._kek = kek
        self._keys = Keys(None, KeyRing(1), config, Clock().now)

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Wrap; KmsError when no key does."""
        return bytes(_block(self._keys.wrap(self._kek, plaintext)))

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Unwrap; KmsError when no key does."""
        return bytes(_block(self._keys.unwrap(self._kek, ciphertext)))
