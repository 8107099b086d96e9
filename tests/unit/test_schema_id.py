# SPDX-License-Identifier: Apache-2.0
"""Schema ids in messages: frames, message indexes, headers; and subject names."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_kafka.schema_registry import (
    SchemaReference,
    dual_schema_id_deserializer,
    header_schema_id_serializer,
    prefix_schema_id_deserializer,
    prefix_schema_id_serializer,
    record_subject_name_strategy,
    reference_subject_name_strategy,
    topic_record_subject_name_strategy,
    topic_subject_name_strategy,
)
from confluent_kafka.schema_registry._core.framing import end_of_indexes
from confluent_kafka.schema_registry.serde import SchemaId
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

GUID = "963cb43b-c538-4e8c-8d1a-b9d25e954d9b"
GUID_BYTES = bytes.fromhex("963cb43bc5384e8c8d1ab9d25e954d9b")
KEY = MessageField.KEY
VALUE = MessageField.VALUE


def test_frames_byte_for_byte() -> None:
    avro = SchemaId("AVRO", 5, GUID)
    assert avro.id_to_bytes() == b"\x00\x00\x00\x00\x05"
    assert avro.guid_to_bytes() == b"\x01" + GUID_BYTES
    assert avro.guid == uuid.UUID(GUID)
    assert SchemaId("PROTOBUF", 2**32 - 1, GUID, [0]).id_to_bytes() == b"\x00\xff\xff\xff\xff\x00"
    assert SchemaId("PROTOBUF", 5, GUID, [0]).guid_to_bytes() == b"\x01" + GUID_BYTES + b"\x00"
    assert SchemaId("PROTOBUF", 5, message_indexes=[1]).id_to_bytes() == b"\x00\x00\x00\x00\x05\x02\x02"
    assert SchemaId("PROTOBUF", 5, message_indexes=[1, 1]).id_to_bytes() == b"\x00\x00\x00\x00\x05\x04\x02\x02"
    assert SchemaId("PROTOBUF", 5, message_indexes=[1, 0, 70]).id_to_bytes()[5:] == b"\x06\x02\x00\x8c\x01"


@given(st.integers(0, 2**32 - 1), st.binary())
def test_v0_round_trip(number: int, rest: bytes) -> None:
    schema_id = SchemaId("AVRO")
    payload = schema_id.from_bytes(io.BytesIO(SchemaId("AVRO", number).id_to_bytes() + rest))
    assert (schema_id.id, schema_id.guid, payload.read()) == (number, None, rest)


def test_a_guid_that_is_none() -> None:
    with pytest.raises(ValueError, match="has to be a UUID, not 'x-1'"):
        SchemaId("AVRO", 5, "x-1")


@given(st.uuids(), st.lists(st.integers(0, 2**40), min_size=1, max_size=20), st.binary())
def test_v1_round_trip_with_message_indexes(guid: uuid.UUID, indexes: list[int], rest: bytes) -> None:
    written = SchemaId("PROTOBUF", guid=str(guid), message_indexes=indexes)
    schema_id = SchemaId("PROTOBUF")
    payload = schema_id.from_bytes(io.BytesIO(written.guid_to_bytes() + rest))
    assert (schema_id.id, schema_id.guid, schema_id.message_indexes) == (None, guid, indexes)
    assert payload.read() == rest


@given(st.sampled_from(["AVRO", "JSON", "PROTOBUF"]), st.binary(max_size=64))
def test_arbitrary_bytes_never_crash(schema_type: str, data: bytes) -> None:
    schema_id = SchemaId(schema_type)
    payload = io.BytesIO(data)
    try:
        schema_id.from_bytes(payload)
    except SerializationError:
        return
    assert payload.tell() <= len(data)
    frame = schema_id.id_to_bytes() if schema_id.id is not None else schema_id.guid_to_bytes()
    if schema_type != "PROTOBUF":
        assert data.startswith(frame)


@given(st.binary(min_size=1, max_size=12))
def test_hostile_index_lists_never_crash(indexes: bytes) -> None:
    for count in (b"", b"\xfe\xff\xff\xff\x0f", b"\xc0\x9a\x0c"):
        schema_id = SchemaId("PROTOBUF")
        try:
            schema_id.from_bytes(io.BytesIO(b"\x00\x00\x00\x00\x01" + count + indexes))
        except SerializationError:
            continue
        assert schema_id.message_indexes


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x00\x00", b"\x01", b"\x01" + GUID_BYTES[:15]])
def test_cut_off_frame(data: bytes) -> None:
    with pytest.raises(SerializationError) as raised:
        SchemaId("AVRO").from_bytes(io.BytesIO(data))
    assert isinstance(raised.value, EOFError)


@pytest.mark.parametrize("indexes", [b"", b"\x04\x02", b"\xff", b"\x80\x80"])
def test_cut_off_indexes(indexes: bytes) -> None:
    with pytest.raises(EOFError):
        SchemaId("PROTOBUF").from_bytes(io.BytesIO(b"\x00\x00\x00\x00\x01" + indexes))


def test_wrong_frames() -> None:
    with pytest.raises(SerializationError, match="Invalid magic byte 0x02"):
        SchemaId("AVRO").from_bytes(io.BytesIO(b"\x02abcdefgh"))
    for count in (b"\x01", b"\xc2\x9a\x0c"):  # -1 and 100001
        with pytest.raises(SerializationError, match="Invalid msgidx array length"):
            SchemaId("PROTOBUF").from_bytes(io.BytesIO(b"\x00\x00\x00\x00\x01" + count + b"\x00" * 9))
    with pytest.raises(SerializationError, match="64 bits"):
        SchemaId("PROTOBUF").from_bytes(io.BytesIO(b"\x00\x00\x00\x00\x01" + b"\xff" * 20))


def test_what_is_not_set_cannot_be_written() -> None:
    with pytest.raises(SerializationError, match="Schema ID is not set"):
        SchemaId("AVRO").id_to_bytes()
    with pytest.raises(SerializationError, match="Schema GUID is not set"):
        SchemaId("AVRO", 1).guid_to_bytes()
    with pytest.raises(SerializationError, match="range"):
        SchemaId("AVRO", 2**32).id_to_bytes()
    with pytest.raises(ValueError, match="UUID"):
        SchemaId("AVRO", guid="no guid")


def test_prefix() -> None:
    assert prefix_schema_id_serializer(b"data", None, SchemaId("AVRO", 7)) == b"\x00\x00\x00\x00\x07data"
    schema_id = SchemaId("AVRO")
    assert prefix_schema_id_deserializer(b"\x00\x00\x00\x00\x07data", None, schema_id).read() == b"data"
    assert schema_id.id == 7


@pytest.mark.parametrize(("field", "name"), [(KEY, "__key_schema_id"), (VALUE, "__value_schema_id")])
def test_header(field: MessageField, name: str) -> None:
    for headers in ([("other", b"x")], {"other": b"x"}):
        ctx = SerializationContext("t", field, headers)  # type: ignore[arg-type]  # a list or a dict
        assert header_schema_id_serializer(b"data", ctx, SchemaId("AVRO", 7, GUID)) == b"data"
        assert dict(headers) == {"other": b"x", name: b"\x01" + GUID_BYTES}
        schema_id = SchemaId("AVRO")
        assert dual_schema_id_deserializer(b"data", ctx, schema_id).read() == b"data"
        assert (schema_id.id, schema_id.guid) == (None, uuid.UUID(GUID))


def test_header_needs_headers() -> None:
    for ctx, text in (
        (None, "SerializationContext is required"),
        (SerializationContext("t", KEY), "Missing headers"),
        (SerializationContext("t", KEY, ()), "Invalid headers type tuple"),  # type: ignore[arg-type]  # on purpose
    ):
        with pytest.raises(SerializationError, match=text):
            header_schema_id_serializer(b"", ctx, SchemaId("AVRO", 7, GUID))


@pytest.mark.parametrize(
    "headers",
    [None, [], {}, [("__key_schema_id", b"\x01" + GUID_BYTES)], [("__value_schema_id", None)], {"x": b""}],
)
def test_dual_falls_back_to_the_prefix(headers: Any) -> None:
    schema_id = SchemaId("AVRO")
    ctx = SerializationContext("t", VALUE, headers)
    assert dual_schema_id_deserializer(b"\x00\x00\x00\x00\x07data", ctx, schema_id).read() == b"data"
    assert (schema_id.id, schema_id.guid) == (7, None)


def test_dual_takes_the_first_matching_header() -> None:
    frames = [("__value_schema_id", b"\x00\x00\x00\x00\x08"), ("__value_schema_id", b"\x00\x00\x00\x00\x09")]
    schema_id = SchemaId("AVRO")
    ctx = SerializationContext("t", VALUE, list(frames))
    assert dual_schema_id_deserializer(b"\x00\x00\x00\x00\x07", ctx, schema_id).read() == b"\x00\x00\x00\x00\x07"
    assert schema_id.id == 8
    for wrong in (b"\x01abc", b"", "text"):
        ctx = SerializationContext("t", VALUE, [("__value_schema_id", wrong)])
        with pytest.raises(SerializationError):
            dual_schema_id_deserializer(b"", ctx, SchemaId("AVRO"))


def test_subject_names() -> None:
    key, value = SerializationContext("t", KEY), SerializationContext("t", VALUE)
    assert topic_subject_name_strategy(key, "x.R") == "t-key"
    assert topic_subject_name_strategy(value, None) == "t-value"
    assert topic_subject_name_strategy(SerializationContext("t", "value"), None) == "t-value"  # type: ignore[arg-type]
    assert topic_record_subject_name_strategy(key, "x.R") == "t-x.R"
    assert topic_record_subject_name_strategy(key, None) is None
    assert record_subject_name_strategy(None, "x.R") == "x.R"
    assert record_subject_name_strategy(None, None) is None
    assert reference_subject_name_strategy(None, SchemaReference("name", "subject", 1)) == "name"
    for strategy in (topic_subject_name_strategy, topic_record_subject_name_strategy):
        with pytest.raises(ValueError, match="SerializationContext is required"):
            strategy(None, "x.R")


@pytest.mark.parametrize("indexes", [[0], [1], [2, 0, 7], [300] * 3])
def test_the_end_of_the_indexes_is_found_without_a_stream(indexes: list[int]) -> None:
    frame = SchemaId("PROTOBUF", 5, None, indexes).id_to_bytes()
    assert end_of_indexes(frame + b"\x02payload", 5) == len(frame)
    for end in range(5, len(frame)):
        with pytest.raises(EOFError):
            end_of_indexes(frame[:end], 5)
