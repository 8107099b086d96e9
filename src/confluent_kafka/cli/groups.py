# SPDX-License-Identifier: Apache-2.0
"""``groups``: consumer groups, their lag and their offsets."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from enum import Enum
from typing import Any, TypeVar

from confluent_kafka import (
    OFFSET_INVALID,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ConsumerGroupType,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from ._admin import Group, admin, confirm, finish, outcomes, print_json, show
from ._errors import FAILED, CommandError, UsageError
from ._position import milliseconds
from ._settings import describe
from ._terminal import plural, say

EPILOG = """\
examples:
  %(prog)s list --state stable
  %(prog)s describe billing
  %(prog)s lag billing
  %(prog)s reset billing --topic orders --to earliest --dry-run
  %(prog)s reset billing --to @2026-03-01T00:00Z --yes
  %(prog)s delete billing --yes
"""
LAG = ("topic", "partition", "committed", "end", "lag", "member", "host", "client")
RESET = ("topic", "partition", "before", "after")
Kind = TypeVar("Kind", bound=Enum)


def add_parser(commands: Any) -> None:
    group = Group(commands, "groups", "list, describe, reset and delete consumer groups; their lag", EPILOG)
    parser = group.action("list", "list consumer groups", list_groups)
    parser.add_argument("--state", action="append", default=[], metavar="NAME", help="only in this state; repeatable")
    parser.add_argument("--type", action="append", default=[], metavar="NAME", help="classic, consumer; repeatable")
    parser = group.action("describe", "members and what they are assigned", describe_groups)
    parser.add_argument("groups", nargs="+", metavar="group")
    parser = group.action("lag", "how far a group is behind, per partition", group_lag)
    parser.add_argument("group")
    parser = group.action("reset", "move the committed offsets of a group that has no members", reset, asks=True)
    parser.add_argument("group")
    parser.add_argument(
        "--to",
        required=True,
        metavar="WHERE",
        help="earliest, latest, an offset, or @TIME (ISO 8601 or ms)",
    )
    parser.add_argument(
        "--topic", dest="topics", action="append", default=[], metavar="NAME[:PARTITION]",
        help="only this topic or partition; repeatable (default: all the group has offsets for)",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, change nothing")
    parser = group.action("delete", "delete groups without members, and their offsets", delete_groups, asks=True)
    parser.add_argument("groups", nargs="+", metavar="group")


def list_groups(arguments: argparse.Namespace) -> int:
    states = {_member(ConsumerGroupState, "--state", name) for name in arguments.state} or None
    types = {_member(ConsumerGroupType, "--type", name) for name in arguments.type} or None
    with admin(arguments) as client:
        asked = client.list_consumer_groups(states=states, types=types, request_timeout=arguments.timeout)
        found = asked.result()
    rows = [(g.group_id, _name(g.state), _name(g.type), g.is_simple_consumer_group) for g in found.valid]
    show(arguments, ("group", "state", "type", "simple"), sorted(rows, key=lambda row: row[0]))
    for error in found.errors:
        say(f"some groups are missing: {describe(error)}")
    return FAILED if found.errors else 0


def _member(kind: type[Kind], option: str, name: str) -> Kind:
    found = kind.__members__.get(name.upper().replace("-", "_"))
    if found is None or found.name == "UNKNOWN":
        names = ", ".join(member.name.lower() for member in kind if member.name != "UNKNOWN")
        raise UsageError(f"{option} {name}: expected one of {names}")
    return found


def _name(value: Any) -> str | None:
    return None if value is None else value.name.lower()


def describe_groups(arguments: argparse.Namespace) -> int:
    failed: dict[Any, KafkaException] = {}
    with admin(arguments) as client:
        futures = client.describe_consumer_groups(arguments.groups, request_timeout=arguments.timeout)
        found = dict(outcomes(futures, failed))
    if arguments.json:
        print_json([_described(name, group) for name, group in found.items()])
        return finish(failed)
    for position, (name, group) in enumerate(found.items()):
        coordinator = f"{group.coordinator.host}:{group.coordinator.port}" if group.coordinator else "-"
        print(("\n" if position else "") + f"{name}  {_name(group.state)}, assignor {group.partition_assignor or '-'}, "
              f"coordinator {coordinator}")  # fmt: skip
        rows = [(m.member_id, m.client_id, m.host, _places(m.assignment.topic_partitions)) for m in group.members]
        show(arguments, ("member", "client", "host", "partitions"), rows)
    return finish(failed)


def _described(name: str, group: Any) -> dict[str, Any]:
    return {
        "group": name,
        "state": _name(group.state),
        "type": _name(group.type),
        "assignor": group.partition_assignor,
        "coordinator": group.coordinator.id if group.coordinator else None,
        "members": [
            {
                "member": m.member_id,
                "client": m.client_id,
                "host": m.host,
                "instance": m.group_instance_id,
                "partitions": [[p.topic, p.partition] for p in m.assignment.topic_partitions],
            }
            for m in group.members
        ],
    }


def _places(partitions: Iterable[TopicPartition]) -> list[str]:
    return [f"{p.topic}:{p.partition}" for p in sorted(partitions)]


def _committed(client: AdminClient, group: str, timeout: float) -> list[TopicPartition]:
    request = [ConsumerGroupTopicPartitions(group)]
    futures = client.list_consumer_group_offsets(request, request_timeout=timeout)
    return sorted(futures[group].result().topic_partitions or [])


def _offsets(
    client: AdminClient,
    places: Iterable[TopicPartition],
    spec: OffsetSpec,
    timeout: float,
    failed: dict[Any, KafkaException] | None = None,
) -> dict[tuple[str, int], int]:
    """An offset per partition; without ``failed`` the first failure is raised."""
    wanted = {TopicPartition(place.topic, place.partition): spec for place in places}
    futures = client.list_offsets(wanted, request_timeout=timeout)
    if failed is None:
        return {(place.topic, place.partition): future.result().offset for place, future in futures.items()}
    return {(place.topic, place.partition): found.offset for place, found in outcomes(futures, failed)}


def group_lag(arguments: argparse.Namespace) -> int:
    failed: dict[Any, KafkaException] = {}
    with admin(arguments) as client:
        group = client.describe_consumer_groups([arguments.group], request_timeout=arguments.timeout)
        members = group[arguments.group].result().members
        committed = {(p.topic, p.partition): p.offset for p in _committed(client, arguments.group, arguments.timeout)}
        owners = {(p.topic, p.partition): m for m in members for p in m.assignment.topic_partitions}
        places = [TopicPartition(*place) for place in sorted({*committed, *owners})]
        ends = _offsets(client, places, OffsetSpec.latest(), arguments.timeout, failed)
    if not places:
        raise CommandError(f"group {arguments.group!r} has neither offsets nor members")
    rows = []
    for place in ((p.topic, p.partition) for p in places):
        offset, end, owner = committed.get(place, OFFSET_INVALID), ends.get(place), owners.get(place)
        known = offset if offset >= 0 else None
        lag = None if known is None or end is None else max(0, end - known)
        whose = (owner.member_id, owner.host, owner.client_id) if owner else (None, None, None)
        rows.append((*place, known, end, lag, *whose))
    show(arguments, LAG, rows)
    return finish(failed, lambda place: f"{place.topic}:{place.partition}")


def _chosen(
    arguments: argparse.Namespace, client: AdminClient, committed: list[TopicPartition]
) -> list[TopicPartition]:
    """The partitions to be moved. Raises: UsageError, CommandError: there are none."""
    if not arguments.topics:
        if not committed:
            raise CommandError(f"group {arguments.group!r} has no offsets: name the topics to set with --topic")
        return committed
    places: set[tuple[str, int]] = set()
    for text in arguments.topics:
        name, separator, number = text.rpartition(":")
        if separator and number.isdigit():
            places.add((name, int(number)))
            continue
        # Not list_topics, for which a broker may make a topic that is not there.
        described = client.describe_topics(TopicCollection([text]), request_timeout=arguments.timeout)[text]
        try:
            places.update((text, partition.id) for partition in described.result().partitions)
        except KafkaException as error:
            raise CommandError(f"--topic {text}: {describe(error)}") from error
    return [TopicPartition(*place) for place in sorted(places)]


def _target(text: str) -> OffsetSpec | int:
    """Where --to points: a question for the brokers, or an offset."""
    if text in ("earliest", "latest"):
        return OffsetSpec.earliest() if text == "earliest" else OffsetSpec.latest()
    if text.isdigit():
        return int(text)
    if text.startswith("@"):
        return OffsetSpec.for_timestamp(milliseconds(text[1:], f"--to {text}"))
    raise UsageError(f"--to {text}: expected earliest, latest, an offset, or @TIME")


def reset(arguments: argparse.Namespace) -> int:
    target = _target(arguments.to)
    with admin(arguments) as client:
        committed = _committed(client, arguments.group, arguments.timeout)
        places = _chosen(arguments, client, committed)
        before = {(p.topic, p.partition): p.offset for p in committed}
        low = _offsets(client, places, OffsetSpec.earliest(), arguments.timeout)
        high = _offsets(client, places, OffsetSpec.latest(), arguments.timeout)
        found = {} if isinstance(target, int) else _offsets(client, places, target, arguments.timeout)
        moved = []
        for place in ((p.topic, p.partition) for p in places):
            wanted = target if isinstance(target, int) else found[place]
            # A time after the last message is the end; an offset outside the log would be reset by the consumer.
            after = high[place] if wanted < 0 else min(max(wanted, low[place]), high[place])
            moved.append(TopicPartition(*place, after))
        rows = [(p.topic, p.partition, max(0, o) if (o := before.get((p.topic, p.partition))) is not None else None,
                 p.offset) for p in moved]  # fmt: skip
        if not arguments.dry_run:
            confirm(arguments, f"move {plural(len(moved), 'offset')} of group {arguments.group!r} to {arguments.to}")
            request = [ConsumerGroupTopicPartitions(arguments.group, moved)]
            futures = client.alter_consumer_group_offsets(request, request_timeout=arguments.timeout)
            done = futures[arguments.group].result().topic_partitions or []
            wrong = [entry for entry in done if entry.error is not None]
            for entry in wrong:
                say(f"{entry.topic}:{entry.partition}: {describe(KafkaException(entry.error))}")
            if wrong:
                return FAILED
    show(arguments, RESET, rows)
    if arguments.dry_run:
        say("dry run: nothing was changed")
    return 0


def delete_groups(arguments: argparse.Namespace) -> int:
    confirm(
        arguments, f"delete {plural(len(arguments.groups), 'group')} and their offsets: {', '.join(arguments.groups)}"
    )
    failed: dict[Any, KafkaException] = {}
    with admin(arguments) as client:
        futures = client.delete_consumer_groups(arguments.groups, request_timeout=arguments.timeout)
        deleted = [name for name, _ in outcomes(futures, failed)]
    show(arguments, ("deleted",), ([name] for name in deleted))
    return finish(failed)
