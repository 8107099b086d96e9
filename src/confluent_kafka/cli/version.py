# SPDX-License-Identifier: Apache-2.0
"""``--version``: which distribution, which librdkafka, what is built into it, and who else owns the import name."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping, Sequence
from importlib import metadata

import confluent_kafka
from confluent_kafka import _native

from ._terminal import say

DISTRIBUTION = "ferrokafka"
IMPORT_NAME = "confluent_kafka"


def distribution_version() -> str:
    """The installed distribution's version; the package's own when it runs from a plain source tree."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return str(confluent_kafka.__version__)


def build_features(properties: str) -> list[str]:
    """The features in librdkafka's own property table: the default of ``builtin.features``."""
    for line in properties.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if cells[0] == "builtin.features" and len(cells) > 3:
            return sorted(feature for feature in re.split(r"[,\s]+", cells[3]) if feature)
    return []


def other_owners(owners: Mapping[str, Sequence[str]]) -> list[str]:
    """Distributions beside ours that put files under the same import name, as ``packages_distributions`` tells."""
    ours = DISTRIBUTION.lower()
    return sorted({name for name in owners.get(IMPORT_NAME, ()) if re.sub(r"[-_.]+", "-", name).lower() != ours})


def print_version(as_json: bool) -> None:
    """Print the versions on standard output, and on standard error a warning if the installation is mixed."""
    features = build_features(_native.config_properties())
    librdkafka = confluent_kafka.libversion()[0]
    others = other_owners(metadata.packages_distributions())
    if as_json:
        report = {
            "distribution": DISTRIBUTION,
            "version": distribution_version(),
            "librdkafka": librdkafka,
            "features": features,
            "python": platform.python_version(),
            "conflicting_distributions": others,
        }
        print(json.dumps(report))
    else:
        print(f"{DISTRIBUTION} {distribution_version()}")
        print(f"librdkafka {librdkafka}")
        print(f"features: {', '.join(features)}")
        print(f"python {platform.python_version()} ({platform.python_implementation()})")
    if others:
        names = " ".join(others)
        say(
            f"warning: {names} also installs the import name {IMPORT_NAME}; files of the two may be mixed. "
            f"To repair: pip uninstall -y {names} {DISTRIBUTION} && pip install {DISTRIBUTION}"
        )
