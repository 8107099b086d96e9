# SPDX-License-Identifier: Apache-2.0
"""Decimals in expressions: exact numbers of any size, as ``decimal.Decimal``.

Where a decimal is expected, a function also takes a ``confluent.type.Decimal`` of a message, int, uint, double and
text. Sums, differences, products and remainders are exact; a quotient and a root have 38 digits, rounded half up.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    InvalidOperation,
)
from typing import Any

from celpy import celtypes
from celpy.evaluation import CELEvalError

from confluent_kafka.schema_registry.confluent.type import decimal_pb2
from confluent_kafka.schema_registry.confluent.type.decimal_utils import EXACT, from_proto_decimal
from confluent_kafka.schema_registry.rules.cel.timestamp_funcs import format_timestamp

__all__ = ["DECIMAL_FUNCS", "decimal_boundary_value", "decimal_pb2", "format_timestamp"]

DIVISION = Context(prec=38, rounding=ROUND_HALF_UP, Emax=MAX_EMAX, Emin=MIN_EMIN)
# what one expression may make of one message: ten million digits are as many bytes, and some tenths of a second
MAX_DIGITS = 10_000_000
_MAX_SCALE = 2**31 - 1  # the scale of confluent.type.Decimal is an int32
_PROTO = "confluent.type.Decimal"
_WHOLE = celtypes.IntType(0)


def decimal_boundary_value(v: Any) -> Decimal | None:
    """Return the number that a value of a message stands for when it is a decimal, else None."""
    if isinstance(v, Decimal):
        return v
    message = getattr(v, "msg", v)
    descriptor = getattr(message, "DESCRIPTOR", None)
    return from_proto_decimal(message) if descriptor is not None and descriptor.full_name == _PROTO else None


def _decimal(value: Any) -> Decimal:
    known = decimal_boundary_value(value)
    if known is not None:
        return known
    if isinstance(value, (celtypes.BoolType, bool)) or value is None:
        raise CELEvalError(f"decimal: cannot convert {'null' if value is None else 'bool'} to Decimal")
    if isinstance(value, int):
        return Decimal(int(value))
    if isinstance(value, float):
        return _parsed(repr(float(value)))  # the shortest text that means this number: 0.1 is 0.1
    if isinstance(value, str):
        return _parsed(value)
    if isinstance(value, bytes):
        raise CELEvalError(
            "decimal: bytes need a scale; use decimal(bytes, scale), or the logical type decimal in Avro"
        )
    raise CELEvalError(f"decimal: cannot convert {type(value).__name__} to Decimal")


def _parsed(text: str) -> Decimal:
    error = CELEvalError("decimal: not a number; expected digits like 12.50 or 1.25E+1 without blanks or underscores")
    if "_" in text or text != text.strip():
        raise error
    try:
        made = Decimal(text)
    except InvalidOperation as e:
        raise error from e
    exponent = made.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > _MAX_SCALE:
        raise error
    return made or made.copy_abs()  # there is one zero


def _make(*args: Any) -> Decimal:
    if len(args) == 1:
        return _decimal(args[0])
    if len(args) != 2:
        raise CELEvalError(f"decimal: expected 1 or 2 args, got {len(args)}")
    value, scale = args
    if not isinstance(value, bytes):
        raise CELEvalError(f"decimal: expected bytes for the (bytes, scale) overload, got {type(value).__name__}")
    unscaled = int.from_bytes(value, "big", signed=True)
    return Decimal(unscaled).scaleb(-_scale("decimal(bytes, scale)", scale), context=EXACT)


def _scale(function: str, scale: Any) -> int:
    if type(scale) is not celtypes.IntType:
        raise CELEvalError(f"{function}: scale must be int, got {type(scale).__name__}")
    if not -_MAX_SCALE - 1 <= scale <= _MAX_SCALE:
        raise CELEvalError(f"{function}: scale out of int range")
    return int(scale)


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # nothing else comes in
    return exponent


def _limit(function: str, digits: int) -> None:
    if digits > MAX_DIGITS:
        raise CELEvalError(f"{function}: the result needs {digits} digits, more than {MAX_DIGITS}; round its operands")


def _aligned(function: str, a: Decimal, b: Decimal) -> None:
    """Refuse operands that are so far apart that their sum does not fit into memory."""
    _limit(function, max(a.adjusted(), b.adjusted()) - min(_exponent(a), _exponent(b)) + 2)


def _add(a: Decimal, b: Decimal) -> Decimal:
    _aligned("decimals.add", a, b)
    return EXACT.add(a, b)


def _sub(a: Decimal, b: Decimal) -> Decimal:
    _aligned("decimals.sub", a, b)
    return EXACT.subtract(a, b)


def _mul(a: Decimal, b: Decimal) -> Decimal:
    _limit("decimals.mul", len(a.as_tuple().digits) + len(b.as_tuple().digits))
    return EXACT.multiply(a, b)


def _div(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise CELEvalError("decimals.div: division by zero")
    return DIVISION.divide(a, b)


def _mod(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise CELEvalError("decimals.mod: division by zero")
    _limit("decimals.mod", a.adjusted() - b.adjusted() + 1)
    _aligned("decimals.mod", a, b)
    return EXACT.remainder(a, b)


def _sqrt(a: Decimal) -> Decimal:
    if a < 0:
        raise CELEvalError("decimals.sqrt: square root of negative number")
    return DIVISION.sqrt(a)


def _rounded(function: str, a: Decimal, scale: int, rounding: str) -> Decimal:
    _limit(function, a.adjusted() + 1 + scale)
    return a.quantize(Decimal((0, (1,), -scale)), rounding=rounding, context=EXACT)


def _round(a: Any, scale: Any = _WHOLE) -> Decimal:
    return _rounded("decimals.round", _decimal(a), _scale("decimals.round", scale), ROUND_HALF_UP)


def _trunc(a: Any, scale: Any = _WHOLE) -> Decimal:
    number, places = _decimal(a), _scale("decimals.trunc", scale)
    # nothing to cut off: it keeps the scale that it has
    return number if -_exponent(number) <= places else _rounded("decimals.trunc", number, places, ROUND_DOWN)


def _string(value: Any) -> Any:
    number = decimal_boundary_value(value)
    if number is not None:
        _limit("string", max(number.adjusted(), 0) - min(_exponent(number), 0) + 1)
        text = f"{number:f}" if number else f"{abs(number):f}"
        return celtypes.StringType(text)
    if isinstance(value, celtypes.TimestampType):
        return celtypes.StringType(format_timestamp(value))
    if isinstance(value, (celtypes.BoolType, bool)):
        return celtypes.StringType("true" if value else "false")
    if isinstance(value, (str, bytes, int, float, celtypes.DurationType)):
        return celtypes.StringType(value)  # type: ignore[arg-type]  # it takes numbers and durations, too
    raise CELEvalError(f"found no matching overload for 'string' applied to ({type(value).__name__})")


def _double(value: Any) -> Any:
    number = decimal_boundary_value(value)
    if number is not None:
        return celtypes.DoubleType(float(number))
    if isinstance(value, (celtypes.BoolType, bool)):
        raise CELEvalError("found no matching overload for 'double' applied to (bool)")
    return celtypes.DoubleType(value)


def _whole(kind: Any) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        # int() of a million digits takes minutes
        if isinstance(value, Decimal) and value.adjusted() > 20:
            raise CELEvalError("return error for overflow")
        return kind(value)

    return convert


def _each(function: Callable[..., Any], count: int, name: str) -> Callable[..., Any]:
    """Return a function of expressions: of so many values that are decimals, or can be made ones."""

    def call(*args: Any) -> Any:
        if len(args) != count:
            raise CELEvalError(f"decimals.{name}: expected {count} argument{'s' * (count > 1)}, got {len(args)}")
        made = function(*map(_decimal, args))
        return celtypes.BoolType(made) if isinstance(made, bool) else made

    return call


def _scaled(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        if not 1 <= len(args) <= 2:
            raise CELEvalError(f"decimals.{name}: expected a number and perhaps a scale, got {len(args)} arguments")
        return function(*args)

    return call


_OPERATIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "eq": (lambda a, b: a == b, 2),
    "lt": (lambda a, b: a < b, 2),
    "le": (lambda a, b: a <= b, 2),
    "gt": (lambda a, b: a > b, 2),
    "ge": (lambda a, b: a >= b, 2),
    "add": (_add, 2),
    "sub": (_sub, 2),
    "mul": (_mul, 2),
    "div": (_div, 2),
    "mod": (_mod, 2),
    "greatest": (lambda a, b: b if b > a else a, 2),
    "least": (lambda a, b: b if b < a else a, 2),
    "sqrt": (_sqrt, 1),
    "neg": (lambda a: a.copy_negate(), 1),
    "abs": (lambda a: a.copy_abs(), 1),
    "sign": (lambda a: celtypes.IntType((a > 0) - (a < 0)), 1),
    "floor": (lambda a: _rounded("decimals.floor", a, 0, ROUND_FLOOR), 1),
    "ceil": (lambda a: _rounded("decimals.ceil", a, 0, ROUND_CEILING), 1),
}
DECIMAL_FUNCS: dict[str, Callable[..., Any]] = {
    "decimal": _make,
    "string": _string,
    "double": _double,
    "int": _whole(celtypes.IntType),
    "uint": _whole(celtypes.UintType),
    "decimals.round": _scaled(_round, "round"),
    "decimals.trunc": _scaled(_trunc, "trunc"),
    **{f"decimals.{name}": _each(function, count, name) for name, (function, count) in _OPERATIONS.items()},
}
