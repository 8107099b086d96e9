# SPDX-License-Identifier: Apache-2.0
"""The executor of rules in the Common Expression Language that see one field: type CEL_FIELD."""

from __future__ import annotations

from typing import Any

from celpy import celtypes

from confluent_kafka.schema_registry._core.rule_types import (
    FieldContext,
    FieldRuleExecutor,
    FieldTransform,
    RuleContext,
)
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.cel.cel_executor import CelExecutor, field_value_to_cel, msg_to_cel
from confluent_kafka.schema_registry.rules.cel.programs import uses

__all__ = ["CelFieldExecutor"]


class CelFieldExecutor(FieldRuleExecutor):
    """Runs rules of type CEL_FIELD on fields with numbers, texts, bytes, truth values or null.

    The expression sees ``value``, ``fullName``, ``name``, ``typeName``, ``tags``, ``message`` (the record that has the
    field) and ``now``; ``guard ; expression`` as with CEL.
    """

    def __init__(self) -> None:
        self._executor = CelExecutor()

    def type(self) -> str:
        """Return ``CEL_FIELD``."""
        return "CEL_FIELD"

    def new_transform(self, ctx: RuleContext) -> FieldTransform:
        """Return ``(context, field, value) -> value``."""
        return self._transform

    def _transform(self, ctx: RuleContext, field_ctx: FieldContext, field_value: Any) -> Any:
        if not field_ctx.is_primitive():
            return field_value
        args = {
            "value": field_value_to_cel(field_ctx, field_value),
            "fullName": celtypes.StringType(field_ctx.full_name),
            "name": celtypes.StringType(field_ctx.name),
            "typeName": celtypes.StringType(field_ctx.type_name()),
            "tags": celtypes.ListType([celtypes.StringType(tag) for tag in sorted(field_ctx.tags)]),
        }
        # the whole record for one field: only where the expression asks for it
        if uses(ctx.rule.expr or "", "message"):
            args["message"] = msg_to_cel(field_ctx.containing_message)
        return self._executor.execute(ctx, field_value, args)

    @classmethod
    def register(cls) -> None:
        """Have rules of type CEL_FIELD run by (de)serializers without a rule registry of their own."""
        RuleRegistry.register_rule_executor(cls())
