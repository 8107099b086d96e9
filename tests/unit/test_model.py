# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_kafka._model import (
    AcknowledgeType,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ConsumerGroupType,
    ElectionType,
    IsolationLevel,
    Messages,
    Node,
    ThrottleEvent,
    TopicCollection,
    TopicPartitionInfo,
    Uuid,
)
from confluent_kafka._share import ShareConsumer
from confluent_kafka.admin import (
    BrokerMetadata,
    ClusterMetadata,
    GroupMember,
    GroupMetadata,
    PartitionMetadata,
    TopicMetadata,
)
from confluent_kafka.deserializing_share_consumer import DeserializingShareConsumer
from confluent_kafka.error import Error, KafkaError, UnavailableError

int64 = st.integers(-(2**63), 2**63 - 1)


def test_uuid_is_shown_as_kafka_shows_it() -> None:
    assert str(Uuid(1, 2)) == repr(Uuid(1, 2)) == "AAAAAAAAAAEAAAAAAAAAAg"
    assert str(Uuid(-1, -1)) == "_____________________w"


@given(most=int64, least=int64)
def test_uuid_keeps_its_bits(most: int, least: int) -> None:
    uuid = Uuid(most, least)
    assert (uuid.get_most_significant_bits(), uuid.get_least_significant_bits()) == (most, least)
    raw = base64.urlsafe_b64decode(str(uuid) + "==")
    assert raw == most.to_bytes(8, "big", signed=True) + least.to_bytes(8, "big", signed=True)
    assert int(uuid) == int.from_bytes(raw, "big")
    assert hash(uuid) == hash(most ^ least)
    for other in (Uuid(most, least), pickle.loads(pickle.dumps(uuid)), copy.deepcopy(uuid)):
        assert other == uuid
        assert hash(other) == hash(uuid)
    assert uuid != Uuid(most, ~least)


def test_uuid_is_unequal_to_other_types_and_immutable() -> None:
    assert Uuid(0, 1) != 1
    assert Uuid(0, 1) != None  # noqa: E711
    with pytest.raises(AttributeError, match="immutable"):
        Uuid(0, 1)._least = 2
    assert Uuid(most_significant_bits=0, least_significant_bits=1) == Uuid(0, 1)


@pytest.mark.parametrize(
    ("args", "expected"),
    [(("1", 2), TypeError), ((1.0, 2), TypeError), ((2**63, 0), OverflowError), ((0, -(2**63) - 1), OverflowError)],
)
def test_uuid_refuses_what_is_no_64_bit_integer(args: tuple[Any, Any], expected: type[Exception]) -> None:
    with pytest.raises(expected):
        Uuid(*args)


def test_node_text() -> None:
    assert str(Node(1, "h", 9092)) == "(1) h:9092 "
    assert str(Node(1, "h", 9092, "r")) == "(1) h:9092 (Rack - r)"
    assert Node(1, "h", 9092).id_string == "1"


def test_throttle_event_text_is_in_milliseconds() -> None:
    event = ThrottleEvent("b", 1, 0.5)
    assert str(event) == "b/1 throttled for 500 ms"
    assert (event.broker_name, event.broker_id, event.throttle_time) == ("b", 1, 0.5)


@pytest.mark.parametrize(
    ("cls", "members"),
    [
        (AcknowledgeType, {"ACCEPT": 1, "RELEASE": 2, "REJECT": 3}),
        (
            ConsumerGroupState,
            {
                "UNKNOWN": 0,
                "UNKOWN": 0,
                "PREPARING_REBALANCING": 1,
                "COMPLETING_REBALANCING": 2,
                "STABLE": 3,
                "DEAD": 4,
                "EMPTY": 5,
            },
        ),
        (ConsumerGroupType, {"UNKNOWN": 0, "CONSUMER": 1, "CLASSIC": 2}),
        (ElectionType, {"PREFERRED": 0, "UNCLEAN": 1}),
        (IsolationLevel, {"READ_UNCOMMITTED": 0, "READ_COMMITTED": 1}),
    ],
)
def test_enumerations(cls: Any, members: dict[str, int]) -> None:
    assert {name: member.value for name, member in cls.__members__.items()} == members
    ordered = sorted(cls)
    assert [member.value for member in ordered] == sorted(set(members.values()))
    assert pickle.loads(pickle.dumps(ordered[0])) is ordered[0]


def test_members_of_different_enumerations_have_no_order() -> None:
    with pytest.raises(TypeError):
        sorted([ElectionType.UNCLEAN, IsolationLevel.READ_COMMITTED])


