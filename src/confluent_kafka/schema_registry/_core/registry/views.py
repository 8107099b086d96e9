# SPDX-License-Identifier: Apache-2.0
"""How a registry shows a schema: as JSON, in the format that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core import compat
from confluent_kafka.schema_registry._core.registry import failures
from confluent_kafka.schema_registry._core.registry.names import SubjectName
from confluent_kafka.schema_registry.error import SchemaRegistryError

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.memory import MemoryRegistry
    from confluent_kafka.schema_registry._core.models import RegisteredSchema, Schema


def registered(registry: MemoryRegistry, item: RegisteredSchema, fmt: str | None = None) -> dict[str, Any]:
    """Return a version with its subject, number, id and GUID."""
    place = {"subject": item.subject, "version": item.version, "id": item.schema_id, "guid": item.guid}
    return {**place, **content(registry, item, fmt)}


def content(registry: MemoryRegistry, item: RegisteredSchema, fmt: str | None = None) -> dict[str, Any]:
    """Return a schema without its place."""
    return {**_described(item.schema), "schema": text(registry, item, fmt)}


def _described(schema: Schema) -> dict[str, Any]:
    described = schema.to_dict()
    # as the registry does: what is the default, or empty, is left out
    if described.get("schemaType") == "AVRO":
        del described["schemaType"]
    if not described.get("references"):
        described.pop("references", None)
    return described


def text(registry: MemoryRegistry, item: RegisteredSchema, fmt: str | None = None) -> str:
    """Return a schema's text in a format: ``resolved`` (Avro), ``serialized`` (Protobuf), None as it was registered.

    Raises: SchemaRegistryError 422: it cannot be shown so. (Not strict: then it is shown as it was registered.)
    """
    schema = item.schema
    plain = schema.schema_str or ""
    if not fmt or fmt == "default":
        return plain
    name = SubjectName.parse(item.subject)
    try:
        return compat.formatted(schema.schema_type or "AVRO", plain, registry.dependencies(name, schema), fmt)
    except (compat.InvalidSchema, SchemaRegistryError) as e:
        if not registry.strict:
            return plain
        raise failures.unprocessable(f"format {fmt}: {e}") from e
