# SPDX-License-Identifier: Apache-2.0
"""Checks in a schema's text, in the Common Expression Language."""

from __future__ import annotations

import datetime
import threading
from typing import Any

import celpy
from celpy import celtypes

from confluent_kafka.schema_registry._core.cache import BoundedDict
from confluent_kafka.schema_registry.common.serde import ValidationRule, ValidationRuleExecutor
from confluent_kafka.schema_registry.error import RuleError
from confluent_kafka.schema_registry.rules.cel.cel_executor import msg_to_cel
from confluent_kafka.schema_registry.rules.cel.extra_func import EXTRA_FUNCS

__all__ = ["CelValidator"]


class CelValidator(ValidationRuleExecutor):
    """Evaluates checks: the expression sees ``this``, and ``now``."""

    def __init__(self) -> None:
        self._environment = celpy.Environment(runner_class=celpy.InterpretedRunner)
        self._programs: BoundedDict[str, Any] = BoundedDict()
        self._lock = threading.Lock()

    def execute(self, rule: ValidationRule, schema: Any, message: Any) -> bool | str:
        """Return whether a value passes, or a text that says why it does not (empty when it does).

        Raises:
            RuleError: there is no expression, it is wrong, or it cannot be evaluated on this value.
        """
        name = rule.name or "unnamed"
        if not rule.expr:
            raise RuleError(f"Validation rule '{name}' has no expression")
        try:
            program = self._program(rule.expr)
        except Exception as e:
            raise RuleError(f"Could not compile validation rule '{name}'") from e
        now = celtypes.TimestampType(datetime.datetime.now(tz=datetime.timezone.utc))
        try:
            result = program.evaluate({"this": msg_to_cel(message), "now": now})
        except Exception as e:  # whose text may quote the value
            doc = f" ({rule.doc})" if rule.doc else ""
            raise RuleError(f"Could not execute validation rule '{name}'{doc}") from e
        if isinstance(result, (bool, celtypes.BoolType)):
            return bool(result)
        if isinstance(result, str):
            return str(result)
        kind = type(result).__name__
        raise RuleError(f"Validation rule '{name}' must return bool or string; got {kind}")

    def _program(self, expr: str) -> Any:
        program = self._programs.get(expr)
        if program is None:
            with self._lock:
                ast = self._environment.compile(expr)
                program = self._programs.put(expr, self._environment.program(ast, functions=EXTRA_FUNCS))
        return program
