# SPDX-License-Identifier: Apache-2.0
"""The executor of rules in the Common Expression Language that see the whole message: type CEL."""

from __future__ import annotations

import datetime
import logging
import uuid
from typing import TYPE_CHECKING, Any

try:
    import google.protobuf  # noqa: F401 - decimals and variants are made of its messages
    from celpy import celtypes
except ImportError as e:
    raise ImportError(
        'rules in CEL need cel-python and protobuf, one of which is not installed: pip install "ferrokafka[rules]"',
        name=e.name,
    ) from e

from confluent_kafka.schema_registry._core.models import Rule, RuleKind, Schema
from confluent_kafka.schema_registry._core.rule_types import FieldContext, RuleContext, RuleExecutor
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.cel import protobuf_result_writer
from confluent_kafka.schema_registry.rules.cel.cel_field_presence import InterpretedRunner
from confluent_kafka.schema_registry.rules.cel.constraints import MessageType, element_value, int_value, message_value
from confluent_kafka.schema_registry.rules.cel.lazy_map import Record
from confluent_kafka.schema_registry.rules.cel.programs import program
from confluent_kafka.schema_registry.rules.cel.timestamp_funcs import plain_datetime

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.rules import RuleInfo, Run

__all__ = [
    "DAYS_SHIFT",
    "CelExecutor",
    "FieldContext",
    "InterpretedRunner",
    "RuleContext",
    "RuleExecutor",
    "RuleKind",
    "RuleRegistry",
    "Schema",
    "field_value_to_cel",
    "msg_to_cel",
    "protobuf_result_writer",
]

DAYS_SHIFT = datetime.date(1970, 1, 1).toordinal()
log = logging.getLogger("confluent_kafka.schema_registry.rules.cel")


class CelExecutor(RuleExecutor):
    """Runs rules of type CEL: the expression sees ``message``, and ``now``.

    ``guard ; expression`` runs the expression only where the guard is true. What a transform returns replaces the whole
    message.
    """

    def type(self) -> str:
        """Return ``CEL``."""
        return "CEL"

    def transform(self, ctx: RuleContext, msg: Any) -> Any:
        """Run the rule of a context on a message.

        Raises:
            RuleError: the text is no expression, or has no value for this message.
            ValueError: the result does not fit the Protobuf message.
        """
        return self.execute(ctx, msg, {"message": msg_to_cel(msg)})

    def compile_rule(self, info: RuleInfo) -> Run:
        """Return what runs a rule on messages."""
        rule = info.rule
        return lambda message, call: evaluate(rule, message, {"message": msg_to_cel(message)})

    def execute(self, ctx: RuleContext, msg: Any, args: Any) -> Any:
        """Run the rule of a context with variables ``args`` on a message, or on the value of a field."""
        return evaluate(ctx.rule, msg, args)

    def execute_rule(self, ctx: RuleContext, expr: str, args: Any) -> Any:
        """Evaluate an expression.

        Raises:
            RuleError: the text is no expression, or has no value for these variables; also celpy's CELParseError and
                CELEvalError.
        """
        return _value(expr, args)

    @classmethod
    def register(cls) -> None:
        """Have rules of type CEL run by (de)serializers without a rule registry of their own."""
        RuleRegistry.register_rule_executor(cls())


def _value(expr: str, args: Any) -> Any:
    result = program(expr)(args)
    return bool(result) if isinstance(result, celtypes.BoolType) else result


def evaluate(rule: Rule, msg: Any, args: Any) -> Any:
    """Return what a rule makes of a message or the value of a field, with the variables ``args``.

    Raises:
        RuleError: its text is no expression, or has no value for these variables.
        ValueError: the result does not fit the Protobuf message.
    """
    expr = rule.expr
    if expr is None:
        log.warning("rule %s has no expression", rule.name)
        return msg
    guard, semicolon, rest = expr.partition(";")
    if semicolon:
        expr = rest
        if guard.strip() and not _value(guard, args):
            return True if rule.kind is RuleKind.CONDITION else msg
    result = _value(expr, args)
    if rule.kind is RuleKind.CONDITION:
        return result
    if isinstance(result, dict) and hasattr(msg, "DESCRIPTOR"):
        return protobuf_result_writer.convert(result, msg)
    return from_cel(result)


def msg_to_cel(msg: Any) -> Any:
    """Return a message, or a value in it, as expressions see it.

    Records and objects are maps, dates days since 1970, UUIDs texts, numbers with the logical type decimal decimals; a
    Protobuf message is one by its fields' names, its timestamps, durations and wrappers are what they stand for.
    """
    # the class of a value is the same for all of a field: one look in a dictionary
    make = _SCALARS.get(type(msg))
    if make is not None:
        return make(msg)
    if isinstance(msg, celtypes.MapType):
        return msg
    if isinstance(msg, dict):
        if all(type(name) is str for name in msg):
            return Record(msg, msg_to_cel)
        return celtypes.MapType({msg_to_cel(name): msg_to_cel(item) for name, item in msg.items()})
    if isinstance(msg, list):
        return celtypes.ListType([msg_to_cel(item) for item in msg])
    if hasattr(msg, "DESCRIPTOR"):
        return message_value(msg)
    for kind, convert in _SCALARS.items():
        if isinstance(msg, kind):
            return convert(msg)
    return msg


def field_value_to_cel(field_ctx: FieldContext, field_value: Any) -> Any:
    """Return the value of a field as expressions see it; one of its values where it has several."""
    descriptor = field_ctx.field_descriptor
    # of Protobuf: the class of a number does not tell whether it is unsigned
    return msg_to_cel(field_value) if descriptor is None else element_value(descriptor, field_value)


# bool before int, datetime before date: the former are of the latter
_SCALARS: dict[type, Any] = {
    str: celtypes.StringType,
    bytes: celtypes.BytesType,
    bool: celtypes.BoolType,
    int: int_value,
    float: celtypes.DoubleType,
    datetime.datetime: celtypes.TimestampType,
    datetime.timedelta: celtypes.DurationType,
    datetime.date: lambda value: int_value(value.toordinal() - DAYS_SHIFT),
    uuid.UUID: lambda value: celtypes.StringType(str(value)),
}


def from_cel(value: Any) -> Any:
    """Return a value of CEL as Python's own types; a codec looks at the class. Keys of maps are texts."""
    if isinstance(value, MessageType):
        return value.msg
    if isinstance(value, Record):
        return value.source
    if isinstance(value, dict):
        return {_key(name): from_cel(item) for name, item in value.items()}
    if isinstance(value, tuple):  # (name of a union's branch, value)
        return tuple(from_cel(item) for item in value)
    if isinstance(value, list):
        return [from_cel(item) for item in value]
    if isinstance(value, celtypes.BoolType):
        return bool(value)
    if isinstance(value, celtypes.TimestampType):
        return plain_datetime(value)
    if isinstance(value, celtypes.DurationType):
        return datetime.timedelta(days=value.days, seconds=value.seconds, microseconds=value.microseconds)
    plain: tuple[Any, ...] = (str, bytes, int, float)
    for kind in plain:
        if isinstance(value, kind) and not isinstance(value, bool):
            return kind(value)
    return value


def _key(name: Any) -> str:
    if isinstance(name, celtypes.BoolType):
        return "true" if name else "false"
    return str(name) if isinstance(name, str) else str(from_cel(name))
