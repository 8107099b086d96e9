# SPDX-License-Identifier: Apache-2.0
"""Requests about access control lists and SCRAM credentials; see ``_requests.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _options
from ._acl import AclBinding, AclBindingFilter
from ._checks import list_of, named
from ._request import Options, Request, make, only
from ._results import read_everyone
from ._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialsDescription,
    UserScramCredentialUpsertion,
)

if TYPE_CHECKING:
    from collections.abc import Hashable


def create_acls(acls: list[AclBinding], given: Options) -> list[Request[AclBinding, None]]:
    bindings = list_of(acls, AclBinding)
    if len(set(bindings)) != len(bindings):
        raise ValueError("duplicate ACL bindings not allowed")
    # A filter is an AclBinding as well: made into one, it must not have what only filters may.
    items = [_acl(AclBinding(*acl._fields())) for acl in bindings]
    return [make("create_acls", items, _options.parse(_options.RequestOptions, given), dict(enumerate(bindings)))]


def describe_acls(acl_binding_filter: AclBindingFilter, given: Options) -> list[Request[None, list[AclBinding]]]:
    if not isinstance(acl_binding_filter, AclBindingFilter):
        raise TypeError("Expected an AclBindingFilter object")
    return only("describe_acls", [_acl(acl_binding_filter)], _options.parse(_options.RequestOptions, given))


def delete_acls(
    acl_binding_filters: list[AclBindingFilter], given: Options
) -> list[Request[AclBindingFilter, list[AclBinding]]]:
    filters = list_of(acl_binding_filters, AclBindingFilter)
    if len(set(filters)) != len(filters):
        raise ValueError("duplicate ACL binding filters not allowed")
    options = _options.parse(_options.RequestOptions, given)
    return [make("delete_acls", [_acl(acl) for acl in filters], options, dict(enumerate(filters)))]


def _acl(acl: AclBinding) -> tuple[Any, ...]:
    return (
        acl.restype_int,
        acl.name,
        acl.resource_pattern_type_int,
        acl.principal,
        acl.host,
        acl.operation_int,
        acl.permission_type_int,
    )


def describe_user_scram_credentials(
    users: list[str], given: Options
) -> list[Request[str, UserScramCredentialsDescription]]:
    options = _options.parse(_options.RequestOptions, given)
    if not isinstance(users, list):
        raise TypeError("Expected input to be list of String")
    for user in users:
        if user is not None and not isinstance(user, str):
            raise TypeError("Each value should be a string")
        named("user", user)
    keys: dict[Hashable, str] = {user: user for user in users}
    return [make("describe_user_scram_credentials", list(keys), options, keys)] if users else []


def describe_all_scram_credentials(given: Options) -> list[Request[None, dict[str, UserScramCredentialsDescription]]]:
    options = _options.parse(_options.RequestOptions, given)
    return [Request("describe_user_scram_credentials", None, options, {None: None}, read_everyone)]


def alter_user_scram_credentials(
    alterations: list[UserScramCredentialAlteration], given: Options
) -> list[Request[str, None]]:
    if not isinstance(alterations, list):
        raise TypeError("Expected input to be list")
    if not alterations:
        raise ValueError("Expected at least one alteration")
    items = [_alteration(alteration) for alteration in alterations]
    options = _options.parse(_options.RequestOptions, given)
    return [make("alter_user_scram_credentials", items, options, {item[0]: item[0] for item in items})]


def _alteration(alteration: Any) -> tuple[Any, ...]:
    if not isinstance(alteration, UserScramCredentialAlteration):
        raise TypeError("Expected each element of list to be subclass of UserScramCredentialAlteration")
    user = named("user", alteration.user)
    if isinstance(alteration, UserScramCredentialDeletion):
        return user, _mechanism(alteration.mechanism)
    if not isinstance(alteration, UserScramCredentialUpsertion):
        raise TypeError(
            "Expected each element of list 'alterations' to be either a UserScramCredentialUpsertion "
            "or a UserScramCredentialDeletion"
        )
    info, salt = alteration.scram_credential_info, alteration.salt
    if not isinstance(info, ScramCredentialInfo):
        raise TypeError("Expected credential_info to be ScramCredentialInfo Type")
    mechanism = _mechanism(info.mechanism)
    if not isinstance(info.iterations, int):
        raise TypeError(f"Expected the iterations to be int, not {type(info.iterations).__name__}")
    if info.iterations < 1:
        raise ValueError("Iterations should be positive")
    if alteration.password is None:
        raise TypeError("'password' cannot be None")
    password = _bytes("password", alteration.password)
    if not password:
        raise ValueError("'password' cannot be empty")
    if salt is not None and not _bytes("salt", salt):
        raise ValueError("'salt' can be None but cannot be empty")
    return user, mechanism, info.iterations, password, salt


def _mechanism(value: Any) -> int:
    if not isinstance(value, ScramMechanism):
        raise TypeError("Expected the mechanism to be ScramMechanism Type")
    return int(value.value)


def _bytes(field: str, value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"'{field}' must be bytes")
    return value
