# SPDX-License-Identifier: Apache-2.0
"""The registry's store of keys for encryption, by its REST interface."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from confluent_kafka.schema_registry._core.registry.keys import KeyStore
from confluent_kafka.schema_registry._core.server import RegistryApp

BASE = "/dek-registry/v1/keks"
KEK = {"name": "kek1", "kmsType": "local-kms", "kmsKeyId": "mykey", "kmsProps": {"a": "b"}, "doc": "d"}


class Keys:
    def __init__(self) -> None:
        ticks: Iterator[int] = count(1000)
        self.app = RegistryApp(keys=KeyStore(now_ms=lambda: next(ticks)))

    def __call__(self, line: str, body: Any = None, **query: str) -> Any:
        status, answer = self._ask(line, body, query)
        assert status in (200, 204), (line, status, answer)
        return answer

    def error(self, line: str, body: Any = None, **query: str) -> tuple[int, int]:
        status, answer = self._ask(line, body, query)
        assert status >= 400, (line, answer)
        return status, answer["error_code"]

    def _ask(self, line: str, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        method, _, path = line.partition(" ")
        return self.app.handle(method, BASE + path, query, body)

    def dek(self, subject: str, version: int = 1, **more: Any) -> Any:
        body = {"subject": subject, "version": version, "encryptedKeyMaterial": f"key{version}", **more}
        return self(f"POST /kek1/deks/{subject}", body)


@pytest.fixture
def keys() -> Keys:
    return Keys()


def test_keks(keys: Keys) -> None:
    made = keys("POST ", KEK)
    assert made == {**KEK, "shared": False, "ts": 1000}
    assert keys("GET /kek1") == made
    assert keys("GET ") == ["kek1"]
    assert keys.error("POST ", KEK) == (409, 40971)
    assert keys.error("GET /other") == (404, 40470)
    changed = keys("PUT /kek1", {"doc": "new", "kmsProps": None})
    assert (changed["doc"], "kmsProps" in changed) == ("new", False)
    assert keys("POST /kek1/test") == changed


@pytest.mark.parametrize("missing", ["name", "kmsType", "kmsKeyId"])
def test_keks_need_names_and_kms(keys: Keys, missing: str) -> None:
    assert keys.error("POST ", {**KEK, missing: ""}) == (422, 42271)
    assert keys.error("POST ", {key: value for key, value in KEK.items() if key != missing}) == (422, 42271)
    assert keys.error("POST ", {**KEK, "name": "9 x"}) == (422, 42271)


def test_keks_of_contexts(keys: Keys) -> None:
    keys("POST ", KEK, context=".dev")
    assert keys.error("GET /kek1") == (404, 40470)
    assert keys("GET /kek1", context=".dev")["name"] == "kek1"
    assert keys("GET ") == ["kek1"]
    assert keys("GET ", context=".") == []
    assert keys("POST /kek1/deks/:.dev:s", {"encryptedKeyMaterial": "x"})["subject"] == ":.dev:s"
    assert keys.error("POST /kek1/deks/s", {"encryptedKeyMaterial": "x"}) == (404, 40470)


def test_deks_by_subject_algorithm_and_version(keys: Keys) -> None:
    keys("POST ", KEK)
    made = keys.dek("s")
    assert made == {
        "kekName": "kek1",
        "subject": "s",
        "version": 1,
        "algorithm": "AES256_GCM",
        "encryptedKeyMaterial": "key1",
        "ts": 1001,
    }
    keys.dek("s", 3)
    keys("POST /kek1/deks", {"subject": "s", "algorithm": "AES256_SIV", "encryptedKeyMaterial": "siv"})
    keys.dek("t")
    assert keys("GET /kek1/deks") == ["s", "t"]
    assert keys("GET /kek1/deks/s") == made == keys("GET /kek1/deks/s/versions/1", algorithm="AES256_GCM")
    assert keys("GET /kek1/deks/s/versions") == [1, 3]
    assert keys("GET /kek1/deks/s/versions/latest")["version"] == 3 == keys("GET /kek1/deks/s/versions/-1")["version"]
    assert keys("GET /kek1/deks/s", algorithm="AES256_SIV")["encryptedKeyMaterial"] == "siv"
    assert keys.error("GET /kek1/deks/s/versions/2") == (404, 40470)
    assert keys.error("GET /kek1/deks/s", algorithm="AES128_GCM") == (404, 40470)
    assert keys.error("GET /kek1/deks/s", algorithm="DES") == (422, 42271)
    assert keys.error("GET /other/deks/s") == (404, 40470)
    assert keys.error("POST /kek1/deks/s", {"encryptedKeyMaterial": "again"}) == (409, 40971)
    assert keys.error("POST /kek1/deks/s", {"version": 9}) == (422, 42271)
    assert keys.error("POST /other/deks/s", {"encryptedKeyMaterial": "x"}) == (404, 40470)


def test_deletion_is_soft_first(keys: Keys) -> None:
    keys("POST ", KEK)
    keys.dek("s")
    keys.dek("s", 2)
    assert keys.error("DELETE /kek1") == (422, 42272)
    assert keys.error("DELETE /kek1/deks/s", permanent="true") == (404, 40471)
    assert keys("DELETE /kek1/deks/s/versions/2") is None
    assert keys("GET /kek1/deks/s/versions") == [1]
    assert keys("GET /kek1/deks/s/versions", deleted="true") == [1, 2]
    assert keys("GET /kek1/deks/s/versions/2", deleted="true")["deleted"] is True
    assert keys.error("POST /kek1/deks/s", {"version": 2, "encryptedKeyMaterial": "x"}) == (404, 40472)
    keys("POST /kek1/deks/s/versions/2/undelete")
    assert keys("GET /kek1/deks/s/versions") == [1, 2]
    keys("DELETE /kek1/deks/s")
    assert keys.error("GET /kek1/deks/s") == (404, 40470)
    assert keys("DELETE /kek1") is None
    assert keys.error("GET /kek1") == (404, 40470)
    assert keys("GET /kek1", deleted="true")["deleted"] is True
    assert keys.error("POST ", KEK) == (404, 40472)
    assert keys.error("POST /kek1/deks/s/undelete") == (404, 40472)
    keys("POST /kek1/undelete")
    assert keys("GET ") == ["kek1"]
    keys("DELETE /kek1")
    assert keys.error("DELETE /kek1", permanent="true") == (422, 42272)
    keys("DELETE /kek1/deks/s", permanent="true")
    keys("DELETE /kek1", permanent="true")
    assert keys.error("GET /kek1", deleted="true") == (404, 40470)


@pytest.mark.parametrize(
    ("algorithm", "prefix", "length"),
    [("AES128_GCM", b"\x1a\x10", 16), ("AES256_GCM", b"\x1a\x20", 32), ("AES256_SIV", b"\x12\x40", 64)],
)
def test_deks_of_a_shared_kek_are_made_here(keys: Keys, algorithm: str, prefix: bytes, length: int) -> None:
    keys("POST ", {**KEK, "shared": True})
    made = keys("POST /kek1/deks/s", {"algorithm": algorithm})
    key = base64.b64decode(made["keyMaterial"])
    assert (key[:2], len(key)) == (prefix, 2 + length)
    assert made["encryptedKeyMaterial"]
    assert keys("GET /kek1/deks/s", algorithm=algorithm) == made
    other = keys("POST /kek1/deks/t", {"algorithm": algorithm})
    assert other["keyMaterial"] != made["keyMaterial"]


def test_representations_hide_key_material(keys: Keys) -> None:
    keys("POST ", {**KEK, "shared": True})
    made = keys("POST /kek1/deks/s", {})
    shown = repr(keys.app.keys.dek("kek1", "s", None, 1, deleted=False))
    assert "AES256_GCM" in shown
    assert made["keyMaterial"] not in shown
    assert made["encryptedKeyMaterial"] not in shown
