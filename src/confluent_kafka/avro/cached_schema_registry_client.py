# SPDX-License-Identifier: Apache-2.0
"""The deprecated registry client: names and answers as ever, requests by ``SchemaRegistryClient``."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from .error import ClientError
from .load import ParsedSchema, loads

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from confluent_kafka.schema_registry import Schema

VALID_LEVELS = ["NONE", "FULL", "FORWARD", "BACKWARD"]
VALID_METHODS = ["GET", "POST", "PUT", "DELETE"]
VALID_AUTH_PROVIDERS = ["URL", "USER_INFO", "SASL_INHERIT"]
ACCEPT_HDR = "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json"
log = logging.getLogger(__name__)

# the registry has known these for long
_LEVELS = {*VALID_LEVELS, *(f"{level}_TRANSITIVE" for level in VALID_LEVELS if level != "NONE")}
_PASSED_ON = (
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
    "basic.auth.user.info",
)
_CREDENTIALS = ("basic.auth.credentials.source", "sasl.mechanism", "sasl.username", "sasl.password")


class CachedSchemaRegistryClient:
    """A client of a Schema Registry; deprecated, use :class:`confluent_kafka.schema_registry.SchemaRegistryClient`.

    Args:
        url: configuration: ``url``; ``ssl.ca.location``, ``ssl.certificate.location``, ``ssl.key.location``,
            ``ssl.key.password``; ``basic.auth.credentials.source`` URL (the default), USER_INFO (with
            ``basic.auth.user.info``) or SASL_INHERIT (with ``sasl.mechanism``, ``sasl.username``, ``sasl.password``);
            ``auto.register.schemas`` (True). Not changed. Or, deprecated even longer, the URL alone.
        max_schemas_per_subject: not used.
        ca_location, cert_location, key_location: paths, when ``url`` is a str.
    Raises:
        TypeError: the URL is no str.
        ValueError: a property is wrong or unknown.

    Calls raise :class:`ClientError` when the registry refuses or does not answer, unless they say something else.
    """

    def __init__(
        self,
        url: Mapping[str, Any] | str,
        max_schemas_per_subject: int = 1000,
        ca_location: str | None = None,
        cert_location: str | None = None,
        key_location: str | None = None,
    ) -> None:
        if isinstance(url, str):
            warnings.warn(
                "CachedSchemaRegistryClient(url, ca_location, ...) is deprecated: give a configuration with url, "
                "ssl.ca.location, ssl.certificate.location, ssl.key.location",
                DeprecationWarning,
                stacklevel=2,
            )
            conf: dict[str, Any] = {
                "url": url,
                "ssl.ca.location": ca_location,
                "ssl.certificate.location": cert_location,
                "ssl.key.location": key_location,
            }
        else:
            conf = dict(url)
        self.auto_register_schemas: bool = conf.pop("auto.register.schemas", True)
        # subject -> {schema: id}, id -> schema, subject -> {schema: version}
        self.subject_to_schema_ids: defaultdict[str, dict[Any, int]] = defaultdict(dict)
        self.id_to_schema: dict[int, Any] = {}
        self.subject_to_schema_versions: defaultdict[str, dict[Any, int]] = defaultdict(dict)
        self._client: Any = _client(conf)
        self.url = self._client._rest_client.config.urls[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # users of this class have never had to close it
        if "_client" in self.__dict__:
            with contextlib.suppress(Exception):
                self._client.close()

    def close(self) -> None:
        """Close the connections; any number of times."""
        self._client.close()

    def register(self, subject: str, avro_schema: ParsedSchema | str) -> int:
        """Register a schema and return its id. Cached."""
        return self._id(subject, avro_schema, "register_schema_full_response", "register the schema")

    def check_registration(self, subject: str, avro_schema: ParsedSchema | str) -> int:
        """Return the id of a schema that is registered. Cached."""
        return self._id(subject, avro_schema, "lookup_schema", "check the schema's registration")

    def _id(self, subject: str, schema: Any, method: str, what: str) -> int:
        known = self.subject_to_schema_ids[subject].get(schema)
        if known is not None:
            return known
        registered = self._call(what, method, subject, _schema(schema))
        schema_id: int = registered.schema_id
        self._remember(schema, schema_id, subject, None)
        return schema_id

    def delete_subject(self, subject: str) -> list[int]:
        """Delete a subject and return its versions."""
        versions: list[int] = self._call("delete the subject", "delete_subject", subject)
        self.subject_to_schema_ids.pop(subject, None)
        self.subject_to_schema_versions.pop(subject, None)
        return versions

    def get_by_id(self, schema_id: int) -> Any:
        """Return a schema by its id, None when the registry does not give it. Cached."""
        if schema_id in self.id_to_schema:
            return self.id_to_schema[schema_id]
        found = self._ask("get_schema", schema_id)
        if found is None:
            return None
        return self._remember(_parsed(found, f"id {schema_id}"), schema_id)

    def get_latest_schema(self, subject: str) -> tuple[int | None, Any, int | None]:
        """Return id, schema and version of the latest version, (None, None, None) when there is none."""
        return self.get_by_version(subject, "latest")

    def get_by_version(self, subject: str, version: int | str) -> tuple[int | None, Any, int | None]:
        """Return id, schema and version of a version, (None, None, None) when there is none. Asks the registry."""
        self._client.clear_latest_caches()
        found = (
            self._ask("get_latest_version", subject)
            if version == "latest"
            else self._ask("get_version", subject, version)
        )
        if found is None:
            return None, None, None
        schema_id: int = found.schema_id
        schema = self.id_to_schema.get(schema_id) or _parsed(found.schema, f"version {version} of {subject}")
        return schema_id, self._remember(schema, schema_id, subject, found.version), found.version

    def get_version(self, subject: str, avro_schema: ParsedSchema | str) -> int | None:
        """Return the version that has a schema, None when there is none. Cached."""
        known = self.subject_to_schema_versions[subject].get(avro_schema)
        if known is not None:
            return known
        found = self._ask("lookup_schema", subject, _schema(avro_schema))
        if found is None:
            return None
        version: int = found.version
        self._remember(avro_schema, found.schema_id, subject, version)
        return version

    def test_compatibility(
        self, subject: str, avro_schema: ParsedSchema | str, version: int | str = "latest"
    ) -> bool | None:
        """Return whether a schema could follow a version of a subject, False when the registry cannot say."""
        answer: bool | None = self._ask("test_compatibility", subject, _schema(avro_schema), version)
        return answer is True

    def update_compatibility(self, level: str, subject: str | None = None) -> str:
        """Set how new versions must fit those before, of a subject or of all; return the level."""
        if level not in _LEVELS:
            raise ClientError(f"Invalid level specified: {level}")
        answer = self._call(f"update the level to {level}", "set_compatibility", subject, level)
        return str(answer["compatibility"])

    def get_compatibility(self, subject: str | None = None) -> str:
        """Return the compatibility level of a subject, or the global one."""
        level = self._call("fetch the compatibility level", "get_compatibility", subject)
        if level not in _LEVELS:
            raise ClientError(f"Invalid compatibility level received: {level or 'No compatibility was returned'}")
        return str(level)

    def _call(self, what: str, method: str, *arguments: Any) -> Any:
        from confluent_kafka.schema_registry import SchemaRegistryError

        try:
            return getattr(self._client, method)(*arguments)
        except SchemaRegistryError as e:
            kind = {401: "Unauthorized access", 403: "Unauthorized access", 404: "Schema or subject not found"}
            kind.update({409: "Incompatible Avro schema", 422: "Invalid Avro schema"})
            reason = kind.get(e.http_status_code, f"Unable to {what}")
            raise ClientError(f"{reason}: {e.http_status_code} message: {e.error_message}", e.http_status_code) from e
        except _transport_errors() as e:
            raise ClientError(f"Unable to {what}: {type(e).__name__}: {e}") from e

    def _ask(self, method: str, *arguments: Any) -> Any:
        """Ask for what may be missing: None then, and a line in the log."""
        try:
            return self._call("answer", method, *arguments)
        except ClientError as e:
            if e.http_code is None and method != "test_compatibility":
                raise
            log.error("%s%r: %s", method, arguments[:1], e)  # the refusal is the news, not where it came up
            return None

    def _remember(self, schema: Any, schema_id: int, subject: str | None = None, version: int | None = None) -> Any:
        schema = self.id_to_schema.setdefault(schema_id, schema)
        if subject is not None:
            self.subject_to_schema_ids[subject][schema] = schema_id
            if version is not None:
                self.subject_to_schema_versions[subject][schema] = version
        return schema


def _client(conf: dict[str, Any]) -> Any:
    from confluent_kafka.schema_registry import SchemaRegistryClient

    url = conf.pop("url", "")
    if not isinstance(url, str):
        raise TypeError("URL must be of type str")
    if not url.startswith(("http", "mock://")):
        raise ValueError("Invalid URL provided for Schema Registry")
    source = str(conf.get("basic.auth.credentials.source") or "URL").upper()
    if source not in VALID_AUTH_PROVIDERS:
        raise ValueError(f"schema.registry.basic.auth.credentials.source must be one of {VALID_AUTH_PROVIDERS}")
    if bool(conf.get("ssl.certificate.location")) != bool(conf.get("ssl.key.location")):
        raise ValueError(
            "Both schema.registry.ssl.certificate.location and schema.registry.ssl.key.location must be set"
        )
    unknown = [name for name in conf if name not in (*_PASSED_ON, *_CREDENTIALS)]
    if unknown:
        raise ValueError(f"Unrecognized configuration properties: {', '.join(unknown)}")
    given = {name: conf[name] for name in _PASSED_ON if conf.get(name) is not None}
    if source != "USER_INFO":
        given.pop("basic.auth.user.info", None)
    if source == "SASL_INHERIT":
        if str(conf.get("sasl.mechanism") or "").upper() == "GSSAPI":
            raise ValueError("SASL_INHERIT does not support SASL mechanism GSSAPI")
        given["basic.auth.user.info"] = f"{conf.get('sasl.username', '')}:{conf.get('sasl.password', '')}"
    return SchemaRegistryClient.new_client({"url": url.rstrip("/") if url.startswith("http") else url, **given})


def _transport_errors() -> tuple[type[Exception], ...]:
    try:
        import httpx2
    except ImportError:
        return ()
    return (httpx2.TransportError,)


def _schema(schema: Any) -> Schema:
    from confluent_kafka.schema_registry import Schema

    return Schema(str(schema), "AVRO")


def _parsed(schema: Schema, which: str) -> ParsedSchema:
    rules = schema.rule_set
    if rules is not None and any(rules.migration_rules or rules.domain_rules or rules.encoding_rules or ()):
        raise ClientError(f"the schema ({which}) has rules, which need AvroSerializer and AvroDeserializer")
    try:
        return loads(schema.schema_str or "")
    except ClientError as e:
        raise ClientError(f"Received bad schema ({which}) from registry: {e}") from e


__all__ = [
    "ACCEPT_HDR",
    "VALID_AUTH_PROVIDERS",
    "VALID_LEVELS",
    "VALID_METHODS",
    "CachedSchemaRegistryClient",
]
