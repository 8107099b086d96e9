# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from tests.integration.fixtures import (
    closing,
    consumer,
    make_consumer,
    make_producer,
    make_topic,
    producer,
    pytest_configure,
)

__all__ = ["closing", "consumer", "make_consumer", "make_producer", "make_topic", "producer", "pytest_configure"]
