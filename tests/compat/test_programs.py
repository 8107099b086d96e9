# SPDX-License-Identifier: Apache-2.0
"""Programs written for confluent-kafka print the same with both packages, on the same real broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.kit import unique_name
from tests.support.broker import KafkaBroker
from tests.support.peer import interpreters, run_program

PROGRAMS = Path(__file__).parent / "programs"


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("program", "partitions", "proof"),
    [
        ("delivery_reports", [4], "left after flush: 0 len: 0"),
        ("rebalancing_group", [4], "bert: [('assigned', [2, 3])]"),
        (
            "administration",
            [4],
            "late str t: KafkaException _TIMED_OUT Failed while waiting for controller: Local: Timed out",
        ),
        ("administration_errors", [1], "create_acls 5 ValueError duplicate ACL bindings not allowed"),
        ("transactional_copy", [1, 1], "read_committed: 100 True"),
    ],
)
def test_both_packages_print_the_same(broker: KafkaBroker, program: str, partitions: list[int], proof: str) -> None:
    printed = {}
    for package, interpreter in interpreters().items():
        topics = [broker.create_topic(unique_name("compat"), count) for count in partitions]
        printed[package] = run_program(interpreter, PROGRAMS / f"{program}.py", broker.bootstrap, *topics)
    assert proof in printed["confluent-kafka"].splitlines()
    assert printed["ferrokafka"] == printed["confluent-kafka"]
