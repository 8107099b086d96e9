# SPDX-License-Identifier: Apache-2.0
"""What the tests of the Protobuf serializers share: schemas, and classes made of their descriptors."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from google.protobuf.message_factory import GetMessageClass

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry._core.codecs.protobuf_files import LinkedFile, link
from confluent_kafka.schema_registry._core.codecs.protobuf_values import DictWriter
from confluent_kafka.serialization import MessageField, SerializationContext

MONEY = """
syntax = "proto3";
package shop.types;
message Money { string currency = 1; int64 cents = 2; }
"""
CUSTOMER = """
syntax = "proto3";
package shop.people;
import "shop/money.proto";
message Customer { string name = 1; shop.types.Money credit = 2; }
"""
ORDER = """
syntax = "proto3";
package shop;
import "shop/customer.proto";
import "shop/money.proto";
import "google/protobuf/timestamp.proto";

message Empty {}
message Order {
  int64 id = 1;
  optional string note = 2;
  people.Customer customer = 3;
  repeated Line lines = 4;
  Status status = 5;
  map<string, types.Money> paid = 6;
  map<int32, Status> history = 7;
  google.protobuf.Timestamp at = 8;
  oneof way { string pickup = 9; Address delivery = 10; }
  bytes raw = 11;
  repeated double weights = 12;

  message Line { string article = 1; double price = 2; message Tag { string text = 1; } repeated Tag tags = 3; }
  message Address { string street = 1; }
}
enum Status { NEW = 0; PAID = 1; SENT = 2; }
"""
REFERENCES = {"shop/money.proto": MONEY, "shop/customer.proto": CUSTOMER}
AN_ORDER: dict[str, Any] = {
    "id": 7,
    "customer": {"name": "eve", "credit": {"currency": "EUR", "cents": -5}},
    "lines": [
        {"article": "pen", "price": 1.5, "tags": [{"text": "blue"}]},
        {"article": "ink", "price": 0.25, "tags": []},
    ],
    "status": "PAID",
    "paid": {"card": {"currency": "EUR", "cents": 175}},
    "history": {1: "NEW", 2: "PAID"},
    "at": {"seconds": 1_700_000_000, "nanos": 5},
    "delivery": {"street": "Main"},
    "raw": b"\x00\xff",
    "weights": [0.5, -1.0],
}


def linked(
    text: str = ORDER, references: Mapping[str, str | None] = REFERENCES, name: str = "shop/order.proto"
) -> LinkedFile:
    return link(text, references, name)


@functools.cache
def message_class(text: str = ORDER, message: str = "Order") -> Any:
    """The class that generated code would have, for ``Outer.Inner`` too."""
    first, *rest = message.split(".")
    descriptor = linked(text).descriptor.message_types_by_name[first]
    for part in rest:
        descriptor = descriptor.nested_types_by_name[part]
    return GetMessageClass(descriptor)


def context(
    topic: str = "orders", field: MessageField = MessageField.VALUE, headers: Any = None
) -> SerializationContext:
    return SerializationContext(topic, field, headers)


def made(kind: Any, value: dict[str, Any]) -> Any:
    """A message with these fields; constructors take dicts in maps with newer runtimes only."""
    return DictWriter(kind)(value)


class Recording(SchemaRegistryClient):
    """Keeps what is asked of the registry: (method, subject or id)."""

    def __init__(self) -> None:
        super().__init__({"url": "mock://"})
        self.calls: list[tuple[str, Any]] = []

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name not in (
            "register_schema_full_response",
            "lookup_schema",
            "get_schema",
            "get_version",
            "get_latest_version",
        ):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, kwargs.get("subject_name") if "schema_id" not in kwargs else kwargs["schema_id"]))
            return value(*args, **kwargs)

        return call
