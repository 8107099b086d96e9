# SPDX-License-Identifier: Apache-2.0
"""What the asyncio serializers of all formats share."""

from __future__ import annotations

import contextlib
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from confluent_kafka.schema_registry._async.drive import Flights, drive
from confluent_kafka.schema_registry._async.threads import in_thread
from confluent_kafka.schema_registry._core.cache import BoundedDict
from confluent_kafka.schema_registry._core.effects import BlockingCall, ClientCall, ClusterId, Share, UserCall
from confluent_kafka.schema_registry._core.serde import Serde
from confluent_kafka.schema_registry._core.serializer import Pending
from confluent_kafka.schema_registry._core.subject import FALLBACK_TYPE, KAFKA_CLUSTER_ID, SubjectNaming  # noqa: F401 - old paths
from confluent_kafka.serialization import Deserializer, Serializer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping

    from typing_extensions import Self

    from confluent_kafka.schema_registry._core.effects import Effect, Op
    from confluent_kafka.schema_registry._core.serializer import DeserializerCore, SerializerCore
    from confluent_kafka.serialization import SerializationContext

T = TypeVar("T")
_everywhere = Flights()


class AsyncBaseSerde(Serde):
    """A (de)serializer with its registry client. It belongs to no event loop: one after the other may use it.

    Args:
        client: the registry client; None where the format can do without. Methods that do not have to be awaited are
            called on the event loop.
        core: what is done with a message.
        rule_conf, rule_registry: for rules.
    """

    def __init__(
        self,
        client: Any,
        core: SerializerCore | DeserializerCore,
        rule_conf: dict[str, Any] | None = None,
        rule_registry: Any = None,
    ) -> None:
        super().__init__(client, core, rule_conf, rule_registry)
        self._flight = Flights()

    def __await__(self) -> Generator[Any, None, Self]:
        """Return this object: it is ready when it is made, ``await`` or not."""
        yield from ()
        return self

    def set_async_cluster_id_resolver(self, resolver: Callable[[], Awaitable[str]]) -> None:
        """Have the ASSOCIATED strategy await ``resolver()`` for the id of the Kafka cluster, when not configured."""
        self._cluster_id = resolver

    def set_cluster_id_resolver(self, resolver: Callable[[], Any]) -> None:
        """Have the ASSOCIATED strategy ask ``resolver``, which must not block, or may return an awaitable."""
        self._cluster_id = resolver

    def close(self) -> None:
        """Do nothing that takes time: see :meth:`aclose`."""

    async def aclose(self) -> None:
        """Close executors of a rule registry of its own, and the registry client if a builder made it for this object.

        Any number of times.
        """
        self._rules.close()
        for one in self._rules.own():
            if (aclose := getattr(one, "aclose", None)) is not None:
                await aclose()  # what it has open on this event loop
        owned, self._owns_client = self._owns_client, False
        if owned:
            await close_client(self._client)

    async def _run(self, operation: Op[T]) -> T:
        return await drive(operation, self._perform)

    async def _perform(self, effect: Effect) -> Any:
        result: Any
        if isinstance(effect, ClientCall):
            result = getattr(self._client, effect.method)(**effect.arguments)
        elif isinstance(effect, Share):
            flight = _everywhere if effect.everywhere else self._flight
            result = flight.run(effect.key, lambda: self._run(effect.make()))
        elif isinstance(effect, ClusterId):
            result = None if self._cluster_id is None else self._cluster_id()
        elif isinstance(effect, BlockingCall):
            result = in_thread(effect.function) if effect.awaitable is None else effect.awaitable(self._client)
        elif isinstance(effect, UserCall):
            result = effect.function(*effect.arguments)
        else:
            raise NotImplementedError(f"unknown effect {effect!r}")
        return await result if isawaitable(result) else result


async def close_client(client: Any) -> None:
    """Close a registry client, whichever of the usual methods it has for that."""
    for name in ("aclose", "close"):
        method = getattr(client, name, None)
        if method is not None:
            result = method()
            if isawaitable(result):
                await result
            return


class AsyncBaseSerializer(AsyncBaseSerde, Serializer):
    """A serializer: object to framed bytes by way of a plan."""

    _core: SerializerCore

    async def __call__(  # type: ignore[override]  # awaited
        self, obj: Any, ctx: SerializationContext | None = None
    ) -> bytes | None:
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
        return await self._run(outcome.operation) if isinstance(outcome, Pending) else outcome

    async def serialize_many(
        self, objects: Iterable[Any], ctx: SerializationContext | None = None
    ) -> list[bytes | None]:
        """Return many objects for one topic and field as bytes, in order: what each call would, for less.

        A header with the schema's id (``header_schema_id_serializer``) is written once: it is the same for all.

        Raises: as a call; the error's text says which object, counted from 0. None of the others is returned then.
        """
        outcome = self._core.start_many(objects, ctx)
        return await self._run(outcome.operation) if isinstance(outcome, Pending) else outcome


