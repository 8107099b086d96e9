# SPDX-License-Identifier: Apache-2.0
"""The executor of rules in JSONata, which mostly change messages between versions of a schema."""

from __future__ import annotations

import threading
from typing import Any

try:
    import jsonata
except ImportError as e:
    raise ImportError(
        'rules in JSONata need the package jsonata-python, which is not installed: pip install "ferrokafka[rules]"',
        name="jsonata",
    ) from e

from confluent_kafka.schema_registry._core.cache import BoundedDict
from confluent_kafka.schema_registry._core.rule_types import RuleContext, RuleExecutor
from confluent_kafka.schema_registry.rule_registry import RuleRegistry

__all__ = ["JsonataExecutor", "RuleContext", "RuleExecutor", "RuleRegistry"]


class JsonataExecutor(RuleExecutor):
    """Runs rules of type JSONATA: the expression sees the message, and what it returns is the message from then on."""

    def __init__(self) -> None:
        self._expressions: BoundedDict[tuple[int, str | None], Any] = BoundedDict()

    def type(self) -> str:
        """Return ``JSONATA``."""
        return "JSONATA"

    def transform(self, ctx: RuleContext, message: Any) -> Any:
        """Run the rule of a context on a message: a dict.

        Raises:
            jsonata.JException: the expression is wrong, or cannot be evaluated on this message.
        """
        # an expression keeps what it is being evaluated on: one per thread
        key = (threading.get_ident(), ctx.rule.expr)
        expression = self._expressions.get(key)
        if expression is None:
            expression = self._expressions.put(key, jsonata.Jsonata(ctx.rule.expr))
        return expression.evaluate(message)

    @classmethod
    def register(cls) -> None:
        """Have rules of type JSONATA run by (de)serializers without a rule registry of their own."""
        RuleRegistry.register_rule_executor(cls())
