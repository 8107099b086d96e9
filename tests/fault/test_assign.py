# SPDX-License-Identifier: Apache-2.0
"""Assignments in quick succession: librdkafka would abort the process."""

from __future__ import annotations

import pytest

from tests.fault.children import run_child

PRELUDE = """
    from confluent_kafka.testing import MockCluster

    def conf(cluster):
        return {"bootstrap.servers": cluster.bootstrap_servers, "group.id": "g", "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 2, "log_level": 0}

    with MockCluster(brokers=1, topics={"t": 2}) as cluster:
        with Producer({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0}) as producer:
            for number in range(16):
                producer.produce("t", b"x", partition=number % 2)
"""


def test_a_partition_taken_away_again_before_it_has_stopped() -> None:
    source = """
        consumer = Consumer(conf(cluster))
        for _ in range(500):
            for _ in range(random.randint(1, 4)):
                places = [TopicPartition("t", 0, random.randint(0, 8)), TopicPartition("t", 1, 3)]
                consumer.assign(places)
                if random.random() < 0.5:
                    consumer.poll(random.choice([0, 0.001, 0.003]))
            consumer.poll(random.choice([0, 0.005]))
        consumer.close()
        print("fine")
"""
    assert run_child(PRELUDE + source).expect().out == "fine\n"


@pytest.mark.parametrize("end", ["consumer.close()", "del consumer"])
def test_the_end_right_after_an_assignment(end: str) -> None:
    source = f"""
        for _ in range(100):
            consumer = Consumer(conf(cluster))
            for _ in range(random.randint(1, 4)):
                consumer.assign([TopicPartition("t", 0, 0), TopicPartition("t", 1, 0)])
                consumer.poll(random.choice([0, 0.003, 0.02]))
            {end}
        print("fine")
"""
    assert run_child(PRELUDE + source).expect().out == "fine\n"
