# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ._ordered_enum import OrderedEnum


class IsolationLevel(OrderedEnum):
    """Whether records of transactions that are open or aborted count."""

    READ_UNCOMMITTED = 0
    READ_COMMITTED = 1
