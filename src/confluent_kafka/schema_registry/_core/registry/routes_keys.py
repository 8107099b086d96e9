# SPDX-License-Identifier: Apache-2.0
"""``/dek-registry/v1``: keys for encryption."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry._core.registry.names import DEFAULT_CONTEXT, SubjectName
from confluent_kafka.schema_registry._core.registry.request import NO_CONTENT, Request, Routes

if TYPE_CHECKING:
    from confluent_kafka.schema_registry._core.server import RegistryApp

ROUTES = Routes()
_KEKS = "/dek-registry/v1/keks"
_KEK = _KEKS + "/{name}"
_DEKS = _KEK + "/deks"
_DEK = _DEKS + "/{subject}"
_VERSION = _DEK + "/versions/{version}"


def _context(request: Request) -> str:
    given = request.text("context")
    return SubjectName.parse(f":{given.strip(':')}:").context if given else request.context or DEFAULT_CONTEXT


@ROUTES.on("GET", _KEKS)
def list_keks(app: RegistryApp, request: Request) -> Any:
    everywhere = request.text("context") is None and request.context is None
    return request.page(app.keys.kek_names(request.flag("deleted"), None if everywhere else _context(request)))


@ROUTES.on("POST", _KEKS)
def add_kek(app: RegistryApp, request: Request) -> Any:
    return app.keys.add_kek(request.object(), _context(request)).to_dict()


@ROUTES.on("GET", _KEK)
def get_kek(app: RegistryApp, request: Request) -> Any:
    return app.keys.kek(request.arguments["name"], request.flag("deleted"), _context(request)).to_dict()


@ROUTES.on("PUT", _KEK)
def change_kek(app: RegistryApp, request: Request) -> Any:
    return app.keys.change_kek(request.arguments["name"], request.object(), _context(request)).to_dict()


@ROUTES.on("DELETE", _KEK)
def delete_kek(app: RegistryApp, request: Request) -> Any:
    app.keys.delete_kek(request.arguments["name"], request.flag("permanent"), _context(request))
    return NO_CONTENT


@ROUTES.on("POST", _KEK + "/undelete")
def undelete_kek(app: RegistryApp, request: Request) -> Any:
    app.keys.undelete_kek(request.arguments["name"], _context(request))
    return NO_CONTENT


@ROUTES.on("POST", _KEK + "/test")
def test_kek(app: RegistryApp, request: Request) -> Any:
    # a registry would encrypt and decrypt something by the KMS; there is none here
    return app.keys.kek(request.arguments["name"], context=_context(request)).to_dict()


@ROUTES.on("GET", _DEKS)
def list_subjects(app: RegistryApp, request: Request) -> Any:
    return request.page(app.keys.subjects(request.arguments["name"], request.flag("deleted")))


@ROUTES.on("POST", _DEKS)
@ROUTES.on("POST", _DEK)
def add_dek(app: RegistryApp, request: Request) -> Any:
    body = request.object()
    subject = request.subject() if "subject" in request.arguments else body.get("subject")
    return app.keys.add_dek(request.arguments["name"], subject, body).to_dict()


@ROUTES.on("GET", _DEK)
def get_first(app: RegistryApp, request: Request) -> Any:
    return _get(app, request, 1)


@ROUTES.on("GET", _DEK + "/versions")
def list_versions(app: RegistryApp, request: Request) -> Any:
    name, subject = request.arguments["name"], request.subject()
    return request.page(app.keys.versions(name, subject, request.text("algorithm"), request.flag("deleted")))


@ROUTES.on("GET", _VERSION)
def get_version(app: RegistryApp, request: Request) -> Any:
    return _get(app, request, request.version())


def _get(app: RegistryApp, request: Request, version: int | str) -> Any:
    name, algorithm = request.arguments["name"], request.text("algorithm")
    return app.keys.dek(name, request.subject(), algorithm, version, request.flag("deleted")).to_dict()


@ROUTES.on("DELETE", _DEK)
@ROUTES.on("DELETE", _VERSION)
def delete_deks(app: RegistryApp, request: Request) -> Any:
    app.keys.delete_deks(*_chosen(request), request.flag("permanent"))
    return NO_CONTENT


@ROUTES.on("POST", _DEK + "/undelete")
@ROUTES.on("POST", _VERSION + "/undelete")
def undelete_deks(app: RegistryApp, request: Request) -> Any:
    app.keys.undelete_deks(*_chosen(request))
    return NO_CONTENT


def _chosen(request: Request) -> tuple[str, str, str | None, int | str | None]:
    version = request.version() if "version" in request.arguments else None
    return request.arguments["name"], request.subject(), request.text("algorithm"), version
