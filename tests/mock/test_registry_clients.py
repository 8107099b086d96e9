# SPDX-License-Identifier: Apache-2.0
"""Both registry clients on the embedded registry, by HTTP and by ``mock://``: one body for all of them."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from confluent_kafka.schema_registry import (
    AssociationCreateOrUpdateInfo,
    AssociationCreateOrUpdateRequest,
    AsyncSchemaRegistryClient,
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    Rule,
    RuleKind,
    RuleMode,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SchemaRegistryError,
    ServerConfig,
)
from confluent_kafka.testing import SchemaRegistryServer
from tests.support.certificates import KEY_PASSWORD, Certificates, make_certificates
from tests.support.registry_shells import KINDS, Shell

Make = Callable[..., Shell]
A = Schema('{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}')
B = Schema('{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":1}]}')
BAD = Schema('{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}')
RULE = Rule("hide", None, RuleKind.TRANSFORM, RuleMode.WRITE, "ENCRYPT", ["PII"], None, None, None, None, False)


def with_properties(**properties: str) -> Schema:
    return Schema(A.schema_str, metadata=Metadata(None, MetadataProperties(properties), []))


@pytest.fixture
def server() -> Iterator[SchemaRegistryServer]:
    with SchemaRegistryServer() as running:
        yield running


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, server: SchemaRegistryServer) -> Iterator[Make]:
    made: list[Shell] = []

    def build(**conf: Any) -> Shell:
        made.append(Shell(request.param, {"url": server.url, "timeout": 60, **conf}))
        return made[-1]

    yield build
    for shell in made:
        shell.__exit__(None, None, None)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.fixture
def registry(make: Make) -> Shell:
    return make()


def test_register_and_read_back(registry: Shell, make: Make) -> None:
    registered = registry.register_schema_full_response("s", A)
    assert (registered.subject, registered.version, registered.schema) == ("s", 1, A)
    assert registry.register_schema("s", B) != registered.schema_id
    other = make()
    assert other.get_schema(registered.schema_id) == other.get_schema(registered.schema_id, "s") == A
    assert other.get_schema_by_guid(registered.guid) == A
    assert other.lookup_schema("s", B).version == 2
    assert other.get_subjects_by_schema_id(registered.schema_id) == ["s"]
    assert [(v.subject, v.version) for v in other.get_schema_versions(registered.schema_id)] == [("s", 1)]
    assert other.get_versions("s", offset=1) == [2]
    assert other.get_latest_version("s").schema == B
    assert sorted(other.get_schema_types()) == ["AVRO", "JSON", "PROTOBUF"]


def test_modes(registry: Shell) -> None:
    assert registry.get_global_mode() == "READWRITE"
    assert registry.update_global_mode("READONLY") == "READONLY"
    with pytest.raises(SchemaRegistryError):
        registry.register_schema("s", A)
    assert registry.update_mode("s", "READWRITE") == "READWRITE"
    registry.register_schema("s", A)
    assert registry.get_mode("s") == registry.delete_mode("s") == "READWRITE"
    with pytest.raises(SchemaRegistryError):
        registry.get_mode("s")
    assert registry.update_global_mode("READWRITE") == "READWRITE"


def test_compatibility(registry: Shell) -> None:
    registry.register_schema("s", A)
    assert registry.get_compatibility() == "BACKWARD"
    assert registry.test_compatibility("s", B) is True
    assert registry.test_compatibility("s", BAD, 1, True, True) is False
    assert registry.test_compatibility_all_versions("s", BAD) is False
    registry.set_compatibility("s", "none")
    assert registry.test_compatibility_all_versions("s", BAD) is True
    assert registry.get_config("s").compatibility_level is ConfigCompatibilityLevel.NONE
    registry.set_config(None, ServerConfig(ConfigCompatibilityLevel.FULL, compatibility_group="major"))
    assert registry.get_config().compatibility_group == "major"
    registry.delete_config("s")
    registry.delete_config()
    assert registry.get_compatibility() == "BACKWARD"


def test_metadata_and_rules_come_back(registry: Shell, make: Make) -> None:
    first = registry.register_schema_full_response("s", with_properties(major="1"))
    registry.register_schema("s", with_properties(major="2"))
    assert registry.get_latest_with_metadata("s", {"major": "1"}).schema_id == first.schema_id
    with pytest.raises(SchemaRegistryError) as raised:
        registry.get_latest_with_metadata("s", {"major": "3"})
    assert raised.value.http_status_code == 404
    ruled = Schema(A.schema_str, rule_set=RuleSet([], [RULE]))
    registered = registry.register_schema_full_response("ruled", ruled)
    assert registered.schema.rule_set.domain_rules == [RULE]
    assert make().get_schema(registered.schema_id, "ruled").rule_set.domain_rules == [RULE]


def test_rules_of_the_configuration_are_seen(registry: Shell) -> None:
    registry.set_config("s", ServerConfig(default_rule_set=RuleSet([], [RULE])))
    registered = registry.register_schema_full_response("s", A)
    assert registered.schema.rule_set.domain_rules == [RULE]


def test_references_and_contexts(registry: Shell) -> None:
    registry.register_schema(":.ctx:inner", A)
    outer = Schema(
        '{"type":"record","name":"P","fields":[{"name":"r","type":"R"}]}', "AVRO", [SchemaReference("R", "inner", 1)]
    )
    number = registry.register_schema(":.ctx:outer", outer)
    assert registry.get_referenced_by(":.ctx:inner", 1) == [number]
    assert ":.ctx:" in registry.get_contexts() or ".ctx" in registry.get_contexts()
    with pytest.raises(SchemaRegistryError) as raised:
        registry.delete_subject(":.ctx:inner")
    assert raised.value.error_code == 42206


def test_associations(registry: Shell) -> None:
    wanted = AssociationCreateOrUpdateRequest(
        "orders", "cluster", "r1", "topic", [AssociationCreateOrUpdateInfo("s", "value", "WEAK", False, A)]
    )
    assert registry.create_association(wanted).associations[0].subject == "s"
    found = registry.get_associations_by_resource_name("orders", "-", "topic", ["value"])
    assert [association.subject for association in found] == ["s"]
    assert registry.get_latest_version("s").schema == A
    registry.delete_associations("r1")
    assert registry.get_associations_by_resource_name("orders", "-") == []


def test_deletion(registry: Shell) -> None:
    number = registry.register_schema("s", A)
    registry.register_schema("s", B)
    assert registry.delete_version("s", 2) == 2
    assert registry.get_latest_version("s").version == 1
    assert registry.get_versions("s", deleted=True) == [1, 2]
    assert registry.get_versions("s", deleted_only=True) == [2]
    assert registry.get_version("s", 2, deleted=True).schema == B
    assert registry.delete_subject("s") == [1]
    assert registry.get_schema(number) == A  # messages written with it are still there
    registry.delete_subject("s", permanent=True)
    with pytest.raises(SchemaRegistryError):
        registry.get_schema(number)


def test_after_the_time_one_fetch_sees_the_new_version(
    make: Make, server: SchemaRegistryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    for cls in (SchemaRegistryClient, AsyncSchemaRegistryClient):
        monkeypatch.setattr(cls, "_clock", staticmethod(lambda: now[0]))
    registry, other = make(**{"cache.latest.ttl.sec": 60}), make()
    registry.register_schema("s", A)
    assert registry.get_latest_version("s").version == 1
    other.register_schema("s", B)
    before = len(server.requests())
    assert registry.get_latest_version("s").version == 1
    now[0] += 60
    outcomes = registry.at_once([("get_latest_version", ("s",))] * 20)
    assert {outcome.version for outcome in outcomes} <= {1, 2}
    assert registry.get_latest_version("s").version == 2
    assert len(server.requests()) == before + 1
    # another client's version is seen at once when the caches are cleared
    registry.clear_latest_caches()
    assert registry.get_latest_version("s").version == 2
    registry.clear_caches()
    assert len(server.requests()) == before + 2


def test_warm_start(make: Make, server: SchemaRegistryServer, tmp_path: Any) -> None:
    path = tmp_path / "schemas.json"
    first = make(**{"basic.auth.user.info": "user:hunter2"})
    number = first.register_schema("s", A)
    first.get_latest_version("s")
    assert first.save_cache(path) >= 3
    assert "hunter2" not in path.read_text()
    second = make(**{"max.retries": 0, "timeout": 1})
    assert second.load_cache(path) == second.load_cache(os.fspath(path)) >= 3
    server.stop()
    assert second.get_schema(number, "s") == A
    assert second.register_schema("s", A) == number
    assert second.get_latest_version("s").schema == A
    assert make().load_cache(tmp_path / "none") == 0


def test_many_calls_at_once(registry: Shell, server: SchemaRegistryServer) -> None:
    schemas = [Schema(f'{{"type":"fixed","name":"F{n}","size":{n}}}') for n in range(1, 31)]
    registry.set_compatibility("s", "NONE")
    outcomes = registry.at_once([("register_schema", ("s", schema)) for schema in schemas * 4])
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert len(set(outcomes)) == 30
    assert outcomes[:30] * 4 == outcomes


def test_closed_clients_open_again(registry: Shell) -> None:
    registry.register_schema("s", A)
    for _ in range(2):
        (registry.client.close if registry.kind == "sync" else registry.aclose)()
    assert registry.get_subjects() == ["s"]


class TestMock:
    @pytest.mark.parametrize("kind", KINDS)
    def test_shared_by_name(self, kind: str) -> None:
        name = f"mock://shared-{kind}?shared=true"
        with (
            Shell(kind, {"url": name}) as one,
            Shell(kind, {"url": name}) as two,
            Shell("sync", {"url": name}) as three,
        ):
            number = one.register_schema("s", A)
            assert two.get_schema(number) == three.get_schema(number) == A
            with Shell(kind, {"url": f"{name}&x=1".replace("shared-", "other-")}) as other:
                assert other.get_subjects() == []

    @pytest.mark.parametrize("kind", KINDS)
    def test_private_otherwise(self, kind: str) -> None:
        for url in ("mock://", "mock://same"):
            with Shell(kind, {"url": url}) as one, Shell(kind, {"url": url}) as two:
                one.register_schema("s", A)
                assert two.get_subjects() == []

    @pytest.mark.parametrize("kind", KINDS)
    def test_everything_but_the_network(self, kind: str) -> None:
        with Shell(kind, {"url": "mock://"}) as registry:
            registry.register_schema("s", A)
            assert registry.get_global_mode() == "READWRITE"
            assert registry.get_contexts()
            assert registry.test_compatibility("s", B)
            assert registry.get_schema_types()


class TestTls:
    @pytest.fixture
    def secure(self, certificates: Certificates) -> Iterator[SchemaRegistryServer]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.broker_store)
        context.load_verify_locations(certificates.ca)
        context.verify_mode = ssl.CERT_OPTIONAL
        with SchemaRegistryServer(ssl_context=context) as running:
            yield running

    def conf(self, server: SchemaRegistryServer, **more: Any) -> dict[str, Any]:
        named = {f"ssl.{name.replace('__', '.')}": value for name, value in more.items()}
        return {"url": server.url, "timeout": 60, "max.retries": 0, **named}

    @pytest.mark.parametrize("kind", KINDS)
    def test_authorities(self, kind: str, secure: SchemaRegistryServer, certificates: Certificates) -> None:
        for ca in (str(certificates.ca), False):
            with Shell(kind, self.conf(secure, ca__location=ca)) as registry:
                assert registry.get_subjects() == []
        for conf in (self.conf(secure), self.conf(secure, ca__location=str(certificates.other_ca))):
            with Shell(kind, conf) as registry, pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                registry.get_subjects()

    @pytest.mark.parametrize("kind", KINDS)
    def test_client_certificates(self, kind: str, secure: SchemaRegistryServer, certificates: Certificates) -> None:
        own = {"ca__location": str(certificates.ca), "certificate__location": str(certificates.client)}
        for key in (
            {"key__location": str(certificates.client_key)},
            {"key__location": str(certificates.client_key_encrypted), "key__password": KEY_PASSWORD},
        ):
            with Shell(kind, self.conf(secure, **own, **key)) as registry:
                assert registry.get_subjects() == []
        stranger = {
            "certificate__location": str(certificates.stranger),
            "key__location": str(certificates.stranger_key),
        }
        with Shell(kind, self.conf(secure, **{**own, **stranger})) as registry, pytest.raises(httpx2.TransportError):
            registry.get_subjects()

    @pytest.mark.parametrize("kind", KINDS)
    def test_files_that_cannot_be_used(self, kind: str, certificates: Certificates, tmp_path: Any) -> None:
        none = str(tmp_path / "none")
        cases: list[tuple[dict[str, Any], str]] = [
            ({"ssl.ca.location": none}, r"ssl\.ca\.location .*none cannot be used"),
            ({"ssl.certificate.location": none}, r"ssl\.certificate\.location.* cannot be used"),
            (
                {
                    "ssl.certificate.location": str(certificates.client),
                    "ssl.key.location": str(certificates.client_key_encrypted),
                    "ssl.key.password": "wrong-secret",
                },
                r"ssl\.key\.password cannot be used",
            ),
        ]
        for conf, text in cases:
            with (
                Shell(kind, {"url": "https://127.0.0.1:1", **conf}) as registry,
                pytest.raises(ValueError, match=text) as raised,
            ):
                registry.get_subjects()
            assert "wrong-secret" not in str(raised.value)


class TestAsyncio:
    def test_one_client_on_one_loop_after_the_other(self, server: SchemaRegistryServer) -> None:
        client = AsyncSchemaRegistryClient({"url": server.url, "timeout": 60})

        async def use(name: str) -> list[str]:
            await client.register_schema(name, A)
            found = await client.get_subjects()
            await client.aclose()
            return found

        assert asyncio.run(use("a")) == ["a"]
        assert asyncio.run(use("b")) == ["a", "b"]

    def test_on_two_loops_at_the_same_time(self, server: SchemaRegistryServer) -> None:
        client = AsyncSchemaRegistryClient({"url": server.url, "timeout": 60})
        results: list[Any] = []

        async def use(number: int) -> None:
            names = [f"s{number}-{n}" for n in range(5)]
            results.extend(await asyncio.gather(*(client.register_schema(name, A) for name in names)))
            await client.aclose()

        def run(number: int) -> None:
            try:
                asyncio.run(use(number))
            except Exception as e:
                results.append(e)

        threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert [result for result in results if not isinstance(result, int)] == []
        assert len(results) == 20

    def test_a_task_that_is_cancelled_does_not_take_others_with_it(self, server: SchemaRegistryServer) -> None:
        async def use() -> Any:
            async with AsyncSchemaRegistryClient({"url": server.url, "timeout": 60}) as client:
                number = await client.register_schema("s", A)
                client._caches.clear()
                server.add_fault(path="/schemas/*", delay=0.3)
                tasks = [asyncio.create_task(client.get_schema(number)) for _ in range(10)]
                await asyncio.sleep(0.05)
                tasks[0].cancel()
                return await asyncio.gather(*tasks, return_exceptions=True)

        first, *others = asyncio.run(use())
        assert isinstance(first, asyncio.CancelledError)
        assert others == [A] * 9

    def test_tokens_from_a_coroutine_function(self, server: SchemaRegistryServer) -> None:
        async def provide(config: dict[str, str]) -> dict[str, str]:
            await asyncio.sleep(0)
            return {"bearer.auth.token": config["token"], "bearer.auth.logical.cluster": "lsrc"}

        conf = {
            "url": server.url,
            "bearer.auth.credentials.source": "CUSTOM",
            "bearer.auth.custom.provider.function": provide,
            "bearer.auth.custom.provider.config": {"token": "tok"},
        }

        async def use() -> None:
            async with AsyncSchemaRegistryClient(conf) as client:
                await client.get_subjects()

        asyncio.run(use())
        assert server.requests()[-1].headers["authorization"] == "Bearer tok"
        with pytest.raises(TypeError, match="coroutine function is for AsyncSchemaRegistryClient"):
            SchemaRegistryClient(conf).get_subjects()
