# SPDX-License-Identifier: Apache-2.0
"""The command line on a real broker: what the embedded cluster cannot show."""

from __future__ import annotations

import json
from collections.abc import Callable

from confluent_kafka import Consumer, Producer, TopicPartition
from tests.mock.cli_kit import Running, entries, lines, ok, run_cli, words
from tests.support.broker import KafkaBroker

Topic = Callable[..., str]


def committed(broker: KafkaBroker, group: str, topic: str, partitions: int) -> int:
    """The group's offsets of a topic, added up; a partition without one counts as 0."""
    wanted = [TopicPartition(topic, number) for number in range(partitions)]
    with Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group}) as consumer:
        return sum(max(found.offset, 0) for found in consumer.committed(wanted, timeout=30))


def test_produce_and_consume(broker: KafkaBroker, topic: Topic) -> None:
    name = topic(3)
    sent = words(5000)
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        ok(run_cli("produce", name, "--compression", codec, bootstrap=broker.bootstrap, stdin=lines(sent)))
    assert sorted(ok(run_cli("consume", name, bootstrap=broker.bootstrap)).splitlines()) == sorted(sent * 5)


def test_from_a_time(broker: KafkaBroker, topic: Topic) -> None:
    name = topic()
    records = b"".join(b'{"value": "v%d", "timestamp": %d}\n' % (n, 1_700_000_000_000 + n * 1000) for n in range(10))
    ok(run_cli("produce", name, "--json", bootstrap=broker.bootstrap, stdin=records))
    for start, expected in (("@2023-11-14T22:13:27Z", 3), ("@1700000009000", 1), ("@2030-01-01", 0)):
        assert len(ok(run_cli("consume", name, "--from", start, bootstrap=broker.bootstrap)).split()) == expected


def test_aborted_messages_are_hidden_and_do_not_hold_up_the_end(
    broker: KafkaBroker, topic: Topic, unique: Callable[[str], str]
) -> None:
    name = topic()
    with Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": unique("tx")}) as producer:
        producer.init_transactions(30)
        for value, keep in (("kept", True), ("dropped", False)):
            producer.begin_transaction()
            producer.produce(name, value)
            producer.flush(30)
            producer.commit_transaction(30) if keep else producer.abort_transaction(30)
    assert ok(run_cli("consume", name, bootstrap=broker.bootstrap)) == b"kept\n"
    everything = ok(run_cli("consume", name, "-X", "isolation.level=read_uncommitted", bootstrap=broker.bootstrap))
    assert everything.split() == [b"kept", b"dropped"]


def test_what_was_deleted_is_told_and_reading_starts_after_it(broker: KafkaBroker, topic: Topic) -> None:
    name = topic()
    ok(run_cli("produce", name, bootstrap=broker.bootstrap, stdin=lines(words(10))))
    broker.delete_records(name, 0, 6)
    done = run_cli("consume", name, "--from", "2", "--json", bootstrap=broker.bootstrap)
    assert [entry["offset"] for entry in entries(ok(done))] == [6, 7, 8, 9]
    assert b"starting at 6, not 2" in done.stderr


def test_a_topic_that_does_not_exist(broker: KafkaBroker, unique: Callable[[str], str]) -> None:
    done = run_cli("consume", unique("nothing"), bootstrap=broker.bootstrap)
    assert done.returncode == 1
    assert b"UNKNOWN_TOPIC_OR_PART" in done.stderr


def test_group_commits_what_was_written_by_both_protocols(
    broker: KafkaBroker, topic: Topic, unique: Callable[[str], str]
) -> None:
    for protocol in ("classic", "consumer"):
        name, group = topic(2), unique("group")
        ok(run_cli("produce", name, bootstrap=broker.bootstrap, stdin=lines(words(20))))
        read = ("consume", name, "--group", group, "-X", f"group.protocol={protocol}")
        first = ok(run_cli(*read, "--count", "5", bootstrap=broker.bootstrap)).splitlines()
        rest = ok(run_cli(*read, bootstrap=broker.bootstrap)).splitlines()
        assert len(first) == 5
        assert sorted(first + rest) == sorted(words(20))
        assert committed(broker, group, name, 2) == 20


def test_following_in_a_group_commits_what_was_written_before_ctrl_c(
    broker: KafkaBroker, topic: Topic, unique: Callable[[str], str]
) -> None:
    name, group = topic(), unique("group")
    ok(run_cli("produce", name, bootstrap=broker.bootstrap, stdin=lines(words(3))))
    with Running("consume", name, "--group", group, "--follow", bootstrap=broker.bootstrap) as following:
        assert [following.line() for _ in range(3)] == words(3)
        assert following.interrupt() == 130
    assert committed(broker, group, name, 1) == 3


def test_follow(broker: KafkaBroker, topic: Topic) -> None:
    name = topic()
    with Running("consume", name, "--follow", bootstrap=broker.bootstrap) as following:
        for word in words(3):
            ok(run_cli("produce", name, bootstrap=broker.bootstrap, stdin=word))
            assert following.line() == word
        assert following.interrupt() == 130


def test_demo(broker: KafkaBroker) -> None:
    report = json.loads(ok(run_cli("demo", "--json", "--bootstrap-servers", broker.bootstrap)))
    assert report["ok"] is True
    assert report["records"] == 5243
    assert report["cluster"]["embedded"] is False
    assert len(report["topics_left"]) == 3
    for name in report["topics_left"]:
        broker.delete_topic(name)
