# SPDX-License-Identifier: Apache-2.0
"""File descriptors: the binary form of .proto files, read without the protobuf package.

Source: descriptor.proto; the Protocol Buffers encoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka.schema_registry._core.registry.problems import InvalidSchema
from confluent_kafka.schema_registry._core.registry.proto_model import (
    GROUP,
    SCALARS,
    Enumeration,
    Field,
    Message,
    ProtoFile,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_LABELS = {1: "optional", 2: "required", 3: "repeated"}
_NAMES = {number: name for name, number in SCALARS.items()}
_EDITIONS = {1000: "2023", 1001: "2024"}
_RESERVED_NAME_TAG = 10


def read(data: bytes) -> ProtoFile:
    """Read a FileDescriptorProto. Raises: InvalidSchema: it is none."""
    try:
        return _file(data)
    except (LookupError, ValueError, RuntimeError) as e:
        if isinstance(e, InvalidSchema):
            raise
        raise InvalidSchema("no file descriptor") from e


def _parts(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Iterate over the fields of a message: number, and an integer or bytes."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        kind = tag & 7
        if kind == 0:
            value, position = _varint(data, position)
            yield tag >> 3, value
            continue
        if kind == 2:
            length, position = _varint(data, position)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise InvalidSchema("no file descriptor")
        if position + length > len(data):
            raise InvalidSchema("no file descriptor: cut off")
        yield tag >> 3, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return result, position
        if shift > 63:
            raise InvalidSchema("no file descriptor: a number is too long")


def _text(value: int | bytes) -> str:
    return _bytes(value).decode()


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise InvalidSchema("no file descriptor")
    return value


def _int(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise InvalidSchema("no file descriptor")
    return value - 2**64 if value >= 2**63 else value


def _file(data: bytes) -> ProtoFile:
    result = ProtoFile()
    public: list[int] = []
    for number, value in _parts(data):
        if number == 2:
            result.package = _text(value)
        elif number == 3:
            result.imports.append((_text(value), ""))
        elif number == 4:
            result.messages.append(_message(_bytes(value)))
        elif number == 5:
            result.enums.append(_enum(_bytes(value)))
        elif number == 7:
            result.extensions.append(_extension(_bytes(value)))
        elif number == 10:
            public.append(_int(value))
        elif number == 12:
            result.syntax = _text(value)
        elif number == 14:
            result.syntax = _EDITIONS.get(_int(value), "editions")
    for index in public:
        result.imports[index] = (result.imports[index][0], "public")
    return result


def _message(data: bytes) -> Message:
    result = Message("")
    entries: dict[str, Message] = {}
    for number, value in _parts(data):
        if number == 1:
            result.name = _text(value)
        elif number == 2:
            result.fields.append(_field(_bytes(value)))
        elif number == 3:
            nested = _message(_bytes(value))
            if _is_map_entry(_bytes(value)):
                entries[nested.name] = nested
            else:
                result.messages.append(nested)
        elif number == 4:
            result.enums.append(_enum(_bytes(value)))
        elif number == 5:
            result.ranges.append(_range(_bytes(value)))
        elif number == 6:
            result.extensions.append(_extension(_bytes(value)))
        elif number == 8:
            result.oneofs.append(_text(dict(_parts(_bytes(value)))[1]))
        elif number == 9:
            result.reserved.append(_range(_bytes(value)))
        elif number == _RESERVED_NAME_TAG:
            result.reserved_names.append(_text(value))
    for field in result.fields:
        index = field.options.pop("oneof_index", None)
        if index is not None and not field.options.pop("proto3_optional", None):
            field.oneof = result.oneofs[int(index)]
        entry = entries.get(field.type.rpartition(".")[2])
        if entry is not None:
            by_number = {item.number: item for item in entry.fields}
            field.map_key, field.type = by_number[1].type, by_number[2].type
    used = {field.oneof for field in result.fields}
    result.oneofs = [name for name in result.oneofs if name in used]
    return result


def _is_map_entry(data: bytes) -> bool:
    options = [_bytes(value) for number, value in _parts(data) if number == 7]
    return any((7, 1) in list(_parts(item)) for item in options)


def _range(data: bytes) -> tuple[int, int]:
    ends = {number: _int(value) for number, value in _parts(data) if number in (1, 2)}
    return ends.get(1, 0), ends.get(2, 1) - 1  # the end is exclusive


def _extension(data: bytes) -> tuple[str, Field]:
    field = _field(data)
    return field.options.pop("extendee", ""), field


def _field(data: bytes) -> Field:
    result = Field("", 0, "")
    for number, value in _parts(data):
        if number == 1:
            result.name = _text(value)
        elif number == 2:
            result.options["extendee"] = _text(value)
        elif number == 3:
            result.number = _int(value)
        elif number == 4:
            result.label = _LABELS.get(_int(value), "")
        elif number == 5 and not result.type:
            result.type = _NAMES.get(_int(value), "")
            result.group = _int(value) == GROUP
        elif number == 6:
            result.type = _text(value)
        elif number == 9:
            result.options["oneof_index"] = str(_int(value))
        elif number == 17 and value:
            result.options["proto3_optional"] = "true"
    return result


def _enum(data: bytes) -> Enumeration:
    result = Enumeration("")
    for number, value in _parts(data):
        if number == 1:
            result.name = _text(value)
        elif number == 2:
            parts = dict(_parts(_bytes(value)))
            result.values.append((_text(parts.get(1, b"")), _int(parts.get(2, 0))))
    return result
