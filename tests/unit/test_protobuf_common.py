# SPDX-License-Identifier: Apache-2.0
"""``schema_registry.common.protobuf``: what existing code and rules use of it."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message_factory import GetMessageClass

from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode
from confluent_kafka.schema_registry._core.codecs.protobuf_files import link
from confluent_kafka.schema_registry._core.rule_types import FieldType, RuleContext
from confluent_kafka.schema_registry.common import protobuf as common
from confluent_kafka.schema_registry.error import RuleConditionError, RuleError
from confluent_kafka.schema_registry.protobuf import get_type, protobuf_to_decimal, transform

TEXT = """
syntax = "proto3";
package p;
import "confluent/meta.proto";
import "confluent/type/decimal.proto";
import "google/protobuf/timestamp.proto";
message A {
  string name = 1 [(confluent.field_meta).tags = "PII"];
  repeated string names = 2 [(confluent.field_meta).tags = "PII"];
  map<string, string> notes = 3 [(confluent.field_meta).tags = "PII"];
  string plain = 4;
  optional string unset = 5 [(confluent.field_meta).tags = "PII"];
  A inner = 6;
  confluent.type.Decimal price = 7 [(confluent.field_meta).tags = "NUMBER"];
  repeated google.protobuf.Timestamp times = 8 [(confluent.field_meta).tags = "TIME"];
  map<string, confluent.type.Decimal> prices = 9 [(confluent.field_meta).tags = "NUMBER"];
  E kind = 10;
  enum E { ZERO = 0; ONE = 1; }
}
"""
A = GetMessageClass(link(TEXT, {}).descriptor.message_types_by_name["A"])


def rule_context(*tags: str, kind: RuleKind = RuleKind.TRANSFORM) -> RuleContext:
    rule = Rule("r", None, kind, RuleMode.WRITE, "T", list(tags), None, None, None, None, False)
    return RuleContext(None, None, None, None, "s", RuleMode.WRITE, rule, 0, [rule], None, None)


def run(message: Any, change: Callable[[Any], Any], *tags: str) -> Any:
    return transform(rule_context(*tags), A.DESCRIPTOR, message, lambda ctx, field, value: change(value))


def test_only_tagged_fields_are_changed() -> None:
    message = A(name="n", names=["a", "b"], notes={"k": "v"}, plain="p", inner=A(name="i"))
    found = run(message, str.upper, "PII")
    assert found is message
    assert found == A(name="N", names=["A", "B"], notes={"k": "V"}, plain="p", inner=A(name="I"))
    assert not found.HasField("unset")
    assert run([message, message], str.upper, "PII") == [found, found]
    assert run({"x": message}, str.upper, "PII") == {"x": found}
    assert run(None, str.upper) is None


def test_decimals_and_times_are_values() -> None:
    message = A(times=[{"seconds": 5}, {"seconds": 6}])
    common.set_decimal_message(message.price, Decimal("1.50"))
    message.prices["a"].CopyFrom(message.price)
    doubled = run(message, lambda value: protobuf_to_decimal(value) * 2, "NUMBER")
    assert protobuf_to_decimal(doubled.price) == protobuf_to_decimal(doubled.prices["a"]) == Decimal("3.00")
    assert list(doubled.times) == list(message.times)
    moment = datetime.datetime(1970, 1, 1, 0, 1, 0, 500)
    assert [(item.seconds, item.nanos) for item in run(message, lambda value: moment, "TIME").times] == [
        (60, 500_000)
    ] * 2
    assert run(message, lambda value: value, "TIME") == message
    with pytest.raises(RuleError, match=r"Rule returned str for field 'p.A.price', which is a confluent.type.Decimal"):
        run(message, lambda value: "text", "NUMBER")


def test_conditions() -> None:
    message = A(name="n")

    def holds(ctx: Any, field: Any, value: Any) -> bool:
        return bool(value == "n")

    context = rule_context("PII", kind=RuleKind.CONDITION)
    assert transform(context, A.DESCRIPTOR, message, holds) == message
    with pytest.raises(RuleConditionError):
        transform(context, A.DESCRIPTOR, A(name="other"), holds)


def test_types_of_fields() -> None:
    kinds = {field.name: get_type(field) for field in A.DESCRIPTOR.fields}
    assert kinds["notes"] is FieldType.MAP
    assert kinds["inner"] is FieldType.RECORD
    assert (kinds["price"], kinds["times"], kinds["kind"]) == (FieldType.BYTES, FieldType.LONG, FieldType.ENUM)
    assert common.is_cel_leaf_message(A.DESCRIPTOR.fields_by_name["price"].message_type)
    assert not common.is_cel_leaf_message(None)


def test_schemas_as_text_and_pools() -> None:
    text = common._schema_to_str(A.DESCRIPTOR.file)
    proto = common._str_to_proto("default", text)
    assert (proto.name, proto.package) == ("default", "p")
    assert descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(common._proto_to_str(proto))) == proto
    assert common._str_to_proto("x", TEXT).name == "x"
    pool = descriptor_pool.DescriptorPool()
    common._init_pool(pool)
    assert pool.FindMessageTypeByName("confluent.Meta").full_name == "confluent.Meta"
    pool.Add(proto)
    assert common._create_index_array(pool.FindMessageTypeByName("p.A")) == [0]
    assert common._is_builtin("google/type/date.proto")


def test_setting_any_field() -> None:
    message = A(names=["x"], notes={"old": "1"})
    fields = A.DESCRIPTOR.fields_by_name
    decimal = common.decimal_to_protobuf(Decimal(1), 0)
    values = {"name": "n", "names": ["a", "b"], "notes": {"k": "v"}, "price": decimal, "prices": {"p": decimal}}
    for name, value in values.items():
        common._set_field(fields[name], message, value)
    expected = A(name="n", names=["a", "b"], notes={"k": "v"})
    common.set_decimal_message(expected.price, Decimal(1))
    common.set_decimal_message(expected.prices["p"], Decimal(1))
    assert message == expected
