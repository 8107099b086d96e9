# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ._share import ShareConsumer


class DeserializingShareConsumer(ShareConsumer):
    """A :class:`ShareConsumer` with deserializers: not available either.

    Raises: UnavailableError: always.
    """
