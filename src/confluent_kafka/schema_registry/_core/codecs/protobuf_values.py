# SPDX-License-Identifier: Apache-2.0
"""Messages from and to dicts with the fields' own names and Python's own values.

A number is int or float, ``bytes`` are bytes, an enum's value is its name (its number where it has none), a message is
a dict, a map a dict, a repeated field a list. Fields that were not set are left out where a message can tell; the
others have their default value. Extensions and unknown fields are not part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.message_factory import GetMessageClass

from confluent_kafka.schema_registry._core.codecs.proto_names import is_repeated
from confluent_kafka.schema_registry.error import SchemaMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = 100  # what protobuf reads, too
_FLOATS = (1, 2)  # TYPE_DOUBLE, TYPE_FLOAT
_NAMES = {
    1: "double", 2: "float", 3: "int64", 4: "uint64", 5: "int32", 6: "fixed64", 7: "fixed32", 8: "bool", 9: "string",
    12: "bytes", 13: "uint32", 14: "enum", 15: "sfixed32", 16: "sfixed64", 17: "sint32", 18: "sint64",
}  # fmt: skip


class DictReader:
    """Makes dicts of messages of one type; what depends on the type only is found out once."""

    def __init__(self, descriptor: Any) -> None:
        self._fields: dict[str, list[tuple[str, bool, Callable[[Any], Any] | None]]] = {}
        self._enums: dict[str, Callable[[Any], Any]] = {}
        self._root = descriptor.full_name
        self._prepare(descriptor)

    def __call__(self, message: Any) -> dict[str, Any]:
        """Return the message as a dict."""
        return self._read(self._root, message)

    def _read(self, name: str, message: Any) -> dict[str, Any]:
        result = {}
        for field, optional, convert in self._fields[name]:
            if optional and not message.HasField(field):
                continue
            value = getattr(message, field)
            result[field] = value if convert is None else convert(value)
        return result

    def _prepare(self, descriptor: Any) -> None:
        todo = [descriptor]
        while todo:
            message = todo.pop()
            if message.full_name in self._fields:
                continue
            self._fields[message.full_name] = [
                (field.name, field.has_presence, self._converter(field, todo)) for field in message.fields
            ]

    def _converter(self, field: Any, todo: list[Any]) -> Callable[[Any], Any] | None:
        if not is_repeated(field):
            return self._single(field, todo)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value = self._single(field.message_type.fields_by_name["value"], todo)
            return dict if value is None else lambda items: {key: value(items[key]) for key in items}
        single = self._single(field, todo)
        return list if single is None else lambda items: [single(item) for item in items]

    def _single(self, field: Any, todo: list[Any]) -> Callable[[Any], Any] | None:
        if field.message_type is not None:
            name = field.message_type.full_name
            todo.append(field.message_type)
            return lambda message: self._read(name, message)
        if field.enum_type is not None:
            names = {number: value.name for number, value in field.enum_type.values_by_number.items()}
            return lambda number: names.get(number, number)
        return None


class DictWriter:
    """Makes messages of one class of dicts."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._may_be_deep, self._by_parts = _look(kind.DESCRIPTOR)

    def __call__(self, value: dict[str, Any]) -> Any:
        """Return a dict as a message.

        Raises:
            SchemaMismatchError: it does not fit; says the path of the field.
        """
        # the constructor recurses in C without watching its stack
        if self._may_be_deep and not _is_shallow(value):
            raise SchemaMismatchError(f"nested more than {MAX_DEPTH} levels deep")
        if not self._by_parts:
            try:
                return self._kind(**value)
            except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError):
                pass  # it does not say which field of which message: look at each
        message = self._kind()
        _fill(message, value, "", 1)
        return message


# the constructor takes dicts and lists for these to be what they stand for, not their fields
_SPECIAL = ("google.protobuf.Struct", "google.protobuf.ListValue")


