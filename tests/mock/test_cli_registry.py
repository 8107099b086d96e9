# SPDX-License-Identifier: Apache-2.0
"""The commands ``registry`` and ``schemas`` on the embedded registry."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from confluent_kafka.cli import main
from confluent_kafka.cli._registered import open_registry
from confluent_kafka.testing import SchemaRegistryServer
from tests.mock.cli_kit import Running

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "schema_registry_server.md"


def order(*fields: str) -> dict[str, Any]:
    listed = [{"name": "id", "type": "long"}, *({"name": name, "type": "string", "default": ""} for name in fields)]
    return {"type": "record", "name": "Order", "namespace": "shop", "fields": listed}


CART = {"type": "record", "name": "Cart", "fields": [{"name": "order", "type": "shop.Order"}]}


class Shell:
    """Runs ``ferrokafka schemas`` in a directory, with the registry's address in the environment."""

    def __init__(
        self, registry: SchemaRegistryServer, directory: Path, monkeypatch: pytest.MonkeyPatch, **variables: str
    ) -> None:
        self.directory = directory
        self.patch = monkeypatch
        self.said = ""
        monkeypatch.chdir(directory)
        for name in [name for name in os.environ if name.startswith(("KAFKA_", "SCHEMA_REGISTRY_"))]:
            monkeypatch.delenv(name)
        for name, value in {"SCHEMA_REGISTRY_URL": registry.url, **variables}.items():
            monkeypatch.setenv(name, value)

    def __call__(self, *arguments: str, code: int = 0, stdin: bytes = b"") -> str:
        out, err = io.StringIO(), io.StringIO()
        self.patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with redirect_stdout(out), redirect_stderr(err):
            ended = main(["schemas", *arguments])
        self.said = err.getvalue()
        assert ended == code, (out.getvalue(), self.said)
        return out.getvalue()

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code))

    def write(self, name: str, schema: Any) -> None:
        text = schema if isinstance(schema, str) else json.dumps(schema)
        (self.directory / name).write_text(text, encoding="utf-8")


