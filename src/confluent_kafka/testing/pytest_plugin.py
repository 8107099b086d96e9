# SPDX-License-Identifier: Apache-2.0
"""pytest fixtures; registered by the distribution, so a test only names them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from confluent_kafka.testing.cluster import MockCluster

if TYPE_CHECKING:
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
