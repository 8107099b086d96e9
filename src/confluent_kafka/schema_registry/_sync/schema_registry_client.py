# SPDX-License-Identifier: Apache-2.0
"""The synchronous registry client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from confluent_kafka.schema_registry._core.memory import MemoryRegistry
from confluent_kafka.schema_registry._core.options import check_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from confluent_kafka.schema_registry._core.models import (
        Association,
        AssociationCreateOrUpdateRequest,
        AssociationResponse,
        RegisteredSchema,
        Schema,
        ServerConfig,
    )

PROPERTIES = (
    "url",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
    "basic.auth.user.info",
    "proxy",
    "timeout",
    "cache.capacity",
    "cache.latest.ttl.sec",
    "max.retries",
    "retries.wait.ms",
    "retries.max.wait.ms",
    "bearer.auth.credentials.source",
    "bearer.auth.logical.cluster",
    "bearer.auth.identity.pool.id",
    "bearer.auth.token",
    "bearer.auth.client.id",
    "bearer.auth.client.secret",
    "bearer.auth.scope",
    "bearer.auth.issuer.endpoint.url",
    "bearer.auth.issuer.endpoint.query",
    "bearer.auth.custom.provider.function",
    "bearer.auth.custom.provider.config",
)


class SchemaRegistryClient:
    """A client of a Schema Registry. Thread-safe.

    In this version the registry is one in memory, chosen by a URL that begins with ``mock://``: it belongs to this
    client alone, and ends with it.

    Args:
        conf: configuration; ``url`` is needed. Not changed.
    Raises:
        ValueError: ``url`` is missing or no URL, or a property is unknown.
        TypeError: ``url`` is not a str.
        NotImplementedError: the URL is that of a registry on the network.
    """

    def __init__(self, conf: dict[str, Any]) -> None:
        self._conf = conf
        _check(conf)
        self._registry = MemoryRegistry()

    @staticmethod
    def new_client(conf: dict[str, Any]) -> SchemaRegistryClient:
        """Return a client for ``conf``: a :class:`MockSchemaRegistryClient` for a URL that begins with ``mock://``."""
        # here, not above: the other module needs this one
        from confluent_kafka.schema_registry._sync.mock_schema_registry_client import MockSchemaRegistryClient

        url = conf.get("url")
        kind = MockSchemaRegistryClient if isinstance(url, str) and url.startswith("mock://") else SchemaRegistryClient
        return kind(conf)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        exc_traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close connections. What is registered stays."""

    def config(self) -> dict[str, Any]:
        """Return the configuration this client was made with."""
        return self._conf

    def register_schema(self, subject_name: str, schema: Schema, normalize_schemas: bool = False) -> int:
        """Register a schema under a subject, unless it is there already.

        Args:
            subject_name: the subject.
            schema: the schema.
            normalize_schemas: without effect on a registry in memory.
        Returns: the schema's id.
        """
        return int(self.register_schema_full_response(subject_name, schema, normalize_schemas).schema_id or 0)

    def register_schema_full_response(
        self, subject_name: str, schema: Schema, normalize_schemas: bool = False
    ) -> RegisteredSchema:
        """Register a schema as :meth:`register_schema` does; return it with its id, GUID and version."""
        return self._registry.register(subject_name, schema)

    def get_schema(
        self,
        schema_id: int,
        subject_name: str | None = None,
        fmt: str | None = None,
        reference_format: str | None = None,
    ) -> Schema:
        """Return the schema with an id.

        Args:
            schema_id: the id.
            subject_name: without effect on a registry in memory, as the formats.
        Raises:
            SchemaRegistryError: 404: there is none.
        """
        return self._registry.by_id(schema_id).schema

    def get_schema_by_guid(self, guid: str, fmt: str | None = None) -> Schema:
        """Return the schema with a GUID; SchemaRegistryError 404 when there is none."""
        return self._registry.by_guid(guid).schema

    def lookup_schema(
        self,
        subject_name: str,
        schema: Schema,
        normalize_schemas: bool = False,
        fmt: str | None = None,
        deleted: bool = False,
    ) -> RegisteredSchema:
        """Return the version of a subject that has a schema.

        Args:
            subject_name: the subject.
            schema: the schema.
            normalize_schemas: without effect on a registry in memory, as ``fmt``.
            deleted: also look among deleted versions.
        Raises:
            SchemaRegistryError: 404: there is none.
        """
        return self._registry.lookup(subject_name, schema, deleted)

    def get_subjects(
        self,
        subject_prefix: str | None = None,
        deleted: bool = False,
        deleted_only: bool = False,
        offset: int = 0,
        limit: int = -1,
    ) -> list[str]:
        """Return the names of all subjects that begin with ``subject_prefix``; ``limit`` < 0 is all of them."""
        names = self._registry.subjects(deleted, deleted_only)
        return _page([name for name in names if name.startswith(subject_prefix or "")], offset, limit)

    def delete_subject(self, subject_name: str, permanent: bool = False) -> list[int]:
        """Delete a subject; return the numbers of the versions that it had."""
        return self._registry.delete_subject(subject_name, permanent)

    def get_latest_version(self, subject_name: str, fmt: str | None = None) -> RegisteredSchema:
        """Return the latest version of a subject; SchemaRegistryError 404 when there is none."""
        return self._registry.latest(subject_name)

    def get_latest_with_metadata(
        self, subject_name: str, metadata: Mapping[str, str], deleted: bool = False, fmt: str | None = None
    ) -> RegisteredSchema:
        """Return the latest version of a subject that has all these properties in its metadata.

        Args:
            subject_name: the subject.
            metadata: properties, by name.
            deleted: also look among deleted versions.
        Raises:
            SchemaRegistryError: 404: there is none.
        """
        return self._registry.latest_with_metadata(subject_name, metadata, deleted)

    def get_version(
        self,
        subject_name: str,
        version: int | Literal["latest"] = "latest",
        deleted: bool = False,
        fmt: str | None = None,
    ) -> RegisteredSchema:
        """Return one version of a subject.

        Args:
            subject_name: the subject.
            version: its number, or ``latest``.
            deleted: also look among deleted versions.
        Raises:
            SchemaRegistryError: 404: there is none.
        """
        if version in ("latest", -1):
            return self._registry.latest(subject_name, deleted)
        return self._registry.version(subject_name, int(version), deleted)

    def get_versions(
        self,
        subject_name: str,
        deleted: bool = False,
        deleted_only: bool = False,
        offset: int = 0,
        limit: int = -1,
    ) -> list[int]:
        """Return the numbers of a subject's versions; ``limit`` < 0 is all of them."""
        return _page(self._registry.versions(subject_name, deleted, deleted_only), offset, limit)

    def delete_version(self, subject_name: str, version: int, permanent: bool = False) -> int:
        """Delete one version of a subject; return its schema's id. SchemaRegistryError 404 when there is none."""
        return self._registry.delete_version(subject_name, version, permanent)

    def set_config(self, subject_name: str | None = None, config: ServerConfig | None = None) -> Any:
        """Do nothing: a registry in memory has no configuration. ValueError when ``config`` is missing."""
        if config is None:
            raise ValueError("config must be set")

    def get_config(self, subject_name: str | None = None) -> ServerConfig | None:
        """Return None: a registry in memory has no configuration."""
        return None

    def get_associations_by_resource_name(
        self,
        resource_name: str,
        resource_namespace: str,
        resource_type: str | None = None,
        association_types: list[str] | None = None,
        offset: int = 0,
        limit: int = -1,
    ) -> list[Association]:
        """Return the subjects that a resource is bound to.

        Args:
            resource_name: the resource, for example a topic.
            resource_namespace: where it is, for example the id of the Kafka cluster; ``-`` is anywhere.
            resource_type: for example ``topic``; None for any.
            association_types: ``key``, ``value``; None or empty for any.
            offset: number of associations to pass over.
            limit: at most so many; less than 1 is all of them.
        """
        found = self._registry.associations(resource_name, resource_namespace, resource_type, association_types)
        return _page(found, offset, limit or -1)

    def create_association(self, request: AssociationCreateOrUpdateRequest) -> AssociationResponse:
        """Bind subjects to a resource. A schema given with one is registered under its subject."""
        return self._registry.associate(request)

    def delete_associations(
        self,
        resource_id: str,
        resource_type: str | None = None,
        association_types: list[str] | None = None,
        cascade_lifecycle: bool = False,
    ) -> None:
        """Drop what is bound to a resource; ``cascade_lifecycle`` is without effect on a registry in memory."""
        self._registry.dissociate(resource_id, resource_type, association_types)

    def clear_latest_caches(self) -> None:
        """Forget which versions are the latest: a registry in memory needs no such cache."""

    def clear_caches(self) -> None:
        """Forget what was fetched: a registry in memory needs no cache."""


def _page(items: list[Any], offset: int, limit: int) -> list[Any]:
    return items[offset:] if limit < 0 else items[offset : offset + limit]


def _check(conf: Mapping[str, Any]) -> None:
    if not hasattr(conf, "get"):
        raise TypeError(f"expected a configuration dict, not {type(conf).__name__}")
    url = conf.get("url")
    if url is None:
        raise ValueError("Missing required configuration property url")
    if not isinstance(url, str):
        raise TypeError(f"url must be a str, not {type(url).__name__}")
    for one in url.split(","):
        if not one.strip().startswith(("http", "mock")):
            raise ValueError(f"Invalid url {one.strip()}")
    check_names(conf, PROPERTIES)
    if not url.strip().startswith("mock://"):
        # not the URL itself: it may have credentials in it
        raise NotImplementedError(
            "this version of ferrokafka has no HTTP client for Schema Registries yet: use a url that begins with "
            "mock:// for a registry in memory"
        )
