# SPDX-License-Identifier: Apache-2.0
"""The demo's work: one table through serialize, produce, consume and deserialize, then compared key by key."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.serialization import MessageField, SerializationContext

from . import _formats, _schema
from ._datasets import Dataset, Row
from ._errors import CommandError
from ._settings import describe
from ._terminal import Progress

# librdkafka's mock cluster keeps this much per partition and drops what is older without a word.
EMBEDDED_BYTES = 5 * 1024 * 1024
EMBEDDED_MESSAGES = 100_000
# At most what Kafka adds to a record that travels in a batch of its own.
RECORD_OVERHEAD_BYTES = 100

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Stage:
    """One step of the path: how many records and bytes went through it, in how many seconds."""

    name: str
    records: int
    bytes: int
    seconds: float


@dataclass(frozen=True)
class Encoded:
    """A record ready to be produced."""

    key: bytes
    value: bytes
    headers: Headers


@dataclass
class Differences:
    """What did not come back as it went in; every list holds keys, at most ``SHOWN`` of them, counts are complete."""

    missing: int = 0
    unexpected: int = 0
    duplicated: int = 0
    different: int = 0
    examples: list[str] = field(default_factory=list)

    SHOWN = 5

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.duplicated or self.different)

    def add(self, kind: str, text: str) -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.examples) < self.SHOWN:
            self.examples.append(f"{kind}: {text}")


@dataclass
class Outcome:
    """All there is to say about one table's way through Kafka."""

    dataset: Dataset
    topic: str
    partitions: int
    schema: Any
    columns: str
    schema_id: int
    key_column: str | None
    stages: list[Stage]
    samples: list[tuple[str, Row]]
    differences: Differences

    @property
    def ok(self) -> bool:
        return not self.differences


@dataclass
class Pipeline:
    """Runs tables through one cluster.

    Args:
        settings: properties of both clients; ``registry``: where the schemas go.
        format: ``avro``, ``json`` or ``protobuf``.
        embedded: the cluster forgets what exceeds its limits, so more than that is refused.
        idle_s: seconds without any message after which the rest counts as missing.
    """

    settings: dict[str, object]
    registry: SchemaRegistryClient
    embedded: bool
    progress: Progress
    format: str = "avro"
    idle_s: float = 30.0

    def run(self, producer: Producer, dataset: Dataset, topic: str, samples: int) -> Outcome:
        """Send a table and read it back.

        Raises: CommandError: too much for the embedded cluster, or messages that were not delivered.
        """
        schema = _schema.derive_schema(dataset)
        rows = _schema.records(dataset)
        column = _schema.key_column(rows)
        keys = _schema.keys(rows, column)
        sent = dict(zip(keys, rows, strict=True))
        context = SerializationContext(topic, MessageField.VALUE)

        form = _formats.format_of(self.format, schema, self.registry)
        started = time.perf_counter()
        encoded = list(self._encode(dataset.name, sent, form.serialize, context))
        size = sum(len(record.value) for record in encoded)
        stages = [Stage("serialize", len(encoded), size, time.perf_counter() - started)]

        starts = self._starts(producer, topic)
        if self.embedded:
            refuse_more_than_fits(encoded, len(starts))
        started = time.perf_counter()
        self._produce(producer, topic, encoded)
        wire = sum(len(record.key) + len(record.value) for record in encoded)
        stages.append(Stage("produce", len(encoded), wire, time.perf_counter() - started))

        messages, seconds = self._consume(starts, len(encoded))
        wire = sum(len(message.key() or b"") + len(message.value() or b"") for message in messages)
        stages.append(Stage("consume", len(messages), wire, seconds))

        started = time.perf_counter()
        received = [(_text(message.key()), form.deserialize(message.value(), context)) for message in messages]
        size = sum(len(message.value() or b"") for message in messages)
        stages.append(Stage("deserialize", len(received), size, time.perf_counter() - started))

        differences = compare(sent, received)
        headers = {_text(record.key): record.headers for record in encoded}
        compare_headers(headers, messages, differences)
        return Outcome(
            dataset=dataset,
            topic=topic,
            partitions=len(starts),
            schema=form.schema,
            columns=_schema.summary(schema),
            schema_id=int.from_bytes(encoded[0].value[1:5], "big"),
            key_column=column,
            stages=stages,
            samples=[(key, row) for key, row in received[:samples] if isinstance(row, dict)],
            differences=differences,
        )

    def _encode(
        self, name: str, sent: dict[str, Row], serialize: _formats.Serialize, context: SerializationContext
    ) -> Iterator[Encoded]:
        for number, (key, row) in enumerate(sent.items(), 1):
            value = serialize(row, context)
            if value is None:
                raise CommandError(f"the serializer made nothing of record {key!r} of {name}")
            yield Encoded(key.encode(), value, [("dataset", name.encode()), ("row", str(number).encode())])
            self.progress.show(lambda: f"{name}: {number:,} records serialized")  # noqa: B023 (called at once)

    def _starts(self, producer: Producer, topic: str) -> list[TopicPartition]:
        """Where each partition ends before anything is produced."""
        numbers = sorted(producer.list_topics(topic, timeout=self.idle_s).topics[topic].partitions)
        consumer = self._consumer()
        try:
            return [
                TopicPartition(topic, number, consumer.get_watermark_offsets(TopicPartition(topic, number), 10)[1])
                for number in numbers
            ]
        finally:
            consumer.close()

    def _produce(self, producer: Producer, topic: str, encoded: list[Encoded]) -> None:
        failures: Counter[str] = Counter()

        def report(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failures[f"{error.str()} ({error.name()})"] += 1

        for number, record in enumerate(encoded, 1):
            producer.produce(
                topic, value=record.value, key=record.key, headers=list(record.headers), on_delivery=report, block=-1
            )
            if number % 1000 == 0:
                producer.poll(0)
            self.progress.show(lambda: f"{topic}: {number:,} of {len(encoded):,} produced")  # noqa: B023
        while producer.flush(0.2) > 0:
            self.progress.show(lambda: f"{topic}: {len(producer):,} still to be acknowledged")
        if failures:
            reason, count = failures.most_common(1)[0]
            raise CommandError(
                f"{sum(failures.values()):,} messages were not delivered to {topic}: {count:,} times {reason}"
            )

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                **self.settings,
                # Partitions are assigned by hand: nothing is ever joined or committed under this name.
                "group.id": "ferrokafka-demo",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
            }
        )

    def _consume(self, starts: list[TopicPartition], expected: int) -> tuple[list[Message], float]:
        """Everything after ``starts``: until every partition is at its end and as many as expected have come.

        Returns: the messages, and the seconds until the last of them; being told of the end takes longer.
        """
        messages: list[Message] = []
        ended: set[int | None] = set()
        consumer = self._consumer()
        started = last = time.perf_counter()
        try:
            consumer.assign(starts)
            while len(messages) < expected or len(ended) < len(starts):
                message = consumer.poll(self.idle_s)
                if message is None:
                    break
                error = message.error()
                if error is None:
                    messages.append(message)
                    last = time.perf_counter()
                    ended.discard(message.partition())
                    self.progress.show(lambda: f"{len(messages):,} of {expected:,} consumed")
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                else:
                    raise CommandError(f"reading back: {error.str()} ({error.name()})")
        finally:
            consumer.close()
        return messages, last - started


