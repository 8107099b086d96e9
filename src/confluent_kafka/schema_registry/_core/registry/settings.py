# SPDX-License-Identifier: Apache-2.0
"""Configuration and modes of a registry: for all of it, for a context, for one subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.models import Metadata, RuleSet
from confluent_kafka.schema_registry._core.registry import failures
from confluent_kafka.schema_registry._core.registry.names import SubjectName

if TYPE_CHECKING:
    from collections.abc import Mapping

_GLOBAL: SubjectName | None = None
_METADATA = ("defaultMetadata", "overrideMetadata")
_RULE_SETS = ("defaultRuleSet", "overrideRuleSet")
_TEXTS = ("alias", "compatibilityGroup", "compatibilityPolicy")
_FLAGS = ("normalize", "validateFields", "validateNames", "validateRules")


class Settings:
    """What was set, by subject, by context (a name without subject) and for everything (None).

    Args:
        level: the compatibility level where nothing else is set.
    """

    def __init__(self, level: str) -> None:
        self._level = level
        self._configs: dict[SubjectName | None, dict[str, Any]] = {_GLOBAL: {"compatibilityLevel": level}}
        self._modes: dict[SubjectName | None, str] = {_GLOBAL: "READWRITE"}

    def config(self, name: SubjectName | None, inherited: bool = False) -> dict[str, Any]:
        """Return what is set for a subject, a context or everything.

        Args:
            inherited: also what the subject gets from its context and from what is set for everything.
        Raises:
            SchemaRegistryError 40408: nothing is set for it.
        """
        if inherited:
            return self.in_scope(name)
        found = self._configs.get(name)
        if found is None:
            raise failures.no_subject_config(str(name))
        return dict(found)

    def in_scope(self, name: SubjectName | None) -> dict[str, Any]:
        """Return what holds for a subject: its own settings over its context's over the global ones."""
        result = {**self._configs[_GLOBAL]}
        if name is not None:
            result |= self._configs.get(name.whole_context, {})
            result |= self._configs.get(name, {})
        # an alias names another subject for exactly one
        if name is not None and "alias" not in self._configs.get(name, {}):
            result.pop("alias", None)
        return result

    def set_config(self, name: SubjectName | None, wanted: Mapping[str, Any]) -> None:
        """Set the properties that are given; null takes one away, others stay.

        Raises:
            SchemaRegistryError: 42203: no such compatibility level; 422: a property has an impossible value.
        """
        config = dict(self._configs.get(name, {}))
        for key, value in _checked(wanted).items():
            if value is None:
                config.pop(key, None)
            else:
                config[key] = value
        if name is _GLOBAL:
            config.setdefault("compatibilityLevel", self._level)
        self._configs[name] = config

    def delete_config(self, name: SubjectName | None) -> dict[str, Any]:
        """Take away what is set for a subject or context; return it. Raises: SchemaRegistryError 40401: nothing is."""
        found = self._configs.pop(name, None)
        if name is _GLOBAL:
            self._configs[_GLOBAL] = {"compatibilityLevel": self._level}
        if found is None:
            raise failures.no_subject(str(name))
        return found

    def mode(self, name: SubjectName | None, inherited: bool = False) -> str:
        """Return the mode of a subject, a context or everything. Raises: SchemaRegistryError 40409: none is set."""
        if inherited:
            return self.mode_in_scope(name)
        found = self._modes.get(name)
        if found is None:
            raise failures.no_subject_mode(str(name))
        return found

    def mode_in_scope(self, name: SubjectName | None) -> str:
        """Return the mode that holds for a subject. READONLY_OVERRIDE for everything wins over all others."""
        everywhere = self._modes[_GLOBAL]
        if name is None or everywhere == "READONLY_OVERRIDE":
            return everywhere
        return self._modes.get(name) or self._modes.get(name.whole_context) or everywhere

    def set_mode(self, name: SubjectName | None, mode: Any) -> str:
        """Set a mode. Raises: SchemaRegistryError 42204: there is no such mode."""
        mode = mode.upper() if isinstance(mode, str) else mode
        if mode not in failures.MODES:
            raise failures.invalid_mode()
        self._modes[name] = mode
        return str(mode)

    def delete_mode(self, name: SubjectName | None) -> str:
        """Take away the mode of a subject; return it. Raises: SchemaRegistryError 40401: it has none."""
        found = self._modes.pop(name, None)
        self._modes.setdefault(_GLOBAL, "READWRITE")
        if found is None:
            raise failures.no_subject(str(name))
        return found

    def forget(self, name: SubjectName) -> None:
        """Drop what is set for a subject that was deleted."""
        self._configs.pop(name, None)
        self._modes.pop(name, None)


def _checked(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Take what is known of a configuration; its level is called ``compatibility`` in requests."""
    result: dict[str, Any] = {}
    for key in ("compatibilityLevel", "compatibility"):
        if key in wanted:
            level = wanted[key]
            level = level.upper() if isinstance(level, str) else level
            if level is not None and level not in failures.LEVELS:
                raise failures.invalid_level()
            result["compatibilityLevel"] = level
    for key in _TEXTS:
        if key in wanted:
            if not isinstance(wanted[key], str | None):
                raise failures.unprocessable(f"{key} must be a string")
            result[key] = wanted[key] or None
    for key in _FLAGS:
        if key in wanted:
            if not isinstance(wanted[key], bool | None):
                raise failures.unprocessable(f"{key} must be true or false")
            result[key] = wanted[key]
    for keys, kind in ((_METADATA, Metadata), (_RULE_SETS, RuleSet)):
        for key in keys:
            if key in wanted:
                result[key] = None if wanted[key] is None else _read(key, kind, wanted[key])
    return result


def _read(key: str, kind: type[Metadata] | type[RuleSet], raw: Any) -> dict[str, Any]:
    try:
        return kind.from_dict(raw).to_dict()
    except (TypeError, ValueError) as e:
        raise failures.unprocessable(f"{key}: {e}") from e
