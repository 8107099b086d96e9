# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass


@dataclass
class TopicCollection:
    """The topics a request is about: ``TopicCollection(topic_names)``, n names."""

    topic_names: list[str]

    def __hash__(self) -> int:
        return hash(tuple(self.topic_names))
