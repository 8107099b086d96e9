# SPDX-License-Identifier: Apache-2.0
"""What the synchronous serializers of all formats share."""

from __future__ import annotations

import contextlib
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from confluent_kafka.schema_registry._core.cache import BoundedDict
from confluent_kafka.schema_registry._core.effects import BlockingCall, ClientCall, ClusterId, Share, UserCall
from confluent_kafka.schema_registry._core.serde import Serde
from confluent_kafka.schema_registry._core.serializer import Pending
from confluent_kafka.schema_registry._core.subject import FALLBACK_TYPE, KAFKA_CLUSTER_ID, SubjectNaming  # noqa: F401 - old paths
from confluent_kafka.schema_registry._sync.drive import drive
from confluent_kafka.schema_registry._sync.schema_registry_client import SchemaRegistryClient
from confluent_kafka.serialization import Deserializer, Serializer
from confluent_kafka.serialization._single_flight import SingleFlight
from confluent_kafka.serialization._steps import is_awaitable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from confluent_kafka.schema_registry._core.effects import Effect, Op
    from confluent_kafka.schema_registry._core.serializer import DeserializerCore, SerializerCore
    from confluent_kafka.serialization import SerializationContext

T = TypeVar("T")
_everywhere: SingleFlight[Any] = SingleFlight()


class BaseSerde(Serde):
    """A (de)serializer with its registry client.

    Args:
        client: the registry client; None where the format can do without.
        core: what is done with a message.
        rule_conf, rule_registry: for rules.
    """

    def __init__(
        self,
        client: SchemaRegistryClient | None,
        core: SerializerCore | DeserializerCore,
        rule_conf: dict[str, Any] | None = None,
        rule_registry: Any = None,
    ) -> None:
        super().__init__(client, core, rule_conf, rule_registry)
        self._flight: SingleFlight[Any] = SingleFlight()

    def set_cluster_id_resolver(self, resolver: Callable[[], str]) -> None:
        """Have the ASSOCIATED strategy ask ``resolver`` for the id of the Kafka cluster, when it is not configured."""
        self._cluster_id = resolver

    def close(self) -> None:
        """Close executors of a rule registry of its own, and the registry client if a builder made it for this object.

        Any number of times.
        """
        self._rules.close()
        owned, self._owns_client = self._owns_client, False
        if owned and self._client is not None:
            self._client.close()

    def _run(self, operation: Op[T]) -> T:
        return drive(operation, self._perform)

    def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, ClientCall):
            return getattr(self._client, effect.method)(**effect.arguments)
        if isinstance(effect, Share):
            flight = _everywhere if effect.everywhere else self._flight
            return flight.run(effect.key, lambda: self._run(effect.make()))
        if isinstance(effect, ClusterId):
            return None if self._cluster_id is None else self._cluster_id()
        if isinstance(effect, BlockingCall):
            return effect.function()
        if isinstance(effect, UserCall):
            return call_user(effect)
        raise NotImplementedError(f"unknown effect {effect!r}")


def call_user(effect: UserCall) -> Any:
    """Call a function of the application's, which here cannot be a coroutine function."""
    result = effect.function(*effect.arguments)
    if is_awaitable(result):
        if iscoroutine(result):
            result.close()  # it would complain that nobody awaited it
        raise TypeError("a coroutine where this (de)serializer cannot await one: use the asyncio form of it")
    return result


class BaseSerializer(BaseSerde, Serializer):
    """A serializer: object to framed bytes by way of a plan."""

    _core: SerializerCore

    def __call__(self, obj: Any, ctx: SerializationContext | None = None) -> bytes | None:
        """Return ``obj`` as bytes with the schema's id, None for None.

        Args:
            obj: the object.
            ctx: topic, field and headers; most subject name strategies need it.
        Raises:
            SchemaMismatchError: the object does not match the schema; also a TypeError and a ValueError.
            SchemaRegistryError: the schema could not be registered or fetched.
            SerializationError: there is no subject; or a rule failed, which ``__cause__`` explains, or checks in the
                schema's text did, which it lists; or the contract could not be kept (RulesNotEnforcedError). Nothing
                is written.
        """
        outcome = self._core.start(obj, ctx)
        return self._run(outcome.operation) if isinstance(outcome, Pending) else outcome

    def serialize_many(self, objects: Iterable[Any], ctx: SerializationContext | None = None) -> list[bytes | None]:
        """Return many objects for one topic and field as bytes, in order: what each call would, for less.

        A header with the schema's id (``header_schema_id_serializer``) is written once: it is the same for all.

        Raises: as a call; the error's text says which object, counted from 0. None of the others is returned then.
        """
        outcome = self._core.start_many(objects, ctx)
        return self._run(outcome.operation) if isinstance(outcome, Pending) else outcome


