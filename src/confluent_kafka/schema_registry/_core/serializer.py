# SPDX-License-Identifier: Apache-2.0
"""One message through a serializer, for all formats, synchronous and asyncio.

``start`` gives the result at once where a plan is there, which is a plain function call. Else it gives a ``Pending``:
an operation (``effects``) that makes the plan and ends with the result.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core import ruled
from confluent_kafka.schema_registry._core.effects import share
from confluent_kafka.schema_registry._core.framing import (
    MAGIC_V0,
    V0_BYTES,
    SchemaId,
    header_frame,
)
from confluent_kafka.schema_registry._core.rule_types import clear_original_key, remember_key
from confluent_kafka.schema_registry._core.typed import from_plain, to_plain
from confluent_kafka.schema_registry.error import SchemaMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from confluent_kafka.schema_registry._core.effects import Op
    from confluent_kafka.schema_registry._core.plan import ReadPlan, ReadPlanner, WritePlan, WritePlanner
    from confluent_kafka.schema_registry._core.rule_setup import RuleSetup
    from confluent_kafka.schema_registry._core.subject import SubjectNaming
    from confluent_kafka.schema_registry._core.validation import Validation
    from confluent_kafka.serialization import SerializationContext

T = TypeVar("T")


class Pending(Generic[T]):
    """A result that takes an operation."""

    __slots__ = ("operation",)

    def __init__(self, operation: Op[T]) -> None:
        self.operation = operation


class Converter:
    """A function of the user between objects and what a format writes; ``contextual`` ones are given the context."""

    __slots__ = ("contextual", "function")

    def __init__(self, function: Callable[..., Any], contextual: bool) -> None:
        self.function = function
        self.contextual = contextual

    def __call__(self, obj: Any, ctx: SerializationContext | None) -> Any:
        if not self.contextual:
            return self.function(obj)
        if ctx is None:
            raise TypeError("SerializationContext cannot be None")
        return self.function(obj, ctx)

    def placed(self, obj: Any, ctx: SerializationContext | None, where: str) -> Any:
        """Convert; an object that is not of its class is refused by an error that says where."""
        try:
            return self(obj, ctx)
        except SchemaMismatchError as e:
            raise _placed(e, where) from e.__cause__
        except RecursionError as e:
            if self.contextual:  # the user's own affair
                raise
            raise SchemaMismatchError("the object is nested too deeply, or contains itself", where=where) from e


def to_dict_converter(to_dict: Any) -> Converter | None:
    """Check the argument ``to_dict``; ValueError when it is not callable."""
    if to_dict is not None and not callable(to_dict):
        raise ValueError("to_dict must be callable with the signature to_dict(object, SerializationContext)->dict")
    return None if to_dict is None else Converter(to_dict, contextual=True)


def from_dict_converter(from_dict: Any) -> Converter | None:
    """Check the argument ``from_dict``; ValueError when it is not callable."""
    if from_dict is not None and not callable(from_dict):
        raise ValueError(
            "from_dict must be callable with the signature from_dict(dict, SerializationContext) -> object"
        )
    return None if from_dict is None else Converter(from_dict, contextual=True)


def model_writer(model: Any, to_dict: Any, *, as_json: bool) -> Converter:
    """Return the converter from objects of a class; ValueError when there is a ``to_dict`` too."""
    if to_dict is not None:
        raise ValueError("give model or to_dict, not both: each of them says how objects are written")
    return Converter(to_plain(model, as_json=as_json), contextual=False)


def model_reader(model: Any, from_dict: Any, *, as_json: bool) -> Converter:
    """Return the converter to objects of a class; ValueError when there is a ``from_dict`` too."""
    if from_dict is not None:
        raise ValueError("give model or from_dict, not both: each of them says what objects are made")
    return Converter(from_plain(model, as_json=as_json), contextual=False)


def from_registry(options: Mapping[str, Any]) -> bool:
    """Whether options say that the schema comes from the registry."""
    return (
        options["use.schema.id"] is not None
        or options["use.latest.with.metadata"] is not None
        or bool(options["use.latest.version"])
    )


class _Core:
    """What can be changed in both; ``_custom``: subjects are named by a function of the application's."""

    _planner: WritePlanner | ReadPlanner
    _custom: bool

    def use_client(self, client: Any, rules: RuleSetup) -> None:
        """Use this registry client, these executors and actions."""
        self._planner.rules = rules
        self._planner.watch(client)

    def rename(self, naming: SubjectNaming) -> None:
        """Use another subject name strategy from now on."""
        self._planner.rename(naming)
        self._custom = naming.custom is not None


