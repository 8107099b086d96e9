# SPDX-License-Identifier: Apache-2.0
"""Writes down what the demo did: as a page for people, or as one JSON object."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import Any

from ._encrypted import Encrypted
from ._pipeline import Outcome, Stage
from ._terminal import per_second, plural, readable_bytes

WIDTH = 100


def as_text(cluster: str, outcomes: list[Outcome], left_behind: list[str], encrypted: Encrypted | None = None) -> str:
    """The page: cluster, one block per table, the verdict."""
    lines = [f"Real records through Kafka and back: {cluster}, schemas in an in-memory registry", ""]
    for outcome in outcomes:
        lines += _block(outcome)
    if encrypted is not None:
        lines += _encryption(encrypted)
    records = sum(outcome.stages[0].records for outcome in outcomes)
    failed = [outcome.dataset.name for outcome in outcomes if not outcome.ok]
    if encrypted is not None and not encrypted.ok:
        failed.append("what was encrypted")
    if failed:
        lines.append(f"FAILED: {', '.join(failed)} did not come back as sent")
    else:
        lines.append(f"OK: all {plural(records, 'record')} of {plural(len(outcomes), 'data set')} came back as sent")
    if left_behind:
        lines.append(f"Left on the broker, delete when no longer wanted: {', '.join(left_behind)}")
    return "\n".join(lines)


def _encryption(encrypted: Encrypted) -> list[str]:
    verdict = "none in clear on the topic, all equal when decrypted"
    if not encrypted.ok:
        verdict = f"FAILED: {encrypted.in_clear:,} in clear on the topic, {encrypted.different:,} different"
    return [
        f"encrypted  {plural(encrypted.records, 'record')} of {encrypted.dataset}: {', '.join(encrypted.fields)}",
        f"  topic        {encrypted.topic}",
        _cut(f"  sent         {encrypted.value}"),
        _cut(f"  on the topic {encrypted.on_the_topic}..."),
        f"  check        {verdict}",
        "",
    ]


def _block(outcome: Outcome) -> list[str]:
    key = f"column {outcome.key_column}" if outcome.key_column else "row number"
    lines = [
        _cut(
            f"{outcome.dataset.name}  {plural(outcome.stages[0].records, 'record')}  {outcome.dataset.about}".rstrip()
        ),
        f"  topic        {outcome.topic}, {plural(outcome.partitions, 'partition')}, key: {key}",
        _cut(f"  schema {outcome.schema_id:<5} {outcome.columns}"),
        *(_stage(stage) for stage in outcome.stages),
    ]
    lines += [
        _cut(f"  sample       {key}: {json.dumps(row, default=_plain, ensure_ascii=False)}")
        for key, row in outcome.samples
    ]
    lines.append(f"  check        {_verdict(outcome)}")
    lines += [_cut(f"               {example}", 4 * WIDTH) for example in outcome.differences.examples]
    return [*lines, ""]


def _stage(stage: Stage) -> str:
    rate = per_second(stage.records, stage.seconds)
    volume = readable_bytes(per_second(stage.bytes, stage.seconds))
    return (
        f"  {stage.name:<12} {stage.records:>9,} records  {stage.bytes:>12,} bytes  {stage.seconds:>8.3f} s"
        f"  {rate:>11,.0f} records/s  {volume}/s"
    )


def _verdict(outcome: Outcome) -> str:
    differences = outcome.differences
    if not differences:
        return f"all {plural(outcome.stages[0].records, 'record')} came back equal: key, value and headers"
    counts = {kind: getattr(differences, kind) for kind in ("missing", "unexpected", "duplicated", "different")}
    return "FAILED: " + ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)


def as_json(
    cluster: dict[str, Any], outcomes: list[Outcome], left_behind: list[str], encrypted: Encrypted | None = None
) -> str:
    """The same facts for programs; seconds and bytes are plain numbers."""
    report = {
        "ok": all(outcome.ok for outcome in outcomes) and (encrypted is None or encrypted.ok),
        "cluster": cluster,
        "encrypted": None if encrypted is None else encrypted.described(),
        "datasets": [_entry(outcome) for outcome in outcomes],
        "records": sum(outcome.stages[0].records for outcome in outcomes),
        "topics_left": left_behind,
    }
    return json.dumps(report, default=_plain, ensure_ascii=False)


def _entry(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.dataset.name,
        "ok": outcome.ok,
        "topic": outcome.topic,
        "partitions": outcome.partitions,
        "key_column": outcome.key_column,
        "schema_id": outcome.schema_id,
        "schema": outcome.schema,
        "stages": [
            {**asdict(stage), "records_per_second": per_second(stage.records, stage.seconds)}
            for stage in outcome.stages
        ],
        "samples": [{"key": key, "value": row} for key, row in outcome.samples],
        "differences": asdict(outcome.differences),
    }


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _cut(line: str, width: int = WIDTH + 20) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"
