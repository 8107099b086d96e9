# SPDX-License-Identifier: Apache-2.0
"""From a message's topic and field to what is to be done with it.

A plan holds everything about a message that depends on its schema only: the subject, the id, the compiled codec. It is
made once per (subject, schema), by an operation that may ask the registry, and never changes. Every later message finds
it in one dictionary access.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core.cache import BoundedDict
from confluent_kafka.schema_registry._core.client_caches import ClientCaches
from confluent_kafka.schema_registry._core.effects import call
from confluent_kafka.schema_registry._core.framing import (
    MAGIC_V1,
    V0_BYTES,
    V1_BYTES,
    SchemaId,
    dual_schema_id_deserializer,
    end_of_indexes,
    header_frame,
    header_schema_id_serializer,
    prefix_schema_id_deserializer,
    prefix_schema_id_serializer,
)
from confluent_kafka.schema_registry._core.models import RegisteredSchema, RuleMode, Schema
from confluent_kafka.schema_registry._core.references import fetch_references, format_option
from confluent_kafka.schema_registry._core.rule_setup import ALLOW, RuleSetup, has_migration_rules
from confluent_kafka.schema_registry._core.rule_types import Migration
from confluent_kafka.schema_registry._core.validation import Validation, take_validation
from confluent_kafka.schema_registry.error import SchemaMismatchError, SchemaRegistryError
from confluent_kafka.serialization import MessageField

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from confluent_kafka.schema_registry._core.effects import Op
    from confluent_kafka.schema_registry._core.rule_fields import Fields
    from confluent_kafka.schema_registry._core.rules import CompiledRules
    from confluent_kafka.schema_registry._core.subject import SubjectNaming
    from confluent_kafka.schema_registry._core.validation import Visit
    from confluent_kafka.serialization import SerializationContext


def is_key(ctx: SerializationContext | None) -> bool:
    """Whether a context says that it is a message's key."""
    return ctx is not None and ctx.field == MessageField.KEY


class Codec(Protocol):
    """One format. ``compile`` results are opaque to the planners.

    Codecs derive from this class, for its defaults. One is made per serializer, and never changes.

    ``schema_type`` is the registry's name of the format; ``fetch_format`` the ``fmt`` that its schemas are fetched in.
    """

    schema_type: str
    fetch_format: str | None = None
    # the path of a message itself, in what inline validation says
    root_path: str = ""

    def prepare(self, ctx: SerializationContext | None, register: bool, normalize: bool) -> Op[Schema | None]:
        """Return the schema to write with, when it takes the registry to know it; None is the one that was given.

        An operation, run for every plan that is made: Protobuf registers (or looks up) the files that its own imports.
        """
        yield from ()
        return None

    def select(self, compiled: Any, message_indexes: list[int]) -> Any:
        """Return what ``compiled`` has at the place that the indexes in a message point to (Protobuf only).

        Raises:
            SerializationError: there is nothing.
        """
        return compiled

    def indexes(self, compiled: Any) -> list[int] | None:
        """Return the message indexes that are written behind the schema's id (Protobuf only).

        Raises:
            SerializationError: the schema does not have the message that is to be written.
        """
        return None

    def knows(self, name: str) -> bool:
        """Return whether what a schema refers to by this name is here anyway, so that it need not be fetched."""
        return False

    def fields(self, compiled: Any, tagged: Sequence[Schema], other: Any = None) -> Fields | None:
        """Return the fields of a compiled schema, for rules; None where the format has none.

        Args:
            compiled: the schema.
            tagged: schemas whose metadata gives tags to the fields.
            other: another compiled schema, whose inline tags count too.
        """
        return None

    def visit(self, compiled: Any) -> Visit | None:
        """Return what visits the places of a message that have checks in the schema's text; None without any."""
        return None

    def record_name(self, schema: Schema) -> str | None:
        """Return the name that subject strategies use."""

    def written_name(self, schema: Schema, message_indexes: list[int] | None) -> str | None:
        """Return the name that subject strategies use for a message with these indexes."""
        return self.record_name(schema)

    def compile(self, schema: Schema, references: Mapping[str, Schema]) -> Any:
        """Parse a schema with those it refers to, by the names it uses for them."""

    def encoder(self, compiled: Any) -> Callable[[Any, bytes], bytes]:
        """Return a function (object, first bytes) -> first bytes and the encoded object.

        For an object that does not match the schema it raises SchemaMismatchError, with the field's path, or anything
        else, for ``explain`` to find the path.
        """

    def explain(self, compiled: Any, obj: Any, error: Exception) -> SchemaMismatchError:
        """Return what says why ``encoder``'s function raised ``error``, for those that do not know it themselves."""
        return SchemaMismatchError(f"the object does not match the schema: {type(error).__name__}: {error}")

    def migrator(self, writer: Any, reader: Any) -> tuple[Callable[[bytes, int], Any], Callable[[Any], Any] | None]:
        """Return what reads objects for migrations, and what makes objects of the reader's out of the result."""
        return self.decoder(writer, None), None

    def decoder(self, writer: Any, reader: Any | None) -> Callable[[bytes, int], Any]:
        """Return a function (data, start) -> the object that begins there, written with one schema, read as another.

        It raises SerializationError for bytes that are no such object.
        """


