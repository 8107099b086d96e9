# SPDX-License-Identifier: Apache-2.0
"""Copy one topic to another exactly once, though every second batch fails at first.

usage: transactional_copy.py BOOTSTRAP SOURCE TARGET (of one partition each; the source is empty)
"""

import sys

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

BATCH = 25


def read_all(bootstrap, topic, isolation):
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "nobody",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            "isolation.level": isolation,
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    values = []
    while True:
        message = consumer.poll(30)
        if message is None:
            raise SystemExit("no end of the partition")
        if message.error():
            if message.error().code() != KafkaError._PARTITION_EOF:
                raise KafkaException(message.error())
            consumer.close()
            return values
        values.append(message.value())


class WorkFailed(Exception):
    pass


def copy_batch(consumer, producer, target, fail):
    """One batch in one transaction."""
    producer.begin_transaction()
    messages = []
    while len(messages) < BATCH:
        for message in consumer.consume(BATCH - len(messages), timeout=1):
            if message.error():
                raise KafkaException(message.error())
            messages.append(message)
            producer.produce(target, message.value().upper(), message.key(), headers=message.headers())
            producer.poll(0)
    if fail:
        producer.flush()
        raise WorkFailed(f"after {messages[-1].value().decode()}")
    producer.send_offsets_to_transaction(
        consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), 30
    )
    producer.commit_transaction(30)


def rewind(consumer):
    for partition in consumer.committed(consumer.assignment(), timeout=30):
        consumer.seek(TopicPartition(partition.topic, partition.partition, max(partition.offset, 0)))


def main(bootstrap, source, target):
    with Producer({"bootstrap.servers": bootstrap}) as plain:
        for number in range(100):
            plain.produce(source, f"record {number}", str(number % 3), headers={"n": str(number)})

    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": target})
    try:
        producer.begin_transaction()
    except KafkaException as error:
        print("too early:", error.args[0].name(), error.args[0].str())
    producer.init_transactions(30)
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": target,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([source])

    failures = {1, 3}
    batch = 0
    while batch < 4:
        try:
            copy_batch(consumer, producer, target, fail=batch in failures)
        except WorkFailed as error:
            print("batch", batch, "failed", error)
            failures.remove(batch)
            producer.abort_transaction(30)
            rewind(consumer)
            continue
        where = consumer.committed([TopicPartition(source, 0)], timeout=30)[0].offset
        print("batch", batch, "committed up to", where)
        batch += 1

    try:
        producer.produce(target, b"outside")
    except KafkaException as error:
        print("outside:", error.args[0].name(), error.args[0].fatal(), error.args[0].txn_requires_abort())
    committed = read_all(bootstrap, target, "read_committed")
    everything = read_all(bootstrap, target, "read_uncommitted")
    print("read_committed:", len(committed), committed == [f"RECORD {n}".encode() for n in range(100)])
    print("read_uncommitted:", len(everything))

    usurper = Producer({"bootstrap.servers": bootstrap, "transactional.id": target})
    usurper.init_transactions(30)
    try:
        producer.begin_transaction()
        producer.produce(target, b"fenced")
        producer.commit_transaction(30)
    except KafkaException as error:
        print("fenced:", error.args[0].name(), error.args[0].fatal())
    consumer.close()
    usurper.close()
    print("done")
    # The fenced producer is not closed: its abort would only warn.
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
