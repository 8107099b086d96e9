# SPDX-License-Identifier: Apache-2.0
"""The admin clients themselves: futures, tasks, callbacks, the end."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

import pytest

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ScramMechanism,
    UserScramCredentialDeletion,
    _AdminClientImpl,
)
from confluent_kafka.aio._admin_client import AIOAdminClient
from tests.unit.admin_kit import CLOSED, FakeLoopAdmin, core_of, install

EXISTS = KafkaError(KafkaError.TOPIC_ALREADY_EXISTS, "Topic 't' already exists.")
DEADLINE_S = 30
CHANGE = ConfigEntry("a", "b", incremental_operation=AlterConfigOpType.SET)


@pytest.fixture(autouse=True)
def _fake_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


@pytest.fixture
def admin() -> AdminClient:
    return AdminClient({"bootstrap.servers": "nowhere:9092"})


def run(body: Callable[[AIOAdminClient, FakeLoopAdmin], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine function with an asyncio client, and close that."""

    async def main() -> Any:
        async with AIOAdminClient({}) as client:
            return await asyncio.wait_for(body(client, core_of(client)), DEADLINE_S)

    return asyncio.run(main())


def test_done_callbacks_that_raise_do_not_keep_others_waiting(
    admin: AdminClient, caplog: pytest.LogCaptureFixture
) -> None:
    seen = []

    def fail(future: Future[None]) -> None:
        seen.append(threading.current_thread().name)
        raise ValueError("of a done-callback")

    futures = admin.delete_topics(["t", "u"])
    for future in futures.values():
        future.add_done_callback(fail)
    with caplog.at_level(logging.CRITICAL, "concurrent.futures"):
        core_of(admin).asked[0].answer([("t", None), ("u", None)])
    assert seen == ["kafka-admin", "kafka-admin"]


def test_a_future_settled_by_its_owner_does_not_keep_others_waiting(admin: AdminClient) -> None:
    futures = admin.delete_topics(["t", "u"])
    futures["t"].set_result(None)
    core_of(admin).asked[0].answer([("t", EXISTS), ("u", None)])
    assert futures["t"].result(0) is None
    assert futures["u"].result(0) is None


def test_the_end_fails_what_is_pending(admin: AdminClient) -> None:
    with admin as entered:
        assert entered is admin
        future = admin.describe_cluster()
        assert len(admin) == 1
    with pytest.raises(KafkaException) as raised:
        future.result(0)
    assert raised.value.args[0] == KafkaError._DESTROY
    admin.close()
    assert len(admin) == 0
    assert admin
    for call in (
        admin.describe_cluster,
        admin.list_topics,
        admin.cluster_id,
        lambda: admin.poll(0),
        lambda: admin.create_topics([NewTopic("t")]),
        lambda: admin.set_sasl_credentials("u", "p"),
    ):
        with pytest.raises(RuntimeError, match=CLOSED):
            call()


def test_a_client_is_true_with_and_without_requests(admin: AdminClient) -> None:
    assert admin
    assert len(admin) == 0
    admin.describe_cluster()
    assert admin
    assert len(admin) == 1


def test_pending_requests_do_not_keep_a_dropped_client() -> None:
    client = AdminClient({})
    core = weakref.ref(core_of(client))
    asked = core_of(client).asked
    futures = client.delete_topics(["t"])
    gc.disable()
    try:
        del client
        assert core() is None, "something but the caller holds the client"
    finally:
        gc.enable()
    asked[0].fail(KafkaError(KafkaError._DESTROY))  # as the native core does when it is dropped
    assert isinstance(futures["t"].exception(0), KafkaException)


def test_a_subclass_may_have_any_constructor() -> None:
    class Late(AdminClient):
        def __init__(self, servers: str, connect: bool = True) -> None:
            if connect:
                super().__init__({"bootstrap.servers": servers})

    assert core_of(Late("a:1")).properties["bootstrap.servers"] == "a:1"
    closed = Late("a:1", connect=False)
    with pytest.raises(RuntimeError, match=CLOSED):
        closed.describe_cluster()
    closed.close()
    twice = Late("a:1")
    with pytest.raises(RuntimeError, match="open already"):
        AdminClient.__init__(twice, {})
    assert issubclass(AdminClient, _AdminClientImpl)


