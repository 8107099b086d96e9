# SPDX-License-Identifier: Apache-2.0
"""Schemas as texts: read, compared, and checked for compatibility, whatever their type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from confluent_kafka.schema_registry._core import compat_avro, compat_json, compat_protobuf
from confluent_kafka.schema_registry._core.registry.problems import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confluent_kafka.schema_registry._core.registry.problems import Problem

__all__ = ["TYPES", "InvalidSchema", "Parsed", "formatted", "problems", "read"]

TYPES = ("JSON", "PROTOBUF", "AVRO")


class _Format(Protocol):
    """What the module of a type has."""

    def parse(self, text: str, dependencies: Mapping[str, str] | None = None) -> Any: ...
    def canonical(self, schema: Any) -> str: ...
    def normalized(self, schema: Any) -> str: ...
    def problems(self, reader: Any, writer: Any) -> list[Problem]: ...


_FORMATS: dict[str, _Format] = {"AVRO": compat_avro, "JSON": compat_json, "PROTOBUF": compat_protobuf}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A schema that was read.

    Attributes:
        schema_type: one of TYPES.
        text: as it was given.
        model: what the type's module made of it.
    """

    schema_type: str
    text: str
    model: Any

    @property
    def canonical(self) -> str:
        """Text that is equal for texts that differ in form only."""
        return _FORMATS[self.schema_type].canonical(self.model)

    @property
    def normalized(self) -> str:
        """Text that is equal for schemas that differ in order and spelling only."""
        return _FORMATS[self.schema_type].normalized(self.model)


def read(schema_type: str, text: str, dependencies: Mapping[str, str] | None = None) -> Parsed:
    """Read a schema.

    Args:
        schema_type: its type.
        text: its text.
        dependencies: texts of the schemas it refers to, by the name it uses; those needed by others first.
    Raises:
        InvalidSchema: it is none.
    """
    if schema_type not in _FORMATS:
        raise InvalidSchema(f"no such type of schemas; there are {', '.join(TYPES)}")
    try:
        return Parsed(schema_type, text, _FORMATS[schema_type].parse(text, dependencies))
    except RecursionError as e:
        raise InvalidSchema("nested too deeply") from e


def problems(level: str, new: Parsed, versions: Iterable[tuple[int, Parsed]]) -> list[str]:
    """Return what makes a schema incompatible with versions at a level; empty when nothing does.

    BACKWARD: the new schema reads what the others wrote; FORWARD: the others read what the new one writes; FULL: both.
    """
    kind = level.removesuffix("_TRANSITIVE")
    for version, old in versions:
        found = _between(kind, new, old)
        if found:
            where = [
                f"{{oldSchemaVersion: {version}}}",
                f"{{oldSchema: '{old.text}'}}",
                f"{{compatibility: '{level}'}}",
            ]
            return [*found, *where]
    return []


def _between(kind: str, new: Parsed, old: Parsed) -> list[str]:
    if new.schema_type != old.schema_type:
        return [_message("TYPE_CHANGED", "", f"a {new.schema_type} schema after one of type {old.schema_type}")]
    compare = _FORMATS[new.schema_type].problems
    found = []
    if kind in ("BACKWARD", "FULL"):
        found += [_message(*problem, "new schema reads, old one writes") for problem in compare(new.model, old.model)]
    if kind in ("FORWARD", "FULL"):
        found += [_message(*problem, "old schema reads, new one writes") for problem in compare(old.model, new.model)]
    return found


def _message(kind: str, path: str, text: str, roles: str = "") -> str:
    more = f", additionalInfo:'{roles}'" if roles else ""
    return f"{{errorType:'{kind}', description:'{text}', path:'{path or '/'}'{more}}}"


def formatted(schema_type: str, text: str, dependencies: Mapping[str, str], fmt: str) -> str:
    """Return a schema's text in another format: ``resolved`` for Avro, ``serialized`` for Protobuf.

    Raises: InvalidSchema: the schema has no such format.
    """
    if schema_type == "AVRO" and fmt == "resolved":
        return compat_avro.resolved(compat_avro.parse(text, dependencies))
    if schema_type == "PROTOBUF" and fmt == "serialized":
        return compat_protobuf.serialized(text, dependencies)
    # as the registry does: a format that a type does not have changes nothing
    return text
