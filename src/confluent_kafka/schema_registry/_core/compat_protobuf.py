# SPDX-License-Identifier: Apache-2.0
"""Protobuf schemas for a registry: read as .proto text or as a base64 file descriptor, and compared.

What makes a schema unable to read another one's data:

- another package; a message that is gone; a field with the same number and another kind: kinds are the same within
  ``int32 uint32 int64 uint64 bool`` and enums, ``sint32 sint64``, ``fixed32 sfixed32``, ``fixed64 sfixed64``,
  ``string bytes``, and for messages of the same name (maps: key and value by these rules);
- a numeric field that becomes repeated, or ceases to be;
- a required field that is added or taken away;
- a field that is taken out of a oneof; two or more fields that were on their own and are in one oneof now; a field that
  moves into a oneof that was there.

Fields and enum values may be added, taken away and renamed. Options, services and extensions are not looked at.

Two texts are the same when they differ in spaces and comments only; a descriptor is the same as an equal descriptor.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core.registry import proto_text, proto_wire
from confluent_kafka.schema_registry._core.registry.problems import InvalidSchema, Problem
from confluent_kafka.schema_registry._core.registry.proto_model import SCALARS, ProtoFile, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confluent_kafka.schema_registry._core.registry.proto_model import Field, Message

_GROUPS = {
    **dict.fromkeys(("int32", "uint32", "int64", "uint64", "bool", "enum"), "varint"),
    **dict.fromkeys(("sint32", "sint64"), "zigzag"),
    **dict.fromkeys(("fixed32", "sfixed32"), "4 bytes"),
    **dict.fromkeys(("fixed64", "sfixed64"), "8 bytes"),
    **dict.fromkeys(("string", "bytes"), "bytes"),
}
# types that every compiler brings; those of other files below google/ are taken to be messages
_ENUMS = {"google.protobuf.NullValue", "google.protobuf.Syntax", "google.type.DayOfWeek", "google.type.Month"}
_BROUGHT = ("google.", "confluent.")


@dataclass(eq=False, slots=True)
class ProtoSchema:
    """A file, how it was given, and the types it may use."""

    file: ProtoFile
    text: str
    encoded: bool
    types: dict[str, str] = field(default_factory=dict)

    def full(self, name: str, scope: str) -> str:
        """Return a type's full name; as it is written when it is not known."""
        return resolve(name, scope, self.types) or name.lstrip(".")

    def kind(self, item: Field, scope: str) -> str:
        """Return what a field holds: a scalar, ``enum``, or the name of a message."""
        if item.type in SCALARS:
            return item.type
        full = self.full(item.type, scope)
        return "enum" if self.types.get(full) == "enum" or full in _ENUMS else full


def parse(text: str, dependencies: Mapping[str, str] | None = None) -> ProtoSchema:
    """Read a schema and what it imports. Raises: InvalidSchema."""
    file, encoded = _file(text)
    types: dict[str, str] = {}
    for referred in (dependencies or {}).values():
        types |= _file(referred)[0].types()
    schema = ProtoSchema(file, text, encoded, {**types, **file.types()})
    if not file.messages and not file.enums and not file.extensions:
        raise InvalidSchema("no message in it")
    for scope, message in file.all_messages():
        for item in message.fields:
            _check(schema, item, scope)
    return schema


def _check(schema: ProtoSchema, item: Field, scope: str) -> None:
    known = item.type in SCALARS or resolve(item.type, scope, schema.types) is not None
    if not known and not item.type.lstrip(".").startswith(_BROUGHT):
        raise InvalidSchema(f'"{item.type}" is not defined (field {item.name} of {scope})')
    if item.map_key is not None and (item.map_key not in SCALARS or item.map_key in ("float", "double", "bytes")):
        raise InvalidSchema(f"{item.map_key} cannot be the key of a map (field {item.name} of {scope})")


def _file(text: str) -> tuple[ProtoFile, bool]:
    """Read text or a base64 descriptor; return whether it was the latter."""
    compact = text.strip()
    if compact and " " not in compact and "{" not in compact and ";" not in compact:
        try:
            return proto_wire.read(base64.b64decode(compact, validate=True)), True
        except binascii.Error:
            pass
    return proto_text.parse(text), False


def canonical(schema: ProtoSchema) -> str:
    """Return a text that is equal for texts that differ in spaces and comments only."""
    return schema.text.strip() if schema.encoded else " ".join(proto_text.tokens(schema.text))


def normalized(schema: ProtoSchema) -> str:
    """Return the same, with one statement per line."""
    if schema.encoded:
        return schema.text.strip()
    lines, line, depth = [], "", 0
    for token in proto_text.tokens(schema.text):
        if token == "}":
            depth -= 1
        line = f"{line} {token}" if line else "  " * max(depth, 0) + token
        if token in ("{", "}", ";"):
            lines.append(line)
            line = ""
        if token == "{":
            depth += 1
    return "\n".join([*lines, line] if line else lines) + "\n"


