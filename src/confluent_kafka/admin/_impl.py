# SPDX-License-Identifier: Apache-2.0
"""What an admin client does beside its requests: construction, callbacks, metadata, the end."""

from __future__ import annotations

import warnings
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _config, _native
from ._leaders import Leaders

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ..error import KafkaError
    from ._metadata import ClusterMetadata, GroupMetadata
    from ._request import Request

_K = TypeVar("_K")
_V = TypeVar("_V")


class _AdminClientImpl:
    """Base of ``AdminClient``, under the name that existing code knows."""

    _core: _native.Admin
    _leaders: Leaders

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        # Not opened, it behaves as closed: a subclass may call super().__init__ late or never.
        self._core = _native.Admin()
        self._leaders = Leaders(self._core)
        return self

    def __init__(self, conf: dict[str, Any], **kwargs: Any) -> None:
        parsed = _config.parse("admin", (conf,), kwargs)
        self._core._open(parsed.properties, parsed.callbacks)

    def _many(self, requests: list[Request[_K, _V]]) -> dict[_K, Future[_V]]:
        """Make the requests, and a future for each key."""
        futures: dict[_K, Future[_V]] = {}
        for position, request in enumerate(requests):
            settling = _Settling(request)
            if not request.kind:
                settling(None, request.items)
            else:
                try:
                    self._leaders.request(request, settling, settling.fail)
                except Exception as e:
                    # The first ones may be under way: their outcomes are not lost for a later one's refusal.
                    if position == 0:
                        raise
                    settling.fail(e)
            futures.update(settling.futures)
        return futures

    def _one(self, requests: list[Request[None, _V]]) -> Future[_V]:
        return self._many(requests)[None]

    def poll(self, timeout: float = -1) -> int:
        """Run the callbacks that are due (``error_cb``, ``stats_cb``, ``logger``), waiting for the first one.

        Futures need nobody to poll.

        Args:
            timeout: seconds; -1 waits without limit.

        Returns: the number of events served; 0 after the time-out.

        Source: rd_kafka_queue_poll on the main queue.
        """
        return self._core.poll(timeout)

    def list_topics(self, topic: str | None = None, timeout: float = -1, *args: Any, **kwargs: Any) -> ClusterMetadata:
        """Ask the cluster for its brokers and one topic, or all, and wait for the answer.

        Args:
            topic: a name; None means all topics.
            timeout: seconds; -1 waits without limit.

        Raises: KafkaException: no answer in time. RuntimeError: closed, also by another thread meanwhile.

        Source: rd_kafka_metadata.
        """
        return self._core.list_topics(topic, timeout, *args, **kwargs)

    def list_groups(
        self, group: str | None = None, timeout: float = -1, *args: Any, **kwargs: Any
    ) -> list[GroupMetadata]:
        """Ask all brokers for their groups of any kind, and wait for the answer.

        Deprecated, use ``list_consumer_groups`` and ``describe_consumer_groups``.

        Args:
            group: a group's id; None means all groups.
            timeout: seconds; -1 waits without limit.

        Returns: the groups; none for an id that does not exist.

        Raises: as ``list_topics``.

        Source: rd_kafka_list_groups.
        """
        warn_of_list_groups()
        return self._core.list_groups(group, timeout, *args, **kwargs)

    def cluster_id(self, timeout: float = -1, *args: Any, **kwargs: Any) -> str:
        """Return the cluster's id.

        Args:
            timeout: seconds; -1 waits without limit.

        Raises: as ``list_topics``.

        Source: rd_kafka_clusterid; KIP-78.
        """
        return self._core.cluster_id(timeout, *args, **kwargs)

    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Change what the next authentication (PLAIN, SCRAM) uses; open connections stay.

        Source: rd_kafka_sasl_set_credentials.
        """
        self._core.set_sasl_credentials(username, password)

    def close(self) -> None:
        """End. Idempotent. Futures without result fail with ``_DESTROY``; other threads' calls end at once.

        Source: rd_kafka_destroy.
        """
        self._core._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """Return the number of requests without result."""
        return self._core._pending()

    def __bool__(self) -> bool:
        return True


class _Settling:
    """Gives the outcome of a request to its futures, on the native thread. Holds no reference to the client."""

    def __init__(self, request: Request[_K, _V]) -> None:
        self.request: Request[Any, Any] = request
        self.futures: dict[Any, Future[Any]] = {key: Future() for key in request.keys.values()}
        for future in self.futures.values():
            future.set_running_or_notify_cancel()

    def __call__(self, error: KafkaError | None, raw: Any) -> None:
        for key, outcome in self.request.outcomes(error, raw).items():
            # A future that its owner has given a result is the owner's affair; the others must get theirs.
            with suppress(InvalidStateError):
                if isinstance(outcome, Exception):
                    self.futures[key].set_exception(outcome)
                else:
                    self.futures[key].set_result(outcome)

    def fail(self, error: Exception) -> None:
        for future in self.futures.values():
            future.set_exception(error)


def warn_of_list_groups() -> None:
    """Warn the caller of the calling method."""
    warnings.warn(
        "list_groups() is deprecated, use list_consumer_groups() and describe_consumer_groups() instead.",
        DeprecationWarning,
        stacklevel=3,
    )


def warn_of_alter_configs() -> None:
    """Warn the caller of the calling method."""
    warnings.warn(
        "alter_configs has been deprecated. Use incremental_alter_configs instead.", DeprecationWarning, stacklevel=3
    )
