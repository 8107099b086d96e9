# SPDX-License-Identifier: Apache-2.0
"""Metadata and rules of a new version: its own, those of the version before, and those of the configuration."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka.schema_registry._core.models import (
    Metadata,
    MetadataProperties,
    MetadataTags,
    RuleMode,
    RuleSet,
)
from confluent_kafka.schema_registry._core.registry import failures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka.schema_registry._core.models import Rule, Schema

T = TypeVar("T")

_MIGRATION = (RuleMode.UPGRADE, RuleMode.DOWNGRADE, RuleMode.UPDOWN)


def complete(schema: Schema, previous: Schema | None, config: Mapping[str, Any]) -> Schema:
    """Return a new version's schema with all metadata and rules that apply to it.

    What it does not give itself (None) it has from the version before. The configuration's defaults stand behind, its
    overrides before what the version has.

    Args:
        schema: as it was sent; without text it has that of the version before.
        previous: the latest version, if there is one.
        config: of the subject.
    Raises:
        SchemaRegistryError: 42201: no text; 42210: the rules are not valid.
    """
    if not schema.schema_str and previous is not None:
        schema = dataclasses.replace(
            schema,
            schema_str=previous.schema_str,
            schema_type=previous.schema_type,
            references=schema.references or previous.references,
        )
    if not schema.schema_str:
        raise failures.invalid_schema(schema.schema_type, "Empty schema")
    if schema.rule_set is not None:
        check_rules(schema.rule_set)
    metadata = schema.metadata
    rules = schema.rule_set
    if previous is not None:
        metadata = previous.metadata if metadata is None else metadata
        rules = previous.rule_set if rules is None else rules
    metadata = _layers(
        _merge_metadata,
        _read(Metadata.from_dict, config.get("defaultMetadata")),
        metadata,
        _read(Metadata.from_dict, config.get("overrideMetadata")),
    )
    rules = _layers(
        _merge_rules,
        _read(RuleSet.from_dict, config.get("defaultRuleSet")),
        rules,
        _read(RuleSet.from_dict, config.get("overrideRuleSet")),
    )
    return dataclasses.replace(schema, metadata=metadata, rule_set=rules)


def check_rules(rules: RuleSet) -> None:
    """Check names, modes and places of rules. Raises: SchemaRegistryError 42210."""
    lists = {
        "migrationRules": rules.migration_rules,
        "domainRules": rules.domain_rules,
        "encodingRules": rules.encoding_rules,
    }
    for place, listed in lists.items():
        names: set[str] = set()
        for rule in listed or ():
            if not rule.name:
                raise failures.invalid_rules(f"a rule in {place} has no name")
            if rule.name in names:
                raise failures.invalid_rules(f"found rule with duplicate name '{rule.name}' in {place}")
            names.add(rule.name)
            if rule.mode is not None and (rule.mode in _MIGRATION) != (place == "migrationRules"):
                raise failures.invalid_rules(f"rule '{rule.name}' in {place} cannot have mode {rule.mode}")


def properties(schema: Schema) -> dict[str, str]:
    """Return the properties in a schema's metadata."""
    metadata = schema.metadata
    return {} if metadata is None or metadata.properties is None else metadata.properties.properties


def _layers(merge: Callable[[T, T], T], *layers: T | None) -> T | None:
    result = None
    for layer in layers:
        if layer is not None:
            result = layer if result is None else merge(result, layer)
    return result


def _read(read: Callable[[Any], T], raw: Any) -> T | None:
    return None if raw is None else read(raw)


def _merge_metadata(below: Metadata, above: Metadata) -> Metadata:
    tags = dict(below.tags.tags if below.tags else {})
    for path, names in (above.tags.tags if above.tags else {}).items():
        tags[path] = list(dict.fromkeys([*tags.get(path, ()), *names]))
    values = {
        **(below.properties.properties if below.properties else {}),
        **(above.properties.properties if above.properties else {}),
    }
    sensitive = sorted({*(below.sensitive or ()), *(above.sensitive or ())})
    return Metadata(MetadataTags(tags) if tags else None, MetadataProperties(values) if values else None, sensitive)


def _merge_rules(below: RuleSet, above: RuleSet) -> RuleSet:
    return RuleSet(
        _merge_lists(below.migration_rules, above.migration_rules),
        _merge_lists(below.domain_rules, above.domain_rules),
        _merge_lists(below.encoding_rules, above.encoding_rules),
        above.enable_at or below.enable_at,
    )


def _merge_lists(below: list[Rule] | None, above: list[Rule] | None) -> list[Rule]:
    replaced = {rule.name for rule in above or ()}
    return [*(rule for rule in below or () if rule.name not in replaced), *(above or ())]
