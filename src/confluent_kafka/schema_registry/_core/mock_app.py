# SPDX-License-Identifier: Apache-2.0
"""The REST interface that a registry in memory has for its client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from confluent_kafka.schema_registry._core.memory import MemoryRegistry
from confluent_kafka.schema_registry._core.models import AssociationCreateOrUpdateRequest, Schema
from confluent_kafka.schema_registry.error import SchemaRegistryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class MockApp:
    """Answers requests out of a :class:`MemoryRegistry`."""

    def __init__(self) -> None:
        self._registry = MemoryRegistry()

    def handle(
        self, method: str, path: str, query: Mapping[str, str | Sequence[str]], body: Any = None
    ) -> tuple[int, Any]:
        """Answer a request: status and JSON value."""
        try:
            return 200, self._answer(method, [unquote(part) for part in path.strip("/").split("/")], query, body)
        except SchemaRegistryError as e:
            return e.http_status_code, {"error_code": e.error_code, "message": e.error_message}

    def _answer(self, method: str, path: list[str], query: Mapping[str, Any], body: Any) -> Any:
        registry = self._registry
        flags = {name: query.get(name) == "true" for name in ("deleted", "deleted_only", "permanent")}
        deleted, deleted_only, permanent = flags.values()
        match (method, *path):
            case ("POST", "subjects", subject, "versions"):
                return registry.register(subject, Schema.from_dict(body)).to_dict()
            case ("POST", "subjects", subject):
                return registry.lookup(subject, Schema.from_dict(body), deleted).to_dict()
            case ("GET", "schemas", "ids", number):
                return registry.by_id(int(number)).schema.to_dict()
            case ("GET", "schemas", "guids", guid):
                return registry.by_guid(guid).schema.to_dict()
            case ("GET", "subjects"):
                prefix = query.get("subjectPrefix", "")
                names = [name for name in registry.subjects(deleted, deleted_only) if name.startswith(prefix)]
                return _page(names, query)
            case ("GET", "subjects", subject, "versions"):
                return _page(registry.versions(subject, deleted, deleted_only), query)
            case ("GET", "subjects", subject, "versions", "latest"):
                return registry.latest(subject, deleted).to_dict()
            case ("GET", "subjects", subject, "versions", version):
                return registry.version(subject, int(version), deleted).to_dict()
            case ("GET", "subjects", subject, "metadata"):
                wanted = dict(zip(_list(query.get("key")), _list(query.get("value")), strict=True))
                return registry.latest_with_metadata(subject, wanted, deleted).to_dict()
            case ("DELETE", "subjects", subject):
                return registry.delete_subject(subject, permanent)
            case ("DELETE", "subjects", subject, "versions", version):
                return registry.delete_version(subject, int(version), permanent)
            case (_, "config", *_):
                return None
            case ("GET", "associations", "resources", namespace, name):
                kinds = _list(query.get("associationType"))
                found = registry.associations(name, namespace, query.get("resourceType"), kinds)
                return _page([item.to_dict() for item in found], query)
            case ("POST", "associations"):
                return registry.associate(AssociationCreateOrUpdateRequest.from_dict(body)).to_dict()
            case ("DELETE", "associations", "resources", resource):
                registry.dissociate(resource, query.get("resourceType"), _list(query.get("associationType")))
                return None
            case _:
                raise SchemaRegistryError(404, 404, "HTTP 404 Not Found")


def _list(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _page(items: list[Any], query: Mapping[str, Any]) -> list[Any]:
    offset, limit = int(query.get("offset", 0)), int(query.get("limit", -1))
    return items[offset:] if limit < 0 else items[offset : offset + limit]
