# SPDX-License-Identifier: Apache-2.0
"""Protobuf schemas of the registry: text or serialized descriptor, linked with the files they import."""

from __future__ import annotations

import base64
import binascii
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

try:
    from google.protobuf import descriptor_pb2, descriptor_pool
    from google.protobuf.message import DecodeError
except ImportError as e:
    raise ImportError(
        'Protobuf needs the package protobuf, which is not installed: pip install "ferrokafka[protobuf]"',
        name="google.protobuf",
    ) from e

from confluent_kafka.schema_registry._core.codecs.proto_names import add_file, resolve
from confluent_kafka.schema_registry._core.codecs.proto_parser import ParsedFile, json_name, parse_proto
from confluent_kafka.schema_registry._core.codecs.proto_tokens import ProtoSyntaxError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_FILES = 1000
MAX_IMPORT_DEPTH = 100
_OWN = "confluent_kafka.schema_registry."
_GOOGLE = (
    "any", "api", "descriptor", "duration", "empty", "field_mask", "source_context", "struct", "timestamp", "type",
    "wrappers",
)  # fmt: skip
_TYPES = (
    "calendar_period", "color", "date", "datetime", "dayofweek", "expr", "fraction", "latlng", "money", "month",
    "postal_address", "quaternion", "timeofday",
)  # fmt: skip
# the files that every client has, and the modules that bring them here
KNOWN_FILES = {
    **{f"google/protobuf/{name}.proto": f"google.protobuf.{name}_pb2" for name in _GOOGLE},
    **{f"google/type/{name}.proto": f"google.type.{name}_pb2" for name in _TYPES},
    "confluent/meta.proto": _OWN + "confluent.meta_pb2",
    "confluent/type/decimal.proto": _OWN + "confluent.type.decimal_pb2",
    "confluent/type/variant.proto": _OWN + "confluent.type.variant_pb2",
    "confluent/types/decimal.proto": _OWN + "confluent.types.decimal_pb2",
}


@dataclass(frozen=True, slots=True)
class LinkedFile:
    """A schema with all it imports: its ``FileDescriptor``, and the pool that has it, mostly for itself."""

    descriptor: Any
    pool: Any


def known_file(name: str) -> Any | None:
    """Return the ``FileDescriptorProto`` of a file that every client has; None for others, or without its package."""
    module = KNOWN_FILES.get(name)
    if module is None:
        return None
    try:
        descriptor = importlib.import_module(module).DESCRIPTOR
    except ImportError:  # google/type comes with googleapis-common-protos
        return None
    return to_proto(descriptor)


def to_proto(descriptor: Any) -> Any:
    """Return a ``FileDescriptor`` as ``FileDescriptorProto``."""
    proto = descriptor_pb2.FileDescriptorProto()
    descriptor.CopyToProto(proto)
    return proto


def to_text(descriptor: Any) -> str:
    """Return the text that is registered for a ``FileDescriptor``: its serialized proto in base64."""
    return base64.b64encode(descriptor.serialized_pb).decode()


def load_schema(text: str | None, name: str) -> ParsedFile | Any:
    """Read a schema of the registry: base64 of a serialized ``FileDescriptorProto``, or ``.proto`` text.

    Returns: the proto, or what was parsed.
    Raises:
        ProtoSyntaxError: it is neither.
    """
    if text is None:
        raise ProtoSyntaxError(f"{name}: the schema has no text")
    try:
        data = base64.b64decode(text.strip(), validate=True) if text.strip() else b""
    except (binascii.Error, ValueError):
        return parse_proto(text, name)
    proto = descriptor_pb2.FileDescriptorProto()
    try:
        proto.ParseFromString(data)
    except (DecodeError, RecursionError) as e:
        raise ProtoSyntaxError(f"{name}: this is base64, but not of a file descriptor: {e}") from e
    return proto


def dependencies(loaded: ParsedFile | Any) -> list[str]:
    """Return the names of the files that a loaded schema imports."""
    return list((loaded.descriptor if isinstance(loaded, ParsedFile) else loaded).dependency)


def link(text: str | None, references: Mapping[str, str | None], name: str = "default") -> LinkedFile:
    """Link a schema with all that it imports.

    Args:
        text: the schema.
        references: the schemas that it refers to, directly or by others, by the names they are imported by.
        name: what the file is called when it does not say so itself.
    Raises:
        ProtoSyntaxError: a schema is not valid, one is missing, or they import each other in a circle.
    """
    proto, pool = _link(text, references, name)
    return LinkedFile(pool.FindFileByName(proto.name), pool)


