# SPDX-License-Identifier: Apache-2.0
"""Which fields a rule is for, and how they are found in a message.

A walk is compiled once per rule and schema. It returns a new message and leaves the one that it was given as it was;
parts without a field of the rule are not looked at, and are shared between both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from confluent_kafka.schema_registry._core.models import RuleKind
from confluent_kafka.schema_registry._core.rule_types import FieldContext, FieldType, RuleContext, metadata_tags
from confluent_kafka.schema_registry.error import RuleConditionError, RuleError
from confluent_kafka.serialization._steps import is_awaitable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confluent_kafka.schema_registry._core.models import Schema
    from confluent_kafka.schema_registry._core.rule_types import FieldTransform

# (value, the record that has it, state of this message) -> new value
LeafRun: TypeAlias = Callable[[Any, Any, Any], Any]
# (message, state) -> new message
Walk: TypeAlias = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A place in a schema where values are."""

    full_name: str
    name: str
    type: FieldType
    tags: frozenset[str]
    descriptor: Any = None
    logical: str | None = None

    def context(self, containing: Any) -> FieldContext:
        """Return what executors are told about it."""
        return FieldContext(containing, self.full_name, self.name, self.type, set(self.tags), self.descriptor)


# asked once per field when a walk is compiled; None: the rule is not for this field
Leaf: TypeAlias = Callable[[Field], LeafRun | None]


class Place:
    """The field that values belong to: elements of lists and maps belong to the field around them."""

    __slots__ = ("full_name", "name", "tags")

    def __init__(self, full_name: str, name: str, tags: Iterable[str]) -> None:
        self.full_name = full_name
        self.name = name
        self.tags = frozenset(tags)


class Fields(Protocol):
    """The fields of one schema in one format."""

    has_fields: bool

    def walk(self, leaf: Leaf, *, writing: bool) -> Walk | None:
        """Compile a walk to the fields ``leaf`` wants; None when it wants none. ``writing``: an encoder comes after."""


class Tags:
    """Tags that the metadata of some schemas give to fields; each name is looked up once."""

    def __init__(self, schemas: Iterable[Schema | None]) -> None:
        self._schemas = [schema for schema in schemas if schema is not None]
        self._known: dict[str, frozenset[str]] = {}

    def of(self, full_name: str, inline: Iterable[str] = ()) -> frozenset[str]:
        """Return all tags of a field."""
        if not self._schemas:
            return frozenset(inline)
        known = self._known.get(full_name)
        if known is None:
            known = frozenset().union(*(metadata_tags(schema, full_name) for schema in self._schemas))
            self._known[full_name] = known
        return known.union(inline)


def selects(rule_tags: Iterable[str] | None, field: Field) -> bool:
    """Whether a rule with these tags is for a field; without tags it is for all of them."""
    tags = frozenset(rule_tags or ())
    return not tags or not tags.isdisjoint(field.tags)


class FieldRun:
    """Runs a field transform of an executor over one message.

    A transform that is a coroutine function gives awaitables: then the walk is made twice. The first one collects them,
    the second one, after they were awaited, puts the values in.
    """

    __slots__ = ("_condition", "_ctx", "_given", "_transform", "results", "waits")

    def __init__(self, ctx: RuleContext, transform: FieldTransform, condition: bool) -> None:
        self._ctx = ctx
        self._transform = transform
        self._condition = condition
        self._given: Iterator[Any] | None = None
        self.results: list[Any] = []
        self.waits = False

    def give(self, results: list[Any]) -> None:
        """Have the next walk use these results."""
        self._given = iter(results)

    def apply(self, field: Field, value: Any, containing: Any) -> Any:
        """Return what becomes of a value."""
        if self._given is not None:
            result = next(self._given)
        else:
            ctx = self._ctx
            context = field.context(containing)
            ctx.push_field(context)
            try:
                result = self._transform(ctx, context, value)
            finally:
                ctx.exit_field()
            self.results.append(result)
            if is_awaitable(result):
                self.waits = True
                return value
        if self._condition:
            # only False: a condition on fields may have nothing to say
            if result is False:
                raise RuleConditionError(self._ctx.rule)
            return value
        return result


def place_of(field: FieldContext | None) -> Place | None:
    """Return the place of what is inside of a field."""
    return None if field is None else Place(field.full_name, field.name, field.tags)


def walk_from(run: LeafRun | None, field: FieldContext | None) -> Walk | None:
    """Return the walk that starts with a message, or with what is inside of a field."""
    if run is None:
        return None
    if field is None:
        return lambda message, state: run(message, message, state)
    containing = field.containing_message
    return lambda message, state: run(message, containing, state)


def apply_to(field: Field) -> LeafRun:
    """Return what gives the values of a field to a ``FieldRun``."""
    return lambda value, containing, run: run.apply(field, value, containing)


def leaf_of(ctx: RuleContext) -> Leaf:
    """Return what picks the fields that a context's rule is for, where only the context tells of them."""

    def leaf(field: Field) -> LeafRun | None:
        more = (ctx.inline_tags or {}).get(field.full_name)
        if more and not field.tags.issuperset(more):
            field = replace(field, tags=field.tags | more)
        return apply_to(field) if selects(ctx.rule.tags, field) else None

    return leaf


def walk_once(walk: Walk | None, ctx: RuleContext, transform: FieldTransform, message: Any) -> Any:
    """Return a message as a field transform has it.

    Raises:
        RuleConditionError: a condition does not hold.
        RuleError: the transform is a coroutine function, which cannot be awaited here.
    """
    if walk is None:
        return message
    run = FieldRun(ctx, transform, ctx.rule.kind is RuleKind.CONDITION)
    try:
        message = walk(message, run)
    except BaseException:
        discard(run.results)
        raise
    if run.waits:
        discard(run.results)
        raise RuleError("a field transform that is a coroutine function needs FieldRuleExecutor.transform as it is")
    return message


def in_place(message: Any, changed: Any) -> Any:
    """Put what a walk made into the object that it walked, as existing callers of ``transform`` expect."""
    if changed is message:
        return message
    if isinstance(message, dict) and isinstance(changed, dict):
        message.clear()
        message.update(changed)
    elif isinstance(message, list) and isinstance(changed, list):
        message[:] = changed
    elif hasattr(message, "CopyFrom") and type(message) is type(changed):
        message.CopyFrom(changed)
    else:
        return changed
    return message


def discard(results: list[Any]) -> None:
    """Close what will not be awaited: it would complain."""
    for result in results:
        close = getattr(result, "close", None)
        if is_awaitable(result) and close is not None:
            close()
