# SPDX-License-Identifier: Apache-2.0
"""Variants in expressions: values of a type that only the data know, like JSON, in Parquet's binary form.

Where a variant is expected, a function also takes a ``confluent.type.Variant`` of a message, and a record with the
fields ``value`` and ``metadata`` in bytes; one that is empty counts as null, and of null everything is null.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celpy import celtypes
from celpy.evaluation import CELEvalError

from confluent_kafka.schema_registry.confluent.type import variant_pb2
from confluent_kafka.schema_registry.confluent.type import variant_utils as vu
from confluent_kafka.schema_registry.confluent.type.variant_utils import Variant, VariantType
from confluent_kafka.schema_registry.rules.cel import variant_path
from confluent_kafka.schema_registry.rules.cel.timestamp_funcs import epoch_timestamp

__all__ = ["VARIANT_FUNCS", "Variant", "VariantType", "variant_path", "variant_pb2", "vu"]

_PROTO = "confluent.type.Variant"


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise CELEvalError(f"variant: expected bytes, got {type(value).__name__}")
    return bytes(value)


def _build(value: Any, metadata: Any) -> Variant:
    if not (packed := _bytes(metadata)):
        raise CELEvalError("variant(value, metadata): metadata is empty, so there is no variant to read")
    return Variant(_bytes(value), packed)


def _variant(value: Any) -> Variant | None:
    if value is None or isinstance(value, Variant):
        return value
    message = getattr(value, "msg", value)
    descriptor = getattr(message, "DESCRIPTOR", None)
    if descriptor is not None:
        if descriptor.full_name == _PROTO:
            return _build(message.value, message.metadata) if message.metadata or message.value else None
    elif isinstance(value, dict) and "value" in value and "metadata" in value:
        return _build(value["value"], value["metadata"]) if value["metadata"] or value["value"] else None
    if isinstance(value, str):
        raise CELEvalError("variant: cannot convert string to Variant; use variants.parseJson or variants.tryParseJson")
    raise CELEvalError(f"variant: cannot convert {type(value).__name__} to Variant")


def _make(*args: Any) -> Variant | None:
    if len(args) == 1:
        return _variant(args[0])
    if len(args) != 2:
        raise CELEvalError(f"variant: expected 1 or 2 args, got {len(args)}")
    return _build(*args)


def _parse_json(text: Any) -> Variant:
    if not isinstance(text, str):
        raise CELEvalError("variants.parseJson: expected a string")
    try:
        return vu.parse_json(text)
    except ValueError as e:
        raise CELEvalError(f"variants.parseJson: {e}; variants.tryParseJson gives null for what is no JSON") from e


def _try_parse_json(text: Any) -> Variant | None:
    if not isinstance(text, str):
        raise CELEvalError("variants.tryParseJson: expected a string")
    try:
        return vu.parse_json(text)
    except ValueError:
        return None


_NAMES = {
    VariantType.BYTE: "int",
    VariantType.SHORT: "int",
    VariantType.INT: "int",
    VariantType.LONG: "int",
    VariantType.FLOAT: "double",
    VariantType.DOUBLE: "double",
    VariantType.DECIMAL4: "decimal",
    VariantType.DECIMAL8: "decimal",
    VariantType.DECIMAL16: "decimal",
    VariantType.TIMESTAMP_TZ: "timestamp",
    VariantType.TIMESTAMP_NTZ: "timestamp",
    VariantType.TIMESTAMP_NANOS_TZ: "timestamp",
    VariantType.TIMESTAMP_NANOS_NTZ: "timestamp",
    VariantType.BINARY: "bytes",
}


def _name(variant: Variant) -> str:
    kind = variant.get_type()
    return _NAMES.get(kind, kind.value.lower())


def _number(variant: Variant) -> float:
    return variant.get_float() if variant.get_type() is VariantType.FLOAT else variant.get_double()


def _moment(variant: Variant) -> Any:
    precision = 9 if "NANOS" in variant.get_type().value else 6
    return epoch_timestamp(variant.get_long(), precision)


_READERS: dict[str, Callable[[Variant], Any]] = {
    "string": lambda variant: celtypes.StringType(variant.get_string()),
    "int": lambda variant: celtypes.IntType(variant.get_long()),
    "double": lambda variant: celtypes.DoubleType(_number(variant)),
    "boolean": lambda variant: celtypes.BoolType(variant.get_boolean()),
    "decimal": lambda variant: variant.get_decimal(),
    "timestamp": _moment,
    "bytes": lambda variant: celtypes.BytesType(variant.get_binary()),
}


def _as(variant: Variant, name: Any) -> Any:
    reader = _reader("variants.as", name)
    if reader is None:
        raise CELEvalError(f"variants.as: unknown type (expected one of: {', '.join(_READERS)})")
    if _name(variant) != name:
        raise CELEvalError(
            f"variants.as: variant is not {name}-typed but {_name(variant)}; variants.tryAs gives null then"
        )
    return reader(variant)


def _try_as(variant: Variant, name: Any) -> Any:
    reader = _reader("variants.tryAs", name)
    if reader is None or _name(variant) != name:
        return None
    try:
        return reader(variant)
    except (CELEvalError, ValueError):
        return None


def _reader(function: str, name: Any) -> Callable[[Variant], Any] | None:
    if not isinstance(name, str):
        raise CELEvalError(f"{function}: expected a string type name, got {type(name).__name__}")
    return _READERS.get(name)


def _path(variant: Variant, path: Any) -> Variant | None:
    if not isinstance(path, str):
        raise CELEvalError(f"variants.path: expected a string path, got {type(path).__name__}")
    try:
        return variant_path.walk(variant, str(path))
    except ValueError as e:
        raise CELEvalError(f"variants.path: {e}") from e


def _field(variant: Variant, name: Any) -> Variant | None:
    if not isinstance(name, str):
        raise CELEvalError(f"variants.field: expected a string key, got {type(name).__name__}")
    return variant_path.field(variant, name)


def _index(variant: Variant, index: Any) -> Variant | None:
    if type(index) is not celtypes.IntType:
        raise CELEvalError(f"variants.index: expected an int index, got {type(index).__name__}")
    return variant_path.element(variant, int(index))


def _is_null(*args: Any) -> Any:
    if len(args) != 1:
        raise CELEvalError(f"variants.isNull: expected 1 argument, got {len(args)}")
    try:
        variant = _variant(args[0])
    except CELEvalError:
        return celtypes.BoolType(False)
    return celtypes.BoolType(variant is not None and variant.get_type() is VariantType.NULL)


def _of_variant(function: Callable[..., Any], count: int, name: str) -> Callable[..., Any]:
    """Return a function of expressions whose first argument is a variant; of null it is null."""

    def call(*args: Any) -> Any:
        if len(args) != count:
            raise CELEvalError(f"variants.{name}: expected {count} argument{'s' * (count > 1)}, got {len(args)}")
        try:
            variant = _variant(args[0])
        except CELEvalError as e:
            raise CELEvalError(f"variants.{name}: expected Variant, got {type(args[0]).__name__}") from e
        return None if variant is None else function(variant, *args[1:])

    return call


VARIANT_FUNCS: dict[str, Callable[..., Any]] = {
    "variant": _make,
    "variants.parseJson": _parse_json,
    "variants.tryParseJson": _try_parse_json,
    "variants.isNull": _is_null,
    "variants.type": _of_variant(lambda variant: celtypes.StringType(_name(variant)), 1, "type"),
    "variants.toJson": _of_variant(lambda variant: celtypes.StringType(variant.to_json()), 1, "toJson"),
    "variants.path": _of_variant(_path, 2, "path"),
    "variants.field": _of_variant(_field, 2, "field"),
    "variants.index": _of_variant(_index, 2, "index"),
    "variants.as": _of_variant(_as, 2, "as"),
    "variants.tryAs": _of_variant(_try_as, 2, "tryAs"),
}
