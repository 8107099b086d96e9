# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from enum import IntEnum


class AcknowledgeType(IntEnum):
    """What a share consumer says about a record. Source: KIP-932."""

    ACCEPT = 1
    RELEASE = 2
    REJECT = 3
