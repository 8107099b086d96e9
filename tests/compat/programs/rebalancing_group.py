# SPDX-License-Identifier: Apache-2.0
"""Two members of one group share four partitions, commit when revoked, and hand over.

usage: rebalancing_group.py BOOTSTRAP TOPIC (of four partitions, empty)
"""

import sys
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition


class Worker:
    def __init__(self, name, bootstrap, topic):
        self.name = name
        self.values = []
        self.story = []
        self.commits = []
        # The broker sorts members by id, which begins with the client id: who gets which partition is settled.
        self.consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": topic,
                "client.id": name,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "partition.assignment.strategy": "range",
                "heartbeat.interval.ms": 200,
                "fetch.wait.max.ms": 50,
                "on_commit": self.committed,
            }
        )
        self.consumer.subscribe([topic], on_assign=self.assigned, on_revoke=self.revoked)

    def assigned(self, consumer, partitions):
        self.story.append(("assigned", sorted(p.partition for p in partitions)))

    def revoked(self, consumer, partitions):
        self.story.append(("revoked", sorted(p.partition for p in partitions)))
        try:
            done = consumer.commit(asynchronous=False)
            self.story.append(("committed", sorted((p.partition, p.offset, p.error) for p in done)))
        except KafkaException as error:
            self.story.append(("not committed", error.args[0].name()))

    def committed(self, err, partitions):
        self.commits.append((err, sorted((p.partition, p.offset) for p in partitions)))

    def poll(self):
        message = self.consumer.poll(0.05)
        if message is None:
            return
        if message.error():
            raise KafkaException(message.error())
        self.values.append(message.value().decode())


def pump(workers, until):
    deadline = time.monotonic() + 60
    while not until():
        if time.monotonic() > deadline:
            raise SystemExit([worker.story for worker in workers])
        for worker in workers:
            worker.poll()


def produce(bootstrap, topic, name, count):
    producer = Producer({"bootstrap.servers": bootstrap})
    for partition in range(4):
        for number in range(count):
            producer.produce(topic, f"{name}-{partition}-{number}", partition=partition)
    producer.flush()


def main(bootstrap, topic):
    produce(bootstrap, topic, "one", 10)
    anna = Worker("anna", bootstrap, topic)
    pump([anna], lambda: len(anna.values) == 40)
    print("anna alone:", anna.story, sorted(anna.values)[::13])

    bert = Worker("bert", bootstrap, topic)
    both = [anna, bert]
    pump(both, lambda: len(bert.story) == 1 and len(anna.story) == 4)
    produce(bootstrap, topic, "two", 3)
    pump(both, lambda: len(anna.values) + len(bert.values) == 52)
    print("anna:", anna.story[1:])
    print("bert:", bert.story)
    print("anna read:", sorted(anna.values)[-6:])
    print("bert read:", sorted(bert.values))
    for worker in both:
        print(worker.name, "assignment:", sorted((p.topic == topic, p.partition) for p in worker.consumer.assignment()))
        print(
            worker.name, "positions:", sorted(p.offset for p in worker.consumer.position(worker.consumer.assignment()))
        )

    anna.consumer.commit()
    pump(both, lambda: anna.commits and anna.commits[-1][1][0][1] == 13)
    print("anna's asynchronous commit:", anna.commits[-1])
    print("committed:", [p.offset for p in anna.consumer.committed([TopicPartition(topic, p) for p in range(4)], 30)])

    bert.consumer.close()
    print("bert at the end:", bert.story[1:])
    pump([anna], lambda: anna.story[-1] == ("assigned", [0, 1, 2, 3]))
    print("committed:", [p.offset for p in anna.consumer.committed([TopicPartition(topic, p) for p in range(4)], 30)])
    anna.consumer.pause([TopicPartition(topic, 3)])
    anna.consumer.seek(TopicPartition(topic, 0, 12))
    before = len(anna.values)
    pump([anna], lambda: len(anna.values) > before)
    print("after seek:", anna.values[before:])
    print("watermarks:", anna.consumer.get_watermark_offsets(TopicPartition(topic, 3), timeout=30))
    anna.consumer.unsubscribe()
    pump([anna], lambda: anna.story[-2][0] == "revoked")
    print("anna at the end:", anna.story[-2][0], anna.story[-1][0])
    anna.consumer.close()
    try:
        anna.consumer.poll(0)
    except RuntimeError as error:
        print("closed:", error)
    print("end of partition is code", KafkaError._PARTITION_EOF)


if __name__ == "__main__":
    main(*sys.argv[1:])
