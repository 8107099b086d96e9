# SPDX-License-Identifier: Apache-2.0
"""Google Cloud KMS by its official client."""

from __future__ import annotations

from typing import Any

from confluent_kafka.schema_registry.error import RuleError
from confluent_kafka.schema_registry.rules.encryption._kms import Aead, KmsClient
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import DEFAULT_TIMEOUT_SEC, key_id_of

__all__ = ["GCP_KEYURI_PREFIX", "GcpKmsClient"]

GCP_KEYURI_PREFIX = "gcp-kms://"


class GcpKmsClient(KmsClient):
    """A connection to Google Cloud KMS. Thread-safe.

    Args:
        key_uri: a key, ``gcp-kms://projects/../locations/../keyRings/../cryptoKeys/..``.
        credentials: credentials of google-auth; None takes the application's default ones.
        client: a ready ``KeyManagementServiceClient``.
        endpoint: host and port of the API, if not the usual ones.
        timeout: seconds for one request with all its retries.
    """

    def __init__(
        self,
        key_uri: str | None,
        credentials: Any = None,
        client: Any = None,
        endpoint: str | None = None,
        timeout: float = DEFAULT_TIMEOUT_SEC,
    ) -> None:
        if client is None:
            try:
                from google.cloud import kms_v1
            except ImportError as e:
                raise ImportError(
                    'Google Cloud KMS needs google-cloud-kms: pip install "ferrokafka[encryption-gcp]"',
                    name="google.cloud.kms_v1",
                ) from e
            options = None if endpoint is None else {"api_endpoint": endpoint}
            client = kms_v1.KeyManagementServiceClient(credentials=credentials, client_options=options)
        self._client = client
        self._timeout = timeout

    def does_support(self, key_uri: str) -> bool:
        """Whether the key is one of Google Cloud KMS."""
        return key_uri.startswith(GCP_KEYURI_PREFIX)

    def get_aead(self, key_uri: str) -> _GcpAead:
        """Return a key."""
        return _GcpAead(self._client, key_id_of(key_uri, GCP_KEYURI_PREFIX), self._timeout)


class _GcpAead(Aead):
    def __init__(self, client: Any, name: str, timeout: float) -> None:
        self._client = client
        self._name = name
        self._options = {"timeout": timeout, "retry": _retry(timeout)}

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        request: dict[str, Any] = {"name": self._name, "plaintext": plaintext, "plaintext_crc32c": _crc(plaintext)}
        if associated_data:
            request["additional_authenticated_data"] = associated_data
        answer = self._client.encrypt(request=request, **self._options)
        if not answer.verified_plaintext_crc32c or answer.ciphertext_crc32c != _crc(answer.ciphertext):
            raise RuleError("the data key was damaged on the way to or from Google Cloud KMS: try again")
        return bytes(answer.ciphertext)

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        request: dict[str, Any] = {"name": self._name, "ciphertext": ciphertext, "ciphertext_crc32c": _crc(ciphertext)}
        if associated_data:
            request["additional_authenticated_data"] = associated_data
        answer = self._client.decrypt(request=request, **self._options)
        if answer.plaintext_crc32c != _crc(answer.plaintext):
            raise RuleError("the data key was damaged on the way from Google Cloud KMS: try again")
        return bytes(answer.plaintext)


def _crc(data: bytes) -> int:
    import google_crc32c

    return int(google_crc32c.value(data))


def _retry(timeout: float) -> Any:
    from google.api_core import exceptions, retry

    return retry.Retry(
        retry.if_exception_type(
            exceptions.ServiceUnavailable, exceptions.TooManyRequests, exceptions.InternalServerError
        ),
        initial=0.1,
        maximum=2.0,
        timeout=timeout,
    )
