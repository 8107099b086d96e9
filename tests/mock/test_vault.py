# SPDX-License-Identifier: Apache-2.0
"""The driver of HashiCorp Vault, on a test server of its API, and on a real Vault where one was built."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import KmsError, RuleError
from confluent_kafka.schema_registry.rules.encryption.hcvault.hcvault_client import VaultError
from confluent_kafka.schema_registry.rules.encryption.hcvault.hcvault_driver import HcVaultKmsDriver
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import (
    Aead,
    register_kms_driver,
    reset_kms_drivers,
)
from confluent_kafka.serialization import SerializationError
from confluent_kafka.testing._http import HttpReply
from tests.mock.kms_kit import ORDER, rules, schema, there_and_back, through_serializers
from tests.support.certificates import make_certificates
from tests.support.vault import LIKE, ROOT, Answers, Server, kinds, running
from tests.unit.rules_kit import context

TRANSIT = (
    'path "transit/encrypt/*" { capabilities = ["update"] } path "transit/decrypt/*" { capabilities = ["update"] }'
)


@pytest.fixture(autouse=True)
def _no_drivers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("VAULT_TOKEN", "VAULT_NAMESPACE", "VAULT_CACERT", "VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY"):
        monkeypatch.delenv(name, raising=False)
    reset_kms_drivers()
    yield
    reset_kms_drivers()


@pytest.fixture(params=kinds())
def vault(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(request.param) as server:
        yield server


def aead(url: str, **conf: Any) -> Aead:
    conf = {name.replace("_", "."): value for name, value in conf.items()} or {"token.id": ROOT}
    key: Aead = HcVaultKmsDriver().new_kms_client(conf, url).get_aead(url)
    return key


class TestVault:
    def test_token(self, vault: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        for url in (vault.key(), vault.key("a-key", "team/transit")):
            client = there_and_back(HcVaultKmsDriver(), url, {"token.id": ROOT})
            assert ROOT not in repr(client)
            assert not client.does_support("hcvault://https://elsewhere:8200/transit/keys/key1")
        with pytest.raises(RuleError, match="no credentials for Vault"):
            HcVaultKmsDriver().new_kms_client({}, url)
        monkeypatch.setenv("VAULT_TOKEN", ROOT)
        there_and_back(HcVaultKmsDriver(), url, {})

    def test_fields(self, vault: Server) -> None:
        register_kms_driver(HcVaultKmsDriver())
        through_serializers("hcvault", vault.key().removeprefix("hcvault://"), {"token.id": ROOT}, f"vault{id(vault)}")

    def test_associated_data_counts(self, vault: Server) -> None:
        key = aead(vault.key())
        wrapped = key.encrypt(b"a data key", b"a subject")
        assert key.decrypt(wrapped, b"a subject") == b"a data key"
        with pytest.raises(VaultError, match="message authentication failed"):
            key.decrypt(wrapped, b"another")

    def test_rotation(self, vault: Server) -> None:
        key = aead(vault.key())
        first = key.encrypt(b"first", b"")
        vault.admin("POST", "transit/keys/key1/rotate", {})
        second = key.encrypt(b"second", b"")
        assert (first[:9], second[:9]) == (b"vault:v1:", b"vault:v2:")
        assert (key.decrypt(first, b""), key.decrypt(second, b"")) == (b"first", b"second")
        vault.admin("POST", "transit/keys/key1/config", {"min_decryption_version": 2})
        with pytest.raises(VaultError, match=r"HTTP 400: .*\(too old\)"):
            key.decrypt(first, b"")

    def test_damaged(self, vault: Server) -> None:
        key = aead(vault.key())
        wrapped = key.encrypt(b"a data key", b"")
        with pytest.raises(VaultError, match=r"HTTP 400: cipher: message authentication failed"):
            key.decrypt(wrapped[:-4] + b"AAA=", b"")
        with pytest.raises(VaultError, match=r"HTTP 400: invalid ciphertext: no prefix"):
            key.decrypt(b"something else", b"")
        with pytest.raises(VaultError, match=r"HTTP 400: invalid ciphertext: version is too new"):
            key.decrypt(wrapped.replace(b"v1", b"v9"), b"")

    def test_deleted(self, vault: Server) -> None:
        url = vault.key()
        register_kms_driver(HcVaultKmsDriver())
        client = SchemaRegistryClient({"url": f"mock://deleted{id(vault)}?shared=true"})
        options: dict[str, Any] = {"rule_conf": {"token.id": ROOT}}
        one = schema("hcvault", url.removeprefix("hcvault://"))
        data = AvroSerializer(client, one, rule_registry=rules(), **options)(ORDER, context())
        vault.admin("POST", "transit/keys/key1/config", {"deletion_allowed": True})
        vault.admin("DELETE", "transit/keys/key1")
        with pytest.raises(SerializationError) as raised:
            AvroDeserializer(client, rule_registry=rules(), **options)(data, context())
        failure = raised.value.__cause__
        assert isinstance(failure, KmsError)
        assert (failure.kek, failure.subject, failure.version) == ("k", "orders-value", 1)
        assert "Vault answered with HTTP 400: encryption key not found" in str(failure)

    def test_a_key_that_is_not_there(self, vault: Server) -> None:
        url = vault.key()[:-4] + "typo"
        may_not_make = vault.token(TRANSIT)
        with pytest.raises(VaultError, match=r"HTTP 403: permission denied$"):
            aead(url, token_id=may_not_make).encrypt(b"a data key", b"")
        with pytest.raises(VaultError, match=r"HTTP 400: encryption key not found"):
            aead(url).decrypt(aead(vault.key()).encrypt(b"a data key", b""), b"")
        # Vault makes it for whoever may "create"
        assert aead(url).encrypt(b"a data key", b"").startswith(b"vault:v1:")

    def test_denied(self, vault: Server) -> None:
        url = vault.key()
        other = vault.token('path "elsewhere/*" { capabilities = ["update"] }')
        with pytest.raises(VaultError, match=r"HTTP 403: permission denied$"):
            aead(url, token_id=other).encrypt(b"a data key", b"")
        with pytest.raises(VaultError, match=r"HTTP 403: permission denied; invalid token$") as raised:
            aead(url, token_id="hvs.not-a-token-of-this-vault").encrypt(b"a data key", b"")
        assert "hvs." not in str(raised.value)
        with pytest.raises(VaultError, match=r"HTTP 404: no handler for route"):
            aead(url.replace("/transit/", "/nothing/")).encrypt(b"a data key", b"")

    def test_approle(self, vault: Server) -> None:
        url = vault.key()
        conf = vault.approle(TRANSIT)
        client = HcVaultKmsDriver().new_kms_client(conf, url)
        key = client.get_aead(url)
        wrapped = key.encrypt(b"a data key", b"")
        token = client._token
        assert key.decrypt(wrapped, b"") == b"a data key"
        assert client._token == token
        vault.admin("POST", "auth/token/revoke", {"token": token})
        assert key.decrypt(wrapped, b"") == b"a data key"
        assert client._token != token
        for secret, text in (("wrong", "invalid role or secret ID"), ("", "missing secret_id")):
            with pytest.raises(VaultError, match=f"HTTP 400: {text}"):
                aead(url, **{**conf, "approle.secret.id": secret}).encrypt(b"a data key", b"")
        once = aead(url, **vault.approle(TRANSIT, token_num_uses=1))
        for _ in range(3):
            assert once.decrypt(wrapped, b"") == b"a data key"

    def test_throttled(self, vault: Server) -> None:
        key = aead(vault.key())
        vault.admin("POST", "sys/quotas/rate-limit/one", {"rate": 1, "interval": "1h"})
        key.encrypt(b"a data key", b"")
        with pytest.raises(VaultError, match=r"HTTP 429: .*rate limit quota exceeded"):
            key.encrypt(b"a data key", b"")

    def test_sealed(self, vault: Server) -> None:
        key = aead(vault.key())
        vault.admin("PUT", "sys/seal", {})
        with pytest.raises(VaultError, match="HTTP 503: Vault is sealed"):
            key.encrypt(b"a data key", b"")


@pytest.mark.parametrize("kind", kinds())
def test_certificates(kind: str, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path / "certificates")
    own = {
        "token.id": ROOT,
        "ssl.ca.location": str(certificates.ca),
        "ssl.certificate.location": str(certificates.client),
        "ssl.key.location": str(certificates.client_key),
    }
    stranger = {
        "ssl.certificate.location": str(certificates.stranger),
        "ssl.key.location": str(certificates.stranger_key),
    }
    with running(kind, certificates) as vault:
        url = vault.key()
        assert url.startswith("hcvault://https://")
        there_and_back(HcVaultKmsDriver(), url, own)
        for wrong in ({"ssl.ca.location": str(certificates.other_ca)}, stranger):
            with pytest.raises(httpx2.TransportError):
                aead(url, **{**own, **wrong}).encrypt(b"a data key", b"")
    with pytest.raises(ValueError, match=r"ssl\.certificate\.location required"):
        HcVaultKmsDriver().new_kms_client({"token.id": ROOT, "ssl.key.location": "x"}, url)


class TestAnswers:
    """What no Vault can be made to do when it is wanted."""

    @pytest.fixture
    def vault(self) -> Iterator[Server]:
        with running(LIKE) as server:
            yield server

    @pytest.fixture
    def answers(self, vault: Server) -> Answers:
        assert vault.answers is not None
        return vault.answers

    def test_namespace(self, vault: Server, answers: Answers) -> None:
        aead(vault.key(), token_id=ROOT, namespace="ns").encrypt(b"a data key", b"")
        path, headers = answers.requests[-1]
        assert path == "transit/encrypt/key1"
        assert headers["x-vault-namespace"] == "ns"

    def test_another_try(self, vault: Server, answers: Answers) -> None:
        key = aead(vault.key())
        answers.requests.clear()
        answers.failures = [0, 503]  # cut, then sealed
        key.encrypt(b"a data key", b"")
        assert len(answers.requests) == 3
        answers.failures = [429, 429, 429]
        with pytest.raises(VaultError, match=r"HTTP 429: no luck"):
            key.encrypt(b"a data key", b"")
        answers.requests.clear()
        answers.failures = [400]
        with pytest.raises(VaultError, match=r"HTTP 400: no luck"):
            key.encrypt(b"a data key", b"")
        assert len(answers.requests) == 1

    def test_standby(self, vault: Server, answers: Answers) -> None:
        key = aead(vault.key())
        answers.failures = [HttpReply(307, {"Location": f"{vault.url}/v1/transit/encrypt/key1"}, b"")]
        assert key.decrypt(key.encrypt(b"a data key", b""), b"") == b"a data key"
        answers.failures = [HttpReply(307, {"Location": f"{vault.url}/v1/transit/encrypt/key1"}, b"")] * 9
        with pytest.raises(VaultError, match="HTTP 307"):
            key.encrypt(b"a data key", b"")

    @pytest.mark.parametrize("status", [400, 403, 500])
    def test_an_answer_that_quotes_the_token(self, vault: Server, answers: Answers, status: int) -> None:
        key = aead(vault.key())
        body = f'{{"errors": ["bad token {ROOT}, or hvs.CAESIK-iNzyrrfWmc7ggiVSl"]}}'.encode()
        answers.failures = [HttpReply(status, {}, body)] * 3
        with pytest.raises(VaultError, match=r"bad token \*\*\*, or \*\*\*$"):
            key.encrypt(b"a data key", b"")

    def test_an_answer_that_is_none(self, vault: Server, answers: Answers) -> None:
        key = aead(vault.key())
        answers.failures = [HttpReply(404, {}, b"<html>not Vault</html>")]
        with pytest.raises(VaultError, match=r"HTTP 404: no reason given"):
            key.encrypt(b"a data key", b"")

    def test_down(self, vault: Server, answers: Answers) -> None:
        key = aead(vault.key())
        answers.failures = [0, 0, 0]
        with pytest.raises(httpx2.TransportError) as raised:
            key.encrypt(b"a data key", b"")
        shown = (repr(dict(raised.value.request.headers)), repr(raised.value.request.content), str(raised.value))
        assert not any(ROOT in text for text in shown)
        assert ROOT.encode() not in pickle.dumps(raised.value)

    def test_slow(self, vault: Server, answers: Answers) -> None:
        key = aead(vault.key(), **{"token.id": ROOT, "encrypt.kms.timeout.sec": 0.3})
        answers.slow = threading.Event()
        try:
            with pytest.raises(httpx2.TimeoutException):
                key.encrypt(b"a data key", b"")
        finally:
            answers.slow.set()

    def test_wrong_urls(self, vault: Server) -> None:
        url = vault.key()
        with pytest.raises(RuleError, match="invalid key URL"):
            aead(url.replace("/keys/", "/other/"))
        with pytest.raises(RuleError, match="invalid key URL"):
            HcVaultKmsDriver().new_kms_client({"token.id": ROOT}, "hcvault://nothing")
