# SPDX-License-Identifier: Apache-2.0
"""Three Kafka brokers for tests, each a controller too, on free ports of 127.0.0.1; one of them may be away.

`python -m tests.support.cluster` starts them by hand and prints their addresses until Ctrl-C.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from tests.support import wire
from tests.support.broker import HOST, KafkaBroker, free_ports, wait_until
from tests.support.kafka_jars import java, kafka_jars

IDS = (1, 2, 3)
ATTEMPTS = 3
SETTLE_DEADLINE_S = 60


class ClusterNode(KafkaBroker):
    """One broker of a KafkaCluster: ``kill()``, ``terminate()``, ``restart()``, ``pause()``, ``resume()``."""

    def __init__(self, number: int, ports: Mapping[str, int], voters: Mapping[int, int], config: Mapping[str, str]):
        quorum = ",".join(f"{node}@{HOST}:{port}" for node, port in voters.items())
        shared = {
            "node.id": str(number),
            "broker.rack": f"rack{number}",
            "controller.quorum.voters": quorum,
            "default.replication.factor": "3",
            "min.insync.replicas": "2",
            "offsets.topic.replication.factor": "3",
            "offsets.topic.num.partitions": "3",
            "transaction.state.log.replication.factor": "3",
            "transaction.state.log.min.isr": "2",
            "transaction.state.log.num.partitions": "3",
            "share.coordinator.state.topic.replication.factor": "3",
            "share.coordinator.state.topic.min.isr": "2",
            "share.coordinator.state.topic.num.partitions": "3",
            # Who leads is the tests' affair.
            "auto.leader.rebalance.enable": "false",
            "auto.create.topics.enable": "false",
            "replica.lag.time.max.ms": "5000",
        }
        super().__init__(heap="256m", config={**shared, **config})
        self.number = number
        self._ports = dict(ports)

    def terminate(self) -> None:
        """End the broker as an operator would (SIGTERM): it gives its leaderships away first. Keeps its data."""
        self._end(signal.SIGTERM)

    @property
    def running(self) -> bool:
        return self._process is not None

    def _first_start(self) -> None:
        # The other nodes have been told this one's ports.
        self._format()
        self._launch()

    def _answers(self) -> bool:
        try:
            return self.number in wire.brokers(self.address) and "Kafka Server started" in self.log()
        except OSError:
            return False


class KafkaCluster:
    """A context manager: ``with KafkaCluster() as cluster: ...``. Replication factor 3, two of them in sync to write.

    Two of the brokers must run for the cluster to decide anything: a leader, a new topic.

    Args: config: further server properties of every broker.

    Raises (start): as KafkaBroker.
    """

    def __init__(self, config: Mapping[str, str] | None = None) -> None:
        self._config = dict(config or {})
        self._nodes: dict[int, ClusterNode] = {}

    def __enter__(self) -> KafkaCluster:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """host:port of every broker."""
        return ",".join(node.bootstrap for node in self._nodes.values())

    def __getitem__(self, number: int) -> ClusterNode:
        return self._nodes[number]

    def start(self) -> None:
        """Start the brokers together and wait until each knows all; nothing is left behind if that fails."""
        java(), kafka_jars()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._make_nodes()
                with ThreadPoolExecutor(len(IDS)) as pool:
                    list(pool.map(ClusterNode.start, self._nodes.values()))
                return self.heal()
            except BaseException as error:  # noqa: PERF203  # seconds per turn
                self.stop()
                # Another process may have taken a port after free_ports() let it go.
                if attempt == ATTEMPTS or "Address already in use" not in str(error):
                    raise

    def stop(self) -> None:
        """End the brokers by their process ids and remove their data."""
        for node in self._nodes.values():
            node.stop()

    def heal(self) -> None:
        """Start again who is away, and wait until every broker knows all of them."""
        for node in self._nodes.values():
            if not node.running:
                node.start()

        def whole() -> bool:
            return all(sorted(wire.brokers(node.address)) == [*IDS] for node in self._nodes.values())

        wait_until(whole, "not every broker knows all of them", SETTLE_DEADLINE_S)

    def running(self) -> list[ClusterNode]:
        """The brokers that have not been ended."""
        return [node for node in self._nodes.values() if node.running]

    def wait_for(
        self,
        topic: str,
        number: int = 0,
        *,
        leader: int | None = None,
        replicas: Sequence[int] = (),
        isr: Sequence[int] = (),
    ) -> None:
        """Wait until every running broker sees this leader, these replicas in this order, and these of them in sync."""

        def seen() -> bool:
            found = [wire.partitions(node.address, topic).get(number) for node in self.running()]
            return all(
                partition is not None
                and (leader is None or partition.leader == leader)
                and (not replicas or partition.replicas == [*replicas])
                and (not isr or sorted(partition.isr) == sorted(isr))
                for partition in found
            )

        wanted = f"leader {leader}, replicas {replicas}, in sync {isr}"
        wait_until(seen, f"not every broker sees {topic}:{number} with {wanted}", SETTLE_DEADLINE_S)

    def tool(self, name: str, *arguments: str, stdin: str = "", timeout: float = 120) -> str:
        """Run one of Kafka's own command-line classes on this cluster: as KafkaBroker.tool."""
        return self._nodes[1].tool(name, "--bootstrap-server", self.bootstrap, *arguments, stdin=stdin, timeout=timeout)

    def _make_nodes(self) -> None:
        ports = free_ports(2 * len(IDS))
        voters = dict(zip(IDS, ports, strict=False))
        listeners = dict(zip(IDS, ports[len(IDS) :], strict=True))
        self._nodes = {
            number: ClusterNode(
                number, {"PLAINTEXT": listeners[number], "CONTROLLER": voters[number]}, voters, self._config
            )
            for number in IDS
        }


def main() -> None:
    """Start a cluster for another terminal and keep it until Ctrl-C."""
    with KafkaCluster() as cluster:
        print(cluster.bootstrap, flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
