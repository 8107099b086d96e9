# SPDX-License-Identifier: Apache-2.0
"""Messages that other clients write and read, in environments of their own."""
