# SPDX-License-Identifier: Apache-2.0
"""Random schedules of the property tests: what they are made of, and what an application must see of a partition."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from confluent_kafka import Message
from tests.aio.kit import cancel, cancel_when_served, within

SHORT = (0.0, 0.001, 0.003, 0.01)
"""Seconds: time-outs that end before, while and after something happens on the embedded cluster."""

Schedule = Sequence[Sequence["Step"]]


@dataclass(frozen=True)
class Cut:
    """When a call is cancelled: after some turns of the loop, after some time, or as it is about to go on."""

    ticks: int = 0
    seconds: float | None = None
    served: bool = False


@dataclass(frozen=True)
class Step:
    """One call of a task: ``number`` stands for its arguments; without ``cut`` it is left to end by itself."""

    name: str
    number: int
    cut: Cut | None = None


def schedules(names: Sequence[str], tasks: int = 3, steps: int = 6, cut: bool = True) -> st.SearchStrategy[Schedule]:
    """Schedules of up to ``tasks`` tasks with up to ``steps`` steps each, of which about half are cut."""
    cuts: list[Cut | None] = [None]
    if cut:
        cuts = [None] * 14
        cuts += [Cut(ticks=ticks) for ticks in (0, 1, 2, 3, 5, 9)]
        cuts += [Cut(seconds=0.001), Cut(seconds=0.004)]
        cuts += [Cut(served=True)] * 6
    step = st.builds(Step, st.sampled_from(names), st.integers(0, 255), st.sampled_from(cuts))
    return st.lists(st.lists(step, min_size=2, max_size=steps), min_size=1, max_size=tasks)


def examples(count: int) -> settings:
    """Settings of a property test with so many examples.

    Without shrinking: a schedule depends on the moment too, and one that failed leaves clients in any state.
    """
    return settings(
        max_examples=count,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        print_blob=True,
    )


async def play(schedule: Schedule, perform: Callable[[Step], Coroutine[Any, Any, None]]) -> None:
    """Run the tasks of a schedule side by side; each step must end within the deadline."""

    async def steps(task: Sequence[Step]) -> None:
        for step in task:
            call = asyncio.ensure_future(perform(step))
            if step.cut is not None:
                await _cut(call, step.cut)
            if not call.cancelled():
                await within(call, str(step))

    await within(_all([steps(task) for task in schedule]), "the schedule")


async def _all(calls: list[Coroutine[Any, Any, None]]) -> None:
    for result in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def _cut(call: asyncio.Task[None], cut: Cut) -> None:
    if cut.served:
        await cancel_when_served(call, 0.004)
        return
    if cut.seconds is not None:
        await asyncio.wait({call}, timeout=cut.seconds)
    for _ in range(cut.ticks):
        if call.done():
            return
        await asyncio.sleep(0)
    await cancel(call)


@dataclass
class Track:
    """What may be delivered next from one partition, given what the application did.

    A jump (seek, assign) takes effect somewhere between its call and its end; one that was cancelled may take effect
    later or never. So there are several possible states: the next offset, and the jumps that have not taken effect.
    """

    states: set[tuple[int, frozenset[int]]] = field(default_factory=lambda: {(0, frozenset())})
    targets: dict[int, int] = field(default_factory=dict)
    values: dict[int, bytes] = field(default_factory=dict)
    delivered: list[int] = field(default_factory=list)
    paused: bool = False
    unpausing: int = 0

    def _reachable(self) -> set[tuple[int, frozenset[int]]]:
        found, left = set(self.states), list(self.states)
        while left:
            _, jumps = left.pop()
            for jump in jumps:
                state = (self.targets[jump], jumps - {jump})
                if state not in found:
                    found.add(state)
                    left.append(state)
        return found

    def deliver(self, message: Message) -> None:
        """The application was given this message."""
        assert message.error() is None, message.error()
        offset, value = message.offset(), message.value()
        assert offset is not None
        possible = self._reachable()
        where = f"{message.topic()} [{message.partition()}]"
        assert not self.paused, f"offset {offset} of the paused {where}"
        self.states = {(offset + 1, jumps) for after, jumps in possible if after == offset}
        assert self.states, f"offset {offset} of {where}, but {sorted(next_ for next_, _ in possible)} comes next"
        assert self.values.setdefault(offset, value) == value, f"two values at offset {offset} of {where}"
        self.delivered.append(offset)

    def jump(self, target: int) -> int:
        """A seek or assign begins; gives its number for ``landed``."""
        number = len(self.targets)
        self.targets[number] = target
        self.states = {(after, jumps | {number}) for after, jumps in self.states}
        return number

    def landed(self, number: int) -> None:
        """The seek or assign has returned."""
        self.states = {(after, jumps) for after, jumps in self._reachable() if number not in jumps}

    @property
    def next_offsets(self) -> set[int]:
        return {after for after, _ in self._reachable()}

    @property
    def highest(self) -> int:
        """One above the highest offset ever delivered."""
        return max(self.delivered, default=-1) + 1

    @contextlib.contextmanager
    def pausing(self) -> Any:
        """Around a call of pause(): delivered messages fail the test afterwards, unless something may have resumed."""
        yield
        self.paused = not self.unpausing

    @contextlib.contextmanager
    def resuming(self) -> Any:
        """Around a call that resumes. One that was cancelled may have resumed."""
        self.paused = False
        self.unpausing += 1
        yield
        self.unpausing -= 1
