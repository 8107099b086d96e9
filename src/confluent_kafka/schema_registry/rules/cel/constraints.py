# SPDX-License-Identifier: Apache-2.0
"""Messages of Protobuf as values of expressions."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from functools import lru_cache
from typing import Any

from celpy import celtypes
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from confluent_kafka.schema_registry._core.codecs.proto_names import is_repeated
from confluent_kafka.schema_registry.rules.cel import string_format
from confluent_kafka.schema_registry.rules.cel.lazy_map import LazyMap
from confluent_kafka.schema_registry.rules.cel.timestamp_funcs import EPOCH

__all__ = ["MessageType", "make_duration", "make_timestamp", "message_value", "string_format", "unwrap"]


class MessageType(LazyMap):
    """A message: its fields by name, made into values when an expression asks for them.

    A field that is not set has the default of its type, a wrapper null; ``has()`` tells. Keys are the names of all
    fields but those of a oneof that are not set; proto3's optional fields are such.
    """

    def __init__(self, msg: Message) -> None:
        super().__init__()
        self.msg = msg
        self.desc: Descriptor = msg.DESCRIPTOR
        self._shown: dict[str, None] | None = None

    def _names(self) -> Collection[str]:
        if self._shown is None:
            self._shown = {name: None for name, shows in _fields(self.desc) if shows(self.msg)}
        return self._shown

    def _make(self, key: Any) -> Any:
        return _readers(self.desc)[key](self.msg)

    def set_items(self) -> list[tuple[str, Any]]:
        """Return names and values of the fields that are set."""
        return [(name, self[name]) for name in self._names() if self.is_set(name)]

    def __eq__(self, other: object) -> Any:
        if isinstance(other, MessageType):
            return celtypes.BoolType(self.desc.full_name == other.desc.full_name and self.msg == other.msg)
        return super().__eq__(other)

    __hash__ = None  # as of any map

    def __repr__(self) -> str:
        return f"MessageType({self.desc.full_name})"

    def is_set(self, name: str) -> bool:
        """Return what ``has()`` says of a field; a repeated one is set when it is not empty."""
        field = self.desc.fields_by_name.get(name)
        if field is None:
            return False
        if field.has_presence:
            return bool(self.msg.HasField(name))
        value = getattr(self.msg, name)
        return len(value) > 0 if is_repeated(field) else value != field.default_value


def make_timestamp(msg: Any) -> celtypes.TimestampType:
    """Return a ``google.protobuf.Timestamp``; of its nanoseconds whole microseconds.

    Raises:
        ValueError: it is not in the years 1 to 9999.
    """
    return celtypes.TimestampType(EPOCH + _span(msg))


def make_duration(msg: Any) -> celtypes.DurationType:
    """Return a ``google.protobuf.Duration``; of its nanoseconds whole microseconds."""
    return celtypes.DurationType(_span(msg))


def _span(msg: Any) -> timedelta:
    try:
        return timedelta(seconds=msg.seconds, microseconds=msg.nanos // 1000)
    except OverflowError as e:
        raise ValueError(f"{msg.DESCRIPTOR.full_name} is out of range") from e


def unwrap(msg: Any) -> Any:
    """Return what is in a wrapper like ``google.protobuf.Int32Value``."""
    return _scalar(msg.DESCRIPTOR.fields_by_name["value"])(msg.value)


def message_value(msg: Any) -> Any:
    """Return a message as a value: timestamps, durations and wrappers are what they stand for."""
    known = _WELL_KNOWN.get(msg.DESCRIPTOR.full_name)
    return MessageType(msg) if known is None else known(msg)


_WELL_KNOWN: dict[str, Callable[[Any], Any]] = {
    "google.protobuf.Timestamp": make_timestamp,
    "google.protobuf.Duration": make_duration,
}
WRAPPERS = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in ("Int32", "Int64", "UInt32", "UInt64", "Float", "Double", "Bool", "String", "Bytes")
)
_WELL_KNOWN.update(dict.fromkeys(WRAPPERS, unwrap))
_UNSIGNED = frozenset(
    {
        FieldDescriptor.TYPE_UINT32,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_FIXED32,
        FieldDescriptor.TYPE_FIXED64,
    }
)
_KINDS: dict[int, Any] = {
    FieldDescriptor.CPPTYPE_BOOL: celtypes.BoolType,
    FieldDescriptor.CPPTYPE_DOUBLE: celtypes.DoubleType,
    FieldDescriptor.CPPTYPE_FLOAT: celtypes.DoubleType,
}


def int_value(value: Any) -> Any:
    """Return a whole number as expressions see it; cel-python's constructor takes twenty times as long."""
    if type(value) is int and -(2**63) <= value < 2**63:
        return int.__new__(celtypes.IntType, value)
    return celtypes.IntType(value)


def uint_value(value: Any) -> Any:
    """Return an unsigned number as expressions see it."""
    if type(value) is int and 0 <= value < 2**64:
        return int.__new__(celtypes.UintType, value)
    return celtypes.UintType(value)


def _scalar(field: Any) -> Callable[[Any], Any]:
    if field.message_type is not None:
        return message_value
    if field.type == FieldDescriptor.TYPE_STRING:
        return celtypes.StringType
    if field.type == FieldDescriptor.TYPE_BYTES:
        return celtypes.BytesType
    return uint_value if field.type in _UNSIGNED else _KINDS.get(field.cpp_type, int_value)


@lru_cache(maxsize=200)
def _readers(descriptor: Any) -> dict[str, Callable[[Any], Any]]:
    return {field.name: _reader(field) for field in descriptor.fields}


def _reader(field: Any) -> Callable[[Any], Any]:
    name, make = field.name, _maker(field)
    if not is_repeated(field) and field.message_type is not None and field.message_type.full_name in WRAPPERS:
        return lambda msg: make(getattr(msg, name)) if msg.HasField(name) else None
    return lambda msg: make(getattr(msg, name))


@lru_cache(maxsize=1000)
def _maker(field: Any) -> Callable[[Any], Any]:
    make = _scalar(field)
    if not is_repeated(field):
        return make
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key = _scalar(field.message_type.fields_by_name["key"])
        make_item = _scalar(field.message_type.fields_by_name["value"])
        return lambda entries: celtypes.MapType({key(k): make_item(v) for k, v in entries.items()})
    return lambda items: celtypes.ListType([make(item) for item in items])


def field_value(field: Any, value: Any) -> Any:
    """Return the value that a field of a message has, as the field's descriptor tells its type."""
    return _maker(field)(value)


def element_value(field: Any, value: Any) -> Any:
    """Return one of the values that a field has: an element of a list, the value of an entry of a map."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        field = field.message_type.fields_by_name["value"]
    return _scalar(field)(value)


def _shown(field: Any) -> Callable[[Any], bool]:
    if field.containing_oneof is not None:  # proto3's optional fields are in one of their own
        return lambda msg: bool(msg.HasField(field.name))
    return lambda msg: True


@lru_cache(maxsize=200)
def _fields(descriptor: Any) -> list[tuple[str, Callable[[Any], bool]]]:
    return [(field.name, _shown(field)) for field in descriptor.fields]
