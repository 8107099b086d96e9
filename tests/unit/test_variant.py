# SPDX-License-Identifier: Apache-2.0
"""Variants: their bytes, their JSON, hostile ones; decimals as messages."""

from __future__ import annotations

import json
import pickle
import struct
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_kafka.schema_registry.common.protobuf import set_decimal_message
from confluent_kafka.schema_registry.confluent.type import decimal_pb2
from confluent_kafka.schema_registry.confluent.type.decimal_utils import (
    from_proto_decimal,
    to_proto_decimal,
    unscaled_to_bytes,
)
from confluent_kafka.schema_registry.confluent.type.variant_utils import (
    Variant,
    VariantBuilder,
    VariantError,
    VariantType,
    from_bytes,
    parse_json,
    to_json_string,
)
from confluent_kafka.schema_registry.protobuf import (
    decimal_to_protobuf,
    protobuf_to_decimal,
    protobuf_to_variant,
    variant_to_protobuf,
)

NO_KEYS = b"\x01\x00\x00"
# as confluent-kafka 2.16.1 writes and shows them
VALUES: list[tuple[str, tuple[Any, ...], str, VariantType, str]] = [
    ("null", (), "00", VariantType.NULL, "null"),
    ("boolean", (True,), "04", VariantType.BOOLEAN, "true"),
    ("boolean", (False,), "08", VariantType.BOOLEAN, "false"),
    ("byte", (-1,), "0cff", VariantType.BYTE, "-1"),
    ("short", (-129,), "107fff", VariantType.SHORT, "-129"),
    ("int", (32768,), "1400800000", VariantType.INT, "32768"),
    ("long", (2**63 - 1,), "18ffffffffffffff7f", VariantType.LONG, "9223372036854775807"),
    ("float", (0.1,), "38cdcccc3d", VariantType.FLOAT, "0.1"),
    ("float", (123456789.0,), "38a379eb4c", VariantType.FLOAT, "123456792.0"),
    ("double", (1e20,), "1c408cb5781daf1544", VariantType.DOUBLE, "1e+20"),
    ("double", (float("-inf"),), "1c000000000000f0ff", VariantType.DOUBLE, "-Infinity"),
    ("decimal", (Decimal("1.50"),), "200296000000", VariantType.DECIMAL4, "1.50"),
    ("decimal", (10**9, 2), "240200ca9a3b00000000", VariantType.DECIMAL8, "10000000.00"),
    ("decimal", (Decimal("1e-38"),), "2826" + "01" + "00" * 15, VariantType.DECIMAL16, "0." + "0" * 37 + "1"),
    ("string", ("é",), "09c3a9", VariantType.STRING, '"é"'),
    ("string", ("x" * 64,), "4040000000" + "78" * 64, VariantType.STRING, '"' + "x" * 64 + '"'),
    ("binary", (b"\x00\x01",), "3c020000000001", VariantType.BINARY, '"AAE="'),
    ("uuid", (uuid.UUID(int=5),), "50" + "00" * 15 + "05", VariantType.UUID, '"00000000-0000-0000-0000-000000000005"'),
    ("date", (1,), "2c01000000", VariantType.DATE, '"1970-01-02"'),
    ("time", (1_500_000,), "4460e3160000000000", VariantType.TIME, '"00:00:01.500"'),
    ("timestamp_tz", (-1,), "30" + "ff" * 8, VariantType.TIMESTAMP_TZ, '"1969-12-31T23:59:59.999999Z"'),
    ("timestamp_ntz", (0,), "34" + "00" * 8, VariantType.TIMESTAMP_NTZ, '"1970-01-01T00:00:00"'),
    ("timestamp_nanos_tz", (1,), "4801" + "00" * 7, VariantType.TIMESTAMP_NANOS_TZ, '"1970-01-01T00:00:00.000000001Z"'),
    ("timestamp_nanos_ntz", (0,), "4c" + "00" * 8, VariantType.TIMESTAMP_NANOS_NTZ, '"1970-01-01T00:00:00"'),
]


@pytest.mark.parametrize(("name", "arguments", "data", "kind", "text"), VALUES)
def test_single_values(name: str, arguments: tuple[Any, ...], data: str, kind: VariantType, text: str) -> None:
    builder = VariantBuilder()
    getattr(builder, f"append_{name}")(*arguments)
    variant = builder.build()
    assert (variant.value.hex(), variant.metadata) == (data, NO_KEYS)
    assert (variant.get_type(), variant.to_json()) == (kind, text)
    assert from_bytes(variant.value, variant.metadata) == variant
    assert bytes(builder.value) == variant.value


