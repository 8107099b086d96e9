# SPDX-License-Identifier: Apache-2.0
"""Random Avro schemas, values that fit them or do not, and later versions of the schemas.

Needs nothing but the standard library: it also runs where the peer's package is installed and ours is not.
"""

from __future__ import annotations

import copy
import datetime as dt
import decimal
import random
import uuid
from typing import Any

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
LOGICAL: tuple[dict[str, Any], ...] = (
    {"type": "int", "logicalType": "date"},
    {"type": "int", "logicalType": "time-millis"},
    {"type": "long", "logicalType": "time-micros"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "long", "logicalType": "timestamp-nanos"},
    {"type": "long", "logicalType": "local-timestamp-millis"},
    {"type": "long", "logicalType": "local-timestamp-micros"},
    {"type": "string", "logicalType": "uuid"},
    {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2},
    {"type": "bytes", "logicalType": "decimal", "precision": 60, "scale": 20},
    {"type": "string", "logicalType": "nobody-knows-this"},
)
ZONES = (dt.timezone.utc, dt.timezone(dt.timedelta(hours=5, minutes=30)), dt.timezone(-dt.timedelta(hours=9)))
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**31, 2**63, -(2**63), 1.5, float("inf"), "", "text", "1.5", "2026-01-02", "\ud800", b"",
    b"ab", bytearray(b"ab"), memoryview(b"ab"), [], [1], {}, {"f0": 1}, {"a": 1}, {1: 2}, {"-type": "n.R0"}, (), (1,),
    ("int", 5), ("string", "x"), {3, 4}, object, dt.date(2026, 1, 2), dt.time(1, 2, 3),
    dt.datetime(2026, 1, 2, 3, 4, 5, 6789, tzinfo=dt.timezone.utc), decimal.Decimal("1.25"), decimal.Decimal("1.234"),
    decimal.Decimal("NaN"), decimal.Decimal("12345678901.5"), uuid.UUID(int=7),
)  # fmt: skip


