# SPDX-License-Identifier: Apache-2.0
"""``.proto`` text to a file descriptor: proto2, proto3 and edition 2023; services are passed over.

Two steps: ``parse_proto`` needs the text only, ``resolve`` (``proto_names.py``) the files that it imports as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2

from confluent_kafka.schema_registry._core.codecs.proto_tokens import ProtoSyntaxError, Token, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_FIELD = 536_870_911
MAX_INT32 = 2_147_483_647
MAX_DEPTH = 32  # messages inside messages, as in protoc
MAX_OPTION_DEPTH = 100

_FIELD = descriptor_pb2.FieldDescriptorProto
_LABELS = {"optional": _FIELD.LABEL_OPTIONAL, "required": _FIELD.LABEL_REQUIRED, "repeated": _FIELD.LABEL_REPEATED}
SCALARS: dict[str, int] = {
    "double": _FIELD.TYPE_DOUBLE, "float": _FIELD.TYPE_FLOAT, "int32": _FIELD.TYPE_INT32, "int64": _FIELD.TYPE_INT64,
    "uint32": _FIELD.TYPE_UINT32, "uint64": _FIELD.TYPE_UINT64, "sint32": _FIELD.TYPE_SINT32,
    "sint64": _FIELD.TYPE_SINT64, "fixed32": _FIELD.TYPE_FIXED32, "fixed64": _FIELD.TYPE_FIXED64,
    "sfixed32": _FIELD.TYPE_SFIXED32, "sfixed64": _FIELD.TYPE_SFIXED64, "bool": _FIELD.TYPE_BOOL,
    "string": _FIELD.TYPE_STRING, "bytes": _FIELD.TYPE_BYTES,
}  # fmt: skip
_KEY_TYPES = frozenset(SCALARS) - {"double", "float", "bytes"}


@dataclass(frozen=True, slots=True)
class OptionStatement:
    """``option NAME = VALUE``: the name's parts, True for those in parentheses; the value as text-format words."""

    name: tuple[tuple[str, bool], ...]
    value: str
    start: int


@dataclass(slots=True)
class ParsedFile:
    """A file whose type names are as they were written, and whose options are still statements.

    ``options`` has (descriptor that they belong to, scope of names, statements), ``types`` and ``extendees`` have
    (field, name as it was written, scope), ``defaults`` the values that can be checked when the types are known.
    """

    descriptor: Any
    tokens: Tokens
    options: list[tuple[Any, str, list[OptionStatement]]] = field(default_factory=list)
    types: list[tuple[Any, str, str]] = field(default_factory=list)
    extendees: list[tuple[Any, str, str]] = field(default_factory=list)
    defaults: list[tuple[Any, Token, bytes | int | float | str]] = field(default_factory=list)


def parse_proto(text: str, name: str = "schema.proto") -> ParsedFile:
    """Read ``.proto`` text.

    Raises:
        ProtoSyntaxError: it is none; says the line and column.
    """
    return _Parser(Tokens(text, name), name).file()


