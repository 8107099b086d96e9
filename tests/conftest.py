# SPDX-License-Identifier: Apache-2.0
"""Servers shared by the lanes, and the rules that keep a green run honest.

A lane is a folder below tests/. `make test` passes --require-lanes: each lane must have run a test. With CI set, a test
that is skipped fails the run; elsewhere a test that needs a missing tool is skipped, naming the line that installs it.
"""

from __future__ import annotations

import os
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.apicurio import ApicurioRegistry
from tests.support.broker import KafkaBroker
from tests.support.cluster import KafkaCluster
from tests.support.kafka_jars import MissingTool

ROOT = Path(__file__).resolve().parent.parent
LANES = ("unit", "mock", "parity", "aio", "integration", "compat", "interop", "leak", "fault")
IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")

_ran = pytest.StashKey[Counter[str]]()
_skipped = pytest.StashKey[list[str]]()
_broken = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-lanes",
        default="",
        help=f"comma-separated lanes (or 'all': {', '.join(LANES)}) that must each run at least one test",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ran] = Counter()
    config.stash[_skipped] = []
    config.stash[_broken] = []
    # A shell starts background jobs with SIGINT ignored, which children inherit; tests send it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _assert_own_native_module()


def _assert_own_native_module() -> None:
    """Tests of another build, or of the package whose name ours shares, would prove nothing."""
    try:
        from confluent_kafka import _native
    except ImportError as error:
        raise pytest.UsageError(f"the native module does not load ({error}); run `make dev`") from error
    origin = Path(str(_native.__file__)).resolve()
    if not origin.is_relative_to(ROOT):
        raise pytest.UsageError(
            f"confluent_kafka is {origin}, not this checkout's; run `make dev` and .venv/bin/python"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    with _MissingToolSkips():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    with _MissingToolSkips():
        return (yield)


class _MissingToolSkips:
    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, MissingTool) and not IN_CI:
            pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # An expected failure is reported as skipped too, but it did run.
    if report.skipped and not hasattr(report, "wasxfail"):
        item.config.stash[_skipped].append(item.nodeid)
    elif report.when == "call":
        item.config.stash[_ran][_lane(item)] += 1
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    # A whole module that skips itself, as importorskip does.
    if report.skipped:
        collector.config.stash[_skipped].append(collector.nodeid)
    return report


def pytest_runtest_logstart(nodeid: str) -> None:
    """Note the test under way, for ``make test`` to name when it ends the whole run."""
    if note := os.environ.get("FERROKAFKA_RUNNING_TEST"):
        Path(note).write_text(nodeid, encoding="utf-8")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick lanes first."""
    order = {lane: position for position, lane in enumerate(LANES)}
    items.sort(key=lambda item: order.get(_lane(item), len(LANES)))


def _lane(item: pytest.Item) -> str:
    parts = item.path.relative_to(ROOT).parts
    return parts[1] if parts[0] == "tests" and len(parts) > 2 else ""


def pytest_sessionfinish(session: pytest.Session) -> None:
    if note := os.environ.get("FERROKAFKA_RUNNING_TEST"):
        Path(note).unlink(missing_ok=True)
    stash, broken = session.config.stash, session.config.stash[_broken]
    if session.config.option.collectonly:
        return
    wanted = session.config.getoption("--require-lanes")
    for lane in LANES if wanted == "all" else filter(None, wanted.split(",")):
        if not stash[_ran][lane] and (IN_CI or not stash[_skipped]):
            broken.append(f"lane {lane!r} ran no test")
    if IN_CI:
        broken += [f"skipped in CI: {name}" for name in stash[_skipped]]
    if broken and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[_broken]:
        terminalreporter.section("this run does not count", red=True)
        for line in config.stash[_broken]:
            terminalreporter.line(line)


def unique_name(prefix: str = "name") -> str:
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def broker() -> Iterator[KafkaBroker]:
    """The run's Kafka broker, plaintext. Tests that stop or pause a broker start one of their own."""
    with KafkaBroker() as running:
        yield running


@pytest.fixture(scope="session")
def secure_broker() -> Iterator[KafkaBroker]:
    """The run's broker with TLS, mutual TLS and SASL listeners: a tests.support.secure_broker.SecureBroker."""
    # It needs the cryptography package, which the unit lane on other interpreters does not install.
    from tests.support.secure_broker import SecureBroker

    with SecureBroker() as running:
        yield running


@pytest.fixture(scope="session")
def _cluster() -> Iterator[KafkaCluster]:
    with KafkaCluster() as running:
        yield running


@pytest.fixture
def cluster(_cluster: KafkaCluster) -> KafkaCluster:
    """The run's cluster of three brokers, all of them up. A test may end some and need not start them again."""
    _cluster.heal()
    return _cluster


@pytest.fixture(scope="session")
def apicurio() -> Iterator[ApicurioRegistry]:
    """The run's Schema Registry of another maker: a real server, which drops metadata and rule sets."""
    with ApicurioRegistry() as running:
        yield running


@pytest.fixture
def unique() -> Callable[[str], str]:
    """``unique(prefix)``: a topic, group or transaction name that nothing else uses."""
    return unique_name


@pytest.fixture
def topic(broker: KafkaBroker, unique: Callable[[str], str]) -> Callable[..., str]:
    """``topic(partitions=1, config=None)``: make a topic on the run's broker; returns its unique name."""

    def make(partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        return broker.create_topic(unique("topic"), partitions, config)

    return make
