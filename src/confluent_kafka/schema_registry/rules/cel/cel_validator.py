# SPDX-License-Identifier: Apache-2.0
"""Checks in a schema's text, in the Common Expression Language."""

from __future__ import annotations

from typing import Any

from celpy import celtypes

from confluent_kafka.schema_registry.common.serde import ValidationRule, ValidationRuleExecutor
from confluent_kafka.schema_registry.error import RuleError
from confluent_kafka.schema_registry.rules.cel.cel_executor import msg_to_cel
from confluent_kafka.schema_registry.rules.cel.cel_field_presence import InterpretedRunner
from confluent_kafka.schema_registry.rules.cel.constraints import field_value
from confluent_kafka.schema_registry.rules.cel.decimal_funcs import decimal_boundary_value
from confluent_kafka.schema_registry.rules.cel.programs import CelError, CelSyntaxError, program

__all__ = ["CelValidator", "InterpretedRunner", "RuleError", "ValidationRule", "decimal_boundary_value"]


class CelValidator(ValidationRuleExecutor):
    """Evaluates checks: the expression sees ``this``, and ``now``."""

    def execute(self, rule: ValidationRule, schema: Any, message: Any) -> bool | str:
        """Return whether a value passes, or a text that says why it does not (empty when it does).

        Raises:
            RuleError: there is no expression, it is wrong, it cannot be evaluated on this value, or it gives neither
                truth value nor text; or the value is null, for which nothing is checked.
        """
        name = rule.name or "unnamed"
        if not rule.expr:
            raise RuleError(f"Validation rule '{name}' has no expression")
        if message is None:
            raise RuleError(f"Validation rule '{name}' was given null; where there is no value, nothing is checked")
        try:
            number = decimal_boundary_value(message)
            value = _value(schema, message) if number is None else number
        except Exception as e:  # of any type's conversion: the check cannot be evaluated
            raise RuleError(f"Could not convert value for validation rule '{name}'") from e
        try:
            result = program(rule.expr)({"this": value})
        except CelSyntaxError as e:
            raise RuleError(f"Could not compile validation rule '{name}'") from e
        except CelError as e:
            doc = f" ({rule.doc})" if rule.doc else ""
            raise RuleError(f"Could not execute validation rule '{name}'{doc}") from e
        if isinstance(result, (bool, celtypes.BoolType)):
            return bool(result)
        if isinstance(result, str):
            return str(result)
        raise RuleError(f"Validation rule '{name}' must return bool or string; got {type(result).__name__}")


def _value(schema: Any, message: Any) -> Any:
    # the class of a value of Protobuf does not tell unsigned numbers, nor lists of messages: the field does
    if getattr(schema, "containing_type", None) is not None and hasattr(schema, "cpp_type"):
        return field_value(schema, message)
    return msg_to_cel(message)
