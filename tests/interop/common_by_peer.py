# SPDX-License-Identifier: Apache-2.0
"""Walks, tags, unions and types by ``common.avro`` and ``common.json_schema`` of whichever package runs this.

Usage: common_by_peer.py avro SEEDS RESULTS, common_by_peer.py json ENTRIES RESULTS. Results are texts.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import random
import sys
from pathlib import Path
from typing import Any

import fastavro
from referencing import Registry, Resource

from confluent_kafka.schema_registry import Metadata, MetadataTags, Rule, RuleKind, RuleMode, Schema
from confluent_kafka.schema_registry.common import avro, json_schema
from confluent_kafka.schema_registry.common.serde import RuleContext

TAGS = ("A", "B", "C")
# tags of the rule, tags by metadata
RULES: tuple[tuple[Any, Any], ...] = (
    (None, None),
    (["A"], None),
    (["B", "META"], {"n.R?.f1": ["META"], "$.*": ["META"]}),
)


def _generator() -> Any:
    # by its path: the other package's environment does not have this checkout
    path = Path(__file__).parents[1] / "support" / "avro_corpus.py"
    spec = importlib.util.spec_from_file_location("avro_corpus", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CORPUS = _generator()


def context(rule: tuple[Any, Any], inline: Any, schema_type: str) -> Any:
    tags, metadata = rule
    target = None
    if metadata is not None:
        target = Schema("{}", schema_type, [], Metadata(MetadataTags(metadata), None, None), None)
    one = Rule("r", None, RuleKind.TRANSFORM, RuleMode.WRITE, "T", tags, None, None, None, None, False)
    return RuleContext(None, None, None, target, "s", RuleMode.WRITE, one, 0, [one], inline, None)


def walked(function: Any, ctx: Any, *arguments: Any) -> str:
    """What a walk calls its transform with, and what comes out of it."""
    calls: list[Any] = []

    def change(inner: Any, field: Any, value: Any) -> Any:
        assert inner.current_field() is field
        name = field.field_type.name
        # not the record itself: the other package has changed it already
        calls.append((field.full_name, field.name, name, sorted(field.tags), value, type(field.containing_message)))
        if name == "STRING" and isinstance(value, str):
            return value + "!"
        return value + b"!" if name == "BYTES" and isinstance(value, bytes) else value

    result = function(ctx, *arguments, change)
    return repr((calls, result))


def by_avro(seed: int) -> dict[str, Any] | None:
    """What Avro's helpers make of a random schema and values of it; None for no schema, or a type inside of itself."""
    rng = random.Random(seed)
    generator = CORPUS.Generator(rng)
    schema = _tagged(generator.schema(), rng)
    try:
        expanded: Any = fastavro.schema.expand_schema(copy.deepcopy(schema))
    except (fastavro.schema.SchemaParseException, fastavro.schema.UnknownType):
        return None
    if _is_recursive(expanded):
        return None
    value = generator.value(schema)
    if isinstance(value, tuple) and isinstance(schema, dict):
        value = list(value)  # the other package passes over an array that is a tuple
    tags = avro.get_inline_tags(expanded)
    unions = [(union, generator.value(union)) for union in _unions(expanded) for _ in range(3)]
    return {
        "type": avro.get_type(expanded).name,
        "tags": sorted((name, sorted(found)) for name, found in tags.items() if found),
        "branches": [repr(avro._resolve_union(union, copy.deepcopy(one))) for union, one in unions],
        "walks": [
            walked(avro.transform, context(rule, tags, "AVRO"), expanded, copy.deepcopy(value)) for rule in RULES
        ],
        # at the end: the other package changes the schema itself
        "collapsed": json.dumps(avro._collapse_schema(copy.deepcopy(expanded)), sort_keys=True),
    }


def _tagged(schema: Any, rng: random.Random) -> Any:
    if isinstance(schema, list):
        for branch in schema:
            _tagged(branch, rng)
    elif isinstance(schema, dict):
        for inner in ("items", "values"):
            _tagged(schema.get(inner), rng)
        for field in schema.get("fields", ()):
            if rng.random() < 0.6:
                field["confluent:tags"] = rng.sample(TAGS, rng.randint(0, 2))
            if field.get("default") == "b":
                del field["default"]  # the other package takes the text of a default for bytes for a misfit
            _tagged(field["type"], rng)
    return schema


def _is_recursive(schema: Any) -> bool:
    if isinstance(schema, list):
        return any(map(_is_recursive, schema))
    if isinstance(schema, str):
        return schema not in CORPUS.PRIMITIVES
    inner = [schema[name] for name in ("items", "values") if name in schema]
    return any(map(_is_recursive, [*inner, *(field["type"] for field in schema.get("fields", ()))]))


def _unions(schema: Any) -> list[Any]:
    if isinstance(schema, list):
        return [schema, *(union for branch in schema for union in _unions(branch))]
    if isinstance(schema, str):
        return []
    inner = [schema[name] for name in ("items", "values") if name in schema]
    inner += [field["type"] for field in schema.get("fields", ())]
    return [union for part in inner for union in _unions(part)]


def by_json(entry: dict[str, Any]) -> dict[str, Any]:
    """What JSON Schema's helpers make of a schema and values."""
    schema = json.loads(entry["schema"])
    registry: Any = Registry()
    for name, text in entry["references"].items():
        registry = registry.with_resource(name, json_schema.DEFAULT_SPEC.create_resource(json.loads(text)))
    resource = Resource.from_contents(schema, default_specification=json_schema.DEFAULT_SPEC)
    resolver = registry.resolver_with_root(resource)

    def transform(ctx: Any, value: Any, change: Any) -> Any:
        return json_schema.transform(ctx, schema, registry, resolver, "$", value, change)

    parts = entry["parts"]
    return {
        "types": [json_schema.get_type(part).name for part in parts],
        "tags": [sorted(json_schema.get_inline_tags(part)) for part in parts if isinstance(part, dict)],
        "valid": [
            repr(json_schema._validate_subschemas(parts, value, registry, resolver)) for value in entry["values"]
        ],
        "walks": [
            walked(transform, context(rule, None, "JSON"), copy.deepcopy(value))
            for value in entry["values"]
            for rule in RULES
        ],
    }


def main(work: str, given: str, made: str) -> None:
    corpus = json.loads(Path(given).read_text())
    done = [by_avro(one) if work == "avro" else by_json(one) for one in corpus]
    Path(made).write_text(json.dumps(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
