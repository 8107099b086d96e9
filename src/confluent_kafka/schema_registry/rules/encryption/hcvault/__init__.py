# SPDX-License-Identifier: Apache-2.0
"""Keys in HashiCorp Vault."""
