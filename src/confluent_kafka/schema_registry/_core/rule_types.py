# SPDX-License-Identifier: Apache-2.0
"""What rule executors and actions are, and what they are told about a message."""

from __future__ import annotations

import abc
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core.models import Rule, RuleKind, RuleMode, Schema
from confluent_kafka.schema_registry.error import RuleError
from confluent_kafka.schema_registry.wildcard_matcher import wildcard_match

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.models import RegisteredSchema
    from confluent_kafka.serialization import SerializationContext


DLQ_HEADER_PREFIX = "__rule."
DLQ_RULE_NAME_HEADER = DLQ_HEADER_PREFIX + "name"
DLQ_RULE_MODE_HEADER = DLQ_HEADER_PREFIX + "mode"
DLQ_RULE_SUBJECT_HEADER = DLQ_HEADER_PREFIX + "subject"
DLQ_RULE_TOPIC_HEADER = DLQ_HEADER_PREFIX + "topic"
DLQ_RULE_EXCEPTION_HEADER = DLQ_HEADER_PREFIX + "exception"

# (topic, or None for any; key): what a key's (de)serializer leaves for that of the value
_original_key: ContextVar[tuple[str | None, Any] | None] = ContextVar("confluent_kafka_original_key", default=None)


def set_original_key(key: Any) -> None:
    """Tell the rules of the value that is (de)serialized next, in this thread or task, the key that goes with it."""
    _original_key.set((None, key))


def remember_key(ctx: SerializationContext | None, key: Any) -> None:
    """As ``set_original_key``, for a value of the same topic."""
    _original_key.set((None if ctx is None else ctx.topic, key))


def get_original_key() -> Any:
    """Return the key that goes with the value; None if it is not known."""
    found = _original_key.get()
    return None if found is None else found[1]


def take_key(topic: str | None) -> Any:
    """Return the key that goes with a value of a topic, and forget it: the next value may have none."""
    found = _original_key.get()
    if found is None:
        return None
    _original_key.set(None)
    return found[1] if found[0] is None or found[0] == topic else None


def clear_original_key() -> None:
    """Forget the key."""
    _original_key.set(None)


class FieldType(str, Enum):
    """The kind of value that a field has. A union is COMBINED until its branch is known."""

    RECORD = "RECORD"
    ENUM = "ENUM"
    ARRAY = "ARRAY"
    MAP = "MAP"
    COMBINED = "COMBINED"
    FIXED = "FIXED"
    STRING = "STRING"
    BYTES = "BYTES"
    INT = "INT"
    LONG = "LONG"
    FLOAT = "FLOAT"
    DOUBLE = "DOUBLE"
    BOOLEAN = "BOOLEAN"
    NULL = "NULL"

    def __str__(self) -> str:
        return str(self.value)


PRIMITIVES = frozenset(
    (
        FieldType.INT,
        FieldType.LONG,
        FieldType.FLOAT,
        FieldType.DOUBLE,
        FieldType.BOOLEAN,
        FieldType.NULL,
        FieldType.STRING,
        FieldType.BYTES,
    )
)


class FieldContext:
    """A field whose value a rule is given.

    Args:
        containing_message: the record, object or message that has the field.
        full_name: ``namespace.Record.field`` in Avro, ``$.a.b`` in JSON, ``package.Message.field`` in Protobuf.
        name: the field's own name.
        field_type: kind of the value.
        tags: all tags of the field.
        field_descriptor: Protobuf's descriptor of the field, None for other formats.
    """

    __slots__ = ("containing_message", "field_descriptor", "field_type", "full_name", "name", "tags")

    def __init__(
        self,
        containing_message: Any,
        full_name: str,
        name: str,
        field_type: FieldType,
        tags: set[str],
        field_descriptor: Any = None,
    ) -> None:
        self.containing_message = containing_message
        self.full_name = full_name
        self.name = name
        self.field_type = field_type
        self.tags = tags
        self.field_descriptor = field_descriptor

    def is_primitive(self) -> bool:
        """Whether the value is a number, text, bytes, truth value or null."""
        return self.field_type in PRIMITIVES

    def type_name(self) -> str:
        """Return the name of the field's type, for example ``STRING``."""
        return self.field_type.name


