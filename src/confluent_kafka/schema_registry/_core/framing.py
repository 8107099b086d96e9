# SPDX-License-Identifier: Apache-2.0
"""How a message says which schema it was written with.

::

    V0  0x00 | id: 4 bytes big-endian      [| message indexes] | payload
    V1  0x01 | GUID: 16 bytes              [| message indexes] | payload

    message indexes, Protobuf only: count, then as many indexes, all zigzag varints; the list [0] is the byte 0x00 alone

The frame stands before the payload, or in the header ``__key_schema_id`` / ``__value_schema_id``.
"""

from __future__ import annotations

import io
import struct
import uuid
from typing import TYPE_CHECKING, Any

from confluent_kafka.error import SerializationError
from confluent_kafka.serialization import MessageField

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confluent_kafka.serialization import SerializationContext

MAGIC_V0 = 0
MAGIC_V1 = 1
V0_BYTES = 5
V1_BYTES = 17
KEY_HEADER = "__key_schema_id"
VALUE_HEADER = "__value_schema_id"
MAX_INDEXES = 100_000

_V0 = struct.Struct(">BI")
_ONLY_FIRST = b"\x00"


class TruncatedError(SerializationError, EOFError):
    """The bytes end before the value does. Also an ``EOFError``, which is what reading code used to raise."""


class SchemaId:
    """The schema a message was written with.

    Args:
        schema_type: AVRO, JSON or PROTOBUF; only PROTOBUF has message indexes.
        schema_id: the registry's number, 0 to 4294967295.
        guid: the registry's UUID.
        message_indexes: path to the message type in its file, for example ``[0]`` for the first one.
    Raises:
        ValueError: the GUID is no UUID.
    """

    __slots__ = ("guid", "id", "message_indexes", "schema_type")

    def __init__(
        self,
        schema_type: str,
        schema_id: int | None = None,
        guid: str | None = None,
        message_indexes: list[int] | None = None,
    ) -> None:
        self.schema_type = schema_type
        self.id = schema_id
        try:
            self.guid = None if guid is None else uuid.UUID(str(guid))
        except ValueError:
            raise ValueError(f"the GUID of a schema has to be a UUID, not {guid!r}") from None
        self.message_indexes = message_indexes

    def __repr__(self) -> str:
        return (
            f"SchemaId({self.schema_type!r}, schema_id={self.id!r}, guid={self.guid and str(self.guid)!r}, "
            f"message_indexes={self.message_indexes!r})"
        )

    def from_bytes(self, payload: io.BytesIO) -> io.BytesIO:
        """Take the frame off the beginning of ``payload`` and keep what it says.

        Returns: ``payload``, positioned behind the frame.
        Raises:
            SerializationError: this is no frame, or it is cut off (then also an EOFError).
        """
        magic = payload.read(1)
        if not magic:
            raise TruncatedError("no schema id: the data is empty")
        if magic[0] == MAGIC_V0:
            self.id = int.from_bytes(_exactly(payload, 4, "schema id"), "big")
        elif magic[0] == MAGIC_V1:
            self.guid = uuid.UUID(bytes=_exactly(payload, 16, "schema GUID"))
        else:
            raise SerializationError(
                f"Invalid magic byte {magic[0]:#04x}: data written with a schema from the registry starts with 0x00 or "
                "0x01; was this message produced by a Schema Registry serializer?"
            )
        if self.schema_type == "PROTOBUF":
            self.message_indexes = _read_indexes(payload)
        return payload

    def id_to_bytes(self) -> bytes:
        """Return the V0 frame; SerializationError when there is no id, or it does not fit into 32 bits."""
        if self.id is None:
            raise SerializationError("Schema ID is not set")
        try:
            frame = _V0.pack(MAGIC_V0, self.id)
        except struct.error as e:
            raise SerializationError(f"schema id {self.id!r} is not in the range 0 to 4294967295") from e
        return frame + self._index_bytes()

    def guid_to_bytes(self) -> bytes:
        """Return the V1 frame; SerializationError when there is no GUID."""
        if self.guid is None:
            raise SerializationError("Schema GUID is not set")
        return bytes((MAGIC_V1,)) + self.guid.bytes + self._index_bytes()

    def _index_bytes(self) -> bytes:
        # indexes belong to the frame wherever they are given: PROTOBUF cannot do without
        if self.message_indexes is None:
            return b""
        if self.message_indexes == [0]:
            return _ONLY_FIRST
        return b"".join(_zigzag(number) for number in (len(self.message_indexes), *self.message_indexes))


