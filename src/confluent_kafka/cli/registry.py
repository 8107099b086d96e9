# SPDX-License-Identifier: Apache-2.0
"""``registry``: an embedded Schema Registry that other terminals can use until this one presses Ctrl-C."""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

from confluent_kafka.testing import SchemaRegistryServer

from ._errors import CommandError, UsageError
from ._terminal import say

USER_INFO = "SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO"
EPILOG = f"""\
examples:
  %(prog)s                                  prints its URL, runs until Ctrl-C
  %(prog)s --port 8081 --compatibility FULL

It is for trying things out: everything is in memory and gone at the end. With {USER_INFO}=user:password in
the environment it asks for that password.
"""


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "registry",
        help="run an embedded Schema Registry for other terminals",
        description="Run a Schema Registry inside this process; the first line printed is its URL.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="port on 127.0.0.1 (a free one)")
    parser.add_argument("--compatibility", metavar="LEVEL", help="level where none is set (BACKWARD)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the URL")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C. Raises: UsageError: an option is impossible; CommandError: the port is taken."""
    user, separator, password = os.environ.get(USER_INFO, "").partition(":")
    try:
        auth = (user, password) if separator else None
        server = SchemaRegistryServer(port=arguments.port, basic_auth=auth, keep_requests=0)
    except OverflowError as error:
        raise UsageError(f"--port must be between 0 and 65535, not {arguments.port}") from error
    except OSError as error:
        raise CommandError(f"port {arguments.port}: {error.strerror or error}") from error
    with server:
        if arguments.compatibility:
            status, answer = server.app.handle("PUT", "/config", {}, {"compatibility": arguments.compatibility})
            if status != 200:
                raise UsageError(f"--compatibility {arguments.compatibility}: {answer['message']}")
        print(json.dumps({"url": server.url}) if arguments.json else server.url, flush=True)
        say("embedded Schema Registry is running, stop it with Ctrl-C")
        while True:
            time.sleep(3600)
