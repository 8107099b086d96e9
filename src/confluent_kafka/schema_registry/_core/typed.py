# SPDX-License-Identifier: Apache-2.0
"""Objects of the user's classes to what a format writes, and back: dataclass, attrs, pydantic v2, msgspec.Struct.

pydantic and msgspec convert their classes themselves. For dataclasses and attrs a function is put together once per
class, from its annotations. None of the three packages is imported here unless a class of theirs is given.
"""

from __future__ import annotations

import base64
import collections.abc
import dataclasses
import datetime as dt
import decimal
import enum
import sys
import types
import typing
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from confluent_kafka.schema_registry.error import SchemaMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable

    Convert = Callable[[Any], Any]

MISSING: Any = object()
# what Avro's logical types are in Python
NATIVE = (bytes, bytearray, dt.datetime, dt.date, dt.time, uuid.UUID, decimal.Decimal)
SEQUENCES = (list, set, frozenset, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Set)
MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


class Field(NamedTuple):
    """A field of a class.

    Args:
        name: of the attribute.
        key: in the data.
        argument: of the constructor; None for what it does not take.
        hint: its type.
        default: what it is when it is not given, ``MISSING`` when it must be; a factory is called for it.
    """

    name: str
    key: str
    argument: str | None
    hint: Any
    default: Any

    @property
    def required(self) -> bool:
        """Whether the data must have it."""
        return self.default is MISSING and self.argument is not None


def library_of(model: Any) -> str | None:
    """Return which of the four kinds a class is, None for any other."""
    if not isinstance(model, type):
        return None
    if hasattr(model, "model_fields") and hasattr(model, "model_validate"):
        return "pydantic"
    if hasattr(model, "__struct_fields__"):
        return "msgspec"
    if hasattr(model, "__attrs_attrs__"):
        return "attrs"
    return "dataclass" if dataclasses.is_dataclass(model) else None


def check_model(model: Any) -> str:
    """Return the kind of a class; TypeError when it is none of the four."""
    library = library_of(model)
    if library is None:
        what = model.__name__ if isinstance(model, type) else f"an instance of {type(model).__name__}"
        raise TypeError(f"model must be a dataclass, attrs, pydantic or msgspec.Struct class, not {what}")
    return library


def fields_of(model: Any) -> list[Field]:
    """Return the fields of a class."""
    library = check_model(model)
    if library == "pydantic":
        return [
            Field(
                name,
                info.serialization_alias or info.alias or name,
                name,
                _with_metadata(info.annotation, info.metadata),
                MISSING if info.is_required() else info.get_default(call_default_factory=info.default_factory is None),
            )
            for name, info in model.model_fields.items()
        ]
    if library == "msgspec":
        import msgspec

        return [
            Field(
                one.name,
                one.encode_name,
                one.name,
                one.type,
                _default(one.default, one.default_factory, msgspec.NODEFAULT),
            )
            for one in msgspec.structs.fields(model)
        ]
    hints = typing.get_type_hints(model, include_extras=True)
    if library == "attrs":
        import attrs

        return [
            Field(
                one.name,
                one.name,
                one.alias if one.init else None,
                hints.get(one.name, Any),
                _attrs_default(one.default),
            )
            for one in attrs.fields(model)
        ]
    return [
        Field(
            one.name,
            one.name,
            one.name if one.init else None,
            hints.get(one.name, Any),
            _default(one.default, one.default_factory, dataclasses.MISSING),
        )
        for one in dataclasses.fields(model)
    ]


def _attrs_default(default: Any) -> Any:
    import attrs

    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # a class, for all that its stub says
        return None if default.takes_self else default.factory()
    return MISSING if default is attrs.NOTHING else default


def _default(value: Any, factory: Any, missing: Any) -> Any:
    if value is not missing:
        return value
    return MISSING if factory is missing else factory()


def _with_metadata(hint: Any, metadata: list[Any]) -> Any:
    arguments: Any = (hint, *metadata)
    return typing.Annotated[arguments] if metadata else hint


