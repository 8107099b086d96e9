# SPDX-License-Identifier: Apache-2.0
"""A registry in memory."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confluent_kafka.schema_registry._core.models import (
    Association,
    AssociationInfo,
    AssociationResponse,
    RegisteredSchema,
)
from confluent_kafka.schema_registry._core.subject import NAMESPACE_WILDCARD
from confluent_kafka.schema_registry.error import SchemaRegistryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from confluent_kafka.schema_registry._core.models import AssociationCreateOrUpdateRequest, Schema


@dataclass(slots=True)
class _Entry:
    registered: RegisteredSchema
    version: int
    deleted: bool = False


def not_found() -> SchemaRegistryError:
    """Return what every look-up that finds nothing raises."""
    return SchemaRegistryError(404, 40400, "Schema Not Found")


class MemoryRegistry:
    """Subjects with their versions, and associations. Thread-safe.

    Ids count from 1 through all subjects: a schema under two subjects has two ids. Schemas are the same when they are
    equal as objects; their text is not looked into, so nothing is normalized and compatibility is not checked.
    A deleted version can still be read by its id, GUID, or with ``deleted=True``, until it is deleted permanently.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subjects: dict[str, list[_Entry]] = {}
        self._by_id: dict[int, RegisteredSchema] = {}
        self._by_guid: dict[str, RegisteredSchema] = {}
        self._associations: list[Association] = []
        self._last_id = 0

    def register(self, subject: str, schema: Schema) -> RegisteredSchema:
        """Return the subject's version with this schema, made if there is none."""
        with self._lock:
            entries = self._subjects.setdefault(subject, [])
            for entry in entries:
                if not entry.deleted and entry.registered.schema == schema:
                    return entry.registered
            self._last_id += 1
            version = entries[-1].version + 1 if entries else 1
            registered = RegisteredSchema(subject, version, self._last_id, str(uuid.uuid4()), schema)
            entries.append(_Entry(registered, version))
            self._by_id[self._last_id] = registered
            self._by_guid[str(registered.guid)] = registered
            return registered

    def by_id(self, schema_id: int) -> RegisteredSchema:
        """Return the schema with an id."""
        with self._lock:
            return _found(self._by_id.get(schema_id))

    def by_guid(self, guid: str) -> RegisteredSchema:
        """Return the schema with a GUID."""
        with self._lock:
            return _found(self._by_guid.get(str(guid)))

    def lookup(self, subject: str, schema: Schema, deleted: bool) -> RegisteredSchema:
        """Return the latest version of the subject that has this schema."""
        with self._lock:
            same = (item for item in self._newest_first(subject, deleted) if item.schema == schema)
            return _found(next(same, None))

    def latest(self, subject: str, deleted: bool = False) -> RegisteredSchema:
        """Return the latest version of a subject."""
        with self._lock:
            return _found(next(self._newest_first(subject, deleted), None))

    def latest_with_metadata(self, subject: str, properties: Mapping[str, str], deleted: bool) -> RegisteredSchema:
        """Return the latest version of a subject whose metadata has all these properties."""
        with self._lock:
            for item in self._newest_first(subject, deleted):
                metadata = item.schema.metadata
                own = {} if metadata is None or metadata.properties is None else metadata.properties.properties
                if properties.items() <= own.items():
                    return item
            raise not_found()

    def version(self, subject: str, version: int, deleted: bool) -> RegisteredSchema:
        """Return one version of a subject."""
        with self._lock:
            same = (item for item in self._newest_first(subject, deleted) if item.version == version)
            return _found(next(same, None))

    def versions(self, subject: str, deleted: bool, deleted_only: bool) -> list[int]:
        """Return the numbers of a subject's versions, lowest first."""
        with self._lock:
            return [entry.version for entry in self._subjects.get(subject, ()) if _listed(entry, deleted, deleted_only)]

    def subjects(self, deleted: bool, deleted_only: bool) -> list[str]:
        """Return the names of the subjects that have versions, in the order they were made."""
        with self._lock:
            return [
                subject
                for subject, entries in self._subjects.items()
                if any(_listed(entry, deleted, deleted_only) for entry in entries)
            ]

    def delete_subject(self, subject: str, permanent: bool) -> list[int]:
        """Delete all versions of a subject; return their numbers."""
        with self._lock:
            entries = [entry for entry in self._subjects.get(subject, ()) if permanent or not entry.deleted]
            for entry in entries:
                self._delete(subject, entry, permanent)
            return [entry.version for entry in entries]

    def delete_version(self, subject: str, version: int, permanent: bool) -> int:
        """Delete one version of a subject; return its schema's id."""
        with self._lock:
            for entry in self._subjects.get(subject, ()):
                if entry.version == version and (permanent or not entry.deleted):
                    self._delete(subject, entry, permanent)
                    return int(entry.registered.schema_id or 0)
            raise not_found()

    def associate(self, request: AssociationCreateOrUpdateRequest) -> AssociationResponse:
        """Bind subjects to a resource; schemas in the request are registered."""
        made = []
        for wanted in request.associations or ():
            guid = None
            if wanted.schema is not None and wanted.subject is not None:
                guid = self.register(wanted.subject, wanted.schema).guid
            association = Association(
                wanted.subject,
                guid,
                request.resource_name,
                request.resource_namespace,
                request.resource_id,
                request.resource_type,
                wanted.association_type,
                bool(wanted.frozen),
            )
            with self._lock:
                same = (request.resource_id, request.resource_type, wanted.association_type)
                self._associations = [
                    item
                    for item in self._associations
                    if (item.resource_id, item.resource_type, item.association_type) != same
                ]
                self._associations.append(association)
            info = AssociationInfo(
                wanted.subject, wanted.association_type, wanted.lifecycle, association.frozen, wanted.schema
            )
            made.append(info)
        return AssociationResponse(
            request.resource_name, request.resource_namespace, request.resource_id, request.resource_type, made
        )

    def associations(
        self, name: str, namespace: str, resource_type: str | None, types: Sequence[str] | None
    ) -> list[Association]:
        """Return the associations of the resources with a name; namespace ``-`` stands for all."""
        with self._lock:
            return [
                item
                for item in self._associations
                if item.resource_name == name
                and (namespace == NAMESPACE_WILDCARD or item.resource_namespace == namespace)
                and (resource_type is None or item.resource_type == resource_type)
                and (not types or item.association_type in types)
            ]

    def dissociate(self, resource_id: str, resource_type: str | None, types: Sequence[str] | None) -> None:
        """Drop associations of a resource."""
        with self._lock:
            self._associations = [
                item
                for item in self._associations
                if item.resource_id != resource_id
                or (resource_type is not None and item.resource_type != resource_type)
                or (types and item.association_type not in types)
            ]

    def _newest_first(self, subject: str, deleted: bool) -> Iterator[RegisteredSchema]:
        for entry in reversed(self._subjects.get(subject, ())):
            if deleted or not entry.deleted:
                yield entry.registered

    def _delete(self, subject: str, entry: _Entry, permanent: bool) -> None:
        entry.deleted = True
        if permanent:
            self._subjects[subject].remove(entry)
            self._by_id.pop(int(entry.registered.schema_id or 0), None)
            self._by_guid.pop(str(entry.registered.guid), None)


def _found(registered: RegisteredSchema | None) -> RegisteredSchema:
    if registered is None:
        raise not_found()
    return registered


def _listed(entry: _Entry, deleted: bool, deleted_only: bool) -> bool:
    return entry.deleted if deleted_only else deleted or not entry.deleted
