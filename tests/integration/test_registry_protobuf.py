# SPDX-License-Identifier: Apache-2.0
"""Protobuf serializers on a real registry server: what they register is accepted, and enough to read by."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from confluent_kafka.schema_registry import Schema
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from tests.support.apicurio import FETCH_DEADLINE_S, ApicurioRegistry
from tests.support.registry_shells import Shell
from tests.unit.protobuf_kit import AN_ORDER, made, message_class

pytestmark = pytest.mark.timeout(FETCH_DEADLINE_S)
TEXT = """
syntax = "proto3";
package p;
message Other {}
message Note {
  map<string, int32> counts = 1;
  message Part { string text = 1; }
  repeated Part parts = 2;
}
"""


def test_a_class_with_imports(apicurio: ApicurioRegistry, unique: Callable[[str], str]) -> None:
    order = message_class()
    where = SerializationContext(unique("protobuf"), MessageField.VALUE)
    # imports are registered under subjects of this test's own
    conf = {"reference.subject.name.strategy": lambda ctx, file: f"{ctx.topic}:{file.name}"}
    with Shell("sync", {"url": apicurio.url, "timeout": 60}) as writing:
        data = ProtobufSerializer(order, writing.client, conf)(made(order, AN_ORDER), where)
    with Shell("sync", {"url": apicurio.url, "timeout": 60}) as reading:
        assert ProtobufDeserializer(order, schema_registry_client=reading.client)(data, where) == made(order, AN_ORDER)
        assert ProtobufDeserializer(None, None, reading.client, as_dict=True)(data, where) == AN_ORDER


def test_text_without_a_class(apicurio: ApicurioRegistry, unique: Callable[[str], str]) -> None:
    where = SerializationContext(unique("protobuf"), MessageField.VALUE)
    value = {"counts": {"a": 1}, "parts": [{"text": "x"}]}
    with Shell("sync", {"url": apicurio.url, "timeout": 60}) as writing:
        data = ProtobufSerializer(Schema(TEXT, "PROTOBUF"), writing.client, message_name="p.Note")(value, where)
    with Shell("sync", {"url": apicurio.url, "timeout": 60}) as reading:
        assert ProtobufDeserializer(None, None, reading.client, as_dict=True)(data, where) == value
        latest = {"use.latest.version": True, "auto.register.schemas": False}
        assert ProtobufSerializer(None, reading.client, latest, message_name="p.Note")(value, where) == data
