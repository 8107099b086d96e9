# SPDX-License-Identifier: Apache-2.0
"""The rules of a data contract: which run, in which order, and what follows.

Rules are compiled with the plan. Running them is an operation: it asks its shell for what takes waiting (a key that is
not there yet, a coroutine function of the application), and ends without asking where nothing does.

A rule that protects data (encryption) is never skipped on the way out: neither a missing executor, nor a failure that
``on_failure`` would ignore, nor a header of a replayed message lets the message pass without it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core.effects import UserCall
from confluent_kafka.schema_registry._core.models import Rule, RuleKind, RuleMode, RulePhase, Schema
from confluent_kafka.schema_registry._core.rule_fields import FieldRun, apply_to, discard, selects, walk_once
from confluent_kafka.schema_registry._core.rule_types import (
    DLQ_RULE_NAME_HEADER,
    ErrorAction,
    FieldRuleExecutor,
    NoneAction,
    RuleAction,
    RuleContext,
    RuleExecutor,
    rule_parameter,
    take_key,
)
from confluent_kafka.schema_registry.error import EncryptionError, RuleConditionError, RuleError, RulesNotEnforcedError
from confluent_kafka.serialization import MessageField
from confluent_kafka.serialization._steps import is_awaitable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka.schema_registry._core.effects import Op
    from confluent_kafka.schema_registry._core.rule_fields import Field, Fields, LeafRun, Walk
    from confluent_kafka.schema_registry._core.rule_types import FieldTransform
    from confluent_kafka.schema_registry.rule_registry import RuleRegistry
    from confluent_kafka.serialization import SerializationContext

log = logging.getLogger("confluent_kafka.schema_registry.rules")

# Rules of these types keep data confidential, whoever executes them
PROTECTING_TYPES = frozenset(("ENCRYPT", "ENCRYPT_PAYLOAD"))
# A rule that still asks for another key after so many will not end
MAX_SUSPENSIONS = 1000

_ERROR, _NONE = ErrorAction(), NoneAction()
_OUT = (RuleMode.WRITE, RuleMode.UPGRADE)


class Suspend(BaseException):
    """Something has to be fetched first: run the operation, then the rule again from its beginning.

    No ``Exception``: it goes through code of the application's, which must not take it for a failure.
    """

    def __init__(self, operation: Callable[[], Op[Any]]) -> None:
        super().__init__()
        self.operation = operation


@dataclass(slots=True)
class RuleCall:
    """One message that rules run on; keys and values as they were before any rule."""

    ser_ctx: SerializationContext | None
    original_key: Any = None
    original_value: Any = None
    replayed: str | None = None


# (message, call) -> new message, or whether a condition holds
Run: TypeAlias = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What is known of a rule before there is a message."""

    rule: Rule
    index: int
    rules: list[Rule]
    mode: RuleMode
    source: Schema | None
    target: Schema | None
    subject: str | None
    enabled_env: str | None
    fields: Fields | None = None
    walks: dict[tuple[str, ...], Walk | None] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_condition(self) -> bool:
        """Whether the rule says yes or no in place of changing the message."""
        return self.rule.kind is RuleKind.CONDITION

    def parameter(self, name: str) -> str | None:
        """Return a parameter of the rule, else the property of that name in the schema's metadata."""
        return rule_parameter(self.rule, self.target, name)

    def running(self, call: RuleCall) -> RuleContext:
        """Return what an executor is told while it runs the rule: it may raise :class:`Suspend`."""
        ctx = self.context(call)
        ctx.suspends = True
        return ctx

    def context(self, call: RuleCall) -> RuleContext:
        """Return what executors and actions are told."""
        return RuleContext(
            self.enabled_env,
            call.ser_ctx,
            self.source,
            self.target,
            self.subject,
            self.mode,
            self.rule,
            self.index,
            self.rules,
            None,
            None if self.fields is None else self.transform_fields,
            call.original_key,
            call.original_value,
        )

    def walk(self, leaf: Callable[[Field], LeafRun | None]) -> Walk | None:
        """Compile a walk to those fields that have a tag of the rule and that ``leaf`` wants.

        Raises:
            RuleError: the rule is for fields, and there are none here.
        """
        if self.fields is None:
            raise RuleError(
                f"rule {self.rule.name} ({self.rule.type}) is for fields: it can stand among domain rules only"
            )
        tags = self.rule.tags
        return self.fields.walk(
            lambda item: leaf(item) if selects(tags, item) else None, writing=self.mode is RuleMode.WRITE
        )

    def transform_fields(self, ctx: RuleContext, transform: FieldTransform, message: Any) -> Any:
        """Run a field transform over a message: what ``RuleContext.field_transformer`` is."""
        # the context may be of a rule that somebody made up: one that redacts, for example
        tags = tuple(sorted(ctx.rule.tags or ()))
        if tags not in self.walks:
            if self.fields is None:
                raise RuleError(
                    f"rule {ctx.rule.name} is for fields, and there is no way to walk this message's fields"
                )
            writing = self.mode is RuleMode.WRITE and ctx.rule is self.rule
            self.walks[tags] = self.fields.walk(
                lambda item: apply_to(item) if selects(tags, item) else None, writing=writing
            )
        return walk_once(self.walks[tags], ctx, transform, message)


