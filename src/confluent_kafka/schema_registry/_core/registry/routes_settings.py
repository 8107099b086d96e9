# SPDX-License-Identifier: Apache-2.0
"""``/config``, ``/mode`` and ``/associations``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.models import AssociationCreateOrUpdateRequest
from confluent_kafka.schema_registry._core.registry import failures
from confluent_kafka.schema_registry._core.registry.names import SubjectName
from confluent_kafka.schema_registry._core.registry.request import NO_CONTENT, Request, Routes

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.models import Association
    from confluent_kafka.schema_registry._core.server import RegistryApp

ROUTES = Routes()


@ROUTES.on("GET", "/config")
@ROUTES.on("GET", "/config/{subject}")
def get_config(app: RegistryApp, request: Request) -> Any:
    return app.registry.settings.config(request.scope(), request.flag("defaultToGlobal"))


@ROUTES.on("PUT", "/config")
@ROUTES.on("PUT", "/config/{subject}")
def set_config(app: RegistryApp, request: Request) -> Any:
    body = request.object()
    app.registry.settings.set_config(_checked_scope(request), body)
    return body


@ROUTES.on("DELETE", "/config")
@ROUTES.on("DELETE", "/config/{subject}")
def delete_config(app: RegistryApp, request: Request) -> Any:
    return app.registry.settings.delete_config(request.scope())


@ROUTES.on("GET", "/mode")
@ROUTES.on("GET", "/mode/{subject}")
def get_mode(app: RegistryApp, request: Request) -> Any:
    return {"mode": app.registry.settings.mode(request.scope(), request.flag("defaultToGlobal"))}


@ROUTES.on("PUT", "/mode")
@ROUTES.on("PUT", "/mode/{subject}")
def set_mode(app: RegistryApp, request: Request) -> Any:
    mode, scope = request.object().get("mode"), _checked_scope(request)
    if not isinstance(mode, str):
        raise failures.invalid_mode()
    name = None if scope is None else f":{scope.context}:{scope.subject}"
    return {"mode": app.registry.set_mode(name, mode, request.flag("force"))}


@ROUTES.on("DELETE", "/mode")
@ROUTES.on("DELETE", "/mode/{subject}")
def delete_mode(app: RegistryApp, request: Request) -> Any:
    return {"mode": app.registry.settings.delete_mode(request.scope())}


def _checked_scope(request: Request) -> SubjectName | None:
    scope = request.scope()
    if scope is not None and scope.subject:
        SubjectName.checked(request.subject())
    return scope


@ROUTES.on("POST", "/associations")
def associate(app: RegistryApp, request: Request) -> Any:
    return app.registry.associate(_wanted(request.object())).to_dict()


@ROUTES.on("PUT", "/associations/resources/{id}")
def reassociate(app: RegistryApp, request: Request) -> Any:
    wanted = _wanted({**request.object(), "resourceId": request.arguments["id"]})
    return app.registry.associate(wanted, update=True).to_dict()


def _wanted(body: dict[str, Any]) -> AssociationCreateOrUpdateRequest:
    try:
        return AssociationCreateOrUpdateRequest.from_dict(body)
    except (TypeError, ValueError) as e:
        raise failures.invalid_association(str(e)) from e


@ROUTES.on("GET", "/associations/subjects/{subject}")
def by_subject(app: RegistryApp, request: Request) -> Any:
    resource_type, types = _filters(request)
    return _listed(request, app.registry.bindings.by_subject(request.subject(), resource_type, types))


@ROUTES.on("GET", "/associations/resources/{id}")
def by_resource(app: RegistryApp, request: Request) -> Any:
    resource_type, types = _filters(request)
    return _listed(request, app.registry.bindings.by_id(request.arguments["id"], resource_type, types))


@ROUTES.on("DELETE", "/associations/resources/{id}")
def dissociate(app: RegistryApp, request: Request) -> Any:
    app.registry.dissociate(request.arguments["id"], *_filters(request), request.flag("cascadeLifecycle"))
    return NO_CONTENT


@ROUTES.on("GET", "/associations/resources/{namespace}/{name}")
def by_name(app: RegistryApp, request: Request) -> Any:
    namespace, name = request.arguments["namespace"], request.arguments["name"]
    return _listed(request, app.registry.associations(name, namespace, *_filters(request)))


def _filters(request: Request) -> tuple[str | None, list[str]]:
    return request.text("resourceType") or None, request.texts("associationType")


def _listed(request: Request, found: list[Association]) -> list[dict[str, Any]]:
    return [item.to_dict() for item in request.page(found)]
