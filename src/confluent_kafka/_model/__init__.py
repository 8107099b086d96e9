# SPDX-License-Identifier: Apache-2.0
"""Small value classes shared by all clients."""

from ._acknowledge_type import AcknowledgeType
from ._consumer_group_state import ConsumerGroupState
from ._consumer_group_topic_partitions import ConsumerGroupTopicPartitions
from ._consumer_group_type import ConsumerGroupType
from ._election_type import ElectionType
from ._isolation_level import IsolationLevel
from ._messages import Messages
from ._node import Node
from ._throttle_event import ThrottleEvent
from ._topic_collection import TopicCollection
from ._topic_partition_info import TopicPartitionInfo
from ._uuid import Uuid

__all__ = [
    "AcknowledgeType",
    "ConsumerGroupState",
    "ConsumerGroupTopicPartitions",
    "ConsumerGroupType",
    "ElectionType",
    "IsolationLevel",
    "Messages",
    "Node",
    "ThrottleEvent",
    "TopicCollection",
    "TopicPartitionInfo",
    "Uuid",
]
