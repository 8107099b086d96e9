# SPDX-License-Identifier: Apache-2.0
"""The function ``format`` of expressions: ``'%s is %d'.format([message.name, message.age])``.

Clauses: ``%s`` any value, ``%d`` whole numbers, ``%f`` and ``%e`` doubles (``%.2f``: two digits behind the point, else
six), ``%x`` and ``%X`` hexadecimal of whole numbers, texts and bytes, ``%o`` octal, ``%b`` binary, ``%%`` a
percent sign.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from celpy import celtypes
from celpy.evaluation import CELEvalError

from confluent_kafka.schema_registry.confluent.type.variant_utils import Variant
from confluent_kafka.schema_registry.rules.cel.timestamp_funcs import seconds_text, timestamp_text

__all__ = ["QUOTE_TRANS", "StringFormat", "format", "format_value", "quote"]

QUOTE_TRANS = str.maketrans(
    {
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
        "\\": "\\\\",
        '"': '\\"',
    }
)
_DEFAULT_PRECISION = 6
# a double has no digits behind its 1074th
_MAX_PRECISION = 2000


def quote(s: str) -> str:
    """Return a text in quotation marks, with escapes for what would end it or cannot be seen."""
    return f'"{s.translate(QUOTE_TRANS)}"'


class StringFormat:
    """Formats values; what cannot be formatted is returned as CELEvalError, which is how functions of CEL fail."""

    def __init__(self, locale: str) -> None:
        self.locale = locale

    def format(self, fmt: Any, args: Any) -> Any:
        """Return a text with its clauses replaced by the values of a list."""
        if not isinstance(fmt, celtypes.StringType):
            return CELEvalError("format() requires a string as its first argument")
        if not isinstance(args, celtypes.ListType):
            return CELEvalError("format() requires a list as its second argument")
        parts: list[str] = []
        used = at = 0
        while (clause := fmt.find("%", at)) >= 0:
            parts.append(fmt[at:clause])
            kind, precision, at = _clause(fmt, clause + 1)
            if kind == "%":
                parts.append("%")
                continue
            if used >= len(args) or not kind:
                return CELEvalError("format() not enough arguments for format string")
            made = self._one(kind, args[used], precision)
            if isinstance(made, CELEvalError):
                return made
            parts.append(made)
            used += 1
        if used < len(args):
            return CELEvalError("format() too many arguments for format string")
        return celtypes.StringType("".join((*parts, fmt[at:])))

    def _one(self, kind: str, arg: Any, precision: int) -> Any:
        if precision > _MAX_PRECISION:
            return CELEvalError(f"format() precision is too large; at most {_MAX_PRECISION}")
        if kind in "fe":
            return self.format_float(arg, precision) if kind == "f" else self.format_exponential(arg, precision)
        if kind == "X":
            made = self.format_hex(arg)
            return made if isinstance(made, CELEvalError) else made.upper()
        made = {
            "s": self.format_string,
            "d": self.format_int,
            "x": self.format_hex,
            "o": self.format_oct,
            "b": self.format_bin,
        }
        if kind in made:
            return made[kind](arg)
        return CELEvalError(f"format() unknown format specifier: {kind}; use %s %d %f %e %x %X %o %b or %%")

    def format_string(self, arg: Any) -> Any:
        """``%s``: a text as it is, everything else as :meth:`format_value` has it."""
        return arg if isinstance(arg, celtypes.StringType) else self.format_value(arg)

    def format_value(self, arg: Any) -> Any:
        """Return a value as it stands in a list: texts quoted, bytes in hexadecimal."""
        return celtypes.StringType(_text(arg))

    def format_list(self, arg: celtypes.ListType) -> Any:
        """Return the values of a list in brackets."""
        return celtypes.StringType(_text(celtypes.ListType(arg)))

    def format_int(self, arg: Any) -> Any:
        """``%d``: a whole number."""
        if isinstance(arg, (celtypes.IntType, celtypes.UintType)):
            return celtypes.StringType(str(int(arg)))
        return CELEvalError("format_int() requires an integer argument")

    def format_float(self, arg: Any, precision: int) -> Any:
        """``%f``: so many digits behind the point; a whole number has none."""
        return celtypes.StringType(f"{arg:.{precision}f}") if isinstance(arg, float) else self.format_int(arg)

    def format_exponential(self, arg: Any, precision: int) -> Any:
        """``%e``: so many digits behind the point, and an exponent; a whole number has none."""
        return celtypes.StringType(f"{arg:.{precision}e}") if isinstance(arg, float) else self.format_int(arg)

    def format_hex(self, arg: Any) -> Any:
        """``%x``: a whole number, or the bytes of a text (UTF-8) or of bytes."""
        if isinstance(arg, (celtypes.IntType, celtypes.UintType)):
            return celtypes.StringType(f"{int(arg):x}")
        if isinstance(arg, bytes):
            return celtypes.StringType(arg.hex())
        if isinstance(arg, str):
            return celtypes.StringType(arg.encode().hex())
        return CELEvalError("format_hex() requires an integer, string, or binary argument")

    def format_oct(self, arg: Any) -> Any:
        """``%o``: a whole number."""
        if isinstance(arg, (celtypes.IntType, celtypes.UintType)):
            return celtypes.StringType(f"{int(arg):o}")
        return CELEvalError("format_oct() requires an integer argument")

    def format_bin(self, arg: Any) -> Any:
        """``%b``: a whole number, or a truth value as 0 or 1."""
        if isinstance(arg, (celtypes.IntType, celtypes.UintType, celtypes.BoolType, bool)):
            return celtypes.StringType(f"{int(arg):b}")
        return CELEvalError("format_bin() requires an integer argument")


def _clause(fmt: str, at: int) -> tuple[str, int, int]:
    """Return kind, precision and end of the clause behind a percent sign; the kind is empty where the text ends."""
    precision = _DEFAULT_PRECISION
    if fmt[at : at + 1] == ".":
        end = at + 1
        while fmt[end : end + 1].isdecimal():
            end += 1
        # more digits than a precision can have stay as many, not as large: int() of a long text is slow
        precision, at = int(fmt[at + 1 : min(end, at + 9)] or "0"), end
    return fmt[at : at + 1], precision, at + 1


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, (celtypes.BoolType, bool)):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, celtypes.TimestampType):
        return timestamp_text(value)
    if isinstance(value, celtypes.DurationType):
        return seconds_text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        # a key is a text as it is: {name: "Ada"}
        # a message: a type may be part of itself, so fields that are not set have no end
        shown = getattr(value, "set_items", value.items)()
        pairs = (f"{key if isinstance(key, str) else _text(key)}: {_text(item)}" for key, item in shown)
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, Variant):
        return value.to_json()
    if isinstance(value, type):
        return TYPE_NAMES.get(value, value.__name__)
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    return type(value).__name__


TYPE_NAMES: dict[type, str] = {
    celtypes.BoolType: "bool",
    celtypes.BytesType: "bytes",
    Decimal: "decimal",
    celtypes.DoubleType: "double",
    celtypes.DurationType: "duration",
    celtypes.IntType: "int",
    celtypes.ListType: "list",
    celtypes.MapType: "map",
    celtypes.StringType: "string",
    celtypes.TimestampType: "timestamp",
    celtypes.UintType: "uint",
    Variant: "variant",
    type(None): "null",
}
_DEFAULT = StringFormat("en_US")
format = _DEFAULT.format  # the name that expressions, and existing code, have for it
format_value = _DEFAULT.format_value
