# SPDX-License-Identifier: Apache-2.0
"""What callers of confluent-kafka find here, but for what `allow.txt` lists with its reason."""
