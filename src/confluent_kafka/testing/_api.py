# SPDX-License-Identifier: Apache-2.0
"""The protocol requests that mock brokers serve, and how one of them is reported."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class ApiKey(IntEnum):
    """Requests of the Kafka protocol that a mock broker implements, by their protocol number.

    Source: kafka.apache.org/protocol, "Api Keys"; rd_kafka_mock_api_handlers for the choice.
    """

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    LEAVE_GROUP = 13
    SYNC_GROUP = 14
    API_VERSIONS = 18
    INIT_PRODUCER_ID = 22
    OFFSET_FOR_LEADER_EPOCH = 23
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28
    CONSUMER_GROUP_HEARTBEAT = 68
    GET_TELEMETRY_SUBSCRIPTIONS = 71
    PUSH_TELEMETRY = 72


class MockRequest(NamedTuple):
    """One request as a mock broker received it.

    Attributes:
        broker: id of the broker.
        api_key: kind of the request.
        timestamp_us: time of arrival, microseconds on a monotonic clock without a fixed origin: subtract two of them.
    """

    broker: int
    api_key: ApiKey
    timestamp_us: int
