# SPDX-License-Identifier: Apache-2.0
"""What a producer puts on the wire and reports back, judged by a consumer and by the broker's log files."""

from __future__ import annotations

import array
import time
from typing import Any

import pytest

import confluent_kafka
from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException, Message
from tests.integration.kit import (
    CODECS,
    DEADLINE,
    UNREACHABLE,
    MakeConsumer,
    MakeProducer,
    MakeTopic,
    eventually,
    produce_all,
    read,
    report_of,
    stored_batches,
    values_of,
)
from tests.support.broker import KafkaBroker


def round_trip(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer, **options: Any
) -> Message:
    """Produce one message with these arguments and return it as a consumer sees it."""
    topic = make_topic()
    error, _ = report_of(make_producer(), topic, **options)
    assert error is None
    consumer = make_consumer()
    consumer.subscribe([topic])
    (message,) = read(consumer, 1)
    assert (message.topic(), message.partition(), message.offset()) == (topic, 0, 0)
    return message


@pytest.mark.parametrize(
    ("key", "value", "seen_key", "seen_value"),
    [
        (b"k", b"v", b"k", b"v"),
        ("ключ", "värde\0end", "ключ".encode(), "värde\0end".encode()),
        (b"\x00\xff", b"\x00" * 1000, b"\x00\xff", b"\x00" * 1000),
        (b"", b"", b"", b""),
        (None, b"v", None, b"v"),
        (b"tombstone", None, b"tombstone", None),
        (None, None, None, None),
    ],
)
def test_keys_and_values_arrive_as_given(
    make_topic: MakeTopic,
    make_producer: MakeProducer,
    make_consumer: MakeConsumer,
    key: Any,
    value: Any,
    seen_key: bytes | None,
    seen_value: bytes | None,
) -> None:
    message = round_trip(make_topic, make_producer, make_consumer, key=key, value=value)
    assert (message.key(), message.value()) == (seen_key, seen_value)
    assert len(message) == len(seen_value or b"")
    assert message.headers() is None
    assert message.latency() is None
    assert message.leader_epoch() == 0


@pytest.mark.beyond_peer
@pytest.mark.parametrize(
    "buffer",
    [bytearray(b"a\0b"), memoryview(b"xa\0bx")[1:4], array.array("B", b"a\0b")],
    ids=lambda b: type(b).__name__,
)
def test_any_buffer_is_a_key_value_or_header_value(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer, buffer: Any
) -> None:
    message = round_trip(make_topic, make_producer, make_consumer, key=buffer, value=buffer, headers=[("h", buffer)])
    assert message.key() == message.value() == b"a\0b"
    assert message.headers() == [("h", b"a\0b")]


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ([("a", b"1"), ("b", None), ("a", b"2")], [("a", b"1"), ("b", None), ("a", b"2")]),
        (
            [("bytes", b"x\0y"), ("empty", b""), ("text", "é")],
            [("bytes", b"x\0y"), ("empty", b""), ("text", "é".encode())],
        ),
        ({"k": "v", "n": None}, [("k", b"v"), ("n", None)]),
        ([("schlüssel", b"")], [("schlüssel", b"")]),
        ([(5, b"int name")], [("5", b"int name")]),
        ([], None),
        ({}, None),
        (None, None),
    ],
)
def test_headers_keep_order_and_duplicates(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer, given: Any, seen: Any
) -> None:
    assert round_trip(make_topic, make_producer, make_consumer, headers=given).headers() == seen


