# SPDX-License-Identifier: Apache-2.0
"""``topics``: list, describe, create, alter and delete topics."""

from __future__ import annotations

import argparse
from typing import Any

from confluent_kafka import KafkaError, TopicCollection
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from ._admin import Group, admin, altered, confirm, finish, outcomes, print_json, property_of, show, timeouts
from ._errors import UsageError
from ._terminal import plural, say

EPILOG = """\
examples:
  %(prog)s list -b 127.0.0.1:9092
  %(prog)s create orders --partitions 6 --set retention.ms=86400000
  %(prog)s describe orders --json
  %(prog)s alter orders --partitions 12 --set cleanup.policy=compact --unset retention.ms
  %(prog)s delete orders --yes
"""


def add_parser(commands: Any) -> None:
    group = Group(commands, "topics", "list, describe, create, alter and delete topics", EPILOG)
    parser = group.action("list", "list the cluster's topics", list_topics)
    parser.add_argument("--internal", action="store_true", help="also topics whose names begin with __")
    parser = group.action("describe", "partitions, leaders, replicas and changed properties", describe_topics)
    parser.add_argument("topics", nargs="+", metavar="topic")
    parser = group.action("create", "create topics", create_topics)
    parser.add_argument("topics", nargs="+", metavar="topic")
    parser.add_argument("--partitions", type=int, default=-1, metavar="N", help="default: the brokers' num.partitions")
    parser.add_argument("--replication-factor", type=int, default=-1, metavar="N", help="default: the brokers'")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], type=property_of, help="repeatable")
    parser.add_argument("--if-not-exists", action="store_true", help="a topic that exists already is no failure")
    parser.add_argument("--validate-only", action="store_true", help="check only, create nothing")
    parser = group.action("alter", "change the number of partitions or the properties of a topic", alter_topic)
    parser.add_argument("topic")
    parser.add_argument("--partitions", type=int, metavar="N", help="new number of partitions, more than now")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], type=property_of, help="repeatable")
    parser.add_argument("--unset", metavar="KEY", action="append", default=[], help="back to the default; repeatable")
    parser.add_argument("--validate-only", action="store_true", help="check only, change nothing")
    parser = group.action("delete", "delete topics and their data", delete_topics, asks=True)
    parser.add_argument("topics", nargs="+", metavar="topic")


def list_topics(arguments: argparse.Namespace) -> int:
    with admin(arguments) as client:
        topics = client.list_topics(timeout=arguments.timeout).topics
    rows = [
        (name, len(topic.partitions), min((len(p.replicas) for p in topic.partitions.values()), default=0))
        for name, topic in sorted(topics.items())
        if arguments.internal or not name.startswith("__")
    ]
    show(arguments, ("topic", "partitions", "replication_factor"), rows)
    return 0


def describe_topics(arguments: argparse.Namespace) -> int:
    failed: dict[Any, Any] = {}
    found = []
    with admin(arguments) as client:
        described = client.describe_topics(TopicCollection(arguments.topics), request_timeout=arguments.timeout)
        topics = dict(outcomes(described, failed))
        configs = _changed_configs(client, list(topics), arguments.timeout) if topics else {}
    for name, topic in topics.items():
        partitions = [
            {
                "partition": p.id,
                "leader": p.leader.id if p.leader is not None else None,
                "replicas": [node.id for node in p.replicas],
                "isr": [node.id for node in p.isr],
            }
            for p in topic.partitions
        ]
        found.append({"topic": name, "id": str(topic.topic_id), "internal": topic.is_internal,
                      "config": configs.get(name, {}), "partitions": partitions})  # fmt: skip
    if arguments.json:
        print_json(found)
        return finish(failed)
    for position, entry in enumerate(found):
        print(("\n" if position else "") + f"{entry['topic']}  id {entry['id']}")
        for key, value in sorted(entry["config"].items()):
            print(f"  {key}={value}")
        show(arguments, ("partition", "leader", "replicas", "isr"), (list(p.values()) for p in entry["partitions"]))
    return finish(failed)


def _changed_configs(client: AdminClient, topics: list[str], timeout: float) -> dict[str, dict[str, str | None]]:
    """The properties of topics that were set on themselves."""
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
    futures = client.describe_configs(resources, request_timeout=timeout)
    return {
        resource.name: {
            name: entry.value
            for name, entry in future.result().items()
            if entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG
        }
        for resource, future in futures.items()
    }


def create_topics(arguments: argparse.Namespace) -> int:
    topics = [
        NewTopic(name, arguments.partitions, arguments.replication_factor, config=dict(arguments.set))
        for name in arguments.topics
    ]
    failed: dict[Any, Any] = {}
    with admin(arguments) as client:
        futures = client.create_topics(topics, validate_only=arguments.validate_only, **timeouts(arguments))
        created = [name for name, _ in outcomes(futures, failed)]
    if arguments.if_not_exists:
        for name in [n for n, e in failed.items() if e.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS]:
            del failed[name]
            say(f"{name}: exists already")
    show(arguments, ("created",) if not arguments.validate_only else ("valid",), ([name] for name in created))
    return finish(failed)


def alter_topic(arguments: argparse.Namespace) -> int:
    if arguments.partitions is None and not arguments.set and not arguments.unset:
        raise UsageError("nothing to change: give --partitions, --set or --unset")
    resource = incremental(ResourceType.TOPIC, arguments.topic, arguments.set, arguments.unset)
    changes = bool(arguments.set or arguments.unset)
    failed: dict[Any, Any] = {}
    with admin(arguments) as client:

        def configure(validate_only: bool) -> None:
            futures = client.incremental_alter_configs(
                [resource], validate_only=validate_only, request_timeout=arguments.timeout
            )
            dict(outcomes(futures, failed))

        if changes:
            # Checked first, as partitions that were added stay.
            configure(validate_only=True)
        if arguments.partitions is not None and not failed:
            grown = [NewPartitions(arguments.topic, arguments.partitions)]
            futures = client.create_partitions(grown, validate_only=arguments.validate_only, **timeouts(arguments))
            dict(outcomes(futures, failed))
        if changes and not failed and not arguments.validate_only:
            configure(validate_only=False)
    altered(arguments, {"topic": arguments.topic}, arguments.topic, failed)
    return finish(failed, lambda key: arguments.topic)


def incremental(kind: ResourceType, name: str, changed: list[tuple[str, str]], removed: list[str]) -> ConfigResource:
    """Changes of some properties of a resource; the others stay."""
    entries = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in changed] + [
        ConfigEntry(key, None, incremental_operation=AlterConfigOpType.DELETE) for key in removed
    ]
    return ConfigResource(kind, name, incremental_configs=entries)


def delete_topics(arguments: argparse.Namespace) -> int:
    confirm(arguments, f"delete {plural(len(arguments.topics), 'topic')} with all data: {', '.join(arguments.topics)}")
    failed: dict[Any, Any] = {}
    with admin(arguments) as client:
        deleted = [name for name, _ in outcomes(client.delete_topics(arguments.topics, **timeouts(arguments)), failed)]
    show(arguments, ("deleted",), ([name] for name in deleted))
    return finish(failed)
