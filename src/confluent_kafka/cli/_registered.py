# SPDX-License-Identifier: Apache-2.0
"""Messages with schemas of a registry: JSON documents to bytes for ``produce``, bytes to JSON for ``consume``."""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import decimal
import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from confluent_kafka.error import KafkaException
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

from ._documents import Document, dumps
from ._errors import CommandError, UsageError
from ._records import BadRecord, Record
from ._terminal import say

if TYPE_CHECKING:
    from confluent_kafka import Message
    from confluent_kafka.schema_registry import SchemaRegistryClient

VARIABLE = "SCHEMA_REGISTRY_URL"
_FRAME_BYTES = 5


class Wanted(NamedTuple):
    """The format and the file of the schema that values are to be written with."""

    format: str
    path: str
    message: str | None


def add_registry_option(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--schema-registry",
        metavar="URL",
        help=f"a Schema Registry, http(s)://[user:password@]host:port (default: {VARIABLE}); further SCHEMA_REGISTRY_* "
        "variables are properties of its client",
    )


def registry_url(arguments: argparse.Namespace) -> str | None:
    """The registry that the command line or the environment names."""
    url: str | None = arguments.schema_registry
    return url or os.environ.get(VARIABLE) or None


def open_registry(url: str) -> SchemaRegistryClient:
    """Make a client. Raises: UsageError: no URL; CommandError: its package is missing."""
    try:
        from confluent_kafka.schema_registry import SchemaRegistryClient

        from ._registry_client import environment_settings

        return SchemaRegistryClient.new_client({**environment_settings(), "url": url})
    except ImportError as error:
        raise CommandError(str(error)) from error
    except (TypeError, ValueError) as error:
        raise UsageError(f"--schema-registry: {error}") from error


def encoded(records: Iterable[Record], wanted: Wanted, topic: str, url: str | None) -> Iterator[Record]:
    """Give records whose values, JSON documents, are serialized; the schema is registered for the topic's values.

    Raises:
        UsageError: no registry, or a file that is no schema.
        CommandError: the registry refused, or a package is missing.
        BadRecord: a value is no JSON, or not what the schema says.
    """
    if url is None:
        raise UsageError(f"a schema needs a registry: --schema-registry URL, or set {VARIABLE}")
    serialize = _serializer(wanted, open_registry(url))
    context = SerializationContext(topic, MessageField.VALUE)
    for record in records:
        if record.value is None:
            yield record
            continue
        try:
            value = serialize(_document(record), context)
        except SchemaRegistryError as error:
            raise CommandError(f"the registry: {error}") from error
        except (KafkaException, TypeError, ValueError) as error:
            raise BadRecord(f"{record.where}: {error}") from error
        yield record._replace(value=value)


def _document(record: Record) -> Any:
    data = record.value or b""
    try:
        return json.loads(data)
    except ValueError as error:
        # what NDJSON has as a text comes without its quotes
        if data.lstrip()[:1] in (b"{", b"[", b'"'):
            raise BadRecord(f"{record.where}: the value is not valid JSON: {error}") from error
        return data.decode("utf-8", "surrogateescape")


