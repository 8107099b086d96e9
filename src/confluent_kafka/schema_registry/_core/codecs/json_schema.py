# SPDX-License-Identifier: Apache-2.0
"""JSON text by orjson, checked against a JSON Schema by jsonschema-rs.

Objects are checked as they are, not their text. What the validator does not know (dataclasses, dates, UUIDs) but orjson
writes is checked as what becomes of it.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urljoin

try:
    import jsonschema_rs
    import orjson
except ImportError as e:
    raise ImportError(
        f'JSON Schema needs the package {e.name}, which is not installed: pip install "ferrokafka[json]"', name=e.name
    ) from e

from confluent_kafka.error import SerializationError
from confluent_kafka.schema_registry._core.codecs.json_checks import ROOT, json_visit
from confluent_kafka.schema_registry._core.codecs.json_fields import Documents, JsonFields, Node
from confluent_kafka.schema_registry._core.plan import Codec
from confluent_kafka.schema_registry._core.validation import has_rules
from confluent_kafka.schema_registry.error import SchemaMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from confluent_kafka.schema_registry._core.models import Schema
    from confluent_kafka.schema_registry._core.validation import Visit

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
_VALIDATORS: dict[str, Any] = {
    "http://json-schema.org/draft-04/schema": jsonschema_rs.Draft4Validator,
    "http://json-schema.org/draft-06/schema": jsonschema_rs.Draft6Validator,
    "http://json-schema.org/draft-07/schema": jsonschema_rs.Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": jsonschema_rs.Draft201909Validator,
    "https://json-schema.org/draft/2020-12/schema": jsonschema_rs.Draft202012Validator,
}
# where a schema without an $id is said to be, for names without a scheme to be resolved: no real domain
_NO_BASE = "http://references.invalid/"
# a member for a schema that refers to a document without being in it
_APART = "confluent:apart"


class CorruptError(SerializationError, ValueError):
    """The bytes are no JSON. Also a ``ValueError``, which is what decoders raise."""


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A compiled schema; without a validator nothing is checked."""

    validator: Any
    source: Any = None
    references: dict[str, Any] = field(default_factory=dict)


def load(schema_str: str | None) -> Any:
    """Return the JSON of a schema; ValueError when it is none."""
    if not schema_str:
        raise ValueError("the JSON schema is empty")
    try:
        return json.loads(schema_str)
    except ValueError as e:
        raise ValueError(f"the JSON schema is no JSON: {e}") from e
    except RecursionError as e:
        raise ValueError("the JSON schema is nested too deeply") from e


