# SPDX-License-Identifier: Apache-2.0
"""``configs``: properties of topics, brokers and groups."""

from __future__ import annotations

import argparse
from typing import Any

from confluent_kafka.admin import ConfigResource, ConfigSource, ResourceType

from ._admin import Group, admin, altered, finish, outcomes, property_of, show
from ._errors import UsageError
from .topics import incremental

EPILOG = """\
examples:
  %(prog)s describe topic orders              what was changed; --all shows the defaults too
  %(prog)s describe broker 1 --all --json
  %(prog)s alter topic orders --set retention.ms=86400000 --unset cleanup.policy
"""
KINDS = {"topic": ResourceType.TOPIC, "broker": ResourceType.BROKER, "group": ResourceType.GROUP}


def add_parser(commands: Any) -> None:
    group = Group(commands, "configs", "show and change properties of topics, brokers and groups", EPILOG)
    parser = group.action("describe", "show properties; values of secrets are not told by brokers", describe_configs)
    _add_resource(parser)
    parser.add_argument("--all", action="store_true", help="also those that have their default value")
    parser = group.action("alter", "change some properties; the others stay", alter_configs)
    _add_resource(parser)
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], type=property_of, help="repeatable")
    parser.add_argument("--unset", metavar="KEY", action="append", default=[], help="back to the default; repeatable")
    parser.add_argument("--validate-only", action="store_true", help="check only, change nothing")


def _add_resource(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("name", help="name of the topic or group, id of the broker")


def describe_configs(arguments: argparse.Namespace) -> int:
    failed: dict[Any, Any] = {}
    rows: list[tuple[Any, ...]] = []
    with admin(arguments) as client:
        resource = ConfigResource(KINDS[arguments.kind], arguments.name)
        futures = client.describe_configs([resource], request_timeout=arguments.timeout)
        for _, entries in outcomes(futures, failed):
            rows = [
                (name, "(secret)" if entry.is_sensitive else entry.value, ConfigSource(entry.source).name.lower(),
                 entry.is_read_only)
                for name, entry in sorted(entries.items())
                if arguments.all or not entry.is_default
            ]  # fmt: skip
    if not failed:
        show(arguments, ("name", "value", "source", "read_only"), rows)
    return finish(failed, lambda key: f"{arguments.kind} {arguments.name}")


def alter_configs(arguments: argparse.Namespace) -> int:
    if not arguments.set and not arguments.unset:
        raise UsageError("nothing to change: give --set or --unset")
    failed: dict[Any, Any] = {}
    with admin(arguments) as client:
        changes = incremental(KINDS[arguments.kind], arguments.name, arguments.set, arguments.unset)
        futures = client.incremental_alter_configs(
            [changes], validate_only=arguments.validate_only, request_timeout=arguments.timeout
        )
        dict(outcomes(futures, failed))
    where = f"{arguments.kind} {arguments.name}"
    altered(arguments, {"kind": arguments.kind, "name": arguments.name}, where, failed)
    return finish(failed, lambda key: where)
