# SPDX-License-Identifier: Apache-2.0
"""One operation per call of the registry client: what to look up, what to ask the registry, what to remember."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from confluent_kafka.schema_registry._core.effects import share
from confluent_kafka.schema_registry._core.models import (
    Association,
    AssociationResponse,
    RegisteredSchema,
    Schema,
    SchemaVersion,
    ServerConfig,
)
from confluent_kafka.schema_registry._core.rest import request, segment
from confluent_kafka.schema_registry._core.retry import is_retriable
from confluent_kafka.schema_registry.error import OAuthTokenError, SchemaRegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka.schema_registry._core.client_caches import ClientCaches
    from confluent_kafka.schema_registry._core.effects import Op
    from confluent_kafka.schema_registry._core.models import AssociationCreateOrUpdateRequest
    from confluent_kafka.schema_registry._core.rest import Link

NO_ASSOCIATIONS_TTL_S = 300.0
_LOG = logging.getLogger("confluent_kafka.schema_registry")


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry and what is remembered of it."""

    link: Link
    caches: ClientCaches


def register(reg: Registry, subject: str, schema: Schema, normalize: bool) -> Op[RegisteredSchema]:
    """Register a schema; see the client for all of these."""
    key = (subject, schema, bool(normalize))
    hit = reg.caches.registered.get(key)
    if hit is not None:
        return hit
    return (yield from share(("register", key), lambda: _register(reg, subject, schema, bool(normalize))))


def _register(reg: Registry, subject: str, schema: Schema, normalize: bool) -> Op[RegisteredSchema]:
    caches = reg.caches
    key = (subject, schema, normalize)
    hit = caches.registered.get(key)  # by one who came first, and was done when this one began to wait
    if hit is not None:
        return hit
    deletions = caches.deletions
    path = f"subjects/{segment(subject)}/versions"
    answer = yield from request(reg.link, "POST", path, [("normalize", normalize)], schema.to_dict())
    if not isinstance(answer, dict):
        raise _unexpected("an object", answer)
    own_rules = schema.rule_set is not None or schema.metadata is not None
    if "schema" not in answer and own_rules and answer.get("id") is not None:
        # the registry did not say what it has made of the rules: they may have been dropped
        query = [("subject", subject)]
        stored = yield from request(reg.link, "GET", f"schemas/ids/{segment(answer['id'])}", query)
        if not isinstance(stored, dict) or stored.get("schema") is None:
            raise _unexpected("a schema", stored)
        answer = {**stored, **answer}
    registered = RegisteredSchema.from_dict(answer)
    kept = schema if answer.get("schema") is None else registered.schema
    registered = dataclasses.replace(registered, subject=registered.subject or subject, schema=kept)
    if registered.schema_id is None:
        raise _unexpected("an id", answer)
    if schema.rule_set is not None and registered.schema.rule_set is None:
        _LOG.warning("the registry has dropped the ruleSet of the schema registered under %s", subject)
    caches.changed(subject)
    if deletions == caches.deletions:
        caches.learn(registered)
        caches.registered.put(key, registered)
        if registered.version is not None:
            given = dataclasses.replace(schema, metadata=kept.metadata, rule_set=kept.rule_set)
            found = dataclasses.replace(registered, schema=given)
            caches.found.put((subject, schema, normalize, None, False), found)
    return registered


def _as_given(answer: Any, subject: str, schema: Schema, fmt: str | None) -> RegisteredSchema:
    """Make a registration out of an answer; the text is the caller's, its rules and metadata are the registry's."""
    if not isinstance(answer, dict):
        raise _unexpected("an object", answer)
    found = RegisteredSchema.from_dict(answer)
    if answer.get("schema") is None:
        kept = schema
    elif fmt is not None:
        kept = found.schema
    else:
        kept = dataclasses.replace(schema, metadata=found.schema.metadata, rule_set=found.schema.rule_set)
    return dataclasses.replace(found, subject=found.subject or subject, schema=kept)


def get_schema(
    reg: Registry, schema_id: int, subject: str | None, fmt: str | None, reference_format: str | None
) -> Op[Schema]:
    key = (subject, schema_id, fmt, reference_format)
    hit = reg.caches.schemas.get(key)
    if hit is not None:
        return reg.caches.put_schema(key, hit)
    query = [("subject", subject), ("format", fmt), ("reference_format", reference_format)]

    def keep(answer: Any) -> Schema:
        schema = Schema.from_dict(answer)
        guid = answer.get("guid")
        if guid is not None and reference_format is None:
            reg.caches.guids.put((str(guid), fmt), schema)
        return reg.caches.put_schema(key, schema)

    known = partial(reg.caches.schemas.get, key)
    return (yield from _once(reg, ("id", key), f"schemas/ids/{segment(schema_id)}", query, known, keep))


