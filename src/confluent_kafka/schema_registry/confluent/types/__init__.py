# SPDX-License-Identifier: Apache-2.0
"""Where ``confluent/type`` was before."""
