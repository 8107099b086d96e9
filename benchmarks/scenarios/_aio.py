# SPDX-License-Identifier: Apache-2.0
"""What the asyncio scenarios share, each of them with more than one package: rows of latencies, and their quantiles."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Sequence


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not below ``share`` of all values."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


async def latencies(deliver: Callable[[int], Awaitable[object]], warm_up: int, count: int) -> dict[str, float]:
    """Await ``deliver(position)`` one after the other: milliseconds of the median and of the 99th in a hundred.

    The first ``warm_up`` are not counted: they connect, learn the topic, and warm broker and client.
    """
    taken: list[float] = []
    for position in range(warm_up + count):
        start = time.perf_counter()
        await deliver(position)
        taken.append((time.perf_counter() - start) * 1e3)
    counted = taken[warm_up:]
    return {"p50_ms": quantile(counted, 0.50), "p99_ms": quantile(counted, 0.99)}
