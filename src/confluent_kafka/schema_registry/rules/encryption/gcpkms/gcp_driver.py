# SPDX-License-Identifier: Apache-2.0
"""The driver for ``gcp-kms://projects/../locations/../keyRings/../cryptoKeys/..``."""

from __future__ import annotations

from typing import Any

from confluent_kafka.schema_registry.error import RuleError
from confluent_kafka.schema_registry.rules.encryption.gcpkms.gcp_client import GCP_KEYURI_PREFIX, GcpKmsClient
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import (
    KmsDriver,
    register_kms_driver,
    timeout_of,
)

__all__ = ["GcpKmsDriver"]

_TOKEN_URI = "https://oauth2.googleapis.com/token"  # an address
_SCOPES = ["https://www.googleapis.com/auth/cloudkms"]


class GcpKmsDriver(KmsDriver):
    """Wraps data keys with Google Cloud KMS, by google-cloud-kms.

    Credentials: a service account by ``account.type`` (``service_account``), ``client.id``, ``client.email``,
    ``private.key.id``, ``private.key``, ``token.uri``; else the application's default ones.

    Args:
        client: a ready ``KeyManagementServiceClient``.
        credentials: credentials of google-auth.
        endpoint: host and port of the API, if not the usual ones.
    """

    def __init__(self, client: Any = None, credentials: Any = None, endpoint: str | None = None) -> None:
        self._client = client
        self._credentials = credentials
        self._endpoint = endpoint

    def get_key_url_prefix(self) -> str:
        """Return ``gcp-kms://``."""
        return GCP_KEYURI_PREFIX

    def new_kms_client(self, conf: dict[str, Any], key_url: str | None) -> GcpKmsClient:
        """Make a client; RuleError when the account is not a service account."""
        credentials = self._credentials
        if credentials is None and self._client is None:
            credentials = _credentials(conf)
        return GcpKmsClient(key_url, credentials, self._client, self._endpoint, timeout_of(conf))

    @classmethod
    def register(cls) -> None:
        """Have keys of Google Cloud KMS wrapped by this driver."""
        register_kms_driver(cls())


def _credentials(conf: dict[str, Any]) -> Any:
    kind = conf.get("account.type", "service_account")
    if kind != "service_account":
        raise RuleError(f"account.type must be service_account, not {kind}")
    names = ("client.id", "client.email", "private.key.id", "private.key")
    given = {name: conf[name] for name in names if conf.get(name) is not None}
    if not given:
        return None
    missing = [name for name in names if name not in given]
    if missing:
        raise RuleError(f"a service account needs {', '.join(missing)} as well")
    from google.oauth2 import service_account

    info = {name.replace(".", "_"): value for name, value in given.items()}
    info |= {"type": kind, "token_uri": conf.get("token.uri", _TOKEN_URI)}
    make: Any = service_account.Credentials.from_service_account_info
    return make(info, scopes=_SCOPES)