def metadata_tags(schema: Schema | None, full_name: str) -> set[str]:
    """Return the tags that a schema's metadata gives a field."""
    if schema is None or schema.metadata is None or schema.metadata.tags is None:
        return set()
    patterns = schema.metadata.tags.tags
    return {tag for pattern, tags in patterns.items() if wildcard_match(full_name, pattern) for tag in tags}


def rule_parameter(rule: Rule, target: Schema | None, name: str) -> str | None:
    """Return a parameter: the rule's own, else the property of that name in the schema's metadata."""
    if rule.params is not None and (value := rule.params.params.get(name)) is not None:
        return value
    if target is not None and target.metadata is not None and target.metadata.properties is not None:
        return target.metadata.properties.properties.get(name)
    return None


class RuleContext:
    """What an executor or action is told about a message and the rule that is being run.

    Args:
        enabled_env: where the rule set runs: ALL, CLIENT or None.
        ser_ctx: topic, field and headers of the message.
        source: schema the message comes from, in a migration or when it is read.
        target: schema whose rules run.
        subject: its subject.
        rule_mode: WRITE, READ, UPGRADE or DOWNGRADE.
        rule: the rule.
        index: its place in ``rules``.
        rules: all rules of this phase, in the order in which they run.
        inline_tags: tags in the schema's text, by full name of the field.
        field_transformer: ``(context, transform, message) -> message``: runs a field transform over a message.
        original_key: the message's key before any rule; None if it is not known.
        original_value: the message's value before any rule.
    """

    __slots__ = (
        "_field_contexts",
        "defers",
        "enabled_env",
        "field_transformer",
        "index",
        "inline_tags",
        "original_key",
        "original_value",
        "rule",
        "rule_mode",
        "rules",
        "ser_ctx",
        "source",
        "subject",
        "suspends",
        "target",
    )

    def __init__(
        self,
        enabled_env: str | None,
        ser_ctx: SerializationContext | None,
        source: Schema | None,
        target: Schema | None,
        subject: str | None,
        rule_mode: RuleMode,
        rule: Rule,
        index: int,
        rules: list[Rule],
        inline_tags: dict[str, set[str]] | None,
        field_transformer: FieldTransformer | None,
        original_key: Any = None,
        original_value: Any = None,
    ) -> None:
        self.enabled_env = enabled_env
        self.ser_ctx = ser_ctx
        self.source = source
        self.target = target
        self.subject = subject
        self.rule_mode = rule_mode
        self.rule = rule
        self.index = index
        self.rules = rules
        self.inline_tags = inline_tags
        self.field_transformer = field_transformer
        self.original_key = original_key
        self.original_value = original_value
        self.defers = False  # whether who called an action runs an operation that it returns
        self.suspends = False  # whether who called the executor fetches what is missing, and calls again
        self._field_contexts: list[FieldContext] = []

    def get_parameter(self, name: str) -> str | None:
        """Return a parameter of the rule, else the property of that name in the target schema's metadata."""
        return rule_parameter(self.rule, self.target, name)

    def current_field(self) -> FieldContext | None:
        """Return the innermost field whose value is being transformed."""
        return self._field_contexts[-1] if self._field_contexts else None

    def enter_field(
        self,
        containing_message: Any,
        full_name: str,
        name: str,
        field_type: FieldType,
        tags: set[str] | None,
        field_descriptor: Any = None,
    ) -> FieldContext:
        """Make a field the current one.

        ``tags`` are those in the schema's text; None takes them from ``inline_tags``.
        """
        inline = tags if tags is not None else (self.inline_tags or {}).get(full_name, set())
        every = set(inline) | self.get_tags(full_name)
        field = FieldContext(containing_message, full_name, name, field_type, every, field_descriptor)
        self._field_contexts.append(field)
        return field

    def exit_field(self) -> None:
        """Return to the field around the current one."""
        if self._field_contexts:
            self._field_contexts.pop()

    def push_field(self, field: FieldContext) -> None:
        """Make a field the current one."""
        self._field_contexts.append(field)

    def get_tags(self, full_name: str) -> set[str]:
        """Return the tags that the target schema's metadata gives a field."""
        return metadata_tags(self.target, full_name)


