# SPDX-License-Identifier: Apache-2.0
"""The rules of one (de)serializer: its executors, and what of a contract has to be there before anything is written."""

from __future__ import annotations

from inspect import iscoroutine
from typing import TYPE_CHECKING, Any

from confluent_kafka._redact import shown
from confluent_kafka.schema_registry._core.models import Rule, RuleMode, RulePhase, Schema
from confluent_kafka.schema_registry._core.rules import CompiledRules, Contract, rules_of
from confluent_kafka.schema_registry.error import RulesNotEnforcedError
from confluent_kafka.schema_registry.rule_registry import RuleRegistry

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.plan import Codec
    from confluent_kafka.schema_registry._core.rule_types import Migration
    from confluent_kafka.schema_registry._core.rules import BoundRule

ALLOW = "allow.unenforced.rules"
_WRITTEN = (RulePhase.DOMAIN, RulePhase.ENCODING)


class RuleSetup:
    """Executors and actions, configured for one (de)serializer.

    Args:
        registry: where they are; None takes the global one.
        client_conf: configuration of the registry client.
        rule_conf: configuration of rules.
    """

    def __init__(
        self,
        registry: RuleRegistry | None = None,
        client_conf: dict[str, Any] | None = None,
        rule_conf: dict[str, Any] | None = None,
    ) -> None:
        self._private = registry is not None
        self.registry = RuleRegistry.get_global_instance() if registry is None else registry
        self._client_conf = client_conf or {}
        self._rule_conf = rule_conf or {}
        self._configured: list[Any] = []
        url = self._client_conf.get("url")
        self._server = "" if url is None else shown("url", url)
        self._configure()

    def _configure(self) -> None:
        for one in (*self.registry.get_executors(), *self.registry.get_actions()):
            if not any(one is known for known in self._configured):
                one.configure(self._client_conf, self._rule_conf)
                self._configured.append(one)

    def close(self) -> None:
        """Close executors and actions that are not those of the whole process."""
        for one in self.own():
            one.close()

    def own(self) -> list[Any]:
        """Return actions and executors that are not those of the whole process."""
        return [*self.registry.get_actions(), *self.registry.get_executors()] if self._private else []

    def for_writing(
        self,
        codec: Codec,
        compiled: Any,
        kept: Schema,
        passed: Schema | None,
        subject: str,
        *,
        chosen: bool,
        lenient: bool,
    ) -> CompiledRules | None:
        """Compile the rules of messages to be written; None when there are none.

        Args:
            codec: the format.
            compiled: the schema, compiled.
            kept: the schema as the registry has it.
            passed: the schema as the application has it.
            subject: the subject.
            chosen: whether the registry chose the schema (its latest version, for example): it may be another one then.
            lenient: whether rules that are not there, or cannot run, are let pass.
        Raises:
            RulesNotEnforcedError: the contract would not be kept.
        """
        if passed is not None and not lenient:
            missing = lacking(passed, kept, chosen=chosen)
            if missing:
                at = f" at {self._server}" if self._server else ""
                raise RulesNotEnforcedError(
                    f"the schema that the registry{at} has for subject {subject} lacks {', '.join(missing)} of the "
                    "Schema that was passed; nothing is written without them. Registries without data contracts drop "
                    "ruleSet and metadata, and say nothing: use one that keeps them; or pass a Schema without them; "
                    f"or, to write regardless, set {ALLOW} to True"
                )
        if kept.rule_set is None:
            return None
        self._configure()
        fields = codec.fields(compiled, (kept,))
        contract = Contract(self.registry, subject, self._server, lenient)
        rules = CompiledRules(
            contract.compile(RulePhase.DOMAIN, RuleMode.WRITE, None, kept, fields),
            contract.compile(RulePhase.ENCODING, RuleMode.WRITE, None, kept),
        )
        return rules or None

    def for_reading(
        self,
        codec: Codec,
        compiled: Any,
        writer: Schema,
        wanted: tuple[Schema, Any] | None,
        subject: str | None,
        *,
        chosen: bool,
        migrations: list[Migration],
    ) -> CompiledRules | None:
        """Compile the rules of messages to be read; None when there are none.

        Args:
            codec: the format.
            compiled: the writer's schema, compiled.
            writer: the writer's schema.
            wanted: the reader's schema, and the same compiled; None for the writer's.
            subject: the subject.
            chosen: whether the reader's schema comes from the registry.
            migrations: steps from the writer's to the reader's version.
        """
        target, shape = (writer, compiled) if wanted is None else wanted
        owner = target
        if target.rule_set is None and not chosen:
            # the application's own text of a schema has no rules: those of the writer undo what it did
            owner = writer
        if owner.rule_set is None and writer.rule_set is None and not migrations:
            return None
        self._configure()
        fields = None
        if owner.rule_set is not None:
            # what the writer's text tags, its rules have changed
            other = None if wanted is None else compiled
            fields = codec.fields(shape, (owner, target) if owner is not target else (target,), other)
        contract = Contract(self.registry, subject, self._server)
        steps: list[tuple[BoundRule, ...]] = []
        for step in migrations:
            if step.source is not None and step.target is not None:
                source, after = step.source.schema, step.target.schema
                steps.append(contract.compile(RulePhase.MIGRATION, step.rule_mode, source, after))
        rules = CompiledRules(
            contract.compile(RulePhase.DOMAIN, RuleMode.READ, None, owner, fields),
            contract.compile(RulePhase.ENCODING, RuleMode.READ, None, writer),
            tuple(steps),
        )
        return rules or None