def test_messages_is_a_read_only_sequence() -> None:
    a, b, c = (TopicCollection([name]) for name in "abc")  # anything will do
    records: Any = [a, b, c]
    messages: Any = Messages(iter(records))
    assert (len(messages), messages.count(), messages.is_empty()) == (3, 3, False)
    assert (list(messages), messages[1], messages[-1]) == ([a, b, c], b, c)
    assert isinstance(messages[:2], Messages)
    assert messages[:2].records() == [a, b]
    messages.records().clear()
    assert repr(messages) == f"Messages([{a!r}, {b!r}, {c!r}])"
    assert Messages().is_empty()
    assert not Messages()
    with pytest.raises(IndexError):
        messages[3]


def two_alike(kind: str) -> tuple[Any, Any, Any]:
    """Return two equal objects and a different one."""

    def make(n: int) -> Any:
        node = Node(n, "h", 9092, "r")
        partition = PartitionMetadata(n, 1, [1, 2], [1], KafkaError(3))
        member = GroupMember(f"m{n}", "c", "h", b"x", b"y")
        broker = BrokerMetadata(n, "h", 9092)
        makers: dict[str, Callable[[], object]] = {
            "Node": lambda: node,
            "ThrottleEvent": lambda: ThrottleEvent("b", n, 0.1),
            "TopicCollection": lambda: TopicCollection([f"t{n}"]),
            "TopicPartitionInfo": lambda: TopicPartitionInfo(n, node, [node], [node]),
            "ConsumerGroupTopicPartitions": lambda: ConsumerGroupTopicPartitions(f"g{n}"),
            "BrokerMetadata": lambda: broker,
            "PartitionMetadata": lambda: partition,
            "TopicMetadata": lambda: TopicMetadata(f"t{n}", {0: partition}, KafkaError(3)),
            "ClusterMetadata": lambda: ClusterMetadata(f"c{n}", 1, {1: broker}, {"t": TopicMetadata("t")}, 1, "b"),
            "GroupMember": lambda: member,
            "GroupMetadata": lambda: GroupMetadata(broker, f"g{n}", None, "Stable", "consumer", "range", [member]),
        }
        return makers[kind]()

    return make(1), make(1), make(2)


@pytest.mark.parametrize(
    "kind",
    [
        "Node",
        "ThrottleEvent",
        "TopicCollection",
        "TopicPartitionInfo",
        "ConsumerGroupTopicPartitions",
        "BrokerMetadata",
        "PartitionMetadata",
        "TopicMetadata",
        "ClusterMetadata",
        "GroupMember",
        "GroupMetadata",
    ],
)
def test_value_classes_compare_hash_pickle_and_show_themselves(kind: str) -> None:
    one, same, different = two_alike(kind)
    assert one == same
    assert hash(one) == hash(same)
    assert one != different
    assert one != 1
    for other in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):
        assert other == one
        assert vars(other) == vars(one)
    assert repr(one).startswith(f"{kind}(")
    one.extra = 5  # existing code sets attributes of its own


def test_metadata_texts() -> None:
    assert str(ClusterMetadata(cluster_id="c")) == "c"
    assert repr(ClusterMetadata(cluster_id="c")) == "ClusterMetadata(c)"
    assert (str(BrokerMetadata(1, "h", 9)), repr(BrokerMetadata(1, "h", 9))) == ("h:9/1", "BrokerMetadata(1, h:9)")
    assert (str(TopicMetadata("t")), repr(TopicMetadata("t"))) == ("t", "TopicMetadata(t, 0 partitions)")
    err = KafkaError(3)
    assert repr(TopicMetadata("t", error=err)) == f"TopicMetadata(t, 0 partitions, {err})"
    assert repr(PartitionMetadata(1, error=err)) == f"PartitionMetadata(1, {err})"
    assert (str(PartitionMetadata(1)), repr(PartitionMetadata(1))) == ("1", "PartitionMetadata(1)")
    assert (str(GroupMetadata(id="g")), repr(GroupMetadata(id="g", error=err))) == ("g", f"GroupMetadata(g, {err})")


def test_metadata_starts_empty_and_is_not_shared() -> None:
    cluster = ClusterMetadata()
    assert (cluster.cluster_id, cluster.controller_id, cluster.orig_broker_id) == (None, -1, -1)
    cluster.topics["t"] = TopicMetadata()
    assert ClusterMetadata().topics == {}
    assert vars(PartitionMetadata()) == {"id": -1, "leader": -1, "replicas": [], "isrs": [], "error": None}


@pytest.mark.parametrize("cls", [ShareConsumer, DeserializingShareConsumer])
def test_a_share_consumer_says_why_it_cannot_be_made(cls: type[ShareConsumer]) -> None:
    with pytest.raises(UnavailableError, match=r"librdkafka [\d.]+.*KIP-932") as caught:
        cls({"group.id": "g"})
    assert isinstance(caught.value, NotImplementedError)
    assert isinstance(caught.value, Error)
