# SPDX-License-Identifier: Apache-2.0
"""Work that may have to wait, written once for the synchronous and the asyncio clients.

Steps are a generator that yields what has to be awaited, and is sent the result or has the exception thrown into it.
Where nothing has to be awaited they end without a yield.
"""

from __future__ import annotations

from inspect import iscoroutine
from types import GeneratorType, NoneType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator
    from typing import TypeAlias

    from typing_extensions import TypeIs

T = TypeVar("T")

if TYPE_CHECKING:
    Steps: TypeAlias = Generator[Awaitable[Any], Any, T]

# What (de)serializers mostly return: looking a type up here is quicker than looking for its __await__.
VALUES = frozenset({bytes, str, dict, list, int, float, bool, NoneType})


def is_awaitable(result: object) -> bool:
    """Whether a call returned something to be awaited in place of its result."""
    return type(result) not in VALUES and hasattr(type(result), "__await__")


def is_steps(outcome: T | Steps[T]) -> TypeIs[Steps[T]]:
    """Whether a function that gives its result or the steps to it gave the steps."""
    return type(outcome) is GeneratorType


def run(steps: Steps[T]) -> T:
    """Take the steps where nothing can be awaited: one that would have to be fails with a TypeError."""
    try:
        awaitable = next(steps)
        while True:
            if iscoroutine(awaitable):
                awaitable.close()  # it would complain that nobody awaited it
            awaitable = steps.throw(
                TypeError(
                    "a coroutine where this client cannot await one: use AsyncSerializingProducer or "
                    "AsyncDeserializingConsumer of confluent_kafka.aio"
                )
            )
    except StopIteration as done:
        result: T = done.value
        return result
