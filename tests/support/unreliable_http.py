# SPDX-License-Identifier: Apache-2.0
"""An HTTP server on a loopback port that answers, or fails in the ways networks and servers fail."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from typing_extensions import Self


Handle = Callable[[str, str, Any], tuple[int, Any]]


class Request(NamedTuple):
    """What came in; ``at`` by time.monotonic()."""

    at: float
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def schema_server(method: str, target: str, body: Any) -> tuple[int, Any]:
    """A registry whose every schema is its id, and every subject's latest version number 1."""
    name = urlsplit(target).path.rpartition("/")[2]
    return 200, {"schema": f'"{name}"', "id": 1, "subject": "s", "version": 1}


class UnreliableServer:
    """``with UnreliableServer() as server: ... server.mode = "hanging"``.

    Modes: ``up``; ``down`` (connections are refused); ``hanging`` (nothing comes back); ``half`` (half an answer, then
    nothing, the connection stays open); ``cut`` (half an answer, then the end); ``dripping`` (a byte of the answer now
    and then); ``failing`` (status 500); ``slow`` (the answer after ``delay`` seconds).

    Args:
        handle: method, target, JSON body -> status, JSON body.
    """

    def __init__(self, handle: Handle = schema_server) -> None:
        self.handle = handle
        self.requests: list[Request] = []
        self.headers: dict[str, str] = {}
        self.delay = 0.0
        self._mode = "up"
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def mode(self) -> str:
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        before, self._mode = self._mode, mode
        if mode == "down":
            self._stop_listening()
        elif before == "down":
            self._listener = self._listen(self.port)
            threading.Thread(target=self._accept, daemon=True).start()
        # connections that were kept would go on as they were
        self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._mode = "down"
        self._stop_listening()
        self._drop()

    def since(self, at: float) -> list[Request]:
        """Requests that came after a point of time.monotonic()."""
        return [request for request in list(self.requests) if request.at >= at]

    @staticmethod
    def _listen(port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(2000)
        return listener

    def _stop_listening(self) -> None:
        # shutdown wakes accept(), which close alone does not
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _drop(self) -> None:
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        listener = self._listener
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while (request := self._read(connection)) is not None:
                    self.requests.append(request)
                    if not self._answer(connection, request):
                        return
            except OSError:
                return
            finally:
                with self._lock:
                    self._open.discard(connection)

    def _read(self, connection: socket.socket) -> Request | None:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.partition(":")[::2] for line in lines)
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
        return Request(time.monotonic(), method, target, headers, body)

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        mode = self._mode
        if mode == "hanging":
            self._over.wait()
            return False
        if mode == "slow" or self.delay:
            self._over.wait(self.delay)
        body = json.loads(request.body) if request.headers.get("content-type", "").endswith("json") else request.body
        status, answer = (500, {"error_code": 50001, "message": "no"}) if mode == "failing" else self.handle(
            request.method, request.target, body
        )  # fmt: skip
        content = b"" if answer is None else json.dumps(answer).encode()
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(content)}", "content-type: application/json"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        data = "\r\n".join([*lines, "", ""]).encode() + content
        if mode == "dripping":
            for byte in data:
                connection.sendall(bytes((byte,)))
                if self._over.wait(0.1):
                    return False
        elif mode in ("half", "cut"):
            connection.sendall(data[: -len(content) // 2])
            if mode == "half":
                self._over.wait()
            return False
        else:
            connection.sendall(data)
        return True
