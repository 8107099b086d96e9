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
        """Return whether a value passes, or a text that says why it does not (empty when it does)."""
        if rule.expr is None:
            return True
        program = self._programs.get(rule.expr)
        if program is None:
            with self._lock:
                ast = self._environment.compile(rule.expr)
                program = self._programs.put(rule.expr, self._environment.program(ast, functions=EXTRA_FUNCS))
        now = celtypes.TimestampType(datetime.datetime.now(tz=datetime.timezone.utc))
        result = program.evaluate({"this": msg_to_cel(message), "now": now})
        return str(result) if isinstance(result, str) else bool(result)