def _serializer(wanted: Wanted, registry: SchemaRegistryClient) -> Callable[[Any, SerializationContext], Any]:
    try:
        text = Path(wanted.path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{wanted.path}: {error}") from error
    try:
        if wanted.format == "avro":
            from confluent_kafka.schema_registry.avro import AvroSerializer

            schema = json.loads(text)
            avro = AvroSerializer(registry, text)
            return lambda value, context: avro(from_json(schema, value, {}), context)
        if wanted.format == "json":
            from confluent_kafka.schema_registry.json_schema import JSONSerializer

            return JSONSerializer(text, registry)
        from confluent_kafka.schema_registry import Schema
        from confluent_kafka.schema_registry.protobuf import ProtobufSerializer

        return ProtobufSerializer(Schema(text, "PROTOBUF"), registry, message_name=wanted.message)
    except ImportError as error:
        raise CommandError(str(error)) from error
    except Exception as error:  # whatever a parser says of a schema
        raise UsageError(f"{wanted.path}: {error}") from error


def from_json(schema: Any, value: Any, names: dict[str, Any]) -> Any:
    """Make of a JSON document what Avro writes: dates and decimals of texts, bytes of base64.

    What does not fit is left as it is: the serializer says what is wrong with it.
    """
    if isinstance(schema, list):
        for branch in schema:
            made = from_json(branch, value, names)
            if made is not value:
                return made
        return value
    if isinstance(schema, str):
        if schema in names:
            return from_json(names[schema], value, names)
        schema = {"type": schema}
    kind = schema.get("type")
    if isinstance(kind, (dict, list)):
        return from_json(kind, value, names)
    if "name" in schema:
        names[str(schema["name"])] = schema
        if schema.get("namespace"):
            names[f"{schema['namespace']}.{schema['name']}"] = schema
    if kind == "record" and isinstance(value, dict):
        types = {field["name"]: field["type"] for field in schema["fields"]}
        return {name: from_json(types[name], item, names) if name in types else item for name, item in value.items()}
    if kind == "array" and isinstance(value, list):
        return [from_json(schema["items"], item, names) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {name: from_json(schema["values"], item, names) for name, item in value.items()}
    parse = _PARSERS.get(schema.get("logicalType")) or _PARSERS.get(kind)
    if parse is None or not isinstance(value, (str, float, int)) or isinstance(value, bool):
        return value
    try:
        return parse(value)
    except (ValueError, TypeError, ArithmeticError):
        return value


def _moment(text: Any) -> dt.datetime:
    return dt.datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text)


_PARSERS: dict[Any, Callable[[Any], Any]] = {
    "date": dt.date.fromisoformat,
    "time-millis": dt.time.fromisoformat,
    "time-micros": dt.time.fromisoformat,
    **dict.fromkeys(
        (f"{local}timestamp-{unit}" for local in ("", "local-") for unit in ("millis", "micros", "nanos")), _moment
    ),
    "decimal": lambda value: decimal.Decimal(str(value)),
    "uuid": uuid.UUID,
    "bytes": lambda text: base64.b64decode(text, validate=True),
    "fixed": lambda text: base64.b64decode(text, validate=True),
}


class Decoder:
    """Decodes values and keys that carry the id of a schema; what carries none stays as it is.

    Args:
        url: the registry.
        text: make JSON texts, for output by format; else objects.
        kms: properties for key management systems, to decrypt what is encrypted; empty leaves it encrypted.
    """

    def __init__(self, url: str, text: bool, kms: dict[str, str] | None = None) -> None:
        self._registry = open_registry(url)
        self._rules: dict[str, Any] = {}
        if kms:
            from ._keys import decrypting_rules

            self._rules = {"rule_conf": kms, "rule_registry": decrypting_rules()}
        self._text = text
        self._readers: dict[str, Callable[[Any, SerializationContext], Any]] = {}
        self._told: set[str] = set()

    def decode(self, message: Message[Any, Any]) -> Message[Any, Any]:
        """Decode a message in place. What cannot be decoded stays bytes, and is told, once for each reason."""
        topic = str(message.topic())
        headers: Any = message.headers()
        value, key = message.value(), message.key()
        message.set_value(self._decoded(value, SerializationContext(topic, MessageField.VALUE, headers)))
        message.set_key(self._decoded(key, SerializationContext(topic, MessageField.KEY, headers)))
        return message

    def _decoded(self, data: bytes | None, context: SerializationContext) -> Any:
        from confluent_kafka.schema_registry._core.framing import header_frame

        if data is None:
            return data
        frame = header_frame(context) or data
        if len(frame) < _FRAME_BYTES or frame[0] not in (0, 1) or (frame is data and frame[0] == 1):
            return data
        schema_id = int.from_bytes(frame[1:_FRAME_BYTES], "big")
        try:
            schema = (
                self._registry.get_schema(schema_id)
                if frame[0] == 0
                else self._registry.get_schema_by_guid(str(uuid.UUID(bytes=bytes(frame[1:17]))))
            )
            found = self._reader(schema.schema_type or "AVRO")(data, context)
        except (ImportError, SchemaRegistryError, KafkaException, TypeError, ValueError, EOFError) as error:
            reason = f"schema {schema_id}: {error}"
            if reason not in self._told:
                self._told.add(reason)
                say(f"not decoded: {context.topic}, {reason}")
            return data
        if not self._text:
            return found if isinstance(found, (bytes, str)) or found is None else Document(found)
        return found if isinstance(found, bytes) or found is None else dumps(found)

    def _reader(self, schema_type: str) -> Callable[[Any, SerializationContext], Any]:
        reader = self._readers.get(schema_type)
        if reader is None:
            # by the subject of the topic a schema could not be found that is registered under another
            reader = self._readers[schema_type] = self._make(schema_type)
        return reader

    def _make(self, schema_type: str) -> Callable[[Any, SerializationContext], Any]:
        reader: Any
        if schema_type == "JSON":
            from confluent_kafka.schema_registry.json_schema import JSONDeserializer

            reader = JSONDeserializer(
                None, schema_registry_client=self._registry, conf={"validate": False}, **self._rules
            )
        elif schema_type == "PROTOBUF":
            from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer

            reader = ProtobufDeserializer(None, schema_registry_client=self._registry, as_dict=True, **self._rules)
        else:
            from confluent_kafka.schema_registry.avro import AvroDeserializer

            reader = AvroDeserializer(self._registry, **self._rules)
        # keys belong to the subject, which is that of the topic
        always = bool(self._rules)
        return lambda data, context: reader(data, context if always or header_needed(context) else None)


def header_needed(context: SerializationContext) -> bool:
    """Whether the id of the schema is in a header, which only the context tells."""
    from confluent_kafka.schema_registry._core.framing import header_frame

    return header_frame(context) is not None
