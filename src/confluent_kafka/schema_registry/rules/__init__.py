# SPDX-License-Identifier: Apache-2.0
"""Executors and actions for the rules of data contracts."""
