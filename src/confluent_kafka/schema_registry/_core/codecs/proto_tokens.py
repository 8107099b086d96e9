# SPDX-License-Identifier: Apache-2.0
"""Words of ``.proto`` text, with their places for error messages."""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from confluent_kafka.error import SerializationError

MAX_CHARACTERS = 16 * 1024 * 1024
MAX_NAME = 2000

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f\v\ufeff]+ | //[^\n]* | /\*[\s\S]*?\*/)
  | (?P<float>(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]?
            | [0-9]+[eE][+-]?[0-9]+[fF]? | [0-9]+[fF](?![0-9a-zA-Z_]))
  | (?P<int>0[xX][0-9a-fA-F]+ | [0-9]+)
  | (?P<ident>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<string>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
  | (?P<symbol>[;={}\[\]()<>,.:+/-])
    """,
    re.VERBOSE,
)
_WORD_CHARACTERS = re.compile(r"[A-Za-z0-9_]")
_ESCAPE = re.compile(
    rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([abfnrtv?'\"\\])|(.?))", re.DOTALL
)
_SIMPLE = {
    b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
    b"?": b"?", b"'": b"'", b'"': b'"', b"\\": b"\\",
}  # fmt: skip


class ProtoSyntaxError(SerializationError, ValueError):
    """A ``.proto`` text, or a serialized file descriptor, is not a valid schema."""


class Token(NamedTuple):
    """``kind`` is float, int, ident, string, symbol, or end; ``start`` counts characters."""

    kind: str
    text: str
    start: int


class Tokens:
    """The words of a text, one after the other.

    Args:
        text: the ``.proto`` text.
        name: what error messages call it.
    Raises:
        ProtoSyntaxError: there is something that is no word, or the text is longer than 16 MiB.
    """

    def __init__(self, text: str, name: str) -> None:
        if len(text) > MAX_CHARACTERS:
            raise ProtoSyntaxError(f"{name}: {len(text)} characters; a schema has at most {MAX_CHARACTERS}")
        self._text = text
        self._name = name
        self._tokens = self._read()
        self._at = 0

    def _read(self) -> list[Token]:
        text, at, tokens, end = self._text, 0, [], len(self._text)
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None:
                self.fail_at(f"unexpected {text[at : at + 10]!r}", at)
            kind = str(found.lastgroup)
            if kind != "space":
                tokens.append(Token(kind, found.group(), at))
            at = found.end()
            if kind in ("int", "float") and _WORD_CHARACTERS.match(text, at):
                self.fail_at(f"a number may not go on as {text[at]!r}", at)
        tokens.append(Token("end", "", end))
        return tokens

    def fail_at(self, problem: str, at: int) -> NoReturn:
        """Raise ProtoSyntaxError for the text ``at`` characters from the beginning."""
        line = self._text.count("\n", 0, at) + 1
        column = at - self._text.rfind("\n", 0, at)
        raise ProtoSyntaxError(f"{self._name}, line {line}, column {column}: {problem}")

    def fail(self, problem: str, token: Token | None = None) -> NoReturn:
        """Raise ProtoSyntaxError for ``token``, the next one if not given."""
        self.fail_at(problem, (token or self.next).start)

    @property
    def next(self) -> Token:
        """The token that ``take`` will return."""
        return self._tokens[self._at]

    @property
    def second(self) -> Token:
        """The token behind the next one."""
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Return the next token and go on."""
        token = self._tokens[self._at]
        if token.kind != "end":
            self._at += 1
        return token

    def skip(self, text: str) -> bool:
        """Go on if the next token is this symbol or word; return whether it was."""
        token = self._tokens[self._at]
        if token.text == text and token.kind in ("symbol", "ident"):
            self._at += 1
            return True
        return False

    def sees(self, text: str) -> bool:
        """Return whether the next token is this symbol or word."""
        token = self._tokens[self._at]
        return token.text == text and token.kind in ("symbol", "ident")

    def expect(self, text: str) -> None:
        """Go on if the next token is this symbol or word, else fail."""
        if not self.skip(text):
            self.fail(f"expected {text!r}, found {self._shown()}")

    def _shown(self) -> str:
        return "the end of the text" if self.next.kind == "end" else repr(self.next.text)

    def ident(self, what: str = "a name") -> str:
        """Take a word."""
        if self.next.kind != "ident":
            self.fail(f"expected {what}, found {self._shown()}")
        return self.take().text

    def dotted(self, what: str = "a name") -> str:
        """Take a name with dots; a leading dot is kept."""
        parts = ["."] if self.skip(".") else []
        parts.append(self.ident(what))
        while self.sees(".") and self.second.kind == "ident":
            self.take()
            parts.append("." + self.ident(what))
            if len(parts) > MAX_NAME:
                self.fail(f"this name has more than {MAX_NAME} parts")
        return "".join(parts)

    def integer(self, lowest: int, highest: int) -> int:
        """Take a whole number, with a sign, in these limits."""
        token = self.next
        negative = self.skip("-")
        if self.next.kind != "int":
            self.fail(f"expected a whole number, found {self._shown()}")
        value = self.whole(self.take())
        value = -value if negative else value
        if not lowest <= value <= highest:
            self.fail(f"{value} is not in the range {lowest} to {highest}", token)
        return value

    def whole(self, token: Token) -> int:
        """Return the value of an ``int`` token: decimal, octal (``017``) or hexadecimal."""
        text = token.text
        if len(text) > 24:
            self.fail("this number has too many digits", token)
        if text[:2] in ("0x", "0X"):
            return int(text, 16)
        if len(text) > 1 and text[0] == "0":
            try:
                return int(text, 8)
            except ValueError:
                self.fail(f"{text} is not an octal number", token)
        return int(text)

    def string(self, what: str = "a text in quotes") -> bytes:
        """Take one or more strings, which belong together; return their bytes."""
        if self.next.kind != "string":
            self.fail(f"expected {what}, found {self._shown()}")
        parts = []
        while self.next.kind == "string":
            token = self.take()
            parts.append(self.unescape(token))
        return b"".join(parts)

    def text(self, what: str = "a text in quotes") -> str:
        """Take a string that is text."""
        token = self.next
        try:
            return self.string(what).decode()
        except UnicodeDecodeError:
            self.fail(f"{token.text} is not UTF-8", token)

    def unescape(self, token: Token) -> bytes:
        """Return the bytes of a ``string`` token."""
        raw = token.text[1:-1].encode(errors="surrogatepass")
        if b"\\" not in raw:
            return raw

        def value(found: re.Match[bytes]) -> bytes:
            octal, hexadecimal, short, long, simple, other = found.groups()
            if octal is not None:
                return bytes((int(octal, 8) & 0xFF,))
            if hexadecimal is not None:
                return bytes((int(hexadecimal, 16),))
            if simple is not None:
                return _SIMPLE[simple]
            code = short or long
            if code is None or int(code, 16) > 0x10FFFF:
                self.fail(f"unknown escape {found.group().decode(errors='replace')!r} ({other!r})", token)
            return chr(int(code, 16)).encode(errors="surrogatepass")

        return _ESCAPE.sub(value, raw)