def camel_case(name: str) -> str:
    """``foo_bar`` as ``FooBar``, as protoc names the entries of maps."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def json_name(name: str) -> str:
    """Return the JSON name that a field has by itself: ``foo_bar`` as ``fooBar``."""
    first, *rest = name.split("_")
    return first + camel_case("_".join(rest))


class _Parser:
    def __init__(self, tokens: Tokens, name: str) -> None:
        self._tokens = tokens
        self._file = descriptor_pb2.FileDescriptorProto(name=name)
        self._parsed = ParsedFile(self._file, tokens)
        self._syntax = "proto2"

    def file(self) -> ParsedFile:
        tokens, options = self._tokens, list[OptionStatement]()
        self._read_syntax()
        while tokens.next.kind != "end":
            word = tokens.next.text
            if tokens.skip(";"):
                continue
            if tokens.next.kind != "ident":
                tokens.fail(f"expected a definition, found {word!r}")
            if word == "import":
                self._import()
            elif word == "package":
                tokens.take()
                if self._file.package:
                    tokens.fail("a second package")
                self._file.package = tokens.dotted()
                tokens.expect(";")
            elif word == "option":
                options.append(self._option_statement())
            elif word == "message":
                tokens.take()
                self._message(self._file.message_type.add(), self._file.package, 1)
            elif word == "enum":
                self._enum(self._file.enum_type.add(), self._file.package)
            elif word == "extend":
                self._extend(self._file.extension, self._file.message_type, self._file.package, 0)
            elif word == "service":
                tokens.take()
                tokens.ident()
                self._skip_block()
            else:
                tokens.fail(f"expected a definition, found {word!r}")
        # names of the file's options are looked up in its package
        self._keep_options(self._file, self._file.package, options)
        return self._parsed

    def _read_syntax(self) -> None:
        tokens = self._tokens
        if tokens.skip("syntax"):
            tokens.expect("=")
            token = tokens.next
            self._syntax = tokens.text()
            if self._syntax not in ("proto2", "proto3"):
                tokens.fail(f"unknown syntax {self._syntax!r}: proto2 and proto3 are known", token)
            tokens.expect(";")
            if self._syntax == "proto3":
                self._file.syntax = "proto3"
        elif tokens.sees("edition") and tokens.second.text == "=":
            tokens.take()
            tokens.expect("=")
            token = tokens.next
            if tokens.text() != "2023":
                tokens.fail("unknown edition: 2023 is known", token)
            tokens.expect(";")
            self._syntax = self._file.syntax = "editions"
            self._file.edition = descriptor_pb2.EDITION_2023

    def _import(self) -> None:
        tokens = self._tokens
        tokens.take()
        kind = tokens.take().text if tokens.sees("public") or tokens.sees("weak") else ""
        token = tokens.next
        name = tokens.text("the name of a file in quotes")
        tokens.expect(";")
        if name in self._file.dependency:
            tokens.fail(f"{name} is imported twice", token)
        if kind == "public":
            self._file.public_dependency.append(len(self._file.dependency))
        elif kind == "weak":
            self._file.weak_dependency.append(len(self._file.dependency))
        self._file.dependency.append(name)

    def _skip_block(self) -> None:
        tokens, depth, begin = self._tokens, 0, self._tokens.next
        tokens.expect("{")
        depth = 1
        while depth:
            token = tokens.take()
            if token.kind == "end":
                tokens.fail("this block has no end", begin)
            if token.kind == "symbol":
                depth += {"{": 1, "}": -1}.get(token.text, 0)

    def _block(self, statement: Callable[[], None], what: str) -> None:
        """Read ``{ statements }``."""
        tokens, begin = self._tokens, self._tokens.next
        tokens.expect("{")
        while not tokens.skip("}"):
            if tokens.next.kind == "end":
                tokens.fail(f"this {what} has no end", begin)
            if not tokens.skip(";"):
                statement()

    def _keep_options(self, owner: Any, scope: str, options: list[OptionStatement]) -> None:
        if options:
            self._parsed.options.append((owner, scope, options))

    def _message(self, message: Any, scope: str, depth: int) -> None:
        """Read the name and the body of a message."""
        message.name = self._tokens.ident("the name of a message")
        self._message_body(message, scope, depth)

    def _message_body(self, message: Any, scope: str, depth: int) -> None:
        tokens, options = self._tokens, list[OptionStatement]()
        if depth > MAX_DEPTH:
            tokens.fail(f"messages are nested more than {MAX_DEPTH} levels deep")
        own = f"{scope}.{message.name}" if scope else message.name

        def statement() -> None:
            word = tokens.next.text
            if word == "message" and tokens.second.kind == "ident":
                tokens.take()
                self._message(message.nested_type.add(), own, depth + 1)
            elif word == "enum" and tokens.second.kind == "ident":
                self._enum(message.enum_type.add(), own)
            elif word == "extend" and tokens.second.text != "=":
                self._extend(message.extension, message.nested_type, own, depth)
            elif word == "extensions":
                self._extensions(message, own)
            elif word == "reserved" and tokens.second.kind in ("int", "string", "ident"):
                self._reserved(message, MAX_FIELD, 1)
            elif word == "option":
                options.append(self._option_statement())
            elif word == "oneof" and tokens.second.kind == "ident":
                self._oneof(message, own, depth)
            else:
                self._field(message.field.add(), message.nested_type, own, depth)

        self._block(statement, "message")
        self._keep_options(message, own, options)
        self._message_set(message, options)
        _add_optional_oneofs(message)

    def _message_set(self, message: Any, options: list[OptionStatement]) -> None:
        # ranges of a message set go on to the largest int32
        if any(item.name == (("message_set_wire_format", False),) and item.value == "true" for item in options):
            for place in (*message.extension_range, *message.reserved_range):
                if place.end == MAX_FIELD + 1:
                    place.end = MAX_INT32

    def _oneof(self, message: Any, scope: str, depth: int) -> None:
        tokens, options = self._tokens, list[OptionStatement]()
        tokens.take()
        index = len(message.oneof_decl)
        oneof = message.oneof_decl.add(name=tokens.ident("the name of a oneof"))

        def statement() -> None:
            if tokens.sees("option"):
                options.append(self._option_statement())
                return
            if tokens.next.text in _LABELS and tokens.second.kind == "ident":
                tokens.fail("fields of a oneof have no label")
            made = message.field.add()
            self._field(made, message.nested_type, scope, depth, in_oneof=True)
            made.oneof_index = index

        self._block(statement, "oneof")
        self._keep_options(oneof, scope, options)

    def _field(
        self, made: Any, nested: Any, scope: str, depth: int, *, in_oneof: bool = False, extension: bool = False
    ) -> None:
        tokens, begin = self._tokens, self._tokens.next
        label = self._label(in_oneof, extension)
        if tokens.sees("map") and tokens.second.text == "<":
            if label is not None or in_oneof or extension:
                tokens.fail("a map has no label, and is neither an extension nor part of a oneof")
            self._map(made, nested, scope)
            return
        made.label = _LABELS[label or "optional"]
        if label == "optional" and self._syntax == "proto3" and not in_oneof:
            made.proto3_optional = True
        if tokens.sees("group") and tokens.second.kind == "ident" and self._syntax == "proto2":
            self._group(made, nested, scope, depth)
            return
        if label is None and self._syntax == "proto2" and not in_oneof:
            tokens.fail(f"expected optional, required or repeated, found {begin.text!r}", begin)
        type_name = tokens.dotted("a type")
        made.name = tokens.ident("the name of a field")
        self._number_and_options(made, scope, type_name)
        if type_name in SCALARS:
            made.type = SCALARS[type_name]
        else:
            self._parsed.types.append((made, type_name, scope))

    def _label(self, in_oneof: bool, extension: bool) -> str | None:
        tokens = self._tokens
        word, begin = tokens.next.text, tokens.next
        # a type may be called like a label only where a label cannot stand
        if word not in _LABELS or in_oneof:
            return None
        tokens.take()
        if word == "required" and self._syntax != "proto2":
            tokens.fail("there are no required fields in this syntax", begin)
        if word == "optional" and self._syntax == "editions":
            tokens.fail("fields are not marked as optional in editions: use features.field_presence", begin)
        if word == "required" and extension:
            tokens.fail("an extension cannot be required", begin)
        return word

    def _number_and_options(self, made: Any, scope: str, type_name: str) -> None:
        tokens = self._tokens
        tokens.expect("=")
        made.number = tokens.integer(1, MAX_FIELD)
        if tokens.sees("["):
            self._field_options(made, scope)
        tokens.expect(";")

    def _field_options(self, made: Any, scope: str) -> None:
        tokens, options = self._tokens, list[OptionStatement]()
        tokens.expect("[")
        while True:
            if tokens.sees("default") and tokens.second.text == "=":
                begin = tokens.take()
                tokens.expect("=")
                if made.label == _FIELD.LABEL_REPEATED or self._syntax == "proto3":
                    tokens.fail("this field cannot have a default value", begin)
                if any(item[0] is made for item in self._parsed.defaults):
                    tokens.fail("a second default value", begin)
                self._parsed.defaults.append((made, begin, self._default()))
            elif tokens.sees("json_name") and tokens.second.text == "=":
                tokens.take()
                tokens.expect("=")
                made.json_name = tokens.text()
            else:
                options.append(self._option_rest())
            if not tokens.skip(","):
                break
        tokens.expect("]")
        self._keep_options(made, scope, options)

    def _group(self, made: Any, nested: Any, scope: str, depth: int) -> None:
        tokens = self._tokens
        tokens.take()
        token = tokens.next
        name = tokens.ident("the name of a group")
        if not name[0].isupper():
            tokens.fail("the name of a group begins with a capital letter", token)
        tokens.expect("=")
        made.name, made.number, made.type = name.lower(), tokens.integer(1, MAX_FIELD), _FIELD.TYPE_GROUP
        if tokens.sees("["):
            self._field_options(made, scope)
        self._parsed.types.append((made, name, scope))
        group = nested.add(name=name)
        self._message_body(group, scope, depth + 1)

    def _map(self, made: Any, nested: Any, scope: str) -> None:
        tokens = self._tokens
        tokens.take()
        tokens.expect("<")
        token = tokens.next
        key = tokens.ident("a type")
        if key not in _KEY_TYPES:
            tokens.fail(f"{key} cannot be the key of a map", token)
        tokens.expect(",")
        value = tokens.dotted("a type")
        tokens.expect(">")
        made.name, made.label = tokens.ident("the name of a field"), _FIELD.LABEL_REPEATED
        made.type = _FIELD.TYPE_MESSAGE
        entry = nested.add(name=camel_case(made.name) + "Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=_FIELD.LABEL_OPTIONAL, type=SCALARS[key])
        item = entry.field.add(name="value", number=2, label=_FIELD.LABEL_OPTIONAL)
        if value in SCALARS:
            item.type = SCALARS[value]
        else:
            self._parsed.types.append((item, value, scope))
        self._parsed.types.append((made, entry.name, scope))
        self._number_and_options(made, scope, "map")

    def _extend(self, extensions: Any, nested: Any, scope: str, depth: int) -> None:
        tokens = self._tokens
        tokens.take()
        extendee = tokens.dotted("the name of a message")

        def statement() -> None:
            made = extensions.add()
            self._field(made, nested, scope, depth, extension=True)
            self._parsed.extendees.append((made, extendee, scope))

        self._block(statement, "extend")

    def _extensions(self, message: Any, scope: str) -> None:
        tokens, first = self._tokens, len(message.extension_range)
        if self._syntax == "proto3":
            tokens.fail("proto3 has no extension ranges")
        tokens.take()
        while True:
            start, end = self._range(1, MAX_FIELD)
            message.extension_range.add(start=start, end=end + 1)
            if not tokens.skip(","):
                break
        if tokens.skip("["):
            options = [self._option_rest()]
            while tokens.skip(","):
                options.append(self._option_rest())
            tokens.expect("]")
            for made in message.extension_range[first:]:
                self._keep_options(made, scope, options)
        tokens.expect(";")

    def _range(self, lowest: int, highest: int) -> tuple[int, int]:
        tokens = self._tokens
        start = end = tokens.integer(lowest, highest)
        if tokens.skip("to"):
            end = highest if tokens.skip("max") else tokens.integer(start, highest)
        return start, end

    def _reserved(self, owner: Any, highest: int, beyond: int) -> None:
        tokens = self._tokens
        tokens.take()
        while True:
            if tokens.next.kind == "string":
                owner.reserved_name.append(tokens.text())
            elif tokens.next.kind == "ident" and self._syntax == "editions":
                owner.reserved_name.append(tokens.ident())
            else:
                start, end = self._range(1 if beyond else -MAX_INT32 - 1, highest)
                owner.reserved_range.add(start=start, end=end + beyond)
            if not tokens.skip(","):
                break
        tokens.expect(";")

    def _enum(self, enum: Any, scope: str) -> None:
        tokens, options = self._tokens, list[OptionStatement]()
        tokens.take()
        enum.name = tokens.ident("the name of an enum")
        own = f"{scope}.{enum.name}" if scope else enum.name

        def statement() -> None:
            if tokens.sees("option") and tokens.second.text != "=":
                options.append(self._option_statement())
            elif tokens.sees("reserved") and tokens.second.text != "=":
                self._reserved(enum, MAX_INT32, 0)
            else:
                self._enum_value(enum, own)

        self._block(statement, "enum")
        if not enum.value:
            tokens.fail(f"the enum {enum.name} has no value")
        self._keep_options(enum, own, options)

    def _enum_value(self, enum: Any, scope: str) -> None:
        tokens = self._tokens
        value = enum.value.add(name=tokens.ident("the name of a value"))
        tokens.expect("=")
        value.number = tokens.integer(-MAX_INT32 - 1, MAX_INT32)
        if tokens.skip("["):
            options = [self._option_rest()]
            while tokens.skip(","):
                options.append(self._option_rest())
            tokens.expect("]")
            self._keep_options(value, scope, options)
        tokens.expect(";")

    def _option_statement(self) -> OptionStatement:
        self._tokens.take()
        statement = self._option_rest()
        self._tokens.expect(";")
        return statement

    def _option_rest(self) -> OptionStatement:
        tokens, begin = self._tokens, self._tokens.next
        parts = []
        while True:
            if tokens.skip("("):
                parts.append((tokens.dotted("the name of an option"), True))
                tokens.expect(")")
            else:
                parts.append((tokens.ident("the name of an option"), False))
            if not tokens.skip("."):
                break
        tokens.expect("=")
        return OptionStatement(tuple(parts), self._option_value(), begin.start)

    def _default(self) -> bytes | int | float | str:
        """Take a default value; a word is returned as str."""
        tokens = self._tokens
        if tokens.next.kind == "string":
            return tokens.string()
        negative = tokens.skip("-")
        token = tokens.take()
        if token.kind == "int":
            return -tokens.whole(token) if negative else tokens.whole(token)
        if token.kind == "float" or (token.kind == "ident" and token.text in ("inf", "nan")):
            value = float(token.text.rstrip("fF") if token.kind == "float" else token.text)
            return -value if negative else value
        if token.kind == "ident" and not negative:
            return token.text
        return tokens.fail(f"expected a value, found {token.text!r}", token)

    def _option_value(self) -> str:
        """Take a value; return it as protobuf's text format has it."""
        tokens = self._tokens
        if tokens.sees("{"):
            return self._aggregate()
        if tokens.next.kind == "string":
            return quoted(tokens.string())
        sign = "-" if tokens.skip("-") else ""
        token = tokens.take()
        if token.kind == "int":
            return sign + str(tokens.whole(token))
        if token.kind == "float" or (token.kind == "ident" and (not sign or token.text in ("inf", "nan"))):
            return sign + token.text
        return tokens.fail(f"expected a value, found {token.text!r}", token)

    def _aggregate(self) -> str:
        tokens, words, depth, begin = self._tokens, [], 0, self._tokens.next
        while True:
            token = tokens.take()
            if token.kind == "end":
                tokens.fail("this value has no end", begin)
            if token.text in ("{", "<", "[") and token.kind == "symbol":
                depth += 1
                if depth > MAX_OPTION_DEPTH:
                    tokens.fail(f"this value is nested more than {MAX_OPTION_DEPTH} levels deep", token)
            elif token.text in ("}", ">", "]") and token.kind == "symbol":
                depth -= 1
            if token.kind == "string":
                words.append(quoted(tokens.unescape(token)))
            else:
                words.append(token.text)
            # a sign, and the dots and slashes of a name, belong to the word beside them
            if not (token.kind == "symbol" and token.text in "-./") and tokens.next.text not in (".", "/"):
                words.append(" ")
            if depth == 0:
                return "".join(words).strip()


def quoted(data: bytes) -> str:
    """Return bytes as a string of protobuf's text format."""
    return '"' + "".join(chr(c) if 32 <= c < 127 and c not in (34, 92) else f"\\{c:03o}" for c in data) + '"'


def _add_optional_oneofs(message: Any) -> None:
    """Give each ``optional`` field of proto3 a oneof of its own, named as protoc does."""
    names = {item.name for item in (*message.field, *message.oneof_decl)}
    for item in message.field:
        if item.proto3_optional:
            name = item.name if item.name.startswith("_") else "_" + item.name
            while name in names:
                name = "X" + name
            names.add(name)
            item.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=name)


__all__ = ["OptionStatement", "ParsedFile", "ProtoSyntaxError", "camel_case", "json_name", "parse_proto", "quoted"]
