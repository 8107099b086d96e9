# SPDX-License-Identifier: Apache-2.0
"""Names that serializers of all formats share."""

from __future__ import annotations

from confluent_kafka.schema_registry._async.serde import (
    AsyncAssociatedNameStrategy,
    AsyncBaseDeserializer,
    AsyncBaseSerde,
    AsyncBaseSerializer,
    async_build_serde,
)
from confluent_kafka.schema_registry._core.framing import SchemaId
from confluent_kafka.schema_registry._core.subject import (
    FALLBACK_TYPE,
    KAFKA_CLUSTER_ID,
    SubjectNameStrategyType,
)
from confluent_kafka.schema_registry._sync.serde import (
    AssociatedNameStrategy,
    BaseDeserializer,
    BaseSerde,
    BaseSerializer,
    build_serde,
)

__all__ = [
    "FALLBACK_TYPE",
    "KAFKA_CLUSTER_ID",
    "AssociatedNameStrategy",
    "AsyncAssociatedNameStrategy",
    "AsyncBaseDeserializer",
    "AsyncBaseSerde",
    "AsyncBaseSerializer",
    "BaseDeserializer",
    "BaseSerde",
    "BaseSerializer",
    "SchemaId",
    "SubjectNameStrategyType",
    "async_build_serde",
    "build_serde",
]
