# SPDX-License-Identifier: Apache-2.0
"""The asyncio consumer."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, overload

from .. import _config, _native
from .._consumer import lag
from ..serialization._conversion import check_count
from ._bridge import Bridge
from ._callbacks import on_loop
from ._forward import forwarded, refuse_more
from ._transactions import perform

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from concurrent.futures import Executor
    from types import TracebackType

    from typing_extensions import Self

    from .._native import Message, TopicPartition

    Callback = Callable[["AIOConsumer", list[TopicPartition]], Any]

_logger = logging.getLogger("confluent_kafka.aio")
_FAIR = 256
"""Messages handed out before other tasks get their turn, although more messages are there."""


class _Rebalance:
    """A rebalance callback under way."""

    def __init__(self, consumer: AIOConsumer) -> None:
        self.consumer = consumer
        self.ended = False


# Which callback the current task, or the one that made it, runs.
_current: ContextVar[_Rebalance | None] = ContextVar("rebalance", default=None)


class AIOConsumer:
    """Reads messages from Kafka topics in asyncio code: no thread, no executor.

    A message is taken only when the task that awaits it gets it: cancelling an await loses nothing. Calls never wait
    behind a pending ``poll``. The client belongs to the loop that runs at its first use. ``async with`` closes it.
    Methods raise RuntimeError once it is closed.

    Args:
        consumer_conf: librdkafka's properties, of which ``group.id`` is required, and the callbacks of ``Consumer``,
            each a function or coroutine function, called on the loop. The dict is not changed.
        max_workers, executor: accepted for existing code; nothing is run in threads.

    Raises:
        ConfigurationError: librdkafka does not know a property or refuses its value.
        ValueError: ``group.id`` is missing or empty; max_workers is less than 1.
        TypeError: the configuration is no dict, or a callback is not callable.
    """

    def __init__(self, consumer_conf: dict[str, Any], max_workers: int = 100, executor: Executor | None = None) -> None:
        if max_workers < 1:
            raise ValueError("max_workers must be at least 1")
        self.executor = executor
        parsed = _config.parse("consumer", (consumer_conf,), {})
        self._core = _native.LoopConsumer()
        self._core._open(parsed.properties, on_loop(parsed.callbacks, lambda: self._bridge))
        self._poll_core = self._core.poll
        self._bridge = Bridge(self._core, self._ready, self._failed, "Consumer closed")
        self._heartbeat = self._core._heartbeat()
        self._raised: deque[BaseException] = deque()
        self._rebalance: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._told = False  # somebody has had the outcome of closing
        self._wakeups = 0
        self._unseen_wakeup = False
        self._ticking = False
        self._taken = 0

    def _ready(self) -> None:
        if self._core._acknowledge():
            self._wakeups += 1
            self._unseen_wakeup = not self._bridge.waiting

    def _failed(self, error: BaseException) -> None:
        self._raised.append(error)
        self._bridge.wake()

    def _enter(self) -> asyncio.AbstractEventLoop:
        if self._closing is not None and not self._in_rebalance():
            raise RuntimeError("Consumer closed")
        return self._bridge.bind()

    def _in_rebalance(self) -> bool:
        current = _current.get()
        return current is not None and current.consumer is self and not current.ended

    def _raise(self) -> None:
        """Raise what a callback raised, the first first."""
        if self._raised:
            raise self._raised.popleft()

    async def _wait(self, until: float | None) -> bool:
        """Wait for something to take; False when the time is over or ``wakeup`` was called."""
        loop = self._enter()
        if self._unseen_wakeup:
            self._unseen_wakeup = False
            return False
        if until is not None and loop.time() >= until:
            await asyncio.sleep(0)  # a caller that asks again and again leaves room for others
            return False
        if not self._ticking:
            self._ticking = True
            _tick_later(loop, self._heartbeat, weakref.ref(self))
        before = self._wakeups
        await self._bridge.changed(until)
        self._enter()  # not while it closes
        return self._wakeups == before and (until is None or loop.time() < until)

    def _tick(self) -> bool:
        """Every half ``max.poll.interval.ms``: librdkafka counts its own polls only. False ends the ticking."""
        if self._closing is not None:
            return False
        if self._bridge.waiting:
            self._bridge.wake()
        elif not self._core._polled() and self._core.assignment():
            _logger.warning(
                "%s: no poll() for %.0f s: after %.0f s the group gives its partitions to another member. While a "
                "handler takes long, pause() the partitions and go on polling, or raise max.poll.interval.ms",
                type(self).__name__, self._heartbeat, 2 * self._heartbeat,
            )  # fmt: skip
        return True

    async def poll(self, timeout: float = -1, *args: Any, **kwargs: Any) -> Message | None:
        """Wait for one message, or a consumer error (look at its ``error()``), and run the callbacks that are due.

        Args:
            timeout: seconds; -1 waits without limit.

        Returns: None after the time-out and after ``wakeup()``.

        Raises: what a callback raised; RuntimeError: closed meanwhile, or a wait without limit inside a rebalance
            callback, which could not end.
        """
        if args or kwargs:
            refuse_more("poll", args, kwargs)
        loop = self._enter()
        if self._in_rebalance():
            await self._nothing(timeout)
            return None
        until = None
        while True:
            self._raise()
            if (self._taken & (_FAIR - 1)) == _FAIR - 1:
                self._taken += 1
                await asyncio.sleep(0)
            message = self._poll_core(0)
            if message is not None:
                self._taken += 1
                return message
            if until is None and timeout >= 0:
                until = loop.time() + timeout
            if not await self._wait(until):
                return None

    async def consume(self, num_messages: int = 1, timeout: float = -1, *args: Any, **kwargs: Any) -> list[Message]:
        """Wait until so many messages are there or the time is over, and run the callbacks that are due.

        Args:
            num_messages: 0 to 1,000,000.
            timeout: seconds; -1 waits without limit.

        Returns: up to ``num_messages`` messages and consumer errors in order: fewer after the time-out, after
            ``wakeup()``, and when a callback is due, which runs in the next call.

        Raises: ValueError: num_messages; otherwise as ``poll``.
        """
        refuse_more("consume", args, kwargs)
        return await self._batch(num_messages, timeout, full=True)

    async def _batch(self, limit: int, timeout: float, full: bool) -> list[Message]:
        loop = self._enter()
        check_count(limit)
        if self._in_rebalance():
            await self._nothing(timeout)
            return []
        await asyncio.sleep(0)  # batches are large enough for others to have their turn before each
        until = None if timeout < 0 else loop.time() + timeout
        while True:
            self._raise()
            # Until they are handed out together, the messages are the client's: a cancelled wait leaves them there.
            if not full or self._core._gather(limit):
                messages = self._core._consume_some(limit, 0)
                if messages or limit == 0:
                    return messages
            if not await self._wait(until):
                return self._core._consume_some(limit, 0)

    async def _nothing(self, timeout: float) -> None:
        if timeout < 0:
            raise RuntimeError(
                "poll() and consume() get nothing before the rebalance callback has ended: "
                "inside it they need a timeout"
            )
        await asyncio.sleep(timeout)

    def __aiter__(self) -> AsyncIterator[Message]:
        """Give messages, consumer errors included (look at ``message.error()``), until closed or woken up."""
        return _native.Stream(self._core, self._next)

    async def _next(self) -> Message:
        await asyncio.sleep(0)  # other tasks have their turn now and then although messages are there
        try:
            message = await self.poll(-1)
        except RuntimeError:
            if self._closing is None:
                raise
            raise StopAsyncIteration from None
        if message is None:
            raise StopAsyncIteration
        return message

    async def batches(self, n: int, timeout: float = -1) -> AsyncIterator[list[Message]]:
        """Give lists of 1 to ``n`` messages, each as soon as there is one, until closed, woken up or timed out.

        Args:
            n: most messages of one list.
            timeout: seconds to wait for the first message of a list; -1 waits without limit. The iteration ends when
                no message came in that time.
        """
        while True:
            try:
                batch = await self._batch(n, timeout, full=False)
            except RuntimeError:
                if self._closing is None:
                    raise
                return
            if not batch:
                return
            yield batch

    async def subscribe(
        self,
        topics: list[str],
        on_assign: Callback | None = None,
        on_revoke: Callback | None = None,
        on_lost: Callback | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Join the group for these topics; replaces an earlier subscription and its callbacks.

        Args:
            on_assign, on_revoke, on_lost: functions or coroutine functions, called as ``callback(consumer,
                partitions)`` in ``poll``, ``consume`` and ``close``. The rebalance waits for a coroutine function,
                which may await the consumer's methods; meanwhile nothing is handed out.

        Raises: as ``Consumer.subscribe``.
        """
        refuse_more("subscribe", args, kwargs)
        self._enter()
        given = {"on_assign": on_assign, "on_revoke": on_revoke, "on_lost": on_lost}
        callbacks: dict[str, Any] = {
            name: self._rebalancing(callback) if callable(callback) else callback
            for name, callback in given.items()
            if callback is not None
        }
        self._core.subscribe(topics, **callbacks)

    def _rebalancing(self, callback: Callback) -> Callable[[object, list[TopicPartition]], bool | None]:
        ref = weakref.ref(self)

        def call(_core: object, partitions: list[TopicPartition]) -> bool | None:
            consumer = ref()
            if consumer is None:
                return None
            result = callback(consumer, partitions)
            if not hasattr(result, "__await__"):
                return None
            # True leaves the rebalance to us: it ends with the coroutine.
            loop = asyncio.get_running_loop()
            consumer._rebalance = loop.create_task(consumer._run_rebalance(result))
            return True

        return call

    async def _run_rebalance(self, awaitable: Awaitable[Any]) -> None:
        rebalance = _Rebalance(self)
        _current.set(rebalance)
        try:
            await awaitable
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as e:
            self._raised.append(e)
        finally:
            rebalance.ended = True
            self._rebalance = None
            try:
                self._core._end_rebalance()
            except Exception as e:
                self._raised.append(e)
            self._bridge.wake()

    unsubscribe = forwarded(_native.Consumer.unsubscribe)
    subscription = forwarded(_native.Consumer.subscription)
    assign = forwarded(_native.Consumer.assign)
    unassign = forwarded(_native.Consumer.unassign)
    incremental_assign = forwarded(_native.Consumer.incremental_assign)
    incremental_unassign = forwarded(_native.Consumer.incremental_unassign)
    assignment = forwarded(_native.Consumer.assignment)
    store_offsets = forwarded(_native.Consumer.store_offsets)
    committed = forwarded(_native.Consumer.committed)
    position = forwarded(_native.Consumer.position)
    seek = forwarded(_native.Consumer.seek)
    pause = forwarded(_native.Consumer.pause)
    resume = forwarded(_native.Consumer.resume)
    get_watermark_offsets = forwarded(_native.Consumer.get_watermark_offsets)
    offsets_for_times = forwarded(_native.Consumer.offsets_for_times)
    memberid = forwarded(_native.Consumer.memberid)
    consumer_group_metadata = forwarded(_native.Consumer.consumer_group_metadata)
    set_sasl_credentials = forwarded(_native.Consumer.set_sasl_credentials)
    list_topics = forwarded(_native.Consumer.list_topics)
    cluster_id = forwarded(_native.Consumer.cluster_id)

    # Written out: of an overloaded method, `forwarded` shows type checkers the first form only.
    @overload
    async def commit(
        self,
        message: Message[Any, Any] | None = None,
        offsets: list[TopicPartition] | None = None,
        *,
        asynchronous: Literal[False],
    ) -> list[TopicPartition]: ...
    @overload
    async def commit(
        self,
        message: Message[Any, Any] | None = None,
        offsets: list[TopicPartition] | None = None,
        asynchronous: bool = True,
        **kwargs: bool,
    ) -> list[TopicPartition] | None: ...
    async def commit(self, *args: Any, **kwargs: Any) -> list[TopicPartition] | None:
        """As ``Consumer.commit``: same arguments, result and exceptions."""
        self._enter()
        commit: Callable[..., list[TopicPartition] | None] = self._core.commit
        return await self._bridge.call(commit, *args, **kwargs)

    async def lag(self, timeout: float = -1) -> dict[TopicPartition, int]:
        """As ``Consumer.lag``."""
        return await perform(lag(self, timeout))

    def wakeup(self) -> None:
        """End the ``poll``, ``consume`` or iteration that waits, or else the next that would wait. From any thread."""
        self._core.wakeup()

    async def close(self, *args: Any, **kwargs: Any) -> None:
        """Leave the group (revoke callbacks, final commit) and end. Idempotent.

        Inside a rebalance callback it returns at once; the consumer is closed when the callback has ended. A close
        whose await is cancelled goes on, as long as the loop runs.

        Raises: what the first failing callback raised, after the end.
        """
        refuse_more("close", args, kwargs)
        if self._bridge.forked:
            return  # the parent's client: forgotten, never touched
        if self._closing is None:
            loop = self._bridge.bind()
            self._closing = loop.create_task(self._close())
        if self._in_rebalance() or self._told:
            return
        try:
            await asyncio.shield(self._closing)
        finally:
            self._told = self._closing.done()

    async def _close(self) -> None:
        # Pending polls and iterations end; calls of rebalance callbacks go on working.
        self._bridge.wake()
        loop = asyncio.get_running_loop()
        while True:
            try:
                if self._core._leave_step():
                    break
            except Exception as e:
                self._raised.append(e)
                continue
            await self._bridge.changed(loop.time() + 1)
        self._bridge.release()
        await self._bridge.call(self._core._destroy)
        self._raise()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _tick_later(loop: asyncio.AbstractEventLoop, seconds: float, ref: weakref.ref[AIOConsumer]) -> None:
    def tick() -> None:
        consumer = ref()
        if consumer is not None and consumer._tick():
            _tick_later(loop, seconds, ref)

    loop.call_later(seconds, tick)
