# SPDX-License-Identifier: Apache-2.0
"""An asyncio registry client without a registry."""

from __future__ import annotations

from confluent_kafka.schema_registry._async.schema_registry_client import AsyncSchemaRegistryClient


class AsyncMockSchemaRegistryClient(AsyncSchemaRegistryClient):
    """A client whose registry is in memory, and its own: ``AsyncSchemaRegistryClient.new_client({"url": "mock://"})``.

    Ids count from 1 through all subjects; GUIDs are random. What is not found raises SchemaRegistryError with HTTP
    status 404 and code 40400.
    """
