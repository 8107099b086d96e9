# SPDX-License-Identifier: Apache-2.0
"""The plaintext data keys of one executor: the only place where they are kept."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from confluent_kafka.schema_registry._core.cache import BoundedDict

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.schema_registry.rules.encryption._crypto import DataKey
    from confluent_kafka.schema_registry.rules.encryption.dek_registry._models import DekAlgorithm

LATEST = -1
DEFAULT_CAPACITY = 1000
DEFAULT_TTL_SEC = 3600.0


class KeyId(NamedTuple):
    """What a cached key is found by. ``version`` -1 is the one that writers use now."""

    kek: str
    subject: str
    algorithm: DekAlgorithm
    version: int
    writing: bool


@dataclass(frozen=True, slots=True)
class CachedKey:
    """A data key.

    Args:
        key: the key.
        version: its version in the registry.
        head: what is written before data it encrypts.
        expires: until when it may be used for writing, milliseconds since the epoch; None without rotation.
        until: until when it is kept, seconds of the monotonic clock.
    """

    key: DataKey
    version: int
    head: bytes
    expires: float | None
    until: float = field(default=float("inf"))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a cached data key is not pickled or copied")


class KeyRing:
    """Data keys by what they are for; bounded, and each for a limited time.

    A key that is dropped is zeroed as soon as nobody uses it any more.

    Args:
        capacity: number of keys.
        ttl: seconds until a key is fetched and unwrapped anew, so that a revoked one stops working.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        capacity: int = DEFAULT_CAPACITY,
        ttl: float = DEFAULT_TTL_SEC,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ttl = ttl
        self._keys: BoundedDict[KeyId, CachedKey] = BoundedDict(capacity)
        self.clock = clock

    def get(self, key_id: KeyId) -> CachedKey | None:
        """Return a key that is still good."""
        cached = self._keys.get(key_id)
        if cached is None:
            return None
        if self.clock() >= cached.until:
            self._keys.pop(key_id, None)
            return None
        return cached

    def put(
        self, key_id: KeyId, key: DataKey, version: int, head: bytes, expires: float | None, ttl: float | None = None
    ) -> CachedKey:
        """Keep a key."""
        until = self.clock() + (self.ttl if ttl is None else min(ttl, self.ttl))
        return self._keys.put(key_id, CachedKey(key, version, head, expires, until))

    def clear(self) -> None:
        """Drop all keys."""
        self._keys.clear()

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<KeyRing with {len(self)} keys>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key cache is not pickled or copied")
