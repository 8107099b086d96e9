# SPDX-License-Identifier: Apache-2.0
"""The registry client's caches: what a hundred thousand schemas take, and that there are never more."""

from __future__ import annotations

import pytest

from tests.fault.children import run_child
from tests.support.unreliable_http import UnreliableServer

SCHEMAS = 100_000
SCHEMA_BYTES = 1024
LIMIT_BYTES = 300_000_000

FILL = """
import gc, json
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry._core.effects import HttpReply

count, size = int(sys.argv[1]), int(sys.argv[2])

class Registry:
    inherited = False
    def send(self, request):
        number = request.url.rpartition("/")[2]
        return HttpReply(200, {}, json.dumps({"schema": f'{number:_<{size}}', "guid": f"guid-{number}"}).encode())

def resident():
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

client = SchemaRegistryClient({"url": "http://registry", "cache.capacity": count})
client._rest_client._transport = Registry()
client.get_schema(0)
before = resident()
for number in range(1, count):
    client.get_schema(number)
full = resident()
assert len(client._caches.schemas) == count
assert len({id(client.get_schema(number)) for number in range(count)}) == count
for number in range(count, count + count // 5):
    client.get_schema(number)
assert len(client._caches.schemas) == len(client._caches.guids) == count
assert len(client._caches.by_id) <= count
print(full - before, resident() - full)
"""


CYCLES = """
import asyncio, gc, threading
from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, SchemaRegistryClient

conf, closed = {"url": sys.argv[1], "timeout": 60}, sys.argv[2] == "closed"

def cycle():
    client = SchemaRegistryClient(conf)
    client.get_schema(1)
    if closed:
        client.close()

async def asynchronous():
    client = AsyncSchemaRegistryClient(conf)
    await asyncio.gather(*(client.get_schema(number) for number in range(3)))
    if closed:
        await client.aclose()

def state():
    gc.collect()
    return len(os.listdir("/proc/self/fd")), threading.active_count()

for _ in range(3):
    cycle()
    asyncio.run(asynchronous())
before = state()
for _ in range(30):
    cycle()
    asyncio.run(asynchronous())
assert state() == before, (before, state())
"""


@pytest.mark.parametrize("how", ["closed", "collected"])
def test_clients_leave_nothing_behind(how: str) -> None:
    with UnreliableServer() as server:
        run_child(CYCLES, server.url, how).expect()


def test_schemas_at_capacity() -> None:
    done = run_child(FILL, str(SCHEMAS), str(SCHEMA_BYTES)).expect()
    grown, beyond = map(int, done.out.split())
    assert SCHEMAS * SCHEMA_BYTES <= grown <= LIMIT_BYTES
    # the allocator keeps some of what was freed
    assert beyond <= LIMIT_BYTES / 10, done.out
