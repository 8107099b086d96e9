# SPDX-License-Identifier: Apache-2.0
"""The asyncio registry client."""

from __future__ import annotations

import time  # tests of existing programs replace sleep by this path
from typing import TYPE_CHECKING, Any, Literal

from confluent_kafka.schema_registry._async.rest import AsyncRestClient
from confluent_kafka.schema_registry._core import ops, warm_start
from confluent_kafka.schema_registry._core.client_caches import ClientCaches
from confluent_kafka.schema_registry._core.rest import segment as _urlencode
from confluent_kafka.schema_registry._core.retry import full_jitter, is_retriable, is_success

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from confluent_kafka.schema_registry._core.models import (
        Association,
        AssociationCreateOrUpdateRequest,
        AssociationResponse,
        RegisteredSchema,
        Schema,
        SchemaVersion,
        ServerConfig,
    )

__all__ = ["AsyncSchemaRegistryClient", "_AsyncRestClient", "_urlencode", "full_jitter", "is_retriable", "is_success"]


class _AsyncRestClient(AsyncRestClient):
    """Takes its pauses by this module's ``full_jitter``, looked up when it is needed."""

    def _jitter(self, base_delay_ms: float, max_delay_ms: float, retries_attempted: int) -> float:
        return full_jitter(base_delay_ms, max_delay_ms, retries_attempted)


