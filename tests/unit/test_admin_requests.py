# SPDX-License-Identifier: Apache-2.0
"""What the native core is asked, and what becomes of its answers; the same for both admin clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ConsumerGroupType,
    ElectionType,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Node,
    TopicCollection,
    TopicPartition,
    TopicPartitionInfo,
    Uuid,
)
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    ConsumerGroupDescription,
    ConsumerGroupListing,
    DeletedRecords,
    DescribeClusterResult,
    ListConsumerGroupsResult,
    ListOffsetsResultInfo,
    MemberAssignment,
    MemberDescription,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ScramCredentialInfo,
    ScramMechanism,
    TopicDescription,
    UserScramCredentialDeletion,
    UserScramCredentialsDescription,
    UserScramCredentialUpsertion,
)
from confluent_kafka.aio._admin_client import AIOAdminClient
from tests.unit.admin_kit import FakeLoopAdmin, core_of, install

pytestmark = pytest.mark.filterwarnings("ignore:alter_configs has been deprecated:DeprecationWarning")

EXISTS = KafkaError(KafkaError.TOPIC_ALREADY_EXISTS, "Topic 'u' already exists.")
BROKER = (1, "h", 9092, "r")
NODE = Node(1, "h", 9092, "r")
TOPIC = ConfigResource(
    "topic", "t", {"a": 1}, incremental_configs=[ConfigEntry("a", "b", incremental_operation=AlterConfigOpType.APPEND)]
)
BROKERS = [ConfigResource("broker", "1"), ConfigResource("topic", "u"), ConfigResource("broker", 2)]
READ = AclBinding("topic", "t", "literal", "User:u", "*", "read", "allow")
WRITE = AclBinding("group", "g", "prefixed", "User:v", "h", "write", "deny")
RAW_READ = (2, "t", 3, "User:u", "*", 3, 3)
RAW_WRITE = (3, "g", 4, "User:v", "h", 4, 2)
ALL = AclBindingFilter("any", None, "match", None, None, "any", "any")
SHA = ScramMechanism.SCRAM_SHA_512


def _tp(partition: int = 0, offset: int = -1001) -> TopicPartition:
    return TopicPartition("t", partition, offset)


@dataclass
class Case:
    """One call: what it asks of the core, what the core answers, and what the caller gets."""

    method: str
    args: tuple[Any, ...]
    items: Any
    raw: Any
    expected: Any
    options: dict[str, Any] = field(default_factory=dict)
    asked_options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.method


ENTRY = ConfigEntry(
    "a", "1", ConfigSource.DYNAMIC_TOPIC_CONFIG, synonyms={"b": ConfigEntry("b", None, 6, True, True, True, True)}
)
CASES = [
    Case(
        "create_topics",
        ([NewTopic("t", 2, replica_assignment=[[1], [2]], config={"a": 1}), NewTopic("u")],),
        [("t", 2, -1, [[1], [2]], {"a": "1"}), ("u", -1, -1, None, None)],
        [("u", EXISTS), ("t", None)],
        {"t": None, "u": EXISTS},
        {"request_timeout": 1.5, "operation_timeout": 0, "validate_only": True},
        {"request_timeout": 1500, "operation_timeout": 0, "validate_only": True},
    ),
    Case(
        "delete_topics", (["t", "u", "t"],), ["t", "u"], [("t", None), ("u", EXISTS)], {"t": None, "u": EXISTS},
        {"operation_timeout": -0.001}, {"operation_timeout": -1},
    ),
    Case("delete_topics", ([1],), ["1"], [("1", None)], {1: None}),
    Case(
        "create_partitions", ([NewPartitions("t", 3, [[1]])],), [("t", 3, [[1]])], [("t", None)], {"t": None},
        {"validate_only": False}, {"validate_only": False},
    ),
    Case(
        "describe_topics",
        (TopicCollection(["t", "u", "t"]),),
        ["t", "u"],
        [
            ("t", None, Uuid(1, 2), True, [(0, BROKER, [BROKER], []), (1, None, [], [])], [3, 99]),
            ("u", EXISTS, None, False, [], None),
        ],
        {
            "t": TopicDescription(
                "t",
                Uuid(1, 2),
                True,
                [TopicPartitionInfo(0, NODE, [NODE], []), TopicPartitionInfo(1, None, [], [])],
                [AclOperation.READ, AclOperation.UNKNOWN],
            ),
            "u": EXISTS,
        },
        {"include_authorized_operations": True}, {"include_authorized_operations": True},
    ),
    Case(
        "describe_cluster", (), None, ("c", BROKER, [BROKER], None), DescribeClusterResult(NODE, [NODE], "c"),
        {"request_timeout": 0}, {"request_timeout": 0},
    ),
    Case("describe_cluster", (), None, (None, None, [], []), DescribeClusterResult(None, [], None, [])),
    Case(
        "describe_configs",
        ([TOPIC],),
        [(2, "t")],
        [(2, "t", None, [("a", "1", 1, False, False, False, False, [("b", None, 6, True, True, True, True)])])],
        {TOPIC: {"a": ENTRY}},
        {"broker": 3}, {"broker": 3},
    ),
    Case("alter_configs", ([TOPIC],), [(2, "t", [("a", "1")])], [(2, "t", None)], {TOPIC: None}),
    Case(
        "incremental_alter_configs", ([TOPIC],), [(2, "t", [("a", 2, "b")])], [(2, "t", EXISTS)], {TOPIC: EXISTS},
        {"validate_only": True}, {"validate_only": True},
    ),
    Case("create_acls", ([READ, WRITE],), [RAW_READ, RAW_WRITE], [None, EXISTS], {READ: None, WRITE: EXISTS}),
    Case(
        "describe_acls", (ALL,), [(1, None, 2, None, None, 1, 1)], [RAW_READ, RAW_WRITE], [READ, WRITE],
        {"request_timeout": 3600}, {"request_timeout": 3_600_000},
    ),
    Case("delete_acls", ([ALL],), [(1, None, 2, None, None, 1, 1)], [(None, [RAW_READ])], {ALL: [READ]}),
    Case("delete_acls", ([ALL],), [(1, None, 2, None, None, 1, 1)], [(EXISTS, [])], {ALL: EXISTS}),
    Case(
        "list_consumer_groups",
        (),
        None,
        ([("g", True, 3, 2), ("h", False, 77, 0)], [EXISTS]),
        ListConsumerGroupsResult(
            [
                ConsumerGroupListing("g", True, ConsumerGroupState.STABLE, ConsumerGroupType.CLASSIC),
                ConsumerGroupListing("h", False, ConsumerGroupState.UNKNOWN, ConsumerGroupType.UNKNOWN),
            ],
            [KafkaException(EXISTS)],
        ),
        {"states": {ConsumerGroupState.STABLE, ConsumerGroupState.EMPTY}, "types": {ConsumerGroupType.CONSUMER}},
        {"states": [3, 5], "types": [1]},
    ),
    Case(
        "list_consumer_groups", (), None, ([], []), ListConsumerGroupsResult([], []), {"states": set(), "types": None}
    ),
    Case(
        "describe_consumer_groups",
        (["g", "h", "g"],),
        ["g", "h"],
        [
            ("g", None, False, "range", 3, 1, BROKER, [("m", "c", "/h", "i", [_tp()], [_tp(1)])], [3]),
            ("h", None, True, "", 4, 0, None, [("m", "c", "/h", None, [], None)], None),
        ],
        {
            "g": ConsumerGroupDescription(
                "g",
                False,
                [MemberDescription("m", "c", "/h", MemberAssignment([_tp()]), "i", MemberAssignment([_tp(1)]))],
                "range",
                ConsumerGroupState.STABLE,
                NODE,
                [AclOperation.READ],
                ConsumerGroupType.CONSUMER,
            ),
            "h": ConsumerGroupDescription(
                "h",
                True,
                [MemberDescription("m", "c", "/h", MemberAssignment([]))],
                "",
                ConsumerGroupState.DEAD,
                None,
            ),
        },
    ),
    Case("delete_consumer_groups", (["g", "h"],), ["g", "h"], [("h", EXISTS), ("g", None)], {"g": None, "h": EXISTS}),
    Case(
        "list_consumer_group_offsets",
        ([ConsumerGroupTopicPartitions("g")],),
        [("g", None)],
        [("g", None, [_tp(0, 5)])],
        {"g": ConsumerGroupTopicPartitions("g", [_tp(0, 5)])},
        {"require_stable": True}, {"require_stable": True},
    ),
    Case(
        "alter_consumer_group_offsets",
        ([ConsumerGroupTopicPartitions("g", [_tp(0, 5)])],),
        [("g", [_tp(0, 5)])],
        [("g", EXISTS, [])],
        {"g": EXISTS},
    ),
    Case(
        "delete_consumer_group_offsets",
        ([ConsumerGroupTopicPartitions("g", [_tp(0, 5), _tp(1)])],),
        [("g", [_tp(0, 5), _tp(1)])],
        [("g", None, [_tp(0), _tp(1)])],
        {"g": ConsumerGroupTopicPartitions("g", [_tp(0), _tp(1)])},
    ),
    Case(
        "list_offsets",
        ({_tp(0): OffsetSpec.latest(), _tp(1, 7): OffsetSpec.for_timestamp(9), _tp(2): OffsetSpec.earliest()},),
        [("t", 0, -1), ("t", 1, 9), ("t", 2, -2)],
        [("t", 1, None, 5, 8, -1), ("t", 0, None, 4, -1, 3), ("t", 2, EXISTS, -1, -1, None)],
        {_tp(0): ListOffsetsResultInfo(4, -1, 3), _tp(1): ListOffsetsResultInfo(5, 8, None), _tp(2): EXISTS},
        {"isolation_level": IsolationLevel.READ_COMMITTED}, {"isolation_level": 1},
    ),
    Case(
        "delete_records",
        ([_tp(0, 5), _tp(1, -1)],),
        [("t", 0, 5), ("t", 1, -1)],
        [("t", 0, None, 5), ("t", 1, EXISTS, -1)],
        {_tp(0): DeletedRecords(5), _tp(1): EXISTS},
    ),
    Case(
        "elect_leaders",
        (ElectionType.UNCLEAN, [_tp(0), _tp(1), _tp(0)]),
        (1, [("t", 0), ("t", 1)]),
        [("t", 0, None), ("t", 1, EXISTS)],
        {_tp(0): None, _tp(1): EXISTS},
    ),
    Case("elect_leaders", (ElectionType.PREFERRED,), (0, None), [], {}),
    Case(
        "describe_user_scram_credentials",
        (["u", "v", "u"],),
        ["u", "v"],
        [("u", None, [(2, 4096), (9, 1)]), ("v", EXISTS, [])],
        {
            "u": UserScramCredentialsDescription(
                "u", [ScramCredentialInfo(SHA, 4096), ScramCredentialInfo(ScramMechanism.UNKNOWN, 1)]
            ),
            "v": EXISTS,
        },
    ),
    Case(
        "describe_user_scram_credentials",
        (),
        None,
        [("u", None, [(2, 4096)])],
        {"u": UserScramCredentialsDescription("u", [ScramCredentialInfo(SHA, 4096)])},
    ),
    Case(
        "alter_user_scram_credentials",
        (
            [
                UserScramCredentialUpsertion("u", ScramCredentialInfo(SHA, 4096), b"p", b"s"),
                UserScramCredentialUpsertion("v", ScramCredentialInfo(SHA, 1), b"p"),
                UserScramCredentialDeletion("u", ScramMechanism.SCRAM_SHA_256),
            ],
        ),
        [("u", 2, 4096, b"p", b"s"), ("v", 2, 1, b"p", None), ("u", 1)],
        [("u", None), ("v", EXISTS)],
        {"u": None, "v": EXISTS},
    ),
]  # fmt: skip


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> AdminClient:
    install(monkeypatch)
    return AdminClient({"bootstrap.servers": "nowhere:9092"})


def outcome(future: Future[Any]) -> Any:
    """A future's result, or the error of the exception that it has."""
    error = future.exception(0)
    if error is None:
        return future.result(0)
    assert isinstance(error, KafkaException)
    return error.args[0]


