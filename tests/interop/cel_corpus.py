# SPDX-License-Identifier: Apache-2.0
"""What test_cel.py asks both clients: expressions alone, on messages, and as rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def _sections() -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for line in Path(__file__).with_name("cel_expressions.txt").read_text().splitlines():
        if line.startswith("## "):
            expressions = made[line[3:]] = []
        else:
            expressions.append(line)
    return made


EXPRESSIONS = _sections()
ALONE, ON_PROTOBUF, ON_DICTS = EXPRESSIONS["alone"], EXPRESSIONS["on protobuf"], EXPRESSIONS["on dicts"]
VARIANT: dict[str, Any] = {"$bytes": "02010000090302000204 0c010578".replace(" ", "")}
KEYS: dict[str, Any] = {"$bytes": "0101000161"}
DICT: dict[str, Any] = {
    "d": {"$decimal": "1.50"},
    "v": {"$variant": '{"a": [1, "x"]}'},
    "vm": {"value": VARIANT, "metadata": KEYS},
    "dt": {"$date": "2020-01-02"},
    "ts": {"$time": "2020-01-02T03:04:05.678901+00:00"},
    "n": None,
    "s": "x",
    "i": 5,
    "u": {"$uuid": "00000000-0000-0000-0000-000000000005"},
    "by": {"$bytes": "0102"},
    "td": {"$span": 5.5},
    "l": [{"$decimal": "1"}, {"$decimal": "2"}],
    "m": {"a": {"$decimal": "3"}},
}
FULL = r"""
i32: 1 i64: 1577836800123 u32: 3 u64: 4 f: 1.5 d: 2.5 b: true s: "x" by: "y" e: RED maybe: 0
ts { seconds: 1577934245 nanos: 678901000 } du { seconds: 61 }
w_int { value: 1 } w_text { value: "w" } w_bool { } w_uint { value: 3 } w_double { value: 2.5 } w_bytes { value: "w" }
dec { value: "\000\226" scale: 2 precision: 3 }
var { metadata: "\001\001\000\001a" value: "\002\001\000\000\t\003\002\000\002\004\014\001\005x" }
child { s: "inner" } struct { fields { key: "k" value { number_value: 1 } } }
ri: 1 ri: 2 rs: "q" rm { s: "r" } rd { value: "\005" scale: 1 } re: NONE re: RED c_i: 5 snake_case: "sn"
msi { key: "a" value: 1 } mim { key: 1 value { s: "mm" } } msd { key: "d" value { value: "\005" scale: 1 } }
mbs { key: true value: "t" } mse { key: "e" value: RED } muw { key: 1 value { value: 7 } }
"""
MESSAGES: list[Any] = [None, ["PROTOBUF", FULL], ["PROTOBUF", ""], ["AVRO", DICT]]
AVRO = """{"type": "record", "name": "R", "namespace": "n", "fields": [
 {"name": "d", "confluent:tags": ["D"],
   "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
 {"name": "od", "default": null,
   "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}]},
 {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-micros"}, "confluent:tags": ["T"]},
 {"name": "dt", "type": {"type": "int", "logicalType": "date"}},
 {"name": "u", "type": {"type": "string", "logicalType": "uuid"}},
 {"name": "s", "type": "string", "confluent:tags": ["S"]},
 {"name": "n", "type": ["null", "string"], "default": null},
 {"name": "by", "type": "bytes", "confluent:tags": ["B"]},
 {"name": "i", "type": "int"},
 {"name": "l", "type": {"type": "array", "items":
   {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}}},
 {"name": "m", "type": {"type": "map", "values": "int"}},
 {"name": "v", "type": {"type": "record", "name": "V", "logicalType": "variant", "fields": [
   {"name": "metadata", "type": "bytes"}, {"name": "value", "type": "bytes"}]}}
]}"""
JSON = """{"type": "object", "title": "R", "properties": {
 "price": {"type": "number", "confluent:tags": ["N"]}, "amount": {"type": "string", "confluent:tags": ["S"]},
 "count": {"type": "integer", "confluent:tags": ["I"]}, "paid": {"type": "boolean"},
 "list": {"type": "array", "items": {"type": "string"}},
 "inner": {"type": "object", "properties": {"a": {"type": "string"}}},
 "maybe": {"type": ["string", "null"]}}}"""
AVRO_VALUES: list[Any] = [
    {
        "d": {"$decimal": "1.50"},
        "od": None,
        "ts": {"$time": "2020-01-02T03:04:05.678901+00:00"},
        "dt": {"$date": "2020-01-02"},
        "u": {"$uuid": "00000000-0000-0000-0000-000000000005"},
        "s": "12.34",
        "n": None,
        "by": {"$bytes": "0102"},
        "i": 5,
        "l": [{"$decimal": "1.25"}],
        "m": {"a": 1},
        "v": {"$variant": '{"a": [1, "x"]}'},
    }
]
JSON_VALUES: list[Any] = [
    {"price": 1.5, "amount": "12.34", "count": 3, "paid": True, "list": ["a"], "inner": {"a": "b"}, "maybe": None},
    {"amount": "no number", "count": 0},
]
_ALL = (
    "'od': message.od, 'ts': message.ts, 'dt': message.dt, 'u': message.u, 's': message.s, 'n': message.n, "
    "'by': message.by, 'i': message.i, 'l': message.l, 'm': message.m, 'v': message.v"
)
AVRO_RULES: list[tuple[str, str, str, list[str] | None]] = [
    ("CEL", "TRANSFORM", "message", None),
    ("CEL", "TRANSFORM", f"{{'d': decimals.add(message.d, 1), {_ALL}}}", None),
    ("CEL", "TRANSFORM", f"{{'d': decimal(message.s), {_ALL}}}", None),
    ("CEL", "TRANSFORM", f"{{'d': decimal('1.505'), {_ALL}}}", None),
    ("CEL", "TRANSFORM", f"{{'d': 'x', {_ALL}}}", None),
    ("CEL", "TRANSFORM", f"{{'d': decimals.round(decimals.div(message.d, 7), 2), {_ALL}}}", None),
    ("CEL", "TRANSFORM", "{'d': message.d}", None),
    ("CEL", "CONDITION", "message.d > decimal(1)", None),
    ("CEL", "CONDITION", "decimals.lt(message.d, 1)", None),
    ("CEL", "CONDITION", "message.od == null || decimals.lt(message.od, 1)", None),
    ("CEL", "CONDITION", "decimals.gt(message.l[0], 1)", None),
    ("CEL", "CONDITION", "message.ts > timestamp('2020-01-01T00:00:00Z')", None),
    ("CEL", "CONDITION", "message.dt == 18263", None),
    ("CEL", "CONDITION", "message.u == '00000000-0000-0000-0000-000000000005'", None),
    ("CEL", "CONDITION", "variants.as(variants.path(message.v, '$.a[0]'), 'int') == 1", None),
    ("CEL", "CONDITION", "variants.toJson(message.v) == '{}'", None),
    ("CEL", "CONDITION", "decimals.eq(decimal(message.by, 2), '2.58')", None),
    ("CEL", "CONDITION", "decimal(message.n) == decimal(1)", None),
    ("CEL", "CONDITION", "'%s/%d'.format([message.s, message.i]) == '12.34/5'", None),
    ("CEL_FIELD", "TRANSFORM", "decimals.mul(value, 2)", ["D"]),
    ("CEL_FIELD", "TRANSFORM", "decimals.round(value, 1)", ["D"]),
    ("CEL_FIELD", "TRANSFORM", "name == 's' ; '%s-%s'.format([name, value])", None),
    ("CEL_FIELD", "TRANSFORM", "string(decimals.add(decimal(value), 1))", ["S"]),
    ("CEL_FIELD", "TRANSFORM", "value + message.by", ["B"]),
    ("CEL_FIELD", "TRANSFORM", "message.s + value", ["S"]),
    ("CEL_FIELD", "TRANSFORM", "timestamp(0)", ["T"]),
    ("CEL_FIELD", "TRANSFORM", "value + duration('1h')", ["T"]),
    ("CEL_FIELD", "CONDITION", "decimals.gt(value, 1)", ["D"]),
    ("CEL_FIELD", "CONDITION", "decimals.gt(value, 2)", ["D"]),
    ("CEL_FIELD", "CONDITION", "value > timestamp(0)", ["T"]),
]
JSON_RULES: list[tuple[str, str, str, list[str] | None]] = [
    ("CEL", "TRANSFORM", "dyn(message)", None),
    ("CEL", "TRANSFORM", "{'price': double(decimals.add(decimal(message.amount), 1)), 'count': message.count}", None),
    ("CEL", "TRANSFORM", "{'amount': string(decimals.round(decimal(message.price), 1)), 'list': message.list}", None),
    ("CEL", "TRANSFORM", "{'count': decimal(1)}", None),
    ("CEL", "TRANSFORM", "{'amount': string(timestamp(message.count))}", None),
    ("CEL", "TRANSFORM", "{'amount': variants.toJson(variants.parseJson('[1]'))}", None),
    ("CEL", "TRANSFORM", "{'inner': {'a': 'c'}, 'count': 1}", None),
    ("CEL", "TRANSFORM", "{1: 'x', 'count': 1}", None),
    ("CEL", "CONDITION", "decimals.gt(message.amount, 1)", None),
    ("CEL", "CONDITION", "has(message.price) && decimals.eq(message.price, 1.5)", None),
    ("CEL", "CONDITION", "!has(message.price) || message.price < 2.0", None),
    ("CEL", "CONDITION", "variants.tryParseJson(message.amount) != null", None),
    ("CEL", "CONDITION", "message.maybe == null", None),
    ("CEL_FIELD", "TRANSFORM", "'<%s>'.format([value])", ["S"]),
    ("CEL_FIELD", "TRANSFORM", "double(decimals.mul(value, 2))", ["N"]),
    ("CEL_FIELD", "TRANSFORM", "value + 1", ["I"]),
    ("CEL_FIELD", "CONDITION", "value < 10", ["I"]),
]
PROTOBUF_RULES: list[tuple[str, str, str, list[str] | None]] = [
    ("CEL", "TRANSFORM", expr, None) for expr in EXPRESSIONS["protobuf transforms"]
]
PROTOBUF_RULES += [
    ("CEL", "CONDITION", expr, None)
    for expr in (
        "message.s == 'x'",
        "has(message.child) && has(message.child.s)",
        "decimals.gt(message.dec, 1)",
        "message.ts > timestamp(0)",
        "message.w_int == null",
        "variants.type(message.var) == 'object'",
        "message.du == duration('61s')",
        "message.msi['a'] == 1",
    )
]
PROTOBUF_RULES += [
    ("CEL_FIELD", kind, expr, None)
    for kind, expr in (
        ("TRANSFORM", "name == 'dec' ; decimals.add(value, 1)"),
        ("TRANSFORM", "name == 'dec' ; value"),
        ("TRANSFORM", "name == 'dec' ; 'x'"),
        ("TRANSFORM", "name == 'rd' ; decimals.neg(value)"),
        ("TRANSFORM", "name == 'msd' ; decimals.neg(value)"),
        ("TRANSFORM", "name == 'ts' ; value + duration('1h')"),
        ("TRANSFORM", "name == 'ts' ; timestamp(0)"),
        ("TRANSFORM", "name == 'ts' ; value"),
        ("TRANSFORM", "name == 'ts' ; 5"),
        ("TRANSFORM", "name == 's' ; value + message.snake_case"),
        ("TRANSFORM", "name == 'd' ; value * 2.0"),
        ("TRANSFORM", "name == 'i32' ; value + 1"),
        ("TRANSFORM", "name == 'u32' ; value + 1u"),
        ("TRANSFORM", "typeName == 'STRING' ; '%s!'.format([value])"),
        ("TRANSFORM", "name == 'u32' ; type(value) == uint ? 7u : 8u"),
        ("TRANSFORM", "name == 'u64' ; value + 1"),
        ("TRANSFORM", "name == 'f' ; value + 1.0"),
        ("TRANSFORM", "name == 'by' ; value + b'x'"),
        ("TRANSFORM", "name == 'b' ; !value"),
        ("TRANSFORM", "typeName == 'ENUM' ; 0"),
        ("TRANSFORM", "name == 'value' && typeName == 'INT' ; value + 1"),
        ("TRANSFORM", "name == 'ri' ; value + 1"),
        ("TRANSFORM", "name == 'msi' ; value + 1"),
        ("TRANSFORM", "name == 's' ; message.child.s + fullName"),
        ("TRANSFORM", "name == 's' && has(message.i32) ; 'set'"),
        ("CONDITION", "name != 'u32' || value > 2u"),
        ("CONDITION", "name != 'u32' || value > 2"),
        ("CONDITION", "name != 'dec' || decimals.gt(value, 1)"),
        ("CONDITION", "name != 'ts' || value > timestamp(0)"),
        ("CONDITION", "typeName != 'LONG' || name == 'ts' || value > 0"),
    )
]


def rules() -> list[dict[str, Any]]:
    values: list[tuple[str, list[Any], Any]] = [
        ("AVRO", AVRO_VALUES, AVRO_RULES),
        ("JSON", JSON_VALUES, JSON_RULES),
        ("PROTOBUF", [FULL, ""], PROTOBUF_RULES),
    ]
    return [
        {"format": form, "value": value, "type": type_, "kind": kind, "expr": expr, "tags": tags}
        for form, messages, given in values
        for type_, kind, expr, tags in given
        for value in messages
    ]
