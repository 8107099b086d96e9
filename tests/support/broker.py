"""A real Apache Kafka broker for tests: one KRaft node on free ports of 127.0.0.1, gone with the test run.

`python -m tests.support.broker [--secure]` starts one by hand and prints its addresses until Ctrl-C.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from tests.support import wire
from tests.support.kafka_jars import java, kafka_jars
from tests.support.watchdog import STOP_DEADLINE_S, Watchdog

HOST = "127.0.0.1"
START_DEADLINE_S = 90
LOG_TAIL_LINES = 60
CLUSTER_ID = "ferrokafkaAAAAAAAAAAAA"
# Below Linux's ephemeral range: no outgoing connection takes a port between our choice and the broker's bind.
PORT_RANGE = (20_000, 32_000)

Self = TypeVar("Self", bound="KafkaBroker")


def wait_until(condition: Callable[[], bool], what: str, timeout: float = 30) -> None:
    """Return once ``condition()`` holds. Raises TimeoutError naming ``what`` after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout:g} s: {what}")
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nothing listens on now."""
    held: list[socket.socket] = []
    try:
        for port in random.sample(range(*PORT_RANGE), 500):
            probe = socket.socket()
            # Kafka binds with SO_REUSEADDR too: a port in TIME_WAIT is free for it.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                probe.close()
                continue
            held.append(probe)
            if len(held) == count:
                return [probe.getsockname()[1] for probe in held]
    finally:
        for probe in held:
            probe.close()
    raise RuntimeError(f"no {count} free ports on {HOST} between {PORT_RANGE[0]} and {PORT_RANGE[1]}")


class KafkaBroker:
    """One Kafka node with a PLAINTEXT listener; a context manager: ``with KafkaBroker() as broker: ...``.

    Args:
        num_partitions: partitions of topics that the broker makes by itself.
        config: further server properties; they win over the ones set here.
        heap: the JVM's -Xmx.
        java_options: further options of the broker's JVM. The default compiles fast rather than well, which suits
            tests; pass ``()`` to measure throughput.

    Raises (start): MissingTool without Java or Maven; RuntimeError with the end of the broker's log if it fails.
    """

    def __init__(
        self,
        *,
        num_partitions: int = 1,
        config: Mapping[str, str] | None = None,
        heap: str = "384m",
        java_options: Sequence[str] = ("-XX:TieredStopAtLevel=1",),
    ) -> None:
        self._num_partitions = num_partitions
        self._extra = dict(config or {})
        self._jvm = [f"-Xmx{heap}", "-Xms64m", "-XX:+UseSerialGC", "-XX:-UsePerfData", *java_options]
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: Watchdog | None = None
        self._owner = os.getpid()
        self._directory: Path | None = None
        self._ports: dict[str, int] = {}

    def __enter__(self: Self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """host:port of the PLAINTEXT listener."""
        return f"{HOST}:{self._port('PLAINTEXT')}"

    @property
    def address(self) -> tuple[str, int]:
        """The PLAINTEXT listener as a socket address, for tests.support.wire."""
        return HOST, self._port("PLAINTEXT")

    @property
    def directory(self) -> Path:
        """Where the broker's properties, data, log and certificates lie."""
        if self._directory is None:
            raise RuntimeError("the broker was not started or is stopped")
        return self._directory

    @property
    def pid(self) -> int:
        """Process id of the running broker."""
        if self._process is None:
            raise RuntimeError("the broker is not running")
        return self._process.pid

    def start(self) -> None:
        """Format the storage, start the broker and wait until it answers; nothing is left behind if that fails."""
        if self._process is not None:
            raise RuntimeError("the broker runs already")
        try:
            if self._directory is None:
                self._directory = Path(tempfile.mkdtemp(prefix="ferrokafka-broker-"))
                self._prepare(self._directory)
                self._first_start()
            else:
                self._launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the broker by its process id and remove its data; does nothing once stopped, or in a forked child."""
        if self._owner != os.getpid():
            return
        # What is removed next need not be shut down properly, which takes seconds.
        self._end(signal.SIGKILL)
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def kill(self) -> None:
        """End the broker by SIGKILL and keep its data; clients see their connections break. See ``restart()``."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start again on the same ports and data, after ``kill()`` or in place of the running broker."""
        self._end(signal.SIGTERM)
        self.start()

    def pause(self) -> None:
        """Freeze the broker (SIGSTOP): connections stay open and nothing is answered, until ``resume()``."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused broker go on (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)

    def log(self) -> str:
        """Everything the broker has printed."""
        path = self.directory / "broker.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def tool(self, name: str, *arguments: str, stdin: str = "", timeout: float = 60) -> str:
        """Run one of Kafka's own command-line classes on this broker and return what it prints.

        Args:
            name: a class of org.apache.kafka.tools (``"TopicCommand"``, ``"consumer.group.ConsumerGroupCommand"``,
                ``"GetOffsetShell"``) or a full class name.
            arguments: the command's; ``--bootstrap-server`` is added unless given.

        Raises: RuntimeError with the output if the command fails. Takes one to two seconds: a JVM starts.
        """
        if not name.startswith(("org.", "kafka.")):
            name = f"org.apache.kafka.tools.{name}"
        command = list(arguments)
        if "--bootstrap-server" not in command:
            command += ["--bootstrap-server", self.bootstrap]
        return self._run_java(name, *command, stdin=stdin, timeout=timeout)

    def create_topic(
        self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None, replication_factor: int = 1
    ) -> str:
        """Make a topic and wait until every partition has a leader; returns its name. Milliseconds, no JVM."""
        wire.create_topics(self.address, {name: partitions}, config or {}, replication_factor)
        self._wait_for_leaders(name, partitions)
        return name

    def create_partitions(self, topic: str, count: int) -> None:
        """Grow a topic to ``count`` partitions and wait for their leaders."""
        wire.create_partitions(self.address, topic, count)
        self._wait_for_leaders(topic, count)

    def alter_topic(self, topic: str, config: Mapping[str, str | None]) -> None:
        """Set properties of a topic; None puts one back to its default."""
        wire.alter_topic(self.address, topic, config)

    def delete_topic(self, topic: str) -> None:
        """Delete a topic and wait until the broker no longer knows it."""
        wire.delete_topics(self.address, [topic])
        wait_until(lambda: not wire.leaders(self.address, topic), f"topic {topic!r} is still there")

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Drop the records below offset ``before``, as retention would."""
        wire.delete_records(self.address, topic, partition, before)

    def offsets(self, topic: str, partition: int = 0) -> tuple[int, int]:
        """Earliest offset and end offset (last stable or not: the log's end) as the broker tells them."""
        return (
            wire.offset(self.address, topic, partition, wire.EARLIEST),
            wire.offset(self.address, topic, partition, wire.LATEST),
        )

    def _listeners(self) -> dict[str, str]:
        """Listener names and their security protocols; PLAINTEXT is always one of them."""
        return {"PLAINTEXT": "PLAINTEXT"}

    def _prepare(self, directory: Path) -> None:
        """Make the files that the properties name."""

    def _properties(self) -> dict[str, str]:
        """Server properties of the listeners beside PLAINTEXT."""
        return {}

    def _format_arguments(self) -> list[str]:
        return []

    def _port(self, listener: str) -> int:
        if listener not in self._ports:
            raise RuntimeError("the broker was not started")
        return self._ports[listener]

    def _server_properties(self) -> dict[str, str]:
        listeners = {**self._listeners(), "CONTROLLER": "PLAINTEXT"}
        addresses = {name: f"{name}://{HOST}:{self._ports[name]}" for name in listeners}
        few = {"num.network.threads": "2", "num.io.threads": "4", "log.cleaner.dedupe.buffer.size": str(16 << 20)}
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{HOST}:{self._ports['CONTROLLER']}",
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join(addresses.values()),
            "advertised.listeners": ",".join(url for name, url in addresses.items() if name != "CONTROLLER"),
            "listener.security.protocol.map": ",".join(f"{name}:{kind}" for name, kind in listeners.items()),
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(self.directory / "data"),
            "num.partitions": str(self._num_partitions),
            "auto.create.topics.enable": "true",
            "group.initial.rebalance.delay.ms": "0",
            # The shortest session a test may ask for, so that a dead member is noticed in seconds.
            "group.min.session.timeout.ms": "1000",
            "group.consumer.min.session.timeout.ms": "1000",
            "group.consumer.min.heartbeat.interval.ms": "500",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "4",
            # A broker killed and started again is let in only when its former session has ended.
            "broker.session.timeout.ms": "4000",
            "broker.heartbeat.interval.ms": "500",
            # Deleted and expired things go at once: tests wait for them.
            "log.segment.delete.delay.ms": "0",
            "log.retention.check.interval.ms": "1000",
            # But not by age: tests write records with timestamps of years ago.
            "log.retention.ms": "-1",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
            **few,
            **self._properties(),
            **self._extra,
        }

    def _first_start(self) -> None:
        names = [*self._listeners(), "CONTROLLER"]
        attempts = 3
        for attempt in range(1, attempts + 1):
            self._ports = dict(zip(names, free_ports(len(names)), strict=True))
            self._format()
            try:
                return self._launch()
            except RuntimeError:
                # Another process may have taken a port after free_ports() let it go.
                if attempt == attempts or "Address already in use" not in self.log():
                    raise
                self._end(signal.SIGKILL)

    def _format(self) -> None:
        lines = [f"{key}={value}\n" for key, value in self._server_properties().items()]
        (self.directory / "server.properties").write_text("".join(lines))
        shutil.rmtree(self.directory / "data", ignore_errors=True)
        self._run_java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, *self._format_arguments(),
                       "-c", str(self.directory / "server.properties"))  # fmt: skip

    def _launch(self) -> None:
        command = [java(), *self._jvm, *self._logging(), "-cp", f"{kafka_jars()}/*", "kafka.Kafka",
                   str(self.directory / "server.properties")]  # fmt: skip
        with (self.directory / "broker.log").open("ab") as log:
            # A group of its own: Ctrl-C in the terminal ends the tests, and they end the broker.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._watchdog = Watchdog(self._process.pid, self.directory)
        deadline = time.monotonic() + START_DEADLINE_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                how = "did not answer in time" if self._process.poll() is None else "ended"
                tail = "\n".join(self.log().splitlines()[-LOG_TAIL_LINES:])
                raise RuntimeError(f"the Kafka broker {how}; the end of its log:\n{tail}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return wire.brokers(self.address) == [1] and "Kafka Server started" in self.log()
        except OSError:
            return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            if how is not signal.SIGKILL:
                # A paused broker would take the signal only after it goes on.
                process.send_signal(signal.SIGCONT)
            try:
                process.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_DEADLINE_S)
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is not None:
            watchdog.end()

    def _wait_for_leaders(self, topic: str, partitions: int) -> None:
        def led() -> bool:
            known = wire.leaders(self.address, topic)
            return len(known) == partitions and all(leader >= 0 for leader in known.values())

        wait_until(led, f"topic {topic!r} has no {partitions} partitions with leaders")

    def _logging(self) -> list[str]:
        prefix = "-Dorg.slf4j.simpleLogger"
        return [f"{prefix}.defaultLogLevel=warn", f"{prefix}.log.kafka.server.KafkaRaftServer=info",
                f"{prefix}.showDateTime=true", f"{prefix}.dateTimeFormat=HH:mm:ss.SSS"]  # fmt: skip

    def _run_java(self, name: str, *arguments: str, stdin: str = "", timeout: float = 60) -> str:
        command = [java(), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
                   "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{kafka_jars()}/*", name]  # fmt: skip
        done = subprocess.run(
            [*command, *arguments], input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"{name} {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout


def main() -> None:
    """Start a broker for another terminal and keep it until Ctrl-C."""
    import argparse

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--secure", action="store_true", help="with TLS, mutual TLS and SASL listeners")
    options = parser.parse_args()
    if options.secure:
        from tests.support.secure_broker import SecureBroker

        broker: KafkaBroker = SecureBroker()
    else:
        broker = KafkaBroker()
    with broker:
        print(broker.bootstrap, f"files in {broker.directory}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
