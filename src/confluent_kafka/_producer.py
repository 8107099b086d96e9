# SPDX-License-Identifier: Apache-2.0
"""The synchronous producer."""

from __future__ import annotations

import atexit
import warnings
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

from . import _config, _native
from ._transactions import run_transaction, transaction
from .error import KafkaException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import TracebackType

    from typing_extensions import Self

    from ._consumer import Consumer

_T = TypeVar("_T")

live: weakref.WeakSet[Any] = weakref.WeakSet()
"""Producers of every kind that may hold messages at exit: what has ``_unflushed()``."""


class Producer(_native.Producer):
    """Sends messages to Kafka topics.

    ``Producer(conf)``, ``Producer(conf, logger=log)`` or ``Producer(**conf)``: librdkafka's properties and the
    callbacks ``error_cb``, ``stats_cb``, ``throttle_cb``, ``oauth_cb``, ``logger``, ``on_delivery`` and the bool
    ``delivery.report.only.error``. The dict is not changed.

    All methods may be called from several threads at once. Delivery callbacks run in ``poll``, ``flush``,
    ``produce(block=...)``, the transaction calls and ``close``, on the calling thread.

    Raises:
        ConfigurationError: librdkafka does not know a property or refuses its value.
        TypeError: the configuration is no dict, or a callback is not callable.
    """

    def __init__(self, config: dict[str, Any] = _config.NO_CONFIG, *others: Any, **kwargs: Any) -> None:
        parsed = _config.parse("producer", _config.positional(config, others), kwargs)
        self._open(parsed.properties, parsed.callbacks)
        live.add(self)

    def transaction(self, consumer: Consumer | None = None) -> AbstractContextManager[Self]:
        """Run a block as one transaction.

        Begins; at the end of the block sends the consumer's positions (all partitions assigned to it), commits and
        retries what is retriable. When the block or the commit fails, aborts, moves the consumer back to where the
        transaction began, and raises.

        Args:
            consumer: whose positions become part of the transaction; None for a transaction that only produces.

        Raises: KafkaException; AbortableError says that the work may be done again (see ``run_transaction``).

        Source: KIP-98, KIP-447; rd_kafka_begin_transaction and the calls after it in rdkafka.h.
        """
        return transaction(self, consumer)

    def run_transaction(self, fn: Callable[[], _T], consumer: Consumer | None = None) -> _T:
        """Call ``fn`` inside a transaction, again after each abortable error, until committed.

        The consumer is moved back before each further call, so that ``fn`` reads the same messages again. ``fn`` must
        have no effect beside the transaction.

        Returns: what ``fn`` returned in the call that was committed.

        Raises: KafkaException: a fatal error, or one that is not Kafka's to abort; whatever else ``fn`` raises.
        """
        return run_transaction(self, fn, consumer)

    def close(self) -> bool:
        """Abort an open transaction, send what is queued without limit of time, and end.

        Idempotent. Ctrl-C ends the wait with its exception: the producer then still works, and close may be called
        again. Other threads' calls on this producer end at once.

        Returns: True.
        """
        aborted, flushed = self._close()
        if aborted is not None:
            warnings.warn(f"Producer transaction abort failed during close: {aborted}", RuntimeWarning, stacklevel=2)
        if flushed is not None and not isinstance(flushed, KafkaException):
            raise flushed  # the first exception of a callback; the others were called all the same
        if flushed is not None:
            warnings.warn(f"Producer flush failed during close: {flushed}", RuntimeWarning, stacklevel=2)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"{type(self).__name__} is not iterable")

    def __del__(self) -> None:
        if not self.__dict__.get("_warned"):
            warn_unflushed(self)


def warn_unflushed(producer: Any) -> None:
    """Tell of the messages that a producer of any kind is dropped with."""
    if count := producer._unflushed():
        # Visible by default, unlike a ResourceWarning: these messages may be lost.
        warnings.warn(
            f"{type(producer).__name__} dropped with {count} message(s) not delivered: call flush() or close() first",
            RuntimeWarning,
            stacklevel=2,
        )


def _at_exit() -> None:
    for producer in list(live):
        warn_unflushed(producer)
        producer.__dict__["_warned"] = True
    _native._interpreter_exits()


atexit.register(_at_exit)
