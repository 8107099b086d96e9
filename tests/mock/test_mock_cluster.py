# SPDX-License-Identifier: Apache-2.0
"""The embedded cluster itself: its life, what it refuses, and what it leaves behind (nothing)."""

from __future__ import annotations

import gc
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.error import IllegalStateException
from confluent_kafka.testing import ApiKey, MockCluster, MockRequest
from tests.mock.kit import eventually, run_script, unique_name


def accepts_connections(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except ConnectionRefusedError:
        return False
    return True


def test_every_broker_listens_until_close() -> None:
    with MockCluster(brokers=3) as cluster:
        addresses = cluster.bootstrap_servers.split(",")
        assert len(set(addresses)) == 3
        assert cluster.brokers == (1, 2, 3)
        assert all(accepts_connections(address) for address in addresses)
    assert not any(accepts_connections(address) for address in addresses)


def test_topics_are_created_at_the_start() -> None:
    with (
        MockCluster(brokers=2, topics={"orders": 6, "payments": 1}) as cluster,
        pytest.raises(KafkaException) as raised,
    ):
        cluster.create_topic("orders", 6)
    assert raised.value.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS
    assert "create topic orders" in raised.value.args[0].str()


def test_repr_tells_the_address_and_the_state() -> None:
    cluster = MockCluster(brokers=1)
    assert repr(cluster) == f"<MockCluster {cluster.bootstrap_servers}>"
    address = cluster.bootstrap_servers
    cluster.close()
    assert repr(cluster) == f"<MockCluster {address} closed>"
    with MockCluster(brokers=5) as large:
        assert repr(large).endswith("... (5 brokers)>")


def test_close_may_be_called_twice() -> None:
    with MockCluster(brokers=1) as cluster:
        states = [cluster.closed]
        for _ in range(2):
            cluster.close()
            states.append(cluster.closed)
    assert states == [False, True, True]


CALLS: dict[str, Callable[[MockCluster], object]] = {
    "bootstrap_servers": lambda c: c.bootstrap_servers,
    "brokers": lambda c: c.brokers,
    "create_topic": lambda c: c.create_topic("t"),
    "set_topic_error": lambda c: c.set_topic_error("t", KafkaError.NO_ERROR),
    "set_leader": lambda c: c.set_leader("t", 0, 1),
    "push_leader_response": lambda c: c.push_leader_response("t", 0, 1, 0),
    "set_follower": lambda c: c.set_follower("t", 0, 1),
    "set_follower_watermarks": lambda c: c.set_follower_watermarks("t", 0, 0, 1),
    "set_broker_down": lambda c: c.set_broker_down(),
    "set_broker_up": lambda c: c.set_broker_up(),
    "set_broker_rtt": lambda c: c.set_broker_rtt(1),
    "set_broker_rack": lambda c: c.set_broker_rack("a"),
    "set_broker_address": lambda c: c.set_broker_address(1, "localhost", 9092),
    "add_broker": lambda c: c.add_broker(),
    "decommission_broker": lambda c: c.decommission_broker(2),
    "push_request_errors": lambda c: c.push_request_errors(ApiKey.FETCH, KafkaError._TRANSPORT),
    "push_broker_request_errors": lambda c: c.push_broker_request_errors(1, ApiKey.FETCH, (KafkaError.NO_ERROR, 5)),
    "pending_broker_errors": lambda c: c.pending_broker_errors(1, ApiKey.FETCH),
    "clear_request_errors": lambda c: c.clear_request_errors(ApiKey.FETCH),
    "set_coordinator": lambda c: c.set_coordinator("group", "g", 1),
    "set_api_versions": lambda c: c.set_api_versions(ApiKey.FETCH, (0, 11)),
    "set_group_initial_rebalance_delay": lambda c: c.set_group_initial_rebalance_delay(0),
    "set_group_consumer_session_timeout": lambda c: c.set_group_consumer_session_timeout(6000),
    "set_group_consumer_heartbeat_interval": lambda c: c.set_group_consumer_heartbeat_interval(1000),
    "start_request_tracking": lambda c: c.start_request_tracking(),
    "stop_request_tracking": lambda c: c.stop_request_tracking(),
    "requests": lambda c: c.requests(),
    "clear_requests": lambda c: c.clear_requests(),
}


def test_calls_are_complete() -> None:
    public = {name for name in vars(MockCluster) if not name.startswith("_")}
    assert public - {"close", "closed"} == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_each_call_works_until_close(name: str) -> None:
    with MockCluster(brokers=2) as cluster:
        CALLS[name](cluster)
    with pytest.raises(IllegalStateException, match="MockCluster is closed"):
        CALLS[name](cluster)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda c: c.create_topic("a b"), "illegal topic name"),
        (lambda c: c.create_topic("t", 0), "partitions must be between 1"),
        (lambda c: c.create_topic("t", 1, 3), "replication factor must be between 1 and 2"),
        (lambda c: c.set_leader("t", -1, 1), "partition must be between 0"),
        (lambda c: c.set_leader("t", 0, 9), "no broker 9; the brokers are 1, 2"),
        (lambda c: c.set_follower_watermarks("t", 0, -2), "must not be negative"),
        (lambda c: c.set_broker_down(0), "no broker 0"),
        (lambda c: c.set_broker_rtt(-1), "must not be negative: -1 ms"),
        (lambda c: c.set_broker_rack("a\0b"), "NUL character at position 1"),
        (lambda c: c.set_broker_address(1, "h", 65536), "port must be between 1 and 65535"),
        (lambda c: c.set_broker_address(1, "", 1), "host must have 1 to 127 bytes"),
        (lambda c: c.add_broker(2), "broker 2 exists already"),
        (lambda c: c.decommission_broker(-1), "no broker -1"),
        (lambda c: c.push_request_errors(19, 1), r"19 is no request .* PRODUCE \(0\)"),
        (lambda c: c.push_request_errors(ApiKey.FETCH, 7777), "no error code 7777"),
        (lambda c: c.push_broker_request_errors(1, ApiKey.FETCH, (1, -1)), "must not be negative: -1 ms"),
        (lambda c: c.set_coordinator("topic", "t", 1), "'group' or 'transaction'"),
        (lambda c: c.set_coordinator("group", "g", 3), "no broker 3"),
        (lambda c: c.set_api_versions(ApiKey.PRODUCE, (0, 99)), "versions 0 to 99 .* 0 to 10"),
    ],
)
def test_wrong_arguments_are_refused(call: Callable[[MockCluster], object], text: str) -> None:
    with MockCluster(brokers=2) as cluster:
        with pytest.raises(ValueError, match=text):
            call(cluster)
        assert cluster.brokers == (1, 2)


