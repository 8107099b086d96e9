# SPDX-License-Identifier: Apache-2.0
"""Ask the registry client for a schema by its id, again and again; the registry is asked once."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from _measure import Stopwatch, expect, parser, report

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.schema_registry_client import AsyncSchemaRegistryClient

SCHEMA = '{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]}'
asked: list[str] = []


class Registry(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked.append(self.path)
        body = json.dumps({"schema": SCHEMA}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def plain(conf: dict[str, Any], count: int) -> Stopwatch:
    client = SchemaRegistryClient(conf)
    expect("the schema", SCHEMA, client.get_schema(1).schema_str)
    for _ in range(count // 10):
        client.get_schema(1)
    watch = Stopwatch()
    watch.start_process()
    watch.start_thread()
    for _ in range(count):
        client.get_schema(1)
    watch.stop()
    client.close()
    return watch


async def awaited(conf: dict[str, Any], count: int) -> Stopwatch:
    client = AsyncSchemaRegistryClient(conf)
    expect("the schema", SCHEMA, (await client.get_schema(1)).schema_str)
    for _ in range(count // 10):
        await client.get_schema(1)
    watch = Stopwatch()
    watch.start_process()
    watch.start_thread()
    for _ in range(count):
        await client.get_schema(1)
    watch.stop()
    await client.aclose()
    return watch


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--awaited", action="store_true", help="by the asyncio client")
    chosen = options.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    conf = {"url": f"http://127.0.0.1:{server.server_port}"}
    count = chosen.messages
    watch = asyncio.run(awaited(conf, count)) if chosen.awaited else plain(conf, count)
    expect("requests", 1, len(asked))
    server.shutdown()
    report(count, watch)


if __name__ == "__main__":
    main()
