# SPDX-License-Identifier: Apache-2.0
"""Asyncio shells around the core."""