def conf_of(client: Any) -> dict[str, Any]:
    """Return the configuration of a registry client; empty where there is none."""
    config = getattr(client, "config", None)
    conf = config() if callable(config) else None
    if iscoroutine(conf):
        conf.close()  # a client of the application's: it would complain that nobody awaited it
    return conf if isinstance(conf, dict) else {}


def has_migration_rules(schema: Schema, mode: RuleMode) -> bool:
    """Whether a step in this direction does anything."""
    return any(rule.mode in (mode, RuleMode.UPDOWN) for rule in rules_of(schema, RulePhase.MIGRATION))


def lacking(passed: Schema, kept: Schema, *, chosen: bool) -> list[str]:
    """Return what of a schema's contract another one does not have, in words.

    Args:
        passed: the schema that says how it should be.
        kept: the schema that will be used.
        chosen: they may be different versions: rules are compared by name and type only, and metadata is not.
    """
    missing: list[str] = []
    for phase in RulePhase:
        there = rules_of(kept, phase)
        missing += [
            f"the {phase.value.lower()} rule {rule.name} ({rule.type})"
            for rule in rules_of(passed, phase)
            if not any(_same(rule, other, chosen) for other in there)
        ]
    if chosen or passed.metadata is None:
        return missing
    tags, properties = _metadata(passed)
    kept_tags, kept_properties = _metadata(kept)
    missing += [f"the tags of {path}" for path, names in tags.items() if not set(names) <= set(kept_tags.get(path, ()))]
    missing += [f"the property {name}" for name, value in properties.items() if kept_properties.get(name) != value]
    return missing


def _metadata(schema: Schema) -> tuple[dict[str, list[str]], dict[str, str]]:
    if schema.metadata is None:
        return {}, {}
    tags, properties = schema.metadata.tags, schema.metadata.properties
    return ({} if tags is None else tags.tags), ({} if properties is None else properties.properties)


def _same(rule: Rule, other: Rule, roughly: bool) -> bool:
    if rule.name != other.name or (rule.type or "").upper() != (other.type or "").upper():
        return False
    if roughly:
        return True

    def parts(one: Rule) -> tuple[Any, ...]:
        params = {} if one.params is None else one.params.params
        return one.kind, one.mode, set(one.tags or ()), params, one.expr or None, bool(one.disabled)

    return parts(rule) == parts(other)
