# SPDX-License-Identifier: Apache-2.0
"""An embedded cluster and a topic of it; and the fixtures that users get too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from confluent_kafka.testing import MockCluster
from confluent_kafka.testing.pytest_plugin import schema_registry, schema_registry_factory
from tests.mock.async_serde_kit import fill_topic
from tests.mock.kit import unique_name

__all__ = ["schema_registry", "schema_registry_factory"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[MockCluster]:
    with MockCluster(brokers=1) as running:
        yield running


@pytest.fixture
def topic(cluster: MockCluster) -> str:
    """A new topic of one partition."""
    name = unique_name("topic")
    cluster.create_topic(name, partitions=1)
    return name


@pytest.fixture
def fill(cluster: MockCluster, topic: str) -> Callable[..., None]:
    """``fill(value, ..., key=, headers=)``: produce raw values to the topic."""
    return partial(fill_topic, cluster, topic)