@dataclass(frozen=True, slots=True)
class BoundRule:
    """A rule with all that running it takes."""

    info: RuleInfo
    run: Run
    on_success: RuleAction | str | None
    on_failure: RuleAction | str
    protects: bool
    # a failure, whatever on_failure says, ends with an error
    strict: bool
    # nothing after it runs: the rule has no executor
    last: bool = False
    # it looks at the message alone, can be run again, and no action follows when it succeeds
    is_quick: bool = False
    is_condition: bool = False


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """All rules for one direction between an application and one version of a schema."""

    domain: tuple[BoundRule, ...] = ()
    encoding: tuple[BoundRule, ...] = ()
    # between the writer's version and the reader's
    migrations: tuple[tuple[BoundRule, ...], ...] = ()
    # checks in the schema's own text, of a message that is written: before the domain rules, or after them
    check_before: Callable[[Any], None] | None = None
    check_after: Callable[[Any], None] | None = None
    # all of them are
    is_quick: bool = field(init=False, default=False)
    # some of them keep data confidential
    protects: bool = field(init=False, default=False)
    # a header of a message that comes from a dead letter queue may say that one of them is not to run again
    skippable: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        both = self.domain + self.encoding
        quick = not self.migrations and all(bound.is_quick for bound in both)
        object.__setattr__(self, "is_quick", quick)
        object.__setattr__(self, "protects", any(bound.protects for bound in both))
        object.__setattr__(self, "skippable", not all(bound.strict for bound in both))

    def __bool__(self) -> bool:
        return bool(self.domain or self.encoding or self.migrations or self.check_before or self.check_after)


