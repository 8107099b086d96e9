# SPDX-License-Identifier: Apache-2.0
"""Protobuf: messages of generated classes, or of classes made from the registry's schema, and dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core.codecs.protobuf_checks import protobuf_visit
from confluent_kafka.schema_registry._core.codecs.protobuf_fields import ProtobufFields
from confluent_kafka.schema_registry._core.codecs.protobuf_files import (
    KNOWN_FILES,
    LinkedFile,
    indexes_of,
    known_file,
    link,
    message_at,
    name_at,
    to_text,
)
from confluent_kafka.schema_registry._core.codecs.protobuf_values import DictReader, DictWriter
from confluent_kafka.schema_registry._core.effects import call
from confluent_kafka.schema_registry._core.models import Schema, SchemaReference
from confluent_kafka.schema_registry._core.plan import Codec, WritePlan, WritePlanner
from confluent_kafka.schema_registry.error import SchemaMismatchError

# isort: split
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FieldOptions
from google.protobuf.message import DecodeError, EncodeError
from google.protobuf.message_factory import GetMessageClass

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from confluent_kafka.schema_registry._core.effects import Op
    from confluent_kafka.schema_registry._core.models import RegisteredSchema
    from confluent_kafka.schema_registry._core.validation import Visit
    from confluent_kafka.serialization import SerializationContext

PROTOBUF_TYPE = "PROTOBUF"


def is_known(name: str) -> bool:
    """Return whether every client has a file of this name, so that it is not registered."""
    return name in KNOWN_FILES


class ProtobufCodec(Codec):
    """Protobuf, with the options of one serializer.

    Args:
        message_class: the class of all messages; None takes the messages of the schema that is given or fetched.
        message_name: full name of the message to write when there is no class; None is the first one of the schema.
        as_dict: read dicts, not messages.
        skip_known_types: do not register the files that every client has.
        reference_subject: the subject of a file that is imported: ``(context, file descriptor) -> subject``.
    """

    schema_type = PROTOBUF_TYPE
    fetch_format = "serialized"

    def __init__(
        self,
        message_class: Any = None,
        *,
        message_name: str | None = None,
        as_dict: bool = False,
        skip_known_types: bool = True,
        reference_subject: Callable[..., Any] | None = None,
    ) -> None:
        self._class = message_class
        self._message_name = message_name
        self._as_dict = as_dict
        self._skip_known = skip_known_types
        self._reference_subject = reference_subject
        self._own: LinkedFile | None = None
        self.schema: Schema | None = None
        if message_class is not None:
            file = message_class.DESCRIPTOR.file
            self._own = LinkedFile(file, file.pool)
            self.schema = Schema(to_text(file), PROTOBUF_TYPE)
        self._references: dict[tuple[str, str], SchemaReference] = {}

    def knows(self, name: str) -> bool:
        """Return whether a file that a schema imports is here anyway."""
        return known_file(name) is not None

    def record_name(self, schema: Schema) -> str | None:
        """Return the full name of the message that is written."""
        if self._class is not None:
            return str(self._class.DESCRIPTOR.full_name)
        return self._message_name or name_at(schema.schema_str, [0])

    def written_name(self, schema: Schema, message_indexes: list[int] | None) -> str | None:
        """Return the full name of the message at these indexes."""
        return name_at(schema.schema_str, message_indexes or [0])

    def compile(self, schema: Schema, references: Mapping[str, Schema]) -> LinkedFile:
        """Link a schema with those it imports.

        Raises:
            SerializationError: it is not valid, or an import is missing.
        """
        if self.schema is not None and self._own is not None and schema.schema_str == self.schema.schema_str:
            return self._own
        return link(schema.schema_str, {name: item.schema_str for name, item in references.items()})

    def fields(self, compiled: Any, tagged: Sequence[Schema], other: Any = None) -> ProtobufFields | None:
        """Return the fields of the message that is written or read, for rules; None when the schema lacks it."""
        schema = compiled
        if isinstance(compiled, LinkedFile):
            schema = self._written(compiled) if other is None else find_message(compiled, other.full_name)
        if schema is None:
            return None
        kind: Any = GetMessageClass(schema) if self._class is None else self._class
        as_dict = self._as_dict or self._class is None
        return ProtobufFields(
            schema,
            kind.DESCRIPTOR,
            tagged,
            inline_tags,
            DictWriter(kind) if as_dict else None,
            DictReader(kind.DESCRIPTOR) if self._as_dict else None,
            other,
        )

    def visit(self, compiled: LinkedFile) -> Visit | None:
        """Return what visits the places of a message that have checks in the schema; None without any."""
        schema = self._written(compiled)
        kind: Any = GetMessageClass(schema) if self._class is None else self._class
        return protobuf_visit(schema, kind.DESCRIPTOR, DictWriter(kind) if self._class is None else None)

    def select(self, compiled: LinkedFile, message_indexes: list[int]) -> Any:
        """Return the descriptor of the message at these indexes.

        Raises:
            SerializationError: there is none.
        """
        return message_at(compiled.descriptor, message_indexes)

    def _written(self, compiled: LinkedFile) -> Any:
        """Return the descriptor, in a schema, of the message that is written."""
        if self._class is not None and compiled is self._own:
            return self._class.DESCRIPTOR
        name = self._message_name if self._class is None else str(self._class.DESCRIPTOR.full_name)
        if name is None:
            return message_at(compiled.descriptor, [0])
        found = find_message(compiled, name)
        if found is None:
            raise SerializationError(f"the schema {compiled.descriptor.name} has no message {name}")
        return found

    def indexes(self, compiled: LinkedFile) -> list[int] | None:
        """Return the path of indexes to the message that is written."""
        return indexes_of(self._written(compiled))

    def encoder(self, compiled: LinkedFile) -> Callable[[Any, bytes], bytes]:
        """Return a function (message, first bytes) -> first bytes and the encoded message.

        The function raises ValueError for a message of another type, SerializationError when a required field is not
        set, and where there is no generated class SchemaMismatchError for a dict that does not fit.
        """
        if self._class is None:
            return _dict_encoder(GetMessageClass(self._written(compiled)))
        kind = self._class

        def encode(message: Any, head: bytes) -> bytes:
            if message.__class__ is not kind and not isinstance(message, kind):
                raise ValueError(f"message must be of type {kind} not {type(message)}")
            try:
                return head + message.SerializeToString()  # type: ignore[no-any-return]
            except EncodeError as e:
                raise _unset(message, e) from e

        return encode

    def decoder(self, writer: Any, reader: LinkedFile | None) -> Callable[[bytes, int], Any]:
        """Return a function (data, start) -> the message that begins there.

        Args:
            writer: the descriptor of the message; what ``compile`` gave where there is no registry.
            reader: the schema that it is to be read as.
        """
        if isinstance(writer, LinkedFile) and self._class is None:
            # without indexes (a function of the user reads the frame) it is the first message
            writer = message_at(writer.descriptor, [0])
        if self._class is not None:
            kind = self._class
        elif reader is None:
            kind = GetMessageClass(writer)
        else:
            found = find_message(reader, writer.full_name)
            if found is None:
                raise SerializationError(f"the schema that is to be read has no message {writer.full_name}")
            kind = GetMessageClass(found)
        parse, convert = kind.FromString, DictReader(kind.DESCRIPTOR) if self._as_dict else None

        def decode(data: bytes, start: int) -> Any:
            try:
                message = parse(data[start:])
            except DecodeError as e:
                raise SerializationError(str(e)) from e
            return message if convert is None else convert(message)

        return decode

    def migrator(
        self, writer: Any, reader: LinkedFile
    ) -> tuple[Callable[[bytes, int], Any], Callable[[Any], Any] | None]:
        """Return what reads messages as dicts by the JSON mapping, and what makes messages out of these."""
        parse = GetMessageClass(writer).FromString
        found = find_message(reader, writer.full_name)
        if self._class is None and found is None:
            raise SerializationError(f"the schema that is to be read has no message {writer.full_name}")
        kind: Any = GetMessageClass(found) if self._class is None else self._class
        convert = DictReader(kind.DESCRIPTOR) if self._as_dict else None

        def decode(data: bytes, start: int) -> Any:
            try:
                return json_format.MessageToDict(parse(data[start:]), True)
            except DecodeError as e:
                raise SerializationError(str(e)) from e

        def finish(obj: Any) -> Any:
            try:
                message = json_format.ParseDict(obj, kind())
            except json_format.ParseError as e:
                raise SerializationError(f"the migrated message does not fit {kind.DESCRIPTOR.full_name}: {e}") from e
            return message if convert is None else convert(message)

        return decode, finish

    def prepare(self, ctx: SerializationContext | None, register: bool, normalize: bool) -> Op[Schema | None]:
        """Register, or look up, the files that the file of the class imports; return its schema with references."""
        if self._own is None or self.schema is None:
            return None
        references = yield from self._references_of(self._own.descriptor, ctx, register, normalize)
        return Schema(self.schema.schema_str, PROTOBUF_TYPE, references)

    def _references_of(
        self, file: Any, ctx: SerializationContext | None, register: bool, normalize: bool
    ) -> Op[list[SchemaReference]]:
        references = []
        for imported in file.dependencies:
            if self._skip_known and is_known(imported.name):
                continue
            subject = imported.name if self._reference_subject is None else self._reference_subject(ctx, imported)
            reference = self._references.get((subject, imported.name))
            if reference is None:
                own = yield from self._references_of(imported, ctx, register, normalize)
                schema = Schema(to_text(imported), PROTOBUF_TYPE, own)
                version = yield from _version(subject, schema, register, normalize)
                reference = SchemaReference(imported.name, subject, version)
                self._references[subject, imported.name] = reference
            references.append(reference)
        return references


def _version(subject: str, schema: Schema, register: bool, normalize: bool) -> Op[int | None]:
    """Register or look up a schema; return its version."""
    arguments: dict[str, Any] = {"subject_name": subject, "schema": schema, "normalize_schemas": normalize}
    if register:
        registered: RegisteredSchema = yield from call("register_schema_full_response", **arguments)
        if registered.version is not None:
            return registered.version
    registered = yield from call("lookup_schema", **arguments)
    return registered.version


def inline_tags(field: Any) -> set[str]:
    """Return the tags that a field has in its schema: ``[(confluent.field_meta).tags = "PII"]``."""
    from confluent_kafka.schema_registry.confluent import meta_pb2

    # by way of its bytes: the field may be of another pool, where the extension is not this one
    options = FieldOptions.FromString(field.GetOptions().SerializeToString())
    return set(options.Extensions[meta_pb2.field_meta].tags)


def find_message(compiled: LinkedFile, name: str) -> Any | None:
    """Return the descriptor of the message of a schema's own file with this full name."""
    package = compiled.descriptor.package
    if package and not name.startswith(package + "."):
        return None
    first, *rest = (name[len(package) + 1 :] if package else name).split(".")
    found = compiled.descriptor.message_types_by_name.get(first)
    for part in rest:
        found = None if found is None else found.nested_types_by_name.get(part)
    return found


