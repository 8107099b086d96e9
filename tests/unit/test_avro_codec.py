# SPDX-License-Identifier: Apache-2.0
"""The Avro codec against fastavro, which says what is right; and what no bytes may do to it."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import gc
import io
import json
import pickle
import random
import sys
import threading
import time
import uuid
from contextlib import suppress
from typing import Any

import fastavro
import numpy
import pytest
from fastavro import logical_readers, logical_writers
from hypothesis import given, settings
from hypothesis import strategies as st

from confluent_kafka.schema_registry import Schema
from confluent_kafka.schema_registry._core.codecs.avro import AvroCodec, ResolutionError
from confluent_kafka.schema_registry.confluent.type.variant_utils import Variant, parse_json
from confluent_kafka.schema_registry.error import SchemaMismatchError
from confluent_kafka.serialization import SerializationError
from tests.support.avro_corpus import Generator

SEEDS = st.integers(0, 2**32)


def codec(schema: Any, reader: Any = None, **options: Any) -> tuple[Any, Any]:
    """The functions that write, and read, by a schema."""
    made = AvroCodec(**options)
    compiled = made.compile(Schema(json.dumps(schema)), {})
    wanted = None if reader is None else made.compile(Schema(json.dumps(reader)), {})
    return made.encoder(compiled), made.decoder(compiled, wanted)


def oracle_writes(schema: Any, value: Any, **options: Any) -> bytes | Exception:
    buffer = io.BytesIO()
    try:
        fastavro.schemaless_writer(buffer, fastavro.parse_schema(schema), value, **options)
    except Exception as e:
        return e
    return buffer.getvalue()


def oracle_reads(data: bytes, schema: Any, reader: Any = None, **options: Any) -> Any:
    wanted = None if reader is None else fastavro.parse_schema(reader)
    try:
        return fastavro.schemaless_reader(io.BytesIO(data), fastavro.parse_schema(schema), wanted, **options)
    except Exception as e:
        return e


def parsed(schema: Any) -> bool:
    """Whether fastavro takes a schema. A type that the generator moved before its definition is none."""
    try:
        fastavro.parse_schema(schema)
    except (fastavro.schema.UnknownType, fastavro.schema.SchemaParseException):
        return False
    return True


def agree(schema: Any, value: Any, **options: Any) -> None:
    """Both write the same bytes, and read the same out of them; or both refuse."""
    write, read = codec(schema, **options)
    expected = oracle_writes(schema, value, **options)
    if isinstance(expected, Exception):
        with pytest.raises(SchemaMismatchError):
            write(value, b"")
        return
    data = write(value, b"")
    assert data == expected
    assert write(value, b"head") == b"head" + expected
    there = oracle_reads(data, schema)
    if isinstance(there, Exception):
        with pytest.raises(SerializationError):
            read(data, 0)
    else:
        # repr: True is not 1, a NaN is a NaN
        assert repr(read(data, 0)) == repr(read(b"xx" + data, 2)) == repr(there)


@settings(deadline=None)
@given(SEEDS)
def test_bytes_values_and_refusals_are_those_of_fastavro(seed: int) -> None:
    generator = Generator(random.Random(seed))
    schema = generator.schema()
    if not parsed(schema) or schema in ("bytes", {"type": "bytes"}) or "decimal" in str(schema)[:60]:
        return  # top-level bytes have no length here
    value = generator.value(schema)
    agree(schema, value)
    agree(schema, generator.changed(value))
    agree(schema, value, strict=True)
    agree(schema, value, strict_allow_default=True)


@settings(deadline=None)
@given(SEEDS, st.booleans())
def test_resolution_is_that_of_fastavro(seed: int, names: bool) -> None:
    generator = Generator(random.Random(seed))
    schema = generator.schema()
    reader = generator.evolved(generator.evolved(schema))
    if not parsed(schema) or not parsed(reader) or (isinstance(schema, dict) and schema["type"] == "bytes"):
        return
    if schema == "bytes":
        return
    write, read = codec(schema, reader, return_record_name=names)
    for _ in range(3):
        value = generator.value(schema)
        if isinstance(oracle_writes(schema, value), Exception):
            continue  # a default of bytes, which is text in a schema
        data = write(value, b"")
        expected = oracle_reads(data, schema, reader, return_record_name=names)
        if isinstance(expected, fastavro.read.SchemaResolutionError):
            with pytest.raises(ResolutionError):
                read(data, 0)
        elif isinstance(expected, Exception):
            with pytest.raises(SerializationError):
                read(data, 0)
        else:
            assert repr(read(data, 0)) == repr(expected)


@settings(deadline=None)
@given(SEEDS, st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(seed: int, noise: bytes) -> None:
    generator = Generator(random.Random(seed))
    schema = generator.schema()
    if not parsed(schema):
        return
    write, read = codec(schema)
    value = generator.value(schema)
    data = bytearray() if isinstance(oracle_writes(schema, value), Exception) else bytearray(write(value, b""))
    for place in range(min(len(data), 5)):
        data[random.Random(seed + place).randrange(len(data))] ^= 1 << place
    for corrupt in (noise, bytes(data), *(bytes(data[:end]) for end in range(min(len(data), 20)))):
        with suppress(SerializationError):
            read(corrupt, 0)


A = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "string"}]}
B = {"type": "record", "name": "B", "fields": [{"name": "x", "type": "int"}, {"name": "z", "type": ["null", "A"]}]}
LIST = {"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]}
TREE = {"type": "record", "name": "T", "fields": [{"name": "sub", "type": {"type": "array", "items": "T"}}]}
HOLLOW = {"type": "record", "name": "H", "fields": []}


class Odd(dict[str, Any]):
    """A dict whose ``get`` has a mind of its own."""

    def get(self, key: str, default: Any = None) -> Any:
        return 7 if key == "x" else super().get(key, default)


class Whole:
    def __int__(self) -> int:
        return 6


class Part:
    def __float__(self) -> float:
        return 1.5


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ("int", 3.7), ("int", decimal.Decimal(3)), ("int", Whole()), ("long", True), ("long", 2**63), ("int", 2**40),
        ("double", Part()), ("double", "1"), ("double", 10**400), ("float", 1e300), ("boolean", []), ("boolean", None),
        ("string", Text("a")), ("string", b"a"), ("string", "\ud800"), (["null", "bytes"], bytearray(b"ab")),
        ({"type": "array", "items": "bytes"}, [memoryview(b"ab"), bytearray(b"x")]),
        ({"type": "array", "items": "int"}, (1, 2)), ({"type": "array", "items": "int"}, {1: 2}),
        ({"type": "array", "items": "string"}, "abc"), ({"type": "array", "items": "int"}, b"abc"),
        ({"type": "array", "items": "int"}, iter([1, 2])), ({"type": "array", "items": "int"}, None),
        ({"type": "map", "values": "int"}, []), ({"type": "map", "values": "int"}, [1]),
        ({"type": "map", "values": "int"}, {1: 2}), ({"type": "map", "values": "int"}, collections.OrderedDict(a=1)),
        ({"type": "map", "values": "int"}, collections.defaultdict(int, a=1)),
        (A, Odd(x=1, y="s")), (A, collections.ChainMap[str, Any]({"x": 1}, {"y": "s"})),
        (A, {"x": 1, "y": "s", 3: None}),
        (A, None), (A, 5), (A, ["x"]), (HOLLOW, []), (HOLLOW, None),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, Text("B")),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, []),
        (["float", "null", "double"], 1.5), (["float", "string"], 2), (["int", "string"], 2**40),
        (["null", A, B], {"x": 1, "y": "s"}), (["null", A, B], {"x": 1}),
        (["null", A, B], {"x": 1, "z": {"x": 2, "y": ""}}),
        (["null", A, B], ("A", {"x": 1, "y": "s"})), (["null", A, B], ("C", {})), (["null", A], ("A", {"x": 1}, 3)),
        ([A, {"type": "map", "values": "int"}], {"x": 1}), ([A, B], {"-type": "B", "x": 1, "y": "s"}),
        (["int", {"type": "array", "items": "int"}], range(3)), ([["null", "int"], "string"], 5),
        ([{"type": "int", "logicalType": "date"}, "string"], "2026-01-02"),
        ([{"type": "int", "logicalType": "date"}, "string"], "no date"),
        (["null", {"type": "fixed", "name": "F", "size": 2}], b"abc"), (["null", "double"], decimal.Decimal(1)),
        ({"type": "record", "name": "R", "fields": [{"name": "f", "type": "double"}]}, {"f": " -inf "}),
        ({"type": "record", "name": "R", "fields": [{"name": "f", "type": {"type": "double"}}]}, {"f": " -inf "}),
        ({"type": "record", "name": "R", "fields": [{"name": "f", "type": ["null", "int"]}]}, {}),
        ({"type": "record", "name": "R", "fields": [{"name": "f", "type": "bytes", "default": "x"}]}, {}),
        ({"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}, bytes(12)),
        ({"type": "long", "logicalType": "timestamp-nanos"}, dt.datetime(2026, 1, 2)),
        ({"type": "long", "logicalType": "timestamp-micros"}, dt.datetime(2026, 7, 2, 3, 4, 5, 6)),
    ],
)  # fmt: skip
def test_out_of_the_ordinary(schema: Any, value: Any) -> None:
    schema = [A, *schema] if schema == ["null", B] else schema
    if isinstance(value, type(iter([]))):
        write, _ = codec(schema)
        assert write(value, b"") == oracle_writes(schema, [1, 2])
        return
    agree(schema, value)


def test_numpy_and_arrays() -> None:
    schema = {"type": "array", "items": ["null", "long", "double"]}
    for value in ([numpy.int32(5), numpy.float64(1.5), None], numpy.array([1.5, 2.5]), numpy.arange(3)):
        agree(schema, list(value))
    agree({"type": "array", "items": "double"}, numpy.array([1.5, 2.5]))


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        # a list that is not exactly a list
        ({"type": "array", "items": "int"}, type("Mine", (list,), {})([1, 2])),
        # fastavro looks for "Outer.inner.A" there
        (
            ["null", {"type": "record", "name": "O", "fields": [{"name": "f", "type": ["null", A, B]}]}],
            {"f": {"-type": "A", "x": 1, "y": ""}},
        ),
    ],
)
def test_written_although_fastavro_stumbles(schema: Any, value: Any) -> None:
    assert isinstance(oracle_writes(schema, value), Exception)
    write, read = codec(schema)
    assert read(write(value, b""), 0) is not None


def test_values_that_fastavro_changes() -> None:
    write, _ = codec({"type": "array", "items": "bytes"})
    assert write([memoryview(b"abcd")[::2]], b"") == b"\x02\x04ac\x00"  # fastavro writes "ab"
    schema = {"type": "fixed", "name": "D", "size": 2, "logicalType": "decimal", "precision": 4, "scale": 2}
    write, read = codec(schema)
    assert read(write(decimal.Decimal("-0"), b""), 0) == 0  # fastavro writes -0.02
    with pytest.raises(SchemaMismatchError, match="expected a decimal of 2 bytes, got a larger one"):
        write(decimal.Decimal("-9E+3"), b"")  # fastavro writes the last two of its three bytes
    with pytest.raises(SchemaMismatchError, match="finite"):
        write(decimal.Decimal("Infinity"), b"")
    with pytest.raises(SchemaMismatchError, match="precision"):
        codec({**schema, "type": "bytes"})[0](decimal.Decimal("1E+999999999"), b"")


def test_timestamps_of_every_zone() -> None:
    for logical in ("timestamp-millis", "timestamp-micros", "local-timestamp-millis", "local-timestamp-micros"):
        schema = {"type": "long", "logicalType": logical}
        for minutes in (-719, -1, 0, 330, 839):
            zone = dt.timezone(dt.timedelta(minutes=minutes, seconds=1, microseconds=7))
            for moment in (dt.datetime.min, dt.datetime(1969, 12, 31, 23, 59, 59, 999_999), dt.datetime.max):
                if logical.startswith("local") or dt.datetime.min < moment < dt.datetime.max:
                    agree(schema, moment.replace(tzinfo=zone))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC"])
def test_timestamps_without_a_zone_are_the_machines(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for moment in (dt.datetime(2026, 7, 1, 12), dt.datetime(2026, 3, 29, 2, 30), dt.datetime(1995, 10, 29, 2, 30)):
            agree({"type": "long", "logicalType": "timestamp-micros"}, moment)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_logical_types_of_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {"type": "array", "items": ["null", {"type": "int", "logicalType": "celsius"}, "string"]}
    monkeypatch.setitem(
        logical_writers.LOGICAL_WRITERS, "int-celsius",
        lambda value, schema: round(value.kelvin) if hasattr(value, "kelvin") else value,
    )  # fmt: skip
    monkeypatch.setitem(
        logical_readers.LOGICAL_READERS, "int-celsius", lambda value, writer, reader: (value, writer["logicalType"])
    )
    warm = type("Warm", (), {"kelvin": 300.2})()
    write, read = codec(schema)
    assert read(write([None, warm, 5, "x"], b""), 0) == [None, (300, "celsius"), (5, "celsius"), "x"]
    agree(schema, [None, warm, 5, "x"])
    agree(schema, [object()])


def test_variants() -> None:
    fields = [{"name": "metadata", "type": "bytes"}, {"name": "value", "type": "bytes"}]
    variant = {"type": "record", "name": "V", "logicalType": "variant", "fields": fields}
    write, read = codec({"type": "array", "items": ["null", variant, "string"]})
    whole = parse_json('{"a": [1, "x"], "b": null}')
    part = whole.get_field_by_key("a")
    values = [whole, None, part, "text", {"metadata": whole.metadata, "value": whole.value}]
    back = read(write(values, b""), 0)
    assert [json.loads(value.to_json()) for value in back if isinstance(value, Variant)] == [
        {"a": [1, "x"], "b": None}, [1, "x"], {"a": [1, "x"], "b": None},
    ]  # fmt: skip
    assert back[1::2] == [None, "text"]
    with pytest.raises(SchemaMismatchError, match=r"\[0\]"):
        write([5], b"")


def test_defaults_are_not_shared() -> None:
    reader = {
        **A,
        "fields": [*A["fields"], {"name": "many", "type": {"type": "array", "items": "int"}, "default": [1]}],
    }
    write, read = codec(A, reader)
    data = write({"x": 1, "y": ""}, b"")
    read(data, 0)["many"].append(2)
    assert read(data, 0)["many"] == [1]


class TestHostile:
    @staticmethod
    def refused(schema: Any, data: bytes, text: str) -> None:
        _, read = codec(schema)
        before = time.process_time()
        with pytest.raises(SerializationError, match=text) as raised:
            read(data, 0)
        # generous: without limits it would be years
        assert time.process_time() - before < 20
        assert not isinstance(raised.value, MemoryError)

    def test_lengths_without_data(self) -> None:
        huge = b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
        for schema in (["null", "string"], {"type": "array", "items": "int"}, {"type": "map", "values": "null"}):
            self.refused(schema, b"\x02" * isinstance(schema, list) + huge, "cut off")
        self.refused("string", b"\x01", "negative length")
        self.refused("long", b"\xff" * 11, "ten bytes")

    def test_items_that_take_no_space(self) -> None:
        huge = b"\xfe\xff\xff\xff\xff\x0f"
        for items in ("null", HOLLOW, {"type": "fixed", "name": "F", "size": 0}):
            self.refused({"type": "array", "items": items}, huge, "take no space")
        inner = {"type": "array", "items": "null"}
        self.refused(
            {"type": "array", "items": inner}, b"\x80\x89\x7a" + b"\xfe\xff\x0f\x00" * 1_000_000, "take no space"
        )
        write, read = codec(inner)
        assert read(write([None] * 100_000, b""), 0) == [None] * 100_000
        # passing them over takes no time at all
        whole = {"type": "record", "name": "W", "fields": [{"name": "n", "type": inner}, {"name": "i", "type": "int"}]}
        _, read = codec(whole, {**whole, "fields": whole["fields"][1:]})
        assert read(huge + b"\x00\x0a", 0) == {"i": 5}

    def test_depth(self) -> None:
        self.refused(LIST, b"\x02" * 1_000_000 + b"\x00", "nested more than 500")
        self.refused(TREE, b"\x02" * 1_000_000 + b"\x00", "nested more than 500")
        self.refused(
            {"type": "record", "name": "S", "fields": [{"name": "s", "type": "S"}]}, b"", "nested more than 500"
        )
        deep: dict[str, Any] = {"next": None}
        for _ in range(400):
            deep = {"next": deep}
        # the second one's branches have to be looked at before one is taken
        for schema in (LIST, [A, {**LIST, "fields": [{"name": "next", "type": ["null", "A", "L"]}]}]):
            write, read = codec(schema)
            assert read(write(deep, b""), 0) == deep

    def test_records_of_nothing_multiply(self) -> None:
        fields: list[dict[str, Any]] = [{"name": "a", "type": HOLLOW}, {"name": "b", "type": "H"}]
        schema: dict[str, Any] = {"type": "record", "name": "R0", "fields": fields}
        for n in range(1, 60):
            inner = [{"name": "a", "type": schema}, {"name": "b", "type": f"R{n - 1}"}]
            schema = {"type": "record", "name": f"R{n}", "fields": inner}
        self.refused(schema, b"", "take no space")

    def test_places_that_there_are_not(self) -> None:
        self.refused(["null", "int"], b"\x04", "branch that there is not")
        self.refused(["null", "int"], b"\x01", "branch that there is not")
        self.refused({"type": "enum", "name": "E", "symbols": ["A"]}, b"\x02", "symbol that there is not")
        self.refused({"type": "array", "items": ["null", A]}, b"\x04\x00\x02\x00\x04\xff\xff", r'field "\[1\].y"')
        self.refused({"type": "int", "logicalType": "date"}, b"\xfe\xff\xff\xff\x0f", "out of range")
        self.refused({"type": "string", "logicalType": "uuid"}, b"\x02x", "no UUID")

    def test_objects_that_contain_themselves(self) -> None:
        write, _ = codec(LIST)
        cyclic: dict[str, Any] = {}
        cyclic["next"] = cyclic
        with pytest.raises(SerializationError, match="contains itself"):
            write(cyclic, b"")
        write, _ = codec([LIST, A, B])
        with pytest.raises(SerializationError, match="contains itself"):
            write(cyclic, b"")

    def test_lists_that_change_under_the_writers_hands(self) -> None:
        items: list[Any] = []

        class Clearing:
            def __int__(self) -> int:
                items.clear()
                return 1

        items += [Clearing(), 2, 3]
        write, _ = codec({"type": "array", "items": "int"})
        with pytest.raises(SchemaMismatchError, match="became shorter"):
            write(items, b"")

    def test_what_objects_raise(self) -> None:
        class Raising:
            def __init__(self, error: BaseException) -> None:
                self._error = error

            def __int__(self) -> int:
                raise self._error

        write, _ = codec({"type": "record", "name": "R", "fields": [{"name": "f", "type": "int"}]})
        with pytest.raises(SchemaMismatchError, match=r'field "f": RuntimeError: no') as raised:
            write({"f": Raising(RuntimeError("no"))}, b"")
        assert isinstance(raised.value.__cause__, RuntimeError)
        with pytest.raises(KeyboardInterrupt):
            write({"f": Raising(KeyboardInterrupt())}, b"")


def test_errors_can_be_pickled() -> None:
    write, read = codec(A)
    with pytest.raises(SchemaMismatchError) as refused:
        write({"x": "secret"}, b"")
    assert str(pickle.loads(pickle.dumps(refused.value))) == 'field "x": expected int, got str'
    with pytest.raises(EOFError) as cut:
        read(b"\x02", 0)
    assert str(pickle.loads(pickle.dumps(cut.value))) == str(cut.value)


def test_nothing_is_kept() -> None:
    schema = {
        "type": "record", "name": "R",
        "fields": [
            {"name": "a", "type": ["null", A, B]}, {"name": "m", "type": {"type": "map", "values": "string"}},
            {"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 50, "scale": 2}},
            {"name": "t", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "u", "type": {"type": "string", "logicalType": "uuid"}},
            {"name": "l", "type": {"type": "array", "items": "double"}},
        ],
    }  # fmt: skip
    reader = {
        **schema,
        "fields": [
            *schema["fields"][::-1][:-1],
            {"name": "n", "type": {"type": "map", "values": "int"}, "default": {"a": 1}},
        ],
    }
    good = {
        "a": {"x": 1, "z": {"x": 2, "y": ""}}, "m": {"k": "v" * 50}, "d": decimal.Decimal("1.25"),
        "t": dt.datetime(2026, 1, 2, tzinfo=dt.timezone.utc), "u": uuid.UUID(int=1), "l": [1.0, 2.0],
    }  # fmt: skip
    bad = {**good, "l": [1.0, "x"]}
    write, read = codec(schema, reader)
    _, plain = codec(schema)

    def work() -> None:
        for _ in range(200):
            data = write(good, b"12345")
            read(data, 5), plain(data, 5)
            for function, argument in ((write, (bad, b"")), (read, (data[:-3], 5)), (read, (b"\x02\xff", 0))):
                with pytest.raises(SerializationError):
                    function(*argument)
            # made from nothing, taken apart to nothing
            codec(schema, reader)

    def blocks() -> int:
        gc.collect()
        return sys.getallocatedblocks()

    work()
    counts = [sys.getrefcount(value) for value in (*good.values(), None, True)]
    before = blocks()
    work()
    work()
    assert blocks() - before < 200  # 600 rounds: less than one object in three
    after = [sys.getrefcount(value) for value in (*good.values(), None, True)]
    assert all(abs(new - old) < 100 for new, old in zip(after, counts, strict=True))


def test_many_threads_share_a_plan() -> None:
    write, read = codec([A, B])
    wrong: list[Any] = []

    def work(number: int) -> None:
        for n in range(500):
            value = {"x": number, "y": str(n)}
            if read(write(value, b""), 0) != value:
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
