# SPDX-License-Identifier: Apache-2.0
"""The module path under which existing code imports what the C extension of confluent-kafka offered."""

from . import _constants
from ._constants import *  # noqa: F403 - the constants are this module's contract
from ._consumer import Consumer
from ._model import ThrottleEvent, Uuid
from ._native import Message, TopicPartition, consistent, fnv1a, murmur2
from ._producer import Producer
from ._share import ShareConsumer
from ._version import libversion, version
from .admin._topic import NewPartitions, NewTopic
from .error import ConcurrentModificationException, IllegalStateException, KafkaError, KafkaException

__all__ = [
    *_constants.__all__,
    "ConcurrentModificationException",
    "Consumer",
    "IllegalStateException",
    "KafkaError",
    "KafkaException",
    "Message",
    "NewPartitions",
    "NewTopic",
    "Producer",
    "ShareConsumer",
    "ThrottleEvent",
    "TopicPartition",
    "Uuid",
    "consistent",
    "fnv1a",
    "libversion",
    "murmur2",
    "version",
]
