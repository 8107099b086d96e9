# SPDX-License-Identifier: Apache-2.0
"""Protobuf serializers: what is registered, what is written, what is read, what is refused."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import pickle
import threading
from typing import Any

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st

from confluent_kafka.schema_registry import (
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SchemaRegistryError,
    header_schema_id_serializer,
    record_subject_name_strategy,
)
from confluent_kafka.schema_registry._core.codecs.protobuf_files import indexes_of, message_at, to_text
from confluent_kafka.schema_registry.error import SchemaMismatchError
from confluent_kafka.schema_registry.protobuf import (
    AsyncProtobufDeserializer,
    AsyncProtobufDeserializerBuilder,
    AsyncProtobufSerializer,
    AsyncProtobufSerializerBuilder,
    ProtobufDeserializer,
    ProtobufDeserializerBuilder,
    ProtobufSerializer,
    ProtobufSerializerBuilder,
    get_inline_tags,
)
from confluent_kafka.serialization import MessageField, SerializationError
from tests.unit.avro_kit import RULE
from tests.unit.protobuf_kit import AN_ORDER, ORDER, Recording, context, linked, made, message_class

LATEST = {"use.latest.version": True, "auto.register.schemas": False}


@pytest.fixture
def client() -> Recording:
    return Recording()


def test_a_message_is_framed_by_id_and_indexes(client: Recording) -> None:
    order = message_class()
    data = ProtobufSerializer(order, client)(order(id=3), context())
    # money, customer, then the order's own file, in which Order is the second message
    assert data == b"\x00\x00\x00\x00\x03\x02\x02" + b"\x08\x03"
    assert ProtobufDeserializer(order, schema_registry_client=client)(data, context()) == order(id=3)


@pytest.mark.parametrize(
    ("message", "indexes", "frame"),
    [("Empty", [0], b"\x00"), ("Order", [1], b"\x02\x02"), ("Order.Line", [1, 2], b"\x04\x02\x04"),
     ("Order.Line.Tag", [1, 2, 0], b"\x06\x02\x04\x00"), ("Order.Address", [1, 3], b"\x04\x02\x06")],
)  # fmt: skip
def test_message_indexes(client: Recording, message: str, indexes: list[int], frame: bytes) -> None:
    kind = message_class(message=message)
    assert indexes_of(kind.DESCRIPTOR) == indexes
    assert message_at(kind.DESCRIPTOR.file, indexes) == kind.DESCRIPTOR
    data = ProtobufSerializer(kind, client)(kind(), context())
    assert data == b"\x00\x00\x00\x00\x03" + frame
    read = ProtobufDeserializer(None, schema_registry_client=client)(data, context())
    assert read.DESCRIPTOR.full_name == f"shop.{message}"


def test_imported_files_are_registered_first_and_once(client: Recording) -> None:
    order = message_class()
    serializer = ProtobufSerializer(order, client)
    for topic in ("a", "b"):
        for _ in range(3):
            serializer(order(), context(topic))
    registered = [subject for method, subject in client.calls if method == "register_schema_full_response"]
    assert registered == ["shop/money.proto", "shop/customer.proto", "a-value", "b-value"]
    own = client.get_latest_version("a-value").schema
    assert own.schema_type == "PROTOBUF"
    assert own.references == [
        SchemaReference("shop/customer.proto", "shop/customer.proto", 1),
        SchemaReference("shop/money.proto", "shop/money.proto", 1),
    ]
    file = descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(str(own.schema_str)))
    assert (file.name, file.package) == ("shop/order.proto", "shop")
    assert own.schema_str == to_text(order.DESCRIPTOR.file)
    customer = client.get_latest_version("shop/customer.proto").schema
    assert customer.references == [SchemaReference("shop/money.proto", "shop/money.proto", 1)]


def test_known_types_are_registered_on_demand(client: Recording) -> None:
    order = message_class()
    conf = {"skip.known.types": False, "reference.subject.name.strategy": lambda ctx, file: f"{ctx.topic}:{file.name}"}
    ProtobufSerializer(order, client, conf)(order(), context())
    names = [item.subject for item in client.get_latest_version("orders-value").schema.references or ()]
    assert names == ["orders:shop/customer.proto", "orders:shop/money.proto", "orders:google/protobuf/timestamp.proto"]


def test_without_registering_all_files_are_looked_up(client: Recording) -> None:
    order = message_class()
    registering = ProtobufSerializer(order, client)(order(id=1), context())
    client.calls.clear()
    assert ProtobufSerializer(order, client, {"auto.register.schemas": False})(order(id=1), context()) == registering
    assert client.calls == [
        ("lookup_schema", "shop/money.proto"), ("lookup_schema", "shop/customer.proto"),
        ("lookup_schema", "orders-value"),
    ]  # fmt: skip


def test_another_class_is_refused(client: Recording) -> None:
    order, line = message_class(), message_class(message="Order.Line")
    with pytest.raises(ValueError, match=r"message must be of type .* not "):
        ProtobufSerializer(order, client)(line(), context())


def test_dicts_and_dynamic_messages_by_the_registrys_schema_alone(client: Recording) -> None:
    order = message_class()
    data = ProtobufSerializer(order, client)(made(order, AN_ORDER), context())
    read = ProtobufDeserializer(None, schema_registry_client=client, as_dict=True)(data, context())
    assert read == AN_ORDER
    serializer = ProtobufSerializer(None, client, LATEST, message_name="shop.Order")
    assert serializer(read, context()) == data
    message = ProtobufDeserializer(None, schema_registry_client=client)(data, context())
    assert message.customer.credit.cents == -5
    assert serializer(message, context()) == data
    assert serializer(made(order, AN_ORDER), context()) == data


def test_a_schema_as_text(client: Recording) -> None:
    references = [SchemaReference(name, name, 1) for name in ("shop/customer.proto", "shop/money.proto")]
    order = message_class()
    ProtobufSerializer(order, client)(order(), context("other"))
    serializer = ProtobufSerializer(Schema(ORDER, "PROTOBUF", references), client, message_name="shop.Order")
    data = serializer(AN_ORDER, context())
    assert ProtobufDeserializer(order, schema_registry_client=client)(data, context()) == made(order, AN_ORDER)
    assert ProtobufSerializer('syntax = "proto3"; message A { int32 x = 1; }', client)({"x": 1}, context("a"))


def test_a_wrong_schema_is_refused_when_the_serializer_is_made(client: Recording) -> None:
    with pytest.raises(SerializationError, match="line 1"):
        ProtobufSerializer("message {", client)
    with pytest.raises(TypeError, match="message class"):
        ProtobufSerializer(5, client)
    with pytest.raises(ValueError, match="message_name"):
        ProtobufSerializer(message_class(), client, message_name="shop.Order")
    with pytest.raises(ValueError, match="nothing else"):
        ProtobufDeserializer(None)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"idd": 1}, 'orders-value v1: field "idd": shop.Order has no such field'),
        ({"id": "1"}, 'orders-value v1: field "id": expected int64, got str'),
        ({"id": 2**63}, 'orders-value v1: field "id": expected int64, got int 9223372036854775808'),
        ({"lines": [{}, {"price": "x"}]}, 'orders-value v1: field "lines[1].price": expected double, got str'),
        ({"lines": [{"tags": [{}, 5]}]}, 'field "lines[0].tags[1]": expected shop.Order.Line.Tag as dict, got int'),
        ({"lines": 5}, 'field "lines": expected list, got int'),
        ({"status": "GONE"}, "field \"status\": shop.Status has no value 'GONE'"),
        ({"paid": {"a": {"cents": 1.5}}}, "field \"paid['a'].cents\": expected int64, got float"),
        ({"history": {"x": 1}}, "field \"history['x']\": expected int32, got str"),
        ({"raw": "text"}, 'field "raw": expected bytes, got str'),
        ({"customer": {"credit": {"currency": 5}}}, 'field "customer.credit.currency": expected string, got int'),
        ({"weights": [1.0, None]}, 'field "weights[1]": expected double, got NoneType'),
    ],
)
def test_errors_name_subject_version_and_field(client: Recording, change: dict[str, Any], problem: str) -> None:
    ProtobufSerializer(message_class(), client)(message_class()(), context())
    serializer = ProtobufSerializer(None, client, LATEST, message_name="shop.Order")
    with pytest.raises(SchemaMismatchError) as caught:
        serializer({**AN_ORDER, **change}, context())
    assert problem in str(caught.value)


def test_required_fields(client: Recording) -> None:
    kind = message_class("message A { required int32 x = 1; optional A a = 2; }", "A")
    serializer = ProtobufSerializer(kind, client)
    with pytest.raises(SerializationError, match=r'orders-value v1: field "a\.x": this required field is not set'):
        serializer(kind(x=1, a=kind()), context())


def test_the_latest_schema_decides_the_indexes(client: Recording) -> None:
    kind = message_class('syntax = "proto3"; package p; message A { int32 x = 1; }', "A")
    newer = 'syntax = "proto3"; package p; message B {} message A { int32 x = 1; int32 y = 2; }'
    client.register_schema("orders-value", Schema(newer, "PROTOBUF"))
    data = ProtobufSerializer(kind, client, LATEST)(kind(x=1), context())
    assert data == b"\x00\x00\x00\x00\x01\x02\x02\x08\x01"
    client.register_schema("others-value", Schema('syntax = "proto3"; message C {}', "PROTOBUF"))
    with pytest.raises(SerializationError, match=r"has no message p\.A"):
        ProtobufSerializer(kind, client, LATEST)(kind(x=1), context("others"))


def test_reading_as_the_latest_schema(client: Recording) -> None:
    kind = message_class('syntax = "proto3"; package p; message A { int32 x = 1; }', "A")
    data = ProtobufSerializer(kind, client)(kind(x=1), context())
    newer = 'syntax = "proto3"; package p; message B {} message A { int32 x = 1; int32 y = 2; }'
    client.register_schema("orders-value", Schema(newer, "PROTOBUF"))
    conf = {"use.latest.version": True}
    assert ProtobufDeserializer(None, conf, client, as_dict=True)(data, context()) == {"x": 1, "y": 0}
    assert ProtobufDeserializer(kind, conf, client)(data, context()) == kind(x=1)


def test_reading_without_a_registry() -> None:
    order = message_class()
    data = b"\x00\x00\x00\x00\x63\x02\x02" + order(id=9).SerializeToString()
    assert ProtobufDeserializer(order)(data).id == 9
    assert ProtobufDeserializer(order)(data, context()).id == 9
    assert ProtobufDeserializer(order)(None) is None


def test_id_in_a_header(client: Recording) -> None:
    order = message_class()
    headers: list[Any] = []
    ctx = context(headers=headers)
    data = ProtobufSerializer(order, client, {"schema.id.serializer": header_schema_id_serializer})(order(id=4), ctx)
    assert data == b"\x08\x04"
    name, frame = headers[0]
    assert (name, frame[:1], frame[17:]) == ("__value_schema_id", b"\x01", b"\x02\x02")
    assert ProtobufDeserializer(None, schema_registry_client=client)(data, ctx).id == 4


def test_record_names(client: Recording) -> None:
    line = message_class(message="Order.Line")
    for strategy in ({"subject.name.strategy.type": "RECORD"}, {"subject.name.strategy": record_subject_name_strategy}):
        data = ProtobufSerializer(line, client, dict(strategy))(line(article="pen"), context())
        assert client.get_latest_version("shop.Order.Line").version == 1
        assert ProtobufDeserializer(None, dict(strategy), client)(data, context()).article == "pen"


def test_without_a_context_the_only_subject_counts(client: Recording) -> None:
    order = message_class()
    serializer = ProtobufSerializer(order, client)
    with pytest.raises(ValueError, match="SerializationContext is required"):
        serializer(order())
    data = serializer(order(), context())
    assert serializer(order()) == data
    serializer(order(), context("another"))
    with pytest.raises(ValueError, match="SerializationContext is required"):
        serializer(order())


@pytest.mark.parametrize(
    ("conf", "problem"),
    [
        ({"use.deprecated.format": True}, "use.deprecated.format is no longer supported"),
        ({"use.deprecated.format": 1}, "use.deprecated.format must be a boolean value"),
        ({"skip.known.types": "yes"}, "skip.known.types must be a boolean value"),
        ({"reference.subject.name.strategy": 1}, "reference.subject.name.strategy must be callable"),
        ({"skip.known.type": True}, "did you mean skip.known.types"),
        ({"use.latest.version": True}, "cannot enable both"),
    ],
)
def test_options(client: Recording, conf: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ProtobufSerializer(message_class(), client, conf)


def test_rules_are_not_ignored(client: Recording) -> None:
    from confluent_kafka.schema_registry import RuleSet

    order = message_class()
    ProtobufSerializer(order, client)(order(), context())
    plain = client.get_latest_version("orders-value").schema
    client.register_schema("orders-value", dataclasses.replace(plain, rule_set=RuleSet([], [RULE])))
    client.clear_caches()
    with pytest.raises(SerializationError, match="cannot run, and nothing is written"):
        ProtobufSerializer(order, client, LATEST)(order(), context())


CORRUPT = [
    (b"", "length 6 bytes or more"),
    (b"\x00\x00", "length 6 bytes or more"),
    (b"\x00\x00\x00\x00\x03", "reading index"),
    (b"\x00\x00\x00\x00\x03\x04\x02", "reading index"),
    (b"\x00\x00\x00\x00\x03\x02\x08", "message index 4 out of range, schema has 2 top-level"),
    (b"\x00\x00\x00\x00\x03\x04\x02\x63", "message index -50 out of range, message has 4 nested"),
    (b"\x00\x00\x00\x00\x03\x01", "Invalid msgidx array length"),
    (b"\x00\x00\x00\x00\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "longer than 64 bits"),
    (b"\x00\x00\x00\x00\x03" + b"\xc0\x9a\x0c" + b"\x00" * 50, "reading index"),
    (b"\x00\x00\x00\x00\x03\x02\x02\x1a\xff\xff\xff\xff\x0f", "orders-value, schema 3"),
    (b"\x00\x00\x00\x00\x03\x02\x02\x12\x02\xff\xff", "orders-value, schema 3"),
    (b"\x05\x00\x00\x00\x03\x00\x00", "magic byte"),
]


@pytest.mark.parametrize(("data", "problem"), CORRUPT)
def test_corrupt_bytes(client: Recording, data: bytes, problem: str) -> None:
    order = message_class()
    ProtobufSerializer(order, client)(order(), context())
    for kind in (order, None):
        with pytest.raises(SerializationError, match=problem):
            ProtobufDeserializer(kind, schema_registry_client=client)(data, context())


def test_deep_nesting_is_refused(client: Recording) -> None:
    kind = message_class('syntax = "proto3"; message A { A a = 1; repeated A many = 2; }', "A")
    good = ProtobufSerializer(kind, client)(kind(), context()) or b""
    data = b""
    for _ in range(50):
        data = b"\x0a" + _varint(len(data)) + data
    read = ProtobufDeserializer(None, schema_registry_client=client, as_dict=True)(good + data, context())
    assert len(str(read)) > 50
    for _ in range(100_000):
        data = b"\x0a" + _varint(len(data)) + data[:1000]
    for as_dict in (True, False):
        with pytest.raises(SerializationError):
            ProtobufDeserializer(None, schema_registry_client=client, as_dict=as_dict)(good + data, context())
    nested: dict[str, Any] = {}
    for _ in range(200_000):
        nested = {"a": nested}
    client.register_schema("deep-value", Schema('syntax = "proto3"; message A { A a = 1; }', "PROTOBUF"))
    with pytest.raises(SchemaMismatchError, match="more than 100 levels"):
        ProtobufSerializer(None, client, LATEST)(nested, context("deep"))


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append((number & 0x7F) | 0x80)
        number >>= 7
    return bytes([*out, number])


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    order = message_class()
    client = SchemaRegistryClient.new_client({"url": "mock://"})
    ProtobufSerializer(order, client)(order(), context())
    deserializer = ProtobufDeserializer(None, schema_registry_client=client, as_dict=True)
    for framed in (data, b"\x00\x00\x00\x00\x03\x02\x02" + data):
        try:
            deserializer(framed, context())
        except SerializationError:  # noqa: PERF203
            continue
        except SchemaRegistryError as e:
            assert e.http_status_code == 404  # noqa: PT017  # an id that nobody registered


VALUES = st.fixed_dictionaries(
    {
        "id": st.integers(-(2**63), 2**63 - 1),
        "lines": st.lists(
            st.fixed_dictionaries(
                {
                    "article": st.text(max_size=5),
                    "price": st.floats(allow_nan=False),
                    "tags": st.lists(st.fixed_dictionaries({"text": st.text(max_size=3)}), max_size=2),
                }
            ),
            max_size=3,
        ),
        "status": st.sampled_from(["NEW", "PAID", "SENT", 17]),
        "paid": st.dictionaries(
            st.text(max_size=3),
            st.fixed_dictionaries({"currency": st.text(max_size=3), "cents": st.integers(-5, 5)}),
            max_size=2,
        ),
        "history": st.dictionaries(st.integers(-(2**31), 2**31 - 1), st.sampled_from(["NEW", "SENT"]), max_size=3),
        "raw": st.binary(max_size=5),
        "weights": st.lists(st.floats(allow_nan=False), max_size=3),
    },
    optional={"note": st.text(max_size=5), "pickup": st.text(max_size=5), "at": st.just({"seconds": 1, "nanos": 2})},
)


@settings(deadline=None)
@given(VALUES)
def test_dicts_round_trip(value: dict[str, Any]) -> None:
    kind = message_class()
    client = SchemaRegistryClient.new_client({"url": "mock://"})
    data = ProtobufSerializer(kind, client)(made(kind, value), context())
    assert ProtobufDeserializer(None, schema_registry_client=client, as_dict=True)(data, context()) == value
    assert ProtobufDeserializer(kind, schema_registry_client=client)(data, context()) == made(kind, value)


def test_many_at_once(client: Recording) -> None:
    order = message_class()
    messages = [order(id=n) if n % 3 else None for n in range(10)]
    data = ProtobufSerializer(order, client).serialize_many(messages, context())
    assert ProtobufDeserializer(order, schema_registry_client=client).deserialize_many(data, context()) == messages


class Awaitable:
    """A registry client whose methods have to be awaited."""

    def __init__(self, inner: SchemaRegistryClient) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(0)
            return method(*args, **kwargs)

        return call


def test_asyncio(client: Recording) -> None:
    order = message_class()
    asyncclient = Awaitable(client)

    async def main() -> None:
        serializer = await AsyncProtobufSerializer(order, asyncclient)
        many = await asyncio.gather(*(serializer(made(order, AN_ORDER), context()) for _ in range(5)))
        assert len(set(many)) == 1
        deserializer = await AsyncProtobufDeserializer(order, schema_registry_client=asyncclient)
        assert await deserializer(many[0], context()) == made(order, AN_ORDER)
        dicts = AsyncProtobufDeserializer(schema_registry_client=asyncclient, as_dict=True)
        assert await dicts(many[0], context()) == AN_ORDER
        assert [name for name, _ in client.calls].count("register_schema_full_response") == 3
        built, conf = await AsyncProtobufSerializerBuilder(None, asyncclient, order).build({"a": 1}, False)
        assert (await built(made(order, AN_ORDER), context()), conf) == (many[0], {"a": 1})
        read, _ = await AsyncProtobufDeserializerBuilder(message_type=order).build({}, False)
        assert await read(many[0]) == made(order, AN_ORDER)

    asyncio.run(main())


def test_builders(client: Recording) -> None:
    order = message_class()
    inits: list[Any] = []
    builder = ProtobufSerializerBuilder().set_schema_registry_client(client).set_message_type(order)
    builder.set_serializer_config({"normalize.schemas": True}).set_serializer_init(inits.append)
    serializer, conf = builder.build({"linger.ms": 1}, is_key=True)
    assert inits == [serializer]
    assert conf == {"linger.ms": 1}
    data = serializer(order(id=1), context(field=MessageField.KEY))
    deserializer, _ = ProtobufDeserializerBuilder().set_message_type(order).set_deserializer_config({}).build({}, False)
    assert deserializer(data) == order(id=1)
    owning, _ = ProtobufDeserializerBuilder({"url": "mock://"}, message_type=order).build({}, False)
    owning.close()
    for nothing in (ProtobufSerializerBuilder(None, client), ProtobufDeserializerBuilder(None, client)):
        with pytest.raises(ValueError, match="requires a message type"):
            nothing.build({}, False)


def test_threads_that_begin_together_register_once(client: Recording) -> None:
    order = message_class()
    serializer = ProtobufSerializer(order, client)
    results: list[Any] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        results.append(serializer(order(id=1), context()))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert len(set(results)) == 1
    assert [name for name, _ in client.calls].count("register_schema_full_response") == 3


def test_bundled_messages() -> None:
    from confluent_kafka.schema_registry.confluent import meta_pb2
    from confluent_kafka.schema_registry.confluent.type import decimal_pb2, variant_pb2
    from confluent_kafka.schema_registry.confluent.types import decimal_pb2 as former

    assert former.Decimal is decimal_pb2.Decimal
    assert decimal_pb2.Decimal.DESCRIPTOR.full_name == "confluent.type.Decimal"
    assert variant_pb2.Variant(value=b"x").value == b"x"
    assert meta_pb2.field_meta.number == meta_pb2.FIELD_META_FIELD_NUMBER == 1088
    value = decimal_pb2.Decimal(value=b"\x01", scale=2)
    assert pickle.loads(pickle.dumps(value)) == value
    assert GetMessageClass(decimal_pb2.DESCRIPTOR.message_types_by_name["Decimal"]) is decimal_pb2.Decimal
    text = 'syntax = "proto3"; import "confluent/type/decimal.proto"; import "google/type/date.proto"; ' \
           "message A { confluent.type.Decimal price = 1; google.type.Date day = 2; }"  # fmt: skip
    assert linked(text, {}).descriptor.message_types_by_name["A"].fields_by_name["price"].number == 1


def test_dicts_of_googles_json_types_are_their_fields(client: Recording) -> None:
    text = 'syntax = "proto3"; import "google/protobuf/struct.proto"; message A { google.protobuf.Struct s = 1; }'
    client.register_schema("orders-value", Schema(text, "PROTOBUF"))
    value = {
        "s": {"fields": {"a": {"number_value": 1.5}, "b": {"list_value": {"values": [{"null_value": "NULL_VALUE"}]}}}}
    }
    data = ProtobufSerializer(None, client, LATEST)(value, context())
    assert ProtobufDeserializer(None, schema_registry_client=client, as_dict=True)(data, context()) == value
    message = ProtobufDeserializer(None, schema_registry_client=client)(data, context())
    assert (message.s["a"], list(message.s["b"])) == (1.5, [None])


def test_the_embedded_registry_gives_what_the_text_says(client: Recording) -> None:
    """As a descriptor, it has options (tags decide what is encrypted), and nested types in the order they count by."""
    text = """
    syntax = "proto3";
    import "confluent/meta.proto";
    message A {
      map<string, int32> counts = 1;
      message B { string ssn = 1 [(confluent.field_meta).tags = "PII"]; }
      B b = 2;
    }
    """
    schema_id = client.register_schema("orders-value", Schema(text, "PROTOBUF"))
    fetched = client.get_schema(schema_id, fmt="serialized").schema_str
    assert fetched != text
    for schema in (text, fetched):
        message = linked(str(schema), {}).descriptor.message_types_by_name["A"]
        assert [item.name for item in message.nested_types] == ["CountsEntry", "B"]
        assert get_inline_tags(message.nested_types_by_name["B"].fields_by_name["ssn"]) == {"PII"}
