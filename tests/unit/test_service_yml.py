# SPDX-License-Identifier: Apache-2.0
"""service.yml repeats a few facts of pyproject.toml for service catalogues; the two must not drift apart."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tools.environments import ROOT
from tools.project import pyproject


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "service.yml").read_text())
    return loaded


def test_name_is_the_distribution(service: dict[str, Any]) -> None:
    assert service["name"] == pyproject()["project"]["name"]


def test_language_version_is_the_oldest_supported_one(service: dict[str, Any]) -> None:
    assert service["lang"] == "python"
    assert f">={service['lang_version']}" == pyproject()["project"]["requires-python"]


def test_repository_is_enabled_under_the_projects_name(service: dict[str, Any]) -> None:
    assert service["git"] == {"enable": True}
    assert service["github"] == {"enable": True, "repo_name": pyproject()["project"]["name"]}


def test_coverage_excludes_only_folders_that_exist_and_never_the_package(service: dict[str, Any]) -> None:
    assert service["sonarqube"]["enable"] is True
    excluded = [pattern.strip("*/") for pattern in service["sonarqube"]["coverage_exclusions"]]
    assert excluded
    assert [name for name in excluded if not (ROOT / name).is_dir()] == []
    assert pyproject()["tool"]["maturin"]["python-source"] not in excluded
