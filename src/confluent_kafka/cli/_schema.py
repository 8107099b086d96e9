# SPDX-License-Identifier: Apache-2.0
"""Derives an Avro schema and the message keys from the rows of a table."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from ._datasets import Dataset, Row

NAMESPACE = "ferrokafka.demo"
_TYPES: dict[type, Any] = {
    bool: "boolean",
    int: "long",
    float: "double",
    str: "string",
    date: {"type": "int", "logicalType": "date"},
}


def avro_name(text: str) -> str:
    """The nearest name that Avro allows: letters, digits and underscores, no digit first."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text) or "_"
    return f"_{name}" if name[0].isdigit() else name


def field_names(rows: list[Row]) -> dict[str, str]:
    """Column name to Avro field name, different for every column."""
    names: dict[str, str] = {}
    for column in rows[0]:
        name = avro_name(column)
        while name in names.values():
            name += "_"
        names[column] = name
    return names


def derive_schema(dataset: Dataset) -> dict[str, Any]:
    """The Avro record schema of a table whose columns have one type each; columns with gaps become unions with null."""
    fields: list[dict[str, Any]] = []
    for column, name in field_names(dataset.rows).items():
        values = [row[column] for row in dataset.rows]
        kinds = {type(value) for value in values if value is not None}
        field: dict[str, Any] = {"name": name, "type": _TYPES[kinds.pop()] if kinds else "null"}
        if None in values and field["type"] != "null":
            field |= {"type": ["null", field["type"]], "default": None}
        if name != column:
            field["doc"] = column
        fields.append(field)
    name = "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", dataset.name))
    return {
        "type": "record",
        "name": avro_name(name),
        "namespace": NAMESPACE,
        "doc": dataset.about,
        "fields": fields,
    }


def records(dataset: Dataset) -> list[Row]:
    """The rows under their Avro field names."""
    names = field_names(dataset.rows)
    return [{names[column]: value for column, value in row.items()} for row in dataset.rows]


def key_column(rows: list[Row]) -> str | None:
    """The first column whose texts or whole numbers are all there and all different; None if no column is."""
    for column in rows[0]:
        values = [row[column] for row in rows]
        if all(type(value) in (str, int) for value in values) and len(set(values)) == len(values):
            return column
    return None


def keys(rows: list[Row], column: str | None) -> list[str]:
    """One different key per row: the column's value, or the row's number where no column identifies a row."""
    if column is None:
        return [f"row-{number:06d}" for number in range(1, len(rows) + 1)]
    return [str(row[column]) for row in rows]


def summary(schema: dict[str, Any]) -> str:
    """``iata string, latitude double, ...``: a question mark for what may be null."""
    return ", ".join(f"{field['name']} {_type_name(field['type'])}" for field in schema["fields"])


def _type_name(kind: Any) -> str:
    if isinstance(kind, list):
        return f"{_type_name(kind[1])}?"
    return str(kind["logicalType"]) if isinstance(kind, dict) else str(kind)
