# SPDX-License-Identifier: Apache-2.0
"""A native core for the tests of the admin clients: it keeps requests, and answers when it is told to."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from confluent_kafka import KafkaError, _native

Done = Callable[[KafkaError | None, Any], object]
CLOSED = "AdminClient has been closed"


@dataclass
class Asked:
    """One request as the core got it."""

    kind: str
    items: Any
    options: dict[str, Any]
    done: Done

    def answer(self, raw: Any) -> None:
        """Answer from another thread, as the core does."""
        _elsewhere(lambda: self.done(None, raw))

    def fail(self, error: KafkaError) -> None:
        _elsewhere(lambda: self.done(error, None))


def _elsewhere(call: Callable[[], object]) -> None:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as e:
            raised.append(e)

    thread = threading.Thread(target=run, name="kafka-admin")
    thread.start()
    thread.join()
    assert raised == [], "done() must never raise: nobody could handle it"


class FakeAdmin:
    """What ``_native.Admin`` promises, without a cluster."""

    def __init__(self) -> None:
        self.properties: dict[str, str] = {}
        self.callbacks: dict[str, Any] = {}
        self.asked: list[Asked] = []
        self.calls: list[tuple[Any, ...]] = []
        self.refusals: dict[int, Exception] = {}
        self.opened = self.closed = False

    def _open(self, properties: list[tuple[str, str]], callbacks: dict[str, Any]) -> None:
        if self.opened:
            raise RuntimeError("AdminClient is open already")
        self.opened = True
        self.properties, self.callbacks = dict(properties), callbacks

    def _check(self) -> None:
        if not self.opened or self.closed:
            raise RuntimeError(CLOSED)

    def _request(self, kind: str, items: Any, options: dict[str, Any], done: Done) -> None:
        self._check()
        refusal = self.refusals.get(len(self.asked))
        asked = Asked(kind, items, options, done)
        self.asked.append(asked)
        if refusal is not None:
            raise refusal
        self._sent(asked)

    def _sent(self, asked: Asked) -> None:
        """For subclasses that answer."""

    def poll(self, timeout: float) -> int:
        self._check()
        self.calls.append(("poll", timeout))
        return 0

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> str:
        self._check()
        self.calls.append(("list_topics", topic, timeout))
        return "the metadata"

    def list_groups(self, group: str | None = None, timeout: float = -1) -> list[str]:
        self._check()
        self.calls.append(("list_groups", group, timeout))
        return ["a group"]

    def cluster_id(self, timeout: float = -1) -> str:
        self._check()
        self.calls.append(("cluster_id", timeout))
        return "the cluster"

    def set_sasl_credentials(self, username: str, password: str) -> None:
        self._check()
        self.calls.append(("set_sasl_credentials", username, password))

    def _pending(self) -> int:
        return 0 if self.closed else len(self.asked)

    def _close(self) -> None:
        if not self.closed:
            self.closed = True
            for asked in self.asked:
                asked.fail(KafkaError(KafkaError._DESTROY))


class FakeLoopAdmin(FakeAdmin):
    """What ``_native.LoopAdmin`` promises: answers wait for ``_serve()`` on the loop's thread."""

    def __init__(self) -> None:
        super().__init__()
        self._ready: deque[Callable[[], object]] = deque()
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        self.served_on: set[str] = set()
        weakref.finalize(self, _shut, self._read, self._write)

    def later(self, call: Callable[[], object]) -> None:
        """Let the next ``_serve()`` make a call; from any thread."""
        self._ready.append(call)
        os.write(self._write, b"x")

    def reply(self, raw: Any, place: int = -1) -> None:
        done = self.asked[place].done
        self.later(lambda: done(None, raw))

    def _fileno(self) -> int:
        self._check()
        return self._read

    def _acknowledge(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)

    def _serve(self) -> None:
        self.served_on.add(threading.current_thread().name)
        while self._ready:
            self._ready.popleft()()

    def _destroy(self) -> None:
        self.closed = True
        for asked in self.asked:
            asked.done(KafkaError(KafkaError._DESTROY), None)


def _shut(*fds: int) -> None:
    for fd in fds:
        os.close(fd)


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give both clients such cores, as their ``_core``."""
    monkeypatch.setattr(_native, "Admin", FakeAdmin, raising=False)
    monkeypatch.setattr(_native, "LoopAdmin", FakeLoopAdmin, raising=False)


def core_of(client: object) -> Any:
    """The fake core of a client."""
    return client._core  # type: ignore[attr-defined]
