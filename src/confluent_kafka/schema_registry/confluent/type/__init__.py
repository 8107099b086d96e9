# SPDX-License-Identifier: Apache-2.0
"""Decimals and variants as messages, and their conversions."""
