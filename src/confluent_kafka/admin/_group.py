# SPDX-License-Identifier: Apache-2.0
"""What consumer groups and their members look like."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._model import ConsumerGroupState, ConsumerGroupType
from ._acl import AclOperation
from ._convert import to_member, to_members

if TYPE_CHECKING:
    from .._model import Node
    from .._native import TopicPartition
    from ..error import KafkaException


@dataclass
class ConsumerGroupListing:
    """``ConsumerGroupListing(group_id, is_simple_consumer_group, state, type)``.

    A simple group has no protocol: its consumers only commit offsets. ``state`` and ``type`` are None where the broker
    does not tell them (before 2.6 and 3.8; KIP-518, KIP-848); numbers are taken as members.
    """

    group_id: str
    is_simple_consumer_group: bool
    state: ConsumerGroupState | None = None
    type: ConsumerGroupType | None = None

    def __post_init__(self) -> None:
        if self.state is not None:
            self.state = to_member(ConsumerGroupState, self.state)
        if self.type is not None:
            self.type = to_member(ConsumerGroupType, self.type)

    def __hash__(self) -> int:
        return hash(self.group_id)


@dataclass
class ListConsumerGroupsResult:
    """``ListConsumerGroupsResult(valid, errors)``: the groups, and the failures of brokers whose groups are missing."""

    valid: list[ConsumerGroupListing] = field(default_factory=list)
    errors: list[KafkaException] = field(default_factory=list)

    def __hash__(self) -> int:
        return hash(tuple(self.valid))


@dataclass
class MemberAssignment:
    """``MemberAssignment(topic_partitions)``: the partitions of a member; None stands for none."""

    topic_partitions: list[TopicPartition]

    def __post_init__(self) -> None:
        self.topic_partitions = self.topic_partitions or []

    def __hash__(self) -> int:
        return hash(tuple(self.topic_partitions))


@dataclass
class MemberDescription:
    """A consumer in a group.

    ``MemberDescription(member_id, client_id, host, assignment, group_instance_id, target_assignment)``.
    ``group_instance_id`` is None for a dynamic member; ``target_assignment`` is what a member of a group of type
    ``CONSUMER`` shall come to (KIP-848), None otherwise.
    """

    member_id: str
    client_id: str
    host: str
    assignment: MemberAssignment
    group_instance_id: str | None = None
    target_assignment: MemberAssignment | None = None

    def __hash__(self) -> int:
        return hash(self.member_id)


@dataclass
class ConsumerGroupDescription:
    """A consumer group.

    ``ConsumerGroupDescription(group_id, is_simple_consumer_group, members, partition_assignor, state, coordinator,
    authorized_operations, type)``. A group that does not exist has the state ``DEAD`` and no members. ``coordinator``
    is the broker that leads it; ``authorized_operations`` is None unless asked for; numbers are taken as members.
    """

    group_id: str
    is_simple_consumer_group: bool
    members: list[MemberDescription]
    partition_assignor: str
    state: ConsumerGroupState
    coordinator: Node | None
    authorized_operations: list[AclOperation] | None = None
    type: ConsumerGroupType = ConsumerGroupType.UNKNOWN

    def __post_init__(self) -> None:
        self.state = to_member(ConsumerGroupState, self.state)
        self.type = to_member(ConsumerGroupType, self.type)
        self.authorized_operations = to_members(AclOperation, self.authorized_operations)

    def __hash__(self) -> int:
        return hash(self.group_id)
