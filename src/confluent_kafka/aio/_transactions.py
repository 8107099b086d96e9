# SPDX-License-Identifier: Apache-2.0
"""Transactions of the asyncio producer: the steps of `confluent_kafka._transactions`, awaited."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from .._transactions import Attempt, may_run_again
from ..error import KafkaException

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from .._transactions import Steps
    from ._consumer import AIOConsumer
    from ._producer import AIOProducer

_T = TypeVar("_T")
_P = TypeVar("_P", bound="AIOProducer")


async def perform(steps: Steps[_T]) -> _T:
    """Await the calls that ``steps`` yields, and give it their results and exceptions."""
    try:
        call = next(steps)
        while True:
            try:
                result = await call()
            except BaseException as e:  # noqa: PERF203
                call = steps.throw(e)
            else:
                call = steps.send(result)
    except StopIteration as end:
        value: _T = end.value
        return value


@asynccontextmanager
async def transaction(producer: _P, consumer: AIOConsumer | None) -> AsyncIterator[_P]:
    """See ``AIOProducer.transaction``."""
    attempt = Attempt(producer, consumer)
    await perform(attempt.begin())
    try:
        yield producer
        await perform(attempt.commit())
    except BaseException as e:
        await perform(attempt.abort(e))
        raise


async def run_transaction(producer: AIOProducer, fn: Callable[[], Awaitable[_T]], consumer: AIOConsumer | None) -> _T:
    """See ``AIOProducer.run_transaction``."""
    while True:
        try:
            async with transaction(producer, consumer):
                result = await fn()
            return result
        except KafkaException as e:  # noqa: PERF203  # once per attempt
            if not may_run_again(e):
                raise
