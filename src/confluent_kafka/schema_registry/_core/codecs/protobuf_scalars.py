# SPDX-License-Identifier: Apache-2.0
"""Messages that stand for one value: ``confluent.type.Decimal`` and ``google.protobuf.Timestamp``."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from confluent_kafka.schema_registry.error import RuleError

DECIMAL_TYPE_NAME = "confluent.type.Decimal"
TIMESTAMP_TYPE_NAME = "google.protobuf.Timestamp"
# what CPython converts between int and str without being asked to (sys.set_int_max_str_digits)
MAX_ENCODABLE_COEFFICIENT_DIGITS = 4300
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def set_decimal_message(target: Any, value: Decimal) -> None:
    """Set a ``confluent.type.Decimal`` to a number, with the scale that the number has.

    Raises:
        ValueError: it is not finite, or has more than 4300 digits.
    """
    from confluent_kafka.schema_registry.confluent.type.decimal_utils import unscaled_and_scale, unscaled_to_bytes

    digits = len(value.as_tuple().digits)
    if digits > MAX_ENCODABLE_COEFFICIENT_DIGITS:
        raise ValueError(
            f"decimal coefficient has {digits} digits, {MAX_ENCODABLE_COEFFICIENT_DIGITS} can be written into "
            f"{DECIMAL_TYPE_NAME}"
        )
    unscaled, target.scale, target.precision = unscaled_and_scale(value)
    target.value = unscaled_to_bytes(unscaled)


def set_timestamp_message(target: Any, value: datetime.datetime) -> None:
    """Set a ``google.protobuf.Timestamp``; a time without a zone is UTC."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=datetime.timezone.utc)
    since = value - _EPOCH
    target.seconds = since.days * 86400 + since.seconds
    target.nanos = since.microseconds * 1000


def rebuild_value_type(ctx: Any, fd: Any, value: Any) -> Any:
    """Return what a rule gave for such a field as its message: a message of the type as it is, a number or time as one.

    Args:
        ctx: the rule's context, not looked at.
        fd: descriptor of the field.
        value: what the rule gave; where it has an attribute ``msg`` with the message that it came from, that counts.
    Raises:
        RuleError: it is neither.
    """
    kind = fd.message_type
    for message in (value, getattr(value, "msg", None)):
        if isinstance(message, Message) and message.DESCRIPTOR.full_name == kind.full_name:
            return message
    made = GetMessageClass(kind)()
    if kind.full_name == DECIMAL_TYPE_NAME and isinstance(value, Decimal):
        set_decimal_message(made, value)
        return made
    if kind.full_name == TIMESTAMP_TYPE_NAME and isinstance(value, datetime.datetime):
        set_timestamp_message(made, value)
        return made
    expected = "a decimal" if kind.full_name == DECIMAL_TYPE_NAME else "a timestamp"
    got = "null" if value is None else type(value).__name__
    raise RuleError(f"Rule returned {got} for field '{fd.full_name}', which is a {kind.full_name}; expected {expected}")


def assign(target: Any, source: Any) -> None:
    """Make a message like another one of its type, perhaps of a class of another pool."""
    if target is source:
        return
    if type(target) is type(source):
        target.CopyFrom(source)
    else:
        data = source.SerializePartialToString()
        target.Clear()
        target.MergeFromString(data)
        target.SetInParent()
