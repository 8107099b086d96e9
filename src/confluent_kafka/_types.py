# SPDX-License-Identifier: Apache-2.0
"""Types of what users hand to the clients."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Union

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ._model import ThrottleEvent
    from ._native import Message, TopicPartition
    from .error import KafkaError, KafkaException

#: A key, a value, or a header's value: str is sent as UTF-8; any contiguous buffer is taken as its bytes.
Payload = Union["Buffer", str, None]  # Union: the name in quotes has no | at run time
#: Record headers: a dict, or a list of pairs, which may repeat a name.
HeadersType = Mapping[str, Payload] | Sequence[tuple[str, Payload]]
#: A client's configuration; values become text.
ConfigDict = dict[str, Any]

#: ``(object, SerializationContext) -> bytes``
Serializer = Callable[[Any, Any], bytes | None]
#: ``(bytes or None, SerializationContext) -> object``
Deserializer = Callable[[bytes | None, Any], Any]

#: What ``oauth_cb`` returns: the token, its expiry in seconds since the epoch, principal, SASL extensions.
OAuthToken = tuple[str, float] | tuple[str, float, str] | tuple[str, float, str, Mapping[str, str]]


class DeliveryCallback(Protocol):
    """Called once per message from poll() or flush(): ``error`` is None if the broker has the message."""

    def __call__(self, error: KafkaError | None, message: Message[Any, Any], /) -> object: ...


class CommitCallback(Protocol):
    """Called with the outcome of an asynchronous commit; each partition has its own ``error`` beside the common one."""

    def __call__(self, error: KafkaError | None, partitions: list[TopicPartition], /) -> object: ...


class RebalanceCallback(Protocol):
    """Called from poll(), consume() or close() with the partitions the consumer gets, or gives up."""

    def __call__(self, consumer: Any, partitions: list[TopicPartition], /) -> object: ...


class ErrorCallback(Protocol):
    """Called with errors of the client as a whole; most are for information, the client recovers by itself."""

    def __call__(self, error: KafkaError, /) -> object: ...


class StatisticsCallback(Protocol):
    """Called every ``statistics.interval.ms`` with a JSON document (librdkafka's STATISTICS.md)."""

    def __call__(self, statistics: str, /) -> object: ...


class ThrottleCallback(Protocol):
    """Called when a broker delayed a reply because of a quota."""

    def __call__(self, event: ThrottleEvent, /) -> object: ...


class OAuthCallback(Protocol):
    """Called with ``sasl.oauthbearer.config`` when a new token is needed."""

    def __call__(self, config: str, /) -> OAuthToken | Awaitable[OAuthToken]: ...


class Logger(Protocol):
    """Takes librdkafka's log lines; ``level`` is one of the logging module's. A ``logging.Logger`` is one."""

    def log(self, level: int, message: str, /, *args: Any) -> object: ...


class AcknowledgementCommitCallback(Protocol):
    """Called with the offsets a share consumer acknowledged, per partition, and the exception if that failed."""

    def __call__(self, offsets: dict[TopicPartition, set[int]], exception: KafkaException | None, /) -> object: ...
