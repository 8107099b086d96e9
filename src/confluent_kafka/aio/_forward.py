# SPDX-License-Identifier: Apache-2.0
"""Methods of the synchronous clients as coroutine methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

    from ._bridge import Bridge

_P = ParamSpec("_P")
_T = TypeVar("_T")
_R = TypeVar("_R", covariant=True)


class Client(Protocol):
    """What the clients of this package have in common."""

    _bridge: Bridge
    _core: Any

    def _enter(self) -> asyncio.AbstractEventLoop: ...


class Forwarded(Protocol, Generic[_P, _R]):
    """A coroutine method with the parameters and the result of the synchronous one, for type checkers."""

    def __get__(self, client: Any, owner: Any = None, /) -> Callable[_P, Coroutine[Any, Any, _R]]: ...


def forwarded(method: Callable[Concatenate[Any, _P], _T]) -> Forwarded[_P, _T]:
    """Return the coroutine method that makes the call of a native class and awaits its outcome.

    The native class checks the arguments and documents the call.
    """
    name = method.__name__

    async def call(self: Client, *args: Any, **kwargs: Any) -> Any:
        self._enter()
        return await self._bridge.call(getattr(self._core, name), *args, **kwargs)

    kind = "Producer" if hasattr(method, "__objclass__") and "Producer" in method.__objclass__.__name__ else "Consumer"
    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"As ``{kind}.{name}``: same arguments, result and exceptions."
    return cast("Forwarded[_P, _T]", call)


def refuse_more(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise TypeError for arguments that a method does not have.

    Methods of this package take any, as those of existing code do, where wrappers pass them on.
    """
    if args:
        raise TypeError(f"{name}() got {len(args)} positional argument(s) more than it takes")
    if kwargs:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(kwargs))!r}")
