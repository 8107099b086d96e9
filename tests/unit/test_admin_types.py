# SPDX-License-Identifier: Apache-2.0
"""The types of administrative requests and results."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_kafka import ConsumerGroupState, ConsumerGroupType, KafkaError, Node, TopicPartition, Uuid, cimpl
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
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
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    TopicDescription,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialsDescription,
    UserScramCredentialUpsertion,
)
from confluent_kafka.admin._convert import member_or_unknown, to_member
from confluent_kafka.admin._listoffsets import EarliestSpec, LatestSpec, MaxTimestampSpec, TimestampSpec

names = st.text(max_size=4)
SHA_256 = ScramMechanism.SCRAM_SHA_256


def acl(**changes: Any) -> AclBinding:
    return AclBinding(**{**ACL, **changes})


def acl_filter(**changes: Any) -> AclBindingFilter:
    return AclBindingFilter(**{**ACL, **changes})


ACL: dict[str, Any] = {
    "restype": ResourceType.TOPIC,
    "name": "t",
    "resource_pattern_type": ResourcePatternType.LITERAL,
    "principal": "User:u",
    "host": "*",
    "operation": AclOperation.READ,
    "permission_type": AclPermissionType.ALLOW,
}


@pytest.mark.parametrize(
    ("prefix", "kind"),
    [
        ("RESOURCE_", ResourceType),
        ("RESOURCE_PATTERN_", ResourcePatternType),
        ("ACL_OPERATION_", AclOperation),
        ("ACL_PERMISSION_TYPE_", AclPermissionType),
        ("ALTER_CONFIG_OP_TYPE_", AlterConfigOpType),
        ("CONFIG_SOURCE_", ConfigSource),
    ],
)
def test_members_have_the_numbers_of_the_constants(prefix: str, kind: type[Enum]) -> None:
    for name, member in kind.__members__.items():
        assert getattr(cimpl, prefix + name) == member.value
    assert sorted(kind, key=lambda member: member.value) == sorted(kind)  # type: ignore[type-var]


def test_scram_mechanisms_have_the_numbers_of_the_constants() -> None:
    assert ScramMechanism.SCRAM_SHA_256.value == cimpl.SCRAM_MECHANISM_SHA_256
    assert ScramMechanism.SCRAM_SHA_512.value == cimpl.SCRAM_MECHANISM_SHA_512
    assert ScramMechanism.UNKNOWN.value == cimpl.SCRAM_MECHANISM_UNKNOWN


def test_a_config_source_is_its_number() -> None:
    assert ConfigSource.DEFAULT_CONFIG == 5
    assert f"{ConfigSource.GROUP_CONFIG}" == str(ConfigSource.GROUP_CONFIG) == "8"
    assert repr(ConfigSource.GROUP_CONFIG) == "<ConfigSource.GROUP_CONFIG: 8>"


@given(value=st.one_of(st.sampled_from(AclOperation), st.integers(-3, 20), st.text(max_size=8), st.none()))
def test_members_are_taken_by_themselves_names_and_numbers(value: Any) -> None:
    if isinstance(value, AclOperation):
        assert to_member(AclOperation, value) is value
        assert to_member(AclOperation, value.value) is value
        assert to_member(AclOperation, value.name.swapcase()) is value
        assert member_or_unknown(AclOperation, value.value) is value
    elif isinstance(value, int) and 0 <= value <= 12:
        assert to_member(AclOperation, value).value == value
    elif not isinstance(value, str) or value.upper() not in AclOperation.__members__:
        with pytest.raises(TypeError if value is None else ValueError):
            to_member(AclOperation, value)


def test_a_number_newer_than_the_package_is_unknown() -> None:
    assert member_or_unknown(AclOperation, 99) is AclOperation.UNKNOWN
    assert member_or_unknown(ConsumerGroupState, -1) is ConsumerGroupState.UNKNOWN


def test_new_topic() -> None:
    topic = NewTopic("t")
    assert (topic.topic, topic.num_partitions, topic.replication_factor) == ("t", -1, -1)
    assert (topic.replica_assignment, topic.config) == (None, None)
    assert str(topic) == repr(topic) == "NewTopic(topic=t)"
    assert str(NewTopic("t", num_partitions=3, replication_factor=2)) == "NewTopic(topic=t,num_partitions=3)"
    full = NewTopic("t", 1, 2, [[1]], {"a": "b"})
    assert (full.num_partitions, full.replication_factor) == (1, 2)
    assert (full.replica_assignment, full.config) == ([[1]], {"a": "b"})
    full.num_partitions, full.replication_factor = 5, 6
    full.replica_assignment, full.config = None, None
    assert (full.num_partitions, full.replication_factor) == (5, 6)
    assert (full.replica_assignment, full.config) == (None, None)
    with pytest.raises(AttributeError):
        full.topic = "u"  # type: ignore[misc]


def test_new_partitions() -> None:
    planned = NewPartitions("t", 3, [[1]])
    assert (planned.topic, planned.new_total_count, planned.replica_assignment) == ("t", 3, [[1]])
    assert str(planned) == repr(planned) == "NewPartitions(topic=t,new_total_count=3)"
    planned.new_total_count = 4
    assert planned.new_total_count == 4
    assert NewPartitions("t", 3).replica_assignment is None
    with pytest.raises(AttributeError):
        planned.topic = "u"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: NewTopic(None), TypeError, "argument 1 must be str, not None"),
        (lambda: NewTopic(3), TypeError, "argument 1 must be str, not int"),
        (lambda: NewTopic("t", config=None), TypeError, "config must be a dict of strings"),
        (lambda: NewTopic("t", config=[("a", "b")]), TypeError, "config must be a dict of strings"),
        (lambda: NewTopic("t", "3"), TypeError, "'str' object cannot be interpreted as an integer"),
        (lambda: NewTopic("t", replication_factor=None), TypeError, "'NoneType' object cannot be interpreted as an in"),
        (lambda: NewTopic("t", 2**31), OverflowError, "signed integer is greater than maximum"),
        (lambda: NewTopic("t", -(2**31) - 1), OverflowError, "signed integer is less than minimum"),
        (lambda: NewTopic("t", bad=1), TypeError, "unexpected keyword argument 'bad'"),
        (lambda: setattr(NewTopic("t"), "num_partitions", None), TypeError, "'NoneType' object cannot be interpreted"),
        (lambda: NewPartitions(None, 1), TypeError, "argument 1 must be str, not None"),
        (lambda: NewPartitions("t"), TypeError, "missing 1 required positional argument: 'new_total_count'"),
        (lambda: NewPartitions("t", None), TypeError, "'NoneType' object cannot be interpreted as an integer"),
    ],
)
def test_topics_refuse(make: Callable[[], object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


@given(a=st.tuples(names, st.integers(-1, 3)), b=st.tuples(names, st.integers(-1, 3)))
def test_topics_compare_by_name_and_number(a: tuple[str, int], b: tuple[str, int]) -> None:
    for kind in (NewTopic, NewPartitions):
        first, second = kind(*a), kind(*b)
        assert (first == second, first != second) == (a == b, a != b)
        assert (first < second, first <= second, first > second, first >= second) == (a < b, a <= b, a > b, a >= b)
        if a == b:
            assert hash(first) == hash(second)
    # An object of another type is unequal, which confluent-kafka answers with an exception.
    assert NewTopic(*a) != NewPartitions(*a)
    assert NewTopic(*a) != a
    with pytest.raises(TypeError):
        assert NewTopic(*a) < NewPartitions(*a)


@pytest.mark.parametrize("restype", [ResourceType.TOPIC, "topic", "TOPIC", "ToPic", 2])
def test_a_config_resource_takes_its_type_in_many_ways(restype: Any) -> None:
    resource = ConfigResource(restype, "t")
    assert (resource.restype, resource.restype_int, resource.name) == (ResourceType.TOPIC, 2, "t")
    assert str(resource) == repr(resource) == "ConfigResource(ResourceType.TOPIC,t)"
    assert ConfigResource.Type is ResourceType


@pytest.mark.parametrize(
    ("args", "error", "text"),
    [
        (("zz", "t"), ValueError, 'Unknown resource type "zz": should be a ConfigResource.Type'),
        ((99, "t"), ValueError, "99 is not a valid ResourceType"),
        ((None, "t"), TypeError, "Expected restype as a ResourceType, its name or its number, not NoneType"),
        ((2, None), ValueError, "Expected resource name to be a string"),
    ],
)
def test_a_config_resource_refuses(args: tuple[Any, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        ConfigResource(*args)


def test_properties_of_a_config_resource() -> None:
    resource = ConfigResource("topic", "t")
    assert (resource.set_config_dict, resource.incremental_configs) == ({}, [])
    assert (resource.configs, resource.error) == (None, None)
    assert len(resource) == 0
    assert not resource
    resource.set_config("a", "1")
    resource.set_config("a", "2", overwrite=False)
    resource.set_config("b", "3")
    resource.set_config("b", "4")
    assert resource.set_config_dict == {"a": "1", "b": "4"}
    assert len(resource) == 2
    entry = ConfigEntry("a", "b", incremental_operation=AlterConfigOpType.SET)
    resource.add_incremental_config(entry)
    assert resource.incremental_configs == [entry]
    described = ConfigResource(2, "t", described_configs={"a": entry}, error=KafkaError(3))
    assert (described.configs, described.error) == ({"a": entry}, 3)


def test_a_config_resource_leaves_the_callers_dict_alone() -> None:
    given = {"a": "1"}
    ConfigResource(2, "t", given).set_config("a", "2")
    assert given == {"a": "1"}


@given(a=st.tuples(st.sampled_from(ResourceType), names), b=st.tuples(st.sampled_from(ResourceType), names))
def test_config_resources_have_a_strict_order(a: tuple[ResourceType, str], b: tuple[ResourceType, str]) -> None:
    first, second = ConfigResource(*a, {"x": "y"}), ConfigResource(*b)
    assert (first == second) == (a == b)
    assert (first < second) + (first > second) + (first == second) == 1
    if a[0] is not b[0]:
        assert (first < second) == (a[0].value < b[0].value)
    if a == b:
        assert hash(first) == hash(second)
    assert first != a


def test_config_entries() -> None:
    entry = ConfigEntry("k", "v")
    assert (str(entry), repr(entry)) == ('k="v"', 'ConfigEntry(k="v")')
    assert entry.source is ConfigSource.UNKNOWN_CONFIG
    flags = (entry.is_read_only, entry.is_default, entry.is_sensitive, entry.is_synonym)
    assert flags == (False, False, False, False)
    assert entry == ConfigEntry("k", "v")
    assert entry != ConfigEntry("k", "w")
    assert len({entry, ConfigEntry("k", "v")}) == 1
    # Each entry has a dict of its own.
    entry.synonyms["x"] = ConfigEntry("x", None)
    assert ConfigEntry("k", "v").synonyms == {}


def test_acls_convert_their_enumerations() -> None:
    by_name = acl(restype="topic", resource_pattern_type="Literal", operation="READ", permission_type="allow")
    by_number = acl(restype=2, resource_pattern_type=3, operation=3, permission_type=3)
    assert acl() == by_name == by_number
    assert hash(acl()) == hash(by_name) == hash(by_number)
    numbers = (acl().restype_int, acl().resource_pattern_type_int, acl().operation_int, acl().permission_type_int)
    assert numbers == (2, 3, 3, 3)
    assert (
        str(acl())
        == repr(acl())
        == (
            "AclBinding(ResourceType.TOPIC,t,ResourcePatternType.LITERAL,User:u,*,AclOperation.READ,AclPermissionType.ALLOW)"
        )
    )
    assert repr(acl_filter(name=None)).startswith("AclBindingFilter(ResourceType.TOPIC,None,")


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        *(({field: None}, ValueError, f"Expected {field} to be not None") for field in ACL),
        *(({field: 3}, TypeError, f"Expected {field} to be a string") for field in ("name", "principal", "host")),
        ({"operation": "zz"}, ValueError, 'Unknown value "zz": should be a AclOperation'),
        ({"operation": 99}, ValueError, "99 is not a valid AclOperation"),
        ({"operation": 3.5}, TypeError, 'Unknown value "3.5": should be a AclOperation'),
        ({"operation": ResourceType.TOPIC}, TypeError, 'Unknown value "ResourceType.TOPIC": should be a AclOperation'),
        ({"restype": "ANY"}, ValueError, "Cannot use enum restype, value ANY in this class"),
        (
            {"resource_pattern_type": "ANY"},
            ValueError,
            "Cannot use enum resource_pattern_type, value ANY in this class",
        ),
        ({"resource_pattern_type": "MATCH"}, ValueError, "Cannot use enum resource_pattern_type, value MATCH in this"),
        ({"operation": "ANY"}, ValueError, "Cannot use enum operation, value ANY in this class"),
        ({"permission_type": "ANY"}, ValueError, "Cannot use enum permission_type, value ANY in this class"),
    ],
)
def test_acls_refuse(changes: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        acl(**changes)


@pytest.mark.parametrize("field", ["restype", "resource_pattern_type", "operation", "permission_type"])
def test_acl_filters_refuse_unknown_and_take_any(field: str) -> None:
    assert getattr(acl_filter(**{field: "any"}), field).name == "ANY"
    assert getattr(acl(**{field: "unknown"}), field).name == "UNKNOWN"
    with pytest.raises(ValueError, match=f"Cannot use enum {field}, value UNKNOWN in this class"):
        acl_filter(**{field: "unknown"})
    with pytest.raises(ValueError, match=f"Expected {field} to be not None"):
        acl_filter(**{field: None})


def test_acl_filters_take_none_and_match() -> None:
    every = acl_filter(name=None, principal=None, host=None, resource_pattern_type="match")
    assert (every.name, every.principal, every.host) == (None, None, None)
    with pytest.raises(TypeError, match="Expected name to be a string"):
        acl_filter(name=3)


_filters = st.builds(
    acl_filter,
    restype=st.sampled_from(["any", "topic", "group"]),
    name=st.none() | names,
    principal=st.none() | names,
    operation=st.sampled_from(["any", "read"]),
)


@given(filters=st.lists(_filters, min_size=3, max_size=3))
def test_acl_filters_have_an_order(filters: list[AclBindingFilter]) -> None:
    a, b, c = sorted(filters)
    assert a <= b <= c
    assert (a < b) + (b < a) + (a == b) == 1
    assert a in {a}
    for one in filters:
        assert pickle.loads(pickle.dumps(one)) == one == copy.copy(one)


def test_acls_are_unequal_to_other_types() -> None:
    assert acl() != 3
    assert acl() == acl_filter()  # as in confluent-kafka: a filter is an AclBinding
    with pytest.raises(TypeError):
        assert acl() < 3  # type: ignore[operator]


def test_offset_specs() -> None:
    assert OffsetSpec.earliest() is OffsetSpec(-2) is EarliestSpec()
    assert OffsetSpec.latest() is OffsetSpec(-1) is LatestSpec()
    assert OffsetSpec.max_timestamp() is OffsetSpec(-3) is MaxTimestampSpec()
    at = OffsetSpec.for_timestamp(5)
    assert isinstance(at, TimestampSpec)
    assert at.timestamp == 5
    assert at == OffsetSpec(5) == TimestampSpec(5)
    assert at != OffsetSpec(6)
    assert OffsetSpec.for_timestamp(5.9) == at  # a time.time() * 1000
    assert at != 5
    assert hash(at) == hash(OffsetSpec(5))
    assert repr(at) == "TimestampSpec(5)"
    assert repr(OffsetSpec.latest()) == "LatestSpec()"
    for spec in (at, OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.max_timestamp()):
        assert isinstance(spec, OffsetSpec)
        assert pickle.loads(pickle.dumps(spec)) == spec == copy.deepcopy(spec)
    assert copy.deepcopy(OffsetSpec.latest()) is OffsetSpec.latest()
    with pytest.raises(KeyError, match="-4"):
        OffsetSpec(-4)
    with pytest.raises(TypeError):
        assert at < 6  # type: ignore[operator]


@given(a=st.integers(-3, 5), b=st.integers(-3, 5))
def test_offset_specs_order_by_their_numbers(a: int, b: int) -> None:
    first, second = OffsetSpec(a), OffsetSpec(b)
    assert (first < second, first <= second, first > second, first == second) == (a < b, a <= b, a > b, a == b)


@pytest.mark.parametrize(
    ("timestamp", "error"),
    [(-1, ValueError), (-1.5, ValueError), (float("nan"), ValueError), ("5", TypeError), (None, TypeError)],
)
def test_a_timestamp_that_is_none_is_refused(timestamp: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        OffsetSpec.for_timestamp(timestamp)


def test_group_types_convert_numbers() -> None:
    listing = ConsumerGroupListing("g", False)
    assert (listing.state, listing.type) == (None, None)
    listing = ConsumerGroupListing("g", False, 3, 2)  # type: ignore[arg-type]
    assert (listing.state, listing.type) == (ConsumerGroupState.STABLE, ConsumerGroupType.CLASSIC)
    group = ConsumerGroupDescription("g", False, [], "range", 3, None, [3, AclOperation.WRITE], 1)  # type: ignore[arg-type,list-item]
    assert (group.state, group.type) == (ConsumerGroupState.STABLE, ConsumerGroupType.CONSUMER)
    assert group.authorized_operations == [AclOperation.READ, AclOperation.WRITE]
    plain = ConsumerGroupDescription("g", False, [], "range", ConsumerGroupState.DEAD, None)
    assert (plain.type, plain.authorized_operations) == (ConsumerGroupType.UNKNOWN, None)
    with pytest.raises(ValueError, match="99 is not a valid ConsumerGroupState"):
        ConsumerGroupListing("g", False, 99)  # type: ignore[arg-type]
    assert MemberAssignment(None).topic_partitions == []  # type: ignore[arg-type]


def results() -> list[Any]:
    """One of each result type; equal ones with each call."""
    node, uuid, assigned = Node(1, "h", 9092), Uuid(1, 2), MemberAssignment([TopicPartition("t", 0)])
    member = MemberDescription("m", "c", "/h", assigned, "i", MemberAssignment([]))
    listing = ConsumerGroupListing("g", False, ConsumerGroupState.STABLE, ConsumerGroupType.CLASSIC)
    return [
        assigned,
        member,
        listing,
        ListConsumerGroupsResult([listing], []),
        ConsumerGroupDescription("g", False, [member], "range", ConsumerGroupState.STABLE, node, [AclOperation.READ]),
        TopicDescription("t", uuid, False, [], [AclOperation.READ]),
        DescribeClusterResult(node, [node], "c", [AclOperation.READ]),
        DeletedRecords(3),
        ListOffsetsResultInfo(1, 2, None),
        ScramCredentialInfo(SHA_256, 4096),
        UserScramCredentialsDescription("u", [ScramCredentialInfo(SHA_256, 4096)]),
        UserScramCredentialAlteration("u"),
        UserScramCredentialDeletion("u", SHA_256),
        UserScramCredentialUpsertion("u", ScramCredentialInfo(SHA_256, 4096), b"p", b"s"),
    ]


@pytest.mark.parametrize("place", range(len(results())))
def test_results_are_values(place: int) -> None:
    one, other = results()[place], results()[place]
    assert one == other
    assert hash(one) == hash(other)
    assert one != results()[place - 1]
    assert repr(one).startswith(f"{type(one).__name__}(")
    assert pickle.loads(pickle.dumps(one)) == one == copy.deepcopy(one)


def test_an_alteration_does_not_show_secrets() -> None:
    text = repr(UserScramCredentialUpsertion("u", ScramCredentialInfo(SHA_256, 4096), b"tomato", b"pepper"))
    assert "tomato" not in text
    assert "pepper" not in text
    assert "u" in text
