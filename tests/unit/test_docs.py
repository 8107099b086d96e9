# SPDX-License-Identifier: Apache-2.0
"""The documents are true where a program can tell: the file map is complete, links resolve."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    "README.md",
    "DESIGN.md",
    "CHANGELOG.md",
    "MIGRATION.md",
    "docs/guide/admin.md",
    "docs/guide/asyncio.md",
    "docs/guide/encryption.md",
    "docs/guide/rules_cel.md",
    "docs/guide/schema_registry.md",
    "docs/guide/schema_registry_server.md",
    "docs/guide/serialization.md",
    "docs/guide/serialization_protobuf.md",
    "examples/README.md",
    "benchmarks/README.md",
]
MAPPED = {"rust/core/src": ("rs",), "rust/python/src": ("rs",), "src/confluent_kafka": ("py", "pyi")}
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("folder", MAPPED)
def test_file_map_names_every_file(folder: str) -> None:
    design = (ROOT / "DESIGN.md").read_text("utf-8")
    section = design.split(f"### {folder}\n", 1)[1].split("\n#", 1)[0]
    listed = re.findall(r"^\| `([^`]+)` \| .+ \|$", section, re.MULTILINE)
    paths = (path for suffix in MAPPED[folder] for path in (ROOT / folder).rglob(f"*.{suffix}"))
    existing = {path.relative_to(ROOT / folder).as_posix() for path in paths}
    assert existing, f"no files below {folder}"
    assert sorted(listed) == sorted(existing)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_resolve(name: str) -> None:
    document = ROOT / name
    broken = [link for link in LINK.findall(document.read_text("utf-8")) if not _resolves(document, link)]
    assert broken == []


def test_a_broken_link_is_found() -> None:
    document = ROOT / "README.md"
    assert not _resolves(document, "no-such-file.md")
    assert not _resolves(document, "DESIGN.md#no-such-heading")
    assert _resolves(document, "DESIGN.md#non-obvious")


def _resolves(document: Path, link: str) -> bool:
    if link.startswith("https://"):
        return True
    path, _, anchor = link.partition("#")
    target = document.parent / path if path else document
    if not target.exists():
        return False
    return not anchor or anchor in _anchors(target.read_text("utf-8"))


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
