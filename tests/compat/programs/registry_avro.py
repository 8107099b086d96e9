"""Schemas registered, evolved, compared and deleted, and Avro messages written with them.

Usage: registry_avro.py URL
"""

import json
import sys

from confluent_kafka.schema_registry import (
    Metadata,
    MetadataProperties,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SchemaRegistryError,
    ServerConfig,
    record_subject_name_strategy,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.common.schema_registry_client import ConfigCompatibilityLevel
from confluent_kafka.serialization import MessageField, SerializationContext


def order(*fields):
    listed = [{"name": "id", "type": "long"}]
    listed += [{"name": name, "type": kind, **more} for name, kind, more in fields]
    return json.dumps({"type": "record", "name": "Order", "namespace": "shop", "fields": listed})


V1 = Schema(order(), "AVRO")
V2 = Schema(order(("note", ["null", "string"], {"default": None})), "AVRO")
BAD = Schema(order(("must", "string", {})), "AVRO")


def failure(call, *args, **kwargs):
    """What a call that must fail raises."""
    try:
        return ("no error", call(*args, **kwargs))
    except SchemaRegistryError as error:
        return error.http_status_code, error.error_code


def main(url):
    client = SchemaRegistryClient({"url": url, "basic.auth.user.info": "ada:secret"})
    print("types", sorted(client.get_schema_types()))
    print("ids", client.register_schema("orders-value", V1), client.register_schema("orders-value", V2))
    print("again", client.register_schema("orders-value", V1), client.register_schema("copy", V2))
    print("incompatible", failure(client.register_schema, "orders-value", BAD))
    print("test", client.test_compatibility("orders-value", BAD), client.test_compatibility("orders-value", V1))
    print("all", client.test_compatibility_all_versions("orders-value", BAD))
    print("invalid", failure(client.register_schema, "x", Schema('{"type": "nothing"}', "AVRO")))
    print("subjects", client.get_subjects(), client.get_subjects(subject_prefix="c"))
    print("versions", client.get_versions("orders-value"), client.get_versions("copy"))
    print("by id", client.get_schema(2) == V2, client.get_schema(1).schema_type)
    found = client.lookup_schema("orders-value", V2)
    print("lookup", found.subject, found.version, found.schema_id, found.schema == V2)
    latest = client.get_latest_version("orders-value")
    print("latest", latest.version, latest.schema_id, json.loads(latest.schema.schema_str)["fields"][1]["name"])
    print("by guid", client.get_schema_by_guid(latest.guid).schema_str == latest.schema.schema_str)
    print("version", client.get_version("orders-value", 1).schema_id)
    print("not found", failure(client.get_version, "orders-value", 9), failure(client.get_latest_version, "none"))
    print("not found", failure(client.get_schema, 99), failure(client.lookup_schema, "copy", V1))
    print("users", client.get_subjects_by_schema_id(2))
    print("users", sorted((v.subject, v.version) for v in client.get_schema_versions(2)))

    print("level", client.get_compatibility(), failure(client.get_compatibility, "orders-value"))
    print("set", client.set_compatibility("orders-value", "none"), client.get_compatibility("orders-value"))
    print("now compatible", client.register_schema("orders-value", BAD))
    print("wrong level", failure(client.set_compatibility, "orders-value", "some"))
    config = ServerConfig(
        compatibility=ConfigCompatibilityLevel.FULL,
        default_metadata=Metadata(tags=None, properties=MetadataProperties({"owner": "me"}), sensitive=None),
    )
    client.set_config("copy", config)
    read = client.get_config("copy")
    print("config", read.compatibility_level, read.default_metadata.properties.properties)
    client.register_schema("copy", Schema(order(("more", "int", {"default": 1})), "AVRO"))
    found = client.get_latest_with_metadata("copy", {"owner": "me"})
    print("metadata", found.version, found.schema.metadata.properties.properties)
    client.delete_config("copy")
    print("deleted config", failure(client.get_config, "copy"))

    print("mode", client.get_global_mode(), client.update_mode("copy", "READONLY"), client.get_mode("copy"))
    print("read-only", failure(client.register_schema, "copy", V1))
    print("mode", client.delete_mode("copy"), failure(client.get_mode, "copy"))
    client.register_schema(":.dev:orders-value", V1)
    print("contexts", client.get_contexts())

    leaf = Schema(json.dumps({"type": "record", "name": "Leaf", "fields": [{"name": "x", "type": "int"}]}), "AVRO")
    client.register_schema("leaf", leaf)
    tree = {"type": "record", "name": "Tree", "fields": [{"name": "leaf", "type": "Leaf"}]}
    tree_schema = Schema(json.dumps(tree), "AVRO", [SchemaReference("Leaf", "leaf", 1)])
    tree_id = client.register_schema("tree", tree_schema)
    print("referenced by", client.get_referenced_by("leaf", 1) == [tree_id])
    print("referenced", failure(client.delete_subject, "leaf"))
    conf = {"auto.register.schemas": False, "use.latest.version": True}
    conf["subject.name.strategy"] = record_subject_name_strategy
    serializer = AvroSerializer(client, tree_schema, conf=conf)
    client.register_schema("Tree", tree_schema)
    context = SerializationContext("trees", MessageField.VALUE)
    data = serializer({"leaf": {"x": 7}}, context)
    print("tree", data.hex(), AvroDeserializer(client)(data, context))

    serializer = AvroSerializer(client, V2.schema_str)
    context = SerializationContext("orders", MessageField.VALUE)
    data = serializer({"id": 5, "note": "now"}, context)
    print("message", data.hex(), AvroDeserializer(client)(data, context))
    newer = order(("note", ["null", "string"], {"default": None}), ("n", "int", {"default": 3}))
    reader = AvroDeserializer(client, newer)
    print("evolved", reader(data, context))

    print("delete", client.delete_version("orders-value", 3), client.get_versions("orders-value"))
    print("deleted", client.get_versions("orders-value", deleted=True))
    print("hard before soft", failure(client.delete_version, "orders-value", 1, permanent=True))
    print("subject", client.delete_subject("orders-value"), "orders-value" in client.get_subjects())
    print("still by id", client.get_schema(1) == V1)
    print("permanent", client.delete_subject("orders-value", permanent=True))
    print("gone", failure(client.get_versions, "orders-value"))


if __name__ == "__main__":
    main(sys.argv[1])