class AsyncSchemaRegistryClient:
    """A client of a Schema Registry. It belongs to no event loop: one after the other may use it.

    What never changes is fetched once: schemas by id, GUID, version. While the registry does not answer, what has been
    fetched keeps working, also latest versions beyond their time. Concurrent calls that need the same thing share one
    request. Every request has a time limit, and only a bounded number is under way.

    Args:
        conf: configuration. Not changed.

            ``url``: base URL, or several separated by commas, of which the one that works is used. ``mock://`` is a
            registry in memory, which belongs to this client; ``mock://name?shared=true`` one of the process.

            ``timeout`` (5): seconds for one attempt, None for no limit. ``max.retries`` (3): further attempts, after
            random pauses of at most ``retries.wait.ms`` (1000), doubled each time to at most ``retries.max.wait.ms``
            (20000).

            ``cache.latest.ttl.sec`` (None, for ever): how long a latest version is not asked for again.
            ``cache.capacity`` (1000): number of latest versions kept; of schemas as well if it is more than 10000.

            ``basic.auth.user.info``: ``user:password``; they can stand in the URL too.

            ``bearer.auth.credentials.source``: STATIC_TOKEN, OAUTHBEARER, OAUTHBEARER_AZURE_IMDS or CUSTOM, with their
            ``bearer.auth.*``.

            ``ssl.ca.location`` (False: no verification), ``ssl.certificate.location``, ``ssl.key.location``,
            ``ssl.key.password``, ``proxy``.
    Raises:
        ValueError: a property is missing, wrong or unknown.
        TypeError: a value has the wrong type.

    All calls raise :class:`SchemaRegistryError` when the registry answers with an error, httpx2's ``TransportError``
    when it does not answer, :class:`OAuthTokenError` when no token could be had.
    """

    def __init__(self, conf: dict[str, Any]) -> None:
        self._conf = conf
        self._rest_client = _AsyncRestClient(conf)
        config = self._rest_client.config
        caches = ClientCaches(config.capacity, config.latest_ttl, self._clock)
        self._registry = ops.Registry(self._rest_client.link, caches)
        self._by_id = caches.by_id
        self._caches = caches
        self._run = self._rest_client.run

    @staticmethod
    def _clock() -> float:
        return time.monotonic()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._rest_client.config.urls)})"

    @staticmethod
    def new_client(conf: dict[str, Any]) -> AsyncSchemaRegistryClient:
        """Return a client for ``conf``: a :class:`AsyncMockSchemaRegistryClient` for a URL that begins with ``mock://``."""
        # here, not above: the other module needs this one
        from confluent_kafka.schema_registry._async.mock_schema_registry_client import AsyncMockSchemaRegistryClient

        url = conf.get("url")
        mock = isinstance(url, str) and url.strip().startswith("mock://")
        return AsyncMockSchemaRegistryClient(conf) if mock else AsyncSchemaRegistryClient(conf)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        exc_traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close connections; a later call opens new ones. Any number of times."""
        await self._rest_client.close()

    def config(self) -> dict[str, Any]:
        """Return the configuration this client was made with."""
        return self._conf

    async def register_schema(self, subject_name: str, schema: Schema, normalize_schemas: bool = False) -> int:
        """Register a schema under a subject, unless it is there already.

        Args:
            subject_name: the subject.
            schema: the schema.
            normalize_schemas: have the registry bring it into its normal form before.
        Returns: the schema's id.
        """
        registered = await self._run(ops.register(self._registry, subject_name, schema, normalize_schemas))
        return int(registered.schema_id or 0)

    async def register_schema_full_response(
        self, subject_name: str, schema: Schema, normalize_schemas: bool = False
    ) -> RegisteredSchema:
        """Register a schema as :meth:`register_schema` does; return it with its id, and what else the registry says.

        The schema in it is what the registry has made of ``schema``, its rules above all, if the registry tells.
        """
        return await self._run(ops.register(self._registry, subject_name, schema, normalize_schemas))

    async def get_schema(
        self,
        schema_id: int,
        subject_name: str | None = None,
        fmt: str | None = None,
        reference_format: str | None = None,
    ) -> Schema:
        """Return the schema with an id. Cached.

        Args:
            schema_id: the id.
            subject_name: a subject that has it, for its context and its tags.
            fmt: how the text should be, for example ``resolved`` (Avro) or ``serialized`` (Protobuf).
            reference_format: the same for the references.
        Raises:
            SchemaRegistryError: 404: there is none; remembered for a second.
        """
        if subject_name is None and fmt is None and reference_format is None:
            try:
                return self._by_id[schema_id]
            except KeyError:
                pass
        return await self._run(ops.get_schema(self._registry, schema_id, subject_name, fmt, reference_format))

    async def get_schema_by_guid(self, guid: str, fmt: str | None = None) -> Schema:
        """Return the schema with a GUID; SchemaRegistryError 404 when there is none. Cached."""
        return await self._run(ops.get_schema_by_guid(self._registry, guid, fmt))

    async def get_schema_types(self) -> list[str]:
        """Return the schema types that the registry knows: AVRO, JSON, PROTOBUF."""
        return await self._run(ops.get_schema_types(self._registry))

    async def get_subjects_by_schema_id(
        self, schema_id: int, subject_name: str | None = None, deleted: bool = False, offset: int = 0, limit: int = -1
    ) -> list[str]:
        """Return the subjects that have a schema, by its id.

        Args:
            schema_id: the id.
            subject_name: only this subject.
            deleted: also those where it is deleted.
            offset: number of entries to pass over.
            limit: at most so many; less than 0 is all of them.
        """
        return await self._run(
            ops.get_subjects_by_schema_id(self._registry, schema_id, subject_name, deleted, offset, limit)
        )

    async def get_schema_versions(
        self, schema_id: int, subject_name: str | None = None, deleted: bool = False, offset: int = 0, limit: int = -1
    ) -> list[SchemaVersion]:
        """Return the subjects and versions that have a schema, as :meth:`get_subjects_by_schema_id`."""
        return await self._run(ops.get_schema_versions(self._registry, schema_id, subject_name, deleted, offset, limit))

    async def lookup_schema(
        self,
        subject_name: str,
        schema: Schema,
        normalize_schemas: bool = False,
        fmt: str | None = None,
        deleted: bool = False,
    ) -> RegisteredSchema:
        """Return the version of a subject that has a schema. Cached.

        Args:
            subject_name: the subject.
            schema: the schema.
            normalize_schemas: compare normal forms.
            fmt: how the text should be; without it, it is that of ``schema``.
            deleted: also look among deleted versions.
        Raises:
            SchemaRegistryError: 404: there is none.
        """
        return await self._run(ops.lookup(self._registry, subject_name, schema, normalize_schemas, fmt, deleted))

    async def get_subjects(
        self,
        subject_prefix: str | None = None,
        deleted: bool = False,
        deleted_only: bool = False,
        offset: int = 0,
        limit: int = -1,
    ) -> list[str]:
        """Return the names of all subjects that begin with ``subject_prefix``; ``limit`` < 0 is all of them."""
        return await self._run(ops.get_subjects(self._registry, subject_prefix, deleted, deleted_only, offset, limit))

    async def delete_subject(self, subject_name: str, permanent: bool = False) -> list[int]:
        """Delete a subject; return the numbers of the versions that it had.

        Args:
            subject_name: the subject.
            permanent: also its schemas, which then cannot be read by id any more; the registry wants a deletion
                without ``permanent`` before.
        """
        return await self._run(ops.delete_subject(self._registry, subject_name, permanent))

    async def get_latest_version(self, subject_name: str, fmt: str | None = None) -> RegisteredSchema:
        """Return the latest version of a subject; SchemaRegistryError 404 when there is none.

        Cached for ``cache.latest.ttl.sec``; longer while the registry does not answer.
        """
        hit = self._caches.latest_version(ops.latest_key(subject_name, fmt))
        if hit is not None:
            return hit
        return await self._run(ops.get_latest_version(self._registry, subject_name, fmt))

    async def get_latest_with_metadata(
        self, subject_name: str, metadata: Mapping[str, str], deleted: bool = False, fmt: str | None = None
    ) -> RegisteredSchema:
        """Return the latest version of a subject that has all these properties in its metadata.

        Args:
            subject_name: the subject.
            metadata: properties, by name.
            deleted: also look among deleted versions.
            fmt: as for :meth:`get_schema`.
        Raises:
            SchemaRegistryError: 404: there is none.

        Cached as :meth:`get_latest_version`.
        """
        hit = self._caches.latest_version(ops.metadata_key(subject_name, metadata, deleted, fmt))
        if hit is not None:
            return hit
        return await self._run(ops.get_latest_with_metadata(self._registry, subject_name, metadata, deleted, fmt))

    async def get_version(
        self,
        subject_name: str,
        version: int | Literal["latest"] = "latest",
        deleted: bool = False,
        fmt: str | None = None,
    ) -> RegisteredSchema:
        """Return one version of a subject. Cached, unless it is asked for as ``latest``.

        Args:
            subject_name: the subject.
            version: its number, or ``latest``.
            deleted: also look among deleted versions.
            fmt: as for :meth:`get_schema`.
        Raises:
            SchemaRegistryError: 404: there is none.
        """
        return await self._run(ops.get_version(self._registry, subject_name, version, deleted, fmt))

    async def get_referenced_by(
        self, subject_name: str, version: int | Literal["latest"] = "latest", offset: int = 0, limit: int = -1
    ) -> list[int]:
        """Return the ids of the schemas that refer to a version of a subject; ``limit`` < 0 is all of them."""
        return await self._run(ops.get_referenced_by(self._registry, subject_name, version, offset, limit))

    async def get_versions(
        self,
        subject_name: str,
        deleted: bool = False,
        deleted_only: bool = False,
        offset: int = 0,
        limit: int = -1,
    ) -> list[int]:
        """Return the numbers of a subject's versions; ``limit`` < 0 is all of them."""
        return await self._run(ops.get_versions(self._registry, subject_name, deleted, deleted_only, offset, limit))

    async def delete_version(self, subject_name: str, version: int, permanent: bool = False) -> int:
        """Delete one version of a subject; return its number, a registry in memory: its id.

        ``permanent`` as for :meth:`delete_subject`.
        """
        return await self._run(ops.delete_version(self._registry, subject_name, version, permanent))

    async def set_compatibility(self, subject_name: str | None = None, level: str | None = None) -> Any:
        """Set how new versions must fit those before.

        Args:
            subject_name: the subject; None sets it for all that have no level of their own.
            level: a name of :class:`ConfigCompatibilityLevel`, in any case.
        Returns: the registry's answer, a dict.
        Raises:
            ValueError: ``level`` is missing.
        """
        return await self._run(ops.set_compatibility(self._registry, subject_name, level))

    async def get_compatibility(self, subject_name: str | None = None) -> str:
        """Return the compatibility level of a subject, or the global one."""
        return await self._run(ops.get_compatibility(self._registry, subject_name))

    async def test_compatibility(
        self,
        subject_name: str,
        schema: Schema,
        version: int | Literal["latest"] = "latest",
        normalize: bool = False,
        verbose: bool = False,
    ) -> bool:
        """Return whether a schema could follow one version of a subject.

        Args:
            subject_name: the subject.
            schema: the schema.
            version: the number of the version, or ``latest``.
            normalize: compare normal forms.
            verbose: have the registry say why not, which is to be seen in its answer only.
        """
        return await self._run(
            ops.test_compatibility(self._registry, subject_name, schema, version, normalize, verbose)
        )

    async def test_compatibility_all_versions(
        self, subject_name: str, schema: Schema, normalize: bool = False, verbose: bool = False
    ) -> bool:
        """Return whether a schema could be the next version of a subject, by the subject's level."""
        return await self._run(ops.test_compatibility(self._registry, subject_name, schema, None, normalize, verbose))

    async def set_config(self, subject_name: str | None = None, config: ServerConfig | None = None) -> Any:
        """Set the configuration of a subject, or the global one; return the registry's answer, a dict.

        Raises:
            ValueError: ``config`` is missing.
        """
        return await self._run(ops.set_config(self._registry, subject_name, config))

    async def get_config(self, subject_name: str | None = None) -> ServerConfig | None:
        """Return the configuration of a subject, or the global one; None when the registry has none."""
        return await self._run(ops.get_config(self._registry, subject_name))

    async def delete_config(self, subject_name: str | None = None) -> ServerConfig:
        """Drop the configuration of a subject, or the global one; return what was dropped."""
        return await self._run(ops.delete_config(self._registry, subject_name))

    async def get_mode(self, subject_name: str) -> str:
        """Return the mode of a subject: READWRITE, READONLY, IMPORT, ..."""
        return await self._run(ops.get_mode(self._registry, subject_name))

    async def update_mode(self, subject_name: str, mode: str, force: bool = False) -> str:
        """Set the mode of a subject; return it.

        Args:
            subject_name: the subject.
            mode: READWRITE, READONLY, READONLY_OVERRIDE or IMPORT.
            force: also IMPORT for a subject that has schemas.
        """
        return await self._run(ops.update_mode(self._registry, subject_name, mode, force))

    async def delete_mode(self, subject_name: str) -> str:
        """Have a subject follow the global mode; return the mode it had."""
        return await self._run(ops.delete_mode(self._registry, subject_name))

    async def get_global_mode(self) -> str:
        """Return the mode of subjects that have none of their own."""
        return await self._run(ops.get_mode(self._registry, None))

    async def update_global_mode(self, mode: str, force: bool = False) -> str:
        """Set the mode of subjects that have none of their own, as :meth:`update_mode`."""
        return await self._run(ops.update_mode(self._registry, None, mode, force))

    async def get_contexts(self, offset: int = 0, limit: int = -1) -> list[str]:
        """Return the names of contexts; ``limit`` < 0 is all of them. Subjects in one begin with ``:.name:``."""
        return await self._run(ops.get_contexts(self._registry, offset, limit))

    async def get_associations_by_resource_name(
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
        Raises:
            SchemaRegistryError: 404: there is no such resource, or the registry does not know this call, which is
                remembered for five minutes.
        """
        return await self._run(
            ops.get_associations_by_resource_name(
                self._registry, resource_name, resource_namespace, resource_type, association_types, offset, limit
            )
        )

    async def create_association(self, request: AssociationCreateOrUpdateRequest) -> AssociationResponse:
        """Bind subjects to a resource. A schema given with one is registered under its subject."""
        return await self._run(ops.create_association(self._registry, request))

    async def delete_associations(
        self,
        resource_id: str,
        resource_type: str | None = None,
        association_types: list[str] | None = None,
        cascade_lifecycle: bool = False,
    ) -> None:
        """Drop what is bound to a resource; ``cascade_lifecycle`` also drops subjects that only live for it."""
        await self._run(
            ops.delete_associations(self._registry, resource_id, resource_type, association_types, cascade_lifecycle)
        )

    async def clear_latest_caches(self) -> None:
        """Forget which versions are the latest."""
        self._caches.clear_latest()

    async def clear_caches(self) -> None:
        """Forget everything that was fetched."""
        self._caches.clear()

    async def save_cache(self, path: str | os.PathLike[str]) -> int:
        """Write what was fetched to a file, whole or not at all, for :meth:`load_cache`; no credentials are in it.

        Returns: the number of entries.
        Raises:
            OSError: the file cannot be written.
        """
        return warm_start.save(self._caches, self._rest_client.config.urls, path)

    async def load_cache(self, path: str | os.PathLike[str]) -> int:
        """Read what :meth:`save_cache` wrote, so that a program can start while the registry is away.

        Latest versions count as expired: they are used only while the registry does not answer.

        Returns: the number of entries; 0 when there is no such file.
        Raises:
            ValueError: the file is damaged, of another version, or of another registry.
        """
        return warm_start.load(self._caches, self._rest_client.config.urls, path)
