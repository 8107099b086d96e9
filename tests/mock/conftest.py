# SPDX-License-Identifier: Apache-2.0
"""Fixtures that users get too."""

from __future__ import annotations

from confluent_kafka.testing.pytest_plugin import schema_registry, schema_registry_factory

__all__ = ["schema_registry", "schema_registry_factory"]
