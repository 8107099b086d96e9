# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._native import TopicPartition


@dataclass
class ConsumerGroupTopicPartitions:
    """A consumer group and partitions with offsets; None for the partitions means all that the group has offsets of."""

    group_id: str
    topic_partitions: list[TopicPartition] | None = None

    def __hash__(self) -> int:
        return hash(self.group_id)
