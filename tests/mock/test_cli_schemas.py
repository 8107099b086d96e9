# SPDX-License-Identifier: Apache-2.0
"""Messages with schemas on the command line: ``produce``, ``consume``, and the demo in all formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.testing import MockCluster, SchemaRegistryServer
from tests.mock.cli_kit import entries, ok, run_cli
from tests.mock.kit import DEADLINE, unique_name

AVRO = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}], "default": None},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}},
        {"name": "raw", "type": "bytes", "default": ""},
    ],
}
JSON_SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
PROTO = """syntax = "proto3";
package shop;
message Other { string x = 1; }
message Order { int64 id = 1; repeated string tags = 2; }
"""
ORDER = {"id": 1, "day": "2026-01-02", "price": "1.50", "raw": "AP8="}


@pytest.fixture(scope="module")
def cluster() -> Iterator[MockCluster]:
    with MockCluster(1) as running:
        yield running


@pytest.fixture(scope="module")
def registry() -> Iterator[SchemaRegistryServer]:
    with SchemaRegistryServer() as running:
        yield running


@pytest.fixture
def topic(cluster: MockCluster) -> str:
    name = unique_name("schemas")
    cluster.create_topic(name, 1)
    return name


def schema_file(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_avro_there_and_back(cluster: MockCluster, registry: SchemaRegistryServer, topic: str, tmp_path: Path) -> None:
    path = schema_file(tmp_path, "order.avsc", json.dumps(AVRO))
    arguments = ("--avro", path, "--schema-registry", registry.url)
    lines = json.dumps(ORDER).encode() + b"\n"
    address = cluster.bootstrap_servers
    ok(run_cli("produce", topic, *arguments, bootstrap=address, stdin=lines))
    with SchemaRegistryClient({"url": registry.url}) as client:
        assert client.get_latest_version(f"{topic}-value").version == 1
    read = ok(run_cli("consume", topic, "--schema-registry", registry.url, bootstrap=address))
    assert json.loads(read) == ORDER
    # what `consume --json` writes can be read back
    records = ok(run_cli("consume", topic, "--json", "--schema-registry", registry.url, bootstrap=address))
    assert entries(records)[0]["value"] == ORDER
    ok(run_cli("produce", topic, "--json", *arguments, bootstrap=address, stdin=records))
    again = ok(run_cli("consume", topic, "--json", "--schema-registry", registry.url, bootstrap=address))
    assert [entry["value"] for entry in entries(again)] == [ORDER, ORDER]


def test_json_schema_and_protobuf_in_one_topic(
    cluster: MockCluster, registry: SchemaRegistryServer, tmp_path: Path
) -> None:
    one, two = unique_name("json"), unique_name("proto")
    for name in (one, two):
        cluster.create_topic(name, 1)
    address = cluster.bootstrap_servers
    common = ("--schema-registry", registry.url)
    path = schema_file(tmp_path, "order.json", json.dumps(JSON_SCHEMA))
    stdin = b'{"id": 1}\n{"id": 2, "more": [null]}\n'
    ok(run_cli("produce", one, "--json-schema", path, *common, bootstrap=address, stdin=stdin))
    path = schema_file(tmp_path, "order.proto", PROTO)
    stdin = b'{"id": 3, "tags": ["a", "b"]}\n'
    arguments = ("--proto", path, "--message", "shop.Order", *common)
    ok(run_cli("produce", two, *arguments, bootstrap=address, stdin=stdin))
    with Producer({"bootstrap.servers": address}) as producer:
        producer.produce(one, b"plain text")
        producer.produce(one, b"\x00\x00\x00\xff\xff unknown schema")
        producer.produce(one, None)
        assert producer.flush(DEADLINE) == 0
    done = run_cli("consume", one, "--json", *common, bootstrap=address)
    values = [entry["value"] for entry in entries(ok(done)) if "value" in entry]
    assert values[:3] == [{"id": 1}, {"id": 2, "more": [None]}, "plain text"]
    assert values[-1] is None
    assert b"not decoded" in done.stderr
    assert b"schema 65535" in done.stderr
    assert json.loads(ok(run_cli("consume", two, *common, bootstrap=address))) == {"id": 3, "tags": ["a", "b"]}


def test_what_does_not_fit_is_named_by_its_line(
    cluster: MockCluster, registry: SchemaRegistryServer, topic: str, tmp_path: Path
) -> None:
    path = schema_file(tmp_path, "order.json", json.dumps(JSON_SCHEMA))
    arguments = ("--json-schema", path, "--schema-registry", registry.url)
    stdin = b'{"id": 1}\n{"id": "x"}\n{"id": 3}\n'
    done = run_cli("produce", topic, *arguments, bootstrap=cluster.bootstrap_servers, stdin=stdin)
    assert done.returncode == 1
    assert b"line 2: " in done.stderr
    assert b'field "id": expected integer, got str' in done.stderr
    assert b"1 message delivered" in done.stderr
    done = run_cli("produce", topic, *arguments, bootstrap=cluster.bootstrap_servers, stdin=b"{nope\n")
    assert b"line 1: the value is not valid JSON" in done.stderr


def test_wrong_usage(cluster: MockCluster, topic: str, tmp_path: Path) -> None:
    path = schema_file(tmp_path, "bad.avsc", "{nope")
    address = cluster.bootstrap_servers
    for arguments, text in (
        (("--avro", path), b"--schema-registry"),
        (("--avro", path, "--schema-registry", "mock://x"), b"bad.avsc"),
        (("--avro", str(tmp_path / "none"), "--schema-registry", "mock://x"), b"No such file"),
        (("--message", "x"), b"--proto"),
        (("--avro", path, "--proto", path), b"not allowed with"),
    ):
        done = run_cli("produce", topic, *arguments, bootstrap=address, stdin=b"{}\n")
        assert done.returncode == 2, done.stderr
        assert text in done.stderr


@pytest.mark.parametrize("name", ["avro", "json", "protobuf"])
def test_demo_in_every_format(name: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("id,name,born,size,alive,note\n1,Ada,1815-12-10,1.0,false,\n2,,1906-12-09,2.5,true,\n")
    report = json.loads(ok(run_cli("demo", "--file", str(mine), "--json", "--format", name)))
    assert report["ok"] is True
    assert report["records"] == 2
    assert "Mine" in json.dumps(report["datasets"][0]["schema"])
