# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from . import _native
from .error import UnavailableError


class ShareConsumer:
    """Consumer of a share group (KIP-932): cannot be made with the linked librdkafka, which has no calls for it.

    Raises: UnavailableError: always.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise UnavailableError(
            f"{type(self).__name__} is not available: librdkafka {_native.librdkafka_version()[0]}, which this package "
            "is built with, has no share groups (KIP-932). Use Consumer, which shares partitions instead of records"
        )