class Generator:
    """Schemas and values out of a source of random numbers."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._names: dict[str, dict[str, Any]] = {}
        self._open: list[str] = []

    def schema(self, depth: int = 3) -> Any:
        """Return a schema; types that were named before may be used again."""
        rng = self._rng
        kinds = ["primitive"] * 3 + ["logical"] * 2
        if depth > 0:
            kinds += ["array", "map", "record", "record", "record", "union", "union", "enum", "fixed", "named", "named"]
        kind = rng.choice(kinds)
        if kind == "primitive":
            name = rng.choice(PRIMITIVES)
            return name if rng.random() < 0.8 else {"type": name}
        if kind == "logical":
            return dict(rng.choice(LOGICAL))
        if kind == "array":
            return {"type": "array", "items": self.schema(depth - 1)}
        if kind == "map":
            return {"type": "map", "values": self.schema(depth - 1)}
        if kind == "union":
            return self._union(depth)
        if kind == "named" and self._names:
            return rng.choice(sorted(self._names))
        return self._named(rng.choice(["record", "record", "enum", "fixed"]), depth)

    def _union(self, depth: int) -> list[Any]:
        branches: list[Any] = []
        taken: set[str] = set()
        for _ in range(self._rng.randint(1, 4)):
            branch = self.schema(depth - 1) if self._rng.random() < 0.7 else "null"
            key = branch_name(branch)
            if isinstance(branch, list) or key in taken:
                continue
            taken.add(key)
            branches.append(branch)
        return branches or ["null"]

    def _named(self, kind: str, depth: int) -> dict[str, Any]:
        rng = self._rng
        name = f"n.{kind[0].upper()}{len(self._names)}"
        made: dict[str, Any] = {"type": kind, "name": name}
        self._names[name] = made
        if kind == "enum":
            made["symbols"] = [f"S{n}" for n in range(rng.randint(1, 4))]
        elif kind == "fixed":
            made["size"] = rng.choice([0, 1, 2, 12])
            if made["size"] == 12 and rng.random() < 0.5:
                made.update(
                    rng.choice([{"logicalType": "duration"}, {"logicalType": "decimal", "precision": 20, "scale": 3}])
                )
        else:
            made["fields"] = fields = []
            self._open.append(name)
            for n in range(rng.randint(0, 5)):
                # a record inside of itself has an end only where it may be missing
                inner = self.schema(depth - 1)
                if contains(inner, set(self._open)) and not ends(inner):
                    inner = ["null", inner] if not isinstance(inner, list) else ["null", "int"]
                field: dict[str, Any] = {"name": f"f{n}", "type": inner}
                if rng.random() < 0.3:
                    default = self._default(inner)
                    if default is not Generator._NO_DEFAULT:
                        field["default"] = default
                fields.append(field)
            self._open.pop()
        return made

    _NO_DEFAULT = object()

    def _default(self, schema: Any) -> Any:
        kind = schema[0] if isinstance(schema, list) else schema
        simple = kind["type"] if isinstance(kind, dict) else kind
        defaults: dict[str, Any] = {
            "null": None, "boolean": True, "int": 7, "long": 8, "float": 1.5, "double": 2.5, "string": "d", "array": [],
            "map": {}, "bytes": "b",
        }  # fmt: skip
        if isinstance(kind, dict) and "logicalType" in kind:
            return Generator._NO_DEFAULT
        if simple == "enum":
            return kind["symbols"][0]
        return defaults.get(simple, Generator._NO_DEFAULT)

    def value(self, schema: Any, depth: int = 6) -> Any:
        """Return a value that fits a schema."""
        rng = self._rng
        if isinstance(schema, list):
            branches = schema if depth > 0 else [branch for branch in schema if ends(branch)] or schema
            branch = rng.choice(branches)
            value = self.value(branch, depth - 1)
            if isinstance(self._resolved(branch), dict) and self._resolved(branch)["type"] == "record":
                style = rng.random()
                if style < 0.2:
                    return (branch_name(branch), value)
                if style < 0.4 and isinstance(value, dict):
                    return {"-type": branch_name(branch), **value}
            return value
        schema = self._resolved(schema)
        if isinstance(schema, str):
            return self._primitive(schema)
        kind = schema["type"]
        logical = schema.get("logicalType")
        if logical is not None:
            made = self._logical(kind, logical, schema)
            if made is not None and rng.random() < 0.9:
                return made
        if kind == "array":
            items = [self.value(schema["items"], depth - 1) for _ in range(rng.randint(0, 3 if depth > 0 else 0))]
            return tuple(items) if rng.random() < 0.1 and depth == 6 else items
        if kind == "map":
            return {
                rng.choice(["", "a", "b", "é"]): self.value(schema["values"], depth - 1)
                for _ in range(rng.randint(0, 3 if depth > 0 else 0))
            }
        if kind == "enum":
            return rng.choice(schema["symbols"])
        if kind == "fixed":
            return rng.randbytes(schema["size"])
        if kind == "record":
            return {
                field["name"]: self.value(field["type"], depth - 1)
                for field in schema["fields"]
                if not ("default" in field and rng.random() < 0.3)
            }
        return self._primitive(kind)

    def _resolved(self, schema: Any) -> Any:
        return self._names.get(schema, schema) if isinstance(schema, str) else schema

    def _primitive(self, kind: str) -> Any:
        rng = self._rng
        if kind == "null":
            return None
        if kind == "boolean":
            return rng.random() < 0.5
        if kind in ("int", "long"):
            bits = rng.choice([1, 7, 8, 14, 31] + ([40, 63] if kind == "long" else []))
            return rng.randint(-(2**bits), 2**bits - 1)
        if kind in ("float", "double"):
            return rng.choice([0.0, -0.5, 1e30, rng.uniform(-1e6, 1e6), float("inf"), 3])
        if kind == "bytes":
            return rng.randbytes(rng.choice([0, 1, 5, 70]))
        return rng.choice(["", "a", "é", "😀", "text" * 20])

    def _logical(self, kind: str, logical: str, schema: dict[str, Any]) -> Any:
        rng = self._rng
        moment = dt.datetime(
            rng.choice([1, 1969, 1970, 2026, 9998]), rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23),
            rng.randint(0, 59), rng.randint(0, 59), rng.choice([0, 1, 999, 1000, 123456, 999999]),
        )  # fmt: skip
        if logical == "date":
            return rng.choice([moment.date(), moment.date().isoformat()])
        if logical.startswith("time-"):
            return moment.time()
        if logical in ("timestamp-millis", "timestamp-micros"):
            # without a zone it is the machine's, whose history C knows only from 1902 on
            return moment.replace(tzinfo=rng.choice(ZONES)) if moment.year != 2026 or rng.random() < 0.7 else moment
        if logical.startswith("local-timestamp-") and not logical.endswith("nanos"):
            return moment.replace(tzinfo=rng.choice((None, *ZONES)))
        if logical == "uuid":
            return rng.choice([uuid.UUID(int=rng.getrandbits(128)), str(uuid.UUID(int=rng.getrandbits(128)))])
        if logical == "decimal":
            digits = rng.randint(1, schema["precision"] - schema["scale"])
            unscaled = rng.randint(-(10**digits) + 1, 10**digits - 1)
            scale = rng.randint(0, schema["scale"])
            made = decimal.Decimal((int(unscaled < 0), tuple(map(int, str(abs(unscaled)))), -scale))
            return abs(made) if made.is_zero() else made
        return None

    def changed(self, value: Any) -> Any:
        """Return a value with something in it that most likely does not fit."""
        rng = self._rng
        value = copy.copy(value)
        if isinstance(value, dict) and value and rng.random() < 0.8:
            key = rng.choice(sorted(value))
            if rng.random() < 0.2:
                del value[key]
            else:
                value[key] = self.changed(value[key])
            return value
        if isinstance(value, list) and value and rng.random() < 0.8:
            place = rng.randrange(len(value))
            value[place] = self.changed(value[place])
            return value
        return rng.choice(ODD)

    def evolved(self, schema: Any) -> Any:
        """Return another version of a schema; not always one that the first can be read as."""
        rng = self._rng
        schema = copy.deepcopy(schema)
        if isinstance(schema, list):
            evolved = [self.evolved(branch) for branch in schema if rng.random() < 0.9]
            # a union's branch is no union
            branches = [branch[-1] if isinstance(branch, list) else branch for branch in evolved]
            rng.shuffle(branches)
            return branches[0] if len(branches) == 1 and rng.random() < 0.5 else (branches or ["null"])
        if isinstance(schema, str) and schema not in PRIMITIVES:
            return schema
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in PRIMITIVES:
            promoted = {
                "int": ["long", "float", "double"], "long": ["float", "double"], "float": ["double"],
                "string": ["bytes"], "bytes": ["string"],
            }.get(kind, [])  # fmt: skip
            roll = rng.random()
            if roll < 0.3 and promoted:
                return rng.choice(promoted)
            if roll < 0.5:
                return ["null", schema] if kind != "null" else ["null", "string"]
            return rng.choice(PRIMITIVES) if roll > 0.95 else schema
        for inner in ("items", "values"):
            if inner in schema:
                schema[inner] = self.evolved(schema[inner])
        if kind == "enum":
            if rng.random() < 0.4:
                schema["symbols"] = [*schema["symbols"][1:], "NEW"]
            if rng.random() < 0.4:
                schema["default"] = schema["symbols"][0]
        if kind == "record":
            self._evolve_fields(schema)
        return schema

    def _evolve_fields(self, schema: dict[str, Any]) -> None:
        rng = self._rng
        fields = []
        for field in schema["fields"]:
            roll = rng.random()
            if roll < 0.15 and not defines(field["type"]):
                continue
            field["type"] = self.evolved(field["type"])
            if "default" in field:
                default = self._default(field["type"])
                del field["default"]
                if default is not Generator._NO_DEFAULT:
                    field["default"] = default
            if roll > 0.85:
                field["aliases"] = [field["name"]]
                field["name"] = f"new_{field['name']}"
            fields.append(field)
        if not any(map(defines, (field["type"] for field in fields))):
            rng.shuffle(fields)
        if rng.random() < 0.3:
            added: list[tuple[Any, Any]] = [("int", 5), ("string", "x"), (["null", "int"], None)]
            kind, default = rng.choice([*added, ({"type": "array", "items": "int"}, [1])])
            fields.append({"name": "added", "type": kind, "default": default})
        if rng.random() < 0.05:
            fields.append({"name": "required", "type": "int"})
        schema["fields"] = fields


def branch_name(schema: Any) -> str:
    """Return what a branch of a union is called."""
    if isinstance(schema, list):
        return "union"
    if isinstance(schema, str):
        return schema
    return str(schema.get("name", schema["type"]))


def contains(schema: Any, names: set[str]) -> bool:
    """Return whether a schema uses one of these types."""
    if isinstance(schema, str):
        return schema in names
    if isinstance(schema, list):
        return any(contains(branch, names) for branch in schema)
    inner = [schema.get("items"), schema.get("values"), *(field["type"] for field in schema.get("fields", ()))]
    return any(contains(part, names) for part in inner if part is not None)


def ends(schema: Any) -> bool:
    """Return whether there is a value of a schema without a named type in it."""
    if isinstance(schema, list):
        return any(ends(branch) for branch in schema)
    if isinstance(schema, str):
        return schema in PRIMITIVES
    return schema["type"] in ("array", "map") or schema["type"] in PRIMITIVES


def defines(schema: Any) -> bool:
    """Return whether a schema defines a named type, which others may use."""
    if isinstance(schema, list):
        return any(defines(branch) for branch in schema)
    if isinstance(schema, str):
        return False
    return "name" in schema or any(defines(schema[inner]) for inner in ("items", "values") if inner in schema)
