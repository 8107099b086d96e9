# SPDX-License-Identifier: Apache-2.0
"""Parts of the registry in memory: names, errors, settings, data contracts, associations, keys."""
