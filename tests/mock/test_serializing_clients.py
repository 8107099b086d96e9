# SPDX-License-Identifier: Apache-2.0
"""SerializingProducer and DeserializingConsumer on the embedded cluster."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from confluent_kafka import Consumer, DeserializingConsumer, KafkaError, SerializingProducer, TopicPartition
from confluent_kafka.error import (
    ConsumeError,
    KeyDeserializationError,
    KeySerializationError,
    SerializationError,
    ValueDeserializationError,
    ValueSerializationError,
)
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import (
    AvroDeserializer,
    AvroDeserializerBuilder,
    AvroSerializer,
    AvroSerializerBuilder,
)
from confluent_kafka.serialization import (
    IntegerDeserializer,
    IntegerSerializer,
    MessageField,
    SerializationContext,
    SerializerBuilder,
    StringDeserializer,
    StringSerializer,
)
from confluent_kafka.testing import MockCluster
from tests.mock.kit import DEADLINE, settings, unique_name

BAD = b"\xff"


@pytest.fixture
def consumer(cluster: MockCluster, topic: str) -> Iterator[DeserializingConsumer[Any, Any]]:
    """Reads the topic from its start; values are text."""
    made = consumer_of(cluster, topic, value=StringDeserializer())
    yield made
    made.close()


def consumer_of(cluster: MockCluster, topic: str, key: Any = None, value: Any = None, **options: Any) -> Any:
    conf = settings(cluster, group_id=unique_name("group"), auto_offset_reset="earliest", enable_auto_commit=False)
    conf |= {"key.deserializer": key, "value.deserializer": value, **options}
    made: DeserializingConsumer[Any, Any] = DeserializingConsumer(conf)
    made.assign([TopicPartition(topic, 0, 0)])
    return made


def values(messages: list[Any]) -> list[Any]:
    return [message.value() for message in messages]


class Spy:
    """A serializer, deserializer or callback that notes what it is given."""

    def __init__(self, result: Any = None, error: Exception | None = None) -> None:
        self.calls: list[tuple[Any, Any, Any]] = []
        self.contexts: list[SerializationContext] = []
        self.result, self.error = result, error
        self.resolver: Callable[[], str] | None = None
        self.closed = 0

    def __call__(self, obj: Any, ctx: SerializationContext) -> Any:
        self.calls.append((obj, ctx.topic, ctx.field))
        self.contexts.append(ctx)
        if self.error is not None:
            raise self.error
        return obj if self.result is None else self.result

    def set_cluster_id_resolver(self, resolver: Callable[[], str]) -> None:
        self.resolver = resolver

    def close(self) -> None:
        self.closed += 1


class Build(SerializerBuilder):
    def __init__(self, spy: Any) -> None:
        self.spy = spy

    def build(self, conf: dict[str, Any], is_key: bool) -> tuple[Any, dict[str, Any]]:
        return self.spy, {name: value for name, value in conf.items() if not name.startswith("mine.")}


class TestProducer:
    def test_round_trip(self, cluster: MockCluster, topic: str) -> None:
        conf = settings(cluster) | {"key.serializer": IntegerSerializer(), "value.serializer": StringSerializer()}
        reports: list[Any] = []
        given_conf = dict(conf)
        producer: SerializingProducer[int, str] = SerializingProducer(conf)
        assert conf == given_conf
        with producer:
            # key before value, also by position
            producer.produce(topic, 1, "one", 0, lambda err, msg: reports.append((err, msg.key())), 1234, [("h", b"x")])
            producer.produce(topic, key=2, value=None, partition=0)
            producer.produce(topic, value="no key", partition=0, block=1.0)
            assert producer.flush(DEADLINE) == 0
        assert reports == [(None, b"\x00\x00\x00\x01")]
        consumer = consumer_of(cluster, topic, IntegerDeserializer(), StringDeserializer())
        messages = consumer.consume(3, DEADLINE)
        assert [(one.key(), one.value()) for one in messages] == [(1, "one"), (2, None), (None, "no key")]
        assert messages[0].headers() == [("h", b"x")]
        assert messages[0].timestamp()[1] == 1234
        assert messages[0].deserialized_key() == 1
        assert messages[0].deserialized_value() == "one"
        consumer.close()

    def test_order_and_context(self, cluster: MockCluster, topic: str) -> None:
        order: list[str] = []
        key, value = Spy(b"k"), Spy(b"v")
        conf = settings(cluster) | {
            "key.serializer": lambda obj, ctx: (order.append("key"), key(obj, ctx))[1],
            "value.serializer": lambda obj, ctx: (order.append("value"), value(obj, ctx))[1],
        }
        with SerializingProducer(conf) as producer:
            producer.produce(topic, None, None, 0)  # serializers decide about None too
        assert order == ["key", "value"]
        assert key.calls == [(None, topic, MessageField.KEY)]
        assert value.calls == [(None, topic, MessageField.VALUE)]
        assert key.contexts[0] is value.contexts[0]

    def test_without_serializers_bytes_pass(self, cluster: MockCluster, topic: str) -> None:
        with SerializingProducer(settings(cluster)) as producer:
            producer.produce(topic, b"key", "value", 0)
        consumer = consumer_of(cluster, topic)
        (message,) = consumer.consume(1, DEADLINE)
        assert (message.key(), message.value()) == (b"key", b"value")
        consumer.close()

    def test_failures(self, cluster: MockCluster, topic: str) -> None:
        cause = KeyError("mine")
        bad, good = Spy(error=cause), Spy(b"x")
        for side, kind, code in (
            ("key", KeySerializationError, KafkaError._KEY_SERIALIZATION),
            ("value", ValueSerializationError, KafkaError._VALUE_SERIALIZATION),
        ):
            other = "value" if side == "key" else "key"
            conf = settings(cluster) | {f"{side}.serializer": bad, f"{other}.serializer": good}
            with SerializingProducer(conf) as producer:
                with pytest.raises(kind) as raised:
                    producer.produce(topic, 1, 2)
                assert raised.value.exception is raised.value.__cause__ is cause
                assert raised.value.code == code
                assert isinstance(raised.value, SerializationError)
                assert len(producer) == 0
        # the key failed before the value was looked at
        assert [field for _, _, field in good.calls] == [MessageField.KEY]

    def test_checked_before_anything_is_serialized(self, cluster: MockCluster, topic: str) -> None:
        spy = Spy(b"x")
        producer: SerializingProducer[Any, Any] = SerializingProducer(settings(cluster) | {"value.serializer": spy})
        for wrong in (None, 5, b"topic"):
            with pytest.raises(TypeError, match="topic must be a str"):
                producer.produce(wrong, value=1)  # type: ignore[arg-type]  # on purpose
        assert producer.close() is True
        assert producer.close() is True
        for call in (producer.produce, producer.send):
            with pytest.raises(RuntimeError, match="Producer has been closed"):
                call(topic, value=1)
        assert spy.calls == []

    def test_send(self, cluster: MockCluster, topic: str) -> None:
        conf = settings(cluster) | {"key.serializer": IntegerSerializer(), "value.serializer": StringSerializer()}
        with SerializingProducer(conf) as producer:
            message = producer.send(topic, "value", 7, headers={"h": "x"}).result(DEADLINE)
            assert (message.key(), message.value()) == (b"\x00\x00\x00\x07", b"value")
            with pytest.raises(ValueSerializationError):
                producer.send(topic, 5)

    def test_serializers_write_headers(self, cluster: MockCluster, topic: str) -> None:
        def mark(obj: Any, ctx: SerializationContext) -> bytes:
            assert isinstance(ctx.headers, list)
            ctx.headers.append(("by", str(ctx.field).encode()))
            return b"x"

        mine = [("mine", b"1")]
        with SerializingProducer(settings(cluster) | {"key.serializer": mark, "value.serializer": mark}) as producer:
            for headers in (None, mine, mine):
                producer.produce(topic, 1, 1, 0, headers=headers)
        assert mine == [("mine", b"1")]  # used for many messages, it must not grow
        consumer = consumer_of(cluster, topic)
        by = [("by", b"key"), ("by", b"value")]
        assert [one.headers() for one in consumer.consume(3, DEADLINE)] == [by, mine + by, mine + by]
        consumer.close()

    def test_no_headers_stay_no_headers(self, cluster: MockCluster, topic: str) -> None:
        with SerializingProducer(settings(cluster) | {"value.serializer": Spy(b"x")}) as producer:
            producer.produce(topic, None, 1, 0)
        consumer = consumer_of(cluster, topic)
        assert consumer.consume(1, DEADLINE)[0].headers() is None
        consumer.close()

    def test_owned_and_given_serializers(self, cluster: MockCluster) -> None:
        owned, ready = Spy(), Spy()
        conf = settings(cluster) | {"key.serializer.builder": Build(owned), "value.serializer": ready, "mine.x": 1}
        producer: SerializingProducer[Any, Any] = SerializingProducer(conf)
        with producer:
            assert owned.closed == 0
        producer.close()
        assert (owned.closed, ready.closed) == (1, 0)

    def test_owned_serializers_are_closed_when_the_client_cannot_be_made(self, cluster: MockCluster) -> None:
        owned = Spy()
        with pytest.raises(Exception, match=r"no\.such\.property"):
            SerializingProducer(settings(cluster) | {"key.serializer.builder": Build(owned), "no.such.property": 1})
        assert owned.closed == 1

    def test_second_init_leaves_the_open_producer_alone(self, cluster: MockCluster, topic: str) -> None:
        first, second = Spy(b"first"), Spy(b"second")
        producer: SerializingProducer[Any, Any] = SerializingProducer(
            settings(cluster) | {"value.serializer.builder": Build(first)}
        )
        with pytest.raises(RuntimeError, match="already"):
            producer.__init__(settings(cluster) | {"value.serializer.builder": Build(second)})  # type: ignore[misc]
        assert (first.closed, second.closed) == (0, 1)
        assert producer.send(topic, 1).result(DEADLINE).value() == b"first"
        producer.close()

    def test_subclass_that_never_calls_init(self) -> None:
        class Never(SerializingProducer[Any, Any]):
            def __init__(self) -> None:
                pass

        with pytest.raises(RuntimeError, match="Producer has been closed"):
            Never().produce("t", 1, 1)
        assert Never().close() is True

    def test_cluster_id(self, cluster: MockCluster) -> None:
        spy = Spy()
        producer: SerializingProducer[Any, Any] = SerializingProducer(settings(cluster) | {"key.serializer": spy})
        assert spy.resolver is not None
        assert spy.resolver() == producer.cluster_id(DEADLINE)
        producer.close()
        with pytest.raises(RuntimeError):
            spy.resolver()

    def test_a_serializer_does_not_keep_its_producer_alive(self, cluster: MockCluster) -> None:
        spy = Spy()
        producer: SerializingProducer[Any, Any] = SerializingProducer(settings(cluster) | {"key.serializer": spy})
        gone = weakref.ref(producer)
        del producer
        gc.collect()
        assert gone() is None


class TestConsumer:
    def test_poll(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(b"1", None, key=b"k", headers=[("h", b"x")])
        key, value = Spy("key"), Spy("value")
        consumer = consumer_of(cluster, topic, key, value)
        first, second = consumer.poll(DEADLINE), consumer.poll(DEADLINE)
        assert (first.key(), first.value()) == (second.key(), second.value()) == ("key", "value")
        assert key.calls == [(b"k", topic, MessageField.KEY)] * 2
        assert value.calls == [(b"1", topic, MessageField.VALUE), (None, topic, MessageField.VALUE)]
        assert key.contexts[0] is value.contexts[0]
        assert key.contexts[0].headers == [("h", b"x")]
        assert consumer.poll(0) is None
        consumer.close()

    def test_poll_raises_what_fails_and_goes_on(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(b"a", BAD, b"c", key=b"k")
        consumer = consumer_of(cluster, topic, StringDeserializer(), StringDeserializer())
        assert consumer.poll(DEADLINE).value() == "a"
        with pytest.raises(ValueDeserializationError) as raised:
            consumer.poll(DEADLINE)
        message = raised.value.kafka_message
        assert message is not None
        assert (message.key(), message.value(), message.offset()) == (b"k", BAD, 1)  # still bytes
        assert isinstance(raised.value.exception, SerializationError)
        assert raised.value.__cause__ is raised.value.exception
        assert raised.value.code == KafkaError._VALUE_DESERIALIZATION
        assert consumer.poll(DEADLINE).value() == "c"
        consumer.close()

    def test_key_fails_before_the_value_is_read(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(b"a", key=BAD)
        value = Spy()
        consumer = consumer_of(cluster, topic, StringDeserializer(), value)
        with pytest.raises(KeyDeserializationError) as raised:
            consumer.poll(DEADLINE)
        assert raised.value.code == KafkaError._KEY_DESERIALIZATION
        assert value.calls == []
        consumer.close()

    def test_errors_of_the_client_are_raised(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(b"a")
        consumer = consumer_of(cluster, topic, None, StringDeserializer(), **{"enable.partition.eof": True})
        assert values(consumer.consume(2, DEADLINE)) == ["a"]
        with pytest.raises(ConsumeError) as raised:
            consumer.consume(2, DEADLINE)
        assert raised.value.code == KafkaError._PARTITION_EOF
        assert raised.value.kafka_message is not None
        assert raised.value.kafka_message.error() == KafkaError._PARTITION_EOF
        consumer.close()

    def test_consume(self, consumer: Any, fill: Any) -> None:
        fill(b"1", b"2", None, b"4", b"5")
        assert values(consumer.consume(3, DEADLINE)) == ["1", "2", None]
        assert consumer.consume(0, 0) == []
        assert values(consumer.consume(2, DEADLINE)) == ["4", "5"]
        assert consumer.consume(10, 0.01) == []
        assert consumer.consume(timeout=0) == []

    @pytest.mark.parametrize("number", [-1, 1_000_001])
    def test_consume_checks_its_arguments(self, consumer: Any, number: int) -> None:
        with pytest.raises(ValueError, match="num_messages must be between 0 and 1000000"):
            consumer.consume(number, 0)
        with pytest.raises(TypeError):
            consumer.consume(1, None)

    def test_consume_loses_nothing_to_a_message_that_fails(self, consumer: Any, fill: Any, topic: str) -> None:
        fill(b"1", b"2", BAD, BAD, b"5")
        assert values(consumer.consume(5, DEADLINE)) == ["1", "2"]
        # the failing message and what is behind it are still with the client
        assert consumer.position([TopicPartition(topic, 0)])[0].offset == 2
        for offset in (2, 3):
            with pytest.raises(ValueDeserializationError) as raised:
                consumer.consume(5, DEADLINE)
            assert raised.value.kafka_message.offset() == offset
        assert values(consumer.consume(1, DEADLINE)) == ["5"]

    def test_poll_after_consume_raises_what_consume_met(self, consumer: Any, fill: Any) -> None:
        fill(b"1", BAD, b"3")
        assert values(consumer.consume(3, DEADLINE)) == ["1"]
        with pytest.raises(ValueDeserializationError):
            consumer.poll(0)
        assert consumer.poll(DEADLINE).value() == "3"

    def test_iteration_goes_on_after_an_exception(self, consumer: Any, fill: Any) -> None:
        fill(b"1", BAD, None, b"4")
        stream = iter(consumer)
        assert next(stream).value() == "1"
        with pytest.raises(ValueDeserializationError):
            next(stream)
        assert next(stream).value() is None  # a message without a value is false, but no end
        assert next(stream).value() == "4"

    def test_iteration_ends(self, consumer: Any, fill: Any) -> None:
        fill(b"1")
        seen = []
        for message in consumer:
            seen.append(message.value())
            consumer.wakeup()
        assert seen == ["1"]
        timer = threading.Timer(0.05, consumer.close)
        timer.start()
        assert list(consumer) == []
        timer.join()
        assert list(consumer) == []
        assert list(consumer.batches(5, 1)) == []

    def test_batches(self, consumer: Any, fill: Any) -> None:
        fill(*(str(n).encode() for n in range(10)), BAD, b"11")
        stream, seen = consumer.batches(4, 5.0), []
        while len(seen) < 10:
            batch = next(stream)
            assert 1 <= len(batch) <= 4
            seen += values(batch)
        with pytest.raises(ValueDeserializationError):
            next(stream)
        assert seen == [str(n) for n in range(10)]
        assert values(next(stream)) == ["11"]
        with pytest.raises(ValueError, match="at least 1"):
            consumer.batches(0)

    def test_wakeup_ends_consume(self, consumer: Any, fill: Any) -> None:
        fill(b"1")
        first = consumer.consume(1, DEADLINE)
        timer = threading.Timer(0.05, consumer.wakeup)
        timer.start()
        assert consumer.consume(5, DEADLINE) == []
        timer.join()
        assert values(first) == ["1"]

    @pytest.mark.skipif(sys.platform == "win32", reason="needs os.kill with SIGINT, which Windows does not have")
    def test_interrupted_consume_keeps_what_it_has(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(b"1", b"2")

        seen: list[bytes] = []

        def interrupted_once(data: bytes, ctx: Any) -> str:
            seen.append(data)
            if seen == [b"1", b"2"]:
                os.kill(os.getpid(), signal.SIGINT)
            return data.decode()

        consumer = consumer_of(cluster, topic, None, interrupted_once)
        with pytest.raises(KeyboardInterrupt):
            consumer.consume(3, DEADLINE)
        assert values(consumer.consume(2, DEADLINE)) == ["1", "2"]
        assert seen == [b"1", b"2", b"1", b"2"]  # nothing was handed over by the first call
        consumer.close()

    def test_closed(self, consumer: Any, fill: Any) -> None:
        fill(b"1", BAD)
        consumer.consume(2, DEADLINE)
        consumer.close()
        consumer.close()
        for call in (consumer.poll, consumer.consume):
            with pytest.raises(RuntimeError, match="Consumer closed"):
                call(timeout=0)

    def test_owned_and_given_deserializers(self, cluster: MockCluster) -> None:
        owned, ready = Spy(), Spy()
        conf = settings(cluster, group_id="g") | {
            "key.deserializer": ready,
            "value.deserializer.builder": Build(owned),
            "mine.x": 1,
        }
        with DeserializingConsumer(conf) as consumer:
            assert owned.resolver is not None
            assert owned.resolver() == consumer.cluster_id(DEADLINE)
        assert (owned.closed, ready.closed) == (1, 0)
        failing = Spy()
        with pytest.raises(ValueError, match=r"group\.id"):
            DeserializingConsumer(settings(cluster) | {"value.deserializer.builder": Build(failing)})
        assert failing.closed == 1

    def test_headers_are_read_when_they_are_wanted(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(b"1", b"2", headers={"h": b"x"})
        spy = Spy()
        consumer = consumer_of(cluster, topic, None, spy)
        consumer.consume(2, DEADLINE)
        one, two = spy.contexts
        assert one.headers == [("h", b"x")]
        assert one.headers is one.headers
        two.headers = None
        assert two.headers is None
        with pytest.raises(AttributeError, match="nothing"):
            two.nothing  # type: ignore[attr-defined]  # noqa: B018  # it is the look-up that raises
        consumer.close()

    def test_a_plain_consumer_sees_the_bytes(self, cluster: MockCluster, topic: str, fill: Any) -> None:
        fill(BAD)
        with Consumer(settings(cluster, group_id=unique_name("g"))) as consumer:
            consumer.assign([TopicPartition(topic, 0, 0)])
            assert values(consumer.consume(1, DEADLINE)) == [BAD]


class TestAvro:
    SCHEMA = '{"type": "record", "name": "R", "fields": [{"name": "n", "type": "int"}]}'

    @pytest.mark.parametrize("conf", [{}, {"schema.id.serializer": header_schema_id_serializer}])
    def test_through_the_cluster(self, cluster: MockCluster, topic: str, conf: dict[str, Any]) -> None:
        registry = SchemaRegistryClient({"url": "mock://"})
        key, value = AvroSerializer(registry, '"string"', conf=conf), AvroSerializer(registry, self.SCHEMA, conf=conf)
        with SerializingProducer(settings(cluster) | {"key.serializer": key, "value.serializer": value}) as producer:
            for n in range(100):
                producer.produce(topic, str(n), {"n": n}, 0)
        consumer = consumer_of(cluster, topic, AvroDeserializer(registry), AvroDeserializer(registry))
        messages = consumer.consume(100, DEADLINE)
        assert [(one.key(), one.value()) for one in messages] == [(str(n), {"n": n}) for n in range(100)]
        assert registry.get_subjects() == [f"{topic}-key", f"{topic}-value"]
        consumer.close()

    def test_builders(self, cluster: MockCluster, topic: str) -> None:
        registry = SchemaRegistryClient({"url": "mock://"})
        builder = AvroSerializerBuilder(schema_registry_client=registry, schema=self.SCHEMA)
        with SerializingProducer(settings(cluster) | {"value.serializer.builder": builder}) as producer:
            producer.produce(topic, None, {"n": 1}, 0)
        reading = AvroDeserializerBuilder(schema_registry_client=registry)
        consumer = consumer_of(cluster, topic, **{"value.deserializer.builder": reading})
        assert values(consumer.consume(1, DEADLINE)) == [{"n": 1}]
        consumer.close()
