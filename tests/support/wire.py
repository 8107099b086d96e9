"""A dozen lines of Kafka's protocol per request, over one plain socket.

Tests make and inspect topics with it in milliseconds, without a JVM and without the client under test, so that its
answers judge the client independently. Layouts: https://kafka.apache.org/protocol; the versions used are the oldest
that a 4.x broker accepts in the non-flexible encoding.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

T = TypeVar("T")

EARLIEST, LATEST = -2, -1
_TOPIC_RESOURCE = 2
_SET, _DELETE = 0, 1


class WireError(RuntimeError):
    """The broker answered a request with an error code.

    Attributes: code: the protocol's error code, an int.
    """

    def __init__(self, what: str, code: int, message: str | None = None) -> None:
        super().__init__(f"{what}: error code {code}{f' ({message})' if message else ''}")
        self.code = code


class Partition(NamedTuple):
    """Who holds a partition, by broker ids: leader (-1: none), replicas (the first one preferred), those in sync."""

    leader: int
    replicas: list[int]
    isr: list[int]


def string(value: str | None) -> bytes:
    if value is None:
        return struct.pack(">h", -1)
    raw = value.encode()
    return struct.pack(">h", len(raw)) + raw


def array(items: Iterable[bytes]) -> bytes:
    parts = list(items)
    return struct.pack(">i", len(parts)) + b"".join(parts)


class Reader:
    """Takes values off the front of a reply."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, layout: str) -> int:
        value: int
        (value,) = struct.unpack_from(">" + layout, self._data, self._at)
        self._at += struct.calcsize(">" + layout)
        return value

    def string(self) -> str | None:
        length = self.take("h")
        if length < 0:
            return None
        self._at += length
        return self._data[self._at - length : self._at].decode()

    def array(self, item: Callable[[], T]) -> list[T]:
        return [item() for _ in range(self.take("i"))]


def request(address: tuple[str, int], key: int, version: int, body: bytes, timeout: float = 30) -> Reader:
    """Send one request on a connection of its own; returns the reply behind its correlation id. Raises OSError."""
    header = struct.pack(">hhi", key, version, 1) + string("tests")
    with socket.create_connection(address, timeout=timeout) as connection:
        connection.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
        with connection.makefile("rb") as stream:
            size = stream.read(4)
            reply = stream.read(struct.unpack(">i", size)[0]) if len(size) == 4 else b""
    if len(reply) < 4:
        raise ConnectionError(f"{address[0]}:{address[1]} closed the connection on request {key}")
    return Reader(reply[4:])


def _metadata(
    address: tuple[str, int], topics: Iterable[str], timeout: float
) -> tuple[list[int], dict[int, Partition]]:
    # Version 4 is the first one that can ask about a topic without making it.
    reply = request(address, 3, 4, array(map(string, topics)) + struct.pack(">b", 0), timeout)
    reply.take("i")
    nodes = [
        node for node, *_ in reply.array(lambda: (reply.take("i"), reply.string(), reply.take("i"), reply.string()))
    ]
    reply.string()
    reply.take("i")
    found: dict[int, Partition] = {}

    def partition() -> None:
        reply.take("h")
        index, leader = reply.take("i"), reply.take("i")
        replicas, isr = (reply.array(lambda: reply.take("i")) for _ in range(2))
        found[index] = Partition(leader, replicas, isr)

    reply.array(lambda: (reply.take("h"), reply.string(), reply.take("b"), reply.array(partition)))
    return nodes, found


def brokers(address: tuple[str, int], timeout: float = 5) -> list[int]:
    """Ids of the brokers that are up."""
    return _metadata(address, [], timeout)[0]


def leaders(address: tuple[str, int], topic: str) -> dict[int, int]:
    """Leader of each partition of ``topic``; -1 without one, empty when the topic is not known (yet)."""
    return {number: partition.leader for number, partition in partitions(address, topic).items()}


