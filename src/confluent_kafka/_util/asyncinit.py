# SPDX-License-Identifier: Apache-2.0
"""Classes whose constructor is awaited."""

from __future__ import annotations

from typing import Any, TypeVar

C = TypeVar("C", bound=type)


def asyncinit(cls: C) -> C:
    """Have ``await cls(...)`` make an object by the class's ``async def __init__``; for classes of existing code."""

    async def make(new: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        made = object.__new__(new)
        await made.__init__(*args, **kwargs)
        return made

    def new(new: Any, *args: Any, **kwargs: Any) -> Any:
        # a coroutine is no object of the class, so that Python does not call __init__ itself
        return make(new, args, kwargs)

    type.__setattr__(cls, "__new__", new)
    return cls
