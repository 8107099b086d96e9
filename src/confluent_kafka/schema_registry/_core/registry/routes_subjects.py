# SPDX-License-Identifier: Apache-2.0
"""``/subjects`` and ``/compatibility``: versions are registered, looked up, compared and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.models import Schema
from confluent_kafka.schema_registry._core.registry import failures, views
from confluent_kafka.schema_registry._core.registry.names import SubjectName, has_prefix
from confluent_kafka.schema_registry._core.registry.request import Request, Routes

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.models import RegisteredSchema
    from confluent_kafka.schema_registry._core.server import RegistryApp

ROUTES = Routes()


@ROUTES.on("GET", "/subjects")
def list_subjects(app: RegistryApp, request: Request) -> Any:
    prefix = request.text("subjectPrefix")
    if request.context is not None:
        prefix = request.qualified(prefix or "") if prefix else f":{request.context}:"
    names = app.registry.subject_names(request.flag("deleted"), request.flag("deletedOnly", "deleted_only"))
    return request.page(sorted(str(name) for name in names if has_prefix(name, prefix)))


@ROUTES.on("POST", "/subjects/{subject}")
def look_up(app: RegistryApp, request: Request) -> Any:
    schema = schema_of(request.object())
    found = app.registry.lookup(request.subject(), schema, request.flag("deleted"), request.flag("normalize"))
    return views.registered(app.registry, found, request.text("format"))


@ROUTES.on("DELETE", "/subjects/{subject}")
def delete_subject(app: RegistryApp, request: Request) -> Any:
    return app.registry.delete_subject(request.subject(), request.flag("permanent"))


@ROUTES.on("GET", "/subjects/{subject}/metadata")
def latest_with_metadata(app: RegistryApp, request: Request) -> Any:
    wanted = dict(zip(request.texts("key"), request.texts("value"), strict=False))
    found = app.registry.latest_with_metadata(request.subject(), wanted, request.flag("deleted"))
    return views.registered(app.registry, found, request.text("format"))


@ROUTES.on("GET", "/subjects/{subject}/versions")
def list_versions(app: RegistryApp, request: Request) -> Any:
    only = request.flag("deletedOnly", "deleted_only")
    return request.page(app.registry.versions(request.subject(), request.flag("deleted"), only))


@ROUTES.on("POST", "/subjects/{subject}/versions")
def register(app: RegistryApp, request: Request) -> Any:
    body = request.object()
    schema_id, version = _positive(body, "id"), _positive(body, "version")
    registered = app.registry.register(
        request.subject(), schema_of(body), request.flag("normalize"), schema_id, version
    )
    return views.registered(app.registry, registered)


@ROUTES.on("GET", "/subjects/{subject}/versions/{version}")
def get_version(app: RegistryApp, request: Request) -> Any:
    return views.registered(app.registry, _version(app, request), request.text("format"))


@ROUTES.on("GET", "/subjects/{subject}/versions/{version}/schema")
def get_text(app: RegistryApp, request: Request) -> Any:
    return views.text(app.registry, _version(app, request), request.text("format"))


@ROUTES.on("DELETE", "/subjects/{subject}/versions/{version}")
def delete_version(app: RegistryApp, request: Request) -> Any:
    subject, version = request.subject(), request.version()
    if isinstance(version, str):
        version = int(app.registry.latest(subject, request.flag("permanent")).version or 0)
    schema_id = app.registry.delete_version(subject, version, request.flag("permanent"))
    return version if app.registry.strict else schema_id


@ROUTES.on("GET", "/subjects/{subject}/versions/{version}/referencedby")
def referenced_by(app: RegistryApp, request: Request) -> Any:
    version = _version(app, request, deleted=True)
    return request.page(app.registry.referenced_by(str(version.subject), int(version.version or 0)))


@ROUTES.on("POST", "/compatibility/subjects/{subject}/versions")
def compatible_with_all(app: RegistryApp, request: Request) -> Any:
    return _compatibility(app, request, None)


@ROUTES.on("POST", "/compatibility/subjects/{subject}/versions/{version}")
def compatible_with_one(app: RegistryApp, request: Request) -> Any:
    return _compatibility(app, request, request.version())


def _compatibility(app: RegistryApp, request: Request, version: int | str | None) -> Any:
    schema = schema_of(request.object())
    problems = app.registry.compatible(request.subject(), schema, version, request.flag("normalize"))
    answer: dict[str, Any] = {"is_compatible": not problems}
    if request.flag("verbose"):
        answer["messages"] = problems
    return answer


def _version(app: RegistryApp, request: Request, deleted: bool = False) -> RegisteredSchema:
    subject, version = request.subject(), request.version()
    deleted = deleted or request.flag("deleted")
    if isinstance(version, str):
        return app.registry.latest(subject, deleted)
    return app.registry.version(subject, version, deleted)


def schema_of(body: dict[str, Any]) -> Schema:
    """Read a schema of a request. Raises: SchemaRegistryError 42201: something in it has the wrong type."""
    kind = body.get("schemaType")
    try:
        schema = Schema.from_dict(body)
        for reference in schema.references or ():
            if not isinstance(reference.name, str) or not isinstance(reference.subject, str):
                raise TypeError("a reference needs a name and a subject")
            if not isinstance(reference.version, int | None):
                raise TypeError("the version of a reference must be a whole number")
    except (TypeError, ValueError) as e:
        raise failures.invalid_schema(str(kind or "AVRO"), str(e)) from e
    if not isinstance(schema.schema_str, str | None) or not isinstance(schema.schema_type, str):
        raise failures.invalid_schema(str(kind or "AVRO"), "schema and schemaType must be strings")
    return schema


def _positive(body: dict[str, Any], name: str) -> int | None:
    """Read an id or a version to be given; absent, null, 0 and negative numbers leave it to the registry."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise failures.unprocessable(f"{name} must be a whole number")
    return value if value > 0 else None


def context_of(request: Request) -> tuple[str, SubjectName | None]:
    """Return the context that ids are looked up in, and the subject in ``subject=``, if there is one."""
    given = request.text("subject")
    if not given:
        return request.context or ".", None
    name = SubjectName.parse(request.qualified(given))
    return name.context, name if name.subject else None
