# SPDX-License-Identifier: Apache-2.0
"""After fork() an inherited client refuses every call in the child and leaves the parent's alone."""

from __future__ import annotations

import pytest

from tests.fault.children import run_child
from tests.integration.kit import MakeTopic
from tests.support.broker import KafkaBroker

REFUSED = """
    from confluent_kafka.error import ForkedClientError

    bootstrap, topic = sys.argv[1:]
    producer = Producer({"bootstrap.servers": bootstrap})
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    producer.produce(topic, b"before", on_delivery=lambda error, message: None)
    assert producer.flush(60) == 0
    message = None
    while message is None:
        message = consumer.poll(1)
    here = [TopicPartition(topic, 0, 0)]
    producer.produce(topic, b"queued while forking")

    child = os.fork()
    if child == 0:
        calls = {
            "produce": lambda: producer.produce(topic, b"from the child"),
            "send": lambda: producer.send(topic, b"from the child"),
            "produce_batch": lambda: producer.produce_batch(topic, [b"from the child"]),
            "producer.poll": lambda: producer.poll(0),
            "flush": lambda: producer.flush(1),
            "purge": lambda: producer.purge(),
            "producer.list_topics": lambda: producer.list_topics(timeout=1),
            "begin_transaction": lambda: producer.begin_transaction(),
            "poll": lambda: consumer.poll(0),
            "consume": lambda: consumer.consume(1, 0),
            "iteration": lambda: next(iter(consumer)),
            "subscribe": lambda: consumer.subscribe([topic]),
            "assign": lambda: consumer.assign(here),
            "assignment": lambda: consumer.assignment(),
            "commit": lambda: consumer.commit(asynchronous=False),
            "committed": lambda: consumer.committed(here),
            "position": lambda: consumer.position(here),
            "pause": lambda: consumer.pause(here),
            "seek": lambda: consumer.seek(here[0]),
            "memberid": lambda: consumer.memberid(),
            "watermarks": lambda: consumer.get_watermark_offsets(here[0]),
            "wakeup": lambda: consumer.wakeup(),
        }
        accepted = []
        for name, call in calls.items():
            try:
                call()
                accepted.append(name)
            except ForkedClientError as error:
                assert isinstance(error, RuntimeError) and "fork" in str(error).lower(), error
            except BaseException as error:
                accepted.append((name, repr(error)))
        # What was read before the fork is the child's own copy.
        if message.value() != b"before" or message.topic() != topic:
            accepted.append("message")
        if accepted:
            print("in the child:", accepted, flush=True)
        ENDING
    done = os.waitpid(child, 0)[1]
    assert os.waitstatus_to_exitcode(done) == 0, os.waitstatus_to_exitcode(done)
    producer.produce(topic, b"after")
    assert producer.flush(60) == 0
    seen = []
    while len(seen) < 2:
        found = consumer.poll(60)
        assert found is not None and found.error() is None, found
        seen.append(found.value())
    assert seen == [b"queued while forking", b"after"], seen
    consumer.commit(asynchronous=False)
    consumer.close()
    producer.close()
    print("parent fine")
"""


@pytest.mark.parametrize(
    "ending",
    [
        "os._exit(1 if accepted else 0)",
        "producer = consumer = message = calls = None; gc.collect(); os._exit(1 if accepted else 0)",
        "sys.exit(1 if accepted else 0)",
    ],
    ids=["_exit", "collected", "exit"],
)
def test_inherited_clients_are_refused(broker: KafkaBroker, make_topic: MakeTopic, ending: str) -> None:
    topic = make_topic()
    ended = run_child(REFUSED.replace("ENDING", ending), broker.bootstrap, topic).expect()
    assert ended.out == "parent fine\n"
    assert broker.offsets(topic) == (0, 3)


def test_a_child_may_open_clients_of_its_own(broker: KafkaBroker, make_topic: MakeTopic) -> None:
    source = """
        bootstrap, topic = sys.argv[1:]
        producer = Producer({"bootstrap.servers": bootstrap})
        producer.send(topic, b"parent").result(60)
        child = os.fork()
        if child == 0:
            own = Producer({"bootstrap.servers": bootstrap})
            print(own.send(topic, b"child").result(60).offset(), flush=True)
            own.close()
            sys.exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        print(producer.send(topic, b"parent again").result(60).offset())
        producer.close()
    """
    assert run_child(source, broker.bootstrap, make_topic()).expect().out.split() == ["1", "2"]


def test_fork_while_another_thread_polls(broker: KafkaBroker, make_topic: MakeTopic) -> None:
    source = """
        from confluent_kafka.error import ForkedClientError

        bootstrap, topic = sys.argv[1:]
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic})
        consumer.subscribe([topic])
        thread = threading.Thread(target=lambda: consumer.poll(3600))
        thread.start()
        for _ in range(10):
            child = os.fork()
            if child == 0:
                try:
                    consumer.poll(0)
                except ForkedClientError:
                    os._exit(0)
                os._exit(1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        consumer.wakeup()
        thread.join(60)
        assert not thread.is_alive()
        consumer.close()
        print("fine")
    """
    assert run_child(source, broker.bootstrap, make_topic()).expect().out == "fine\n"
