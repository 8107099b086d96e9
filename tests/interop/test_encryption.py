# SPDX-License-Identifier: Apache-2.0
"""Client-side encryption, both ways with confluent-kafka: each reads what the other one has written.

The registry is the embedded one, over HTTP: it has rule sets and the registry of keys.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.json_format import ParseDict
from moto.server import ThreadedMotoServer

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry._core.codecs.protobuf_files import link
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.confluent import meta_pb2
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.awskms.aws_driver import AwsKmsDriver
from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import (
    DekAlgorithm,
    DekRegistryClient,
)
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import (
    Clock,
    EncryptionExecutor,
    FieldEncryptionExecutor,
)
from confluent_kafka.schema_registry.rules.encryption.hcvault.hcvault_driver import HcVaultKmsDriver
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import reset_kms_drivers
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.testing import SchemaRegistryServer
from tests.interop.encryption_by_peer import LATEST, message_class, plain, rich
from tests.interop.kit import by_peer
from tests.support import vault
from tests.unit import rules_kit
from tests.unit.rules_kit import context, rule, schema_with

PROGRAM = "encryption_by_peer.py"
SECRET = "both have this one"  # not one
AVRO = {
    "id": 1,
    "card": "4111-1111-1111",
    "note": "a note to hide",
    "photo": {"bytes": b"photo to hide".hex()},
    "emails": ["jane@hidden.example", ""],
    "phones": {"home": "555-hidden"},
    "address": {"street": "1 Hidden Street", "city": "Openville", "other": None},
}
TAGGED = {"confluent:tags": ["PII"]}
JSON_TEXT = {
    "type": "object",
    "title": "Order",
    "properties": {
        "id": {"type": "integer"},
        "card": {"type": "string", **TAGGED},
        "note": {"type": ["null", "string"], **TAGGED},
        "emails": {"type": "array", "items": {"type": "string"}, **TAGGED},
        "address": {"oneOf": [{"type": "null"}, {"$ref": "#/definitions/address"}]},
        "contact": {"allOf": [{"$ref": "#/definitions/address"}]},
    },
    "definitions": {
        "address": {
            "type": "object",
            "properties": {"street": {"type": "string", **TAGGED}, "city": {"type": "string"}},
        }
    },
}
JSON = {
    "id": 1,
    "card": "4111-1111-1111",
    "note": "a note to hide",
    "emails": ["jane@hidden.example", ""],
    "address": {"street": "1 Hidden Street", "city": "Openville"},
    "contact": {"street": "2 Hidden Street", "city": "Openville"},
}
PROTO_TEXT = """
syntax = "proto3";
package shop;
import "confluent/meta.proto";
message Order {
  int32 id = 1;
  string card = 2 [(confluent.field_meta).tags = "PII"];
  optional string note = 3 [(confluent.field_meta).tags = "PII"];
  bytes photo = 4 [(confluent.field_meta).tags = "PII"];
  repeated string emails = 5 [(confluent.field_meta).tags = "PII"];
  Address address = 7;
  message Address {
    string street = 1 [(confluent.field_meta).tags = "PII"];
    string city = 2;
  }
}
"""
PROTO = {
    "id": 1,
    "card": "4111-1111-1111",
    "note": "a note to hide",
    "photo": base64.b64encode(b"photo to hide").decode(),
    "emails": ["jane@hidden.example", ""],
    "address": {"street": "1 Hidden Street", "city": "Openville"},
}
FORMATS = (("AVRO", rules_kit.ORDER, AVRO), ("JSON", JSON_TEXT, JSON), ("PROTOBUF", PROTO_TEXT, PROTO))


def files() -> list[str]:
    """The files of the Protobuf schema, those that are imported first."""
    linked = link(PROTO_TEXT, {}).descriptor
    made = []
    for file in (descriptor_pb2.DESCRIPTOR, meta_pb2.DESCRIPTOR, linked):
        copy = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(copy)
        if file is linked:
            copy.name = "shop/order.proto"
        made.append(base64.b64encode(copy.SerializeToString()).decode())
    return made


HIDDEN = (b"4111-1111", b"note to hide", b"photo to hide", b"jane@hidden", b"555-hidden", b"Hidden Street")


class Later(Clock):
    def __init__(self, days: float) -> None:
        self.days = days

    def now(self) -> int:
        return int((time.time() + self.days * 86400) * 1000)


def schema(case: dict[str, Any]) -> Schema:
    text = case["files"][-1] if case["files"] else case["text"]
    params = {
        "encrypt.kek.name": case["kek"],
        "encrypt.kms.type": case["kms"],
        "encrypt.kms.key.id": case["key"],
        "encrypt.dek.algorithm": case["algorithm"],
        "encrypt.dek.expiry.days": case["expiry"],
    }
    if case["payload"]:
        return schema_with(encoding=[rule("ENCRYPT_PAYLOAD", params=params)], text=text, kind=case["kind"])
    return schema_with([rule(tags=["PII"], params=params)], text=text, kind=case["kind"])


def cases(url: str) -> list[dict[str, Any]]:
    made = []
    for algorithm in DekAlgorithm:
        for payload in (False, True):
            for expiry, days, kek in (("0", 0, "kek"), ("0", 0, "shared"), ("1", 0, "kek"), ("1", 5, "kek")):
                for kind, text, value in FORMATS:
                    name = f"{kind}-{algorithm.value}-{'payload' if payload else 'fields'}-{expiry}-{days}-{kek}"
                    made.append(
                        {
                            "name": name,
                            "topic": name,
                            "url": url,
                            "kind": kind,
                            "text": text,
                            "value": value,
                            "payload": payload,
                            "algorithm": algorithm.value,
                            "expiry": expiry,
                            "days": days,
                            "kek": kek,
                            "kms": "local-kms",
                            "key": "key",
                            "conf": {"secret": SECRET},
                            "files": files() if kind == "PROTOBUF" else [],
                            "message": "shop.Order",
                        }
                    )
    return made


def rules(days: float) -> RuleRegistry:
    registry = RuleRegistry()
    registry.register_executor(FieldEncryptionExecutor(Later(days)))
    registry.register_executor(EncryptionExecutor(Later(days)))
    return registry


Rules = dict[int, RuleRegistry]


def write(client: SchemaRegistryClient, case: dict[str, Any], rules: Rules) -> bytes:
    more: dict[str, Any] = {"rule_conf": case["conf"], "rule_registry": rules[case["days"]]}
    one: Any
    value = rich(case["value"])
    if case["kind"] == "AVRO":
        one = AvroSerializer(client, schema(case), **more)
    elif case["kind"] == "JSON":
        one = JSONSerializer(schema(case), client, **more)
    else:
        client.register_schema(f"{case['topic']}-value", schema(case))
        kind = message_class(case)
        one, value = ProtobufSerializer(kind, client, LATEST, **more), ParseDict(case["value"], kind())
    data: bytes = one(value, context(case["topic"]))
    return data


def read(client: SchemaRegistryClient, case: dict[str, Any], rules: Rules) -> Any:
    more: dict[str, Any] = {"rule_conf": case["conf"], "rule_registry": rules[case["days"]]}
    one: Any
    if case["kind"] == "AVRO":
        one = AvroDeserializer(client, **more)
    elif case["kind"] == "JSON":
        one = JSONDeserializer(None, schema_registry_client=client, **more)
    else:
        one = ProtobufDeserializer(message_class(case), None, client, **more)
    return plain(one(bytes.fromhex(case["data"]), context(case["topic"])))


@contextlib.contextmanager
def aws_key(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A key of an AWS KMS, and how both packages find it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://{host}:{port}")
        options: dict[str, Any] = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
        client = boto3.client("kms", region_name="eu-west-1", **options)
        arn = client.create_key()["KeyMetadata"]["Arn"]
        yield {"kms": "aws-kms", "key": arn, "conf": {"access.key.id": "x", "secret.access.key": "y"}}
    finally:
        server.stop()


@contextlib.contextmanager
def vault_key(kind: str) -> Iterator[dict[str, Any]]:
    """A key of a Vault, and how both packages find it."""
    with vault.running(kind) as server:
        yield {"kms": "hcvault", "key": server.key().removeprefix("hcvault://"), "conf": {"token.id": vault.ROOT}}


@pytest.fixture
def registries() -> Iterator[list[Rules]]:
    """Executors of a writer and of a reader, which share no keys, by how many days their clocks are ahead."""
    reset_kms_drivers()
    for driver in (LocalKmsDriver, AwsKmsDriver, HcVaultKmsDriver):
        driver.register()
    both = [{days: rules(days) for days in (0, 5)} for _ in range(2)]
    yield both
    for registry in (registry for one in both for registry in one.values()):
        for executor in registry.get_executors():
            executor.close()
    reset_kms_drivers()


@pytest.mark.timeout(400)
def test_each_reads_what_the_other_has_written(tmp_path: Path, registries: list[Rules]) -> None:
    to_write, to_read = registries
    with (
        SchemaRegistryServer() as server,
        DekRegistryClient({"url": server.url}) as keys,
        SchemaRegistryClient({"url": server.url}) as client,
    ):
        keys.register_kek("shared", "local-kms", "key", shared=True)
        first = cases(server.url)
        second = copy.deepcopy(first)
        for case in second:
            case["topic"] += "-theirs"
        # the data keys of the first half are ours, those of the second half theirs
        for case in first:
            case["data"] = write(client, case, to_write).hex()
        for case in second:
            client.register_schema(f"{case['topic']}-value", schema(case))
        for case, data in zip(second, by_peer(PROGRAM, "write", second, tmp_path), strict=True):
            case["data"] = data
        both = first + second
        for case, value in zip(both, by_peer(PROGRAM, "read", both, tmp_path), strict=True):
            assert value == case["value"], f"they read {case['topic']}"
        for case in both:
            data = bytes.fromhex(case["data"])
            assert not any(hidden in data for hidden in HIDDEN), case["topic"]
            assert read(client, case, to_read) == case["value"], case["topic"]
            if case["algorithm"] == "AES256_SIV" and case["kek"] == "kek" and not case["days"]:
                # deterministic: with the same key, ours is byte for byte theirs
                assert write(client, case, to_write) == data, case["topic"]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("kms", ["AWS's API by moto", *vault.kinds()])
def test_each_unwraps_what_the_other_has_wrapped(
    tmp_path: Path, registries: list[Rules], monkeypatch: pytest.MonkeyPatch, kms: str
) -> None:
    to_write, to_read = registries
    with (
        aws_key(monkeypatch) if kms.startswith("AWS") else vault_key(kms) as key,
        SchemaRegistryServer() as server,
        SchemaRegistryClient({"url": server.url}) as client,
    ):
        (ours,) = [{**case, **key} for case in cases(server.url) if case["name"] == "AVRO-AES256_GCM-fields-1-0-kek"]
        ours["data"] = write(client, ours, to_write).hex()
        theirs = {**ours, "topic": "theirs"}
        client.register_schema("theirs-value", schema(theirs))
        (theirs["data"],) = by_peer(PROGRAM, "write", [theirs], tmp_path)
        assert by_peer(PROGRAM, "read", [ours, theirs], tmp_path) == [ours["value"]] * 2
        for case in (ours, theirs):
            assert not any(hidden in bytes.fromhex(case["data"]) for hidden in HIDDEN)
            assert read(client, case, to_read) == case["value"]
