# SPDX-License-Identifier: Apache-2.0
"""``common.avro`` and ``common.json_schema`` do with a corpus what they do with confluent-kafka."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.interop.common_by_peer import TAGS, by_avro, by_json
from tests.interop.json_corpus import DRAFTS, Corpus
from tests.interop.kit import by_peer, different

PROGRAM = "common_by_peer.py"
SEEDS = list(range(3000))


@pytest.mark.timeout(300)
def test_avro(tmp_path: Path) -> None:
    theirs = by_peer(PROGRAM, "avro", SEEDS, tmp_path)
    # through JSON, as theirs have gone
    ours = json.loads(json.dumps([by_avro(seed) for seed in SEEDS]))
    assert [seed for seed in SEEDS if (ours[seed] is None) != (theirs[seed] is None)] == []
    known = [seed for seed in SEEDS if ours[seed] is not None]
    assert len(known) > len(SEEDS) / 2
    for name in ("type", "tags", "collapsed", "branches", "walks"):
        assert different([ours[seed][name] for seed in known], [theirs[seed][name] for seed in known], known) == [], (
            name
        )


@pytest.mark.timeout(300)
def test_json_schema(tmp_path: Path) -> None:
    entries = json_entries()
    theirs = by_peer(PROGRAM, "json", entries, tmp_path)
    ours = json.loads(json.dumps([by_json(entry) for entry in entries]))
    for name in ("types", "tags", "valid", "walks"):
        about = [(entry["schema"], entry["values"]) for entry in entries]
        assert different([one[name] for one in ours], [one[name] for one in theirs], about) == [], name


def json_entries() -> list[dict[str, Any]]:
    chance = random.Random(12)
    entries = Corpus(11).entries(250, 6)
    for entry in entries:
        schema = prepared(json.loads(entry["schema"]), chance)
        references = {name: prepared(json.loads(text), chance) for name, text in entry["references"].items()}
        entry["schema"] = json.dumps(schema)
        entry["references"] = {name: json.dumps(one) for name, one in references.items()}
        entry["parts"] = [*parts_of(schema), {"$ref": "#"}, *({"$ref": name} for name in references), True]
    return entries


def prepared(schema: Any, chance: random.Random) -> Any:
    """The schema with tags, without that in which the other package does not look for fields."""
    for name in ("if", "then", "else", "prefixItems"):
        schema.pop(name, None)
    # Python's expressions are not those of the specification; parts of a schema are of the latest draft to it
    schema.pop("pattern", None)
    if schema.get("$schema") == DRAFTS[0]:
        del schema["$schema"]
    if isinstance(schema.get("additionalProperties"), dict):
        del schema["additionalProperties"]
    if isinstance(schema.get("exclusiveMaximum"), bool):
        del schema["exclusiveMaximum"]
    if schema.get("const", 0) is None:
        schema["const"] = 0
    if not any(name in schema for name in ("type", "const", "enum", "anyOf", "oneOf", "allOf", "$ref")):
        schema["type"] = "string"
    inner = [*schema.get("properties", {}).values()]
    for one in inner:
        if chance.random() < 0.6:
            one["confluent:tags"] = chance.sample(TAGS, chance.randint(0, 2))
    for name in ("anyOf", "oneOf", "allOf"):
        inner += schema.get(name, ())
    if "items" in schema:
        inner.append(schema["items"])
    for one in inner:
        prepared(one, chance)
    return schema


def parts_of(schema: Any) -> list[Any]:
    if isinstance(schema, list):
        return [part for one in schema for part in parts_of(one)]
    if not isinstance(schema, dict):
        return []
    several = [schema.get(name) for name in ("items", "anyOf", "oneOf", "allOf")]
    inner = [*schema.get("properties", {}).values(), *several]
    return [schema, *(part for one in inner for part in parts_of(one))]
