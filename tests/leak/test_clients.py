# SPDX-License-Identifier: Apache-2.0
"""Clients that come and go leave no threads, file descriptors or objects behind.

FERROKAFKA_LEAK_CYCLES sets the number of cycles: 100 by default, 1000 for the full measurement.
"""

from __future__ import annotations

import gc
import os
import sys
import weakref
from typing import Any

import pytest

from confluent_kafka import Producer
from tests.fault.children import run_child
from tests.integration.kit import DEADLINE, UNREACHABLE, MakeConsumer, MakeTopic, produce_all, read
from tests.support.broker import KafkaBroker

CYCLES = int(os.environ.get("FERROKAFKA_LEAK_CYCLES", "100"))

CYCLE = """
import asyncio
from confluent_kafka.admin import AdminClient
from confluent_kafka.aio import AIOAdminClient

bootstrap, topic, kind, cycles = sys.argv[1:4] + [int(sys.argv[4])]
faulthandler.dump_traceback_later(60 + cycles, exit=True)

def producer(used, closed):
    client = Producer({"bootstrap.servers": bootstrap, "log_level": 0, "error_cb": print if used else (lambda e: None)})
    if used:
        client.produce(topic, b"x", on_delivery=lambda error, message: None)
        assert client.flush(60) == 0
    if closed:
        client.close()

def consumer(used, closed):
    client = Consumer({"bootstrap.servers": bootstrap, "log_level": 0, "group.id": topic})
    if used:
        client.assign([TopicPartition(topic, 0, 0)])
        assert client.consume(1, 60)[0].value() == b"x"
    if closed:
        client.close()

def sender(used, closed):
    client = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    assert client.send(topic, b"x").result(60).value() == b"x"
    if closed:
        client.close()

def admin(used, closed):
    client = AdminClient({"bootstrap.servers": bootstrap if used else "127.0.0.1:1", "log_level": 0})
    future = client.describe_cluster()
    if used:
        assert future.result(60).cluster_id
    if closed:
        client.close()
    if not used:
        # Nobody answers: it is the end of the client that tells.
        del client
        assert future.exception(60) is not None

def loop_admin(used, closed):
    async def main():
        client = AIOAdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        assert (await client.describe_cluster()).cluster_id
        if closed:
            await client.close()

    asyncio.run(main())

makers = {"producer": producer, "consumer": consumer, "sender": sender, "admin": admin, "loop_admin": loop_admin}
make = makers[kind.split()[0]]
used, closed = "used" in kind, "collected" not in kind

def state():
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

def settled(limit):
    # Closing ends on native threads, which take their time; what is leaked stays.
    end = time.monotonic() + 60
    while time.monotonic() < end:
        gc.collect()
        now = state()
        if now[0] <= limit[0] and now[1] <= limit[1]:
            return now
        time.sleep(0.02)
    return state()

def steady():
    # What the first clients start for the whole process stays; what is still closing goes.
    seen = [state()]
    while len(seen) < 50 or len(set(seen[-50:])) > 1:
        time.sleep(0.02)
        seen.append(state())
    return seen[-1]

for _ in range(3):
    make(used, closed)
gc.collect()
base = steady()
for _ in range(cycles):
    make(used, closed)
after = settled(base)
assert after[0] <= base[0] and after[1] <= base[1], f"(descriptors, threads): {base} -> {after}"
print("nothing leaked")
"""

KINDS = ["producer", "producer used", "producer used collected", "consumer", "consumer used", "consumer collected",
         "consumer used collected", "sender", "sender collected", "admin", "admin used", "admin collected",
         "admin used collected", "loop_admin", "loop_admin collected"]  # fmt: skip


@pytest.mark.timeout(120 + 10 * CYCLES)
@pytest.mark.parametrize("kind", KINDS)
def test_clients_leave_no_threads_and_descriptors(broker: KafkaBroker, make_topic: MakeTopic, kind: str) -> None:
    topic = make_topic()
    with Producer({"bootstrap.servers": broker.bootstrap}) as producer:
        producer.produce(topic, b"x")
    deadline = 120 + 10 * CYCLES
    ended = run_child(CYCLE, broker.bootstrap, topic, kind, str(CYCLES), deadline=deadline).expect()
    assert ended.out == "nothing leaked\n"


def test_produced_objects_are_let_go(make_topic: MakeTopic, producer: Producer) -> None:
    topic = make_topic()
    value, key, header = bytes(1000), b"the key" * 10, b"the header" * 10
    headers = [("name", header)]

    class Callback:
        def __call__(self, error: Any, message: Any) -> None:
            assert error is None

    callback = Callback()
    gone = weakref.ref(callback)
    # Not the topic: a producer may keep the names it has seen.
    counted = (value, key, header, headers)
    before = [sys.getrefcount(item) for item in counted]
    for _ in range(1_000):
        producer.produce(topic, value, key, headers=headers, on_delivery=callback)
    assert producer.flush(DEADLINE) == 0
    producer.produce_batch(topic, [{"value": value, "key": key, "headers": headers}] * 100, on_delivery=callback)
    assert producer.flush(DEADLINE) == 0
    for _ in range(100):
        producer.send(topic, value, key, headers=headers).result(DEADLINE)
    gc.collect()
    assert [sys.getrefcount(item) for item in counted] == before
    del callback
    gc.collect()
    assert gone() is None


def test_refused_messages_are_let_go() -> None:
    producer = Producer({"bootstrap.servers": UNREACHABLE, "queue.buffering.max.messages": 1, "log_level": 0})
    value = bytes(1000)

    def callback(error: Any, message: Any) -> None: ...

    before = [sys.getrefcount(item) for item in (value, callback)]
    producer.produce("anything", value, on_delivery=callback)
    for _ in range(1_000):
        with pytest.raises(BufferError):
            producer.produce("anything", value, on_delivery=callback)
        with pytest.raises(TypeError):
            producer.produce("anything", value, 5, on_delivery=callback)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            producer.produce_batch("anything", [value, 5], on_delivery=callback)  # type: ignore[list-item]
    producer.purge()
    assert producer.flush(DEADLINE) == 0
    producer.close()
    gc.collect()
    assert [sys.getrefcount(item) for item in (value, callback)] == before


@pytest.mark.parametrize("kind", ["closed", "collected"])
def test_a_client_lets_its_callbacks_go(kind: str) -> None:
    class Callback:
        def __call__(self, *arguments: Any) -> None: ...

    callback = Callback()
    gone = weakref.ref(callback)
    producer = Producer(
        {"bootstrap.servers": UNREACHABLE, "log_level": 0, "error_cb": callback, "stats_cb": callback},
        on_delivery=callback,
    )
    del callback
    assert gone() is not None
    if kind == "closed":
        producer.close()
    del producer
    gc.collect()
    assert gone() is None


def test_consumed_messages_are_let_go(make_topic: MakeTopic, producer: Producer, make_consumer: MakeConsumer) -> None:
    """Reading and dropping many messages leaves no Python objects behind."""
    topic = make_topic()
    produce_all(producer, topic, [b"x" * 100] * 5_000, key=b"key", headers=[("a", b"b")])
    consumer = make_consumer()
    consumer.subscribe([topic])

    def use(count: int) -> None:
        for message in read(consumer, count):
            assert (message.key(), message.headers()) == (b"key", [("a", b"b")])
            assert message.topic() == topic

    use(1_000)
    gc.collect()
    before = sys.getallocatedblocks()
    use(2_000)
    for _ in range(4):
        for message in consumer.consume(500, DEADLINE):
            assert len(message) == 100
    del message
    gc.collect()
    assert sys.getallocatedblocks() - before < 500
