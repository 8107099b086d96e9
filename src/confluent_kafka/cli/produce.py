# SPDX-License-Identifier: Apache-2.0
"""``produce``: lines, NDJSON records or whole files into a topic, with every undelivered message accounted for."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException, Producer

from . import _records
from ._errors import FAILED, OK, CommandError, UsageError
from ._registered import Wanted, add_registry_option, encoded, registry_url
from ._settings import add_client_options, add_progress_option, client_settings, open_client, require_brokers
from ._terminal import ClientLog, Progress, per_second, plural, readable_bytes, say

if TYPE_CHECKING:
    from confluent_kafka import Message

EPILOG = """\
examples:
  seq 1000 | %(prog)s numbers
  %(prog)s people --key-separator : < names.txt          lines such as 7:Ada
  %(prog)s pictures --file *.png -H kind=png --compression zstd
  %(prog)s events --json < records.ndjson
  %(prog)s orders --avro order.avsc --schema-registry http://127.0.0.1:8081 < orders.ndjson

one NDJSON record per line; all fields but the value may be missing, text is sent as UTF-8:
  {"value": "hi", "key": "7", "headers": {"trace": "ab12"}, "partition": 0, "timestamp": 1700000000000}
  {"value_base64": "AP8=", "headers": [["a", "1"], ["a", "2"]]}
  {"value": {"any": ["JSON", 1]}}                        sent as its JSON text
  {"key": "7", "value": null}                            a tombstone
What 'consume --json' writes can be read back. Options given here win over the record's own fields.

With a schema, values are JSON documents. Avro's dates and times are ISO 8601 in them, decimals texts, bytes base64.

