# SPDX-License-Identifier: Apache-2.0
"""From what callers give to requests: all checks come before the first request; one function per method of the clients.

Each function takes the method's argument and its options, and returns the requests to be made at once, concurrently. In
here topics, partitions, configurations and the cluster; ``_group_requests.py`` and ``_security_requests.py`` have the
rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._model import ElectionType, TopicCollection
from .._native import TopicPartition
from . import _options
from ._checks import list_of, planned, texts
from ._config import AlterConfigOpType, ConfigEntry, ConfigResource
from ._listoffsets import ListOffsetsResultInfo, OffsetSpec
from ._request import Options, Request, make, only
from ._resource import ResourceType
from ._results import READERS
from ._topic import NewPartitions, NewTopic, TopicDescription

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ..error import KafkaError
    from ._cluster import DescribeClusterResult
    from ._records import DeletedRecords


def _assignment(value: Any, fits: Callable[[int], bool], size: str) -> list[list[int]]:
    if (
        not isinstance(value, list)
        or not fits(len(value))
        or not all(
            isinstance(brokers, list) and brokers and all(isinstance(broker, int) for broker in brokers)
            for brokers in value
        )
    ):
        raise ValueError(f"replica_assignment must be a list of int lists with an outer size of {size}")
    return value


def create_topics(new_topics: list[NewTopic], given: Options) -> list[Request[str, None]]:
    topics = planned(new_topics, NewTopic)
    return [
        make(
            "create_topics",
            [_new_topic(topic) for topic in topics],
            _options.parse(_options.TopicOptions, given),
            {topic.topic: topic.topic for topic in topics},
        )
    ]


def _new_topic(new: NewTopic) -> tuple[Any, ...]:
    count, assignment, config = new.num_partitions, new.replica_assignment, new.config
    if assignment is not None:
        if new.replication_factor != -1:
            raise ValueError("replication_factor and replica_assignment are mutually exclusive")
        if count == -1:
            raise ValueError("Specifying a default partition count and a replica assignment are mutually exclusive")
        assignment = _assignment(assignment, lambda size: size == count, "num_partitions")
    if config is not None:
        if not isinstance(config, dict):
            raise TypeError("config must be a dict of strings")
        config = {str(name): str(value) for name, value in config.items()}
    return new.topic, count, new.replication_factor, assignment, config


def delete_topics(topics: list[str], given: Options) -> list[Request[str, None]]:
    names = texts(topics, "topic")
    options = _options.parse(_options.OperationOptions, given)
    return [make("delete_topics", list(names), options, names)]


def create_partitions(new_partitions: list[NewPartitions], given: Options) -> list[Request[str, None]]:
    additions = planned(new_partitions, NewPartitions)
    return [
        make(
            "create_partitions",
            [_new_partitions(new) for new in additions],
            _options.parse(_options.TopicOptions, given),
            {new.topic: new.topic for new in additions},
        )
    ]


def _new_partitions(new: NewPartitions) -> tuple[Any, ...]:
    total, assignment = new.new_total_count, new.replica_assignment
    if assignment is not None:
        # How many there are already only the broker knows.
        size = "new_total_count - existing partition count"
        assignment = _assignment(assignment, lambda size: size <= total, size)
    return new.topic, total, assignment


def describe_topics(topics: TopicCollection, given: Options) -> list[Request[str, TopicDescription]]:
    if not isinstance(topics, TopicCollection):
        raise TypeError("Expected input to be instance of TopicCollection")
    names = topics.topic_names
    if not isinstance(names, list):
        raise TypeError("Expected list of topic names to be described")
    for index, name in enumerate(names):
        if not isinstance(name, str):
            raise TypeError(f"Expected list of topics strings, not {type(name).__name__}")
        if not name:
            raise ValueError(f"Empty topic name at index {index} isn't allowed")
    options = _options.parse(_options.DescribeOptions, given)
    keys: dict[Hashable, str] = {name: name for name in names}
    return [make("describe_topics", list(keys), options, keys)] if names else []


def describe_cluster(given: Options) -> list[Request[None, DescribeClusterResult]]:
    return only("describe_cluster", None, _options.parse(_options.DescribeOptions, given))


def describe_configs(
    resources: list[ConfigResource], given: Options
) -> list[Request[ConfigResource, dict[str, ConfigEntry]]]:
    checked = [_resource(resource) for resource in dict.fromkeys(list_of(resources, ConfigResource))]
    options = _options.parse(_options.ConfigOptions, given)
    return _config_requests("describe_configs", checked, lambda resource: (), options)


def alter_configs(resources: list[ConfigResource], given: Options) -> list[Request[ConfigResource, None]]:
    checked = [_resource(resource) for resource in list_of(resources, ConfigResource)]
    options = _options.parse(_options.AlterConfigOptions, given)
    for resource in checked:
        if "" in resource.set_config_dict:
            raise ValueError(f"Invalid set_config of {resource}: a property has an empty name")
    return _config_requests("alter_configs", checked, _set_configs, options)


def _set_configs(resource: ConfigResource) -> tuple[list[tuple[str, str]]]:
    return ([(str(name), str(value)) for name, value in resource.set_config_dict.items()],)


def incremental_alter_configs(resources: list[ConfigResource], given: Options) -> list[Request[ConfigResource, None]]:
    checked = [_resource(resource) for resource in list_of(resources, ConfigResource, TypeError)]
    options = _options.parse(_options.AlterConfigOptions, given)
    changes = {id(resource): _changes(resource.incremental_configs) for resource in checked}
    return _config_requests("incremental_alter_configs", checked, lambda r: (changes[id(r)],), options)


def _resource(resource: ConfigResource) -> ConfigResource:
    if not str(resource.name):
        raise ValueError(f"Invalid ConfigResource({resource.restype_int},)")
    return resource


def _changes(entries: Any) -> list[tuple[str, int, str | None]]:
    if not isinstance(entries, list) or not entries:
        raise ValueError("expected non-empty list of ConfigEntry to alter incrementally in incremental_configs field")
    changes = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, ConfigEntry):
            raise TypeError(f"expected ConfigEntry type in incremental_configs field, index {index}")
        operation = entry.incremental_operation
        if not isinstance(operation, AlterConfigOpType):
            raise TypeError(
                "Required attribute .value missing: set incremental_operation to an AlterConfigOpType "
                f"in incremental_configs field, index {index}"
            )
        if not isinstance(entry.name, str):
            raise TypeError(f"Expected .name to be str type, not {type(entry.name).__name__}")
        if not entry.name:
            raise ValueError(f'setting config entry "", index {index}, failed: Config name mustn\'t be empty')
        value = None if operation is AlterConfigOpType.DELETE else entry.value
        if operation is not AlterConfigOpType.DELETE and not isinstance(value, str):
            raise TypeError(f"Expected .value to be str type, not {type(value).__name__}")
        changes.append((entry.name, int(operation.value), value))
    return changes


def _config_requests(
    kind: str, resources: list[ConfigResource], more: Callable[[ConfigResource], tuple[Any, ...]], options: Options
) -> list[Request[Any, Any]]:
    """Make one request per broker and one for all else: librdkafka takes one broker per request."""
    apart: dict[str | None, list[ConfigResource]] = {}
    for resource in resources:
        # An explicit broker is asked for all of them.
        broker = str(resource.name) if resource.restype is ResourceType.BROKER and "broker" not in options else None
        apart.setdefault(broker, []).append(resource)
    return [
        make(
            kind,
            [(resource.restype_int, str(resource.name), *more(resource)) for resource in part],
            options,
            {(resource.restype_int, str(resource.name)): resource for resource in part},
        )
        for part in apart.values()
    ]


def list_offsets(
    topic_partition_offsets: dict[TopicPartition, OffsetSpec], given: Options
) -> list[Request[TopicPartition, ListOffsetsResultInfo]]:
    if not isinstance(topic_partition_offsets, dict):
        raise TypeError(
            "Expected topic_partition_offsets to be dict of [TopicPartitions,OffsetSpec] for list offsets request"
        )
    keys: dict[Hashable, TopicPartition] = {}
    for partition, spec in topic_partition_offsets.items():
        if not isinstance(partition, TopicPartition):
            raise TypeError("partition must be a TopicPartition")
        if not partition.topic:
            raise ValueError("partition topic name cannot be empty")
        if partition.partition < 0:
            raise ValueError("partition index must be non-negative")
        if spec is None:
            raise TypeError("OffsetSpec cannot be None")
        if not isinstance(spec, OffsetSpec):
            raise TypeError("Value must be a OffsetSpec")
        key = TopicPartition(partition.topic, partition.partition, spec._value)
        keys[key.topic, key.partition] = key
    options = _options.parse(_options.OffsetOptions, given)
    items = [(key.topic, key.partition, key.offset) for key in keys.values()]
    return [make("list_offsets", items, options, keys)] if items else []


def delete_records(
    topic_partition_offsets: list[TopicPartition], given: Options
) -> list[Request[TopicPartition, DeletedRecords]]:
    if not isinstance(topic_partition_offsets, list):
        raise TypeError(f"Expected Request to be a list, got '{type(topic_partition_offsets).__name__}'")
    for partition in topic_partition_offsets:
        if not isinstance(partition, TopicPartition):
            raise TypeError(
                f"Element of the request list must be of type 'TopicPartition' got '{type(partition).__name__}'"
            )
        if not partition.topic:
            raise ValueError("'topic' cannot be empty")
        if partition.partition < 0:
            raise ValueError("'partition' cannot be negative")
    options = _options.parse(_options.OperationOptions, given)
    items = [(partition.topic, partition.partition, partition.offset) for partition in topic_partition_offsets]
    keys: dict[Hashable, Any] = {(tp.topic, tp.partition): tp for tp in topic_partition_offsets}
    return [make("delete_records", items, options, keys)] if items else []


def elect_leaders(
    election_type: ElectionType, partitions: list[TopicPartition] | None, given: Options
) -> list[Request[None, dict[TopicPartition, KafkaError | None]]]:
    if not isinstance(election_type, ElectionType):
        raise TypeError("Expected 'election_type' to be of type 'ElectionType'")
    options = _options.parse(_options.OperationOptions, given)
    if partitions is None:
        return only("elect_leaders", (int(election_type.value), None), options)
    if not isinstance(partitions, list):
        raise TypeError(f"Expected 'partitions' to be a list, got '{type(partitions).__name__}'")
    for partition in partitions:
        if not isinstance(partition, TopicPartition):
            raise TypeError(
                f"Element of the 'partitions' list must be of type 'TopicPartition' got '{type(partition).__name__}'"
            )
        if partition.partition < 0:
            raise ValueError("Elements of the 'partitions' list must not have negative value for 'partition' field")
    if not partitions:
        return [Request("", [], options, {None: None}, READERS["elect_leaders"])]
    chosen = [(partition.topic, partition.partition) for partition in dict.fromkeys(partitions)]
    return only("elect_leaders", (int(election_type.value), chosen), options)
