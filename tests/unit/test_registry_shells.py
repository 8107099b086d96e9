# SPDX-License-Identifier: Apache-2.0
"""Both registry clients have the same methods, and the names that existing code uses."""

from __future__ import annotations

import asyncio
import inspect
import re
import ssl
import subprocess
import sys
from importlib import import_module
from typing import Any

import httpx2
import pytest

from confluent_kafka.schema_registry import (
    AsyncSchemaRegistryClient,
    SchemaRegistryClient,
    schema_registry_client,
)
from confluent_kafka.schema_registry._async import schema_registry_client as async_module
from confluent_kafka.schema_registry._async.transport import Transport
from confluent_kafka.schema_registry._core.client_config import read_client_config
from confluent_kafka.schema_registry._core.effects import HttpFailure, HttpReply, HttpRequest
from confluent_kafka.schema_registry._sync import schema_registry_client as sync_module
from confluent_kafka.schema_registry.common import asyncinit
from confluent_kafka.schema_registry.common import schema_registry_client as common
from confluent_kafka.schema_registry.error import OAuthTokenError

PLAIN = {"config", "new_client"}


def methods(cls: type) -> dict[str, Any]:
    return {name: value for name, value in inspect.getmembers(cls, callable) if not name.startswith("_")}


def as_sync(text: str | None) -> str:
    return re.sub(r"Async(?=(Mock)?SchemaRegistryClient)", "", text or "")


def test_same_methods_signatures_and_documentation() -> None:
    sync, asynchronous = methods(SchemaRegistryClient), methods(AsyncSchemaRegistryClient)
    asynchronous["close"] = asynchronous.pop("aclose")
    assert sync.keys() == asynchronous.keys()
    assert len(sync) > 35
    for name, method in sync.items():
        twin = asynchronous[name]
        assert method.__doc__, name
        assert method.__doc__ == as_sync(twin.__doc__), name
        assert as_sync(str(inspect.signature(twin))) == str(inspect.signature(method)), name
        assert inspect.iscoroutinefunction(twin) == (name not in PLAIN), name
        assert not inspect.iscoroutinefunction(method)
    documents = as_sync(SchemaRegistryClient.__doc__), as_sync(AsyncSchemaRegistryClient.__doc__)
    assert documents[0].partition("\n")[2] == documents[1].partition("\n")[2] != ""


@pytest.mark.parametrize("module", [sync_module, async_module, common])
def test_helpers_by_the_paths_of_existing_code(module: Any) -> None:
    assert module.full_jitter is common.full_jitter
    assert module.is_retriable(503)
    assert module.is_success(200)
    assert schema_registry_client.normalize_identity_pool(["a", "b"]) == "a,b"
    assert schema_registry_client.VALID_AUTH_PROVIDERS == ["URL", "USER_INFO"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("_sync.schema_registry_client", ["SchemaRegistryClient", "_RestClient", "_urlencode", "time"]),
        ("_async.schema_registry_client", ["AsyncSchemaRegistryClient", "_AsyncRestClient", "_urlencode"]),
        ("_sync.mock_schema_registry_client", ["MockSchemaRegistryClient"]),
        ("_async.mock_schema_registry_client", ["AsyncMockSchemaRegistryClient"]),
        ("schema_registry_client", ["SchemaRegistryClient", "AsyncSchemaRegistryClient", "Schema"]),
        ("common.schema_registry_client", ["Schema", "RulePhase", "SchemaVersion", "full_jitter"]),
        ("error", ["SchemaRegistryError", "OAuthTokenError"]),
    ],
)
def test_module_paths(path: str, names: list[str]) -> None:
    module = import_module(f"confluent_kafka.schema_registry.{path}")
    assert [name for name in names if not hasattr(module, name)] == []


def test_full_jitter_is_looked_up_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, make in ((sync_module, SchemaRegistryClient), (async_module, AsyncSchemaRegistryClient)):
        client: Any = make({"url": "http://h"})
        monkeypatch.setattr(module, "full_jitter", lambda base, cap, n: (base, cap, n))
        assert client._rest_client.link.policy.jitter(1, 2, 3) == (1, 2, 3)


