# SPDX-License-Identifier: Apache-2.0
"""Names that existing code imports from here."""
