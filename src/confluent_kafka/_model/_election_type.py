# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ._ordered_enum import OrderedEnum


class ElectionType(OrderedEnum):
    """Which replica may become leader: the preferred one, or one that is not in sync (records can be lost)."""

    PREFERRED = 0
    UNCLEAN = 1