@pytest.mark.parametrize("brokers", [0, -1, 10_001])
def test_impossible_numbers_of_brokers_are_refused(brokers: int) -> None:
    with pytest.raises(ValueError, match="brokers must be between 1 and 10000"):
        MockCluster(brokers)


def test_a_cluster_refused_halfway_is_closed() -> None:
    descriptors = len(os.listdir("/dev/fd"))
    with pytest.raises(ValueError, match="illegal topic name"):
        MockCluster(brokers=2, topics={"fine": 1, "not fine": 1})
    with pytest.raises(ValueError, match="3 racks for 2 broker"):
        MockCluster(brokers=2, racks=["a", "b", "c"])
    eventually(lambda: len(os.listdir("/dev/fd")) <= descriptors, "no socket left open")


def test_a_missing_partition_is_a_kafka_error() -> None:
    with MockCluster(brokers=1, topics={"t": 2}) as cluster, pytest.raises(KafkaException) as raised:
        cluster.set_leader("t", 2, 1)
    assert raised.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_the_last_broker_stays() -> None:
    with MockCluster(brokers=2) as cluster:
        cluster.decommission_broker(1)
        with pytest.raises(ValueError, match="broker 2 is the last one"):
            cluster.decommission_broker(2)
        assert cluster.add_broker() == 3
        assert cluster.brokers == (2, 3)


def test_errors_may_be_given_as_kafka_errors() -> None:
    with MockCluster(brokers=1) as cluster:
        code = KafkaError.NOT_COORDINATOR
        cluster.push_broker_request_errors(1, ApiKey.HEARTBEAT, KafkaError(code), code, (KafkaError(code), 3))
        assert cluster.pending_broker_errors(1, ApiKey.HEARTBEAT) == 3


def test_api_keys_are_those_of_the_native_core() -> None:
    def known(number: int) -> bool:
        try:
            cluster._native.clear_request_errors(number)
        except ValueError:
            return False
        return True

    with MockCluster(brokers=1) as cluster:
        assert [number for number in range(200) if known(number)] == sorted(ApiKey)


def test_requests_are_filtered_and_typed() -> None:
    with MockCluster(brokers=1) as cluster:
        cluster.start_request_tracking()
        host, _, port = cluster.bootstrap_servers.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(bytes.fromhex("0000000a 0012 0000 00000007 ffff"))  # ApiVersions, version 0
            assert connection.recv(4)
        (request,) = cluster.requests()
        assert request == MockRequest(1, ApiKey.API_VERSIONS, request.timestamp_us)
        assert isinstance(request.api_key, ApiKey)
        assert cluster.requests(ApiKey.API_VERSIONS, broker=1) == [request]
        assert cluster.requests(ApiKey.FETCH) == cluster.requests(broker=2) == []


