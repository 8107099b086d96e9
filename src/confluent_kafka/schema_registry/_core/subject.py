# SPDX-License-Identifier: Apache-2.0
"""Which subject the schema of a message belongs to."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core.effects import ClusterId, call
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from confluent_kafka.schema_registry._core.effects import Op
    from confluent_kafka.schema_registry._core.models import Association, SchemaReference
    from confluent_kafka.serialization import SerializationContext

    Strategy: TypeAlias = Callable[[SerializationContext | None, str | None], str | None]

KAFKA_CLUSTER_ID = "subject.name.strategy.kafka.cluster.id"
FALLBACK_TYPE = "subject.name.strategy.fallback.type"
NAMESPACE_WILDCARD = "-"


class SubjectNameStrategyType(str, Enum):
    """The strategies that have a name."""

    NONE = "NONE"
    TOPIC = "TOPIC"
    RECORD = "RECORD"
    TOPIC_RECORD = "TOPIC_RECORD"
    ASSOCIATED = "ASSOCIATED"

    def __str__(self) -> str:
        return str(self.value)


def topic_subject_name_strategy(ctx: SerializationContext | None, record_name: str | None) -> str | None:
    """Return ``<topic>-key`` or ``<topic>-value``; ValueError without a context."""
    ctx = _needed(ctx, "topic_subject_name_strategy")
    return f"{ctx.topic}-{_field(ctx)}"


def topic_record_subject_name_strategy(ctx: SerializationContext | None, record_name: str | None) -> str | None:
    """Return ``<topic>-<record name>``, None without a record name; ValueError without a context."""
    ctx = _needed(ctx, "topic_record_subject_name_strategy")
    return None if record_name is None else f"{ctx.topic}-{record_name}"


def record_subject_name_strategy(ctx: SerializationContext | None, record_name: str | None) -> str | None:
    """Return the record name, None without one."""
    return record_name


def reference_subject_name_strategy(ctx: SerializationContext | None, schema_ref: SchemaReference) -> str | None:
    """Return the name a referenced schema is used by."""
    return schema_ref.name


def _needed(ctx: SerializationContext | None, strategy: str) -> SerializationContext:
    if ctx is None:
        raise ValueError(
            f"SerializationContext is required for {strategy}. "
            "Either provide a SerializationContext or use record_subject_name_strategy."
        )
    return ctx


def _field(ctx: SerializationContext) -> str:
    # a plain str will do for the field
    return str(getattr(ctx.field, "value", ctx.field))


_NAMED: dict[SubjectNameStrategyType, Strategy] = {
    SubjectNameStrategyType.TOPIC: topic_subject_name_strategy,
    SubjectNameStrategyType.RECORD: record_subject_name_strategy,
    SubjectNameStrategyType.TOPIC_RECORD: topic_record_subject_name_strategy,
}


class SubjectNaming:
    """The subject name strategy of one serializer.

    Args:
        strategy: a callable ``(context, record name) -> subject or None``; wins over ``strategy_type``.
        strategy_type: TOPIC, RECORD, TOPIC_RECORD or ASSOCIATED (the default), in any case.
        conf: for ASSOCIATED: the cluster id and the type to fall back to.
    Raises:
        ValueError: not callable, or no such type.
    """

    def __init__(self, strategy: Any = None, strategy_type: Any = None, conf: Mapping[str, Any] | None = None) -> None:
        if strategy is not None and not callable(strategy):
            raise ValueError("subject.name.strategy must be callable")
        if conf is not None and not hasattr(conf, "get"):
            raise ValueError("subject.name.strategy.conf must be a dict value")
        self.custom: Strategy | None = strategy
        self._conf: Mapping[str, Any] = conf or {}
        self._type = SubjectNameStrategyType.ASSOCIATED
        if strategy is None and strategy_type is not None:
            self._type = _strategy_type("subject.name.strategy.type", strategy_type)
            if self._type is SubjectNameStrategyType.NONE:
                raise ValueError(
                    "Invalid subject.name.strategy.type: NONE. NONE cannot be used as a subject name strategy."
                )
        self._fallback = SubjectNameStrategyType.TOPIC
        if self._type is SubjectNameStrategyType.ASSOCIATED and self._conf.get(FALLBACK_TYPE) is not None:
            self._fallback = _strategy_type(FALLBACK_TYPE, self._conf[FALLBACK_TYPE])
            if self._fallback is SubjectNameStrategyType.ASSOCIATED:
                raise ValueError(
                    f"Invalid value for {FALLBACK_TYPE}: ASSOCIATED. ASSOCIATED cannot be used as a fallback strategy."
                )

    def resolve(self, ctx: SerializationContext | None, record_name: str | None) -> Op[str | None]:
        """Find the subject of a message; None when the strategy has none for it.

        Raises:
            ValueError: the strategy needs a context.
            SerializationError: ASSOCIATED found several subjects, or none and there is nothing to fall back to, or the
                cluster id could not be found out.
            SchemaRegistryError: the registry could not be asked.
        """
        if self.custom is not None:
            return self.custom(ctx, record_name)
        if self._type is not SubjectNameStrategyType.ASSOCIATED:
            return _NAMED[self._type](ctx, record_name)
        if ctx is None:
            raise ValueError(
                "SerializationContext is required for AssociatedNameStrategy. "
                "Either provide a SerializationContext or use a different strategy."
            )
        return (yield from self._associated(ctx, record_name))

    def _associated(self, ctx: SerializationContext, record_name: str | None) -> Op[str | None]:
        namespace = yield from self._namespace()
        kind = "key" if ctx.field == MessageField.KEY else "value"
        try:
            found: list[Association] = yield from call(
                "get_associations_by_resource_name",
                resource_name=ctx.topic,
                resource_namespace=namespace,
                resource_type="topic",
                association_types=[kind],
                offset=0,
                limit=-1,
            )
        except SchemaRegistryError as e:
            if e.http_status_code != 404:  # registries without this call answer 404
                raise
            found = []
        if len(found) > 1:
            raise SerializationError(f"Multiple associated subjects found for topic {ctx.topic}")
        if found:
            return found[0].subject
        if self._fallback is SubjectNameStrategyType.NONE:
            raise SerializationError(f"No associated subject found for topic {ctx.topic}")
        return _NAMED[self._fallback](ctx, record_name)

    def _namespace(self) -> Op[str]:
        configured = self._conf.get(KAFKA_CLUSTER_ID)
        if configured:
            return str(configured)
        try:
            cluster_id: str | None = yield ClusterId()
        except Exception as e:
            raise SerializationError(
                "cannot find out the id of the Kafka cluster, which subjects are associated by: has the client reached "
                f"a broker? Set {KAFKA_CLUSTER_ID} in subject.name.strategy.conf to do without: {e}"
            ) from e
        if cluster_id == "":
            raise SerializationError(
                f"the id of the Kafka cluster is empty: set {KAFKA_CLUSTER_ID} in subject.name.strategy.conf"
            )
        return NAMESPACE_WILDCARD if cluster_id is None else cluster_id


def _strategy_type(key: str, value: Any) -> SubjectNameStrategyType:
    try:
        return SubjectNameStrategyType(str(value).upper())
    except ValueError as e:
        names = ", ".join(item.value for item in SubjectNameStrategyType)
        raise ValueError(f"Invalid {key}: {value}. Valid values are: {names}") from e
