# SPDX-License-Identifier: Apache-2.0
"""The driver for ``aws-kms://arn:aws:kms:region:account:key/id``."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry.error import RuleError
from confluent_kafka.schema_registry.rules.encryption._kms import Aead, KmsClient
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import (
    ATTEMPTS,
    KmsDriver,
    key_id_of,
    register_kms_driver,
    setting,
    timeout_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AwsKmsDriver"]

_PREFIX = "aws-kms://"
_SESSION_NAME = "confluent-encrypt"
# credentials of a role are renewed so long before they end
_MARGIN_SEC = 300.0


class AwsKmsDriver(KmsDriver):
    """Wraps data keys with AWS KMS, by boto3.

    Credentials: ``access.key.id`` and ``secret.access.key`` (``session.token``), else ``profile``, else those boto3
    finds by itself. With ``role.arn`` or ``AWS_ROLE_ARN`` (unless ``AWS_WEB_IDENTITY_TOKEN_FILE`` is set) they assume
    that role: ``role.session.name`` or ``AWS_ROLE_SESSION_NAME``, ``role.external.id`` or ``AWS_ROLE_EXTERNAL_ID``.

    Args:
        client: a ready KMS client of boto3.
        endpoint_url: where KMS is, if not at its usual place; ``AWS_ENDPOINT_URL_KMS`` does the same.
        session: a ready session of boto3.
    """

    def __init__(self, client: Any = None, endpoint_url: str | None = None, session: Any = None) -> None:
        self._client = client
        self._endpoint_url = endpoint_url
        self._session = session

    def get_key_url_prefix(self) -> str:
        """Return ``aws-kms://``."""
        return _PREFIX

    def new_kms_client(self, conf: dict[str, Any], key_url: str | None) -> AwsKmsClient:
        """Make a client.

        Raises:
            RuleError: the key's id is no ARN.
            ImportError: boto3 is missing.
        """
        arn = key_id_of(key_url or _PREFIX, _PREFIX)
        parts = arn.split(":")
        if len(parts) < 6:
            raise RuleError(f"invalid key id {arn}: expected arn:aws:kms:region:account:key/id")
        if self._client is not None:
            return AwsKmsClient(lambda: (self._client, None))
        connect = _Connection(conf, parts[3], self._endpoint_url, self._session)
        return AwsKmsClient(connect)

    @classmethod
    def register(cls) -> None:
        """Have keys of AWS KMS wrapped by this driver."""
        register_kms_driver(cls())


class _Connection:
    """Makes KMS clients: with the client, when it has to be made anew (seconds of the wall clock)."""

    def __init__(self, conf: dict[str, Any], region: str, endpoint_url: str | None, session: Any) -> None:
        try:
            import boto3
            from botocore.config import Config
        except ImportError as e:
            raise ImportError('AWS KMS needs boto3: pip install "ferrokafka[encryption-aws]"', name="boto3") from e
        timeout = timeout_of(conf)
        self._config = Config(
            connect_timeout=timeout,
            read_timeout=timeout,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        )
        self._region = region
        self._endpoint_url = endpoint_url
        key, secret, profile = conf.get("access.key.id"), conf.get("secret.access.key"), conf.get("profile")
        if session is None and key is not None and secret is not None:
            session = boto3.Session(key, secret, conf.get("session.token"), region_name=region)
        elif session is None:
            session = boto3.Session(region_name=region, profile_name=profile)
        self._session = session
        self._role: dict[str, str] | None = None
        role = setting(conf, "role.arn", "AWS_ROLE_ARN")
        # with a web identity, boto3 assumes the role of AWS_ROLE_ARN by itself
        if role is not None and setting({}, "", "AWS_WEB_IDENTITY_TOKEN_FILE") is None:
            name = setting(conf, "role.session.name", "AWS_ROLE_SESSION_NAME") or _SESSION_NAME
            self._role = {"RoleArn": role, "RoleSessionName": name}
            external = setting(conf, "role.external.id", "AWS_ROLE_EXTERNAL_ID")
            if external is not None:
                self._role["ExternalId"] = external

    def __call__(self) -> tuple[Any, float | None]:
        if self._role is None:
            return self._new("kms", endpoint_url=self._endpoint_url), None
        granted = self._new("sts").assume_role(**self._role)["Credentials"]
        client = self._new(
            "kms",
            endpoint_url=self._endpoint_url,
            aws_access_key_id=granted["AccessKeyId"],
            aws_secret_access_key=granted["SecretAccessKey"],
            aws_session_token=granted["SessionToken"],
        )
        return client, granted["Expiration"].timestamp() - _MARGIN_SEC

    def _new(self, service: str, **options: Any) -> Any:
        return self._session.client(service, region_name=self._region, config=self._config, **options)


class AwsKmsClient(KmsClient):
    """A connection to AWS KMS. Thread-safe.

    Args:
        connect: makes a client of boto3, and says until when it is good.
    """

    def __init__(self, connect: Callable[[], tuple[Any, float | None]]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._made: tuple[Any, float | None] | None = None

    def client(self) -> Any:
        """Return a client that is good for a while."""
        with self._lock:
            if self._made is None or (self._made[1] is not None and time.time() >= self._made[1]):
                self._made = self._connect()
            return self._made[0]

    def does_support(self, key_uri: str) -> bool:
        """Whether the key is one of AWS KMS."""
        return key_uri.startswith(_PREFIX)

    def get_aead(self, key_uri: str) -> _AwsAead:
        """Return a key."""
        return _AwsAead(self, key_id_of(key_uri, _PREFIX))


class _AwsAead(Aead):
    def __init__(self, connection: AwsKmsClient, arn: str) -> None:
        self._connection = connection
        self._arn = arn

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        answer = self._connection.client().encrypt(
            KeyId=self._arn, Plaintext=plaintext, EncryptionContext=_context(associated_data)
        )
        return bytes(answer["CiphertextBlob"])

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        answer = self._connection.client().decrypt(
            KeyId=self._arn, CiphertextBlob=ciphertext, EncryptionContext=_context(associated_data)
        )
        return bytes(answer["Plaintext"])


def _context(associated_data: bytes) -> dict[str, str]:
    # as Tink has it; data keys are wrapped without any
    return {"associatedData": associated_data.hex()} if associated_data else {}
