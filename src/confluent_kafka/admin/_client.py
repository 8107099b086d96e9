# SPDX-License-Identifier: Apache-2.0
"""The synchronous admin client: one method per request."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from . import _group_requests, _requests, _security_requests
from ._impl import _AdminClientImpl, warn_of_alter_configs

if TYPE_CHECKING:
    from concurrent.futures import Future

    from typing_extensions import Unpack

    from .._model import ConsumerGroupTopicPartitions, ElectionType, TopicCollection
    from .._native import TopicPartition
    from ..error import KafkaError
    from . import _options
    from ._acl import AclBinding, AclBindingFilter
    from ._cluster import DescribeClusterResult
    from ._config import ConfigEntry, ConfigResource
    from ._group import ConsumerGroupDescription, ListConsumerGroupsResult
    from ._listoffsets import ListOffsetsResultInfo, OffsetSpec
    from ._records import DeletedRecords
    from ._scram import UserScramCredentialAlteration, UserScramCredentialsDescription
    from ._topic import NewPartitions, NewTopic, TopicDescription


class AdminClient(_AdminClientImpl):
    """Looks at and changes topics, configurations, groups, access control lists and credentials.

    ``AdminClient(conf)`` or ``AdminClient(conf, logger=log)``: librdkafka's properties and the callbacks ``error_cb``,
    ``stats_cb``, ``throttle_cb``, ``oauth_cb`` and ``logger``; keyword arguments win. The dict is not changed.

    A request returns at once, with ``concurrent.futures.Future`` objects that are running already (they cannot be
    cancelled) and that a native thread resolves: nobody has to poll. Their done-callbacks run on that thread, and must
    not wait there for another future of the client. A future of an item raises the KafkaException of that item, with
    the broker's text where there is one; if the request fails as a whole, for example when no controller is found in
    time, all its futures raise. Futures that are pending when the client is closed or dropped raise ``_DESTROY``.

    All methods may be called from several threads at once. ``with`` closes the client. Every method raises RuntimeError
    once it is closed, ForkedClientError in a child process that inherited it, and for a wrong argument TypeError,
    ValueError or, for an element without topic, AttributeError, before anything is sent.

    Options, all of them by keyword, where a method names them:
        request_timeout: seconds to wait for the answer, 0 to 3600; the default is ``socket.timeout.ms``.
        operation_timeout: seconds for which brokers may delay the answer until the operation is done, up to 3600.
        validate_only: True checks the request without doing anything.
        include_authorized_operations: True tells what this client is allowed to do.
        broker: id of the broker to ask.

    Raises:
        ConfigurationError: librdkafka does not know a property or refuses its value.
        TypeError: the configuration is no dict, or a callback is not callable.
    """

    def create_topics(
        self, new_topics: list[NewTopic], **kwargs: Unpack[_options.TopicOptions]
    ) -> dict[str, Future[None]]:
        """Create topics.

        Args:
            new_topics: at least one.
            kwargs: ``validate_only``, ``request_timeout``, ``operation_timeout``.

        Returns: a future of None per topic name.

        Source: rd_kafka_CreateTopics; KIP-4.
        """
        return self._many(_requests.create_topics(new_topics, dict(kwargs)))

    def delete_topics(self, topics: list[str], **kwargs: Unpack[_options.OperationOptions]) -> dict[str, Future[None]]:
        """Delete topics.

        Args:
            topics: at least one name.
            kwargs: ``request_timeout``, ``operation_timeout``.

        Returns: a future of None per name.

        Source: rd_kafka_DeleteTopics; KIP-4.
        """
        return self._many(_requests.delete_topics(topics, dict(kwargs)))

    def create_partitions(
        self, new_partitions: list[NewPartitions], **kwargs: Unpack[_options.TopicOptions]
    ) -> dict[str, Future[None]]:
        """Add partitions to topics.

        Args:
            new_partitions: at least one, each with the number that its topic shall have in all.
            kwargs: ``validate_only``, ``request_timeout``, ``operation_timeout``.

        Returns: a future of None per topic name.

        Source: rd_kafka_CreatePartitions; KIP-195.
        """
        return self._many(_requests.create_partitions(new_partitions, dict(kwargs)))

    def describe_topics(
        self, topics: TopicCollection, **kwargs: Unpack[_options.DescribeOptions]
    ) -> dict[str, Future[TopicDescription]]:
        """Describe topics.

        Args:
            topics: names in a ``TopicCollection``; may be empty.
            kwargs: ``request_timeout``, ``include_authorized_operations``.

        Returns: a future per name; an unknown one raises ``UNKNOWN_TOPIC_OR_PART``.

        Source: rd_kafka_DescribeTopics; KIP-430.
        """
        return self._many(_requests.describe_topics(topics, dict(kwargs)))

    def describe_cluster(self, **kwargs: Unpack[_options.DescribeOptions]) -> Future[DescribeClusterResult]:
        """Describe the cluster: its id, controller and brokers.

        Args:
            kwargs: ``request_timeout``, ``include_authorized_operations``.

        Source: rd_kafka_DescribeCluster; KIP-430, KIP-700.
        """
        return self._one(_requests.describe_cluster(dict(kwargs)))

    def describe_configs(
        self, resources: list[ConfigResource], **kwargs: Unpack[_options.ConfigOptions]
    ) -> dict[ConfigResource, Future[dict[str, ConfigEntry]]]:
        """Read all properties of topics, brokers or groups.

        Args:
            resources: at least one. Each broker is asked in a request of its own.
            kwargs: ``request_timeout``, ``broker`` (asks this one for all of them).

        Returns: a future per resource, of entries by property name.

        Source: rd_kafka_DescribeConfigs; KIP-133, KIP-226.
        """
        return self._many(_requests.describe_configs(resources, dict(kwargs)))

    def alter_configs(
        self, resources: list[ConfigResource], **kwargs: Unpack[_options.AlterConfigOptions]
    ) -> dict[ConfigResource, Future[None]]:
        """Replace all properties of the resources by those that ``set_config`` set; the others get their defaults.

        Deprecated, use ``incremental_alter_configs``.

        Args:
            resources: at least one.
            kwargs: ``validate_only``, ``request_timeout``, ``broker``.

        Returns: a future of None per resource.

        Source: rd_kafka_AlterConfigs; KIP-133.
        """
        warn_of_alter_configs()
        return self._many(_requests.alter_configs(resources, dict(kwargs)))

    def incremental_alter_configs(
        self, resources: list[ConfigResource], **kwargs: Unpack[_options.AlterConfigOptions]
    ) -> dict[ConfigResource, Future[None]]:
        """Change single properties of the resources: their ``incremental_configs``.

        Args:
            resources: at least one. Each broker gets a request of its own.
            kwargs: ``validate_only``, ``request_timeout``, ``broker``.

        Returns: a future of None per resource.

        Source: rd_kafka_IncrementalAlterConfigs; KIP-339.
        """
        return self._many(_requests.incremental_alter_configs(resources, dict(kwargs)))

    def create_acls(
        self, acls: list[AclBinding], **kwargs: Unpack[_options.RequestOptions]
    ) -> dict[AclBinding, Future[None]]:
        """Create access control lists.

        Args:
            acls: at least one, each once.
            kwargs: ``request_timeout``.

        Returns: a future of None per binding.

        Source: rd_kafka_CreateAcls; KIP-140.
        """
        return self._many(_security_requests.create_acls(acls, dict(kwargs)))

    def describe_acls(
        self, acl_binding_filter: AclBindingFilter, **kwargs: Unpack[_options.RequestOptions]
    ) -> Future[list[AclBinding]]:
        """Find access control lists.

        Args:
            acl_binding_filter: which.
            kwargs: ``request_timeout``.

        Source: rd_kafka_DescribeAcls; KIP-140.
        """
        return self._one(_security_requests.describe_acls(acl_binding_filter, dict(kwargs)))

    def delete_acls(
        self, acl_binding_filters: list[AclBindingFilter], **kwargs: Unpack[_options.RequestOptions]
    ) -> dict[AclBindingFilter, Future[list[AclBinding]]]:
        """Delete access control lists.

        Args:
            acl_binding_filters: at least one, each once.
            kwargs: ``request_timeout``.

        Returns: a future per filter, of the bindings that were deleted.

        Source: rd_kafka_DeleteAcls; KIP-140.
        """
        return self._many(_security_requests.delete_acls(acl_binding_filters, dict(kwargs)))

    def list_consumer_groups(self, **kwargs: Unpack[_options.GroupListOptions]) -> Future[ListConsumerGroupsResult]:
        """List the consumer groups of all brokers.

        Args:
            kwargs: ``states``, ``types``: sets of ``ConsumerGroupState`` and ``ConsumerGroupType`` to look for, None or
                empty for all; ``request_timeout``.

        Returns: a future of the groups, and the errors of brokers that did not answer.

        Source: rd_kafka_ListConsumerGroups; KIP-518, KIP-848.
        """
        return self._one(_group_requests.list_consumer_groups(dict(kwargs)))

    def describe_consumer_groups(
        self, group_ids: list[str], **kwargs: Unpack[_options.DescribeOptions]
    ) -> dict[str, Future[ConsumerGroupDescription]]:
        """Describe consumer groups and their members.

        Args:
            group_ids: at least one.
            kwargs: ``request_timeout``, ``include_authorized_operations``.

        Returns: a future per group; one that does not exist has the state ``DEAD``.

        Source: rd_kafka_DescribeConsumerGroups; KIP-222.
        """
        return self._many(_group_requests.describe_consumer_groups(group_ids, dict(kwargs)))

    def delete_consumer_groups(
        self, group_ids: list[str], **kwargs: Unpack[_options.RequestOptions]
    ) -> dict[str, Future[None]]:
        """Delete consumer groups, which must have no members, and their offsets.

        Args:
            group_ids: at least one.
            kwargs: ``request_timeout``.

        Returns: a future of None per group.

        Source: rd_kafka_DeleteGroups; KIP-229.
        """
        return self._many(_group_requests.delete_consumer_groups(group_ids, dict(kwargs)))

    def list_consumer_group_offsets(
        self,
        list_consumer_group_offsets_request: list[ConsumerGroupTopicPartitions],
        **kwargs: Unpack[_options.GroupOffsetOptions],
    ) -> dict[str, Future[ConsumerGroupTopicPartitions]]:
        """Read committed offsets of groups, of all groups at the same time.

        Args:
            list_consumer_group_offsets_request: at least one, each group once. Its partitions without offsets, or None
                for all that have one.
            kwargs: ``request_timeout``; ``require_stable``: True fails partitions with offsets of an open transaction.

        Returns: a future per group. A partition without offset has ``OFFSET_INVALID``; each has its own ``error``.

        Source: rd_kafka_ListConsumerGroupOffsets; KIP-222, KIP-447.
        """
        groups = list_consumer_group_offsets_request
        return self._many(_group_requests.list_consumer_group_offsets(groups, dict(kwargs)))

    def alter_consumer_group_offsets(
        self,
        alter_consumer_group_offsets_request: list[ConsumerGroupTopicPartitions],
        **kwargs: Unpack[_options.RequestOptions],
    ) -> dict[str, Future[ConsumerGroupTopicPartitions]]:
        """Commit offsets for groups without members, for all groups at the same time.

        Args:
            alter_consumer_group_offsets_request: at least one, each group once; partitions with their offsets.
            kwargs: ``request_timeout``.

        Returns: a future per group; each partition has its own ``error``.

        Source: rd_kafka_AlterConsumerGroupOffsets; KIP-396.
        """
        groups = alter_consumer_group_offsets_request
        return self._many(_group_requests.alter_consumer_group_offsets(groups, dict(kwargs)))

    def delete_consumer_group_offsets(
        self,
        delete_consumer_group_offsets_request: list[ConsumerGroupTopicPartitions],
        **kwargs: Unpack[_options.RequestOptions],
    ) -> dict[str, Future[ConsumerGroupTopicPartitions]]:
        """Forget committed offsets of groups that do not consume these topics, for all groups at the same time.

        Args:
            delete_consumer_group_offsets_request: at least one, each group once; their ``offset`` has no meaning.
            kwargs: ``request_timeout``.

        Returns: a future per group; each partition has its own ``error``.

        Source: rd_kafka_DeleteConsumerGroupOffsets; KIP-496.
        """
        groups = delete_consumer_group_offsets_request
        return self._many(_group_requests.delete_consumer_group_offsets(groups, dict(kwargs)))

    def list_offsets(
        self, topic_partition_offsets: dict[TopicPartition, OffsetSpec], **kwargs: Unpack[_options.OffsetOptions]
    ) -> dict[TopicPartition, Future[ListOffsetsResultInfo]]:
        """Find offsets of partitions: the first, the last, or by time.

        Args:
            topic_partition_offsets: what to find per partition; may be empty.
            kwargs: ``isolation_level`` (``IsolationLevel``, by default ``READ_UNCOMMITTED``), ``request_timeout``.

        Returns: a future per partition; the keys are new ones, their offsets the numbers of the specifications.

        Source: rd_kafka_ListOffsets; KIP-396.
        """
        return self._many(_requests.list_offsets(topic_partition_offsets, dict(kwargs)))

    def delete_records(
        self, topic_partition_offsets: list[TopicPartition], **kwargs: Unpack[_options.OperationOptions]
    ) -> dict[TopicPartition, Future[DeletedRecords]]:
        """Delete the records before an offset.

        Args:
            topic_partition_offsets: partitions, each with the offset of the first record to be kept; ``OFFSET_END``
                deletes all. May be empty.
            kwargs: ``request_timeout``, ``operation_timeout``.

        Returns: a future per partition.

        Source: rd_kafka_DeleteRecords; KIP-107.
        """
        return self._many(_requests.delete_records(topic_partition_offsets, dict(kwargs)))

    def elect_leaders(
        self,
        election_type: ElectionType,
        partitions: list[TopicPartition] | None = None,
        **kwargs: Unpack[_options.OperationOptions],
    ) -> Future[dict[TopicPartition, KafkaError | None]]:
        """Let leaders be elected.

        Args:
            election_type: ``PREFERRED``, or ``UNCLEAN``, with which records can be lost.
            partitions: which; None for all partitions.
            kwargs: ``request_timeout``, ``operation_timeout``.

        Returns: a future of an error or None per partition; ``ELECTION_NOT_NEEDED`` is one.

        Source: rd_kafka_ElectLeaders; KIP-460.
        """
        return self._one(_requests.elect_leaders(election_type, partitions, dict(kwargs)))

    @overload
    def describe_user_scram_credentials(
        self, users: None = None, **kwargs: Unpack[_options.RequestOptions]
    ) -> Future[dict[str, UserScramCredentialsDescription]]: ...
    @overload
    def describe_user_scram_credentials(
        self, users: list[str], **kwargs: Unpack[_options.RequestOptions]
    ) -> dict[str, Future[UserScramCredentialsDescription]]: ...
    def describe_user_scram_credentials(
        self, users: list[str] | None = None, **kwargs: Unpack[_options.RequestOptions]
    ) -> dict[str, Future[UserScramCredentialsDescription]] | Future[dict[str, UserScramCredentialsDescription]]:
        """Tell which SCRAM credentials users have.

        Args:
            users: names, may be empty; None for all users that have any.
            kwargs: ``request_timeout``.

        Returns: a future per user, where one without credentials raises ``RESOURCE_NOT_FOUND``; for None one future
            of a dict.

        Source: rd_kafka_DescribeUserScramCredentials; KIP-554.
        """
        if users is None:
            return self._one(_security_requests.describe_all_scram_credentials(dict(kwargs)))
        return self._many(_security_requests.describe_user_scram_credentials(users, dict(kwargs)))

    def alter_user_scram_credentials(
        self, alterations: list[UserScramCredentialAlteration], **kwargs: Unpack[_options.RequestOptions]
    ) -> dict[str, Future[None]]:
        """Set or delete SCRAM credentials.

        Args:
            alterations: at least one.
            kwargs: ``request_timeout``.

        Returns: a future of None per user.

        Source: rd_kafka_AlterUserScramCredentials; KIP-554.
        """
        return self._many(_security_requests.alter_user_scram_credentials(alterations, dict(kwargs)))
