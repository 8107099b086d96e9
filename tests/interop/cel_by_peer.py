# SPDX-License-Identifier: Apache-2.0
"""Expressions and rules in CEL, by whichever package runs this.

Usage: cel_by_peer.py evaluate|serialize CASES RESULTS
"""

from __future__ import annotations

import datetime
import json
import sys
import uuid
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from celpy.celparser import CELParseError
from celpy.evaluation import CELEvalError
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    message_factory,
    struct_pb2,
    text_format,
    timestamp_pb2,
    wrappers_pb2,
)

from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode, RuleSet, Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.confluent.type import decimal_pb2, variant_pb2
from confluent_kafka.schema_registry.confluent.type import variant_utils as vu
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.cel.cel_executor import CelExecutor, msg_to_cel
from confluent_kafka.schema_registry.rules.cel.cel_field_executor import CelFieldExecutor
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

LATEST: dict[str, Any] = {"auto.register.schemas": False, "use.latest.version": True}
WHERE = SerializationContext("t", MessageField.VALUE)
_MAKE: dict[str, Any] = {
    "$decimal": Decimal,
    "$time": lambda text: datetime.datetime.fromisoformat(text),
    "$date": datetime.date.fromisoformat,
    "$bytes": bytes.fromhex,
    "$uuid": uuid.UUID,
    "$span": lambda seconds: datetime.timedelta(seconds=seconds),
    "$variant": vu.parse_json,
}


def plain(value: Any) -> Any:
    """Return what JSON stands for in the corpus: {"$decimal": "1.50"} is a decimal."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and next(iter(value)) in _MAKE:
        name, text = next(iter(value.items()))
        return _MAKE[name](text)
    return {name: plain(item) for name, item in value.items()}


def message_class() -> Any:
    """Return a class with a field of every kind, made by hand: neither package's parser has a part in it."""
    field = descriptor_pb2.FieldDescriptorProto
    sub = field.TYPE_MESSAGE
    file = descriptor_pb2.FileDescriptorProto(name="cel_corpus.proto", package="corpus", syntax="proto3")
    uses: tuple[Any, ...] = (timestamp_pb2, duration_pb2, wrappers_pb2, struct_pb2, decimal_pb2, variant_pb2)
    file.dependency.extend(module.DESCRIPTOR.name for module in uses)
    enum = file.enum_type.add(name="Colour")
    for number, label in enumerate(("NONE", "RED")):
        enum.value.add(name=label, number=number)
    message = file.message_type.add(name="All")
    message.oneof_decl.add(name="choice")
    proto = "google.protobuf"
    fields: list[tuple[str, int, str, str]] = [
        ("i32", field.TYPE_INT32, "", ""), ("i64", field.TYPE_INT64, "", ""), ("u32", field.TYPE_UINT32, "", ""),
        ("u64", field.TYPE_FIXED64, "", ""), ("f", field.TYPE_FLOAT, "", ""), ("d", field.TYPE_DOUBLE, "", ""),
        ("b", field.TYPE_BOOL, "", ""), ("s", field.TYPE_STRING, "", ""), ("by", field.TYPE_BYTES, "", ""),
        ("e", field.TYPE_ENUM, "corpus.Colour", ""), ("maybe", field.TYPE_INT32, "", "optional"),
        ("ts", sub, f"{proto}.Timestamp", ""), ("du", sub, f"{proto}.Duration", ""),
        ("w_int", sub, f"{proto}.Int32Value", ""), ("w_text", sub, f"{proto}.StringValue", ""),
        ("w_bool", sub, f"{proto}.BoolValue", ""), ("w_uint", sub, f"{proto}.UInt64Value", ""),
        ("w_double", sub, f"{proto}.DoubleValue", ""), ("w_bytes", sub, f"{proto}.BytesValue", ""),
        ("dec", sub, "confluent.type.Decimal", ""), ("var", sub, "confluent.type.Variant", ""),
        ("child", sub, "corpus.All", ""), ("struct", sub, f"{proto}.Struct", ""),
        ("ri", field.TYPE_INT32, "", "repeated"), ("rs", field.TYPE_STRING, "", "repeated"),
        ("rm", sub, "corpus.All", "repeated"), ("rd", sub, "confluent.type.Decimal", "repeated"),
        ("re", field.TYPE_ENUM, "corpus.Colour", "repeated"), ("c_s", field.TYPE_STRING, "", "choice"),
        ("c_i", field.TYPE_INT32, "", "choice"), ("c_m", sub, "corpus.All", "choice"),
        ("snake_case", field.TYPE_STRING, "", ""),
    ]  # fmt: skip
    maps = [
        ("msi", field.TYPE_STRING, field.TYPE_INT32, ""),
        ("mim", field.TYPE_INT32, field.TYPE_MESSAGE, "corpus.All"),
        ("msd", field.TYPE_STRING, field.TYPE_MESSAGE, "confluent.type.Decimal"),
        ("mbs", field.TYPE_BOOL, field.TYPE_STRING, ""),
        ("mse", field.TYPE_STRING, field.TYPE_ENUM, "corpus.Colour"),
        ("muw", field.TYPE_UINT32, field.TYPE_MESSAGE, f"{proto}.Int32Value"),
    ]

    def add(owner: Any, name: str, number: int, kind: int, type_name: str, how: str = "") -> Any:
        made = owner.field.add(name=name, number=number, type=kind, label=3 if how == "repeated" else 1)
        if type_name:
            made.type_name = f".{type_name}"
        return made

    for number, (name, kind, type_name, how) in enumerate(fields, 1):
        made = add(message, name, number, kind, type_name, how)
        if how == "choice":
            made.oneof_index = 0
        if how == "optional":
            made.proto3_optional = True
            message.oneof_decl.add(name=f"_{name}")
            made.oneof_index = 1
    for number, (name, key, value, type_name) in enumerate(maps, len(fields) + 1):
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        add(entry, "key", 1, key, "")
        add(entry, "value", 2, value, type_name)
        add(message, name, number, field.TYPE_MESSAGE, f"corpus.All.{entry.name}", "repeated")
    pool = descriptor_pool.Default()
    try:
        found = pool.FindMessageTypeByName("corpus.All")
    except KeyError:
        pool.AddSerializedFile(file.SerializeToString())
        found = pool.FindMessageTypeByName("corpus.All")
    return message_factory.GetMessageClass(found)