class JsonCodec(Codec):
    """JSON, with the options of one serializer.

    Args:
        validate: check objects against the schema.
        encode: writes an object, in place of orjson; returns str or bytes.
        decode: reads bytes, in place of orjson.
    """

    schema_type = "JSON"
    root_path = ROOT

    def __init__(
        self,
        *,
        validate: bool = True,
        encode: Callable[[Any], str | bytes] | None = None,
        decode: Callable[[bytes], Any] | None = None,
    ) -> None:
        self._validate = validate
        self._encode = encode
        self._decode = decode

    def fields(self, compiled: JsonSchema, tagged: Sequence[Schema], other: JsonSchema | None = None) -> JsonFields:
        """Return the fields of a schema, for rules."""
        return JsonFields(_documents(compiled), tagged, None if other is None else _documents(other))

    def visit(self, compiled: JsonSchema) -> Visit | None:
        """Return what visits the places of an object that have checks in the schema's text; None without any."""
        if not any(map(has_rules, (compiled.source, *compiled.references.values()))):
            return None
        return json_visit(_documents(compiled), dumps=self._encode or orjson.dumps)

    def record_name(self, schema: Schema) -> str | None:
        """Return the schema's title."""
        loaded = load(schema.schema_str)
        title = loaded.get("title") if isinstance(loaded, dict) else None
        return title if isinstance(title, str) else None

    def compile(self, schema: Schema, references: Mapping[str, Schema]) -> JsonSchema:
        """Compile a schema; ``$ref`` finds the schemas it refers to by the names and ``$id`` they have.

        Raises:
            ValueError: no JSON, no valid schema, or a ``$ref`` to something that is not there.
        """
        loaded = load(schema.schema_str)
        others = {name: load(reference.schema_str) for name, reference in references.items()}
        if not self._validate:
            return JsonSchema(None, loaded, others)
        if not isinstance(loaded, (dict, bool)):
            raise ValueError(f"a JSON schema must be an object or a boolean, not {type(loaded).__name__}")
        draft, loaded = _draft(loaded)
        retrieve = _retriever(loaded, others)
        base = None if _identity(loaded) else f"{_NO_BASE}schema"
        try:
            validator = draft(loaded, retriever=retrieve, validate_formats=False, mask="the value", base_uri=base)
        except jsonschema_rs.ReferencingError as e:
            raise ValueError(f"the JSON schema refers to something that is not there: {e}") from e
        except jsonschema_rs.ValidationError as e:
            at = f" at {field_path(e.instance_path)}" if e.instance_path else ""
            raise ValueError(f"this is no valid JSON schema{at}: {e.message}") from e
        return JsonSchema(validator, loaded, others)

    def encoder(self, compiled: JsonSchema) -> Callable[[Any, bytes], bytes]:
        """Return a function (object, first bytes) -> first bytes and the object's JSON.

        It raises SchemaMismatchError for an object that the schema, or JSON, does not allow.
        """
        validator, dumps = compiled.validator, orjson.dumps
        if self._encode is not None:
            return _custom_encoder(self._encode, validator)

        def encode(obj: Any, head: bytes) -> bytes:
            # the text first: it has a limit for the depth, which the validator has not
            try:
                data = dumps(obj)
            except TypeError as e:
                raise _not_json(obj, e) from e
            try:
                validate(obj)
            except jsonschema_rs.ValidationError as e:
                raise mismatch(e) from None  # whose text quotes the value
            except ValueError:
                _check_text(validator, data)
            return head + data

        def encode_only(obj: Any, head: bytes) -> bytes:
            try:
                return head + dumps(obj)
            except TypeError as e:
                raise _not_json(obj, e) from e

        if validator is None:
            return encode_only
        validate = validator.validate
        return encode

    def decoder(self, writer: JsonSchema, reader: JsonSchema | None) -> Callable[[bytes, int], Any]:
        """Return a function (data, start) -> the object whose JSON begins there, checked by ``reader`` or ``writer``.

        It raises SchemaMismatchError for an object that the schema does not allow, SerializationError (also a
        ValueError) for bytes that are no JSON.
        """
        validator = (writer if reader is None else reader).validator
        loads = orjson.loads if self._decode is None else self._decode

        def decode(data: bytes, start: int) -> Any:
            try:
                obj = loads(data[start:])
            except (ValueError, RecursionError) as e:
                raise CorruptError(f"the data is no JSON: {e}") from e
            if validate is not None:
                try:
                    validate(obj)
                except jsonschema_rs.ValidationError as e:
                    raise mismatch(e) from None
                except ValueError:
                    _check_text(validator, data[start:])
            return obj

        validate = None if validator is None else validator.validate
        return decode


def _custom_encoder(dumps: Callable[[Any], str | bytes], validator: Any) -> Callable[[Any, bytes], bytes]:
    def encode(obj: Any, head: bytes) -> bytes:
        text = dumps(obj)
        data = text.encode() if isinstance(text, str) else text
        if validator is not None:
            try:
                validator.validate(obj)
            except jsonschema_rs.ValidationError as e:
                raise mismatch(e) from None
            except ValueError:
                _check_text(validator, data)
        return head + data

    return encode


def _check_text(validator: Any, data: bytes) -> None:
    """Check what became of an object that the validator does not know the type of."""
    try:
        validator.validate(orjson.loads(data))
    except jsonschema_rs.ValidationError as e:
        raise mismatch(e) from None
    except ValueError as e:
        raise SchemaMismatchError(f"this cannot be checked against the schema: {e}") from e


def _draft(schema: Any) -> tuple[Any, Any]:
    """Return the validator class for a schema, and the schema without a ``$schema`` that nobody knows."""
    named = schema.get("$schema") if isinstance(schema, dict) else None
    found = _VALIDATORS.get(str(named).rstrip("#"))
    if found is not None:
        return found, schema
    if named is not None:
        schema = {name: value for name, value in schema.items() if name != "$schema"}
    return jsonschema_rs.Draft202012Validator, schema


def _retriever(schema: Any, references: Mapping[str, Any]) -> Callable[[str], Any]:
    bases = [_NO_BASE, *(_identity(one) for one in (schema, *references.values()))]
    places: dict[str, Any] = {}
    for name, reference in references.items():
        _, reference = _draft(reference)
        if isinstance(reference, dict):
            reference = {"$schema": DRAFT_7, **reference}
        for place in (name, _identity(reference), *(urljoin(base, name) for base in bases)):
            if place:
                places.setdefault(place.rstrip("#"), reference)

    def retrieve(uri: str) -> Any:
        found = places.get(uri.rstrip("#"))
        if found is None:
            name = uri.removeprefix(_NO_BASE)
            raise ValueError(
                f"$ref to {name!r}: no schema of this name or $id is among the references (there are "
                f"{', '.join(map(repr, references)) or 'none'}); nothing is fetched from the web"
            )
        return found

    return retrieve


def _documents(compiled: JsonSchema) -> Documents:
    return _linked(compiled.source, _retriever(compiled.source, compiled.references))


