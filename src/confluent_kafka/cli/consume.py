# SPDX-License-Identifier: Apache-2.0
"""``consume``: messages of one or more topics to standard output, formatted or as NDJSON."""

from __future__ import annotations

import argparse
import os
import stat
import sys
import uuid
from typing import BinaryIO, TextIO

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from . import _format, _position
from ._errors import OK, CommandError, UsageError
from ._registered import Decoder, add_registry_option, registry_url
from ._settings import add_client_options, client_settings, describe, open_client, parse_property, require_brokers
from ._terminal import ClientLog, Progress, plural, say

EPILOG = """\
examples:
  %(prog)s words                           everything there is now, one value per line
  %(prog)s words --follow --from end       what arrives from now on, until Ctrl-C
  %(prog)s words --from -10 --json         the last ten messages of each partition, with all they carry
  %(prog)s words --partition 0 --from 42 --count 1 --format '%%o %%k=%%s\\n'
  %(prog)s orders --schema-registry http://127.0.0.1:8081    Avro, JSON Schema and Protobuf, decoded
  %(prog)s words --group readers           go on where the group has stopped, commit what was written

escapes of --format:
  %%s value   %%k key   %%h headers   %%t topic   %%p partition   %%o offset   %%T timestamp in ms
  %%d timestamp as ISO 8601   %%S, %%K size of value, key in bytes (-1: null)   %%%% a percent sign
  \\n \\t \\r \\0 \\xHH \\\\
"""
# Errors of a message stream that librdkafka repairs by itself: said, but no reason to stop.
PASSING = frozenset({KafkaError._MAX_POLL_EXCEEDED, KafkaError._TRANSPORT, KafkaError._TIMED_OUT})

Partition = tuple[str, int]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "consume",
        help="write the messages of topics to standard output",
        usage="%(prog)s topic [topic ...] [options]",
        description="Write the messages of one or more topics to standard output; ends where the partitions end now.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("topics", nargs="+", metavar="topic")
    parser.add_argument("--follow", action="store_true", help="do not end at the end: wait for more until Ctrl-C")
    parser.add_argument(
        "--from",
        "--offset",
        dest="start",
        metavar="WHERE",
        help="beginning (default), end, an offset, -N for the last N messages of each partition, or @TIME (ISO 8601 "
        "or ms); with --group: beginning or end, where nothing was committed yet",
    )
    parser.add_argument("--count", type=positive, metavar="N", help="end after N messages")
    parser.add_argument(
        "--partition", type=int, action="append", metavar="N", help="read only this partition; repeatable"
    )
    parser.add_argument("--group", metavar="ID", help="read as a member of this group and commit what was written")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--format", default=_format.DEFAULT_FORMAT, help="how to write a message (default: %%s\\n)")
    output.add_argument("--json", action="store_true", help="one JSON object per line; base64 for what is no UTF-8")
    add_registry_option(parser)
    parser.add_argument(
        "--kms",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        type=parse_property,
        help="decrypt: a property for the key management system, for example --kms secret=...; repeatable",
    )
    parser.add_argument("--null", default="", metavar="TEXT", help="written by --format for a null key or value")
    parser.add_argument(
        "--timeout", type=float, default=10.0, metavar="S", help="seconds to wait for the brokers' first answer (10)"
    )
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="counts on standard error (default: when that is a terminal and standard output a file)",
    )
    add_client_options(parser)
    parser.set_defaults(run=run)


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


class Output:
    """Writes messages, and remembers what has really left: only that may be committed."""

    def __init__(self, stream: BinaryIO, formatter: _format.Formatter, progress: Progress) -> None:
        self._stream = stream
        self._format = formatter
        self._progress = progress
        self.count = 0
        self._next: dict[Partition, int] = {}
        self._broken = False

    def write(self, message: Message, partition: Partition, offset: int) -> None:
        try:
            self._stream.write(self._format(message))
        except BrokenPipeError:
            self._broken = True
            raise
        self.count += 1
        self._next[partition] = offset + 1
        if self._progress.enabled:
            self._progress.show(lambda: plural(self.count, "message"))

    def flush(self) -> list[TopicPartition]:
        """Write out what is buffered; returns the offsets after what was written since the last call."""
        if self._broken:
            # Told once: closing the consumer must not stumble over it again.
            return []
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._broken = True
            raise
        written = [TopicPartition(topic, partition, offset) for (topic, partition), offset in self._next.items()]
        self._next.clear()
        return written


