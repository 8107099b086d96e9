# SPDX-License-Identifier: Apache-2.0
"""Objects of the user's classes in and out of the serializers: dataclass, attrs, pydantic, msgspec."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import subprocess
import sys
import uuid
from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Any, NewType, Optional

import attrs
import fastavro
import msgspec
import pydantic
import pytest

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry._core.typed_schema import avro_schema, json_schema
from confluent_kafka.schema_registry.avro import (
    AsyncAvroSerializerBuilder,
    AvroDeserializer,
    AvroDeserializerBuilder,
    AvroSerializer,
)
from confluent_kafka.schema_registry.error import SchemaMismatchError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from tests.unit.avro_kit import context

Price = Annotated[Decimal, {"precision": 9, "scale": 2}]
CustomerId = NewType("CustomerId", int)


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class DataLine:
    product: str
    price: Price
    on: dt.date


@dataclasses.dataclass
class DataOrder:
    id: int
    customer: CustomerId
    at: dt.datetime
    key: uuid.UUID
    raw: bytes
    color: Color
    level: Level
    lines: list[DataLine]
    weights: tuple[float, ...]
    labels: dict[str, str]
    note: str | None = None
    main: Optional[DataLine] = None  # noqa: UP045  # both spellings
    tags: set[str] = dataclasses.field(default_factory=set)
    count: int = 7


@attrs.define
class AttrsLine:
    product: str
    price: Price
    on: dt.date


@attrs.define
class AttrsOrder:
    id: int
    customer: CustomerId
    at: dt.datetime
    key: uuid.UUID
    raw: bytes
    color: Color
    level: Level
    lines: list[AttrsLine]
    weights: tuple[float, ...]
    labels: dict[str, str]
    note: str | None = None
    main: AttrsLine | None = None
    tags: set[str] = attrs.field(factory=set)
    count: int = 7


class PydanticLine(pydantic.BaseModel):
    product: str
    price: Decimal = pydantic.Field(max_digits=9, decimal_places=2)
    on: dt.date


class PydanticOrder(pydantic.BaseModel):
    id: int
    customer: CustomerId
    at: dt.datetime
    key: uuid.UUID
    raw: bytes
    color: Color
    level: Level
    lines: list[PydanticLine]
    weights: tuple[float, ...]
    labels: dict[str, str]
    note: str | None = None
    main: PydanticLine | None = None
    tags: set[str] = pydantic.Field(default_factory=set)
    count: int = 7


class StructLine(msgspec.Struct):
    product: str
    price: Price
    on: dt.date


class StructOrder(msgspec.Struct):
    id: int
    customer: CustomerId
    at: dt.datetime
    key: uuid.UUID
    raw: bytes
    color: Color
    level: Level
    lines: list[StructLine]
    weights: tuple[float, ...]
    labels: dict[str, str]
    note: str | None = None
    main: StructLine | None = None
    tags: set[str] = msgspec.field(default_factory=set)
    count: int = 7


KINDS: dict[str, tuple[Any, Any]] = {
    "dataclass": (DataOrder, DataLine),
    "attrs": (AttrsOrder, AttrsLine),
    "pydantic": (PydanticOrder, PydanticLine),
    "msgspec": (StructOrder, StructLine),
}
EACH = pytest.mark.parametrize("kind", KINDS)


def an_order(kind: str, **changes: Any) -> Any:
    order, line = KINDS[kind]
    fields: dict[str, Any] = {
        "id": 1,
        "customer": 2,
        "at": dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.timezone.utc),
        "key": uuid.UUID(int=7),
        "raw": b"raw",
        "color": Color.BLUE,
        "level": Level.HIGH,
        "lines": [line(product="x", price=Decimal("1.50"), on=dt.date(2026, 1, 2))],
        "weights": (0.5, 1.0),
        "labels": {"a": "b"},
        "main": line(product="y", price=Decimal("2.00"), on=dt.date(2026, 1, 3)),
        "tags": {"t"},
    }
    return order(**(fields | changes))


@pytest.fixture
def client() -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": "mock://"})


@EACH
class TestAvro:
    def test_round_trip_with_the_schema_of_the_class(self, client: SchemaRegistryClient, kind: str) -> None:
        model, _ = KINDS[kind]
        serializer, deserializer = AvroSerializer(client, model=model), AvroDeserializer(client, model=model)
        for order in (an_order(kind), an_order(kind, main=None, note="n", lines=[], tags=set())):
            read = deserializer(serializer(order, context()), context())
            assert type(read) is model
            assert read == order
        plain = AvroDeserializer(client)(serializer(an_order(kind), context()), context())
        assert plain["color"] == "blue"
        assert plain["level"] == 2
        assert plain["lines"][0]["price"] == Decimal("1.50")

    def test_schema(self, kind: str) -> None:
        made = json.loads(avro_schema(KINDS[kind][0]))
        fastavro.parse_schema(made)
        line = made["fields"][7]["type"]["items"]
        expected = {
            "id": "long",
            "customer": "long",
            "at": {"type": "long", "logicalType": "timestamp-micros"},
            "key": {"type": "string", "logicalType": "uuid"},
            "raw": "bytes",
            "color": {"type": "enum", "name": "Color", "symbols": ["red", "blue"]},
            "level": "long",
            "lines": {"type": "array", "items": line},
            "weights": {"type": "array", "items": "double"},
            "labels": {"type": "map", "values": "string"},
            "note": ["null", "string"],
            "main": ["null", line["name"]],
            "tags": {"type": "array", "items": "string"},
            "count": "long",
        }
        assert {field["name"]: field["type"] for field in made["fields"]} == expected
        assert line["fields"][1]["type"] == {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
        assert [field.get("default", "none") for field in made["fields"]][9:] == ["none", None, None, "none", 7]

    def test_with_a_schema_of_ones_own(self, client: SchemaRegistryClient, kind: str) -> None:
        _, line = KINDS[kind]
        fields = [{"name": "product", "type": "string"}]
        schema = json.dumps({"type": "record", "name": "Any", "fields": fields})
        data = AvroSerializer(client, schema, model=line)(
            line("x", Decimal(1), dt.date(2026, 1, 2))
            if kind != "pydantic"
            else line(product="x", price=1, on=dt.date(2026, 1, 2)),
            context(),
        )
        assert AvroDeserializer(client)(data, context()) == {"product": "x"}
        with pytest.raises(SchemaMismatchError, match=r"^orders-value, schema 1: "):
            AvroDeserializer(client, model=line)(data, context())

    def test_what_is_not_of_the_class(self, client: SchemaRegistryClient, kind: str) -> None:
        _, line = KINDS[kind]
        serializer = AvroSerializer(client, model=line)
        with pytest.raises(SchemaMismatchError, match=rf"^orders-value v1: expected {line.__name__}, got int"):
            serializer(5, context())
        with pytest.raises(
            SchemaMismatchError, match=rf"^object 1 of the batch, orders-value v1: expected {line.__name__}"
        ):
            serializer.serialize_many([None, 5], context())
        as_dict = {"product": "x", "price": Decimal(1), "on": dt.date(2026, 1, 2)}
        assert AvroDeserializer(client)(serializer(as_dict, context()), context()) == as_dict

    def test_latest_version_of_the_registry(self, client: SchemaRegistryClient, kind: str) -> None:
        _, line = KINDS[kind]
        conf = {"auto.register.schemas": False, "use.latest.version": True}
        client.register_schema("orders-value", Schema(avro_schema(line)))
        serializer = AvroSerializer(client, conf=conf, model=line)
        one = line(product="x", price=Decimal("1.00"), on=dt.date(2026, 1, 2))
        assert AvroDeserializer(client, model=line)(serializer(one, context()), context()) == one


@EACH
class TestJson:
    def test_round_trip_with_the_schema_of_the_class(self, client: SchemaRegistryClient, kind: str) -> None:
        model, _ = KINDS[kind]
        serializer = JSONSerializer(None, client, model=model)
        for deserializer in (
            JSONDeserializer(None, schema_registry_client=client, model=model),
            JSONDeserializer(None, model=model),
        ):
            for order in (an_order(kind), an_order(kind, main=None, note="n", lines=[], tags=set())):
                data = serializer(order, context())
                assert data is not None
                assert json.loads(data[5:])["color"] == "blue"
                read = deserializer(data, context())
                assert type(read) is model
                assert read == order

    def test_schema_refuses_what_the_class_does_not_have(self, client: SchemaRegistryClient, kind: str) -> None:
        model, _ = KINDS[kind]
        serializer = JSONSerializer(None, client, model=model)
        with pytest.raises(SchemaMismatchError):
            serializer({"id": "x"}, context())
        made = json.loads(json_schema(model))
        assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert made["title"] == model.__name__
        assert set(made["required"]) >= {"id", "at", "lines"}

    def test_values_that_the_class_refuses(self, client: SchemaRegistryClient, kind: str) -> None:
        _, line = KINDS[kind]
        deserializer = JSONDeserializer("{}", model=line)
        good = {"product": "x", "price": "1.50", "on": "2026-01-02"}
        head = b"\0\0\0\0\1"
        assert deserializer(head + json.dumps(good).encode()).on == dt.date(2026, 1, 2)
        bad_ones: list[Any] = [{**good, "on": "secret"}, {"product": "x", "on": "2026-01-02"}, []]
        for bad in bad_ones:
            with pytest.raises(SchemaMismatchError) as raised:
                deserializer(head + json.dumps(bad).encode())
            assert "secret" not in str(raised.value)


@dataclasses.dataclass
class Cat:
    lives: int


@dataclasses.dataclass
class Dog:
    barks: bool
    friend: Cat | Dog | None = None


@dataclasses.dataclass
class Owner:
    pets: list[Cat | Dog] = dataclasses.field(default_factory=list)
    best: str | Cat | None = None


def test_unions_of_classes_and_classes_that_contain_themselves(client: SchemaRegistryClient) -> None:
    owner = Owner([Cat(9), Dog(True, Dog(False)), Dog(False, Cat(1))], Cat(3))
    avro, json_ = AvroSerializer(client, model=Owner), JSONSerializer(None, client, model=Owner)
    assert AvroDeserializer(client, model=Owner)(avro(owner, context()), context()) == owner
    assert JSONDeserializer(None, model=Owner)(json_(owner, context("j")), context("j")) == owner
    for best in ("text", None):
        owner = Owner([], best)
        assert AvroDeserializer(client, model=Owner)(avro(owner, context()), context()) == owner
    with pytest.raises(SchemaMismatchError, match=r'field "pets\[0\].lives": expected'):
        avro(Owner([Cat("x")]), context())  # type: ignore[arg-type]
    made = json.loads(json_schema(Dog))
    assert made["$defs"]["Dog"]["properties"]["friend"]["anyOf"][1] == {"$ref": "#/$defs/Dog"}


class Nested(pydantic.BaseModel):
    inner: Nested | None = None


class Tree(msgspec.Struct):
    inner: Tree | None = None


@attrs.define(eq=False)
class Node:
    inner: Node | None = None


@pytest.mark.parametrize("model", [Dog, Node, Nested, Tree])
def test_objects_that_contain_themselves_and_data_nested_deeply(client: SchemaRegistryClient, model: Any) -> None:
    """They end in an error that says so, whatever the library, and not in one of the interpreter."""
    itself = model(True) if model is Dog else model()
    setattr(itself, "friend" if model is Dog else "inner", itself)
    for serializer in (AvroSerializer(client, model=model), JSONSerializer(None, client, model=model)):
        with pytest.raises(SchemaMismatchError, match=r"contains itself|cannot be taken apart"):
            serializer(itself, context(f"deep-{type(serializer).__name__}"))
    key = b"friend" if model is Dog else b"inner"
    data = b"\0\0\0\0\1" + (b'{"barks":true,"' + key + b'":') * 1000 + b"null" + b"}" * 1000
    deserializer = JSONDeserializer("{}", model=model)
    with suppress(SchemaMismatchError):  # what the library allows is read, the rest refused
        deserializer(data)


def test_evolution_by_the_defaults_of_the_class(client: SchemaRegistryClient) -> None:
    data = AvroSerializer(client, model=Cat)(Cat(9), context())

    @dataclasses.dataclass
    class Newer:
        lives: float
        name: str = "Tom"

    read = AvroDeserializer(client, model=Newer)(data, context())
    assert repr(read.lives) == "9.0"
    assert read.name == "Tom"

    @dataclasses.dataclass
    class Stricter:
        lives: int
        name: str

    with pytest.raises(SchemaMismatchError, match='field "name": the field is missing, and Stricter has no default'):
        AvroDeserializer(client, model=Stricter)(data, context())


def test_arguments(client: SchemaRegistryClient) -> None:
    for bad in (int, dict, 5, Cat(1)):
        with pytest.raises(TypeError, match="model must be a dataclass"):
            AvroSerializer(client, model=bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="model or to_dict, not both"):
        JSONSerializer(None, client, to_dict=lambda obj, ctx: obj, model=Cat)
    with pytest.raises(ValueError, match="model or from_dict, not both"):
        AvroDeserializer(client, from_dict=lambda obj, ctx: obj, model=Cat)

    @dataclasses.dataclass
    class Amount:
        value: Decimal

    @dataclasses.dataclass
    class Thing:
        value: object

    with pytest.raises(TypeError, match=r"Amount.value: how many digits"):
        AvroSerializer(client, model=Amount)
    for serializer in (lambda: AvroSerializer(client, model=Thing), lambda: JSONSerializer(None, client, model=Thing)):
        with pytest.raises(TypeError, match=r"Thing.value: .* has no type for object"):
            serializer()


def test_builders(client: SchemaRegistryClient) -> None:
    builder = AvroDeserializerBuilder(schema_registry_client=client).set_model(Cat)
    deserializer, _ = builder.build({}, False)
    data = AvroSerializer(client, model=Cat)(Cat(9), context())
    assert deserializer(data, context()) == Cat(9)
    assert AsyncAvroSerializerBuilder().set_model(Cat) is not None


def test_nothing_is_imported_for_other_classes() -> None:
    script = """
import dataclasses, sys
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
@dataclasses.dataclass
class Cat:
    lives: int
AvroSerializer(SchemaRegistryClient({"url": "mock://"}), model=Cat)
print([name for name in ("pydantic", "msgspec", "attrs", "attr") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
