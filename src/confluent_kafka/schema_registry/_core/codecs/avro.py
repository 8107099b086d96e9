# SPDX-License-Identifier: Apache-2.0
"""Avro's binary encoding, by fastavro.

A schema whose top level is ``bytes`` is written without Avro's length before it: the payload is the value itself.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

try:
    import fastavro
    from fastavro import _read_py as slow_reading
    from fastavro.read import SchemaResolutionError
except ImportError as e:
    raise ImportError(
        'Avro needs the package fastavro, which is not installed: pip install "ferrokafka[avro]"', name="fastavro"
    ) from e

from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core.codecs.avro_explain import explain
from confluent_kafka.schema_registry._core.codecs.avro_fields import AvroFields
from confluent_kafka.schema_registry._core.codecs.avro_schema import full_name, link, load
from confluent_kafka.schema_registry._core.framing import TruncatedError
from confluent_kafka.schema_registry._core.plan import Codec
from confluent_kafka.schema_registry.error import SchemaMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka.schema_registry._core.models import Schema

# fastavro's compiled code does not watch the C stack: values of a type that contains itself, nested some thousand
# levels deep, end the process. Every level takes at least a byte, so short payloads are safe; longer ones are read by
# its Python code, which stops at the interpreter's recursion limit.
MAX_UNWATCHED_BYTES = 256
MAX_DEPTH = 500


@dataclass(frozen=True, slots=True)
class AvroSchema:
    """A parsed schema, complete with all it refers to."""

    source: Any
    parsed: Any
    is_bytes: bool
    recursive: bool


class AvroCodec(Codec):
    """Avro, with the options of one serializer.

    Args:
        strict: refuse records with fields that the schema does not have, or without one that it has.
        strict_allow_default: as ``strict``, which it overrules, but fields with a default may be missing.
        return_record_name: give records in unions as ``(name, record)``.
    """

    schema_type = "AVRO"

    def __init__(
        self, *, strict: bool = False, strict_allow_default: bool = False, return_record_name: bool = False
    ) -> None:
        self._strict = strict and not strict_allow_default
        self._strict_allow_default = strict_allow_default
        self._return_record_name = return_record_name

    def fields(self, compiled: AvroSchema, tagged: Sequence[Schema], other: AvroSchema | None = None) -> AvroFields:
        """Return the fields of a schema, for rules."""
        return AvroFields(compiled.source, tagged, None if other is None else other.source)

    def record_name(self, schema: Schema) -> str | None:
        """Return the schema's full name, a primitive's type, None for a union."""
        return full_name(load(schema.schema_str))

    def compile(self, schema: Schema, references: Mapping[str, Schema]) -> AvroSchema:
        """Parse a schema.

        Raises:
            ValueError: the text is not JSON.
            fastavro.schema.SchemaParseException, fastavro.schema.UnknownType: it is not an Avro schema.
        """
        linked = link(
            load(schema.schema_str), {name: load(reference.schema_str) for name, reference in references.items()}
        )
        try:
            parsed = fastavro.parse_schema(linked.schema)
        except TypeError as e:
            # what fastavro does with JSON that has an object where a name belongs
            raise ValueError(f"this is not an Avro schema: {e}") from e
        is_bytes = parsed == "bytes" or (isinstance(parsed, dict) and parsed.get("type") == "bytes")
        return AvroSchema(linked.schema, parsed, is_bytes, linked.recursive)

    def encoder(self, compiled: AvroSchema) -> Callable[[Any, bytes], bytes]:
        """Return a function (object, first bytes) -> first bytes and the encoded object.

        The function raises what fastavro does: TypeError or ValueError for an object that does not match the schema.
        """
        if compiled.is_bytes:
            return _bytes_encoder(compiled)
        parsed, recursive = compiled.parsed, compiled.recursive
        write, new_buffer = fastavro.schemaless_writer, io.BytesIO
        options: dict[str, bool] = {}
        if self._strict or self._strict_allow_default:
            options = {"strict": self._strict, "strict_allow_default": self._strict_allow_default}

        def encode(obj: Any, head: bytes) -> bytes:
            if recursive:
                _refuse_deep(obj)
            buffer = new_buffer()
            buffer.write(head)
            write(buffer, parsed, obj, **options)
            return buffer.getvalue()

        def encode_plainly(obj: Any, head: bytes) -> bytes:
            buffer = new_buffer()
            buffer.write(head)
            write(buffer, parsed, obj)
            return buffer.getvalue()

        return encode if recursive or options else encode_plainly

    def explain(self, compiled: AvroSchema, obj: Any, error: Exception) -> SchemaMismatchError:
        """Return what says which part of ``obj`` could not be written."""
        return explain(compiled.source, obj, error)

    def decoder(self, writer: AvroSchema, reader: AvroSchema | None) -> Callable[[bytes, int], Any]:
        """Return a function (data, start) -> the object that begins there, written with one schema, read as another.

        The function raises SerializationError (also an EOFError where the data ends too early), or fastavro's
        SchemaResolutionError when the two schemas do not fit.
        """
        if reader is not None and reader.source == writer.source:
            reader = None
        if writer.is_bytes and reader is None and _is_plain(writer):
            return lambda data, start: data[start:]
        written, wanted = writer.parsed, None if reader is None else reader.parsed
        named, recursive, is_bytes = self._return_record_name, writer.recursive, writer.is_bytes
        read, read_slowly = fastavro.schemaless_reader, slow_reading.schemaless_reader

        new_buffer = io.BytesIO

        def decode(data: bytes, start: int) -> Any:
            try:
                if is_bytes:
                    payload = _with_length(data[start:])
                else:
                    payload = new_buffer(data)
                    payload.seek(start)
                if recursive and len(data) - start > MAX_UNWATCHED_BYTES:
                    return read_slowly(payload, written, wanted, named)
                return read(payload, written, wanted, named)
            except SchemaResolutionError:
                raise
            except EOFError as e:
                raise TruncatedError(f"the Avro data is cut off, or was written with another schema: {e}") from e
            except Exception as e:
                # whatever bytes that are no such data make the reader stumble over
                raise SerializationError(
                    f"the Avro data is corrupt, or was written with another schema: {type(e).__name__}: {_reason(e)}"
                ) from e

        return decode


def _reason(error: Exception) -> str:
    # str() of this one quotes the data
    return error.reason if isinstance(error, UnicodeDecodeError) else str(error)


def _is_plain(schema: AvroSchema) -> bool:
    return schema.parsed == "bytes" or "logicalType" not in schema.parsed


def _bytes_encoder(compiled: AvroSchema) -> Callable[[Any, bytes], bytes]:
    plain, parsed = _is_plain(compiled), compiled.parsed

    def encode(obj: Any, head: bytes) -> bytes:
        if isinstance(obj, bytes):
            return head + obj
        if isinstance(obj, str):
            return head + obj.encode()
        if isinstance(obj, (bytearray, memoryview)):
            return head + bytes(obj)
        if plain:
            raise SchemaMismatchError(f"the schema is bytes: expected bytes or str, got {type(obj).__name__}")
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, parsed, obj)
        return head + _without_length(buffer.getvalue())

    return encode


def _without_length(data: bytes) -> bytes:
    start = 0
    while data[start] > 0x7F:
        start += 1
    return data[start + 1 :]


def _with_length(data: bytes) -> io.BytesIO:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, "bytes", data)
    buffer.seek(0)
    return buffer


def _refuse_deep(obj: Any) -> None:
    level = [obj]
    for _ in range(MAX_DEPTH):
        # by identity: an object that contains itself must not make the level grow
        inside: dict[int, Any] = {}
        for item in level:
            if isinstance(item, dict):
                inside.update((id(value), value) for value in item.values())
            elif isinstance(item, (list, tuple)):
                inside.update((id(value), value) for value in item)
        if not inside:
            return
        level = list(inside.values())
    raise SerializationError(f"the object is nested more than {MAX_DEPTH} levels deep, or contains itself")