class Reading:
    """What is still to be read of which partition; ``spans`` is empty for a group, whose partitions come and go."""

    def __init__(self, spans: dict[Partition, _position.Span], follow: bool) -> None:
        self._spans = spans
        self._follow = follow
        self._open = {partition for partition, span in spans.items() if span.first < span.end}
        self._held: set[Partition] = set(spans)
        self._started = bool(spans)

    @property
    def done(self) -> bool:
        """Nothing is left, and nothing was only not assigned yet."""
        return not self._follow and self._started and not self._open

    def assigned(self, partitions: list[TopicPartition]) -> None:
        new = {(tp.topic, tp.partition) for tp in partitions}
        self._started = True
        self._held |= new
        self._open |= new

    def revoked(self, partitions: list[TopicPartition]) -> None:
        gone = {(tp.topic, tp.partition) for tp in partitions}
        self._held -= gone
        self._open -= gone
        # Between two assignments a member has no partitions, and is not at their end.
        self._started = bool(self._held)

    def wants(self, partition: Partition, offset: int) -> bool:
        """Whether the message at this offset was there when reading began."""
        if self._follow:
            return True
        span = self._spans.get(partition)
        return span is None or offset < span.end

    def passed(self, partition: Partition, offset: int, at_end: bool) -> bool:
        """Take note of a message, or of a partition's end; True when this closes the partition."""
        if self._follow:
            return False
        if not at_end:
            span = self._spans.get(partition)
            at_end = span is not None and offset + 1 >= span.end
        if not at_end or partition not in self._open:
            return False
        self._open.discard(partition)
        return True


def run(arguments: argparse.Namespace) -> int:
    """Read until the end, the count or Ctrl-C.

    Returns: 0.
    Raises: UsageError, CommandError, KafkaException: reading cannot begin or go on; BrokenPipeError: nobody reads.
    """
    url = registry_url(arguments)
    formatter = _format.as_json if arguments.json else _format.compile_format(arguments.format, arguments.null)
    if url is not None:
        formatter = _decoding(Decoder(url, text=not arguments.json, kms=dict(arguments.kms)), formatter)
    start = None if arguments.start is None else _position.parse_start(arguments.start)
    if sys.stdout is None:
        raise CommandError("there is no standard output to write to")
    settings = client_settings(arguments)
    require_brokers(settings)
    if arguments.group:
        settings["group.id"] = arguments.group
    in_group = bool(settings.get("group.id")) and not arguments.partition
    if arguments.group and arguments.partition:
        raise UsageError("--partition does not go with --group: a group shares out the partitions itself")
    if in_group and start is not None and start.kind not in ("beginning", "end"):
        raise UsageError("with --group, --from can only be beginning or end: the group's own offsets come first")
    _prepare(settings, in_group, start, arguments)

    # Into a pipe, what stands at its other end may be writing to the same terminal.
    progress = Progress(arguments.progress if arguments.progress is not None or _is_file(sys.stdout) else False)
    output = Output(sys.stdout.buffer, formatter, progress)
    consumer = open_client(Consumer, settings)
    try:
        if in_group:
            reading = _join(consumer, arguments, output)
        else:
            reading = _assign(consumer, arguments, start or _position.Start("beginning"))
        _read(consumer, reading, output, arguments.count, in_group)
    finally:
        progress.clear()
        consumer.close()
    return OK


def _decoding(decoder: Decoder, formatter: _format.Formatter) -> _format.Formatter:
    return lambda message: formatter(decoder.decode(message))


def _prepare(
    settings: dict[str, object], in_group: bool, start: _position.Start | None, arguments: argparse.Namespace
) -> None:
    if in_group:
        # Offsets are stored when their messages have been written out, so a broken pipe loses nothing.
        settings["enable.auto.offset.store"] = False
        if start is not None or "auto.offset.reset" not in settings:
            settings["auto.offset.reset"] = "latest" if start is not None and start.kind == "end" else "earliest"
    else:
        # Never used to join anything, but a consumer must have one.
        settings.setdefault("group.id", f"ferrokafka-consume-{uuid.uuid4()}")
        settings["enable.auto.commit"] = False
        # Reading begins within the offsets that exist: a gap later on is an error to be told, not to be jumped over.
        settings["auto.offset.reset"] = "error"
    settings["enable.partition.eof"] = not arguments.follow
    settings.update(ClientLog(arguments.verbose).settings())


