# SPDX-License-Identifier: Apache-2.0
"""The registry's data: schemas, metadata, rules, configuration, associations.

Each class converts from and to the registry's JSON with ``from_dict`` and ``to_dict``: names in camelCase, None
left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _to_json(value: Any) -> Any:
    if isinstance(value, _JsonObject):
        return value.to_dict()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    return value


def _read(convert: Callable[[Any], Any]) -> dict[str, Any]:
    """Metadata of a field whose JSON has to be converted, unless it is absent or null."""
    return {"read": lambda raw: None if raw is None else convert(raw)}


def _list_of(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda raw: [convert(item) for item in raw or ()]


class _JsonObject:
    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return this as the registry's JSON."""
        result = {}
        for item in fields(self):  # type: ignore[arg-type]  # all subclasses are dataclasses
            value = getattr(self, item.name)
            if value is not None:
                result[item.metadata.get("json") or _camel_case(item.name)] = _to_json(value)
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Make one from the registry's JSON; unknown names are ignored.

        Raises:
            TypeError: something that must be an object is not.
            ValueError: something that must be one of a few words is not.
        """
        _check_object(cls, src_dict)
        values = {}
        for item in fields(cls):  # type: ignore[arg-type]  # all subclasses are dataclasses
            raw = src_dict.get(item.metadata.get("json") or _camel_case(item.name))
            read = item.metadata.get("read")
            values[item.name] = raw if read is None else read(raw)
        return cls(**values)


def _check_object(cls: type, src_dict: Any) -> None:
    if not hasattr(src_dict, "get"):
        raise TypeError(f"{cls.__name__} must be a JSON object, not {type(src_dict).__name__}")


class _JsonMap(_JsonObject):
    """An object whose JSON is its only field."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return this as the registry's JSON."""
        (item,) = fields(self)  # type: ignore[arg-type]  # all subclasses are dataclasses
        return dict(getattr(self, item.name))

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Make one from the registry's JSON."""
        _check_object(cls, src_dict)
        (item,) = fields(cls)  # type: ignore[arg-type]  # all subclasses are dataclasses
        return cls(**{item.name: dict(src_dict)})


class RuleKind(str, Enum):
    """What a rule does."""

    CONDITION = "CONDITION"
    TRANSFORM = "TRANSFORM"

    def __str__(self) -> str:
        return str(self.value)


class RuleMode(str, Enum):
    """When a rule runs."""

    UPGRADE = "UPGRADE"
    DOWNGRADE = "DOWNGRADE"
    UPDOWN = "UPDOWN"
    READ = "READ"
    WRITE = "WRITE"
    WRITEREAD = "WRITEREAD"

    def __str__(self) -> str:
        return str(self.value)


class RulePhase(str, Enum):
    """Which of a rule set's lists a rule stands in."""

    MIGRATION = "MIGRATION"
    DOMAIN = "DOMAIN"
    ENCODING = "ENCODING"

    def __str__(self) -> str:
        return str(self.value)


class ConfigCompatibilityLevel(str, Enum):
    """How a new version of a schema must fit the versions before it."""

    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"
    NONE = "NONE"

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True, slots=True)
class RuleParams(_JsonMap):
    """Parameters of a rule, by name."""

    params: dict[str, str] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(frozenset(self.params.items()))


@dataclass(frozen=True, slots=True)
class Rule(_JsonObject):
    """One rule of a data contract."""

    name: str | None
    doc: str | None
    kind: RuleKind | None = field(metadata=_read(RuleKind))
    mode: RuleMode | None = field(metadata=_read(RuleMode))
    type: str | None
    tags: list[str] | None
    params: RuleParams | None = field(metadata=_read(RuleParams.from_dict))
    expr: str | None
    on_success: str | None
    on_failure: str | None
    disabled: bool | None

    def __hash__(self) -> int:
        return hash((self.name, self.kind, self.mode, self.type, self.params, self.expr, self.disabled))


@dataclass(frozen=True, slots=True)
class RuleSet(_JsonObject):
    """The rules of a schema. Lists missing from JSON become empty; ``enable_at`` names where the rules run."""

    migration_rules: list[Rule] | None = field(metadata={"read": _list_of(Rule.from_dict)})
    domain_rules: list[Rule] | None = field(metadata={"read": _list_of(Rule.from_dict)})
    encoding_rules: list[Rule] | None = field(default=None, metadata={"read": _list_of(Rule.from_dict)})
    enable_at: str | None = None

    def __hash__(self) -> int:
        lists = (self.migration_rules, self.domain_rules, self.encoding_rules)
        return hash((*(tuple(rules or ()) for rules in lists), self.enable_at))


@dataclass(frozen=True, slots=True)
class MetadataTags(_JsonMap):
    """Tags of fields, by pattern of the field's path."""

    tags: dict[str, list[str]] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(frozenset((path, tuple(tags)) for path, tags in self.tags.items()))


@dataclass(frozen=True, slots=True)
class MetadataProperties(_JsonMap):
    """Properties of a schema, by name."""

    properties: dict[str, str] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(frozenset(self.properties.items()))


