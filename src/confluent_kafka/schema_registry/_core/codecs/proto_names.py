# SPDX-License-Identifier: Apache-2.0
"""Names and options of a parsed ``.proto`` file, resolved with the files that it imports."""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from confluent_kafka.schema_registry._core.codecs.proto_tokens import ProtoSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confluent_kafka.schema_registry._core.codecs.proto_parser import OptionStatement, ParsedFile
    from confluent_kafka.schema_registry._core.codecs.proto_tokens import Token

DESCRIPTOR_FILE = "google/protobuf/descriptor.proto"
_FIELD = descriptor_pb2.FieldDescriptorProto
_WHOLE = {
    _FIELD.TYPE_INT32: (-(2**31), 2**31 - 1), _FIELD.TYPE_SINT32: (-(2**31), 2**31 - 1),
    _FIELD.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    _FIELD.TYPE_UINT32: (0, 2**32 - 1), _FIELD.TYPE_FIXED32: (0, 2**32 - 1),
    _FIELD.TYPE_INT64: (-(2**63), 2**63 - 1), _FIELD.TYPE_SINT64: (-(2**63), 2**63 - 1),
    _FIELD.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    _FIELD.TYPE_UINT64: (0, 2**64 - 1), _FIELD.TYPE_FIXED64: (0, 2**64 - 1),
}  # fmt: skip
_BRACKETED = re.compile(r"\[ *([A-Za-z_][A-Za-z0-9_.]*) *\]")


class Names:
    """What a file can refer to: its own definitions and those of the files that it imports."""

    def __init__(self, descriptor: Any, files: Mapping[str, Any]) -> None:
        self.kinds: dict[str, str] = {}
        for file in (descriptor, *visible_files(descriptor, files)):
            self.kinds.update(_definitions(file))

    def find(self, name: str, scope: str, kinds: tuple[str, ...]) -> str | None:
        """Return the full name that ``name`` has in ``scope``, None if there is none of these kinds."""
        if name.startswith("."):
            return name[1:] if self.kinds.get(name[1:]) in kinds else None
        while True:
            full = f"{scope}.{name}" if scope else name
            if self.kinds.get(full) in kinds:
                return full
            if not scope:
                return None
            scope = scope.rpartition(".")[0]


def visible_files(descriptor: Any, files: Mapping[str, Any]) -> Iterator[Any]:
    """Return the files whose names a file can use: those it imports, and what these import publicly."""
    seen: set[str] = set()
    todo = list(descriptor.dependency)
    while todo:
        name = todo.pop()
        if name in seen or name not in files:
            continue
        seen.add(name)
        yield files[name]
        todo.extend(files[name].dependency[index] for index in files[name].public_dependency)


