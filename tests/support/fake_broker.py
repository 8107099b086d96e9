# SPDX-License-Identifier: Apache-2.0
"""Servers that a real broker cannot be made to be: one that never answers, one of a cluster without controller."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from types import TracebackType
from typing import TypeVar

from tests.support.broker import HOST
from tests.support.wire import array, string

METADATA, API_VERSIONS = 3, 18
UNSUPPORTED_VERSION = 35
NO_CONTROLLER = -1

Self = TypeVar("Self", bound="SilentBroker")


class SilentBroker:
    """Takes every connection and answers nothing. A context manager."""

    def __init__(self) -> None:
        owner = self

        class Connection(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                owner._serve(self.request)

        self._server = socketserver.ThreadingTCPServer((HOST, 0), Connection)
        # Its threads end with their connections, which clients close.
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self.port}"

    def __enter__(self: Self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(30)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection.makefile("rb") as requests:
                while len(size := requests.read(4)) == 4:
                    request = requests.read(struct.unpack(">i", size)[0])
                    key, version, correlation = struct.unpack_from(">hhi", request)
                    body = self._answer(key, version)
                    if body is not None:
                        reply = struct.pack(">i", correlation) + body
                        connection.sendall(struct.pack(">i", len(reply)) + reply)
        except OSError:
            pass

    def _answer(self, key: int, version: int) -> bytes | None:
        return None


class ControllerlessBroker(SilentBroker):
    """The only broker of a cluster that has no controller: it answers about itself (Metadata v1), nothing else."""

    def _answer(self, key: int, version: int) -> bytes | None:
        if key == API_VERSIONS:
            known = array(struct.pack(">hhh", *entry) for entry in ((API_VERSIONS, 0, 0), (METADATA, 0, 1)))
            return struct.pack(">h", 0 if version == 0 else UNSUPPORTED_VERSION) + known
        if key == METADATA:
            broker = struct.pack(">i", 1) + string(HOST) + struct.pack(">i", self.port) + string(None)
            return array([broker]) + struct.pack(">i", NO_CONTROLLER) + array([])
        return None
