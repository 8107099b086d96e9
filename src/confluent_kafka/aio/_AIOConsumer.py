# SPDX-License-Identifier: Apache-2.0
"""Module path of existing code."""

from __future__ import annotations

from ._consumer import AIOConsumer

__all__ = ["AIOConsumer"]
