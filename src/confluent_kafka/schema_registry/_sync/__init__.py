# SPDX-License-Identifier: Apache-2.0
"""The synchronous registry client and serializers."""
