# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(unsafe_hash=True)
class Node:
    """A broker: ``Node(id, host, port, rack=None)``; ``id_string`` is the id as text."""

    id: int
    id_string: str = field(init=False, repr=False, compare=False)
    host: str
    port: int
    rack: str | None = None

    def __post_init__(self) -> None:
        self.id_string = str(self.id)

    def __str__(self) -> str:
        return f"({self.id}) {self.host}:{self.port} {f'(Rack - {self.rack})' if self.rack else ''}"
