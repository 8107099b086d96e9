# SPDX-License-Identifier: Apache-2.0
"""Runs operations of the core on an event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from confluent_kafka.schema_registry._core.effects import Effect, Op

T = TypeVar("T")


async def drive(operation: Op[T], perform: Callable[[Effect], Awaitable[Any]]) -> T:
    """Run an operation to its end, awaiting ``perform`` for what it asks for."""
    try:
        effect = next(operation)
        while True:
            error: BaseException | None = None
            try:
                result = await perform(effect)
            except BaseException as e:  # the operation decides what becomes of it
                error = e
            if error is None:
                effect = operation.send(result)
                continue
            try:
                # not while it is handled here: it would be the context of all that the operation raises later on
                effect = operation.throw(error)
            finally:
                error = None  # whose traceback has this frame
    except StopIteration as done:
        value: T = done.value
        return value


class Flights:
    """Tasks that want the same thing at the same time share one call for it; no results are kept."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, asyncio.Future[Any]] = {}

    async def run(self, key: Hashable, call: Callable[[], Awaitable[T]]) -> T:
        """Return the result of ``call()``, or that of the call for ``key`` another task of this loop has under way.

        An ``Exception`` reaches everyone who waited. A cancellation concerns only the task that made the call: one of
        those that waited then makes its own.
        """
        loop = asyncio.get_running_loop()
        place = (id(loop), key)  # two loops in two threads cannot wait for each other
        # a loop that ended in the middle leaves its flights behind, and the next one may be at its address
        while (flight := self._flights.get(place)) is not None and flight.get_loop() is loop:
            done, _ = await asyncio.wait((flight,))  # which, if cancelled, leaves the future alone
            if not flight.cancelled():
                result: T = done.pop().result()
                return result
        mine = self._flights[place] = loop.create_future()
        try:
            result = await call()
        except BaseException as e:
            del self._flights[place]
            if isinstance(e, Exception):
                mine.set_exception(e)
                mine.exception()  # looked at, though nobody may be waiting
            else:
                mine.cancel()
            raise
        # out of the table first: who asks from now on wants a fresh answer
        del self._flights[place]
        mine.set_result(result)
        return result
