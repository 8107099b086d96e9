# SPDX-License-Identifier: Apache-2.0
"""Every Python block of the documents runs as it stands, in a process of its own, on the embedded cluster."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from confluent_kafka import Producer
from confluent_kafka.testing import MockCluster
from tests.mock.cli_kit import environment

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# That of administration needs what an embedded cluster does not have: tests/integration/test_admin_guide.py runs it.
GUIDES = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "guide").glob("*.md") if path.name != "admin.md"
)
BLOCKS = [
    pytest.param(block, id=f"{name}-{number}")
    for name in ["README.md", "MIGRATION.md", *GUIDES]
    for number, block in enumerate(BLOCK.findall((ROOT / name).read_text("utf-8")), start=1)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_block_runs(block: str) -> None:
    with MockCluster(1, topics={"orders": 1}) as cluster:
        address = cluster.bootstrap_servers
        with Producer({"bootstrap.servers": address}) as producer:
            for number in range(10):
                producer.produce("orders", f"order {number}")
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", block],
            capture_output=True,
            text=True,
            env=environment(address),
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def printed(text: str) -> list[str]:
    """Lines that the first block with this text prints, on a topic of ten orders."""
    block = next(str(param.values[0]) for param in BLOCKS if text in str(param.values[0]))
    with MockCluster(1, topics={"orders": 1}) as cluster:
        with Producer({"bootstrap.servers": cluster.bootstrap_servers}) as producer:
            for number in range(10):
                producer.produce("orders", f"order {number}")
        done = subprocess.run(
            [sys.executable, "-c", block],
            capture_output=True,
            text=True,
            env=environment(cluster.bootstrap_servers),
            timeout=60,
            check=True,
        )
    return done.stdout.splitlines()


def test_consumer_reads_the_topic() -> None:
    """The blocks above are about something: one of them prints all that was produced."""
    assert printed("    for batch in consumer.batches(") == [
        f"{number} {f'order {number}'.encode()!r}" for number in range(10)
    ]


def test_asyncio_consumer_reads_the_topic_and_what_the_producer_added() -> None:
    first, *batches = printed("async for batch in consumer.batches(")
    assert first == "delivered at 10"
    values = [value for batch in batches for value in ast.literal_eval(batch)]
    assert values == [*(f"order {number}".encode() for number in range(10)), b"two apples"]


def test_checks_in_a_schema_say_what_the_guide_says() -> None:
    guide = (ROOT / "docs" / "guide" / "encryption.md").read_text("utf-8")
    said = printed("this.price * this.count")
    assert said[0] == "Validation rule failed (2 violations):"
    assert "\n".join(said) in guide
