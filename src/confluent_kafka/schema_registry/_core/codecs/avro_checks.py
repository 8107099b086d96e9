# SPDX-License-Identifier: Apache-2.0
"""The checks in an Avro schema's text: ``confluent:rules`` of records and of their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.codecs.avro_fields import Matcher, branch_of
from confluent_kafka.schema_registry._core.codecs.avro_schema import PRIMITIVES, defined_name, find_type
from confluent_kafka.schema_registry._core.validation import (
    VALIDATION_RULES_PROP,
    findings,
    has_rules,
    known_visit,
    parse_validation_rules,
)
from confluent_kafka.schema_registry.error import SchemaMismatchError

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.validation import (
        Findings,
        ValidationRule,
        ValidationRuleError,
        ValidationRuleExecutor,
        Visit,
    )


def avro_visit(schema: Any) -> Visit | None:
    """Compile what visits the records and fields with checks, through arrays, maps and unions; None without any.

    Args:
        schema: JSON of the schema, complete with all it refers to.
    """
    return _Compiler().compile(schema, "") if has_rules(schema) else None


def validate_message(
    executor: ValidationRuleExecutor | None, schema: Any, message: Any, fail_fast: bool = False
) -> list[ValidationRuleError]:
    """Return the checks in a schema's text that a message does not pass, in the order of the schema.

    Args:
        executor: evaluates the checks; None checks nothing.
        schema: the Avro schema, as JSON.
        message: what the codec would write. What does not match the schema is passed over: the codec refuses it.
        fail_fast: stop at the first one.
    Raises:
        SerializationError: the executor gave neither a bool nor a text, or the message contains itself.
    """
    if executor is None or message is None:
        return []
    return findings(avro_visit(schema), executor, message, "", fail_fast)


class _Compiler:
    def __init__(self) -> None:
        self._named: dict[str, tuple[Any, str]] = {}
        # a record that is inside of itself finds in the list what is not compiled yet
        self._records: dict[str, list[Visit | None]] = {}

    def compile(self, schema: Any, namespace: str) -> Visit | None:
        if isinstance(schema, list):
            return self._union(schema, namespace)
        if isinstance(schema, str):
            return self._reference(schema, namespace)
        if not isinstance(schema, dict):
            return None
        kind = schema.get("type")
        if kind == "array":
            return _array(self.compile(schema.get("items"), namespace))
        if kind == "map":
            return _map(self.compile(schema.get("values"), namespace))
        if kind in ("record", "error"):
            return self._record(schema, namespace)
        if kind in ("enum", "fixed"):
            full, inner = defined_name(schema, namespace)
            self._named[full] = (schema, inner)
            return None
        return self.compile(kind, namespace)

    def _find(self, name: str, namespace: str) -> tuple[Any, str] | None:
        return find_type(self._named, name, namespace)

    def _reference(self, name: str, namespace: str) -> Visit | None:
        found = None if name in PRIMITIVES else self._find(name, namespace)
        if found is None:
            return None
        known = self._records.get(defined_name(*found)[0])
        if known is None:
            return None
        return known_visit(known)

    def _record(self, schema: dict[str, Any], namespace: str) -> Visit | None:
        full, inner = defined_name(schema, namespace)
        if full in self._records:
            return self._reference(full, inner)
        self._named[full] = (schema, inner)
        slot = self._records[full] = []
        rules = parse_validation_rules(schema.get(VALIDATION_RULES_PROP))
        fields: list[tuple[str, list[ValidationRule], Any, Visit | None]] = []
        for field in schema.get("fields") or ():
            own = parse_validation_rules(field.get(VALIDATION_RULES_PROP))
            visit = self.compile(field.get("type"), inner)
            if own or visit is not None:
                fields.append((str(field["name"]), own, field.get("type"), visit))
        slot.append(_record_visit(schema, rules, fields) if rules or fields else None)
        return slot[0]

    def _union(self, branches: list[Any], namespace: str) -> Visit | None:
        compiled = [(branch, self.compile(branch, namespace)) for branch in branches]
        if all(visit is None for _, visit in compiled):
            return None
        others = [(branch, visit) for branch, visit in compiled if branch != "null"]
        matchers = [(Matcher(branch, namespace, self._find), visit) for branch, visit in others]
        return _union_visit(matchers)


def _record_visit(
    schema: Any, rules: list[ValidationRule], fields: list[tuple[str, list[ValidationRule], Any, Visit | None]]
) -> Visit:
    def visit(value: Any, path: str, found: Findings) -> None:
        if isinstance(value, tuple):
            _, value = branch_of(value)
        if not isinstance(value, Mapping) and not hasattr(value, "get"):
            return
        if rules:
            found.check(rules, schema, value, path)
        for name, own, kind, inner in fields:
            item = value.get(name)
            if item is None:
                continue
            place = f"{path}.{name}" if path else name
            if own:
                # a rule is about the value: how the application names a branch of a union is none of its business
                found.check(own, kind, branch_of(item)[1] if isinstance(kind, list) else item, place)
            if inner is not None:
                inner(item, place, found)

    return visit


def _array(inner: Visit | None) -> Visit | None:
    if inner is None:
        return None

    def visit(value: Any, path: str, found: Findings) -> None:
        if not isinstance(value, (list, tuple)):
            # the encoder takes whatever can be iterated over
            try:
                once = iter(value) is value
            except TypeError:
                return
            if once:
                raise SchemaMismatchError("the elements have checks, and this gives them once: give a list", path)
        for number, item in enumerate(value):
            if item is not None:
                inner(item, f"{path}[{number}]", found)

    return visit


def _map(inner: Visit | None) -> Visit | None:
    if inner is None:
        return None

    def visit(value: Any, path: str, found: Findings) -> None:
        if isinstance(value, Mapping) or hasattr(value, "items"):
            for name, item in value.items():
                if item is not None:
                    inner(item, f'{path}["{name}"]', found)

    return visit


def _union_visit(branches: list[tuple[Matcher, Visit | None]]) -> Visit:
    if len(branches) == 1:
        only = branches[0][1]
        return lambda value, path, found: None if only is None else only(branch_of(value)[1], path, found)

    def visit(value: Any, path: str, found: Findings) -> None:
        name, inner = branch_of(value)
        branch = _named(branches, name) if name is not None else _written(branches, value)
        if branch is not None:
            branch(inner, path, found)

    return visit


def _named(branches: list[tuple[Matcher, Visit | None]], name: str) -> Visit | None:
    return next((visit for matcher, visit in branches if matcher.name == name), None)


def _written(branches: list[tuple[Matcher, Visit | None]], value: Any) -> Visit | None:
    """Return the visit of the branch that the encoder takes: among records that fit, the one with most fields."""
    best, most = None, -1
    for matcher, visit in branches:
        if matcher.fits(value):
            fields = matcher.fields_in(value)
            if fields is None:
                return visit
            if fields > most:
                best, most = visit, fields
    return best