def test_blocking_calls_are_passed_on(admin: AdminClient) -> None:
    assert admin.list_topics("t", 1.5) == "the metadata"
    assert admin.list_topics(topic="u", timeout=2) == "the metadata"
    assert admin.list_topics() == "the metadata"
    assert admin.cluster_id(timeout=3) == "the cluster"
    assert admin.poll(0.5) == 0
    admin.set_sasl_credentials("u", "p")
    assert core_of(admin).calls == [
        ("list_topics", "t", 1.5),
        ("list_topics", "u", 2),
        ("list_topics", None, -1),
        ("cluster_id", 3),
        ("poll", 0.5),
        ("set_sasl_credentials", "u", "p"),
    ]
    for call in (lambda: admin.list_topics("t", 1, 2), lambda: admin.cluster_id(foo=1)):
        with pytest.raises(TypeError):
            call()


def test_deprecated_calls_warn_where_they_are_made(admin: AdminClient) -> None:
    with pytest.warns(
        DeprecationWarning, match=r"^list_groups\(\) is deprecated, use list_consumer_groups\(\) and"
    ) as w:
        assert admin.list_groups("g", timeout=1) == ["a group"]
    assert w[0].filename == __file__
    with pytest.warns(DeprecationWarning, match=r"^alter_configs has been deprecated\. Use incremental_alter_") as w:
        admin.alter_configs([ConfigResource("topic", "t", {"a": "b"})])
    assert w[0].filename == __file__

    async def body(client: AIOAdminClient, core: FakeLoopAdmin) -> None:
        with pytest.warns(DeprecationWarning, match="list_groups") as w:
            assert await client.list_groups("g", timeout=1) == ["a group"]
        assert w[0].filename == __file__

    run(body)


def test_requests_may_be_made_by_many_threads(admin: AdminClient) -> None:
    start, futures = threading.Barrier(8), []

    def make(number: int) -> None:
        start.wait(DEADLINE_S)
        futures.extend(admin.delete_topics([f"{number}-{place}"]) for place in range(50))

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    asked = core_of(admin).asked
    assert len(asked) == 400
    for one in asked:
        one.done(None, [(one.items[0], None)])
    assert [future.result(0) for one in futures for future in one.values()] == [None] * 400


def _public(client: type) -> dict[str, Callable[..., Any]]:
    return {name: getattr(client, name) for name in dir(client) if not name.startswith("_")}


def test_both_clients_have_the_same_methods() -> None:
    sync, aio = _public(AdminClient), _public(AIOAdminClient)
    assert sync.keys() == aio.keys()
    for name, method in sync.items():
        described, awaited = inspect.signature(method), inspect.signature(aio[name])
        assert [(p.name, p.kind, p.default) for p in described.parameters.values()] == [
            (p.name, p.kind, p.default) for p in awaited.parameters.values()
        ], name
        assert inspect.iscoroutinefunction(aio[name]), name
        assert inspect.getdoc(method), name
        assert inspect.getdoc(aio[name]), name


