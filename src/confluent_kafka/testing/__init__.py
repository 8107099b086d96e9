# SPDX-License-Identifier: Apache-2.0
"""Kafka for tests: an embedded cluster with fault injection, and pytest fixtures."""

from confluent_kafka.testing._api import ApiKey, MockRequest
from confluent_kafka.testing.cluster import MockCluster

__all__ = ["ApiKey", "MockCluster", "MockRequest"]
