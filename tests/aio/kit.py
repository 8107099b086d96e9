# SPDX-License-Identifier: Apache-2.0
"""What the asyncio lane shares: loops with a deadline that tolerate no noise, and waiting for conditions on them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import io
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from typing import Any, Protocol, TypeVar

import uvloop

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.aio import AIOConsumer, AIOProducer

T = TypeVar("T")
DEADLINE = 60.0
"""Seconds a condition may take on a busy machine; a test that passes never needs them."""
HOUR = 3_600.0
"""A time-out that no test lives to see."""

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}


class MakeAIOProducer(Protocol):
    def __call__(self, conf: dict[str, Any] | None = None, /, **options: Any) -> AIOProducer:
        """A producer on the test's broker, purged and closed after the run; ``options`` go to ``AIOProducer``."""


class MakeAIOConsumer(Protocol):
    def __call__(self, conf: dict[str, Any] | None = None, /, **options: Any) -> AIOConsumer:
        """A consumer on the test's broker in a group of its own, from the start on, closed after the run."""


class Run:
    """``run(main)`` runs a coroutine function on a new loop, against a deadline, and gives what it returns.

    The run fails on whatever the loop's exception handler was told (a test that expects something there takes it out
    of ``noise``) and on tasks that are left over. ``clients`` are closed at its end.
    """

    def __init__(self, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self.new_loop = new_loop
        self.clients: list[AIOProducer | AIOConsumer] = []
        self.noise: list[dict[str, Any]] = []

    def __call__(self, main: Callable[[], Coroutine[Any, Any, T]], deadline: float = DEADLINE) -> T:
        with self.loop() as loop:
            result = loop.run_until_complete(self._against(main, deadline))
        # A future or a task that nobody looked at complains when it is collected.
        gc.collect()
        assert not self.noise, self.noise
        return result

    @contextlib.contextmanager
    def loop(self) -> Iterator[asyncio.AbstractEventLoop]:
        """A loop that ends as ``asyncio.run`` ends its own: what is left is cancelled, then it is closed."""
        loop = self.new_loop()
        loop.set_exception_handler(lambda _loop, context: self.noise.append(context))
        try:
            yield loop
        finally:
            end(loop)

    async def _against(self, main: Callable[[], Coroutine[Any, Any, T]], deadline: float) -> T:
        task = asyncio.ensure_future(main())
        _, late = await asyncio.wait({task}, timeout=deadline)
        if late:
            stacks = stacks_of(asyncio.all_tasks() - {_this_task()})
            task.cancel()
            raise AssertionError(f"not done after {deadline:.0f} s:\n{stacks}")
        try:
            result = task.result()
        finally:
            for client in reversed(self.clients):
                await within(_close(client), f"close() of {client!r}")
            self.clients.clear()
        await settle()
        left = asyncio.all_tasks() - {_this_task()}
        assert not left, f"tasks left over:\n{stacks_of(left)}"
        return result


async def _close(client: AIOProducer | AIOConsumer) -> None:
    """Close without waiting for messages that a test left behind on purpose."""
    if isinstance(client, AIOProducer):
        with contextlib.suppress(RuntimeError):
            await client.purge()
    await client.close()


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


def end(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel every task of a loop, let them end, and close it."""
    try:
        loop.run_until_complete(cancel_all(loop))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


async def cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel every other task of this loop and wait for their ends."""
    left = asyncio.all_tasks(loop) - {_this_task()}
    for task in left:
        task.cancel()
    if left:
        _, stuck = await asyncio.wait(left, timeout=DEADLINE)
        assert not stuck, f"cancelled tasks that go on:\n{stacks_of(stuck)}"


def stacks_of(tasks: Iterable[asyncio.Task[Any]]) -> str:
    text = io.StringIO()
    for task in tasks:
        task.print_stack(file=text)
    return text.getvalue()


async def settle(ticks: int = 10) -> None:
    """Let everything that could run now run."""
    for _ in range(ticks):
        await asyncio.sleep(0)


async def within(call: Awaitable[T], what: str, deadline: float = DEADLINE) -> T:
    """Await something that must end before the deadline."""
    # Not wait_for: it would wait for the end of what it cancels, which is what may hang here.
    task = asyncio.ensure_future(call)
    _, late = await asyncio.wait({task}, timeout=deadline)
    if late:
        stacks = stacks_of({task}) if isinstance(task, asyncio.Task) else ""
        task.cancel()
        raise AssertionError(f"not within {deadline:.0f} s: {what}\n{stacks}")
    return task.result()


async def eventually(check: Callable[[], Any], what: str, deadline: float = DEADLINE) -> Any:
    """Call ``check`` (a function or a coroutine function) until it gives something true, which is returned."""
    limit = time.monotonic() + deadline
    while True:
        result = check()
        if inspect.isawaitable(result):
            result = await within(result, what, deadline)
        if result:
            return result
        assert time.monotonic() < limit, f"not within {deadline:.0f} s: {what} (last result: {result!r})"
        await asyncio.sleep(0.005)


def waiter_of(task: asyncio.Task[Any]) -> asyncio.Future[Any] | None:
    """The future a task waits for: an attribute of every CPython's tasks, though without a public name."""
    waiter: asyncio.Future[Any] | None = task._fut_waiter  # type: ignore[attr-defined]
    return waiter


async def started(call: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A call in a task of its own that has come to where it waits; it must not end by itself."""
    task = asyncio.ensure_future(call)
    await eventually(lambda: task.done() or waiter_of(task) is not None, "the call to wait")
    await settle()
    assert not task.done(), f"the call did not wait: {outcome_of(task)!r}"
    return task


def outcome_of(task: asyncio.Future[Any]) -> Any:
    """What a finished task or future came to: its result, or its exception as a value."""
    if task.cancelled():
        return asyncio.CancelledError()
    return task.exception() or task.result()


async def ends(task: asyncio.Task[T]) -> Any:
    """Wait for a task and give its outcome."""
    _, late = await asyncio.wait({task}, timeout=DEADLINE)
    assert not late, f"the call still waits:\n{stacks_of({task})}"
    return outcome_of(task)


async def cancel(task: asyncio.Task[Any]) -> Any:
    """Cancel a task and give its outcome, which may be another than the cancellation."""
    task.cancel()
    return await ends(task)


async def cancel_when_served(task: asyncio.Task[Any], deadline: float = DEADLINE) -> Any:
    """Cancel a task between the moment its wait is over and the moment it runs again; give its outcome."""
    limit = time.monotonic() + deadline
    while not task.done() and time.monotonic() < limit:
        waiter = waiter_of(task)
        if waiter is not None and waiter.done():
            break
        await asyncio.sleep(0)
    return await cancel(task)


async def read(consumer: AIOConsumer, count: int, deadline: float = DEADLINE) -> list[Message]:
    """Poll until ``count`` records have arrived; any error message fails the test."""
    messages: list[Message] = []
    limit = time.monotonic() + deadline
    while len(messages) < count:
        assert time.monotonic() < limit, f"only {len(messages)} of {count} records within {deadline:.0f} s"
        message = await consumer.poll(0.2)
        if message is None:
            continue
        assert message.error() is None, message.error()
        messages.append(message)
    return messages


async def poll_until(consumer: AIOConsumer, check: Callable[[], Any], what: str) -> Any:
    """Poll (a record arriving meanwhile fails the test) until ``check`` gives something true."""

    async def step() -> Any:
        message = await consumer.poll(0.05)
        assert message is None, f"unexpected {message!r} while waiting for {what}"
        result = check()
        return await result if inspect.isawaitable(result) else result

    return await eventually(step, what)


async def failure_of(call: Awaitable[Any]) -> KafkaError:
    """The KafkaError of the KafkaException that a call must raise."""
    try:
        result = await within(call, "a failure")
    except KafkaException as caught:
        error = caught.args[0]
        assert isinstance(error, KafkaError)
        return error
    raise AssertionError(f"no KafkaException but {result!r}")


def values_of(messages: Iterable[Message]) -> list[Any]:
    return [message.value() for message in messages]


def numbers(count: int, start: int = 0) -> list[bytes]:
    """b"0", b"1", ..."""
    return [str(number).encode() for number in range(start, start + count)]


def ids(partitions: Iterable[TopicPartition]) -> list[int]:
    return sorted(partition.partition for partition in partitions)