@dataclass(frozen=True, slots=True)
class WritePlan:
    """How to write the messages of one subject: behind ``prefix``, or with the id serializer and ``schema_id``.

    ``where`` names subject and version for error messages.
    """

    subject: str
    where: str
    schema_id: SchemaId
    prefix: bytes
    encode: Callable[[Any, bytes], bytes]
    explain: Callable[[Any, Exception], SchemaMismatchError]
    rules: CompiledRules | None = None
    # of messages' keys, which rules of the values hear of
    of_key: bool = False


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """How to read the messages of one subject that were written with one schema."""

    subject: str | None
    where: str
    decode: Callable[[bytes, int], Any]
    rules: CompiledRules | None = None
    # what makes objects of the reader's out of migrated ones
    finish: Callable[[Any], Any] | None = None
    of_key: bool = False


class Planner:
    """What the planners of both directions have in common."""

    def __init__(self, codec: Codec, naming: SubjectNaming, options: Mapping[str, Any]) -> None:
        self._codec = codec
        self.schema_type = codec.schema_type
        self._format = format_option(codec.fetch_format)
        self.naming = naming
        self._schema_id: int | None = options.get("use.schema.id")
        self._metadata: dict[str, str] | None = options["use.latest.with.metadata"]
        self._latest: bool = options["use.latest.version"]
        # the registry is asked, by way of its client's caches, for every message: the answer may change
        self.follows_registry = self._schema_id is None and (self._latest or self._metadata is not None)
        self._compiled: BoundedDict[tuple[Hashable, ...], Any] = BoundedDict()
        # what the registry is not asked for again: the subject of a message, what messages were written with
        self._places: BoundedDict[Hashable, Any] = BoundedDict()
        self._peek: Callable[[str], RegisteredSchema | None] | None = None
        self.rules: RuleSetup | None = None

    def rename(self, naming: SubjectNaming) -> None:
        """Use another subject name strategy from now on."""
        self.naming = naming
        self._places.clear()

    def watch(self, client: Any) -> None:
        """Look into the cache of the client for latest versions: most messages then take no operation."""
        caches = getattr(client, "_caches", None)
        metadata, fmt = self._metadata, self._codec.fetch_format
        name = "get_latest_version" if metadata is None else "get_latest_with_metadata"
        if not self.follows_registry or not isinstance(caches, ClientCaches) or name in vars(client):
            return
        if not getattr(type(client), name).__module__.startswith("confluent_kafka.schema_registry."):
            return  # a method of the user's own is called each time
        wanted = None if metadata is None else frozenset(metadata.items())
        self._peek = lambda subject: caches.latest_version((subject, wanted, wanted is not None, fmt))

    def _from_registry(self, subject: str) -> Op[RegisteredSchema | None]:
        if self._schema_id is not None:
            schema = yield from call("get_schema", schema_id=self._schema_id, subject_name=subject, **self._format)
            found = yield from call("lookup_schema", subject_name=subject, schema=schema, deleted=True)
        elif self._metadata is not None:
            found = yield from call(
                "get_latest_with_metadata",
                subject_name=subject,
                metadata=self._metadata,
                deleted=True,
                **self._format,
            )
        elif self._latest:
            found = yield from call("get_latest_version", subject_name=subject, **self._format)
        else:
            return None
        registered: RegisteredSchema = found
        return registered

    def _compile(self, schema: Schema, where: str, key: tuple[Hashable, ...]) -> Op[Any]:
        compiled = self._compiled.get(key)
        if compiled is None:
            references = yield from fetch_references(schema, self._codec.fetch_format, self._codec.knows)
            compiled = self._compiled.put(key, self._codec.compile(schema, references))
        return compiled