class SerializerCore(_Core):
    """Object to framed bytes.

    Args:
        planner: makes the plans.
        convert: from the user's objects to what the format writes.
    """

    _planner: WritePlanner

    def __init__(self, planner: WritePlanner, convert: Converter | None = None) -> None:
        self._planner = planner
        self._plans = planner.by_message
        self._convert = convert
        self._plain = convert is None and planner.frames_itself
        self._custom = planner.naming.custom is not None

    def validate(self, validation: Validation) -> None:
        """Check messages by the rules in their schema's text, or no longer, from now on."""
        self._planner.validate(validation)

    def start(self, obj: Any, ctx: SerializationContext | None) -> bytes | Pending[bytes | None] | None:
        """Return ``obj`` as bytes, or the operation that ends with them."""
        if obj is None:
            clear_original_key()
            return None
        key: Hashable
        if self._custom:
            key = self._planner.key(ctx)
        else:
            key = None if ctx is None else (ctx.topic, ctx.field)
        plan = self._plans.get(key)
        if plan is None:
            return self._start_slowly(obj, key, ctx)
        if not self._plain:
            return self._write(plan, obj, ctx)
        if plan.of_key:
            remember_key(ctx, obj)
        try:
            return plan.encode(obj, plan.prefix)
        except Exception as e:
            error = _refusal(plan, obj, e, plan.where)
            raise error from error.__cause__

    def _start_slowly(
        self, obj: Any, key: Hashable, ctx: SerializationContext | None
    ) -> bytes | Pending[bytes | None] | None:
        planner = self._planner
        plan = planner.current(key) if planner.follows_registry else planner.ruled.get(key)
        if plan is None:
            return Pending(self._later(obj, key, ctx))
        return self._write(plan, obj, ctx) if plan.rules is None else self._start_ruled(plan, obj, ctx)

    def _start_ruled(
        self, plan: WritePlan, obj: Any, ctx: SerializationContext | None
    ) -> bytes | Pending[bytes | None] | None:
        if self._convert is not None:
            obj = self._convert.placed(obj, ctx, plan.where)
        try:
            payload = ruled.write_quickly(plan, obj, ctx)
        except SchemaMismatchError as e:
            raise _placed(e, plan.where) from e.__cause__
        return Pending(self._write_ruled(plan, obj, ctx)) if payload is None else self._finish(plan, obj, payload, ctx)

    def _write_ruled(self, plan: WritePlan, obj: Any, ctx: SerializationContext | None) -> Op[bytes]:
        try:
            payload = yield from ruled.write(plan, obj, ctx)
        except SchemaMismatchError as e:
            raise _placed(e, plan.where) from e.__cause__
        return self._finish(plan, obj, payload, ctx)

    def _finish(self, plan: WritePlan, obj: Any, payload: bytes, ctx: SerializationContext | None) -> bytes:
        """Frame what rules made of an object."""
        framed = plan.prefix + payload if self._planner.frames_itself else self._planner.frame(plan, payload, ctx)
        # what rules protect must not leave with the value that a dead letter queue gets
        _leave_key(plan, framed if plan.rules is not None and plan.rules.protects else obj, ctx)
        return framed

    def start_many(
        self, objects: Iterable[Any], ctx: SerializationContext | None
    ) -> list[bytes | None] | Pending[list[bytes | None]]:
        """Return many objects of one topic and field as bytes, or the operation that ends with them."""
        clear_original_key()  # of several keys none is that of the next value
        key = self._planner.key(ctx)
        plan = self._plans.get(key)
        return Pending(self._many_later(objects, key, ctx)) if plan is None else self._write_many(plan, objects, ctx)

    def _plan(self, key: Hashable, ctx: SerializationContext | None) -> Op[WritePlan]:
        planner = self._planner
        if planner.follows_registry:
            return (yield from planner.make(key, ctx))
        if (plan := planner.ruled.get(key)) is not None:
            return plan
        return (yield from share(key, lambda: planner.make(key, ctx)))

    def _later(self, obj: Any, key: Hashable, ctx: SerializationContext | None) -> Op[bytes]:
        plan = yield from self._plan(key, ctx)
        if plan.rules is None:
            return self._write(plan, obj, ctx)
        if self._convert is not None:
            obj = self._convert.placed(obj, ctx, plan.where)
        return (yield from self._write_ruled(plan, obj, ctx))

    def _many_later(
        self, objects: Iterable[Any], key: Hashable, ctx: SerializationContext | None
    ) -> Op[list[bytes | None]]:
        plan = yield from self._plan(key, ctx)
        if plan.rules is None:
            return self._write_many(plan, objects, ctx)
        done: list[bytes | None] = []
        for obj in objects:
            try:
                outcome = None if obj is None else self._start_ruled(plan, obj, ctx)
                done.append((yield from outcome.operation) if isinstance(outcome, Pending) else outcome)
            except SerializationError as e:  # noqa: PERF203  # it says which one
                raise _placed(e, f"object {len(done)} of the batch") from e.__cause__
        clear_original_key()
        return done

    def _write(self, plan: WritePlan, obj: Any, ctx: SerializationContext | None) -> bytes:
        if self._convert is not None:
            obj = self._convert.placed(obj, ctx, plan.where)
        if plan.of_key:
            remember_key(ctx, obj)
        try:
            payload = plan.encode(obj, plan.prefix)
        except Exception as e:
            error = _refusal(plan, obj, e, plan.where)
            raise error from error.__cause__
        return payload if self._planner.frames_itself else self._planner.frame(plan, payload, ctx)

    def _write_many(
        self, plan: WritePlan, objects: Iterable[Any], ctx: SerializationContext | None
    ) -> list[bytes | None]:
        encode, prefix, convert = plan.encode, plan.prefix, self._convert
        if convert is not None:
            objects = [
                None if obj is None else convert.placed(obj, ctx, f"object {number} of the batch, {plan.where}")
                for number, obj in enumerate(objects)
            ]
        done: list[bytes | None] = []
        obj = None
        try:
            for obj in objects:
                done.append(None if obj is None else encode(obj, prefix))  # its length says which
        except Exception as e:
            error = _refusal(plan, obj, e, f"object {len(done)} of the batch, {plan.where}")
            raise error from error.__cause__
        if self._planner.frames_itself:
            return done
        return self._planner.frame_many(plan, done, ctx)


