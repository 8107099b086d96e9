# SPDX-License-Identifier: Apache-2.0
"""What the clients that (de)serialize have in common on asyncio: builders and closing awaited, the cluster's id."""

from __future__ import annotations

import asyncio
import weakref
from contextlib import suppress
from functools import partial
from inspect import iscoroutine, iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar

from ..serialization._wiring import ACLOSE, CLUSTER_ID_TIMEOUT, closing, taking_serdes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator
    from concurrent.futures import Executor

    from typing_extensions import Self

    from ..serialization._conversion import Deserialization, Serialization
    from ..serialization._steps import Steps
    from ..serialization._wiring import Kind, Serdes

T = TypeVar("T")


async def walk(steps: Steps[T], awaitable: Awaitable[Any] | None = None) -> T:
    """Await what the steps yield, and give them its result or exception.

    Args:
        awaitable: what steps that were begun already have yielded.
    """
    try:
        if awaitable is None:
            awaitable = next(steps)
        while True:
            try:
                result = await awaitable
            except BaseException as e:  # noqa: PERF203
                awaitable = steps.throw(e)
            else:
                awaitable = steps.send(result)
    except StopIteration as done:
        value: T = done.value
        return value


class ClusterId:
    """The id of a client's cluster, for its (de)serializers. It is asked for when one of them wants it, and kept."""

    def __init__(self, client: Any) -> None:
        # weak: a serializer given ready-made often outlives the client, and must not keep it alive
        self._client = weakref.ref(client)
        self._known: str | None = None
        self._asking: asyncio.Task[str] | None = None
        self._lacked = False

    def offer(self, *serdes: Any) -> None:
        """Give each of them the function to ask with: a coroutine function to those that take one."""
        for serde in serdes:
            for name, resolver in (
                ("set_async_cluster_id_resolver", self.resolve),
                ("set_cluster_id_resolver", self.known),
            ):
                setter = getattr(serde, name, None)
                if callable(setter):
                    setter(resolver)
                    break

    async def resolve(self) -> str:
        """Wait for the id, up to 60 seconds. At most one request is under way at a time."""
        if self._known is not None:
            return self._known
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())
            self._asking.add_done_callback(_looked_at)
        return await asyncio.shield(self._asking)

    async def _ask(self) -> str:
        client = self._client()
        if client is None:
            raise RuntimeError("the client that this serializer belonged to does not exist any more")
        cluster_id: str = await client.cluster_id(timeout=CLUSTER_ID_TIMEOUT)
        self._known = cluster_id
        return cluster_id

    def known(self) -> str:
        """Return the id without waiting: a plain function must not hold up the event loop.

        Raises: RuntimeError: it is not known yet. ``lacking`` then gives an awaitable, once.
        """
        if self._known is None:
            self._lacked = True
            raise RuntimeError("the id of the cluster is not known yet")
        return self._known

    def lacking(self) -> Awaitable[str] | None:
        lacked, self._lacked = self._lacked, False
        return self.resolve() if lacked else None


class _Setup:
    """Steps that make a client, the first of which has to be awaited. They are taken once, at the first use."""

    def __init__(self, steps: Steps[None], awaitable: Awaitable[Any]) -> None:
        self._steps = steps
        self._awaitable = awaitable
        self._task: asyncio.Task[None] | None = None
        self.abandoned = False

    async def done(self, closed_text: str) -> None:
        """Wait until the client is made; raise what its steps raise, every time."""
        task = self._start(self._awaitable) if self._task is None else self._task
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if self.abandoned and task.cancelled():
                raise RuntimeError(closed_text) from None
            raise

    def _start(self, awaitable: Awaitable[Any]) -> asyncio.Task[None]:
        # a task of its own: whoever is first may be cancelled, and others may wait as well
        self._task = asyncio.ensure_future(walk(self._steps, awaitable))
        self._task.add_done_callback(_looked_at)
        return self._task

    async def abandon(self) -> bool:
        """End it, closing what was built. False if it had succeeded before."""
        self.abandoned = True
        if self._task is None:
            if iscoroutine(self._awaitable):
                self._awaitable.close()
            task = self._start(_cancelled())
        else:
            task = self._task
            task.cancel()
        await asyncio.wait([task])
        return task.cancelled() or task.exception() is not None


async def _cancelled() -> None:
    raise asyncio.CancelledError


def _looked_at(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()  # whoever waited for it was told, or was cancelled


if TYPE_CHECKING:

    class _Client:
        async def close(self, *args: Any, **kwargs: Any) -> None: ...
        async def _close(self) -> None: ...
else:
    _Client = object


class SerdeClient(_Client):
    """A client with (de)serializers, whose builders it may have to await before it can be opened.

    The first await of a coroutine method, of ``async with`` or of the client itself does that.
    """

    executor: Executor | None = None
    _closed_text: str
    _closing: asyncio.Task[None] | None = None
    _setup: _Setup | None = None
    _owned_serdes: list[Any]

    def _open(self, serdes: Serdes, aio_kwargs: dict[str, Any]) -> Serialization | Deserialization[Any, Any]:
        """Open the client; return what converts its messages."""
        raise NotImplementedError

    def _make(self, conf: dict[str, Any], kind: Kind, aio_kwargs: dict[str, Any]) -> None:
        """Build (de)serializers and open the client, at once if nothing has to be awaited for that."""
        steps = self._making(conf, kind, aio_kwargs)
        try:
            awaitable = next(steps)
        except StopIteration:
            return
        self._setup = _Setup(steps, awaitable)
        for name in _coroutine_methods(type(self)):
            # in front of the class's, and gone again once the client is open: later calls cost nothing more
            self.__dict__[name] = partial(self._call_once_open, name)

    def _making(self, conf: dict[str, Any], kind: Kind, aio_kwargs: dict[str, Any]) -> Steps[None]:
        serdes = yield from taking_serdes(conf, kind, ACLOSE)
        owned = list(serdes.owned)
        try:
            conversion = self._open(serdes, aio_kwargs)
        except BaseException:
            with suppress(Exception):
                yield from closing(owned, ACLOSE)
            raise
        self._owned_serdes = owned
        cluster_id = ClusterId(self)
        cluster_id.offer(serdes.key, serdes.value)
        conversion.lacking = cluster_id.lacking

    async def _call_once_open(self, name: str, *args: Any, **kwargs: Any) -> Any:
        await self._until_open()
        return await getattr(self, name)(*args, **kwargs)

    async def _until_open(self) -> None:
        if self._setup is None:
            return
        await self._setup.done(self._closed_text)
        self._setup = None
        for name in _coroutine_methods(type(self)):
            self.__dict__.pop(name, None)

    def _is_closed(self) -> bool:
        return self._closing is not None or (self._setup is not None and self._setup.abandoned)

    def __await__(self) -> Generator[Any, None, Self]:
        yield from self._until_open().__await__()
        return self

    async def __aenter__(self) -> Self:
        await self._until_open()
        return self

    async def close(self, *args: Any, **kwargs: Any) -> None:
        """Close the client, then what its builders made; raise the first exception at the end. Idempotent."""
        if self._setup is not None and await self._setup.abandon():
            return
        await super().close(*args, **kwargs)

    async def _close(self) -> None:
        try:
            await super()._close()
        finally:
            await walk(closing(self._owned_serdes, ACLOSE))


def _coroutine_methods(kind: type) -> list[str]:
    names = (name for name in dir(kind) if not name.startswith("_") and name != "close")
    return [name for name in names if iscoroutinefunction(getattr(kind, name))]