@dataclass(frozen=True, slots=True)
class Metadata(_JsonObject):
    """What is known about a schema besides its text; ``sensitive`` names the properties that are confidential."""

    tags: MetadataTags | None = field(metadata=_read(MetadataTags.from_dict))
    properties: MetadataProperties | None = field(metadata=_read(MetadataProperties.from_dict))
    sensitive: list[str] | None = field(metadata={"read": lambda raw: list(raw or ())})

    def __hash__(self) -> int:
        return hash((self.tags, self.properties, tuple(self.sensitive or ())))


@dataclass(frozen=True, slots=True)
class SchemaReference(_JsonObject):
    """A schema that another one uses: the name it is used by, and the subject and version it is registered as."""

    name: str | None
    subject: str | None
    version: int | None


@dataclass(frozen=True, slots=True)
class Schema(_JsonObject):
    """A schema as text, with what belongs to it.

    Args:
        schema_str: the text: JSON for Avro and JSON Schema, .proto for Protobuf.
        schema_type: AVRO, JSON or PROTOBUF.
        references: schemas that this one uses.
        metadata: tags and properties.
        rule_set: the data contract's rules.
    """

    schema_str: str | None = field(metadata={"json": "schema"})
    schema_type: str | None = field(default="AVRO", metadata={"read": lambda raw: "AVRO" if raw is None else raw})
    references: list[SchemaReference] | None = field(
        default_factory=list, hash=False, metadata={"read": _list_of(SchemaReference.from_dict)}
    )
    metadata: Metadata | None = field(default=None, metadata=_read(Metadata.from_dict))
    rule_set: RuleSet | None = field(default=None, metadata=_read(RuleSet.from_dict))


@dataclass(frozen=True, slots=True)
class RegisteredSchema(_JsonObject):
    """A schema with the place it has in the registry. Its JSON is one flat object.

    Args:
        subject: name the versions are counted under.
        version: 1, 2, ...; None when the registry did not say.
        schema_id: number that messages carry.
        guid: UUID that messages can carry instead.
        schema: the schema.
    """

    subject: str | None
    version: int | None
    schema_id: int | None
    guid: str | None
    schema: Schema

    def to_dict(self) -> dict[str, Any]:
        """Return this as the registry's JSON."""
        own = {"id": self.schema_id, "guid": self.guid, "subject": self.subject, "version": self.version}
        return {**self.schema.to_dict(), **{name: value for name, value in own.items() if value is not None}}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> RegisteredSchema:
        """Make one from the registry's JSON."""
        schema = Schema.from_dict(src_dict)
        get = src_dict.get
        return cls(subject=get("subject"), version=get("version"), schema_id=get("id"), guid=get("guid"), schema=schema)


@dataclass(frozen=True, slots=True)
class SchemaVersion(_JsonObject):
    """A subject and a version."""

    subject: str | None
    version: int | None


@dataclass(slots=True)
class ServerConfig(_JsonObject):
    """Configuration of a registry, or of one subject in it."""

    compatibility: ConfigCompatibilityLevel | None = field(default=None, metadata=_read(ConfigCompatibilityLevel))
    compatibility_level: ConfigCompatibilityLevel | None = field(default=None, metadata=_read(ConfigCompatibilityLevel))
    compatibility_group: str | None = None
    default_metadata: Metadata | None = field(default=None, metadata=_read(Metadata.from_dict))
    override_metadata: Metadata | None = field(default=None, metadata=_read(Metadata.from_dict))
    default_rule_set: RuleSet | None = field(default=None, metadata=_read(RuleSet.from_dict))
    override_rule_set: RuleSet | None = field(default=None, metadata=_read(RuleSet.from_dict))


@dataclass(frozen=True, slots=True)
class Association(_JsonObject):
    """A subject that a resource, such as a topic, is bound to."""

    subject: str | None
    guid: str | None
    resource_name: str | None
    resource_namespace: str | None
    resource_id: str | None
    resource_type: str | None
    association_type: str | None
    frozen: bool = field(default=False, metadata={"read": bool})


@dataclass(slots=True)
class AssociationInfo(_JsonObject):
    """One association in the answer to a request that made it."""

    subject: str | None = None
    association_type: str | None = None
    lifecycle: str | None = None
    frozen: bool = field(default=False, metadata={"read": bool})
    schema: Schema | None = field(default=None, metadata=_read(Schema.from_dict))


@dataclass(slots=True)
class AssociationCreateOrUpdateInfo(_JsonObject):
    """One association that is to be made."""

    subject: str | None = None
    association_type: str | None = None
    lifecycle: str | None = None
    frozen: bool | None = None
    schema: Schema | None = field(default=None, metadata=_read(Schema.from_dict))
    normalize: bool | None = None


@dataclass(slots=True)
class AssociationCreateOrUpdateRequest(_JsonObject):
    """Associations that are to be made for one resource."""

    resource_name: str | None = None
    resource_namespace: str | None = None
    resource_id: str | None = None
    resource_type: str | None = None
    associations: list[AssociationCreateOrUpdateInfo] | None = field(
        default=None, metadata=_read(_list_of(AssociationCreateOrUpdateInfo.from_dict))
    )


@dataclass(slots=True)
class AssociationResponse(_JsonObject):
    """The associations that were made for one resource."""

    resource_name: str | None = None
    resource_namespace: str | None = None
    resource_id: str | None = None
    resource_type: str | None = None
    associations: list[AssociationInfo] | None = field(
        default=None, metadata=_read(_list_of(AssociationInfo.from_dict))
    )
