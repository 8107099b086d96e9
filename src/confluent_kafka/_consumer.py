# SPDX-License-Identifier: Apache-2.0
"""The synchronous consumer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from . import _config, _native
from ._transactions import perform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Self

    from ._native import Message, TopicPartition
    from ._transactions import Steps

_OFFSET_INVALID = -1001


class Consumer(_native.Consumer):
    """Reads messages from Kafka topics, alone or as member of a group.

    ``Consumer(conf)``, ``Consumer(conf, logger=log)`` or ``Consumer(**conf)``: librdkafka's properties, of which
    ``group.id`` is required, and the callbacks ``error_cb``, ``stats_cb``, ``throttle_cb``, ``oauth_cb``, ``logger``
    and ``on_commit``. The dict is not changed.

    Methods may be called from several threads: a call never waits for another thread's ``poll``. Callbacks run in
    ``poll``, ``consume``, iteration and ``close``, on the calling thread.

    Raises:
        ConfigurationError: librdkafka does not know a property or refuses its value.
        ValueError: ``group.id`` is missing or empty.
        TypeError: the configuration is no dict, or a callback is not callable.
    """

    def __init__(self, config: dict[str, Any] = _config.NO_CONFIG, *others: Any, **kwargs: Any) -> None:
        parsed = _config.parse("consumer", _config.positional(config, others), kwargs)
        self._open(parsed.properties, parsed.callbacks)

    def __iter__(self) -> Iterator[Message]:
        """Give messages, consumer errors included (look at ``message.error()``), until closed or woken up."""
        while True:
            try:
                message = self.poll(-1)
            except RuntimeError:
                if self._is_open():
                    raise
                return
            if message is None:
                return
            yield message

    def batches(self, n: int, timeout: float = -1) -> Iterator[list[Message]]:
        """Give lists of 1 to ``n`` messages, each as soon as there is one, until closed, woken up or timed out.

        Args:
            n: most messages of one list.
            timeout: seconds to wait for the first message of a list; -1 waits without limit. The iteration ends when
                no message came in that time.
        """
        while True:
            try:
                batch = self._consume_some(n, timeout)
            except RuntimeError:
                if self._is_open():
                    raise
                return
            if not batch:
                return
            yield batch

    def lag(self, timeout: float = -1) -> dict[TopicPartition, int]:
        """Tell, per assigned partition, how many offsets lie between the position and the end.

        Args:
            timeout: seconds for each request to the brokers, which is made only for what is not known locally; -1 waits
                without limit.

        Returns: one entry per assigned partition; the keys carry the position in ``offset``.

        Raises: KafkaException: a request failed.

        Source: rd_kafka_position, rd_kafka_get_watermark_offsets, rd_kafka_query_watermark_offsets.
        """
        return perform(lag(self, timeout))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def lag(consumer: Any, timeout: float) -> Steps[dict[TopicPartition, int]]:
    """The steps of ``lag`` of a consumer of either kind."""
    result = {}
    assigned = yield consumer.assignment
    for place in (yield partial(consumer.position, assigned)):
        low, high = yield partial(consumer.get_watermark_offsets, place, cached=True)
        if high < 0 or place.offset == _OFFSET_INVALID:
            low, high = yield partial(consumer.get_watermark_offsets, place, timeout=timeout)
        if place.offset == _OFFSET_INVALID:
            # Nothing consumed yet: it will start at the committed offset, or at an end of the log.
            committed = yield partial(consumer.committed, [place], timeout=timeout)
            place.offset = committed[0].offset if committed[0].offset >= 0 else low
        result[place] = max(0, high - max(place.offset, low))
    return result