def test_containers() -> None:
    builder = VariantBuilder()
    builder.start_object()
    builder.append_key("b")
    builder.append_int(1)
    builder.append_key("a")
    builder.append_string("z")
    builder.append_key("c")
    builder.start_array()
    builder.append_null()
    builder.append_boolean(True)
    builder.end_array()
    builder.end_object()
    variant = builder.build()
    assert variant.value.hex() == "02030100020500070e1401000000057a03020001020004"
    assert variant.metadata.hex() == "010300010203626163"
    assert (builder.dictionary, builder.dictionary_keys) == ({"b": 0, "a": 1, "c": 2}, [b"b", b"a", b"c"])
    assert to_json_string(variant) == '{"a":"z","b":1,"c":[null,true]}'
    assert variant.num_object_fields() == 3
    assert [variant.get_field_at_index(index)[0] for index in range(3)] == ["a", "b", "c"]
    part = variant.get_field_by_key("c")
    assert part is not None
    assert (part.num_array_elements(), part.get_element_at_index(2), part.get_element_at_index(-1)) == (2, None, None)
    element = part.get_element_at_index(1)
    assert element is not None
    assert element.get_boolean()
    assert variant.get_field_by_key("d") is None
    inner = variant.get_field_by_key("a")
    assert inner is not None
    assert inner.standalone_value_bytes() == b"\x05z"
    assert inner == Variant(b"\x05z", variant.metadata)
    assert len({inner, Variant(b"\x05z", variant.metadata)}) == 1


def test_large_containers() -> None:
    value = {"list": list(range(300)), **{f"key {n}": n for n in range(300)}}
    variant = parse_json(json.dumps(value))
    assert json.loads(variant.to_json()) == value
    found = variant.get_field_by_key("key 299")
    assert found is not None
    assert found.get_long() == 299
    assert variant.get_field_by_key("key 300") is None


ORDER: list[tuple[str, list[tuple[Any, ...]]]] = [
    ("multiple root", [("append_int", 1), ("append_int", 2)]),
    ("multiple root", [("append_int", 1), ("start_array",)]),
    ("empty variant", [("build",)]),
    ("must follow append_key", [("start_object",), ("append_int", 1)]),
    ("must follow append_key", [("start_object",), ("start_array",)]),
    ("dangling append_key", [("start_object",), ("append_key", "a"), ("end_object",)]),
    ("called twice", [("start_object",), ("append_key", "a"), ("append_key", "b")]),
    ("open container", [("start_array",), ("build",)]),
    ("without a matching start_object", [("start_array",), ("end_object",)]),
    ("without a matching start_array", [("end_array",)]),
    ("outside of an object", [("start_array",), ("append_key", "a")]),
    ("out of range for a 1-byte", [("append_byte", 128)]),
    ("out of range for a 8-byte", [("append_long", 2**63)]),
    ("maximum precision", [("append_decimal", 10**38, 0)]),
    ("negative scale", [("append_decimal", Decimal("1E+5"))]),
    ("non-finite", [("append_decimal", Decimal("NaN"))]),
    ("scale is required", [("append_decimal", 15)]),
    ("invalid append_decimal", [("append_decimal", 1.5)]),
    ("16 bytes", [("append_uuid", b"short")]),
    ("UTF-8", [("append_string", "\ud800")]),
]


@pytest.mark.parametrize(("problem", "work"), ORDER)
def test_builders_refuse(problem: str, work: list[tuple[Any, ...]]) -> None:
    builder = VariantBuilder()
    *before, (name, *arguments) = work
    for earlier, *values in before:
        getattr(builder, earlier)(*values)
    with pytest.raises(VariantError, match=problem):
        getattr(builder, name)(*arguments)


def test_the_size_limit() -> None:
    builder = VariantBuilder(50)
    assert builder.size_limit == 50
    with pytest.raises(VariantError, match="size limit"):
        builder.append_string("x" * 100)
    builder = VariantBuilder(500)
    builder.start_array()
    for _ in range(400):
        builder.append_null()
    with pytest.raises(VariantError, match="size limit"):
        [builder.append_null() for _ in range(200)]  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("value", "metadata"),
    [(b"", NO_KEYS), (b"\x00", b""), (b"\x00", b"\x02\x00\x00"), (b"\x14\x01", NO_KEYS), (b"\xfc", NO_KEYS),
     (b"\x15\xff\xfe", NO_KEYS), (b"\x09\xff\xff", NO_KEYS), (b"\x02\x02" + b"\x00" * 5, NO_KEYS),
     (b"\x03\xff\x00", NO_KEYS),
     (b"\x13\xff\xff\xff\xff", NO_KEYS), (b"\x40\xff\xff\xff\xff", NO_KEYS), (b"\x20\xff\x01\x00\x00\x00", NO_KEYS)],
)  # fmt: skip
def test_malformed_variants(value: bytes, metadata: bytes) -> None:
    with pytest.raises(VariantError):
        Variant(value, metadata).to_json()


