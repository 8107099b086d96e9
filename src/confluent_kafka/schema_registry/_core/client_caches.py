# SPDX-License-Identifier: Apache-2.0
"""What a registry client remembers.

A schema never changes under its id, so what was found by id, GUID, version or the schema itself is kept until there are
too many; only the latest versions get old. All keys hold everything that changes the answer. Reading is one dictionary
access without a lock.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.cache import BoundedDict
from confluent_kafka.schema_registry.error import SchemaRegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from typing import TypeAlias

    from confluent_kafka.schema_registry._core.models import RegisteredSchema, Schema

    IdKey: TypeAlias = tuple[str | None, int, str | None, str | None]
    SchemaKey: TypeAlias = tuple[str, Schema, bool, str | None, bool]
    VersionKey: TypeAlias = tuple[str, int, bool, str | None]

# What never changes is worth keeping beyond cache.capacity, which is meant for the latest versions.
MIN_SCHEMAS = 10_000
MISSING_TTL_S = 1.0
MIN_STALE_S, MAX_STALE_S = 1.0, 30.0
_LOG = logging.getLogger("confluent_kafka.schema_registry")


@dataclass(slots=True)
class Latest:
    """A latest version, and until when (by the clock) it counts as such; None is for ever."""

    registered: RegisteredSchema
    until: float | None
    stale_for: float = 0.0
    refreshing: bool = False


class ClientCaches:
    """The caches of one client. Thread-safe.

    Args:
        capacity: latest versions; schemas as well when it is more than 10,000.
        latest_ttl: seconds, None for ever.
        clock: monotonic time, seconds.
    """

    def __init__(self, capacity: int, latest_ttl: float | None, clock: Callable[[], float]) -> None:
        self._many = many = max(capacity, MIN_SCHEMAS)
        self.clock = clock
        self._ttl = latest_ttl
        self._lock = threading.Lock()
        self._outage = False
        # Counted, for answers that were under way: what may have made another version the latest; what was deleted.
        self.epoch = 0
        self.deletions = 0
        # (subject, id, format, format of references)
        self.schemas: BoundedDict[IdKey, Schema] = BoundedDict(many)
        # Those of them that were asked for by id alone: a dictionary like any other, for the shells to look into first.
        self.by_id: dict[int, Schema] = {}
        # (GUID, format)
        self.guids: BoundedDict[tuple[str, str | None], Schema] = BoundedDict(many)
        # (subject, schema, normalize)
        self.registered: BoundedDict[tuple[str, Schema, bool], RegisteredSchema] = BoundedDict(many)
        # (subject, schema, normalize, format, deleted)
        self.found: BoundedDict[SchemaKey, RegisteredSchema] = BoundedDict(many)
        # (subject, version, deleted, format)
        self.versions: BoundedDict[VersionKey, RegisteredSchema] = BoundedDict(many)
        # (subject, metadata, deleted, format)
        self.latest: BoundedDict[tuple[Any, ...], Latest] = BoundedDict(capacity)
        self._missing: BoundedDict[Hashable, tuple[float, tuple[int, int, str]]] = BoundedDict(capacity)

    def latest_version(self, key: tuple[Any, ...]) -> RegisteredSchema | None:
        """Return a latest version that still counts as such."""
        entry = self.latest.get(key)
        if entry is None:
            return None
        if entry.until is None or self.clock() < entry.until or entry.refreshing:
            return entry.registered
        return None

    def claim(self, key: tuple[Any, ...]) -> tuple[Latest | None, bool]:
        """Return what there is for ``key``, and whether the caller is to refresh it.

        It then sets ``refreshing`` to False afterwards. The others go on with what it was.
        """
        with self._lock:
            entry = self.latest.get(key)
            if entry is None or self.latest_version(key) is not None:
                return entry, False
            entry.refreshing = True
            return entry, True

    def put_latest(self, key: tuple[Any, ...], registered: RegisteredSchema, epoch: int) -> RegisteredSchema:
        """Keep a latest version that was asked for at ``epoch``, unless something was changed since."""
        if self._outage:
            self._outage = False
            _LOG.info("the schema registry answers again")
        if epoch == self.epoch:
            until = None if self._ttl is None else self.clock() + self._ttl
            self.latest.put(key, Latest(registered, until))
        return registered

    def keep_stale(self, entry: Latest, error: Exception) -> RegisteredSchema:
        """Let an old latest version count for some time more, as the registry does not answer; logged once."""
        entry.stale_for = min(MAX_STALE_S, max(MIN_STALE_S, entry.stale_for * 2))
        entry.until = self.clock() + entry.stale_for
        with self._lock:
            first, self._outage = not self._outage, True
        if first:
            _LOG.warning(
                "the schema registry does not answer, cached schemas are used until it does: %s: %s",
                type(error).__name__,
                error,
            )
        return entry.registered

    def missing(self, key: Hashable) -> SchemaRegistryError | None:
        """Return what the registry said about something it did not have a moment ago."""
        known = self._missing.get(key)
        if known is None:
            return None
        if self.clock() < known[0]:
            return SchemaRegistryError(*known[1])
        self._missing.pop(key, None)
        return None

    def put_missing(self, key: Hashable, error: SchemaRegistryError, ttl: float = MISSING_TTL_S) -> None:
        """Keep for a moment that the registry does not have something."""
        self._missing.put(key, (self.clock() + ttl, (error.http_status_code, error.error_code, error.error_message)))

    def put_schema(self, key: IdKey, schema: Schema) -> Schema:
        """Keep a schema; return it."""
        if key[0] is key[2] is key[3] is None:
            if len(self.by_id) >= self._many:
                self.by_id.clear()  # what is asked for again comes back from ``schemas``
            self.by_id[key[1]] = schema
        return self.schemas.put(key, schema)

    def learn(self, registered: RegisteredSchema, fmt: str | None = None) -> None:
        """Keep the schema of a registration by its id and GUID."""
        if registered.schema_id is not None:
            self.put_schema((registered.subject, registered.schema_id, fmt, None), registered.schema)
        if registered.guid is not None:
            self.guids.put((str(registered.guid), fmt), registered.schema)

    def changed(self, subject: str) -> None:
        """Forget what a new, or another, version of a subject may make wrong."""
        with self._lock:
            self.epoch += 1
            _drop(self.latest, lambda key: key[0] == subject)
            self._missing.clear()

    def deleted(self, subject: str, permanent: bool) -> None:
        """Forget a subject of which something was deleted; and all schemas by id, if that was for ever."""
        with self._lock:
            self.epoch += 1
            self.deletions += 1
            tables: Iterable[BoundedDict[Any, Any]] = (self.registered, self.found, self.versions, self.latest)
            for table in tables:
                _drop(table, lambda key: key[0] == subject)
            if permanent:
                self.by_id.clear()
                self.schemas.clear()
                self.guids.clear()

    def clear_latest(self) -> None:
        """Forget the latest versions."""
        with self._lock:
            self.epoch += 1
            self.latest.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self.epoch += 1
            self.deletions += 1
            tables: Iterable[BoundedDict[Any, Any]] = (
                self.schemas, self.guids, self.registered, self.found, self.versions, self.latest, self._missing,
            )  # fmt: skip
            self.by_id.clear()
            for table in tables:
                table.clear()


def _drop(table: BoundedDict[Any, Any], matches: Callable[[Any], bool]) -> None:
    # list() is one step for other threads, as no Python code runs in it
    for key in [key for key in list(table) if matches(key)]:
        table.pop(key, None)
