# SPDX-License-Identifier: Apache-2.0
"""What both admin clients refuse before anything is sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ConsumerGroupType,
    ElectionType,
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
    OffsetSpec,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from confluent_kafka.aio._admin_client import AIOAdminClient
from tests.unit.admin_kit import core_of, install

TOPIC = NewTopic("t")
RESOURCE = ConfigResource("topic", "t", {"a": "b"})
ACL = AclBinding("topic", "t", "literal", "User:u", "*", "read", "allow")
FILTER = AclBindingFilter("topic", "t", "literal", "User:u", "*", "read", "allow")
LATEST = OffsetSpec.latest()
PREFERRED = ElectionType.PREFERRED
SHA = ScramMechanism.SCRAM_SHA_256
SET = AlterConfigOpType.SET


class _HasTopic:
    topic = "t"


def _tp(partition: int = 0, offset: int = -1001, topic: str = "t") -> TopicPartition:
    return TopicPartition(topic, partition, offset)


def _group(partitions: Any = None, group: Any = "g") -> list[ConsumerGroupTopicPartitions]:
    return [ConsumerGroupTopicPartitions(group, partitions)]


def _changes(*entries: Any) -> list[ConfigResource]:
    return [ConfigResource("topic", "t", incremental_configs=entries)]


def _upsert(**changes: Any) -> list[Any]:
    return [
        UserScramCredentialUpsertion(
            changes.get("user", "u"),
            changes.get("info", ScramCredentialInfo(changes.get("mechanism", SHA), changes.get("iterations", 4096))),
            changes.get("password", b"p"),
            changes.get("salt"),
        )
    ]


ASSIGNMENT = "replica_assignment must be a list of int lists with an outer size of num_partitions"
ADDED = (
    "replica_assignment must be a list of int lists with an outer size of new_total_count - existing partition count"
)
NO_ENTRIES = "expected non-empty list of ConfigEntry to alter incrementally in incremental_configs field"
NOT_A_DICT = "Expected topic_partition_offsets to be dict of [TopicPartitions,OffsetSpec] for list offsets request"
NEITHER = (
    "Expected each element of list 'alterations' to be either a UserScramCredentialUpsertion "
    "or a UserScramCredentialDeletion"
)
ELEMENT = "Element of 'topic_partitions' "
REFUSED: list[tuple[str, tuple[Any, ...], type[Exception], str]] = [
    ("create_topics", ([],), ValueError, "Expected non-empty list of NewTopic objects"),
    ("create_topics", ((),), ValueError, "Expected non-empty list of NewTopic objects"),
    ("create_topics", ((TOPIC,),), ValueError, "Expected non-empty list of NewTopic objects"),
    ("create_topics", (None,), TypeError, "'NoneType' object is not iterable"),
    ("create_topics", ("t",), AttributeError, "'str' object has no attribute 'topic'"),
    ("create_topics", ([TOPIC, None],), AttributeError, "'NoneType' object has no attribute 'topic'"),
    ("create_topics", ([_HasTopic()],), ValueError, "Expected list of NewTopic objects"),
    ("create_topics", ([NewPartitions("t", 3)],), ValueError, "Expected list of NewTopic objects"),
    (
        "create_topics", ([NewTopic("t", 1, 1, [[1]])],), ValueError,
        "replication_factor and replica_assignment are mutually exclusive",
    ),
    (
        "create_topics", ([NewTopic("t", replica_assignment=[[1]])],), ValueError,
        "Specifying a default partition count and a replica assignment are mutually exclusive",
    ),
    *(
        ("create_topics", ([NewTopic("t", 2, replica_assignment=wrong)],), ValueError, ASSIGNMENT)
        for wrong in ([[1]], [[1], [2], [3]], [["a"], ["b"]], [1, 2], 3, [[], []], ((1,), (2,)))
    ),
    ("delete_topics", ([],), ValueError, "Expected non-empty list of topic strings"),
    ("delete_topics", (None,), TypeError, "argument 1 must be list, not NoneType"),
    ("delete_topics", (("t",),), TypeError, "argument 1 must be list, not tuple"),
    ("delete_topics", ([None],), ValueError, "Expected list of topic strings, not NoneType"),
    ("create_partitions", ([],), ValueError, "Expected non-empty list of NewPartitions objects"),
    ("create_partitions", (None,), TypeError, "'NoneType' object is not iterable"),
    ("create_partitions", ([1],), AttributeError, "'int' object has no attribute 'topic'"),
    ("create_partitions", ([TOPIC],), ValueError, "Expected list of NewPartitions objects"),
    *(
        ("create_partitions", ([NewPartitions("t", 2, wrong)],), ValueError, ADDED)
        for wrong in ([[1], [2], [3]], [1], "x", [["a"]])
    ),
    ("describe_topics", (["t"],), TypeError, "Expected input to be instance of TopicCollection"),
    ("describe_topics", (None,), TypeError, "Expected input to be instance of TopicCollection"),
    ("describe_topics", (TopicCollection("t"),), TypeError, "Expected list of topic names to be described"),
    ("describe_topics", (TopicCollection(("t",)),), TypeError, "Expected list of topic names to be described"),
    ("describe_topics", (TopicCollection([1]),), TypeError, "Expected list of topics strings, not int"),
    ("describe_topics", (TopicCollection([""]),), ValueError, "Empty topic name at index 0 isn't allowed"),
    ("describe_topics", (TopicCollection(["a", ""]),), ValueError, "Empty topic name at index 1 isn't allowed"),
    *(
        (method, (value,), error, text)
        for method, wrong in (
            ("describe_configs", ValueError), ("alter_configs", ValueError), ("incremental_alter_configs", TypeError)
        )
        for value, error, text in (
            ([], ValueError, "Expected non-empty list of ConfigResource objects"),
            ((RESOURCE,), ValueError, "Expected non-empty list of ConfigResource objects"),
            (None, TypeError, "'NoneType' object is not iterable"),
            ("t", wrong, "Expected list of <class 'confluent_kafka.admin._config.ConfigResource'>"),
            ([RESOURCE, 1], wrong, "Expected list of <class 'confluent_kafka.admin._config.ConfigResource'>"),
            ([ConfigResource(2, "")], ValueError, "Invalid ConfigResource(2,)"),
        )
    ),
    (
        "alter_configs", ([ConfigResource(2, "t", {"": "b"})],), ValueError,
        "Invalid set_config of ConfigResource(ResourceType.TOPIC,t): a property has an empty name",
    ),
    ("incremental_alter_configs", ([RESOURCE],), ValueError, NO_ENTRIES),
    ("incremental_alter_configs", (_changes(),), ValueError, NO_ENTRIES),
    (
        "incremental_alter_configs", (_changes(ConfigEntry("a", "b", incremental_operation=SET), 3),), TypeError,
        "expected ConfigEntry type in incremental_configs field, index 1",
    ),
    *(
        (
            "incremental_alter_configs", (_changes(ConfigEntry("a", "b", incremental_operation=operation)),), TypeError,
            "Required attribute .value missing: set incremental_operation to an AlterConfigOpType "
            "in incremental_configs field, index 0",
        )
        for operation in (None, 0, "SET")
    ),
    (
        "incremental_alter_configs", (_changes(ConfigEntry("a", None, incremental_operation=SET)),), TypeError,
        "Expected .value to be str type, not NoneType",
    ),
    (
        "incremental_alter_configs", (_changes(ConfigEntry(None, "b", incremental_operation=SET)),), TypeError,
        "Expected .name to be str type, not NoneType",
    ),
    (
        "incremental_alter_configs", (_changes(ConfigEntry("", "b", incremental_operation=SET)),), ValueError,
        'setting config entry "", index 0, failed: Config name mustn\'t be empty',
    ),
    *(
        (method, (value,), error, text)
        for method, one, kind, double in (
            ("create_acls", ACL, "AclBinding", "duplicate ACL bindings not allowed"),
            ("delete_acls", FILTER, "AclBindingFilter", "duplicate ACL binding filters not allowed"),
        )
        for value, error, text in (
            ([], ValueError, f"Expected non-empty list of {kind} objects"),
            ((one,), ValueError, f"Expected non-empty list of {kind} objects"),
            (None, TypeError, "'NoneType' object is not iterable"),
            ("x", ValueError, f"Expected list of <class 'confluent_kafka.admin._acl.{kind}'>"),
            ([one, None], ValueError, f"Expected list of <class 'confluent_kafka.admin._acl.{kind}'>"),
            ([one, one], ValueError, double),
        )
    ),
    (
        "create_acls", ([AclBindingFilter("topic", None, "literal", "u", "*", "read", "allow")],), ValueError,
        "Expected name to be not None",
    ),
    (
        "delete_acls", ([ACL],), ValueError,
        "Expected list of <class 'confluent_kafka.admin._acl.AclBindingFilter'>",
    ),
    ("describe_acls", (None,), TypeError, "Expected an AclBindingFilter object"),
    ("describe_acls", (ACL,), TypeError, "Expected an AclBindingFilter object"),
    ("describe_acls", ([FILTER],), TypeError, "Expected an AclBindingFilter object"),
    *(
        (f"{verb}_consumer_groups", (value,), error, text)
        for verb, what in (("describe", "described"), ("delete", "deleted"))
        for value, error, text in (
            ([], ValueError, f"Expected at least one group to be {what}"),
            (None, TypeError, f"Expected input to be list of group ids to be {what}"),
            (("g",), TypeError, f"Expected input to be list of group ids to be {what}"),
        )
    ),
    ("describe_consumer_groups", ([None],), ValueError, "Expected list of group strings, not NoneType"),
    ("delete_consumer_groups", ([1],), ValueError, "Expected list of <class 'str'>"),
    *(
        (f"{verb}_consumer_group_offsets", (value,), error, text)
        for verb in ("list", "alter", "delete")
        for value, error, text in (
            (None, TypeError, "request cannot be None"),
            ("g", TypeError, "request must be a list"),
            ((), TypeError, "request must be a list"),
            ([], ValueError, "Expected at least one ConsumerGroupTopicPartitions"),
            ([1], TypeError, "Expected list of 'ConsumerGroupTopicPartitions'"),
            ([None], TypeError, "Expected list of 'ConsumerGroupTopicPartitions'"),
            (_group(group=""), ValueError, "'group_id' cannot be empty"),
            (_group(group=None), TypeError, "'group_id' cannot be None"),
            (_group(group=3), TypeError, "'group_id' must be a string"),
            (_group([]), ValueError, "'topic_partitions' cannot be empty"),
            (_group([None]), ValueError, f"{ELEMENT}cannot be None"),
            (_group(["t"]), TypeError, f"{ELEMENT}must be of type TopicPartition"),
            (_group([_tp(topic="")]), ValueError, f"{ELEMENT}must not have 'topic' attribute as Empty"),
        )
    ),
    *(
        (f"{verb}_consumer_group_offsets", (_group([_tp(0, 1)]) * 2,), ValueError,
         "Expected each consumer group once, found 'g' twice: merge its partitions")
        for verb in ("alter", "delete")
    ),
    ("list_consumer_group_offsets", (_group("t"),), TypeError, "'topic_partitions' must be a list or None"),
    ("list_consumer_group_offsets", (_group((_tp(),)),), TypeError, "'topic_partitions' must be a list or None"),
    ("list_consumer_group_offsets", (_group() * 2,), ValueError,
     "Expected each consumer group once, found 'g' twice: merge its partitions"),
    ("list_consumer_group_offsets", (_group([_tp(-1)]),), ValueError,
     f"{ELEMENT}must not have negative 'partition' value"),
    ("list_consumer_group_offsets", (_group([_tp(0, 3)]),), ValueError, f"{ELEMENT}must not have 'offset' value"),
    ("list_consumer_group_offsets", (_group([_tp(0, -1)]),), ValueError, f"{ELEMENT}must not have 'offset' value"),
    *(
        (f"{verb}_consumer_group_offsets", (value,), error, text)
        for verb in ("alter", "delete")
        for value, error, text in (
            (_group(), ValueError, "'topic_partitions' cannot be null"),
            (_group("t"), TypeError, "'topic_partitions' must be a list"),
            (_group([_tp(-1, 1)]), ValueError, f"{ELEMENT}must not have negative value for 'partition' field"),
        )
    ),
    ("alter_consumer_group_offsets", (_group([_tp()]),), ValueError,
     f"{ELEMENT}must not have negative value for 'offset' field"),
    ("alter_consumer_group_offsets", (_group([_tp(0, -1)]),), ValueError,
     f"{ELEMENT}must not have negative value for 'offset' field"),
    ("list_offsets", (None,), TypeError, NOT_A_DICT),
    ("list_offsets", ([],), TypeError, NOT_A_DICT),
    ("list_offsets", ({"t": LATEST},), TypeError, "partition must be a TopicPartition"),
    ("list_offsets", ({_tp(): 1},), TypeError, "Value must be a OffsetSpec"),
    ("list_offsets", ({_tp(): None},), TypeError, "OffsetSpec cannot be None"),
    ("list_offsets", ({_tp(topic=""): LATEST},), ValueError, "partition topic name cannot be empty"),
    ("list_offsets", ({_tp(-1): LATEST},), ValueError, "partition index must be non-negative"),
    ("delete_records", (None,), TypeError, "Expected Request to be a list, got 'NoneType'"),
    ("delete_records", ((_tp(),),), TypeError, "Expected Request to be a list, got 'tuple'"),
    ("delete_records", ([1],), TypeError, "Element of the request list must be of type 'TopicPartition' got 'int'"),
    ("delete_records", ([_tp(-1)],), ValueError, "'partition' cannot be negative"),
    ("delete_records", ([_tp(topic="")],), ValueError, "'topic' cannot be empty"),
    ("elect_leaders", (1,), TypeError, "Expected 'election_type' to be of type 'ElectionType'"),
    ("elect_leaders", (None,), TypeError, "Expected 'election_type' to be of type 'ElectionType'"),
    ("elect_leaders", (PREFERRED, ()), TypeError, "Expected 'partitions' to be a list, got 'tuple'"),
    ("elect_leaders", (PREFERRED, "t"), TypeError, "Expected 'partitions' to be a list, got 'str'"),
    ("elect_leaders", (PREFERRED, [1]), TypeError,
     "Element of the 'partitions' list must be of type 'TopicPartition' got 'int'"),
    ("elect_leaders", (PREFERRED, [_tp(-1)]), ValueError,
     "Elements of the 'partitions' list must not have negative value for 'partition' field"),
    ("describe_user_scram_credentials", (("u",),), TypeError, "Expected input to be list of String"),
    ("describe_user_scram_credentials", ([1],), TypeError, "Each value should be a string"),
    ("describe_user_scram_credentials", ([None],), TypeError, "'user' cannot be None"),
    ("describe_user_scram_credentials", ([""],), ValueError, "'user' cannot be empty"),
    *(
        ("alter_user_scram_credentials", (value,), error, text)
        for value, error, text in (
            (None, TypeError, "Expected input to be list"),
            ((), TypeError, "Expected input to be list"),
            ([], ValueError, "Expected at least one alteration"),
            ([1], TypeError, "Expected each element of list to be subclass of UserScramCredentialAlteration"),
            ([UserScramCredentialAlteration("u")], TypeError, NEITHER),
            (_upsert(user=None), TypeError, "'user' cannot be None"),
            (_upsert(user=3), TypeError, "'user' must be a string"),
            (_upsert(user=""), ValueError, "'user' cannot be empty"),
            (_upsert(info=None), TypeError, "Expected credential_info to be ScramCredentialInfo Type"),
            (_upsert(mechanism=1), TypeError, "Expected the mechanism to be ScramMechanism Type"),
            (_upsert(iterations=0), ValueError, "Iterations should be positive"),
            (_upsert(iterations="x"), TypeError, "Expected the iterations to be int, not str"),
            (_upsert(password=None), TypeError, "'password' cannot be None"),
            (_upsert(password="p"), TypeError, "'password' must be bytes"),
            (_upsert(password=b""), ValueError, "'password' cannot be empty"),
            (_upsert(salt="s"), TypeError, "'salt' must be bytes"),
            (_upsert(salt=b""), ValueError, "'salt' can be None but cannot be empty"),
            ([UserScramCredentialDeletion("u", 1)], TypeError, "Expected the mechanism to be ScramMechanism Type"),
            ([UserScramCredentialDeletion("", SHA)], ValueError, "'user' cannot be empty"),
        )
    ),
]  # fmt: skip
# A str is one item for these methods of the asyncio client, not a list of a wrong type.
ONLY_SYNC: list[tuple[str, tuple[Any, ...], type[Exception], str]] = [
    ("create_topics", (TOPIC,), TypeError, "'NewTopic' object is not iterable"),
    ("delete_topics", ("t",), TypeError, "argument 1 must be list, not str"),
    ("describe_configs", (RESOURCE,), TypeError, "'ConfigResource' object is not iterable"),
    ("create_acls", (ACL,), TypeError, "'AclBinding' object is not iterable"),
    ("describe_consumer_groups", ("g",), TypeError, "Expected input to be list of group ids to be described"),
    ("delete_consumer_groups", ("g",), TypeError, "Expected input to be list of group ids to be deleted"),
    ("describe_user_scram_credentials", ("u",), TypeError, "Expected input to be list of String"),
]
# A call of each method that is accepted.
CALLS: dict[str, Callable[..., Any]] = {
    "create_topics": lambda client, **options: client.create_topics([TOPIC], **options),
    "delete_topics": lambda client, **options: client.delete_topics(["t"], **options),
    "create_partitions": lambda client, **options: client.create_partitions([NewPartitions("t", 3)], **options),
    "describe_topics": lambda client, **options: client.describe_topics(TopicCollection(["t"]), **options),
    "describe_cluster": lambda client, **options: client.describe_cluster(**options),
    "describe_configs": lambda client, **options: client.describe_configs([RESOURCE], **options),
    "alter_configs": lambda client, **options: client.alter_configs([RESOURCE], **options),
    "incremental_alter_configs": lambda client, **options: client.incremental_alter_configs(
        _changes(ConfigEntry("a", "b", incremental_operation=SET)), **options
    ),
    "create_acls": lambda client, **options: client.create_acls([ACL], **options),
    "describe_acls": lambda client, **options: client.describe_acls(FILTER, **options),
    "delete_acls": lambda client, **options: client.delete_acls([FILTER], **options),
    "list_consumer_groups": lambda client, **options: client.list_consumer_groups(**options),
    "describe_consumer_groups": lambda client, **options: client.describe_consumer_groups(["g"], **options),
    "delete_consumer_groups": lambda client, **options: client.delete_consumer_groups(["g"], **options),
    "list_consumer_group_offsets": lambda client, **options: client.list_consumer_group_offsets(_group(), **options),
    "alter_consumer_group_offsets": lambda client, **options: client.alter_consumer_group_offsets(
        _group([_tp(0, 1)]), **options
    ),
    "delete_consumer_group_offsets": lambda client, **options: client.delete_consumer_group_offsets(
        _group([_tp()]), **options
    ),
    "list_offsets": lambda client, **options: client.list_offsets({_tp(): LATEST}, **options),
    "delete_records": lambda client, **options: client.delete_records([_tp(0, 1)], **options),
    "elect_leaders": lambda client, **options: client.elect_leaders(PREFERRED, **options),
    "describe_user_scram_credentials": lambda client, **options: client.describe_user_scram_credentials(**options),
    "alter_user_scram_credentials": lambda client, **options: client.alter_user_scram_credentials(_upsert(), **options),
}
OPTIONS = {
    "request_timeout": set(CALLS),
    "operation_timeout": {"create_topics", "delete_topics", "create_partitions", "delete_records", "elect_leaders"},
    "validate_only": {"create_topics", "create_partitions", "alter_configs", "incremental_alter_configs"},
    "include_authorized_operations": {"describe_topics", "describe_cluster", "describe_consumer_groups"},
    "broker": {"describe_configs", "alter_configs", "incremental_alter_configs"},
    "require_stable": {"list_consumer_group_offsets"},
    "states": {"list_consumer_groups"},
    "types": {"list_consumer_groups"},
    "isolation_level": {"list_offsets"},
    "foo": set(),
}
pytestmark = pytest.mark.filterwarnings("ignore:alter_configs has been deprecated:DeprecationWarning")


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> AdminClient:
    install(monkeypatch)
    return AdminClient({"bootstrap.servers": "nowhere:9092"})


def _id(case: Any) -> str | None:
    return case if isinstance(case, str) else None


@pytest.mark.parametrize(("method", "args", "error", "text"), [*REFUSED, *ONLY_SYNC], ids=_id)
def test_the_synchronous_client_refuses(
    admin: AdminClient,
    method: str,
    args: tuple[Any, ...],
    error: type[Exception],
    text: str,
) -> None:
    with pytest.raises(error, match=f"^{re.escape(text)}$") as raised:
        getattr(admin, method)(*args)
    assert type(raised.value) is error
    assert core_of(admin).asked == []


@pytest.mark.parametrize(("method", "args", "error", "text"), REFUSED, ids=_id)
def test_the_asyncio_client_refuses(
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    args: tuple[Any, ...],
    error: type[Exception],
    text: str,
) -> None:
    install(monkeypatch)

    async def call() -> None:
        async with AIOAdminClient({}) as client:
            with pytest.raises(error, match=f"^{re.escape(text)}$"):
                await getattr(client, method)(*args)
            assert core_of(client).asked == []

    asyncio.run(call())


@pytest.mark.parametrize("method", CALLS)
def test_each_method_has_its_options(admin: AdminClient, method: str) -> None:
    values: dict[str, Any] = {
        "request_timeout": 1, "operation_timeout": 2, "validate_only": True, "include_authorized_operations": True,
        "broker": 1, "require_stable": True, "states": None, "types": None,
    }  # fmt: skip
    for option, methods in OPTIONS.items():
        if option == "isolation_level":
            continue
        if method in methods:
            CALLS[method](admin, **{option: values[option]})
        else:
            with pytest.raises(TypeError, match=f"^'{option}' is an invalid keyword argument for this function$"):
                CALLS[method](admin, **{option: values.get(option, 1)})


def _out_of(option: str, least: int) -> str:
    return f'Invalid value type for "{option}": expecting integer in range {least}..3600000'


@pytest.mark.parametrize(
    ("method", "option", "value", "error", "text"),
    [
        *(
            ("create_topics", "request_timeout", value, ValueError, _out_of("request_timeout", 0))
            for value in (-1, -1.5, 3601, 2**40, float("nan"), float("inf"))
        ),
        *(
            ("create_topics", "operation_timeout", value, ValueError, _out_of("operation_timeout", -1))
            for value in (-1, 3601)
        ),
        ("create_topics", "request_timeout", "3", TypeError, "request_timeout: must be real number, not str (seconds)"),
        (
            "create_topics", "operation_timeout", None, TypeError,
            "operation_timeout: must be real number, not NoneType (seconds)",
        ),
        ("create_topics", "validate_only", 1, TypeError, "Expected validate_only to be bool type, not int"),
        ("create_topics", "validate_only", None, TypeError, "Expected validate_only to be bool type, not NoneType"),
        (
            "describe_cluster", "include_authorized_operations", "x", TypeError,
            "Expected include_authorized_operations to be bool type, not str",
        ),
        (
            "list_consumer_group_offsets", "require_stable", 1, TypeError,
            "Expected require_stable to be bool type, not int",
        ),
        ("describe_configs", "broker", "1", TypeError, "'str' object cannot be interpreted as an integer"),
        ("describe_configs", "broker", 1.0, TypeError, "'float' object cannot be interpreted as an integer"),
        (
            "describe_configs", "broker", -1, ValueError,
            'Invalid value type for "broker": expecting integer in range 0..2147483647',
        ),
        ("describe_configs", "broker", 2**31, OverflowError, "signed integer is greater than maximum"),
        ("list_offsets", "isolation_level", 1, TypeError, "isolation_level argument should be an IsolationLevel"),
        ("list_offsets", "isolation_level", None, TypeError, "isolation_level argument should be an IsolationLevel"),
        ("list_consumer_groups", "states", [ConsumerGroupState.STABLE], TypeError, "'states' must be a set"),
        (
            "list_consumer_groups", "states", {1}, TypeError,
            "All elements of states must be of type ConsumerGroupState",
        ),
        ("list_consumer_groups", "types", [ConsumerGroupType.CLASSIC], TypeError, "'types' must be a set"),
        (
            "list_consumer_groups", "types", {ConsumerGroupState.STABLE}, TypeError,
            "All elements of types must be of type ConsumerGroupType",
        ),
        ("list_consumer_groups", "types", {ConsumerGroupType.UNKNOWN}, ValueError, "UNKNOWN type is not allowed"),
    ],
)  # fmt: skip
def test_options_are_checked(
    admin: AdminClient,
    method: str,
    option: str,
    value: Any,
    error: type[Exception],
    text: str,
) -> None:
    with pytest.raises(error, match=f"^{re.escape(text)}$"):
        CALLS[method](admin, **{option: value})
    assert core_of(admin).asked == []


def test_empty_collections_need_no_request(admin: AdminClient) -> None:
    assert admin.describe_topics(TopicCollection([])) == {}
    assert admin.list_offsets({}) == {}
    assert admin.delete_records([]) == {}
    assert admin.describe_user_scram_credentials([]) == {}
    assert admin.elect_leaders(PREFERRED, []).result(0) == {}
    assert core_of(admin).asked == []
