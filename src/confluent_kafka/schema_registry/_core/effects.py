# SPDX-License-Identifier: Apache-2.0
"""What an operation of the core asks the outside for.

An operation is a generator: it yields an effect, and is sent the result (or thrown the error). Whoever runs it decides
how: by a plain call, or by awaiting.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Mapping
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


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """Send a request; the result is an :class:`HttpReply` of any status or an :class:`HttpFailure`, not an exception.

    Headers, which may hold credentials, and the body stay out of the representation.

    Args:
        method: GET, POST, PUT or DELETE.
        url: the whole URL, with query, without user and password.
        headers: by name.
        body: bytes of the body, None for none.
        timeout: seconds from the beginning to the last byte of the answer, None for no limit.
        forestalled: asked when it is this request's turn; an outcome it returns is the result, and nothing is sent.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    timeout: float | None = None
    forestalled: Callable[[], HttpReply | HttpFailure | None] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HttpReply:
    """The answer to a request; ``headers`` by names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpFailure:
    """A request without an answer: no connection, a time-out, a broken connection.

    ``sent`` is False when it did not leave this process, so that it says nothing about the server.
    """

    error: Exception
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait; the result is None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class UserCall:
    """Call a function of the application's; the result is what it returns.

    An asynchronous shell awaits it if it can be awaited.
    """

    function: Callable[..., Any] = field(repr=False)
    arguments: tuple[Any, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Share:
    """Run an operation, or wait for the one under way for the same key; the result, or error, is that operation's.

    Args:
        key: what the operation is for.
        make: makes the operation.
        everywhere: whether the key means the same in the whole process, not only to whoever performs this.
    """

    key: Hashable
    make: Callable[[], Generator[Any, Any, Any]] = field(repr=False)
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class BlockingCall:
    """Call something that blocks: a key management system's SDK, the registry of data keys, a flush.

    The result is its own. An asynchronous shell awaits ``awaitable(client)`` with its registry client, whose
    connections may serve; if there is none, it has a thread of its own call ``function``.
    """

    function: Callable[[], Any] = field(repr=False)
    awaitable: Callable[[Any], Any] | None = field(default=None, repr=False)


if TYPE_CHECKING:
    Effect: TypeAlias = ClientCall | ClusterId | HttpRequest | Sleep | UserCall | Share | BlockingCall
    Op: TypeAlias = Generator[Effect, Any, T]


def call(method: str, **arguments: Any) -> Op[Any]:
    """Call a method of the registry client."""
    return (yield ClientCall(method, arguments))


def http(request: HttpRequest) -> Op[HttpReply | HttpFailure]:
    """Send a request."""
    outcome: HttpReply | HttpFailure = yield request
    return outcome


def share(key: Hashable, make: Callable[[], Op[T]], *, everywhere: bool = False) -> Op[T]:
    """Run an operation once for all who want the same at the same time."""
    result: T = yield Share(key, make, everywhere)
    return result
