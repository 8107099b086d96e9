# SPDX-License-Identifier: Apache-2.0
"""The checks in a JSON Schema's text: ``confluent:rules`` of objects and of their properties.

An object that is a property is checked twice by the rules that stand at it, as a property and as an object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from confluent_kafka.schema_registry._core.codecs.json_fields import Documents, Node, _is
from confluent_kafka.schema_registry._core.validation import (
    VALIDATION_RULES_PROP,
    findings,
    known_visit,
    parse_validation_rules,
)

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.validation import (
        Findings,
        ValidationRule,
        ValidationRuleError,
        ValidationRuleExecutor,
        Visit,
    )

ROOT = "$"
# what is written as it is; the order is that of how often they come
_PLAIN = (str, int, float, dict, list, tuple, Mapping)


def json_visit(
    documents: Documents, start: Node | None = None, dumps: Callable[[Any], str | bytes] = orjson.dumps
) -> Visit | None:
    """Compile what visits the objects and properties with checks; None without any.

    ``start`` is the schema in the documents, where it is not their root. ``dumps`` writes objects that are no JSON.

    It goes through arrays, ``$ref``, and of ``allOf`` all, of ``oneOf`` the first and of ``anyOf`` every schema that a
    value is valid for; neither into ``if``, ``then``, ``else`` and ``not``, nor into dependent schemas.

    Raises:
        ValueError: a ``$ref`` to something that is not there, or a pattern that is no regular expression of Python.
    """
    compiler = _Compiler(documents, dumps)
    visit = compiler.compile(documents.root if start is None else start, is_property=False)
    return visit if compiler.found_rules else None


def validate_message(
    executor: ValidationRuleExecutor | None,
    schema: Any,
    ref_registry: Any,
    ref_resolver: Any,
    message: Any,
    fail_fast: bool = False,
) -> list[ValidationRuleError]:
    """Return the checks in a schema's text that a message does not pass, in the order of the schema.

    Args:
        executor: evaluates the checks; None checks nothing.
        schema: the JSON Schema, as JSON: the resolver's document, or a part of it.
        ref_registry: other schemas where there is no resolver, a ``referencing.Registry``; None without any.
        ref_resolver: finds what the schema refers to, a ``referencing`` resolver; None without any.
        message: the object. What does not match the schema is passed over.
        fail_fast: stop at the first one.
    Raises:
        ValueError: a ``$ref`` to something that is not there.
        SerializationError: the executor gave neither a bool nor a text, or the message contains itself.
    """
    if executor is None or message is None or not isinstance(schema, dict):
        return []
    from confluent_kafka.schema_registry._core.codecs.json_schema import documents_of

    visit = json_visit(*documents_of(schema, ref_registry, ref_resolver))
    return findings(visit, executor, message, ROOT, fail_fast)


class _Compiler:
    def __init__(self, documents: Documents, dumps: Callable[[Any], str | bytes]) -> None:
        self._documents = documents
        self._dumps = dumps
        self.found_rules = False
        # what a $ref points to, by its place; in a list, so that a schema inside of itself finds what is not ready yet
        self._known: dict[tuple[str, str, bool], list[Visit | None]] = {}

    def compile(self, node: Node, *, is_property: bool) -> Visit | None:
        schema = node.schema
        if not isinstance(schema, dict):
            return None
        kinds = schema.get("type")
        if isinstance(kinds, list) and kinds:
            alone = [Node({**schema, "type": kind}, node.base, node.pointer) for kind in kinds]
            by_type = [(one.schema["type"], self.compile(one, is_property=is_property)) for one in alone]
            return _by_type(by_type, self._dumps)
        steps: list[Visit | None] = []
        for name in ("allOf", "oneOf", "anyOf"):
            listed = schema.get(name)
            if not isinstance(listed, list):
                continue
            places = [node.at(name, number) for number in range(len(listed))]
            visits = [self.compile(place, is_property=False) for place in places]
            if name == "allOf":
                steps += visits
            elif any(visit is not None for visit in visits):
                matchers = [self._documents.matcher(place) for place in places]
                pairs = list(zip(matchers, visits, strict=True))
                steps.append(_branches(pairs, self._dumps, first=name == "oneOf"))
        has_reference = isinstance(schema.get("$ref"), str)
        if has_reference:
            steps.append(self._reference(node))
        steps.append(self._array(node))
        # rules beside a $ref are those of the property; where there is none, those of the object
        steps.append(self._object(node, with_rules=not (has_reference and is_property)))
        return _sequence([step for step in steps if step is not None])

    def _rules(self, schema: dict[str, Any]) -> list[ValidationRule]:
        rules = parse_validation_rules(schema.get(VALIDATION_RULES_PROP))
        self.found_rules = self.found_rules or bool(rules)
        return rules

    def _reference(self, node: Node) -> Visit | None:
        target = self._documents.find(node, node.schema["$ref"])
        key = (target.base, target.pointer, False)
        known = self._known.get(key)
        if known is None:
            slot = self._known[key] = []
            slot.append(self.compile(target, is_property=False))
            return slot[0]
        return known_visit(known)

    def _array(self, node: Node) -> Visit | None:
        schema = node.schema
        before: list[Visit | None] = []
        rest = None
        for name in ("prefixItems", "items"):
            if isinstance(schema.get(name), list):
                places = [node.at(name, number) for number in range(len(schema[name]))]
                before = [self.compile(place, is_property=False) for place in places]
            elif name in schema:
                rest = self.compile(node.at(name), is_property=False)
        if schema.get("type") not in (None, "array") or (rest is None and all(one is None for one in before)):
            return None

        dumps = self._dumps

        def visit(value: Any, path: str, found: Findings) -> None:
            value = _plain(value, dumps)
            if isinstance(value, (list, tuple)):
                for number, item in enumerate(value):
                    inner = before[number] if number < len(before) else rest
                    if item is not None and inner is not None:
                        inner(item, f"{path}[{number}]", found)

        return visit

    def _object(self, node: Node, *, with_rules: bool) -> Visit | None:
        schema = node.schema
        if schema.get("type") not in (None, "object"):
            return None
        rules = self._rules(schema) if with_rules else []
        listed = schema.get("properties")
        listed = listed if isinstance(listed, dict) else {}
        properties = [(name, self._property(node.at("properties", name))) for name in listed]
        visits = [(name, visit) for name, visit in properties if visit is not None]
        others = self._others(node, frozenset(listed))
        if not rules and not visits and others is None:
            return None

        dumps = self._dumps

        def visit(value: Any, path: str, found: Findings) -> None:
            value = _plain(value, dumps)
            if not isinstance(value, Mapping):
                return
            if rules:
                found.check(rules, schema, value, path)
            for name, inner in visits:
                item = value.get(name)
                if item is not None:
                    inner(item, f"{path}.{name}", found)
            if others is not None:
                others(value, path, found)

        return visit

    def _others(self, node: Node, listed: frozenset[str]) -> Visit | None:
        """Return what visits the properties that ``properties`` does not name."""
        schema = node.schema
        by_pattern = schema.get("patternProperties")
        by_pattern = by_pattern if isinstance(by_pattern, dict) else {}
        compiled = [(text, self._property(node.at("patternProperties", text))) for text in by_pattern]
        rest = self._property(node.at("additionalProperties")) if "additionalProperties" in schema else None
        if rest is None and all(visit is None for _, visit in compiled):
            return None
        patterns = [(_pattern(text), visit) for text, visit in compiled]

        def visit(value: Any, path: str, found: Findings) -> None:
            for name, item in value.items():
                if item is None or not isinstance(name, str):
                    continue
                inner = [one for pattern, one in patterns if pattern.search(name)]
                if not inner and name not in listed:
                    inner = [rest]
                for one in inner:
                    if one is not None:
                        one(item, f"{path}.{name}", found)

        return visit

    def _property(self, node: Node) -> Visit | None:
        schema = node.schema
        if not isinstance(schema, dict):
            return None
        rules = self._rules(schema)
        inner = self.compile(node, is_property=True)
        if not rules:
            return inner

        dumps = self._dumps

        def visit(value: Any, path: str, found: Findings) -> None:
            value = _plain(value, dumps)
            found.check(rules, schema, value, path)
            if inner is not None:
                inner(value, path, found)

        return visit


def _plain(value: Any, dumps: Callable[[Any], str | bytes]) -> Any:
    """Return an object of a class (a dataclass, for example) as the dict or list that it will be written as."""
    if value is None or isinstance(value, _PLAIN):
        return value
    try:
        written = orjson.loads(dumps(value))
    except Exception:  # the encoder refuses it
        return value
    return written if isinstance(written, (dict, list)) else value


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as e:
        raise ValueError(f"patternProperties has {text!r}, which is no regular expression here: {e}") from e


def _sequence(steps: list[Visit]) -> Visit | None:
    if len(steps) < 2:
        return steps[0] if steps else None

    def visit(value: Any, path: str, found: Findings) -> None:
        for step in steps:
            step(value, path, found)

    return visit


def _branches(
    branches: list[tuple[Callable[[Any], bool], Visit | None]], dumps: Callable[[Any], str | bytes], *, first: bool
) -> Visit:
    def visit(value: Any, path: str, found: Findings) -> None:
        value = _plain(value, dumps)
        for matches, inner in branches:
            if matches(value):
                if inner is not None:
                    inner(value, path, found)
                if first:
                    return

    return visit


def _by_type(visits: list[tuple[Any, Visit | None]], dumps: Callable[[Any], str | bytes]) -> Visit | None:
    if all(visit is None for _, visit in visits):
        return None

    def visit(value: Any, path: str, found: Findings) -> None:
        value = _plain(value, dumps)
        for kind, inner in visits:
            if _is(kind, value):
                if inner is not None:
                    inner(value, path, found)
                return

    return visit
