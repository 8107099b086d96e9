# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass


@dataclass(unsafe_hash=True)
class ThrottleEvent:
    """A broker delayed a reply because of a quota; ``throttle_time`` is in seconds. Given to ``throttle_cb``."""

    broker_name: str
    broker_id: int
    throttle_time: float

    def __str__(self) -> str:
        return f"{self.broker_name}/{self.broker_id} throttled for {int(self.throttle_time * 1000)} ms"
