# SPDX-License-Identifier: Apache-2.0
"""What ``list_topics()`` and ``list_groups()`` return.

All arguments are optional, positional or by keyword, in the order of the attributes shown; attributes may be set later.
Source: rd_kafka_metadata, rd_kafka_list_groups.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..error import KafkaError


def _with_error(text: str, error: KafkaError | None) -> str:
    return text if error is None else f"{text}, {error}"


@dataclass(repr=False)
class BrokerMetadata:
    """``BrokerMetadata(id, host, port)``; ``str()`` is ``host:port/id``."""

    id: int = -1
    host: str | None = None
    port: int = -1

    def __repr__(self) -> str:
        return f"BrokerMetadata({self.id}, {self.host}:{self.port})"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.id}"

    def __hash__(self) -> int:
        return hash(self.id)


@dataclass(repr=False)
class PartitionMetadata:
    """``PartitionMetadata(id, leader, replicas, isrs, error)``.

    ``leader`` (-1: none), ``replicas`` and ``isrs`` (replicas in sync) are broker ids, which need not be among
    ``ClusterMetadata.brokers``; ``error`` is None or what is wrong with the partition.
    """

    id: int = -1
    leader: int = -1
    replicas: list[int] = field(default_factory=list)
    isrs: list[int] = field(default_factory=list)
    error: KafkaError | None = None

    def __repr__(self) -> str:
        return f"PartitionMetadata({_with_error(str(self.id), self.error)})"

    def __str__(self) -> str:
        return str(self.id)

    def __hash__(self) -> int:
        return hash(self.id)


@dataclass(repr=False)
class TopicMetadata:
    """``TopicMetadata(topic, partitions, error)``: ``partitions`` by number; ``str()`` is the name."""

    topic: str | None = None
    partitions: dict[int, PartitionMetadata] = field(default_factory=dict)
    error: KafkaError | None = None

    def __repr__(self) -> str:
        return f"TopicMetadata({_with_error(f'{self.topic}, {len(self.partitions)} partitions', self.error)})"

    def __str__(self) -> str:
        return str(self.topic)

    def __hash__(self) -> int:
        return hash(self.topic)


@dataclass(repr=False)
class ClusterMetadata:
    """``ClusterMetadata(cluster_id, controller_id, brokers, topics, orig_broker_id, orig_broker_name)``.

    ``brokers`` by id, ``topics`` by name; the last two name the broker that answered; ``str()`` is the cluster id.
    """

    cluster_id: str | None = None
    controller_id: int = -1
    brokers: dict[int, BrokerMetadata] = field(default_factory=dict)
    topics: dict[str, TopicMetadata] = field(default_factory=dict)
    orig_broker_id: int = -1
    orig_broker_name: str | None = None

    def __repr__(self) -> str:
        return f"ClusterMetadata({self.cluster_id})"

    def __str__(self) -> str:
        return str(self.cluster_id)

    def __hash__(self) -> int:
        return hash(self.cluster_id)


@dataclass
class GroupMember:
    """``GroupMember(id, client_id, client_host, metadata, assignment)``.

    ``metadata`` and ``assignment`` are bytes in the format of the group's protocol type.
    """

    id: str | None = None
    client_id: str | None = None
    client_host: str | None = None
    metadata: bytes | None = field(default=None, repr=False)
    assignment: bytes | None = field(default=None, repr=False)

    def __hash__(self) -> int:
        return hash(self.id)


@dataclass(repr=False)
class GroupMetadata:
    """``GroupMetadata(broker, id, error, state, protocol_type, protocol, members)``; ``str()`` is the group id."""

    broker: BrokerMetadata | None = None
    id: str | None = None
    error: KafkaError | None = None
    state: str | None = None
    protocol_type: str | None = None
    protocol: str | None = None
    members: list[GroupMember] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"GroupMetadata({_with_error(str(self.id), self.error)})"

    def __str__(self) -> str:
        return str(self.id)

    def __hash__(self) -> int:
        return hash(self.id)
