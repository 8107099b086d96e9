# SPDX-License-Identifier: Apache-2.0
"""What the administrative commands share: the client, tables, questions, partial failures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from ._errors import FAILED, OK, UsageError
from ._settings import add_client_options, client_settings, describe, open_client, parse_property, require_brokers
from ._terminal import ClientLog, say

Key = TypeVar("Key")
Value = TypeVar("Value")
Run = Callable[[argparse.Namespace], int]


class Group:
    """A command of several actions: ``topics list``, ``topics create`` …"""

    def __init__(self, commands: Any, name: str, help: str, epilog: str) -> None:
        parser = commands.add_parser(
            name, help=help, description=help, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        self._parser = parser
        self._actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION")
        parser.set_defaults(run=self._missing)

    def _missing(self, arguments: argparse.Namespace) -> int:
        self._parser.print_help(sys.stderr)
        return UsageError.exit_code

    def action(
        self,
        name: str,
        help: str,
        run: Run,
        *,
        asks: bool = False,
        connect: Callable[[argparse.ArgumentParser], None] = add_client_options,
        timeout: tuple[float | None, str] = (30.0, "the brokers' answer (30)"),
    ) -> argparse.ArgumentParser:
        """Add an action with the options that all have.

        Args:
            asks: add --yes, for one that destroys data.
            connect: adds the options of the connection.
            timeout: default of --timeout, and what is waited for.
        """
        parser: argparse.ArgumentParser = self._actions.add_parser(name, help=help, description=help)
        parser.set_defaults(run=run)
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument(
            "--timeout", type=float, default=timeout[0], metavar="S", help=f"seconds to wait for {timeout[1]}"
        )
        if asks:
            parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
        connect(parser)
        return parser


@contextmanager
def admin(arguments: argparse.Namespace) -> Iterator[AdminClient]:
    """An AdminClient of a command's options. Raises: UsageError, CommandError: it cannot be made."""
    settings = client_settings(arguments)
    require_brokers(settings)
    log = ClientLog(arguments.verbose)
    with open_client(lambda conf: AdminClient({**conf, **log.settings()}), settings) as client:
        yield client


def confirm(arguments: argparse.Namespace, what: str) -> None:
    """Ask before data is destroyed. Raises: UsageError: the answer is no, or nobody can be asked."""
    if arguments.yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"{what}: add --yes to do it without being asked")
    sys.stderr.write(f"{what}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was done")


def outcomes(futures: Mapping[Key, Future[Value]], failed: dict[Key, KafkaException]) -> Iterator[tuple[Key, Value]]:
    """Give the results of a call item by item; failures go to ``failed``."""
    for key, future in futures.items():
        try:
            value = future.result()
        except KafkaException as error:  # noqa: PERF203  # once per item
            failed[key] = error
        else:
            yield key, value


def finish(failed: Mapping[Any, KafkaException], name: Callable[[Any], str] = str) -> int:
    """Tell the failures; gives the exit code."""
    for key, error in failed.items():
        say(f"{name(key)}: {describe(error)}")
    return FAILED if failed else OK


def show(arguments: argparse.Namespace, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as a table, or with --json as a list of objects whose keys are the columns."""
    listed = [list(row) for row in rows]
    if arguments.json:
        print_json([dict(zip(columns, row, strict=True)) for row in listed])
        return
    if not listed and len(columns) == 1:
        return  # nothing was created or deleted: what is wrong is told on standard error
    cells = [[column.upper().replace("_", " ") for column in columns], *([_cell(v) for v in row] for row in listed)]
    numbers = [all(isinstance(row[n], (int, float)) for row in listed) and bool(listed) for n in range(len(columns))]
    widths = [max(len(row[n]) for row in cells) for n in range(len(columns))]
    for row in cells:
        padded = (c.rjust(w) if right else c.ljust(w) for c, w, right in zip(row, widths, numbers, strict=True))
        print("  ".join(padded).rstrip())


def altered(
    arguments: argparse.Namespace, entry: dict[str, Any], what: str, failed: Mapping[Any, KafkaException]
) -> None:
    """Tell what an ``alter`` has done to one thing: on standard error, with --json as a list of one object or none."""
    if arguments.json:
        print_json([] if failed else [{**entry, "changed": not arguments.validate_only}])
    elif not failed:
        say(f"{what}: {'valid, nothing was changed' if arguments.validate_only else 'changed'}")


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return str(value)


def property_of(text: str) -> tuple[str, str]:
    """``KEY=VALUE`` of --config and --set."""
    return parse_property(text)


def timeouts(arguments: argparse.Namespace) -> dict[str, float]:
    """Options for requests that brokers work on: both the client and the broker wait so long."""
    return {"request_timeout": arguments.timeout, "operation_timeout": arguments.timeout}
