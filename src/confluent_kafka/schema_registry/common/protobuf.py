# SPDX-License-Identifier: Apache-2.0
"""Conversions between Python's values and the messages that come with the registry's client."""

from __future__ import annotations

import datetime
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_UP, Decimal
from typing import Any

import google.protobuf
from google.protobuf.descriptor_pb2 import FieldOptions

from confluent_kafka.schema_registry._core.codecs.proto_names import is_repeated as _is_repeated
from confluent_kafka.schema_registry._core.codecs.protobuf import PROTOBUF_TYPE
from confluent_kafka.schema_registry._core.codecs.protobuf_files import indexes_of as _create_index_array
from confluent_kafka.schema_registry._core.codecs.protobuf_files import to_text as _schema_to_str
from confluent_kafka.schema_registry.confluent import meta_pb2
from confluent_kafka.schema_registry.confluent.type import decimal_pb2, variant_pb2
from confluent_kafka.schema_registry.confluent.type.decimal_utils import (
    from_proto_decimal,
    unscaled_and_scale,
    unscaled_to_bytes,
)
from confluent_kafka.schema_registry.confluent.type.variant_utils import Variant
from confluent_kafka.schema_registry.confluent.types import decimal_pb2 as legacy_decimal_pb2

__all__ = [
    "DECIMAL_TYPE_NAME",
    "MAX_EMAX",
    "MAX_ENCODABLE_COEFFICIENT_DIGITS",
    "MAX_PREC",
    "MIN_EMIN",
    "PROTOBUF_MAJOR_VERSION",
    "PROTOBUF_TYPE",
    "ROUND_HALF_UP",
    "TIMESTAMP_TYPE_NAME",
    "_create_index_array",
    "_is_builtin",
    "_is_repeated",
    "_schema_to_str",
    "decimal_pb2",
    "decimal_to_protobuf",
    "get_inline_tags",
    "is_cel_leaf_message",
    "is_map_field",
    "legacy_decimal_pb2",
    "meta_pb2",
    "protobuf_to_decimal",
    "protobuf_to_variant",
    "set_decimal_message",
    "set_timestamp_message",
    "variant_pb2",
    "variant_to_protobuf",
]

PROTOBUF_MAJOR_VERSION = int(google.protobuf.__version__.split(".")[0])
DECIMAL_TYPE_NAME = "confluent.type.Decimal"
TIMESTAMP_TYPE_NAME = "google.protobuf.Timestamp"
# what CPython converts between int and str without being asked to (sys.set_int_max_str_digits)
MAX_ENCODABLE_COEFFICIENT_DIGITS = 4300
# digits of the largest number that a reader in Java can hold: 2^31 - 1 bits
_MAX_DIGITS = 646_456_993
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def _is_builtin(name: str) -> bool:
    return name.startswith(("confluent/", "google/protobuf/", "google/type/"))


def is_map_field(fd: Any) -> bool:
    """Return whether a field descriptor is a map."""
    return bool(_is_repeated(fd) and fd.message_type is not None and fd.message_type.GetOptions().map_entry)


def get_inline_tags(fd: Any) -> set[str]:
    """Return the tags that a field has in its schema: ``[(confluent.field_meta).tags = "PII"]``."""
    # by way of its bytes: the field may be of another pool, where the extension is not this one
    options = FieldOptions.FromString(fd.GetOptions().SerializeToString())
    return set(options.Extensions[meta_pb2.field_meta].tags)


def is_cel_leaf_message(desc: Any) -> bool:
    """Return whether rules take a message of this descriptor for one value: decimals and timestamps."""
    return desc is not None and desc.full_name in (DECIMAL_TYPE_NAME, TIMESTAMP_TYPE_NAME)


def decimal_to_protobuf(value: Decimal, scale: int) -> Any:
    """Return a decimal with ``scale`` digits behind the point as ``confluent.type.Decimal``.

    Raises:
        ValueError: digits other than 0 would be lost, the number is not finite, or it has too many digits for readers.
    """
    unscaled, own_scale, digits = unscaled_and_scale(value)
    more = scale - own_scale
    if unscaled == 0:
        digits = 1
    elif more >= 0:
        if more + digits > _MAX_DIGITS:
            raise ValueError(f"Scale provided is too wide for the decimal: {scale}")
        unscaled *= 10**more
        digits += more
    else:
        # the digits tell: dividing by a power of ten with a hundred million digits would take hours
        figures = value.as_tuple().digits
        if -more >= len(figures) or any(figures[more:]):
            raise ValueError(f"Scale provided does not match the decimal: {value} has more than {scale} decimal places")
        unscaled //= 10**-more
        digits += more
    return decimal_pb2.Decimal(value=unscaled_to_bytes(unscaled), precision=digits, scale=scale)


def protobuf_to_decimal(value: Any) -> Decimal:
    """Return the number that a ``confluent.type.Decimal`` stands for; its precision does not count."""
    return from_proto_decimal(value)


def set_decimal_message(target: Any, value: Decimal) -> None:
    """Set a ``confluent.type.Decimal`` to a number, with the scale that the number has.

    Raises:
        ValueError: it is not finite, or has more than 4300 digits.
    """
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


def variant_to_protobuf(value: Variant) -> Any:
    """Return a variant, of a larger one just the part that it is, as ``confluent.type.Variant``."""
    return variant_pb2.Variant(metadata=value.metadata, value=value.standalone_value_bytes())


def protobuf_to_variant(value: Any) -> Variant:
    """Return a ``confluent.type.Variant`` as variant.

    Raises:
        VariantError: its metadata is none.
    """
    return Variant(value.value, value.metadata)
