# SPDX-License-Identifier: Apache-2.0
"""Writes and reads a corpus of Avro schemas and values; runs with either package.

Values are no JSON, so the corpus is a list of seeds, out of which both sides make the same schemas and values. Results
are texts: hex of the bytes, ``repr`` of the objects; None for what is refused.
"""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from pathlib import Path
from typing import Any

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

VALUES = 4


def _generator() -> Any:
    # by its path: the other package's environment does not have this checkout
    path = Path(__file__).parents[1] / "support" / "avro_corpus.py"
    spec = importlib.util.spec_from_file_location("avro_corpus", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Generator


GENERATOR = _generator()


class Entry:
    """A schema with values for it, half of which may not fit, and a later version of it."""

    def __init__(self, seed: int) -> None:
        generator = GENERATOR(random.Random(seed))
        schema = generator.schema()
        if isinstance(schema, dict) and schema.get("logicalType") == "decimal":
            # at the top level the other package does not look at the logical type of bytes
            schema = {"type": "array", "items": schema}
        self.schema = json.dumps(schema)
        fitting = [generator.value(json.loads(self.schema)) for _ in range(VALUES)]
        values = fitting + [generator.changed(value) for value in fitting]
        # buffers on their own are bytes to us, but not to the other package
        self.values = [b"" if isinstance(value, (bytearray, memoryview)) else value for value in values]
        # at the top level the other package reads bytes as bytes, whatever the reader's schema says
        is_bytes = schema == "bytes" or (isinstance(schema, dict) and schema["type"] == "bytes")
        self.later = self.schema if is_bytes else json.dumps(generator.evolved(json.loads(self.schema)))


class Corpus:
    """One registry and a few serializers for all: the other package takes a tenth of a second to make one."""

    def __init__(self) -> None:
        self._client: Any = SchemaRegistryClient.new_client({"url": "mock://corpus"})
        latest = {"use.latest.version": True}
        self._write = AvroSerializer(self._client, conf={"auto.register.schemas": False, **latest})
        self._readers = [
            ("written", AvroDeserializer(self._client)),
            ("written", AvroDeserializer(self._client, return_record_name=True)),
            ("later", AvroDeserializer(self._client, conf=latest)),
        ]

    def _register(self, kind: str, seed: int, text: str) -> int:
        schema_id: int = self._client.register_schema(f"{kind}{seed}-value", Schema(text, "AVRO"))
        return schema_id

    def write(self, seed: int) -> list[str | None]:
        """Write the values of an entry; without the schema's id."""
        entry = Entry(seed)
        self._register("written", seed, entry.schema)
        context = SerializationContext(f"written{seed}", MessageField.VALUE)
        return [_attempt(self._write, value, context, lambda data: data[5:].hex()) for value in entry.values]

    def read(self, seed: int, texts: list[str]) -> list[list[str | None]]:
        """Read what was written for an entry: as it is, with names of records, as the later version has it."""
        entry = Entry(seed)
        head = b"\x00" + self._register("written", seed, entry.schema).to_bytes(4, "big")
        # the other package looks for the writer's schema among the versions of the subject
        self._register("later", seed, entry.schema)
        self._register("later", seed, entry.later)
        results = []
        for kind, reader in self._readers:
            context = SerializationContext(f"{kind}{seed}", MessageField.VALUE)
            results.append([_attempt(reader, head + bytes.fromhex(text), context, repr) for text in texts])
        return results


def _attempt(serde: Any, given: Any, context: SerializationContext, told: Any) -> str | None:
    try:
        made = serde(given, context)
    except Exception:
        return None
    text: str = "nothing" if given is None else told(made)
    return text


if __name__ == "__main__":
    _, work, given, made = sys.argv
    own = Corpus()
    with open(given) as source, open(made, "w") as target:
        corpus = json.load(source)
        if work == "write":
            json.dump([own.write(seed) for seed in corpus], target)
        else:
            json.dump([own.read(seed, texts) for seed, texts in corpus], target)