@dataclass(frozen=True, slots=True)
class Contract:
    """Whose rules are compiled, for whom.

    Args:
        registry: where executors and actions are.
        subject: the schema's subject.
        server: URL of the Schema Registry, without credentials, for error messages.
        lenient: whether rules that cannot run may be passed over on the way out.
    """

    registry: RuleRegistry
    subject: str | None
    server: str = ""
    lenient: bool = False
    executors: dict[str, RuleExecutor] = field(default_factory=dict)

    def compile(
        self,
        phase: RulePhase,
        mode: RuleMode,
        source: Schema | None,
        target: Schema | None,
        fields: Fields | None = None,
    ) -> tuple[BoundRule, ...]:
        """Return the rules that run, in their order.

        Raises:
            RulesNotEnforcedError: the message is to be written, and one of them cannot run here.
        """
        owner = source if mode is RuleMode.DOWNGRADE else target
        if owner is None or owner.rule_set is None:
            return ()
        rules = rules_of(owner, phase)
        if mode in (RuleMode.READ, RuleMode.DOWNGRADE):
            rules.reverse()
        env = owner.rule_set.enable_at
        bound = []
        for index, rule in enumerate(rules):
            info = RuleInfo(rule, index, rules, mode, source, target, self.subject, env, fields)
            if _matches(rule, mode) and not self._is_disabled(rule, env):
                one = self._bind(info)
                if one is not None:
                    bound.append(one)
        return tuple(bound)

    def _is_disabled(self, rule: Rule, env: str | None) -> bool:
        override = self.registry.get_override(rule.type) if rule.type else None
        if override is not None and override.disabled is not None:
            return override.disabled
        return env not in (None, "ALL", "CLIENT") or bool(rule.disabled)

    def _bind(self, info: RuleInfo) -> BoundRule | None:
        rule, writing = info.rule, info.mode is RuleMode.WRITE
        kind = (rule.type or "").upper()
        executor = self.registry.get_executor(kind) if kind else None
        protects = kind in PROTECTING_TYPES or bool(getattr(executor, "protects", False))
        strict = protects and writing and not self.lenient
        on_success, on_failure = self._actions(info)
        if executor is None:
            text = (
                f"Rule type is None for rule {rule.name}"
                if not kind
                else f"Could not find rule executor of type {rule.type}"
            )
            if writing and not self.lenient:
                raise RulesNotEnforcedError(
                    f"{text}: rule {rule.name} of subject {self.subject}{self._at()} cannot run, and nothing is "
                    f"written without it. Register an executor for {rule.type} before the first message, or pass a "
                    "rule_registry that has one; to write regardless, set allow.unenforced.rules to True"
                )
            return BoundRule(info, _failing(RuleError(text)), on_success, on_failure, protects, strict, last=True)
        if self._is_repeated(executor, info):
            return None
        try:
            run = self._run_of(executor, info)
        except (RuleError, ValueError, KeyError) as e:
            run = _failing(e)
        if run is None:
            return None
        quick = _compiles(executor) and on_success is None and rule.kind is not None
        is_condition = rule.kind is RuleKind.CONDITION
        return BoundRule(info, run, on_success, on_failure, protects, strict, is_quick=quick, is_condition=is_condition)

    def _at(self) -> str:
        return f" at {self.server}" if self.server else ""

    @staticmethod
    def _is_repeated(executor: RuleExecutor, info: RuleInfo) -> bool:
        """Whether another rule does the same to the same fields: of those only the first one in the list runs."""
        if not isinstance(executor, FieldRuleExecutor) or not _is_plain(executor):
            return False
        others = info.rules[: info.index] if info.mode in _OUT else info.rules[info.index + 1 :]
        return any(executor.are_transforms_with_same_tag(info.rule, other) for other in others)

    @staticmethod
    def _run_of(executor: RuleExecutor, info: RuleInfo) -> Run | None:
        if _compiles(executor):
            own: Run | None = executor.compile_rule(info)  # type: ignore[attr-defined]  # of executors of this package
            return own
        if isinstance(executor, FieldRuleExecutor) and _is_plain(executor):
            walk = info.walk(apply_to)
            return None if walk is None else _FieldRule(executor, info, walk).run
        return lambda message, call: executor.transform(info.running(call), message)

    def _actions(self, info: RuleInfo) -> tuple[RuleAction | str | None, RuleAction | str]:
        rule = info.rule
        override = self.registry.get_override(rule.type) if rule.type else None
        on_success, on_failure = rule.on_success, rule.on_failure
        if override is not None:
            on_success = on_success if override.on_success is None else override.on_success
            on_failure = on_failure if override.on_failure is None else override.on_failure
        success = self._action(info, on_success)
        failure = self._action(info, on_failure)
        return (None if success is _NONE else success), (_ERROR if failure is None else failure)

    def _action(self, info: RuleInfo, names: str | None) -> RuleAction | str | None:
        """Return an action, its name when there is none of that name."""
        if not names:
            return None
        name = names
        if info.rule.mode in (RuleMode.WRITEREAD, RuleMode.UPDOWN) and "," in names:
            out, _, back = names.partition(",")
            name = out if info.mode in _OUT else back
        name = name.strip()
        found = self.registry.get_action(name)
        if found is not None:
            return found
        return {"ERROR": _ERROR, "NONE": _NONE}.get(name, name)


def _compiles(executor: RuleExecutor) -> bool:
    """Whether an executor makes a function (message, call) of a rule, that can be called again and ignores ``call``.

    A subclass of the application's may do something else: what it inherits says nothing about it.
    """
    return "compile_rule" in type(executor).__dict__


def _is_plain(executor: FieldRuleExecutor) -> bool:
    return type(executor).transform is FieldRuleExecutor.transform


def _failing(error: Exception) -> Run:
    def run(message: Any, call: RuleCall) -> Any:
        raise error.with_traceback(None)

    return run


class _FieldRule:
    """A field executor that knows nothing of plans, on the fields of one schema."""

    def __init__(self, executor: FieldRuleExecutor, info: RuleInfo, walk: Walk) -> None:
        self._executor = executor
        self._info = info
        self._walk = walk

    def run(self, message: Any, call: RuleCall) -> Any:
        ctx = self._info.running(call)
        transform = self._executor.new_transform(ctx)
        run = FieldRun(ctx, transform, self._info.is_condition)
        try:
            result = self._walk(message, run)
        except BaseException:
            discard(run.results)
            raise
        if not run.waits:
            return True if self._info.is_condition else result
        return Later(self._await_fields(message, run))

    def _await_fields(self, message: Any, run: FieldRun) -> Op[Any]:
        results = list(run.results)
        try:
            for index, result in enumerate(results):
                if is_awaitable(result):
                    results[index] = yield UserCall(_same, (result,))
        except BaseException:
            discard(results)
            raise
        run.give(results)
        result = self._walk(message, run)
        return True if self._info.is_condition else result


class Later:
    """The result of a rule, or of an action, that takes an operation."""

    __slots__ = ("operation",)

    def __init__(self, operation: Op[Any]) -> None:
        self.operation = operation


def _same(value: Any) -> Any:
    return value


