# SPDX-License-Identifier: Apache-2.0
"""Which fields rules find in JSON and Protobuf, with what context; encryption of them without a trace of clear text."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from confluent_kafka.schema_registry import RuleMode, Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry._core.codecs.protobuf_files import link, to_text
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import reset_kms_drivers
from confluent_kafka.serialization import SerializationError
from tests.unit.encryption_kit import KEK, World
from tests.unit.rules_kit import EachField, context, rule, schema_with

# isort: split
from google.protobuf.message_factory import GetMessageClass

TAGGED = {"confluent:tags": ["PII"]}
LATEST = {"use.latest.version": True, "auto.register.schemas": False}


@pytest.fixture(autouse=True)
def _no_drivers() -> Iterator[None]:
    reset_kms_drivers()
    yield
    reset_kms_drivers()


def walked(text: Any, value: Any, references: Any = ()) -> tuple[list[tuple[str, str, Any]], Any]:
    """What a rule for PII sees in a value, and what is written when it puts texts into capitals."""
    client = SchemaRegistryClient({"url": "mock://"})
    for name, other in references:
        client.register_schema(name, Schema(json.dumps(other), "JSON"))
    seen: list[tuple[str, str, Any]] = []

    def note(field: Any, item: Any) -> Any:
        seen.append((field.full_name, field.type_name(), item))
        return item.upper() if isinstance(item, str) else item

    registry = RuleRegistry()
    registry.register_executor(EachField("EACH", note))
    one = schema_with([rule("EACH", tags=["PII"], mode=RuleMode.WRITE)], text=text, kind="JSON")
    schema = Schema(
        one.schema_str, "JSON", [SchemaReference(name, name, 1) for name, _ in references], None, one.rule_set
    )
    before = copy.deepcopy(value)
    data = JSONSerializer(schema, client, rule_registry=registry)(value, context())
    assert value == before
    assert data is not None
    return seen, json.loads(data[5:])


def properties(**named: Any) -> dict[str, Any]:
    return {"type": "object", "properties": named}


class TestJson:
    def test_nested(self) -> None:
        schema = properties(
            a={"type": "string", **TAGGED},
            b=properties(c={"type": ["null", "string"], **TAGGED}, d={"type": "string"}),
            e={"type": "array", "items": properties(f={"type": "integer", **TAGGED})},
            g={"type": "array", "items": {"type": "string"}, **TAGGED},
            h={"enum": ["x", "X"], **TAGGED},
        )
        value = {"a": "a", "b": {"c": "c", "d": "d"}, "e": [{"f": 1}, {"f": 2}], "g": ["g", "g"], "h": "x", "z": "z"}
        seen, written = walked(schema, value)
        assert seen == [
            ("$.a", "STRING", "a"),
            ("$.b.c", "STRING", "c"),
            ("$.e.f", "INT", 1),
            ("$.e.f", "INT", 2),
            ("$.g", "STRING", "g"),
            ("$.g", "STRING", "g"),
            ("$.h", "ENUM", "x"),
        ]
        assert written == {**value, "a": "A", "b": {"c": "C", "d": "d"}, "g": ["G", "G"], "h": "X"}
        assert walked(schema, {"b": {"c": None}})[0] == []

    def test_branches(self) -> None:
        number = properties(kind={"const": 1}, x={"type": "string"})
        secret = properties(kind={"const": 2}, x={"type": "string", **TAGGED})
        for name in ("oneOf", "anyOf"):
            schema = properties(v={name: [number, secret]})
            assert walked(schema, {"v": {"kind": 1, "x": "s"}})[0] == []
            assert walked(schema, {"v": {"kind": 2, "x": "s"}})[0] == [("$.v.x", "STRING", "s")]
        both = properties(v={"allOf": [properties(x={"type": "string", **TAGGED}), {"required": ["x"]}]})
        assert walked(both, {"v": {"x": "s"}})[1] == {"v": {"x": "S"}}

    def test_references(self) -> None:
        schema = {
            **properties(a={"$ref": "#/definitions/s"}, b={"$ref": "other.json#/$defs/o"}, c={"$ref": "other.json"}),
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": {"s": properties(x={"type": "string", **TAGGED})},
        }
        other = {
            **properties(y={"type": "string", **TAGGED}),
            "$defs": {"o": properties(z={"type": "string", **TAGGED})},
        }
        value = {"a": {"x": "s"}, "b": {"z": "s"}, "c": {"y": "s"}}
        seen, _ = walked(schema, value, [("other.json", other)])
        assert [name for name, _, _ in seen] == ["$.a.x", "$.b.z", "$.c.y"]

    def test_recursion(self) -> None:
        schema = properties(name={"type": "string", **TAGGED}, child={"$ref": "#"})
        value: dict[str, Any] = {"name": "0"}
        for number in range(20):
            value = {"name": str(number), "child": value}
        seen, _ = walked(schema, value)
        assert len(seen) == 21
        assert seen[2][0] == "$.child.child.name"

    def test_what_has_no_name_or_no_type(self) -> None:
        schema = {**properties(a=dict(TAGGED)), "additionalProperties": {"type": "string", **TAGGED}}
        seen, written = walked(schema, {"a": "x", "b": "y", "c": "z"})
        assert written == {"a": "X", "b": "Y", "c": "Z"}
        assert seen[1] == ("$.*", "STRING", "y")

    def test_encryption(self) -> None:
        world = World()
        text = properties(a={"type": "string", **TAGGED}, b={"type": "array", "items": {"type": "string"}, **TAGGED})
        schema = schema_with([rule(tags=["PII"], params=KEK)], text=text, kind="JSON")
        write = JSONSerializer(schema, world.client, rule_registry=world.rules())
        value = {"a": "hidden one", "b": ["hidden two"], "c": "open"}
        data = write(value, context())
        assert data is not None
        assert b"hidden" not in data
        assert b"open" in data
        read = JSONDeserializer(None, schema_registry_client=world.client, rule_registry=world.rules())
        assert read(data, context()) == value
        own = JSONDeserializer(json.dumps(text), schema_registry_client=world.client, rule_registry=world.rules())
        assert own(data, context()) == value
        with pytest.raises(SerializationError, match="type int not supported"):
            write({"a": 5}, context())


PROTO = """
syntax = "proto3";
package shop;
import "confluent/meta.proto";
import "google/protobuf/timestamp.proto";
message Order {
  int32 id = 1 [(confluent.field_meta).tags = "ID"];
  string card = 2 [(confluent.field_meta).tags = "PII"];
  optional string note = 3 [(confluent.field_meta).tags = "PII"];
  bytes photo = 4 [(confluent.field_meta).tags = "PII"];
  repeated string emails = 5 [(confluent.field_meta).tags = "PII"];
  map<string, string> phones = 6 [(confluent.field_meta).tags = "PII"];
  Address address = 7;
  map<string, Address> others = 8;
  repeated Order parts = 9;
  google.protobuf.Timestamp at = 10 [(confluent.field_meta).tags = "TIME"];
  oneof either { string left = 11 [(confluent.field_meta).tags = "PII"]; string right = 12; }
  message Address {
    string street = 1 [(confluent.field_meta).tags = "PII"];
    string city = 2;
  }
}
"""
ORDER = {
    "id": 1,
    "card": "hidden card",
    "note": "hidden note",
    "photo": b"hidden photo",
    "emails": ["hidden a", "hidden b"],
    "phones": {"home": "hidden phone"},
    "address": {"street": "hidden street", "city": "open"},
    "others": {"work": {"street": "hidden other", "city": "open"}},
    "parts": [{"card": "hidden part", "phones": {}}],
    "left": "hidden left",
}


class TestProtobuf:
    def test_walk(self) -> None:
        client = SchemaRegistryClient({"url": "mock://"})
        kind = GetMessageClass(link(PROTO, {}).descriptor.message_types_by_name["Order"])
        seen: list[tuple[str, str]] = []

        def note(field: Any, item: Any) -> Any:
            seen.append((field.full_name, field.type_name()))
            assert field.field_descriptor is not None
            return item.upper() if isinstance(item, str) else item

        registry = RuleRegistry()
        registry.register_executor(EachField("EACH", note))
        text = to_text(kind.DESCRIPTOR.file)
        rules = [rule("EACH", tags=["PII", "TIME"], mode=RuleMode.WRITE)]
        client.register_schema("orders-value", schema_with(rules, text=text, kind="PROTOBUF"))
        message = kind(**ORDER)
        message.at.seconds = 5
        before = kind()
        before.CopyFrom(message)
        data = ProtobufSerializer(kind, client, LATEST, rule_registry=registry)(message, context())
        assert message == before
        read = ProtobufDeserializer(kind, schema_registry_client=client)(data, context())
        assert (read.card, read.note, read.emails[1]) == ("HIDDEN CARD", "HIDDEN NOTE", "HIDDEN B")
        assert (read.phones["home"], read.address.street, read.address.city) == (
            "HIDDEN PHONE",
            "HIDDEN STREET",
            "open",
        )
        assert (read.others["work"].street, read.parts[0].card, read.left) == (
            "HIDDEN OTHER",
            "HIDDEN PART",
            "HIDDEN LEFT",
        )
        assert read.at.seconds == 5
        assert not read.parts[0].HasField("note")
        assert ("shop.Order.phones", "STRING") in seen
        assert ("shop.Order.at", "LONG") in seen
        assert ("shop.Order.photo", "BYTES") in seen
        assert ("shop.Order.Address.street", "STRING") in seen
        assert seen.count(("shop.Order.note", "STRING")) == 1

    def test_encryption(self) -> None:
        world = World()
        kind = GetMessageClass(link(PROTO, {}).descriptor.message_types_by_name["Order"])
        schema = schema_with([rule(tags=["PII"], params=KEK)], text=to_text(kind.DESCRIPTOR.file), kind="PROTOBUF")
        world.client.register_schema("orders-value", schema)
        data = ProtobufSerializer(kind, world.client, LATEST, rule_registry=world.rules())(kind(**ORDER), context())
        assert data is not None
        assert b"hidden" not in data
        assert b"open" in data
        read = ProtobufDeserializer(kind, schema_registry_client=world.client, rule_registry=world.rules())
        # a part without photo has an empty one, which is written encrypted and read back as empty
        assert read(data, context()) == kind(**ORDER)

    def test_types_that_cannot_be_encrypted(self) -> None:
        for tag in ("ID", "TIME"):
            world = World()
            kind = GetMessageClass(link(PROTO, {}).descriptor.message_types_by_name["Order"])
            one = rule(tags=[tag], params=KEK, on_failure="NONE")
            world.client.register_schema(
                "orders-value", schema_with([one], text=to_text(kind.DESCRIPTOR.file), kind="PROTOBUF")
            )
            message = kind(id=7)
            message.at.seconds = 3
            write = ProtobufSerializer(kind, world.client, LATEST, rule_registry=world.rules())
            with pytest.raises(SerializationError, match="not supported for encryption"):
                write(message, context())