def _partitions(consumer: Consumer, topic: str, arguments: argparse.Namespace) -> list[int]:
    """The partition numbers of a topic, in order. Raises: CommandError: no answer, no such topic or partition."""
    try:
        found = consumer.list_topics(topic, timeout=arguments.timeout).topics[topic]
    except KafkaException as error:
        raise CommandError(
            f"no answer from the brokers within {arguments.timeout:g} s: {describe(error)}; "
            "check --bootstrap-servers and the security settings"
        ) from error
    if found.error is not None:
        raise CommandError(f"topic {topic}: {found.error.str()} ({found.error.name()})")
    existing = sorted(found.partitions)
    missing = sorted(set(arguments.partition or ()) - set(existing))
    if missing:
        raise CommandError(f"topic {topic} has no partition {missing[0]}; it has {len(existing)}, from 0")
    return [number for number in existing if not arguments.partition or number in arguments.partition]


def _assign(consumer: Consumer, arguments: argparse.Namespace, start: _position.Start) -> Reading:
    """Begin on partitions of our own choice, at offsets that exist."""
    spans: dict[Partition, _position.Span] = {}
    for topic in dict.fromkeys(arguments.topics):
        for number in _partitions(consumer, topic, arguments):
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=arguments.timeout)
            found = None
            if start.kind == "time":
                asked = TopicPartition(topic, number, start.number)
                found = consumer.offsets_for_times([asked], timeout=arguments.timeout)[0].offset
            span = _position.span(start, low, high, found)
            if start.kind == "offset" and span.first != start.number:
                say(f"{topic} [{number}] has offsets {low} to {high - 1}: starting at {span.first}, not {start.number}")
            spans[topic, number] = span
    wanted = [
        TopicPartition(topic, number, span.first)
        for (topic, number), span in spans.items()
        if arguments.follow or span.first < span.end
    ]
    consumer.assign(wanted)
    return Reading(spans, arguments.follow)


def _join(consumer: Consumer, arguments: argparse.Namespace, output: Output) -> Reading:
    """Begin as a member of a group."""
    reading = Reading({}, arguments.follow)
    for topic in arguments.topics:
        if not topic.startswith("^"):
            _partitions(consumer, topic, arguments)

    def on_assign(_: Consumer, partitions: list[TopicPartition]) -> None:
        if not partitions and not arguments.follow:
            say("the other members of the group hold all partitions")
        reading.assigned(partitions)

    def on_revoke(_: Consumer, partitions: list[TopicPartition]) -> None:
        _store(consumer, output)
        reading.revoked(partitions)

    consumer.subscribe(arguments.topics, on_assign=on_assign, on_revoke=on_revoke)
    return reading


def _read(consumer: Consumer, reading: Reading, output: Output, count: int | None, in_group: bool) -> None:
    """Write messages until there is nothing more to read or ``count`` are written."""
    try:
        while not reading.done:
            message = consumer.poll(0)
            if message is None:
                # Only now would a reader of the pipe wait for what is still in our buffer.
                _store(consumer, output) if in_group else output.flush()
                message = consumer.poll(1.0)
            if message is None:
                continue
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                _judge(error)
                continue
            partition, offset = (str(message.topic()), message.partition() or 0), message.offset() or 0
            if error is None and reading.wants(partition, offset):
                output.write(message, partition, offset)
                if output.count == count:
                    return
            if reading.passed(partition, offset, at_end=error is not None) and not in_group:
                consumer.pause([TopicPartition(*partition)])
    finally:
        _store(consumer, output) if in_group else output.flush()


def _judge(error: KafkaError) -> None:
    """Say what librdkafka gets over by itself. Raises: CommandError: for everything else."""
    text = f"{error.str()} ({error.name()})"
    if error.fatal() or not (error.retriable() or error.code() in PASSING):
        raise CommandError(text)
    say(text)


def _store(consumer: Consumer, output: Output) -> None:
    for written in output.flush():
        _store_one(consumer, written)


def _store_one(consumer: Consumer, written: TopicPartition) -> None:
    try:
        consumer.store_offsets(offsets=[written])
    except KafkaException:
        # The partition has gone to another member, which will write these messages again.
        say(f"{written.topic} [{written.partition}] was taken away before offset {written.offset} was committed")
