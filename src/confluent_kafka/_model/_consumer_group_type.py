# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ._ordered_enum import OrderedEnum


class ConsumerGroupType(OrderedEnum):
    """Protocol a consumer group speaks: CONSUMER is that of KIP-848, CLASSIC the older one."""

    UNKNOWN = 0
    CONSUMER = 1
    CLASSIC = 2
