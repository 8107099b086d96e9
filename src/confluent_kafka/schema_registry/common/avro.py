# SPDX-License-Identifier: Apache-2.0
"""Avro schemas and records by the names that existing code imports; ours are in ``_core``.

Needs fastavro: ``pip install "ferrokafka[avro]"``.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Union

from fastavro.repository import AbstractSchemaRepository

from confluent_kafka.schema_registry._core.codecs.avro import AvroCodec, parse
from confluent_kafka.schema_registry._core.codecs.avro_checks import validate_message
from confluent_kafka.schema_registry._core.codecs.avro_fields import AvroFields
from confluent_kafka.schema_registry._core.codecs.avro_fields import field_type as get_type
from confluent_kafka.schema_registry._core.codecs.avro_schema import collapse, load, normalized_text
from confluent_kafka.schema_registry._core.rule_fields import in_place, leaf_of, walk_once
from confluent_kafka.schema_registry.common.serde import (
    VALIDATION_RULES_PROP,
    FieldTransform,
    FieldType,
    RuleConditionError,
    RuleContext,
    RuleKind,
    Schema,
    ValidationRule,
    ValidationRuleError,
    ValidationRuleExecutor,
    evaluate_validation_rule,
    parse_validation_rules,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = [
    "AVRO_TYPE",
    "VALIDATION_RULES_PROP",
    "AvroMessage",
    "AvroSchema",
    "FieldTransform",
    "FieldType",
    "LocalSchemaRepository",
    "RuleConditionError",
    "RuleContext",
    "RuleKind",
    "Schema",
    "ValidationRule",
    "ValidationRuleError",
    "ValidationRuleExecutor",
    "_collapse_schema",
    "_disjoint",
    "_get_inline_tags_recursively",
    "_implied_namespace",
    "_resolve_union",
    "_schema_loads",
    "_transform_field",
    "evaluate_validation_rule",
    "get_inline_tags",
    "get_type",
    "parse_schema_with_repo",
    "parse_validation_rules",
    "transform",
    "validate_message",
]

AVRO_TYPE = AvroCodec.schema_type


def __getattr__(name: str) -> Any:
    if name != "Variant":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from confluent_kafka.schema_registry.confluent.type.variant_utils import Variant  # which needs protobuf

    return Variant


# unions at run time too, which is what existing code takes apart
AvroMessage = Union[None, str, float, int, Decimal, bool, bytes, list, dict, tuple]  # type: ignore[type-arg]  # noqa: UP007
AvroSchema = Union[str, list, dict]  # type: ignore[type-arg]  # noqa: UP007


class LocalSchemaRepository(AbstractSchemaRepository):
    """A repository for ``fastavro.schema.load_schema``.

    Args:
        schemas: JSON of schemas by name.
    """

    def __init__(self, schemas: dict[str, Any]) -> None:
        self.schemas = schemas

    def load(self, subject: str) -> Any:
        """Return a schema; None when there is none of this name."""
        return self.schemas.get(subject)


def parse_schema_with_repo(schema_str: str, named_schemas: Mapping[str, Any]) -> Any:
    """Return a schema as fastavro parses it, complete with all it refers to.

    Args:
        schema_str: JSON of the schema.
        named_schemas: those it refers to by the names they are used by, as JSON or parsed.
    Raises:
        ValueError, fastavro.schema.SchemaParseException, fastavro.schema.UnknownType: it is not an Avro schema.
    """
    return parse(load(schema_str), {name: _without_marks(schema) for name, schema in named_schemas.items()})[1]


def _without_marks(schema: Any) -> Any:
    """Leave out what fastavro adds to a schema that it has parsed."""
    if not isinstance(schema, dict):
        return schema
    return {name: value for name, value in schema.items() if name not in ("__fastavro_parsed", "__named_schemas")}


def transform(ctx: RuleContext, schema: Any, message: Any, field_transform: FieldTransform) -> Any:
    """Return an object with its fields as a field rule has them.

    Args:
        ctx: the rule and what it runs on. Fields without a tag of the rule are left alone, if it has tags; tags are
            those in the schema, in ``ctx.inline_tags``, and in the metadata of ``ctx.target``. Where a field was
            entered, the object is taken for its value.
        schema: JSON of the schema, or the parsed schema.
        message: an object of this schema. A dict or list is changed and returned; it stays as it was when this fails.
        field_transform: called as ``(context, field, value)``; returns the new value, or, for a rule that is a
            condition, whether it holds.
    Raises:
        RuleConditionError: a condition does not hold.
        RuleError: the transform is a coroutine function.
        TypeError: the object is not of the schema.
    """
    if message is None or schema is None:
        return message
    walk = AvroFields(schema, [ctx.target]).walk(leaf_of(ctx), writing=False, field=ctx.current_field())
    return in_place(message, walk_once(walk, ctx, field_transform, message))


def _transform_field(
    ctx: RuleContext, schema: dict[str, Any], field: dict[str, Any], message: Any, field_transform: FieldTransform
) -> None:
    """Change one field of a record in its place; ``schema`` is the record's."""
    name = field["name"]
    run = AvroFields(schema, [ctx.target]).field_walk(field, leaf_of(ctx))
    if run is not None and name in message:
        message[name] = walk_once(lambda value, state: run(value, message, state), ctx, field_transform, message[name])


def get_inline_tags(schema: Any) -> dict[str, set[str]]:
    """Return the tags in a schema's text (``confluent:tags``) by full name of the field."""
    tags: dict[str, set[str]] = defaultdict(set)
    _get_inline_tags_recursively("", "", schema, tags)
    return tags


def _get_inline_tags_recursively(ns: str, name: str, schema: Any, tags: dict[str, set[str]]) -> None:
    """Add the tags in a schema that stands in the namespace ``ns`` to ``tags``."""
    for full_name, found in AvroFields(schema, namespace=ns).inline.items():
        tags.setdefault(full_name, set()).update(found)


def _implied_namespace(name: str) -> str | None:
    return name.rpartition(".")[0] if "." in name else None


def _disjoint(tags1: set[str], tags2: set[str]) -> bool:
    return tags1.isdisjoint(tags2)


def _resolve_union(schema: Any, message: Any) -> tuple[Any, Any]:
    """Return the branch of a union that an object takes, and the object without a branch's name around it.

    The branch is the one that ``(name, object)`` or ``-type`` names, else the first one that the object fits; None
    when there is none.
    """
    return AvroFields(schema).resolve(message)


def _collapse_schema(schema: Any, encountered_references: list[str] | None = None) -> Any:
    """Return a schema in which a type that is defined again is written by its name.

    Names are full ones, so that they mean the same in every namespace; the schema that is given stays as it was.

    Args:
        schema: JSON of the schema.
        encountered_references: names of types that are defined elsewhere; those found are added.
    """
    return collapse(schema, [] if encountered_references is None else encountered_references)


def _schema_loads(schema_str: str) -> Schema:
    return Schema(normalized_text(schema_str), AVRO_TYPE)
