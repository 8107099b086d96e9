# SPDX-License-Identifier: Apache-2.0
"""What is said about objects that an Avro schema does not allow."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.error import SchemaMismatchError
from confluent_kafka.serialization import SerializationError
from tests.unit.avro_kit import context

LINE = {
    "type": "record",
    "name": "Line",
    "fields": [
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}},
        {"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}], "default": None},
    ],
}
ORDER: dict[str, Any] = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "lines", "type": {"type": "array", "items": LINE}, "default": []},
        {"name": "again", "type": ["null", "Line"], "default": None},
        {"name": "tags", "type": {"type": "map", "values": "string"}, "default": {}},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}, "default": "A"},
        {"name": "hash", "type": ["null", {"type": "fixed", "name": "Hash", "size": 2}], "default": None},
        {"name": "small", "type": "int", "default": 0},
        {"name": "part", "type": ["null", "shop.Line", "string"], "default": None},
    ],
}
GOOD_LINE = {"price": decimal.Decimal("1.50")}


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        ("secret", "expected record shop.Order, got str"),
        ({}, 'field "id": the field is missing, and has no default'),
        ({"id": "secret"}, 'field "id": expected long, got str'),
        ({"id": 2**63}, 'field "id": expected long, got an int of more than 64 bits'),
        ({"id": 1, "lines": 5}, 'field "lines": expected array, got int'),
        ({"id": 1, "lines": [GOOD_LINE, GOOD_LINE, {"price": "secret"}]},
         'field "lines[2].price": expected decimal, got str'),
        ({"id": 1, "lines": [{"price": decimal.Decimal("1.234")}]},
         'field "lines[0].price": expected a decimal of scale 2, got one of scale 3'),
        ({"id": 1, "lines": [{"price": decimal.Decimal("12345.00")}]},
         'field "lines[0].price": expected a decimal of precision 6, got one of precision 7'),
        ({"id": 1, "again": {"price": 1}}, 'field "again.price": expected decimal, got int'),
        ({"id": 1, "again": {**GOOD_LINE, "day": "secret"}},
         'field "again.day": expected date, got a str that is no ISO date'),
        ({"id": 1, "again": {**GOOD_LINE, "day": 1.5}}, 'field "again.day": expected null or date, got float'),
        ({"id": 1, "tags": {"a": 5}}, 'field "tags.a": expected string, got int'),
        ({"id": 1, "kind": "secret"}, 'field "kind": expected one of A, B, got another'),
        ({"id": 1, "hash": b"xyz"}, 'field "hash": expected null or shop.Hash, got bytes'),
        ({"id": 1, "part": ("shop.Nope", {})},
         "field \"part\": the union has no branch 'shop.Nope': there are null, shop.Line, string"),
        ({"id": 1, "part": {"price": "secret"}}, 'field "part.price": expected decimal, got str'),
        ({"id": 1, "part": ("shop.Line", {"price": "secret"})}, 'field "part.price": expected decimal, got str'),
        ({"id": 1, "part": 5}, 'field "part": expected null or shop.Line or string, got int'),
    ],
)  # fmt: skip
def test_path_and_types(obj: Any, text: str) -> None:
    client = SchemaRegistryClient({"url": "mock://"})
    serializer = AvroSerializer(client, json.dumps(ORDER))
    good = {"id": 1, "lines": [GOOD_LINE], "again": {**GOOD_LINE, "day": dt.date(2026, 1, 2)}}
    assert serializer(good, context()) is not None
    with pytest.raises(SchemaMismatchError) as raised:
        serializer(obj, context())
    assert str(raised.value) == f"orders-value v1: {text}"
    assert "secret" not in f"{raised.value!r}{raised.value.__cause__}"
    assert isinstance(raised.value, SerializationError)
    with pytest.raises(SerializationError) as many:
        serializer.serialize_many([good, None, obj], context())
    assert str(many.value) == f"object 2 of the batch, orders-value v1: {text}"


ANY: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals() | st.dates(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text() | st.integers(), inner, max_size=2),
    max_leaves=4,
)
FIELDS = st.fixed_dictionaries({}, optional={str(field["name"]): ANY for field in ORDER["fields"]})


SERIALIZER = AvroSerializer(SchemaRegistryClient({"url": "mock://"}), json.dumps(ORDER))


@settings(deadline=None)
@given(FIELDS | ANY)
def test_any_object_is_written_or_refused_as_a_mismatch(obj: Any) -> None:
    # anything else is raised from here
    with suppress(SchemaMismatchError):
        SERIALIZER(obj, context())