def get_schema_by_guid(reg: Registry, guid: str, fmt: str | None) -> Op[Schema]:
    key = (str(guid), fmt)
    hit = reg.caches.guids.get(key)
    if hit is not None:
        return hit

    def keep(answer: Any) -> Schema:
        return reg.caches.guids.put(key, Schema.from_dict(answer))

    known = partial(reg.caches.guids.get, key)
    return (yield from _once(reg, ("guid", key), f"schemas/guids/{segment(guid)}", [("format", fmt)], known, keep))


def _once(
    reg: Registry,
    key: Any,
    path: str,
    query: list[tuple[str, Any]],
    known: Callable[[], Schema | None],
    keep: Callable[[Any], Schema],
) -> Op[Schema]:
    """Fetch a schema once for all who want it: unless it is ``known`` by now, and ``keep`` it."""
    missing = reg.caches.missing(key)
    if missing is not None:
        raise missing

    def fetch() -> Op[Schema]:
        found = known()
        if found is not None:
            return found
        try:
            answer = yield from request(reg.link, "GET", path, query)
        except SchemaRegistryError as e:
            if e.http_status_code == 404:
                reg.caches.put_missing(key, e)
            raise
        if not isinstance(answer, dict) or answer.get("schema") is None:
            raise _unexpected("a schema", answer)
        return keep(answer)

    return (yield from share(key, fetch))


def lookup(
    reg: Registry, subject: str, schema: Schema, normalize: bool, fmt: str | None, deleted: bool
) -> Op[RegisteredSchema]:
    caches = reg.caches
    key = (subject, schema, bool(normalize), fmt, bool(deleted))
    hit = caches.found.get(key)
    if hit is not None:
        return hit

    def fetch() -> Op[RegisteredSchema]:
        found = caches.found.get(key)
        if found is not None:
            return found
        deletions = caches.deletions
        query = [("normalize", bool(normalize)), ("deleted", bool(deleted)), ("format", fmt)]
        answer = yield from request(reg.link, "POST", f"subjects/{segment(subject)}", query, schema.to_dict())
        registered = _as_given(answer, subject, schema, fmt)
        if deletions == caches.deletions:
            caches.found.put(key, registered)
            if fmt is None:
                caches.learn(registered)
                if not deleted:
                    caches.registered.put((subject, schema, bool(normalize)), registered)
        return registered

    return (yield from share(("lookup", key), fetch))


def get_version(
    reg: Registry, subject: str, version: int | Literal["latest"], deleted: bool, fmt: str | None
) -> Op[RegisteredSchema]:
    caches = reg.caches
    asked: int | str = "latest" if version in ("latest", -1) else int(version)
    key = (subject, -1 if asked == "latest" else int(asked), bool(deleted), fmt)  # nothing is kept for -1
    hit = caches.versions.get(key)
    if hit is not None:
        return hit

    def fetch() -> Op[RegisteredSchema]:
        found = caches.versions.get(key)
        if found is not None:
            return found
        deletions = caches.deletions
        query = [("deleted", bool(deleted)), ("format", fmt)]
        answer = yield from request(reg.link, "GET", f"subjects/{segment(subject)}/versions/{asked}", query)
        registered = _registered(answer)
        if deletions == caches.deletions and registered.version is not None:
            caches.versions.put((subject, registered.version, bool(deleted), fmt), registered)
            if fmt is None:
                caches.learn(registered)
            if fmt is None and not deleted:
                caches.found.put((subject, registered.schema, False, None, False), registered)
                caches.registered.put((subject, registered.schema, False), registered)
        return registered

    return (yield from share(("version", subject, asked, bool(deleted), fmt), fetch))


def get_latest_version(reg: Registry, subject: str, fmt: str | None) -> Op[RegisteredSchema]:
    path = f"subjects/{segment(subject)}/versions/latest"
    return (yield from _latest(reg, latest_key(subject, fmt), path, [("format", fmt)]))


def get_latest_with_metadata(
    reg: Registry, subject: str, metadata: Mapping[str, str], deleted: bool, fmt: str | None
) -> Op[RegisteredSchema]:
    query: list[tuple[str, Any]] = [("deleted", bool(deleted)), ("format", fmt)]
    for name, value in metadata.items():
        query += [("key", name), ("value", value)]
    key = metadata_key(subject, metadata, deleted, fmt)
    return (yield from _latest(reg, key, f"subjects/{segment(subject)}/metadata", query))


def latest_key(subject: str, fmt: str | None) -> tuple[Any, ...]:
    """Return what a latest version is remembered by."""
    return (subject, None, False, fmt)


def metadata_key(subject: str, metadata: Mapping[str, str], deleted: bool, fmt: str | None) -> tuple[Any, ...]:
    """Return what a latest version with metadata is remembered by."""
    return (subject, frozenset(metadata.items()), bool(deleted), fmt)


