# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ._ordered_enum import OrderedEnum


class ConsumerGroupState(OrderedEnum):
    """State of a consumer group at its coordinator."""

    UNKNOWN = 0
    PREPARING_REBALANCING = 1
    COMPLETING_REBALANCING = 2
    STABLE = 3
    DEAD = 4
    EMPTY = 5

    # existing code has this spelling
    UNKOWN = UNKNOWN
