# SPDX-License-Identifier: Apache-2.0
"""``decimal.Decimal`` as ``confluent.type.Decimal``: unscaled value (big-endian two's complement), scale, precision."""

from __future__ import annotations

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Any

from confluent_kafka.schema_registry.confluent.type import decimal_pb2

# nothing is rounded, and every scale that the message can have is allowed
EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


def unscaled_to_bytes(unscaled: int) -> bytes:
    """Return a whole number in two's complement, big-endian, in as few bytes as it takes: 127 is 7f, -128 is 80."""
    magnitude = unscaled if unscaled >= 0 else ~unscaled
    return unscaled.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True)


def from_proto_decimal(msg: Any) -> Decimal:
    """Return the number that a ``confluent.type.Decimal`` stands for; its precision does not count."""
    return Decimal(int.from_bytes(msg.value, "big", signed=True)).scaleb(-msg.scale, context=EXACT)


def unscaled_and_scale(d: Decimal) -> tuple[int, int, int]:
    """Return unscaled value, scale (negative for ``1E+2``) and number of digits.

    Raises:
        ValueError: the number is not finite.
    """
    _, digits, exponent = d.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"cannot convert non-finite Decimal '{d}' to confluent.type.Decimal")
    unscaled = int(d.scaleb(-exponent, context=EXACT)) if d else 0
    return unscaled, -exponent, len(digits)


def to_proto_decimal(d: Decimal) -> Any:
    """Return a number as ``confluent.type.Decimal``, with the scale that it has.

    Raises:
        ValueError: the number is not finite.
    """
    unscaled, scale, digits = unscaled_and_scale(d)
    return decimal_pb2.Decimal(value=unscaled_to_bytes(unscaled), precision=digits, scale=scale)


__all__ = [
    "MAX_EMAX",
    "MAX_PREC",
    "MIN_EMIN",
    "decimal_pb2",
    "from_proto_decimal",
    "to_proto_decimal",
    "unscaled_to_bytes",
]
