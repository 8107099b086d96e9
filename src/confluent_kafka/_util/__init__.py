# SPDX-License-Identifier: Apache-2.0
"""Small functions without a place of their own in the API."""
