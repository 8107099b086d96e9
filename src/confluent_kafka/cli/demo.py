# SPDX-License-Identifier: Apache-2.0
"""``demo``: real records through serialize, produce, consume and deserialize, and a check that all came back."""

from __future__ import annotations

import argparse
import contextlib
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer
from confluent_kafka.testing import MockCluster

from . import _datasets
from ._errors import FAILED, OK, CommandError, UsageError
from ._formats import FORMATS
from ._settings import add_client_options, add_progress_option, client_settings, open_client
from ._terminal import ClientLog, Progress

if TYPE_CHECKING:
    from . import _encrypted

EPILOG = """\
examples:
  %(prog)s                                    three tables on an embedded cluster, in this process
  %(prog)s --dataset airports --json
  %(prog)s --format protobuf                  or json: with JSON Schema; avro is the default
  %(prog)s --all                              every table of vega_datasets
  %(prog)s --file mine.csv                    a table of your own: CSV, JSON or NDJSON
  %(prog)s --bootstrap-servers HOST:PORT      on a real broker (also: KAFKA_BOOTSTRAP_SERVERS), in topics of its own

For each table a schema is derived and registered (in memory), every record is serialized, produced, consumed and
deserialized, and what came back is compared with what went in, key by key. Exit code 1 if anything differs.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "demo",
        help="send real records through Kafka and check that all come back",
        description="Send real open data through the whole path, on an embedded cluster or a real broker.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = parser.add_mutually_exclusive_group()
    data.add_argument(
        "--dataset",
        action="append",
        metavar="NAME",
        help=f"a table of the PyPI package vega_datasets (default: {', '.join(_datasets.DEFAULT)}); repeatable",
    )
    data.add_argument("--all", action="store_true", help="every table that vega_datasets holds")
    data.add_argument("--file", metavar="PATH", help="a table of your own: CSV with a header line, JSON or NDJSON")
    parser.add_argument("--format", choices=FORMATS, default="avro", help="how the records are written (avro)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N records of each table")
    parser.add_argument("--samples", type=int, default=2, metavar="N", help="sample rows in the report (2)")
    parser.add_argument("--brokers", type=int, default=1, metavar="N", help="brokers of the embedded cluster (1)")
    parser.add_argument("--partitions", type=int, default=4, metavar="N", help="partitions on the embedded cluster (4)")
    parser.add_argument("--topic", help="an existing topic to use, for one table (default: a new one per table)")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="S", help="seconds to wait for the broker (30)")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    add_progress_option(parser)
    add_client_options(parser)
    parser.set_defaults(run=run)


def choose(arguments: argparse.Namespace) -> list[_datasets.Dataset]:
    """The tables the command line asks for. Raises: UsageError, CommandError: see ``_datasets``."""
    if arguments.file:
        chosen = [_datasets.load_file(arguments.file)]
    else:
        names = _datasets.available() if arguments.all else arguments.dataset or _datasets.DEFAULT
        chosen = [_datasets.load(name) for name in dict.fromkeys(names)]
    if arguments.limit is not None:
        chosen = [replace(dataset, rows=dataset.rows[: arguments.limit]) for dataset in chosen]
    if arguments.topic and len(chosen) > 1:
        raise UsageError("--topic takes one table: name it with --dataset or --file")
    return chosen


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and print its report.

    Returns: 0 when everything came back as sent, else 1.
    Raises: UsageError, CommandError, KafkaException: it could not be run to its end.
    """
    for option in ("limit", "brokers", "partitions"):
        number = getattr(arguments, option)
        if number is not None and number < 1:
            raise UsageError(f"--{option} must be at least 1, got {number}")
    chosen = choose(arguments)
    # The registry and the codecs are loaded only when there is something to do: `--help` must be quick.
    try:
        from confluent_kafka.schema_registry import SchemaRegistryClient

        from . import _pipeline, _report
    except ImportError as error:
        raise CommandError(f'{error}; what the demo needs comes with: pip install "ferrokafka[demo]"') from error

    settings = client_settings(arguments)
    embedded = not (settings.get("bootstrap.servers") or settings.get("metadata.broker.list"))
    progress = Progress(arguments.progress)
    outcomes: list[_pipeline.Outcome] = []
    created: list[str] = []
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(MockCluster(arguments.brokers)) if embedded else None
        if cluster is not None:
            settings["bootstrap.servers"] = cluster.bootstrap_servers
            # What the environment says about security is meant for another cluster.
            settings["security.protocol"] = "plaintext"
        settings.update(ClientLog(arguments.verbose).settings())
        pipeline = _pipeline.Pipeline(
            settings=settings,
            registry=SchemaRegistryClient({"url": "mock://demo"}),
            embedded=embedded,
            progress=progress,
            format=arguments.format,
            idle_s=arguments.timeout,
        )
        # A retried request must not put a record into the topic twice: the check would find it.
        producer = open_client(Producer, {"enable.idempotence": True, "linger.ms": 5, **settings})
        stack.callback(producer.close)
        # After a failure nobody waits for what could not be sent.
        stack.callback(producer.purge)
        stack.callback(progress.clear)
        for dataset in chosen:
            topic = arguments.topic or f"ferrokafka-demo-{dataset.name}-{uuid.uuid4().hex[:8]}"
            if cluster is not None:
                cluster.create_topic(topic, arguments.partitions)
            elif not arguments.topic:
                created.append(topic)
            _pipeline.ensure_topic(producer, topic, arguments.timeout)
            try:
                outcomes.append(pipeline.run(producer, dataset, topic, arguments.samples))
            except ImportError as error:
                raise CommandError(str(error)) from error
        encrypted = _encrypt(chosen, cluster, settings, producer, arguments.timeout)
    place = f"embedded cluster of {arguments.brokers}" if embedded else str(settings.get("bootstrap.servers"))
    if arguments.json:
        facts = {"embedded": embedded, "bootstrap_servers": settings.get("bootstrap.servers")}
        print(_report.as_json(facts, outcomes, created, encrypted))
    else:
        print(_report.as_text(place, outcomes, created, encrypted))
    return OK if all(outcome.ok for outcome in outcomes) and (encrypted is None or encrypted.ok) else FAILED


def _encrypt(
    chosen: list[_datasets.Dataset],
    cluster: MockCluster | None,
    settings: dict[str, Any],
    producer: Producer,
    timeout: float,
) -> _encrypted.Encrypted | None:
    """Send a part of the table with most texts once more, encrypted; on the embedded cluster only.

    Returns: what came of it, None where there is no such table, or cryptography is not installed.
    """
    from . import _encrypted

    dataset = max(chosen, key=lambda one: len(_encrypted.columns_of(one)))
    if cluster is None or not _encrypted.columns_of(dataset):
        return None
    topic = f"ferrokafka-demo-encrypted-{uuid.uuid4().hex[:8]}"
    cluster.create_topic(topic, 1)
    try:
        return _encrypted.run(settings, producer, dataset, topic, timeout)
    except ImportError:
        return None
