# SPDX-License-Identifier: Apache-2.0
"""Our clients on the embedded cluster: every fault it can inject is seen by a producer or a consumer."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterator

import pytest

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.aio import AIOProducer
from confluent_kafka.testing import ApiKey, MockCluster
from tests.mock.kit import (
    DEADLINE,
    Reports,
    close_producers,
    consumer_on,
    eventually,
    produce,
    producer_on,
    read,
    run_script,
    settings,
    unique_name,
    values_of,
)


@pytest.fixture(autouse=True)
def producers() -> Iterator[None]:
    yield
    close_producers()


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with MockCluster(brokers=3) as running:
        yield running
        close_producers()


@pytest.fixture
def topic(cluster: MockCluster) -> str:
    """A topic with one partition, led by broker 1."""
    name = unique_name("topic")
    cluster.create_topic(name)
    cluster.set_leader(name, 0, 1)
    return name


def brokers_of(cluster: MockCluster, api_key: ApiKey) -> set[int]:
    return {request.broker for request in cluster.requests(api_key)}


def test_round_trip_over_all_partitions(cluster: MockCluster) -> None:
    topic = unique_name("topic")
    cluster.create_topic(topic, partitions=6)
    producer = producer_on(cluster)
    reports = Reports()
    for n in range(600):
        headers = [("n", b"%d" % n), ("empty", None)]
        producer.produce(
            topic, b"value-%d" % n, key=b"key-%d" % n, partition=n % 6, headers=headers, on_delivery=reports
        )
    assert producer.flush(DEADLINE) == 0
    assert reports.codes == [0] * 600
    consumer = consumer_on(cluster, [topic])
    messages = sorted(read(consumer, 600), key=lambda message: (message.offset(), message.partition()))
    consumer.close()
    assert values_of(messages) == [b"value-%d" % n for n in range(600)]
    for n, message in enumerate(messages):
        assert (message.topic(), message.partition(), message.offset()) == (topic, n % 6, n // 6)
        assert message.key() == b"key-%d" % n
        assert message.headers() == [("n", b"%d" % n), ("empty", None)]


def test_another_process_can_use_it(cluster: MockCluster, topic: str) -> None:
    script = """
import sys
from confluent_kafka import Producer
producer = Producer({"bootstrap.servers": sys.argv[1]})
producer.produce(sys.argv[2], b"from another process")
print(producer.flush(60))
"""
    done = run_script(script, cluster.bootstrap_servers, topic)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")
    consumer = consumer_on(cluster, [topic])
    assert values_of(read(consumer, 1)) == [b"from another process"]
    consumer.close()


def test_normal_use_writes_nothing_to_stderr() -> None:
    script = """
from confluent_kafka import Consumer, Producer
from confluent_kafka.aio import AIOProducer
from confluent_kafka.testing import MockCluster
with MockCluster(topics={"t": 3}, racks=["a", "b", "c"], rtt_ms=1) as cluster:
    producer = Producer({"bootstrap.servers": cluster.bootstrap_servers})
    producer.produce("t", b"x")
    assert producer.flush(60) == 0
    conf = {"bootstrap.servers": cluster.bootstrap_servers, "group.id": "g", "auto.offset.reset": "earliest"}
    consumer = Consumer(conf)
    consumer.subscribe(["t"])
    message = None
    while message is None:
        message = consumer.poll(1)
    assert message.value() == b"x"
    consumer.close()
    producer.close()
