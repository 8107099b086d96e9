# SPDX-License-Identifier: Apache-2.0
"""Finds the command, runs it, and turns every way it can end into an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from confluent_kafka import KafkaException

from . import acls, broker, cluster, completion, configs, consume, demo, groups, produce, registry, schemas, topics
from ._errors import FAILED, INTERRUPTED, OK, USAGE, CommandError
from ._settings import describe
from ._terminal import discard_output, say
from .version import print_version

EPILOG = """\
examples:
  %(prog)s demo                               real records through the whole path, in this process
  %(prog)s broker --topic words:3             an embedded cluster for other terminals
  echo hello | %(prog)s produce words -b 127.0.0.1:9092
  %(prog)s consume words -b 127.0.0.1:9092 --json
  %(prog)s topics create orders --partitions 6 -b 127.0.0.1:9092
  %(prog)s groups lag billing -b 127.0.0.1:9092
  %(prog)s schemas list --schema-registry http://127.0.0.1:8081

exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C
'%(prog)s COMMAND --help' says more about each command.
"""


def program_name(argv0: str) -> str:
    """How the user called us, so that the examples of --help can be typed as they stand."""
    name = os.path.basename(argv0)
    return "python -m confluent_kafka" if name in ("__main__.py", "-m", "") else os.path.splitext(name)[0]


def build_parser(prog: str = "ferrokafka") -> argparse.ArgumentParser:
    """The whole command line; each command adds its own options and names its function as ``run``."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Produce to, consume from and try out Apache Kafka.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-V", "--version", action="store_true", help="print the versions and build features, then exit (with --json)"
    )
    parser.add_argument("--json", action="store_true", dest="version_json", help=argparse.SUPPRESS)
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    modules = (demo, broker, produce, consume, topics, groups, configs, acls, cluster, registry, schemas, completion)
    for module in modules:
        module.add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments after the program's name; None reads them from ``sys.argv``.
    Returns: the exit code: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
    """
    parser = build_parser(program_name(sys.argv[0]) if argv is None else "ferrokafka")
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as leave:  # argparse has printed help (0) or the usage (2)
        return leave.code if isinstance(leave.code, int) else USAGE
    label = f"{parser.prog} {arguments.command}" if arguments.command else parser.prog
    try:
        if arguments.version:
            print_version(arguments.version_json)
            code = OK
        elif arguments.command is None:
            parser.print_help(sys.stderr)
            return USAGE
        else:
            code = arguments.run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return int(code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough (`| head`): that is no failure.
        discard_output()
        return OK
    except CommandError as error:
        say(f"{label}: {error}")
        return error.exit_code
    except KafkaException as error:
        say(f"{label}: {describe(error)}")
        return FAILED
    except OSError as error:
        say(f"{label}: {error}")
        return FAILED