@pytest.mark.parametrize("codec", ["none", "lz4"])
def test_headers_beside_every_kind_of_value(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer, codec: str
) -> None:
    """Whether a record has headers is told by the byte behind its value, if it has one."""
    topic, producer = make_topic(), make_producer({"compression.type": codec, "linger.ms": 50})
    values: list[bytes | None] = [None, b"", b"x", b"\0", b"\0" * 200, b"long" * 50_000]
    headers: list[list[tuple[str, bytes | None]]] = [
        [], [("a", b"1")], [("", b"")], [("n", None)], [(str(n), b"") for n in range(200)]
    ]  # fmt: skip
    sent = [(value, given) for value in values for given in headers]
    for value, given in sent:
        producer.produce(topic, value, headers=given)
    assert producer.flush(DEADLINE) == 0
    consumer = make_consumer()
    consumer.subscribe([topic])
    seen = [(message.value(), message.headers() or []) for message in read(consumer, len(sent))]
    assert seen == sent


@pytest.mark.beyond_peer
def test_a_text_header_value_is_not_cut_at_a_nul(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer
) -> None:
    message = round_trip(make_topic, make_producer, make_consumer, headers=[("t", "é\0z"), ("b", b"\0")])
    assert message.headers() == [("t", "é\0z".encode()), ("b", b"\0")]


@pytest.mark.parametrize("headers", [[["a", b"1"]], (("a", b"1"),), [("a",)], [("a", 1)], "a", 5])
def test_headers_of_a_wrong_shape_are_refused(make_topic: MakeTopic, make_producer: MakeProducer, headers: Any) -> None:
    producer = make_producer()
    with pytest.raises(TypeError):
        producer.produce(make_topic(), b"x", headers=headers)
    assert len(producer) == 0


def test_a_given_timestamp_is_kept_as_create_time(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer
) -> None:
    message = round_trip(make_topic, make_producer, make_consumer, timestamp=1_234_567_890_123)
    assert message.timestamp() == (TIMESTAMP_CREATE_TIME, 1_234_567_890_123)


def test_without_a_timestamp_it_is_now(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer
) -> None:
    before = int(time.time() * 1000)
    kind, milliseconds = round_trip(make_topic, make_producer, make_consumer).timestamp()
    assert kind == TIMESTAMP_CREATE_TIME
    assert before <= milliseconds <= int(time.time() * 1000)


def test_a_topic_may_stamp_records_itself(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer
) -> None:
    topic = make_topic(message_timestamp_type="LogAppendTime")
    before = int(time.time() * 1000)
    error, _ = report_of(make_producer(), topic, timestamp=1_000)
    assert error is None
    consumer = make_consumer()
    consumer.subscribe([topic])
    kind, milliseconds = read(consumer, 1)[0].timestamp()
    assert kind == TIMESTAMP_LOG_APPEND_TIME
    assert before <= milliseconds <= int(time.time() * 1000)


def test_an_explicit_partition_is_used(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer
) -> None:
    topic = make_topic(3)
    producer = make_producer()
    for partition in (2, 0, 1, 2):
        error, report = report_of(producer, topic, f"to {partition}".encode(), partition=partition)
        assert error is None
        assert report.partition() == partition
    consumer = make_consumer()
    consumer.subscribe([topic])
    seen = sorted((message.partition(), message.offset(), message.value()) for message in read(consumer, 4))
    assert seen == [(0, 0, b"to 0"), (1, 0, b"to 1"), (2, 0, b"to 2"), (2, 1, b"to 2")]


@pytest.mark.parametrize("partitioner", ["consistent", "murmur2", "fnv1a"])
def test_partitioners_agree_with_the_exported_functions(
    make_topic: MakeTopic, make_producer: MakeProducer, partitioner: str
) -> None:
    topic = make_topic(7)
    producer = make_producer({"partitioner": partitioner})
    place = getattr(confluent_kafka, partitioner)
    for key in (b"a", b"abc", "schlüssel".encode(), b"\0\xff"):
        error, report = report_of(producer, topic, key=key)
        assert error is None
        assert report.partition() == place(key, 7)