def plain(value: Any) -> Any:
    """Comparable: KafkaExceptions compare by identity, KafkaErrors by their code only."""
    if isinstance(value, ListConsumerGroupsResult):
        return value.valid, [plain(error) for error in value.errors]
    if isinstance(value, KafkaError):
        return value.code(), value.str()
    if isinstance(value, KafkaException):
        return plain(value.args[0])
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_synchronous_client_asks_and_converts(admin: AdminClient, case: Case) -> None:
    futures = getattr(admin, case.method)(*case.args, **case.options)
    core = core_of(admin)
    assert [(one.kind, one.items, one.options) for one in core.asked] == [(case.method, case.items, case.asked_options)]
    every = list(futures.values()) if isinstance(futures, dict) else [futures]
    assert all(isinstance(future, Future) and future.running() for future in every)
    assert not any(future.cancel() for future in every)
    core.asked[0].answer(case.raw)
    if isinstance(futures, dict):
        assert plain({key: outcome(future) for key, future in futures.items()}) == plain(case.expected)
        assert list(futures) == list(case.expected)
    else:
        assert plain(outcome(futures)) == plain(case.expected)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_asyncio_client_asks_and_converts(monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    install(monkeypatch)

    async def call() -> Any:
        async with AIOAdminClient({}) as client:
            core: FakeLoopAdmin = core_of(client)
            asking = asyncio.ensure_future(getattr(client, case.method)(*case.args, **case.options))
            await asyncio.sleep(0)
            asked = [(one.kind, one.items, one.options) for one in core.asked]
            assert asked == [(case.method, case.items, case.asked_options)]
            core.reply(case.raw)
            return await asyncio.wait_for(asking, 30)

    assert plain(asyncio.run(call())) == plain(case.expected)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_failed_request_fails_every_future(admin: AdminClient, case: Case) -> None:
    futures = getattr(admin, case.method)(*case.args, **case.options)
    error = KafkaError(KafkaError._TIMED_OUT, "Failed while waiting for controller: Local: Timed out")
    core_of(admin).asked[0].fail(error)
    every = list(futures.values()) if isinstance(futures, dict) else [futures]
    raised = [future.exception(0) for future in every]
    assert [plain(one) for one in raised] == [plain(error)] * len(every)
    # One exception per future: what raises it adds its traceback to it.
    assert len({id(one) for one in raised}) == len(every)


def test_the_offset_of_a_key_is_the_number_of_its_specification(admin: AdminClient) -> None:
    futures = admin.list_offsets({_tp(0): OffsetSpec.max_timestamp(), _tp(1, 7): OffsetSpec.for_timestamp(9)})
    assert [(key.partition, key.offset) for key in futures] == [(0, -3), (1, 9)]


def test_synonyms_and_sources_of_config_entries(admin: AdminClient) -> None:
    future = admin.describe_configs([TOPIC])[TOPIC]
    rows = [("a", "1", 5, False, True, False, False, []), ("b", None, 7, True, False, True, False, [])]
    core_of(admin).asked[0].answer([(2, "t", None, rows)])
    a, b = future.result(0).values()
    assert (a.source, type(a.source), a.is_default) == (5, ConfigSource, True)
    assert (b.source, type(b.source), b.value, b.is_read_only, b.is_sensitive) == (7, int, None, True, True)


def test_elections_have_their_errors_in_the_keys_as_well(admin: AdminClient) -> None:
    future = admin.elect_leaders(ElectionType.PREFERRED)
    core_of(admin).asked[0].answer([("t", 0, None), ("t", 1, EXISTS)])
    assert [(key.partition, plain(key.error)) for key in future.result(0)] == [(0, None), (1, plain(EXISTS))]


def test_each_broker_is_asked_in_its_own_request(admin: AdminClient) -> None:
    futures = admin.describe_configs(BROKERS)
    core = core_of(admin)
    assert [one.items for one in core.asked] == [[(4, "1")], [(2, "u")], [(4, "2")]]
    assert sorted(futures) == sorted(BROKERS)
    core.asked[2].answer([(4, "2", None, [])])
    core.asked[0].fail(EXISTS)
    assert futures[BROKERS[2]].result(0) == {}
    assert outcome(futures[BROKERS[0]]) == EXISTS
    assert futures[BROKERS[1]].running()
    admin.describe_configs(BROKERS, broker=1)
    assert core.asked[3].items == [(4, "1"), (2, "u"), (4, "2")]


def _groups(*names: str) -> list[ConsumerGroupTopicPartitions]:
    return [ConsumerGroupTopicPartitions(name, [_tp(0, 1)]) for name in names]


@pytest.mark.parametrize("method", ["alter_consumer_group_offsets", "delete_consumer_group_offsets"])
def test_each_group_has_a_request_of_its_own(admin: AdminClient, method: str) -> None:
    futures = getattr(admin, method)(_groups("g", "h", "i"))
    core = core_of(admin)
    assert [one.items for one in core.asked] == [[(name, [_tp(0, 1)])] for name in "ghi"]
    core.asked[1].answer([("h", None, [_tp()])])
    assert futures["h"].result(0) == ConsumerGroupTopicPartitions("h", [_tp()])
    core.asked[2].answer([("i", EXISTS, [])])
    assert outcome(futures["i"]) == EXISTS
    assert futures["g"].running()


def test_a_later_groups_refusal_leaves_the_earlier_requests_alone(admin: AdminClient) -> None:
    core = core_of(admin)
    core.refusals[1] = ValueError("group h is refused")
    futures = admin.alter_consumer_group_offsets(_groups("g", "h", "i"))
    with pytest.raises(ValueError, match="group h is refused"):
        futures["h"].result(0)
    assert futures["g"].running()
    assert futures["i"].running()
    core.refusals[3] = ValueError("refused at once")
    with pytest.raises(ValueError, match="refused at once"):
        admin.alter_consumer_group_offsets(_groups("g", "h"))


def test_an_item_that_the_broker_leaves_out_fails(admin: AdminClient) -> None:
    futures = admin.create_topics([NewTopic("t"), NewTopic("u")])
    core_of(admin).asked[0].answer([("t", None), ("x", None)])
    assert futures["t"].result(0) is None
    assert outcome(futures["u"]) == KafkaError._BAD_MSG


def test_an_answer_that_cannot_be_read_fails_the_futures(admin: AdminClient) -> None:
    futures = admin.create_topics([NewTopic("t"), NewTopic("u")])
    core_of(admin).asked[0].answer([("t",)])
    for future in futures.values():
        assert isinstance(future.exception(0), IndexError)


def test_an_error_of_one_user_is_not_lost_among_all(admin: AdminClient) -> None:
    future = admin.describe_user_scram_credentials()
    core_of(admin).asked[0].answer([("u", None, [(2, 4096)]), ("v", EXISTS, [])])
    assert outcome(future) == EXISTS


_names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)


@given(
    topics=st.dictionaries(_names, st.sampled_from([None, EXISTS]), min_size=1, max_size=8),
    order=st.randoms(use_true_random=False),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_results_find_their_items_in_any_order(admin: AdminClient, topics: dict[str, Any], order: Any) -> None:
    futures = admin.delete_topics(list(topics))
    rows = list(topics.items())
    order.shuffle(rows)
    core_of(admin).asked[-1].answer(rows)
    assert {name: outcome(future) for name, future in futures.items()} == topics


@pytest.mark.parametrize("make", [AdminClient, AIOAdminClient])
def test_a_configuration_is_that_of_the_other_clients(
    monkeypatch: pytest.MonkeyPatch, make: Callable[..., object]
) -> None:
    install(monkeypatch)
    conf = {"bootstrap.servers": "a:1", "error_cb": print}
    core = core_of(make(conf, **{"bootstrap.servers": "b:2"}))
    assert core.properties["bootstrap.servers"] == "b:2"
    assert "error_cb" in core.callbacks
    assert conf == {"bootstrap.servers": "a:1", "error_cb": print}
    for wrong in (None, "x", 3):
        with pytest.raises(TypeError, match="expected configuration dict"):
            make(wrong)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'conf'"):
        make()
