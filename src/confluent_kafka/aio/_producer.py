# SPDX-License-Identifier: Apache-2.0
"""The asyncio producer."""

from __future__ import annotations

import asyncio
import warnings
from asyncio.events import _get_running_loop
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _config, _native
from .._producer import live, warn_unflushed
from ..error import KafkaError, KafkaException, QueueFullError
from ._bridge import Bridge, run_events
from ._callbacks import on_loop, spawning
from ._forward import forwarded, refuse_more
from ._transactions import run_transaction, transaction

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
    from concurrent.futures import Executor
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from typing_extensions import Self

    from .._native import Message
    from .._types import HeadersType, Payload
    from ._consumer import AIOConsumer

_T = TypeVar("_T")
_PURGED = (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT)


class AIOProducer:
    """Sends messages to Kafka topics from asyncio code: no thread, no executor, nothing to poll.

    Delivery futures and callbacks are served on the event loop as soon as librdkafka has a report. The client belongs
    to the loop that runs at its first use. ``async with`` closes it. Methods raise RuntimeError once it is closed.

    Args:
        producer_conf: librdkafka's properties and the callbacks of ``Producer``, each a function or coroutine function,
            called on the loop. The dict is not changed.
        max_workers, executor: accepted for existing code; nothing is run in threads.
        batch_size, buffer_timeout: accepted for existing code; librdkafka's ``linger.ms`` and ``batch.size`` do that.

    Raises:
        ConfigurationError: librdkafka does not know a property or refuses its value.
        TypeError: the configuration is no dict, or a callback is not callable.
        ValueError: max_workers is less than 1.
    """

    def __init__(
        self,
        producer_conf: dict[str, Any],
        max_workers: int = 4,
        executor: Executor | None = None,
        batch_size: int = 1000,
        buffer_timeout: float = 1.0,
    ) -> None:
        if executor is None and max_workers < 1:
            raise ValueError("max_workers must be greater than 0")
        self.executor = executor
        parsed = _config.parse("producer", (producer_conf,), {})
        callbacks = on_loop(parsed.callbacks, lambda: self._bridge)
        self._only_errors = bool(callbacks.pop("delivery.report.only.error", False))
        self._on_delivery = callbacks.pop("on_delivery", None)
        self._core = _native.LoopProducer()
        self._core._open(parsed.properties, callbacks)
        self._bridge = Bridge(self._core, self._ready, self._failed, "Producer has been closed")
        self._served = 0
        self._room = asyncio.Lock()
        self._queued = 0
        # No message of produce() needs more than the native call: no common callback, nobody in line for room.
        self._plain = self._on_delivery is None
        # The loop while calls may be made on it.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._new_future: Callable[[], asyncio.Future[Message]]
        self._closing: asyncio.Task[None] | None = None
        live.add(self)

    def _ready(self) -> None:
        self._core._acknowledge()
        self._serve()

    def _serve(self) -> None:
        """Run what librdkafka has for us: reports, errors, statistics, logs."""
        self._served += run_events(self._core, self._failed)

    def _failed(self, error: BaseException) -> None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"a callback of {type(self).__name__} failed", "exception": error, "producer": self}
        )

    def _enter(self) -> asyncio.AbstractEventLoop:
        if self._closing is not None:
            raise RuntimeError("Producer has been closed")
        loop = self._bridge.bind()
        if self._loop is None:
            self._loop = loop
            plain = type(loop).create_future is asyncio.BaseEventLoop.create_future
            self._new_future = partial(asyncio.Future, loop=loop) if plain else loop.create_future
        return loop

    async def produce(
        self,
        topic: str,
        value: Payload | None = None,
        key: Payload | None = None,
        partition: int = -1,
        on_delivery: Callable[[KafkaError | None, Message], Any] | None = None,
        callback: Callable[[KafkaError | None, Message], Any] | None = None,
        timestamp: int = 0,
        headers: HeadersType | None = None,
        *args: Any,
        timeout: float = -1,
        **kwargs: Any,
    ) -> asyncio.Future[Message]:
        """Put a message into the send queue, waiting for room in it if need be.

        Args:
            on_delivery, callback: called with ``(error, message)`` beside the future; a function or coroutine function.
            timestamp: milliseconds since the epoch; 0 is now.
            timeout: seconds to wait for room; -1 waits without limit.

        Returns: a future of the delivered message. It raises the KafkaException of a message that was not delivered,
            also of one that librdkafka does not accept. Cancelling the future does not take the message back.

        Raises: QueueFullError: no room in time. TypeError: an argument of the wrong type.

        Source: rd_kafka_produce, rd_kafka_produceva.
        """
        if _get_running_loop() is not self._loop:
            self._enter()
        future = self._new_future()
        if callback is None and on_delivery is None and self._plain and not (args or kwargs):
            try:
                self._core._produce(future, topic, value, key, partition, timestamp, headers)
                return future
            except QueueFullError:
                pass
            except KafkaException as e:
                future.set_exception(e)
                return future
        refuse_more("produce", args, kwargs)
        tell = callback or on_delivery or self._on_delivery
        if tell is None:
            send: Callable[[], object] = partial(
                self._core._produce, future, topic, value, key, partition, timestamp, headers
            )
        else:
            report = self._reporting(future, tell)
            send = partial(self._core.produce, topic, value, key, partition, report, None, timestamp, headers)
        try:
            await self._when_room(send, timeout)
        except KafkaException as e:
            future.set_exception(e)
        return future

    async def _when_room(self, send: Callable[[], object], timeout: float) -> None:
        """Make the call once there is room in the queue; what came first goes first."""
        if not self._room.locked():
            try:
                send()
                return
            except QueueFullError:
                if timeout == 0:
                    raise
        async with self._queueing(timeout) as until:
            while True:
                try:
                    send()
                    return
                except QueueFullError:
                    if until is not None and self._bridge.bind().time() >= until:
                        raise
                await self._bridge.changed(until)

    @asynccontextmanager
    async def _queueing(self, timeout: float) -> AsyncIterator[float | None]:
        """Wait in line for room; gives the loop's time at which to give up.

        Raises: QueueFullError: the time was over before it was this caller's turn.
        """
        loop = self._enter()
        until = None if timeout < 0 else loop.time() + timeout
        self._queued += 1
        self._plain = False
        try:
            if not await _acquired(self._room, timeout):
                raise QueueFullError(KafkaError(KafkaError._QUEUE_FULL))
            try:
                yield until
            finally:
                self._room.release()
        finally:
            self._queued -= 1
            self._plain = self._on_delivery is None and not self._queued

    def _reporting(
        self, future: asyncio.Future[Message], tell: Callable[[KafkaError | None, Message], Any]
    ) -> Callable[[KafkaError | None, Message], None]:
        call = spawning(tell, lambda: self._bridge)

        def report(error: KafkaError | None, message: Message) -> None:
            try:
                if error is not None or not self._only_errors:
                    call(error, message)
            finally:
                if future.done():
                    pass  # cancelled meanwhile
                elif error is None:
                    future.set_result(message)
                else:
                    future.set_exception(KafkaException(error))
                    if error.code() in _PURGED:
                        future.exception()  # dropped on demand: no complaint that nobody looked at it

        return report

    async def send(
        self,
        topic: str,
        value: Payload | None = None,
        key: Payload | None = None,
        partition: int = -1,
        timestamp: int = 0,
        headers: HeadersType | None = None,
        *,
        timeout: float = -1,
    ) -> Message:
        """Produce one message and wait until it is delivered.

        Returns: the delivered message, with its partition, offset and timestamp.

        Raises: KafkaException: it was not delivered. QueueFullError, TypeError: as ``produce``.
        """
        future = await self.produce(topic, value, key, partition, timestamp=timestamp, headers=headers, timeout=timeout)
        return await future

    async def produce_batch(
        self, topic: str, messages: Iterable[Any], partition: int = -1, *, timeout: float = -1
    ) -> list[Message | KafkaException | QueueFullError]:
        """Produce many messages to one topic and wait for the outcome of each.

        Args:
            messages: dicts with any of ``value``, ``key``, ``headers``, ``partition`` and ``timestamp``, or values
                alone (bytes, str or buffers).
            partition: for those that name none; -1 lets the partitioner choose.
            timeout: seconds to wait for room in the queue; -1 waits without limit.

        Returns: one entry per message, in their order: the delivered message, or its exception.

        Raises: TypeError, ValueError: a message of the wrong form, named by its index. It is found before the first
            message is produced.
        """
        loop = self._enter()
        items = list(messages)
        if not items:
            return []
        future: asyncio.Future[list[Any]] = loop.create_future()
        batch = _native.Batch(len(items), future)
        sent = 0
        if not self._room.locked():
            sent = self._core._produce_batch(batch, topic, items, 0, partition)
        if sent < len(items):
            await self._rest_of_batch(batch, topic, items, sent, partition, timeout)
        return await future

    async def _rest_of_batch(
        self, batch: _native.Batch, topic: str, items: list[Any], sent: int, partition: int, timeout: float
    ) -> None:
        try:
            async with self._queueing(timeout) as until:
                while (sent := self._core._produce_batch(batch, topic, items, sent, partition)) < len(items):
                    if until is not None and self._bridge.bind().time() >= until:
                        break
                    await self._bridge.changed(until)
        except QueueFullError:
            pass  # told message by message
        for index in range(sent, len(items)):
            batch._settle(index, QueueFullError(KafkaError(KafkaError._QUEUE_FULL)))

    async def poll(self, timeout: float = 0, *args: Any, **kwargs: Any) -> int:
        """Wait until something was served. There is no need to call it: the loop serves all by itself.

        Returns: the number of reports and other events that were served meanwhile.
        """
        refuse_more("poll", args, kwargs)
        loop = self._enter()
        until = None if timeout < 0 else loop.time() + timeout
        before = self._served
        self._serve()
        while self._served == before and (until is None or loop.time() < until):
            await self._bridge.changed(until)
        return self._served - before

    async def flush(self, timeout: float = -1, *args: Any, **kwargs: Any) -> int:
        """Send what is queued without lingering and wait until all of it has its outcome.

        Returns: the number of messages without outcome when the time was over; 0 when all have one.

        Source: rd_kafka_flush.
        """
        refuse_more("flush", args, kwargs)
        self._enter()
        return await self._flush(timeout)

    async def _flush(self, timeout: float) -> int:
        loop = asyncio.get_running_loop()
        until = None if timeout < 0 else loop.time() + timeout
        self._serve()
        while (left := len(self._core)) and (until is None or loop.time() < until):
            # Each time anew: what is produced meanwhile must not linger either.
            self._core._begin_flush()
            try:
                await self._bridge.changed(until)
            finally:
                self._core._end_flush()
        while not left and not self._core._flush_is_over() and (until is None or loop.time() < until):
            # What is produced after this flush lingers again.
            await self._bridge.changed(until)
        return left

    # A transaction call that was cancelled goes on underneath: the same call again waits for its result.
    purge = forwarded(_native.Producer.purge)
    list_topics = forwarded(_native.Producer.list_topics)
    cluster_id = forwarded(_native.Producer.cluster_id)
    set_sasl_credentials = forwarded(_native.Producer.set_sasl_credentials)
    init_transactions = forwarded(_native.Producer.init_transactions)
    begin_transaction = forwarded(_native.Producer.begin_transaction)
    send_offsets_to_transaction = forwarded(_native.Producer.send_offsets_to_transaction)
    commit_transaction = forwarded(_native.Producer.commit_transaction)
    abort_transaction = forwarded(_native.Producer.abort_transaction)

    def transaction(self, consumer: AIOConsumer | None = None) -> AbstractAsyncContextManager[Self]:
        """Run an ``async with`` block as one transaction; as ``Producer.transaction``."""
        return transaction(self, consumer)

    async def run_transaction(self, fn: Callable[[], Awaitable[_T]], consumer: AIOConsumer | None = None) -> _T:
        """Await ``fn()`` inside a transaction, again after each abortable error; as ``Producer.run_transaction``."""
        return await run_transaction(self, fn, consumer)

    async def close(self) -> None:
        """Abort an open transaction, send what is queued without limit of time, and end. Idempotent.

        A close whose await is cancelled goes on, as long as the loop runs.
        """
        if self._bridge.forked:
            return  # the parent's client: forgotten, never touched
        if self._closing is None:
            self._closing = self._bridge.bind().create_task(self._close())
            self._loop = None
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._core._in_transaction():
            try:
                await self._bridge.call(self._core.abort_transaction)
            except KafkaException as e:
                warnings.warn(f"Producer transaction abort failed during close: {e}", RuntimeWarning, stacklevel=2)
        await self._flush(-1)
        self._bridge.release()
        await self._bridge.call(self._core._destroy)

    def __len__(self) -> int:
        return len(self._core)

    def __bool__(self) -> bool:
        return True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _unflushed(self) -> int:
        return self._core._unflushed()

    def __del__(self) -> None:
        # An instance whose constructor raised has nothing to warn about.
        if "_bridge" in self.__dict__ and not self.__dict__.get("_warned"):
            warn_unflushed(self)


async def _acquired(lock: asyncio.Lock, timeout: float) -> bool:
    """Wait for the lock, at most ``timeout`` seconds (-1: without limit)."""
    if timeout < 0:
        await lock.acquire()
        return True
    try:
        await asyncio.wait_for(lock.acquire(), timeout)
    except (TimeoutError, asyncio.TimeoutError):
        return False
    return True
