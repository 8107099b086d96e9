# SPDX-License-Identifier: Apache-2.0
"""pytest fixtures: ``pytest_plugins = ["confluent_kafka.testing.pytest_plugin"]`` in the topmost conftest.py."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from confluent_kafka.testing.cluster import MockCluster
from confluent_kafka.testing.registry import SchemaRegistryServer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping, Sequence


class MockClusterFactory(Protocol):
    """Starts a cluster; takes the arguments of :class:`~confluent_kafka.testing.MockCluster`."""

    def __call__(
        self,
        brokers: int = 3,
        *,
        topics: Mapping[str, int] | None = None,
        replication_factor: int | None = None,
        racks: Sequence[str] | None = None,
        rtt_ms: int = 0,
        group_initial_rebalance_delay_ms: int = 0,
    ) -> MockCluster: ...


@pytest.fixture
def mock_cluster_factory() -> Iterator[MockClusterFactory]:
    """Start any number of mock clusters; all are closed at the end of the test, the last one first."""
    with ExitStack() as clusters:

        def start(*args: Any, **kwargs: Any) -> MockCluster:
            return clusters.enter_context(MockCluster(*args, **kwargs))

        yield start


@pytest.fixture
def mock_cluster(mock_cluster_factory: MockClusterFactory) -> MockCluster:
    """Return a new cluster of three mock brokers, closed at the end of the test."""
    return mock_cluster_factory()


class SchemaRegistryFactory(Protocol):
    """Starts a registry; takes the arguments of :class:`~confluent_kafka.testing.SchemaRegistryServer`."""

    def __call__(
        self,
        *,
        port: int = 0,
        basic_auth: tuple[str, str] | None = None,
        bearer_token: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        strict: bool = True,
        cluster_id: str = "embedded",
        keep_requests: int = 10_000,
    ) -> SchemaRegistryServer: ...


@pytest.fixture
def schema_registry_factory() -> Iterator[SchemaRegistryFactory]:
    """Start any number of registries; all are closed at the end of the test, the last one first."""
    with ExitStack() as registries:

        def start(**kwargs: Any) -> SchemaRegistryServer:
            return registries.enter_context(SchemaRegistryServer(**kwargs))

        yield start


@pytest.fixture
def schema_registry(schema_registry_factory: SchemaRegistryFactory) -> SchemaRegistryServer:
    """Return a new, empty registry, closed at the end of the test."""
    return schema_registry_factory()
