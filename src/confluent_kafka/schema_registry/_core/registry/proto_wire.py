# SPDX-License-Identifier: Apache-2.0
"""File descriptors: the binary form of .proto files, read and written without the protobuf package.

Source: descriptor.proto; the Protocol Buffers encoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka.schema_registry._core.registry.problems import InvalidSchema
from confluent_kafka.schema_registry._core.registry.proto_model import (
    ENUM,
    GROUP,
    MESSAGE,
    SCALARS,
    Enumeration,
    Field,
    Message,
    ProtoFile,
    resolve,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_LABELS = {1: "optional", 2: "required", 3: "repeated"}
_NAMES = {number: name for name, number in SCALARS.items()}
_EDITIONS = {"2023": 1000, "2024": 1001}
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
            known = {number: name for name, number in _EDITIONS.items()}
            result.syntax = known.get(_int(value), "editions")
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


def write(file: ProtoFile, name: str, types: dict[str, str]) -> bytes:
    """Write a FileDescriptorProto.

    Of options it has ``packed``, ``deprecated``, ``json_name``, ``default`` and ``allow_alias``; no services.

    Args:
        file: what to write.
        name: of the file.
        types: the full names of all types that it uses, its own too: ``message`` or ``enum``.
    Raises:
        InvalidSchema: a type is not among them.
    """
    writer = _Writer(types, file.syntax)
    out = _tagged(1, name.encode()) + (_tagged(2, file.package.encode()) if file.package else b"")
    out += b"".join(_tagged(3, path.encode()) for path, _ in file.imports)
    out += b"".join(_tagged(10, index) for index, (_, kind) in enumerate(file.imports) if kind == "public")
    out += b"".join(_tagged(4, writer.message(item, file.package)) for item in file.messages)
    out += b"".join(_tagged(5, _write_enum(item)) for item in file.enums)
    out += b"".join(_tagged(7, writer.field(item, file.package, [], to)) for to, item in file.extensions)
    if file.syntax == "proto3":
        out += _tagged(12, b"proto3")
    elif file.syntax in _EDITIONS:
        out += _tagged(12, b"editions") + _tagged(14, _EDITIONS[file.syntax])
    return out


def _tagged(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _written(number << 3) + _written(value & (2**64 - 1))
    return _written(number << 3 | 2) + _written(len(value)) + value


def _written(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _write_enum(item: Enumeration) -> bytes:
    out = _tagged(1, item.name.encode())
    out += b"".join(_tagged(2, _tagged(1, name.encode()) + _tagged(2, number)) for name, number in item.values)
    return out + (_tagged(3, _tagged(2, 1)) if item.options.get("allow_alias") == "true" else b"")


class _Writer:
    def __init__(self, types: dict[str, str], syntax: str) -> None:
        self._types, self._syntax = types, syntax

    def message(self, message: Message, scope: str) -> bytes:
        full = f"{scope}.{message.name}" if scope else message.name
        out = _tagged(1, message.name.encode())
        oneofs = list(message.oneofs)
        entries = []
        for item in message.fields:
            if item.map_key is not None:
                entries.append(self._entry(item, full))
            out += _tagged(2, self.field(item, full, oneofs))
        out += b"".join(_tagged(3, self.message(item, full)) for item in message.messages)
        out += b"".join(_tagged(3, item) for item in entries)
        out += b"".join(_tagged(4, _write_enum(item)) for item in message.enums)
        out += b"".join(_tagged(5, _tagged(1, first) + _tagged(2, last + 1)) for first, last in message.ranges)
        out += b"".join(_tagged(6, self.field(item, full, [], to)) for to, item in message.extensions)
        out += b"".join(_tagged(8, _tagged(1, name.encode())) for name in oneofs)
        out += b"".join(_tagged(9, _tagged(1, first) + _tagged(2, last + 1)) for first, last in message.reserved)
        return out + b"".join(_tagged(_RESERVED_NAME_TAG, name.encode()) for name in message.reserved_names)

    def field(self, item: Field, scope: str, oneofs: list[str], extendee: str | None = None) -> bytes:
        """Write a field; a proto3 optional one adds its own oneof to ``oneofs``."""
        out = _tagged(1, item.name.encode())
        if extendee is not None:
            out += _tagged(2, self._full(extendee, scope).encode())
        out += _tagged(3, item.number) + _tagged(4, {"required": 2, "repeated": 3}.get(item.label, 1))
        if item.map_key is not None:
            out += _tagged(5, MESSAGE) + _tagged(6, f".{scope}.{_entry_name(item)}".encode())
        elif item.type in SCALARS:
            out += _tagged(5, SCALARS[item.type])
        else:
            full = self._full(item.type, scope)
            kind = GROUP if item.group else ENUM if self._types[full[1:]] == "enum" else MESSAGE
            out += _tagged(5, kind) + _tagged(6, full.encode())
        default = item.options.get("default")
        if default is not None:
            out += _tagged(7, default.strip("\"'").encode())
        flags = b"".join(
            _tagged(number, int(item.options[name] == "true"))
            for name, number in (("packed", 2), ("deprecated", 3))
            if name in item.options
        )
        out += _tagged(8, flags) if flags else b""
        alone = item.label == "optional" and self._syntax == "proto3" and extendee is None
        if alone:
            oneofs.append(f"_{item.name}")
            out += _tagged(9, len(oneofs) - 1)
        elif item.oneof is not None:
            out += _tagged(9, oneofs.index(item.oneof))
        json_name = item.options.get("json_name")
        out += _tagged(10, (json_name.strip("\"'") if json_name else _json_name(item.name)).encode())
        return out + (_tagged(17, 1) if alone else b"")

    def _full(self, name: str, scope: str) -> str:
        found = resolve(name, scope, self._types)
        if found is None:
            raise InvalidSchema(f'"{name}" is not defined')
        return f".{found}"

    def _entry(self, item: Field, scope: str) -> bytes:
        key = Field("key", 1, item.map_key or "", "optional", options={"json_name": "key"})
        value = Field("value", 2, item.type, "optional", options={"json_name": "value"})
        # not "optional" as in proto3, where that would make a oneof
        plain = _Writer(self._types, "proto2")
        fields = b"".join(_tagged(2, plain.field(part, scope, [])) for part in (key, value))
        return _tagged(1, _entry_name(item).encode()) + fields + _tagged(7, _tagged(7, 1))


def _entry_name(item: Field) -> str:
    return "".join(part[:1].upper() + part[1:] for part in item.name.split("_")) + "Entry"


def _json_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