def _definitions(file: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    todo: list[tuple[str, Any]] = [(file.package, file)]
    while todo:
        scope, owner = todo.pop()
        prefix = f"{scope}." if scope else ""
        for message in owner.message_type if owner is file else owner.nested_type:
            found[prefix + message.name] = "message"
            todo.append((prefix + message.name, message))
        for enum in owner.enum_type:
            found[prefix + enum.name] = "enum"
        for extension in owner.extension:
            found[prefix + extension.name] = "extension"
    return found


def resolve(parsed: ParsedFile, files: Mapping[str, Any]) -> Any:
    """Return the ``FileDescriptorProto`` of a parsed file: full type names, default values, options.

    Args:
        parsed: the file; used up.
        files: ``FileDescriptorProto`` of all files that it imports, and of those that they import, by name.
    Raises:
        ProtoSyntaxError: a name is not known, or a value does not fit.
    """
    descriptor = parsed.descriptor
    names = Names(descriptor, files)

    def unknown(name: str, scope: str) -> ProtoSyntaxError:
        where = f" in {scope}" if scope else ""
        return ProtoSyntaxError(f"{descriptor.name}: {name}{where} is not known; is an import or a reference missing?")

    for made, name, scope in parsed.types:
        full = names.find(name, scope, ("message", "enum"))
        if full is None:
            raise unknown(name, scope)
        made.type_name = "." + full
        if not made.HasField("type"):
            made.type = _FIELD.TYPE_ENUM if names.kinds[full] == "enum" else _FIELD.TYPE_MESSAGE
    for made, name, scope in parsed.extendees:
        full = names.find(name, scope, ("message",))
        if full is None:
            raise unknown(name, scope)
        made.extendee = "." + full
    for made, token, value in parsed.defaults:
        made.default_value = _default_text(parsed, made, token, value)
    _Options(parsed, names, files).interpret()
    return descriptor


def _default_text(parsed: ParsedFile, made: Any, token: Token, value: bytes | int | float | str) -> str:
    """Return a default value as descriptors have it."""
    if isinstance(value, bytes):
        if made.type == _FIELD.TYPE_BYTES:
            return str(text_format.text_encoding.CEscape(value, False))
        if made.type == _FIELD.TYPE_STRING:
            try:
                return value.decode()
            except UnicodeDecodeError:
                parsed.tokens.fail("this default value is not UTF-8", token)
    elif made.type in (_FIELD.TYPE_DOUBLE, _FIELD.TYPE_FLOAT) and not isinstance(value, str):
        return _float_text(float(value), made.type == _FIELD.TYPE_FLOAT)
    elif made.type in _WHOLE and isinstance(value, int):
        lowest, highest = _WHOLE[made.type]
        if lowest <= value <= highest:
            return str(value)
    elif made.type == _FIELD.TYPE_BOOL and value in ("true", "false"):
        return str(value)
    elif made.type == _FIELD.TYPE_ENUM and isinstance(value, str):
        return value
    return parsed.tokens.fail(f"{value!r} cannot be the default value of this field", token)


def _float_text(value: float, single: bool) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    for digits in (6, 9) if single else (15, 17):
        text = f"{value:.{digits}g}"
        if single:
            try:
                same = struct.pack("f", float(text)) == struct.pack("f", value)
            except OverflowError:
                return "inf" if value > 0 else "-inf"
        else:
            same = float(text) == value
        if same:
            break
    return text


class _Options:
    """Interprets option statements, custom options by a pool that has the file's extensions."""

    def __init__(self, parsed: ParsedFile, names: Names, files: Mapping[str, Any]) -> None:
        self._parsed = parsed
        self._names = names
        self._files = files
        self._pool: Any = None

    def interpret(self) -> None:
        # plain ones first: the pool for the others has to know what they say (of message sets, for one)
        for owner, scope, statements in self._parsed.options:
            self._set(owner.options, scope, [item for item in statements if not self._is_custom(item)], None)
        for owner, scope, statements in self._parsed.options:
            custom = []
            for item in statements:
                if not self._is_custom(item):
                    continue
                if self._is_defined(item, scope):
                    custom.append(item)
                else:
                    self._keep(owner.options, item)
            if custom:
                pool = self._custom_pool()
                full_name = owner.options.DESCRIPTOR.full_name
                made = message_factory.GetMessageClass(pool.FindMessageTypeByName(full_name))()
                self._set(made, scope, custom, pool)
                owner.options.MergeFromString(made.SerializeToString(deterministic=True))

    @staticmethod
    def _is_custom(statement: OptionStatement) -> bool:
        return any(extension for _, extension in statement.name) or _BRACKETED.search(statement.value) is not None

    def _is_defined(self, item: OptionStatement, scope: str) -> bool:
        """Return whether the options of a statement are defined.

        Raises:
            ProtoSyntaxError: they are not, and are options that decide what is encrypted and checked.
        """
        missing = [name for name, extension in item.name if extension and self._extension(name, scope) is None]
        if any("confluent" in name for name in missing):
            self._parsed.tokens.fail_at(
                f"option ({missing[0]}) is not known; is an import or a reference missing?", item.start
            )
        return not missing

    @staticmethod
    def _keep(options: Any, item: OptionStatement) -> None:
        """Keep a statement whose option nobody defines as what it is."""
        made = options.uninterpreted_option.add()
        for name, extension in item.name:
            made.name.add(name_part=name, is_extension=extension)
        value = item.value
        if value.startswith("{"):
            made.aggregate_value = value[1:-1].strip()
        elif value.startswith('"'):
            made.string_value = text_format.text_encoding.CUnescape(value[1:-1])
        elif value.lstrip("-").isdigit():
            # numbers that do not fit are no option of any kind
            number = max(-(2**63), min(int(value), 2**64 - 1))
            setattr(made, "negative_int_value" if number < 0 else "positive_int_value", number)
        elif value[:1].isalpha() or value[:1] == "_":
            made.identifier_value = value
        else:
            made.double_value = float(value.rstrip("fF"))

    def _custom_pool(self) -> Any:
        if self._pool is None:
            self._pool = options_pool(self._parsed.descriptor, self._files)
        return self._pool

    def _set(self, made: Any, scope: str, statements: list[OptionStatement], pool: Any) -> None:
        seen: set[str] = set()
        for item in statements:
            text = self._text(item, scope)
            first = item.name[0][0]
            if len(item.name) == 1 and not item.name[0][1]:
                field = made.DESCRIPTOR.fields_by_name.get(first)
                if first == "uninterpreted_option" or (first in seen and field is not None and not is_repeated(field)):
                    self._parsed.tokens.fail_at(f"option {first} cannot be set here, or is set twice", item.start)
                seen.add(first)
            try:
                text_format.Merge(text, made, descriptor_pool=pool)
            except (text_format.ParseError, ValueError, TypeError, RecursionError, OverflowError) as e:
                shown = ".".join(f"({part})" if extension else part for part, extension in item.name)
                self._parsed.tokens.fail_at(f"option {shown}: {e}", item.start)

    def _text(self, item: OptionStatement, scope: str) -> str:
        value = _BRACKETED.sub(lambda found: f"[{self._extension(found[1], scope) or found[1]}]", item.value)
        words = []
        for name, extension in item.name:
            if extension:
                words.append(f"[{self._extension(name, scope)}]")
            else:
                words.append(name)
        value = value if value.startswith("{") else ": " + value
        return " { ".join(words) + " " + value + " }" * (len(words) - 1)

    def _extension(self, name: str, scope: str) -> str | None:
        return self._names.find(name, scope, ("extension",))


def is_repeated(field: Any) -> bool:
    """Return whether a field descriptor is repeated; protobuf 7 has no ``label`` any more, older ones only that."""
    repeated = getattr(field, "is_repeated", None)
    return bool(field.label == field.LABEL_REPEATED) if repeated is None else bool(repeated)


def options_pool(descriptor: Any, files: Mapping[str, Any]) -> Any:
    """Return a pool with a file, without its options, and all that it imports.

    Raises:
        ProtoSyntaxError: the files do not fit together.
    """
    pool = descriptor_pool.DescriptorPool()
    own = descriptor_pb2.FileDescriptorProto()
    descriptor_pb2.DESCRIPTOR.CopyToProto(own)
    known = {DESCRIPTOR_FILE: own, **files}
    added: set[str] = set()
    # depth first without recursion: a file comes again, to be added, behind those that it imports
    todo: list[tuple[str, bool]] = [(name, False) for name in (*descriptor.dependency, DESCRIPTOR_FILE)]
    while todo:
        name, ready = todo.pop()
        if ready:
            add_file(pool, known[name])
        elif name not in added and name in known:
            added.add(name)
            todo.append((name, True))
            todo.extend((other, False) for other in known[name].dependency)
    bare = descriptor_pb2.FileDescriptorProto()
    bare.CopyFrom(descriptor)
    add_file(pool, bare)
    return pool


def add_file(pool: Any, file: Any) -> None:
    """Add a file to a pool.

    Raises:
        ProtoSyntaxError: it is not valid there.
    """
    try:
        pool.Add(file)
    except (TypeError, ValueError, KeyError, RecursionError) as e:
        reason = str(e).replace("Couldn't build proto file into descriptor pool: ", "")
        raise ProtoSyntaxError(f"{file.name}: {reason}") from e
