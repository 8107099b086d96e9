# SPDX-License-Identifier: Apache-2.0
"""Compare ferrokafka with confluent-kafka: same scripts, own environments, one real broker, interleaved runs.

Where no call of confluent-kafka's compares, aiokafka is the other side.

Exits with 0 when every row is within its limit, 1 when one is not, 2 when it could not measure at all.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _aio_rows import AIO_CONTESTS, AIO_ROWS
from _report import ROOT, CheckResult, ContestResult, Results, RowResult, machine, revision, store
from _rows import CHECKS, FILLED_MARGIN, ROWS, Check, Contest, Row, Side
from _serde_rows import SERDE_CONTESTS, SERDE_ROWS
from peers.environment import MODULES, PEER, PeerError, peer_python

SCENARIOS = Path(__file__).resolve().parent / "scenarios"
RESULTS = Path(__file__).resolve().parent / "results"
RUN_TIMEOUT_S = 900
CreateTopic = Callable[[str, int], object]
DeleteTopic = Callable[[str], object]
KAFKA = "Apache Kafka, one KRaft node on this machine"
SIDES = ("ours", "peer")
ALL_ROWS = (*ROWS, *AIO_ROWS, *SERDE_ROWS)
CONTESTS = (*AIO_CONTESTS, *SERDE_CONTESTS)
KEYS = tuple(item.key for item in (*ALL_ROWS, *CONTESTS, *CHECKS))
# Our side of what can be profiled, and whether it reads a filled topic.
PROFILES = {
    **{row.key: (Side("ours", row.script, row.messages, row.arguments), row.consumes) for row in ALL_ROWS},
    **{contest.key: (contest.sides["ours"], contest.filled) for contest in CONTESTS},
}


class BenchError(Exception):
    """The comparison could not be made."""


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    parser.add_argument("--only", action="append", metavar="KEY", help=f"one of {', '.join(KEYS)}; repeat for more")
    parser.add_argument("--runs", type=int, default=7, help="runs of each side per row (default 7)")
    parser.add_argument(
        "--messages",
        type=int,
        default=300_000,
        help="messages per run of a row that names no number itself (default 300,000)",
    )
    parser.add_argument("--quick", action="store_true", help="3 runs and a tenth of the memory checks' work")
    parser.add_argument("--no-memory", action="store_true", help="leave the memory checks out")
    parser.add_argument("--bootstrap", help="host:port of a running broker (default: start one)")
    parser.add_argument("--partitions", type=int, default=1, help="partitions of the rows' topics (default 1)")
    parser.add_argument("--ours", help="interpreter that has ferrokafka (default: this one)")
    parser.add_argument("--peer", help="interpreter that has the peer (default: a cached environment)")
    parser.add_argument("--aiokafka", help="interpreter that has aiokafka (default: a cached environment)")
    parser.add_argument("--store", type=Path, metavar="DIR", help="where to write the page and the raw numbers "
                        "(default: benchmarks/results for a complete run, nowhere for a partial one)")  # fmt: skip
    parser.add_argument("--profile", metavar="KEY", help="record one row's run of our side by perf and print hot spots")
    options = parser.parse_args(argv)
    for key in options.only or []:
        if key not in KEYS:
            parser.error(f"unknown {key!r}; choose from {', '.join(KEYS)}")
    if options.profile and options.profile not in PROFILES:
        parser.error(f"cannot profile {options.profile!r}; choose from {', '.join(PROFILES)}")
    if options.quick:
        options.runs = min(options.runs, 3)
    if options.runs < 1 or options.messages < 100_000:
        parser.error("--runs must be at least 1 and --messages at least 100,000")
    return options


@dataclass
class Bench:
    """Runs scenarios on one broker; makes each topic at first need."""

    bootstrap: str
    create_topic: CreateTopic
    delete_topic: DeleteTopic
    pythons: dict[str, str]
    options: argparse.Namespace
    seen: dict[str, str] = field(default_factory=dict)
    _filled: dict[tuple[int, int], str] = field(default_factory=dict)
    _topics: int = 0

    def topic(self, partitions: int) -> str:
        self._topics += 1
        name = f"bench-{os.getpid()}-{self._topics}"
        self.create_topic(name, partitions)
        return name

    def filled_topic(self, messages: int, partitions: int) -> str:
        """A topic that holds ``messages`` values; the same one each time."""
        found = self._filled.get((messages, partitions))
        if found is None:
            found = self.topic(partitions)
            self.scenario("peer", "fill.py", found, messages, partitions)
            self._filled[messages, partitions] = found
        return found

    def scenario(
        self, side: str, script: str, topic: str, messages: int, partitions: int, *extra: str
    ) -> dict[str, Any]:
        """Run a scenario in a fresh process. Raises BenchError with its last words when it fails."""
        command = [*self.command(side, script, topic, messages, partitions), *extra]
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False)
        if done.returncode != 0:
            raise BenchError(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stderr.strip()[-2000:]}")
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        core = f", librdkafka {result['librdkafka']}" if result["librdkafka"] else ""
        self.seen[side] = f"{result['distribution']}{core}, Python {result['python']}"
        return result

    def command(self, side: str, script: str, topic: str, messages: int, partitions: int) -> list[str]:
        # -E -s: neither PYTHONPATH nor a user site may bring one side's package to the other.
        return [
            self.pythons[side], "-E", "-s", str(SCENARIOS / script), "--bootstrap", self.bootstrap, "--topic", topic,
            "--messages", str(messages), "--partitions", str(partitions),
        ]  # fmt: skip

    def row(self, row: Row) -> RowResult:
        """Measure a row: ours, peer, ours, peer, ..."""
        result = RowResult(row)
        partitions = self.options.partitions
        new = None if row.consumes else self.topic(partitions)
        try:
            for number in range(1, self.options.runs + 1):
                for side in SIDES:
                    messages = row.messages_of(side, self.options.messages)
                    # Whole batches of 10,000 are measured after the first message.
                    topic = new or self.filled_topic(messages + FILLED_MARGIN, partitions)
                    run = self.scenario(side, row.script, topic, messages, partitions, *row.arguments_of(side))
                    result.runs[side].append(run)
                ours, peer = (result.runs[side][-1][row.measure] for side in SIDES)
                progress(f"{row.key} {number}/{self.options.runs}: ours {ours:.0f} ns, peer {peer:.0f} ns")
        except (BenchError, subprocess.TimeoutExpired) as error:
            result.error = str(error)
            progress(f"{row.key}: {error}")
        finally:
            if new is not None:
                self.delete_topic(new)
        return result

    def contest(self, contest: Contest) -> ContestResult:
        """Measure all sides, again and again in the same order."""
        result = ContestResult(contest, {name: [] for name in contest.sides})
        count = min(contest.runs or self.options.runs, self.options.runs)
        try:
            for number in range(1 - contest.rehearsals, count + 1):
                for name, side in contest.sides.items():
                    run = self._side(contest, side)
                    if number > 0:
                        result.runs[name].append(run)
                if number < 1:
                    continue
                last = ContestResult(contest, {name: runs[-1:] for name, runs in result.runs.items()})
                told = "; ".join(f"{measure}: {last.figures(measure)}" for measure in contest.measures)
                progress(f"{contest.key} {number}/{count}: {told}")
        except (BenchError, subprocess.TimeoutExpired) as error:
            result.error = str(error)
            progress(f"{contest.key}: {error}")
        return result

    def _side(self, contest: Contest, side: Side) -> dict[str, Any]:
        """One run; a topic that is written to is used for this run only, so that no side finds a longer log."""
        partitions = self.options.partitions
        messages = side.messages or self.options.messages
        topic = self.filled_topic(messages + FILLED_MARGIN, partitions) if contest.filled else self.topic(partitions)
        try:
            return self.scenario(side.package, side.script, topic, messages, partitions, *side.arguments)
        finally:
            if not contest.filled:
                self.delete_topic(topic)

    def check(self, check: Check) -> CheckResult:
        """Run a memory check under our interpreter."""
        result = CheckResult(check)
        scale = 10 if self.options.quick else 1
        messages = check.messages // scale
        extra = list(check.arguments)
        progress(f"{check.key}: {messages:,} ...")
        try:
            filled = min(check.filled, messages)
            topic = self.filled_topic(filled, 1) if filled else self.topic(1)
            if check.script == "memory_keep.py":
                extra += ["--filled", str(filled)]
            if check.script == "lifecycle.py":
                extra += ["--cycles", str(messages)]
            result.run = self.scenario("ours", check.script, topic, messages, 1, *extra)
        except (BenchError, subprocess.TimeoutExpired) as error:
            result.error = str(error)
            progress(f"{check.key}: {error}")
        return result

    def profile(self, key: str) -> None:
        """Record our side by perf and print the functions in which the calling thread spends its time."""
        side, filled = PROFILES[key]
        messages, partitions = (side.messages or self.options.messages) * 5, self.options.partitions
        topic = self.filled_topic(messages + FILLED_MARGIN, partitions) if filled else self.topic(partitions)
        data = f"/tmp/bench-{os.getpid()}.perf"
        command = [*self.command("ours", side.script, topic, messages, partitions), *side.arguments]
        try:
            subprocess.run(["perf", "record", "-q", "-F", "4999", "-o", data, *command], check=True)
            for sort in ("dso", "dso,symbol"):
                report = ["perf", "report", "-i", data, "--stdio", "--comm", "python", "--percentage", "relative",
                          "--sort", sort, "--percent-limit", "0.7"]  # fmt: skip
                text = subprocess.run(report, capture_output=True, text=True, check=True).stdout
                lines = (line.removesuffix("-      -").rstrip(" -") for line in text.splitlines())
                print("\n".join(line for line in lines if line and not line.startswith("#")), end="\n\n")
        except FileNotFoundError:
            raise BenchError("perf is missing; on Debian: apt-get install linux-perf") from None
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(data)


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def broker(options: argparse.Namespace) -> Iterator[tuple[str, CreateTopic, DeleteTopic, str]]:
    """Address of the broker, how to create and delete its topics, and what it is."""
    # The test harness knows how to fetch, start and stop a broker; it is imported from the checkout's root.
    sys.path.insert(0, str(ROOT))
    if options.bootstrap:
        wire = importlib.import_module("tests.support.wire")
        support = importlib.import_module("tests.support.broker")
        host, _, port = options.bootstrap.rpartition(":")
        address = (host, int(port))

        def create(name: str, partitions: int) -> None:
            wire.create_topics(address, {name: partitions}, {}, 1)
            support.wait_until(lambda: len(wire.leaders(address, name)) == partitions, f"topic {name!r} has no leaders")

        yield options.bootstrap, create, lambda name: wire.delete_topics(address, [name]), f"at {options.bootstrap}"
        return
    support = importlib.import_module("tests.support.broker")
    # The JVM as a broker would run it: the harness's defaults favour a quick start.
    node = support.KafkaBroker(heap="1g", java_options=())
    progress("starting a broker ...")
    with node as running:
        yield running.bootstrap, running.create_topic, running.delete_topic, KAFKA


def pythons(options: argparse.Namespace, wanted: Sequence[str]) -> dict[str, str]:
    """The interpreters that are needed, made sure to be of one Python version and to have what they should have."""
    ours = options.ours or sys.executable
    found = {"ours": ours, "peer": options.peer or str(peer_python(ours))}
    if any(
        side.package == "aiokafka" for contest in CONTESTS if contest.key in wanted for side in contest.sides.values()
    ):
        found["aiokafka"] = options.aiokafka or str(peer_python(ours, "aiokafka"))
    told = {}
    for side, python in found.items():
        module = MODULES.get(side, MODULES[PEER])
        question = (
            f"import platform, importlib.metadata as m, {module}\n"
            "print(platform.python_version(), *sorted(d.metadata['Name'] for d in m.distributions()))"
        )
        done = subprocess.run([python, "-E", "-s", "-c", question], capture_output=True, text=True)
        if done.returncode != 0:
            raise BenchError(f"{python} cannot import {module}; run `make dev`:\n{done.stderr.strip()}")
        told[side] = done.stdout.split()
    versions = {names[0] for names in told.values()}
    if len(versions) > 1:
        raise BenchError(f"different Pythons: {', '.join(sorted(versions))}")
    if "ferrokafka" not in told["ours"] and not options.ours:
        raise BenchError(f"{found['ours']} has no ferrokafka installed; run `make dev`")
    if "ferrokafka" in told["peer"]:
        raise BenchError(f"{found['peer']} has ferrokafka installed: it cannot be the peer")
    return found


def run(options: argparse.Namespace) -> int:
    wanted = options.only or KEYS
    interpreters = pythons(options, wanted)
    host = machine()
    with broker(options) as (bootstrap, create, delete, description):
        bench = Bench(bootstrap, create, delete, interpreters, options)
        if options.profile:
            bench.profile(options.profile)
            return 0
        results = Results(
            [bench.row(row) for row in ALL_ROWS if row.key in wanted],
            [bench.contest(contest) for contest in CONTESTS if contest.key in wanted],
            [bench.check(check) for check in CHECKS if check.key in wanted and not options.no_memory],
        )
    facts = {
        **{side: bench.seen.get(side, "not run") for side in (*SIDES, "aiokafka")},
        "revision": revision(),
        "broker": description,
        "machine": host,
        "command": shlex.join(["benchmarks/run.py", *sys.argv[1:]]),
        "messages_per_run": options.messages,
        "partitions": options.partitions,
    }
    print("\n\n".join(results.tables))
    for problem in results.problems:
        progress(problem)
    complete = not (options.only or options.quick or options.no_memory or options.bootstrap) and options.runs >= 7
    directory = options.store or (RESULTS if complete else None)
    if directory is not None:
        page, data = store(directory, facts, results)
        progress(f"stored {page} and {data.name}")
    return 1 if results.problems else 0


def main() -> int:
    try:
        return run(arguments())
    except (BenchError, PeerError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
