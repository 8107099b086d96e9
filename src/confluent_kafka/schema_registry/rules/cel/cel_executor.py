# SPDX-License-Identifier: Apache-2.0
"""The executor of rules in the Common Expression Language that see the whole message: type CEL."""

from __future__ import annotations

import datetime
import logging
import threading
import uuid
from functools import lru_cache
from typing import Any

try:
    import celpy
    from celpy import celtypes
except ImportError as e:
    raise ImportError(
        'rules in CEL need the package cel-python, which is not installed: pip install "ferrokafka[rules]"',
        name="celpy",
    ) from e

from confluent_kafka.schema_registry._core.cache import BoundedDict
from confluent_kafka.schema_registry._core.models import RuleKind
from confluent_kafka.schema_registry._core.rule_types import FieldContext, RuleContext, RuleExecutor
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.cel.extra_func import EXTRA_FUNCS

__all__ = [
    "DAYS_SHIFT",
    "CelExecutor",
    "RuleContext",
    "RuleExecutor",
    "RuleRegistry",
    "field_value_to_cel",
    "msg_to_cel",
]

DAYS_SHIFT = datetime.date(1970, 1, 1).toordinal()
log = logging.getLogger("confluent_kafka.schema_registry.rules.cel")


class CelExecutor(RuleExecutor):
    """Runs rules of type CEL: the expression sees ``message``, and ``now``.

    ``guard ; expression`` runs the expression only where the guard is true. What a transform returns replaces the whole
    message.
    """

    def __init__(self) -> None:
        self._environment = celpy.Environment(runner_class=celpy.InterpretedRunner)
        self._programs: BoundedDict[str, Any] = BoundedDict()
        # parsing is not made for several threads
        self._lock = threading.Lock()

    def type(self) -> str:
        """Return ``CEL``."""
        return "CEL"

    def transform(self, ctx: RuleContext, msg: Any) -> Any:
        """Run the rule of a context on a message.

        Raises:
            celpy.CELParseError, celpy.CELEvalError: the expression is wrong, or cannot be evaluated on this message.
        """
        return self.execute(ctx, msg, {"message": msg_to_cel(msg)})

    def execute(self, ctx: RuleContext, msg: Any, args: Any) -> Any:
        """Run the rule of a context with variables ``args`` on a message, or on the value of a field."""
        expr = ctx.rule.expr
        if expr is None:
            log.warning("rule %s has no expression", ctx.rule.name)
            return msg
        guard, semicolon, rest = expr.partition(";")
        if semicolon:
            expr = rest
            if guard.strip() and not self.execute_rule(ctx, guard, args):
                return True if ctx.rule.kind is RuleKind.CONDITION else msg
        result = self.execute_rule(ctx, expr, args)
        if ctx.rule.kind is RuleKind.CONDITION:
            return result
        plain = from_cel(result)
        return _to_message(plain, msg) if hasattr(msg, "DESCRIPTOR") and isinstance(plain, dict) else plain

    def execute_rule(self, ctx: RuleContext, expr: str, args: Any) -> Any:
        """Evaluate an expression."""
        program = self._programs.get(expr)
        if program is None:
            with self._lock:
                ast = self._environment.compile(expr)
                program = self._programs.put(expr, self._environment.program(ast, functions=EXTRA_FUNCS))
        if "now" in expr and "now" not in args:
            args["now"] = celtypes.TimestampType(datetime.datetime.now(tz=datetime.timezone.utc))
        result = program.evaluate(args)
        return bool(result) if isinstance(result, celtypes.BoolType) else result

    @classmethod
    def register(cls) -> None:
        """Have rules of type CEL run by (de)serializers without a rule registry of their own."""
        RuleRegistry.register_rule_executor(cls())


def msg_to_cel(msg: Any) -> Any:
    """Return a message as CEL sees it: records and objects are maps, fields that are not set are null."""
    descriptor = getattr(msg, "DESCRIPTOR", None)
    return _to_cel(msg if descriptor is None else _reader(descriptor)(msg))


@lru_cache(maxsize=100)
def _reader(descriptor: Any) -> Any:
    from confluent_kafka.schema_registry._core.codecs.protobuf_values import DictReader

    return DictReader(descriptor)


def _to_message(value: dict[str, Any], like: Any) -> Any:
    from confluent_kafka.schema_registry._core.codecs.protobuf_values import DictWriter

    return DictWriter(type(like))({name: item for name, item in value.items() if item is not None})


def field_value_to_cel(field_ctx: FieldContext, field_value: Any) -> Any:
    """Return the value of a field as CEL sees it."""
    return msg_to_cel(field_value)


def _to_cel(value: Any) -> Any:
    if isinstance(value, dict):
        made = celtypes.MapType()
        for name, item in value.items():
            made[celtypes.StringType(name) if isinstance(name, str) else _to_cel(name)] = _to_cel(item)
        return made
    if isinstance(value, list):
        return celtypes.ListType([_to_cel(item) for item in value])
    # bool before int, datetime before date: the former are of the latter
    for kind, make in _SCALARS:
        if isinstance(value, kind):
            return make(value)
    return value


_SCALARS: tuple[tuple[type, Any], ...] = (
    (str, celtypes.StringType),
    (bytes, celtypes.BytesType),
    (bool, celtypes.BoolType),
    (int, celtypes.IntType),
    (float, celtypes.DoubleType),
    (datetime.datetime, celtypes.TimestampType),
    (datetime.timedelta, celtypes.DurationType),
    (datetime.date, lambda value: celtypes.IntType(value.toordinal() - DAYS_SHIFT)),
    (uuid.UUID, lambda value: celtypes.StringType(str(value))),
)


def from_cel(value: Any) -> Any:
    """Return a value of CEL as Python's own types; a codec looks at the class."""
    if isinstance(value, dict):
        return {from_cel(name): from_cel(item) for name, item in value.items()}
    if isinstance(value, tuple):  # (name of a union's branch, value)
        return tuple(from_cel(item) for item in value)
    if isinstance(value, list):
        return [from_cel(item) for item in value]
    if isinstance(value, celtypes.BoolType):
        return bool(value)
    if isinstance(value, celtypes.TimestampType):
        return datetime.datetime(*value.timetuple()[:6], value.microsecond, value.tzinfo)
    if isinstance(value, celtypes.DurationType):
        return datetime.timedelta(days=value.days, seconds=value.seconds, microseconds=value.microseconds)
    plain: tuple[Any, ...] = (str, bytes, int, float)
    for kind in plain:
        if isinstance(value, kind) and not isinstance(value, bool):
            return kind(value)
    return value
