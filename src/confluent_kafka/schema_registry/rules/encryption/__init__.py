# SPDX-License-Identifier: Apache-2.0
"""Client-side encryption: fields and payloads, with data keys that a key management system wraps."""
