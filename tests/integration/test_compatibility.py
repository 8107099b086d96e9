# SPDX-License-Identifier: Apache-2.0
"""A real registry, which asks Avro's own library, and the embedded one judge the same about pairs of Avro schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.testing import SchemaRegistryServer
from tests.support.apicurio import FETCH_DEADLINE_S, ApicurioRegistry
from tests.support.avro_evolution import FITTING, UNFIT

# the first test on a machine waits for the download
pytestmark = pytest.mark.timeout(FETCH_DEADLINE_S)
PAIRS = [*FITTING, *((reader, writer) for reader, writer, _ in UNFIT)]


def verdicts(url: str, unique: Callable[[str], str]) -> list[tuple[bool, bool]]:
    """Whether the registry lets each pair's reader follow its writer, by level BACKWARD and by FULL."""
    found = []
    with SchemaRegistryClient({"url": url, "timeout": 60}) as client:
        for reader, writer in PAIRS:
            subject = unique("pair")
            client.register_schema(subject, avro(writer))
            answers = []
            for level in ("BACKWARD", "FULL"):
                client.set_compatibility(subject, level)
                answers.append(client.test_compatibility(subject, avro(reader)))
            found.append((answers[0], answers[1]))
    return found


def avro(raw: Any) -> Schema:
    return Schema(json.dumps(raw))


def test_the_same_verdicts(apicurio: ApicurioRegistry, unique: Callable[[str], str]) -> None:
    with SchemaRegistryServer() as embedded:
        ours = verdicts(embedded.url, unique)
    assert {(True, True), (True, False), (False, False)} == set(ours)
    theirs = verdicts(apicurio.url, unique)
    assert [pair for pair, one, other in zip(PAIRS, ours, theirs, strict=True) if one != other] == []
