# SPDX-License-Identifier: Apache-2.0
"""One request to the native core and the way from its raw result to what the caller gets; no I/O in here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..error import KafkaError, exception_for
from ._results import READERS

if TYPE_CHECKING:
    from collections.abc import Hashable

K = TypeVar("K")
V = TypeVar("V")
Options = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request(Generic[K, V]):
    """One request, checked.

    Args:
        kind, items, options: what ``_native.Admin._request`` takes. An empty kind is no request: ``items`` is the raw
            result already.
        keys: what the caller knows the results by, by the identity they have in the raw result.
        read: gives an identity and a value, or the error of that item, for each item of a raw result.
    """

    kind: str
    items: Any
    options: dict[str, Any]
    keys: Mapping[Hashable, K]
    read: Callable[[Any], Iterable[tuple[Hashable, V | KafkaError]]]

    def outcomes(self, error: KafkaError | None, raw: Any) -> dict[K, V | Exception]:
        """Return a value or an exception for each key, also where the broker left one out. Never raises."""
        if error is not None:
            return {key: exception_for(error) for key in self.keys.values()}
        try:
            found = dict(self.read(raw))
        except Exception as e:
            return dict.fromkeys(self.keys.values(), e)
        missing = KafkaError(KafkaError._BAD_MSG, f"{self.kind}: the broker's answer has no result for this item")
        outcomes: dict[K, V | Exception] = {}
        for identity, key in self.keys.items():
            value = found.get(identity, missing)
            # Elections give errors as values: those are inside of a dict.
            outcomes[key] = exception_for(value) if isinstance(value, KafkaError) else value
        return outcomes


def make(kind: str, items: Any, options: Options, keys: Mapping[Hashable, Any]) -> Request[Any, Any]:
    """A request with a result per item."""
    return Request(kind, items, options, keys, READERS[kind])


def only(kind: str, items: Any, options: Options) -> list[Request[Any, Any]]:
    """A request alone, with one result for all of it."""
    return [make(kind, items, options, {None: None})]
