# SPDX-License-Identifier: Apache-2.0
"""A Schema Registry in this process, over HTTP, with faults on demand."""

from __future__ import annotations

import base64
import fnmatch
import hmac
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs

from confluent_kafka.schema_registry._core.memory import MemoryRegistry
from confluent_kafka.schema_registry._core.server import RegistryApp
from confluent_kafka.testing._http import HttpReply, HttpRequest, Listener

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

JSON = "application/vnd.schemaregistry.v1+json"


@dataclass(frozen=True)
class RegistryRequest:
    """One request as the server received it. Headers and body are not in its representation: they may have secrets.

    Attributes:
        method: GET, POST, PUT or DELETE.
        path: raw path, percent-encoded, without the query.
        query: parameters, decoded; each with all its values.
        status: of the answer; None when the connection was cut instead.
        received: time of arrival, seconds on ``time.monotonic()``.
        headers: names in lower case.
        body: JSON value, None without; bytes when it is no JSON.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    status: int | None
    received: float
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)


class RegistryFault:
    """What goes wrong with some requests; made by :meth:`SchemaRegistryServer.add_fault`.

    Attributes:
        hits: how many requests it has met.
    """

    def __init__(
        self,
        method: str | None,
        path: str,
        status: int | None,
        delay: float,
        drop: Literal["request", "reply"] | None,
        hang: bool,
        times: int | None,
        headers: Mapping[str, str],
        body: Any,
    ) -> None:
        self.hits = 0
        self._ended = False
        self._waiting: set[threading.Event] = set()
        self.status, self.delay, self.drop, self.hang = status, delay, drop, hang
        self.headers, self.body = dict(headers), body
        self._method, self._path, self._times = method, path, times

    def remove(self) -> None:
        """End it; requests that hang are cut, those delayed go on at once."""
        self._ended = True
        self.release()

    def release(self) -> None:
        """Let those go on that wait now."""
        for event in list(self._waiting):
            event.set()

    def wait(self, seconds: float | None) -> None:
        """Wait; None until it ends."""
        event = threading.Event()
        self._waiting.add(event)
        if not self._ended:  # looked at after the event can be found by remove()
            event.wait(seconds)
        self._waiting.discard(event)

    def takes(self, method: str, path: str) -> bool:
        """Whether it is for this request; counts it if so. Called under the server's lock."""
        if self._ended or self._method not in (None, method) or not fnmatch.fnmatchcase(path, self._path):
            return False
        if self._times is not None and self.hits >= self._times:
            return False
        self.hits += 1
        return True