@pytest.fixture
def shell(schema_registry: SchemaRegistryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(schema_registry, tmp_path, monkeypatch)


def test_every_line_of_the_guide(shell: Shell) -> None:
    shell.write("order-1.avsc", order())
    shell.write("order-2.avsc", order("note"))
    shell.write("cart.avsc", CART)
    lines = re.findall(r"^\$ ferrokafka schemas (.+)$", GUIDE.read_text("utf-8"), re.MULTILINE)
    printed = {line: shell(*line.split()) for line in lines}
    assert printed["register orders-value order-1.avsc"] == "orders-value version 1, id 1\n"
    assert printed["check orders-value order-2.avsc"] == "compatible\n"
    assert printed["register orders-value order-2.avsc"] == "orders-value version 2, id 2\n"
    assert printed["list"].splitlines() == [
        "SUBJECT       VERSION  VERSIONS  ID  TYPE",
        "orders-value        2         2   2  AVRO",
    ]
    assert json.loads(printed["show orders-value --version 1"]) == order()
    assert json.loads(printed["show --id 2 --json"])["id"] == 2
    diff = printed["diff orders-value"].splitlines()
    assert diff[:2] == ["--- orders-value version 1", "+++ orders-value version 2"]
    assert any(line.startswith("+") and '"note"' in line for line in diff)
    assert printed["register carts-value cart.avsc --reference shop.Order=orders-value:2"].endswith("id 3\n")
    assert printed["delete carts-value --yes"] == "DELETED\ncarts-value version 1\n"
    assert printed["delete orders-value --version 1 --permanent --yes"] == "DELETED\norders-value version 1\n"
    assert shell.json("list") == [{"subject": "orders-value", "version": 2, "versions": 1, "id": 2, "type": "AVRO"}]
    assert len(lines) == 10


def test_incompatible_and_invalid(shell: Shell) -> None:
    shell.write("one.avsc", order())
    broken = order()
    broken["fields"][0]["type"] = "string"
    shell.write("two.avsc", broken)
    shell("register", "s", "one.avsc")
    assert "incompatible\n" in shell("check", "s", "two.avsc", code=1)
    checked = shell.json("check", "s", "two.avsc", "--version", "1", code=1)
    assert not checked["compatible"]
    assert "TYPE_MISMATCH" in checked["messages"][0]
    shell("register", "s", "two.avsc", code=1)
    assert "(HTTP 409, 409)" in shell.said
    shell.write("bad.avsc", '{"type": "nothing"}')
    shell("register", "s", "bad.avsc", code=1)
    assert "42201" in shell.said
    shell("check", "s", "missing.avsc", code=2)
    assert "missing.avsc" in shell.said


def test_other_types_and_standard_input(shell: Shell) -> None:
    shell.write("m.proto", 'syntax = "proto3"; message M { int32 a = 1; }')
    shell.write("j.json", {"type": "object"})
    assert shell.json("register", "p", "m.proto")["version"] == 1
    shell("register", "j", "j.json")
    assert shell("register", "a", "-", stdin=b'"int"') == "a version 1, id 3\n"
    assert [row["type"] for row in shell.json("list")] == ["AVRO", "JSON", "PROTOBUF"]
    assert shell("show", "p").startswith("syntax")
    assert shell.json("show", "p")["schemaType"] == "PROTOBUF"
    assert [row["subject"] for row in shell.json("list", "p")] == ["p"]


def test_deletion_asks_and_is_soft_first(shell: Shell) -> None:
    for number in range(3):
        shell("register", "s", "-", stdin=json.dumps(order(*"abc"[:number])).encode())
    shell("delete", "s", code=2)
    assert "--yes" in shell.said
    shell("delete", "s", "--version", "latest", "--yes")
    assert shell.json("list")[0]["version"] == 2
    assert shell.json("list", "--deleted")[0]["versions"] == 3
    assert json.loads(shell("show", "s", "--version", "3", "--deleted"))["name"] == "Order"
    shell("show", "s", "--version", "3", code=1)
    assert "40402" in shell.said
    assert shell("delete", "s", "--permanent", "--yes").splitlines()[1:] == [f"s version {n}" for n in (1, 2, 3)]
    assert shell.json("list", "--deleted") == []
    shell("delete", "s", "--yes", code=1)
    assert "40401" in shell.said


def test_diff(shell: Shell) -> None:
    for number in range(3):
        shell("register", "s", "-", stdin=json.dumps(order(*"abc"[:number])).encode())
    assert shell("diff", "s", "--from", "1").splitlines()[:2] == ["--- s version 1", "+++ s version 3"]
    found = shell.json("diff", "s", "--to", "2")
    assert (found["from"], found["to"]) == (1, 2)
    assert shell("diff", "s", "--from", "2", "--to", "2") == ""
    assert shell.said == "no difference\n"
    shell("diff", "s", "--to", "1", code=1)
    assert "no version before" in shell.said


def test_passwords_and_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SchemaRegistryServer(basic_auth=("ada", "s3cret")) as registry:
        shell = Shell(registry, tmp_path, monkeypatch, SCHEMA_REGISTRY_MAX_RETRIES="0")
        shell("list", code=1)
        assert "401" in shell.said
        assert shell.json("list", "-X", "basic.auth.user.info=ada:s3cret") == []
        (tmp_path / "client.conf").write_text("basic.auth.user.info=ada:s3cret\n# comment\n")
        assert shell.json("list", "--config", "client.conf") == []
        monkeypatch.setenv("SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO", "ada:s3cret")
        assert shell.json("list") == []
        url = registry.url
    shell("list", code=1)
    assert "does not answer" in shell.said
    assert "s3cret" not in shell.said
    shell("list", "-X", "no.such=1", code=2)
    assert "no.such" in shell.said
    shell("list", "-X", "max.retries=many", code=2)
    assert "must be a number" in shell.said
    monkeypatch.delenv("SCHEMA_REGISTRY_URL")
    shell("list", code=2)
    assert "--schema-registry" in shell.said
    shell("list", "--schema-registry", url, code=1)
    shell("show", code=2)
    shell("register", "s", "x", "--reference", "nonsense", code=2)
    assert "NAME=SUBJECT:VERSION" in shell.said


def test_produce_and_consume_take_the_same_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SCHEMA_REGISTRY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO", "ada:s3cret")
    monkeypatch.setenv("SCHEMA_REGISTRY_TIMEOUT", "7")
    with open_registry("http://127.0.0.1:1") as client:
        expected = {"url": "http://127.0.0.1:1", "basic.auth.user.info": "ada:s3cret", "timeout": 7.0}
        assert client.config() == expected


@pytest.fixture
def running() -> Iterator[Running]:
    with Running("registry", "--json", "--compatibility", "full") as command:
        yield command


def test_registry_runs_until_ctrl_c(running: Running) -> None:
    url = json.loads(running.line())["url"]
    with urllib.request.urlopen(f"{url}/config", timeout=60) as reply:
        assert json.load(reply) == {"compatibilityLevel": "FULL"}
    assert running.interrupt() == 130
    assert "Ctrl-C" in running.said()


@pytest.mark.parametrize(("option", "code"), [(("--port", "99999"), 2), (("--compatibility", "some"), 2)])
def test_registry_with_impossible_options(option: tuple[str, str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "confluent_kafka", "registry", *option], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr


def test_registry_on_a_port_that_is_taken(schema_registry: SchemaRegistryServer) -> None:
    port = schema_registry.url.rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "confluent_kafka", "registry", "--port", port],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert port.encode() in done.stderr
