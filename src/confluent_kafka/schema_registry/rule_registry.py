# SPDX-License-Identifier: Apache-2.0
"""Which executors and actions the rules of data contracts find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from confluent_kafka.schema_registry._core.rule_types import RuleAction, RuleExecutor

__all__ = ["RuleAction", "RuleExecutor", "RuleOverride", "RuleRegistry"]


@dataclass(frozen=True, slots=True)
class RuleOverride:
    """Changes all rules of one type; what is None stays as the rule has it."""

    type: str
    on_success: str | None
    on_failure: str | None
    disabled: bool | None


class RuleRegistry:
    """Executors, actions and overrides by type; a later one replaces an earlier one.

    A (de)serializer uses the registry it was given, else the global one. What is registered after its first message of
    a subject does not concern that subject any more.
    """

    _global: ClassVar[RuleRegistry]

    def __init__(self) -> None:
        self._executors: dict[str, RuleExecutor] = {}
        self._actions: dict[str, RuleAction] = {}
        self._overrides: dict[str, RuleOverride] = {}

    def register_executor(self, rule_executor: RuleExecutor) -> None:
        """Have an executor run the rules of its type."""
        self._executors[rule_executor.type()] = rule_executor

    def get_executor(self, name: str) -> RuleExecutor | None:
        """Return the executor of a type."""
        return self._executors.get(name)

    def get_executors(self) -> list[RuleExecutor]:
        """Return all executors."""
        return list(self._executors.values())

    def register_action(self, rule_action: RuleAction) -> None:
        """Have an action run where rules name its type."""
        self._actions[rule_action.type()] = rule_action

    def get_action(self, name: str) -> RuleAction | None:
        """Return the action of a type."""
        return self._actions.get(name)

    def get_actions(self) -> list[RuleAction]:
        """Return all actions."""
        return list(self._actions.values())

    def register_override(self, rule_override: RuleOverride) -> None:
        """Change all rules of a type."""
        self._overrides[rule_override.type] = rule_override

    def get_override(self, name: str) -> RuleOverride | None:
        """Return the override for a type."""
        return self._overrides.get(name)

    def get_overrides(self) -> list[RuleOverride]:
        """Return all overrides."""
        return list(self._overrides.values())

    def clear(self) -> None:
        """Forget everything."""
        self._executors.clear()
        self._actions.clear()
        self._overrides.clear()

    @staticmethod
    def get_global_instance() -> RuleRegistry:
        """Return the registry of (de)serializers that were not given one."""
        return RuleRegistry._global

    @staticmethod
    def register_rule_executor(rule_executor: RuleExecutor) -> None:
        """Register an executor globally."""
        RuleRegistry._global.register_executor(rule_executor)

    @staticmethod
    def register_rule_action(rule_action: RuleAction) -> None:
        """Register an action globally."""
        RuleRegistry._global.register_action(rule_action)

    @staticmethod
    def register_rule_override(rule_override: RuleOverride) -> None:
        """Register an override globally."""
        RuleRegistry._global.register_override(rule_override)


RuleRegistry._global = RuleRegistry()