def _linked(root: Any, retrieve: Callable[[str], Any]) -> Documents:
    draft, root = _draft(root)
    base = (_identity(root) or f"{_NO_BASE}schema").rstrip("#")

    def get(uri: str) -> Any:
        return root if uri.rstrip("#") == base else retrieve(uri)

    def validator(uri: str) -> Any:
        return draft({"$ref": uri}, retriever=get, validate_formats=False, base_uri=f"{_NO_BASE}branch")

    return Documents(root, base, retrieve, validator)


def documents_of(schema: Any, registry: Any, resolver: Any) -> tuple[Documents, Node]:
    """Return the documents that a schema is in, and where in them it is.

    Args:
        schema: JSON of the schema; it may be a part of a document.
        registry: ``registry.resolver()`` is taken where there is no resolver: ``referencing.Registry``, for example. A
            dict of the same that ``lookup`` gives will do.
        resolver: ``resolver.lookup(uri).contents`` is the JSON that a URI stands for, ``#`` being the document itself.
            Without both, the schema is the document, and refers to nothing outside of it.
    """
    look: Callable[[str], Any] | None = None
    if resolver is not None:
        look = resolver.lookup
    elif registry is not None:
        look = registry.__getitem__ if isinstance(registry, dict) else registry.resolver().lookup
    root = schema
    if look is not None:
        try:
            root = look("#").contents
        except Exception:  # there is no document: the schema is one
            root = schema
    pointer = _pointer_to(schema, root)
    if pointer is None and isinstance(root, dict):
        root, pointer = {**root, _APART: schema}, f"/{_APART}"
    elif pointer is None:
        root, pointer = schema, ""

    def retrieve(uri: str) -> Any:
        name = uri.removeprefix(_NO_BASE)
        if look is None:
            raise ValueError(f"$ref to {name!r}: nothing was given to look it up in")
        try:
            _, found = _draft(look(name).contents)
        except Exception as e:  # whatever the application's resolver raises
            raise ValueError(f"$ref to {name!r}, which the resolver does not know: {e}") from e
        return {"$schema": DRAFT_7, **found} if isinstance(found, dict) else found

    documents = _linked(root, retrieve)
    return documents, Node(schema, documents.root.base, pointer)


def _pointer_to(schema: Any, root: Any) -> str | None:
    if schema == root:
        return ""
    todo = [Node(root, "", "")]
    while todo:
        node = todo.pop()
        if node.schema is schema:
            return node.pointer
        if isinstance(node.schema, dict):
            todo += [node.at(step) for step in node.schema]
        elif isinstance(node.schema, list):
            todo += [node.at(step) for step in range(len(node.schema))]
    return None


def _identity(schema: Any) -> str:
    if not isinstance(schema, dict):
        return ""
    identity = schema.get("$id", schema.get("id"))
    return identity if isinstance(identity, str) else ""


def field_path(path: Iterable[str | int]) -> str:
    """Return the way to a value in the form ``lines[2].price``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def mismatch(error: Any) -> SchemaMismatchError:
    """Say what the validator found, without the value itself, which may be confidential."""
    kind = error.kind
    if kind.name == "type":
        reason = f"expected {' or '.join(kind.types)}, got {type(error.instance).__name__}"
    elif kind.name == "required":
        reason = f'the required property "{kind.property}" is missing'
    elif kind.name == "additionalProperties" or kind.name == "unevaluatedProperties":
        unexpected = ", ".join(f'"{name}"' for name in sorted(kind.unexpected))
        reason = f"the schema does not allow the properties {unexpected}"
    else:
        reason = error.message
    return SchemaMismatchError(reason, field_path(error.instance_path))


def _not_json(obj: Any, error: TypeError) -> NoReturn:
    """Raise what says where in an object the part is that is no JSON."""
    todo: deque[tuple[tuple[str | int, ...], Any]] = deque([((), obj)])
    seen: set[int] = set()
    while todo:
        path, item = todo.popleft()
        if isinstance(item, (dict, list, tuple)):
            if id(item) in seen or len(path) > 254:
                continue
            seen.add(id(item))
            pairs = item.items() if isinstance(item, dict) else enumerate(item)
            for step, value in pairs:
                if isinstance(item, dict) and not isinstance(step, str):
                    reason = f"expected names of properties to be str, got {type(step).__name__}"
                    raise SchemaMismatchError(reason, field_path(path)) from error
                todo.append(((*path, step), value))
            continue
        try:
            orjson.dumps(item)
        except TypeError as e:
            reason = str(e) if isinstance(item, (int, str)) else f"expected a JSON value, got {type(item).__name__}"
            raise SchemaMismatchError(reason, field_path(path)) from error
    raise SchemaMismatchError(f"this cannot be written as JSON: {error}") from error
