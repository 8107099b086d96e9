# SPDX-License-Identifier: Apache-2.0
"""Both registry clients on a real registry server, for every call that it has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest

from confluent_kafka.schema_registry import (
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    Rule,
    RuleKind,
    RuleMode,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaRegistryError,
    ServerConfig,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from tests.support.apicurio import FETCH_DEADLINE_S, ApicurioRegistry
from tests.support.registry_shells import KINDS, Shell

# the first test on a machine waits for the download
pytestmark = pytest.mark.timeout(FETCH_DEADLINE_S)
Unique = Callable[[str], str]


def record(name: str, *fields: str) -> Schema:
    return Schema(f'{{"type":"record","name":"{name}","fields":[{",".join(fields)}]}}')


A = '{"name":"a","type":"int"}'
B = '{"name":"b","type":"int","default":1}'


@pytest.fixture(params=KINDS)
def registry(request: pytest.FixtureRequest, apicurio: ApicurioRegistry) -> Iterator[Shell]:
    # whatever of the machine's other work slows the server down
    with Shell(request.param, {"url": apicurio.url, "timeout": 60}) as shell:
        yield shell


@pytest.fixture
def fresh(apicurio: ApicurioRegistry) -> Iterator[Shell]:
    """A client that has not seen anything."""
    with Shell("sync", {"url": apicurio.url, "timeout": 60}) as shell:
        yield shell


def test_register_and_read_back(registry: Shell, fresh: Shell, unique: Unique) -> None:
    subject, name = unique("subject"), unique("R").replace("-", "_")
    first, second = record(name, A), record(name, A, B)
    number = registry.register_schema(subject, first)
    assert registry.register_schema(subject, first) == number
    assert fresh.register_schema(subject, first) == number
    registered = registry.register_schema_full_response(subject, second)
    assert (registered.subject, registered.schema) == (subject, second)
    assert registered.schema_id != number
    assert fresh.get_schema(number) == fresh.get_schema(number, subject) == first
    assert fresh.lookup_schema(subject, second).version == 2
    assert fresh.get_versions(subject) == [1, 2]
    assert fresh.get_version(subject, 1).schema == first
    for latest in (registry.get_latest_version(subject), registry.get_version(subject)):
        assert (latest.version, latest.schema_id, latest.schema) == (2, registered.schema_id, second)
    assert [(v.subject, v.version) for v in registry.get_schema_versions(number)] == [(subject, 1)]
    assert subject in registry.get_subjects()
    assert sorted(registry.get_schema_types()) == ["AVRO", "JSON", "PROTOBUF"]
    assert ":.:" in registry.get_contexts()


@pytest.mark.parametrize("name", ["a/b ü%&?#", ":.context:s", "x+y=z;v@w"])
def test_subjects_with_any_name(registry: Shell, unique: Unique, name: str) -> None:
    subject = name + unique("")
    registry.register_schema(subject, record("N", A))
    assert subject in registry.get_subjects()
    assert registry.get_latest_version(subject).subject == subject


@pytest.mark.parametrize(
    "schema",
    [
        Schema('{"type":"object","properties":{"a":{"type":"string"}}}', "JSON"),
        Schema('syntax = "proto3";\nmessage M { int32 a = 1; }\n', "PROTOBUF"),
    ],
)
def test_other_formats(registry: Shell, fresh: Shell, unique: Unique, schema: Schema) -> None:
    subject = unique("subject")
    number = registry.register_schema(subject, schema)
    assert fresh.get_schema(number).schema_type == schema.schema_type
    assert fresh.lookup_schema(subject, schema).schema_id == number


def test_references(registry: Shell, fresh: Shell, unique: Unique) -> None:
    inner, outer = unique("inner"), unique("outer")
    name = unique("R").replace("-", "_")
    registry.register_schema(inner, record(name, A))
    schema = Schema(
        f'{{"type":"record","name":"P","fields":[{{"name":"r","type":"{name}"}}]}}',
        "AVRO",
        [SchemaReference(name, inner, 1)],
    )
    number = registry.register_schema(outer, schema)
    assert fresh.get_schema(number) == schema
    assert registry.get_referenced_by(inner, 1) == [number]
    with pytest.raises(SchemaRegistryError) as raised:
        registry.delete_version(inner, 1)
    assert (raised.value.http_status_code, raised.value.error_code) == (422, 42206)


def test_compatibility(registry: Shell, unique: Unique) -> None:
    subject = unique("subject")
    registry.register_schema(subject, record("C", A))
    assert registry.set_compatibility(subject, "backward") == {"compatibilityLevel": "BACKWARD"}
    assert registry.get_compatibility(subject) == "BACKWARD"
    assert registry.get_config(subject).compatibility_level is ConfigCompatibilityLevel.BACKWARD
    good, bad = record("C", A, B), record("C", A, '{"name":"b","type":"int"}')
    assert registry.test_compatibility(subject, good) is True
    assert registry.test_compatibility(subject, bad, 1, verbose=True) is False
    assert registry.test_compatibility_all_versions(subject, good) is True
    assert registry.test_compatibility_all_versions(subject, bad) is False
    with pytest.raises(SchemaRegistryError) as raised:
        registry.register_schema(subject, bad)
    assert raised.value.http_status_code == 409
    assert registry.delete_config(subject).compatibility_level is ConfigCompatibilityLevel.BACKWARD
    registry.set_config(subject, ServerConfig(compatibility=ConfigCompatibilityLevel.NONE))
    assert registry.register_schema(subject, bad)
    assert registry.get_compatibility() in ConfigCompatibilityLevel.__members__


def test_deletion(registry: Shell, fresh: Shell, unique: Unique) -> None:
    subject = unique("subject")
    for fields in ((A,), (A, B)):
        registry.register_schema(subject, record("D", *fields))
    assert registry.get_latest_version(subject).version == 2
    assert registry.delete_version(subject, 2) == 2
    assert fresh.get_versions(subject) == [1]
    assert registry.get_latest_version(subject).version == 1  # not the one remembered
    assert registry.delete_subject(subject) == [1]
    assert registry.delete_subject(subject, permanent=True)
    assert subject not in registry.get_subjects()
    with pytest.raises(SchemaRegistryError) as raised:
        registry.get_latest_version(subject)
    assert raised.value.http_status_code == 404


def test_what_is_not_there(registry: Shell, unique: Unique) -> None:
    subject = unique("subject")
    registry.register_schema(subject, record("W", A))
    none = unique("none")
    codes = []
    for name, arguments in [
        ("get_schema", (999_999_999,)),
        ("get_latest_version", (none,)),
        ("get_versions", (none,)),
        ("get_version", (subject, 9)),
        ("lookup_schema", (none, record("W", A))),
        ("lookup_schema", (subject, record("X", A))),
    ]:
        with pytest.raises(SchemaRegistryError) as raised:
            getattr(registry, name)(*arguments)
        codes.append((raised.value.http_status_code, raised.value.error_code))
    assert codes == [(404, 40403), (404, 40401), (404, 40401), (404, 40402), (404, 40401), (404, 40403)]


def test_a_schema_that_is_none(registry: Shell, unique: Unique) -> None:
    with pytest.raises(SchemaRegistryError) as raised:
        registry.register_schema(unique("subject"), Schema("{broken"))
    assert (raised.value.http_status_code, raised.value.error_code) == (422, 42201)


def test_rules_that_the_registry_drops_are_not_claimed(
    registry: Shell, unique: Unique, caplog: pytest.LogCaptureFixture
) -> None:
    rule = Rule("hide", None, RuleKind.TRANSFORM, RuleMode.WRITE, "ENCRYPT", ["PII"], None, None, None, None, False)
    metadata = Metadata(None, MetadataProperties({"owner": "x"}), [])
    schema = Schema(record("S", A).schema_str, "AVRO", [], metadata, RuleSet([], [rule]))
    caplog.set_level(logging.WARNING)
    registered = registry.register_schema_full_response(unique("subject"), schema)
    assert registered.schema.rule_set is None
    assert registered.schema.metadata is None
    assert "has dropped the ruleSet" in caplog.text


def test_calls_it_does_not_know(registry: Shell) -> None:
    for name, arguments in [
        ("get_global_mode", ()),
        ("get_associations_by_resource_name", ("topic", "-")),
        ("get_associations_by_resource_name", ("other", "-")),
        ("get_schema_by_guid", ("8f6a7b9c-0000-0000-0000-000000000000",)),
    ]:
        with pytest.raises(SchemaRegistryError) as raised:
            getattr(registry, name)(*arguments)
        assert raised.value.http_status_code == 404


def test_a_message_through_serializers(fresh: Shell, unique: Unique) -> None:
    where = SerializationContext(unique("topic"), MessageField.VALUE)
    payload = AvroSerializer(fresh.client, record("Order", A).schema_str)({"a": 7}, where)
    assert AvroDeserializer(fresh.client)(payload, where) == {"a": 7}