def _exactly(payload: io.BytesIO, count: int, what: str) -> bytes:
    data = payload.read(count)
    if len(data) < count:
        raise TruncatedError(f"the {what} is cut off: {len(data)} of {count} bytes")
    return data


def _zigzag(number: int) -> bytes:
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append((rest & 0x7F) | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _unzigzag(payload: io.BytesIO) -> int:
    number = shift = 0
    while True:
        byte = payload.read(1)
        if not byte:
            raise TruncatedError("Unexpected EOF while reading index")
        number |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return (number >> 1) ^ -(number & 1)
        shift += 7
        if shift > 63:
            raise SerializationError("message index is longer than 64 bits")


def _read_indexes(payload: io.BytesIO) -> list[int]:
    count = _unzigzag(payload)
    if count == 0:
        return [0]
    if not 0 < count <= MAX_INDEXES:
        raise SerializationError(f"Invalid msgidx array length {count}: must be 0 to {MAX_INDEXES}")
    return [_unzigzag(payload) for _ in range(count)]


def end_of_indexes(data: bytes, start: int) -> int:
    """Return where the message indexes that begin at ``start`` end.

    Raises:
        SerializationError: these are no indexes, or they are cut off.
    """
    if data[start : start + 1] == _ONLY_FIRST:
        return start + 1
    payload = io.BytesIO(data)
    payload.seek(start)
    _read_indexes(payload)
    return payload.tell()


def prefix_schema_id_serializer(payload: bytes, ctx: SerializationContext | None, schema_id: SchemaId) -> bytes:
    """Put the schema's id before the payload (V0)."""
    return schema_id.id_to_bytes() + payload


def header_schema_id_serializer(payload: bytes, ctx: SerializationContext | None, schema_id: SchemaId) -> bytes:
    """Put the schema's GUID into a header (V1), leave the payload as it is.

    The header is appended to ``ctx.headers`` when that is a list, set in it when it is a dict.

    Raises:
        SerializationError: the context is missing, or has no headers to write to, or the GUID is not known.
    """
    if ctx is None:
        raise SerializationError("SerializationContext is required for header_schema_id_serializer")
    headers = ctx.headers
    if headers is None:
        raise SerializationError("Missing headers: make the context with headers=[] and send what is in it afterwards")
    header, frame = _header_name(ctx), schema_id.guid_to_bytes()
    if isinstance(headers, list):
        headers.append((header, frame))
    elif isinstance(headers, dict):
        headers[header] = frame
    else:
        raise SerializationError(f"Invalid headers type {type(headers).__name__}: must be a list or a dict")
    return payload


def prefix_schema_id_deserializer(payload: bytes, ctx: SerializationContext | None, schema_id: SchemaId) -> io.BytesIO:
    """Read the schema's id or GUID from the beginning of the payload; return the rest."""
    return schema_id.from_bytes(io.BytesIO(payload))


def dual_schema_id_deserializer(payload: bytes, ctx: SerializationContext | None, schema_id: SchemaId) -> io.BytesIO:
    """Read the schema's id or GUID from the header, else from the beginning of the payload; return the rest."""
    frame = header_frame(ctx)
    if frame is None:
        return schema_id.from_bytes(io.BytesIO(payload))
    schema_id.from_bytes(io.BytesIO(frame))
    return io.BytesIO(payload)


def header_frame(ctx: SerializationContext | None) -> bytes | None:
    """Return the frame that the headers hold for this key or value, None when there is none."""
    headers: Any = None if ctx is None else ctx.headers
    if ctx is None or not headers:
        return None
    wanted = _header_name(ctx)
    pairs: Iterable[tuple[Any, Any]] = headers.items() if isinstance(headers, dict) else headers
    for name, value in pairs:
        if name == wanted and value is not None:
            if isinstance(value, str):
                raise SerializationError(f"header {wanted} is text, not the bytes of a schema id")
            return bytes(value)
    return None


def _header_name(ctx: SerializationContext) -> str:
    return KEY_HEADER if ctx.field == MessageField.KEY else VALUE_HEADER
