# SPDX-License-Identifier: Apache-2.0
"""Keys in Google Cloud KMS."""
