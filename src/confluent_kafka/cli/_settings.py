# SPDX-License-Identifier: Apache-2.0
"""Client configuration from the environment, a file and the command line, in this order; the later wins."""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException, config_from_env

from ._errors import CommandError, UsageError
from ._terminal import say

Client = TypeVar("Client")

NO_BROKER = (
    "no broker given: use --bootstrap-servers HOST:PORT, or set KAFKA_BOOTSTRAP_SERVERS "
    "(to try it without a Kafka cluster, run the command 'broker' in another terminal)"
)


def add_property_options(group: argparse._ArgumentGroup, what: str) -> None:
    """``-X KEY=VALUE`` and ``--config FILE``."""
    group.add_argument(
        "-X",
        dest="properties",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        type=parse_property,
        help=f"{what}; repeatable, wins over --config",
    )
    group.add_argument(
        "--config",
        metavar="FILE",
        help="properties from a file: KEY=VALUE lines (# comments) or one JSON object; wins over the environment",
    )


def add_progress_option(parser: argparse.ArgumentParser) -> None:
    """``--progress``, ``--no-progress``."""
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="counts on standard error while it runs (default: when that is a terminal)",
    )


def add_client_options(parser: argparse.ArgumentParser) -> None:
    """The options every command has that talks to a broker."""
    group = parser.add_argument_group(
        "connection", "Every KAFKA_* environment variable is a property: KAFKA_SECURITY_PROTOCOL is security.protocol."
    )
    group.add_argument(
        "-b",
        "--bootstrap-servers",
        metavar="HOST:PORT[,...]",
        help="brokers to start from (default: KAFKA_BOOTSTRAP_SERVERS)",
    )
    add_property_options(group, "a librdkafka property, for example -X security.protocol=ssl")
    group.add_argument("-v", "--verbose", action="store_true", help="show the client's own log on standard error")


def parse_property(text: str) -> tuple[str, str]:
    """``key=value`` of -X, or of one line of a properties file."""
    key, separator, value = text.partition("=")
    key = key.strip()
    if not separator or not key:
        # What follows may be a password: only what looks like a property's name is repeated.
        words = text.split()
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE{f', {words[0]!r} has no value' if words else ''}")
    return key, value.strip()


def read_properties(path: str) -> dict[str, str]:
    """The properties of a ``KEY=VALUE`` or JSON file.

    Raises: UsageError: the file cannot be read or a line is not a property; values are never repeated.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--config {path}: {error}") from error
    if text.lstrip().startswith("{"):
        try:
            entries = json.loads(text)
        except ValueError as error:
            raise UsageError(f"--config {path}: not valid JSON: {error}") from error
        return {str(key): _as_property(value) for key, value in entries.items()}
    properties: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith(("#", "!")):
            continue
        try:
            key, value = parse_property(line)
        except argparse.ArgumentTypeError as error:
            raise UsageError(f"--config {path}, line {number}: {error}") from error
        properties[key] = value
    return properties


def _as_property(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def client_settings(arguments: argparse.Namespace, environ: Mapping[str, str] | None = None) -> dict[str, object]:
    """The properties of one run: environment, then --config, then -X, then --bootstrap-servers.

    Variables that are near misses are told on standard error.

    Raises: UsageError: --config cannot be read, or a variable has an impossible value.
    """
    explicit: dict[str, object] = {}
    if arguments.config:
        explicit.update(read_properties(arguments.config))
    explicit.update(arguments.properties)
    if arguments.bootstrap_servers:
        explicit["bootstrap.servers"] = arguments.bootstrap_servers
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            settings: dict[str, object] = config_from_env("KAFKA_", environ, **explicit)
        except (TypeError, ValueError) as error:
            raise UsageError(str(error)) from error
    for warning in caught:
        say(f"warning: {warning.message}")
    return settings


def require_brokers(settings: Mapping[str, object]) -> None:
    """Raises: UsageError: no broker address was configured anywhere."""
    if not (settings.get("bootstrap.servers") or settings.get("metadata.broker.list")):
        raise UsageError(NO_BROKER)


def open_client(make: Callable[[dict[str, object]], Client], settings: dict[str, object]) -> Client:
    """Make a client, turning a refused configuration into a usage error.

    Raises: UsageError: a property is unknown or has an impossible value; CommandError: the client could not start.
    """
    try:
        return make(settings)
    except KafkaException as error:
        reason = describe(error)
        refused = isinstance(error.args[0], KafkaError) and error.args[0].code() == KafkaError._INVALID_ARG
        raise (UsageError if refused else CommandError)(reason) from error
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error


def describe(error: BaseException) -> str:
    """One line for a Kafka failure: the broker's text and the code's name."""
    kafka_error = error.args[0] if error.args else None
    if isinstance(kafka_error, KafkaError):
        return f"{kafka_error.str()} ({kafka_error.name()})"
    return str(error) or type(error).__name__