"""
    done = run_script(script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("idempotence", [False, True])
@pytest.mark.parametrize("count", [1, 4])
def test_a_message_is_delivered_after_n_retriable_errors(
    cluster: MockCluster, topic: str, count: int, idempotence: bool
) -> None:
    producer = producer_on(cluster, enable_idempotence=idempotence)
    produce(producer, topic)
    cluster.start_request_tracking()
    cluster.push_request_errors(ApiKey.PRODUCE, *[KafkaError.NOT_ENOUGH_REPLICAS] * count)
    reports = produce(producer, topic, [b"after the errors"])
    assert reports.codes == [0]
    assert len(cluster.requests(ApiKey.PRODUCE)) == count + 1
    consumer = consumer_on(cluster, [topic])
    assert values_of(read(consumer, 2)) == [b"x", b"after the errors"]
    consumer.close()


def test_without_retries_one_error_is_reported(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster, retries=0)
    produce(producer, topic)
    cluster.start_request_tracking()
    cluster.push_request_errors(ApiKey.PRODUCE, KafkaError.NOT_ENOUGH_REPLICAS)
    assert produce(producer, topic).codes == [KafkaError.NOT_ENOUGH_REPLICAS]
    assert len(cluster.requests(ApiKey.PRODUCE)) == 1
    assert produce(producer, topic).codes == [0]


def test_a_permanent_error_is_not_retried(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster)
    cluster.start_request_tracking()
    cluster.push_request_errors(ApiKey.PRODUCE, KafkaError.TOPIC_AUTHORIZATION_FAILED)
    assert produce(producer, topic).codes == [KafkaError.TOPIC_AUTHORIZATION_FAILED]
    assert len(cluster.requests(ApiKey.PRODUCE)) == 1


def test_no_error_lets_a_request_pass(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster, retries=0)
    cluster.push_request_errors(ApiKey.PRODUCE, KafkaError.NO_ERROR, KafkaError.NOT_ENOUGH_REPLICAS)
    codes = [produce(producer, topic).codes for _ in range(3)]
    assert codes == [[0], [KafkaError.NOT_ENOUGH_REPLICAS], [0]]


def test_cleared_errors_do_not_come(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster, retries=0)
    cluster.push_request_errors(ApiKey.PRODUCE, *[KafkaError.NOT_ENOUGH_REPLICAS] * 5)
    assert produce(producer, topic).codes == [KafkaError.NOT_ENOUGH_REPLICAS]
    cluster.clear_request_errors(ApiKey.PRODUCE)
    assert produce(producer, topic).codes == [0]


def test_a_cut_connection_is_made_again(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster)
    produce(producer, topic)
    cluster.push_request_errors(ApiKey.PRODUCE, KafkaError._TRANSPORT)
    assert produce(producer, topic, [b"again"]).codes == [0]
    consumer = consumer_on(cluster, [topic])
    # The broker stored the record before the connection was cut: without idempotence it is there twice.
    assert set(values_of(read(consumer, 2))) == {b"x", b"again"}
    consumer.close()


def test_errors_of_one_broker_leave_the_others_alone(cluster: MockCluster) -> None:
    topic = unique_name("topic")
    cluster.create_topic(topic, partitions=2)
    for partition in (0, 1):
        cluster.set_leader(topic, partition, partition + 1)
    producer = producer_on(cluster, retries=0)
    code = KafkaError.NOT_ENOUGH_REPLICAS
    cluster.push_broker_request_errors(2, ApiKey.PRODUCE, code, (code, 1))
    assert cluster.pending_broker_errors(2, ApiKey.PRODUCE) == 2
    assert produce(producer, topic, partition=0).codes == [0]
    assert produce(producer, topic, partition=1).codes == [KafkaError.NOT_ENOUGH_REPLICAS]
    assert cluster.pending_broker_errors(2, ApiKey.PRODUCE) == 1
    assert produce(producer, topic, partition=1).codes == [KafkaError.NOT_ENOUGH_REPLICAS]
    assert produce(producer, topic, partition=1).codes == [0]
    assert cluster.pending_broker_errors(2, ApiKey.PRODUCE) == 0


def test_a_reply_may_be_delayed(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster)
    produce(producer, topic)
    cluster.push_broker_request_errors(1, ApiKey.PRODUCE, (KafkaError.NO_ERROR, 300))
    reports = produce(producer, topic)
    assert reports.codes == [0]
    assert reports.messages[0].latency() >= 0.3


def test_round_trip_time_delays_every_reply(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster)
    produce(producer, topic)
    cluster.set_broker_rtt(200, broker=1)
    assert produce(producer, topic).messages[0].latency() >= 0.2
    assert produce(producer, topic).messages[0].latency() >= 0.2


def test_messages_wait_for_a_broker_that_is_down(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster)
    produce(producer, topic)
    cluster.set_broker_down(1)
    reports = Reports()
    producer.produce(topic, b"waiting", on_delivery=reports)
    assert producer.flush(0.3) == 1
    assert reports.codes == []
    cluster.set_broker_up(1)
    assert producer.flush(DEADLINE) == 0
    assert reports.codes == [0]


def test_all_brokers_may_go_down_and_come_back(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster)
    consumer = consumer_on(cluster, [topic])
    produce(producer, topic, [b"before"])
    assert values_of(read(consumer, 1)) == [b"before"]
    cluster.set_broker_down()
    producer.produce(topic, b"after")
    assert producer.flush(0.2) == 1
    cluster.set_broker_up()
    assert producer.flush(DEADLINE) == 0
    assert values_of(read(consumer, 1)) == [b"after"]
    consumer.close()


def test_the_leader_moves(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster)
    consumer = consumer_on(cluster, [topic])
    cluster.start_request_tracking()
    produce(producer, topic, [b"on 1"])
    assert brokers_of(cluster, ApiKey.PRODUCE) == {1}
    cluster.set_leader(topic, 0, 2)
    produce(producer, topic, [b"on 2"])
    assert cluster.requests(ApiKey.PRODUCE)[-1].broker == 2
    assert values_of(read(consumer, 2)) == [b"on 1", b"on 2"]
    assert 2 in brokers_of(cluster, ApiKey.FETCH)
    assert producer.list_topics(topic, DEADLINE).topics[topic].partitions[0].leader == 2
    consumer.close()


def test_a_partition_without_a_leader_is_waited_for(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster)
    consumer = consumer_on(cluster, [topic])
    produce(producer, topic, [b"before"])
    assert values_of(read(consumer, 1)) == [b"before"]
    cluster.set_leader(topic, 0, None)
    reports = Reports()
    producer.produce(topic, b"after", on_delivery=reports)
    assert producer.flush(0.3) == 1
    assert producer.list_topics(topic, DEADLINE).topics[topic].partitions[0].leader == -1
    cluster.set_leader(topic, 0, 3)
    assert producer.flush(DEADLINE) == 0
    assert reports.codes == [0]
    assert values_of(read(consumer, 1)) == [b"after"]
    consumer.close()


def test_a_follower_serves_the_consumer(cluster: MockCluster, topic: str) -> None:
    produce(producer_on(cluster), topic, [b"copied"])
    cluster.set_follower(topic, 0, 3)
    cluster.start_request_tracking()
    consumer = consumer_on(cluster, [topic], client_rack="any")
    assert values_of(read(consumer, 1)) == [b"copied"]
    consumer.close()
    assert 3 in brokers_of(cluster, ApiKey.FETCH)


def test_a_group_joins_at_its_coordinator(cluster: MockCluster, topic: str) -> None:
    group = unique_name("group")
    produce(producer_on(cluster), topic)
    cluster.set_coordinator("group", group, 2)
    cluster.start_request_tracking()
    consumer = consumer_on(cluster, [topic], group_id=group, heartbeat_interval_ms=20, coordinator_query_interval_ms=20)
    read(consumer, 1)
    assert brokers_of(cluster, ApiKey.JOIN_GROUP) == {2}
    cluster.set_coordinator("group", group, 3)

    def moved() -> bool:
        consumer.poll(0)
        return 3 in brokers_of(cluster, ApiKey.HEARTBEAT)

    eventually(moved, "a heartbeat to the new coordinator")
    consumer.close()


@pytest.mark.parametrize(
    "options", [{"session_timeout_ms": 1000, "heartbeat_interval_ms": 100}, {"group_protocol": "consumer"}]
)
def test_the_next_member_goes_on_where_the_group_stopped(
    cluster: MockCluster, topic: str, options: dict[str, str | int]
) -> None:
    group = unique_name("group")
    produce(producer_on(cluster), topic, [b"0", b"1", b"2"])
    first = consumer_on(cluster, [topic], group_id=group, **options)
    messages = read(first, 2)
    first.commit(messages[-1], asynchronous=False)
    first.close()
    second = consumer_on(cluster, [topic], group_id=group, **options)
    assert values_of(read(second, 1)) == [b"2"]
    second.close()


def test_a_transaction_begins_at_its_coordinator(cluster: MockCluster, topic: str) -> None:
    transactional_id = unique_name("transaction")
    cluster.set_coordinator("transaction", transactional_id, 3)
    cluster.start_request_tracking()
    producer = producer_on(cluster, transactional_id=transactional_id)
    producer.init_transactions(DEADLINE)
    assert brokers_of(cluster, ApiKey.INIT_PRODUCER_ID) == {3}
    producer.begin_transaction()
    producer.produce(topic, b"in a transaction")
    cluster.set_coordinator("transaction", transactional_id, 2)
    producer.commit_transaction(DEADLINE)
    assert cluster.requests(ApiKey.END_TXN)[-1].broker == 2


def test_lingering_messages_go_in_one_request(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster, linger_ms=20_000)
    produce(producer, topic)
    cluster.start_request_tracking()
    assert produce(producer, topic, [b"%d" % n for n in range(50)]).codes == [0] * 50
    assert len(cluster.requests(ApiKey.PRODUCE, broker=1)) == 1
    cluster.clear_requests()
    for _ in range(5):
        produce(producer, topic)
    assert len(cluster.requests(ApiKey.PRODUCE)) == 5
    times = [request.timestamp_us for request in cluster.requests()]
    assert times == sorted(times)


def test_a_flush_that_is_over_lets_messages_linger_again(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster, linger_ms=20_000)
    cluster.start_request_tracking()
    for _ in range(100):
        produce(producer, topic)
        cluster.clear_requests()
        produce(producer, topic, [b"%d" % n for n in range(20)])
        assert len(cluster.requests(ApiKey.PRODUCE, broker=1)) == 1


def test_a_flush_on_an_event_loop_that_is_over_lets_messages_linger_again(cluster: MockCluster, topic: str) -> None:
    async def rounds() -> None:
        async with AIOProducer(settings(cluster, linger_ms=20_000)) as producer:
            for _ in range(100):
                await producer.produce(topic, b"first")
                assert await producer.flush(DEADLINE) == 0
                cluster.clear_requests()
                for n in range(20):
                    await producer.produce(topic, b"%d" % n)
                assert await producer.flush(DEADLINE) == 0
                assert len(cluster.requests(ApiKey.PRODUCE, broker=1)) == 1

    cluster.start_request_tracking()
    asyncio.run(rounds())


def test_a_topic_error_is_told_in_metadata(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster)
    cluster.set_topic_error(topic, KafkaError.TOPIC_AUTHORIZATION_FAILED)
    error = producer.list_topics(topic, DEADLINE).topics[topic].error
    assert error is not None
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    with pytest.raises(KafkaException) as raised:
        producer.produce(topic, b"x")
    assert raised.value.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    cluster.set_topic_error(topic, KafkaError.NO_ERROR)
    assert producer.list_topics(topic, DEADLINE).topics[topic].error is None
    assert produce(producer, topic).codes == [0]


def test_brokers_come_and_go(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster)
    assert sorted(producer.list_topics(timeout=DEADLINE).brokers) == [1, 2, 3]
    cluster.decommission_broker(1)
    assert cluster.add_broker() == 4
    assert produce(producer, topic).codes == [0]
    metadata = producer_on(cluster).list_topics(topic, DEADLINE)
    assert sorted(metadata.brokers) == [2, 3, 4]
    assert metadata.topics[topic].partitions[0].leader in (2, 3, 4)


def test_metadata_tells_the_address_set_for_a_broker(cluster: MockCluster) -> None:
    cluster.set_broker_address(3, "127.0.0.2", 12345)
    broker = producer_on(cluster).list_topics(timeout=DEADLINE).brokers[3]
    assert (broker.host, broker.port) == ("127.0.0.2", 12345)


def test_older_protocol_versions_still_work(cluster: MockCluster, topic: str) -> None:
    cluster.set_api_versions(ApiKey.PRODUCE, (3, 5))
    cluster.set_api_versions(ApiKey.FETCH, (4, 8))
    producer = producer_on(cluster)
    produce(producer, topic, [b"old style"])
    consumer = consumer_on(cluster, [topic])
    assert values_of(read(consumer, 1)) == [b"old style"]
    consumer.close()


def test_old_records_are_dropped_beyond_five_mebibytes(cluster: MockCluster, topic: str) -> None:
    producer = producer_on(cluster)
    for n in range(8):
        produce(producer, topic, [bytes([n]) * 900_000])
    consumer = consumer_on(cluster, [topic])
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=DEADLINE)
    assert high == 8
    assert 0 < low < 8
    first = read(consumer, 1)[0]
    assert first.offset() == low
    consumer.close()


def test_clusters_do_not_see_each_other() -> None:
    with MockCluster(brokers=1, topics={"t": 1}) as left, MockCluster(brokers=1, topics={"t": 1}) as right:
        clients = []
        for cluster, value in ((left, b"left"), (right, b"right")):
            produce(producer_on(cluster), "t", [value])
            clients.append(consumer_on(cluster, ["t"], group_id="same"))
        assert [values_of(read(consumer, 1)) for consumer in clients] == [[b"left"], [b"right"]]
        left.close()
        produce(producer_on(right), "t", [b"more"])
        assert values_of(read(clients[1], 1)) == [b"more"]
        for consumer in clients:
            consumer.close()


@pytest.mark.parametrize("order", ["cluster, producer, consumer", "producer, cluster, consumer", "consumer, cluster"])
def test_clients_and_cluster_may_go_in_any_order(order: str) -> None:
    cluster = MockCluster(brokers=1, topics={"t": 1})
    objects: dict[str, MockCluster | Producer | Consumer] = {
        "cluster": cluster,
        "producer": (producer := Producer(settings(cluster))),
        "consumer": (consumer := consumer_on(cluster, ["t"])),
    }
    produce(producer, "t")
    read(consumer, 1)
    del cluster, producer, consumer
    for name in order.split(", "):
        thing = objects.pop(name)
        assert sys.getrefcount(thing) == 2
        del thing
        gc.collect()
    objects.clear()
    gc.collect()


def test_a_producer_outlives_its_cluster() -> None:
    with MockCluster(brokers=1, topics={"t": 1}) as cluster:
        producer = producer_on(cluster, message_timeout_ms=500)
        produce(producer, "t")
    assert produce(producer, "t").codes == [KafkaError._MSG_TIMED_OUT]