def test_values_that_contain_themselves_or_each_other_again_and_again() -> None:
    # an array whose only element is the array itself, by an offset that goes back is not possible; forward it ends
    level = b"\x00"
    for _ in range(3000):
        level = b"\x0f\x01" + struct.pack("<II", 0, len(level))[:4] + struct.pack("<I", len(level)) + level
    with pytest.raises(VariantError, match="nested"):
        Variant(level, NO_KEYS).to_json()
    # 200 elements, all of them the same 200 elements, and so on: 200 to the fourth in a few thousand bytes
    wide = b"\x00"
    for _ in range(4):
        wide = b"\x0f" + bytes([200]) + struct.pack("<I", 0) * 200 + struct.pack("<I", len(wide)) + wide
    with pytest.raises(VariantError, match="more values than bytes"):
        Variant(wide, NO_KEYS).to_json()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**38) + 1, 10**38 - 1) | st.text(max_size=80)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)  # fmt: skip


@given(JSON)
def test_json_round_trip(value: Any) -> None:
    try:
        variant = parse_json(json.dumps(value))
    except VariantError as e:
        refused = str(e)
        assert "UTF-8" in refused
        return
    assert json.loads(variant.to_json()) == value
    assert protobuf_to_variant(variant_to_protobuf(variant)) == variant


@given(st.binary(max_size=60), st.binary(max_size=30))
def test_any_bytes_are_a_variant_or_refused(value: bytes, metadata: bytes) -> None:
    for keys in (metadata, NO_KEYS, b"\x01" + metadata):
        try:
            Variant(value, keys).to_json()
        except VariantError:  # noqa: PERF203
            continue


@pytest.mark.parametrize("text", ["[1", "", "[" * 100_000, "1" * 39, '{"a":' * 50_000])
def test_json_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_json(text)


def test_errors_pickle_by_their_public_name() -> None:
    assert VariantError.__module__ == "confluent_kafka.schema_registry.confluent.type.variant_utils"
    assert isinstance(pickle.loads(pickle.dumps(VariantError("x"))), VariantError)


@pytest.mark.parametrize(
    ("text", "scale", "data", "precision"),
    [("12.50", 2, b"\x04\xe2", 4), ("12.50", 1, b"\x7d", 3), ("-1.28", 2, b"\x80", 3), ("1.27", 2, b"\x7f", 3),
     ("1.28", 2, b"\x00\x80", 3), ("0", 5, b"\x00", 1), ("1000", -3, b"\x01", 1), ("1E+3", 0, b"\x03\xe8", 4)],
)  # fmt: skip
def test_decimals_with_a_scale(text: str, scale: int, data: bytes, precision: int) -> None:
    message = decimal_to_protobuf(Decimal(text), scale)
    assert (message.value, message.scale, message.precision) == (data, scale, precision)
    assert protobuf_to_decimal(message) == Decimal(text)


def test_decimals_that_do_not_fit() -> None:
    for value, scale in ((Decimal("1.25"), 1), (Decimal("0.1"), -5), (Decimal(1), -(10**9))):
        with pytest.raises(ValueError, match="does not match the decimal"):
            decimal_to_protobuf(value, scale)
    with pytest.raises(ValueError, match="too wide"):
        decimal_to_protobuf(Decimal(1), 10**9)
    with pytest.raises(ValueError, match="non-finite"):
        to_proto_decimal(Decimal("Infinity"))
    with pytest.raises(ValueError, match="4300"):
        set_decimal_message(decimal_pb2.Decimal(), Decimal((0, (1,) * 4301, 0)))
    assert decimal_to_protobuf(Decimal(1), 5000).precision == 5001


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_round_trip(value: Decimal) -> None:
    message = to_proto_decimal(value)
    assert from_proto_decimal(message) == value
    other = decimal_pb2.Decimal()
    set_decimal_message(other, value)
    assert other == message


@given(st.integers())
def test_unscaled_bytes_are_minimal(number: int) -> None:
    data = unscaled_to_bytes(number)
    assert int.from_bytes(data, "big", signed=True) == number
    assert len(data) == 1 or int.from_bytes(data[1:], "big", signed=True) != number
