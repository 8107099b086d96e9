# SPDX-License-Identifier: Apache-2.0
"""The interpreter ends, or a client is collected, at a bad moment: no hang, no crash, no silence about losses."""

from __future__ import annotations

import pytest

from tests.fault.children import run_child
from tests.integration.kit import UNREACHABLE, MakeTopic, eventually, unique_name
from tests.support.broker import KafkaBroker

LIVE = """
    bootstrap, topic = sys.argv[1:]
    producer = Producer({"bootstrap.servers": bootstrap})
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    producer.produce(topic, b"x", on_delivery=lambda error, message: None)
    assert producer.flush(60) == 0
    while not consumer.assignment():
        consumer.poll(0.1)
"""

ENDINGS = {
    "plain": "",
    "sys.exit": "    sys.exit(0)",
    "polling daemon threads": """
    for call in (lambda: consumer.poll(3600), lambda: consumer.poll(), lambda: producer.poll(3600),
                 lambda: list(iter(consumer))):
        threading.Thread(target=call, daemon=True).start()
""",
    "a lookup under way": """
    lost = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "g", "log_level": 0})
    for call in (lambda: lost.list_topics(timeout=3600),
                 lambda: lost.committed([TopicPartition("t", 0)], timeout=3600)):
        threading.Thread(target=call, daemon=True).start()
""",
    "pending futures": """
    lost = Producer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})
    lost.send("anything", b"x").add_done_callback(print)
    lost.purge()
""",
    "reference cycles": """
    class Holder: pass
    holder = Holder()
    holder.producer = Producer({"bootstrap.servers": bootstrap, "error_cb": lambda error: holder})
    holder.consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "g", "stats_cb": lambda text: holder,
                                "statistics.interval.ms": 1})
    del holder
""",
    "at exit": """
    import atexit
    atexit.register(lambda: print(producer.flush(10), consumer.poll(0) is None))
    atexit.register(consumer.close)
""",
    "in a __del__": """
    class Owner:
        def __init__(self): self.producer, self.consumer = producer, consumer
        def __del__(self):
            self.consumer.close()
            self.producer.close()
    owner = Owner()
    del producer, consumer
""",
}


@pytest.mark.parametrize("name", sorted(ENDINGS))
def test_the_interpreter_ends_with_live_clients(broker: KafkaBroker, make_topic: MakeTopic, name: str) -> None:
    ended = run_child(LIVE + ENDINGS[name] + "\n    print('end', flush=True)", broker.bootstrap, make_topic())
    assert ended.code == 0, ended
    assert "Fatal Python error" not in ended.err
    assert "end" in ended.out or name == "sys.exit"


@pytest.mark.parametrize("way", ["exit", "collection"])
def test_unflushed_messages_are_told_with_their_count(way: str) -> None:
    source = """
        producer = Producer({"bootstrap.servers": sys.argv[1], "log_level": 0})
        for _ in range(7):
            producer.produce("anything", b"x")
        if sys.argv[2] == "collection":
            del producer
            gc.collect()
            print("collected", flush=True)
    """
    ended = run_child(source, UNREACHABLE, way).expect()
    assert "Warning" in ended.err
    assert "7 message" in ended.err


def test_a_flushed_producer_ends_silently(broker: KafkaBroker, make_topic: MakeTopic) -> None:
    source = """
        producer = Producer({"bootstrap.servers": sys.argv[1]})
        producer.produce(sys.argv[2], b"x")
        assert producer.flush(60) == 0
    """
    assert run_child(source, broker.bootstrap, make_topic()).expect().err == ""


@pytest.mark.parametrize("kind", ["delivery", "assign", "stats", "future"])
def test_exit_inside_a_callback(broker: KafkaBroker, make_topic: MakeTopic, kind: str) -> None:
    source = """
        bootstrap, topic, kind = sys.argv[1:]
        def leave(*arguments):
            sys.exit(3)
        conf = {"bootstrap.servers": bootstrap}
        producer = Producer({**conf, **({"stats_cb": leave, "statistics.interval.ms": 10} if kind == "stats" else {})})
        consumer = Consumer({**conf, "group.id": topic})
        if kind == "delivery":
            producer.produce(topic, b"x", on_delivery=leave)
            producer.flush(60)
        elif kind == "assign":
            consumer.subscribe([topic], on_assign=leave)
            while True:
                consumer.poll(1)
        elif kind == "stats":
            producer.poll(60)
        else:
            # A done callback runs on the native thread: SystemExit there ends nothing, os._exit does.
            producer.send(topic, b"x").add_done_callback(lambda future: os._exit(3))
            time.sleep(60)
    """
    run_child(source, broker.bootstrap, make_topic(), kind).expect(3)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_collected_consumer_does_not_leave_its_group(
    broker: KafkaBroker, make_topic: MakeTopic, protocol: str
) -> None:
    """Only close() leaves; a collected consumer's partitions stay its own until its session ends."""
    group = unique_name("group")
    source = """
        bootstrap, topic, group, protocol = sys.argv[1:]
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "group.protocol": protocol})
        consumer.subscribe([topic])
        while not consumer.assignment():
            consumer.poll(0.1)
        print(consumer.memberid())
        del consumer
        gc.collect()
    """
    ended = run_child(source, broker.bootstrap, make_topic(), group, protocol).expect()
    name = ended.out.strip()
    assert name
    described = broker.tool("consumer.group.ConsumerGroupCommand", "--describe", "--members", "--group", group)
    assert name in described


def test_a_closed_consumer_leaves_its_group(broker: KafkaBroker, make_topic: MakeTopic) -> None:
    """The counterpart: what the test above looks at does change."""
    group = unique_name("group")
    source = """
        bootstrap, topic, group = sys.argv[1:]
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
        consumer.subscribe([topic])
        while not consumer.assignment():
            consumer.poll(0.1)
        print(consumer.memberid())
        consumer.close()
    """
    name = run_child(source, broker.bootstrap, make_topic(), group).expect().out.strip()

    def gone() -> bool:
        return name not in broker.tool(
            "consumer.group.ConsumerGroupCommand", "--describe", "--members", "--group", group
        )

    eventually(gone, "the member's departure")