class DeserializerCore(_Core):
    """Framed bytes to object.

    Args:
        planner: makes the plans.
        convert: from what the format reads to the user's objects.
    """

    _planner: ReadPlanner

    def __init__(self, planner: ReadPlanner, convert: Converter | None = None) -> None:
        self._planner = planner
        self._plans = planner.by_frame
        self._convert = convert
        self._custom = planner.naming.custom is not None
        self._short_frames = planner.reads_frame
        # the first message of a Protobuf file, as most are, has one byte of indexes
        self._indexed = planner.indexed
        self._frame_bytes = V0_BYTES + 1 if planner.indexed else V0_BYTES

    def validate(self, validation: Validation) -> None:
        """Do nothing: the rules in a schema's text are for those who write."""

    def start(self, value: bytes | None, ctx: SerializationContext | None) -> Any:
        """Return the object that ``value`` stands for, or a ``Pending`` that ends with it."""
        if value is None:
            clear_original_key()
            return None
        data = value if type(value) is bytes else bytes(value)
        key: Hashable
        frame: bytes | SchemaId
        start = self._frame_bytes
        if (
            self._short_frames
            and not self._custom
            and (ctx is None or not ctx.headers)
            and len(data) >= start
            and data[0] == MAGIC_V0
            and (not self._indexed or data[V0_BYTES] == 0)
        ):
            frame = data[:start]
            key = frame if ctx is None else (ctx.topic, ctx.field, frame)
        else:
            key, frame, data, start = self._look(data, ctx)
        plan = self._plans.get(key)
        if plan is None:
            return self._start_slowly(data, start, key, frame, ctx)
        if plan.of_key:
            remember_key(ctx, data)
        try:
            obj = plan.decode(data, start)
        except SerializationError as e:
            raise _placed(e, plan.where) from e.__cause__
        return obj if self._convert is None else self._convert.placed(obj, ctx, plan.where)

    def _start_slowly(
        self, data: bytes, start: int, key: Hashable, frame: bytes | SchemaId, ctx: SerializationContext | None
    ) -> Any:
        planner = self._planner
        plan = planner.current(key) if planner.follows_registry else planner.ruled.get(key)
        if plan is None:
            return Pending(self._later(data, start, key, frame, ctx))
        if plan.rules is None:
            return self._read(plan, data, start, ctx)
        done = ruled.read_quickly(plan, data, start, ctx)
        if done is not None:
            _leave_key(plan, data, ctx)
            return done[0] if self._convert is None else self._convert.placed(done[0], ctx, plan.where)
        return Pending(self._read_ruled(plan, data, start, ctx))

    def start_many(self, values: Iterable[bytes | None], ctx: SerializationContext | None) -> Any:
        """Return the objects of many values of one topic and field, or a ``Pending`` that ends with them."""
        clear_original_key()  # of several keys none is that of the next value
        values = list(values)
        objects: list[Any] = []
        rest = self._some(values, objects, ctx)
        return objects if rest is None else Pending(self._rest_later(values, objects, rest, ctx))

    def _some(
        self, values: list[bytes | None], objects: list[Any], ctx: SerializationContext | None
    ) -> tuple[bytes, int, Hashable, bytes | SchemaId] | None:
        """Read values as long as nothing has to be waited for; return what ``_later`` needs for the next one."""
        convert, last = self._convert, b""
        plan: ReadPlan | None = None
        quick = self._short_frames and (ctx is None or header_frame(ctx) is None)
        quick = quick and not self._planner.follows_registry
        try:
            for number in range(len(objects), len(values)):
                value = values[number]
                if value is None:
                    objects.append(None)
                    continue
                data = value if type(value) is bytes else bytes(value)
                # the id is mostly that of the value before
                if plan is not None and quick and last and data.startswith(last):
                    start = len(last)
                else:
                    key, frame, data, start = self._look(data, ctx)
                    plan = self._plans.get(key)
                    if plan is None:
                        planner = self._planner
                        plan = planner.current(key) if planner.follows_registry else planner.ruled.get(key)
                    if plan is None or plan.rules is not None:
                        return data, start, key, frame
                    last = data[:start]
                obj = plan.decode(data, start)
                objects.append(obj if convert is None else convert(obj, ctx))
        except RecursionError as e:
            if convert is None or convert.contextual:
                raise
            where = f"value {len(objects)} of the batch"
            raise SchemaMismatchError("the data is nested too deeply for its class", where=where) from e
        except SerializationError as e:
            where = "" if plan is None else f", {plan.where}"
            raise _placed(e, f"value {len(objects)} of the batch{where}") from e.__cause__
        return None

    def _rest_later(
        self,
        values: list[bytes | None],
        objects: list[Any],
        rest: tuple[bytes, int, Hashable, bytes | SchemaId] | None,
        ctx: SerializationContext | None,
    ) -> Op[list[Any]]:
        # a loop: each value may need waiting, and a batch may be longer than the stack is deep
        while rest is not None:
            try:
                objects.append((yield from self._later(*rest, ctx)))
            except SerializationError as e:
                raise _placed(e, f"value {len(objects)} of the batch") from e.__cause__
            rest = self._some(values, objects, ctx)
        clear_original_key()
        return objects

    def _look(self, data: bytes, ctx: SerializationContext | None) -> tuple[Hashable, bytes | SchemaId, bytes, int]:
        """Return the key of the plan, the frame (read already if by a function of the user), the payload's place."""
        planner = self._planner
        if planner.reads_frame:
            frame, start = planner.frame(data, ctx)
            return planner.key(frame, ctx), frame, data, start
        schema_id = SchemaId(planner.schema_type)
        data = planner.unframe(data, ctx, schema_id).read()
        indexes = schema_id.message_indexes
        identity = (schema_id.id, schema_id.guid, None if indexes is None else tuple(indexes))
        return planner.key(identity, ctx), schema_id, data, 0

    def _later(
        self, data: bytes, start: int, key: Hashable, frame: bytes | SchemaId, ctx: SerializationContext | None
    ) -> Op[Any]:
        planner = self._planner
        if isinstance(frame, SchemaId):
            schema_id = frame
        else:
            schema_id = SchemaId(planner.schema_type)
            schema_id.from_bytes(io.BytesIO(frame))
        if planner.follows_registry:
            plan = yield from planner.make(key, schema_id, ctx)
        else:
            plan = planner.ruled.get(key) or (yield from share(key, lambda: planner.make(key, schema_id, ctx)))
        if plan.rules is None:
            return self._read(plan, data, start, ctx)
        return (yield from self._read_ruled(plan, data, start, ctx))

    def _read_ruled(self, plan: ReadPlan, data: bytes, start: int, ctx: SerializationContext | None) -> Op[Any]:
        obj = yield from ruled.read(plan, data, start, ctx)
        _leave_key(plan, data, ctx)
        return obj if self._convert is None else self._convert.placed(obj, ctx, plan.where)

    def _read(self, plan: ReadPlan, data: bytes, start: int, ctx: SerializationContext | None) -> Any:
        if plan.of_key:
            remember_key(ctx, data)
        try:
            obj = plan.decode(data, start)
        except SerializationError as e:
            raise _placed(e, plan.where) from e.__cause__
        return obj if self._convert is None else self._convert.placed(obj, ctx, plan.where)


def _leave_key(plan: WritePlan | ReadPlan, key: Any, ctx: SerializationContext | None) -> None:
    """Leave a message's key for its value's rules, or forget it after the value."""
    if plan.of_key:
        remember_key(ctx, key)
    else:
        clear_original_key()


def _refusal(plan: WritePlan, obj: Any, error: Exception, where: str) -> SerializationError:
    """Return what is raised in place of a codec's error, whose text may quote what is confidential."""
    return _placed(error if isinstance(error, SerializationError) else plan.explain(obj, error), where)


def _placed(error: SerializationError, where: str) -> SerializationError:
    """Say in an error of a codec, which knows neither subject nor version, what it was about."""
    if isinstance(error, SchemaMismatchError):
        error.where = where if error.where is None else f"{where}: {error.where}"
        error.args = (error.reason, error.path, error.where)
    elif error.args and isinstance(error.args[0], str):
        error.args = (f"{where}: {error.args[0]}", *error.args[1:])
    return error
