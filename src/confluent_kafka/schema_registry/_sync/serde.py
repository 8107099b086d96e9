# SPDX-License-Identifier: Apache-2.0
"""What the synchronous serializers of all formats share."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka.schema_registry._core.effects import ClientCall, ClusterId
from confluent_kafka.schema_registry._core.framing import SchemaId
from confluent_kafka.schema_registry._core.subject import SubjectNaming
from confluent_kafka.schema_registry._sync.schema_registry_client import SchemaRegistryClient
from confluent_kafka.serialization import Deserializer, Serializer
from confluent_kafka.serialization._single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka.schema_registry._core.effects import Effect, Op
    from confluent_kafka.schema_registry._core.plan import ReadPlan, ReadPlanner, WritePlan, WritePlanner
    from confluent_kafka.serialization import SerializationContext

T = TypeVar("T")


class BaseSerde:
    """A (de)serializer with its registry client."""

    _planner: WritePlanner | ReadPlanner

    def __init__(self, client: SchemaRegistryClient) -> None:
        self._client = client
        self._owns_client = False
        self._cluster_id: Callable[[], str] | None = None
        self._flight: SingleFlight[Any] = SingleFlight()

    def set_cluster_id_resolver(self, resolver: Callable[[], str]) -> None:
        """Have the ASSOCIATED strategy ask ``resolver`` for the id of the Kafka cluster, when it is not configured."""
        self._cluster_id = resolver

    def configure_subject_name_strategy(
        self,
        subject_name_strategy_type: Any = None,
        subject_name_strategy_conf: dict[str, Any] | None = None,
        subject_name_strategy: Callable[..., str | None] | None = None,
    ) -> None:
        """Set the subject name strategy; call it before the first message.

        Args:
            subject_name_strategy_type: TOPIC, RECORD, TOPIC_RECORD or ASSOCIATED (the default).
            subject_name_strategy_conf: for ASSOCIATED.
            subject_name_strategy: a callable ``(context, record name) -> subject``; wins over the type.
        Raises:
            ValueError: not callable, or no such type.
        """
        self._planner.naming = SubjectNaming(
            subject_name_strategy, subject_name_strategy_type, subject_name_strategy_conf
        )

    def own_schema_registry_client(self) -> None:
        """Close the registry client with this object."""
        self._owns_client = True

    def close(self) -> None:
        """Close the registry client if a builder made it for this object; any number of times."""
        owned, self._owns_client = self._owns_client, False
        if owned:
            self._client.close()

    def _run(self, operation: Op[T]) -> T:
        try:
            effect = next(operation)
            while True:
                try:
                    result = self._perform(effect)
                except BaseException as e:  # noqa: PERF203  # the operation decides what becomes of it
                    effect = operation.throw(e)
                else:
                    effect = operation.send(result)
        except StopIteration as done:
            value: T = done.value
            return value

    def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, ClientCall):
            return getattr(self._client, effect.method)(**effect.arguments)
        if isinstance(effect, ClusterId):
            return None if self._cluster_id is None else self._cluster_id()
        raise NotImplementedError(f"unknown effect {effect!r}")


class BaseSerializer(BaseSerde, Serializer):
    """A serializer: object to framed bytes by way of a plan."""

    _planner: WritePlanner
    _to_dict: Callable[[Any, SerializationContext], Any] | None

    def __call__(self, obj: Any, ctx: SerializationContext | None = None) -> bytes | None:
        """Return ``obj`` as bytes with the schema's id, None for None.

        Args:
            obj: the object.
            ctx: topic, field and headers; most subject name strategies need it.
        Raises:
            TypeError, ValueError: the object does not match the schema.
            SchemaRegistryError: the schema could not be registered or fetched.
            SerializationError: there is no subject, or the schema has rules, which this version cannot run.
        """
        if obj is None:
            return None
        planner = self._planner
        key = planner.key(ctx)
        plan = planner.find(key)
        if plan is None:
            plan = self._make_plan(key, ctx)
        if self._to_dict is not None:
            if ctx is None:
                raise TypeError("SerializationContext cannot be None")
            obj = self._to_dict(obj, ctx)
        if planner.frames_itself:
            return plan.encode(obj, plan.prefix)
        return planner.frame(plan, plan.encode(obj, b""), ctx)

    def _make_plan(self, key: Any, ctx: SerializationContext | None) -> WritePlan:
        operation = self._planner.make(key, ctx)
        if self._planner.follows_registry:
            return self._run(operation)
        plan: WritePlan = self._flight.run(key, lambda: self._run(operation))
        return plan


class BaseDeserializer(BaseSerde, Deserializer):
    """A deserializer: framed bytes to object by way of a plan."""

    _planner: ReadPlanner
    _from_dict: Callable[[Any, SerializationContext], Any] | None

    def __call__(self, value: bytes | None, ctx: SerializationContext | None = None) -> Any:
        """Return the object that ``value`` stands for, None for None.

        Args:
            value: the bytes, with the schema's id before them or in a header.
            ctx: topic, field and headers.
        Raises:
            SerializationError: the bytes are cut off, corrupt, or not framed; or a schema has rules, which this version
                cannot run.
            SchemaRegistryError: a schema could not be fetched.
        """
        if value is None:
            return None
        planner = self._planner
        if planner.reads_frame:
            data = value if isinstance(value, bytes) else bytes(value)
            frame, length = planner.frame(data, ctx)
            key = planner.key(frame, ctx)
            plan = planner.find(key)
            if plan is None:
                schema_id = SchemaId(planner.schema_type)
                schema_id.from_bytes(io.BytesIO(frame))
                plan = self._make_plan(key, schema_id, ctx)
        else:
            schema_id = SchemaId(planner.schema_type)
            data, length = planner.unframe(value, ctx, schema_id).read(), 0
            indexes = schema_id.message_indexes
            key = planner.key((schema_id.id, schema_id.guid, None if indexes is None else tuple(indexes)), ctx)
            plan = planner.find(key)
            if plan is None:
                plan = self._make_plan(key, schema_id, ctx)
        obj = plan.decode(data, length)
        if self._from_dict is None:
            return obj
        if ctx is None:
            raise TypeError("SerializationContext cannot be None")
        return self._from_dict(obj, ctx)

    def _make_plan(self, key: Any, schema_id: SchemaId, ctx: SerializationContext | None) -> ReadPlan:
        operation = self._planner.make(key, schema_id, ctx)
        if self._planner.follows_registry:
            return self._run(operation)
        plan: ReadPlan = self._flight.run(key, lambda: self._run(operation))
        return plan


S = TypeVar("S", bound=BaseSerde)


def build_serde(
    client: SchemaRegistryClient | None,
    client_conf: dict[str, Any] | None,
    construct: Callable[[SchemaRegistryClient], S],
    init: Callable[[S], Any] | None,
) -> S:
    """Make a (de)serializer for a builder.

    Args:
        client: the application's registry client; or
        client_conf: configuration of one that is made here and closed with the (de)serializer.
        construct: makes the (de)serializer.
        init: called with it before it is handed out.
    Raises:
        ValueError: both a client and a configuration, or none of them.
    """
    if client is not None and client_conf is not None:
        raise ValueError("Cannot specify both a Schema Registry client and a configuration; use one or the other")
    owned = None
    if client is None:
        if client_conf is None:
            raise ValueError("no Schema Registry: call set_schema_registry_client or set_schema_registry_config")
        client = owned = SchemaRegistryClient.new_client(client_conf)
    try:
        serde = construct(client)
        if init is not None:
            init(serde)
    except BaseException:
        if owned is not None:
            with contextlib.suppress(Exception):
                owned.close()
        raise
    if owned is not None:
        serde.own_schema_registry_client()
    return serde
