# SPDX-License-Identifier: Apache-2.0
"""The formats that the demo can send a table in: schema, serializer, deserializer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from ._datasets import Row

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient
    from confluent_kafka.serialization import SerializationContext

    Serialize = Callable[[Any, SerializationContext], bytes | None]
    Deserialize = Callable[[bytes | None, SerializationContext], Any]

FORMATS = ("avro", "json", "protobuf")
_JSON: dict[str, dict[str, str]] = {
    "boolean": {"type": "boolean"},
    "long": {"type": "integer"},
    "double": {"type": "number"},
    "string": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "null": {"type": "null"},
}
_PROTO = {
    "boolean": "bool",
    "long": "int64",
    "double": "double",
    "string": "string",
    "date": "string",
    "null": "string",
}


@dataclass(frozen=True)
class Format:
    """How one table is sent; ``schema`` is what is registered, as JSON or text."""

    schema: Any
    serialize: Serialize
    deserialize: Deserialize


def format_of(name: str, schema: dict[str, Any], registry: SchemaRegistryClient) -> Format:
    """Return a format for a table.

    Args:
        name: ``avro``, ``json`` or ``protobuf``.
        schema: the table's Avro schema, from which those of the other formats are made.
        registry: where the schema goes.
    Raises: ImportError: its packages are not installed.
    """
    if name == "json":
        return _json(schema, registry)
    return _protobuf(schema, registry) if name == "protobuf" else _avro(schema, registry)


def _avro(schema: dict[str, Any], registry: SchemaRegistryClient) -> Format:
    from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer

    return Format(schema, AvroSerializer(registry, json.dumps(schema)), AvroDeserializer(registry))


def _json(schema: dict[str, Any], registry: SchemaRegistryClient) -> Format:
    from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer

    properties: dict[str, Any] = {}
    for field in schema["fields"]:
        kind, optional = _kind(field)
        properties[field["name"]] = {"anyOf": [_JSON[kind], {"type": "null"}]} if optional else _JSON[kind]
    made = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": schema["name"],
        "description": schema["doc"],
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    dates = _dates(schema)
    serializer = JSONSerializer(json.dumps(made), registry, to_dict=lambda row, _: _plain(row))
    deserializer = JSONDeserializer(
        None, from_dict=lambda row, _: _with_dates(row, dates), schema_registry_client=registry
    )
    return Format(made, serializer, deserializer)


def _protobuf(schema: dict[str, Any], registry: SchemaRegistryClient) -> Format:
    from confluent_kafka.schema_registry import Schema
    from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer

    names = [field["name"] for field in schema["fields"]]
    lines = [
        f"  optional {_PROTO.get(_kind(field)[0], 'string')} {field['name']} = {number};"
        for number, field in enumerate(schema["fields"], 1)
    ]
    head = ['syntax = "proto3";', f"package {schema['namespace']};", f"message {schema['name']} {{"]
    text = "\n".join([*head, *lines, "}", ""])
    dates = _dates(schema)
    serializer = ProtobufSerializer(Schema(text, "PROTOBUF"), registry)
    deserializer = ProtobufDeserializer(None, schema_registry_client=registry, as_dict=True)

    def serialize(row: Row, context: SerializationContext) -> bytes | None:
        return serializer({name: value for name, value in _plain(row).items() if value is not None}, context)

    def deserialize(data: bytes | None, context: SerializationContext) -> Any:
        found = deserializer(data, context)
        return _with_dates({name: found.get(name) for name in names}, dates)

    return Format(text, serialize, deserialize)


def _kind(field: dict[str, Any]) -> tuple[str, bool]:
    """The name of a field's type, and whether it may be null."""
    kind, optional = field["type"], False
    if isinstance(kind, list):
        kind, optional = kind[1], True
    return (kind["logicalType"] if isinstance(kind, dict) else kind), optional


def _dates(schema: dict[str, Any]) -> list[str]:
    return [field["name"] for field in schema["fields"] if _kind(field)[0] == "date"]


def _plain(row: Row) -> Row:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def _with_dates(row: Row, dates: list[str]) -> Row:
    for name in dates:
        if isinstance(row[name], str):
            row[name] = date.fromisoformat(row[name])
    return row
