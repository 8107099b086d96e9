# SPDX-License-Identifier: Apache-2.0
"""One order per format: five fields, one of them a record, one an array of four doubles; and what converts it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from _measure import parser

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.serialization import MessageField, SerializationContext

ORDER = {
    "id": 1234567,
    "customer": "Ada Lovelace",
    "paid": True,
    "address": {"street": "12 St James's Square", "zip": "SW1Y 4JH"},
    "prices": [1.5, 22.25, 333.125, 4444.0],
}
AVRO = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "customer", "type": "string"},
        {"name": "paid", "type": "boolean"},
        {
            "name": "address",
            "type": {
                "type": "record",
                "name": "Address",
                "fields": [{"name": "street", "type": "string"}, {"name": "zip", "type": "string"}],
            },
        },
        {"name": "prices", "type": {"type": "array", "items": "double"}},
    ],
}
JSON = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Order",
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "customer": {"type": "string"},
        "paid": {"type": "boolean"},
        "address": {
            "type": "object",
            "properties": {"street": {"type": "string"}, "zip": {"type": "string"}},
            "required": ["street", "zip"],
        },
        "prices": {"type": "array", "items": {"type": "number"}},
    },
    "required": ["id", "customer", "paid", "address", "prices"],
    "additionalProperties": False,
}


def arguments(description: str | None) -> ArgumentParser:
    result = parser(description)
    result.add_argument("--format", choices=["avro", "json", "protobuf"], required=True)
    result.add_argument("--work", choices=["serialize", "deserialize"], required=True)
    return result


def context() -> SerializationContext:
    return SerializationContext("orders", MessageField.VALUE)


def serdes(name: str) -> tuple[Any, Any, Any, Any]:
    """Return a registry client, an object, its serializer and deserializer. Both packages have all that is used."""
    client: Any = SchemaRegistryClient.new_client({"url": "mock://bench"})
    if name == "avro":
        from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer

        return client, ORDER, AvroSerializer(client, json.dumps(AVRO)), AvroDeserializer(client)
    if name == "json":
        from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer

        text = json.dumps(JSON)
        return client, ORDER, JSONSerializer(text, client), JSONDeserializer(text, schema_registry_client=client)
    from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer

    message_type = order_message()
    fields = {field: value for field, value in ORDER.items() if field != "address"}
    message = message_type(**fields, address=ORDER["address"])
    deserializer = ProtobufDeserializer(message_type, {"use.deprecated.format": False}, client)
    return client, message, ProtobufSerializer(message_type, client, {"use.deprecated.format": False}), deserializer


def order_message() -> Any:
    """Return a generated class for the order."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="shop/order.proto", package="shop", syntax="proto3")
    order, address = file.message_type.add(name="Order"), file.message_type.add(name="Address")
    one, many = kinds.LABEL_OPTIONAL, kinds.LABEL_REPEATED
    order.field.add(name="id", number=1, type=kinds.TYPE_INT64, label=one)
    order.field.add(name="customer", number=2, type=kinds.TYPE_STRING, label=one)
    order.field.add(name="paid", number=3, type=kinds.TYPE_BOOL, label=one)
    order.field.add(name="address", number=4, type=kinds.TYPE_MESSAGE, type_name=".shop.Address", label=one)
    order.field.add(name="prices", number=5, type=kinds.TYPE_DOUBLE, label=many)
    address.field.add(name="street", number=1, type=kinds.TYPE_STRING, label=one)
    address.field.add(name="zip", number=2, type=kinds.TYPE_STRING, label=one)
    pool = descriptor_pool.Default()
    pool.Add(file) if hasattr(pool, "Add") else pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Order"))
