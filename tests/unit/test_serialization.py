# SPDX-License-Identifier: Apache-2.0
"""Serializers for simple types, the context, and how a client gets its serializers."""

from __future__ import annotations

import copy
import math
import pickle
import struct
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_kafka.error import KafkaException
from confluent_kafka.error import SerializationError as RootSerializationError
from confluent_kafka.serialization import (
    Deserializer,
    DeserializerBuilder,
    DoubleDeserializer,
    DoubleSerializer,
    IntegerDeserializer,
    IntegerSerializer,
    MessageField,
    SerializationContext,
    SerializationError,
    Serializer,
    SerializerBuilder,
    StringDeserializer,
    StringSerializer,
)
from confluent_kafka.serialization._single_flight import SingleFlight
from confluent_kafka.serialization._wiring import close_all, take_serdes

PAIRS = [
    (DoubleSerializer(), DoubleDeserializer()),
    (IntegerSerializer(), IntegerDeserializer()),
    (StringSerializer(), StringDeserializer()),
]


@given(st.floats())
def test_double_round_trip(number: float) -> None:
    data = DoubleSerializer()(number)
    assert data == struct.pack(">d", number)
    back = DoubleDeserializer()(data)
    assert back == number or (math.isnan(number) and back is not None and math.isnan(back))


@given(st.integers(-(2**31), 2**31 - 1))
def test_integer_round_trip(number: int) -> None:
    data = IntegerSerializer()(number)
    assert data == number.to_bytes(4, "big", signed=True)
    assert IntegerDeserializer()(data) == number


@given(st.text(st.characters(exclude_categories=("Cs",))), st.sampled_from(["utf_8", "utf_16", "utf_32_be"]))
def test_string_round_trip(text: str, codec: str) -> None:
    data = StringSerializer(codec)(text)
    assert data == text.encode(codec)
    assert StringDeserializer(codec)(data) == text


@pytest.mark.parametrize(("serializer", "deserializer"), PAIRS)
def test_none_stays_none(serializer: Serializer, deserializer: Deserializer) -> None:
    assert serializer(None) is None
    assert deserializer(None) is None
    assert serializer(None, SerializationContext("t", MessageField.KEY)) is None


@pytest.mark.parametrize(
    ("serializer", "value"),
    [
        (DoubleSerializer(), "1.5"),
        (DoubleSerializer(), 10**400),
        (DoubleSerializer(), b"12345678"),
        (IntegerSerializer(), 2**31),
        (IntegerSerializer(), -(2**31) - 1),
        (IntegerSerializer(), 1.5),
        (IntegerSerializer(), "1"),
        (StringSerializer(), 5),
        (StringSerializer(), b"bytes"),
        (StringSerializer(), object()),
        (StringSerializer("ascii"), "é"),
        (StringSerializer(), "\ud800"),
    ],
)
def test_what_cannot_be_serialized_is_a_serialization_error(serializer: Serializer, value: Any) -> None:
    with pytest.raises(SerializationError) as raised:
        serializer(value)
    assert isinstance(raised.value, KafkaException)


@pytest.mark.parametrize(
    ("deserializer", "data"),
    [
        (DoubleDeserializer(), b""),
        (DoubleDeserializer(), b"1234567"),
        (DoubleDeserializer(), b"123456789"),
        (IntegerDeserializer(), b"123"),
        (IntegerDeserializer(), b"12345"),
        (IntegerDeserializer(), "1234"),
        (StringDeserializer(), b"\xff\xfe"),
        (StringDeserializer("ascii"), "é".encode()),
        (StringDeserializer(), 5),
    ],
)
def test_what_cannot_be_deserialized_is_a_serialization_error(deserializer: Deserializer, data: Any) -> None:
    with pytest.raises(SerializationError):
        deserializer(data)


def test_errors_keep_their_cause_and_do_not_quote_the_data() -> None:
    with pytest.raises(SerializationError) as raised:
        StringDeserializer()(b"secret \xff")
    assert isinstance(raised.value.__cause__, UnicodeDecodeError)
    assert "secret" not in str(raised.value)
    assert "position 7" in str(raised.value)
    with pytest.raises(SerializationError) as raised:
        StringSerializer("ascii")("secret é")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("codec", ["utf-9", "no such codec", "hex"])
@pytest.mark.parametrize("kind", [StringSerializer, StringDeserializer])
def test_unknown_codec_is_named_at_construction(kind: Any, codec: str) -> None:
    with pytest.raises(LookupError, match=codec):
        kind(codec)


def test_codec_can_be_read() -> None:
    assert StringSerializer().codec == "utf_8"
    assert StringDeserializer(codec="latin_1").codec == "latin_1"


@pytest.mark.parametrize("data", [bytearray(b"\x00\x00\x00\x07"), memoryview(b"\x00\x00\x00\x07")])
def test_any_buffer_is_deserialized(data: Any) -> None:
    assert IntegerDeserializer()(data) == 7
    assert StringDeserializer()(data) == "\0\0\0\a"


