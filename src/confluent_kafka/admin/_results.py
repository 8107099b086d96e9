# SPDX-License-Identifier: Apache-2.0
"""From the native core's raw results to the objects that callers get: one line in a table per kind of request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from .._constants import OFFSET_INVALID
from .._model import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ConsumerGroupType,
    Node,
    TopicPartitionInfo,
)
from .._native import TopicPartition
from ..error import KafkaError, exception_for
from ._acl import AclBinding, AclOperation, AclPermissionType
from ._cluster import DescribeClusterResult
from ._config import ConfigEntry, ConfigSource
from ._convert import member_or_unknown
from ._group import (
    ConsumerGroupDescription,
    ConsumerGroupListing,
    ListConsumerGroupsResult,
    MemberAssignment,
    MemberDescription,
)
from ._listoffsets import ListOffsetsResultInfo
from ._records import DeletedRecords
from ._resource import ResourcePatternType, ResourceType
from ._scram import ScramCredentialInfo, ScramMechanism, UserScramCredentialsDescription
from ._topic import TopicDescription

if TYPE_CHECKING:
    from collections.abc import Hashable

Outcome = tuple["Hashable", Any]


class _Rows(NamedTuple):
    """A raw result that is a list of tuples, one per item.

    ``identity`` is the number of leading fields that name the item (0: the row's place does), after which its error
    stands; ``value`` makes the result of a row without error.
    """

    identity: int
    value: Callable[[Any], Any] = lambda row: None

    def read(self, raw: Iterable[Any]) -> Iterable[Outcome]:
        width = self.identity
        for place, row in enumerate(raw):
            error = row[width]
            identity: Hashable = row[0] if width == 1 else tuple(row[:width]) if width else place
            yield identity, self.value(row) if error is None else error


def _whole(value: Callable[[Any], Any]) -> Callable[[Any], Iterable[Outcome]]:
    """A raw result that becomes one object, with no identity."""

    def read(raw: Any) -> Iterable[Outcome]:
        yield None, value(raw)

    return read


def _node(raw: tuple[int, str, int, str | None] | None) -> Any:
    return None if raw is None else Node(*raw)


def _nodes(raw: Iterable[Any]) -> list[Node]:
    return [Node(*node) for node in raw]


def _operations(raw: Iterable[int] | None) -> list[AclOperation] | None:
    return None if raw is None else [member_or_unknown(AclOperation, number) for number in raw]


def _topic(row: Any) -> TopicDescription:
    name, _, topic_id, internal, partitions, operations = row
    infos = [
        TopicPartitionInfo(number, _node(leader), _nodes(replicas), _nodes(isr))
        for number, leader, replicas, isr in partitions
    ]
    return TopicDescription(name, topic_id, internal, infos, _operations(operations))


def _cluster(raw: Any) -> DescribeClusterResult:
    cluster_id, controller, nodes, operations = raw
    return DescribeClusterResult(_node(controller), _nodes(nodes), cluster_id, _operations(operations))


def _entries(raw: Iterable[Any]) -> dict[str, ConfigEntry]:
    return {row[0]: _entry(*row) for row in raw}


def _entry(
    name: str,
    value: str | None,
    source: int,
    read_only: bool,
    default: bool,
    sensitive: bool,
    synonym: bool,
    synonyms: Iterable[Any] = (),
) -> ConfigEntry:
    origin: ConfigSource | int = source
    try:
        origin = ConfigSource(source)
    except ValueError:
        pass  # newer than this package
    return ConfigEntry(name, value, origin, read_only, default, sensitive, synonym, _entries(synonyms))


def _acls(raw: Iterable[Any]) -> list[AclBinding]:
    return [
        AclBinding(
            member_or_unknown(ResourceType, restype),
            name,
            member_or_unknown(ResourcePatternType, pattern),
            principal,
            host,
            member_or_unknown(AclOperation, operation),
            member_or_unknown(AclPermissionType, permission),
        )
        for restype, name, pattern, principal, host, operation, permission in raw
    ]


def _group_list(raw: Any) -> ListConsumerGroupsResult:
    groups, errors = raw
    listings = [
        ConsumerGroupListing(
            group, simple, member_or_unknown(ConsumerGroupState, state), member_or_unknown(ConsumerGroupType, kind)
        )
        for group, simple, state, kind in groups
    ]
    return ListConsumerGroupsResult(listings, [exception_for(error) for error in errors])


def _group(row: Any) -> ConsumerGroupDescription:
    group, _, simple, assignor, state, kind, coordinator, members, operations = row
    return ConsumerGroupDescription(
        group,
        simple,
        [_member(*member) for member in members],
        assignor,
        member_or_unknown(ConsumerGroupState, state),
        _node(coordinator),
        _operations(operations),
        member_or_unknown(ConsumerGroupType, kind),
    )


def _member(
    member_id: str,
    client_id: str,
    host: str,
    instance_id: str | None,
    assigned: list[TopicPartition],
    target: list[TopicPartition] | None,
) -> MemberDescription:
    return MemberDescription(
        member_id,
        client_id,
        host,
        MemberAssignment(assigned),
        instance_id,
        None if target is None else MemberAssignment(target),
    )


def _group_offsets(row: Any) -> ConsumerGroupTopicPartitions:
    group, _, partitions = row
    return ConsumerGroupTopicPartitions(group, partitions)


def _offset(row: Any) -> ListOffsetsResultInfo:
    *_, offset, timestamp, epoch = row
    return ListOffsetsResultInfo(offset, timestamp, None if epoch is None or epoch < 0 else epoch)


def _elections(raw: Iterable[Any]) -> dict[TopicPartition, KafkaError | None]:
    # The keys have the errors as well, as those of existing code.
    return {
        TopicPartition._restore(topic, partition, OFFSET_INVALID, None, -1, error): error
        for topic, partition, error in raw
    }


def _credentials(row: Any) -> UserScramCredentialsDescription:
    user, _, credentials = row
    infos = [
        ScramCredentialInfo(member_or_unknown(ScramMechanism, mechanism), iterations)
        for mechanism, iterations in credentials
    ]
    return UserScramCredentialsDescription(user, infos)


def _everyone(raw: Iterable[Any]) -> dict[str, UserScramCredentialsDescription]:
    described = {}
    for row in raw:
        if row[1] is not None:
            raise exception_for(row[1])
        described[row[0]] = _credentials(row)
    return described


_CHANGED = _Rows(1)
READERS: dict[str, Callable[[Any], Iterable[Outcome]]] = {
    "create_topics": _CHANGED.read,
    "delete_topics": _CHANGED.read,
    "create_partitions": _CHANGED.read,
    "describe_topics": _Rows(1, _topic).read,
    "describe_cluster": _whole(_cluster),
    "describe_configs": _Rows(2, lambda row: _entries(row[3])).read,
    "alter_configs": _Rows(2).read,
    "incremental_alter_configs": _Rows(2).read,
    "create_acls": lambda raw: _Rows(0).read((error,) for error in raw),
    "describe_acls": _whole(_acls),
    "delete_acls": _Rows(0, lambda row: _acls(row[1])).read,
    "list_consumer_groups": _whole(_group_list),
    "describe_consumer_groups": _Rows(1, _group).read,
    "delete_consumer_groups": _CHANGED.read,
    "list_consumer_group_offsets": _Rows(1, _group_offsets).read,
    "alter_consumer_group_offsets": _Rows(1, _group_offsets).read,
    "delete_consumer_group_offsets": _Rows(1, _group_offsets).read,
    "list_offsets": _Rows(2, _offset).read,
    "delete_records": _Rows(2, lambda row: DeletedRecords(row[3])).read,
    "elect_leaders": _whole(_elections),
    "describe_user_scram_credentials": _Rows(1, _credentials).read,
    "alter_user_scram_credentials": _CHANGED.read,
}
"""How to read the raw result of each kind of request."""

read_everyone = _whole(_everyone)
"""How to read that of ``describe_user_scram_credentials`` for all users."""
