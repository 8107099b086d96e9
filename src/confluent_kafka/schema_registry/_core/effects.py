# SPDX-License-Identifier: Apache-2.0
"""What an operation of the core asks the outside for.

An operation is a generator: it yields an effect, and is sent the result (or thrown the error). Whoever runs it decides
how: by a plain call, or by awaiting.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from typing import TypeAlias

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClientCall:
    """Call a method of the registry client; the result is what it returns."""

    method: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClusterId:
    """Find out the Kafka cluster's id; the result is None when there is nobody to ask."""


if TYPE_CHECKING:
    Effect: TypeAlias = ClientCall | ClusterId
    Op: TypeAlias = Generator[Effect, Any, T]


def call(method: str, **arguments: Any) -> Op[Any]:
    """Call a method of the registry client."""
    return (yield ClientCall(method, arguments))