FieldTransform: TypeAlias = Callable[[RuleContext, FieldContext, Any], Any]
FieldTransformer: TypeAlias = Callable[[RuleContext, FieldTransform, Any], Any]


class RuleBase(abc.ABC):
    """What executors and actions share."""

    def configure(self, client_conf: dict[str, Any], rule_conf: dict[str, Any]) -> None:  # noqa: B027
        """Take the configuration of a (de)serializer's registry client, and its ``rule_conf``."""

    @abc.abstractmethod
    def type(self) -> str:
        """Return the name that rules have it by."""

    def close(self) -> None:  # noqa: B027
        """Let go of connections and keys."""


class RuleExecutor(RuleBase):
    """Runs the rules of one type."""

    @abc.abstractmethod
    def transform(self, ctx: RuleContext, message: Any) -> Any:
        """Return the new message (kind TRANSFORM), or whether the message is right (kind CONDITION).

        It may be a coroutine function for asyncio (de)serializers.
        """


class FieldRuleExecutor(RuleExecutor):
    """Runs the rules of one type on every field that has a tag of the rule."""

    @abc.abstractmethod
    def new_transform(self, ctx: RuleContext) -> FieldTransform:
        """Return a function ``(context, field, value) -> new value``; it may be a coroutine function with asyncio."""

    def transform(self, ctx: RuleContext, message: Any) -> Any:
        """Run the field transform over a message."""
        others = ctx.rules[: ctx.index] if ctx.rule_mode in (RuleMode.WRITE, RuleMode.UPGRADE) else ()
        if ctx.rule_mode in (RuleMode.READ, RuleMode.DOWNGRADE):
            others = ctx.rules[ctx.index + 1 :]
        if any(self.are_transforms_with_same_tag(ctx.rule, other) for other in others):
            return message
        if ctx.field_transformer is None:
            raise RuleError(f"rule {ctx.rule.name} is for fields, and there is no way to walk this message's fields")
        return ctx.field_transformer(ctx, self.new_transform(ctx), message)

    @staticmethod
    def are_transforms_with_same_tag(rule1: Rule, rule2: Rule) -> bool:
        """Whether two rules do the same to the same fields, so that only one of them is to run."""
        return (
            bool(rule1.tags)
            and rule1.kind is RuleKind.TRANSFORM
            and rule1.kind is rule2.kind
            and rule1.mode is rule2.mode
            and rule1.type == rule2.type
            and rule1.tags == rule2.tags
        )


class RuleAction(RuleBase):
    """What follows a rule that succeeded (``on_success``) or failed (``on_failure``)."""

    @abc.abstractmethod
    def run(self, ctx: RuleContext, message: Any, ex: Exception | None) -> Any:
        """Act.

        Args:
            ctx: the rule.
            message: the message as it was before the rule.
            ex: why the rule failed; None after a success, or when a transform returned None.
        """


class ErrorAction(RuleAction):
    """Refuses the message."""

    def type(self) -> str:
        """Return ``ERROR``."""
        return "ERROR"

    def run(self, ctx: RuleContext, message: Any, ex: Exception | None) -> Any:
        """Raise SerializationError; ``__cause__`` is why the rule failed."""
        where = "" if ctx.subject is None else f" of subject {ctx.subject}"
        if ex is None:
            raise SerializationError(f"rule {ctx.rule.name} ({ctx.rule.type}){where} returned no message")
        raise SerializationError(f"rule {ctx.rule.name} ({ctx.rule.type}){where} failed: {ex}") from ex


class NoneAction(RuleAction):
    """Does nothing."""

    def type(self) -> str:
        """Return ``NONE``."""
        return "NONE"

    def run(self, ctx: RuleContext, message: Any, ex: Exception | None) -> Any:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A step between two versions of a schema: UPGRADE to the next, or DOWNGRADE to the one before."""

    rule_mode: RuleMode
    source: RegisteredSchema | None
    target: RegisteredSchema | None
