# SPDX-License-Identifier: Apache-2.0
"""Where a registry keeps schemas: subjects with their versions, and ids and GUIDs of contents."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.models import RegisteredSchema

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from confluent_kafka.schema_registry._core.models import Schema
    from confluent_kafka.schema_registry._core.registry.names import SubjectName


@dataclass(slots=True)
class Entry:
    """A version of a subject. It is deleted softly by a mark, and permanently by being taken out."""

    registered: RegisteredSchema
    key: Hashable
    version: int
    deleted: bool = False


@dataclass(slots=True)
class _Subject:
    entries: list[Entry] = field(default_factory=list)
    by_key: dict[Hashable, list[Entry]] = field(default_factory=dict)
    by_version: dict[int, Entry] = field(default_factory=dict)


@dataclass(slots=True)
class _Content:
    """A schema with an id in one context, and who has it: subjects with their versions."""

    registered: RegisteredSchema
    key: Hashable
    users: dict[tuple[SubjectName, int], Entry] = field(default_factory=dict)


@dataclass(slots=True)
class _Context:
    by_id: dict[int, _Content] = field(default_factory=dict)
    by_key: dict[Hashable, _Content] = field(default_factory=dict)
    last_id: int = 0


class Store:
    """Subjects and contents of all contexts. Not thread-safe."""

    def __init__(self) -> None:
        self._subjects: dict[SubjectName, _Subject] = {}
        self._contexts: dict[str, _Context] = {}
        self._by_guid: dict[str, dict[tuple[str, int], RegisteredSchema]] = {}

    def add(
        self,
        name: SubjectName,
        schema: Schema,
        key: Hashable,
        content_key: Hashable,
        schema_id: int | None,
        version: int,
    ) -> RegisteredSchema:
        """Add a version.

        Args:
            name: the subject.
            schema: its schema.
            key: what is equal for equal schemas of one subject.
            content_key: what is equal for schemas that share an id.
            schema_id: the id to give it, None for the next free one or that of the same content.
            version: its number; higher than the subject's versions so far, or a number between that is free.
        """
        context = self._contexts.setdefault(name.context, _Context())
        content = context.by_key.get(content_key) if schema_id is None else context.by_id.get(schema_id)
        if content is None:
            if schema_id is None:
                schema_id = context.last_id + 1
            context.last_id = max(context.last_id, schema_id)
            registered = RegisteredSchema(str(name), version, schema_id, guid_of(content_key), schema)
            content = _Content(registered, content_key)
            context.by_id[schema_id] = content
            context.by_key.setdefault(content_key, content)
            self._by_guid.setdefault(str(registered.guid), {})[name.context, schema_id] = registered
        else:
            first = content.registered
            registered = RegisteredSchema(str(name), version, first.schema_id, first.guid, first.schema)
        entry = Entry(registered, key, version)
        content.users[name, version] = entry
        subject = self._subjects.setdefault(name, _Subject())
        subject.entries.append(entry)
        if len(subject.entries) > 1 and subject.entries[-2].version > version:
            subject.entries.sort(key=lambda item: item.version)
        subject.by_key.setdefault(key, []).append(entry)
        subject.by_version[version] = entry
        return registered

    def remove(self, name: SubjectName, entry: Entry) -> None:
        """Take a version out for good; its id goes with the last version that has it."""
        subject = self._subjects[name]
        subject.entries.remove(entry)
        subject.by_version.pop(entry.version, None)
        same = subject.by_key[entry.key]
        same.remove(entry)
        if not same:
            del subject.by_key[entry.key]
        if not subject.entries:
            del self._subjects[name]
        schema_id = int(entry.registered.schema_id or 0)
        context = self._contexts[name.context]
        content = context.by_id[schema_id]
        content.users.pop((name, entry.version), None)
        if not content.users:
            del context.by_id[schema_id]
            if context.by_key.get(content.key) is content:
                del context.by_key[content.key]
            ids = self._by_guid[str(content.registered.guid)]
            ids.pop((name.context, schema_id), None)
            if not ids:
                del self._by_guid[str(content.registered.guid)]

    def subjects(self) -> Iterator[tuple[SubjectName, list[Entry]]]:
        """Iterate over subjects, in the order they were made, with their versions, lowest first."""
        for name, subject in self._subjects.items():
            yield name, subject.entries

    def entries(self, name: SubjectName) -> list[Entry]:
        """Return a subject's versions, lowest first, deleted ones too."""
        subject = self._subjects.get(name)
        return [] if subject is None else subject.entries

    def entry(self, name: SubjectName, version: int) -> Entry | None:
        """Return one version of a subject."""
        subject = self._subjects.get(name)
        return None if subject is None else subject.by_version.get(version)

    def same(self, name: SubjectName, key: Hashable, deleted: bool = False) -> Entry | None:
        """Return the latest version of a subject with this key."""
        subject = self._subjects.get(name)
        found = () if subject is None else subject.by_key.get(key, ())
        return next((entry for entry in reversed(found) if deleted or not entry.deleted), None)

    def newest_first(self, name: SubjectName, deleted: bool = False) -> Iterator[Entry]:
        """Iterate over a subject's versions, highest first."""
        return (entry for entry in reversed(self.entries(name)) if deleted or not entry.deleted)

    def by_id(self, context: str, schema_id: int) -> RegisteredSchema | None:
        """Return the schema with an id."""
        content = self._content(context, schema_id)
        return None if content is None else content.registered

    def users(self, context: str, schema_id: int) -> list[tuple[SubjectName, Entry]] | None:
        """Return the versions that have an id; None when there is no such id."""
        content = self._content(context, schema_id)
        return None if content is None else [(name, entry) for (name, _), entry in content.users.items()]

    def id_of(self, context: str, content_key: Hashable) -> int | None:
        """Return the id of a content."""
        known = self._contexts.get(context)
        content = None if known is None else known.by_key.get(content_key)
        return None if content is None else content.registered.schema_id

    def content_key(self, context: str, schema_id: int) -> Hashable | None:
        """Return what the content with an id is known by."""
        content = self._content(context, schema_id)
        return None if content is None else content.key

    def _content(self, context: str, schema_id: int) -> _Content | None:
        known = self._contexts.get(context)
        return None if known is None else known.by_id.get(schema_id)

    def by_guid(self, guid: str) -> dict[tuple[str, int], RegisteredSchema]:
        """Return the schema with a GUID, by context and id; empty when there is none."""
        return self._by_guid.get(guid, {})

    def contexts(self) -> list[str]:
        """Return the contexts that have schemas."""
        return [name for name, context in self._contexts.items() if context.by_id]

    def last_id(self, context: str) -> int:
        """Return the highest id given out in a context, 0 before the first."""
        known = self._contexts.get(context)
        return 0 if known is None else known.last_id


def key_of(schema: Schema, canonical: str) -> str:
    """Return a text that is equal for equal schemas: of one type, with equal text, references and contract."""
    described: dict[str, Any] = {**schema.to_dict(), "schema": canonical}
    if not described.get("references"):
        described.pop("references", None)
    return json.dumps(described, sort_keys=True, separators=(",", ":"))


def guid_of(content_key: Hashable) -> str:
    """Return the GUID of a content: the same in all contexts, random where contents are not compared as texts."""
    if isinstance(content_key, str):
        # no security in it: it only has to be the same for the same text
        return str(uuid.UUID(bytes=hashlib.sha256(content_key.encode()).digest()[:16]))
    return str(uuid.uuid4())