class SchemaRegistryServer:
    """A Schema Registry on a loopback port, for tests that need no installation.

    It speaks the REST interface of Confluent's registry, so any client can use it, also from another process: subjects,
    versions, soft and hard deletion, references, contexts, modes, configuration, metadata and rule sets, compatibility,
    associations, and the registry of encryption keys. Everything is in memory and gone with it.

    Example::

        with SchemaRegistryServer() as registry:
            client = SchemaRegistryClient({"url": registry.url})

    What differs from a real one:

    - One server, no replication, no Kafka topic behind it; nothing is kept when the process ends.
    - Compatibility of Avro schemas follows Avro's rules of schema resolution; that of JSON Schema and Protobuf the
      rules listed in ``compat_json`` and ``compat_protobuf``, which leave out rare keywords.
    - Keys of *shared* KEKs are made up here, as there is no KMS; see ``_core.registry.keys``.
    - No ACLs: whoever has the password may do everything.

    Args:
        port: the port; 0 for a free one.
        basic_auth: (user, password) that every request must have.
        bearer_token: token that every request must have.
        ssl_context: serve HTTPS with it.
        strict: False for the lenient manner of ``mock://`` clients: no parsing, no compatibility, an id per subject.
        cluster_id: what ``/v1/metadata/id`` answers.
        keep_requests: how many requests :meth:`requests` remembers, the latest ones.

    Raises:
        OSError: the port is taken.

    Thread-safe. :meth:`stop` and :meth:`start` make an outage: what is registered stays.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        basic_auth: tuple[str, str] | None = None,
        bearer_token: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        strict: bool = True,
        cluster_id: str = "embedded",
        keep_requests: int = 10_000,
    ) -> None:
        self.app = RegistryApp(MemoryRegistry(strict=strict), cluster_id=cluster_id)
        self._allowed = _authorizations(basic_auth, bearer_token)
        self._ssl_context = ssl_context
        self._lock = threading.Lock()
        self._faults: list[RegistryFault] = []
        # bounded, as one may run for days
        self._requests: deque[RegistryRequest] = deque(maxlen=keep_requests)
        self._ended = threading.Event()
        self._listener: Listener | None = Listener("127.0.0.1", port, self._answer, ssl_context)
        self._port = self._listener.port

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}{'' if self.running else ' stopped'}>"

    @property
    def url(self) -> str:
        """``http://127.0.0.1:port``: the value for the client's property ``url``."""
        return f"{'http' if self._ssl_context is None else 'https'}://127.0.0.1:{self._port}"

    @property
    def running(self) -> bool:
        """Whether it answers."""
        return self._listener is not None

    @property
    def connections(self) -> int:
        """How many connections are open."""
        listener = self._listener
        return 0 if listener is None else listener.connections

    def close(self) -> None:
        """Stop for good. May be called again, and in a forked child, where it leaves the parent's connections alone."""
        self._ended.set()
        self.clear_faults()
        self.stop()

    def stop(self) -> None:
        """Cut all connections and refuse new ones, until :meth:`start`."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.close(self._release)

    def _release(self) -> None:
        with self._lock:
            faults = list(self._faults)
        for fault in faults:
            fault.release()

    def start(self) -> None:
        """Answer again, on the same port. Raises: RuntimeError: it was closed; OSError: the port is taken."""
        if self._ended.is_set():
            raise RuntimeError("this registry was closed: make a new SchemaRegistryServer")
        with self._lock:
            if self._listener is None:
                self._listener = Listener("127.0.0.1", self._port, self._answer, self._ssl_context)

    def add_fault(
        self,
        *,
        method: str | None = None,
        path: str = "*",
        status: int | None = None,
        delay: float = 0.0,
        drop: Literal["request", "reply"] | None = None,
        hang: bool = False,
        times: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> RegistryFault:
        """Let requests go wrong. Of several faults that fit a request, the first that was added has it.

        Args:
            method: only requests with this method.
            path: only requests whose raw path matches this pattern: ``*`` is any text, ``?`` one character.
            status: answer with it and do nothing else.
            delay: wait so many seconds first.
            drop: cut the connection: ``request`` without doing what was asked, ``reply`` after it was done.
            hang: never answer, keep the connection; until the fault is removed.
            times: for so many requests; None for all.
            headers: for the answer, such as ``{"Retry-After": "1"}``.
            body: JSON value, or bytes, to answer with; by default an error that says that it was injected.
        """
        if status is None and body is not None:
            status = 200
        fault = RegistryFault(method, path, status, delay, drop, hang, times, headers or {}, body)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear_faults(self) -> None:
        """End all faults."""
        with self._lock:
            faults, self._faults = self._faults, []
        for fault in faults:
            fault.remove()

    def requests(self, method: str | None = None, path: str = "*") -> list[RegistryRequest]:
        """Return the requests that were answered, or cut, in this order; see :meth:`add_fault` for the pattern."""
        with self._lock:
            return [
                item
                for item in self._requests
                if method in (None, item.method) and fnmatch.fnmatchcase(item.path, path)
            ]

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self._requests.clear()

    def _answer(self, request: HttpRequest) -> HttpReply | None:
        received = time.monotonic()
        path, _, query_text = request.target.partition("?")
        query = parse_qs(query_text, keep_blank_values=True)
        body = _json(request.body)
        reply = self._reply(request.method, path, query, request.headers, body)
        entry = RegistryRequest(
            request.method, path, query, None if reply is None else reply.status, received, request.headers, body
        )
        with self._lock:
            self._requests.append(entry)
        return reply

    def _reply(
        self, method: str, path: str, query: Mapping[str, list[str]], headers: Mapping[str, str], body: Any
    ) -> HttpReply | None:
        with self._lock:
            fault = next((item for item in self._faults if item.takes(method, path)), None)
        if fault is not None:
            if fault.delay:
                fault.wait(fault.delay)
            if fault.hang:
                fault.wait(None)
                return None
            if fault.drop == "request":
                return None
            if fault.status is not None:
                return _injected(fault)
        if self._allowed and not any(_same(headers.get("authorization", ""), one) for one in self._allowed):
            challenge = {"WWW-Authenticate": 'Basic realm="schema-registry"'}
            return _json_reply(401, {"error_code": 401, "message": "Unauthorized"}, challenge)
        if isinstance(body, bytes):
            return _json_reply(400, {"error_code": 400, "message": "the request's body is no JSON"})
        status, value = self.app.handle(method, path, query, body)
        if fault is not None and fault.drop == "reply":
            return None
        extra = {} if fault is None else fault.headers
        return HttpReply(204, extra, b"") if status == 204 else _json_reply(status, value, extra)


def _authorizations(basic_auth: tuple[str, str] | None, bearer_token: str | None) -> list[str]:
    allowed = []
    if basic_auth is not None:
        allowed.append("Basic " + base64.b64encode(":".join(basic_auth).encode()).decode())
    if bearer_token is not None:
        allowed.append("Bearer " + bearer_token)
    return allowed


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())


def _json(body: bytes) -> Any:
    """Read a body; bytes when it is no JSON."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body


def _json_reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> HttpReply:
    return HttpReply(status, {"Content-Type": JSON, **(headers or {})}, json.dumps(value).encode())


def _injected(fault: RegistryFault) -> HttpReply:
    status = fault.status or 500
    if status == 204:
        return HttpReply(status, fault.headers, b"")
    if isinstance(fault.body, bytes):
        return HttpReply(status, fault.headers, fault.body)
    body = fault.body
    if body is None:
        body = {"error_code": status, "message": "injected fault"}
    return _json_reply(status, body, fault.headers)
