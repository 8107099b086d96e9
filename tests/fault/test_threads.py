# SPDX-License-Identifier: Apache-2.0
"""Several threads on one client: nothing waits behind a poll, and close() or wakeup() ends every wait."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from tests.fault.children import run_child
from tests.integration.kit import (
    DEADLINE,
    UNREACHABLE,
    MakeConsumer,
    MakeProducer,
    MakeTopic,
    eventually,
    poll_until,
    produce_all,
    read,
    unique_name,
)

HOUR = 3_600
AWAY = TopicPartition("anything", 0, 5)


class Waiting:
    """A call in a thread of its own."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.results: list[Any] = []
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()
        assert self._started.wait(DEADLINE)

    def _run(self, call: Callable[[], Any]) -> None:
        self._started.set()
        try:
            self.results.append(call())
        except Exception as error:
            self.results.append(error)

    def waits(self) -> bool:
        """Whether the call has not ended by itself in a while."""
        self._thread.join(0.2)
        return self._thread.is_alive()

    def ends(self) -> Any:
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "the call still waits"
        return self.results[0]


CONSUMER_CALLS: dict[str, Callable[[Consumer], Any]] = {
    "poll": lambda consumer: consumer.poll(HOUR),
    "poll without limit": lambda consumer: consumer.poll(),
    "consume": lambda consumer: consumer.consume(100, HOUR),
    "iteration": lambda consumer: list(consumer),
    "batches": lambda consumer: list(consumer.batches(10, HOUR)),
}
# close() waits for a commit under way, which librdkafka gives up after session.timeout.ms without a coordinator.
SOON = {"bootstrap.servers": UNREACHABLE, "log_level": 0, "session.timeout.ms": 6_000}
LOOKUPS: dict[str, Callable[[Consumer], Any]] = {
    "watermarks": lambda consumer: consumer.get_watermark_offsets(AWAY, timeout=HOUR),
    "committed": lambda consumer: consumer.committed([AWAY], timeout=HOUR),
    "offsets_for_times": lambda consumer: consumer.offsets_for_times([AWAY], timeout=HOUR),
    "list_topics": lambda consumer: consumer.list_topics(timeout=HOUR),
    "commit": lambda consumer: consumer.commit(offsets=[AWAY], asynchronous=False),
}


@pytest.mark.parametrize("end", ["wakeup", "close"])
@pytest.mark.parametrize("name", sorted(CONSUMER_CALLS))
def test_every_read_ends_by_wakeup_and_close(make_topic: MakeTopic, consumer: Consumer, name: str, end: str) -> None:
    consumer.assign([TopicPartition(make_topic(), 0, 0)])
    waiting = Waiting(lambda: CONSUMER_CALLS[name](consumer))
    assert waiting.waits()
    getattr(consumer, end)()
    result = waiting.ends()
    if end == "wakeup" or name in ("iteration", "batches"):
        assert result in (None, [])
    else:
        assert result in (None, []) or isinstance(result, RuntimeError)


@pytest.mark.parametrize("name", sorted(LOOKUPS))
def test_every_lookup_ends_by_close(make_consumer: MakeConsumer, name: str) -> None:
    consumer = make_consumer(SOON)
    waiting = Waiting(lambda: LOOKUPS[name](consumer))
    consumer.close()
    assert isinstance(waiting.ends(), (RuntimeError, KafkaException))


PRODUCER_CALLS: dict[str, Callable[[Producer], Any]] = {
    "poll": lambda producer: producer.poll(HOUR),
    "list_topics": lambda producer: producer.list_topics(timeout=HOUR),
    "cluster_id": lambda producer: producer.cluster_id(timeout=HOUR),
}


@pytest.mark.parametrize("name", sorted(PRODUCER_CALLS))
def test_every_producer_call_ends_by_close(make_producer: MakeProducer, name: str) -> None:
    producer = make_producer({"bootstrap.servers": UNREACHABLE, "log_level": 0})
    waiting = Waiting(lambda: PRODUCER_CALLS[name](producer))
    producer.close()
    assert isinstance(waiting.ends(), (int, RuntimeError, KafkaException))


def test_close_ends_the_flush_of_another_thread(make_producer: MakeProducer) -> None:
    producer = make_producer({"bootstrap.servers": UNREACHABLE, "log_level": 0, "message.timeout.ms": 2_000})
    producer.produce("anything", b"x")
    waiting = Waiting(lambda: producer.flush(HOUR))
    producer.close()
    assert isinstance(waiting.ends(), (int, RuntimeError))


def test_wakeups_of_many_threads_end_each_wait(make_topic: MakeTopic, consumer: Consumer) -> None:
    """However wakeup() and poll() meet, a poll that waits ends: 300 rounds with a thread that wakes at random."""
    consumer.assign([TopicPartition(make_topic(), 0, 0)])
    for _ in range(300):
        thread = threading.Thread(target=consumer.wakeup, daemon=True)
        thread.start()
        assert consumer.poll(HOUR) is None
        thread.join(DEADLINE)
    assert consumer.poll(0) is None


