# SPDX-License-Identifier: Apache-2.0
"""Programs by their expressions, compiled once; shared by all executors of a process."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Mapping
from typing import Any

import celpy
from celpy import celtypes
from celpy.celparser import CELParseError
from celpy.evaluation import CELEvalError

from confluent_kafka.schema_registry._core.cache import BoundedDict
from confluent_kafka.schema_registry.error import RuleError
from confluent_kafka.schema_registry.rules.cel.cel_field_presence import InterpretedRunner
from confluent_kafka.schema_registry.rules.cel.evaluation import identifiers
from confluent_kafka.schema_registry.rules.cel.extra_func import EXTRA_FUNCS

__all__ = ["CelError", "CelSyntaxError", "Program", "program", "uses"]


class CelError(RuleError, CELEvalError):
    """An expression has no value for this message; says why, but no value of the message."""


class CelSyntaxError(RuleError, CELParseError):
    """A text is no expression."""


class Program:
    """A compiled expression.

    Attributes:
        names: the identifiers in it; what is not among them need not be given as a variable.
    """

    def __init__(self, expr: str, evaluate: Callable[[Any], Any], names: frozenset[str]) -> None:
        self._expr = expr
        self._evaluate = evaluate
        self.names = names

    def __call__(self, variables: Mapping[str, Any]) -> Any:
        """Return the value for variables of cel-python's types; ``now`` is added where the expression has it.

        Raises:
            CelError: there is none.
        """
        if "now" in self.names and "now" not in variables:
            now = celtypes.TimestampType(datetime.datetime.now(tz=datetime.timezone.utc))
            variables = {**variables, "now": now}
        try:
            return self._evaluate(variables)
        except CELEvalError as e:
            reason = e.args[0]
        # not from e: what its frames hold are values of the message
        raise CelError(f"cannot evaluate {self._expr.strip()!r}: {reason}")


_programs: BoundedDict[str, Program] = BoundedDict()
_environments: list[celpy.Environment] = []
# the parser keeps the text that it is at
_lock = threading.Lock()


def program(expr: str) -> Program:
    """Return the program of an expression.

    Raises:
        CelSyntaxError: this is no expression; says where.
    """
    known = _programs.get(expr)
    return _compile(expr) if known is None else known


def uses(rule: str, name: str) -> bool:
    """Whether the expression of a rule, or its guard, has a variable.

    Raises:
        CelSyntaxError: one of them is no expression.
    """
    guard, semicolon, rest = rule.partition(";")
    parts = (guard, rest) if semicolon else (guard,)
    return name in rule and any(name in program(part).names for part in parts if part.strip())


def _compile(expr: str) -> Program:
    with _lock:
        if not _environments:
            _environments.append(celpy.Environment(runner_class=InterpretedRunner))
        try:
            ast = _environments[0].compile(expr)
        except CELParseError as e:
            where = f"line {e.line}, column {e.column}" if e.line else "its end"
            raise CelSyntaxError(f"cannot compile {expr.strip()!r}: not CEL at {where}") from e
        runner = _environments[0].program(ast, functions=EXTRA_FUNCS)
        return _programs.put(expr, Program(expr, runner.evaluate, identifiers(ast)))