def partitions(address: tuple[str, int], topic: str) -> dict[int, Partition]:
    """Each partition of ``topic`` as this broker sees it now; empty when the topic is not known (yet)."""
    return _metadata(address, [topic], 30)[1]


def create_topics(
    address: tuple[str, int], topics: Mapping[str, int], config: Mapping[str, str], replication_factor: int
) -> None:
    """Make topics of the given partition counts (CreateTopics v2). Raises WireError for the first refused one."""
    settings = array(string(name) + string(value) for name, value in config.items())
    wanted = array(
        string(name) + struct.pack(">ih", count, replication_factor) + array([]) + settings
        for name, count in topics.items()
    )
    reply = request(address, 19, 2, wanted + struct.pack(">ib", 30_000, 0))
    reply.take("i")
    for name, code, message in reply.array(lambda: (reply.string(), reply.take("h"), reply.string())):
        if code:
            raise WireError(f"create topic {name!r}", code, message)


def delete_topics(address: tuple[str, int], topics: Iterable[str]) -> None:
    """DeleteTopics v1. Raises WireError for the first refused one."""
    reply = request(address, 20, 1, array(map(string, topics)) + struct.pack(">i", 30_000))
    reply.take("i")
    for name, code in reply.array(lambda: (reply.string(), reply.take("h"))):
        if code:
            raise WireError(f"delete topic {name!r}", code)


def create_partitions(address: tuple[str, int], topic: str, count: int) -> None:
    """Grow ``topic`` to ``count`` partitions (CreatePartitions v0)."""
    wanted = array([string(topic) + struct.pack(">i", count) + struct.pack(">i", -1)])
    reply = request(address, 37, 0, wanted + struct.pack(">ib", 30_000, 0))
    reply.take("i")
    for name, code, message in reply.array(lambda: (reply.string(), reply.take("h"), reply.string())):
        if code:
            raise WireError(f"grow topic {name!r}", code, message)


def alter_topic(address: tuple[str, int], topic: str, config: Mapping[str, str | None]) -> None:
    """Set topic properties, or back to the default with None (IncrementalAlterConfigs v0)."""
    changes = array(
        string(name) + struct.pack(">b", _DELETE if value is None else _SET) + string(value)
        for name, value in config.items()
    )
    wanted = array([struct.pack(">b", _TOPIC_RESOURCE) + string(topic) + changes])
    reply = request(address, 44, 0, wanted + struct.pack(">b", 0))
    reply.take("i")
    for code, message, _kind, name in reply.array(
        lambda: (reply.take("h"), reply.string(), reply.take("b"), reply.string())
    ):
        if code:
            raise WireError(f"alter topic {name!r}", code, message)


def offset(address: tuple[str, int], topic: str, partition: int, timestamp: int) -> int:
    """Offset at EARLIEST, LATEST or a time in ms since the epoch (ListOffsets v1); -1 where nothing is that late."""
    wanted = array([string(topic) + array([struct.pack(">iq", partition, timestamp)])])
    reply = request(address, 2, 1, struct.pack(">i", -1) + wanted)
    found: list[int] = []

    def result() -> None:
        reply.take("i")
        code = reply.take("h")
        if code:
            raise WireError(f"offset of {topic}[{partition}]", code)
        reply.take("q")
        found.append(reply.take("q"))

    reply.array(lambda: (reply.string(), reply.array(result)))
    return found[0]


def delete_records(address: tuple[str, int], topic: str, partition: int, before: int) -> None:
    """Drop every record below offset ``before`` (DeleteRecords v0)."""
    wanted = array([string(topic) + array([struct.pack(">iq", partition, before)])])
    reply = request(address, 21, 0, wanted + struct.pack(">i", 30_000))
    reply.take("i")

    def result() -> None:
        reply.take("i")
        reply.take("q")
        code = reply.take("h")
        if code:
            raise WireError(f"delete records of {topic}[{partition}]", code)

    reply.array(lambda: (reply.string(), reply.array(result)))
