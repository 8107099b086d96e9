# SPDX-License-Identifier: Apache-2.0
"""Module path of existing code."""

from __future__ import annotations

from .._producer import AIOProducer

__all__ = ["AIOProducer"]
