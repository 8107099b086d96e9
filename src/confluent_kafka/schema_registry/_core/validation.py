# SPDX-License-Identifier: Apache-2.0
"""Inline validation: the checks that a schema has in its own text, ``confluent:rules`` on records and fields.

A schema's checks are compiled with its plan, into a function that visits the places of a message that have some. A
schema without checks has no such function, and its messages are written as if there were no inline validation.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core.rules import CompiledRules
from confluent_kafka.schema_registry.error import RuleError

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.plan import Codec

VALIDATION_RULES_PROP = "confluent:rules"
EXECUTION, FAIL_FAST, EXECUTOR = (
    "validation.rules.execution",
    "validation.rules.fail.fast",
    "validation.rules.executor",
)


class ValidationRulesExecution(str, Enum):
    """When the rules in a schema's text are checked: not at all, or before or after the domain rules."""

    DISABLED = "DISABLED"
    BEFORE_DOMAIN_RULES = "BEFORE_DOMAIN_RULES"
    AFTER_DOMAIN_RULES = "AFTER_DOMAIN_RULES"

    def __str__(self) -> str:
        return str(self.value)


@dataclass(slots=True)
class ValidationRule:
    """A check in a schema's text, on a record or a field."""

    name: str | None = None
    doc: str | None = None
    expr: str | None = None
    sql: str | None = None

    def __hash__(self) -> int:
        return hash((self.name, self.doc, self.expr, self.sql))


class ValidationRuleError:
    """A check that a message does not pass.

    Args:
        rule: the check.
        field_path: where; None or empty for the message itself.
        message: what the check says itself.
        cause: the error of its expression.
    """

    __slots__ = ("cause", "field_path", "message", "rule")

    def __init__(
        self,
        rule: ValidationRule,
        field_path: str | None = None,
        message: str | None = None,
        cause: Exception | None = None,
    ) -> None:
        self.rule = rule
        self.field_path = field_path
        self.message = message
        self.cause = cause

    def _key(self) -> tuple[Any, ...]:
        return self.rule, self.field_path, self.message

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, ValidationRuleError) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        detail = self.message or self.rule.doc or self.rule.sql or self.rule.expr
        cause = "" if self.cause is None else f" (caused by: {self.cause})"
        return f"{self.field_path or '<root>'}: {self.rule.name or 'unnamed'}: {detail}{cause}"

    def __repr__(self) -> str:
        return f"ValidationRuleError({self})"


class ValidationRuleExecutor(abc.ABC):
    """Evaluates checks."""

    @abc.abstractmethod
    def execute(self, rule: ValidationRule, schema: Any, message: Any) -> bool | str:
        """Return whether a value passes, or a text that says why it does not (empty when it does).

        Args:
            rule: the check.
            schema: what the schema says of the value: the type of an Avro field or the record, the JSON schema of a
                property or object, a Protobuf descriptor of a field or message.
            message: the value, never None.
        Raises:
            RuleError: the check cannot be evaluated on this value, which counts as not passed. Any other exception
                ends the serializer's call as it is.
        """


def default_validation_rule_executor() -> ValidationRuleExecutor:
    """Return the executor for checks in CEL.

    Raises:
        ValueError: CEL is not installed.
    """
    try:
        from confluent_kafka.schema_registry.rules.cel.cel_validator import CelValidator
    except ImportError as e:
        raise ValueError('validation rules need CEL: pip install "ferrokafka[rules]"') from e
    return CelValidator()


def parse_validation_rules(prop_value: Any) -> list[ValidationRule]:
    """Return the checks of a schema's property ``confluent:rules``; what is no check is passed over."""
    if not isinstance(prop_value, list):
        return []
    names = ("name", "doc", "expr", "sql")
    return [ValidationRule(*(item.get(name) for name in names)) for item in prop_value if isinstance(item, dict)]


def evaluate_validation_rule(
    executor: ValidationRuleExecutor,
    rule: ValidationRule,
    schema: Any,
    value: Any,
    path: str,
    out: list[ValidationRuleError],
) -> None:
    """Check a value; add to ``out`` when it does not pass.

    Raises:
        SerializationError: the executor returned neither a bool nor a text.
    """
    try:
        result: Any = executor.execute(rule, schema, value)
    except RuleError as e:  # an expression that cannot be evaluated is a check that is not passed
        out.append(ValidationRuleError(rule, path, cause=e))
        return
    if isinstance(result, str):
        if result:
            out.append(ValidationRuleError(rule, path, result))
    elif not isinstance(result, bool):
        kind = type(result).__name__
        raise SerializationError(f"Validation rule '{rule.name or 'unnamed'}' resolved to an unexpected type: {kind}")
    elif not result:
        out.append(ValidationRuleError(rule, path))


class _Enough(Exception):
    """A violation was found, and no other is wanted."""


