# SPDX-License-Identifier: Apache-2.0
"""The executor of rules in the Common Expression Language that see one field: type CEL_FIELD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celpy import celtypes

from confluent_kafka.schema_registry._core.models import RuleKind
from confluent_kafka.schema_registry._core.rule_types import (
    FieldContext,
    FieldRuleExecutor,
    FieldTransform,
    RuleContext,
)
from confluent_kafka.schema_registry.error import RuleConditionError
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.cel.cel_executor import (
    CelExecutor,  # noqa: F401 - existing code may import it from here
    evaluate,
    field_value_to_cel,
    msg_to_cel,
)
from confluent_kafka.schema_registry.rules.cel.programs import uses

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.models import Rule
    from confluent_kafka.schema_registry._core.rule_fields import Field, LeafRun
    from confluent_kafka.schema_registry._core.rules import RuleInfo, Run

__all__ = ["CelFieldExecutor"]


class CelFieldExecutor(FieldRuleExecutor):
    """Runs rules of type CEL_FIELD on fields with numbers, texts, bytes, truth values or null.

    The expression sees ``value``, ``fullName``, ``name``, ``typeName``, ``tags``, ``message`` (the record that has the
    field) and ``now``; ``guard ; expression`` as with CEL.
    """

    def type(self) -> str:
        """Return ``CEL_FIELD``."""
        return "CEL_FIELD"

    def new_transform(self, ctx: RuleContext) -> FieldTransform:
        """Return ``(context, field, value) -> value``."""
        return self._transform

    def _transform(self, ctx: RuleContext, field_ctx: FieldContext, field_value: Any) -> Any:
        if not field_ctx.is_primitive():
            return field_value
        return _evaluate(ctx.rule, field_ctx, _constants(field_ctx), field_value, field_ctx.containing_message)

    def compile_rule(self, info: RuleInfo) -> Run | None:
        """Return what runs a rule on messages, None when it is for no field of the schema."""
        walk = info.walk(lambda field: _leaf(info.rule, field))
        if walk is None:
            return None
        if not info.is_condition:
            return lambda message, call: walk(message, None)
        return lambda message, call: (walk(message, None), True)[1]

    @classmethod
    def register(cls) -> None:
        """Have rules of type CEL_FIELD run by (de)serializers without a rule registry of their own."""
        RuleRegistry.register_rule_executor(cls())


def _constants(field_ctx: FieldContext) -> dict[str, Any]:
    """Return the variables that are the same for all values of a field."""
    return {
        "fullName": celtypes.StringType(field_ctx.full_name),
        "name": celtypes.StringType(field_ctx.name),
        "typeName": celtypes.StringType(field_ctx.type_name()),
        "tags": celtypes.ListType([celtypes.StringType(tag) for tag in sorted(field_ctx.tags)]),
    }


def _evaluate(rule: Rule, field_ctx: FieldContext, constants: dict[str, Any], value: Any, containing: Any) -> Any:
    args = {"value": field_value_to_cel(field_ctx, value), **constants}
    # the whole record for one field: only where the expression asks for it
    if uses(rule.expr or "", "message"):
        args["message"] = msg_to_cel(containing)
    return evaluate(rule, value, args)


def _leaf(rule: Rule, field: Field) -> LeafRun | None:
    context = field.context(None)
    if not context.is_primitive():
        return None
    constants = _constants(context)
    if rule.kind is not RuleKind.CONDITION:
        return lambda value, containing, state: _evaluate(rule, context, constants, value, containing)

    def check(value: Any, containing: Any, state: Any) -> Any:
        # only False: a condition on fields may have nothing to say
        if _evaluate(rule, context, constants, value, containing) is False:
            raise RuleConditionError(rule)
        return value

    return check