def bare(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type without ``Annotated`` and ``NewType``, and the metadata of the former."""
    metadata: tuple[Any, ...] = ()
    while True:
        if typing.get_origin(hint) is typing.Annotated:
            metadata = (*hint.__metadata__, *metadata)
            hint = hint.__origin__
        elif hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        else:
            return hint, metadata


def branches_of(hint: Any) -> tuple[Any, ...] | None:
    """Return the types of a union, None for what is none."""
    origin = typing.get_origin(hint)
    return typing.get_args(hint) if origin is typing.Union or origin is types.UnionType else None


def item_of(hint: Any) -> tuple[str, Any] | None:
    """Return ``list`` and the type of the items, or ``map`` and that of the values; None for other types."""
    origin, args = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin in MAPPINGS:
        return "map", args[1] if len(args) == 2 else Any
    if origin is tuple:
        same = len(set(args) - {Ellipsis}) == 1
        return "list", args[0] if same else Any
    return ("list", args[0] if args else Any) if origin in SEQUENCES else None


def to_plain(model: Any, *, as_json: bool) -> Convert:
    """Return a function from an object of a class to a dict. Dicts stay what they are.

    Args:
        model: the class.
        as_json: dates, decimals, UUIDs and bytes become what JSON has for them; else they stay.
    """
    library = check_model(model)
    convert: Convert
    if library == "pydantic":
        plain = None if as_json or not _has_enums(model, set()) else _plain
        mode = "json" if as_json else "python"

        def convert(obj: Any) -> Any:
            made = obj.model_dump(mode=mode, by_alias=True)
            return made if plain is None else plain(made)

    elif library == "msgspec":
        import msgspec

        kept = () if as_json else NATIVE

        def convert(obj: Any) -> Any:
            return msgspec.to_builtins(obj, builtin_types=kept, str_keys=True)

    else:
        convert = _Writer(as_json).of(model) or (lambda obj: obj)
    name = model.__name__

    def checked(obj: Any) -> Any:
        if isinstance(obj, model):
            try:
                return convert(obj)
            except ValueError as e:
                if isinstance(e, SchemaMismatchError):
                    raise
                # pydantic and msgspec of what they cannot write; their text may quote the value
                raise SchemaMismatchError(f"{name} cannot be taken apart: {type(e).__name__}") from None
        if isinstance(obj, dict):
            return obj
        raise SchemaMismatchError(f"expected {name}, got {type(obj).__name__}")

    return checked


def from_plain(model: Any, *, as_json: bool) -> Convert:
    """Return a function from what was read to an object of a class.

    Args:
        model: the class.
        as_json: dates, decimals, UUIDs and bytes come as JSON has them; else as they are.
    """
    library = check_model(model)
    if library == "pydantic":
        return _pydantic_reader(model)
    if library == "msgspec":
        return _msgspec_reader(model, as_json)
    return _Reader(as_json).of(model) or (lambda obj: obj)


def _pydantic_reader(model: Any) -> Convert:
    import pydantic

    def convert(value: Any) -> Any:
        try:
            return model.model_validate(value)
        except pydantic.ValidationError as e:
            first = e.errors(include_url=False, include_input=False, include_context=False)[0]
            # None, not e: its text quotes the value
            raise SchemaMismatchError(
                f"not what {model.__name__} allows: {first['msg']}", _path(first["loc"])
            ) from None

    return convert


def _msgspec_reader(model: Any, as_json: bool) -> Convert:
    import msgspec

    kept = () if as_json else NATIVE

    def convert(value: Any) -> Any:
        try:
            return msgspec.convert(value, model, builtin_types=kept)
        except msgspec.ValidationError as e:
            raise SchemaMismatchError(f"not what {model.__name__} allows: {e}") from e

    return convert


def _path(steps: tuple[int | str, ...]) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _plain(value: Any) -> Any:
    """Make enums and sets, which pydantic leaves alone, into what Avro writes."""
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, enum.Enum) else value


def _has_enums(hint: Any, seen: set[Any]) -> bool:
    hint, _ = bare(hint)
    if library_of(hint) is not None:
        if hint in seen:
            return False
        seen.add(hint)
        return any(_has_enums(field.hint, seen) for field in fields_of(hint))
    if isinstance(hint, type) and issubclass(hint, (enum.Enum, set, frozenset)):
        return True
    if typing.get_origin(hint) in (set, frozenset, collections.abc.Set):
        return True
    return any(_has_enums(argument, seen) for argument in typing.get_args(hint))


class _Converters:
    """Functions for the types in the fields of dataclasses and attrs classes; None where nothing is to be done."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._known: dict[Any, Convert] = {}

    def of(self, hint: Any) -> Convert | None:
        """Return the function for a type."""
        hint, _ = bare(hint)
        if library_of(hint) is not None:
            return self._of_class(hint)
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return self._of_enum(hint)
        branches = branches_of(hint)
        if branches is not None:
            return self._of_union(branches)
        item = item_of(hint)
        if item is not None:
            kind, inner = item
            return self._of_map(self.of(inner)) if kind == "map" else self._of_list(self.of(inner), hint)
        return self._of_value(hint)

    def _of_class(self, model: Any) -> Convert:
        known = self._known.get(model)
        if known is None:
            if library_of(model) in ("pydantic", "msgspec"):
                known = self._of_other(model)
            else:
                # a class that contains itself finds this
                self._known[model] = lambda value: self._known[model](value)
                known = self._of_fields(model)
            self._known[model] = known
        return known

    def _of_other(self, model: Any) -> Convert:
        raise NotImplementedError

    def _of_fields(self, model: Any) -> Convert:
        raise NotImplementedError

    def _of_enum(self, kind: type[enum.Enum]) -> Convert:
        raise NotImplementedError

    def _of_union(self, branches: tuple[Any, ...]) -> Convert | None:
        raise NotImplementedError

    def _of_list(self, convert: Convert | None, hint: Any) -> Convert | None:
        raise NotImplementedError

    def _of_map(self, convert: Convert | None) -> Convert | None:
        if convert is None:
            return None
        inner = convert

        def each(value: Any) -> Any:
            return {key: inner(item) for key, item in value.items()} if isinstance(value, dict) else value

        return each

    def _of_value(self, hint: Any) -> Convert | None:
        raise NotImplementedError


class _Writer(_Converters):
    def _of_other(self, model: Any) -> Convert:
        return to_plain(model, as_json=self._as_json)

    def _of_fields(self, model: Any) -> Convert:
        parts = [(field.key, field.name, self.of(field.hint)) for field in fields_of(model)]

        def convert(obj: Any) -> Any:
            if not isinstance(obj, model):
                return obj  # a dict will do; the codec says what is wrong with anything else
            return {key: getattr(obj, name) if part is None else part(getattr(obj, name)) for key, name, part in parts}

        return convert

    def _of_enum(self, kind: type[enum.Enum]) -> Convert:
        return lambda value: value.value if isinstance(value, enum.Enum) else value

    def _of_union(self, branches: tuple[Any, ...]) -> Convert | None:
        by_type: dict[Any, Convert] = {}
        for branch in branches:
            kind, _ = bare(branch)
            convert = self.of(branch)
            if convert is not None:
                by_type[typing.get_origin(kind) or kind] = convert
        if not by_type:
            return None

        def choose(value: Any) -> Any:
            convert = by_type.get(type(value))
            if convert is not None:
                return convert(value)
            for kind, convert in by_type.items():
                if isinstance(value, kind):
                    return convert(value)
            return value

        return choose

    def _of_list(self, convert: Convert | None, hint: Any) -> Convert | None:
        is_list = (typing.get_origin(hint) or hint) is list
        if convert is None:
            return None if is_list else lambda value: value if value is None else list(value)
        inner = convert
        return lambda value: [inner(item) for item in value] if isinstance(value, collections.abc.Iterable) else value

    def _of_value(self, hint: Any) -> Convert | None:
        if not self._as_json or not isinstance(hint, type):
            return None
        if issubclass(hint, (dt.date, dt.time)):
            return lambda value: value.isoformat() if isinstance(value, (dt.date, dt.time)) else value
        if issubclass(hint, (uuid.UUID, decimal.Decimal)):
            return lambda value: str(value) if isinstance(value, (uuid.UUID, decimal.Decimal)) else value
        if issubclass(hint, (bytes, bytearray)):
            return lambda value: base64.b64encode(value).decode() if isinstance(value, (bytes, bytearray)) else value
        return None


class _Reader(_Converters):
    def _of_other(self, model: Any) -> Convert:
        return from_plain(model, as_json=self._as_json)

    def _of_fields(self, model: Any) -> Convert:
        fields = [field for field in fields_of(model) if field.argument is not None]
        parts = [(field.key, field.argument or "", self.of(field.hint), field.required) for field in fields]
        name = model.__name__

        def convert(value: Any) -> Any:
            if not isinstance(value, dict):
                raise SchemaMismatchError(f"expected what {name} can be made of, got {type(value).__name__}")
            arguments = {}
            for key, argument, part, required in parts:
                item = value.get(key, MISSING)
                if item is MISSING:
                    if required:
                        raise SchemaMismatchError(f"the field is missing, and {name} has no default for it", key)
                    continue
                if part is not None:
                    try:
                        item = part(item)
                    except SchemaMismatchError as e:
                        join = "" if not e.path or e.path.startswith("[") else "."
                        raise SchemaMismatchError(e.reason, f"{key}{join}{e.path}") from e.__cause__
                arguments[argument] = item
            try:
                return model(**arguments)
            except (TypeError, ValueError) as e:
                raise SchemaMismatchError(f"{name} refused: {e}") from e

        return convert

    def _of_enum(self, kind: type[enum.Enum]) -> Convert:
        def convert(value: Any) -> Any:
            try:
                return kind(value)
            except ValueError as e:
                raise SchemaMismatchError(f"expected one of {kind.__name__}, got another {type(value).__name__}") from e

        return convert

    def _of_union(self, branches: tuple[Any, ...]) -> Convert | None:
        choices = [self.of(branch) for branch in branches if branch is not type(None)]
        if not any(choices):
            return None
        if len(choices) == 1 and (only := choices[0]) is not None:
            inner = only
            return lambda value: None if value is None else inner(value)

        def choose(value: Any) -> Any:
            if value is None:
                return None
            for branch, convert in zip(kinds, choices, strict=True):
                if convert is None:
                    if isinstance(branch, type) and isinstance(value, branch):
                        return value
                    continue
                if keys := known_keys.get(branch):
                    if not isinstance(value, dict) or not value.keys() <= keys:
                        continue
                try:
                    return convert(value)
                except SchemaMismatchError:
                    continue
            return value

        kinds = [bare(branch)[0] for branch in branches if branch is not type(None)]
        known_keys = {kind: {field.key for field in fields_of(kind)} for kind in kinds if library_of(kind) is not None}
        return choose

    def _of_list(self, convert: Convert | None, hint: Any) -> Convert | None:
        origin = typing.get_origin(hint) or hint
        build: Any = origin if origin in (tuple, set, frozenset) else list
        if convert is None:
            return None if build is list else lambda value: build(value) if isinstance(value, list) else value
        inner = convert

        def each(value: Any) -> Any:
            if not isinstance(value, list):
                raise SchemaMismatchError(f"expected a list, got {type(value).__name__}")
            index = 0
            try:
                items = []
                for item in value:
                    items.append(inner(item))  # the index is wanted
                    index += 1
            except SchemaMismatchError as e:
                join = "" if not e.path or e.path.startswith("[") else "."
                raise SchemaMismatchError(e.reason, f"[{index}]{join}{e.path}") from e.__cause__
            return items if build is list else build(items)

        return each

    def _of_value(self, hint: Any) -> Convert | None:
        if hint is float:
            return lambda value: float(value) if type(value) is int else value
        if not self._as_json or not isinstance(hint, type):
            return None
        parse: Convert
        if issubclass(hint, dt.datetime):
            parse = _datetime
        elif issubclass(hint, (dt.date, dt.time)):
            parse = hint.fromisoformat
        elif issubclass(hint, (uuid.UUID, decimal.Decimal)):
            parse = hint
        elif issubclass(hint, (bytes, bytearray)):
            parse = base64.b64decode
        else:
            return None

        def convert(value: Any) -> Any:
            if not isinstance(value, str):
                return value
            try:
                return parse(value)
            except (ValueError, ArithmeticError) as e:
                raise SchemaMismatchError(f"expected the text of a {hint.__name__}") from e

        return convert


def _datetime(text: str) -> dt.datetime:
    if sys.version_info < (3, 11) and text.endswith(("Z", "z")):
        text = f"{text[:-1]}+00:00"
    return dt.datetime.fromisoformat(text)
