# SPDX-License-Identifier: Apache-2.0
"""A file descriptor as ``.proto`` text. Reading the text gives the same descriptor, services and comments apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, message_factory, text_format
from google.protobuf.unknown_fields import UnknownFieldSet

from confluent_kafka.schema_registry._core.codecs.proto_names import Names, is_repeated, options_pool
from confluent_kafka.schema_registry._core.codecs.proto_parser import (
    MAX_FIELD,
    MAX_INT32,
    SCALARS,
    ProtoSyntaxError,
    json_name,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALAR_NAMES = {number: name for name, number in SCALARS.items()}
_LABELS = {_FIELD.LABEL_OPTIONAL: "optional ", _FIELD.LABEL_REQUIRED: "required ", _FIELD.LABEL_REPEATED: "repeated "}


def write_proto(descriptor: Any, files: Mapping[str, Any]) -> str:
    """Return a ``FileDescriptorProto`` as text.

    Args:
        descriptor: the file.
        files: ``FileDescriptorProto`` of all files that it imports, and of those that they import, by name.
    Raises:
        ProtoSyntaxError: it has options that no file that it imports defines.
    """
    return _Writer(descriptor, files).file()


class _Writer:
    def __init__(self, descriptor: Any, files: Mapping[str, Any]) -> None:
        self._file = descriptor
        self._files = files
        self._names = Names(descriptor, files)
        self._syntax = descriptor.syntax or "proto2"
        self._lines: list[str] = []
        self._indent = 0
        self._pool: Any = None

    def _line(self, text: str) -> None:
        self._lines.append("  " * self._indent + text)

    def file(self) -> str:
        file = self._file
        edition = descriptor_pb2.Edition.Name(file.edition).removeprefix("EDITION_") if file.edition else ""
        self._line(f'edition = "{edition}";' if self._syntax == "editions" else f'syntax = "{self._syntax}";')
        if file.package:
            self._line(f"package {file.package};")
        for index, name in enumerate(file.dependency):
            kind = "public " if index in file.public_dependency else "weak " if index in file.weak_dependency else ""
            self._line(f"import {kind}{quoted(name.encode())};")
        self._option_lines(file)
        for message in file.message_type:
            self._message(message, file.package)
        for enum in file.enum_type:
            self._enum(enum, file.package)
        self._extensions(file.extension, file.package, {})
        return "\n".join(self._lines) + "\n"

    def _open(self, text: str) -> None:
        self._line(text + " {")
        self._indent += 1

    def _close(self) -> None:
        self._indent -= 1
        self._line("}")

    def _message(self, message: Any, scope: str) -> None:
        self._open(f"message {message.name}")
        self._body(message, scope)
        self._close()

    def _body(self, message: Any, scope: str) -> None:
        own = f"{scope}.{message.name}" if scope else message.name
        self._option_lines(message)
        # maps and groups bring a nested type each, in the place where the field stands: what others count by
        brought = {f".{own}.{item.name}": item for item in message.nested_type}
        fields = [*message.field, *message.extension]
        taken = {item.type_name for item in fields if self._brings(item, brought)}
        waiting = [item for item in message.nested_type if f".{own}.{item.name}" not in taken]
        places = {item.name: number for number, item in enumerate(message.nested_type)}
        open_oneof: int | None = None
        for item in message.field:
            oneof = item.oneof_index if item.HasField("oneof_index") and not item.proto3_optional else None
            if oneof != open_oneof and open_oneof is not None:
                self._close()
            entry = brought.get(item.type_name) if item.type_name in taken else None
            if oneof != open_oneof:
                self._nested_before(waiting, places, entry, own)
                if oneof is not None:
                    self._open(f"oneof {message.oneof_decl[oneof].name}")
                    self._option_lines(message.oneof_decl[oneof], own)
                open_oneof = oneof
            elif oneof is None:
                self._nested_before(waiting, places, entry, own)
            self._field(item, own, entry, in_oneof=oneof is not None)
        if open_oneof is not None:
            self._close()
        for nested in waiting:
            self._message(nested, own)
        for enum in message.enum_type:
            self._enum(enum, own)
        self._extensions(message.extension, own, {name: brought[name] for name in taken})
        highest = MAX_INT32 - 1 if message.options.message_set_wire_format else MAX_FIELD
        for place in message.extension_range:
            options = self._bracket(self._options(place.options, own))
            self._line(f"extensions {_range(place.start, place.end - 1, highest)}{options};")
        self._reserved(message, [(place.start, place.end - 1) for place in message.reserved_range], highest)

    def _brings(self, item: Any, brought: Mapping[str, Any]) -> bool:
        nested = brought.get(item.type_name)
        if nested is None:
            return False
        return bool(nested.options.map_entry) or (item.type == _FIELD.TYPE_GROUP and item.name == nested.name.lower())

    def _nested_before(self, waiting: list[Any], places: Mapping[str, int], entry: Any, scope: str) -> None:
        if entry is not None:
            while waiting and places[waiting[0].name] < places[entry.name]:
                self._message(waiting.pop(0), scope)

    def _field(self, item: Any, scope: str, entry: Any, *, in_oneof: bool) -> None:
        options = self._options(item.options, scope)
        if item.HasField("default_value"):
            options.insert(0, f"default = {self._default(item)}")
        if item.HasField("json_name") and item.json_name != json_name(item.name):
            options.append(f"json_name = {quoted(item.json_name.encode())}")
        end = f" = {item.number}{self._bracket(options)}"
        if entry is not None and entry.options.map_entry:
            key, value = (self._type(part, f"{scope}.{entry.name}") for part in entry.field)
            self._line(f"map<{key}, {value}> {item.name}{end};")
            return
        label = _LABELS[item.label]
        if in_oneof or (item.label == _FIELD.LABEL_OPTIONAL and not item.proto3_optional and self._syntax != "proto2"):
            label = ""
        if entry is not None:
            self._open(f"{label}group {entry.name}{end}")
            self._body(entry, scope)
            self._close()
            return
        self._line(f"{label}{self._type(item, scope)} {item.name}{end};")

    def _type(self, item: Any, scope: str) -> str:
        return self._short(item.type_name, scope) if item.type_name else _SCALAR_NAMES[item.type]

    def _short(self, name: str, scope: str) -> str:
        """Return the name without its package, or without the leading dot, where that means the same."""
        full = name.removeprefix(".")
        package = self._file.package + "."
        for short in (full.removeprefix(package), full):
            if short not in SCALARS and self._names.find(short, scope, ("message", "enum")) == full:
                return short
        return name

    def _default(self, item: Any) -> str:
        value = str(item.default_value)
        if item.type == _FIELD.TYPE_STRING:
            return quoted(value.encode())
        if item.type == _FIELD.TYPE_BYTES:
            return quoted(text_format.text_encoding.CUnescape(value))
        return value

    def _extensions(self, extensions: Iterable[Any], scope: str, groups: Mapping[str, Any]) -> None:
        for item in extensions:
            self._open(f"extend {self._short(item.extendee, scope)}")
            self._field(item, scope, groups.get(item.type_name), in_oneof=False)
            self._close()

    def _enum(self, enum: Any, scope: str) -> None:
        own = f"{scope}.{enum.name}" if scope else enum.name
        self._open(f"enum {enum.name}")
        self._option_lines(enum, own)
        for value in enum.value:
            self._line(f"{value.name} = {value.number}{self._bracket(self._options(value.options, own))};")
        self._reserved(enum, [(place.start, place.end) for place in enum.reserved_range], MAX_INT32)
        self._close()

    def _reserved(self, owner: Any, ranges: list[tuple[int, int]], highest: int) -> None:
        if ranges:
            self._line(f"reserved {', '.join(_range(start, end, highest) for start, end in ranges)};")
        if owner.reserved_name:
            bare = self._syntax == "editions"
            names = (name if bare else quoted(name.encode()) for name in owner.reserved_name)
            self._line(f"reserved {', '.join(names)};")

    def _option_lines(self, owner: Any, scope: str = "") -> None:
        for text in self._options(owner.options, scope):
            self._line(f"option {text};")

    @staticmethod
    def _bracket(options: list[str]) -> str:
        return f" [{', '.join(options)}]" if options else ""

    def _options(self, options: Any, scope: str) -> list[str]:
        """Return the statements that set these options, without ``option``."""
        data = options.SerializeToString(deterministic=True)
        if not data:
            return []
        if self._pool is None:
            self._pool = options_pool(self._file, self._files)
        made = message_factory.GetMessageClass(self._pool.FindMessageTypeByName(options.DESCRIPTOR.full_name))()
        made.MergeFromString(data)
        if len(UnknownFieldSet(made)):
            numbers = ", ".join(str(item.field_number) for item in UnknownFieldSet(made))
            raise ProtoSyntaxError(
                f"{self._file.name}: no file that it imports defines the options {numbers} of {scope or 'the file'}"
            )
        statements = []
        for field, value in made.ListFields():
            if field.name == "map_entry" or (field.name == "uninterpreted_option" and not field.is_extension):
                continue
            name = f"(.{field.full_name})" if field.is_extension else field.name
            values = value if is_repeated(field) else (value,)
            statements += [f"{name} = {self._option_value(field, item)}" for item in values]
        return statements

    def _option_value(self, field: Any, value: Any) -> str:
        if field.message_type is not None:
            text = text_format.MessageToString(value, as_one_line=True, descriptor_pool=self._pool)
            return f"{{ {text} }}" if text else "{ }"
        if field.enum_type is not None:
            known = field.enum_type.values_by_number.get(value)
            return str(value) if known is None else str(known.name)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str | bytes):
            return quoted(value.encode() if isinstance(value, str) else value)
        return repr(value)


def _range(start: int, end: int, highest: int) -> str:
    if start == end:
        return str(start)
    return f"{start} to {'max' if end == highest else end}"
