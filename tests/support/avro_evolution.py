# SPDX-License-Identifier: Apache-2.0
"""Pairs of Avro schemas, of which one reads what the other wrote, or cannot."""

from __future__ import annotations

from typing import Any


def record(*fields: Any, name: str = "R", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, kind: Any = "int", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def enum(*symbols: str, name: str = "E", **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


NODE = record(field("next", ["null", "R"], default=None), field("v"))
LONG_NODE = record(field("next", ["null", "R"], default=None), field("v", "long"))

FITTING = [
    ("long", "int"),
    ("float", "int"),
    ("double", "int"),
    ("float", "long"),
    ("double", "long"),
    ("double", "float"),
    ("string", "bytes"),
    ("bytes", "string"),
    ({"type": "array", "items": "long"}, {"type": "array", "items": "int"}),
    ({"type": "map", "values": "long"}, {"type": "map", "values": "int"}),
    (record(field("a"), field("b", default=1)), record(field("a"))),
    (record(field("a")), record(field("a"), field("b"))),
    (record(field("new", aliases=["old"])), record(field("old"))),
    (record(field("a"), name="New", aliases=["R"]), record(field("a"))),
    (record(field("a"), name="n.New", aliases=["m.R"]), record(field("a"), namespace="m")),
    (record(field("a"), namespace="x"), record(field("a"), namespace="y")),
    (enum("A", "B"), enum("A")),
    (enum("A", default="A"), enum("A", "B")),
    (["null", "int"], "int"),
    (["null", "long"], "int"),
    (["null", "int", "string"], ["int", "null"]),
    ("long", ["int", "long"]),
    ({"type": "fixed", "name": "F", "size": 4}, {"type": "fixed", "name": "F", "size": 4}),
    (LONG_NODE, NODE),
    ({"type": "int", "logicalType": "date"}, "int"),
    (record(field("r", record(field("x", default=0), name="In"))), record(field("r", record(name="In")))),
    ([], []),
]
UNFIT = [
    ("int", "long", "TYPE_MISMATCH"),
    ("int", "string", "TYPE_MISMATCH"),
    ("null", "int", "TYPE_MISMATCH"),
    ({"type": "array", "items": "int"}, {"type": "map", "values": "int"}, "TYPE_MISMATCH"),
    ({"type": "array", "items": "int"}, {"type": "array", "items": "long"}, "TYPE_MISMATCH"),
    (record(field("a"), field("b")), record(field("a")), "READER_FIELD_MISSING_DEFAULT_VALUE"),
    (record(field("a", "int")), record(field("a", "string")), "TYPE_MISMATCH"),
    (record(name="Other"), record(), "NAME_MISMATCH"),
    (enum("A"), enum("A", "B"), "MISSING_ENUM_SYMBOLS"),
    (enum("A", name="Other"), enum("A"), "NAME_MISMATCH"),
    ("int", ["int", "string"], "MISSING_UNION_BRANCH"),
    (["null", "int"], "string", "MISSING_UNION_BRANCH"),
    (["null", "int"], ["null", "string"], "MISSING_UNION_BRANCH"),
    ({"type": "fixed", "name": "F", "size": 4}, {"type": "fixed", "name": "F", "size": 5}, "FIXED_SIZE_MISMATCH"),
    ({"type": "fixed", "name": "F", "size": 4}, "bytes", "TYPE_MISMATCH"),
    (NODE, LONG_NODE, "TYPE_MISMATCH"),
    (record(field("r", record(field("x"), name="In"))), record(field("r", record(name="In"))),
     "READER_FIELD_MISSING_DEFAULT_VALUE"),
]  # fmt: skip