@pytest.mark.parametrize("codec", CODECS)
def test_compression_codecs(
    broker: KafkaBroker, make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer, codec: str
) -> None:
    topic = make_topic()
    values = [f"{number:06d}".encode() * 50 for number in range(300)]
    produce_all(make_producer({"compression.type": codec, "linger.ms": 50}), topic, values)
    consumer = make_consumer()
    consumer.subscribe([topic])
    assert values_of(read(consumer, len(values))) == values
    stored = list(stored_batches(broker, topic))
    assert {batch.codec for batch in stored} == {codec}
    assert sum(batch.records for batch in stored) == len(values)


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_large_messages(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer, codec: str
) -> None:
    topic = make_topic(max_message_bytes="9000000")
    values = [bytes([number]) * 4_000_000 for number in range(3)]
    produce_all(make_producer({"message.max.bytes": 8_000_000, "compression.type": codec}), topic, values)
    consumer = make_consumer()
    consumer.subscribe([topic])
    assert values_of(read(consumer, len(values))) == values


def test_a_message_above_message_max_bytes_is_refused_at_once(
    make_topic: MakeTopic, make_producer: MakeProducer
) -> None:
    producer = make_producer({"message.max.bytes": 2_000})
    with pytest.raises(KafkaException) as caught:
        producer.produce(make_topic(), b"x" * 5_000)
    error = caught.value.args[0]
    assert error.code() == KafkaError.MSG_SIZE_TOO_LARGE
    assert "size" in error.str().lower()
    assert len(producer) == 0


def test_a_message_above_the_topics_limit_fails_in_its_report(
    make_topic: MakeTopic, make_producer: MakeProducer
) -> None:
    producer = make_producer()
    topic = make_topic(max_message_bytes="1000")
    error, report = report_of(producer, topic, b"x" * 5_000)
    assert error is not None
    assert error.code() == KafkaError.MSG_SIZE_TOO_LARGE
    assert report.error() == error
    assert report.offset() is None
    assert report.value() == b"x" * 5_000
    assert report_of(producer, topic, b"small")[0] is None


def test_an_illegal_topic_fails_in_its_report(make_producer: MakeProducer) -> None:
    error, report = report_of(make_producer(), "not a topic!")
    assert error is not None
    assert error.code() == KafkaError.TOPIC_EXCEPTION
    assert (report.topic(), report.partition(), report.value()) == ("not a topic!", None, b"x")


def test_an_unknown_partition_is_refused_once_the_topic_is_known(
    make_topic: MakeTopic, make_producer: MakeProducer
) -> None:
    producer, topic = make_producer(), make_topic(2)
    assert report_of(producer, topic)[0] is None
    with pytest.raises(KafkaException) as caught:
        producer.produce(topic, b"x", partition=2)
    assert caught.value.args[0].code() == KafkaError._UNKNOWN_PARTITION


def test_an_unknown_partition_fails_in_its_report_before_that(
    make_topic: MakeTopic, make_producer: MakeProducer
) -> None:
    error, report = report_of(make_producer(), make_topic(2), partition=2)
    assert error is not None
    assert error.code() == KafkaError._UNKNOWN_PARTITION
    assert report.value() == b"x"


def test_a_delivery_report_tells_where_the_message_went(make_topic: MakeTopic, make_producer: MakeProducer) -> None:
    topic = make_topic()
    producer = make_producer()
    before = int(time.time() * 1000)
    for offset in range(3):
        error, report = report_of(producer, topic, b"v", key=b"k", headers=[("a", b"b")])
        assert error is None
        assert report.error() is None
        assert (report.topic(), report.partition(), report.offset()) == (topic, 0, offset)
        assert (report.key(), report.value(), report.leader_epoch()) == (b"k", b"v", None)
        kind, milliseconds = report.timestamp()
        assert kind == TIMESTAMP_CREATE_TIME
        assert milliseconds >= before
        latency = report.latency()
        assert latency is not None
        assert 0 < latency < DEADLINE


