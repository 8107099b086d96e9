# SPDX-License-Identifier: Apache-2.0
"""The drivers of key management systems: AWS's SDK on moto's server, Azure's and Google's on test servers."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

import boto3
import grpc
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from moto.server import ThreadedMotoServer

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import (
    AvroSerializer,
)
from confluent_kafka.schema_registry.error import KmsError, RuleError
from confluent_kafka.schema_registry.rules.encryption.awskms.aws_driver import AwsKmsDriver
from confluent_kafka.schema_registry.rules.encryption.azurekms.azure_driver import (
    AzureKmsDriver,
    is_versionless,
    with_version,
)
from confluent_kafka.schema_registry.rules.encryption.gcpkms.gcp_driver import GcpKmsDriver
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import (
    register_kms_driver,
    reset_kms_drivers,
)
from confluent_kafka.serialization import SerializationError
from confluent_kafka.testing._http import HttpReply, HttpRequest, Listener
from tests.mock.kms_kit import ORDER, rules, schema, there_and_back, through_serializers
from tests.mock.kms_servers import AzureCredential, AzureVault, GcpKms
from tests.unit.rules_kit import context

DEADLINE_S = 60
CREDENTIALS = {"access.key.id": "x", "secret.access.key": "y"}


@pytest.fixture(autouse=True)
def _no_drivers() -> Iterator[None]:
    reset_kms_drivers()
    yield
    reset_kms_drivers()


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def aws_key(endpoint: str) -> tuple[Any, str]:
    client = boto3.client(
        "kms",
        region_name="eu-west-1",
        endpoint_url=endpoint,
        aws_access_key_id="x",
        aws_secret_access_key="y",  # not one
    )
    return client, client.create_key()["KeyMetadata"]["Arn"]


class TestAws:
    def test_there_and_back(self, aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
        _, arn = aws_key(aws)
        there_and_back(AwsKmsDriver(endpoint_url=aws), f"aws-kms://{arn}", CREDENTIALS)
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", aws)
        there_and_back(AwsKmsDriver(), f"aws-kms://{arn}", CREDENTIALS)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
        there_and_back(AwsKmsDriver(), f"aws-kms://{arn}", {})
        client, _ = aws_key(aws)
        there_and_back(AwsKmsDriver(client=client), f"aws-kms://{arn}", {})

    def test_role(self, aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
        _, arn = aws_key(aws)
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
        conf = {**CREDENTIALS, "role.arn": "arn:aws:iam::123456789012:role/r", "role.external.id": "external"}
        client = there_and_back(AwsKmsDriver(), f"aws-kms://{arn}", conf)
        made = client._made
        assert made is not None
        assert made[1] is not None
        assert made[1] > time.time() + 60
        assert client.client() is made[0]
        client._made = (made[0], time.time() - 1)
        assert client.client() is not made[0]  # its credentials had ended

    def test_fields(self, aws: str) -> None:
        _, arn = aws_key(aws)
        register_kms_driver(AwsKmsDriver(endpoint_url=aws))
        through_serializers("aws-kms", arn, CREDENTIALS, "aws")

    def test_failures(self, aws: str) -> None:
        _, arn = aws_key(aws)
        gone = arn[:-4] + "0000"
        register_kms_driver(AwsKmsDriver(endpoint_url=aws))
        client = SchemaRegistryClient({"url": "mock://"})
        with pytest.raises(SerializationError) as raised:
            AvroSerializer(client, schema("aws-kms", gone), rule_conf=CREDENTIALS, rule_registry=rules())(
                ORDER, context()
            )
        failure = raised.value.__cause__
        assert isinstance(failure, KmsError)
        assert isinstance(failure.__cause__, ClientError)
        with pytest.raises(RuleError, match="invalid key id"):
            AwsKmsDriver().new_kms_client({}, "aws-kms://short")

    def test_an_error_that_quotes_what_was_signed(self) -> None:
        token = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQ"  # not one
        canonical = f"'POST\n/\n\nhost:kms\nx-amz-security-token:{token}\n'"
        message = f"The request signature does not match. The Canonical String should have been\n{canonical}"
        error = ClientError({"Error": {"Code": "InvalidSignatureException", "Message": message}}, "Encrypt")

        class Refusing:
            def encrypt(self, **named: Any) -> Any:
                raise error

        register_kms_driver(AwsKmsDriver(client=Refusing()))
        arn = "arn:aws:kms:eu-west-1:1:key/x"
        with pytest.raises(SerializationError) as raised:
            AvroSerializer(SchemaRegistryClient({"url": "mock://"}), schema("aws-kms", arn), rule_registry=rules())(
                ORDER, context()
            )
        text = "".join(traceback.format_exception(raised.value))
        assert "InvalidSignatureException" in text
        assert token not in text

    def test_slow(self) -> None:
        never = threading.Event()

        def wait(request: HttpRequest) -> HttpReply | None:
            never.wait(DEADLINE_S)
            return None

        listener = Listener("127.0.0.1", 0, wait)
        register_kms_driver(AwsKmsDriver(endpoint_url=f"http://127.0.0.1:{listener.port}"))
        conf = {**CREDENTIALS, "encrypt.kms.timeout.sec": 0.3}
        one = schema("aws-kms", "arn:aws:kms:eu-west-1:1:key/x")
        client = SchemaRegistryClient({"url": "mock://"})
        try:
            with pytest.raises(SerializationError) as raised:
                AvroSerializer(client, one, rule_conf=conf, rule_registry=rules())(ORDER, context())
        finally:
            listener.close(never.set)
        failure = raised.value.__cause__
        assert isinstance(failure, KmsError)
        assert isinstance(failure.__cause__, (ConnectTimeoutError, ReadTimeoutError))
        assert (failure.kek, failure.subject, failure.version) == ("k", "orders-value", 1)

    def test_down(self) -> None:
        began = time.monotonic()
        driver = AwsKmsDriver(endpoint_url="http://127.0.0.1:9")
        url = "aws-kms://arn:aws:kms:eu-west-1:1:key/x"
        aead = driver.new_kms_client({**CREDENTIALS, "encrypt.kms.timeout.sec": 2}, url).get_aead(url)
        with pytest.raises(EndpointConnectionError):
            aead.encrypt(b"key", b"")
        assert time.monotonic() - began < 60


class TestAzure:
    URL = f"azure-kms://{AzureVault.url}/keys/key1"

    def driver(self, vault: AzureVault) -> AzureKmsDriver:
        options = {"transport": vault.transport(), "verify_challenge_resource": False}
        return AzureKmsDriver(credential=AzureCredential(), options=options)

    def test_there_and_back(self, caplog: pytest.LogCaptureFixture) -> None:
        vault = AzureVault()
        (version,) = vault.versions
        there_and_back(self.driver(vault), f"{self.URL}/{version}", {})
        assert vault.challenged
        assert f"POST keys/key1/{version}/decrypt" in vault.requests
        assert not caplog.records
        there_and_back(self.driver(vault), self.URL, {})
        assert "names no version" in caplog.text

    def test_versions_are_saved(self) -> None:
        vault = AzureVault()
        conf = {"encrypt.azure.key.version.save": "true"}
        (version,) = vault.versions
        aead = self.driver(vault).new_kms_client(conf, self.URL).get_aead(self.URL)
        wrapped = aead.encrypt(b"key", b"")
        assert wrapped.startswith(f"azure:v1:{version}:".encode())
        second = vault.rotate()
        assert aead.encrypt(b"key", b"").startswith(f"azure:v1:{second}:".encode())
        for one in ({}, conf):
            other = self.driver(vault).new_kms_client(one, self.URL).get_aead(self.URL)
            assert other.decrypt(wrapped, b"") == b"key"

    def test_fields(self) -> None:
        vault = AzureVault()
        register_kms_driver(self.driver(vault))
        (version,) = vault.versions
        key = f"{AzureVault.url}/keys/key1/{version}"
        through_serializers("azure-kms", key, {}, "azure")
        vault.status = 403
        client = SchemaRegistryClient({"url": "mock://"})
        with pytest.raises(SerializationError) as raised:
            AvroSerializer(client, schema("azure-kms", key), rule_registry=rules())(ORDER, context())
        failure = raised.value.__cause__
        assert isinstance(failure, KmsError)
        kept: Any = failure.__cause__
        assert kept.status_code == 403
        assert kept.response.request.headers["Authorization"] == "***"

    def test_names(self) -> None:
        assert is_versionless("https://v/keys/name")
        assert not is_versionless("https://v/keys/name/version")
        assert with_version("https://v/keys/name", "2") == with_version("https://v/keys/name/1", "2")


@pytest.fixture
def gcp() -> Iterator[GcpKms]:
    with contextlib.closing(GcpKms()) as server:
        yield server


class TestGcp:
    URL = f"gcp-kms://{GcpKms.name}"

    def test_there_and_back(self, gcp: GcpKms) -> None:
        there_and_back(GcpKmsDriver(client=gcp.client()), self.URL, {})

    def test_fields(self, gcp: GcpKms) -> None:
        register_kms_driver(GcpKmsDriver(client=gcp.client()))
        through_serializers("gcp-kms", gcp.name, {}, "gcp")

    def test_failures(self, gcp: GcpKms, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.ERROR)
        aead = GcpKmsDriver(client=gcp.client()).new_kms_client({}, self.URL).get_aead(self.URL)
        gcp.failures = [grpc.StatusCode.UNAVAILABLE]
        wrapped = aead.encrypt(b"key", b"")
        assert gcp.calls == 2
        gcp.failures = [grpc.StatusCode.PERMISSION_DENIED]
        with pytest.raises(Exception, match="no luck"):
            aead.decrypt(wrapped, b"")
        gcp.spoil = True
        with pytest.raises(RuleError, match="damaged"):
            aead.encrypt(b"key", b"")
        with pytest.raises(RuleError, match="damaged"):
            aead.decrypt(wrapped, b"")

    def test_credentials(self) -> None:
        with pytest.raises(RuleError, match=r"account\.type must be service_account"):
            GcpKmsDriver().new_kms_client({"account.type": "user"}, self.URL)
        with pytest.raises(RuleError, match=r"needs private\.key\.id, private\.key as well"):
            GcpKmsDriver().new_kms_client({"client.id": "1", "client.email": "a@b"}, self.URL)


def test_timeouts() -> None:
    for value in ("x", 0, -1, None):
        with pytest.raises(RuleError, match=r"encrypt\.kms\.timeout\.sec must be"):
            AwsKmsDriver().new_kms_client({"encrypt.kms.timeout.sec": value}, "aws-kms://arn:aws:kms:eu-west-1:1:key/x")
