# SPDX-License-Identifier: Apache-2.0
"""JSON Schema, both ways with confluent-kafka: the same bytes, the same objects, the same refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaMismatchError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from tests.interop.json_corpus import Corpus
from tests.interop.kit import by_peer, different
from tests.unit.avro_kit import context

SCHEMAS, VALUES = 320, 16
CORPUS = Corpus(8).entries(SCHEMAS, VALUES)
PROGRAM = "json_by_peer.py"


def serdes(entry: dict[str, Any]) -> tuple[Any, Any]:
    client = SchemaRegistryClient({"url": "mock://"})
    references = []
    for name, text in entry["references"].items():
        client.register_schema(name, Schema(text, "JSON"))
        references.append(SchemaReference(name, name, 1))
    schema = Schema(entry["schema"], "JSON", references)
    client.register_schema("corpus-value", schema)
    return JSONSerializer(schema, client), JSONDeserializer(None, schema_registry_client=client)


def write(serializer: Any, value: Any) -> str | None:
    try:
        data: bytes = serializer(value, context("corpus"))
    except SchemaMismatchError:
        return None
    return data.hex()


def read(deserializer: Any, text: str) -> dict[str, Any] | None:
    try:
        return {"value": deserializer(bytes.fromhex(text), context("corpus"))}
    except SchemaMismatchError:
        return None


def test_both_write_the_same_and_refuse_the_same(tmp_path: Path) -> None:
    theirs = by_peer(PROGRAM, "write", CORPUS, tmp_path)
    about = [(entry["schema"], value) for entry in CORPUS for value in entry["values"]]
    ours = []
    for entry in CORPUS:
        serializer, _ = serdes(entry)
        ours += [write(serializer, value) for value in entry["values"]]
    flat = [text for texts in theirs for text in texts]
    assert len(about) >= 5_000
    assert different(ours, flat, about) == []
    # both kinds are there in numbers, or the corpus has become blind
    refused = ours.count(None)
    assert len(ours) / 10 < refused < len(ours) * 0.9


def test_each_reads_what_the_other_may_have_written(tmp_path: Path) -> None:
    """Messages of clients that do not check: all values of the corpus, whether they fit or not."""
    written = []
    for entry in CORPUS:
        head = (len(entry["references"]) + 1).to_bytes(5, "big")
        texts = [(head + json.dumps(value).encode()).hex() for value in entry["values"]]
        written.append({**entry, "values": texts})
    theirs = by_peer(PROGRAM, "read", written, tmp_path)
    about = [(entry["schema"], value) for entry in CORPUS for value in entry["values"]]
    ours = []
    for entry in written:
        _, deserializer = serdes(entry)
        ours += [read(deserializer, text) for text in entry["values"]]
    assert different(ours, [one for many in theirs for one in many], about) == []
    assert any(ours)
    assert not all(ours)
