# SPDX-License-Identifier: Apache-2.0
"""Names that existing code imports from here."""

from __future__ import annotations

from confluent_kafka._util.asyncinit import asyncinit

__all__ = ["asyncinit"]