def serialize(text: str | None, references: Mapping[str, str | None], name: str = "default") -> str:
    """Return a schema as base64 of its serialized ``FileDescriptorProto``; arguments, errors: as ``link``."""
    proto, _ = _link(text, references, name)
    _add_json_names(proto)
    return base64.b64encode(proto.SerializeToString(deterministic=True)).decode()


def _add_json_names(file: Any) -> None:
    """Give each field the JSON name that it has by itself, as registries and protoc do."""
    todo = [file]
    while todo:
        owner = todo.pop()
        for field in (*(() if owner is file else owner.field), *owner.extension):
            if not field.HasField("json_name"):
                field.json_name = json_name(field.name)
        todo.extend(owner.message_type if owner is file else owner.nested_type)


def _link(text: str | None, references: Mapping[str, str | None], name: str) -> tuple[Any, Any]:
    """Return the file's ``FileDescriptorProto`` and the pool that has it."""
    loaded = load_schema(text, name)
    if not isinstance(loaded, ParsedFile) and loaded.name:
        name = loaded.name
    while name in references or name in KNOWN_FILES:
        name = "default/" + name
    linker = _Linker(references)
    return linker.add(name, loaded, []), linker.pool


class _Linker:
    def __init__(self, references: Mapping[str, str | None]) -> None:
        self._references = references
        self._files: dict[str, Any] = {}
        self.pool = descriptor_pool.DescriptorPool()

    def add(self, name: str, loaded: ParsedFile | Any, importers: Sequence[str]) -> Any:
        """Add a file behind those that it imports; return its proto."""
        if name in importers:
            circle = " imports ".join([*importers[list(importers).index(name) :], name])
            raise ProtoSyntaxError(f"schemas import each other in a circle: {circle}")
        if len(importers) >= MAX_IMPORT_DEPTH or len(self._files) >= MAX_FILES:
            raise ProtoSyntaxError(
                f"{importers[0]}: imports are nested more than {MAX_IMPORT_DEPTH} deep, or more than {MAX_FILES} files"
            )
        path = [*importers, name]
        for wanted in dependencies(loaded):
            if wanted not in self._files or wanted in path:
                self.add(wanted, self._load(wanted, name), path)
        if isinstance(loaded, ParsedFile):
            loaded.descriptor.name = name
            proto = resolve(loaded, self._files)
        else:
            proto = loaded
            proto.name = name
        add_file(self.pool, proto)
        self._files[name] = proto
        return proto

    def _load(self, name: str, importer: str) -> ParsedFile | Any:
        known = known_file(name)
        if known is not None:
            return known
        if name not in self._references:
            hint = " (it comes with the package googleapis-common-protos)" if name in KNOWN_FILES else ""
            raise ProtoSyntaxError(f"{importer} imports {name}, which is not among the schema's references{hint}")
        return load_schema(self._references[name], name)


def message_at(descriptor: Any, indexes: Sequence[int]) -> Any:
    """Return the descriptor of the message at ``indexes`` in a ``FileDescriptor``.

    Raises:
        ProtoSyntaxError: there is none.
    """
    messages = list(descriptor.message_types_by_name.values())
    what, found = "schema has {} top-level message(s)", None
    for index in indexes:
        if not 0 <= index < len(messages):
            raise ProtoSyntaxError(f"message index {index} out of range, {what.format(len(messages))}")
        found = messages[index]
        messages = list(found.nested_types)
        what = "message has {} nested message(s)"
    if found is None:
        raise ProtoSyntaxError("message index -1 out of range, there are no message indexes")
    return found


def indexes_of(descriptor: Any) -> list[int]:
    """Return the path of indexes from its file to a message: ``[0]`` is the first one, ``[0, 1]`` the second inside."""
    path = []
    while descriptor.containing_type is not None:
        outer = descriptor.containing_type
        path.append([item.full_name for item in outer.nested_types].index(descriptor.full_name))
        descriptor = outer
    path.append(list(descriptor.file.message_types_by_name).index(descriptor.name))
    return path[::-1]


def name_at(text: str | None, indexes: Sequence[int]) -> str | None:
    """Return the full name of the message at ``indexes`` in a schema, not linked; None when there is none.

    Raises:
        ProtoSyntaxError: the schema is not valid.
    """
    loaded = load_schema(text, "schema")
    proto = loaded.descriptor if isinstance(loaded, ParsedFile) else loaded
    names, messages = [proto.package] if proto.package else [], proto.message_type
    for index in indexes:
        if not 0 <= index < len(messages):
            return None
        names.append(messages[index].name)
        messages = messages[index].nested_type
    return ".".join(names)
