# SPDX-License-Identifier: Apache-2.0
"""Topics to be made, partitions to be added, and what a topic looks like."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsIndex

from ._acl import AclOperation
from ._convert import to_members
from ._ordered import Ordered

if TYPE_CHECKING:
    from .._model import TopicPartitionInfo, Uuid

# A default that None is not: an explicit config=None is an error.
_NO_CONFIG: Any = object()


class NewTopic(Ordered):
    """A topic for ``create_topics``. Compares, orders and hashes by topic and number of partitions.

    Args:
        topic: its name.
        num_partitions: -1 takes the broker's default.
        replication_factor: -1 takes the broker's default.
        replica_assignment: per partition the broker ids, the first of them the preferred leader; then
            ``num_partitions`` must be given and ``replication_factor`` must not.
        config: the topic's properties; values become text.

    Raises:
        TypeError: an argument of the wrong type; None for the config.
        OverflowError: a number does not fit into 32 bits.
    """

    def __init__(
        self,
        topic: str,
        num_partitions: SupportsIndex = -1,
        replication_factor: SupportsIndex = -1,
        replica_assignment: list[list[int]] | None = None,
        config: dict[str, Any] = _NO_CONFIG,
    ) -> None:
        if config is not _NO_CONFIG and not isinstance(config, dict):
            raise TypeError("config must be a dict of strings")
        self._topic = _name(topic)
        self.num_partitions = num_partitions
        self.replication_factor = replication_factor
        self.replica_assignment = replica_assignment
        self.config: dict[str, Any] | None = None if config is _NO_CONFIG else config

    @property
    def topic(self) -> str:
        """The topic's name."""
        return self._topic

    @property
    def num_partitions(self) -> int:
        """The number of partitions, or -1."""
        return self._num_partitions

    @num_partitions.setter
    def num_partitions(self, value: SupportsIndex) -> None:
        self._num_partitions = _int32(value)

    @property
    def replication_factor(self) -> int:
        """The number of replicas of each partition, or -1."""
        return self._replication_factor

    @replication_factor.setter
    def replication_factor(self, value: SupportsIndex) -> None:
        self._replication_factor = _int32(value)

    def _order(self) -> tuple[str, int]:
        return self._topic, self._num_partitions

    def __repr__(self) -> str:
        count = "" if self._num_partitions == -1 else f",num_partitions={self._num_partitions}"
        return f"NewTopic(topic={self._topic}{count})"


class NewPartitions(Ordered):
    """Partitions to be added by ``create_partitions``. Compares, orders and hashes by topic and count.

    Args:
        topic: name of an existing topic.
        new_total_count: how many partitions it shall have; more than it has.
        replica_assignment: per new partition the broker ids, the first of them the preferred leader.

    Raises:
        TypeError: an argument of the wrong type. OverflowError: the count does not fit into 32 bits.
    """

    def __init__(
        self, topic: str, new_total_count: SupportsIndex, replica_assignment: list[list[int]] | None = None
    ) -> None:
        self._topic = _name(topic)
        self.new_total_count = new_total_count
        self.replica_assignment = replica_assignment

    @property
    def topic(self) -> str:
        """The topic's name."""
        return self._topic

    @property
    def new_total_count(self) -> int:
        """The number of partitions the topic shall have."""
        return self._new_total_count

    @new_total_count.setter
    def new_total_count(self, value: SupportsIndex) -> None:
        self._new_total_count = _int32(value)

    def _order(self) -> tuple[str, int]:
        return self._topic, self._new_total_count

    def __repr__(self) -> str:
        return f"NewPartitions(topic={self._topic},new_total_count={self._new_total_count})"


@dataclass
class TopicDescription:
    """``TopicDescription(name, topic_id, is_internal, partitions, authorized_operations)``.

    ``topic_id`` is None with brokers older than 3.1 (KIP-516); ``partitions`` are in the order of their numbers;
    ``authorized_operations`` is None unless asked for.
    """

    name: str
    topic_id: Uuid | None
    is_internal: bool
    partitions: list[TopicPartitionInfo]
    authorized_operations: list[AclOperation] | None = None

    def __post_init__(self) -> None:
        self.authorized_operations = to_members(AclOperation, self.authorized_operations)

    def __hash__(self) -> int:
        return hash(self.name)


def _name(topic: Any) -> str:
    if not isinstance(topic, str):
        raise TypeError(f"argument 1 must be str, not {'None' if topic is None else type(topic).__name__}")
    return topic


def _int32(value: SupportsIndex) -> int:
    number = operator.index(value)
    if number > 0x7FFFFFFF:
        raise OverflowError("signed integer is greater than maximum")
    if number < -0x80000000:
        raise OverflowError("signed integer is less than minimum")
    return number
