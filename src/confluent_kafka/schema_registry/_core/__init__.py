# SPDX-License-Identifier: Apache-2.0
"""What the registry client and the serializers decide, without any waiting: no sockets, no clocks, no threads."""