def test_importing_the_package_imports_no_admin_client() -> None:
    code = (
        "import confluent_kafka, sys; print([name for name in sys.modules if name.startswith('confluent_kafka.admin')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


ONE_OR_MANY: list[tuple[str, Any, Any, Any, Any]] = [
    # method, one item, many, key, raw answer
    ("create_topics", NewTopic("t"), [NewTopic("t")], "t", [("t", EXISTS)]),
    ("delete_topics", "t", ["t"], "t", [("t", EXISTS)]),
    ("create_partitions", NewPartitions("t", 2), [NewPartitions("t", 2)], "t", [("t", EXISTS)]),
    ("describe_topics", "t", TopicCollection(["t"]), "t", [("t", EXISTS, None, False, [], None)]),
    *(
        (method, resource, [resource], resource, [(2, "t", EXISTS, [])])
        for method in ("describe_configs", "alter_configs", "incremental_alter_configs")
        for resource in [ConfigResource("topic", "t", {"a": "b"}, incremental_configs=[CHANGE])]
    ),
    *(
        ("create_acls", acl, [acl], acl, [EXISTS])
        for acl in [AclBinding("topic", "t", "literal", "User:u", "*", "read", "allow")]
    ),
    *(
        ("delete_acls", acl, [acl], acl, [(EXISTS, [])])
        for acl in [AclBindingFilter("topic", "t", "literal", "User:u", "*", "read", "allow")]
    ),
    ("describe_consumer_groups", "g", ["g"], "g", [("g", EXISTS, False, "", 0, 0, None, [], None)]),
    ("delete_consumer_groups", "g", ["g"], "g", [("g", EXISTS)]),
    *(
        (f"{verb}_consumer_group_offsets", group, [group], "g", [("g", EXISTS, [])])
        for verb, group in (
            ("list", ConsumerGroupTopicPartitions("g")),
            ("alter", ConsumerGroupTopicPartitions("g", [TopicPartition("t", 0, 1)])),
            ("delete", ConsumerGroupTopicPartitions("g", [TopicPartition("t", 0)])),
        )
    ),
    *(("delete_records", tp, [tp], tp, [("t", 0, EXISTS, -1)]) for tp in [TopicPartition("t", 0, 1)]),
    ("describe_user_scram_credentials", "u", ["u"], "u", [("u", EXISTS, [])]),
    *(
        ("alter_user_scram_credentials", one, [one], "u", [("u", EXISTS)])
        for one in [UserScramCredentialDeletion("u", ScramMechanism.SCRAM_SHA_256)]
    ),
]


@pytest.mark.filterwarnings("ignore:alter_configs has been deprecated:DeprecationWarning")
@pytest.mark.parametrize(("method", "one", "many", "key", "raw"), ONE_OR_MANY)
def test_one_item_raises_and_many_give_a_dict(method: str, one: Any, many: Any, key: Any, raw: Any) -> None:
    async def body(client: AIOAdminClient, core: FakeLoopAdmin) -> None:
        asking = asyncio.ensure_future(getattr(client, method)(one))
        await asyncio.sleep(0)
        core.reply(raw)
        with pytest.raises(KafkaException) as raised:
            await asking
        assert raised.value.args[0] is EXISTS
        asking = asyncio.ensure_future(getattr(client, method)(many))
        await asyncio.sleep(0)
        core.reply(raw)
        answer = await asking
        assert list(answer) == [key]
        assert isinstance(answer[key], KafkaException)
        first, second = core.asked
        assert (first.kind, first.items) == (second.kind, second.items)

    run(body)


def test_a_failed_request_raises_where_there_is_no_item() -> None:
    async def body(client: AIOAdminClient, core: FakeLoopAdmin) -> None:
        asking = asyncio.ensure_future(client.describe_cluster())
        await asyncio.sleep(0)
        done = core.asked[0].done
        core.later(lambda: done(KafkaError(KafkaError._TIMED_OUT), None))
        with pytest.raises(KafkaException) as raised:
            await asking
        assert raised.value.args[0] == KafkaError._TIMED_OUT

    run(body)


def test_requests_are_under_way_at_the_same_time_on_the_loops_thread() -> None:
    before = threading.active_count()

    async def body(client: AIOAdminClient, core: FakeLoopAdmin) -> None:
        tasks = [asyncio.ensure_future(client.delete_topics(str(number))) for number in range(1000)]
        await asyncio.sleep(0)
        assert len(core.asked) == 1000
        for place in reversed(range(1000)):
            core.reply([(str(place), None)], place)
        assert await asyncio.gather(*tasks) == [None] * 1000
        assert core.served_on == {threading.current_thread().name}
        assert threading.active_count() == before

    run(body)


def test_groups_are_asked_at_the_same_time_by_a_task() -> None:
    async def body(client: AIOAdminClient, core: FakeLoopAdmin) -> None:
        groups = [ConsumerGroupTopicPartitions(name) for name in "ghi"]
        core.refusals[2] = ValueError("group i is refused")
        asking = asyncio.ensure_future(client.list_consumer_group_offsets(groups))
        await asyncio.sleep(0)
        assert [one.items for one in core.asked] == [[(name, None)] for name in "ghi"]
        core.reply([("h", None, [])], 1)
        core.reply([("g", EXISTS, [])], 0)
        answer = await asking
        assert list(answer) == ["g", "h", "i"]
        assert answer["h"] == ConsumerGroupTopicPartitions("h", [])
        assert isinstance(answer["g"], KafkaException)
        assert isinstance(answer["i"], ValueError)

    run(body)


def test_a_cancelled_await_leaves_the_others_alone() -> None:
    async def body(client: AIOAdminClient, core: FakeLoopAdmin) -> None:
        first, second = (asyncio.ensure_future(client.delete_topics(name)) for name in "tu")
        await asyncio.sleep(0)
        first.cancel()
        core.reply([("t", EXISTS)], 0)
        core.reply([("u", None)], 1)
        assert await second is None
        with pytest.raises(asyncio.CancelledError):
            await first

    run(body)


def test_closing_fails_what_is_awaited() -> None:
    async def main() -> None:
        client = AIOAdminClient({})
        asking = asyncio.ensure_future(client.describe_cluster())
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(KafkaException) as raised:
            await asyncio.wait_for(asking, DEADLINE_S)
        assert raised.value.args[0] == KafkaError._DESTROY
        await client.close()
        for call in (client.describe_cluster, client.list_topics, client.cluster_id, lambda: client.poll(0)):
            with pytest.raises(RuntimeError, match=CLOSED):
                await call()
        assert client

    asyncio.run(main())


def test_an_answer_from_another_thread_reaches_the_loop() -> None:
    """A dropped core is collected in any thread, and tells so from there."""

    async def body(client: AIOAdminClient, core: FakeLoopAdmin) -> None:
        asking = asyncio.ensure_future(client.describe_cluster())
        await asyncio.sleep(0)
        core.asked[0].fail(KafkaError(KafkaError._DESTROY))
        with pytest.raises(KafkaException):
            await asking

    run(body)


def test_an_answer_after_the_end_of_its_loop_is_dropped() -> None:
    asked = []

    async def main() -> None:
        client = AIOAdminClient({})
        asking = asyncio.ensure_future(client.describe_cluster())
        await asyncio.sleep(0)
        asked.extend(core_of(client).asked)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(main())
    asked[0].answer(("c", None, [], None))


def test_a_client_belongs_to_one_loop() -> None:
    client = AIOAdminClient({})
    assert asyncio.run(client.cluster_id()) == "the cluster"

    async def main() -> None:
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            await client.cluster_id()

    asyncio.run(main())
    with pytest.raises(RuntimeError):
        client.cluster_id().send(None)


def test_a_callback_that_raises_is_told_to_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []

    async def body(client: AIOAdminClient, core: FakeLoopAdmin) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
        outcomes: list[Any] = [ValueError("of error_cb"), 2]

        def poll(timeout: float) -> int:
            one = outcomes.pop(0) if outcomes else 0
            if isinstance(one, Exception):
                raise one
            return int(one)

        monkeypatch.setattr(core, "poll", poll)
        assert await client.poll(5) == 2
        assert await client.poll(0) == 0

    run(body)
    assert [str(context["exception"]) for context in told] == ["of error_cb"]


def test_callbacks_may_be_coroutine_functions() -> None:
    seen = []

    async def error_cb(error: KafkaError) -> None:
        await asyncio.sleep(0)
        seen.append(error)

    async def main() -> None:
        async with AIOAdminClient({}, error_cb=error_cb) as client:
            await client.cluster_id()
            core_of(client).callbacks["error_cb"](EXISTS)
            while not seen:  # noqa: ASYNC110  # the test has a deadline
                await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))
    assert seen == [EXISTS]
