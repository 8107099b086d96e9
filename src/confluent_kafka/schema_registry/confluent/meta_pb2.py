# SPDX-License-Identifier: Apache-2.0
"""``confluent/meta.proto``: documentation, parameters, tags and rules of a file, message, field or enum, as options."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2

from confluent_kafka.schema_registry._core.codecs.bundled import define

DESCRIPTOR: Any
Meta: Any
Rule: Any
file_meta: Any
message_meta: Any
field_meta: Any
enum_meta: Any
enum_value_meta: Any
FILE_META_FIELD_NUMBER: int
MESSAGE_META_FIELD_NUMBER: int
FIELD_META_FIELD_NUMBER: int
ENUM_META_FIELD_NUMBER: int
ENUM_VALUE_META_FIELD_NUMBER: int

_TEXT = """
syntax = "proto3";
package confluent;
option go_package = "../confluent";
import "google/protobuf/descriptor.proto";

message Meta {
  string doc = 1;
  map<string, string> params = 2;
  repeated string tags = 3;
  repeated Rule rules = 4;
}
message Rule {
  string name = 1;
  string doc = 2;
  string expr = 3;
  string sql = 4;
}
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }
"""

define(globals(), "confluent/meta.proto", _TEXT, [descriptor_pb2.DESCRIPTOR])
