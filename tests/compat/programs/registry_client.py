"""Every call of the registry client, plain and awaited: results, errors, data classes.

Usage: registry_client.py URL
"""

import asyncio
import sys

from confluent_kafka.schema_registry import (
    AsyncSchemaRegistryClient,
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    MetadataTags,
    Rule,
    RuleKind,
    RuleMode,
    RuleParams,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    ServerConfig,
)
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.schema_registry_client import (
    AssociationCreateOrUpdateInfo,
    AssociationCreateOrUpdateRequest,
)

A = Schema('{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}')
B = Schema('{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":1}]}')
C = Schema('{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}')
METADATA = Metadata(MetadataTags({"R.a": ["PII"]}), MetadataProperties({"owner": "x", "major": "1"}), ["owner"])
RULE = Rule("r", "doc", RuleKind.CONDITION, RuleMode.WRITE, "CEL", ["t"], RuleParams({"a": "b"}), "true", None, "NONE",
            False)  # fmt: skip
RULED = Schema(A.schema_str, "AVRO", [], METADATA, RuleSet([], [RULE]))
OUTER = '{"type":"record","name":"P","fields":[{"name":"r","type":"R"}]}'


def shown(value):
    """A result without what is random: GUIDs."""
    if isinstance(value, list):
        return [shown(item) for item in value]
    if type(value).__name__ == "SchemaVersion":
        return (value.subject, value.version)
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    if isinstance(value, dict):
        return {key: shown(value[key]) for key in sorted(value) if key not in ("guid", "ts", "deleted")}
    return value


def calls(s):
    """Method, arguments by position, arguments by name; ``s`` begins the subjects' names."""
    yield "get_schema_types", (), {}
    yield "register_schema", (f"{s}-a", A), {}
    yield "register_schema", (f"{s}-a", A), {"normalize_schemas": False}
    yield "register_schema_full_response", (f"{s}-a", B), {"normalize_schemas": True}
    yield "lookup_schema", (f"{s}-a", A), {}
    yield "lookup_schema", (f"{s}-a", A), {"deleted": True}
    yield "lookup_schema", (f"{s}-a", C), {}
    yield "lookup_schema", (f"{s}-none", A), {}
    yield "get_latest_version", (f"{s}-a",), {}
    yield "get_latest_version", (f"{s}-none",), {}
    yield "get_version", (f"{s}-a", 1), {}
    yield "get_version", (f"{s}-a",), {"version": "latest", "deleted": True}
    yield "get_version", (f"{s}-a", 7), {}
    yield "get_versions", (f"{s}-a",), {}
    yield "get_versions", (f"{s}-a", False, False, 1, 5), {}
    yield "get_subjects", (s,), {}
    yield "get_subjects", (), {"subject_prefix": s, "limit": 1}
    yield "get_compatibility", (f"{s}-a",), {}
    yield "get_compatibility", (), {}
    yield "set_compatibility", (f"{s}-a", "full"), {}
    yield "get_compatibility", (f"{s}-a",), {}
    yield "set_compatibility", (f"{s}-a",), {}
    yield "set_compatibility", (f"{s}-a", "nonsense"), {}
    yield "test_compatibility", (f"{s}-a", B), {}
    yield "test_compatibility", (f"{s}-a", C, 1), {"verbose": True}
    yield "test_compatibility_all_versions", (f"{s}-a", C), {"normalize": True}
    yield "register_schema", (f"{s}-a", C), {}
    yield "set_config", (f"{s}-a", ServerConfig(compatibility=ConfigCompatibilityLevel.NONE)), {}
    yield "set_config", (f"{s}-a",), {}
    yield "get_config", (f"{s}-a",), {}
    yield "delete_config", (f"{s}-a",), {}
    yield "register_schema", (f"{s}-r", RULED), {}
    yield "get_latest_version", (f"{s}-r",), {}
    yield "get_latest_with_metadata", (f"{s}-r", {"owner": "x"}), {}
    yield "get_latest_with_metadata", (f"{s}-r", {"owner": "y"}), {"deleted": True}
    yield "register_schema", (f"{s}-p", Schema(OUTER, "AVRO", [SchemaReference("R", f"{s}-a", 1)])), {}
    yield "get_latest_version", (f"{s}-p",), {}
    yield "delete_version", (f"{s}-a", 1), {}
    yield "register_schema", (f"{s}-bad", Schema("{broken")), {}
    yield "get_mode", (f"{s}-a",), {}
    yield "update_mode", (f"{s}-a", "READONLY"), {}
    yield "get_mode", (f"{s}-a",), {}
    yield "delete_mode", (f"{s}-a",), {}
    yield "get_global_mode", (), {}
    yield "update_global_mode", ("READWRITE",), {"force": False}
    yield "get_contexts", (), {}
    yield "register_schema", (f":.ctx:{s} /ü%", A), {}
    yield "get_latest_version", (f":.ctx:{s} /ü%",), {}
    wanted = AssociationCreateOrUpdateRequest(
        f"{s}-topic", "cluster", f"{s}-id", "topic", [AssociationCreateOrUpdateInfo(f"{s}-a", "value", "WEAK", False)]
    )
    yield "create_association", (wanted,), {}
    yield "get_associations_by_resource_name", (f"{s}-topic", "-", "topic", ["key", "value"]), {}
    yield "delete_associations", (f"{s}-id", "topic", ["value"]), {"cascade_lifecycle": False}
    yield "get_associations_by_resource_name", (f"{s}-topic", "-"), {}
    yield "delete_subject", (f"{s}-p",), {}
    yield "delete_subject", (f"{s}-p",), {"permanent": True}
    yield "delete_subject", (f"{s}-p",), {}
    yield "delete_version", (f"{s}-a", 2), {}
    yield "get_versions", (f"{s}-a",), {"deleted": True}
    yield "get_schema", (999999,), {}
    yield "get_schema_by_guid", ("00000000-0000-0000-0000-000000000000",), {}


