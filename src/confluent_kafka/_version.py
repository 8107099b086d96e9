# SPDX-License-Identifier: Apache-2.0
"""Versions: of the API that this package implements, and of librdkafka."""

from . import _native

API_VERSION = "2.16.1"
"""The version of the confluent-kafka API that code can rely on; `ferrokafka` has its own (importlib.metadata)."""


def version() -> str:
    """Return the version of the confluent-kafka API implemented here, for code that checks it."""
    return API_VERSION


def libversion() -> tuple[str, int]:
    """Return librdkafka's version as text and as the number 0xMMmmrrpp (rd_kafka_version)."""
    return _native.librdkafka_version()
