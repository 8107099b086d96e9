# SPDX-License-Identifier: Apache-2.0
"""``confluent/types/decimal.proto``, the former name of ``confluent/type/decimal.proto``, which it publicly imports."""

from __future__ import annotations

from typing import Any

from confluent_kafka.schema_registry._core.codecs.bundled import define
from confluent_kafka.schema_registry.confluent.type import decimal_pb2 as confluent_dot_type_dot_decimal__pb2

DESCRIPTOR: Any

define(
    globals(),
    "confluent/types/decimal.proto",
    'syntax = "proto3"; import public "confluent/type/decimal.proto";',
    [confluent_dot_type_dot_decimal__pb2.DESCRIPTOR],
)
Decimal = confluent_dot_type_dot_decimal__pb2.Decimal
