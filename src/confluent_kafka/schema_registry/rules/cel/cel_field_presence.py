# SPDX-License-Identifier: Apache-2.0
"""Evaluates expressions: compiled where possible, and ``has()`` knows which fields of a Protobuf message are set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import celpy
from celpy.evaluation import CELEvalError

from confluent_kafka.schema_registry.rules.cel.evaluation import Unsupported, compiled

__all__ = ["InterpretedRunner"]


class InterpretedRunner(celpy.InterpretedRunner):
    """A program for ``celpy.Environment(runner_class=...)``. Thread-safe once it is made."""

    def __init__(
        self,
        environment: celpy.Environment,
        ast: Any,
        functions: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        super().__init__(environment, ast, dict(functions or {}))
        try:
            self._run = compiled(ast, self.functions or {})
        except (Unsupported, RecursionError):
            self._run = self._interpreted

    def evaluate(self, context: Any) -> Any:
        """Return the value of the expression.

        Args:
            context: values of cel-python's types by the names of variables.
        Raises:
            CELEvalError: there is none.
        """
        return self._run(context)

    def _interpreted(self, context: Any) -> Any:
        try:
            return super().evaluate(context)
        except Exception as e:
            # their text has the variables in it
            raise CELEvalError(f"evaluation failed ({type(e).__name__})") from None