def test_serialization_error_is_the_one_of_the_error_module() -> None:
    assert SerializationError is RootSerializationError


def test_message_field() -> None:
    assert [field.value for field in MessageField] == ["none", "key", "value"]
    assert str(MessageField.KEY) == f"{MessageField.KEY}" == "key"
    assert MessageField.VALUE == "value"
    assert hash(MessageField.VALUE) == hash("value")
    assert pickle.loads(pickle.dumps(MessageField.KEY)) is MessageField.KEY


def test_context() -> None:
    ctx = SerializationContext("t", MessageField.KEY)
    assert (ctx.topic, ctx.field, ctx.headers) == ("t", MessageField.KEY, None)
    ctx.field = MessageField.VALUE
    ctx.note = "mine"  # type: ignore[attr-defined]  # serializers may leave notes on it
    assert copy.copy(ctx).note == "mine"
    assert "'t'" in repr(ctx)
    assert SerializationContext("t", MessageField.KEY, [("a", b"b")]).headers == [("a", b"b")]


def test_bases() -> None:
    for base in (Serializer(), Deserializer()):
        base.close()
        base.set_cluster_id_resolver(lambda: "id")
        with pytest.raises(NotImplementedError):
            base(b"x")
        assert not hasattr(base, "__dict__")
    for builder in (SerializerBuilder(), DeserializerBuilder()):
        with pytest.raises(NotImplementedError):
            builder.build({}, True)


class Serde:
    def __init__(self, name: str = "", log: list[str] | None = None, error: Exception | None = None) -> None:
        self.name, self.log, self.error, self.resolver = name, [] if log is None else log, error, None

    def __call__(self, obj: Any, ctx: Any = None) -> Any:
        return obj

    def set_cluster_id_resolver(self, resolver: Any) -> None:
        self.resolver = resolver

    def close(self) -> None:
        self.log.append(self.name)
        if self.error is not None:
            raise self.error


class Builder(SerializerBuilder):
    """Takes the properties that begin with its name."""

    def __init__(self, name: str, log: list[str] | None = None, **made: Any) -> None:
        self.name, self.serde, self.calls = name, Serde(name, log, **made), []  # type: ignore[var-annotated]

    def build(self, conf: dict[str, Any], is_key: bool) -> tuple[Any, dict[str, Any]]:
        self.calls.append((conf, is_key))
        return self.serde, {name: value for name, value in conf.items() if not name.startswith(self.name)}


def test_serializers_are_taken_out_of_the_configuration() -> None:
    key, value = Serde(), Serde()
    conf = {"key.serializer": key, "value.serializer": value, "client.id": "x", "key.deserializer": "left alone"}
    given_conf = dict(conf)
    serdes = take_serdes(conf, "serializer")
    assert (serdes.key, serdes.value, serdes.owned) == (key, value, ())
    assert serdes.client_conf == {"client.id": "x", "key.deserializer": "left alone"}
    assert conf == given_conf


def test_builders_take_their_properties() -> None:
    first, second = Builder("a."), Builder("b.")
    conf = {"key.serializer.builder": first, "value.serializer.builder": second, "a.x": 1, "b.x": 2, "client.id": "x"}
    serdes = take_serdes(conf, "serializer")
    assert serdes.client_conf == {"client.id": "x"}
    assert serdes.owned == (first.serde, second.serde) == (serdes.key, serdes.value)
    # each sees all properties, also what the other one takes
    assert first.calls == [({"a.x": 1, "b.x": 2, "client.id": "x"}, True)]
    assert second.calls == [({"a.x": 1, "b.x": 2, "client.id": "x"}, False)]


def test_serializer_and_builder_for_one_field_are_refused() -> None:
    with pytest.raises(ValueError, match=r"both key\.serializer and key\.serializer\.builder"):
        take_serdes({"key.serializer": Serde(), "key.serializer.builder": Builder("a")}, "serializer")
    take_serdes({"key.serializer": None, "key.serializer.builder": Builder("a")}, "serializer")


@pytest.mark.parametrize("result", [None, 5, (1, 2, 3), (Serde(), None), (Serde(), [])])
def test_bad_result_of_a_builder_is_refused(result: Any) -> None:
    class Bad:
        def build(self, conf: dict[str, Any], is_key: bool) -> Any:
            return result

    with pytest.raises(ValueError, match=r"value\.deserializer\.builder"):
        take_serdes({"value.deserializer.builder": Bad()}, "deserializer")
    with pytest.raises(ValueError, match="has none"):
        take_serdes({"value.deserializer.builder": object()}, "deserializer")


def test_what_was_built_is_closed_when_the_other_builder_fails() -> None:
    class Bad:
        def build(self, conf: dict[str, Any], is_key: bool) -> Any:
            raise KeyError("mine")

    log: list[str] = []
    with pytest.raises(KeyError, match="mine"):
        take_serdes({"key.serializer.builder": Builder("k", log), "value.serializer.builder": Bad()}, "serializer")
    assert log == ["k"]


