# SPDX-License-Identifier: Apache-2.0
"""Produce orders and tell what became of each: usage: delivery_reports.py BOOTSTRAP TOPIC (of four partitions)."""

import json
import sys
from collections import Counter

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer


class Ledger:
    """Counts delivery reports; a bound method is the callback."""

    def __init__(self):
        self.delivered = Counter()
        self.highest = {}
        self.failed = []

    def record(self, err, msg):
        if err is not None:
            self.failed.append((err.name(), msg.key(), msg.error() == err, msg.offset()))
            return
        self.delivered[msg.partition()] += 1
        self.highest[msg.partition()] = max(msg.offset(), self.highest.get(msg.partition(), -1))
        assert msg.latency() > 0
        assert msg.headers() is None


def orders(count):
    for number in range(count):
        yield {"id": number, "customer": f"customer-{number % 17}", "total": round(number * 1.25, 2)}


def main(bootstrap, topic):
    ledger = Ledger()
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 20, "compression.type": "lz4", "message.max.bytes": 5000},
        on_delivery=ledger.record,
    )
    for order in orders(1000):
        headers = [("source", b"shop"), ("attempt", "1"), ("nothing", None)]
        while True:
            try:
                producer.produce(
                    topic,
                    json.dumps(order),
                    order["customer"],
                    headers=headers,
                    timestamp=1_600_000_000_000 + order["id"],
                )
                break
            except BufferError:
                producer.poll(1)
        producer.poll(0)
    print("left after flush:", producer.flush(60), "len:", len(producer))
    print("delivered by partition:", sorted(ledger.delivered.items()))
    print("highest offsets:", sorted(ledger.highest.items()))
    print("failed:", ledger.failed)

    own = []
    producer.produce(
        topic, b"callback of the call", b"k", callback=lambda err, msg: own.append((err, msg.value(), msg.key()))
    )
    producer.flush(60)
    print("callback of the call:", own)

    try:
        producer.produce(topic, b"x" * 10_000)
    except KafkaException as error:
        kafka_error = error.args[0]
        print(
            "too large:",
            kafka_error.name(),
            kafka_error.code() == KafkaError.MSG_SIZE_TOO_LARGE,
            kafka_error.retriable(),
        )
    for name, call in (
        ("int value", lambda: producer.produce(topic, 5)),
        ("no topic", lambda: producer.produce(None)),
        ("bad headers", lambda: producer.produce(topic, headers=[["a", "b"]])),
        ("commit", lambda: producer.commit_transaction(1)),
    ):
        try:
            call()
            print(name, "accepted")
        except TypeError:  # noqa: PERF203  each call is tried on its own
            print(name, "-> TypeError")
        except KafkaException as error:
            print(name, "->", error.args[0].name())
    producer.produce("not a topic!", b"v", b"illegal")
    producer.flush(60)
    print("failed:", ledger.failed)

    described = producer.list_topics(topic, timeout=30).topics[topic]
    print("partitions:", sorted(described.partitions), "error:", described.error)

    with Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"}) as consumer:
        consumer.subscribe([topic])
        seen = []
        while len(seen) < 1001:
            seen.extend(message for message in consumer.consume(500, timeout=1) if message.error() is None)
    seen.sort(key=lambda message: (message.partition(), message.offset()))
    for message in (seen[0], seen[500], seen[-1]):
        print(message.partition(), message.offset(), message.key(), message.value(), message.headers())
        print("  ", message.timestamp() if message.headers() else "", len(message), message.latency(), bool(message))
    print("sum of totals:", sum(json.loads(m.value())["total"] for m in seen if m.headers()))


if __name__ == "__main__":
    main(*sys.argv[1:])