def _latest(reg: Registry, key: tuple[Any, ...], path: str, query: list[tuple[str, Any]]) -> Op[RegisteredSchema]:
    caches = reg.caches
    hit = caches.latest_version(key)
    if hit is not None:
        return hit

    def fetch(patient: bool = True) -> Op[RegisteredSchema]:
        found = caches.latest_version(key) if patient else None
        if found is not None:
            return found
        epoch = caches.epoch
        registered = _registered((yield from request(reg.link, "GET", path, query, patient=patient)))
        if key[-1] is None:
            caches.learn(registered)
        return caches.put_latest(key, registered, epoch)

    old, mine = caches.claim(key)
    if old is None:
        return (yield from share(("latest", key), fetch))
    if not mine:
        return old.registered
    try:
        return (yield from fetch(patient=False))
    except Exception as e:
        if not _is_outage(e):
            caches.latest.pop(key, None)
            raise
        return caches.keep_stale(old, e)
    finally:
        old.refreshing = False


def _is_outage(error: Exception) -> bool:
    if isinstance(error, SchemaRegistryError):
        return is_retriable(error.http_status_code)
    return isinstance(error, OAuthTokenError) or not isinstance(error, (ValueError, TypeError))


def get_schema_types(reg: Registry) -> Op[list[str]]:
    return _strings((yield from request(reg.link, "GET", "schemas/types")))


def get_subjects_by_schema_id(
    reg: Registry, schema_id: int, subject: str | None, deleted: bool, offset: int, limit: int
) -> Op[list[str]]:
    query = _page(offset, limit, ("subject", subject), ("deleted", deleted or None))
    return _strings((yield from request(reg.link, "GET", f"schemas/ids/{segment(schema_id)}/subjects", query)))


def get_schema_versions(
    reg: Registry, schema_id: int, subject: str | None, deleted: bool, offset: int, limit: int
) -> Op[list[SchemaVersion]]:
    query = _page(offset, limit, ("subject", subject), ("deleted", deleted or None))
    answer = yield from request(reg.link, "GET", f"schemas/ids/{segment(schema_id)}/versions", query)
    return [SchemaVersion.from_dict(item) for item in answer or ()]


def get_subjects(
    reg: Registry, prefix: str | None, deleted: bool, deleted_only: bool, offset: int, limit: int
) -> Op[list[str]]:
    query = [("deleted", deleted), ("deleted_only", deleted_only), *_page(offset, limit, ("subjectPrefix", prefix))]
    return _strings((yield from request(reg.link, "GET", "subjects", query)))


def delete_subject(reg: Registry, subject: str, permanent: bool) -> Op[list[int]]:
    query = [("permanent", permanent or None)]
    try:
        answer = yield from request(reg.link, "DELETE", f"subjects/{segment(subject)}", query)
    finally:  # an answer that was lost may have been a success
        reg.caches.deleted(subject, permanent)
    return list(answer or ())


def get_referenced_by(
    reg: Registry, subject: str, version: int | Literal["latest"], offset: int, limit: int
) -> Op[list[int]]:
    path = f"subjects/{segment(subject)}/versions/{segment(version)}/referencedby"
    return list((yield from request(reg.link, "GET", path, _page(offset, limit))) or ())


def get_versions(
    reg: Registry, subject: str, deleted: bool, deleted_only: bool, offset: int, limit: int
) -> Op[list[int]]:
    query = [("deleted", deleted), ("deleted_only", deleted_only), *_page(offset, limit)]
    return list((yield from request(reg.link, "GET", f"subjects/{segment(subject)}/versions", query)) or ())


def delete_version(reg: Registry, subject: str, version: int, permanent: bool) -> Op[int]:
    path = f"subjects/{segment(subject)}/versions/{segment(version)}"
    try:
        answer = yield from request(reg.link, "DELETE", path, [("permanent", permanent or None)])
    finally:
        reg.caches.deleted(subject, permanent)
    return int(answer)


def set_compatibility(reg: Registry, subject: str | None, level: str | None) -> Op[Any]:
    if level is None:
        raise ValueError("level must be set")
    return (yield from request(reg.link, "PUT", _of("config", subject), body={"compatibility": str(level).upper()}))


def get_compatibility(reg: Registry, subject: str | None) -> Op[str]:
    return str(_field((yield from request(reg.link, "GET", _of("config", subject))), "compatibilityLevel"))


