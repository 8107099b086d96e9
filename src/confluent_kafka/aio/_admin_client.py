# SPDX-License-Identifier: Apache-2.0
"""The asyncio admin client."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, overload

from .. import _config, _native
from .._model import ConsumerGroupTopicPartitions, TopicCollection
from .._native import TopicPartition
from ..admin import _group_requests, _requests, _security_requests
from ..admin._acl import AclBinding, AclBindingFilter
from ..admin._config import ConfigResource
from ..admin._impl import warn_of_alter_configs, warn_of_list_groups
from ..admin._leaders import Leaders
from ..admin._scram import UserScramCredentialAlteration
from ..admin._topic import NewPartitions, NewTopic
from ._bridge import Bridge, run_events
from ._callbacks import on_loop

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from .._model import ElectionType
    from ..admin import _options
    from ..admin._cluster import DescribeClusterResult
    from ..admin._config import ConfigEntry
    from ..admin._group import ConsumerGroupDescription, ListConsumerGroupsResult
    from ..admin._listoffsets import ListOffsetsResultInfo, OffsetSpec
    from ..admin._metadata import ClusterMetadata, GroupMetadata
    from ..admin._records import DeletedRecords
    from ..admin._request import Request
    from ..admin._scram import UserScramCredentialsDescription
    from ..admin._topic import TopicDescription
    from ..error import KafkaError, KafkaException

_K = TypeVar("_K")
_V = TypeVar("_V")


class AIOAdminClient:
    """``AdminClient`` for asyncio code: its methods as coroutines, no thread, no executor, nothing to poll.

    Arguments and options are those of ``AdminClient``. Results come without futures. A method that takes a list gives a
    dict with a result or a KafkaException per item, as an item can fail alone; given one item instead of the list
    (``await admin.create_topics(NewTopic("t"))``, ``await admin.describe_topics("t")``) it gives the item's result, or
    raises. What concerns the request as a whole, a wrong argument or a closed client, always raises.

    A cancelled await does not take the request back. The client belongs to the loop that runs at its first use.
    ``async with`` closes it. Methods raise RuntimeError once it is closed.

    Args:
        conf: librdkafka's properties and the callbacks of ``AdminClient``, each a function or coroutine function,
            called on the loop. The dict is not changed; keyword arguments win.

    Raises:
        ConfigurationError: librdkafka does not know a property or refuses its value.
        TypeError: the configuration is no dict, or a callback is not callable.
    """

    def __init__(self, conf: dict[str, Any], **kwargs: Any) -> None:
        parsed = _config.parse("admin", (conf,), kwargs)
        self._core = _native.LoopAdmin()
        self._leaders = Leaders(self._core)
        self._core._open(parsed.properties, on_loop(parsed.callbacks, lambda: self._bridge))
        self._bridge = Bridge(self._core, self._ready, self._failed, "AdminClient has been closed")
        self._served = 0
        self._closing: asyncio.Task[None] | None = None

    def _ready(self) -> None:
        self._core._acknowledge()
        self._serve()

    def _serve(self) -> None:
        """Settle requests and run callbacks: errors, statistics, logs."""
        self._core._serve()
        self._served += run_events(self._core, self._failed)

    def _failed(self, error: BaseException) -> None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"a callback of {type(self).__name__} failed", "exception": error, "admin": self}
        )

    def _enter(self) -> asyncio.AbstractEventLoop:
        if self._closing is not None:
            raise RuntimeError("AdminClient has been closed")
        return self._bridge.bind()

    async def _outcomes(self, requests: list[Request[_K, _V]]) -> dict[_K, Any]:
        """Make the requests at once; give a value or an exception for each key."""
        loop = self._enter()
        answers: list[asyncio.Future[dict[_K, Any]]] = []
        for position, request in enumerate(requests):
            answer: asyncio.Future[dict[_K, Any]] = loop.create_future()
            settle = _Settling(request, answer)
            if not request.kind:
                settle(None, request.items)
            else:
                try:
                    self._leaders.request(request, settle, settle.fail)
                except Exception as e:
                    # The first ones may be under way: their outcomes are not lost for a later one's refusal.
                    if position == 0:
                        raise
                    answer.set_result(dict.fromkeys(request.keys.values(), e))
            answers.append(answer)
        outcomes: dict[_K, Any] = {}
        for answer in answers:
            outcomes.update(await answer)
        return outcomes

    async def _one(self, requests: list[Request[None, _V]]) -> _V:
        value: _V = _value((await self._outcomes(requests))[None])
        return value

    async def _many(
        self, make: Callable[[Any, dict[str, Any]], list[Request[Any, Any]]], items: Any, kind: type, options: Any
    ) -> Any:
        if isinstance(items, kind):
            (outcome,) = (await self._outcomes(make([items], options))).values()
            return _value(outcome)
        return await self._outcomes(make(items, options))

    @overload
    async def create_topics(self, new_topics: NewTopic, **kwargs: Unpack[_options.TopicOptions]) -> None: ...
    @overload
    async def create_topics(
        self, new_topics: list[NewTopic], **kwargs: Unpack[_options.TopicOptions]
    ) -> dict[str, KafkaException | None]: ...
    async def create_topics(
        self, new_topics: NewTopic | list[NewTopic], **kwargs: Unpack[_options.TopicOptions]
    ) -> Any:
        """As ``AdminClient.create_topics``."""
        return await self._many(_requests.create_topics, new_topics, NewTopic, dict(kwargs))

    @overload
    async def delete_topics(self, topics: str, **kwargs: Unpack[_options.OperationOptions]) -> None: ...
    @overload
    async def delete_topics(
        self, topics: list[str], **kwargs: Unpack[_options.OperationOptions]
    ) -> dict[str, KafkaException | None]: ...
    async def delete_topics(self, topics: str | list[str], **kwargs: Unpack[_options.OperationOptions]) -> Any:
        """As ``AdminClient.delete_topics``."""
        return await self._many(_requests.delete_topics, topics, str, dict(kwargs))

    @overload
    async def create_partitions(
        self, new_partitions: NewPartitions, **kwargs: Unpack[_options.TopicOptions]
    ) -> None: ...
    @overload
    async def create_partitions(
        self, new_partitions: list[NewPartitions], **kwargs: Unpack[_options.TopicOptions]
    ) -> dict[str, KafkaException | None]: ...
    async def create_partitions(
        self, new_partitions: NewPartitions | list[NewPartitions], **kwargs: Unpack[_options.TopicOptions]
    ) -> Any:
        """As ``AdminClient.create_partitions``."""
        return await self._many(_requests.create_partitions, new_partitions, NewPartitions, dict(kwargs))

    @overload
    async def describe_topics(self, topics: str, **kwargs: Unpack[_options.DescribeOptions]) -> TopicDescription: ...
    @overload
    async def describe_topics(
        self, topics: TopicCollection, **kwargs: Unpack[_options.DescribeOptions]
    ) -> dict[str, TopicDescription | KafkaException]: ...
    async def describe_topics(self, topics: str | TopicCollection, **kwargs: Unpack[_options.DescribeOptions]) -> Any:
        """As ``AdminClient.describe_topics``."""
        collection = TopicCollection([topics]) if isinstance(topics, str) else topics
        outcomes = await self._outcomes(_requests.describe_topics(collection, dict(kwargs)))
        return _value(outcomes[topics]) if isinstance(topics, str) else outcomes

    @overload
    async def describe_configs(
        self, resources: ConfigResource, **kwargs: Unpack[_options.ConfigOptions]
    ) -> dict[str, ConfigEntry]: ...
    @overload
    async def describe_configs(
        self, resources: list[ConfigResource], **kwargs: Unpack[_options.ConfigOptions]
    ) -> dict[ConfigResource, dict[str, ConfigEntry] | KafkaException]: ...
    async def describe_configs(
        self, resources: ConfigResource | list[ConfigResource], **kwargs: Unpack[_options.ConfigOptions]
    ) -> Any:
        """As ``AdminClient.describe_configs``."""
        return await self._many(_requests.describe_configs, resources, ConfigResource, dict(kwargs))

    @overload
    async def alter_configs(self, resources: ConfigResource, **kwargs: Unpack[_options.AlterConfigOptions]) -> None: ...
    @overload
    async def alter_configs(
        self, resources: list[ConfigResource], **kwargs: Unpack[_options.AlterConfigOptions]
    ) -> dict[ConfigResource, KafkaException | None]: ...
    async def alter_configs(
        self, resources: ConfigResource | list[ConfigResource], **kwargs: Unpack[_options.AlterConfigOptions]
    ) -> Any:
        """As ``AdminClient.alter_configs``."""
        warn_of_alter_configs()
        return await self._many(_requests.alter_configs, resources, ConfigResource, dict(kwargs))

    @overload
    async def incremental_alter_configs(
        self, resources: ConfigResource, **kwargs: Unpack[_options.AlterConfigOptions]
    ) -> None: ...
    @overload
    async def incremental_alter_configs(
        self, resources: list[ConfigResource], **kwargs: Unpack[_options.AlterConfigOptions]
    ) -> dict[ConfigResource, KafkaException | None]: ...
    async def incremental_alter_configs(
        self, resources: ConfigResource | list[ConfigResource], **kwargs: Unpack[_options.AlterConfigOptions]
    ) -> Any:
        """As ``AdminClient.incremental_alter_configs``."""
        return await self._many(_requests.incremental_alter_configs, resources, ConfigResource, dict(kwargs))

    @overload
    async def create_acls(self, acls: AclBinding, **kwargs: Unpack[_options.RequestOptions]) -> None: ...
    @overload
    async def create_acls(
        self, acls: list[AclBinding], **kwargs: Unpack[_options.RequestOptions]
    ) -> dict[AclBinding, KafkaException | None]: ...
    async def create_acls(self, acls: AclBinding | list[AclBinding], **kwargs: Unpack[_options.RequestOptions]) -> Any:
        """As ``AdminClient.create_acls``."""
        return await self._many(_security_requests.create_acls, acls, AclBinding, dict(kwargs))

    @overload
    async def delete_acls(
        self, acl_binding_filters: AclBindingFilter, **kwargs: Unpack[_options.RequestOptions]
    ) -> list[AclBinding]: ...
    @overload
    async def delete_acls(
        self, acl_binding_filters: list[AclBindingFilter], **kwargs: Unpack[_options.RequestOptions]
    ) -> dict[AclBindingFilter, list[AclBinding] | KafkaException]: ...
    async def delete_acls(
        self, acl_binding_filters: AclBindingFilter | list[AclBindingFilter], **kwargs: Unpack[_options.RequestOptions]
    ) -> Any:
        """As ``AdminClient.delete_acls``."""
        return await self._many(_security_requests.delete_acls, acl_binding_filters, AclBindingFilter, dict(kwargs))

    @overload
    async def describe_consumer_groups(
        self, group_ids: str, **kwargs: Unpack[_options.DescribeOptions]
    ) -> ConsumerGroupDescription: ...
    @overload
    async def describe_consumer_groups(
        self, group_ids: list[str], **kwargs: Unpack[_options.DescribeOptions]
    ) -> dict[str, ConsumerGroupDescription | KafkaException]: ...
    async def describe_consumer_groups(
        self, group_ids: str | list[str], **kwargs: Unpack[_options.DescribeOptions]
    ) -> Any:
        """As ``AdminClient.describe_consumer_groups``."""
        return await self._many(_group_requests.describe_consumer_groups, group_ids, str, dict(kwargs))

    @overload
    async def delete_consumer_groups(self, group_ids: str, **kwargs: Unpack[_options.RequestOptions]) -> None: ...
    @overload
    async def delete_consumer_groups(
        self, group_ids: list[str], **kwargs: Unpack[_options.RequestOptions]
    ) -> dict[str, KafkaException | None]: ...
    async def delete_consumer_groups(
        self, group_ids: str | list[str], **kwargs: Unpack[_options.RequestOptions]
    ) -> Any:
        """As ``AdminClient.delete_consumer_groups``."""
        return await self._many(_group_requests.delete_consumer_groups, group_ids, str, dict(kwargs))

    @overload
    async def list_consumer_group_offsets(
        self,
        list_consumer_group_offsets_request: ConsumerGroupTopicPartitions,
        **kwargs: Unpack[_options.GroupOffsetOptions],
    ) -> ConsumerGroupTopicPartitions: ...
    @overload
    async def list_consumer_group_offsets(
        self,
        list_consumer_group_offsets_request: list[ConsumerGroupTopicPartitions],
        **kwargs: Unpack[_options.GroupOffsetOptions],
    ) -> dict[str, ConsumerGroupTopicPartitions | KafkaException]: ...
    async def list_consumer_group_offsets(
        self,
        list_consumer_group_offsets_request: ConsumerGroupTopicPartitions | list[ConsumerGroupTopicPartitions],
        **kwargs: Unpack[_options.GroupOffsetOptions],
    ) -> Any:
        """As ``AdminClient.list_consumer_group_offsets``."""
        return await self._many(
            _group_requests.list_consumer_group_offsets,
            list_consumer_group_offsets_request,
            ConsumerGroupTopicPartitions,
            dict(kwargs),
        )

    @overload
    async def alter_consumer_group_offsets(
        self,
        alter_consumer_group_offsets_request: ConsumerGroupTopicPartitions,
        **kwargs: Unpack[_options.RequestOptions],
    ) -> ConsumerGroupTopicPartitions: ...
    @overload
    async def alter_consumer_group_offsets(
        self,
        alter_consumer_group_offsets_request: list[ConsumerGroupTopicPartitions],
        **kwargs: Unpack[_options.RequestOptions],
    ) -> dict[str, ConsumerGroupTopicPartitions | KafkaException]: ...
    async def alter_consumer_group_offsets(
        self,
        alter_consumer_group_offsets_request: ConsumerGroupTopicPartitions | list[ConsumerGroupTopicPartitions],
        **kwargs: Unpack[_options.RequestOptions],
    ) -> Any:
        """As ``AdminClient.alter_consumer_group_offsets``."""
        return await self._many(
            _group_requests.alter_consumer_group_offsets,
            alter_consumer_group_offsets_request,
            ConsumerGroupTopicPartitions,
            dict(kwargs),
        )

    @overload
    async def delete_consumer_group_offsets(
        self,
        delete_consumer_group_offsets_request: ConsumerGroupTopicPartitions,
        **kwargs: Unpack[_options.RequestOptions],
    ) -> ConsumerGroupTopicPartitions: ...
    @overload
    async def delete_consumer_group_offsets(
        self,
        delete_consumer_group_offsets_request: list[ConsumerGroupTopicPartitions],
        **kwargs: Unpack[_options.RequestOptions],
    ) -> dict[str, ConsumerGroupTopicPartitions | KafkaException]: ...
    async def delete_consumer_group_offsets(
        self,
        delete_consumer_group_offsets_request: ConsumerGroupTopicPartitions | list[ConsumerGroupTopicPartitions],
        **kwargs: Unpack[_options.RequestOptions],
    ) -> Any:
        """As ``AdminClient.delete_consumer_group_offsets``."""
        return await self._many(
            _group_requests.delete_consumer_group_offsets,
            delete_consumer_group_offsets_request,
            ConsumerGroupTopicPartitions,
            dict(kwargs),
        )

    @overload
    async def delete_records(
        self, topic_partition_offsets: TopicPartition, **kwargs: Unpack[_options.OperationOptions]
    ) -> DeletedRecords: ...
    @overload
    async def delete_records(
        self, topic_partition_offsets: list[TopicPartition], **kwargs: Unpack[_options.OperationOptions]
    ) -> dict[TopicPartition, DeletedRecords | KafkaException]: ...
    async def delete_records(
        self,
        topic_partition_offsets: TopicPartition | list[TopicPartition],
        **kwargs: Unpack[_options.OperationOptions],
    ) -> Any:
        """As ``AdminClient.delete_records``."""
        return await self._many(_requests.delete_records, topic_partition_offsets, TopicPartition, dict(kwargs))

    @overload
    async def alter_user_scram_credentials(
        self, alterations: UserScramCredentialAlteration, **kwargs: Unpack[_options.RequestOptions]
    ) -> None: ...
    @overload
    async def alter_user_scram_credentials(
        self, alterations: list[UserScramCredentialAlteration], **kwargs: Unpack[_options.RequestOptions]
    ) -> dict[str, KafkaException | None]: ...
    async def alter_user_scram_credentials(
        self,
        alterations: UserScramCredentialAlteration | list[UserScramCredentialAlteration],
        **kwargs: Unpack[_options.RequestOptions],
    ) -> Any:
        """As ``AdminClient.alter_user_scram_credentials``."""
        return await self._many(
            _security_requests.alter_user_scram_credentials, alterations, UserScramCredentialAlteration, dict(kwargs)
        )

    async def describe_cluster(self, **kwargs: Unpack[_options.DescribeOptions]) -> DescribeClusterResult:
        """As ``AdminClient.describe_cluster``."""
        return await self._one(_requests.describe_cluster(dict(kwargs)))

    async def describe_acls(
        self, acl_binding_filter: AclBindingFilter, **kwargs: Unpack[_options.RequestOptions]
    ) -> list[AclBinding]:
        """As ``AdminClient.describe_acls``."""
        return await self._one(_security_requests.describe_acls(acl_binding_filter, dict(kwargs)))

    async def list_consumer_groups(self, **kwargs: Unpack[_options.GroupListOptions]) -> ListConsumerGroupsResult:
        """As ``AdminClient.list_consumer_groups``."""
        return await self._one(_group_requests.list_consumer_groups(dict(kwargs)))

    async def list_offsets(
        self, topic_partition_offsets: dict[TopicPartition, OffsetSpec], **kwargs: Unpack[_options.OffsetOptions]
    ) -> dict[TopicPartition, ListOffsetsResultInfo | KafkaException]:
        """As ``AdminClient.list_offsets``."""
        return await self._outcomes(_requests.list_offsets(topic_partition_offsets, dict(kwargs)))

    async def elect_leaders(
        self,
        election_type: ElectionType,
        partitions: list[TopicPartition] | None = None,
        **kwargs: Unpack[_options.OperationOptions],
    ) -> dict[TopicPartition, KafkaError | None]:
        """As ``AdminClient.elect_leaders``."""
        return await self._one(_requests.elect_leaders(election_type, partitions, dict(kwargs)))

    @overload
    async def describe_user_scram_credentials(
        self, users: str, **kwargs: Unpack[_options.RequestOptions]
    ) -> UserScramCredentialsDescription: ...
    @overload
    async def describe_user_scram_credentials(
        self, users: list[str], **kwargs: Unpack[_options.RequestOptions]
    ) -> dict[str, UserScramCredentialsDescription | KafkaException]: ...
    @overload
    async def describe_user_scram_credentials(
        self, users: None = None, **kwargs: Unpack[_options.RequestOptions]
    ) -> dict[str, UserScramCredentialsDescription]: ...
    async def describe_user_scram_credentials(
        self, users: str | list[str] | None = None, **kwargs: Unpack[_options.RequestOptions]
    ) -> Any:
        """As ``AdminClient.describe_user_scram_credentials``."""
        if users is None:
            return await self._one(_security_requests.describe_all_scram_credentials(dict(kwargs)))
        return await self._many(_security_requests.describe_user_scram_credentials, users, str, dict(kwargs))

    async def list_topics(
        self, topic: str | None = None, timeout: float = -1, *args: Any, **kwargs: Any
    ) -> ClusterMetadata:
        """As ``AdminClient.list_topics``."""
        self._enter()
        return await self._bridge.call(self._core.list_topics, topic, timeout, *args, **kwargs)

    async def list_groups(
        self, group: str | None = None, timeout: float = -1, *args: Any, **kwargs: Any
    ) -> list[GroupMetadata]:
        """As ``AdminClient.list_groups``, deprecated as well."""
        warn_of_list_groups()
        self._enter()
        return await self._bridge.call(self._core.list_groups, group, timeout, *args, **kwargs)

    async def cluster_id(self, timeout: float = -1, *args: Any, **kwargs: Any) -> str:
        """As ``AdminClient.cluster_id``."""
        self._enter()
        return await self._bridge.call(self._core.cluster_id, timeout, *args, **kwargs)

    async def set_sasl_credentials(self, username: str, password: str) -> None:
        """As ``AdminClient.set_sasl_credentials``."""
        self._enter()
        await self._bridge.call(self._core.set_sasl_credentials, username, password)

    async def poll(self, timeout: float = -1) -> int:
        """Wait until a callback was run. There is no need to call it: the loop serves all by itself.

        Args:
            timeout: seconds; -1 waits without limit.

        Returns: the number of events served meanwhile; 0 after the time-out.
        """
        loop = self._enter()
        until = None if timeout < 0 else loop.time() + timeout
        before = self._served
        self._serve()
        while self._served == before and (until is None or loop.time() < until):
            await self._bridge.changed(until)
        return self._served - before

    async def close(self) -> None:
        """End. Idempotent. Requests without answer fail with ``_DESTROY``.

        A close whose await is cancelled goes on, as long as the loop runs.
        """
        if self._bridge.forked:
            return  # the parent's client: forgotten, never touched
        if self._closing is None:
            self._closing = self._bridge.bind().create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self._bridge.release()
        await self._bridge.call(self._core._destroy)

    def __len__(self) -> int:
        """Return the number of requests without answer."""
        return self._core._pending()

    def __bool__(self) -> bool:
        return True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _Settling:
    """Gives the outcomes of a request to the task that awaits them. Holds no reference to the client."""

    def __init__(self, request: Request[Any, Any], answer: asyncio.Future[dict[Any, Any]]) -> None:
        self._request = request
        self._answer = answer

    def __call__(self, error: KafkaError | None, raw: Any) -> None:
        self._give(self._request.outcomes(error, raw))

    def fail(self, error: Exception) -> None:
        self._give(dict.fromkeys(self._request.keys.values(), error))

    def _give(self, outcomes: dict[Any, Any]) -> None:
        loop = self._answer.get_loop()
        if _running_loop() is loop:
            self._settle(outcomes)
        else:
            # A client that was dropped is collected in any thread; a closed loop has nobody who waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._settle, outcomes)

    def _settle(self, outcomes: dict[Any, Any]) -> None:
        if not self._answer.done():
            self._answer.set_result(outcomes)


def _value(outcome: Any) -> Any:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
