# SPDX-License-Identifier: Apache-2.0
"""Transactions as blocks: begin, send the offsets, commit; abort and rewind on failure.

What happens when is written once, as generators that yield the calls to be made: the synchronous client makes them, the
asyncio client awaits what they return.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ._native import TopicPartition
from .error import KafkaError, KafkaException

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ._consumer import Consumer
    from ._producer import Producer

    Steps = Generator[Callable[[], Any], Any, "_T"]

_T = TypeVar("_T")
_P = TypeVar("_P", bound="Producer")

_OFFSET_INVALID = -1001


def perform(steps: Steps[_T]) -> _T:
    """Make the calls that ``steps`` yields, and give it their results and exceptions."""
    try:
        call = next(steps)
        while True:
            try:
                result = call()
            except BaseException as e:  # noqa: PERF203
                call = steps.throw(e)
            else:
                call = steps.send(result)
    except StopIteration as end:
        value: _T = end.value
        return value


def _retrying(call: Callable[[], Any]) -> Steps[None]:
    """Make a transaction call until it succeeds or fails for good.

    librdkafka waits and backs off inside each call (its time-out is the transaction's): this loop does not spin.
    """
    while True:
        try:
            yield call
            return
        except KafkaException as e:  # noqa: PERF203
            error = e.args[0]
            if not isinstance(error, KafkaError) or not error.retriable():
                raise


def _positions(consumer: Any) -> Steps[list[TopicPartition]]:
    assigned = yield consumer.assignment
    places = yield partial(consumer.position, assigned)
    return [place for place in places if place.offset != _OFFSET_INVALID]


def _rewind(consumer: Any, start: list[TopicPartition]) -> Steps[None]:
    """Move the consumer back to ``start``, or to its committed offsets where nothing had been consumed then."""
    # A partition without position then began where it was assigned, if that was said, or where the group had committed.
    known = {place: place.offset for place in (yield consumer.assignment) if place.offset >= 0}
    known.update((place, place.offset) for place in start)
    moved = yield from _positions(consumer)
    unknown = [TopicPartition(place.topic, place.partition) for place in moved if place not in known]
    if unknown:
        for place in (yield partial(consumer.committed, unknown)):
            # OFFSET_STORED would read the same; without a committed offset the reset policy decides where to start.
            known[place] = place.offset
            if place.offset < 0:
                # The reset policy put it somewhere that is not recorded: the first message it can have read is the
                # low watermark.
                known[place], _high = yield partial(consumer.get_watermark_offsets, place)
    for place in moved:
        if place.offset != known[place]:
            target = TopicPartition(place.topic, place.partition, known[place])
            yield partial(consumer.seek, target)


class Attempt:
    """One transaction of a producer, with the positions of a consumer if there is one; either both asyncio or neither.

    Each method gives the steps of its part.
    """

    def __init__(self, producer: Any, consumer: Any) -> None:
        self._producer = producer
        self._consumer = consumer
        self._start: list[TopicPartition] = []
        self._under_way: Callable[[], Any] | None = None

    def begin(self) -> Steps[None]:
        if self._consumer is not None:
            self._start = yield from _positions(self._consumer)
        yield self._producer.begin_transaction

    def commit(self) -> Steps[None]:
        if self._consumer is not None and (offsets := (yield from _positions(self._consumer))):
            metadata = yield self._consumer.consumer_group_metadata
            yield from self._ask(lambda: self._producer.send_offsets_to_transaction(offsets, metadata))
        yield from self._ask(self._producer.commit_transaction)

    def _ask(self, call: Callable[[], Any]) -> Steps[None]:
        self._under_way = call
        try:
            yield from _retrying(call)
        except KafkaException:
            self._under_way = None
            raise
        self._under_way = None

    def abort(self, error: BaseException) -> Steps[None]:
        """Undo what the block did before it raised ``error``, unless it turns out to be committed."""
        if _is_fatal(error):
            return
        if (call := self._under_way) is not None:
            # An interrupted call goes on underneath: its outcome decides what there is to abort.
            self._under_way = None
            try:
                yield from _retrying(call)
            except KafkaException as e:
                if _is_fatal(e):
                    return
            else:
                if call == self._producer.commit_transaction:
                    return
        yield from _retrying(self._producer.abort_transaction)
        if self._consumer is not None:
            yield from _rewind(self._consumer, self._start)


def may_run_again(error: KafkaException) -> bool:
    """Whether a transaction that failed with ``error`` was aborted and its work may be done again."""
    kafka_error = error.args[0] if error.args else None
    return isinstance(kafka_error, KafkaError) and kafka_error.txn_requires_abort()


def _is_fatal(error: BaseException) -> bool:
    kafka_error = error.args[0] if isinstance(error, KafkaException) and error.args else None
    return isinstance(kafka_error, KafkaError) and kafka_error.fatal()


@contextmanager
def transaction(producer: _P, consumer: Consumer | None) -> Iterator[_P]:
    """See ``Producer.transaction``."""
    attempt = Attempt(producer, consumer)
    perform(attempt.begin())
    try:
        yield producer
        perform(attempt.commit())
    except BaseException as e:
        perform(attempt.abort(e))
        raise


def run_transaction(producer: Producer, fn: Callable[[], _T], consumer: Consumer | None) -> _T:
    """See ``Producer.run_transaction``."""
    while True:
        try:
            with transaction(producer, consumer):
                result = fn()
            return result
        except KafkaException as e:  # noqa: PERF203  # once per attempt
            if not may_run_again(e):
                raise