def _dict_encoder(kind: Any) -> Callable[[Any, bytes], bytes]:
    full_name, to_message = kind.DESCRIPTOR.full_name, DictWriter(kind)

    def encode(value: Any, head: bytes) -> bytes:
        if isinstance(value, dict):
            message = to_message(value)
        elif getattr(getattr(value, "DESCRIPTOR", None), "full_name", None) == full_name:
            message = value
        else:
            raise SchemaMismatchError(f"expected a dict or a message {full_name}, got {type(value).__name__}")
        try:
            return head + message.SerializeToString()  # type: ignore[no-any-return]
        except EncodeError as e:
            raise _unset(message, e) from e

    return encode


def _unset(message: Any, error: EncodeError) -> SerializationError:
    missing = message.FindInitializationErrors()
    if not missing:
        return SerializationError(f"cannot encode {message.DESCRIPTOR.full_name}: {error}")
    return SchemaMismatchError("this required field is not set", missing[0])


class ProtobufWritePlanner(WritePlanner):
    """A planner that does without a context when there is only one subject."""

    def make(self, key: Hashable, ctx: SerializationContext | None) -> Op[WritePlan]:
        """Make the plan for a message; as ``WritePlanner.make``."""
        try:
            return (yield from super().make(key, ctx))
        except ValueError:
            # without a context existing code gets the id of the message before; that is safe with one subject only
            if ctx is not None or len(self._by_subject) != 1:
                raise
        return next(iter(self._by_subject.values()))
