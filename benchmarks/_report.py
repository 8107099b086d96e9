# SPDX-License-Identifier: Apache-2.0
"""Results of rows, contests and checks: ratios, verdicts, and the page and JSON file that are stored."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import platform
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _rows import MIB, Check, Contest, Limit, Row

PROCESS_LIMIT = 1.00
ROOT = Path(__file__).resolve().parent.parent


@dataclass
class RowResult:
    """Raw runs of both sides in the order they were made; ours and the peer's with the same index are neighbours."""

    row: Row
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"ours": [], "peer": []})
    error: str | None = None

    def median(self, side: str, measure: str | None = None) -> float:
        """Nanoseconds per message, by default those that the row's limit is about."""
        return _median(self.runs[side], measure or self.row.measure)

    def ratio(self, measure: str | None = None) -> float:
        """Ratio of the medians, ours / peer."""
        return self.median("ours", measure) / self.median("peer", measure)

    def spread(self, measure: str | None = None) -> tuple[float, float]:
        """Smallest and largest ratio of neighbouring runs."""
        return _spread(self.runs["ours"], self.runs["peer"], measure or self.row.measure)

    @property
    def complaints(self) -> list[str]:
        if self.error is not None:
            return [self.error.splitlines()[-1]]
        limits = {"process_ns": PROCESS_LIMIT, self.row.measure: self.row.limit}
        return [
            f"{measure.removesuffix('_ns')} ratio {self.ratio(measure):.3f} is above {limit:.2f}"
            for measure, limit in limits.items()
            if self.ratio(measure) > limit
        ]


@dataclass
class CheckResult:
    check: Check
    run: dict[str, Any] | None = None
    error: str | None = None

    @property
    def complaints(self) -> list[str]:
        if self.error is not None or self.run is None:
            return [(self.error or "not run").splitlines()[-1]]
        growth = self.run["growth_bytes"]
        if growth > self.check.limit_bytes:
            return [f"grew by {growth / MIB:.1f} MiB, more than {self.check.limit_bytes / MIB:.0f} MiB"]
        return []


@dataclass
class ContestResult:
    """Raw runs of each side, in the order they were made: one run of every side, then the next one of each."""

    contest: Contest
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    error: str | None = None

    def figures(self, measure: str) -> str:
        """The median of each side that has the measure."""
        having = {side: runs for side, runs in self.runs.items() if measure in runs[0]}
        return ", ".join(f"{side} {_number(_median(runs, measure))}" for side, runs in having.items())

    def reached(self, limit: Limit) -> float:
        """Our median, or its ratio to the other side's."""
        ours = _median(self.runs["ours"], limit.measure)
        return ours if limit.of is None else ours / _median(self.runs[limit.of], limit.measure)

    def spread(self, limit: Limit) -> tuple[float, float]:
        """Smallest and largest of what our runs reached, each against the other side's run that followed."""
        if limit.of is not None:
            return _spread(self.runs["ours"], self.runs[limit.of], limit.measure)
        figures = [run[limit.measure] for run in self.runs["ours"]]
        return min(figures), max(figures)

    @property
    def complaints(self) -> list[str]:
        if self.error is not None:
            return [self.error.splitlines()[-1]]
        return [
            f"{_label(limit.measure)}: {_number(self.reached(limit))} is not {limit}"
            for limit in self.contest.limits
            if not limit.holds(self.reached(limit))
        ]


def _median(runs: list[dict[str, Any]], measure: str) -> float:
    return float(statistics.median(run[measure] for run in runs))


def _spread(ours: list[dict[str, Any]], other: list[dict[str, Any]], measure: str) -> tuple[float, float]:
    ratios = [mine[measure] / theirs[measure] for mine, theirs in zip(ours, other, strict=True)]
    return min(ratios), max(ratios)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 or value == int(value) else f"{value:.3g}"


def _label(measure: str) -> str:
    return measure.replace("_", " ")


def _cells(columns: list[str], lines: list[list[str]]) -> str:
    widths = [max(len(line[i]) for line in [columns, *lines]) for i in range(len(columns))]

    def text(line: list[str]) -> str:
        cells = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
        return "| " + " | ".join([line[0].ljust(widths[0]), *cells[1:]]) + " |"

    rule = "|" + "|".join("-" * (width + 1) + ("-" if i == 0 else ":") for i, width in enumerate(widths)) + "|"
    return "\n".join([text(columns), rule, *map(text, lines)])