def rules_of(schema: Schema, phase: RulePhase) -> list[Rule]:
    """Return a schema's rules of one phase as a new list."""
    if schema.rule_set is None:
        return []
    lists = {
        RulePhase.MIGRATION: schema.rule_set.migration_rules,
        RulePhase.DOMAIN: schema.rule_set.domain_rules,
        RulePhase.ENCODING: schema.rule_set.encoding_rules,
    }
    return list(lists[phase] or ())


def _matches(rule: Rule, mode: RuleMode) -> bool:
    if rule.mode is RuleMode.WRITEREAD:
        return mode in (RuleMode.WRITE, RuleMode.READ)
    if rule.mode is RuleMode.UPDOWN:
        return mode in (RuleMode.UPGRADE, RuleMode.DOWNGRADE)
    return rule.mode is mode


def new_call(ser_ctx: SerializationContext | None, message: Any) -> RuleCall:
    """Return what rules are told about a message."""
    if ser_ctx is None:
        return RuleCall(None, take_key(None), message)
    replayed = replayed_rule(ser_ctx.headers) if ser_ctx.headers else None
    if ser_ctx.field == MessageField.KEY:
        return RuleCall(ser_ctx, message, None, replayed)
    return RuleCall(ser_ctx, take_key(ser_ctx.topic), message, replayed)


def replayed_rule(headers: Any) -> str | None:
    """Return the rule that sent a message to the dead letter queue it comes from; the last header counts."""
    items = headers.items() if isinstance(headers, dict) else headers
    value = None
    for name, content in items:
        if name == DLQ_RULE_NAME_HEADER:
            value = content
    if isinstance(value, (bytes, bytearray)):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    return value if isinstance(value, str) else None


class TheLongWay(Exception):
    """A rule fails: ``run_rules`` finds out what follows."""


def run_quickly(rules: Sequence[BoundRule], message: Any) -> Any:
    """Run rules that are all ``is_quick`` on a message.

    Raises: TheLongWay, Suspend, and whatever a rule raises: ``run_rules`` has to do it.
    """
    for bound in rules:
        result = bound.run(message, None)
        if not bound.is_condition:
            if result is None:
                raise TheLongWay
            message = result
        elif not result:
            raise TheLongWay
    return message


def run_rules(rules: Sequence[BoundRule], message: Any, call: RuleCall) -> Op[Any]:
    """Run rules on a message; the result is the new message.

    Raises:
        SerializationError: a rule failed and its action is ERROR; ``__cause__`` is why. Or an action raised it.
        RuleError: there is no action of the name that a rule has.
    """
    for bound in rules:
        rule = bound.info.rule
        if call.replayed is not None and call.replayed == rule.name and not bound.strict:
            continue
        before = message
        try:
            result = yield from _result(bound, message, call)
            if bound.info.is_condition:
                if not result:
                    raise RuleConditionError(rule)  # its action follows
            elif rule.kind is RuleKind.TRANSFORM:
                message = result
        except SerializationError:
            raise
        except Exception as e:  # whatever user code raises is the action's to judge
            message = before
            yield from _act(bound, bound.on_failure, message, e, call)
            if bound.strict:
                _ERROR.run(bound.info.context(call), message, e)
            if bound.last:
                return message
            continue
        if message is None and before is not None:
            yield from _act(bound, bound.on_failure, None, None, call)
            if bound.strict:
                _ERROR.run(bound.info.context(call), None, None)
        elif bound.on_success is not None:
            yield from _act(bound, bound.on_success, message, None, call)
    return message


def _result(bound: BoundRule, message: Any, call: RuleCall) -> Op[Any]:
    for _ in range(MAX_SUSPENSIONS):
        try:
            result = bound.run(message, call)
            if type(result) is Later:
                return (yield from result.operation)
            if is_awaitable(result):
                return (yield UserCall(_same, (result,)))
        except Suspend as wait:  # rare
            fetch = wait.operation
        else:
            return result
        yield from fetch()
    raise EncryptionError("the key cache is too small for the keys of one message", subject=bound.info.subject)


def _act(bound: BoundRule, action: RuleAction | str, message: Any, error: Exception | None, call: RuleCall) -> Op[None]:
    if action is _NONE:
        return
    if isinstance(action, str):
        raise RuleError(f"Could not find rule action of type {action}") from error
    try:
        ctx = bound.info.context(call)
        ctx.defers = True
        outcome = action.run(ctx, message, error)
        if type(outcome) is Later:
            yield from outcome.operation
        elif is_awaitable(outcome):
            yield UserCall(_same, (outcome,))
    except SerializationError:
        raise
    except Exception as e:  # an action that fails must not replace what the rule decided
        log.warning(
            "action %s of rule %s of subject %s failed: %s",
            action.type(),
            bound.info.rule.name,
            bound.info.subject,
            type(e).__name__,
        )