class WritePlanner(Planner):
    """Makes and finds the plans of one serializer.

    Args:
        codec: the format.
        schema: what the objects are to be written with; None takes it from the registry.
        naming: the subject name strategy.
        options: values for all options of serializers.
    """

    def __init__(self, codec: Codec, schema: Schema | None, naming: SubjectNaming, options: Mapping[str, Any]) -> None:
        super().__init__(codec, naming, options)
        self._schema = schema
        self._record_name: str | None = None
        if schema is not None:
            self._record_name = codec.record_name(schema)
            if not schema.references:  # a schema that is wrong is better refused here than at the first message
                self._compiled.put(("own",), codec.compile(schema, {}))
        self._register: bool = options["auto.register.schemas"]
        self._normalize: bool = options["normalize.schemas"]
        self._lenient: bool = options[ALLOW]
        self._validation = take_validation(dict(options))
        self._id_serializer: Callable[..., bytes] = options["schema.id.serializer"]
        self.frames_itself = self._id_serializer is prefix_schema_id_serializer
        self.by_message: BoundedDict[Hashable, WritePlan] = BoundedDict()
        # plans with rules are kept apart: a message without rules is not even asked whether it has some
        self.ruled: BoundedDict[Hashable, WritePlan] = BoundedDict()
        self._by_subject: BoundedDict[Hashable, WritePlan] = BoundedDict()

    def key(self, ctx: SerializationContext | None) -> Hashable:
        """Return what the plan of a message depends on, as long as the registry does not change."""
        if self.naming.custom is not None:
            subject = self.naming.custom(ctx, self._record_name)
            return (subject, MessageField.KEY) if is_key(ctx) else subject
        return None if ctx is None else (ctx.topic, ctx.field)

    def make(self, key: Hashable, ctx: SerializationContext | None) -> Op[WritePlan]:
        """Make the plan for a message.

        Raises:
            SchemaRegistryError: the registry refused.
            SerializationError: there is no subject, or the data contract could not be kept.
            TypeError: there is no schema, neither given nor to be taken from the registry.
        """
        if (plan := self.by_message.get(key) or self.ruled.get(key)) is not None:
            return plan
        of_key = is_key(ctx)
        place = self._places.get(key)
        subject = place and place[0]
        if self.naming.custom is not None:
            subject = key[0] if of_key and isinstance(key, tuple) else key
            subject = subject if subject is None else str(subject)
        elif subject is None:
            subject = yield from self.naming.resolve(ctx, self._record_name)
        if subject is None:
            raise SerializationError(
                "no subject for this message: its strategy needs the name of a record, which this schema does not have"
                if self.naming.custom is None
                else "no subject for this message: subject.name.strategy returned None"
            )
        found = yield from self._from_registry(subject)
        plan_key = (subject, of_key, found and found.schema_id, found and found.guid)
        plan = self._by_subject.get(plan_key)
        if plan is None:
            plan = self._by_subject.put(plan_key, (yield from self._make(subject, found, ctx)))
        if not self.follows_registry:
            (self.by_message if plan.rules is None else self.ruled).put(key, plan)
        else:
            self._places.put(key, (subject, of_key))
        return plan

    def current(self, key: Hashable) -> WritePlan | None:
        """Return the plan by the latest version as the client knows it; None when it has to be asked for."""
        place = self._places.get(key)
        if place is None or self._peek is None:
            return None
        found = self._peek(place[0])
        return None if found is None else self._by_subject.get((*place, found.schema_id, found.guid))

    def _make(self, subject: str, found: RegisteredSchema | None, ctx: SerializationContext | None) -> Op[WritePlan]:
        where = f"subject {subject}"
        if found is not None:
            registered, compile_key = found, (subject, found.schema_id, found.guid)
            compiled = yield from self._compile(found.schema, where, compile_key)
        else:
            schema = (yield from self._codec.prepare(ctx, self._register, self._normalize)) or self._schema
            if schema is None:
                raise TypeError(
                    "there is no schema to serialize with: give schema_str, or set use.latest.version, "
                    "use.latest.with.metadata or use.schema.id"
                )
            compiled = yield from self._compile(schema, where, ("own",))
            registered = yield from call(
                "register_schema_full_response" if self._register else "lookup_schema",
                subject_name=subject,
                schema=schema,
                normalize_schemas=self._normalize,
            )
        schema_id = SchemaId(
            self._codec.schema_type, registered.schema_id, registered.guid, self._codec.indexes(compiled)
        )
        prefix = schema_id.id_to_bytes() if self.frames_itself else b""
        place = f"{subject} v{registered.version}" if registered.version else f"{subject}, schema {schema_id.id}"
        explain = partial(self._codec.explain, compiled)
        rules = (self.rules or RuleSetup()).for_writing(
            self._codec,
            compiled,
            registered.schema,
            self._schema,
            subject,
            chosen=found is not None,
            lenient=self._lenient,
        )
        rules = self._validation.add_to(rules, self._codec, compiled)
        encode = self._codec.encoder(compiled)
        return WritePlan(subject, place, schema_id, prefix, encode, explain, rules, is_key(ctx))

    def frame(self, plan: WritePlan, payload: bytes, ctx: SerializationContext | None) -> bytes:
        """Put the schema's id on an encoded object by the configured id serializer."""
        # a copy: it belongs to the plan, and these functions are the user's
        own = SchemaId(plan.schema_id.schema_type, plan.schema_id.id, message_indexes=plan.schema_id.message_indexes)
        own.guid = plan.schema_id.guid
        return self._id_serializer(payload, ctx, own)

    def frame_many(
        self, plan: WritePlan, payloads: list[bytes | None], ctx: SerializationContext | None
    ) -> list[bytes | None]:
        """Put the schema's id on many encoded objects; a header, which all of them share, is written once."""
        if self._id_serializer is header_schema_id_serializer:
            if any(payload is not None for payload in payloads):
                self.frame(plan, b"", ctx)
            return payloads
        return [None if payload is None else self.frame(plan, payload, ctx) for payload in payloads]

    def rename(self, naming: SubjectNaming) -> None:
        """Use another subject name strategy from now on."""
        super().rename(naming)
        self.by_message.clear()
        self.ruled.clear()

    def validate(self, validation: Validation) -> None:
        """Validate in another way from now on."""
        self._validation = validation
        self.by_message.clear()
        self.ruled.clear()
        self._by_subject.clear()


