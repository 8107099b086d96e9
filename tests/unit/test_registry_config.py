# SPDX-License-Identifier: Apache-2.0
"""Configuration of registry clients."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, SchemaRegistryClient
from confluent_kafka.schema_registry._core.client_config import OPTIONS, read_client_config
from confluent_kafka.schema_registry.common.schema_registry_client import normalize_identity_pool

OAUTH = {
    "bearer.auth.credentials.source": "OAUTHBEARER",
    "bearer.auth.logical.cluster": "lsrc",
    "bearer.auth.client.id": "id",
    "bearer.auth.client.secret": "secret",
    "bearer.auth.scope": "scope",
    "bearer.auth.issuer.endpoint.url": "http://idp/token",
}
CUSTOM = {
    "bearer.auth.credentials.source": "CUSTOM",
    "bearer.auth.custom.provider.function": lambda conf: conf,
    "bearer.auth.custom.provider.config": {},
}


def without(conf: dict[str, Any], name: str, **changed: Any) -> dict[str, Any]:
    return {**{key: value for key, value in conf.items() if key != name}, **changed}


def read(**conf: Any) -> Any:
    return read_client_config({"url": "http://h", **conf})


def test_defaults() -> None:
    config = read()
    assert (config.urls, config.timeout, config.capacity, config.latest_ttl) == (("http://h",), 5.0, 1000, None)
    assert (config.max_retries, config.wait_ms, config.max_wait_ms) == (3, 1000, 20000)
    assert (config.basic, config.bearer, config.ca, config.proxy) == (None, None, None, None)
    assert not config.in_memory
    assert read(timeout=None).timeout is None
    assert read(**{"max.retries": None, "cache.capacity": 2.0}).capacity == 2


@pytest.mark.parametrize(
    ("url", "urls", "basic"),
    [
        ("http://h:8081/", ("http://h:8081",), None),
        (" http://a , https://b/x/ ", ("http://a", "https://b/x"), None),
        ("http://u:p%40ss@h", ("http://h",), ("u", "p@ss")),
        ("http://u:p@a,http://b:1", ("http://a", "http://b:1"), ("u", "p")),
        ("https://[::1]:8081", ("https://[::1]:8081",), None),
        ("mock://a?shared=true", ("mock://a",), None),
        ("mock://", ("mock://",), None),
    ],
)
def test_urls(url: str, urls: tuple[str, ...], basic: Any) -> None:
    config = read(url=url)
    assert (config.urls, config.basic) == (urls, basic)
    assert config.shared == ("shared" in url)
    assert config.in_memory == url.startswith("mock")


def test_user_info() -> None:
    assert read(**{"basic.auth.user.info": "user:pass:word"}).basic == ("user", "pass:word")


@pytest.mark.parametrize(
    ("conf", "kind", "text"),
    [
        ({"url": None}, ValueError, "Missing required configuration property url"),
        ({"url": 1}, TypeError, "url must be a str, not int"),
        ({"url": "localhost:8081"}, ValueError, "Invalid url localhost:8081"),
        ({"url": "http://h:x"}, ValueError, "Invalid url http://h:x"),
        ({"url": "http://"}, ValueError, "Invalid url"),
        ({"url": "httpx://h"}, ValueError, "Invalid url"),
        ({"url": "http://h,"}, ValueError, "Invalid url"),
        ({"foo": 1, "bar": 2}, ValueError, "Unrecognized properties: foo, bar"),
        ({"basic.auth.user": "x"}, ValueError, r"did you mean basic\.auth\.user\.info"),
        ({"timeout": "5"}, TypeError, "timeout must be a number, not str"),
        ({"timeout": 0}, ValueError, "timeout must be more than 0"),
        ({"cache.capacity": True}, TypeError, r"cache\.capacity must be a number, not bool"),
        ({"cache.latest.ttl.sec": "x"}, TypeError, r"cache\.latest\.ttl\.sec must be a number"),
        ({"max.retries": -1}, ValueError, r"max\.retries must not be negative"),
        ({"retries.wait.ms": []}, TypeError, r"retries\.wait\.ms must be a number, not list"),
        ({"retries.max.wait.ms": "x"}, TypeError, r"retries\.max\.wait\.ms must be a number"),
        ({"ssl.ca.location": True}, ValueError, r"ssl\.ca\.location"),
        ({"ssl.key.location": "k"}, ValueError, r"ssl\.certificate\.location required"),
        ({"ssl.key.password": "secret"}, ValueError, r"ssl\.certificate\.location required"),
        ({"basic.auth.user.info": "secret"}, ValueError, "must be in the form of"),
        ({"url": "http://u:secret@h", "basic.auth.user.info": "a:secret"}, ValueError, "in the URL"),
        ({"url": "ftp://u:secret@h"}, ValueError, "Invalid url h"),
        ({"url": "http://u:secret@h:x"}, ValueError, "Invalid url h:x"),
        ({"bearer.auth.credentials.source": "X"}, ValueError, r"Unrecognized bearer\.auth\.credentials\.source"),
        ({"bearer.auth.credentials.source": "STATIC_TOKEN"}, ValueError, "Missing required bearer configuration"),
        (
            {"bearer.auth.credentials.source": "STATIC_TOKEN", "bearer.auth.logical.cluster": "x"},
            ValueError,
            r"Missing bearer\.auth\.token",
        ),
        (without(OAUTH, "", **{"bearer.auth.logical.cluster": 5}), TypeError, r"logical\.cluster must be a str"),
        (without(OAUTH, "bearer.auth.scope"), ValueError, r"Missing required OAuth .*: bearer\.auth\.scope"),
        (without(OAUTH, "bearer.auth.client.secret"), ValueError, r"bearer\.auth\.client\.secret"),
        (
            {"bearer.auth.credentials.source": "OAUTHBEARER_AZURE_IMDS", "bearer.auth.logical.cluster": "x"},
            ValueError,
            r"bearer\.auth\.issuer\.endpoint\.query is required",
        ),
        (without(CUSTOM, "bearer.auth.custom.provider.config"), ValueError, "Missing required custom OAuth"),
        (without(CUSTOM, "", **{"bearer.auth.custom.provider.function": 5}), TypeError, "must be callable"),
        (without(CUSTOM, "", **{"bearer.auth.custom.provider.config": 5}), TypeError, "must be a dict"),
        (without(OAUTH, "", **{"bearer.auth.identity.pool.id": 5}), TypeError, "must be a str or a list of str"),
        (without(OAUTH, "", **{"bearer.auth.identity.pool.id": ["a", 5]}), TypeError, "must be a list of str"),
    ],
)
def test_errors(conf: dict[str, Any], kind: type[Exception], text: str) -> None:
    for make in (SchemaRegistryClient, AsyncSchemaRegistryClient):
        with pytest.raises(kind, match=text) as raised:
            make({"url": "http://h", **conf})
        assert "secret" not in str(raised.value).replace("client.secret", "")


def test_azure_query() -> None:
    conf = {"bearer.auth.credentials.source": "oauthbearer_azure_imds", "bearer.auth.logical.cluster": "x"}
    imds = "http://169.254.169.254/metadata/identity/oauth2/token"
    with_query = {"bearer.auth.issuer.endpoint.query": "resource=a&v=1"}
    assert read(**conf, **with_query).bearer.options["token.url"] == f"{imds}?resource=a&v=1"
    with_url = {"bearer.auth.issuer.endpoint.url": "http://other/t?q=1"}
    assert read(**conf, **with_url).bearer.options["token.url"] == "http://other/t?q=1"
    assert read(**conf, **with_url, **with_query).bearer.options["token.url"] == "http://other/t?resource=a&v=1"


def test_identity_pools() -> None:
    assert normalize_identity_pool(None) is None
    assert normalize_identity_pool("a") == "a"
    assert normalize_identity_pool(["a", "b"]) == "a,b"


def test_the_configuration_is_not_changed() -> None:
    conf = {"url": "http://u:p@h", **OAUTH}
    before = dict(conf)
    client = SchemaRegistryClient(conf)
    assert client.config() is conf
    assert conf == before


def test_nothing_that_is_shown_has_a_secret() -> None:
    conf = {
        "url": "http://user:secret1@h",
        **OAUTH,
        "bearer.auth.client.secret": "secret2",
        "bearer.auth.token": "secret3",
        "ssl.certificate.location": "cert",
        "ssl.key.password": "secret4",
        "proxy": "http://u:secret5@p",
    }
    for client in (SchemaRegistryClient(conf), AsyncSchemaRegistryClient(conf)):
        rest = client._rest_client
        shown = [client, rest, rest.config, rest.link, rest.link.auth, client._registry, client._caches]
        assert all("secret" not in text.replace("client.secret", "") for thing in shown for text in (repr(thing),))


def test_every_option_can_be_given() -> None:
    assert len(OPTIONS) == 24
    with pytest.raises(TypeError):
        read_client_config("http://h")  # type: ignore[arg-type]


def test_clients_are_made_without_a_network_or_a_loop() -> None:
    with SchemaRegistryClient({"url": "http://h"}) as client:
        assert type(SchemaRegistryClient.new_client({"url": "http://h"})) is type(client)
    assert type(AsyncSchemaRegistryClient.new_client({"url": " mock://"})) is not AsyncSchemaRegistryClient

    async def use() -> None:
        async with AsyncSchemaRegistryClient({"url": "mock://"}) as client:
            assert await client.get_subjects() == []

    asyncio.run(use())
    asyncio.run(use())
