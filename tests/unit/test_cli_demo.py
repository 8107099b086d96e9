# SPDX-License-Identifier: Apache-2.0
"""The demo's own parts: reading tables, deriving schemas, comparing, refusing what would be dropped."""

from __future__ import annotations

import importlib.util
import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import fastavro
import pytest

from confluent_kafka.cli import _datasets, _pipeline, _report, _schema, main
from confluent_kafka.cli._errors import CommandError, UsageError


def table(directory: Path, name: str, text: str) -> _datasets.Dataset:
    (directory / name).write_text(text, encoding="utf-8")
    return _datasets.load_file(str(directory / name))


class TestTables:
    def test_csv_columns_get_one_type_each(self, tmp_path: Path) -> None:
        found = table(
            tmp_path,
            "t.csv",
            "id,postcode,price,day,gap,text\n"
            "1,01234,2,2024-02-29,,a\n"
            '-2,99999,2.50,2024/03/01,7,"b, ""quoted""\nline"\n',
        )
        assert found.rows == [
            {"id": 1, "postcode": "01234", "price": 2.0, "day": date(2024, 2, 29), "gap": None, "text": "a"},
            {
                "id": -2,
                "postcode": "99999",
                "price": 2.5,
                "day": date(2024, 3, 1),
                "gap": 7,
                "text": 'b, "quoted"\nline',
            },
        ]
        assert type(found.rows[0]["price"]) is float

    @pytest.mark.parametrize(
        ("cells", "values"),
        [
            (["1", "9223372036854775808"], [1.0, 9223372036854775808.0]),
            (["nan", "1"], ["nan", "1"]),
            (["1_000"], ["1_000"]),
            (["+1"], ["+1"]),
            (["00.5"], ["00.5"]),
            (["1e3", "2"], [1000.0, 2.0]),
            (["2024-13-01"], ["2024-13-01"]),
            (["2024-01/01"], ["2024-01/01"]),
            ([" 1"], [" 1"]),
        ],
    )
    def test_only_what_is_written_like_a_number_or_date_is_one(self, cells: list[str], values: list[Any]) -> None:
        assert _datasets._typed_column(cells, from_text=True) == values

    def test_json_lists_and_ndjson(self, tmp_path: Path) -> None:
        rows = [{"a": 1, "b": True}, {"a": 2.5, "c": "x"}]
        expected = [{"a": 1.0, "b": True, "c": None}, {"a": 2.5, "b": None, "c": "x"}]
        assert table(tmp_path, "t.json", json.dumps(rows)).rows == expected
        assert table(tmp_path, "t.ndjson", "\n".join(map(json.dumps, rows))).rows == expected

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("t.csv", "a,b\n1\n"),
            ("t.csv", "a,b\n1,2,3\n"),
            ("t.csv", "a,b\n"),
            ("t.json", "[1]"),
            ("t.json", '[{"a": [1]}]'),
            ("t.ndjson", "{"),
        ],
    )
    def test_what_is_no_table_is_refused(self, tmp_path: Path, name: str, text: str) -> None:
        with pytest.raises(UsageError, match=name):
            table(tmp_path, name, text)

    def test_a_missing_package_is_named_with_the_line_that_installs_it(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        assert main(["demo"]) == 1
        shown = capsys.readouterr().err
        assert "pip install vega_datasets" in shown
        assert "Traceback" not in shown


class TestSchema:
    def test_derived_schema_is_avro_and_holds_every_row(self) -> None:
        rows: list[dict[str, Any]] = [
            {"2nd col": 1, "2nd-col": 1.5, "day": date(2024, 1, 1), "flag": True, "gap": None, "void": None, "s": "x"},
            {"2nd col": 2, "2nd-col": 2.5, "day": date(2024, 1, 2), "flag": False, "gap": 3, "void": None, "s": ""},
        ]
        dataset = _datasets.Dataset("my-table.2", "about", rows)
        schema = _schema.derive_schema(dataset)
        parsed = fastavro.parse_schema(schema)
        assert isinstance(parsed, dict)
        assert parsed["name"] == "ferrokafka.demo.MyTable2"
        assert [field["name"] for field in schema["fields"]] == [
            "_2nd_col",
            "_2nd_col_",
            "day",
            "flag",
            "gap",
            "void",
            "s",
        ]
        for record in _schema.records(dataset):
            assert fastavro.validate(record, parsed)
        assert "gap long?" in _schema.summary(schema)
        assert "day date" in _schema.summary(schema)

    def test_keys_are_different_for_every_row(self) -> None:
        rows = [{"a": 1.0, "b": "x", "c": 1}, {"a": 2.0, "b": "x", "c": 2}]
        assert _schema.key_column(rows) == "c"
        assert _schema.keys(rows, "c") == ["1", "2"]
        assert _schema.key_column([{"b": "x"}, {"b": "x"}]) is None
        assert _schema.keys([{}, {}], None) == ["row-000001", "row-000002"]


class TestComparison:
    SENT: dict[str, dict[str, Any]] = {"a": {"n": 1}, "b": {"n": 2}}  # noqa: RUF012

    def test_all_equal(self) -> None:
        assert not _pipeline.compare(self.SENT, [("b", {"n": 2}), ("a", {"n": 1})])

    @pytest.mark.parametrize(
        ("received", "kind"),
        [
            ([("a", {"n": 1})], "missing"),
            ([("a", {"n": 1}), ("b", {"n": 2}), ("a", {"n": 1})], "duplicated"),
            ([("a", {"n": 1}), ("b", {"n": 2}), ("c", {"n": 1})], "unexpected"),
            ([("a", {"n": 1}), ("b", {"n": 1})], "different"),
            ([("a", {"n": 1}), ("b", {"n": 2.0})], "different"),
            ([("a", {"n": True}), ("b", {"n": 2})], "different"),
            ([("a", {"n": 1, "m": None}), ("b", {"n": 2})], "different"),
            ([("a", {"n": 1}), ("b", None)], "different"),
        ],
    )
    def test_each_kind_of_difference_is_counted(self, received: list[tuple[str, object]], kind: str) -> None:
        found = _pipeline.compare(self.SENT, received)
        assert found
        assert {name: getattr(found, name) for name in ("missing", "duplicated", "unexpected", "different")} == {
            **dict.fromkeys(("missing", "duplicated", "unexpected", "different"), 0),
            kind: 1,
        }
        assert found.examples[0].startswith(kind)

    def test_not_a_number_equals_itself(self) -> None:
        assert _pipeline.same({"x": math.nan}, {"x": math.nan})
        assert not _pipeline.same({"x": math.nan}, {"x": 1.0})


class TestLimits:
    @staticmethod
    def records(count: int, size: int) -> list[_pipeline.Encoded]:
        return [_pipeline.Encoded(b"", b"x" * size, [])] * count

    @pytest.mark.parametrize(
        ("count", "size", "partitions"), [(47_000, 10, 1), (5, 1024 * 1024 - 100, 1), (180_000, 10, 8)]
    )
    def test_what_fits_is_taken(self, count: int, size: int, partitions: int) -> None:
        _pipeline.refuse_more_than_fits(self.records(count, size), partitions)

    @pytest.mark.parametrize(
        ("count", "size", "partitions"), [(100_001, 0, 1), (6, 1024 * 1024, 1), (6, 1024 * 1024, 2), (250_000, 0, 4)]
    )
    def test_what_would_be_dropped_is_refused(self, count: int, size: int, partitions: int) -> None:
        with pytest.raises(CommandError, match="--bootstrap-servers"):
            _pipeline.refuse_more_than_fits(self.records(count, size), partitions)


def test_report_shows_differences_and_the_verdict() -> None:
    dataset = _datasets.Dataset("t", "about", [{"d": date(2024, 1, 1)}])
    outcome = _pipeline.Outcome(
        dataset=dataset,
        topic="topic",
        partitions=1,
        schema=_schema.derive_schema(dataset),
        columns="d date",
        schema_id=1,
        key_column=None,
        stages=[_pipeline.Stage("serialize", 1, 10, 0.0)],
        samples=[("row-000001", {"d": date(2024, 1, 1)})],
        differences=_pipeline.compare({"a": {}}, []),
    )
    page = _report.as_text("somewhere", [outcome], ["topic"])
    assert "FAILED: 1 missing" in page
    assert "missing: 'a'" in page
    assert "Left on the broker, delete when no longer wanted: topic" in page
    report = json.loads(_report.as_json({"embedded": True}, [outcome], []))
    assert report["ok"] is False
    assert report["datasets"][0]["samples"][0]["value"] == {"d": "2024-01-01"}