def test_a_hundred_clusters_leave_no_descriptors_and_threads() -> None:
    def threads() -> int:
        tasks = Path("/proc/self/task")
        return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()

    with MockCluster():
        pass  # what the first one sets up for the process is no leak
    gc.collect()
    before = len(os.listdir("/dev/fd")), threads()
    for n in range(100):
        cluster = MockCluster(topics={unique_name("topic"): 3})
        if n % 2:
            cluster.close()
    del cluster
    gc.collect()
    eventually(lambda: len(os.listdir("/dev/fd")) <= before[0] and threads() <= before[1], f"back to {before}")


def test_close_in_one_thread_is_safe_for_calls_in_others() -> None:
    unexpected: list[BaseException] = []

    def work(cluster: MockCluster, barrier: threading.Barrier) -> None:
        barrier.wait()
        try:
            while True:
                cluster.set_broker_rtt(0)
                cluster.requests()
        except IllegalStateException:
            pass
        except BaseException as error:
            unexpected.append(error)

    for _ in range(10):
        cluster, barrier = MockCluster(brokers=1), threading.Barrier(4)
        workers = [threading.Thread(target=work, args=(cluster, barrier)) for _ in range(3)]
        for worker in workers:
            worker.start()
        barrier.wait()
        cluster.close()
        for worker in workers:
            worker.join(60)
            assert not worker.is_alive()
    assert unexpected == []


FORK = """
import os, sys
from confluent_kafka.error import ForkedClientError
from confluent_kafka.testing import MockCluster

with MockCluster(brokers=2, topics={"t": 1}) as cluster:
    child = os.fork()
    if child == 0:
        try:
            cluster.create_topic("u")
        except ForkedClientError as error:
            assert "after fork()" in str(error), error
        else:
            os._exit(3)
        assert cluster.closed
        cluster.close()
        with MockCluster(brokers=1) as own:
            own.create_topic("u")
        sys.exit(0)  # collects `cluster`, and leaves the with block
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    cluster.create_topic("u")
print("parent done")
"""


def test_a_forked_child_leaves_the_cluster_alone() -> None:
    # From Python 3.12 on, fork warns in any process with threads; that is not what is tested here.
    done = run_script("import warnings; warnings.simplefilter('ignore', DeprecationWarning)" + FORK)
    assert (done.returncode, done.stdout, done.stderr) == (0, "parent done\n", "")


def test_a_cluster_left_open_does_not_disturb_the_end_of_the_interpreter() -> None:
    script = """
from confluent_kafka.testing import MockCluster
kept, cycle = MockCluster(), []
cycle.append((cycle, MockCluster()))
"""
    done = run_script(script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_too_few_descriptors_are_an_error_and_no_crash() -> None:
    script = """
import os, resource
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.testing import MockCluster
used = len(os.listdir("/dev/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (used + 40, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
try:
    MockCluster(brokers=60)
except KafkaException as error:
    assert error.args[0].code() == KafkaError._CRIT_SYS_RESOURCE
    print(error.args[0].str())
with MockCluster(brokers=3) as cluster:
    print(len(cluster.brokers))
"""
    done = run_script(script)
    assert (done.returncode, done.stderr) == (0, "")
    reason, brokers = done.stdout.splitlines()
    assert "72 file descriptors are needed for 60 broker(s)" in reason
    assert brokers == "3"


def test_the_pytest_fixtures_start_and_close_clusters(tmp_path: Path) -> None:
    (tmp_path / "test_fixture.py").write_text(
        """
seen = []

def test_one_cluster(mock_cluster):
    seen.append(mock_cluster)
    assert mock_cluster.brokers == (1, 2, 3)

def test_another_cluster_and_two_more(mock_cluster, mock_cluster_factory):
    first, second = mock_cluster_factory(1), mock_cluster_factory(brokers=2, topics={"t": 1})
    assert mock_cluster is not seen[0] and seen[0].closed
    assert (first.brokers, second.brokers) == ((1,), (1, 2))
    seen.extend([mock_cluster, first, second])

def test_all_are_closed():
    assert len(seen) == 4 and all(cluster.closed for cluster in seen)
"""
    )
    done = run_script(
        "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))",
        *("-p", "confluent_kafka.testing.pytest_plugin", "-p", "no:cacheprovider", "-q", str(tmp_path)),
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
