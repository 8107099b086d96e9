# SPDX-License-Identifier: Apache-2.0
"""What rules are made of, by the module path of existing code; and the rules that a schema's text has in itself."""

from __future__ import annotations

import threading
from typing import Any

from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core.framing import SchemaId
from confluent_kafka.schema_registry._core.models import RegisteredSchema, Rule, RuleKind, RuleMode, Schema
from confluent_kafka.schema_registry._core.rule_types import (
    DLQ_HEADER_PREFIX,
    DLQ_RULE_EXCEPTION_HEADER,
    DLQ_RULE_MODE_HEADER,
    DLQ_RULE_NAME_HEADER,
    DLQ_RULE_SUBJECT_HEADER,
    DLQ_RULE_TOPIC_HEADER,
    ErrorAction,
    FieldContext,
    FieldRuleExecutor,
    FieldTransform,
    FieldTransformer,
    FieldType,
    Migration,
    NoneAction,
    RuleAction,
    RuleBase,
    RuleContext,
    RuleExecutor,
    clear_original_key,
    get_original_key,
    set_original_key,
)
from confluent_kafka.schema_registry._core.subject import (
    SubjectNameStrategyType,
    record_subject_name_strategy,
    topic_record_subject_name_strategy,
    topic_subject_name_strategy,
)
from confluent_kafka.schema_registry._core.validation import (
    VALIDATION_RULES_PROP,
    ValidationRule,
    ValidationRuleError,
    ValidationRuleExecutor,
    ValidationRulesExecution,
    default_validation_rule_executor,
    evaluate_validation_rule,
    parse_validation_rules,
)
from confluent_kafka.schema_registry.error import RuleConditionError, RuleError
from confluent_kafka.schema_registry.wildcard_matcher import wildcard_match
from confluent_kafka.serialization import SerializationContext

__all__ = [
    "DLQ_HEADER_PREFIX",
    "DLQ_RULE_EXCEPTION_HEADER",
    "DLQ_RULE_MODE_HEADER",
    "DLQ_RULE_NAME_HEADER",
    "DLQ_RULE_SUBJECT_HEADER",
    "DLQ_RULE_TOPIC_HEADER",
    "STRATEGY_TYPE_MAP",
    "VALIDATION_RULES_PROP",
    "ErrorAction",
    "FieldContext",
    "FieldRuleExecutor",
    "FieldTransform",
    "FieldTransformer",
    "FieldType",
    "Migration",
    "NoneAction",
    "ParsedSchemaCache",
    "RegisteredSchema",
    "Rule",
    "RuleAction",
    "RuleBase",
    "RuleConditionError",
    "RuleContext",
    "RuleError",
    "RuleExecutor",
    "RuleKind",
    "RuleMode",
    "Schema",
    "SchemaId",
    "SerializationContext",
    "SerializationError",
    "SubjectNameStrategyType",
    "ValidationRule",
    "ValidationRuleError",
    "ValidationRuleExecutor",
    "ValidationRulesExecution",
    "clear_original_key",
    "default_validation_rule_executor",
    "evaluate_validation_rule",
    "get_original_key",
    "parse_validation_rules",
    "record_subject_name_strategy",
    "set_original_key",
    "topic_record_subject_name_strategy",
    "topic_subject_name_strategy",
    "wildcard_match",
]

STRATEGY_TYPE_MAP = {kind.value: kind for kind in SubjectNameStrategyType}


class ParsedSchemaCache:
    """Parsed schemas, by schema. Thread-safe."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.parsed_schemas: dict[Schema, Any] = {}

    def set(self, schema: Schema, parsed_schema: Any) -> None:
        """Keep a parsed schema."""
        with self.lock:
            self.parsed_schemas[schema] = parsed_schema

    def get_parsed_schema(self, schema: Schema) -> Any:
        """Return a parsed schema; None when it is not there."""
        with self.lock:
            return self.parsed_schemas.get(schema)

    def clear(self) -> None:
        """Forget all."""
        with self.lock:
            self.parsed_schemas.clear()
