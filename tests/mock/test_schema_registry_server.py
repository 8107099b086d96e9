# SPDX-License-Identifier: Apache-2.0
"""The embedded Schema Registry over HTTP: what is on the wire, faults, outages, many connections."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from confluent_kafka.testing import RegistryRequest, SchemaRegistryServer
from confluent_kafka.testing.pytest_plugin import SchemaRegistryFactory
from tests.mock.cli_kit import wait_until
from tests.support.certificates import make_certificates

SCHEMA = {"schema": '{"type":"record","name":"R","fields":[]}'}


class Connection:
    """One connection that is kept open."""

    def __init__(self, server: SchemaRegistryServer, context: ssl.SSLContext | None = None) -> None:
        port = int(server.url.rpartition(":")[2])
        self.http: http.client.HTTPConnection = (
            http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            if context is None
            else http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
        )

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exc: object) -> None:
        self.http.close()

    def ask(self, method: str, target: str, body: Any = None, headers: Any = None) -> tuple[int, Any]:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        self.http.request(method, target, data, headers or {})
        reply = self.http.getresponse()
        self.headers = dict(reply.getheaders())
        raw = reply.read()
        return reply.status, json.loads(raw) if raw else None


@pytest.fixture
def connection(schema_registry: SchemaRegistryServer) -> Iterator[Connection]:
    with Connection(schema_registry) as made:
        yield made


def test_requests_and_their_log(schema_registry: SchemaRegistryServer, connection: Connection) -> None:
    assert connection.ask("POST", "/subjects/a%2Fb/versions?normalize=False", SCHEMA)[0] == 200
    assert connection.headers["Content-Type"] == "application/vnd.schemaregistry.v1+json"
    assert connection.ask("GET", "/subjects") == (200, ["a/b"])
    status, answer = connection.ask("GET", "/subjects/none/versions?deleted=true&deleted=false")
    assert (status, answer["error_code"]) == (404, 40401)
    assert connection.ask("PUT", "/config", b"{")[1]["error_code"] == 400
    assert connection.ask("DELETE", "/associations/resources/x") == (204, None)
    assert connection.ask("GET", "/mode") == (200, {"mode": "READWRITE"})
    first, *_, last = schema_registry.requests()
    assert (first.method, first.path, first.query, first.status) == (
        "POST",
        "/subjects/a%2Fb/versions",
        {"normalize": ["False"]},
        200,
    )
    assert first.body == SCHEMA
    assert first.headers["host"].startswith("127.0.0.1:")
    assert last.path == "/mode"
    assert first.received <= last.received
    assert [item.status for item in schema_registry.requests("GET", "/subjects*")] == [200, 404]
    schema_registry.clear_requests()
    assert schema_registry.requests() == []
    assert schema_registry.connections == 1


def test_the_log_keeps_the_latest(schema_registry_factory: SchemaRegistryFactory) -> None:
    server = schema_registry_factory(keep_requests=2)
    with Connection(server) as connection:
        for path in ("/subjects", "/config", "/mode"):
            connection.ask("GET", path)
    assert [item.path for item in server.requests()] == ["/config", "/mode"]


def test_more_than_a_body_may_be(connection: Connection) -> None:
    connection.http.putrequest("POST", "/subjects/s/versions")
    connection.http.putheader("Content-Length", str(10**12))
    connection.http.endheaders()
    assert connection.http.getresponse().status == 411


def test_basic_authentication_and_secrets(schema_registry_factory: SchemaRegistryFactory) -> None:
    server = schema_registry_factory(basic_auth=("ada", "s3cret"), bearer_token="t0ken")
    right = base64.b64encode(b"ada:s3cret").decode()
    with Connection(server) as connection:
        for headers in ({}, {"Authorization": "Basic " + base64.b64encode(b"ada:wrong").decode()}):
            status, answer = connection.ask("GET", "/subjects", headers=headers)
            assert (status, answer["error_code"]) == (401, 401)
            assert connection.headers["WWW-Authenticate"].startswith("Basic")
        assert connection.ask("GET", "/subjects", headers={"Authorization": "Bearer t0ken"})[0] == 200
        assert connection.ask("GET", "/subjects", headers={"Authorization": "Basic " + right}) == (200, [])
    shown = repr(server) + repr(server.requests())
    for secret in ("s3cret", right, "t0ken"):
        assert secret not in shown
    assert server.requests()[-1].headers["authorization"] == "Basic " + right


class TestFaults:
    def test_status_a_number_of_times(self, schema_registry: SchemaRegistryServer, connection: Connection) -> None:
        fault = schema_registry.add_fault(
            method="GET", path="/subjects*", status=503, times=2, headers={"Retry-After": "7"}
        )
        assert connection.ask("GET", "/mode")[0] == 200
        assert connection.ask("POST", "/subjects/s/versions", SCHEMA)[0] == 200
        for _ in range(2):
            assert connection.ask("GET", "/subjects") == (503, {"error_code": 503, "message": "injected fault"})
            assert connection.headers["Retry-After"] == "7"
        assert connection.ask("GET", "/subjects") == (200, ["s"])
        assert fault.hits == 2

    def test_what_it_answers(self, schema_registry: SchemaRegistryServer, connection: Connection) -> None:
        fault = schema_registry.add_fault(status=422, body={"error_code": 42201, "message": "no"})
        assert connection.ask("GET", "/subjects") == (422, {"error_code": 42201, "message": "no"})
        fault.remove()
        schema_registry.add_fault(body=b"", status=204)
        assert connection.ask("GET", "/subjects") == (204, None)
        schema_registry.clear_faults()
        assert connection.ask("GET", "/subjects") == (200, [])
        schema_registry.add_fault(body=[1])
        assert connection.ask("GET", "/subjects") == (200, [1])

    @pytest.mark.parametrize(("drop", "registered"), [("request", []), ("reply", ["s"])])
    def test_cut(self, schema_registry: SchemaRegistryServer, drop: Any, registered: list[str]) -> None:
        schema_registry.add_fault(method="POST", drop=drop, times=1)
        with Connection(schema_registry) as connection, pytest.raises((http.client.RemoteDisconnected, OSError)):
            connection.ask("POST", "/subjects/s/versions", SCHEMA)
        with Connection(schema_registry) as connection:
            assert connection.ask("GET", "/subjects") == (200, registered)
        assert [item.status for item in schema_registry.requests()] == [None, 200]

    def test_hanging_ends_with_the_fault(self, schema_registry: SchemaRegistryServer) -> None:
        fault = schema_registry.add_fault(path="/subjects", hang=True)
        failed: list[BaseException] = []

        def ask() -> None:
            try:
                with Connection(schema_registry) as connection:
                    connection.ask("GET", "/subjects")
            except OSError as error:
                failed.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        wait_until(lambda: fault.hits == 1, "the request is met")
        with Connection(schema_registry) as other:
            assert other.ask("GET", "/mode")[0] == 200
        assert thread.is_alive()
        assert not failed
        fault.remove()
        thread.join(60)
        assert len(failed) == 1

    @pytest.mark.parametrize("what", [{"delay": 3600.0}, {"hang": True}])
    def test_closing_waits_for_nobody(self, what: Any) -> None:
        with SchemaRegistryServer() as server:
            fault = server.add_fault(**what)
            client = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), 60)
            client.sendall(b"GET /subjects HTTP/1.1\r\nHost: x\r\n\r\n")
            wait_until(lambda: fault.hits == 1, "the request is met")
            server.stop()
            server.start()
            assert client.recv(1) == b""
            client.close()
        assert not server.running

    def test_delay(self, schema_registry: SchemaRegistryServer, connection: Connection) -> None:
        schema_registry.add_fault(delay=0.2, times=1)
        began = time.monotonic()
        assert connection.ask("GET", "/subjects") == (200, [])
        assert time.monotonic() - began >= 0.2


def test_outage_and_recovery(schema_registry: SchemaRegistryServer) -> None:
    with Connection(schema_registry) as connection:
        assert connection.ask("POST", "/subjects/s/versions", SCHEMA)[0] == 200
        schema_registry.stop()
        with pytest.raises((http.client.HTTPException, OSError)):
            connection.ask("GET", "/subjects")
    with Connection(schema_registry) as connection, pytest.raises(ConnectionRefusedError):
        connection.ask("GET", "/subjects")
    assert "stopped" in repr(schema_registry)
    schema_registry.start()
    schema_registry.start()
    with Connection(schema_registry) as connection:
        assert connection.ask("GET", "/subjects") == (200, ["s"])
    schema_registry.close()
    schema_registry.close()
    with pytest.raises(RuntimeError, match="closed"):
        schema_registry.start()


def test_hundreds_of_connections_stay_open(schema_registry: SchemaRegistryServer) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(schema_registry)) for _ in range(300)]
        with ThreadPoolExecutor(16) as pool:
            for round_ in range(2):
                answers = list(pool.map(lambda made: made.ask("POST", "/subjects/s/versions", SCHEMA), connections))
                assert {(status, answer["id"]) for status, answer in answers} == {(200, 1)}
                assert schema_registry.connections == 300, round_
    wait_until(lambda: schema_registry.connections == 0, "the server sees them end")


def test_nothing_is_left_after_close() -> None:
    before, files = threading.active_count(), open_files()
    with SchemaRegistryServer() as server, Connection(server) as connection:
        connection.ask("GET", "/subjects")
        assert threading.active_count() > before
        server.stop()
        server.start()
    wait_until(lambda: threading.active_count() <= before, "its threads end")
    wait_until(lambda: open_files() <= files, "its sockets are closed")


def test_a_forked_child_leaves_it_alone(schema_registry: SchemaRegistryServer, connection: Connection) -> None:
    assert connection.ask("GET", "/subjects") == (200, [])
    child = os.fork()
    if child == 0:
        try:
            schema_registry.close()
        finally:
            os._exit(0 if not schema_registry.running else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert connection.ask("GET", "/subjects") == (200, [])
    with Connection(schema_registry) as another:
        assert another.ask("GET", "/subjects") == (200, [])


def open_files() -> int:
    return len(os.listdir("/dev/fd"))


def test_https(schema_registry_factory: SchemaRegistryFactory, tmp_path: Path) -> None:
    files = make_certificates(tmp_path / "certificates")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.broker_store)
    server = schema_registry_factory(ssl_context=context)
    assert server.url.startswith("https://127.0.0.1:")
    with Connection(server, ssl.create_default_context(cafile=files.ca)) as connection:
        assert connection.ask("GET", "/subjects") == (200, [])
    # one that begins no handshake is cut at the end
    idle = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), 60)
    wait_until(lambda: server.connections == 1, "it is accepted")
    server.close()
    assert idle.recv(1) == b""
    idle.close()


def test_representation_of_a_request() -> None:
    item = RegistryRequest("GET", "/x", {}, 200, 1.0, {"authorization": "secret"}, {"password": "secret"})
    assert "secret" not in repr(item)


def test_it_ends_at_once_after_it_began() -> None:
    # Its thread may see the end before it has begun to wait.
    for _ in range(200):
        with SchemaRegistryServer():
            pass
