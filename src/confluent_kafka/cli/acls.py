# SPDX-License-Identifier: Apache-2.0
"""``acls``: who may do what."""

from __future__ import annotations

import argparse
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from ._admin import Group, admin, confirm, finish, outcomes, show
from ._errors import UsageError
from ._terminal import plural

EPILOG = """\
examples:
  %(prog)s list
  %(prog)s create --allow User:ann --operation read --topic orders
  %(prog)s create --allow User:ann --operation read --group bill --prefixed
  %(prog)s delete --principal User:ann --yes
"""
COLUMNS = ("resource", "name", "pattern", "principal", "host", "operation", "permission")
RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
}
# What a cluster's own resource is called in ACLs.
CLUSTER_NAME = "kafka-cluster"


def add_parser(commands: Any) -> None:
    group = Group(commands, "acls", "list, create and delete access control entries", EPILOG)
    parser = group.action("list", "list entries; the options choose which", list_acls)
    _add_filter(parser)
    parser = group.action("create", "allow or deny a principal an operation", create_acl)
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--allow", metavar="PRINCIPAL", help="for example User:ann; User:* is everybody")
    who.add_argument("--deny", metavar="PRINCIPAL")
    parser.add_argument("--operation", required=True, metavar="NAME", help=_names(AclOperation))
    parser.add_argument("--host", default="*", help="address the principal comes from (default: any)")
    _add_resource(parser)
    parser.add_argument("--prefixed", action="store_true", help="every resource whose name begins so")
    parser = group.action("delete", "delete the entries the options choose", delete_acls, asks=True)
    _add_filter(parser)


def _names(enum: Any) -> str:
    return ", ".join(e.name.lower() for e in enum if e.name not in ("UNKNOWN", "ANY"))


def _add_resource(parser: argparse.ArgumentParser) -> None:
    resource = parser.add_mutually_exclusive_group()
    for name in RESOURCES:
        resource.add_argument(f"--{name}", metavar="NAME")
    resource.add_argument("--cluster", action="store_true", help="the cluster itself")


def _add_filter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--principal", help="for example User:ann")
    parser.add_argument("--host")
    parser.add_argument("--operation", metavar="NAME", help=_names(AclOperation))
    _add_resource(parser)


def _resource(arguments: argparse.Namespace) -> tuple[ResourceType, str] | None:
    if arguments.cluster:
        return ResourceType.BROKER, CLUSTER_NAME
    for option, kind in RESOURCES.items():
        name = getattr(arguments, option.replace("-", "_"))
        if name is not None:
            return kind, name
    return None


def _operation(name: str) -> AclOperation:
    try:
        return AclOperation[name.upper().replace("-", "_")]
    except KeyError:
        raise UsageError(f"--operation {name}: expected one of {_names(AclOperation)}") from None


def _filter(arguments: argparse.Namespace) -> AclBindingFilter:
    kind, name = _resource(arguments) or (ResourceType.ANY, None)
    operation = _operation(arguments.operation) if arguments.operation else AclOperation.ANY
    return AclBindingFilter(
        kind, name, ResourcePatternType.ANY, arguments.principal, arguments.host, operation, AclPermissionType.ANY
    )


def _row(acl: AclBinding) -> tuple[str | None, ...]:
    names = (acl.restype, acl.resource_pattern_type, acl.operation, acl.permission_type)
    kind, pattern, operation, permission = (value.name.lower() for value in names)
    return kind, acl.name, pattern, acl.principal, acl.host, operation, permission


def list_acls(arguments: argparse.Namespace) -> int:
    with admin(arguments) as client:
        found = client.describe_acls(_filter(arguments), request_timeout=arguments.timeout).result()
    show(arguments, COLUMNS, sorted(map(_row, found)))
    return 0


def create_acl(arguments: argparse.Namespace) -> int:
    resource = _resource(arguments)
    if resource is None:
        raise UsageError("for what? give --topic, --group, --transactional-id or --cluster")
    permission = AclPermissionType.ALLOW if arguments.allow else AclPermissionType.DENY
    pattern = ResourcePatternType.PREFIXED if arguments.prefixed else ResourcePatternType.LITERAL
    principal = arguments.allow or arguments.deny
    acl = AclBinding(*resource, pattern, principal, arguments.host, _operation(arguments.operation), permission)
    failed: dict[Any, Any] = {}
    with admin(arguments) as client:
        created = [a for a, _ in outcomes(client.create_acls([acl], request_timeout=arguments.timeout), failed)]
    show(arguments, COLUMNS, map(_row, created))
    return finish(failed, lambda key: f"{principal} on {resource[1]}")


def delete_acls(arguments: argparse.Namespace) -> int:
    chosen = _filter(arguments)
    failed: dict[Any, Any] = {}
    with admin(arguments) as client:
        found = client.describe_acls(chosen, request_timeout=arguments.timeout).result()
        if found:
            confirm(arguments, f"delete {plural(len(found), 'entry').replace('entrys', 'entries')}")
        futures = client.delete_acls([chosen], request_timeout=arguments.timeout)
        deleted = [acl for _, acls in outcomes(futures, failed) for acl in acls]
    show(arguments, COLUMNS, sorted(map(_row, deleted)))
    return finish(failed, lambda key: "delete")
