# SPDX-License-Identifier: Apache-2.0
"""The command line on the embedded cluster, each command in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.testing import ApiKey, MockCluster
from tests.mock.cli_kit import Running, entries, environment, lines, ok, run_cli, wait_until, words


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with MockCluster(1) as running:
        yield running


@pytest.fixture
def address(cluster: MockCluster) -> str:
    return cluster.bootstrap_servers


@pytest.fixture
def topic(cluster: MockCluster, unique: Callable[[str], str]) -> str:
    name = unique("topic")
    cluster.create_topic(name, 3)
    return name


def fill(address: str, topic: str, count: int, partition: int = 0) -> None:
    """``count`` messages with keys and headers in one partition."""
    with Producer({"bootstrap.servers": address}) as producer:
        for number in range(count):
            producer.produce(
                topic, value=f"v{number}", key=f"k{number}", partition=partition, headers=[("n", str(number))]
            )
        assert producer.flush(30) == 0


def read(address: str, topic: str, count: int, partitions: int = 3) -> list[Message]:
    """The first ``count`` messages there are, by an ordinary consumer."""
    with Consumer({"bootstrap.servers": address, "group.id": "judge", "enable.auto.commit": False}) as consumer:
        consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
        messages: list[Message] = []
        while len(messages) < count:
            message = consumer.poll(30)
            assert message is not None, f"only {len(messages)} of {count} messages"
            assert message.error() is None, message.error()
            messages.append(message)
        return messages


class TestProduce:
    def test_each_line_becomes_a_message(self, address: str, topic: str) -> None:
        sent = [b"one", b"", b"\xff\x00", b"\ttwo ", *words(2000)]
        done = run_cli("produce", topic, bootstrap=address, stdin=lines(sent) + b"no line feed")
        ok(done)
        assert b"2,005 messages delivered" in done.stderr
        received = sorted(message.value() or b"" for message in read(address, topic, 2005))
        assert received == sorted([*sent, b"no line feed"])

    def test_key_separator_header_partition_and_compression(self, address: str, topic: str) -> None:
        ok(
            run_cli(
                *("produce", topic, "--key-separator", ":", "-H", "a=1", "-H", "a=2=3", "--partition", "2"),
                *("--compression", "lz4", "--tombstones"),
                bootstrap=address,
                stdin=b"7:Ada\n8:a:b\n9:\n",
            )
        )
        received = read(address, topic, 3)
        assert [(m.key(), m.value(), m.partition()) for m in received] == [
            (b"7", b"Ada", 2),
            (b"8", b"a:b", 2),
            (b"9", None, 2),
        ]
        assert received[0].headers() == [("a", b"1"), ("a", b"2=3")]

    def test_files(self, address: str, topic: str, tmp_path: Path) -> None:
        contents = [b"one\ntwo\n", bytes(range(256)) * 1000, b""]
        paths = [tmp_path / f"file{number}" for number in range(3)]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        ok(run_cli("produce", topic, "--partition", "0", "--key", "k", "--file", *map(str, paths), bootstrap=address))
        received = read(address, topic, 3)
        assert [message.value() for message in received] == contents
        assert {message.key() for message in received} == {b"k"}

    def test_json_summary(self, address: str, topic: str) -> None:
        records = b'{"value": "v", "key": "k", "headers": {"h": "1"}, "partition": 1, "timestamp": 1234}\n'
        summary = json.loads(ok(run_cli("produce", topic, "--json", bootstrap=address, stdin=records)))
        assert summary == {
            "topic": topic,
            "read": 1,
            "delivered": 1,
            "failed": 0,
            "failures": {},
            "value_bytes": 1,
            "seconds": summary["seconds"],
        }
        (message,) = read(address, topic, 1)
        assert (message.key(), message.value(), message.partition(), message.timestamp()[1]) == (b"k", b"v", 1, 1234)
        assert message.headers() == [("h", b"1")]

    def test_more_than_the_queue_holds_is_not_lost(self, address: str, topic: str) -> None:
        sent = words(5000)
        done = run_cli(
            "produce",
            topic,
            "-X",
            "queue.buffering.max.messages=50",
            "--progress",
            bootstrap=address,
            stdin=lines(sent),
        )
        ok(done)
        assert b"5,000 messages delivered" in done.stderr
        assert {message.value() for message in read(address, topic, 5000)} == set(sent)

    def test_undelivered_messages_are_counted_and_the_exit_code_is_1(
        self, cluster: MockCluster, address: str, topic: str
    ) -> None:
        cluster.push_request_errors(ApiKey.PRODUCE, *[KafkaError.TOPIC_AUTHORIZATION_FAILED] * 3)
        done = run_cli(
            *("produce", topic, "--json", "--partition", "0", "-X", "retries=0"),
            bootstrap=address,
            stdin=b'{"value":1}\n',
        )
        assert done.returncode == 1
        summary = json.loads(done.stdout)
        assert (summary["read"], summary["delivered"], summary["failed"]) == (1, 0, 1)
        assert summary["failures"] == {"TOPIC_AUTHORIZATION_FAILED": 1}
        assert b"TOPIC_AUTHORIZATION_FAILED" in done.stderr

    def test_a_message_that_cannot_be_queued_is_named_and_the_others_go_on(self, address: str, topic: str) -> None:
        sent = [b"small", b"x" * 5000, b"last"]
        done = run_cli("produce", topic, "-X", "message.max.bytes=2000", bootstrap=address, stdin=lines(sent))
        assert done.returncode == 1
        assert b"line 2" in done.stderr
        assert b"MSG_SIZE_TOO_LARGE 1" in done.stderr
        assert {message.value() for message in read(address, topic, 2)} == {b"small", b"last"}

    def test_bad_input_ends_after_what_came_before_it_was_delivered(self, address: str, topic: str) -> None:
        done = run_cli("produce", topic, "--json", bootstrap=address, stdin=b'{"value":"first"}\n{"id":1}\n')
        assert done.returncode == 1
        assert b"line 2" in done.stderr
        assert json.loads(done.stdout)["delivered"] == 1
        assert [message.value() for message in read(address, topic, 1)] == [b"first"]

    def test_lines_are_sent_while_the_input_stays_open(self, address: str, topic: str) -> None:
        with Running("produce", topic, "--partition", "0", bootstrap=address) as producing:
            producing.write(b"early\n")
            assert [message.value() for message in read(address, topic, 1)] == [b"early"]
            assert producing.interrupt() == 130
            assert "1 message delivered" in producing.said()

    def test_ctrl_c_accounts_for_what_could_not_be_sent(self, topic: str) -> None:
        nobody = "127.0.0.1:1"
        with Running("produce", topic, bootstrap=nobody) as producing:
            producing.write(b"one\ntwo\n")
            wait_until(lambda: "_TRANSPORT" in producing.said(), "the refused connection to be told")
            assert producing.interrupt() == 130
            assert "2 messages of 2 not delivered: _PURGE_QUEUE 2" in producing.said()

    def test_ctrl_c_names_the_line_that_found_no_room(self, topic: str) -> None:
        with Running("produce", topic, "-b", "127.0.0.1:1", "-X", "queue.buffering.max.messages=2") as producing:
            producing.write(b"one\ntwo\nthree\n")
            wait_until(lambda: "_TRANSPORT" in producing.said(), "the refused connection to be told")
            assert producing.interrupt() == 130
            assert "line 3 was read but not sent" in producing.said()
            assert "2 messages of 2 not delivered: _PURGE_QUEUE 2" in producing.said()


class TestConsume:
    def test_everything_then_ends(self, address: str, topic: str) -> None:
        for partition in range(3):
            fill(address, topic, 10, partition)
        output = ok(run_cli("consume", topic, bootstrap=address))
        assert sorted(output.splitlines()) == sorted(f"v{number}".encode() for number in range(10) for _ in range(3))

    def test_an_empty_topic_ends_at_once(self, address: str, topic: str) -> None:
        assert ok(run_cli("consume", topic, bootstrap=address)) == b""

    def test_format(self, address: str, topic: str) -> None:
        fill(address, topic, 2)
        output = ok(run_cli("consume", topic, "--format", r"%t/%p/%o %k=%s %h %S\n", bootstrap=address))
        assert output == f"{topic}/0/0 k0=v0 n=0 2\n{topic}/0/1 k1=v1 n=1 2\n".encode()

    def test_json(self, address: str, topic: str) -> None:
        fill(address, topic, 2)
        found = entries(ok(run_cli("consume", topic, "--json", bootstrap=address)))
        assert [entry["value"] for entry in found] == ["v0", "v1"]
        assert found[1]["key"] == "k1"
        assert found[1]["headers"] == [{"key": "n", "value": "1"}]
        assert found[1]["offset"] == 1
        assert found[1]["timestamp_type"] == "create"

    def test_json_goes_through_a_pipe_unchanged(
        self, cluster: MockCluster, address: str, topic: str, unique: Callable[[str], str]
    ) -> None:
        copy = unique("copy")
        cluster.create_topic(copy, 3)
        with Producer({"bootstrap.servers": address}) as producer:
            producer.produce(topic, b"\xff\x00", "k\u00e9", 1, timestamp=1234, headers=[("a", b"\xfe"), ("a", None)])
            producer.produce(topic, None, "gone", 1)
            producer.flush(30)
        output = ok(run_cli("consume", topic, "--json", bootstrap=address))
        ok(run_cli("produce", copy, "--json", bootstrap=address, stdin=output))
        again = entries(ok(run_cli("consume", copy, "--json", bootstrap=address)))
        assert again == [{**entry, "topic": copy} for entry in entries(output)]

    @pytest.mark.parametrize(
        ("start", "values"),
        [
            ("beginning", range(10)),
            ("7", range(7, 10)),
            ("-2", range(8, 10)),
            ("end", range(0)),
            ("99", range(0)),
        ],
    )
    def test_start(self, address: str, topic: str, start: str, values: range) -> None:
        fill(address, topic, 10)
        output = ok(run_cli("consume", topic, "--from", start, "--partition", "0", bootstrap=address))
        assert output.split() == [f"v{number}".encode() for number in values]

    def test_offset_count_and_partition(self, address: str, topic: str) -> None:
        fill(address, topic, 10, 0)
        fill(address, topic, 10, 1)
        output = ok(
            run_cli(
                *("consume", topic, "--offset", "4", "--count", "3", "--partition", "1", "--format", "%p:%o "),
                bootstrap=address,
            )
        )
        assert output == b"1:4 1:5 1:6 "

    def test_follow_shows_what_arrives_until_ctrl_c(self, address: str, topic: str) -> None:
        fill(address, topic, 1)
        with Running("consume", topic, "--follow", bootstrap=address) as following:
            assert following.line() == b"v0"
            fill(address, topic, 2)
            assert [following.line(), following.line()] == [b"v0", b"v1"]
            assert following.interrupt() == 130

    def test_group_goes_on_where_it_stopped(self, address: str, topic: str, unique: Callable[[str], str]) -> None:
        group = unique("group")
        fill(address, topic, 10)
        # The mock coordinator lets a used group's next member in only when the last one's session time is over.
        read = ("consume", topic, "--group", group, "-X", "session.timeout.ms=1000", "-X", "heartbeat.interval.ms=300")
        first = ok(run_cli(*read, "--count", "4", bootstrap=address))
        second = ok(run_cli(*read, bootstrap=address))
        third = ok(run_cli(*read, bootstrap=address))
        assert (first + second).split() == [f"v{number}".encode() for number in range(10)]
        assert (len(first.split()), third) == (4, b"")

    def test_a_closed_pipe_is_no_failure(self, address: str, topic: str) -> None:
        ok(run_cli("produce", topic, bootstrap=address, stdin=lines(words(20_000))))
        consuming = subprocess.Popen(
            [sys.executable, "-m", "confluent_kafka", "consume", topic],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(address),
        )
        with consuming:
            assert consuming.stdout is not None
            assert consuming.stderr is not None
            assert consuming.stdout.readline()
            consuming.stdout.close()
            said = consuming.stderr.read()
            assert consuming.wait(60) == 0
        assert said == b""

    def test_unreachable_brokers_are_a_clean_failure(self, topic: str) -> None:
        done = run_cli("consume", topic, "-b", "127.0.0.1:1", "--timeout", "1")
        assert done.returncode == 1
        assert b"no answer from the brokers within 1 s" in done.stderr

    def test_a_partition_that_is_not_there(self, address: str, topic: str) -> None:
        done = run_cli("consume", topic, "--partition", "9", bootstrap=address)
        assert done.returncode == 1
        assert b"no partition 9" in done.stderr

    def test_a_topic_that_cannot_be_read(self, cluster: MockCluster, address: str, topic: str) -> None:
        cluster.set_topic_error(topic, KafkaError.TOPIC_AUTHORIZATION_FAILED)
        done = run_cli("consume", topic, bootstrap=address)
        assert done.returncode == 1
        assert b"TOPIC_AUTHORIZATION_FAILED" in done.stderr


class TestBroker:
    def test_serves_other_processes_until_ctrl_c(self) -> None:
        with Running("broker", "--brokers", "2", "--topic", "words:3", "--topic", "single") as running:
            address = running.line().decode()
            assert len(address.split(",")) == 2
            with Producer({"bootstrap.servers": address}) as producer:
                topics = producer.list_topics(timeout=30).topics
                assert {name: len(found.partitions) for name, found in topics.items()} == {"words": 3, "single": 1}
            ok(run_cli("produce", "words", bootstrap=address, stdin=b"hello\n"))
            assert ok(run_cli("consume", "words", bootstrap=address)) == b"hello\n"
            assert running.interrupt() == 130

    def test_json(self) -> None:
        with Running("broker", "--json", "--topic", "words:3") as running:
            facts = json.loads(running.line())
            assert facts["topics"] == {"words": 3}
            assert facts["bootstrap_servers"].startswith("127.0.0.1:")

    def test_an_impossible_topic_is_refused(self) -> None:
        done = run_cli("broker", "--topic", "no spaces allowed")
        assert done.returncode in (1, 2)
        assert b"no spaces allowed" in done.stderr


class TestDemo:
    def test_all_records_come_back(self) -> None:
        done = run_cli("demo")
        shown = ok(done).decode()
        assert "OK: all 5,243 records of 3 data sets came back as sent" in shown
        assert "encrypted  1,000 records of airports: name, city" in shown
        assert "none in clear on the topic, all equal when decrypted" in shown
        for stage in ("serialize", "produce", "consume", "deserialize", "sample", "check"):
            assert f"  {stage} " in shown

    def test_every_packaged_table_as_json(self) -> None:
        report = json.loads(ok(run_cli("demo", "--all", "--json", timeout=120)))
        assert report["ok"] is True
        assert report["cluster"]["embedded"] is True
        assert len(report["datasets"]) >= 15
        airports = next(found for found in report["datasets"] if found["name"] == "airports")
        assert airports["key_column"] == "iata"
        assert [stage["records"] for stage in airports["stages"]] == [3376] * 4
        assert {field["name"]: field["type"] for field in airports["schema"]["fields"]}["latitude"] == "double"

    def test_on_brokers_of_another_process(self, address: str) -> None:
        report = json.loads(ok(run_cli("demo", "--dataset", "stocks", "--json", bootstrap=address)))
        assert report["cluster"] == {"embedded": False, "bootstrap_servers": address}
        assert report["topics_left"] == [report["datasets"][0]["topic"]]

    def test_a_table_of_ones_own_and_an_existing_topic_with_messages(
        self, address: str, topic: str, tmp_path: Path
    ) -> None:
        fill(address, topic, 5)
        mine = tmp_path / "mine.csv"
        mine.write_text("id,name,born\n1,Ada,1815-12-10\n2,,1906-12-09\n")
        report = json.loads(ok(run_cli("demo", "--file", str(mine), "--topic", topic, "--json", bootstrap=address)))
        assert report["records"] == 2
        assert report["datasets"][0]["topic"] == topic
        assert report["topics_left"] == []

    def test_more_than_the_embedded_cluster_keeps_is_refused(self, tmp_path: Path) -> None:
        mine = tmp_path / "mine.csv"
        mine.write_text("id,text\n" + "".join(f"{number},{'x' * 1000}\n" for number in range(6000)))
        done = run_cli("demo", "--file", str(mine), "--partitions", "1")
        assert done.returncode == 1
        assert b"--bootstrap-servers" in done.stderr
        assert json.loads(ok(run_cli("demo", "--file", str(mine), "--partitions", "8", "--json")))["ok"] is True

    def test_messages_that_are_not_delivered_fail_it(self, cluster: MockCluster, address: str, topic: str) -> None:
        cluster.push_request_errors(ApiKey.PRODUCE, *[KafkaError.TOPIC_AUTHORIZATION_FAILED] * 100)
        done = run_cli("demo", "--dataset", "wheat", "--topic", topic, bootstrap=address)
        assert done.returncode == 1
        assert b"TOPIC_AUTHORIZATION_FAILED" in done.stderr

    def test_a_topic_that_cannot_be_made_is_said_so(self, cluster: MockCluster, address: str, topic: str) -> None:
        cluster.set_topic_error(topic, KafkaError.TOPIC_AUTHORIZATION_FAILED)
        done = run_cli("demo", "--dataset", "wheat", "--topic", topic, "--timeout", "1", bootstrap=address)
        assert done.returncode == 1
        assert b"could not be made: TOPIC_AUTHORIZATION_FAILED" in done.stderr

    def test_an_unknown_table_is_a_usage_error(self) -> None:
        done = run_cli("demo", "--dataset", "no-such-table")
        assert done.returncode == 2
        assert b"airports" in done.stderr