def test_configuration_must_be_a_dict() -> None:
    with pytest.raises(TypeError, match="expected configuration dict"):
        take_serdes([("a", 1)], "serializer")  # type: ignore[arg-type]  # on purpose


def test_all_are_closed_and_the_first_error_is_raised() -> None:
    log: list[str] = []
    serdes = [Serde("a", log), Serde("b", log, KeyError("b")), str.upper, Serde("c", log, KeyError("c"))]
    with pytest.raises(KeyError, match="b"):
        close_all(serdes)
    assert log == ["a", "b", "c"]


class Client:
    def __init__(self) -> None:
        self.timeouts: list[float] = []
        self.asked, self.go = threading.Event(), threading.Event()
        self.go.set()

    def cluster_id(self, timeout: float = -1) -> str:
        self.timeouts.append(timeout)
        self.asked.set()
        assert self.go.wait(30)
        return f"cluster {len(self.timeouts)}"


def test_cluster_id_is_asked_for_when_it_is_wanted() -> None:
    client, key = Client(), Serde()
    serdes = take_serdes({"key.serializer": key, "value.serializer": str.upper}, "serializer")
    serdes.offer_cluster_id(client)
    assert client.timeouts == []
    assert key.resolver is not None
    assert key.resolver() == "cluster 1"
    assert client.timeouts == [60.0]


def test_concurrent_questions_for_the_cluster_id_make_one_call() -> None:
    client, key, value = Client(), Serde(), Serde()
    client.go.clear()
    serdes = take_serdes({"key.serializer": key, "value.serializer": value}, "serializer")
    serdes.offer_cluster_id(client)
    answers: list[str] = []
    inside = threading.Barrier(9)

    def ask(serde: Any) -> None:
        inside.wait(30)
        answers.append(serde.resolver())

    threads = [threading.Thread(target=ask, args=(serde,)) for serde in (key, value) * 4]
    for thread in threads:
        thread.start()
    inside.wait(30)
    assert client.asked.wait(30)
    client.go.set()
    for thread in threads:
        thread.join(30)
    assert len(answers) == 8
    # those that came after the first answer may have asked once more, but never two at a time
    assert len(set(answers)) == len(client.timeouts)


def test_resolver_does_not_keep_the_client_alive() -> None:
    client, key = Client(), Serde()
    take_serdes({"key.serializer": key}, "serializer").offer_cluster_id(client)
    del client
    assert key.resolver is not None
    with pytest.raises(RuntimeError, match="does not exist any more"):
        key.resolver()


def test_single_flight_shares_results_and_exceptions() -> None:
    flight: SingleFlight[int] = SingleFlight()
    started, go = threading.Event(), threading.Event()
    calls: list[int] = []
    results: list[Any] = []

    def work() -> int:
        calls.append(1)
        started.set()
        assert go.wait(30)
        raise KeyError("shared")

    def run() -> None:
        try:
            flight.run("k", work)
        except KeyError as e:
            results.append(e)

    first = threading.Thread(target=run)
    first.start()
    assert started.wait(30)
    second = threading.Thread(target=run)
    second.start()
    # another key does not wait for this one
    assert flight.run("other", lambda: 5) == 5
    go.set()
    first.join(30)
    second.join(30)
    assert len(results) == 2
    assert len(calls) in (1, 2)  # the second thread may have come too late to join
    assert flight.run("k", lambda: 7) == 7


def test_single_flight_in_a_forked_child_waits_for_no_thread_of_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    flight: SingleFlight[int] = SingleFlight()

    def while_another_thread_asks() -> int:
        # what the child sees: a call under way, by a thread that it does not have
        monkeypatch.setattr("confluent_kafka.serialization._single_flight.os.getpid", lambda: -1)
        results: list[int] = []
        child = threading.Thread(target=lambda: results.append(flight.run("k", lambda: 2)), daemon=True)
        child.start()
        child.join(10)
        assert results == [2]
        return 1

    assert flight.run("k", while_another_thread_asks) == 1


def test_interrupted_flight_is_repeated_by_one_that_waited() -> None:
    flight: SingleFlight[int] = SingleFlight()
    started, joined = threading.Event(), threading.Event()
    results: list[Any] = []

    def interrupted() -> int:
        started.set()
        assert joined.wait(30)
        raise KeyboardInterrupt

    def first() -> None:
        try:
            flight.run("k", interrupted)
        except KeyboardInterrupt:
            results.append("interrupted")

    def second() -> None:
        joined.set()
        results.append(flight.run("k", lambda: 42))

    one, two = threading.Thread(target=first), threading.Thread(target=second)
    one.start()
    assert started.wait(30)
    two.start()
    one.join(30)
    two.join(30)
    assert sorted(map(str, results)) == ["42", "interrupted"]
