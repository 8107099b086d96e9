# SPDX-License-Identifier: Apache-2.0
"""One test body for both registry clients: the asyncio one is driven by an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, SchemaRegistryClient

if TYPE_CHECKING:
    from typing_extensions import Self


KINDS = ("sync", "async")


class Shell:
    """A registry client, called as the synchronous one is.

    Args:
        kind: ``sync`` or ``async``.
        conf: its configuration.
    """

    def __init__(self, kind: str, conf: dict[str, Any], make: Any = None) -> None:
        self.kind = kind
        self._loop = asyncio.new_event_loop() if kind == "async" else None
        cls = make or (AsyncSchemaRegistryClient if kind == "async" else SchemaRegistryClient)
        self.client: Any = cls(conf)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is None:
            self.client.close()
        else:
            self._loop.run_until_complete(self._end())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _end(self) -> None:
        await self.client.aclose()
        # asyncio closes sockets in its next turns; one that is left open would be some later test's warning
        for _ in range(3):
            await asyncio.sleep(0)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.client, name)
        if self._loop is None or not asyncio.iscoroutinefunction(method):
            result: Callable[..., Any] = method
            return result
        loop = self._loop
        return lambda *args, **kwargs: loop.run_until_complete(method(*args, **kwargs))

    def at_once(self, calls: Sequence[tuple[str, tuple[Any, ...]]], timeout: float = 60) -> list[Any]:
        """Make calls at the same time, by threads or tasks; return results and exceptions, in order."""
        if self._loop is not None:
            return self._loop.run_until_complete(asyncio.wait_for(self._tasks(calls), timeout))
        results: list[Any] = [TimeoutError(f"no result within {timeout} s")] * len(calls)
        start = threading.Barrier(len(calls))

        def call(number: int, name: str, arguments: tuple[Any, ...]) -> None:
            start.wait()
            try:
                results[number] = getattr(self.client, name)(*arguments)
            except Exception as e:
                results[number] = e

        threads = [threading.Thread(target=call, args=(number, *one), daemon=True) for number, one in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout)
        return results

    async def _tasks(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        tasks = (getattr(self.client, name)(*arguments) for name, arguments in calls)
        return await asyncio.gather(*tasks, return_exceptions=True)