class Findings:
    """What the checks of one message have found so far.

    Args:
        executor: evaluates them.
        fail_fast: the first violation is enough.
    """

    __slots__ = ("_executor", "_fail_fast", "violations")

    def __init__(self, executor: ValidationRuleExecutor, fail_fast: bool) -> None:
        self._executor = executor
        self._fail_fast = fail_fast
        self.violations: list[ValidationRuleError] = []

    def check(self, rules: list[ValidationRule], schema: Any, value: Any, path: str) -> None:
        """Check a value that is not None."""
        for rule in rules:
            evaluate_validation_rule(self._executor, rule, schema, value, path, self.violations)
            if self._fail_fast and self.violations:
                raise _Enough


# (value, where it is, findings so far): visits a value, and what is in it
Visit: TypeAlias = Callable[[Any, str, Findings], None]


def findings(
    visit: Visit | None, executor: ValidationRuleExecutor | None, message: Any, root: str, fail_fast: bool
) -> list[ValidationRuleError]:
    """Return the checks that a message does not pass, in the order of the schema.

    Raises:
        SerializationError: the message is nested too deeply, or contains itself.
    """
    if visit is None or executor is None or message is None:
        return []
    found = Findings(executor, fail_fast)
    try:
        visit(message, root, found)
    except _Enough:
        pass
    except RecursionError as e:
        raise SerializationError("cannot validate: the object is nested too deeply, or contains itself") from e
    return found.violations


class InlineChecks:
    """The checks of one schema: called with a message, raises when it does not pass.

    Args:
        visit: visits the places with checks.
        root: path of the message itself.
        executor: evaluates the checks.
        fail_fast: stop at the first violation.
    """

    __slots__ = ("_executor", "_fail_fast", "_root", "_visit")

    def __init__(self, visit: Visit, root: str, executor: ValidationRuleExecutor, fail_fast: bool) -> None:
        self._visit = visit
        self._root = root
        self._executor = executor
        self._fail_fast = fail_fast

    def __call__(self, message: Any) -> None:
        violations = findings(self._visit, self._executor, message, self._root, self._fail_fast)
        if violations:
            many = "" if len(violations) == 1 else "s"
            lines = "".join(f"\n  - {one}" for one in violations)
            raise SerializationError(f"Validation rule failed ({len(violations)} violation{many}):{lines}")


@dataclass(frozen=True, slots=True)
class Validation:
    """Whether, when and how a serializer validates.

    ``executor`` is None only where ``execution`` is DISABLED.
    """

    execution: ValidationRulesExecution = ValidationRulesExecution.DISABLED
    fail_fast: bool = False
    executor: ValidationRuleExecutor | None = None

    def add_to(self, rules: CompiledRules | None, codec: Codec, compiled: Any) -> CompiledRules | None:
        """Return a plan's rules with the checks of its compiled schema, if it has some and they are wanted."""
        if self.executor is None:
            return rules
        visit = codec.visit(compiled)
        if visit is None:
            return rules
        check = InlineChecks(visit, codec.root_path, self.executor, self.fail_fast)
        if self.execution is ValidationRulesExecution.BEFORE_DOMAIN_RULES:
            return replace(rules or CompiledRules(), check_before=check)
        return replace(rules or CompiledRules(), check_after=check)


def take_validation(conf: dict[str, Any]) -> Validation:
    """Take the three ``validation.rules.*`` out of a configuration.

    Raises:
        ValueError: a value is not of the right kind, or CEL, which is the default, is not installed.
    """
    execution = conf.pop(EXECUTION, ValidationRulesExecution.DISABLED)
    fail_fast, executor = conf.pop(FAIL_FAST, False), conf.pop(EXECUTOR, None)
    for name, problem in ((EXECUTION, execution_problem(execution)), (FAIL_FAST, fail_fast_problem(fail_fast))):
        if problem is not None:
            raise ValueError(f"{name} {problem}")
    execution = ValidationRulesExecution(execution)
    if execution is ValidationRulesExecution.DISABLED:
        return Validation()
    if executor is None:
        executor = default_validation_rule_executor()
    elif not isinstance(executor, ValidationRuleExecutor):
        raise ValueError(f"{EXECUTOR} must be a ValidationRuleExecutor instance")
    return Validation(execution, fail_fast, executor)


def execution_problem(value: Any) -> str | None:
    """Return what is wrong with a value of ``validation.rules.execution``."""
    names = [item.value for item in ValidationRulesExecution]
    return None if isinstance(value, str) and value in names else f"must be one of {', '.join(names)}"


def fail_fast_problem(value: Any) -> str | None:
    """Return what is wrong with a value of ``validation.rules.fail.fast``."""
    return None if isinstance(value, bool) else "must be a boolean value"


def known_visit(slot: list[Visit | None]) -> Visit | None:
    """Return what visits a type that is compiled, or is going to be (``slot`` is empty): it is inside of itself."""
    if slot:
        return slot[0]

    def later(value: Any, path: str, found: Findings) -> None:
        if slot[0] is not None:
            slot[0](value, path, found)

    return later


def has_rules(text: Any) -> bool:
    """Whether the JSON of a schema has checks anywhere."""
    todo = [text]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            if VALIDATION_RULES_PROP in item:
                return True
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return False
