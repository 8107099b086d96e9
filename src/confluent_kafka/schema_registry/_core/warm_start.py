# SPDX-License-Identifier: Apache-2.0
"""The client's caches as a file.

::

    {"format": "ferrokafka schema cache", "version": 1, "urls": [...], "schemas": [[subject, id, schema], ...],
     "guids": [[guid, schema], ...], "registered": [[subject, schema, normalize, registration], ...],
     "versions": [[subject, version, deleted, registration], ...], "latest": [[subject, registration], ...]}
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.client_caches import Latest
from confluent_kafka.schema_registry._core.models import RegisteredSchema, Schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka.schema_registry._core.client_caches import ClientCaches

FORMAT = "ferrokafka schema cache"
VERSION = 1
_TABLES = ("schemas", "guids", "registered", "versions", "latest")


def save(caches: ClientCaches, urls: Sequence[str], path: str | os.PathLike[str]) -> int:
    """Write the caches to a file, whole or not at all; return the number of entries."""
    tables: dict[str, list[Any]] = {
        "schemas": [
            [subject, number, schema.to_dict()]
            for (subject, number, fmt, reference_format), schema in list(caches.schemas.items())
            if fmt is None and reference_format is None
        ],
        "guids": [[guid, schema.to_dict()] for (guid, fmt), schema in list(caches.guids.items()) if fmt is None],
        "registered": [
            [subject, schema.to_dict(), normalize, found.to_dict()]
            for (subject, schema, normalize), found in list(caches.registered.items())
        ],
        "versions": [
            [subject, version, deleted, found.to_dict()]
            for (subject, version, deleted, fmt), found in list(caches.versions.items())
            if fmt is None
        ],
        "latest": [
            [key[0], entry.registered.to_dict()]
            for key, entry in list(caches.latest.items())
            if key[1:] == (None, False, None)
        ],
    }
    content = json.dumps({"format": FORMAT, "version": VERSION, "urls": list(urls), **tables})
    target = Path(path)
    handle, scratch = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, target)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
    return sum(len(table) for table in tables.values())


def load(caches: ClientCaches, urls: Sequence[str], path: str | os.PathLike[str]) -> int:
    """Read a file into the caches; return the number of entries, 0 when there is no file."""
    try:
        text = Path(path).read_text("utf-8")
    except FileNotFoundError:
        return 0
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise ValueError("it is another kind of file")
        if content["version"] != VERSION:
            raise ValueError(f"its version is {content['version']}, not {VERSION}")
        known = set(content["urls"])
        tables: dict[str, list[Any]] = {name: list(content[name]) for name in _TABLES}
        fill = _read(tables)
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise ValueError(f"{os.fspath(path)} is no schema cache that can be used: {type(e).__name__}: {e}") from e
    if known.isdisjoint(urls):
        # ids mean something else there
        raise ValueError(f"{os.fspath(path)} is the cache of another registry: {', '.join(sorted(known))}")
    # what was fetched since is newer
    for name, entries in fill.items():
        table: Any = getattr(caches, name)
        for key, value in entries:
            if key not in table:
                table.put(key, value)
    return sum(len(table) for table in tables.values())


def _read(tables: dict[str, list[Any]]) -> dict[str, list[tuple[Any, Any]]]:
    return {
        "schemas": [
            ((subject, int(number), None, None), Schema.from_dict(schema))
            for subject, number, schema in tables["schemas"]
        ],
        "guids": [((str(guid), None), Schema.from_dict(schema)) for guid, schema in tables["guids"]],
        "registered": [
            ((str(subject), Schema.from_dict(schema), bool(normalize)), RegisteredSchema.from_dict(found))
            for subject, schema, normalize, found in tables["registered"]
        ],
        "versions": [
            ((str(subject), int(version), bool(deleted), None), RegisteredSchema.from_dict(found))
            for subject, version, deleted, found in tables["versions"]
        ],
        "latest": [
            ((str(subject), None, False, None), Latest(RegisteredSchema.from_dict(found), float("-inf")))
            for subject, found in tables["latest"]
        ],
    }
