# SPDX-License-Identifier: Apache-2.0
"""Configuration of serializers: one table per kind, with defaults and checks."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, NamedTuple

from confluent_kafka.schema_registry._core.subject import SubjectNaming
from confluent_kafka.schema_registry._core.validation import (
    EXECUTION,
    EXECUTOR,
    FAIL_FAST,
    execution_problem,
    fail_fast_problem,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class Option(NamedTuple):
    """A default, and a check that returns what is wrong with a value (or nothing)."""

    default: Any
    problem: Callable[[Any], str | None]


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be a boolean value"


def _optional_int(value: Any) -> str | None:
    return None if value is None or isinstance(value, int) else "must be an int value"


def _optional_dict(value: Any) -> str | None:
    return None if value is None or isinstance(value, dict) else "must be a dict value"


def _optional_callable(value: Any) -> str | None:
    return None if value is None or callable(value) else "must be callable"


def _callable(value: Any) -> str | None:
    return None if callable(value) else "must be callable"


def _anything(value: Any) -> str | None:
    return None


_SUBJECT: dict[str, Option] = {
    "subject.name.strategy": Option(None, _optional_callable),
    "subject.name.strategy.type": Option(None, _anything),
    "subject.name.strategy.conf": Option(None, _optional_dict),
}
_LATEST: dict[str, Option] = {
    "use.latest.version": Option(False, _boolean),
    "use.latest.with.metadata": Option(None, _optional_dict),
}


def serializer_options(id_serializer: Callable[..., Any]) -> dict[str, Option]:
    """Return the options that the serializers of all formats have."""
    return {
        "auto.register.schemas": Option(True, _boolean),
        "normalize.schemas": Option(False, _boolean),
        "use.schema.id": Option(None, _optional_int),
        **_LATEST,
        **_SUBJECT,
        "schema.id.serializer": Option(id_serializer, _callable),
        EXECUTION: Option("DISABLED", execution_problem),
        FAIL_FAST: Option(False, fail_fast_problem),
        EXECUTOR: Option(None, _anything),
        "allow.unenforced.rules": Option(False, _boolean),
    }


def deserializer_options(id_deserializer: Callable[..., Any]) -> dict[str, Option]:
    """Return the options that the deserializers of all formats have."""
    return {**_LATEST, **_SUBJECT, "schema.id.deserializer": Option(id_deserializer, _callable)}


AVRO_SERIALIZER: dict[str, Option] = {
    "validate.strict": Option(False, _boolean),
    "validate.strict.allow.default": Option(False, _boolean),
}


JSON: dict[str, Option] = {"validate": Option(True, _boolean)}


def _deprecated_format(value: Any) -> str | None:
    return "is no longer supported" if value is True else _boolean(value)


def protobuf_serializer_options(reference_strategy: Callable[..., Any]) -> dict[str, Option]:
    """Return the options that only the Protobuf serializers have."""
    return {
        "skip.known.types": Option(True, _boolean),
        "reference.subject.name.strategy": Option(reference_strategy, _callable),
        **PROTOBUF_DESERIALIZER,
    }


PROTOBUF_DESERIALIZER: dict[str, Option] = {"use.deprecated.format": Option(False, _deprecated_format)}


def naming_of(options: Mapping[str, Any]) -> SubjectNaming:
    """Return the subject name strategy that options say."""
    return SubjectNaming(
        options["subject.name.strategy"], options["subject.name.strategy.type"], options["subject.name.strategy.conf"]
    )


def read_options(table: Mapping[str, Option], conf: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a value for every option of ``table``, those of ``conf`` checked.

    Raises:
        ValueError: a value is not of the right kind, or a name is unknown.
    """
    conf = conf or {}
    values = {}
    for name, option in table.items():
        value = conf.get(name, option.default)
        problem = option.problem(value)
        if problem is not None:
            raise ValueError(f"{name} {problem}")
        values[name] = value
    if values.get("use.latest.version") and values.get("auto.register.schemas"):
        raise ValueError("cannot enable both use.latest.version and auto.register.schemas")
    check_names(conf, table)
    return values


def check_names(conf: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse names that are not known; ValueError says which, and what they may have been meant to be."""
    known = list(known)
    unknown = [str(name) for name in conf if name not in known]
    if unknown:
        near = [match for name in unknown for match in difflib.get_close_matches(name, known, 1, 0.75)]
        hint = f" (did you mean {', '.join(near)}?)" if near else ""
        raise ValueError(f"Unrecognized properties: {', '.join(unknown)}{hint}")
