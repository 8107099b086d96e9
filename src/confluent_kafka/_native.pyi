# SPDX-License-Identifier: Apache-2.0
"""The native core: every librdkafka handle is owned here.

All functions and methods may be called from any thread. Whatever can wait releases the GIL while it does; Ctrl-C (on
the main thread) and `close()` from another thread end the wait. Timeouts are seconds; any negative number waits without
limit.

PyO3 shows negative defaults as `...`, so they stand that way here: -1 for every timeout, partition, epoch, count and
latency, OFFSET_INVALID (-1001) for an offset.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Sequence
from concurrent.futures import Future
from typing import Any, ClassVar, Generic, Literal, final, overload

from typing_extensions import Self, TypeVar, disjoint_base

from ._types import DeliveryCallback, HeadersType, Payload, RebalanceCallback
from .admin import ClusterMetadata, GroupMetadata
from .error import KafkaError

__all__ = [
    "Admin",
    "AvroReader",
    "AvroWriter",
    "Batch",
    "Consumer",
    "LoopAdmin",
    "LoopConsumer",
    "LoopProducer",
    "Message",
    "MockCluster",
    "Pending",
    "Producer",
    "Stream",
    "TopicPartition",
    "_fail",
    "_interpreter_exits",
    "config_properties",
    "consistent",
    "err_name",
    "err_str",
    "error_table",
    "fnv1a",
    "librdkafka_version",
    "murmur2",
]

_K = TypeVar("_K", default=bytes | None)
_V = TypeVar("_V", default=bytes | None)

@disjoint_base
class Message(Generic[_K, _V]):
    """A consumed or delivered record, or a consumer error (then `error()` is set and `value()` is its text).

    Generic in the types of key and value for type checkers only; `Message[K, V]` raises TypeError at run time. Compares
    by content, is not hashable, and pickles. `bool(message)` is False for a message without value or with an empty one.
    Key and value of a consumed message are copies: a kept message holds no other memory.

    Args:
        timestamp: (TIMESTAMP_* constant, milliseconds since the epoch); None is (0, 0).
        latency: seconds; negative means not available.
        partition, offset, leader_epoch, delivery_count: negative means not available.

    Raises:
        TypeError: None for a number, or a timestamp that is no pair of integers.
    """

    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __new__(
        cls,
        topic: str | None = None,
        partition: int = ...,
        offset: int = ...,
        key: _K | None = None,
        value: _V | None = None,
        headers: HeadersType | None = None,
        error: KafkaError | None = None,
        timestamp: tuple[int, int] | None = None,
        latency: float = ...,
        leader_epoch: int = ...,
        delivery_count: int = ...,
    ) -> Self: ...
    def topic(self) -> str | None:
        """Return the topic's name; None for an error that concerns no topic."""
    def partition(self) -> int | None:
        """Return the partition; None when there is none."""
    def offset(self) -> int | None:
        """Return the offset in its partition; None for a message that was not delivered."""
    def key(self) -> _K:
        """Return the key: bytes or None, or what a deserializer or `set_key` put in its place."""
    def value(self) -> _V:
        """Return the value: bytes or None, or what a deserializer or `set_value` put in its place."""
    def deserialized_key(self) -> _K:
        """Return the same object as `key()`."""
    def deserialized_value(self) -> _V:
        """Return the same object as `value()`."""
    def headers(self) -> list[tuple[str, bytes | None]] | None:
        """Return the headers in order, duplicates included; None when there are none.

        None in delivery callbacks; the message of a `send()` future has them. The list is made at the first call.

        Source: rd_kafka_message_detach_headers.
        """
    def error(self) -> KafkaError | None:
        """Return the error of a consumer event or of a failed delivery; None for a message."""
    def timestamp(self) -> tuple[int, int]:
        """Return (TIMESTAMP_* constant, milliseconds since the epoch); (0, -1) for an error.

        Source: rd_kafka_message_timestamp.
        """
    def latency(self) -> float | None:
        """Return the seconds from produce() to the delivery report; None for a consumed message.

        Source: rd_kafka_message_latency.
        """
    def leader_epoch(self) -> int | None:
        """Return the partition leader's epoch of a consumed message, if the broker told it.

        Source: rd_kafka_message_leader_epoch; KIP-320.
        """
    def delivery_count(self) -> int | None:
        """Return how often a share group was given the message (KIP-932); None outside of share groups."""
    def set_topic(self, topic: str | None) -> None:
        """Replace what `topic()` returns."""
    def set_key(self, key: Any) -> None:
        """Replace what `key()` returns."""
    def set_value(self, value: Any) -> None:
        """Replace what `value()` returns."""
    def set_headers(self, headers: Any) -> None:
        """Replace what `headers()` returns."""
    def set_error(self, error: KafkaError | None) -> None:
        """Replace what `error()` returns."""
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __lt__(self, other: object, /) -> bool: ...
    def __le__(self, other: object, /) -> bool: ...
    def __gt__(self, other: object, /) -> bool: ...
    def __ge__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@disjoint_base
