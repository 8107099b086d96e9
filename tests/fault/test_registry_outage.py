# SPDX-License-Identifier: Apache-2.0
"""A registry that is down, hangs, breaks off, drips, fails or is slow: for both clients."""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from confluent_kafka.schema_registry import Schema, SchemaRegistryError
from tests.support.broker import wait_until
from tests.support.registry_shells import KINDS, Shell
from tests.support.unreliable_http import UnreliableServer

TIMEOUT = 0.5
# What a call may take over the sum of its time limits: for a loaded machine.
SLACK = 5.0
PER_SECOND = 10
Make = Callable[..., Shell]


@pytest.fixture
def server() -> Iterator[UnreliableServer]:
    with UnreliableServer() as running:
        yield running


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, server: UnreliableServer) -> Iterator[Make]:
    made: list[Shell] = []

    def build(**conf: Any) -> Shell:
        quick = {"url": server.url, "timeout": TIMEOUT, "max.retries": 1, "retries.wait.ms": 10}
        shell = Shell(request.param, {**quick, **conf})
        made.append(shell)
        return shell

    yield build
    for shell in made:
        shell.__exit__(None, None, None)


@pytest.mark.parametrize("mode", ["down", "hanging", "half", "cut", "dripping", "failing"])
def test_every_call_ends_cached_schemas_work_and_it_recovers(
    make: Make, server: UnreliableServer, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry = make(**{"cache.latest.ttl.sec": 0})
    schema, latest = registry.get_schema(1), registry.get_latest_version("s")
    server.mode = mode
    started = time.monotonic()
    with pytest.raises((httpx2.TransportError, SchemaRegistryError)):
        registry.get_schema(2)
    assert time.monotonic() - started < 2 * 2 * TIMEOUT + SLACK
    # what is known is there, latest versions too, and the log says so once
    before = len(server.requests)
    assert registry.get_schema(1) is schema
    assert len(server.requests) == before
    assert registry.get_latest_version("s") is latest is registry.get_latest_version("s")
    assert caplog.text.count("cached schemas are used until it does") == 1
    server.mode = "up"
    recovered = time.monotonic()
    wait_until(lambda: _works(registry), "recovery")
    assert time.monotonic() - recovered < 1 + SLACK


def _works(registry: Shell) -> bool:
    try:
        return bool(registry.get_schema(3) == Schema('"3"'))
    except (httpx2.TransportError, SchemaRegistryError):
        return False


@pytest.mark.parametrize("mode", ["hanging", "failing"])
def test_few_requests_however_many_callers(make: Make, server: UnreliableServer, mode: str) -> None:
    registry = make(**{"max.retries": 0})
    registry.get_schema(0)
    server.mode = mode
    # until the client has noticed, at most as many as there are connections
    registry.at_once([("get_schema", (number,)) for number in range(1, 31)])
    began = time.monotonic()
    number = 100
    while time.monotonic() < began + 1.5:
        number += 50
        outcomes = registry.at_once([("get_schema", (number + n,)) for n in range(20)])
        assert all(isinstance(outcome, Exception) for outcome in outcomes)
    seconds = time.monotonic() - began
    assert len(server.since(began)) <= PER_SECOND * seconds


def test_a_slow_registry_is_waited_for(make: Make, server: UnreliableServer) -> None:
    registry = make(timeout=30)
    server.delay = 0.3
    started = time.monotonic()
    assert registry.get_schema(1).schema_str == '"1"'
    assert time.monotonic() - started >= 0.3


def test_no_more_connections_than_allowed(make: Make, server: UnreliableServer) -> None:
    registry = make(timeout=60)
    server.delay = 0.2
    outcomes = registry.at_once([("get_schema", (number,)) for number in range(40)])
    assert [outcome.schema_str for outcome in outcomes] == [f'"{number}"' for number in range(40)]
    times = sorted(request.at for request in server.requests)
    # the eleventh has to wait for one of the first ten
    assert all(later - earlier >= 0.15 for earlier, later in zip(times, times[10:], strict=False))


@pytest.mark.parametrize("count", [1000])
def test_callers_that_miss_the_same_schema_share_a_request(make: Make, server: UnreliableServer, count: int) -> None:
    registry = make(timeout=60)
    server.delay = 1.0  # long enough for all of them to come
    outcomes = registry.at_once([("get_schema", (7,))] * count)
    assert {id(outcome) for outcome in outcomes} == {id(registry.get_schema(7))}
    assert len(server.requests) == 1
    outcomes = registry.at_once([("register_schema", ("s", Schema("x")))] * 50)
    outcomes += registry.at_once([("get_latest_version", ("s",))] * 50)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    assert len(server.requests) == 3


def test_an_error_reaches_all_who_waited_and_is_not_kept(make: Make, server: UnreliableServer) -> None:
    registry = make(timeout=60)
    server.handle = lambda *_: (403, {"error_code": 40301, "message": "no"})
    server.delay = 0.5
    outcomes = registry.at_once([("get_schema", (7,))] * 20)
    assert {outcome.error_code for outcome in outcomes} == {40301}
    server.handle = lambda *_: (200, {"schema": "x"})
    assert registry.get_schema(7).schema_str == "x"


def test_fail_over(make: Make, server: UnreliableServer) -> None:
    with UnreliableServer() as other:
        registry = make(url=f"{server.url},{other.url}")
        server.mode = "hanging"
        assert registry.get_schema(1).schema_str == '"1"'
        started = time.monotonic()
        for number in range(2, 10):
            registry.get_schema(number)
        assert time.monotonic() - started < SLACK  # the one that hangs is not asked again
        assert len(server.requests) == 1
        other.mode = "down"
        server.mode = "up"
        wait_until(lambda: _works(registry), "fail-over back")


def test_callers_share_a_token_and_its_renewal(make: Make, server: UnreliableServer) -> None:
    with UnreliableServer(lambda *_: (200, {"access_token": "tok", "expires_in": 3600})) as issuer:
        issuer.delay = 0.5
        oauth = {
            "bearer.auth.credentials.source": "OAUTHBEARER",
            "bearer.auth.logical.cluster": "lsrc",
            "bearer.auth.client.id": "id",
            "bearer.auth.client.secret": "secret",
            "bearer.auth.scope": "scope",
            "bearer.auth.issuer.endpoint.url": issuer.url + "/token",
        }
        registry = make(timeout=60, **oauth)
        outcomes = registry.at_once([("get_schema", (number,)) for number in range(20)])
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert len(issuer.requests) == 1
        assert {request.headers["authorization"] for request in server.requests} == {"Bearer tok"}


def test_proxy(make: Make, server: UnreliableServer) -> None:
    registry = make(url="http://registry.invalid:8081", proxy=server.url)
    assert registry.get_schema(5).schema_str == '"5"'
    assert server.requests[0].target == "http://registry.invalid:8081/schemas/ids/5"


def test_redirects_do_not_carry_credentials_to_another_host(make: Make, server: UnreliableServer) -> None:
    with UnreliableServer() as other:
        registry = make(**{"basic.auth.user.info": "user:secret"})
        server.handle = lambda *_: (307, None)
        server.headers = {"location": f"{other.url}/elsewhere"}
        assert registry.get_schema(1).schema_str == '"elsewhere"'
        assert "authorization" in server.requests[0].headers
        assert "authorization" not in other.requests[0].headers
        assert "secret" not in repr(registry.client)


def test_nothing_logged_has_a_credential(
    make: Make, server: UnreliableServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    registry = make(url=server.url.replace("//", "//user:hunter2@"), **{"cache.latest.ttl.sec": 0})
    registry.get_latest_version("s")
    server.mode = "failing"
    registry.get_latest_version("s")
    with pytest.raises(SchemaRegistryError) as raised:
        registry.get_schema(5)
    server.mode = "down"
    fresh = make(url=server.url.replace("//", "//user:hunter2@"))
    with pytest.raises(httpx2.ConnectError) as other:
        fresh.get_schema(6)
    shown = [
        caplog.text,
        repr(raised.value),
        repr(other.value),
        str(vars(other.value)),
        repr(pickle.dumps(other.value)),
    ]
    assert not any(word in text for text in shown for word in ("hunter2", "dXNlcjpodW50ZXIy"))
    assert server.requests[0].headers["authorization"] == "Basic dXNlcjpodW50ZXIy"