def test_the_callback_of_the_call_wins_over_the_configured_one(
    make_topic: MakeTopic, make_producer: MakeProducer
) -> None:
    seen: list[tuple[str, Any]] = []
    producer = make_producer({"on_delivery": lambda error, message: seen.append(("configured", message.value()))})
    topic = make_topic()
    producer.produce(topic, b"1")
    producer.produce(topic, b"2", on_delivery=lambda error, message: seen.append(("on_delivery", message.value())))
    producer.produce(topic, b"3", callback=lambda error, message: seen.append(("callback", message.value())))
    producer.produce(
        topic,
        b"4",
        callback=lambda error, message: seen.append(("callback", message.value())),
        on_delivery=lambda error, message: seen.append(("on_delivery", message.value())),
    )
    producer.produce(topic, b"5", callback=None, on_delivery=None)
    assert producer.flush(DEADLINE) == 0
    assert seen == [
        ("configured", b"1"),
        ("on_delivery", b"2"),
        ("callback", b"3"),
        ("callback", b"4"),
        ("configured", b"5"),
    ]


def test_delivery_report_only_error(make_topic: MakeTopic, make_producer: MakeProducer) -> None:
    seen: list[tuple[KafkaError | None, Any]] = []
    producer = make_producer({"delivery.report.only.error": True})
    topic = make_topic(max_message_bytes="1000")
    for value in (b"fine", b"x" * 5_000, b"fine too"):
        producer.produce(topic, value, on_delivery=lambda error, message: seen.append((error, message.value())))
        assert producer.flush(DEADLINE) == 0
    ((error, value),) = seen
    assert error is not None
    assert error.code() == KafkaError.MSG_SIZE_TOO_LARGE
    assert value == b"x" * 5_000


@pytest.mark.parametrize("wait", ["poll", "flush"])
def test_an_exception_in_a_delivery_callback_surfaces_and_loses_no_other_report(
    make_topic: MakeTopic, make_producer: MakeProducer, wait: str
) -> None:
    producer, topic = make_producer(), make_topic()
    seen: list[Any] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        seen.append(message.value())
        if message.value() == b"1":
            raise LookupError("from the callback")

    for number in range(5):
        producer.produce(topic, str(number).encode(), on_delivery=delivered)
    caught: list[LookupError] = []

    def step() -> bool:
        try:
            producer.poll(0.1) if wait == "poll" else producer.flush(1)
        except LookupError as error:
            caught.append(error)
        return len(seen) == 5

    eventually(step, "five delivery reports")
    assert sorted(seen) == [b"0", b"1", b"2", b"3", b"4"]
    (error,) = caught
    assert error.args == ("from the callback",)


@pytest.mark.beyond_peer
def test_an_exception_in_a_delivery_callback_keeps_its_traceback(
    make_topic: MakeTopic, make_producer: MakeProducer
) -> None:
    def delivered(error: KafkaError | None, message: Message) -> None:
        raise LookupError("from the callback")

    producer = make_producer()
    producer.produce(make_topic(), b"x", on_delivery=delivered)
    with pytest.raises(LookupError) as caught:
        producer.flush(DEADLINE)
    assert "delivered" in [entry.name for entry in caught.traceback]


def test_messages_of_one_producer_keep_their_order(
    make_topic: MakeTopic, make_producer: MakeProducer, make_consumer: MakeConsumer
) -> None:
    topic = make_topic()
    values = [str(number).encode() for number in range(2_000)]
    reports = produce_all(make_producer(), topic, values)
    assert [report.offset() for report in reports] == list(range(2_000))
    consumer = make_consumer()
    consumer.subscribe([topic])
    assert values_of(read(consumer, 2_000)) == values


@pytest.mark.parametrize("idempotence", [False, True])
def test_idempotence_on_and_off(
    broker: KafkaBroker, make_topic: MakeTopic, make_producer: MakeProducer, idempotence: bool
) -> None:
    topic = make_topic()
    produce_all(make_producer({"enable.idempotence": idempotence}), topic, [b"x"] * 500)
    stored = list(stored_batches(broker, topic))
    assert sum(batch.records for batch in stored) == 500
    assert all((batch.producer_id >= 0) == idempotence for batch in stored)


