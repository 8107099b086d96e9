# SPDX-License-Identifier: Apache-2.0
"""Ids of keys in Azure Key Vault: ``https://vault/keys/name[/version]``."""

from __future__ import annotations

AZURE_KEYURI_PREFIX = "azure-kms://"
ENCRYPT_AZURE_KEY_VERSION_SAVE = "encrypt.azure.key.version.save"


def is_versionless(kms_key_id: str) -> bool:
    """Whether a key's id, ``https://vault/keys/name[/version]``, names no version."""
    return len(_parts(kms_key_id)) < 2


def with_version(kms_key_id: str, version: str) -> str:
    """Return a key's id with another version."""
    vault, _, _ = kms_key_id.rpartition("/keys/")
    return f"{vault}/keys/{_parts(kms_key_id)[0]}/{version}"


def _parts(kms_key_id: str) -> list[str]:
    return kms_key_id.rstrip("/").rpartition("/keys/")[2].split("/")