def serialized(text: str, dependencies: Mapping[str, str] | None = None) -> str:
    """Return a schema as a base64 FileDescriptorProto.

    Raises: InvalidSchema: a type or an option that it uses is not known, or the package protobuf is missing.
    """
    if parse(text, dependencies).encoded:
        return text
    try:
        from confluent_kafka.schema_registry._core.codecs.protobuf_files import serialize
    except ImportError as e:
        raise InvalidSchema('descriptors take the package protobuf: pip install "ferrokafka[protobuf]"') from e
    try:
        return serialize(text, dependencies or {}, "default.proto")
    except SerializationError as e:
        raise InvalidSchema(str(e)) from e


def problems(reader: ProtoSchema, writer: ProtoSchema) -> list[Problem]:
    """Return why the writer's data cannot be read with the reader's schema; empty when it can."""
    return list(_compared(reader, writer))


def _compared(reader: ProtoSchema, writer: ProtoSchema) -> Iterable[Problem]:
    if reader.file.package != writer.file.package:
        text = f"the package {writer.file.package or '(none)'} became {reader.file.package or '(none)'}"
        yield Problem("PACKAGE_CHANGED", "/", text)
        return
    now = dict(reader.file.all_messages())
    for name, message in writer.file.all_messages():
        if name in now:
            yield from _fields(reader, now[name], writer, message, name)
        else:
            yield Problem("MESSAGE_REMOVED", f"#/{name}", f"the message {name} is gone")


def _fields(reader: ProtoSchema, new: Message, writer: ProtoSchema, old: Message, scope: str) -> Iterable[Problem]:
    now = {item.number: item for item in new.fields}
    before = {item.number: item for item in old.fields}
    for number, item in before.items():
        path = f"#/{scope}/{number}"
        if number not in now:
            if item.label == "required":
                yield Problem("REQUIRED_FIELD_REMOVED", path, f"the required field {item.name} is gone")
            elif item.oneof is not None and item.oneof in new.oneofs:
                yield Problem("ONEOF_FIELD_REMOVED", path, f"the field {item.name} of oneof {item.oneof} is gone")
            continue
        yield from _field(reader, now[number], writer, item, scope, path)
    for number, item in now.items():
        if item.label == "required" and (number not in before or before[number].label != "required"):
            path = f"#/{scope}/{number}"
            yield Problem("REQUIRED_FIELD_ADDED", path, f"the field {item.name} is required now")
    for oneof in new.oneofs:
        moved = [
            item.name
            for number, item in now.items()
            if item.oneof == oneof and number in before and before[number].oneof is None
        ]
        if moved and oneof in old.oneofs:
            text = f"{', '.join(moved)} moved into the oneof {oneof}, which was there"
            yield Problem("FIELD_MOVED_TO_EXISTING_ONEOF", f"#/{scope}/{oneof}", text)
        elif len(moved) > 1:
            text = f"{', '.join(moved)} are in the oneof {oneof} now"
            yield Problem("MULTIPLE_FIELDS_MOVED_TO_ONEOF", f"#/{scope}/{oneof}", text)


def _field(
    reader: ProtoSchema, new: Field, writer: ProtoSchema, old: Field, scope: str, path: str
) -> Iterable[Problem]:
    kinds = reader.kind(new, scope), writer.kind(old, scope)
    if (new.map_key is None) != (old.map_key is None):
        yield Problem("FIELD_KIND_CHANGED", path, f"the field {old.name} became a map, or ceased to be one")
        return
    if new.map_key is not None and old.map_key is not None and not _alike(new.map_key, old.map_key):
        yield Problem("FIELD_KIND_CHANGED", path, f"the map {old.name} had keys {old.map_key} and has {new.map_key}")
    if not _alike(*kinds) or new.group != old.group:
        yield Problem("FIELD_KIND_CHANGED", path, f"the field {old.name} was {kinds[1]} and is {kinds[0]}")
    elif (new.label == "repeated") != (old.label == "repeated") and (
        kinds[0] == "enum" or (kinds[0] in SCALARS and kinds[0] not in ("string", "bytes"))
    ):
        yield Problem("FIELD_NUMERIC_LABEL_CHANGED", path, f"the field {old.name} became repeated, or ceased to be")
    if old.oneof is not None and new.oneof is None and old.oneof in _names(reader, scope):
        yield Problem("ONEOF_FIELD_REMOVED", path, f"the field {old.name} left the oneof {old.oneof}")


def _names(schema: ProtoSchema, scope: str) -> list[str]:
    return dict(schema.file.all_messages())[scope].oneofs


def _alike(first: str, second: str) -> bool:
    return first == second or (first in _GROUPS and _GROUPS[first] == _GROUPS.get(second))
