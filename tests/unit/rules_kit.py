# SPDX-License-Identifier: Apache-2.0
"""Rules, schemas and executors for tests of data contracts."""

from __future__ import annotations

import json
from typing import Any

from confluent_kafka.schema_registry import (
    Metadata,
    MetadataProperties,
    MetadataTags,
    Rule,
    RuleKind,
    RuleMode,
    RuleParams,
    RuleSet,
    Schema,
)
from confluent_kafka.schema_registry._core.rule_types import (
    FieldContext,
    FieldRuleExecutor,
    FieldTransform,
    RuleAction,
    RuleContext,
    RuleExecutor,
)
from confluent_kafka.serialization import MessageField, SerializationContext

ORDER = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "int"},
        {"name": "card", "type": "string", "confluent:tags": ["PII"]},
        {"name": "note", "type": ["null", "string"], "default": None, "confluent:tags": ["PII"]},
        {"name": "photo", "type": ["null", "bytes"], "default": None, "confluent:tags": ["PII", "BIG"]},
        {"name": "emails", "type": {"type": "array", "items": "string"}, "default": [], "confluent:tags": ["PII"]},
        {"name": "phones", "type": {"type": "map", "values": "string"}, "default": {}, "confluent:tags": ["PII"]},
        {
            "name": "address",
            "type": [
                "null",
                {
                    "type": "record",
                    "name": "Address",
                    "fields": [
                        {"name": "street", "type": "string", "confluent:tags": ["PII"]},
                        {"name": "city", "type": "string"},
                        {"name": "other", "type": ["null", "Address"], "default": None},
                    ],
                },
            ],
            "default": None,
        },
    ],
}


def rule(
    kind: str = "ENCRYPT",
    name: str = "rule",
    *,
    mode: RuleMode = RuleMode.WRITEREAD,
    what: RuleKind = RuleKind.TRANSFORM,
    tags: list[str] | None = None,
    params: dict[str, str] | None = None,
    expr: str | None = None,
    on_success: str | None = None,
    on_failure: str | None = None,
    disabled: bool = False,
    doc: str | None = None,
) -> Rule:
    """Return a rule."""
    return Rule(
        name,
        doc,
        what,
        mode,
        kind,
        tags,
        None if params is None else RuleParams(params),
        expr,
        on_success,
        on_failure,
        disabled,
    )


def schema_with(
    domain: list[Rule] | None = None,
    encoding: list[Rule] | None = None,
    migration: list[Rule] | None = None,
    text: Any = ORDER,
    tags: dict[str, list[str]] | None = None,
    properties: dict[str, str] | None = None,
    kind: str = "AVRO",
    enable_at: str | None = None,
) -> Schema:
    """Return a schema with rules."""
    metadata = None
    if tags is not None or properties is not None:
        metadata = Metadata(MetadataTags(tags or {}), MetadataProperties(properties or {}), [])
    rules = RuleSet(migration or [], domain or [], encoding, enable_at)
    return Schema(text if isinstance(text, str) else json.dumps(text), kind, [], metadata, rules)


def context(topic: str = "orders", field: MessageField = MessageField.VALUE, headers: Any = None) -> Any:
    """Return the context of a message."""
    return SerializationContext(topic, field, headers)


class Mark(RuleExecutor):
    """Notes when it runs; changes nothing unless told otherwise."""

    def __init__(self, kind: str, log: list[str], result: Any = None) -> None:
        self._kind = kind
        self._log = log
        self._result = result
        self.configured: list[Any] = []
        self.closed = 0
        self.contexts: list[RuleContext] = []

    def configure(self, client_conf: dict[str, Any], rule_conf: dict[str, Any]) -> None:
        self.configured.append((client_conf, rule_conf))

    def type(self) -> str:
        return self._kind

    def transform(self, ctx: RuleContext, message: Any) -> Any:
        self._log.append(f"{ctx.rule.name}:{ctx.rule_mode.value}")
        self.contexts.append(ctx)
        if callable(self._result):
            return self._result(message)
        return message if self._result is None else self._result

    def close(self) -> None:
        self.closed += 1


class EachField(FieldRuleExecutor):
    """Calls a function for every field of a rule."""

    def __init__(self, kind: str, function: Any) -> None:
        self._kind = kind
        self._function = function

    def type(self) -> str:
        return self._kind

    def new_transform(self, ctx: RuleContext) -> FieldTransform:
        def transform(inner: RuleContext, field: FieldContext, value: Any) -> Any:
            assert inner is ctx
            assert ctx.current_field() is field
            return self._function(field, value)

        return transform


class Act(RuleAction):
    """Notes that it runs."""

    def __init__(self, kind: str, log: list[str], error: Exception | None = None) -> None:
        self._kind = kind
        self._log = log
        self._error = error
        self.seen: list[Any] = []

    def type(self) -> str:
        return self._kind

    def run(self, ctx: RuleContext, message: Any, ex: Exception | None) -> None:
        self._log.append(f"{self._kind}({ctx.rule.name})")
        self.seen.append((message, ex))
        if self._error is not None:
            raise self._error


class DeadLetters:
    """A producer that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.flushed = 0

    def produce(self, topic: str, **options: Any) -> None:
        self.sent.append({"topic": topic, **options})

    def poll(self, timeout: float) -> None:
        pass

    def flush(self) -> None:
        self.flushed += 1
