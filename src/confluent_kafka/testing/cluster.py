# SPDX-License-Identifier: Apache-2.0
"""librdkafka's in-process mock cluster as a typed context manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import _native
from confluent_kafka.error import KafkaError
from confluent_kafka.testing._api import ApiKey, MockRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Literal

    from typing_extensions import Self


class MockCluster:
    """A cluster of mock brokers in this process, for tests that need no Kafka installation.

    The brokers listen on free ports of 127.0.0.1 and speak the real protocol, so any client can connect, also from
    another process.  They start and stop within a millisecond, keep everything in memory and write nothing to stderr.

    Example::

        with MockCluster(brokers=3, topics={"orders": 6}) as cluster:
            producer = Producer({"bootstrap.servers": cluster.bootstrap_servers})

    What the mock brokers do not do; test these on a real broker:

    - A partition keeps at most 5 MiB of record batches (as sent, after compression) or 100,000 batches; librdkafka
      counts batches where a client may send one message per batch.  Older batches are dropped without notice.
    - Admin requests (CreateTopics and all others) are not served: use :meth:`create_topic`.
    - No lookup of offsets by time.
    - Transactions are accepted, but the isolation level is ignored: aborted records are visible to every consumer.
    - A group with the ``classic`` protocol that had members before waits ``session.timeout.ms`` less one second (44 s
      by default) for them when a member joins: set 1,000 for it, or ``group.protocol`` to ``consumer``.
    - No TLS, no SASL, no quotas, no log compaction.

    Producing to or asking about an unknown topic creates it with 4 partitions.

    Args:
        brokers: number of brokers, 1 to 10,000; their ids are 1 to ``brokers``.  Each takes one file descriptor.
        topics: topics to create, name to number of partitions.
        replication_factor: replicas of each partition of ``topics``; None: 3, or the number of brokers if smaller.
        racks: rack of the brokers with the ids 1, 2, ... in this order; None: no racks.
        rtt_ms: milliseconds by which every reply is delayed.
        group_initial_rebalance_delay_ms: milliseconds a new consumer group waits for more members.  A real broker
            waits 3,000; the default here does not wait.

    Raises:
        ValueError: an argument out of its range.
        KafkaException: the listening sockets could not be opened (file descriptors exhausted).

    After :meth:`close` every method but ``close`` raises :class:`~confluent_kafka.error.IllegalStateException` (a
    RuntimeError); in a forked child :class:`~confluent_kafka.error.ForkedClientError`.  Methods that name a broker
    raise ValueError when there is none with this id, those that name a partition KafkaException
    (UNKNOWN_TOPIC_OR_PART) when the topic exists without it; an unknown topic is created.

    Source: rdkafka_mock.h.  Thread-safe; every method releases the GIL.
    """

    def __init__(
        self,
        brokers: int = 3,
        *,
        topics: Mapping[str, int] | None = None,
        replication_factor: int | None = None,
        racks: Sequence[str] | None = None,
        rtt_ms: int = 0,
        group_initial_rebalance_delay_ms: int = 0,
    ) -> None:
        if racks is not None and len(racks) > brokers:
            raise ValueError(f"{len(racks)} racks for {brokers} broker(s): give at most one rack per broker")
        self._native = _native.MockCluster(brokers)
        self._address = self._native.bootstrap_servers
        try:
            self.set_group_initial_rebalance_delay(group_initial_rebalance_delay_ms)
            if rtt_ms:
                self.set_broker_rtt(rtt_ms)
            for broker, rack in enumerate(racks or (), start=1):
                self.set_broker_rack(rack, broker)
            for topic, partitions in (topics or {}).items():
                self.create_topic(topic, partitions, replication_factor)
        except BaseException:
            self._native.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        addresses = self._address.split(",")
        shown = ",".join(addresses[:3]) + (f",... ({len(addresses)} brokers)" if len(addresses) > 3 else "")
        return f"<{type(self).__name__} {shown}{' closed' if self.closed else ''}>"

    @property
    def bootstrap_servers(self) -> str:
        """``host:port`` of each broker made at the start, comma-separated: the value for ``bootstrap.servers``.

        Source: rd_kafka_mock_cluster_bootstraps.
        """
        return self._native.bootstrap_servers

    @property
    def brokers(self) -> tuple[int, ...]:
        """Ids of the brokers, up or down, ascending; decommissioned ones are left out."""
        return tuple(self._native.brokers())

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called, or this is a forked child."""
        return self._native.closed

    def close(self) -> None:
        """Stop the brokers and free their memory and ports; connected clients see their connections drop.

        May be called again, and in a forked child, where it leaves the parent's brokers alone.
        Source: rd_kafka_mock_cluster_destroy.
        """
        self._native.close()

    def create_topic(self, topic: str, partitions: int = 1, replication_factor: int | None = None) -> None:
        """Create a topic.

        Args:
            topic: 1 to 249 ASCII letters, digits, ``.``, ``_`` or ``-``.
            partitions: 1 to 100,000.
            replication_factor: 1 to the number of brokers; None: 3, or the number of brokers if smaller.

        Raises:
            KafkaException: the topic exists (TOPIC_ALREADY_EXISTS).
            ValueError: an argument out of its range.

        Source: rd_kafka_mock_topic_create.
        """
        self._native.topic_create(topic, partitions, replication_factor)

    def set_topic_error(self, topic: str, error: int | KafkaError) -> None:
        """Make Metadata and AddPartitionsToTxn replies carry an error for a topic; ``KafkaError.NO_ERROR`` ends it.

        Source: rd_kafka_mock_topic_set_error.
        """
        self._native.topic_set_error(topic, _code(error))

    def set_leader(self, topic: str, partition: int, broker: int | None) -> None:
        """Move the leadership of a partition to a broker; None leaves it without a leader.

        While any partition has no leader, Produce is offered up to version 9 and Fetch up to version 11 only:
        librdkafka's mock broker cannot answer newer ones then.  Connected clients reconnect and negotiate again.

        Source: rd_kafka_mock_partition_set_leader.
        """
        self._native.partition_set_leader(topic, partition, broker)

    def push_leader_response(self, topic: str, partition: int, broker: int, epoch: int) -> None:
        """Queue a leader and its epoch for the next reply about a partition, without moving the leadership.

        Each entry serves one Metadata reply, or one Fetch reply that names the leader.
        Source: rd_kafka_mock_partition_push_leader_response.
        """
        self._native.partition_push_leader_response(topic, partition, broker, epoch)

    def set_follower(self, topic: str, partition: int, broker: int | None) -> None:
        """Tell consumers to fetch a partition from this replica (KIP-392); None: from the leader again.

        The broker need not exist.  Source: rd_kafka_mock_partition_set_follower.
        """
        self._native.partition_set_follower(topic, partition, broker)

    def set_follower_watermarks(
        self, topic: str, partition: int, low: int | None = None, high: int | None = None
    ) -> None:
        """Set the first offset and the end offset that the preferred replica has; None follows the leader's.

        Source: rd_kafka_mock_partition_set_follower_wmarks.
        """
        self._native.partition_set_follower_wmarks(topic, partition, low, high)

    def set_broker_down(self, broker: int | None = None) -> None:
        """Drop a broker's connections and refuse new ones; None: all brokers.  Leaders stay where they are.

        Source: rd_kafka_mock_broker_set_down.
        """
        self._native.broker_set_down(broker)

    def set_broker_up(self, broker: int | None = None) -> None:
        """Accept connections again, on the same port; None: all brokers.

        Source: rd_kafka_mock_broker_set_up.
        """
        self._native.broker_set_up(broker)

    def set_broker_rtt(self, rtt_ms: int, broker: int | None = None) -> None:
        """Delay every reply of a broker by ``rtt_ms`` milliseconds; None: of all brokers.

        Source: rd_kafka_mock_broker_set_rtt.
        """
        self._native.broker_set_rtt(broker, rtt_ms)

    def set_broker_rack(self, rack: str, broker: int | None = None) -> None:
        """Set the rack that Metadata tells for a broker; None: for all brokers.

        Source: rd_kafka_mock_broker_set_rack.
        """
        self._native.broker_set_rack(broker, rack)

    def set_broker_address(self, broker: int, host: str, port: int) -> None:
        """Change the address that Metadata and FindCoordinator tell for a broker, for example that of a proxy.

        The broker goes on listening where it did, and :attr:`bootstrap_servers` stays.

        Args:
            broker: id of the broker.
            host: 1 to 127 bytes.
            port: 1 to 65,535.

        Source: rd_kafka_mock_broker_set_host_port.
        """
        if not 0 < port < 65536:
            raise ValueError(f"port must be between 1 and 65535, not {port}")
        self._native.broker_set_host_port(broker, host, port)

    def add_broker(self, broker: int | None = None) -> int:
        """Add a broker and spread the partitions over all brokers anew; their leaders may move.

        Args:
            broker: its id, not negative; None: one above the highest so far.

        Returns:
            The id.  The new address is told by Metadata, not by :attr:`bootstrap_servers`.

        Source: rd_kafka_mock_broker_add.
        """
        return self._native.broker_add(broker)

    def decommission_broker(self, broker: int) -> None:
        """Remove a broker for good; its partitions move to the others.  The last broker cannot be removed.

        Source: rd_kafka_mock_broker_decommission.
        """
        self._native.broker_decommission(broker)

    def push_request_errors(self, api_key: ApiKey | int, *errors: int | KafkaError) -> None:
        """Make the next requests of one kind fail, one per error, whichever broker gets them.

        ``KafkaError.NO_ERROR`` lets one request pass; ``KafkaError._TRANSPORT`` cuts the connection.  For a broker
        that errors of this kind were ever pushed to (:meth:`push_broker_request_errors`), these are not used.

        Source: rd_kafka_mock_push_request_errors_array.
        """
        self._native.push_request_errors(_api_key(api_key), [_code(error) for error in errors])

    def push_broker_request_errors(
        self, broker: int, api_key: ApiKey | int, *errors: int | KafkaError | tuple[int | KafkaError, int]
    ) -> None:
        """Make the next requests of one kind to one broker fail, one per error.

        Args:
            broker: id of the broker.
            api_key: kind of the requests.
            errors: an error, or a pair (error, milliseconds to delay the reply); ``(KafkaError.NO_ERROR, 500)`` only
                delays.  ``KafkaError._TRANSPORT`` cuts the connection at once.

        Source: rd_kafka_mock_broker_push_request_error_rtts.
        """
        pairs = [(_code(e[0]), e[1]) if isinstance(e, tuple) else (_code(e), 0) for e in errors]
        self._native.broker_push_request_error_rtts(broker, _api_key(api_key), pairs)

    def pending_broker_errors(self, broker: int, api_key: ApiKey | int) -> int:
        """How many of the errors pushed to this broker for this kind of request are still to come.

        Source: rd_kafka_mock_broker_error_stack_cnt.
        """
        return self._native.broker_error_stack_count(broker, _api_key(api_key))

    def clear_request_errors(self, api_key: ApiKey | int) -> None:
        """Forget the errors of :meth:`push_request_errors` not used yet; those pushed to single brokers stay.

        Source: rd_kafka_mock_clear_request_errors.
        """
        self._native.clear_request_errors(_api_key(api_key))

    def set_coordinator(self, kind: Literal["group", "transaction"], key: str, broker: int) -> None:
        """Move the coordinator of a group or of a transactional id.  By default a hash of the key chooses it.

        Args:
            kind: what ``key`` names.
            key: ``group.id`` or ``transactional.id``.
            broker: id of the coordinator.

        Source: rd_kafka_mock_coordinator_set.
        """
        self._native.coordinator_set(kind, key, broker)

    def set_api_versions(self, api_key: ApiKey | int, versions: tuple[int, int] | None) -> None:
        """Offer only some versions of a request, lowest and highest; None: do not offer the request at all.

        Connected clients keep the versions they negotiated: a request outside the range drops their connection.

        Raises:
            ValueError: versions that the mock brokers do not implement.

        Source: rd_kafka_mock_set_apiversion.
        """
        self._native.set_apiversion(_api_key(api_key), versions)

    def set_group_initial_rebalance_delay(self, delay_ms: int) -> None:
        """Set how many milliseconds a new group with the ``classic`` protocol waits for more members.

        Source: rd_kafka_mock_group_initial_rebalance_delay_ms.
        """
        self._native.group_initial_rebalance_delay_ms(delay_ms)

    def set_group_consumer_session_timeout(self, timeout_ms: int) -> None:
        """Set the session time-out, milliseconds, of groups with the ``consumer`` protocol (KIP-848) made later.

        Source: rd_kafka_mock_set_group_consumer_session_timeout_ms.
        """
        self._native.group_consumer_session_timeout_ms(timeout_ms)

    def set_group_consumer_heartbeat_interval(self, interval_ms: int) -> None:
        """Set the heartbeat interval, milliseconds, of groups with the ``consumer`` protocol (KIP-848) made later.

        Source: rd_kafka_mock_set_group_consumer_heartbeat_interval_ms.
        """
        self._native.group_consumer_heartbeat_interval_ms(interval_ms)

    def start_request_tracking(self) -> None:
        """Record every request from now on; requests recorded before are forgotten.

        Source: rd_kafka_mock_start_request_tracking.
        """
        self._native.start_request_tracking()

    def stop_request_tracking(self) -> None:
        """Record no more, and forget what was recorded: read :meth:`requests` first.

        Source: rd_kafka_mock_stop_request_tracking.
        """
        self._native.stop_request_tracking()

    def requests(self, api_key: ApiKey | int | None = None, broker: int | None = None) -> list[MockRequest]:
        """The requests recorded since :meth:`start_request_tracking`, in order of arrival.

        Args:
            api_key: only requests of this kind.
            broker: only requests to the broker with this id.

        Source: rd_kafka_mock_get_requests.
        """
        wanted = None if api_key is None else _api_key(api_key)
        return [
            MockRequest(id_, ApiKey(key), timestamp_us)
            for id_, key, timestamp_us in self._native.requests()
            if wanted in (None, key) and broker in (None, id_)
        ]

    def clear_requests(self) -> None:
        """Forget the requests recorded so far and go on recording.

        Source: rd_kafka_mock_clear_requests.
        """
        self._native.clear_requests()


def _api_key(api_key: ApiKey | int) -> int:
    try:
        return ApiKey(api_key).value
    except ValueError:
        names = ", ".join(f"{key.name} ({key})" for key in ApiKey)
        raise ValueError(f"{api_key!r} is no request that the mock brokers serve; these are: {names}") from None


def _code(error: int | KafkaError) -> int:
    return error.code() if isinstance(error, KafkaError) else error
