# SPDX-License-Identifier: Apache-2.0
"""The comparison notices what it is there for: it runs on small packages of our own, which differ in one thing."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.parity.compare import differences
from tests.parity.surface import Surface

PACKAGE = {
    "__init__.py": """
        def sell(item, count=1, *, at=None): ...
        from shop._clerk import Clerk
        from shop.stock import LIMIT
        CLOSED = -1
        """,
    "_clerk.py": """
        class Base(Exception):
            def __init__(self, name, age=3): self.name = name
        class Clerk(Base):
            KINDS = ("old", "new")
            def __len__(self): return 0
            def serve(self, customer, again=False): ...
            async def wait(self, seconds): ...
            @classmethod
            def hire(cls): ...
            @property
            def mood(self): ...
            @mood.setter
            def mood(self, value): ...
        """,
    "stock.py": """
        import enum
        from shop import sell
        LIMIT = 5
        class Shelf(enum.Enum):
            TOP = 1
            LOW = 2
        """,
    "broken.py": "import no_such_module_at_all",
}


def surface(folder: Path, files: dict[str, str]) -> dict[str, Any]:
    """What the walk finds in a package ``shop`` with these files, each indented by 8 for reading here."""
    (folder / "shop").mkdir()
    for name, text in files.items():
        (folder / "shop" / name).write_text("\n".join(line.removeprefix(" " * 8) for line in text.splitlines()))
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        return Surface("shop", {"modules": {}}).walk()
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return surface(tmp_path_factory.mktemp("theirs"), PACKAGE)


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("stock.py", "LIMIT = 5", "LIMIT = 6", {"value shop.LIMIT", "value shop.stock.LIMIT"}),
        ("stock.py", "LOW = 2", "LOW = 3", {"value shop.stock.Shelf.LOW"}),
        ("stock.py", "LOW = 2", "", {"member shop.stock.Shelf.LOW"}),
        ("stock.py", "from shop import sell", "", {"import shop.stock.sell"}),
        ("stock.py", "from shop import sell", "def sell(*things, **options): ...", set()),
        ("__init__.py", "CLOSED = -1", "", {"name shop.CLOSED"}),
        ("__init__.py", "count=1", "count=2", {"default shop.sell(count)"}),
        ("__init__.py", "count=1", "count", {"required shop.sell(count)"}),
        ("__init__.py", "count=1", "number=1", {"parameter shop.sell(count)"}),
        ("__init__.py", "item, count=1", "count=1, item=2", {"order shop.sell(item)", "order shop.sell(count)"}),
        ("__init__.py", "at=None", "at=None, shop", {"required shop.sell(shop)"}),
        ("__init__.py", "at=None", "at=None, shop=None", set()),
        ("__init__.py", "item, count=1, *, at=None", "*items, **options", set()),
        ("__init__.py", "item, count", "item, /, count", {"parameter shop.sell(item)"}),
        ("__init__.py", "def sell", "async def sell", {"async shop.sell"}),
        (
            "_clerk.py",
            "Clerk(Base)",
            "Clerk(ValueError)",
            {"base shop.Clerk(Base)", "member shop.Clerk.name", "signature shop.Clerk()"},
        ),
        ("_clerk.py", "name, age=3", "name, age=4", {"default shop.Clerk(age)"}),
        ("_clerk.py", '"new"', '"used"', {"value shop.Clerk.KINDS"}),
        ("_clerk.py", "__len__", "count", {"member shop.Clerk.__len__"}),
        ("_clerk.py", "again=False", "again=True", {"default shop.Clerk.serve(again)"}),
        ("_clerk.py", "def serve", "def help", {"member shop.Clerk.serve"}),
        ("_clerk.py", "async def wait", "def wait", {"async shop.Clerk.wait"}),
        ("_clerk.py", "@classmethod", "", {"kind shop.Clerk.hire(classmethod)"}),
        ("_clerk.py", "@mood.setter", "@property", {"read-only shop.Clerk.mood"}),
        ("_clerk.py", "@mood.setter\n            def mood(self, value): ...", "", {"read-only shop.Clerk.mood"}),
    ],
)
def test_a_difference_is_found(
    file: str, old: str, new: str, expected: set[str], theirs: dict[str, Any], tmp_path: Path
) -> None:
    assert old in PACKAGE[file]
    ours = surface(tmp_path, {**PACKAGE, file: PACKAGE[file].replace(old, new)})
    assert differences(theirs, ours) == expected


def test_a_missing_module_is_one_difference(theirs: dict[str, Any], tmp_path: Path) -> None:
    files = {**PACKAGE, "__init__.py": "from shop._clerk import Clerk\nLIMIT = 5\nCLOSED = -1\ndef sell(*a, **k): ..."}
    del files["stock.py"], files["broken.py"]
    assert differences(theirs, surface(tmp_path, files)) == {"module shop.stock", "module shop.broken"}


def test_the_same_is_no_difference(theirs: dict[str, Any]) -> None:
    assert differences(theirs, theirs) == set()
