# SPDX-License-Identifier: Apache-2.0
"""HTTP on a loopback port, one thread per connection: enough for hundreds of connections that are kept open."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_BODY = 16 * 1024 * 1024


class HttpRequest(NamedTuple):
    """One request: names of headers in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class HttpReply(NamedTuple):
    """What is answered; None as reply cuts the connection."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Listener:
    """Accepts connections until it is closed, which ends them all.

    Args:
        host: address to listen on.
        port: 0 for a free one.
        answer: gives the reply to a request, on the connection's thread; None cuts the connection.
        ssl_context: speaks TLS with it.
    Raises:
        OSError: the port is taken.
    """

    def __init__(
        self,
        host: str,
        port: int,
        answer: Callable[[HttpRequest], HttpReply | None],
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.answer = answer
        self._ssl_context = ssl_context
        self._socket = socket.create_server((host, port), backlog=1024)
        self._wake, self._woken = socket.socketpair()
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._accept, name="schema-registry", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def connections(self) -> int:
        """How many are open."""
        with self._lock:
            return len(self._connections)

    def close(self, release: Callable[[], object]) -> None:
        """Stop listening and cut all connections; wait for their threads. In a forked child: only forget them.

        Args:
            release: ends what a thread may wait for in ``answer``; called until all threads have ended.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if os.getpid() != self._pid:
                # a forked child has copies of the sockets and none of the threads: the parent's go on
                for copy in (self._socket, self._wake, self._woken, *self._connections):
                    copy.close()
                return
            connections, threads = list(self._connections), list(self._threads)
        with contextlib.suppress(BrokenPipeError):  # the thread has seen it already
            self._wake.send(b"x")
        self._thread.join()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            while thread is not threading.current_thread() and thread.is_alive():
                release()
                thread.join(0.05)
        self._wake.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector, self._socket, self._woken:
            self._socket.setblocking(False)
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._closed:
                selector.select()
                try:
                    self._begin(*self._socket.accept())
                except BlockingIOError:
                    pass  # it is the end, or the connection is gone again
                except OSError:
                    time.sleep(0.02)  # out of descriptors: some may be free soon

    def _begin(self, connection: socket.socket, address: tuple[str, int]) -> None:
        connection.setblocking(True)
        thread = threading.Thread(
            target=self._serve, args=(connection, address), name="schema-registry-connection", daemon=True
        )
        with self._lock:
            if self._closed:
                connection.close()
                return
            self._connections.add(connection)
            self._threads.add(thread)
        thread.start()

    def _serve(self, connection: socket.socket, address: tuple[str, int]) -> None:
        secured = connection
        try:
            if self._ssl_context is not None:
                # the handshake waits for the other side: only after the new socket can be found by close()
                secured = self._ssl_context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                with self._lock:
                    self._connections.discard(connection)
                    self._connections.add(secured)
                    if self._closed:
                        return
                secured.do_handshake()
            _Connection(secured, address, self)  # type: ignore[arg-type]  # only its answer is used
        except OSError:
            pass  # the other side went away, or does not speak TLS
        finally:
            with self._lock:
                self._connections.discard(secured)
                self._connections.discard(connection)
                self._threads.discard(threading.current_thread())
            with contextlib.suppress(OSError):
                secured.shutdown(socket.SHUT_RDWR)
            secured.close()


class _Connection(BaseHTTPRequestHandler):
    """Reads requests of one connection and writes the replies."""

    protocol_version = "HTTP/1.1"
    server_version = "ferrokafka"
    sys_version = ""
    disable_nagle_algorithm = True
    # headers and body leave together, in one packet if they fit
    wbufsize = -1

    def _serve(self) -> None:
        listener: Listener = self.server  # type: ignore[assignment]  # see above
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            self._write(HttpReply(411, {}, b""))
            return
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = listener.answer(HttpRequest(self.command, self.path, headers, body))
        if reply is None:
            self.close_connection = True
            return
        self._write(reply)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _serve  # named by http.server

    def _write(self, reply: HttpReply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what was asked may have secrets in it."""