def row_table(results: list[RowResult]) -> str:
    """Markdown table: nanoseconds of the calling thread per message, and ratios."""
    lines = []
    for result in results:
        row = result.row
        aim = "-" if row.aim is None else f"{row.aim:.2f}"
        if result.error is not None:
            lines.append([row.work, "-", "-", "failed", "-", f"{row.limit:.2f}", aim, "-", "-", "FAILED"])
            continue
        low, high = result.spread()
        process_low, process_high = result.spread("process_ns")
        reached = row.aim is not None and result.ratio() <= row.aim
        lines.append(
            [
                row.work,
                f"{result.median('ours'):.0f}",
                f"{result.median('peer'):.0f}",
                f"{result.ratio():.3f}",
                f"{low:.2f}-{high:.2f}",
                f"{row.limit:.2f}",
                aim,
                f"{result.ratio('process_ns'):.3f}",
                f"{process_low:.2f}-{process_high:.2f}",
                "ABOVE LIMIT" if result.complaints else "aim reached" if reached else "ok",
            ]
        )
    columns = ["work", "ours ns", "peer ns", "ratio", "spread", "limit", "aim", "process ratio", "spread", "verdict"]
    return _cells(columns, lines)


def process_row_table(results: list[RowResult]) -> str:
    """Markdown table: nanoseconds of the process per message, and ratios."""
    lines = []
    for result in results:
        row = result.row
        if result.error is not None:
            lines.append([row.work, "-", "-", "failed", "-", f"{row.limit:.2f}", "FAILED"])
            continue
        low, high = result.spread()
        lines.append(
            [
                row.work,
                f"{result.median('ours'):.0f}",
                f"{result.median('peer'):.0f}",
                f"{result.ratio():.3f}",
                f"{low:.3f}-{high:.3f}",
                f"{row.limit:.2f}",
                "ABOVE LIMIT" if result.complaints else "ok",
            ]
        )
    return _cells(["asyncio, process CPU", "ours ns", "peer ns", "ratio", "spread", "limit", "verdict"], lines)


def contest_table(results: list[ContestResult]) -> str:
    """Markdown table: one line per limit, then one per measure without a limit."""
    lines = []
    for result in results:
        contest = result.contest
        if result.error is not None:
            lines.append([contest.work, "-", "-", "failed", "-", "-", "FAILED"])
            continue
        for limit in contest.limits:
            reached = result.reached(limit)
            low, high = map(_number, result.spread(limit))
            lines.append(
                [
                    contest.work,
                    _label(limit.measure),
                    result.figures(limit.measure),
                    _number(reached),
                    f"{low}-{high}",
                    str(limit),
                    "ok" if limit.holds(reached) else "NOT MET",
                ]
            )
        lines += [[contest.work, _label(told), result.figures(told), "-", "-", "-", "-"] for told in contest.told]
    return _cells(["asyncio", "measure", "medians", "reached", "spread", "limit", "verdict"], lines)


def check_table(results: list[CheckResult]) -> str:
    """Markdown table: growth of resident memory under our package."""
    lines = []
    for result in results:
        check, run = result.check, result.run
        limit = f"{check.limit_bytes / MIB:.0f}"
        if run is None:
            lines.append([check.work, "-", limit, "-", "FAILED"])
            continue
        verdict = "ABOVE LIMIT" if result.complaints else "ok"
        grown, base = run["growth_bytes"] / MIB, run["baseline_bytes"] / MIB
        lines.append([check.work, f"{grown:.1f}", limit, f"{base:.1f}", verdict])
    return _cells(["memory", "growth MiB", "limit", "from MiB", "verdict"], lines)


def machine() -> dict[str, Any]:
    """What the numbers depend on beside the code."""
    cpu = "unknown"
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "load_average": os.getloadavg(),
    }


