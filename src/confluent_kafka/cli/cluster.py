# SPDX-License-Identifier: Apache-2.0
"""``cluster``: its id, controller and brokers."""

from __future__ import annotations

import argparse
from typing import Any

from ._admin import admin, print_json, show
from ._settings import add_client_options


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("cluster", help="show the cluster's id, controller and brokers")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--timeout", type=float, default=30.0, metavar="S", help="seconds to wait for the brokers' answer (30)"
    )
    add_client_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    with admin(arguments) as client:
        cluster = client.describe_cluster(request_timeout=arguments.timeout).result()
    controller = cluster.controller.id if cluster.controller is not None else None
    brokers = [(n.id, n.host, n.port, n.rack) for n in sorted(cluster.nodes, key=lambda node: node.id)]
    if arguments.json:
        nodes = [dict(zip(("id", "host", "port", "rack"), broker, strict=True)) for broker in brokers]
        print_json({"cluster_id": cluster.cluster_id, "controller": controller, "brokers": nodes})
        return 0
    print(f"cluster {cluster.cluster_id}, controller {controller if controller is not None else '-'}")
    show(arguments, ("id", "host", "port", "rack"), brokers)
    return 0
