# SPDX-License-Identifier: Apache-2.0
"""The fields of a Protobuf message, and walks to them.

Names and tags are those of the schema, values those of the message's own class: a field is the same by its number. A
field that is not set is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from confluent_kafka.schema_registry._core.codecs.proto_names import is_repeated
from confluent_kafka.schema_registry._core.codecs.protobuf_scalars import assign, rebuild_value_type
from confluent_kafka.schema_registry._core.rule_fields import Field, Tags
from confluent_kafka.schema_registry._core.rule_types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from confluent_kafka.schema_registry._core.models import Schema
    from confluent_kafka.schema_registry._core.rule_fields import Leaf, LeafRun, Walk

_TYPES = {
    FieldDescriptor.TYPE_DOUBLE: FieldType.DOUBLE,
    FieldDescriptor.TYPE_FLOAT: FieldType.FLOAT,
    FieldDescriptor.TYPE_INT64: FieldType.LONG,
    FieldDescriptor.TYPE_UINT64: FieldType.LONG,
    FieldDescriptor.TYPE_INT32: FieldType.INT,
    FieldDescriptor.TYPE_FIXED64: FieldType.LONG,
    FieldDescriptor.TYPE_FIXED32: FieldType.INT,
    FieldDescriptor.TYPE_BOOL: FieldType.BOOLEAN,
    FieldDescriptor.TYPE_STRING: FieldType.STRING,
    FieldDescriptor.TYPE_BYTES: FieldType.BYTES,
    FieldDescriptor.TYPE_UINT32: FieldType.INT,
    FieldDescriptor.TYPE_ENUM: FieldType.ENUM,
    FieldDescriptor.TYPE_SFIXED32: FieldType.INT,
    FieldDescriptor.TYPE_SFIXED64: FieldType.LONG,
    FieldDescriptor.TYPE_SINT32: FieldType.INT,
    FieldDescriptor.TYPE_SINT64: FieldType.LONG,
}
# messages that rules take for one value
_VALUES = {"confluent.type.Decimal": FieldType.BYTES, "google.protobuf.Timestamp": FieldType.LONG}


def field_type(field: Any) -> FieldType:
    """Return what rules take the value of a field for, or each of its values."""
    if field.message_type is not None:
        return _VALUES.get(field.message_type.full_name, FieldType.RECORD)
    return _TYPES[field.type]


class ProtobufFields:
    """The fields of one message.

    Args:
        schema: the message's descriptor in the schema.
        kind: its descriptor in the class that is read and written.
        tagged: schemas whose metadata gives tags to the fields.
        inline: returns the tags that a field has in the schema.
        to_message: makes a message out of what the application gives.
        from_message: makes what the application is given out of a message.
        other: the writer's descriptor of the message, whose inline tags count too.
    """

    has_fields = True

    def __init__(
        self,
        schema: Any,
        kind: Any,
        tagged: Iterable[Schema | None],
        inline: Callable[[Any], set[str]],
        to_message: Callable[[Any], Any] | None = None,
        from_message: Callable[[Any], Any] | None = None,
        other: Any = None,
    ) -> None:
        self._schema = schema
        self._kind = kind
        self._tags = Tags(tagged)
        self._inline = inline
        self._to_message = to_message
        self._from_message = from_message
        self._other = other

    def walk(self, leaf: Leaf, *, writing: bool) -> Walk | None:
        """Compile a walk to the fields ``leaf`` wants; None when it wants none."""
        change = _Compiler(self._tags, self._inline, leaf).message(self._schema, self._kind, self._other)
        if change is None:
            return None
        to_message, from_message = self._to_message, self._from_message

        def walk(message: Any, state: Any) -> Any:
            if to_message is not None and not isinstance(message, Message):
                message = to_message(message)
            if not isinstance(message, Message):
                raise TypeError(f"expected a message {self._kind.full_name}, got {type(message).__name__}")
            copy = type(message)()
            copy.CopyFrom(message)
            change(copy, state)
            return copy if from_message is None else from_message(copy)

        return walk


def field_change(
    field: Any, named: Any, tagged: Iterable[Schema | None], inline: Callable[[Any], set[str]], leaf: Leaf
) -> Callable[[Any, Any], None] | None:
    """Compile what changes one field of a message in its place; None when ``leaf`` wants nothing in it.

    Args:
        field: its descriptor in the message's class.
        named: its descriptor in the schema.
        tagged: schemas whose metadata gives tags to the fields.
        inline: returns the tags that a field has in the schema.
        leaf: picks fields.
    """
    return _Compiler(Tags(tagged), inline, leaf).field(field, named, None)


class _Compiler:
    def __init__(self, tags: Tags, inline: Callable[[Any], set[str]], leaf: Leaf) -> None:
        self._tags = tags
        self._inline = inline
        self._leaf = leaf
        self._messages: dict[tuple[str, str], list[Any]] = {}

    def message(self, schema: Any, kind: Any, other: Any) -> Callable[[Any, Any], None] | None:
        """Compile what changes a message in its place."""
        key = (schema.full_name, kind.full_name)
        known = self._messages.get(key)
        if known is not None:
            if known:
                found: Callable[[Any, Any], None] | None = known[0]
                return found
            return lambda message, state: _later(known, message, state)
        slot = self._messages[key] = []
        changes = []
        for field in kind.fields:
            named = schema.fields_by_number.get(field.number)
            if named is None:
                continue  # the schema does not have it: it has no tags
            writer = None if other is None else other.fields_by_number.get(field.number)
            change = self.field(field, named, writer)
            if change is not None:
                changes.append(change)
        slot.append(_all(changes) if changes else None)
        result: Callable[[Any, Any], None] | None = slot[0]
        return result

    def field(self, field: Any, named: Any, writer: Any) -> Callable[[Any, Any], None] | None:
        if is_repeated(field) and field.message_type is not None and field.message_type.GetOptions().map_entry:
            value = field.message_type.fields_by_name["value"]
            entry = named.message_type
            if entry is None or "value" not in entry.fields_by_name:
                return None
            inner = (
                None if writer is None or writer.message_type is None else writer.message_type.fields_by_name["value"]
            )
            return self._map(field, value, named, entry.fields_by_name["value"], writer, inner)
        if self._is_message(field):
            nested = self._nested(field, named, writer)
            if nested is None:
                return None
            return _each_message(field.name, nested) if is_repeated(field) else _one_message(field.name, nested)
        run = self._value(field, named, writer)
        if run is None:
            return None
        return _each_value(field, run) if is_repeated(field) else _one_value(field, run)

    def _map(
        self, field: Any, value: Any, named: Any, named_value: Any, writer: Any, inner: Any
    ) -> Callable[[Any, Any], None] | None:
        if self._is_message(value):
            nested = self._nested(value, named_value, inner)
            return None if nested is None else _each_entry(field.name, nested)
        run = self._value(value, named, writer, field)
        return None if run is None else _each_entry_value(field.name, value, run)

    @staticmethod
    def _is_message(field: Any) -> bool:
        return field.message_type is not None and field.message_type.full_name not in _VALUES

    def _nested(self, field: Any, named: Any, writer: Any) -> Callable[[Any, Any], None] | None:
        if named.message_type is None:
            return None
        return self.message(named.message_type, field.message_type, None if writer is None else writer.message_type)

    def _value(self, field: Any, named: Any, writer: Any, place: Any = None) -> LeafRun | None:
        kind = field_type(field)
        inline = self._inline(named) | (set() if writer is None else self._inline(writer))
        tags = self._tags.of(named.full_name, inline)
        # a message that stands for a value is no text and no bytes: what only knows these has to refuse it
        logical = None if field.message_type is None else field.message_type.full_name
        return self._leaf(Field(named.full_name, named.name, kind, tags, place or field, logical))


def _later(slot: list[Any], message: Any, state: Any) -> None:
    if slot[0] is not None:
        slot[0](message, state)


def _all(changes: list[Callable[[Any, Any], None]]) -> Callable[[Any, Any], None]:
    def change(message: Any, state: Any) -> None:
        for one in changes:
            one(message, state)

    return change


def _one_message(name: str, nested: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def change(message: Any, state: Any) -> None:
        if message.HasField(name):
            nested(getattr(message, name), state)

    return change


def _each_message(name: str, nested: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def change(message: Any, state: Any) -> None:
        for item in getattr(message, name):
            nested(item, state)

    return change


def _each_entry(name: str, nested: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def change(message: Any, state: Any) -> None:
        entries = getattr(message, name)
        for key in entries:
            nested(entries[key], state)

    return change


def _one_value(field: Any, run: LeafRun) -> Callable[[Any, Any], None]:
    name, optional, is_message = field.name, field.has_presence, field.message_type is not None

    def change(message: Any, state: Any) -> None:
        if optional and not message.HasField(name):
            return
        old = getattr(message, name)
        new = run(old, message, state)
        if new is old:
            return
        if is_message:
            assign(old, _rebuilt(field, new))
        else:
            setattr(message, name, new)

    return change


def _each_value(field: Any, run: LeafRun) -> Callable[[Any, Any], None]:
    name, is_message = field.name, field.message_type is not None
    kind: Any = GetMessageClass(field.message_type) if is_message else None

    def change(message: Any, state: Any) -> None:
        values = getattr(message, name)
        new = [run(item, message, state) for item in values]
        if is_message:
            # copies: the items go with the list
            new = [kind.FromString(_rebuilt(field, item).SerializePartialToString()) for item in new]
        del values[:]
        values.extend(new)

    return change


def _each_entry_value(name: str, value: Any, run: LeafRun) -> Callable[[Any, Any], None]:
    is_message = value.message_type is not None

    def change(message: Any, state: Any) -> None:
        entries = getattr(message, name)
        for key in list(entries):
            new = run(entries[key], message, state)
            if not is_message:
                entries[key] = new
            elif new is not entries[key]:
                assign(entries[key], _rebuilt(value, new))

    return change


def _rebuilt(field: Any, new: Any) -> Any:
    return rebuild_value_type(None, field, new)
