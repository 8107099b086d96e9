# SPDX-License-Identifier: Apache-2.0
"""``/schemas``, ``/contexts`` and ``/v1/metadata``: schemas by id and GUID, and what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core import compat
from confluent_kafka.schema_registry._core.registry import failures, views
from confluent_kafka.schema_registry._core.registry.names import DEFAULT_CONTEXT, SubjectName, has_prefix
from confluent_kafka.schema_registry._core.registry.request import Request, Routes
from confluent_kafka.schema_registry._core.registry.routes_subjects import context_of

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.models import RegisteredSchema
    from confluent_kafka.schema_registry._core.registry.store import Entry
    from confluent_kafka.schema_registry._core.server import RegistryApp

ROUTES = Routes()


@ROUTES.on("GET", "/")
def root(app: RegistryApp, request: Request) -> Any:
    return {}


@ROUTES.on("GET", "/contexts")
def contexts(app: RegistryApp, request: Request) -> Any:
    return request.page(sorted({DEFAULT_CONTEXT, *app.registry.store.contexts()}))


@ROUTES.on("GET", "/v1/metadata/id")
def cluster_id(app: RegistryApp, request: Request) -> Any:
    clusters = {"kafka-cluster": app.cluster_id, "schema-registry-cluster": "schema-registry"}
    return {"id": app.cluster_id, "scope": {"path": [], "clusters": clusters}}


@ROUTES.on("GET", "/v1/metadata/version")
def server_version(app: RegistryApp, request: Request) -> Any:
    return {"version": "embedded", "commitId": "embedded"}


@ROUTES.on("GET", "/schemas")
def list_schemas(app: RegistryApp, request: Request) -> Any:
    prefix = request.text("subjectPrefix")
    if request.context is not None:
        prefix = request.qualified(prefix or "") if prefix else f":{request.context}:"
    kind = request.text("ruleType")
    found: dict[tuple[SubjectName, int], RegisteredSchema] = {}
    for name, item, _ in app.registry.entries(request.flag("deleted")):
        if has_prefix(name, prefix) and (not kind or kind in _rule_types(item)):
            # later versions come later, so with latestOnly the last one stays
            found[name, 0 if request.flag("latestOnly") else int(item.version or 0)] = item
    listed = sorted(found.values(), key=lambda item: (str(item.subject), item.version))
    return [views.registered(app.registry, item) for item in request.page(listed)]


def _rule_types(item: RegisteredSchema) -> set[str | None]:
    rules = item.schema.rule_set
    if rules is None:
        return set()
    lists = (rules.migration_rules, rules.domain_rules, rules.encoding_rules)
    return {rule.type for listed in lists for rule in listed or ()}


@ROUTES.on("GET", "/schemas/types")
def types(app: RegistryApp, request: Request) -> Any:
    return list(compat.TYPES)


@ROUTES.on("GET", "/schemas/ids/{id}")
def by_id(app: RegistryApp, request: Request) -> Any:
    item = _by_id(app, request)
    answer = views.content(app.registry, item, request.text("format"))
    answer["guid"] = item.guid
    context, subject = context_of(request)
    if subject is not None:
        for name, entry in app.registry.store.users(context, int(item.schema_id or 0)) or ():
            if name == subject:
                answer |= {"subject": str(name), "version": entry.version}
    if request.flag("fetchMaxId"):
        answer["maxId"] = app.registry.store.last_id(context)
    return answer


@ROUTES.on("GET", "/schemas/ids/{id}/schema")
def text_by_id(app: RegistryApp, request: Request) -> Any:
    return views.text(app.registry, _by_id(app, request), request.text("format"))


@ROUTES.on("GET", "/schemas/ids/{id}/subjects")
def subjects_by_id(app: RegistryApp, request: Request) -> Any:
    return request.page(sorted({str(name) for name, _ in _users(app, request)}))


@ROUTES.on("GET", "/schemas/ids/{id}/versions")
def versions_by_id(app: RegistryApp, request: Request) -> Any:
    found = sorted((str(name), entry.version) for name, entry in _users(app, request))
    return request.page({"subject": subject, "version": version} for subject, version in found)


@ROUTES.on("GET", "/schemas/guids/{guid}")
def by_guid(app: RegistryApp, request: Request) -> Any:
    item = app.registry.by_guid(request.arguments["guid"])
    return {**views.content(app.registry, item, request.text("format")), "guid": item.guid}


@ROUTES.on("GET", "/schemas/guids/{guid}/ids")
def ids_by_guid(app: RegistryApp, request: Request) -> Any:
    found = app.registry.store.by_guid(request.arguments["guid"])
    if not found:
        raise failures.no_schema(request.arguments["guid"])
    return [{"context": context, "id": schema_id} for context, schema_id in sorted(found)]


def _number(request: Request) -> int:
    text = request.arguments["id"]
    if not (text.isascii() and text.isdigit()):
        raise failures.bad_request("the id of a schema must be a whole number")
    return int(text)


def _by_id(app: RegistryApp, request: Request) -> RegisteredSchema:
    return app.registry.by_id(_number(request), context_of(request)[0])


def _users(app: RegistryApp, request: Request) -> list[tuple[SubjectName, Entry]]:
    context, subject = context_of(request)
    item = _by_id(app, request)
    return [
        (name, entry)
        for name, entry in app.registry.store.users(context, int(item.schema_id or 0)) or ()
        if (request.flag("deleted") or not entry.deleted) and subject in (None, name)
    ]
