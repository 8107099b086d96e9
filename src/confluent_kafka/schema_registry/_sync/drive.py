# SPDX-License-Identifier: Apache-2.0
"""Runs operations of the core with plain calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.schema_registry._core.effects import Effect, Op

T = TypeVar("T")


def drive(operation: Op[T], perform: Callable[[Effect], Any]) -> T:
    """Run an operation to its end, with ``perform`` for what it asks for."""
    try:
        effect = next(operation)
        while True:
            try:
                result = perform(effect)
            except BaseException as e:  # noqa: PERF203  # the operation decides what becomes of it
                effect = operation.throw(e)
            else:
                effect = operation.send(result)
    except StopIteration as done:
        value: T = done.value
        return value
