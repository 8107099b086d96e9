# SPDX-License-Identifier: Apache-2.0
"""What becomes of messages that fail a rule: they go to a dead letter queue, a topic, as well."""

from __future__ import annotations

import json
import logging
import struct
import threading
import uuid
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer
from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core.effects import BlockingCall
from confluent_kafka.schema_registry._core.models import Rule, RuleKind, RuleMode, RulePhase
from confluent_kafka.schema_registry._core.rule_types import (
    DLQ_HEADER_PREFIX,
    DLQ_RULE_EXCEPTION_HEADER,
    DLQ_RULE_MODE_HEADER,
    DLQ_RULE_NAME_HEADER,
    DLQ_RULE_SUBJECT_HEADER,
    DLQ_RULE_TOPIC_HEADER,
    FieldContext,
    FieldRuleExecutor,
    FieldTransform,
    FieldType,
    RuleAction,
    RuleContext,
)
from confluent_kafka.schema_registry._core.rules import Later, rules_of
from confluent_kafka.schema_registry.rule_registry import RuleRegistry

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar

    from confluent_kafka.schema_registry._core.effects import Op

__all__ = ["DlqAction", "FieldRedactionExecutor", "Producer"]

log = logging.getLogger("confluent_kafka.schema_registry.rules.dlq")
_INT64 = range(-(2**63), 2**63)
_WITHHELD = b"<REDACTED>"


class FieldRedactionExecutor(FieldRuleExecutor):
    """Replaces texts and bytes by ``<REDACTED>``: rules of type REDACT."""

    TYPE = "REDACT"
    REDACTED_STRING = "<REDACTED>"
    REDACTED_BYTES = b"<REDACTED>"

    def type(self) -> str:
        """Return ``REDACT``."""
        return self.TYPE

    def new_transform(self, ctx: RuleContext) -> FieldTransform:
        """Return ``(context, field, value) -> value``."""

        def redact(ctx: RuleContext, field: FieldContext, value: Any) -> Any:
            if value is None or field.field_type not in (FieldType.STRING, FieldType.BYTES):
                return value
            return self.REDACTED_STRING if field.field_type is FieldType.STRING else self.REDACTED_BYTES

        return redact

    @classmethod
    def register(cls) -> FieldRedactionExecutor:
        """Have rules of type REDACT run by (de)serializers without a rule registry of their own."""
        executor = cls()
        RuleRegistry.register_rule_executor(executor)
        return executor


