# SPDX-License-Identifier: Apache-2.0
"""The command line: ``python -m confluent_kafka`` and ``ferrokafka``."""

from ._main import main

__all__ = ["main"]
