# SPDX-License-Identifier: Apache-2.0
"""Fixed tokens, by the names that existing code uses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from confluent_kafka.schema_registry._core.auth import CLUSTER_FIELD, POOL_FIELD, TOKEN_FIELD
from confluent_kafka.schema_registry._core.client_config import normalize_identity_pool

__all__ = [
    "_AsyncBearerFieldProvider",
    "_AsyncStaticFieldProvider",
    "_BearerFieldProvider",
    "_StaticFieldProvider",
    "normalize_identity_pool",
]


@dataclass
class _Fields:
    token: str = field(repr=False)
    logical_cluster: str
    identity_pool: str | None = None

    def _fields(self) -> dict[str, str]:
        fields = {TOKEN_FIELD: self.token, CLUSTER_FIELD: self.logical_cluster}
        return fields if self.identity_pool is None else {**fields, POOL_FIELD: self.identity_pool}


class _BearerFieldProvider(ABC):
    """Gives the fields of a token."""

    @abstractmethod
    def get_bearer_fields(self) -> dict[str, str]:
        """Return the fields that a custom provider function returns."""


class _AsyncBearerFieldProvider(ABC):
    """Gives the fields of a token, awaited."""

    @abstractmethod
    async def get_bearer_fields(self) -> dict[str, str]:
        """Return the fields that a custom provider function returns."""


class _StaticFieldProvider(_Fields, _BearerFieldProvider):
    """Always the same token."""

    def get_bearer_fields(self) -> dict[str, str]:
        """Return the fields that a custom provider function returns."""
        return self._fields()


class _AsyncStaticFieldProvider(_Fields, _AsyncBearerFieldProvider):
    """Always the same token, awaited."""

    async def get_bearer_fields(self) -> dict[str, str]:
        """Return the fields that a custom provider function returns."""
        return self._fields()
