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
            error: BaseException | None = None
            try:
                result = perform(effect)
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
