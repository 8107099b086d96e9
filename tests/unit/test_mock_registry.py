# SPDX-License-Identifier: Apache-2.0
"""The registry in memory, its client, and the registry's data classes."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import threading
import uuid
from typing import Any

import pytest

from confluent_kafka.error import Error
from confluent_kafka.schema_registry import (
    Association,
    AssociationCreateOrUpdateInfo,
    AssociationCreateOrUpdateRequest,
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    MetadataTags,
    MockSchemaRegistryClient,
    RegisteredSchema,
    Rule,
    RuleKind,
    RuleMode,
    RuleParams,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SchemaRegistryError,
    ServerConfig,
    error,
    schema_registry_client,
)
from confluent_kafka.schema_registry._sync.mock_schema_registry_client import MockSchemaRegistryClient as SamePath
from confluent_kafka.schema_registry.error import OAuthTokenError

STRING = Schema('{"type": "string"}')
INT = Schema('{"type": "int"}')
LONG = Schema('{"type": "long"}')


@pytest.fixture
def client() -> SchemaRegistryClient:
    return SchemaRegistryClient.new_client({"url": "mock://test"})


def with_properties(**properties: str) -> Schema:
    return Schema('{"type": "int"}', metadata=Metadata(None, MetadataProperties(properties), None))


def test_ways_to_make_one() -> None:
    conf = {"url": "mock://x", "basic.auth.user.info": "user:secret"}
    made = SchemaRegistryClient.new_client(conf)
    assert type(made) is MockSchemaRegistryClient is SamePath
    assert made.config() is conf
    assert schema_registry_client.SchemaRegistryClient is SchemaRegistryClient
    with SchemaRegistryClient({"url": "mock://x"}) as other:
        assert other.register_schema("s", STRING) == 1
        assert made.get_subjects() == []  # each has its own
    other.close()
    assert other.get_subjects() == ["s"]
    assert "secret" not in repr(made)


@pytest.mark.parametrize(
    ("conf", "kind", "text"),
    [
        ({}, ValueError, "Missing required configuration property url"),
        ({"url": 5}, TypeError, "url must be a str, not int"),
        ({"url": "ftp://x"}, ValueError, "Invalid url ftp://x"),
        ({"url": "mock://x", "foo": 1, "b": 2}, ValueError, "Unrecognized properties: foo, b"),
        ({"url": "mock://x", "time_out": 1}, ValueError, "did you mean timeout"),
    ],
)
def test_configuration_errors(conf: Any, kind: type[Exception], text: str) -> None:
    for make in (SchemaRegistryClient, SchemaRegistryClient.new_client):
        with pytest.raises(kind, match=text) as raised:
            make(conf)
        assert "secret" not in str(raised.value)


def test_register_and_read_back(client: SchemaRegistryClient) -> None:
    assert client.register_schema("a", STRING) == 1
    assert client.register_schema("b", STRING) == 2
    assert client.register_schema("a", STRING) == 1
    registered = client.register_schema_full_response("a", INT)
    assert (registered.subject, registered.version, registered.schema_id, registered.schema) == ("a", 2, 3, INT)
    assert str(uuid.UUID(registered.guid)) == registered.guid
    assert client.get_schema(3) == client.get_schema(3, "a") == INT
    assert client.get_schema_by_guid(str(registered.guid)) == INT
    assert client.lookup_schema("a", INT) == registered == client.get_latest_version("a")
    assert client.get_version("a", 2) == client.get_version("a") == client.get_version("a", "latest") == registered
    assert client.get_versions("a") == [1, 2]
    assert client.get_subjects() == ["a", "b"]
    assert client.get_subjects("b") == ["b"]
    assert client.get_subjects(offset=1) == ["b"]
    assert client.get_subjects(limit=1) == ["a"]


def test_what_is_not_there(client: SchemaRegistryClient) -> None:
    client.register_schema("a", STRING)
    for look in (
        lambda: client.get_schema(9),
        lambda: client.get_schema_by_guid("x"),
        lambda: client.lookup_schema("a", INT),
        lambda: client.lookup_schema("z", STRING),
        lambda: client.get_latest_version("z"),
        lambda: client.get_version("a", 4),
        lambda: client.get_version("z"),
        lambda: client.delete_version("a", 4),
        lambda: client.get_latest_with_metadata("a", {"x": "y"}),
    ):
        with pytest.raises(SchemaRegistryError) as raised:
            look()
        assert (raised.value.http_status_code, raised.value.error_code) == (404, 40400)
        assert str(raised.value) == "Schema Not Found (HTTP status code 404, SR code 40400)"
    assert client.get_versions("z") == []
    assert client.delete_subject("z") == []


def test_deleted_versions_can_still_be_read(client: SchemaRegistryClient) -> None:
    for schema in (STRING, INT, LONG):
        client.register_schema("a", schema)
    assert client.delete_version("a", 3) == 3
    assert client.get_latest_version("a").version == 2
    assert client.get_schema(3) == LONG  # messages written with it are still there
    assert client.get_version("a", 3, deleted=True).schema == LONG
    assert client.lookup_schema("a", LONG, deleted=True).version == 3
    assert client.get_versions("a") == [1, 2]
    assert client.get_versions("a", deleted=True) == [1, 2, 3]
    assert client.get_versions("a", deleted_only=True) == [3]
    with pytest.raises(SchemaRegistryError):
        client.delete_version("a", 3)
    assert client.register_schema_full_response("a", LONG).version == 4
    assert client.delete_subject("a") == [1, 2, 4]
    assert client.get_subjects() == []
    assert client.get_subjects(deleted=True) == ["a"]
    assert client.delete_subject("a", permanent=True) == [1, 2, 3, 4]
    assert client.get_subjects(deleted=True) == []
    with pytest.raises(SchemaRegistryError):
        client.get_schema(3)


def test_latest_with_metadata(client: SchemaRegistryClient) -> None:
    first = client.register_schema_full_response("a", with_properties(major="1", x="y"))
    second = client.register_schema_full_response("a", with_properties(major="1"))
    third = client.register_schema_full_response("a", with_properties(major="2"))
    assert client.get_latest_with_metadata("a", {"major": "1"}) == second
    assert client.get_latest_with_metadata("a", {"major": "1", "x": "y"}) == first
    assert client.get_latest_with_metadata("a", {"major": "2"}) == third
    client.delete_version("a", 3)
    with pytest.raises(SchemaRegistryError):
        client.get_latest_with_metadata("a", {"major": "2"})
    assert client.get_latest_with_metadata("a", {"major": "2"}, deleted=True) == third


def test_configuration_is_kept(client: SchemaRegistryClient) -> None:
    client.set_config("a", ServerConfig(compatibility=ConfigCompatibilityLevel.FULL))
    assert client.get_config("a") == ServerConfig(compatibility_level=ConfigCompatibilityLevel.FULL)
    assert client.get_compatibility("a") == "FULL"
    with pytest.raises(ValueError, match="config must be set"):
        client.set_config("a")


def test_caches_can_be_cleared_without_losing_anything(client: SchemaRegistryClient) -> None:
    client.register_schema("a", STRING)
    client.clear_latest_caches()
    client.clear_caches()
    assert client.get_schema(1) == STRING


def test_associations(client: SchemaRegistryClient) -> None:
    wanted = [
        AssociationCreateOrUpdateInfo("s-key", "key"),
        AssociationCreateOrUpdateInfo("s-value", "value", "STRONG", True, STRING),
    ]
    request = AssociationCreateOrUpdateRequest("orders", "cluster-1", "id-1", "topic", wanted)
    answer = client.create_association(request)
    assert (answer.resource_name, answer.resource_id) == ("orders", "id-1")
    assert answer.associations is not None
    assert [(one.subject, one.frozen) for one in answer.associations] == [("s-key", False), ("s-value", True)]
    assert client.get_latest_version("s-value").schema == STRING

    def found(*args: Any, **kwargs: Any) -> list[str | None]:
        return [one.subject for one in client.get_associations_by_resource_name(*args, **kwargs)]

    assert found("orders", "cluster-1") == found("orders", "-") == ["s-key", "s-value"]
    assert found("orders", "cluster-2") == found("other", "-") == []
    assert found("orders", "-", "topic", ["key"]) == ["s-key"]
    assert found("orders", "-", "group") == []
    assert found("orders", "-", offset=1) == ["s-value"]
    assert found("orders", "-", limit=1) == ["s-key"]
    # made again, it replaces
    again = [AssociationCreateOrUpdateInfo("other", "key")]
    client.create_association(AssociationCreateOrUpdateRequest("orders", "cluster-1", "id-1", "topic", again))
    assert found("orders", "-", None, ["key"]) == ["other"]
    client.delete_associations("id-1", association_types=["key"])
    assert found("orders", "-") == ["s-value"]
    client.delete_associations("id-1", "topic")
    assert found("orders", "-") == []


def test_many_threads_register_at_once(client: SchemaRegistryClient) -> None:
    schemas = [Schema(f'{{"type": "fixed", "name": "F", "size": {n}}}') for n in range(1, 41)]
    ids: list[list[int]] = []
    threads = [
        threading.Thread(target=lambda: ids.append([client.register_schema("a", schema) for schema in schemas]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(ids) == 8
    assert ids.count(ids[0]) == 8
    assert sorted(ids[0]) == list(range(1, 41)) == client.get_versions("a")


RULE = Rule(
    "n", "d", RuleKind.TRANSFORM, RuleMode.WRITE, "ENCRYPT", ["a"], RuleParams({"a": "b"}), "e", None, None, False
)
RULES = RuleSet([], [RULE], [], None)
METADATA = Metadata(MetadataTags({"a": ["b"]}), MetadataProperties({"x": "y"}), ["s"])
FULL = Schema("x", "JSON", [SchemaReference("a", "b", 1)], METADATA, RULES)
FULL_JSON = {
    "schema": "x",
    "schemaType": "JSON",
    "references": [{"name": "a", "subject": "b", "version": 1}],
    "metadata": {"tags": {"a": ["b"]}, "properties": {"x": "y"}, "sensitive": ["s"]},
    "ruleSet": {
        "migrationRules": [],
        "domainRules": [
            {
                "name": "n",
                "doc": "d",
                "kind": "TRANSFORM",
                "mode": "WRITE",
                "type": "ENCRYPT",
                "tags": ["a"],
                "params": {"a": "b"},
                "expr": "e",
                "disabled": False,
            }
        ],
        "encodingRules": [],
    },
}


def test_schema_as_json() -> None:
    assert FULL.to_dict() == FULL_JSON
    assert Schema.from_dict(FULL_JSON) == FULL
    assert Schema("{}").to_dict() == {"schema": "{}", "schemaType": "AVRO", "references": []}
    assert Schema.from_dict({}) == Schema(None)
    registered = RegisteredSchema("s", 1, 2, "g", FULL)
    assert registered.to_dict() == {**FULL_JSON, "id": 2, "guid": "g", "subject": "s", "version": 1}
    assert RegisteredSchema.from_dict({**registered.to_dict(), "unknown": 5}) == registered


def test_other_classes_as_json() -> None:
    assert RuleSet.from_dict({}) == RuleSet([], [], [])
    assert Metadata.from_dict({}) == Metadata(None, None, [])
    assert Metadata(None, None, None).to_dict() == {}
    assert Rule.from_dict({}) == Rule(*[None] * 11)
    config = ServerConfig(ConfigCompatibilityLevel.FULL, default_metadata=METADATA)
    assert config.to_dict() == {"compatibility": "FULL", "defaultMetadata": METADATA.to_dict()}
    assert ServerConfig.from_dict({"compatibilityLevel": "NONE"}).compatibility_level is ConfigCompatibilityLevel.NONE
    assert Association.from_dict({}).frozen is False
    association = Association("s", "g", "rn", "rs", "rid", "topic", "value")
    assert association.to_dict()["resourceNamespace"] == "rs"
    request = AssociationCreateOrUpdateRequest("rn", associations=[AssociationCreateOrUpdateInfo("s", schema=FULL)])
    assert request.to_dict() == {"resourceName": "rn", "associations": [{"subject": "s", "schema": FULL_JSON}]}
    assert AssociationCreateOrUpdateRequest.from_dict(request.to_dict()) == request
    with pytest.raises(ValueError, match="zz"):
        Rule.from_dict({"kind": "zz"})
    for wrong in ({"metadata": 5}, {"ruleSet": "x"}):
        with pytest.raises(TypeError):
            Schema.from_dict(wrong)


@pytest.mark.parametrize("value", [FULL, RULE, RULES, METADATA, RegisteredSchema("s", 1, 2, "g", FULL)])
def test_values_pickle_copy_hash_and_cannot_be_changed(value: Any) -> None:
    for same in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
        assert same == value
        assert hash(same) == hash(value)
    with pytest.raises(AttributeError):
        setattr(value, dataclasses.fields(value)[0].name, "x")


def test_schema_equality_looks_at_references_and_hash_does_not() -> None:
    plain, referring = Schema("x"), Schema("x", references=[SchemaReference("a", "b", 1)])
    assert plain != referring
    assert hash(plain) == hash(referring)
    assert plain.references is not Schema("x").references


def test_errors() -> None:
    failed = SchemaRegistryError(404, SchemaRegistryError.UNKNOWN, "gone")
    assert isinstance(failed, Error)
    assert repr(failed) == str(failed) == "gone (HTTP status code 404, SR code -1)"
    same = pickle.loads(pickle.dumps(failed))
    assert (same.http_status_code, same.error_code, same.error_message) == (404, -1, "gone")
    token = pickle.loads(pickle.dumps(OAuthTokenError("no token", 500, "oops")))
    assert isinstance(token, Error)
    assert (token.message, token.status_code, token.response_text) == ("no token", 500, "oops")
    assert str(token) == "no token (HTTP 500): oops"
    assert issubclass(error.SchemaParseException, Exception)
    assert issubclass(error.UnknownType, Exception)
    with pytest.raises(AttributeError, match="nothing"):
        error.nothing  # noqa: B018  # it is the look-up that raises
