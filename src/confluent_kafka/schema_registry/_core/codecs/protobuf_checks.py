# SPDX-License-Identifier: Apache-2.0
"""The checks in a Protobuf schema: the options ``(confluent.message_meta).rules`` and ``(confluent.field_meta).rules``.

Names and checks are those of the schema, values those of the message's own class: a field is the same by its number. A
field that is not set is passed over; one that cannot tell has its default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor_pb2 import FieldOptions, MessageOptions
from google.protobuf.message import Message

from confluent_kafka.schema_registry._core.codecs.proto_names import is_repeated
from confluent_kafka.schema_registry._core.validation import ValidationRule, findings, known_visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.schema_registry._core.validation import (
        Findings,
        ValidationRuleError,
        ValidationRuleExecutor,
        Visit,
    )


def protobuf_visit(schema: Any, kind: Any, to_message: Callable[[Any], Any] | None = None) -> Visit | None:
    """Compile what visits the messages and fields with checks; None without any.

    Args:
        schema: the message's descriptor in the schema.
        kind: its descriptor in the class that is written.
        to_message: makes a message out of what the application gives.
    """
    if not _has_rules(schema, set()):
        return None
    inner, name = _Compiler().message(schema, kind), kind.full_name
    if inner is None:
        return None

    def visit(value: Any, path: str, found: Findings) -> None:
        if to_message is not None and isinstance(value, dict):
            value = to_message(value)
        # the encoder refuses anything else
        if isinstance(value, Message) and value.DESCRIPTOR.full_name == name:
            inner(value, path, found)

    return visit


def validate_message(
    executor: ValidationRuleExecutor | None, descriptor: Any, message: Any, fail_fast: bool = False
) -> list[ValidationRuleError]:
    """Return the checks in a schema that a message does not pass, in the order of the schema.

    Args:
        executor: evaluates the checks; None checks nothing.
        descriptor: the message's descriptor in the schema; None has no checks.
        message: the message, whatever its class.
        fail_fast: stop at the first one.
    Raises:
        AttributeError: it is no message.
        SerializationError: the executor gave neither a bool nor a text.
    """
    if executor is None or descriptor is None or message is None:
        return []
    return findings(protobuf_visit(descriptor, message.DESCRIPTOR), executor, message, "", fail_fast)


def _message_rules(descriptor: Any) -> list[ValidationRule]:
    from confluent_kafka.schema_registry.confluent import meta_pb2

    # by way of its bytes: the message may be of another pool, where the extension is not this one
    options = MessageOptions.FromString(descriptor.GetOptions().SerializeToString())
    return _rules(options.Extensions[meta_pb2.message_meta])


def _field_rules(descriptor: Any) -> list[ValidationRule]:
    from confluent_kafka.schema_registry.confluent import meta_pb2

    options = FieldOptions.FromString(descriptor.GetOptions().SerializeToString())
    return _rules(options.Extensions[meta_pb2.field_meta])


def _rules(meta: Any) -> list[ValidationRule]:
    return [ValidationRule(rule.name, rule.doc, rule.expr, rule.sql) for rule in meta.rules]


def _has_rules(descriptor: Any, seen: set[str]) -> bool:
    if descriptor.full_name in seen:
        return False
    seen.add(descriptor.full_name)
    if _message_rules(descriptor):
        return True
    return any(
        _field_rules(field) or (field.message_type is not None and _has_rules(field.message_type, seen))
        for field in descriptor.fields
    )


class _Compiler:
    def __init__(self) -> None:
        # a message that is inside of itself finds in the list what is not compiled yet
        self._messages: dict[tuple[str, str], list[Visit | None]] = {}

    def message(self, schema: Any, kind: Any) -> Visit | None:
        key = (schema.full_name, kind.full_name)
        known = self._messages.get(key)
        if known is not None:
            return known_visit(known)
        slot = self._messages[key] = []
        rules = _message_rules(schema)
        visits = []
        for field in kind.fields:
            named = schema.fields_by_number.get(field.number)
            visit = None if named is None else self._field(field, named)
            if visit is not None:
                visits.append(visit)
        slot.append(_message_visit(schema, rules, visits) if rules or visits else None)
        return slot[0]

    def _field(self, field: Any, named: Any) -> Visit | None:
        rules = _field_rules(named)
        is_map = is_repeated(field) and field.message_type is not None and field.message_type.GetOptions().map_entry
        value, named_value = field, named
        if is_map:
            value = field.message_type.fields_by_name["value"]
            entry = named.message_type
            named_value = None if entry is None else entry.fields_by_name.get("value")
        inner = None
        if value.message_type is not None and named_value is not None and named_value.message_type is not None:
            inner = self.message(named_value.message_type, value.message_type)
        if not rules and inner is None:
            return None
        return _field_visit(field, named, rules, None if inner is None else _each(field, bool(is_map), inner))


def _message_visit(schema: Any, rules: list[ValidationRule], visits: list[Visit]) -> Visit:
    def visit(message: Any, path: str, found: Findings) -> None:
        if rules:
            found.check(rules, schema, message, path)
        for one in visits:
            one(message, path, found)

    return visit


def _field_visit(field: Any, named: Any, rules: list[ValidationRule], inner: Visit | None) -> Visit:
    name, optional = field.name, field.has_presence

    def visit(message: Any, path: str, found: Findings) -> None:
        if optional and not message.HasField(name):
            return
        value = getattr(message, name)
        place = f"{path}.{named.name}" if path else named.name
        if rules:
            found.check(rules, named, value, place)
        if inner is not None:
            inner(value, place, found)

    return visit


def _each(field: Any, is_map: bool, inner: Visit) -> Visit:
    """Return what visits the messages in the value of a field."""
    if is_map:

        def visit_map(entries: Any, path: str, found: Findings) -> None:
            for key in entries:
                inner(entries[key], f'{path}["{key}"]', found)

        return visit_map
    if is_repeated(field):

        def visit_list(items: Any, path: str, found: Findings) -> None:
            for number, item in enumerate(items):
                inner(item, f"{path}[{number}]", found)

        return visit_list
    return inner
