# SPDX-License-Identifier: Apache-2.0
"""A registry in memory."""

from __future__ import annotations

import dataclasses
import threading
from itertools import islice
from typing import TYPE_CHECKING

from confluent_kafka.schema_registry._core import compat
from confluent_kafka.schema_registry._core.models import AssociationResponse, RegisteredSchema
from confluent_kafka.schema_registry._core.registry import contract, failures
from confluent_kafka.schema_registry._core.registry.associations import Associations
from confluent_kafka.schema_registry._core.registry.names import SubjectName
from confluent_kafka.schema_registry._core.registry.settings import Settings
from confluent_kafka.schema_registry._core.registry.store import Store, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from confluent_kafka.schema_registry._core.models import Association, AssociationCreateOrUpdateRequest, Schema
    from confluent_kafka.schema_registry._core.registry.store import Entry
    from confluent_kafka.schema_registry.error import SchemaRegistryError

_READ_ONLY = ("READONLY", "READONLY_OVERRIDE")


class MemoryRegistry:
    """Subjects with their versions, configuration, modes, and associations. Thread-safe.

    Two manners. A strict one is a registry server: schemas are parsed, compared by meaning (spaces do not matter),
    share an id in all subjects of a context, must be compatible with the versions before, and refer to schemas that
    exist; what is deleted permanently must have been deleted before.

    The other one is what ``mock://`` clients have had for long: ids count from 1 through all subjects, a schema under
    two subjects has two ids. Schemas are the same when they are equal as objects; their text is not looked into,
    nothing is normalized, and compatibility is checked only where a level is set. What is not found is always 404
    with 40400.

    In both, a deleted version can still be read by its id, GUID, or with ``deleted=True``, until it is deleted
    permanently.

    Args:
        strict: which of the two.
    """

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict
        self.lock = threading.RLock()
        self.settings = Settings("BACKWARD" if strict else "NONE")
        self.bindings = Associations()
        self.store = Store()

    def register(
        self,
        subject: str,
        schema: Schema,
        normalize: bool = False,
        schema_id: int | None = None,
        version: int | None = None,
    ) -> RegisteredSchema:
        """Return the subject's version with this schema, made if there is none.

        Args:
            subject: the subject.
            schema: the schema; without text, metadata or rules it gets those of the version before (strict).
            normalize: keep the schema in a normal form.
            schema_id: the id it has to have; in mode IMPORT only, and needed there.
            version: the version it has to have, with ``schema_id``.
        Raises:
            SchemaRegistryError: 409: incompatible; 42201: invalid; 42205: the mode does not allow it; 42207: it is
                there with another id; 42208: no name for a subject; 42210: invalid rules.
        """
        with self.lock:
            name = self._named(subject)
            importing = self._check_mode(name, schema_id)
            config = self.settings.in_scope(name)
            schema, key = self._prepared(name, schema, normalize, config)
            same = self.store.same(name, key)
            if same is not None:
                found = int(same.registered.schema_id or 0)
                if schema_id is not None and schema_id != found:
                    raise failures.id_differs(schema_id, found)
                return same.registered
            content_key: Hashable = key if self.strict else object()
            if schema_id is not None:
                self._check_given_id(name, content_key, schema_id, version)
            if not importing:
                problems = self._problems(name, schema, config, self.store.newest_first(name))
                if problems:
                    raise failures.incompatible(str(name), problems)
            entries = self.store.entries(name)
            version = version or (entries[-1].version + 1 if entries else 1)
            return self.store.add(name, schema, key, content_key, schema_id, version)

    def _prepared(
        self, name: SubjectName, schema: Schema, normalize: bool, config: Mapping[str, object]
    ) -> tuple[Schema, Hashable]:
        """Complete and parse a schema; return it with what it is compared by."""
        if not self.strict:
            return schema, schema
        latest = next(self.store.newest_first(name), None)
        schema = contract.complete(schema, None if latest is None else latest.registered.schema, config)
        parsed = self._parsed(name, schema, deleted=False)
        if normalize or config.get("normalize"):
            schema = dataclasses.replace(schema, schema_str=parsed.normalized)
            return schema, key_of(schema, parsed.normalized)
        return schema, key_of(schema, parsed.canonical)

    def _check_mode(self, name: SubjectName, schema_id: int | None) -> bool:
        """Return whether schemas are imported. Raises: SchemaRegistryError 42205."""
        mode = self.settings.mode_in_scope(name)
        self._check_writable(name, mode)
        if mode == "IMPORT" and schema_id is None:
            raise failures.not_permitted(f"Subject {name} is in import mode")
        if mode != "IMPORT" and schema_id is not None:
            raise failures.not_permitted(f"Subject {name} is not in import mode")
        return mode == "IMPORT"

    def _check_writable(self, name: SubjectName, mode: str | None = None) -> None:
        if (mode or self.settings.mode_in_scope(name)) in _READ_ONLY:
            raise failures.not_permitted(f"Subject {name} is in read-only mode")

    def _check_given_id(self, name: SubjectName, key: Hashable, schema_id: int, version: int | None) -> None:
        if self.strict:
            existing = self.store.id_of(name.context, key)
            if existing is not None and existing != schema_id:
                raise failures.id_differs(schema_id, existing)
        if self.store.content_key(name.context, schema_id) not in (None, key):
            raise failures.not_permitted(f"Overwrite new schema with id {schema_id} is not permitted.")
        if version is not None and self.store.entry(name, version) is not None:
            raise failures.not_permitted(f"Version {version} of subject {name} exists already.")

    def _problems(
        self, name: SubjectName, schema: Schema, config: Mapping[str, object], versions: Iterable[Entry]
    ) -> list[str]:
        """Return what makes a schema incompatible with versions (newest first) by the subject's configuration."""
        level = str(config["compatibilityLevel"])
        group = config.get("compatibilityGroup")
        if group is not None:
            mine = contract.properties(schema).get(str(group))
            versions = (
                item for item in versions if contract.properties(item.registered.schema).get(str(group)) == mine
            )
        chosen = list(versions) if level.endswith("_TRANSITIVE") else list(islice(versions, 1))
        if level == "NONE" or not chosen:
            return []
        parsed = self._parsed(name, schema, deleted=False)
        old = ((entry.version, self._parsed(name, entry.registered.schema, deleted=True)) for entry in chosen)
        return compat.problems(level, parsed, old)

    def compatible(
        self, subject: str, schema: Schema, version: int | str | None = None, normalize: bool = False
    ) -> list[str]:
        """Return what makes a schema incompatible with one version of a subject, or (None) with its versions.

        Raises:
            SchemaRegistryError: 40402: there is no such version; 42201: invalid.
        """
        with self.lock:
            name = self._named(subject)
            config = self.settings.in_scope(name)
            schema, _ = self._prepared(name, schema, normalize, config)
            versions: Iterable[Entry] = self.store.newest_first(name)
            if version == "latest":
                versions = islice(versions, 1)
            elif version is not None:
                entry = self.store.entry(name, int(version))
                if entry is None or entry.deleted:
                    raise failures.no_version(version)
                versions = [entry]
            return self._problems(name, schema, config, versions)

    def _parsed(self, name: SubjectName, schema: Schema, deleted: bool) -> compat.Parsed:
        dependencies = self.dependencies(name, schema, deleted)
        try:
            return compat.read(schema.schema_type or "AVRO", schema.schema_str or "", dependencies)
        except compat.InvalidSchema as e:
            raise failures.invalid_schema(schema.schema_type, str(e)) from e

    def dependencies(self, name: SubjectName, schema: Schema, deleted: bool = True) -> dict[str, str]:
        """Return the texts of all schemas that one refers to, by the name it uses; those needed by others first.

        Raises:
            SchemaRegistryError: 42201: one is not there.
        """
        found: dict[str, str] = {}
        self._collect(name, schema, deleted, found, ())
        return found

    def _collect(
        self, name: SubjectName, schema: Schema, deleted: bool, found: dict[str, str], path: tuple[str, ...]
    ) -> None:
        for reference in schema.references or ():
            used = str(reference.name)
            if used in found or used in path:
                continue
            target = name.near(reference.subject)
            if reference.version in (None, -1):
                entry = next(self.store.newest_first(target), None)
            else:
                entry = self.store.entry(target, int(reference.version or 0))
            if entry is None or (entry.deleted and not deleted):
                reason = f'No schema reference found for subject "{target}" and version {reference.version}'
                raise failures.invalid_schema(schema.schema_type, reason)
            referred = entry.registered.schema
            self._collect(target, referred, deleted, found, (*path, used))
            found[used] = referred.schema_str or ""

    def by_id(self, schema_id: int, context: str = ".") -> RegisteredSchema:
        """Return the schema with an id."""
        with self.lock:
            return self._found(self.store.by_id(context, schema_id), lambda: failures.no_schema(schema_id))

    def by_guid(self, guid: str) -> RegisteredSchema:
        """Return the schema with a GUID."""
        with self.lock:
            found = next(iter(self.store.by_guid(str(guid)).values()), None)
            return self._found(found, lambda: failures.no_schema(str(guid)))

    def lookup(self, subject: str, schema: Schema, deleted: bool, normalize: bool = False) -> RegisteredSchema:
        """Return the latest version of the subject that has this schema.

        Strict: a schema without metadata or rules is found also if the configuration has added some.
        """
        with self.lock:
            name = self._named(subject)
            if not self.strict:
                entry = self.store.same(name, schema, deleted)
                return self._found(_registered(entry), failures.no_schema)
            active = list(self.store.newest_first(name, deleted))
            if not active:
                raise failures.no_subject(str(name))
            config = self.settings.in_scope(name)
            if not schema.schema_str:
                raise failures.invalid_schema(schema.schema_type, "Empty schema")
            parsed = self._parsed(name, schema, deleted=True)
            canonical = parsed.normalized if normalize or config.get("normalize") else parsed.canonical
            entry = self.store.same(name, key_of(schema, canonical), deleted)
            if entry is None and schema.metadata is None and schema.rule_set is None:
                entry = next((item for item in active if self._same_text(name, item, schema, canonical)), None)
            return self._found(_registered(entry), failures.no_schema)

    def _same_text(self, name: SubjectName, entry: Entry, schema: Schema, canonical: str) -> bool:
        other = entry.registered.schema
        if other.schema_type != schema.schema_type or (other.references or []) != (schema.references or []):
            return False
        return self._parsed(name, other, deleted=True).canonical == canonical

    def latest(self, subject: str, deleted: bool = False) -> RegisteredSchema:
        """Return the latest version of a subject."""
        with self.lock:
            name = self._named(subject)
            entry = next(self.store.newest_first(name, deleted), None)
            return self._found(_registered(entry), lambda: failures.no_subject(str(name)))

    def latest_with_metadata(self, subject: str, properties: Mapping[str, str], deleted: bool) -> RegisteredSchema:
        """Return the latest version of a subject whose metadata has all these properties."""
        with self.lock:
            name = self._named(subject)
            if self.strict and next(self.store.newest_first(name, deleted), None) is None:
                raise failures.no_subject(str(name))
            for entry in self.store.newest_first(name, deleted):
                if properties.items() <= contract.properties(entry.registered.schema).items():
                    return entry.registered
            return self._found(None, failures.no_schema)

    def version(self, subject: str, version: int, deleted: bool) -> RegisteredSchema:
        """Return one version of a subject."""
        with self.lock:
            name = self._named(subject)
            entry = self.store.entry(name, version)
            if entry is not None and (deleted or not entry.deleted):
                return entry.registered
            if next(self.store.newest_first(name, deleted), None) is None:
                return self._found(None, lambda: failures.no_subject(str(name)))
            return self._found(None, lambda: failures.no_version(version))

    def versions(self, subject: str, deleted: bool, deleted_only: bool) -> list[int]:
        """Return the numbers of a subject's versions, lowest first."""
        with self.lock:
            name = self._named(subject)
            entries = self.store.entries(name)
            if self.strict and not any(deleted or deleted_only or not entry.deleted for entry in entries):
                raise failures.no_subject(str(name))
            return [entry.version for entry in entries if _listed(entry, deleted, deleted_only)]

    def subjects(self, deleted: bool, deleted_only: bool) -> list[str]:
        """Return the names of the subjects that have versions, in the order they were made."""
        return [str(name) for name in self.subject_names(deleted, deleted_only)]

    def subject_names(self, deleted: bool, deleted_only: bool) -> list[SubjectName]:
        """Return the same as pairs of context and subject."""
        with self.lock:
            return [
                name
                for name, entries in self.store.subjects()
                if any(_listed(entry, deleted, deleted_only) for entry in entries)
            ]

    def entries(self, deleted: bool) -> Iterator[tuple[SubjectName, RegisteredSchema, bool]]:
        """Iterate over all versions of all subjects: name, version, whether it is deleted. Call it with the lock."""
        for name, entries in self.store.subjects():
            for entry in entries:
                if deleted or not entry.deleted:
                    yield name, entry.registered, entry.deleted

    def referenced_by(self, subject: str, version: int) -> list[int]:
        """Return the ids of the schemas that refer to a version of a subject."""
        with self.lock:
            return sorted(set(self._referring(self._named(subject), version)))

    def _referring(self, target: SubjectName, version: int) -> Iterator[int]:
        for name, entries in self.store.subjects():
            if name.context != target.context:
                continue
            for entry in entries:
                if not entry.deleted:
                    for reference in entry.registered.schema.references or ():
                        if (name.near(reference.subject), reference.version) == (target, version):
                            yield int(entry.registered.schema_id or 0)

    def delete_subject(self, subject: str, permanent: bool) -> list[int]:
        """Delete all versions of a subject; return their numbers.

        Raises:
            SchemaRegistryError: (strict) 40401: there is none; 40404: deleted before; 40405: it must be deleted
                softly before; 42205: read-only; 42206: another schema refers to it.
        """
        with self.lock:
            name = self._named(subject)
            entries = list(self.store.entries(name))
            active = [entry for entry in entries if not entry.deleted]
            if self.strict:
                if not entries:
                    raise failures.no_subject(str(name))
                if not permanent and not active:
                    raise failures.subject_deleted(str(name))
                if permanent and active:
                    raise failures.subject_not_deleted(str(name))
                self._check_writable(name)
                for entry in entries:
                    self._check_unreferenced(name, entry.version)
            chosen = entries if permanent else active
            for entry in chosen:
                self._delete(name, entry, permanent)
            self.settings.forget(name)
            return [entry.version for entry in chosen]

    def delete_version(self, subject: str, version: int, permanent: bool) -> int:
        """Delete one version of a subject; return its schema's id.

        Raises:
            SchemaRegistryError: 40401, 40402: there is none; (strict) 40406: deleted before; 40407: it must be deleted
                softly before; 42205: read-only; 42206: another schema refers to it.
        """
        with self.lock:
            name = self._named(subject)
            entry = self.store.entry(name, version)
            if entry is None:
                missing = failures.no_version(version) if self.store.entries(name) else failures.no_subject(str(name))
                raise missing if self.strict else failures.no_entry()
            if self.strict:
                if not permanent and entry.deleted:
                    raise failures.version_deleted(str(name), version)
                if permanent and not entry.deleted:
                    raise failures.version_not_deleted(str(name), version)
                self._check_writable(name)
                self._check_unreferenced(name, version)
            elif entry.deleted and not permanent:
                raise failures.no_entry()
            self._delete(name, entry, permanent)
            return int(entry.registered.schema_id or 0)

    def _check_unreferenced(self, name: SubjectName, version: int) -> None:
        if next(self._referring(name, version), None) is not None:
            raise failures.referenced(str(name), version)

    def _delete(self, name: SubjectName, entry: Entry, permanent: bool) -> None:
        entry.deleted = True
        if permanent:
            self.store.remove(name, entry)

    def set_mode(self, subject: str | None, mode: str, force: bool = False) -> str:
        """Set the mode of a subject, a context (``:.context:``) or everything (None).

        Raises:
            SchemaRegistryError: 42204: there is no such mode; 42205: IMPORT, but there are schemas already.
        """
        with self.lock:
            name = None if subject is None else SubjectName.parse(subject)
            if isinstance(mode, str) and mode.upper() == "IMPORT" and not force and self._has_schemas(name):
                raise failures.not_permitted("Cannot import since found existing subjects")
            return self.settings.set_mode(name, mode)

    def _has_schemas(self, name: SubjectName | None) -> bool:
        return any(
            any(not entry.deleted for entry in entries)
            for other, entries in self.store.subjects()
            if name is None or (name.context == other.context and name.subject in ("", other.subject))
        )

    def associate(self, request: AssociationCreateOrUpdateRequest, update: bool = False) -> AssociationResponse:
        """Bind subjects to a resource; schemas in the request are registered.

        Args:
            update: what the resource has may be replaced (not strict: it always may).
        Raises:
            SchemaRegistryError: a schema cannot be registered; (strict) 42212, 40903, 40904, 40905, 40908: see
                :meth:`Associations.check`; 40907: the subject has no version.
        """
        with self.lock:
            if self.strict:
                self.bindings.check(request, update)
            made = []
            for wanted in request.associations or ():
                guid = None
                if wanted.subject is not None:
                    if wanted.schema is not None:
                        guid = self.register(wanted.subject, wanted.schema, bool(wanted.normalize)).guid
                    elif self.strict and next(self.store.newest_first(self._named(wanted.subject)), None) is None:
                        text = f"No active (non-deleted) version exists for subject '{wanted.subject}'"
                        raise failures.conflict(40907, text)
                made.append(self.bindings.put(request, wanted, guid))
            return AssociationResponse(
                request.resource_name, request.resource_namespace, request.resource_id, request.resource_type, made
            )

    def associations(
        self, name: str, namespace: str, resource_type: str | None, types: Sequence[str] | None
    ) -> list[Association]:
        """Return the associations of the resources with a name; namespace ``-`` stands for all."""
        with self.lock:
            return self.bindings.by_name(name, namespace, resource_type, types)

    def dissociate(
        self, resource_id: str, resource_type: str | None, types: Sequence[str] | None, cascade: bool = False
    ) -> None:
        """Drop associations of a resource; ``cascade``: and softly delete the subjects bound to its life (STRONG)."""
        with self.lock:
            for subject in self.bindings.drop(resource_id, resource_type, types):
                if cascade and next(self.store.newest_first(self._named(subject)), None) is not None:
                    self.delete_subject(subject, permanent=False)

    def _named(self, subject: str) -> SubjectName:
        """Read a subject's name; an alias stands for another subject."""
        name = SubjectName.checked(subject) if self.strict else SubjectName.parse(subject)
        alias = self.settings.in_scope(name).get("alias")
        return name.near(str(alias)) if alias else name

    def _found(
        self, registered: RegisteredSchema | None, missing: Callable[[], SchemaRegistryError]
    ) -> RegisteredSchema:
        if registered is None:
            raise missing() if self.strict else failures.no_entry()
        return registered


def _registered(entry: Entry | None) -> RegisteredSchema | None:
    return None if entry is None else entry.registered


def _listed(entry: Entry, deleted: bool, deleted_only: bool) -> bool:
    return entry.deleted if deleted_only else deleted or not entry.deleted
