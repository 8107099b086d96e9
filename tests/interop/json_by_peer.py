# SPDX-License-Identifier: Apache-2.0
"""Run with confluent-kafka: writes or reads a corpus of JSON Schemas with values.

The corpus is a list of {"schema", "references", "values"}. ``write`` gives a list of hex texts (null: refused) per
entry; ``read`` takes hex texts as the values and gives {"value": ...} or null.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

CONTEXT = SerializationContext("corpus", MessageField.VALUE)


def prepared(entry: dict[str, Any]) -> tuple[Any, Schema]:
    client = SchemaRegistryClient.new_client({"url": "mock://corpus"})
    references = []
    for name, text in entry["references"].items():
        client.register_schema(name, Schema(text, "JSON"))
        references.append(SchemaReference(name, name, 1))
    return client, Schema(entry["schema"], "JSON", references)


def attempt(work: Callable[[], Any]) -> Any:
    """Return what ``work`` returns, None when it refuses."""
    try:
        return work()
    except SerializationError:
        return None


def write(entry: dict[str, Any]) -> list[Any]:
    client, schema = prepared(entry)
    serializer: Any = JSONSerializer(schema, client)
    return [attempt(lambda value=value: serializer(value, CONTEXT).hex()) for value in entry["values"]]  # type: ignore[misc]


def read(entry: dict[str, Any]) -> list[Any]:
    client, schema = prepared(entry)
    client.register_schema("corpus-value", schema)
    deserializer = JSONDeserializer(None, schema_registry_client=client)
    texts = [bytes.fromhex(text) for text in entry["values"]]
    return [attempt(lambda data=data: {"value": deserializer(data, CONTEXT)}) for data in texts]  # type: ignore[misc]


if __name__ == "__main__":
    _, work, given, made = sys.argv
    with open(given) as source, open(made, "w") as target:
        json.dump([(write if work == "write" else read)(entry) for entry in json.load(source)], target)