def test_compatibility(
    reg: Registry,
    subject: str,
    schema: Schema,
    version: int | Literal["latest"] | None,
    normalize: bool,
    verbose: bool,
) -> Op[bool]:
    """``version`` None stands for all versions."""
    end = "" if version is None else f"/{segment(version)}"
    path = f"compatibility/subjects/{segment(subject)}/versions{end}"
    query = [("normalize", normalize), ("verbose", verbose)]
    return bool(_field((yield from request(reg.link, "POST", path, query, schema.to_dict())), "is_compatible"))


def set_config(reg: Registry, subject: str | None, config: ServerConfig | None) -> Op[Any]:
    if config is None:
        raise ValueError("config must be set")
    return (yield from request(reg.link, "PUT", _of("config", subject), body=config.to_dict()))


def get_config(reg: Registry, subject: str | None) -> Op[ServerConfig | None]:
    answer = yield from request(reg.link, "GET", _of("config", subject))
    return None if answer is None else ServerConfig.from_dict(answer)


def delete_config(reg: Registry, subject: str | None) -> Op[ServerConfig]:
    return ServerConfig.from_dict((yield from request(reg.link, "DELETE", _of("config", subject))) or {})


def get_mode(reg: Registry, subject: str | None) -> Op[str]:
    return str(_field((yield from request(reg.link, "GET", _of("mode", subject))), "mode"))


def update_mode(reg: Registry, subject: str | None, mode: str, force: bool) -> Op[str]:
    path = _of("mode", subject)
    return str(_field((yield from request(reg.link, "PUT", path, [("force", force)], {"mode": str(mode)})), "mode"))


def delete_mode(reg: Registry, subject: str) -> Op[str]:
    return str(_field((yield from request(reg.link, "DELETE", _of("mode", subject))), "mode"))


def get_contexts(reg: Registry, offset: int, limit: int) -> Op[list[str]]:
    return _strings((yield from request(reg.link, "GET", "contexts", _page(offset, limit))))


def get_associations_by_resource_name(
    reg: Registry,
    name: str,
    namespace: str,
    resource_type: str | None,
    association_types: Sequence[str] | None,
    offset: int,
    limit: int,
) -> Op[list[Association]]:
    known = reg.caches.missing("associations")
    if known is not None:
        raise known
    query: list[tuple[str, Any]] = [("resourceType", resource_type)]
    query += [("associationType", kind) for kind in association_types or ()]
    query += [("offset", offset if offset > 0 else None), ("limit", limit if limit >= 1 else None)]
    path = f"associations/resources/{segment(namespace)}/{segment(name)}"
    try:
        answer = yield from request(reg.link, "GET", path, query)
    except SchemaRegistryError as e:
        # a registry that knows this call has codes of five digits; this one need not be asked for every topic
        if e.http_status_code == 404 and not (isinstance(e.error_code, int) and e.error_code > 9999):
            reg.caches.put_missing("associations", e, NO_ASSOCIATIONS_TTL_S)
        raise
    return [Association.from_dict(item) for item in answer or ()]


def create_association(reg: Registry, wanted: AssociationCreateOrUpdateRequest) -> Op[AssociationResponse]:
    answer = yield from request(reg.link, "POST", "associations", body=wanted.to_dict())
    for association in wanted.associations or ():
        if association.subject is not None:
            reg.caches.changed(association.subject)
    return AssociationResponse.from_dict(answer or {})


def delete_associations(
    reg: Registry,
    resource_id: str,
    resource_type: str | None,
    association_types: Sequence[str] | None,
    cascade_lifecycle: bool,
) -> Op[None]:
    query: list[tuple[str, Any]] = [("cascadeLifecycle", bool(cascade_lifecycle)), ("resourceType", resource_type)]
    query += [("associationType", kind) for kind in association_types or ()]
    yield from request(reg.link, "DELETE", f"associations/resources/{segment(resource_id)}", query)
    if cascade_lifecycle:  # subjects may have gone with them
        reg.caches.clear()


def _of(what: str, subject: str | None) -> str:
    return what if subject is None else f"{what}/{segment(subject)}"


def _page(offset: int, limit: int, *others: tuple[str, Any]) -> list[tuple[str, Any]]:
    return [("offset", offset), ("limit", limit), *others]


def _registered(answer: Any) -> RegisteredSchema:
    if not isinstance(answer, dict) or answer.get("schema") is None:
        raise _unexpected("a schema", answer)
    return RegisteredSchema.from_dict(answer)


def _strings(answer: Any) -> list[str]:
    return [str(item) for item in answer or ()]


def _field(answer: Any, name: str) -> Any:
    if not isinstance(answer, dict) or name not in answer:
        raise _unexpected(repr(name), answer)
    return answer[name]


def _unexpected(what: str, answer: Any) -> SchemaRegistryError:
    text = f"the registry's answer does not have {what}: {str(answer)[:300]}; is this the URL of a Schema Registry?"
    return SchemaRegistryError(200, SchemaRegistryError.UNKNOWN, text)
