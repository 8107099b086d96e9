# SPDX-License-Identifier: Apache-2.0
"""``confluent/type/decimal.proto``: a decimal number."""

from __future__ import annotations

from typing import Any

from confluent_kafka.schema_registry._core.codecs.bundled import define

DESCRIPTOR: Any
Decimal: Any

_TEXT = """
syntax = "proto3";
package confluent.type;

message Decimal {
  bytes value = 1;
  uint32 precision = 2;
  int32 scale = 3;
}
"""

define(globals(), "confluent/type/decimal.proto", _TEXT)
