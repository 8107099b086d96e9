# SPDX-License-Identifier: Apache-2.0
"""What a .proto file says, as far as a registry needs it: messages, fields, enums. Options only by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SCALARS = {
    "double": 1,
    "float": 2,
    "int64": 3,
    "uint64": 4,
    "int32": 5,
    "fixed64": 6,
    "fixed32": 7,
    "bool": 8,
    "string": 9,
    "bytes": 12,
    "uint32": 13,
    "sfixed32": 15,
    "sfixed64": 16,
    "sint32": 17,
    "sint64": 18,
}
"""Names of types, with their numbers in descriptors. Source: descriptor.proto, FieldDescriptorProto.Type."""
GROUP = 10


@dataclass(slots=True)
class Field:
    """A field. ``type`` is a scalar's name or a type's as it is written; ``map_key`` is set for maps."""

    name: str
    number: int
    type: str
    label: str = ""
    oneof: str | None = None
    map_key: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    group: bool = False


@dataclass(slots=True)
class Enumeration:
    name: str
    values: list[tuple[str, int]] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Message:
    name: str
    fields: list[Field] = field(default_factory=list)
    oneofs: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    enums: list[Enumeration] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    reserved: list[tuple[int, int]] = field(default_factory=list)
    reserved_names: list[str] = field(default_factory=list)
    extensions: list[tuple[str, Field]] = field(default_factory=list)


@dataclass(slots=True)
class ProtoFile:
    """A file. Imports are pairs of path and kind (``""``, ``public``, ``weak``)."""

    syntax: str = "proto2"
    package: str = ""
    imports: list[tuple[str, str]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    enums: list[Enumeration] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    extensions: list[tuple[str, Field]] = field(default_factory=list)

    def all_messages(self) -> Iterator[tuple[str, Message]]:
        """Iterate over messages, nested ones too, with their full names."""
        yield from _nested(self.package, self.messages)

    def all_enums(self) -> Iterator[tuple[str, Enumeration]]:
        """Iterate over enums, nested ones too, with their full names."""
        yield from ((_join(self.package, item.name), item) for item in self.enums)
        for name, message in self.all_messages():
            yield from ((_join(name, item.name), item) for item in message.enums)

    def types(self) -> dict[str, str]:
        """Return the full names of all types: ``message`` or ``enum``."""
        found = {name: "message" for name, _ in self.all_messages()}
        return {**found, **{name: "enum" for name, _ in self.all_enums()}}


def _nested(scope: str, messages: list[Message]) -> Iterator[tuple[str, Message]]:
    for message in messages:
        name = _join(scope, message.name)
        yield name, message
        yield from _nested(name, message.messages)


def _join(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name


def resolve(name: str, scope: str, types: dict[str, str]) -> str | None:
    """Find the full name of a type used in a scope: the innermost one that fits. None when there is none."""
    if name.startswith("."):
        return name[1:] if name[1:] in types else None
    while True:
        full = _join(scope, name)
        if full in types:
            return full
        if not scope:
            return None
        scope = scope.rpartition(".")[0]
