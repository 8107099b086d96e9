# SPDX-License-Identifier: Apache-2.0
"""Messages that schemas may use: metadata of fields, decimals, variants."""
