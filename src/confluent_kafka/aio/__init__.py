# SPDX-License-Identifier: Apache-2.0
"""Clients for asyncio, served by the event loop itself."""

from __future__ import annotations

from ._admin_client import AIOAdminClient
from ._consumer import AIOConsumer
from ._deserializing_consumer import AsyncDeserializingConsumer
from ._producer import AIOProducer
from ._serializing_producer import AsyncSerializingProducer

__all__ = [
    "AIOAdminClient",
    "AIOConsumer",
    "AIOProducer",
    "AsyncDeserializingConsumer",
    "AsyncSerializingProducer",
]