class AsyncBaseDeserializer(AsyncBaseSerde, Deserializer):
    """A deserializer: framed bytes to object by way of a plan."""

    _core: DeserializerCore

    async def __call__(self, data: bytes | None, ctx: SerializationContext | None = None) -> Any:
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
        return await self._run(outcome.operation) if isinstance(outcome, Pending) else outcome

    async def deserialize_many(
        self, values: Iterable[bytes | None], ctx: SerializationContext | None = None
    ) -> list[Any]:
        """Return the objects of many values of one topic and field, in order: what each call would, for less.

        Raises: as a call; the error's text says which value, counted from 0. None of the others is returned then.
        """
        outcome = self._core.start_many(values, ctx)
        objects: list[Any] = await self._run(outcome.operation) if isinstance(outcome, Pending) else outcome
        return objects


S = TypeVar("S", bound=AsyncBaseSerde)


async def async_build_serde(
    schema_registry_client: Any,
    schema_registry_conf: dict[str, Any] | None,
    construct: Callable[[Any], Any],
    init: Callable[[Any], Any] | None = None,
) -> Any:
    """Make a (de)serializer for a builder.

    Args:
        schema_registry_client: the application's registry client; or
        schema_registry_conf: configuration of one that is made here and closed with the (de)serializer.
        construct: makes the (de)serializer, or gives an awaitable of it; gets None when there is no client.
        init: called, and awaited, with it before it is handed out.
    Raises:
        ValueError: both a client and a configuration.
    """
    if schema_registry_client is not None and schema_registry_conf is not None:
        raise ValueError("Cannot specify both a Schema Registry client and a configuration; use one or the other")
    owned = None
    if schema_registry_conf is not None:
        schema_registry_client = owned = new_client(schema_registry_conf)
    try:
        serde = construct(schema_registry_client)
        if isawaitable(serde):
            serde = await serde
        if init is not None:
            result = init(serde)
            if isawaitable(result):
                await result
    except BaseException:
        if owned is not None:
            with contextlib.suppress(Exception):
                await close_client(owned)
        raise
    if owned is not None:
        serde.own_schema_registry_client()
    return serde


def new_client(conf: dict[str, Any]) -> Any:
    """Return an asyncio registry client."""
    from confluent_kafka.schema_registry._async.schema_registry_client import AsyncSchemaRegistryClient

    return AsyncSchemaRegistryClient.new_client(conf)


class AsyncBuild(Generic[S]):
    """The ``build`` of the builders of asyncio (de)serializers; they say what the parts are."""

    _client: Any
    _client_conf: dict[str, Any] | None
    _init: Callable[[S], Any] | None
    _construct: Callable[[Any], Any]

    def build(self, conf: dict[str, Any], is_key: bool) -> Coroutine[Any, Any, tuple[S, dict[str, Any]]]:
        """Return a coroutine of the (de)serializer and a copy of ``conf``.

        Raises:
            ValueError: both a registry client and a configuration for one were given, or none of them.
        """
        return self._build(conf)

    async def _build(self, conf: dict[str, Any]) -> tuple[S, dict[str, Any]]:
        serde = await async_build_serde(self._client, self._client_conf, self._construct, self._init)
        return serde, dict(conf)


class AsyncAssociatedNameStrategy:
    """A subject name strategy: the subject the registry has for a topic.

    Args:
        cache_capacity: number of answers that are kept.
    """

    def __init__(self, cache_capacity: int = 1000) -> None:
        self._cache: BoundedDict[Any, str | None] = BoundedDict(cache_capacity)
        self._cluster_id: Callable[[], Awaitable[str]] | None = None

    async def __call__(
        self,
        ctx: SerializationContext | None,
        record_name: str | None,
        schema_registry_client: Any,
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

        async def perform(effect: Effect) -> Any:
            if isinstance(effect, ClientCall):
                result = getattr(schema_registry_client, effect.method)(**effect.arguments)
            else:
                result = None if self._cluster_id is None else self._cluster_id()
            return await result if isawaitable(result) else result

        return self._cache.put(key, await drive(SubjectNaming(conf=conf).resolve(ctx, record_name), perform))

    def set_async_cluster_id_resolver(self, resolver: Callable[[], Awaitable[str]]) -> None:
        """Await ``resolver()`` for the id of the Kafka cluster, when it is not configured."""
        self._cluster_id = resolver

    async def clear_cache(self) -> None:
        """Forget the answers."""
        self._cache.clear()