class BaseDeserializer(BaseSerde, Deserializer):
    """A deserializer: framed bytes to object by way of a plan."""

    _core: DeserializerCore

    def __call__(self, data: bytes | None, ctx: SerializationContext | None = None) -> Any:
        """Return the object that ``data`` stands for, None for None.

        Args:
            data: the bytes, with the schema's id before them or in a header.
            ctx: topic, field and headers.
        Raises:
            SerializationError: the bytes are cut off, corrupt, or not framed; or a rule failed, which ``__cause__``
                explains.
            SchemaRegistryError: a schema could not be fetched.
        """
        outcome = self._core.start(data, ctx)
        return self._run(outcome.operation) if type(outcome) is Pending else outcome

    def deserialize_many(self, values: Iterable[bytes | None], ctx: SerializationContext | None = None) -> list[Any]:
        """Return the objects of many values of one topic and field, in order: what each call would, for less.

        Raises: as a call; the error's text says which value, counted from 0. None of the others is returned then.
        """
        outcome = self._core.start_many(values, ctx)
        objects: list[Any] = self._run(outcome.operation) if type(outcome) is Pending else outcome
        return objects


S = TypeVar("S", bound=BaseSerde)


def build_serde(
    schema_registry_client: SchemaRegistryClient | None,
    schema_registry_conf: dict[str, Any] | None,
    construct: Callable[[Any], S],
    init: Callable[[S], Any] | None = None,
) -> S:
    """Make a (de)serializer for a builder.

    Args:
        schema_registry_client: the application's registry client; or
        schema_registry_conf: configuration of one that is made here and closed with the (de)serializer.
        construct: makes the (de)serializer; gets None when there is neither.
        init: called with it before it is handed out.
    Raises:
        ValueError: both a client and a configuration.
    """
    if schema_registry_client is not None and schema_registry_conf is not None:
        raise ValueError("Cannot specify both a Schema Registry client and a configuration; use one or the other")
    owned = None
    if schema_registry_conf is not None:
        schema_registry_client = owned = SchemaRegistryClient.new_client(schema_registry_conf)
    try:
        serde = construct(schema_registry_client)
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


class SyncBuild(Generic[S]):
    """The ``build`` of the builders of synchronous (de)serializers; they say what the parts are."""

    _client: Any
    _client_conf: dict[str, Any] | None
    _init: Callable[[S], Any] | None
    _construct: Callable[[Any], Any]

    def build(self, conf: dict[str, Any], is_key: bool) -> tuple[S, dict[str, Any]]:
        """Return the (de)serializer and a copy of ``conf``.

        Raises:
            ValueError: both a registry client and a configuration for one were given, or none of them.
        """
        return build_serde(self._client, self._client_conf, self._construct, self._init), dict(conf)


class AssociatedNameStrategy:
    """A subject name strategy for ``subject.name.strategy`` and for calling: the subject the registry has for a topic.

    Args:
        cache_capacity: number of answers that are kept.
    """

    def __init__(self, cache_capacity: int = 1000) -> None:
        self._cache: BoundedDict[Any, str | None] = BoundedDict(cache_capacity)
        self._cluster_id: Callable[[], str] | None = None

    def __call__(
        self,
        ctx: SerializationContext | None,
        record_name: str | None,
        schema_registry_client: SchemaRegistryClient,
        conf: Mapping[str, Any] | None = None,
    ) -> str | None:
        """Return the subject of a message.

        Args:
            ctx: topic and field.
            record_name: name of the record, for a fallback that needs it.
            schema_registry_client: whom to ask.
            conf: ``subject.name.strategy.kafka.cluster.id``, ``subject.name.strategy.fallback.type``.
        Raises:
            ValueError: no context, or a wrong configuration.
            SerializationError: there are several subjects, or none and nothing to fall back to.
        """
        key = None if ctx is None else (ctx.topic, str(ctx.field), record_name)
        if key in self._cache:
            return self._cache[key]

        def perform(effect: Effect) -> Any:
            if isinstance(effect, ClientCall):
                return getattr(schema_registry_client, effect.method)(**effect.arguments)
            return None if self._cluster_id is None else self._cluster_id()

        return self._cache.put(key, drive(SubjectNaming(conf=conf).resolve(ctx, record_name), perform))

    def set_cluster_id_resolver(self, resolver: Callable[[], str]) -> None:
        """Ask ``resolver`` for the id of the Kafka cluster, when it is not configured."""
        self._cluster_id = resolver

    def clear_cache(self) -> None:
        """Forget the answers."""
        self._cache.clear()
