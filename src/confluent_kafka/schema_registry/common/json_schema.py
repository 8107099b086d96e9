# SPDX-License-Identifier: Apache-2.0
"""JSON Schemas and objects by the names that existing code imports; ours are in ``_core``.

Needs orjson and jsonschema-rs: ``pip install "ferrokafka[json]"``. The package ``referencing`` is not needed: its
resolvers are taken as they are, and ``DEFAULT_SPEC`` comes from it when it is asked for.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NoReturn, Protocol, Union

import orjson

from confluent_kafka.schema_registry._core.codecs.json_checks import validate_message
from confluent_kafka.schema_registry._core.codecs.json_fields import TAGS, JsonFields
from confluent_kafka.schema_registry._core.codecs.json_fields import field_type as get_type
from confluent_kafka.schema_registry._core.codecs.json_schema import JsonCodec, documents_of
from confluent_kafka.schema_registry._core.rule_fields import in_place, leaf_of, walk_once
from confluent_kafka.schema_registry.common.serde import (
    VALIDATION_RULES_PROP,
    FieldTransform,
    FieldType,
    RuleConditionError,
    RuleContext,
    RuleKind,
    ValidationRule,
    ValidationRuleError,
    ValidationRuleExecutor,
    evaluate_validation_rule,
    parse_validation_rules,
)

__all__ = [
    "JSON_TYPE",
    "VALIDATION_RULES_PROP",
    "_HAS_ORJSON",
    "FieldTransform",
    "FieldType",
    "JsonMessage",
    "JsonSchema",
    "RuleConditionError",
    "RuleContext",
    "RuleKind",
    "ValidationRule",
    "ValidationRuleError",
    "ValidationRuleExecutor",
    "_disjoint",
    "_json_dumps",
    "_json_loads",
    "_retrieve_via_httpx",
    "_transform_field",
    "_validate_subschemas",
    "evaluate_validation_rule",
    "get_inline_tags",
    "get_type",
    "parse_validation_rules",
    "transform",
    "validate_message",
]

JSON_TYPE = JsonCodec.schema_type
_HAS_ORJSON = True

# unions at run time too, which is what existing code takes apart
JsonMessage = Union[None, str, float, int, Decimal, bool, list, dict]  # type: ignore[type-arg]  # noqa: UP007
JsonSchema = Union[bool, dict]  # type: ignore[type-arg]  # noqa: UP007


class _Resolved(Protocol):
    """What a reference stands for: ``referencing``'s ``Resolved``."""

    @property
    def contents(self) -> Any:
        """JSON of the schema."""


class _Resolver(Protocol):
    """Looks up references: ``referencing``'s ``Resolver``, for example."""

    def lookup(self, ref: str) -> _Resolved:
        """Return what a reference stands for."""


class _Registry(Protocol):
    """Has the documents: ``referencing``'s ``Registry``, for example."""

    def resolver(self) -> _Resolver:
        """Return what looks up references that stand in no document."""


def __getattr__(name: str) -> Any:
    if name != "DEFAULT_SPEC":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from referencing.jsonschema import DRAFT7
    except ImportError as e:
        raise ImportError(
            "DEFAULT_SPEC is for the package referencing, which is not installed: pip install referencing",
            name="referencing",
        ) from e
    return DRAFT7


def _json_dumps(obj: Any) -> str:
    return orjson.dumps(obj).decode()


def _json_loads(data: str | bytes | bytearray) -> Any:
    return orjson.loads(data)


def _retrieve_via_httpx(uri: str) -> NoReturn:
    """Refuse to fetch a schema.

    Raises:
        ValueError: always.
    """
    raise ValueError(
        f"$ref to {uri}: nothing is fetched from the web; register that schema, and name it among the references of "
        "the one that uses it (SchemaReference), or give the Registry a retrieve function of your own"
    )


def transform(
    ctx: RuleContext,
    schema: Any,
    ref_registry: _Registry | None,
    ref_resolver: _Resolver | None,
    path: str,
    message: Any,
    field_transform: FieldTransform,
) -> Any:
    """Return an object with its properties as a field rule has them.

    Args:
        ctx: the rule and what it runs on. Properties without a tag of the rule are left alone, if it has tags. Where a
            field was entered, the object is taken for its value.
        schema: JSON of the schema, the resolver's document or a part of it.
        ref_registry: where references are looked up without a resolver; None: there are none to other documents.
        ref_resolver: looks up references.
        path: what the object is called, ``$`` for a whole message.
        message: an object of this schema. A dict or list is changed and returned; it stays as it was when this fails.
        field_transform: called as ``(context, field, value)``; returns the new value, or, for a rule that is a
            condition, whether it holds.
    Raises:
        RuleConditionError: a condition does not hold.
        RuleError: the transform is a coroutine function.
        ValueError: a ``$ref`` to something that is not there.
    """
    if message is None or not isinstance(schema, dict):
        return message
    documents, node = documents_of(schema, ref_registry, ref_resolver)
    walk = JsonFields(documents, [ctx.target]).walk_at(node, path, leaf_of(ctx), ctx.current_field())
    return in_place(message, walk_once(walk, ctx, field_transform, message))


def _transform_field(
    ctx: RuleContext,
    path: str,
    prop_name: str,
    message: Any,
    prop_schema: Any,
    ref_registry: _Registry | None,
    ref_resolver: _Resolver | None,
    field_transform: FieldTransform,
) -> None:
    """Change one property of the object at a path in its place."""
    value = message.get(prop_name)
    if value is None or not isinstance(prop_schema, dict):
        return
    documents, node = documents_of(prop_schema, ref_registry, ref_resolver)
    run = JsonFields(documents, [ctx.target]).property_walk(node, path, prop_name, leaf_of(ctx))
    if run is not None:
        message[prop_name] = walk_once(lambda one, state: run(one, message, state), ctx, field_transform, value)


def _validate_subschemas(
    subschemas: list[Any], message: Any, registry: _Registry | None, resolver: _Resolver | None
) -> Any:
    """Return the first of some schemas that an object is valid for, what it refers to in place of a ``$ref``.

    True and False are passed over; None when there is none.
    """
    for schema in subschemas:
        if not isinstance(schema, dict):
            continue
        documents, node = documents_of(schema, registry, resolver)
        if "$ref" in schema:
            node = documents.find(node, schema["$ref"])
        if documents.matcher(node)(message):
            return node.schema
    return None


def _disjoint(tags1: set[str], tags2: set[str]) -> bool:
    return tags1.isdisjoint(tags2)


def get_inline_tags(schema: Any) -> set[str]:
    """Return the tags that a property's schema has (``confluent:tags``)."""
    return set(schema.get(TAGS) or ()) if isinstance(schema, dict) else set()
