# SPDX-License-Identifier: Apache-2.0
"""The driver for ``local-kms://name``."""

from __future__ import annotations

from typing import Any

from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import KmsDriver, register_kms_driver
from confluent_kafka.schema_registry.rules.encryption.localkms.local_client import LocalKmsClient

__all__ = ["LocalKmsClient", "LocalKmsDriver"]

_PREFIX = "local-kms://"
_SECRET = "secret"  # a property's name


class LocalKmsDriver(KmsDriver):
    """Wraps data keys with a secret: property ``secret``, else the environment variable ``LOCAL_SECRET``."""

    def get_key_url_prefix(self) -> str:
        """Return ``local-kms://``."""
        return _PREFIX

    def new_kms_client(self, conf: dict[str, Any], key_url: str | None) -> LocalKmsClient:
        """Make a client; RuleError when there is no secret."""
        return LocalKmsClient(conf.get(_SECRET))

    @classmethod
    def register(cls) -> None:
        """Have local keys wrapped by this driver."""
        register_kms_driver(cls())