def _look(descriptor: Any) -> tuple[bool, bool]:
    """Return whether messages of this type can be nested deeper than can be read, and whether one is special."""
    level = {descriptor.full_name: descriptor}
    special = False
    for _ in range(MAX_DEPTH):
        special = special or any(name in level for name in _SPECIAL)
        level = {
            field.message_type.full_name: field.message_type
            for message in level.values()
            for field in message.fields
            if field.message_type is not None
        }
        if not level:
            return False, special
    return True, special


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(2 * MAX_DEPTH):  # a list counts as a level, too
        parts: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                parts.extend(part for part in item.values() if isinstance(part, dict | list | tuple))
            else:
                parts.extend(part for part in item if isinstance(part, dict | list | tuple))
        if not parts:
            return True
        level = parts
    return False


def _fill(message: Any, value: Any, path: str, depth: int) -> None:
    if not isinstance(value, dict):
        raise SchemaMismatchError(f"expected {message.DESCRIPTOR.full_name} as dict, got {type(value).__name__}", path)
    if depth > MAX_DEPTH:
        raise SchemaMismatchError(f"nested more than {MAX_DEPTH} levels deep", path)
    fields = message.DESCRIPTOR.fields_by_name
    for name, item in value.items():
        here = f"{path}.{name}" if path else str(name)
        field = fields.get(name) if isinstance(name, str) else None
        if field is None:
            raise SchemaMismatchError(f"{message.DESCRIPTOR.full_name} has no such field", here)
        if item is not None:
            _set(message, field, item, here, depth)


def _set(message: Any, field: Any, item: Any, path: str, depth: int) -> None:
    target = getattr(message, field.name)
    if not is_repeated(field):
        if field.message_type is None:
            setattr(message, field.name, _scalar(message, field, item, path))
        else:
            _set_message(target, item, path, depth)
    elif field.message_type is not None and field.message_type.GetOptions().map_entry:
        if not isinstance(item, dict):
            raise SchemaMismatchError(f"expected dict, got {type(item).__name__}", path)
        _set_map(target, field.message_type, item, path, depth)
    elif not isinstance(item, list | tuple):
        raise SchemaMismatchError(f"expected list, got {type(item).__name__}", path)
    else:
        for index, part in enumerate(item):
            here = f"{path}[{index}]"
            if field.message_type is None:
                target.append(_scalar(message, field, part, here))
            else:
                _set_message(target.add(), part, here, depth)


def _set_map(target: Any, entry: Any, item: dict[Any, Any], path: str, depth: int) -> None:
    key_field, value_field = entry.fields_by_name["key"], entry.fields_by_name["value"]
    holder = GetMessageClass(entry)()
    for key, part in item.items():
        here = f"{path}[{key!r}]"
        key = _scalar(holder, key_field, key, here)
        if value_field.message_type is None:
            target[key] = _scalar(holder, value_field, part, here)
        else:
            _set_message(target[key], part, here, depth)


def _set_message(target: Any, item: Any, path: str, depth: int) -> None:
    if getattr(item, "DESCRIPTOR", None) is not None and item.DESCRIPTOR.full_name == target.DESCRIPTOR.full_name:
        target.MergeFromString(item.SerializePartialToString())
    else:
        _fill(target, item, path, depth + 1)
    target.SetInParent()


def _scalar(message: Any, field: Any, item: Any, path: str) -> Any:
    """Check a value by setting it; return what is to be set."""
    if field.enum_type is not None and isinstance(item, str):
        known = field.enum_type.values_by_name.get(item)
        if known is None:
            raise SchemaMismatchError(f"{field.enum_type.full_name} has no value {item!r}", path)
        return known.number
    if isinstance(item, bool) and field.type in _FLOATS:
        raise SchemaMismatchError(f"expected {_NAMES[field.type]}, got bool", path)
    try:
        probe = type(message)()
        if is_repeated(field):
            getattr(probe, field.name).append(item)
        else:
            setattr(probe, field.name, item)
    except (TypeError, ValueError, OverflowError) as e:
        expected = _NAMES.get(field.type, "value")
        if isinstance(item, int) and field.type not in (8, 9, 12):
            raise SchemaMismatchError(f"expected {expected}, got {type(item).__name__} {str(item)[:40]}", path) from e
        raise SchemaMismatchError(f"expected {expected}, got {type(item).__name__}", path) from e
    return item