def test_linger_gathers_messages_into_batches(
    broker: KafkaBroker, make_topic: MakeTopic, make_producer: MakeProducer
) -> None:
    gathered, single = make_topic(), make_topic()
    lingering = make_producer({"linger.ms": 500})
    assert lingering.list_topics(gathered, timeout=DEADLINE).topics[gathered].partitions
    produce_all(lingering, gathered, [b"x"] * 100)
    at_once = make_producer({"linger.ms": 0})
    for _ in range(20):
        produce_all(at_once, single, [b"x"])
    assert len(list(stored_batches(broker, gathered))) <= 5
    assert len(list(stored_batches(broker, single))) == 20


def test_len_counts_what_waits_and_flush_returns_it(make_producer: MakeProducer) -> None:
    producer = make_producer({"bootstrap.servers": UNREACHABLE, "log_level": 0})
    assert bool(producer)
    assert len(producer) == 0
    for _ in range(5):
        producer.produce("anything", b"x")
    assert len(producer) == 5
    assert producer.flush(0.1) == 5
    assert producer.flush(0) == 5


def test_purge_fails_what_waits_with_its_own_error(make_producer: MakeProducer) -> None:
    producer = make_producer({"bootstrap.servers": UNREACHABLE, "log_level": 0})
    errors: list[int] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        assert error is not None
        errors.append(error.code())

    for _ in range(5):
        producer.produce("anything", b"x", on_delivery=delivered)
    producer.purge(in_queue=True, in_flight=False)
    assert producer.flush(DEADLINE) == 0
    assert errors == [KafkaError._PURGE_QUEUE] * 5
    assert len(producer) == 0


def test_a_full_queue_is_a_buffer_error_and_accepts_again_after_polling(
    make_topic: MakeTopic, make_producer: MakeProducer
) -> None:
    producer = make_producer({"queue.buffering.max.messages": 10, "linger.ms": 100})
    topic = make_topic()

    def fill() -> None:
        for _ in range(100):
            producer.produce(topic, b"x", on_delivery=lambda error, message: None)

    with pytest.raises(BufferError, match="Queue full"):
        fill()
    assert producer.flush(DEADLINE) == 0
    producer.produce(topic, b"x")
    assert producer.flush(DEADLINE) == 0


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((None,), {}),
        ((b"topic",), {}),
        ((), {}),
        (("t", 5), {}),
        (("t", b"v", 5), {}),
        (("t", b"v", b"k", "0"), {}),
        (("t",), {"timestamp": 1.5}),
        (("t",), {"nonsense": 1}),
    ],
)
def test_wrong_argument_types_are_refused(make_producer: MakeProducer, arguments: Any, options: Any) -> None:
    producer = make_producer()
    with pytest.raises(TypeError):
        producer.produce(*arguments, **options)
    assert len(producer) == 0


def test_a_closed_producer_says_so(make_topic: MakeTopic, make_producer: MakeProducer) -> None:
    producer, topic = make_producer(), make_topic()
    reports: list[Any] = []
    producer.produce(topic, b"x", on_delivery=lambda error, message: reports.append(error))
    assert producer.close() is True
    assert reports == [None]
    assert producer.close() is True
    assert len(producer) == 0
    for call in (
        lambda: producer.produce(topic, b"x"),
        lambda: producer.poll(0),
        lambda: producer.flush(0),
        lambda: producer.purge(),
        lambda: producer.begin_transaction(),
    ):
        with pytest.raises(RuntimeError, match="Producer has been closed"):
            call()
    for call in (lambda: producer.list_topics(timeout=1), lambda: producer.cluster_id(timeout=1)):
        with pytest.raises(RuntimeError, match="Handle has been closed"):
            call()


def test_a_with_block_delivers_before_it_ends(make_topic: MakeTopic, broker: KafkaBroker) -> None:
    topic = make_topic()
    with confluent_kafka.Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 50}) as producer:
        for _ in range(10):
            producer.produce(topic, b"x")
    assert broker.offsets(topic) == (0, 10)