def ensure_topic(producer: Producer, topic: str, timeout_s: float, poll_s: float = 0.25) -> None:
    """Ask for a topic until the broker has made it.

    Raises: CommandError: no answer from the broker, or it does not make topics on its own.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            found = producer.list_topics(topic, timeout=timeout_s).topics[topic]
        except KafkaException as error:
            raise CommandError(f"no answer from the brokers: {describe(error)}; check --bootstrap-servers") from error
        if found.error is None and found.partitions and all(p.leader >= 0 for p in found.partitions.values()):
            return
        if time.monotonic() > deadline:
            reason = found.error.name() if found.error is not None else "it has no leader yet"
            raise CommandError(
                f"the topic {topic} could not be made: {reason}. The demo relies on the broker to make it "
                "(auto.create.topics.enable); or make one yourself and name it with --topic"
            )
        producer.poll(poll_s)


def refuse_more_than_fits(encoded: Iterable[Encoded], partitions: int) -> None:
    """Raises: CommandError: the records could exceed what one partition of the embedded cluster keeps.

    A partition could get all of them, but keys are spread by their hash: twice the even share is allowed for.
    """
    sizes = [
        len(record.key)
        + len(record.value)
        + sum(len(name) + len(value) for name, value in record.headers)
        + RECORD_OVERHEAD_BYTES
        for record in encoded
    ]
    share = 1 if partitions == 1 else 2 / partitions
    if len(sizes) * share > EMBEDDED_MESSAGES or sum(sizes) * share > EMBEDDED_BYTES:
        raise CommandError(
            f"{len(sizes):,} records of {sum(sizes):,} bytes may not fit into {partitions} partition(s) of the "
            f"embedded cluster, which keeps {EMBEDDED_BYTES:,} bytes or {EMBEDDED_MESSAGES:,} messages in each and "
            "drops the oldest: take more --partitions, fewer records with --limit, or a real broker with "
            "--bootstrap-servers"
        )


def compare(sent: dict[str, Row], received: Iterable[tuple[str, object]]) -> Differences:
    """Compare what came back with what went in, key by key, values and their types."""
    differences = Differences()
    seen: set[str] = set()
    for key, row in received:
        if key not in sent:
            differences.add("unexpected", repr(key))
        elif key in seen:
            differences.add("duplicated", repr(key))
        else:
            seen.add(key)
            if not same(sent[key], row):
                differences.add("different", f"{key!r} went in as {sent[key]!r}, came back as {row!r}")
    for key in sent:
        if key not in seen:
            differences.add("missing", repr(key))
    return differences


def compare_headers(sent: dict[str, Headers], messages: Iterable[Message], differences: Differences) -> None:
    """Compare the headers of the messages whose keys are known."""
    for message in messages:
        key = _text(message.key())
        if key in sent and message.headers() != sent[key]:
            differences.add("different", f"headers of {key!r}: {sent[key]!r} came back as {message.headers()!r}")


def same(one: object, other: object) -> bool:
    """Equal and of the same type, all the way down: 1 is not 1.0 and not True; NaN is NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return one == other


def _text(key: bytes | None) -> str:
    return "" if key is None else key.decode(errors="backslashreplace")