class ReadPlanner(Planner):
    """Makes and finds the plans of one deserializer.

    Args:
        codec: the format.
        schema: what the objects are to be read as; None reads them as they were written.
        naming: the subject name strategy.
        options: values for all options of deserializers.
        offline: there is no registry: all is read with ``schema``, whatever the message says it was written with.
    """

    def __init__(
        self,
        codec: Codec,
        schema: Schema | None,
        naming: SubjectNaming,
        options: Mapping[str, Any],
        offline: bool = False,
    ) -> None:
        super().__init__(codec, naming, options)
        self._schema = schema
        self._offline = offline
        if schema is not None:
            if not schema.references:
                self._compiled.put(("own",), codec.compile(schema, {}))
        deserializer: Callable[..., io.BytesIO] = options["schema.id.deserializer"]
        self.indexed = codec.schema_type == "PROTOBUF"
        self._dual = deserializer is dual_schema_id_deserializer
        self.reads_frame = self._dual or deserializer is prefix_schema_id_deserializer
        self.unframe = deserializer
        self.by_frame: BoundedDict[Hashable, ReadPlan] = BoundedDict()
        self.ruled: BoundedDict[Hashable, ReadPlan] = BoundedDict()
        self._by_schema: BoundedDict[Hashable, ReadPlan] = BoundedDict()

    def rename(self, naming: SubjectNaming) -> None:
        """Use another subject name strategy from now on."""
        super().rename(naming)
        self.by_frame.clear()
        self.ruled.clear()

    def frame(self, data: bytes, ctx: SerializationContext | None) -> tuple[bytes, int]:
        """Return the frame of a message and the number of bytes it takes at the beginning of ``data``.

        Raises:
            SerializationError: the data is too short to have one.
        """
        if self._dual and (frame := header_frame(ctx)) is not None:
            return frame, 0
        if len(data) < V0_BYTES:
            raise SerializationError(
                "Expecting data framing of length 6 bytes or more but total data size is "
                f"{len(data)} bytes. This message was not produced with a Confluent Schema Registry serializer"
            )
        length = V1_BYTES if data[0] == MAGIC_V1 else V0_BYTES
        if self.indexed:
            length = end_of_indexes(data, length)
        return data[:length], length

    def key(self, frame: Hashable, ctx: SerializationContext | None) -> Hashable:
        """Return what the plan of a message depends on, as long as the registry does not change."""
        if self.naming.custom is not None:
            return (None if ctx is None else self.naming.custom(ctx, None), is_key(ctx), frame)
        return frame if ctx is None else (ctx.topic, ctx.field, frame)

    def make(self, key: Hashable, schema_id: SchemaId, ctx: SerializationContext | None) -> Op[ReadPlan]:
        """Make the plan for a message written with ``schema_id``.

        Raises:
            SchemaRegistryError: the registry refused.
            SerializationError: there is no schema id.
        """
        if (plan := self.by_frame.get(key) or self.ruled.get(key)) is not None:
            return plan
        if self._offline and self._schema is not None:
            compiled = yield from self._compile(self._schema, "this deserializer", ("own",))
            decode = self._codec.decoder(compiled, None)
            return self.by_frame.put(key, ReadPlan(None, "the given schema", decode, of_key=is_key(ctx)))
        known = self._places.get(key)
        subject = (known[0] if known else (yield from self.naming.resolve(ctx, None))) if ctx is not None else None
        writer = yield from self._writer(schema_id, subject)
        if subject is None and ctx is not None:
            subject = yield from self.naming.resolve(ctx, self._codec.written_name(writer, schema_id.message_indexes))
        latest = None if subject is None else (yield from self._from_registry(subject))
        indexes = None if schema_id.message_indexes is None else tuple(schema_id.message_indexes)
        of_key = is_key(ctx)
        written = (schema_id.id, schema_id.guid, indexes, of_key)
        plan_key = (subject, written, latest and latest.schema_id, latest and latest.guid)
        plan = self._by_schema.get(plan_key)
        if plan is None:
            plan = self._by_schema.put(plan_key, (yield from self._make(subject, schema_id, writer, latest, of_key)))
        if not self.follows_registry:
            (self.by_frame if plan.rules is None else self.ruled).put(key, plan)
        elif subject is not None:
            self._places.put(key, (subject, written))
        return plan

    def current(self, key: Hashable) -> ReadPlan | None:
        """Return the plan by the latest version as the client knows it; None when it has to be asked for."""
        place = self._places.get(key)
        if place is None or self._peek is None:
            return None
        subject, written = place
        latest = self._peek(subject)
        return None if latest is None else self._by_schema.get((subject, written, latest.schema_id, latest.guid))

    def _writer(self, schema_id: SchemaId, subject: str | None) -> Op[Schema]:
        writer: Schema
        if schema_id.id is not None:
            writer = yield from call("get_schema", schema_id=schema_id.id, subject_name=subject, **self._format)
        elif schema_id.guid is not None:
            writer = yield from call("get_schema_by_guid", guid=str(schema_id.guid), **self._format)
        else:
            raise SerializationError("schema.id.deserializer found neither a schema id nor a GUID")
        return writer

    def _make(
        self, subject: str | None, schema_id: SchemaId, writer: Schema, latest: RegisteredSchema | None, of_key: bool
    ) -> Op[ReadPlan]:
        name = f"schema {schema_id.guid if schema_id.id is None else schema_id.id}"
        where = name if subject is None else f"subject {subject}, {name}"
        try:
            written = yield from self._compile(writer, where, (subject, schema_id.id, schema_id.guid))
        except (TypeError, ValueError, SerializationError) as e:
            if writer.schema_type == self.schema_type:
                raise
            raise SerializationError(
                f"{where} is of type {writer.schema_type}, and this deserializer reads {self.schema_type}: the message "
                "was written by a serializer of another format"
            ) from e
        wanted, reader = None, self._schema
        migrations: list[Migration] = []
        if latest is not None:
            latest_key = (subject, latest.schema_id, latest.guid)
            wanted = yield from self._compile(latest.schema, f"subject {subject}, version {latest.version}", latest_key)
            reader = latest.schema
            migrations = yield from self._migrations(str(subject), writer, latest)
        elif self._schema is not None:
            wanted = yield from self._compile(self._schema, "this deserializer", ("own",))
        if schema_id.message_indexes is not None:
            written = self._codec.select(written, schema_id.message_indexes)
        place = name if subject is None else f"{subject}, {name}"
        rules = (self.rules or RuleSetup()).for_reading(
            self._codec,
            written,
            writer,
            None if reader is None else (reader, wanted),
            subject,
            chosen=latest is not None,
            migrations=migrations,
        )
        if not migrations:
            return ReadPlan(subject, place, self._codec.decoder(written, wanted), rules, of_key=of_key)
        # migrations change what the writer wrote into what the reader wants
        decode, finish = self._codec.migrator(written, wanted)
        return ReadPlan(subject, place, decode, rules, finish, of_key)

    def _migrations(self, subject: str, writer: Schema, latest: RegisteredSchema) -> Op[list[Migration]]:
        """Return the steps from the writer's version of a subject to the latest one that have rules."""
        if latest.version is None or writer == latest.schema:
            return []
        try:
            source = yield from call("lookup_schema", subject_name=subject, schema=writer, deleted=True)
        except SchemaRegistryError as e:
            if e.http_status_code != 404:
                raise
            return []  # the writer's schema is none of this subject
        if source.version is None or source.version == latest.version:
            return []
        mode = RuleMode.UPGRADE if source.version < latest.version else RuleMode.DOWNGRADE
        low, high = sorted((source.version, latest.version))
        versions = [source if source.version == low else latest]
        for number in range(low + 1, high):
            try:
                versions.append(
                    (yield from call("get_version", subject_name=subject, version=number, deleted=True, **self._format))
                )
            except SchemaRegistryError as e:  # noqa: PERF203  # one deleted for good is skipped
                if e.http_status_code != 404:
                    raise
        versions.append(latest if source.version == low else source)
        steps = [
            Migration(mode, *((old, new) if mode is RuleMode.UPGRADE else (new, old)))
            for old, new in pairwise(versions)
            if has_migration_rules(new.schema, mode)
        ]
        return steps if mode is RuleMode.UPGRADE else steps[::-1]
