# SPDX-License-Identifier: Apache-2.0
"""Schemas out of texts and files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .error import ClientError

if TYPE_CHECKING:
    import os

__all__ = ["ClientError", "ParsedSchema", "load", "loads"]


class ParsedSchema:
    """An Avro schema; ``str()`` of it is its JSON text. Immutable, hashable.

    Wherever one is taken, a schema of the package ``avro`` or a JSON text may be given as well.
    """

    __slots__ = ("_hash", "_json", "_text")

    def __init__(self, parsed: Any) -> None:
        self._json = parsed
        self._text = json.dumps(parsed)
        self._hash = hash(self._text)

    def to_json(self) -> Any:
        """Return the schema's JSON, a copy."""
        return json.loads(self._text)

    @property
    def type(self) -> str:
        """The type's name, ``union`` for a union."""
        if isinstance(self._json, dict):
            return str(self._json["type"])
        return "union" if isinstance(self._json, list) else str(self._json)

    @property
    def name(self) -> str | None:
        """The name without namespace, None for a type that has none."""
        full = self.fullname
        return None if full is None else full.rpartition(".")[2]

    @property
    def namespace(self) -> str | None:
        """The namespace, None where there is none."""
        return (self.fullname or "").rpartition(".")[0] or None

    @property
    def fullname(self) -> str | None:
        """The name with its namespace, None for a type that has none."""
        if not isinstance(self._json, dict) or "name" not in self._json:
            return None
        name, namespace = str(self._json["name"]), self._json.get("namespace")
        return f"{namespace}.{name}" if namespace and "." not in name else name

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._text})"

    def __eq__(self, other: object) -> bool:
        return self._json == other._json if isinstance(other, ParsedSchema) else NotImplemented

    def __hash__(self) -> int:
        return self._hash


def loads(schema_str: str) -> ParsedSchema:
    """Return the schema that a JSON text has.

    Raises:
        ClientError: the text is no Avro schema.
    """
    # on first use: fastavro comes with the extra "avro" only
    from fastavro.schema import SchemaParseException, UnknownType, parse_schema

    try:
        parsed = json.loads(schema_str)
        parse_schema(parsed)
    except (ValueError, TypeError, KeyError, RecursionError, SchemaParseException, UnknownType) as e:
        raise ClientError(f"Schema parse failed: {e}") from e
    return ParsedSchema(parsed)


def load(fp: str | os.PathLike[str]) -> ParsedSchema:
    """Return the schema that a file has.

    Args:
        fp: the file's path.
    Raises:
        ClientError: the text is no Avro schema.
        OSError: the file cannot be read.
    """
    with open(fp, encoding="utf-8") as file:
        return loads(file.read())