def test_the_registry_is_imported_without_its_http_library() -> None:
    code = (
        "import sys; from confluent_kafka.schema_registry import *;"
        "client = SchemaRegistryClient({'url': 'mock://'}); client.register_schema('s', Schema('\"int\"'));"
        "SchemaRegistryClient({'url': 'http://h'}); AsyncSchemaRegistryClient({'url': 'http://h'});"
        "assert not {'httpx2', 'httpcore2', 'anyio'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    monkeypatch.delitem(sys.modules, "confluent_kafka.schema_registry._sync.transport", raising=False)
    with pytest.raises(ImportError, match=r'pip install "ferrokafka\[schemaregistry\]"'):
        SchemaRegistryClient({"url": "http://h"}).get_subjects()


def test_the_cache_by_its_old_names() -> None:
    cache = common._SchemaCache()
    schema = common.Schema("x")
    registered = common.RegisteredSchema("s", 3, 7, "g", schema)
    cache.set_registered_schema(schema, registered)
    cache.set_schema("t", 8, "h", schema)
    assert cache.get_schema_by_id("s", 7) == ("g", schema)
    assert cache.get_schema_by_id("t", 8) == ("h", schema)
    assert cache.get_schema_by_id("s", 9) is None
    assert cache.get_schema_by_guid("g") == schema
    assert (cache.get_id_by_schema("s", schema), cache.get_id_by_schema("u", schema)) == (7, None)
    assert cache.get_registered_by_subject_schema("s", schema) is registered
    assert cache.get_registered_by_subject_id("s", 7) is registered
    assert cache.get_registered_by_subject_version("s", 3) is registered
    cache.remove_by_subject("s")
    assert cache.get_registered_by_subject_version("s", 3) is None
    cache.set_registered_schema(schema, registered)
    cache.remove_by_subject_version("s", 3)
    assert cache.get_id_by_schema("s", schema) is None
    cache.clear()
    assert cache.get_schema_by_guid("g") is None


def test_fixed_tokens_by_their_old_names() -> None:
    fields = {"bearer.auth.token": "tok", "bearer.auth.logical.cluster": "lsrc"}
    provider = common._StaticFieldProvider("tok", "lsrc")
    assert provider.get_bearer_fields() == fields
    assert "tok" not in repr(provider).replace("token", "")
    pooled = common._AsyncStaticFieldProvider("tok", "lsrc", "pool")
    assert asyncio.run(pooled.get_bearer_fields()) == {**fields, "bearer.auth.identity.pool.id": "pool"}


def test_awaited_constructors() -> None:
    @asyncinit
    class Slow:
        async def __init__(self, value: int) -> None:  # type: ignore[misc]  # that is what it is for
            await asyncio.sleep(0)
            self.value = value

    async def make() -> Any:
        return await Slow(5)  # type: ignore[misc]

    made = asyncio.run(make())
    assert (type(made), made.value) == (Slow, 5)


def test_token_errors_read_well() -> None:
    assert str(OAuthTokenError("no token")) == "no token"
    assert str(OAuthTokenError("no token", 401)) == "no token (HTTP 401)"


def test_errors_of_tls_after_the_handshake_are_failures_of_the_request() -> None:
    """Seen: a server that refused the client's certificate made an SSLError of asyncio's come out of the client."""

    async def ask() -> HttpReply | HttpFailure:
        transport = Transport(read_client_config({"url": "https://127.0.0.1:1"}))

        async def refused(*args: object, **kwargs: object) -> None:
            raise ssl.SSLError("tlsv1 alert unknown ca")

        transport.session.request = refused  # type: ignore[method-assign,assignment]  # stands in for the network
        try:
            return await transport.send(HttpRequest("GET", "https://127.0.0.1:1/subjects", timeout=5))
        finally:
            await transport.close()

    outcome = asyncio.run(ask())
    assert isinstance(outcome, HttpFailure)
    assert isinstance(outcome.error, httpx2.ReadError)
    assert "unknown ca" in str(outcome.error)
    assert isinstance(outcome.error.__cause__, ssl.SSLError)
