# SPDX-License-Identifier: Apache-2.0
"""Objects to framed Avro and back, with the deprecated registry client."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from confluent_kafka.avro.error import ClientError
from confluent_kafka.avro.serializer import KeySerializerError, SerializerError, ValueSerializerError
from confluent_kafka.error import SerializationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from confluent_kafka.avro.load import ParsedSchema

MAGIC_BYTE = 0
HAS_FAST = False  # fastavro does not write or read; the native codec does, which is faster still
FRAME_BYTES = 5


class ContextStringIO(io.BytesIO):
    """A ``BytesIO`` for ``with`` blocks, which every one is by now."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


class MessageSerializer:
    """Writes objects with the id of their schema, and reads them: ``0x00 | id: 4 bytes | Avro binary``.

    Args:
        registry_client: where schemas are registered and fetched.
        reader_key_schema, reader_value_schema: what keys and values are to be read as; without them they are read as
            they were written.
    """

    def __init__(
        self,
        registry_client: Any,
        reader_key_schema: ParsedSchema | str | None = None,
        reader_value_schema: ParsedSchema | str | None = None,
    ) -> None:
        self.registry_client = registry_client
        self.id_to_decoder_func: dict[tuple[int, bool], Callable[[bytes, int], Any]] = {}
        self.id_to_writers: dict[int, Callable[[Any, bytes], bytes]] = {}
        self.reader_key_schema = reader_key_schema
        self.reader_value_schema = reader_value_schema

    def encode_record_with_schema(
        self, topic: str, schema: ParsedSchema | str, record: Any, is_key: bool = False
    ) -> bytes:
        """Return an object as bytes; its schema is registered (or looked up) for the topic's keys or values.

        Raises:
            ClientError: the registry refused.
            SchemaMismatchError: the object does not match the schema.
        """
        client = self.registry_client
        subject = f"{topic}-{'key' if is_key else 'value'}"
        work = client.register if client.auto_register_schemas else client.check_registration
        schema_id: int | None = work(subject, schema)
        if not schema_id:
            raise _error(is_key)(f"Unable to retrieve schema id for subject {subject}")
        if schema_id not in self.id_to_writers:
            self.id_to_writers[schema_id] = _encoder(schema)
        return self.encode_record_with_schema_id(schema_id, record, is_key)

    def encode_record_with_schema_id(self, schema_id: int, record: Any, is_key: bool = False) -> bytes:
        """Return an object as bytes, written by the schema that the registry has by this id.

        Raises:
            KeySerializerError, ValueSerializerError: there is no such schema.
            SchemaMismatchError: the object does not match the schema.
        """
        write = self.id_to_writers.get(schema_id)
        if write is None:
            try:
                schema = self.registry_client.get_by_id(schema_id)
            except ClientError as e:
                raise _error(is_key)(f"schema {schema_id} cannot be fetched: {e}") from e
            if not schema:
                raise _error(is_key)("Schema does not exist")
            write = self.id_to_writers[schema_id] = _encoder(schema)
        return write(record, schema_id.to_bytes(FRAME_BYTES, "big"))

    def decode_message(self, message: bytes | str | None, is_key: bool = False) -> Any:
        """Return the object that a message's key or value stands for, None for None.

        Raises:
            SerializerError: it is no such message, it is corrupt, or its schema cannot be fetched.
        """
        if message is None:
            return None
        data = message.encode("latin-1") if isinstance(message, str) else bytes(message)
        if len(data) < FRAME_BYTES:
            raise SerializerError("message is too small to decode")
        if data[0] != MAGIC_BYTE:
            raise SerializerError("message does not start with magic byte")
        schema_id = int.from_bytes(data[1:FRAME_BYTES], "big")
        read = self.id_to_decoder_func.get((schema_id, is_key))
        if read is None:
            read = self.id_to_decoder_func[schema_id, is_key] = self._decoder(schema_id, is_key)
        try:
            return read(data, FRAME_BYTES)
        except SerializationError as e:
            raise SerializerError(str(e)) from e

    def _decoder(self, schema_id: int, is_key: bool) -> Callable[[bytes, int], Any]:
        try:
            written = self.registry_client.get_by_id(schema_id)
        except ClientError as e:
            raise SerializerError(f"unable to fetch schema with id {schema_id}: {e}") from e
        if written is None:
            raise SerializerError(f"unable to fetch schema with id {schema_id}")
        wanted = self.reader_key_schema if is_key else self.reader_value_schema
        codec, compiled = _compiled(written)
        read: Callable[[bytes, int], Any] = codec.decoder(compiled, None if wanted is None else _compiled(wanted)[1])
        return read


def _error(is_key: bool) -> type[SerializerError]:
    return KeySerializerError if is_key else ValueSerializerError


def _compiled(schema: Any) -> tuple[Any, Any]:
    # on first use: fastavro comes with the extra "avro" only
    from confluent_kafka.schema_registry._core.codecs.avro import AvroCodec
    from confluent_kafka.schema_registry._core.models import Schema

    codec = AvroCodec()
    return codec, codec.compile(Schema(str(schema), "AVRO"), {})


def _encoder(schema: Any) -> Callable[[Any, bytes], bytes]:
    codec, compiled = _compiled(schema)
    write: Callable[[Any, bytes], bytes] = codec.encoder(compiled)
    return write