class TopicPartition:
    """A partition of a topic, with an offset where one is meant.

    Compares, orders and hashes by (topic, partition); unequal to every other type. Pickles with all fields.

    Args:
        offset: an offset, one of the OFFSET_* constants, or, for `offsets_for_times`, milliseconds since the epoch.
        metadata: text to be committed beside the offset.
        leader_epoch: epoch to be committed beside the offset.

    Raises:
        TypeError: an argument of the wrong type; None counts as one.
    """

    partition: int
    offset: int
    @property
    def topic(self) -> str: ...
    @property
    def metadata(self) -> str | None:
        """The text committed beside the offset."""
    @property
    def leader_epoch(self) -> int | None:
        """The leader's epoch, KIP-320; None when it is not known."""
    @property
    def error(self) -> KafkaError | None:
        """The outcome for this partition in a list that a call returned."""
    def __new__(
        cls, topic: str, partition: int = ..., offset: int = ..., metadata: str = ..., leader_epoch: int = ...
    ) -> Self: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __lt__(self, other: TopicPartition, /) -> bool: ...
    def __le__(self, other: TopicPartition, /) -> bool: ...
    def __gt__(self, other: TopicPartition, /) -> bool: ...
    def __ge__(self, other: TopicPartition, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    @classmethod
    def _restore(
        cls, topic: str, partition: int, offset: int, metadata: str | None, epoch: int, error: KafkaError | None
    ) -> Self: ...

@disjoint_base
class Producer:
    """Base of `confluent_kafka.Producer`, which opens it; before and after that it behaves as closed.

    Every method but `close` raises RuntimeError on a closed producer, and ForkedClientError in a child process that
    inherited it. Delivery callbacks and the client's other callbacks run in `poll`, `flush`, `produce(block=...)`, the
    transaction calls and `close`, on the calling thread; the first that raises surfaces from that call, the others run
    in later calls.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self: ...
    def _open(self, properties: Sequence[tuple[str, str]], callbacks: dict[str, Any]) -> None:
        """Make the client from checked properties (in the order to be set) and callables.

        Raises: ConfigurationError, KafkaException, RuntimeError (it is open already).

        Source: rd_kafka_new.
        """
    def _close(self) -> tuple[BaseException | None, BaseException | None]:
        """Abort an open transaction, flush without limit, destroy.

        Returns: what the abort and what the flush raised.
        """
    def _unflushed(self) -> int:
        """Return the number of messages and requests without outcome; 0 when closed or inherited. Never raises."""
    def produce(
        self,
        topic: str,
        value: Payload = None,
        key: Payload = None,
        partition: int = ...,
        callback: DeliveryCallback | None = None,
        on_delivery: DeliveryCallback | None = None,
        timestamp: int = 0,
        headers: HeadersType | None = None,
        *,
        block: float | None = None,
    ) -> None:
        """Put a copy of one message into the send queue.

        Args:
            topic: its name; a name the broker refuses fails in the delivery report.
            value: bytes, any contiguous buffer, or str (sent as UTF-8); None for a tombstone.
            key: as `value`; None for no key.
            partition: -1 lets the configured partitioner choose.
            callback: called as `callback(error, message)` with the outcome; preferred to `on_delivery`. None takes the
                configured `on_delivery`.
            on_delivery: the same by another name.
            timestamp: milliseconds since the epoch; 0 is now.
            headers: a dict, or a list of (name, value) tuples.
            block: seconds to wait for room when the queue is full, serving callbacks meanwhile; None does not wait.

        Raises:
            QueueFullError: no room (also a BufferError): poll and try again, or give `block`.
            KafkaException: the message is too large, the partition unknown, no transaction is open, ...
            TypeError: an argument of the wrong type; a callback that is not callable.

        Source: rd_kafka_produce; rd_kafka_produceva with headers or a timestamp.
        """
    def send(
        self,
        topic: str,
        value: Payload = None,
        key: Payload = None,
        partition: int = ...,
        timestamp: int = 0,
        headers: HeadersType | None = None,
        *,
        block: float | None = None,
    ) -> Future[Message]:
        """As `produce`, with a future for the outcome that needs nobody to poll.

        Returns: a running future (it cannot be cancelled) of the delivered message, headers included; a failed delivery
            sets a KafkaException. A native thread resolves it and runs its done-callbacks; none is resolved once the
            interpreter is ending.

        Raises: as `produce`.
        """
    def produce_batch(
        self,
        topic: str,
        messages: list[Any],
        partition: int = ...,
        callback: DeliveryCallback | None = None,
        on_delivery: DeliveryCallback | None = None,
    ) -> int:
        """Put many messages into the send queue.

        Args:
            messages: n items, each bytes, str or a buffer (a value), or a dict with any of `value`, `key`, `headers`,
                `partition`, `timestamp` (milliseconds) and `callback`; other keys are ignored. All are checked before
                the first is produced.
            partition: for items without their own.
            callback: for items without their own; `on_delivery` is the same by another name.

        Returns: how many were accepted. A refused dict gets its KafkaError under `_error`, which a later success
            removes; once the queue is full all further items are refused, so that the order is kept.

        Raises:
            TypeError, ValueError: an item is wrong, the text says which; nothing was produced.
            KafkaException: an item without dict was refused for another reason than a full queue.

        Source: rd_kafka_produce.
        """
    def poll(self, timeout: float = ...) -> int:
        """Run the callbacks that are due, waiting for the first one.

        Returns: the number of events served; 0 after the time-out.

        Source: rd_kafka_queue_poll on the main queue.
        """
    def flush(self, timeout: float = ...) -> int:
        """Send what is queued without lingering and serve callbacks until nothing is in flight.

        Returns: the number of messages and requests left when the time was over; 0 when all are done.

        Source: rd_kafka_flush.
        """
    def purge(self, in_queue: bool = True, in_flight: bool = True, blocking: bool = True) -> None:
        """Drop messages; their delivery reports carry `_PURGE_QUEUE` or `_PURGE_INFLIGHT`.

        Args:
            in_queue: those not sent yet.
            in_flight: those sent and not acknowledged, which may still be written.
            blocking: wait for librdkafka's broker threads to have done it.

        Source: rd_kafka_purge.
        """
    def list_topics(self, topic: str | None = None, timeout: float = ...) -> ClusterMetadata:
        """Ask the cluster for its brokers and one topic, or all.

        Raises: KafkaException: no answer in time. RuntimeError: closed, also by another thread meanwhile.

        Source: rd_kafka_metadata.
        """
    def cluster_id(self, timeout: float = ...) -> str:
        """Return the cluster's id.

        Raises: as `list_topics`.

        Source: rd_kafka_clusterid; KIP-78.
        """
    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Change what the next authentication (PLAIN, SCRAM) uses; open connections stay.

        Source: rd_kafka_sasl_set_credentials.
        """
    def init_transactions(self, timeout: float = ...) -> None:
        """Get a producer id and fence earlier producers with the same `transactional.id`.

        A transaction call that was interrupted goes on underneath: make the same call again to wait for its result. Any
        other one raises until then (retriable).

        Raises: KafkaException, with its flags `retriable()`, `fatal()`, `txn_requires_abort()`.

        Source: rd_kafka_init_transactions; KIP-98.
        """
    def begin_transaction(self) -> None:
        """Open a transaction: what is produced from now on belongs to it.

        Raises: as `init_transactions`.

        Source: rd_kafka_begin_transaction.
        """
    def send_offsets_to_transaction(
        self, positions: list[TopicPartition], group_metadata: bytes, timeout: float = ...
    ) -> None:
        """Make consumed offsets part of the transaction.

        Args:
            positions: n entries, the next offset to read of each partition.
            group_metadata: of `Consumer.consumer_group_metadata()`.

        Raises: as `init_transactions`; TypeError.

        Source: rd_kafka_send_offsets_to_transaction; KIP-447.
        """
    def commit_transaction(self, timeout: float = ...) -> None:
        """Flush and commit. Delivery callbacks run meanwhile.

        Raises: as `init_transactions`; else what a callback raised, once the transaction is committed.

        Source: rd_kafka_commit_transaction.
        """
    def abort_transaction(self, timeout: float = ...) -> None:
        """Purge what is queued and abort. Delivery callbacks run meanwhile.

        Raises: as `commit_transaction`.

        Source: rd_kafka_abort_transaction.
        """
    def __len__(self) -> int:
        """Return the messages and requests that wait for an outcome; 0 when closed."""
    def __bool__(self) -> bool:
        """Return True."""

@disjoint_base
class Consumer:
    """Base of `confluent_kafka.Consumer`, which opens it; before and after that it behaves as closed.

    Every method but `close` raises RuntimeError on a closed consumer, and ForkedClientError in a child process that
    inherited it. No call waits for another thread's `poll`. Callbacks run in `poll`, `consume` and `close`, on the
    calling thread; the first that raises surfaces from that call, the others run in later calls.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self: ...
    def _open(self, properties: Sequence[tuple[str, str]], callbacks: dict[str, Any]) -> None:
        """Make the client from checked properties (in the order to be set) and callables.

        Raises: ConfigurationError, KafkaException, RuntimeError (it is open already).

        Source: rd_kafka_new, rd_kafka_poll_set_consumer.
        """
    def _is_open(self) -> bool:
        """Return False when closed, being closed by another thread, or never opened."""
    def _consume_some(self, num_messages: int, timeout: float = ...) -> list[Message]:
        """As `consume`, but return as soon as there is at least one message."""
    def _lend(self, timeout: float = ...) -> Message | None:
        """As `poll`, but the message counts as consumed only by `_settle`; `_settle` or `_put_back` must follow."""
    def _settle(self, message: Message) -> bool:
        """Take a lent message over; its offset counts as stored from now on (`enable.auto.offset.store`).

        Returns: False when it is not to be handed out: it was taken away (revoke, assign, seek), or it comes again
            (pause, a seek or a rebalance callback under way).

        Raises: RuntimeError: the consumer is closed, or another thread closes it.
        """
    def _put_back(self, message: Message) -> None:
        """Take a lent message back: it comes again. Does nothing when it is gone or the consumer is closed."""
    def subscribe(
        self,
        topics: list[str],
        on_assign: RebalanceCallback = ...,
        on_revoke: RebalanceCallback = ...,
        on_lost: RebalanceCallback = ...,
    ) -> None:
        """Join the group for these topics; replaces an earlier subscription and its callbacks.

        Args:
            topics: names; one that begins with `^` is a regular expression.
            on_assign, on_revoke, on_lost: called as `callback(consumer, partitions)`. One that does not assign or
                unassign leaves that to the client. Without `on_lost`, `on_revoke` is told of lost partitions.

        Raises: TypeError; KafkaException: an empty list or name, or a wrong expression.

        Source: rd_kafka_subscribe; KIP-429, KIP-848.
        """
    def unsubscribe(self) -> None:
        """Give up all topics, and leave the group. Source: rd_kafka_unsubscribe."""
    def subscription(self) -> list[str]:
        """Return the topics of `subscribe`, expressions as they were given. Source: rd_kafka_subscription."""
    def assign(self, partitions: list[TopicPartition]) -> None:
        """Read exactly these partitions, each from its `offset`; messages not handed out yet are dropped.

        Raises: TypeError; KafkaException: a partition twice.

        Source: rd_kafka_assign.
        """
    def unassign(self) -> None:
        """Read nothing. Source: rd_kafka_assign."""
    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        """Read these partitions as well.

        Raises: TypeError; KafkaException: assigned already, or the group's protocol is not cooperative.

        Source: rd_kafka_incremental_assign.
        """
    def incremental_unassign(self, partitions: list[TopicPartition]) -> None:
        """Read these partitions no longer.

        Raises: TypeError; KafkaException: not assigned, or the group's protocol is not cooperative.

        Source: rd_kafka_incremental_unassign.
        """
    def assignment(self) -> list[TopicPartition]:
        """Return the assigned partitions. Source: rd_kafka_assignment."""
    def poll(self, timeout: float = ...) -> Message | None:
        """Wait for one message, or a consumer error (look at its `error()`), and run the callbacks that are due.

        Returns: None after the time-out, after `wakeup()`, and when another thread closes the consumer.

        Source: rd_kafka_consume_batch_queue; its offset counts as stored from now on (`enable.auto.offset.store`).
        """
    def consume(self, num_messages: int = 1, timeout: float = ...) -> list[Message]:
        """Wait until so many messages are there or the time is over, and run the callbacks that are due.

        Args:
            num_messages: 0 to 1,000,000.

        Returns: up to `num_messages` messages and consumer errors in order: fewer after the time-out, after `wakeup()`,
            and when a callback is due, which runs in the next call.

        Raises: ValueError: num_messages. An interrupted call (Ctrl-C) loses no message: the next one gets them.

        Source: rd_kafka_consume_batch_queue.
        """
    @overload
    def commit(
        self,
        message: Message[Any, Any] | None = None,
        offsets: list[TopicPartition] | None = None,
        *,
        asynchronous: Literal[False],
    ) -> list[TopicPartition]: ...
    @overload
    def commit(
        self,
        message: Message[Any, Any] | None = None,
        offsets: list[TopicPartition] | None = None,
        asynchronous: bool = True,
        **kwargs: bool,
    ) -> list[TopicPartition] | None:
        """Commit the offset after a message, some offsets, or all that are stored.

        Args:
            offsets: n entries, the next offset to read of each partition. Not together with `message`.
            asynchronous: True returns at once and tells `on_commit`; False waits. Also taken by its older name `async`.

        Returns: None, or the n entries, each with its own `error`.

        Raises:
            ValueError: message and offsets. TypeError: an argument of the wrong type.
            KafkaException: the request failed as a whole; there is nothing to commit (`_NO_OFFSET`); the message is an
                error.

        Source: rd_kafka_commit, rd_kafka_commit_queue.
        """
    def store_offsets(
        self, message: Message[Any, Any] | None = None, offsets: list[TopicPartition] | None = None
    ) -> None:
        """Store what the next commit takes; needs `enable.auto.offset.store=false`.

        Raises: ValueError: neither or both. TypeError. KafkaException: storing is automatic, or not assigned.

        Source: rd_kafka_offsets_store.
        """
    def committed(self, partitions: list[TopicPartition], timeout: float = ...) -> list[TopicPartition]:
        """Ask for the group's committed offsets.

        Returns: n entries, same order; `offset` is OFFSET_INVALID where there is none; `error` is per entry.

        Raises: TypeError; KafkaException: the request failed as a whole.

        Source: rd_kafka_committed.
        """
    def position(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """Tell the next offset to be handed out.

        Returns: n entries, same order; `offset` is OFFSET_INVALID where nothing was consumed.

        Source: rd_kafka_position. Local.
        """
    def seek(self, partition: TopicPartition) -> None:
        """Go on at `partition.offset`, waiting until it is done; what was fetched before is dropped.

        Raises: TypeError; KafkaException: not assigned.

        Source: rd_kafka_seek.
        """
    def pause(self, partitions: list[TopicPartition]) -> None:
        """Hand out no messages of these partitions until `resume`. Source: rd_kafka_pause_partitions."""
    def resume(self, partitions: list[TopicPartition]) -> None:
        """End a `pause`. Source: rd_kafka_resume_partitions."""
    def get_watermark_offsets(
        self, partition: TopicPartition, timeout: float = ..., cached: bool = False
    ) -> tuple[int, int]:
        """Tell the first offset and the end of a partition.

        Args:
            cached: True gives what the last fetch told, without asking: (-1001, -1001) before that.

        Returns: (low, high); high is one above the last message, the last stable one under read_committed.

        Raises: TypeError; KafkaException: unknown partition, or no answer in time.

        Source: rd_kafka_query_watermark_offsets, rd_kafka_get_watermark_offsets.
        """
    def offsets_for_times(self, partitions: list[TopicPartition], timeout: float = ...) -> list[TopicPartition]:
        """Find, per partition, the first offset at or after a time.

        Args:
            partitions: n entries; each `offset` is a timestamp, milliseconds since the epoch, UTC.

        Returns: n entries, same order; `offset` is OFFSET_END where no such message exists; `error` is per entry.

        Raises: TypeError; KafkaException: the request failed as a whole.

        Source: rd_kafka_offsets_for_times; KIP-79.
        """
    def memberid(self) -> str | None:
        """Return the id the group's coordinator gave; None without one. Source: rd_kafka_memberid."""
    def consumer_group_metadata(self) -> bytes:
        """Return what `Producer.send_offsets_to_transaction` needs of this consumer.

        Source: rd_kafka_consumer_group_metadata, rd_kafka_consumer_group_metadata_write; KIP-447.
        """
    def list_topics(self, topic: str | None = None, timeout: float = ...) -> ClusterMetadata:
        """Ask the cluster for its brokers and one topic, or all.

        Raises: KafkaException: no answer in time. RuntimeError: closed, also by another thread meanwhile.

        Source: rd_kafka_metadata.
        """
    def cluster_id(self, timeout: float = ...) -> str:
        """Return the cluster's id.

        Raises: as `list_topics`.

        Source: rd_kafka_clusterid; KIP-78.
        """
    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Change what the next authentication (PLAIN, SCRAM) uses; open connections stay.

        Source: rd_kafka_sasl_set_credentials.
        """
    def wakeup(self) -> None:
        """End the `poll`, `consume` or iteration that waits, or else the next one that would wait. From any thread."""
    def close(self) -> None:
        """Leave the group (revoke callbacks, final commit) and end. Idempotent.

        Other threads' calls end at once. Ctrl-C ends the wait with its exception: close may then be called again.
        A commit under way is waited for: without a coordinator, librdkafka gives it up after `session.timeout.ms`.

        Raises: what the first failing callback raised, after the end.

        Source: rd_kafka_consumer_close_queue, rd_kafka_destroy_flags.
        """

@disjoint_base
class Admin:
    """Base of `confluent_kafka.admin.AdminClient`, which documents the requests and checks their arguments.

    A request returns at once. Its answer is given to `done` on a native thread, which starts with the first request and
    serves one answer after the other: `done` must not wait for another answer.

    Takes any arguments: subclasses have constructors of their own. Until `_open` it behaves as closed.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self: ...
    def _open(self, properties: list[tuple[str, str]], callbacks: dict[str, Any]) -> None:
        """Make the client.

        Args:
            callbacks: error_cb, stats_cb, throttle_cb, logger, oauth_cb.

        Raises: ConfigurationError, KafkaException; RuntimeError: it was called before.

        Source: rd_kafka_new.
        """
    def _request(
        self,
        kind: str,
        items: object,
        options: dict[str, Any],
        done: Callable[[KafkaError | None, Any], object],
    ) -> None:
        """Make a request.

        Numbers are librdkafka's enums. An error is None or a KafkaError, a node (id, host, port, rack or None),
        operations a list, None when not asked for; partitions are a list of TopicPartition. Items, and their results:

        - create_topics: [(name, partitions, replication factor, assignment or None, {name: value} or None)];
          delete_topics: [name]; create_partitions: [(name, total, assignment or None)]: all [(name, error)]
        - describe_topics: [name]; [(name, error, Uuid or None, is_internal, [partition], operations)], each partition
          (id, leader node or None, [replica node], [in-sync node])
        - describe_cluster: None; (id or None, controller node or None, [node], operations)
        - elect_leaders: (type, [(topic, partition)] or None for all); [(topic, partition, error)]
        - describe_configs: [(type, name)]; [(type, name, error, [entry])], each entry (name, value or None, source,
          read_only, default, sensitive, synonym, [entry that is a synonym])
        - alter_configs: [(type, name, [(name, value)])]; incremental_alter_configs: [(type, name,
          [(name, operation, value or None)])]: both [(type, name, error)]
        - create_acls: [acl]; [error]; delete_acls: [filter]; [(error, [acl])]; describe_acls: [filter], one; [acl].
          An acl is (type, name, pattern, principal, host, operation, permission); a filter has None for any text
        - list_consumer_groups: None; ([(group, is_simple, state, type)], [KafkaError of a broker])
        - describe_consumer_groups: [group]; [(group, error, is_simple, assignor, state, type, coordinator node or
          None, [member], operations)], each member (id, client_id, host, instance_id or None, partitions, target
          partitions or None)
        - delete_consumer_groups: [group]; [(group, error)]
        - list_consumer_group_offsets: [(group, partitions or None for all)]; alter_consumer_group_offsets,
          delete_consumer_group_offsets: [(group, partitions)]; one item each; all [(group, error, partitions)]
        - list_offsets: [(topic, partition, spec)]; [(topic, partition, error, offset, timestamp, leader epoch)]
        - delete_records: [(topic, partition, offset)]; [(topic, partition, error, low watermark)]
        - describe_user_scram_credentials: [user] or None for all; [(user, error, [(mechanism, iterations)])]
        - alter_user_scram_credentials: [(user, mechanism, iterations, password, salt or None)], or (user, mechanism)
          to delete; [(user, error)]

        Args:
            options: request_timeout, operation_timeout (milliseconds), validate_only, include_authorized_operations,
                require_stable (bools), broker, isolation_level (numbers), states, types (lists of numbers); each one
                only with the kinds that know it.
            done: called once as `done(error, result)`: the error of the request as a whole, or its result. Code -197
                (_DESTROY) says that the client was closed, then on the thread that closes, or dropped, then on a native
                thread. What it raises goes to `sys.unraisablehook`.

        Raises: ValueError: what librdkafka refuses at once, unknown kinds and options. TypeError: items of another
            form. RuntimeError: closed. `done` is not called then.

        Source: the Admin API of rdkafka.h; KIP-4 and those after it.
        """
    def _pending(self) -> int:
        """Return the number of requests whose `done` was not called."""
    def poll(self, timeout: float) -> int:
        """Run error, statistics, throttle and log callbacks, waiting for the first. Answers need no poll.

        Returns: the number of callbacks served.

        Raises: what a callback raises; the rest is served by the next call.

        Source: rd_kafka_queue_poll.
        """
    def list_topics(self, topic: str | None = None, timeout: float = ...) -> ClusterMetadata:
        """Ask the cluster for its brokers and one topic, or all.

        Raises: KafkaException: no answer in time. RuntimeError: closed, also by another thread meanwhile.

        Source: rd_kafka_metadata.
        """
    def list_groups(self, group: str | None = None, timeout: float = ...) -> list[GroupMetadata]:
        """Ask every broker for its groups of any protocol type, or for one group.

        Returns: groups of the brokers that answered in time; none for an unknown group.

        Raises: as `list_topics`.

        Source: rd_kafka_list_groups.
        """
    def cluster_id(self, timeout: float = ...) -> str:
        """Return the cluster's id.

        Raises: as `list_topics`.

        Source: rd_kafka_clusterid; KIP-78.
        """
    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Change what the next authentication (PLAIN, SCRAM) uses; open connections stay.

        Source: rd_kafka_sasl_set_credentials.
        """
    def _close(self) -> None:
        """Call each `done` that waits with the error _DESTROY, and end. Idempotent.

        Other threads' calls end at once. Ctrl-C ends the wait for the end, which goes on by itself.

        Source: rd_kafka_destroy_flags.
        """

class LoopProducer(Producer):
    """Base of `confluent_kafka.aio.AIOProducer`: a producer that an event loop serves, all of it on the loop's thread.

    Calls that would wait return a `Pending` whose outcome has the type that is declared here. Callbacks and futures are
    served by `poll(0)`.
    """

    def _fileno(self) -> int:
        """Return the descriptor that is readable when there may be something to serve."""
    def _acknowledge(self) -> None:
        """Take the descriptor's signal; must come before the look at what there is."""
    def _produce(
        self,
        future: asyncio.Future[Message],
        topic: str,
        value: Payload | None,
        key: Payload | None,
        partition: int,
        timestamp: int,
        headers: HeadersType | None,
    ) -> None:
        """As `produce`, for a future of the running loop.

        Raises: QueueFullError, at once; KafkaException: not accepted; TypeError.
        """
    def _produce_batch(self, batch: Batch, topic: str, messages: list[Any], start: int, partition: int) -> int:
        """Produce the messages from `start` on, each outcome to its place in `batch`.

        Returns: the place of the first that found the queue full, or the number of messages.

        Raises: TypeError, ValueError: a message of the wrong form.
        """
    def _begin_flush(self) -> None:
        """Send without lingering until `_end_flush`. Source: rd_kafka_flush."""
    def _end_flush(self) -> None: ...
    def _flush_is_over(self) -> bool:
        """Whether what is produced from now on lingers; told by a signal."""
    def _in_transaction(self) -> bool:
        """Whether closing has to abort a transaction."""
    def _destroy(self) -> Pending | None:
        """End without flush; the object behaves as closed at once."""

class LoopConsumer(Consumer):
    """Base of `confluent_kafka.aio.AIOConsumer`: a consumer that an event loop serves, all of it on the loop's thread.

    Calls that would wait return a `Pending` whose outcome has the type that is declared here. `poll` and `consume` are
    called with timeout 0. A rebalance callback that returns anything but None keeps the rebalance open until
    `_end_rebalance`; meanwhile nothing is handed out and no callback runs.
    """

    def _fileno(self) -> int:
        """Return the descriptor that is readable when there may be something to take."""
    def _acknowledge(self) -> bool:
        """Take the descriptor's signal, before the look at what there is. Tell whether `wakeup` was called."""
    def _heartbeat(self) -> float:
        """Return half of `max.poll.interval.ms`, in seconds."""
    def _polled(self) -> bool:
        """Tell whether there was a poll since the last call."""
    def _gather(self, limit: int) -> bool:
        """Run callbacks; True when `limit` messages are there, or some and a callback is due: take them then."""
    def _end_rebalance(self) -> None:
        """Do what the rebalance callback left undone, and go on."""
    def _leave_step(self) -> bool:
        """Go on leaving the group; True once that is done. Raises what a callback raises; then call it again."""
    def _destroy(self) -> Pending | None:
        """End; the object behaves as closed at once."""

class LoopAdmin(Admin):
    """Base of `confluent_kafka.aio.AIOAdminClient`: an admin client that an event loop serves, on the loop's thread.

    There is no thread for answers: each `done` is called by `_serve`. Calls that would wait return a `Pending` whose
    outcome has the type that is declared here. `poll` is called with timeout 0.
    """

    def _fileno(self) -> int:
        """Return the descriptor that is readable when there may be answers or callbacks to serve."""
    def _acknowledge(self) -> None:
        """Take the descriptor's signal; must come before the look at what there is."""
    def _serve(self) -> int:
        """Call `done` for every answer that is there; return their number. Ctrl-C in one is raised after the others."""
    def _destroy(self) -> Pending | None:
        """Call each `done` that waits with the error _DESTROY, and end; the object behaves as closed at once."""

@final
class Stream:
    """`async for message in consumer`: what is there is given without a coroutine, the rest by `wait()`'s.

    `wait` is called now and then also while messages are there, so that other tasks have their turn.
    """

    def __new__(cls, consumer: LoopConsumer, wait: Callable[[], Coroutine[Any, Any, Message]]) -> Self: ...
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Self: ...
    def __await__(self) -> Generator[Any, Any, Message]: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...

@final
class Pending:
    """The outcome of a call that an event loop waits for. Dropping it abandons the call."""

    def fileno(self) -> int:
        """Return a descriptor that is readable once the outcome is there."""
    def poll(self) -> tuple[Any] | None:
        """Return the outcome in a tuple, once, or raise it; None before it is there."""

@final
class Batch:
    """Outcomes of `count` messages, in a list that `future` gets when the last one is there."""

    def __new__(cls, count: int, future: asyncio.Future[list[Any]]) -> Self: ...
    def _settle(self, index: int, outcome: Any) -> None:
        """Store one outcome: a message or an exception."""

@final
class MockCluster:
    """librdkafka's in-process cluster; `confluent_kafka.testing.MockCluster` is the face for users and documents it.

    Api keys are Kafka's numbers, errors librdkafka's codes; `broker` None means all brokers. Every method but `close`
    raises IllegalStateException once closed, ForkedClientError in a child, ValueError for what librdkafka would not
    survive. Source: rdkafka_mock.h.
    """

    def __new__(cls, brokers: int) -> Self: ...
    @property
    def bootstrap_servers(self) -> str: ...
    @property
    def closed(self) -> bool: ...
    def close(self) -> None: ...
    def brokers(self) -> list[int]: ...
    def topic_create(self, topic: str, partitions: int, replication_factor: int | None = None) -> None: ...
    def topic_set_error(self, topic: str, code: int) -> None: ...
    def partition_set_leader(self, topic: str, partition: int, broker: int | None) -> None: ...
    def partition_push_leader_response(self, topic: str, partition: int, leader: int, epoch: int) -> None: ...
    def partition_set_follower(self, topic: str, partition: int, broker: int | None) -> None: ...
    def partition_set_follower_wmarks(self, topic: str, partition: int, low: int | None, high: int | None) -> None: ...
    def broker_set_down(self, broker: int | None) -> None: ...
    def broker_set_up(self, broker: int | None) -> None: ...
    def broker_set_rtt(self, broker: int | None, rtt_ms: int) -> None: ...
    def broker_set_rack(self, broker: int | None, rack: str) -> None: ...
    def broker_set_host_port(self, broker: int, host: str, port: int) -> None: ...
    def broker_add(self, broker: int | None) -> int: ...
    def broker_decommission(self, broker: int) -> None: ...
    def push_request_errors(self, api_key: int, codes: Sequence[int]) -> None: ...
    def broker_push_request_error_rtts(self, broker: int, api_key: int, errors: Sequence[tuple[int, int]]) -> None: ...
    def clear_request_errors(self, api_key: int) -> None: ...
    def broker_error_stack_count(self, broker: int, api_key: int) -> int: ...
    def coordinator_set(self, kind: str, key: str, broker: int) -> None: ...
    def set_apiversion(self, api_key: int, range: tuple[int, int] | None) -> None: ...
    def group_initial_rebalance_delay_ms(self, delay_ms: int) -> None: ...
    def group_consumer_session_timeout_ms(self, timeout_ms: int) -> None: ...
    def group_consumer_heartbeat_interval_ms(self, interval_ms: int) -> None: ...
    def start_request_tracking(self) -> None: ...
    def stop_request_tracking(self) -> None: ...
    def requests(self) -> list[tuple[int, int, int]]:
        """Return (broker id, api key, microseconds on the monotonic clock) of each request, in order of arrival."""
    def clear_requests(self) -> None: ...

@final
class AvroWriter:
    """Writes Python objects as Avro by one schema, compiled once; thread-safe.

    Args:
        schema: what `fastavro.parse_schema` returned.
        functions: by type and logical type (`int-celsius`), functions (value, schema) -> value for logical types that
            are not built in, in the form of fastavro's `LOGICAL_WRITERS`; they go before those built in.
        strict: refuse records with fields that the schema does not have, or without one that it has.
        strict_allow_default: as `strict`, but fields with a default may be missing.
        raw: leave out the length before the value of a schema that is `bytes`.
    Raises:
        ValueError: the schema is nested more than 500 levels deep.
    """

    def __new__(
        cls,
        schema: object,
        functions: dict[str, Callable[..., Any]],
        strict: bool = False,
        strict_allow_default: bool = False,
        raw: bool = False,
    ) -> Self: ...
    def write(self, obj: Any, prefix: bytes, /) -> bytes:
        """Return `prefix` and behind it `obj` in Avro's binary encoding.

        Raises:
            SchemaMismatchError: the object does not match the schema; it has the field's path.
            SerializationError: the object is nested more than 500 levels deep.
        """

@final
class AvroReader:
    """Reads Avro into Python objects, by the schema it was written with or as another one has it; thread-safe.

    Args:
        writer: the schema it was written with, as `fastavro.parse_schema` returned it.
        reader: the schema that the objects are to have; None for that of the writer.
        functions: as for `AvroWriter`, functions (value, writer's schema, reader's schema or None) -> value.
        return_record_name: give records in unions as (name, record).
        raw: the data of a schema that is `bytes` has no length before it.
    Raises:
        ValueError: a schema is nested more than 500 levels deep.
    """

    def __new__(
        cls,
        writer: object,
        reader: object | None,
        functions: dict[str, Callable[..., Any]],
        return_record_name: bool = False,
        raw: bool = False,
    ) -> Self: ...
    def read(self, data: bytes, start: int, /) -> Any:
        """Return the object that begins at `start`; what comes after it is not looked at.

        Raises:
            SerializationError: no such object: an EOFError too where the data ends too early, a ResolutionError where
                the schemas do not fit. Takes no more time and memory than the length of `data` justifies.
        """

def librdkafka_version() -> tuple[str, int]:
    """Return the version as text and as the number 0xMMmmrrpp. Source: rd_kafka_version_str, rd_kafka_version."""

def error_table() -> list[tuple[int, str, str]]:
    """Return (code, name, text) of every error librdkafka knows. Source: rd_kafka_get_err_descs."""

def err_name(code: int) -> str:
    """Return the name of a code, `ERR_99999?` for an unknown one. Source: rd_kafka_err2name."""

def err_str(code: int) -> str:
    """Return the text of a code, `Err-99999?` for an unknown one. Source: rd_kafka_err2str."""

def config_properties() -> str:
    """Return librdkafka's table of properties, as text. Source: rd_kafka_conf_properties_show."""

def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    """Fail a future of the running loop, unless it is done."""

def murmur2(key: bytes, partition_count: int) -> int:
    """Return the partition that Java clients choose for a key: 0 to `partition_count` - 1.

    Raises: TypeError: the key is not bytes. ValueError: partition_count is not positive.

    Source: rd_kafka_msg_partitioner_murmur2.
    """

def consistent(key: bytes, partition_count: int) -> int:
    """As `murmur2`, by CRC-32. Source: rd_kafka_msg_partitioner_consistent."""

def fnv1a(key: bytes, partition_count: int) -> int:
    """As `murmur2`, by FNV-1a. Source: rd_kafka_msg_partitioner_fnv1a."""

def _interpreter_exits() -> None:
    """Wait (a second at most) for native threads that run Python code, and let none in afterwards."""
