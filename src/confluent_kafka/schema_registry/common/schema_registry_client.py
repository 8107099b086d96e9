# SPDX-License-Identifier: Apache-2.0
"""The registry's data classes and the client's rules, by the module path that existing code imports them from."""

from __future__ import annotations

from confluent_kafka.schema_registry._core.client_config import normalize_identity_pool
from confluent_kafka.schema_registry._core.models import (
    Association,
    AssociationCreateOrUpdateInfo,
    AssociationCreateOrUpdateRequest,
    AssociationInfo,
    AssociationResponse,
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    MetadataTags,
    RegisteredSchema,
    Rule,
    RuleKind,
    RuleMode,
    RuleParams,
    RulePhase,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaVersion,
    ServerConfig,
)
from confluent_kafka.schema_registry._core.retry import full_jitter, is_retriable, is_success
from confluent_kafka.schema_registry.common._oauthbearer import _AsyncStaticFieldProvider, _StaticFieldProvider
from confluent_kafka.schema_registry.common._schema_cache import _SchemaCache

VALID_AUTH_PROVIDERS = ["URL", "USER_INFO"]

__all__ = [
    "VALID_AUTH_PROVIDERS",
    "Association",
    "AssociationCreateOrUpdateInfo",
    "AssociationCreateOrUpdateRequest",
    "AssociationInfo",
    "AssociationResponse",
    "ConfigCompatibilityLevel",
    "Metadata",
    "MetadataProperties",
    "MetadataTags",
    "RegisteredSchema",
    "Rule",
    "RuleKind",
    "RuleMode",
    "RuleParams",
    "RulePhase",
    "RuleSet",
    "Schema",
    "SchemaReference",
    "SchemaVersion",
    "ServerConfig",
    "_AsyncStaticFieldProvider",
    "_SchemaCache",
    "_StaticFieldProvider",
    "full_jitter",
    "is_retriable",
    "is_success",
    "normalize_identity_pool",
]
