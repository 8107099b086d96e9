# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._acl import AclOperation
from ._convert import to_members

if TYPE_CHECKING:
    from .._model import Node


@dataclass
class DescribeClusterResult:
    """``DescribeClusterResult(controller, nodes, cluster_id, authorized_operations)``.

    ``controller`` is None while there is none; ``nodes`` are the brokers that are up; ``authorized_operations`` is None
    unless asked for.
    """

    controller: Node | None
    nodes: list[Node]
    cluster_id: str | None = None
    authorized_operations: list[AclOperation] | None = None

    def __post_init__(self) -> None:
        self.authorized_operations = to_members(AclOperation, self.authorized_operations)

    def __hash__(self) -> int:
        return hash(self.cluster_id)
