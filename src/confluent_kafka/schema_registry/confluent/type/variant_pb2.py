# SPDX-License-Identifier: Apache-2.0
"""``confluent/type/variant.proto``: a value of any type, in the variant encoding."""

from __future__ import annotations

from typing import Any

from confluent_kafka.schema_registry._core.codecs.bundled import define

DESCRIPTOR: Any
Variant: Any

_TEXT = """
syntax = "proto3";
package confluent.type;

message Variant {
  bytes metadata = 1;
  bytes value = 2;
}
"""

define(globals(), "confluent/type/variant.proto", _TEXT)
