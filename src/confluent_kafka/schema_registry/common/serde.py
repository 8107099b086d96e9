# SPDX-License-Identifier: Apache-2.0
"""What rules are made of, by the module path of existing code; and the rules that a schema's text has in itself."""

from __future__ import annotations

import abc
import threading
from dataclasses import dataclass
from enum import Enum
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
from confluent_kafka.schema_registry._core.subject import SubjectNameStrategyType
from confluent_kafka.schema_registry.error import RuleConditionError, RuleError
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
    "set_original_key",
]

VALIDATION_RULES_PROP = "confluent:rules"
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


class ValidationRulesExecution(str, Enum):
    """When the rules in a schema's text are checked: not at all, or before or after the domain rules."""

    DISABLED = "DISABLED"
    BEFORE_DOMAIN_RULES = "BEFORE_DOMAIN_RULES"
    AFTER_DOMAIN_RULES = "AFTER_DOMAIN_RULES"

    def __str__(self) -> str:
        return str(self.value)


@dataclass(slots=True)
class ValidationRule:
    """A check in a schema's text, on a record or a field."""

    name: str | None = None
    doc: str | None = None
    expr: str | None = None
    sql: str | None = None

    def __hash__(self) -> int:
        return hash((self.name, self.doc, self.expr, self.sql))


class ValidationRuleError:
    """A check that a message does not pass.

    Args:
        rule: the check.
        field_path: where; None for the message itself.
        message: what the check says itself.
        cause: the error of its expression.
    """

    __slots__ = ("cause", "field_path", "message", "rule")

    def __init__(
        self,
        rule: ValidationRule,
        field_path: str | None = None,
        message: str | None = None,
        cause: Exception | None = None,
    ) -> None:
        self.rule = rule
        self.field_path = field_path
        self.message = message
        self.cause = cause

    def _key(self) -> tuple[Any, ...]:
        return self.rule, self.field_path, self.message

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, ValidationRuleError) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        detail = self.message or self.rule.doc or self.rule.sql or self.rule.expr
        cause = "" if self.cause is None else f" (caused by: {self.cause})"
        return f"{self.field_path or '<root>'}: {self.rule.name or 'unnamed'}: {detail}{cause}"

    def __repr__(self) -> str:
        return f"ValidationRuleError({self})"


class ValidationRuleExecutor(abc.ABC):
    """Evaluates checks."""

    @abc.abstractmethod
    def execute(self, rule: ValidationRule, schema: Any, message: Any) -> bool | str:
        """Return whether a value passes, or a text that says why it does not (empty when it does)."""


def default_validation_rule_executor() -> ValidationRuleExecutor:
    """Return the executor for checks in CEL.

    Raises:
        ValueError: CEL is not installed.
    """
    try:
        from confluent_kafka.schema_registry.rules.cel.cel_validator import CelValidator
    except ImportError as e:
        raise ValueError('validation rules need CEL: pip install "ferrokafka[rules]"') from e
    return CelValidator()


def parse_validation_rules(prop_value: Any) -> list[ValidationRule]:
    """Return the checks of a schema's property ``confluent:rules``; what is no check is passed over."""
    if not isinstance(prop_value, list):
        return []
    names = ("name", "doc", "expr", "sql")
    return [ValidationRule(*(item.get(name) for name in names)) for item in prop_value if isinstance(item, dict)]


def evaluate_validation_rule(
    executor: ValidationRuleExecutor,
    rule: ValidationRule,
    schema: Any,
    value: Any,
    path: str,
    out: list[ValidationRuleError],
) -> None:
    """Check a value; add to ``out`` when it does not pass."""
    try:
        result = executor.execute(rule, schema, value)
    except Exception as e:  # an expression that cannot be evaluated is a check that is not passed
        out.append(ValidationRuleError(rule, path, cause=e))
        return
    if isinstance(result, str):
        if result:
            out.append(ValidationRuleError(rule, path, result))
    elif not result:
        out.append(ValidationRuleError(rule, path))
