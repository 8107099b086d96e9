# SPDX-License-Identifier: Apache-2.0
"""Requests about consumer groups and their offsets; see ``_requests.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._constants import OFFSET_INVALID
from .._model import ConsumerGroupTopicPartitions
from .._native import TopicPartition
from . import _options
from ._checks import named, texts
from ._request import Options, Request, make, only

if TYPE_CHECKING:
    from ._group import ConsumerGroupDescription, ListConsumerGroupsResult


def list_consumer_groups(given: Options) -> list[Request[None, ListConsumerGroupsResult]]:
    return only("list_consumer_groups", None, _options.parse(_options.GroupListOptions, given))


def describe_consumer_groups(group_ids: list[str], given: Options) -> list[Request[str, ConsumerGroupDescription]]:
    _group_list(group_ids, "described")
    groups = texts(group_ids, "group")
    options = _options.parse(_options.DescribeOptions, given)
    return [make("describe_consumer_groups", list(groups), options, groups)]


def delete_consumer_groups(group_ids: list[str], given: Options) -> list[Request[str, None]]:
    _group_list(group_ids, "deleted")
    for group in group_ids:
        if not isinstance(group, str):
            raise ValueError(f"Expected list of {str}")
    options = _options.parse(_options.RequestOptions, given)
    groups = list(dict.fromkeys(group_ids))
    return [make("delete_consumer_groups", groups, options, {group: group for group in groups})]


def _group_list(group_ids: Any, what: str) -> None:
    if not isinstance(group_ids, list):
        raise TypeError(f"Expected input to be list of group ids to be {what}")
    if not group_ids:
        raise ValueError(f"Expected at least one group to be {what}")


def list_consumer_group_offsets(
    groups: list[ConsumerGroupTopicPartitions], given: Options
) -> list[Request[str, ConsumerGroupTopicPartitions]]:
    options = _options.parse(_options.GroupOffsetOptions, given)
    return _group_requests("list_consumer_group_offsets", groups, options, _any_offset, all_partitions=True)


def alter_consumer_group_offsets(
    groups: list[ConsumerGroupTopicPartitions], given: Options
) -> list[Request[str, ConsumerGroupTopicPartitions]]:
    options = _options.parse(_options.RequestOptions, given)
    return _group_requests("alter_consumer_group_offsets", groups, options, _new_offset)


def delete_consumer_group_offsets(
    groups: list[ConsumerGroupTopicPartitions], given: Options
) -> list[Request[str, ConsumerGroupTopicPartitions]]:
    options = _options.parse(_options.RequestOptions, given)
    return _group_requests("delete_consumer_group_offsets", groups, options, _number)


def _group_requests(
    kind: str,
    groups: Any,
    options: Options,
    check: Callable[[TopicPartition], None],
    all_partitions: bool = False,
) -> list[Request[Any, Any]]:
    """Make one request per group, as librdkafka takes one group at a time.

    Args:
        check: of one partition.
        all_partitions: None for the partitions stands for all that the group has offsets of.
    """
    if groups is None:
        raise TypeError("request cannot be None")
    if not isinstance(groups, list):
        raise TypeError("request must be a list")
    if not groups:
        raise ValueError("Expected at least one ConsumerGroupTopicPartitions")
    items: dict[str, Any] = {}
    for entry in groups:
        if not isinstance(entry, ConsumerGroupTopicPartitions):
            raise TypeError("Expected list of 'ConsumerGroupTopicPartitions'")
        group = named("group_id", entry.group_id)
        if group in items:
            raise ValueError(f"Expected each consumer group once, found {group!r} twice: merge its partitions")
        items[group] = (group, _partitions(entry.topic_partitions, check, all_partitions))
    return [make(kind, [item], options, {group: group}) for group, item in items.items()]


def _partitions(
    value: Any, check: Callable[[TopicPartition], None], all_partitions: bool
) -> list[TopicPartition] | None:
    if value is None:
        if all_partitions:
            return None
        raise ValueError("'topic_partitions' cannot be null")
    if not isinstance(value, list):
        raise TypeError(f"'topic_partitions' must be a list{' or None' if all_partitions else ''}")
    if not value:
        raise ValueError("'topic_partitions' cannot be empty")
    for partition in value:
        if partition is None:
            raise ValueError("Element of 'topic_partitions' cannot be None")
        if not isinstance(partition, TopicPartition):
            raise TypeError("Element of 'topic_partitions' must be of type TopicPartition")
        if not partition.topic:
            raise ValueError("Element of 'topic_partitions' must not have 'topic' attribute as Empty")
        check(partition)
    return list(value)


def _any_offset(partition: TopicPartition) -> None:
    if partition.partition < 0:
        raise ValueError("Element of 'topic_partitions' must not have negative 'partition' value")
    if partition.offset != OFFSET_INVALID:
        raise ValueError("Element of 'topic_partitions' must not have 'offset' value")


def _number(partition: TopicPartition) -> None:
    if partition.partition < 0:
        raise ValueError("Element of 'topic_partitions' must not have negative value for 'partition' field")


def _new_offset(partition: TopicPartition) -> None:
    _number(partition)
    if partition.offset < 0:
        raise ValueError("Element of 'topic_partitions' must not have negative value for 'offset' field")