def given(form: str, value: Any) -> Any:
    return text_format.Parse(value, message_class()()) if form == "PROTOBUF" else plain(value)


def shown(value: Any) -> Any:
    """Return a value of an expression as JSON: kind and text."""
    if isinstance(value, dict) and hasattr(value, "msg"):
        return ["message", text_format.MessageToString(value.msg)]
    if isinstance(value, dict):
        return ["map", sorted(([shown(key), shown(item)] for key, item in value.items()), key=repr)]
    if isinstance(value, list):
        return ["list", [shown(item) for item in value]]
    if isinstance(value, vu.Variant):
        return ["variant", value.to_json()]
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if isinstance(value, datetime.datetime):
        return ["timestamp", value.isoformat()]
    if isinstance(value, datetime.timedelta):
        return ["duration", value / datetime.timedelta(microseconds=1)]
    kinds = {"BoolType": "bool", "IntType": "int", "UintType": "uint", "DoubleType": "double", "StringType": "string"}
    kind = type(value).__name__
    text = str(bool(value)) if kind in ("BoolType", "bool") else str(value)
    return [{"str": "string", **kinds}.get(kind, kind), text]


def outcome(expr: str, args: dict[str, Any]) -> Any:
    rule = Rule("r", None, RuleKind.CONDITION, RuleMode.WRITE, "CEL", None, None, expr, None, None, False)
    context: Any = SimpleNamespace(rule=rule, target=Schema('"string"', "AVRO"))
    try:
        return shown(CelExecutor().execute_rule(context, expr, dict(args)))
    except CELParseError:
        return "no expression"
    except CELEvalError:
        return "no value"
    except (TypeError, KeyError, ValueError, AttributeError, RecursionError, OverflowError) as e:
        return f"{type(e).__name__}"


def evaluate(corpus: Any) -> list[Any]:
    args = [{} if one is None else {"message": msg_to_cel(given(*one))} for one in corpus["messages"]]
    return [outcome(expr, args[number]) for number, expr in corpus["cases"]]


def _schema(case: dict[str, Any], corpus: Any, client: Any, rules: RuleSet) -> Schema:
    if case["format"] != "PROTOBUF":
        return Schema(corpus[case["format"]], case["format"], [], None, rules)
    ProtobufSerializer(message_class(), client, conf={"use.deprecated.format": False})(message_class()(), WHERE)
    first = client.get_latest_version("t-value").schema
    return Schema(first.schema_str, "PROTOBUF", first.references, None, rules)


def written(case: dict[str, Any], corpus: Any) -> Any:
    kind = RuleKind(case["kind"])
    rule = Rule("r", None, kind, RuleMode.WRITE, case["type"], case.get("tags"), None, case["expr"], None, None, False)
    client: Any = SchemaRegistryClient.new_client({"url": "mock://"})
    schema = _schema(case, corpus, client, RuleSet([], [rule]))
    client.register_schema("t-value", schema)
    registry = RuleRegistry()
    for executor in (CelExecutor(), CelFieldExecutor()):
        registry.register_executor(executor)
    value = given(case["format"], case["value"])
    serializer: Any
    try:
        if case["format"] == "AVRO":
            serializer = AvroSerializer(client, None, conf=LATEST, rule_registry=registry)
            return serializer(value, WHERE)[5:].hex()
        if case["format"] == "JSON":
            serializer = JSONSerializer(schema, client, None, conf=LATEST, rule_registry=registry)
            return json.loads(serializer(value, WHERE)[5:])
        conf = {**LATEST, "use.deprecated.format": False}
        serializer = ProtobufSerializer(message_class(), client, conf=conf, rule_registry=registry)
        return text_format.MessageToString(message_class().FromString(serializer(value, WHERE)[6:]))
    except (SerializationError, TypeError, ValueError, AttributeError, KeyError, OverflowError):
        return None  # by the rule, or by the codec for what the rule has made


def main(work: str, source: str, made: str) -> None:
    corpus = json.loads(Path(source).read_text())
    results = evaluate(corpus) if work == "evaluate" else [written(case, corpus) for case in corpus["cases"]]
    Path(made).write_text(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
