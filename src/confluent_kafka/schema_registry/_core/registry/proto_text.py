# SPDX-License-Identifier: Apache-2.0
"""Reads .proto files: what makes up messages and enums; services and the values of options are passed over.

Source: the Protocol Buffers language specifications, proto2, proto3 and editions.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from confluent_kafka.schema_registry._core.registry.problems import InvalidSchema
from confluent_kafka.schema_registry._core.registry.proto_model import Enumeration, Field, Message, ProtoFile

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
      | (?P<token>"(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
          | [A-Za-z_.][A-Za-z0-9_.]* | [0-9][0-9A-Za-z_.]*(?:[eE][+-]?[0-9]+)? | [{}\[\]()<>=;,:+\-/])""",
    re.VERBOSE | re.DOTALL,
)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPE_NAME = re.compile(r"\.?[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_LABELS = ("optional", "required", "repeated")
_MAX_NUMBER = 2**29 - 1
_CLOSING = {"{": "}", "[": "]", "(": ")", "<": ">"}


def tokens(text: str) -> list[str]:
    """Split a file into what is neither space nor comment. Raises: InvalidSchema: a character fits nowhere."""
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise InvalidSchema(f"unexpected {text[position : position + 20]!r}")
        position = match.end()
        if match.group("token") is not None:
            found.append(match.group("token"))
    return found


def parse(text: str) -> ProtoFile:
    """Read a file. Raises: InvalidSchema."""
    return _Parser(tokens(text)).file()


class _Parser:
    def __init__(self, found: list[str]) -> None:
        self._tokens, self._position = found, 0

    def _peek(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise InvalidSchema("unexpected end")
        self._position += 1
        return token

    def _expect(self, *wanted: str) -> None:
        for token in wanted:
            given = self._next()
            if given != token:
                raise InvalidSchema(f"expected {token!r}, not {given!r}")

    def _take(self, token: str) -> bool:
        if self._peek() == token:
            self._position += 1
            return True
        return False

    def _identifier(self) -> str:
        token = self._next()
        if not _IDENTIFIER.fullmatch(token):
            raise InvalidSchema(f"expected a name, not {token!r}")
        return token

    def _type_name(self) -> str:
        token = self._next()
        if not _TYPE_NAME.fullmatch(token):
            raise InvalidSchema(f"expected a type, not {token!r}")
        return token

    def _number(self) -> int:
        sign = -1 if self._take("-") else 1
        token = self._next()
        if token == "max":
            return _MAX_NUMBER
        try:
            octal = len(token) > 1 and token[0] == "0" and token.isdigit()
            return sign * (int(token, 8) if octal else int(token, 0))
        except ValueError as e:
            raise InvalidSchema(f"expected a number, not {token!r}") from e

    def _string(self) -> str:
        token = self._next()
        if token[0] not in "\"'":
            raise InvalidSchema(f"expected a string, not {token!r}")
        try:
            return str(ast.literal_eval(token))
        except (ValueError, SyntaxError) as e:
            raise InvalidSchema(f"no string: {token}") from e

    def _skip_balanced(self) -> None:
        """Pass over what is in brackets; the opening one is next."""
        open_ = [_CLOSING[self._next()]]
        while open_:
            token = self._next()
            if token in "{[(":
                open_.append(_CLOSING[token])
            elif token in "}])" and token == open_[-1]:
                open_.pop()
            elif token in "}])":
                raise InvalidSchema(f"unexpected {token!r}")

    def file(self) -> ProtoFile:
        result = ProtoFile()
        while self._peek():
            token = self._next()
            if token in ("syntax", "edition"):
                self._expect("=")
                result.syntax = self._string()
                self._expect(";")
            elif token == "package":
                result.package = self._type_name()
                self._expect(";")
            elif token == "import":
                kind = self._next() if self._peek() in ("public", "weak", "option") else ""
                result.imports.append((self._string(), kind))
                self._expect(";")
            elif token == "option":
                self._option(result.options)
            elif token == "message":
                result.messages.append(self._message(result.syntax))
            elif token == "enum":
                result.enums.append(self._enum())
            elif token == "extend":
                result.extensions += self._extend(result.syntax, result.messages)
            elif token == "service":
                self._identifier()
                self._skip_balanced()
            elif token != ";":
                raise InvalidSchema(f"unexpected {token!r}")
        return result

    def _option(self, options: dict[str, str]) -> None:
        """Read ``name = value;`` after ``option``."""
        name = self._option_name()
        self._expect("=")
        options[name] = self._option_value()
        self._expect(";")

    def _option_name(self) -> str:
        parts = []
        while self._peek() not in ("=", ""):
            parts.append(self._next())
        return "".join(parts)

    def _option_value(self) -> str:
        if self._peek() == "{":
            self._skip_balanced()
            return "{}"
        sign = self._next() if self._peek() in ("-", "+") else ""
        value = self._next()
        while self._peek()[:1] in ("'", '"') and value[0] in "\"'":
            value = value[:-1] + self._next()[1:]
        return sign + value

    def _field_options(self) -> dict[str, str]:
        """Read ``[name = value, ...]`` if it is there."""
        options: dict[str, str] = {}
        if self._take("["):
            while True:
                name = self._option_name()
                self._expect("=")
                options[name] = self._option_value()
                if not self._take(","):
                    break
            self._expect("]")
        return options

    def _message(self, syntax: str) -> Message:
        message = Message(self._identifier())
        self._body(message, syntax)
        return message

    def _body(self, message: Message, syntax: str) -> None:
        self._expect("{")
        while not self._take("}"):
            self._member(message, syntax)
        _check_numbers(message)

    def _member(self, message: Message, syntax: str) -> None:
        token = self._peek()
        following = self._tokens[self._position + 1] if self._position + 1 < len(self._tokens) else ""
        # these words may also be names of types: "message message = 1;" is none of them
        block = self._tokens[self._position + 2 : self._position + 3] == ["{"]
        readers: dict[str, Callable[[], object]] = {
            "message": lambda: message.messages.append(self._message(syntax)),
            "enum": lambda: message.enums.append(self._enum()),
            "oneof": lambda: self._oneof(message),
        }
        if token in readers and block:
            self._next()
            readers[token]()
        elif token == "extend" and following != "=" and block:
            self._next()
            message.extensions += self._extend(syntax, message.messages)
        elif token == "option" and "=" in self._tokens[self._position + 1 : self._position + 12]:
            self._next()
            self._option({})
        elif token in ("reserved", "extensions") and not _TYPE_NAME.fullmatch(following):
            self._next()
            self._ranges(message, token)
        elif token == ";":
            self._next()
        elif token == "reserved" and syntax not in ("proto2", "proto3"):
            self._next()  # editions: names without quotes
            self._ranges(message, token)
        else:
            message.fields.append(self._field(message, None))

    def _field(self, message: Message, oneof: str | None) -> Field:
        label = self._next() if self._peek() in _LABELS else ""
        if self._peek() == "map" and self._tokens[self._position + 1 : self._position + 2] == ["<"]:
            self._expect("map", "<")
            key = self._type_name()
            self._expect(",")
            kind = self._type_name()
            self._expect(">")
            return self._rest(Field(self._identifier(), 0, kind, "repeated", oneof, map_key=key))
        if self._peek() == "group":
            self._next()
            name = self._identifier()
            self._expect("=")
            number = self._number()
            self._field_options()
            inner = Message(name)
            self._body(inner, "proto2")
            message.messages.append(inner)
            return Field(name.lower(), number, name, label, oneof, group=True)
        kind = self._type_name()
        return self._rest(Field(self._identifier(), 0, kind, label, oneof))

    def _rest(self, field: Field) -> Field:
        self._expect("=")
        field.number = self._number()
        if not 1 <= field.number <= _MAX_NUMBER or 19000 <= field.number <= 19999:
            raise InvalidSchema(f"field {field.name} cannot have number {field.number}")
        field.options = self._field_options()
        self._expect(";")
        return field

    def _oneof(self, message: Message) -> None:
        name = self._identifier()
        message.oneofs.append(name)
        self._expect("{")
        while not self._take("}"):
            if self._peek() == "option":
                self._next()
                self._option({})
            elif not self._take(";"):
                message.fields.append(self._field(message, name))

    def _enum(self) -> Enumeration:
        result = Enumeration(self._identifier())
        self._expect("{")
        while not self._take("}"):
            token = self._next()
            if token == "option" and self._peek() != "=":
                self._option(result.options)
            elif token == "reserved" and self._peek() != "=":
                while not self._take(";"):
                    self._next()
            elif token != ";":
                if not _IDENTIFIER.fullmatch(token):
                    raise InvalidSchema(f"enum {result.name}: expected a name, not {token!r}")
                self._expect("=")
                result.values.append((token, self._number()))
                self._field_options()
                self._expect(";")
        if not result.values:
            raise InvalidSchema(f"enum {result.name} has no values")
        return result

    def _extend(self, syntax: str, messages: list[Message]) -> list[tuple[str, Field]]:
        name = self._type_name()
        holder = Message("")
        self._expect("{")
        while not self._take("}"):
            if not self._take(";"):
                holder.fields.append(self._field(holder, None))
        messages += holder.messages
        return [(name, item) for item in holder.fields]

    def _ranges(self, message: Message, kind: str) -> None:
        while True:
            if self._peek()[:1] in ("'", '"'):
                message.reserved_names.append(self._string())
            elif _IDENTIFIER.fullmatch(self._peek()):
                message.reserved_names.append(self._next())
            else:
                first = self._number()
                last = self._number() if self._take("to") else first
                (message.reserved if kind == "reserved" else message.ranges).append((first, last))
            if not self._take(","):
                break
        self._field_options()
        self._expect(";")


def _check_numbers(message: Message) -> None:
    names: set[str] = set()
    numbers: set[int] = set()
    for field in message.fields:
        if field.name in names:
            raise InvalidSchema(f"message {message.name}: {field.name} is defined twice")
        if field.number in numbers:
            raise InvalidSchema(f"message {message.name}: number {field.number} is used twice")
        if field.name in message.reserved_names or any(a <= field.number <= b for a, b in message.reserved):
            raise InvalidSchema(f"message {message.name}: {field.name} = {field.number} is reserved")
        names.add(field.name)
        numbers.add(field.number)
