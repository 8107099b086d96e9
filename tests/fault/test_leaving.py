# SPDX-License-Identifier: Apache-2.0
"""Consumers that leave while a rebalance is on its way: many, as what goes wrong is a matter of microseconds."""

from __future__ import annotations

import json

import pytest

from confluent_kafka import Consumer, Producer, TopicPartition
from tests.fault.children import run_child
from tests.integration.kit import MakeConsumer, MakeTopic, eventually, produce_all
from tests.support.broker import KafkaBroker

PROTOCOLS = {
    "eager": {"partition.assignment.strategy": "range"},
    "cooperative": {"partition.assignment.strategy": "cooperative-sticky"},
    "consumer": {"group.protocol": "consumer"},
}
ASYNC = """
    import asyncio, json, uuid
    from confluent_kafka.aio import AIOConsumer

    conf, topic = json.loads(sys.argv[1]), sys.argv[2]

    async def main():
        consumers = [AIOConsumer({**conf, "group.id": uuid.uuid4().hex}) for _ in range(25)]
        for consumer in consumers:
            await consumer.subscribe([topic])
        await asyncio.gather(*(consumer.poll(0.1) for consumer in consumers))
        for consumer in consumers:
            await consumer.close()

    for _ in range(8):
        asyncio.run(main())
"""
SYNC = """
    import json, uuid

    conf, topic = json.loads(sys.argv[1]), sys.argv[2]
    for _ in range(8):
        consumers = [Consumer({**conf, "group.id": uuid.uuid4().hex}) for _ in range(25)]
        for consumer in consumers:
            consumer.subscribe([topic])
        for consumer in consumers:
            consumer.poll(0.01)
        for consumer in consumers:
            consumer.close()
"""
# Two members of one group: each rebalance is due while the other one leaves.
TOGETHER = """
    import json, uuid

    conf, topic = json.loads(sys.argv[1]), sys.argv[2]
    for _ in range(6):
        group = uuid.uuid4().hex
        members = [Consumer({**conf, "group.id": group}) for _ in range(3)]
        threads = []
        for member in members:
            member.subscribe([topic], on_revoke=lambda consumer, partitions: consumer.position(partitions))
            for _ in range(10):
                member.poll(0.02)
        for member in members:
            threads.append(threading.Thread(target=member.close))
            threads[-1].start()
        for thread in threads:
            thread.join()
"""


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("source", [ASYNC, SYNC, TOGETHER], ids=["async", "sync", "together"])
def test_consumers_close_while_they_join(
    broker: KafkaBroker, make_topic: MakeTopic, protocol: str, source: str
) -> None:
    topic = make_topic(2)
    conf = {
        "bootstrap.servers": broker.bootstrap,
        "heartbeat.interval.ms": 300,
        "session.timeout.ms": 6000,
        **PROTOCOLS[protocol],
    }
    if protocol == "consumer":
        del conf["heartbeat.interval.ms"], conf["session.timeout.ms"]
    run_child(source, json.dumps(conf), topic).expect(0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_positions_are_right_in_the_revoke_callback_of_a_close(
    make_topic: MakeTopic, producer: Producer, make_consumer: MakeConsumer, protocol: str
) -> None:
    topic = make_topic()
    produce_all(producer, topic, [b"%d" % n for n in range(500)])
    positions: list[int] = []

    def revoked(consumer: Consumer, partitions: list[TopicPartition]) -> None:
        positions.extend(place.offset for place in consumer.position(partitions))

    consumer = make_consumer({**PROTOCOLS[protocol], "auto.offset.reset": "earliest"})
    consumer.subscribe([topic], on_revoke=revoked)
    taken = [eventually(lambda: consumer.poll(0.1), "a message") for _ in range(3)]
    consumer.close()
    assert [message and message.offset() for message in taken] == [0, 1, 2]
    assert positions == [3]
