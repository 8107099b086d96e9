# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass


@dataclass(unsafe_hash=True)
class DeletedRecords:
    """``DeletedRecords(low_watermark)``: the partition's first offset after records before it were deleted."""

    low_watermark: int
