# SPDX-License-Identifier: Apache-2.0
"""Avro, both ways with confluent-kafka: the same bytes, the same objects, the same refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.interop import avro_by_peer
from tests.interop.kit import by_peer, different

PROGRAM = "avro_by_peer.py"
SEEDS = list(range(800))


@pytest.fixture(scope="module")
def written() -> list[list[str | None]]:
    corpus = avro_by_peer.Corpus()
    return [corpus.write(seed) for seed in SEEDS]


def about() -> list[tuple[int, str, Any]]:
    """Seed, schema and value of every place in the corpus."""
    entries = [(seed, avro_by_peer.Entry(seed)) for seed in SEEDS]
    return [(seed, entry.schema, value) for seed, entry in entries for value in entry.values]


def test_both_write_the_same_and_refuse_the_same(tmp_path: Path, written: list[list[str | None]]) -> None:
    theirs = by_peer(PROGRAM, "write", SEEDS, tmp_path)
    ours = [text for texts in written for text in texts]
    what = about()
    assert len(what) >= 5_000
    assert different(ours, [text for texts in theirs for text in texts], what) == []
    # both kinds are there in numbers, or the corpus has become blind
    refused = ours.count(None)
    assert len(ours) / 10 < refused < len(ours) / 2


def test_each_reads_what_the_other_has_written(tmp_path: Path, written: list[list[str | None]]) -> None:
    # an empty payload cannot be read by the other package, which takes it for a message that is cut off
    readable = [[text for text in texts if text and text != "nothing"] for texts in written]
    corpus = list(zip(SEEDS, readable, strict=True))
    theirs = by_peer(PROGRAM, "read", corpus, tmp_path)
    own = avro_by_peer.Corpus()
    ours = [own.read(seed, texts) for seed, texts in corpus]
    about = [(seed, kind, text) for seed, texts in corpus for kind in ("", "names", "later") for text in texts]
    flat = [text for entry in ours for one in entry for text in one]
    assert different(flat, [text for entry in theirs for one in entry for text in one], about) == []
    assert len(flat) > 5_000
    assert None in flat
    assert flat.count(None) < len(flat) / 4
