# SPDX-License-Identifier: Apache-2.0
"""Kafka for tests: an embedded cluster and an embedded Schema Registry with fault injection, and pytest fixtures."""

from confluent_kafka.testing._api import ApiKey, MockRequest
from confluent_kafka.testing.cluster import MockCluster
from confluent_kafka.testing.registry import RegistryFault, RegistryRequest, SchemaRegistryServer

__all__ = ["ApiKey", "MockCluster", "MockRequest", "RegistryFault", "RegistryRequest", "SchemaRegistryServer"]
