# SPDX-License-Identifier: Apache-2.0
"""How admin calls end when nobody answers, and that many at once get each its own answer."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    ElectionType,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ListConsumerGroupsResult,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
)
from confluent_kafka.aio import AIOAdminClient
from tests.integration.kit import DEADLINE, UNREACHABLE, eventually, produce_all, unique_name
from tests.mock.cli_kit import environment
from tests.support.broker import KafkaBroker
from tests.support.fake_broker import ControllerlessBroker, SilentBroker

SHORT = 0.3
ENDLESS = 3_000
NOBODY = {KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN}
_CHANGE = ConfigEntry("a", "b", incremental_operation=AlterConfigOpType.SET)
_RESOURCE = ConfigResource("topic", "t", {"a": "b"}, incremental_configs=[_CHANGE])
_RULE = (
    ResourceType.TOPIC, "t", ResourcePatternType.LITERAL, "User:u", "*", AclOperation.READ, AclPermissionType.ALLOW
)  # fmt: skip
_ACL, _FILTER = AclBinding(*_RULE), AclBindingFilter(*_RULE)
_PLACE = TopicPartition("t", 0, 1)
_GROUP = ConsumerGroupTopicPartitions("g", [TopicPartition("t", 0, 1)])
# One call of each method that makes requests.
CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("create_topics", ([NewTopic("t")],)),
    ("delete_topics", (["t"],)),
    ("create_partitions", ([NewPartitions("t", 3)],)),
    ("describe_topics", (TopicCollection(["t"]),)),
    ("describe_cluster", ()),
    ("describe_configs", ([_RESOURCE],)),
    ("alter_configs", ([_RESOURCE],)),
    ("incremental_alter_configs", ([_RESOURCE],)),
    ("create_acls", ([_ACL],)),
    ("describe_acls", (_FILTER,)),
    ("delete_acls", ([_FILTER],)),
    ("list_consumer_groups", ()),
    ("describe_consumer_groups", (["g"],)),
    ("delete_consumer_groups", (["g"],)),
    ("list_consumer_group_offsets", ([ConsumerGroupTopicPartitions("g")],)),
    ("alter_consumer_group_offsets", ([_GROUP],)),
    ("delete_consumer_group_offsets", ([_GROUP],)),
    ("list_offsets", ({TopicPartition("t", 0): OffsetSpec.latest()},)),
    ("delete_records", ([_PLACE],)),
    ("elect_leaders", (ElectionType.PREFERRED,)),
    ("describe_user_scram_credentials", (["u"],)),
    ("alter_user_scram_credentials", ([UserScramCredentialDeletion("u", ScramMechanism.SCRAM_SHA_256)],)),
]
pytestmark = pytest.mark.filterwarnings("ignore:alter_configs has been deprecated:DeprecationWarning")


def one(answer: Any) -> Any:
    """What a method gives for its only item, or for the whole call."""
    return next(iter(answer.values())) if isinstance(answer, dict) else answer


def code_of(error: BaseException | None) -> int:
    assert isinstance(error, KafkaException), error
    kafka_error = error.args[0]
    assert isinstance(kafka_error, KafkaError)
    return kafka_error.code()


def failure(outcome: Any) -> int:
    """The code of what went wrong with a call; ``list_consumer_groups`` tells it per broker."""
    if isinstance(outcome, Future):
        error = outcome.exception(DEADLINE)
        return failure(outcome.result() if error is None else error)
    if isinstance(outcome, ListConsumerGroupsResult):
        assert outcome.valid == []
        [outcome] = outcome.errors
    return code_of(one(outcome))


def config(bootstrap: str) -> dict[str, Any]:
    return {"bootstrap.servers": bootstrap, "log_level": 0}


@pytest.fixture(scope="module")
def silent() -> Iterator[SilentBroker]:
    with SilentBroker() as server:
        yield server


def test_every_method_is_here() -> None:
    others = {"close", "poll", "list_topics", "list_groups", "cluster_id", "set_sasl_credentials"}
    public = {name for name in dir(AdminClient) if not name.startswith("_")}
    assert public - others == {method for method, _ in CALLS}


@pytest.mark.parametrize("where", ["refused", "silent"])
def test_every_call_times_out(where: str, silent: SilentBroker) -> None:
    address = UNREACHABLE if where == "refused" else silent.bootstrap
    with AdminClient(config(address)) as admin:
        futures = {method: one(getattr(admin, method)(*args, request_timeout=SHORT)) for method, args in CALLS}
        codes = {method: failure(future) for method, future in futures.items()}
        assert set(codes.values()) <= NOBODY, codes
        for call in (admin.list_topics, admin.cluster_id):
            with pytest.raises(KafkaException) as caught:
                call(timeout=SHORT)
            assert code_of(caught.value) in NOBODY


def test_every_awaited_call_times_out(silent: SilentBroker) -> None:
    async def main() -> list[Any]:
        async with AIOAdminClient(config(silent.bootstrap)) as admin:
            calls = [getattr(admin, method)(*args, request_timeout=SHORT) for method, args in CALLS]
            calls += [admin.list_topics(timeout=SHORT), admin.cluster_id(timeout=SHORT)]
            return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), DEADLINE)

    assert {failure(outcome) for outcome in asyncio.run(main())} <= NOBODY


def test_a_cluster_without_controller() -> None:
    with ControllerlessBroker() as broker, AdminClient(config(broker.bootstrap)) as admin:
        # It can be reached and asked, so that what fails is the controller alone.
        metadata = admin.list_topics(timeout=DEADLINE)
        assert (metadata.controller_id, list(metadata.brokers)) == (-1, [1])
        error = admin.create_topics([NewTopic("t")], request_timeout=SHORT)["t"].exception(DEADLINE)
        assert code_of(error) == KafkaError._TIMED_OUT
        assert "controller" in str(error)

        async def awaited() -> None:
            async with AIOAdminClient(config(broker.bootstrap)) as client:
                with pytest.raises(KafkaException, match="controller"):
                    await client.create_topics(NewTopic("t"), request_timeout=SHORT)

        asyncio.run(awaited())


@pytest.mark.parametrize("end", ["dropped", "closed", "closed by another thread"])
def test_the_end_of_a_client_fails_every_pending_call(end: str, silent: SilentBroker) -> None:
    admin = AdminClient(config(silent.bootstrap))
    futures = {method: one(getattr(admin, method)(*args, request_timeout=ENDLESS)) for method, args in CALLS}
    told: list[str] = []
    for method, future in futures.items():
        future.add_done_callback(lambda _, method=method: told.append(method))
    assert not any(future.done() for future in futures.values())
    if end == "dropped":
        del admin
    elif end == "closed":
        admin.close()
    else:
        closer = threading.Thread(target=admin.close)
        closer.start()
        closer.join(DEADLINE)
    codes = {method: failure(future) for method, future in futures.items()}
    assert set(codes.values()) == {KafkaError._DESTROY}
    assert sorted(told) == sorted(futures)


def test_closing_ends_every_awaited_call(silent: SilentBroker) -> None:
    async def main() -> list[Any]:
        admin = AIOAdminClient(config(silent.bootstrap))
        calls = [
            asyncio.ensure_future(getattr(admin, method)(*args, request_timeout=ENDLESS)) for method, args in CALLS
        ]
        await asyncio.wait(calls, timeout=0.05)
        assert not any(call.done() for call in calls)
        await admin.close()
        return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), DEADLINE)

    assert {failure(outcome) for outcome in asyncio.run(main())} == {KafkaError._DESTROY}


# What is asked by many at once. Every topic has its own number of partitions, records and retention, every group its
# own offset, so that an answer given to somebody else is noticed.
TOPICS = 5


@pytest.fixture(scope="module")
def topics(broker: KafkaBroker) -> list[str]:
    names = [
        broker.create_topic(unique_name("topic"), number + 1, {"retention.ms": str(1_000_000 + number)})
        for number in range(TOPICS)
    ]
    with Producer({"bootstrap.servers": broker.bootstrap}) as producer:
        for number, name in enumerate(names):
            produce_all(producer, name, [b"x"] * (number + 1), partition=0)
    moved = [
        ConsumerGroupTopicPartitions(f"group-of-{name}", [TopicPartition(name, 0, number)])
        for number, name in enumerate(names)
    ]

    def committed(admin: AdminClient) -> bool:
        groups = [future.result(DEADLINE) for future in admin.alter_consumer_group_offsets(moved).values()]
        return all(place.error is None for group in groups for place in group.topic_partitions or ())

    with AdminClient({"bootstrap.servers": broker.bootstrap}) as admin:
        # The broker says for a moment that it does not coordinate its first groups.
        eventually(lambda: committed(admin), "the groups' offsets")
    return names


def question(names: list[str], number: int) -> tuple[str, Any, Callable[[Any], Any], Any]:
    """The ``number``-th of many: method, argument, how to read the answer's only item, and what that must give."""
    place = number % TOPICS
    name = names[place]
    resource = ConfigResource(ResourceType.TOPIC, name)
    return [
        ("describe_topics", TopicCollection([name]), lambda topic: len(topic.partitions), place + 1),
        ("list_offsets", {TopicPartition(name, 0): OffsetSpec.latest()}, lambda found: found.offset, place + 1),
        ("describe_configs", [resource], lambda entries: entries["retention.ms"].value, str(1_000_000 + place)),
        (
            "list_consumer_group_offsets", [ConsumerGroupTopicPartitions(f"group-of-{name}")],
            lambda group: [(p.topic, p.offset) for p in group.topic_partitions], [(name, place)],
        ),
    ][number // TOPICS % 4]  # fmt: skip


def test_a_thousand_calls_of_threads(broker: KafkaBroker, topics: list[str]) -> None:
    wrong: list[Any] = []
    threads, calls = 40, 25
    start = threading.Barrier(threads)

    def ask(first: int) -> None:
        start.wait(DEADLINE)
        asked: list[tuple[Future[Any], Callable[[Any], Any], Any]] = []
        for number in range(first, first + calls):
            method, argument, read, expected = question(topics, number)
            asked.append((one(getattr(admin, method)(argument)), read, expected))
        wrong.extend(
            (found, expected)
            for future, read, expected in asked
            if (found := read(future.result(DEADLINE))) != expected
        )
        done.append(len(asked))

    done: list[int] = []
    with AdminClient({"bootstrap.servers": broker.bootstrap}) as admin:
        workers = [threading.Thread(target=ask, args=(calls * number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(DEADLINE)
    assert (wrong, sum(done)) == ([], 1_000)


def test_a_thousand_calls_of_tasks(broker: KafkaBroker, topics: list[str]) -> None:
    async def ask(admin: AIOAdminClient, number: int) -> tuple[Any, Any]:
        method, argument, read, expected = question(topics, number)
        return read(one(await getattr(admin, method)(argument))), expected

    async def main() -> list[tuple[Any, Any]]:
        before = threading.active_count()
        async with AIOAdminClient({"bootstrap.servers": broker.bootstrap}) as admin:
            answers = await asyncio.wait_for(asyncio.gather(*(ask(admin, number) for number in range(1_000))), DEADLINE)
            assert threading.active_count() == before
        return answers

    answers = asyncio.run(main())
    assert len(answers) == 1_000
    assert [pair for pair in answers if pair[0] != pair[1]] == []


# In a process of its own, whose memory is that of this work alone.
THOUSAND_TOPICS = """
import asyncio, json, re, resource, sys, threading
from pathlib import Path
from confluent_kafka import TopicCollection, config_from_env
from confluent_kafka.admin import NewTopic
from confluent_kafka.aio import AIOAdminClient

def peak_bytes():
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # On Linux that of getrusage begins with what the parent had.
    return 1024 * int(re.search("VmHWM:[^0-9]*([0-9]+)", Path("/proc/self/status").read_text())[1])

async def main():
    names = [f"topic-{number}" for number in range(1000)]
    threads = set()
    async with AIOAdminClient(config_from_env()) as admin:
        await admin.cluster_id(30)
        before = peak_bytes()
        created = await admin.create_topics([NewTopic(name, 1, 1) for name in names], request_timeout=90)
        threads.add(threading.active_count())
        while not set(names) <= (await admin.list_topics(timeout=30)).topics.keys():
            await asyncio.sleep(0.05)
        described = await asyncio.gather(*(admin.describe_topics(name) for name in names))
        threads.add(threading.active_count())
        together = await admin.describe_topics(TopicCollection(names))
        deleted = await admin.delete_topics(names, request_timeout=90)
        threads.add(threading.active_count())
    print(json.dumps({
        "created": list(created.values()) == [None] * 1000,
        "described": [len(topic.partitions) for topic in described] == [1] * 1000,
        "together": [topic.name for topic in together.values()] == names,
        "deleted": list(deleted.values()) == [None] * 1000,
        "threads": sorted(threads), "grown": peak_bytes() - before,
    }))

asyncio.run(main())
"""


def test_a_thousand_topics_without_threads_in_little_memory() -> None:
    # A broker of its own: it is busy for seconds after so many deletions.
    with KafkaBroker() as broker:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", THOUSAND_TOPICS],
            capture_output=True, text=True, env=environment(broker.bootstrap), timeout=90, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert all(report.pop(step) for step in ("created", "described", "together", "deleted")), report
    assert report["threads"] == [1]
    # It is measured: a thousand descriptions take some memory.
    assert 100_000 < report["grown"] < 200 << 20
