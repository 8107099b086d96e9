# SPDX-License-Identifier: Apache-2.0
"""Conversions between Python's values and the messages that come with the registry's client."""

from __future__ import annotations

import base64
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_UP, Decimal
from typing import Any

import google.protobuf

from confluent_kafka.schema_registry._core.codecs.proto_names import is_repeated
from confluent_kafka.schema_registry._core.codecs.proto_parser import ParsedFile
from confluent_kafka.schema_registry._core.codecs.protobuf import PROTOBUF_TYPE, inline_tags
from confluent_kafka.schema_registry._core.codecs.protobuf_checks import validate_message
from confluent_kafka.schema_registry._core.codecs.protobuf_fields import ProtobufFields, field_change, field_type
from confluent_kafka.schema_registry._core.codecs.protobuf_files import (
    KNOWN_FILES,
    indexes_of,
    known_file,
    load_schema,
    to_text,
)
from confluent_kafka.schema_registry._core.codecs.protobuf_scalars import (
    DECIMAL_TYPE_NAME,
    MAX_ENCODABLE_COEFFICIENT_DIGITS,
    TIMESTAMP_TYPE_NAME,
    assign,
    rebuild_value_type,
    set_decimal_message,
    set_timestamp_message,
)
from confluent_kafka.schema_registry._core.rule_fields import in_place, leaf_of, walk_once
from confluent_kafka.schema_registry.common.serde import (
    FieldTransform,
    FieldType,
    RuleConditionError,
    RuleContext,
    RuleError,
    RuleKind,
    SerializationError,
    ValidationRule,
    ValidationRuleError,
    ValidationRuleExecutor,
    evaluate_validation_rule,
)
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
    "FieldTransform",
    "FieldType",
    "RuleConditionError",
    "RuleContext",
    "RuleError",
    "RuleKind",
    "SerializationError",
    "ValidationRule",
    "ValidationRuleError",
    "ValidationRuleExecutor",
    "Variant",
    "_bytes",
    "_create_index_array",
    "_disjoint",
    "_init_pool",
    "_is_builtin",
    "_is_repeated",
    "_proto_to_str",
    "_schema_to_str",
    "_set_field",
    "_str_to_proto",
    "_transform_field",
    "decimal_pb2",
    "decimal_to_protobuf",
    "evaluate_validation_rule",
    "get_inline_tags",
    "get_type",
    "is_cel_leaf_message",
    "is_map_field",
    "legacy_decimal_pb2",
    "meta_pb2",
    "protobuf_to_decimal",
    "protobuf_to_variant",
    "rebuild_value_type",
    "set_decimal_message",
    "set_timestamp_message",
    "transform",
    "unscaled_to_bytes",
    "validate_message",
    "variant_pb2",
    "variant_to_protobuf",
]

PROTOBUF_MAJOR_VERSION = int(google.protobuf.__version__.split(".")[0])
# digits of the largest number that a reader in Java can hold: 2^31 - 1 bits
_MAX_DIGITS = 646_456_993


def _is_builtin(name: str) -> bool:
    return name.startswith(("confluent/", "google/protobuf/", "google/type/"))


def _is_repeated(fd: Any) -> bool:
    return is_repeated(fd)


def _create_index_array(msg_desc: Any) -> list[int]:
    return indexes_of(msg_desc)


def _schema_to_str(file_descriptor: Any) -> str:
    return to_text(file_descriptor)


def _proto_to_str(file_descriptor_proto: Any) -> str:
    return base64.b64encode(file_descriptor_proto.SerializeToString()).decode()


def _str_to_proto(name: str, schema_str: str) -> Any:
    loaded = load_schema(schema_str, name)
    proto = loaded.descriptor if isinstance(loaded, ParsedFile) else loaded
    proto.name = name
    return proto


def _init_pool(pool: Any) -> None:
    """Add the files that every client has, those that others import first."""
    todo = list(KNOWN_FILES)
    added: set[str] = set()
    while todo:
        name = todo.pop()
        file = None if name in added else known_file(name)
        if file is None:
            continue
        missing = [item for item in file.dependency if item not in added and known_file(item) is not None]
        if missing:
            todo += [name, *missing]
            continue
        pool.Add(file)
        added.add(name)


def _bytes(v: int) -> bytes:
    return bytes((v,))


def _disjoint(tags1: set[str], tags2: set[str]) -> bool:
    return tags1.isdisjoint(tags2)


def _set_field(fd: Any, message: Any, value: Any) -> None:
    """Set a field of a message, whatever kind of field it is."""
    if is_map_field(fd):
        target = getattr(message, fd.name)
        target.clear()
        for key, item in value.items():
            if fd.message_type.fields_by_name["value"].message_type is None:
                target[key] = item
            else:
                assign(target[key], item)
    elif is_repeated(fd):
        message.ClearField(fd.name)
        getattr(message, fd.name).extend(value)
    elif fd.message_type is not None:
        assign(getattr(message, fd.name), value)
    else:
        setattr(message, fd.name, value)


def get_type(fd: Any) -> FieldType:
    """Return what rules take a field for."""
    return FieldType.MAP if is_map_field(fd) else field_type(fd)


def transform(ctx: RuleContext, descriptor: Any, message: Any, field_transform: FieldTransform) -> Any:
    """Return a message with its fields as a field rule has them; lists and dicts of messages likewise.

    Args:
        ctx: the rule and what it runs on. Fields without a tag of the rule are left alone, if it has tags.
        descriptor: the message's descriptor in the schema, where names and tags come from.
        message: a message, whatever its class. It is changed, and returned; it stays as it was when this fails.
        field_transform: called as ``(context, field, value)``; returns the new value, or, for a rule that is a
            condition, whether it holds.
    Raises:
        RuleConditionError: a condition does not hold.
        RuleError: the transform is a coroutine function.
    """
    if message is None or descriptor is None:
        return message
    if isinstance(message, list):
        return [transform(ctx, descriptor, item, field_transform) for item in message]
    if isinstance(message, dict):
        return {key: transform(ctx, descriptor, item, field_transform) for key, item in message.items()}
    fields = ProtobufFields(descriptor, message.DESCRIPTOR, [ctx.target], inline_tags)
    return in_place(message, walk_once(fields.walk(leaf_of(ctx), writing=False), ctx, field_transform, message))


def _transform_field(
    ctx: RuleContext, fd: Any, schema_fd: Any, desc: Any, message: Any, field_transform: FieldTransform
) -> None:
    """Change one field of a message in its place: ``fd`` of its class, ``schema_fd`` in the schema."""
    change = field_change(fd, schema_fd, [ctx.target], inline_tags, leaf_of(ctx))
    walk_once(change, ctx, field_transform, message)


def is_map_field(fd: Any) -> bool:
    """Return whether a field descriptor is a map."""
    return bool(_is_repeated(fd) and fd.message_type is not None and fd.message_type.GetOptions().map_entry)


def get_inline_tags(fd: Any) -> set[str]:
    """Return the tags that a field has in its schema: ``[(confluent.field_meta).tags = "PII"]``."""
    return inline_tags(fd)


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


def variant_to_protobuf(value: Variant) -> Any:
    """Return a variant, of a larger one just the part that it is, as ``confluent.type.Variant``."""
    return variant_pb2.Variant(metadata=value.metadata, value=value.standalone_value_bytes())


def protobuf_to_variant(value: Any) -> Variant:
    """Return a ``confluent.type.Variant`` as variant.

    Raises:
        VariantError: its metadata is none.
    """
    return Variant(value.value, value.metadata)