class DlqAction(RuleAction):
    """Sends the message as it was before any rule to a topic, then refuses it as ERROR does.

    Its headers name rule, mode, subject, topic and error; a (de)serializer that meets them does not run that rule
    again. Fields that rules of ``dlq.redact.rule.types`` protect are replaced by ``<REDACTED>``; a value is withheld
    altogether where its whole payload was to be encrypted, or redaction fails.

    Args:
        conf: ``dlq.topic`` (a parameter of the rule, too), ``dlq.auto.flush`` (false), ``dlq.redact.rule.types``
            (``ENCRYPT,ENCRYPT_PAYLOAD``), ``producer`` (a ready one); all else configures a producer. ``rule_conf`` of
            (de)serializers wins.
    """

    TYPE = "DLQ"
    DLQ_TOPIC = "dlq.topic"
    DLQ_AUTO_FLUSH = "dlq.auto.flush"
    DLQ_REDACT_RULE_TYPES = "dlq.redact.rule.types"
    DLQ_REDACT_RULE_TYPES_DEFAULT = "ENCRYPT,ENCRYPT_PAYLOAD"
    PRODUCER = "producer"
    HEADER_PREFIX = DLQ_HEADER_PREFIX
    RULE_NAME = DLQ_RULE_NAME_HEADER
    RULE_MODE = DLQ_RULE_MODE_HEADER
    RULE_SUBJECT = DLQ_RULE_SUBJECT_HEADER
    RULE_TOPIC = DLQ_RULE_TOPIC_HEADER
    RULE_EXCEPTION = DLQ_RULE_EXCEPTION_HEADER
    _BASE: ClassVar[dict[str, Any]] = {
        "enable.idempotence": False,
        "acks": "all",
        "max.in.flight.requests.per.connection": 1,
        "message.timeout.ms": 0,
    }

    def __init__(self, conf: dict[str, Any] | None = None) -> None:
        self._conf = dict(conf or {})
        self._lock = threading.Lock()
        self._own: Any = None

    def configure(self, client_conf: dict[str, Any], rule_conf: dict[str, Any]) -> None:
        """Take ``dlq.*`` and ``producer`` of a (de)serializer's ``rule_conf``."""
        mine = {name: value for name, value in (rule_conf or {}).items() if _is_mine(name)}
        with self._lock:
            self._conf = {**self._conf, **mine}

    def type(self) -> str:
        """Return ``DLQ``."""
        return self.TYPE

    def close(self) -> None:
        """Deliver what is under way, and close the producer if it was made here."""
        with self._lock:
            own, self._own = self._own, None
        producer = self._conf.get(self.PRODUCER) if own is None else own
        if producer is not None:
            producer.flush()
        if own is not None:
            own.close()

    def run(self, ctx: RuleContext, message: Any, ex: Exception | None) -> Any:
        """Send the message to the topic and raise SerializationError; a message that cannot be sent is logged.

        Raises:
            SerializationError: always; ``__cause__`` is why the rule failed.
        """
        topic = self._conf.get(self.DLQ_TOPIC) or ctx.get_parameter(self.DLQ_TOPIC)
        if not topic:
            raise SerializationError("Could not send to DLQ as no topic is configured") from ex
        try:
            producer = self._producer()
            producer.produce(
                topic,
                key=self._bytes(ctx, ctx.original_key),
                value=self._bytes(ctx, ctx.original_value),
                headers=self._headers(ctx, ex),
                on_delivery=_delivered(topic),
            )
            producer.poll(0)
            if str(self._conf.get(self.DLQ_AUTO_FLUSH, False)).lower() == "true":
                if ctx.defers and type(self).run is DlqAction.run:
                    return Later(_flush(producer, topic, ctx.rule.name, ex))
                producer.flush()
        except Exception as e:  # what failed is the rule: that is what the caller has to hear of
            log.error("Could not produce message to DLQ topic %s: %s", topic, e)
        raise SerializationError(f"Rule failed: {ctx.rule.name}") from ex

    def _producer(self) -> Any:
        given = self._conf.get(self.PRODUCER)
        if given is not None:
            return given
        with self._lock:
            if self._own is None:
                rest = {name: value for name, value in self._conf.items() if not _is_mine(name)}
                self._own = Producer({**self._BASE, **rest})
            return self._own

    def _headers(self, ctx: RuleContext, ex: Exception | None) -> list[tuple[str, Any]]:
        incoming = None if ctx.ser_ctx is None else ctx.ser_ctx.headers
        items = incoming.items() if isinstance(incoming, dict) else incoming or ()
        topic = None if ctx.ser_ctx is None else ctx.ser_ctx.topic
        own = [
            (self.RULE_NAME, ctx.rule.name),
            (self.RULE_MODE, ctx.rule_mode.value),
            (self.RULE_SUBJECT, ctx.subject),
            (self.RULE_TOPIC, topic),
        ]
        if ex is not None:
            own.append((self.RULE_EXCEPTION, str(ex)))
        return [(name, _header(value)) for name, value in (*items, *own)]

    def _bytes(self, ctx: RuleContext, value: Any) -> bytes | None:
        if value is None:
            return None
        writing = ctx.rule_mode is RuleMode.WRITE
        protecting = self._protecting(ctx) if writing else []
        if any(rule.type == "ENCRYPT_PAYLOAD" for rule in protecting):
            return _WITHHELD
        simple = _simple(value)
        if simple is not None:
            return simple
        if protecting:
            try:
                value = _redacted(ctx, value, protecting)
            except Exception as e:  # rather no value than one in clear
                log.error("Could not redact fields: %s", type(e).__name__)
                return _WITHHELD
        if hasattr(value, "DESCRIPTOR"):
            from google.protobuf import json_format

            return str(json_format.MessageToJson(value)).encode()
        return json.dumps(value, default=_json).encode()

    def _protecting(self, ctx: RuleContext) -> list[Rule]:
        kinds = str(self._conf.get(self.DLQ_REDACT_RULE_TYPES, self.DLQ_REDACT_RULE_TYPES_DEFAULT))
        wanted = {kind.strip() for kind in kinds.split(",")}
        rules = list(ctx.rules)
        if ctx.target is not None:
            rules += rules_of(ctx.target, RulePhase.DOMAIN) + rules_of(ctx.target, RulePhase.ENCODING)
        return [rule for rule in rules if (rule.type or "").upper() in wanted]

    @classmethod
    def register(cls, conf: dict[str, Any] | None = None) -> DlqAction:
        """Have rules with the action DLQ use this in (de)serializers without a rule registry of their own."""
        action = cls(conf)
        RuleRegistry.register_rule_action(action)
        return action


def _flush(producer: Any, topic: str, rule: str | None, ex: Exception | None) -> Op[None]:
    """Flush, which blocks: an event loop has a thread do it; then refuse the message."""
    try:
        yield BlockingCall(producer.flush)
    except Exception as e:  # as in run(): what failed is the rule
        log.error("Could not produce message to DLQ topic %s: %s", topic, e)
    raise SerializationError(f"Rule failed: {rule}") from ex


def _is_mine(name: str) -> bool:
    return name == DlqAction.PRODUCER or name.startswith("dlq.")


def _header(value: Any) -> bytes | None:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    return None if value is None else str(value).encode()


def _simple(value: Any) -> bytes | None:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (str, uuid.UUID)):
        return str(value).encode()
    if isinstance(value, int) and not isinstance(value, bool) and value in _INT64:
        return struct.pack(">q", value)
    return struct.pack(">d", value) if isinstance(value, float) else None


def _json(value: Any) -> str:
    return bytes(value).decode("iso-8859-1") if isinstance(value, (bytes, bytearray)) else str(value)


def _redacted(ctx: RuleContext, value: Any, protecting: list[Rule]) -> Any:
    # a rule without tags protects all fields
    every = any(not rule.tags for rule in protecting)
    tags = [] if every else sorted({tag for rule in protecting for tag in rule.tags or ()})
    rule = Rule("redact", None, RuleKind.TRANSFORM, ctx.rule_mode, "REDACT", tags, None, None, None, None, False)
    inner = RuleContext(
        ctx.enabled_env,
        ctx.ser_ctx,
        ctx.source,
        ctx.target,
        ctx.subject,
        ctx.rule_mode,
        rule,
        0,
        [rule],
        ctx.inline_tags,
        ctx.field_transformer,
    )
    return FieldRedactionExecutor().transform(inner, value)


def _delivered(topic: str) -> Callable[[Any, Any], None]:
    def callback(error: Any, message: Any) -> None:
        if error is not None:
            log.error("Could not produce message to DLQ topic %s: %s", topic, error)

    return callback
