# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._node import Node


@dataclass
class TopicPartitionInfo:
    """Where a partition lives: ``TopicPartitionInfo(id, leader, replicas, isr)``.

    ``leader`` is None while there is none; ``isr`` are the replicas that are in sync.
    """

    id: int
    leader: Node | None
    replicas: list[Node]
    isr: list[Node]

    def __hash__(self) -> int:
        return hash((self.id, self.leader))
