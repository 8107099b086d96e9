# SPDX-License-Identifier: Apache-2.0
"""What configurations and access control lists are attached to."""

from __future__ import annotations

from .._model._ordered_enum import OrderedEnum


class ResourceType(OrderedEnum):
    """Kind of a resource. ``BROKER`` is the cluster in access control lists. Source: rd_kafka_ResourceType_t."""

    UNKNOWN = 0
    ANY = 1
    TOPIC = 2
    GROUP = 3
    BROKER = 4
    TRANSACTIONAL_ID = 5


class ResourcePatternType(OrderedEnum):
    """How the name of an access control list is meant; ``ANY`` and ``MATCH`` are for filters only.

    ``MATCH`` finds every list that applies to the name. Source: rd_kafka_ResourcePatternType_t; KIP-290.
    """

    UNKNOWN = 0
    ANY = 1
    MATCH = 2
    LITERAL = 3
    PREFIXED = 4
