# SPDX-License-Identifier: Apache-2.0
"""Requests that look for leaders: one at a time while topics are not known, with a native client that is scripted."""

from __future__ import annotations

from typing import Any

import pytest

from confluent_kafka import KafkaError
from confluent_kafka.admin._leaders import Leaders
from confluent_kafka.admin._request import Request


class Core:
    """Notes requests; ``answer`` answers the oldest."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.pending: list[Any] = []
        self.refuses: Exception | None = None

    def _request(self, kind: str, items: Any, options: dict[str, Any], done: Any) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.made.append((kind, items))
        self.pending.append(done)

    def answer(self, error: KafkaError | None = None) -> None:
        self.pending.pop(0)(error, [])


class Outcomes:
    def __init__(self, leaders: Leaders) -> None:
        self.leaders = leaders
        self.done: list[tuple[str, Any]] = []

    def ask(self, name: str, *topics: str, kind: str = "list_offsets") -> None:
        request: Request[Any, Any] = Request(kind, [(topic, 0, -1) for topic in topics], {}, {}, lambda raw: [])
        self.leaders.request(
            request, lambda error, raw: self.done.append((name, error)), lambda error: self.done.append((name, error))
        )

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.done]


@pytest.fixture
def core() -> Core:
    return Core()


@pytest.fixture
def outcomes(core: Core) -> Outcomes:
    return Outcomes(Leaders(core))  # type: ignore[arg-type]  # a scripted one


def test_one_request_looks_for_leaders_at_a_time(core: Core, outcomes: Outcomes) -> None:
    for name in ("first", "second", "third"):
        outcomes.ask(name, "a")
    outcomes.ask("other", "b", kind="delete_records")
    assert len(core.made) == 1
    core.answer()
    assert outcomes.names == ["first"]
    # The topic is known now: those that waited for it go together, and the other one looks for its own.
    assert len(core.made) == 4
    outcomes.ask("known", "a")
    outcomes.ask("unknown", "c")
    assert len(core.made) == 5
    for _ in range(4):
        core.answer()
    assert len(core.made) == 6
    core.answer()
    assert sorted(outcomes.names) == ["first", "known", "other", "second", "third", "unknown"]


def test_other_requests_do_not_wait(core: Core, outcomes: Outcomes) -> None:
    outcomes.ask("first", "a")
    outcomes.ask("topics", "b", kind="describe_topics")
    assert [kind for kind, _ in core.made] == ["list_offsets", "describe_topics"]


def test_those_that_wait_go_together_after_a_failure(core: Core, outcomes: Outcomes) -> None:
    for name in ("first", "second", "third"):
        outcomes.ask(name, "a")
    core.answer(KafkaError(KafkaError._TIMED_OUT))
    assert len(core.made) == 3
    core.answer()
    core.answer()
    assert outcomes.names == ["first", "second", "third"]
    outcomes.ask("fourth", "a")
    outcomes.ask("fifth", "a")
    assert len(core.made) == 4


def test_the_end_of_the_client_is_told_to_those_that_wait(core: Core, outcomes: Outcomes) -> None:
    for name in ("first", "second", "third"):
        outcomes.ask(name, "a")
    core.answer(KafkaError(KafkaError._DESTROY))
    assert [(name, error.code()) for name, error in outcomes.done] == [
        (name, KafkaError._DESTROY) for name in ("first", "second", "third")
    ]


def test_a_refusal_reaches_its_caller_and_holds_nobody_up(core: Core, outcomes: Outcomes) -> None:
    core.refuses = ValueError("no")
    with pytest.raises(ValueError, match="no"):
        outcomes.ask("first", "a")
    core.refuses = None
    outcomes.ask("second", "a")
    outcomes.ask("third", "b")
    core.refuses = ValueError("later")
    core.answer()
    assert outcomes.names == ["second", "third"]
    assert isinstance(outcomes.done[1][1], ValueError)
