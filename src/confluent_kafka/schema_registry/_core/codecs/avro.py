# SPDX-License-Identifier: Apache-2.0
"""Avro's binary encoding: fastavro parses schemas, the native module writes and reads.

A schema whose top level is ``bytes`` is written without Avro's length before it: the payload is the value itself.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

try:
    import fastavro
    from fastavro import logical_readers, logical_writers
    from fastavro.read import SchemaResolutionError
except ImportError as e:
    raise ImportError(
        'Avro needs the package fastavro, which is not installed: pip install "ferrokafka[avro]"', name="fastavro"
    ) from e

from confluent_kafka._native import AvroReader, AvroWriter
from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core.codecs.avro_checks import avro_visit
from confluent_kafka.schema_registry._core.codecs.avro_fields import AvroFields
from confluent_kafka.schema_registry._core.codecs.avro_schema import full_name, link, load
from confluent_kafka.schema_registry._core.plan import Codec
from confluent_kafka.schema_registry.error import SchemaMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka.schema_registry._core.models import Schema
    from confluent_kafka.schema_registry._core.validation import Visit

# What the native module converts itself. Of fastavro's tables, which applications may add to, it is given the rest.
_NATIVE = frozenset(
    (
        "bytes-decimal",
        "fixed-decimal",
        "int-date",
        "int-time-millis",
        "long-local-timestamp-micros",
        "long-local-timestamp-millis",
        "long-time-micros",
        "long-timestamp-micros",
        "long-timestamp-millis",
        "string-uuid",
    )
)


class ResolutionError(SerializationError, SchemaResolutionError):
    """What was written by one schema cannot be read as another one has it. Also fastavro's exception for that."""


@dataclass(frozen=True, slots=True)
class AvroSchema:
    """A parsed schema, complete with all it refers to."""

    source: Any
    parsed: Any
    is_bytes: bool


def parse(schema: Any, references: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return JSON of a schema with all it refers to, and what fastavro makes of it.

    Raises:
        ValueError, fastavro.schema.SchemaParseException, fastavro.schema.UnknownType: it is not an Avro schema.
    """
    linked = link(schema, references)
    try:
        return linked, fastavro.parse_schema(linked)
    except TypeError as e:
        # what fastavro does with JSON that has an object where a name belongs
        raise ValueError(f"this is not an Avro schema: {e}") from e


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

    def visit(self, compiled: AvroSchema) -> Visit | None:
        """Return what visits the places of an object that have checks in the schema's text; None without any."""
        return avro_visit(compiled.source)

    def record_name(self, schema: Schema) -> str | None:
        """Return the schema's full name, a primitive's type, None for a union."""
        return full_name(load(schema.schema_str))

    def compile(self, schema: Schema, references: Mapping[str, Schema]) -> AvroSchema:
        """Parse a schema.

        Raises:
            ValueError: the text is not JSON.
            fastavro.schema.SchemaParseException, fastavro.schema.UnknownType: it is not an Avro schema.
        """
        linked, parsed = parse(
            load(schema.schema_str), {name: load(reference.schema_str) for name, reference in references.items()}
        )
        is_bytes = parsed == "bytes" or (isinstance(parsed, dict) and parsed.get("type") == "bytes")
        return AvroSchema(linked, parsed, is_bytes)

    def encoder(self, compiled: AvroSchema) -> Callable[[Any, bytes], bytes]:
        """Return a function (object, first bytes) -> first bytes and the encoded object.

        The function raises SchemaMismatchError for an object that does not match the schema.
        """
        writer = AvroWriter(
            compiled.parsed,
            _functions(_WRITERS, logical_writers.LOGICAL_WRITERS),
            self._strict,
            self._strict_allow_default,
            compiled.is_bytes,
        )
        if compiled.is_bytes:
            return _bytes_encoder(writer, compiled.parsed == "bytes" or "logicalType" not in compiled.parsed)
        return writer.write

    def decoder(self, writer: AvroSchema, reader: AvroSchema | None) -> Callable[[bytes, int], Any]:
        """Return a function (data, start) -> the object that begins there, written with one schema, read as another.

        The function raises SerializationError (also an EOFError where the data ends too early, a ResolutionError when
        the two schemas do not fit).
        """
        if reader is not None and reader.source == writer.source:
            reader = None
        return AvroReader(
            writer.parsed,
            None if reader is None else reader.parsed,
            _functions(_READERS, logical_readers.LOGICAL_READERS),
            self._return_record_name,
            writer.is_bytes,
        ).read


_VARIANTS = "confluent_kafka.schema_registry.confluent.type.variant_utils"


def _variant_written(value: Any, schema: Any) -> Any:
    # who has a Variant has imported it; the module needs protobuf, which writing the record as a dict does not
    module = sys.modules.get(_VARIANTS)
    if module is not None and isinstance(value, module.Variant):
        # of a part of another variant, ``value`` is the bytes of the whole
        return {"metadata": value.metadata, "value": value.standalone_value_bytes()}
    return value


def _variant_read(value: Any, written: Any, wanted: Any) -> Any:
    from confluent_kafka.schema_registry.confluent.type.variant_utils import Variant

    return Variant(value["value"], value["metadata"])


# a record {metadata: bytes, value: bytes} that stands for a Variant
_WRITERS: dict[str, Callable[..., Any]] = {"record-variant": _variant_written}
_READERS: dict[str, Callable[..., Any]] = {"record-variant": _variant_read}


def _functions(own: dict[str, Callable[..., Any]], table: Mapping[str, Callable[..., Any]]) -> dict[str, Any]:
    """Return our functions for logical types, and what an application has put into one of fastavro's tables of them."""
    others = {
        name: function
        for name, function in table.items()
        if name not in _NATIVE or not str(getattr(function, "__module__", "")).startswith("fastavro.")
    }
    return {**own, **others}


def _bytes_encoder(writer: AvroWriter, plain: bool) -> Callable[[Any, bytes], bytes]:
    write = writer.write

    def encode(obj: Any, head: bytes) -> bytes:
        if isinstance(obj, str):
            obj = obj.encode()
        elif plain and not isinstance(obj, (bytes, bytearray, memoryview)):
            raise SchemaMismatchError(f"the schema is bytes: expected bytes or str, got {type(obj).__name__}")
        return write(obj, head)

    return encode
