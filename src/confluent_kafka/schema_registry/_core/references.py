# SPDX-License-Identifier: Apache-2.0
"""The schemas that a schema refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka.schema_registry._core.effects import call

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.schema_registry._core.effects import Op
    from confluent_kafka.schema_registry._core.models import RegisteredSchema, Schema


def fetch_references(
    schema: Schema, fmt: str | None = None, known: Callable[[str], bool] | None = None
) -> Op[dict[str, Schema]]:
    """Fetch the schemas that ``schema`` refers to, and those they refer to, by the names they are used by.

    Args:
        schema: whose references count.
        fmt: the form that they are fetched in.
        known: tells which names need not be fetched.
    Raises:
        SchemaRegistryError: one of them is not registered.
    """
    options = format_option(fmt)
    found: dict[str, Schema] = {}
    seen: set[tuple[str | None, int | None]] = set()
    todo = list(schema.references or ())
    while todo:
        reference = todo.pop(0)
        place = (reference.subject, reference.version)
        if (reference.name in found and place in seen) or (known is not None and known(str(reference.name))):
            continue
        registered: RegisteredSchema = yield from call(
            "get_version", subject_name=reference.subject, version=reference.version, deleted=True, **options
        )
        if place not in seen:
            seen.add(place)
            todo.extend(registered.schema.references or ())
        found.setdefault(str(reference.name), registered.schema)
    return found


def format_option(fmt: str | None) -> dict[str, str]:
    """Return the argument of a registry client that asks for a form; none for None."""
    return {} if fmt is None else {"fmt": fmt}
