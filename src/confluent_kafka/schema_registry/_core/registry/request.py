# SPDX-License-Identifier: Apache-2.0
"""One request to a registry, and which function answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from confluent_kafka.schema_registry._core.registry import failures
from confluent_kafka.schema_registry._core.registry.names import SubjectName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    from confluent_kafka.schema_registry._core.server import RegistryApp

    Handler: TypeAlias = Callable[[RegistryApp, "Request"], Any]

NO_CONTENT = object()
"""What a handler returns for status 204."""

_MAX_VERSION = 2**31 - 1


class Route(NamedTuple):
    """A method, a path whose segments in braces are arguments, and what answers."""

    method: str
    pattern: tuple[str, ...]
    handler: Handler


class Routes:
    """Collects handlers by decorator, in the order in which they are tried."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def on(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Answer ``method path`` by the decorated function."""

        def add(handler: Handler) -> Handler:
            self.all.append(Route(method, tuple(path.strip("/").split("/")), handler))
            return handler

        return add


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked.

    Attributes:
        arguments: parts of the path, by the name the pattern gives them; percent-decoded.
        query: parameters; a list where one was given several times.
        body: JSON value, None without.
        context: the context named at the beginning of the path (``/contexts/.x/...``).
    """

    arguments: Mapping[str, str]
    query: Mapping[str, str | Sequence[str]]
    body: Any
    context: str | None

    def subject(self, name: str = "subject") -> str:
        """Return the subject in the path, in the context that the path begins with."""
        return self.qualified(self.arguments[name])

    def qualified(self, subject: str) -> str:
        """Put a subject without context into the context that the path begins with."""
        if self.context is None or subject.startswith(":"):
            return subject
        return str(SubjectName(self.context, subject))

    def scope(self) -> SubjectName | None:
        """Return what configuration and modes are for: a subject, a context, or (None) everything."""
        if "subject" in self.arguments:
            return SubjectName.parse(self.subject())
        return None if self.context is None else SubjectName(self.context, "")

    def version(self, name: str = "version") -> int | str:
        """Return the version in the path, or ``latest``. Raises: SchemaRegistryError 42202."""
        text = self.arguments[name]
        if text in ("latest", "-1"):
            return "latest"
        number = int(text) if text.isascii() and text.isdigit() else 0
        if not 1 <= number <= _MAX_VERSION:
            raise failures.invalid_version(text)
        return number

    def flag(self, *names: str) -> bool:
        """Whether one of these parameters is true."""
        return any((self.text(name) or "").lower() == "true" for name in names)

    def text(self, name: str) -> str | None:
        """Return a parameter, the last one if it was given several times."""
        values = self.texts(name)
        return values[-1] if values else None

    def texts(self, name: str) -> list[str]:
        """Return all values of a parameter."""
        value = self.query.get(name)
        if value is None:
            return []
        return [value] if isinstance(value, str) else list(value)

    def number(self, name: str, default: int) -> int:
        """Return a parameter that is a whole number. Raises: SchemaRegistryError 404, as the registry does."""
        text = self.text(name)
        if text is None:
            return default
        try:
            return int(text)
        except ValueError as e:
            raise failures.bad_request(f"{name} must be a whole number") from e

    def page(self, items: Iterable[Any]) -> list[Any]:
        """Return the part of a list that ``offset`` and ``limit`` ask for."""
        offset, limit = max(self.number("offset", 0), 0), self.number("limit", -1)
        return list(items)[offset : None if limit < 0 else offset + limit]

    def object(self) -> dict[str, Any]:
        """Return the body. Raises: SchemaRegistryError 422: it is no JSON object."""
        if not isinstance(self.body, dict):
            raise failures.unprocessable("the request's body must be a JSON object")
        return self.body


def split_path(path: str) -> tuple[str | None, list[str]]:
    """Split a path, without scheme and host, into the context it begins with and its decoded segments."""
    segments = [unquote(part) for part in path.partition("?")[0].strip("/").split("/")]
    if len(segments) > 2 and segments[0] == "contexts":
        return SubjectName.parse(f":{segments[1].strip(':')}:").context, segments[2:]
    return None, segments


def match(pattern: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    """Return the arguments if a path fits a pattern."""
    if len(pattern) != len(segments):
        return None
    arguments = {}
    for wanted, given in zip(pattern, segments, strict=True):
        if wanted.startswith("{"):
            arguments[wanted[1:-1]] = given
        elif wanted != given:
            return None
    return arguments
