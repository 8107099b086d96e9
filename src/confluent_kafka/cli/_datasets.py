# SPDX-License-Identifier: Apache-2.0
"""The demo's records: real open tables from the PyPI package vega_datasets, or a table of the user's own."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ._errors import CommandError, UsageError

Row = dict[str, Any]

PACKAGE = "vega_datasets"
DEFAULT = ("airports", "seattle-weather", "cars")


@dataclass(frozen=True)
class Dataset:
    """A table: n rows with the same fields; values are str, int, float, bool, date or None."""

    name: str
    about: str
    rows: list[Row]


def _package_directory() -> Path:
    # Looked up, not imported: importing the package loads pandas, and only its files are needed.
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise CommandError(
            f"the demo's data comes from the PyPI package {PACKAGE}, which is not installed: "
            f"pip install {PACKAGE}, or run the demo on a table of your own with --file"
        )
    return Path(found.submodule_search_locations[0])


def available() -> list[str]:
    """The names of the tables that the installed package holds. Raises: CommandError: it is not installed."""
    names = json.loads((_package_directory() / "local_datasets.json").read_text(encoding="utf-8"))
    return sorted(names)


def load(name: str) -> Dataset:
    """One table of vega_datasets. Raises: CommandError: not installed; UsageError: no such table in it."""
    directory = _package_directory()
    files = json.loads((directory / "local_datasets.json").read_text(encoding="utf-8"))
    if name not in files:
        raise UsageError(f"no data set {name!r} in {PACKAGE}; there are: {', '.join(sorted(files))}")
    about = json.loads((directory / "dataset_info.json").read_text(encoding="utf-8")).get(name, {})
    return Dataset(name, _first_sentence(about.get("description", "")), read_table(directory / files[name]))


def load_file(path: str) -> Dataset:
    """A table of the user's own: CSV with a header line, a JSON list of objects, or NDJSON.

    Raises: CommandError: it cannot be read; UsageError: it is no such table.
    """
    file = Path(path)
    try:
        rows = read_table(file)
    except OSError as error:
        raise CommandError(f"--file {path}: {error.strerror or error}") from error
    except (ValueError, csv.Error) as error:
        raise UsageError(f"--file {path}: {error}") from error
    if not rows:
        raise UsageError(f"--file {path}: no records in it")
    return Dataset(file.stem, str(file), rows)


def read_table(path: Path) -> list[Row]:
    """Read a table by the file's suffix. Raises: OSError; ValueError: the content is no table."""
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() == ".csv":
        return _typed(list(_csv_rows(text)), from_text=True)
    if text.lstrip().startswith("["):
        rows = json.loads(text)
    else:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("expected a list of JSON objects")
    return _typed(rows, from_text=False)


def _csv_rows(text: str) -> Iterator[Row]:
    for row in csv.DictReader(io.StringIO(text, newline=""), strict=True):
        if None in row or None in row.values():
            raise ValueError(f"a line has another number of cells than the header: {next(iter(row.values()))!r}")
        yield dict(row)


def _typed(rows: list[Row], from_text: bool) -> list[Row]:
    """Give every column one type; an empty CSV cell is a missing value."""
    fields = list(dict.fromkeys(field for row in rows for field in row))
    columns = {field: _typed_column([row.get(field) for row in rows], from_text) for field in fields}
    return [dict(zip(fields, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _typed_column(values: list[Any], from_text: bool) -> list[Any]:
    if from_text:
        values = [None if value == "" else value for value in values]
    present = [value for value in values if value is not None]
    for convert in (_whole, _number) if from_text else ():
        converted = _all(convert, present)
        if converted is not None:
            return _put_back(values, converted)
    if all(isinstance(value, str) for value in present):
        return _put_back(values, _all(_date, present) or present)
    if not all(isinstance(value, (str, int, float, bool)) for value in present):
        raise ValueError("nested values are not supported: every value must be a text, a number, true, false or null")
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in present):
        whole = all(isinstance(value, int) and _is_long(value) for value in present)
        return _put_back(values, present if whole else [float(value) for value in present])
    if all(isinstance(value, bool) for value in present):
        return values
    return _put_back(values, [value if isinstance(value, str) else json.dumps(value) for value in present])


def _all(convert: Any, values: Iterable[str]) -> list[Any] | None:
    """Every value converted, or None when one of them cannot be, or there are none."""
    converted = []
    for value in values:
        result = convert(value)
        if result is None:
            return None
        converted.append(result)
    return converted or None


def _put_back(values: list[Any], converted: list[Any]) -> list[Any]:
    following = iter(converted)
    return [None if value is None else next(following) for value in values]


def _whole(text: str) -> int | None:
    """A number only if it would be written the same way: the postal code 01234 stays a text."""
    try:
        number = int(text)
    except ValueError:
        return None
    return number if str(number) == text and _is_long(number) else None


def _is_long(number: int) -> bool:
    return -(2**63) <= number < 2**63


def _number(text: str) -> float | None:
    unsigned = text.removeprefix("-")
    if not unsigned[:1].isdigit() or (unsigned[0] == "0" and unsigned[1:2].isdigit()):
        return None
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def _date(text: str) -> date | None:
    if len(text) != 10 or text[4] != text[7] or text[4] not in "-/":
        return None
    try:
        return date(int(text[:4]), int(text[5:7]), int(text[8:]))
    except ValueError:
        return None


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".")