def revision() -> str:
    """The commit of the checkout, with ``+`` when files differ from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=12"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


@dataclass
class Results:
    rows: list[RowResult]
    contests: list[ContestResult]
    checks: list[CheckResult]

    @property
    def problems(self) -> list[str]:
        """What is not met, each with the key of its row."""
        found = [f"{result.row.key}: {text}" for result in self.rows for text in result.complaints]
        found += [f"{result.contest.key}: {text}" for result in self.contests for text in result.complaints]
        return found + [f"{result.check.key}: {text}" for result in self.checks for text in result.complaints]

    @property
    def tables(self) -> list[str]:
        """Markdown tables, none of them empty."""
        by_thread = [result for result in self.rows if result.row.measure == "thread_ns"]
        by_process = [result for result in self.rows if result.row.measure == "process_ns"]
        tables = [
            row_table(by_thread) if by_thread else "",
            process_row_table(by_process) if by_process else "",
            contest_table(self.contests) if self.contests else "",
            check_table(self.checks) if self.checks else "",
        ]
        return [table for table in tables if table]


def store(directory: Path, facts: dict[str, Any], results: Results) -> tuple[Path, Path]:
    """Write the page and the raw numbers; returns both paths."""
    now = datetime.datetime.now(datetime.timezone.utc)
    directory.mkdir(parents=True, exist_ok=True)
    name = f"{now:%Y-%m-%dT%H%M}Z"
    raw = {
        "time": now.isoformat(timespec="seconds"),
        **facts,
        "rows": [
            {
                "key": result.row.key,
                "work": result.row.work,
                "measure": result.row.measure,
                "limit": result.row.limit,
                "aim": result.row.aim,
                "arguments": {side: result.row.arguments_of(side) for side in ("ours", "peer")},
                "runs": result.runs,
                "complaints": result.complaints,
            }
            for result in results.rows
        ],
        "contests": [
            {
                "key": result.contest.key,
                "work": result.contest.work,
                "sides": {name: dataclasses.asdict(side) for name, side in result.contest.sides.items()},
                "limits": [f"{_label(limit.measure)} {limit}" for limit in result.contest.limits],
                "runs": result.runs,
                "complaints": result.complaints,
            }
            for result in results.contests
        ],
        "checks": [
            {"key": result.check.key, "work": result.check.work, "limit_bytes": result.check.limit_bytes,
             "run": result.run, "complaints": result.complaints}
            for result in results.checks
        ],
    }  # fmt: skip
    data = directory / f"{name}.json"
    data.write_text(json.dumps(raw, indent=1) + "\n")
    page = directory / f"{name}.md"
    page.write_text(_page(now, facts, results))
    return page, data


def _page(now: datetime.datetime, facts: dict[str, Any], results: Results) -> str:
    host = facts["machine"]
    parts = [
        f"# Benchmark of {now:%Y-%m-%d %H:%M} UTC",
        f"- ours: {facts['ours']}, revision {facts['revision']}",
        f"- peer: {facts['peer']}",
        f"- aiokafka: {facts['aiokafka']}",
        f"- broker: {facts['broker']}",
        f"- machine: {host['cpu']}, {host['cores']} cores, {host['memory_gib']} GiB, {host['system']}, {host['libc']}, "
        f"load {', '.join(f'{load:.2f}' for load in host['load_average'])} at the start",
        f"- command: `{facts['command']}`",
        "",
        "Nanoseconds are CPU time of the calling thread per message, in the asyncio rows of the process, the median of "
        "the runs; `ratio` is the ratio of the medians, `spread` the smallest and largest ratio of neighbouring runs; "
        "the process ratio counts all threads.",
    ]
    for table in results.tables:
        parts += ["", table]
    if results.rows or results.contests:
        parts += ["", "Raw figures, in the order of the runs; nanoseconds are per message:", ""]
    for row in results.rows:
        for side, runs in row.runs.items():
            thread = " ".join(f"{run['thread_ns']:.0f}" for run in runs)
            process = " ".join(f"{run['process_ns']:.0f}" for run in runs)
            parts.append(f"- {row.row.key}, {side}: thread {thread}; process {process}")
    for contest in results.contests:
        for side, runs in contest.runs.items():
            raw = [
                f"{_label(measure)} {' '.join(_number(run[measure]) for run in runs if measure in run)}"
                for measure in contest.contest.measures
            ]
            parts.append(f"- {contest.contest.key}, {side}: {'; '.join(raw)}")
    if results.problems:
        parts += ["", "Not met:", "", *[f"- {problem}" for problem in results.problems]]
    return "\n".join(parts) + "\n"
