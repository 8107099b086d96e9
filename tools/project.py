"""What pyproject.toml says."""

from __future__ import annotations

import sys
from typing import Any

from tools.environments import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def pyproject() -> dict[str, Any]:
    """pyproject.toml as a dict."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return project
