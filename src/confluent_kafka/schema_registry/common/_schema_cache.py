# SPDX-License-Identifier: Apache-2.0
"""The client's caches by the names that existing code looks into them with."""

from __future__ import annotations

import threading
import time

from confluent_kafka.schema_registry._core.client_caches import MIN_SCHEMAS, ClientCaches
from confluent_kafka.schema_registry._core.models import RegisteredSchema, Schema


class _SchemaCache:
    """A view of a client's caches; without an argument, of new ones."""

    def __init__(self, caches: ClientCaches | None = None) -> None:
        self.lock = threading.Lock()
        self._caches = caches or ClientCaches(MIN_SCHEMAS, None, time.monotonic)

    def set_schema(self, subject: str | None, schema_id: int | None, guid: str | None, schema: Schema) -> None:
        """Keep a schema by its id and GUID, and its id by subject and schema."""
        registered = RegisteredSchema(subject, None, schema_id, guid, schema)
        self._caches.learn(registered)
        if subject is not None and schema_id is not None:
            self._caches.registered.put((subject, schema, False), registered)

    def set_registered_schema(self, schema: Schema, registered_schema: RegisteredSchema) -> None:
        """Keep a registration by schema, by id, and by version."""
        self._caches.learn(registered_schema)
        subject, version = registered_schema.subject, registered_schema.version
        if subject is not None:
            self._caches.registered.put((subject, schema, False), registered_schema)
            self._caches.found.put((subject, schema, False, None, False), registered_schema)
            if version is not None:
                self._caches.versions.put((subject, version, False, None), registered_schema)

    def get_schema_by_id(self, subject: str | None, schema_id: int) -> tuple[str | None, Schema] | None:
        """Return the GUID, if it is known, and the schema."""
        schema = self._caches.schemas.get((subject, schema_id, None, None))
        if schema is None:
            return None
        found = self.get_registered_by_subject_id(subject, schema_id)
        return (None if found is None else found.guid, schema)

    def get_schema_by_guid(self, guid: str) -> Schema | None:
        """Return a schema by its GUID."""
        return self._caches.guids.get((str(guid), None))

    def get_id_by_schema(self, subject: str, schema: Schema) -> int | None:
        """Return a schema's id."""
        found = self._caches.registered.get((subject, schema, False))
        return None if found is None else found.schema_id

    def get_registered_by_subject_schema(self, subject: str, schema: Schema) -> RegisteredSchema | None:
        """Return a registration by its schema."""
        return self._caches.found.get((subject, schema, False, None, False))

    def get_registered_by_subject_id(self, subject: str | None, schema_id: int) -> RegisteredSchema | None:
        """Return a registration by its schema's id."""
        for table in (self._caches.versions, self._caches.found, self._caches.registered):
            for found in list(table.values()):
                if found.subject == subject and found.schema_id == schema_id:
                    return found
        return None

    def get_registered_by_subject_version(self, subject: str, version: int) -> RegisteredSchema | None:
        """Return a registration by its version."""
        return self._caches.versions.get((subject, version, False, None))

    def remove_by_subject(self, subject: str) -> None:
        """Forget a subject."""
        self._caches.deleted(subject, False)

    def remove_by_subject_version(self, subject: str, version: int) -> None:
        """Forget a version, with what else is known of its subject."""
        self._caches.deleted(subject, False)

    def clear(self) -> None:
        """Forget everything."""
        self._caches.clear()
