# SPDX-License-Identifier: Apache-2.0
"""JSON Schemas of all drafts, with values that fit and values that nearly do: the same ones in every run."""

from __future__ import annotations

import json
import random
from typing import Any

DRAFTS = (
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
    None,
)
WORDS = ("", "a", "abc", "ä", "\U0001f600", "x y", "2026-01-02", 'quo"te', "\\", "\n", "null")
NAMES = ("id", "name", "größe", "lines", "a.b", "x-y", "$t")


class Corpus:
    """Makes schemas and values from one source of chance."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def entries(self, count: int, values: int) -> list[dict[str, Any]]:
        """Return ``count`` schemas, with as many ``values`` each."""
        return [self._entry(values) for _ in range(count)]

    def _entry(self, values: int) -> dict[str, Any]:
        chance = self._random
        draft = chance.choice(DRAFTS)
        references: dict[str, str] = {}
        schema = self._schema(draft, 3)
        fitting = schema
        if chance.random() < 0.2:
            name = chance.choice(["part.json", "http://corpus.example/part.json"])
            part = self._schema(DRAFTS[2], 1)
            references[name] = json.dumps({"$schema": DRAFTS[2], **part})
            schema = {"type": "object", "properties": {"part": {"$ref": name}, "own": schema}}
            fitting = {"type": "object", "properties": {"part": part, "own": fitting}}
        made = [self._value(fitting) if chance.random() < 0.75 else self._any(2) for _ in range(values)]
        made = [self._spoiled(value) if chance.random() < 0.3 else value for value in made]
        if draft is not None:
            schema = {"$schema": draft, **schema}
        # nothing is written for null itself
        made = [0 if value is None else value for value in made]
        return {"schema": json.dumps(schema), "references": references, "values": made}

    def _schema(self, draft: str | None, depth: int) -> dict[str, Any]:
        chance = self._random
        kinds = ["string", "integer", "number", "boolean", "null", "enum"]
        if depth:
            kinds += ["object", "object", "array", "array", "any", "several"]
            if draft != DRAFTS[0]:
                kinds += ["const", "if" if draft not in DRAFTS[:2] else "const"]
        kind = chance.choice(kinds)
        make = getattr(self, f"_{kind}_schema", None)
        if make is not None:
            result: dict[str, Any] = make(draft, depth)
            return result
        return {"type": kind}

    def _string_schema(self, draft: str | None, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "string"}
        if self._random.random() < 0.3:
            made["maxLength"] = self._random.randint(0, 4)
        if self._random.random() < 0.2:
            made["minLength"] = self._random.randint(0, 3)
        if self._random.random() < 0.2:
            made["pattern"] = self._random.choice(["^a", "b", "^[a-z ]*$", "c$", "^.{1,3}$"])
        if self._random.random() < 0.2:
            made["format"] = self._random.choice(["date", "email", "uuid", "nobody-knows"])
        return made

    def _number_schema(self, draft: str | None, depth: int) -> dict[str, Any]:
        chance = self._random
        made: dict[str, Any] = {"type": chance.choice(["integer", "number"])}
        if chance.random() < 0.4:
            made["minimum"] = chance.randint(-5, 5)
        if chance.random() < 0.3:
            made["maximum"] = chance.randint(0, 9)
            if chance.random() < 0.5:
                if draft == DRAFTS[0]:
                    made["exclusiveMaximum"] = chance.random() < 0.5
                else:
                    made["exclusiveMaximum"] = made["maximum"]
        if chance.random() < 0.2:
            made["multipleOf"] = chance.choice([1, 2, 3, 0.5])
        return made

    def _enum_schema(self, draft: str | None, depth: int) -> dict[str, Any]:
        values = [self._any(1) for _ in range(self._random.randint(1, 4))]
        return {"enum": list({json.dumps(value): value for value in values}.values())}

    def _const_schema(self, draft: str | None, depth: int) -> dict[str, Any]:
        return {"const": self._any(1)}

    def _object_schema(self, draft: str | None, depth: int) -> dict[str, Any]:
        chance = self._random
        names = chance.sample(NAMES, chance.randint(0, 4))
        made: dict[str, Any] = {
            "type": "object",
            "properties": {name: self._schema(draft, depth - 1) for name in names},
        }
        if names and chance.random() < 0.5:
            made["required"] = chance.sample(names, chance.randint(1, len(names)))
        if chance.random() < 0.3:
            made["additionalProperties"] = False if chance.random() < 0.5 else self._schema(draft, 0)
        if chance.random() < 0.2:
            made["minProperties"] = chance.randint(0, 3)
        if chance.random() < 0.1:
            made["patternProperties"] = {"^x": self._schema(draft, 0)}
        if chance.random() < 0.1 and draft != DRAFTS[0]:
            made["propertyNames"] = {"maxLength": 4}
        return made

    def _array_schema(self, draft: str | None, depth: int) -> dict[str, Any]:
        chance = self._random
        made: dict[str, Any] = {"type": "array", "items": self._schema(draft, depth - 1)}
        if chance.random() < 0.3:
            made["maxItems"] = chance.randint(0, 3)
        if chance.random() < 0.2:
            made["uniqueItems"] = True
        if chance.random() < 0.2 and draft in (DRAFTS[4], None):
            made["prefixItems"] = [self._schema(draft, 0)]
        if chance.random() < 0.2 and draft != DRAFTS[0]:
            made["contains"] = self._schema(draft, 0)
        return made

    def _any_schema(self, draft: str | None, depth: int) -> dict[str, Any]:
        keyword = self._random.choice(["anyOf", "oneOf", "allOf"])
        branches = [self._schema(draft, depth - 1) for _ in range(self._random.randint(1, 3))]
        made: dict[str, Any] = {keyword: branches}
        if self._random.random() < 0.2:
            made["not"] = self._schema(draft, 0)
        return made

    def _several_schema(self, draft: str | None, depth: int) -> dict[str, Any]:
        return {"type": self._random.sample(["string", "integer", "null", "boolean", "object"], 2)}

    def _if_schema(self, draft: str | None, depth: int) -> dict[str, Any]:
        return {
            "if": self._schema(draft, 0),
            "then": self._schema(draft, depth - 1),
            "else": self._schema(draft, depth - 1),
        }

    def _value(self, schema: dict[str, Any]) -> Any:
        """A value that mostly fits."""
        chance = self._random
        for keyword in ("anyOf", "oneOf", "allOf"):
            if keyword in schema:
                return self._value(chance.choice(schema[keyword]))
        if "enum" in schema:
            return chance.choice(schema["enum"])
        if "const" in schema:
            return schema["const"]
        if "then" in schema:
            return self._value(chance.choice([schema["if"], schema["then"], schema["else"]]))
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = chance.choice(kind)
        if kind == "object":
            made = {
                name: self._value(inner)
                for name, inner in schema.get("properties", {}).items()
                if name in schema.get("required", ()) or chance.random() < 0.7
            }
            if chance.random() < 0.2:
                made[chance.choice(("x1", "more"))] = self._any(0)
            return made
        if kind == "array":
            return [self._value(schema["items"]) for _ in range(chance.randint(0, schema.get("maxItems", 3)))]
        if kind == "string":
            return chance.choice(WORDS)
        if kind == "integer":
            return chance.choice([0, 1, -3, 7, 2**31, -(2**63), 2**64 - 1, 3.0])
        if kind == "number":
            return chance.choice([0, 1.5, -2.25, 1e300, 5e-324, 0.1, 3, 1e15])
        return None if kind == "null" else chance.random() < 0.5

    def _spoiled(self, value: Any) -> Any:
        """The value with a small part of it changed."""
        chance = self._random
        if isinstance(value, dict) and value:
            name = chance.choice(sorted(value))
            if chance.random() < 0.3:
                return {key: item for key, item in value.items() if key != name}
            return {**value, name: self._spoiled(value[name])}
        if isinstance(value, list) and value:
            return [*value[:-1], self._spoiled(value[-1])]
        return self._any(1)

    def _any(self, depth: int) -> Any:
        chance = self._random
        kind = chance.randint(0, 7 if depth else 5)
        if kind == 6:
            return [self._any(depth - 1) for _ in range(chance.randint(0, 2))]
        if kind == 7:
            return {chance.choice(NAMES): self._any(depth - 1) for _ in range(chance.randint(0, 2))}
        scalars: list[Any] = [None, True, False, chance.choice([0, 1, -1, 12]), 0.5, chance.choice(WORDS)]
        return scalars[kind]