The first piece of input that is no record ends the work, after all before it were delivered.
Exit code 1 if any message was not delivered.
"""
# What an interrupted run still waits for messages that were read but not yet acknowledged.
GRACE_SECONDS = 5.0
SHOWN_FAILURES = 5


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "produce",
        help="send lines, NDJSON records or files to a topic",
        usage="%(prog)s topic [options] [--json | --file PATH ...]",
        description="Send standard input to a topic, one message per line, or files, one message per file.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("topic")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--json", action="store_true", help="read NDJSON records; print the summary as JSON")
    source.add_argument("--file", nargs="+", action="extend", metavar="PATH", help="send each file as one message")
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--key", help="key of every message")
    key.add_argument("--key-separator", metavar="SEP", help="each line is a key, this separator and a value")
    parser.add_argument(
        "-H", "--header", dest="headers", metavar="NAME=VALUE", action="append", default=[], help="repeatable"
    )
    schema = parser.add_mutually_exclusive_group()
    schema.add_argument("--avro", metavar="FILE", help="values are JSON; write them by this Avro schema")
    schema.add_argument("--json-schema", metavar="FILE", help="values are JSON; check them by this JSON Schema")
    schema.add_argument("--proto", metavar="FILE", help="values are JSON; write them by this .proto file")
    parser.add_argument("--message", metavar="NAME", help="full name of the message in --proto (default: the first)")
    add_registry_option(parser)
    parser.add_argument("--partition", type=int, help="partition of every message (-1: the partitioner chooses)")
    parser.add_argument("--compression", choices=["none", "gzip", "snappy", "lz4", "zstd"])
    parser.add_argument("--tombstones", action="store_true", help="send an empty value as null")
    parser.add_argument(
        "--report",
        choices=["text", "json", "none"],
        help="summary as text on standard error (default), or as JSON on standard output (default with --json)",
    )
    add_progress_option(parser)
    add_client_options(parser)
    parser.set_defaults(run=run)


class Tally:
    """What became of the messages; reports are counted from two threads."""

    def __init__(self) -> None:
        self.read = 0
        self.bytes = 0
        self.failed = 0
        self.reasons: Counter[str] = Counter()
        self._lock = threading.Lock()

    def failure(self, error: KafkaError, where: str = "") -> None:
        """Count a message that will not arrive, and say why for the first few."""
        with self._lock:
            self.failed += 1
            self.reasons[error.name()] += 1
            number = self.failed
        if number <= SHOWN_FAILURES:
            say(f"not delivered{': ' + where if where else ''}: {error.str()} ({error.name()})")
        elif number == SHOWN_FAILURES + 1:
            say("not delivered: more, counted in the summary")


def read_records(arguments: argparse.Namespace) -> Iterator[_records.Record]:
    """The records the command line asks for. Raises: UsageError: options that do not fit together."""
    overrides = _records.Overrides(
        key=None if arguments.key is None else arguments.key.encode("utf-8", "surrogateescape"),
        partition=arguments.partition,
        headers=[_records.parse_header(text) for text in arguments.headers],
        tombstones=arguments.tombstones,
    )
    if arguments.key_separator is not None and (arguments.json or arguments.file):
        raise UsageError("--key-separator is for lines; NDJSON records carry a key, files take --key")
    if arguments.key_separator == "":
        raise UsageError("--key-separator must not be empty")
    if arguments.file:
        return _records.files(arguments.file, overrides)
    if sys.stdin is None:
        raise CommandError("there is no standard input to read; use --file")
    if sys.stdin.isatty():
        say("reading messages from the terminal, one per line; end with Ctrl-D (Windows: Ctrl-Z and Enter)")
    if arguments.json:
        return _records.ndjson(sys.stdin.buffer, overrides)
    separator = None if arguments.key_separator is None else arguments.key_separator.encode("utf-8", "surrogateescape")
    return _records.lines(sys.stdin.buffer, overrides, separator)


def wanted_schema(arguments: argparse.Namespace) -> Wanted | None:
    """The schema the command line asks for. Raises: UsageError: a message without its file."""
    if arguments.message and not arguments.proto:
        raise UsageError("--message names a message of the file given with --proto")
    for name, path in (("avro", arguments.avro), ("json", arguments.json_schema), ("protobuf", arguments.proto)):
        if path:
            return Wanted(name, path, arguments.message)
    return None


class Sender:
    """Feeds a producer and serves its reports from a second thread, for reading standard input may block for hours."""

    def __init__(self, producer: Producer, topic: str, tally: Tally) -> None:
        self._producer = producer
        self._topic = topic
        self._tally = tally
        self._stop = threading.Event()
        self._error: BaseException | None = None
        # Where the record stands that waits for room in the queue: interrupted now, it is not sent.
        self.pending: str | None = None
        self._server = threading.Thread(target=self._serve, name="delivery-reports", daemon=True)
        self._server.start()

    def send(self, record: _records.Record) -> None:
        """Queue one record, waiting as long as the queue is full.

        Raises: KafkaException: a fatal error; what concerns this record only is counted.
        """
        if self._error is not None:
            raise self._error
        self.pending = record.where
        try:
            self._producer.produce(
                self._topic,
                value=record.value,
                key=record.key,
                partition=record.partition,
                timestamp=record.timestamp,
                headers=record.headers or None,
                on_delivery=self._report,
                block=-1,
            )
        except KafkaException as error:
            reason = error.args[0]
            if not isinstance(reason, KafkaError) or reason.fatal():
                raise
            self._tally.failure(reason, record.where)
        except (ValueError, OverflowError, TypeError) as error:
            self.pending = None
            raise _records.BadRecord(f"{record.where}: {error}") from error
        self._tally.read += 1
        self._tally.bytes += len(record.value or b"")
        self.pending = None

    def finish(self, progress: Progress, show: Callable[[], str]) -> None:
        """Wait until every message has its report, however long librdkafka goes on trying."""
        while self._producer.flush(0.2) > 0:
            progress.show(show)

    def give_up(self, grace_s: float) -> None:
        """Wait a little, then drop what is left; each dropped message gets its report and is counted as failed."""
        try:
            if self._producer.flush(grace_s) == 0:
                return
        except KeyboardInterrupt:
            pass
        self._producer.purge()
        self._producer.flush(grace_s)

    def close(self) -> None:
        """Close the producer, which ends the second thread's poll; after this all reports it took are counted."""
        self._stop.set()
        self._producer.close()
        self._server.join()

    def _report(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._tally.failure(error)

    def _serve(self) -> None:
        try:
            while not self._stop.is_set():
                self._producer.poll(1.0)
        except KafkaException as error:
            self._error = error
        except RuntimeError:
            # Closed between the question and the call.
            if not self._stop.is_set():
                raise


def run(arguments: argparse.Namespace) -> int:
    """Read, send, wait, report.

    Returns: 0 when every message was delivered, else 1.
    Raises:
        UsageError, CommandError, KafkaException: nothing more could be read or sent.
        KeyboardInterrupt: passed on after the messages in flight had a little time.
    """
    records = read_records(arguments)
    wanted = wanted_schema(arguments)
    if wanted is not None:
        records = encoded(records, wanted, arguments.topic, registry_url(arguments))
    settings = client_settings(arguments)
    require_brokers(settings)
    if arguments.compression:
        settings["compression.type"] = arguments.compression
    settings.update(ClientLog(arguments.verbose).settings())
    # Messages that arrived need no callback: what did not fail was delivered.
    settings["delivery.report.only.error"] = True
    producer = open_client(Producer, settings)
    tally = Tally()
    progress = Progress(arguments.progress)
    started = time.monotonic()
    sender = Sender(producer, arguments.topic, tally)
    trouble: BaseException | None = None

    def progress_line() -> str:
        waiting = len(producer)
        delivered = max(tally.read - tally.failed - waiting, 0)
        rate = per_second(delivered, time.monotonic() - started)
        return f"{tally.read:,} read, {delivered:,} delivered, {tally.failed:,} failed, {rate:,.0f}/s"

    try:
        for record in records:
            sender.send(record)
            progress.show(progress_line)
        sender.finish(progress, progress_line)
    except (KeyboardInterrupt, CommandError, KafkaException, OSError) as error:
        # What was read before is delivered or counted, whatever went wrong after it.
        trouble = error
        if sender.pending is not None:
            say(f"{sender.pending} was read but not sent")
        sender.give_up(GRACE_SECONDS)
    finally:
        sender.close()
        progress.clear()
    _report(arguments, tally, time.monotonic() - started)
    if trouble is not None:
        raise trouble
    return FAILED if tally.failed else OK


def _report(arguments: argparse.Namespace, tally: Tally, seconds: float) -> None:
    style = arguments.report or ("json" if arguments.json else "text")
    delivered = max(tally.read - tally.failed, 0)
    if style == "json":
        report = {
            "topic": arguments.topic,
            "read": tally.read,
            "delivered": delivered,
            "failed": tally.failed,
            "failures": dict(tally.reasons),
            "value_bytes": tally.bytes,
            "seconds": round(seconds, 6),
        }
        print(json.dumps(report))
    elif style == "text":
        say(
            f"{plural(delivered, 'message')} delivered to {arguments.topic} "
            f"({readable_bytes(tally.bytes)} read, {seconds:.2f} s, {per_second(delivered, seconds):,.0f}/s)"
        )
    if tally.failed and style != "json":
        reasons = ", ".join(f"{name} {count:,}" for name, count in tally.reasons.most_common())
        say(f"{plural(tally.failed, 'message')} of {tally.read:,} not delivered: {reasons}")
