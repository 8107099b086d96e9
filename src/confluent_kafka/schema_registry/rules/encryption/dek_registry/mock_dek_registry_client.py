# SPDX-License-Identifier: Apache-2.0
"""A registry of keys in memory."""

from __future__ import annotations

from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.rules.encryption.dek_registry._models import (
    Dek,
    DekAlgorithm,
    DekId,
    Kek,
    KekId,
    KekKmsProps,
)
from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import DekRegistryClient

__all__ = [
    "Dek",
    "DekAlgorithm",
    "DekId",
    "DekRegistryClient",
    "Kek",
    "KekId",
    "KekKmsProps",
    "MockDekRegistryClient",
    "SchemaRegistryError",
]


class MockDekRegistryClient(DekRegistryClient):
    """A client of a registry of keys in memory, which ends with it; that of a ``mock://name?shared=true`` is shared.

    Args:
        conf: configuration; ``url`` begins with ``mock://``.
    """