def tell(name, outcome):
    if isinstance(outcome, SchemaRegistryError):
        outcome = ("SchemaRegistryError", outcome.http_status_code, outcome.error_code, bool(outcome.error_message))
    elif isinstance(outcome, Exception):
        outcome = (type(outcome).__name__, str(outcome))
    else:
        outcome = shown(outcome)
    print(name, outcome)


def plain(url):
    with SchemaRegistryClient({"url": url, "basic.auth.user.info": "ada:secret"}) as client:
        for name, args, kwargs in calls("plain"):
            try:
                tell(name, getattr(client, name)(*args, **kwargs))
            except Exception as e:  # noqa: PERF203
                tell(name, e)
        found = client.get_latest_version("plain-r")
        tell("get_schema", client.get_schema(found.schema_id))
        tell("get_schema", client.get_schema(found.schema_id, "plain-r"))
        tell("get_schema_by_guid", client.get_schema_by_guid(found.guid))
        tell("get_subjects_by_schema_id", client.get_subjects_by_schema_id(found.schema_id))
        tell("get_schema_versions", client.get_schema_versions(found.schema_id, "plain-r", False, 0, -1))
        tell("get_referenced_by", client.get_referenced_by("plain-a", 1))
        client.clear_latest_caches()
        client.clear_caches()


async def awaited(url):
    async with AsyncSchemaRegistryClient({"url": url, "basic.auth.user.info": "ada:secret"}) as client:
        for name, args, kwargs in calls("awaited"):
            try:
                tell(name, await getattr(client, name)(*args, **kwargs))
            except Exception as e:  # noqa: PERF203
                tell(name, e)
        found = await client.get_latest_version("awaited-r")
        tell("get_schema", await client.get_schema(found.schema_id, "awaited-r"))
        tell("get_schema_by_guid", await client.get_schema_by_guid(found.guid))
        await client.clear_latest_caches()
        await client.clear_caches()


plain(sys.argv[1])
asyncio.run(awaited(sys.argv[1]))
