# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C at any moment ends any blocking call, and the client works on.

FERROKAFKA_SIGNALS sets how many signals are sent in all.
"""

from __future__ import annotations

import os

import pytest

from tests.fault.children import run_child
from tests.integration.kit import MakeTopic
from tests.support.broker import KafkaBroker

SIGNALS = int(os.environ.get("FERROKAFKA_SIGNALS", "1000"))

INTERRUPT = """
kind, bootstrap, topic, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
HOUR = 3600
NOWHERE = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}
away = TopicPartition("anything", 0, 5)

consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"})
consumer.assign([TopicPartition(topic, 0, 0)])
producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
lost_consumer = Consumer({**NOWHERE, "group.id": "nobody"})
lost_producer = Producer({**NOWHERE, "queue.buffering.max.messages": 1, "transactional.id": "t"}
                         if kind == "init_transactions" else {**NOWHERE, "queue.buffering.max.messages": 1})
if kind != "init_transactions":
    lost_producer.produce("anything", b"x")

calls = {
    "poll": lambda: consumer.poll(HOUR),
    "poll without limit": lambda: consumer.poll(),
    "consume": lambda: consumer.consume(10, HOUR),
    "iteration": lambda: next(iter(consumer)),
    "batches": lambda: next(iter(consumer.batches(10, HOUR))),
    "producer poll": lambda: producer.poll(HOUR),
    "flush": lambda: lost_producer.flush(HOUR),
    "list_topics": lambda: lost_producer.list_topics(timeout=HOUR),
    "watermarks": lambda: lost_consumer.get_watermark_offsets(away, timeout=HOUR),
    "committed": lambda: lost_consumer.committed([away], timeout=HOUR),
    "offsets_for_times": lambda: lost_consumer.offsets_for_times([away], timeout=HOUR),
    "commit": lambda: lost_consumer.commit(offsets=[away], asynchronous=False),
    "init_transactions": lambda: lost_producer.init_transactions(HOUR),
    "produce with block": lambda: lost_producer.produce("anything", b"x", block=-1),
    "producer close": lambda: lost_producer.close(),
}
call = calls[kind]

busy = True
def other_thread():
    while busy:
        sum(range(2000))
        consumer.position(consumer.assignment())
        len(producer)
        time.sleep(0.0005)

threads = [threading.Thread(target=other_thread, daemon=True) for _ in range(2)]
for thread in threads:
    thread.start()

def fire(delay):
    time.sleep(delay)
    os.kill(os.getpid(), signal.SIGINT)

generator = random.Random(42)
interrupted = 0
for _ in range(count):
    try:
        shot = threading.Thread(target=fire, args=(generator.uniform(0, 0.01),), daemon=True)
        shot.start()
        while True:
            try:
                call()
            except KafkaException:
                # A lookup may find out by itself that nobody is there; Ctrl-C must come through all the same.
                pass
    except KeyboardInterrupt:
        interrupted += 1
    shot.join()

busy = False
for thread in threads:
    thread.join()
reports = []
producer.produce(topic, b"still alive", on_delivery=lambda error, message: reports.append(error))
assert producer.flush(60) == 0 and reports == [None], reports
message = consumer.poll(60)
assert message is not None and message.error() is None and message.value() == b"still alive", message
lost_producer.purge()
producer.close()
consumer.close()
lost_consumer.close()
print(interrupted)
"""

KINDS = [
    "poll", "poll without limit", "consume", "iteration", "batches", "producer poll", "flush", "list_topics",
    "watermarks", "committed", "offsets_for_times", "commit", "init_transactions", "produce with block",
    "producer close",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_at_random_moments(broker: KafkaBroker, make_topic: MakeTopic, kind: str) -> None:
    count = -(-SIGNALS // len(KINDS))
    ended = run_child(INTERRUPT, kind, broker.bootstrap, make_topic(), str(count)).expect()
    assert ended.out.split() == [str(count)]


def test_ctrl_c_in_a_callback_is_not_lost(broker: KafkaBroker, make_topic: MakeTopic) -> None:
    source = """
        bootstrap, topic = sys.argv[1:]
        seen = []
        def delivered(error, message):
            seen.append(message.value())
            if len(seen) == 2:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0)
        producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 50})
        for number in range(5):
            producer.produce(topic, str(number), on_delivery=delivered)
        interrupted = 0
        while len(seen) < 5 or not interrupted:
            try:
                producer.flush(10)
            except KeyboardInterrupt:
                interrupted += 1
        print(interrupted, sorted(seen))
        producer.close()
    """
    ended = run_child(source, broker.bootstrap, make_topic()).expect()
    assert ended.out.strip() == "1 [b'0', b'1', b'2', b'3', b'4']"


def test_ctrl_c_while_a_consumer_closes(broker: KafkaBroker, make_topic: MakeTopic) -> None:
    """Whether the signal comes before, during or after: close() can be called again and the process ends."""
    source = """
        bootstrap, topic = sys.argv[1:]
        generator = random.Random(7)
        for number in range(30):
            consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"{topic}-{number}"})
            consumer.subscribe([topic])
            consumer.poll(0.05)
            def fire(delay=generator.uniform(0, 0.02)):
                time.sleep(delay)
                os.kill(os.getpid(), signal.SIGINT)
            shot = threading.Thread(target=fire, daemon=True)
            try:
                shot.start()
                consumer.close()
                shot.join()
                time.sleep(0.01)
            except KeyboardInterrupt:
                pass
            shot.join()
            consumer.close()
            try:
                consumer.poll(0)
            except RuntimeError:
                print("closed")
    """
    assert run_child(source, broker.bootstrap, make_topic()).expect().out.split() == ["closed"] * 30


def test_another_signals_handler_runs_during_a_call_that_goes_on(broker: KafkaBroker, make_topic: MakeTopic) -> None:
    source = """
        bootstrap, topic = sys.argv[1:]
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"})
        consumer.assign([TopicPartition(topic, 0, 0)])
        producer = Producer({"bootstrap.servers": bootstrap})
        handled = []
        signal.signal(signal.SIGUSR1, lambda number, frame: (handled.append(1), producer.produce(topic, b"x")))
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        message = consumer.poll(60)
        assert handled == [1] and message.value() == b"x", (handled, message)
        producer.close()
        consumer.close()
        print("fine")
    """
    assert run_child(source, broker.bootstrap, make_topic()).expect().out == "fine\n"
