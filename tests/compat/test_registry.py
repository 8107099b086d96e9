# SPDX-License-Identifier: Apache-2.0
"""Programs written for confluent-kafka's registry clients do the same with both packages, on the embedded registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from confluent_kafka.testing import SchemaRegistryServer
from tests.support.peer import interpreters, run_program

PROGRAMS = Path(__file__).parent / "programs"


def printed(package: str, program: str) -> list[str]:
    """What a program prints with a package, on a new registry that wants a password."""
    with SchemaRegistryServer(basic_auth=("ada", "secret")) as registry:
        return run_program(interpreters()[package], PROGRAMS / f"{program}.py", registry.url).splitlines()


@pytest.mark.timeout(400)
def test_both_clients_see_the_same_registry() -> None:
    theirs = printed("confluent-kafka", "registry_avro")
    assert "message 00000000020a02066e6f77 {'id': 5, 'note': 'now'}" in theirs
    assert theirs[-1] == "gone (404, 40401)"
    assert printed("ferrokafka", "registry_avro") == theirs


@pytest.mark.timeout(400)
def test_every_call_gives_the_same() -> None:
    theirs = printed("confluent-kafka", "registry_client")
    assert len(theirs) > 120
    assert "test_compatibility_all_versions False" in theirs
    assert printed("ferrokafka", "registry_client") == theirs


@pytest.mark.timeout(400)
@pytest.mark.parametrize("package", ["confluent-kafka", "ferrokafka"])
def test_both_key_clients_see_the_same_keys(package: str) -> None:
    assert printed(package, "registry_keys") == [
        "no kek (404, 40470)",
        "kek kek1 local-kms mykey {'a': 'b'} a key False True",
        "same mykey (409, 40971)",
        "no dek (404, 40470)",
        "dek kek1 s 1 AES256_GCM bWF0ZXJpYWw=",
        "clear None True",
        "dek kek1 s 2 AES256_GCM c2Vjb25k",
        "clear None True",
        "dek kek1 s 2 AES256_GCM c2Vjb25k",
        "clear None True",
        "siv c2l2",
        "twice (409, 40971)",
        "shared True 34",
    ]


@pytest.mark.timeout(400)
def test_both_encrypt_with_its_keys() -> None:
    theirs = printed("confluent-kafka", "registry_encryption")
    assert [line.partition(" ")[0] for line in theirs[::3]] == ["own", "other", "rotated"]
    assert theirs[3].endswith("False False")
    assert theirs[5] == "dek 1 AES256_GCM True"
    assert printed("ferrokafka", "registry_encryption") == theirs
