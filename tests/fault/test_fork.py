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


FORKS = 110
"""Children that end one after the other: were each to wait for a second, they would outlast the test's deadline."""


@pytest.mark.parametrize("ending", ["sys.exit(0)", "pass", "producer = consumer = admin = None; gc.collect()"])
def test_a_child_ends_although_a_native_thread_of_the_parent_was_inside_python(
    broker: KafkaBroker, make_topic: MakeTopic, ending: str
) -> None:
    source = """
        from confluent_kafka.admin import AdminClient

        bootstrap, topic = sys.argv[1:]
        producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic})
        consumer.subscribe([topic])
        consumer.poll(0)
        admin = AdminClient({"bootstrap.servers": bootstrap})
        admin.list_topics(timeout=60)
        entered, release = threading.Event(), threading.Event()

        def callback(future):
            entered.set()
            release.wait()

        producer.send(topic, b"x").add_done_callback(callback)
        assert entered.wait(60)
        admin.describe_cluster()
        child = 0
        for number in range(FORKS):
            child = os.fork()
            if child == 0:
                break
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            assert code == 0, code
        if child == 0:
            faulthandler.cancel_dump_traceback_later()
            ENDING
        else:
            release.set()
            assert producer.flush(60) == 0
            producer.close()
            consumer.close()
            print("parent fine")
    """
    source = source.replace("FORKS", str(FORKS if ending == "pass" else 3)).replace("ENDING", ending)
    assert run_child(source, broker.bootstrap, make_topic()).expect().out == "parent fine\n"


@pytest.mark.parametrize("loop", ["asyncio.SelectorEventLoop", "uvloop.new_event_loop"])
def test_a_child_leaves_an_asyncio_client_alone(broker: KafkaBroker, make_topic: MakeTopic, loop: str) -> None:
    """Neither close() nor collection nor the end of the child touches the loop's descriptors, which both share."""
    source = """
        import asyncio, uvloop
        from confluent_kafka.aio import AIOAdminClient, AIOConsumer, AIOProducer
        from confluent_kafka.error import ForkedClientError

        bootstrap, topic = sys.argv[1:]

        def child(clients):
            for client in clients:
                # a coroutine that ends without waiting for the loop, which is the parent's
                try:
                    client.close().send(None)
                except StopIteration:
                    continue
                os._exit(1)
            clients.clear()
            gc.collect()
            os._exit(0)

        async def main():
            producer = AIOProducer({"bootstrap.servers": bootstrap})
            consumer = AIOConsumer({"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"})
            admin = AIOAdminClient({"bootstrap.servers": bootstrap})
            await producer.send(topic, b"before")
            await admin.list_topics(timeout=60)
            await consumer.subscribe([topic])
            await consumer.poll(60)
            polling = asyncio.ensure_future(consumer.poll(60))
            await asyncio.sleep(0)
            clients = [producer, consumer, admin]
            process = os.fork()
            if process == 0:
                del producer, consumer, admin
                child(clients)
            assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
            await producer.send(topic, b"after")
            print((await polling).value())
            for client in clients:
                await client.close()

        loop = LOOP()
        loop.run_until_complete(main())
        loop.close()
    """
    assert run_child(source.replace("LOOP", loop), broker.bootstrap, make_topic()).expect().out == "b'after'\n"
