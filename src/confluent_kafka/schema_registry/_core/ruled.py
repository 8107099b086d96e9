# SPDX-License-Identifier: Apache-2.0
"""One message through a plan that has rules: domain rules on the object, encoding rules on the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core.rules import Suspend, new_call, replayed_rule, run_quickly, run_rules

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.effects import Op
    from confluent_kafka.schema_registry._core.plan import ReadPlan, WritePlan
    from confluent_kafka.schema_registry._core.rules import CompiledRules
    from confluent_kafka.serialization import SerializationContext


def write(plan: WritePlan, obj: Any, ctx: SerializationContext | None) -> Op[bytes]:
    """Return an object's bytes, without the schema's id."""
    rules = plan.rules
    if rules is None:
        return plan.encode(obj, b"")
    call = new_call(ctx, obj)
    if rules.check_before is not None:
        rules.check_before(obj)
    if rules.domain:
        obj = yield from run_rules(rules.domain, obj, call)
    if rules.check_after is not None:
        rules.check_after(obj)
    try:
        payload = plan.encode(obj, b"")
    except SerializationError:
        raise
    except Exception as e:
        raise plan.explain(obj, e) from None
    if rules.encoding:
        payload = yield from run_rules(rules.encoding, payload, call)
    return payload


def _may_skip(rules: CompiledRules, ctx: SerializationContext | None) -> bool:
    """Whether a message comes from a dead letter queue, so that one of its rules may not have to run again."""
    return bool(rules.skippable and ctx is not None and ctx.headers and replayed_rule(ctx.headers) is not None)


def write_quickly(plan: WritePlan, obj: Any, ctx: SerializationContext | None) -> bytes | None:
    """Return an object's bytes where no rule has to wait, fails or is followed by an action; else None.

    Raises:
        SerializationError: it does not pass the checks in the schema's text.
    """
    rules = plan.rules
    if rules is None or not rules.is_quick or _may_skip(rules, ctx):
        return None
    if rules.check_before is not None:
        rules.check_before(obj)
    try:
        obj = run_quickly(rules.domain, obj)
    except (Suspend, Exception):  # as below
        return None
    if rules.check_after is not None:
        rules.check_after(obj)
    try:
        payload: bytes = run_quickly(rules.encoding, plan.encode(obj, b""))
    except (Suspend, Exception):  # a key is missing, or a rule fails: the long way finds out and acts
        return None
    return payload


def read(plan: ReadPlan, data: bytes, start: int, ctx: SerializationContext | None) -> Op[Any]:
    """Return the object that bytes stand for."""
    rules = plan.rules
    if rules is None:
        return plan.decode(data, start)
    call = new_call(ctx, data)
    if rules.encoding:
        data, start = (yield from run_rules(rules.encoding, data[start:], call)), 0
    obj = plan.decode(data, start)
    for step in rules.migrations:
        obj = yield from run_rules(step, obj, call)
    if plan.finish is not None:
        obj = plan.finish(obj)
    if rules.domain:
        obj = yield from run_rules(rules.domain, obj, call)
    return obj


def read_quickly(plan: ReadPlan, data: bytes, start: int, ctx: SerializationContext | None) -> tuple[Any] | None:
    """Return the object, in a tuple, where no rule has to wait, fails or is followed by an action; else None."""
    rules = plan.rules
    if rules is None or not rules.is_quick or _may_skip(rules, ctx):
        return None
    try:
        if rules.encoding:
            data, start = run_quickly(rules.encoding, data[start:]), 0
        obj = plan.decode(data, start)
        if rules.domain:
            obj = run_quickly(rules.domain, obj)
    except (Suspend, Exception):  # a key is missing, or a rule fails: the long way finds out and acts
        return None
    return (obj,)
