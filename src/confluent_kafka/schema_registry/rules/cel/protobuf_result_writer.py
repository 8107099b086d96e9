# SPDX-License-Identifier: Apache-2.0
"""What a transform made of a Protobuf message, written into a new message.

Nothing is dropped and nothing guessed: a name that is no field, two names of one field, two members of one oneof and a
value of another type than its field's are refused. Null leaves a field unset.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from celpy import celtypes
from google.protobuf.descriptor import FieldDescriptor

from confluent_kafka.schema_registry._core.codecs.proto_names import is_repeated
from confluent_kafka.schema_registry._core.codecs.protobuf_scalars import (
    MAX_ENCODABLE_COEFFICIENT_DIGITS,
    set_decimal_message,
    set_timestamp_message,
)
from confluent_kafka.schema_registry.confluent.type.decimal_utils import unscaled_to_bytes
from confluent_kafka.schema_registry.confluent.type.variant_utils import Variant
from confluent_kafka.schema_registry.rules.cel.constraints import WRAPPERS
from confluent_kafka.schema_registry.rules.cel.timestamp_funcs import plain_datetime

__all__ = ["MAX_ENCODABLE_COEFFICIENT_DIGITS", "Variant", "convert", "unscaled_to_bytes"]

MAX_DEPTH = 100  # what protobuf reads


def convert(result: Any, msg: Any) -> Any:
    """Return the result of an expression as a new message of the class of ``msg``.

    Args:
        result: a map of field names (or their JSON names), a message, or what a well-known type stands for.
        msg: a message; it is not changed, and none of its fields is taken over.
    Raises:
        ValueError: the result does not fit; names the field.
    """
    made = type(msg)()
    _write_message(made, result, "", 1)
    return made


def _refuse(path: str, expected: str, value: Any) -> ValueError:
    got = "null" if value is None else type(value).__name__.removesuffix("Type").lower()
    return ValueError(f"field {path or '(result)'}: expected {expected}, got {got}")


def _write_message(target: Any, value: Any, path: str, depth: int) -> None:
    name = target.DESCRIPTOR.full_name
    source = getattr(value, "msg", value)
    if getattr(source, "DESCRIPTOR", None) is not None:
        if source.DESCRIPTOR.full_name != name:
            raise ValueError(f"field {path or '(result)'}: expected {name}, got {source.DESCRIPTOR.full_name}")
        target.MergeFromString(source.SerializePartialToString())
    elif name in _MAKERS and not isinstance(value, dict):
        _MAKERS[name](target, value, path)
    elif name in WRAPPERS:
        field = target.DESCRIPTOR.fields_by_name["value"]
        _assign(target, field, value, path)
    elif isinstance(value, dict):
        if depth > MAX_DEPTH:
            raise ValueError(f"field {path}: nested more than {MAX_DEPTH} levels deep")
        _write_fields(target, value, path, depth)
    else:
        raise _refuse(path, name, value)
    target.SetInParent()


def _write_fields(target: Any, value: dict[Any, Any], path: str, depth: int) -> None:
    descriptor = target.DESCRIPTOR
    fields = {field.json_name: field for field in descriptor.fields} | dict(descriptor.fields_by_name.items())
    named: dict[int, str] = {}
    members: dict[str, str] = {}
    for key, item in value.items():
        field = fields.get(key) if isinstance(key, str) else None
        here = f"{path}.{key}" if path else str(key)
        if field is None:
            raise ValueError(f"{descriptor.full_name} has no field {here!r}; its fields are {_some(descriptor)}")
        if field.number in named:
            raise ValueError(f"the result has field {here} twice, as {named[field.number]!r} and {str(key)!r}")
        named[field.number] = str(key)
        if item is None:
            continue
        oneof = field.containing_oneof
        if oneof is not None and members.setdefault(oneof.name, field.name) != field.name:
            raise ValueError(
                f"the result sets {members[oneof.name]!r} and {field.name!r}, but oneof {oneof.name} has one"
            )
        _write_field(target, field, item, here, depth)


def _some(descriptor: Any) -> str:
    names = [field.name for field in descriptor.fields]
    return ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")


def _write_field(target: Any, field: Any, value: Any, path: str, depth: int) -> None:
    if not is_repeated(field):
        if field.message_type is None:
            _assign(target, field, value, path)
        else:
            _write_message(getattr(target, field.name), value, path, depth + 1)
    elif field.message_type is not None and field.message_type.GetOptions().map_entry:
        _write_map(getattr(target, field.name), field.message_type, value, path, depth)
    elif not isinstance(value, list):
        raise _refuse(path, "list", value)
    else:
        items = getattr(target, field.name)
        for index, item in enumerate(value):
            here = f"{path}[{index}]"
            if item is None:
                raise _refuse(here, "a value", None)
            if field.message_type is None:
                items.append(_checked(field, item, here))
            else:
                _write_message(items.add(), item, here, depth + 1)


def _write_map(items: Any, entry: Any, value: Any, path: str, depth: int) -> None:
    if not isinstance(value, dict):
        raise _refuse(path, "map", value)
    key_field, value_field = entry.fields_by_name["key"], entry.fields_by_name["value"]
    for key, item in value.items():
        here = f"{path}[...]"  # a key is data
        made = _checked(key_field, key, f"{here} key")
        if item is None:
            raise _refuse(here, "a value", None)
        if value_field.message_type is None:
            items[made] = _checked(value_field, item, here)
        else:
            _write_message(items[made], item, here, depth + 1)


def _assign(target: Any, field: Any, value: Any, path: str) -> None:
    setattr(target, field.name, _checked(field, value, path))


def _checked(field: Any, value: Any, path: str) -> Any:
    """Return a scalar as Python's own type, of the field's type and in its range."""
    if field.type == FieldDescriptor.TYPE_ENUM:
        return _label(field.enum_type, value, path)
    return _SCALARS[field.cpp_type](field, value, path)


def _label(enum: Any, value: Any, path: str) -> int:
    if isinstance(value, str):
        known = enum.values_by_name.get(value)
        if known is None:
            raise ValueError(
                f"field {path}: {enum.full_name} has no such label; it has {', '.join(enum.values_by_name)}"
            )
        return int(known.number)
    number = _whole_number(value, path, -(2**31), 2**31 - 1)
    if enum.is_closed and number not in enum.values_by_number:
        raise ValueError(f"field {path}: {enum.full_name} has no such number")
    return number


def _whole_number(value: Any, path: str, least: int, most: int) -> int:
    number: Any = None
    if isinstance(value, (celtypes.IntType, celtypes.UintType)) or type(value) is int:
        number = int(value)
    elif isinstance(value, (float, Decimal)):
        plain = float(value) if isinstance(value, float) else value  # a double of CEL compares with doubles only
        number = int(plain) if least <= plain <= most and plain == int(plain) else None
    if number is None:
        raise _refuse(path, "a whole number in range", value)
    if not least <= number <= most:
        raise ValueError(f"field {path}: the number is out of range")
    return int(number)


def _integer(least: int, most: int) -> Callable[[Any, Any, str], int]:
    return lambda field, value, path: _whole_number(value, path, least, most)


def _float(field: Any, value: Any, path: str) -> float:
    if isinstance(value, (celtypes.BoolType, bool)) or not isinstance(value, (int, float, Decimal)):
        raise _refuse(path, "a number", value)
    try:
        return float(value)
    except OverflowError as e:
        raise ValueError(f"field {path}: the number is out of range") from e


def _bool(field: Any, value: Any, path: str) -> bool:
    if not isinstance(value, (celtypes.BoolType, bool)):
        raise _refuse(path, "bool", value)
    return bool(value)


def _text(field: Any, value: Any, path: str) -> str | bytes:
    if field.type == FieldDescriptor.TYPE_BYTES:
        if isinstance(value, bytes):
            return bytes(value)
        raise _refuse(path, "bytes", value)
    if isinstance(value, str):
        return str(value)
    raise _refuse(path, "string", value)


_SCALARS: dict[int, Callable[[Any, Any, str], Any]] = {
    FieldDescriptor.CPPTYPE_INT32: _integer(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: _integer(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: _integer(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: _integer(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: _float,
    FieldDescriptor.CPPTYPE_FLOAT: _float,
    FieldDescriptor.CPPTYPE_BOOL: _bool,
    FieldDescriptor.CPPTYPE_STRING: _text,
}


def _timestamp(target: Any, value: Any, path: str) -> None:
    if not isinstance(value, celtypes.TimestampType):
        raise _refuse(path, "timestamp", value)
    set_timestamp_message(target, plain_datetime(value))


def _duration(target: Any, value: Any, path: str) -> None:
    if not isinstance(value, celtypes.DurationType):
        raise _refuse(path, "duration", value)
    micros = (value.days * 86400 + value.seconds) * 1_000_000 + value.microseconds
    sign = -1 if micros < 0 else 1
    target.seconds, target.nanos = sign * (abs(micros) // 1_000_000), sign * (abs(micros) % 1_000_000) * 1000


def _decimal(target: Any, value: Any, path: str) -> None:
    if not isinstance(value, Decimal):
        raise _refuse(path, "decimal", value)
    try:
        set_decimal_message(target, value)
    except ValueError as e:
        raise ValueError(f"field {path}: {e}") from e


def _variant(target: Any, value: Any, path: str) -> None:
    if not isinstance(value, Variant):
        raise _refuse(path, "variant", value)
    target.metadata, target.value = value.metadata, value.standalone_value_bytes()


_MAKERS: dict[str, Callable[[Any, Any, str], None]] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
    "confluent.type.Decimal": _decimal,
    "confluent.type.Variant": _variant,
}