def test_no_call_waits_behind_a_poll(make_topic: MakeTopic, make_consumer: MakeConsumer, producer: Producer) -> None:
    topic = make_topic()
    produce_all(producer, topic, [b"0", b"1", b"2"])
    here = TopicPartition(topic, 0)
    consumer = make_consumer({"enable.auto.offset.store": False, "enable.auto.commit": False})
    consumer.subscribe([topic])
    messages = read(consumer, 3)
    polling = Waiting(lambda: consumer.poll(HOUR))
    calls: list[Callable[[], Any]] = [
        lambda: consumer.position([here])[0].offset,
        lambda: consumer.assignment(),
        lambda: consumer.subscription(),
        lambda: consumer.memberid(),
        lambda: consumer.consumer_group_metadata(),
        lambda: consumer.store_offsets(messages[1]),
        lambda: consumer.commit(asynchronous=False),
        lambda: consumer.commit(messages[2]),
        lambda: consumer.committed([here], timeout=DEADLINE),
        lambda: consumer.pause([here]),
        lambda: consumer.resume([here]),
        lambda: consumer.seek(TopicPartition(topic, 0, 3)),
        lambda: consumer.get_watermark_offsets(here, timeout=DEADLINE),
        lambda: consumer.get_watermark_offsets(here, cached=True),
        lambda: consumer.offsets_for_times([TopicPartition(topic, 0, 0)], timeout=DEADLINE),
        lambda: consumer.list_topics(topic, timeout=DEADLINE),
        lambda: consumer.cluster_id(timeout=DEADLINE),
        lambda: consumer.lag(),
        lambda: consumer.poll(0),
        lambda: consumer.consume(1, 0),
    ]
    for call in calls:
        result = Waiting(call).ends()
        assert not isinstance(result, Exception), result
    assert polling.waits()
    consumer.wakeup()
    assert polling.ends() is None


def test_producers_are_shared_by_threads(make_topic: MakeTopic, producer: Producer) -> None:
    topic = make_topic()
    reports: list[Any] = []
    lock = threading.Lock()

    def delivered(error: Any, message: Any) -> None:
        with lock:
            reports.append((error, message.value()))

    def work(name: int) -> None:
        for number in range(1_000):
            producer.produce(topic, f"{name}-{number}", on_delivery=delivered)
            producer.poll(0)
        producer.flush(DEADLINE)

    workers = [Waiting(lambda name=name: work(name)) for name in range(4)]  # type: ignore[misc]
    for worker in workers:
        assert worker.ends() is None
    assert producer.flush(DEADLINE) == 0
    eventually(lambda: len(reports) == 4_000, "4,000 reports")
    assert sorted(reports) == sorted(
        (None, f"{name}-{number}".encode()) for name in range(4) for number in range(1_000)
    )


def test_closing_from_many_threads_at_once(make_topic: MakeTopic, make_consumer: MakeConsumer) -> None:
    topic = make_topic()
    for _ in range(5):
        consumer = make_consumer()
        consumer.subscribe([topic])
        poll_until(consumer, consumer.assignment, "an assignment")
        polls = [Waiting(lambda consumer=consumer: consumer.poll(HOUR)) for _ in range(3)]  # type: ignore[misc]
        closes = [Waiting(consumer.close) for _ in range(3)]
        assert [close.ends() for close in closes] == [None] * 3
        for poll in polls:
            assert poll.ends() is None or isinstance(poll.results[0], RuntimeError)
        with contextlib.suppress(RuntimeError):
            consumer.wakeup()


def test_a_slow_lookup_delays_no_other_call(make_consumer: MakeConsumer) -> None:
    consumer = make_consumer({**SOON, "group.id": unique_name("group")})
    slow = [Waiting(lambda call=call: call(consumer)) for call in LOOKUPS.values()]  # type: ignore[misc]
    for call in (consumer.assignment, consumer.memberid, lambda: consumer.poll(0.01)):
        Waiting(call).ends()
    with pytest.raises(KafkaException):
        consumer.list_topics(timeout=0.1)
    consumer.close()
    for waiting in slow:
        waiting.ends()


def test_threads_in_one_transaction_call_share_its_result(make_producer: MakeProducer) -> None:
    producer = make_producer({"bootstrap.servers": UNREACHABLE, "log_level": 0, "transactional.id": unique_name("txn")})
    results = [waiting.ends() for waiting in [Waiting(lambda: producer.init_transactions(2)) for _ in range(3)]]
    assert all(isinstance(result, KafkaException) for result in results), results


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="native threads are counted through /proc")
def test_an_abandoned_lookup_ends_long_before_its_timeout(make_consumer: MakeConsumer) -> None:
    """Its thread, and with it the client, would otherwise stay for an hour after close()."""

    def lookups() -> int:
        names = (task.joinpath("comm") for task in Path("/proc/self/task").iterdir())
        return sum(name.read_text().strip() == "kafka-call" for name in names if name.exists())

    before = lookups()
    consumer = make_consumer(SOON)
    waiting = Waiting(lambda: consumer.list_topics(timeout=HOUR))
    eventually(lambda: lookups() > before, "the lookup's thread")
    consumer.close()
    waiting.ends()
    eventually(lambda: lookups() <= before, "the end of the abandoned call")


def test_close_at_the_moment_a_commit_begins() -> None:
    """librdkafka would abort the process on a commit that comes just behind the end of the group's business."""
    source = """
        def close_beside_commit(pause):
            consumer = Consumer({"bootstrap.servers": sys.argv[1], "group.id": "g", "log_level": 0,
                                 "session.timeout.ms": 6000})
            def commit():
                try:
                    consumer.commit(offsets=[TopicPartition("anything", 0, 5)], asynchronous=False)
                except (KafkaException, RuntimeError):
                    pass
            thread = threading.Thread(target=commit)
            thread.start()
            time.sleep(pause)
            consumer.close()
            thread.join()

        pauses = [random.uniform(0, 0.003) * (number % 3) for number in range(90)]
        threads = [threading.Thread(target=close_beside_commit, args=(pause,)) for pause in pauses]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print("fine")
    """
    assert run_child(source, UNREACHABLE).expect().out == "fine\n"
