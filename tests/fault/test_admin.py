# SPDX-License-Identifier: Apache-2.0
"""Admin clients and what happens to processes: forks, Ctrl-C, exits, threads that close."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fault.children import run_child
from tests.support.broker import KafkaBroker
from tests.support.fake_broker import SilentBroker

IMPORTS = """
import asyncio
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.aio import AIOAdminClient
from confluent_kafka.error import ForkedClientError

conf = {"bootstrap.servers": sys.argv[1], "log_level": 0}
"""

FORK = """
admin = AdminClient(conf)
assert admin.describe_cluster().result(60).cluster_id
child = os.fork()
if child == 0:
    refused = 0
    for call in (admin.describe_cluster, admin.list_topics, admin.cluster_id, lambda: admin.poll(0),
                 lambda: admin.create_topics([NewTopic("t")])):
        try:
            call()
        except ForkedClientError:
            refused += 1
    admin.close()
    del admin
    # One of its own works.
    with AdminClient(conf) as own:
        refused += own.describe_cluster().result(60).cluster_id is not None
    os._exit(refused)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 6
assert admin.describe_cluster().result(60).cluster_id
print("done")
"""

INTERRUPT = """
admin = AdminClient(conf)
pending = admin.describe_cluster(request_timeout=3_000)
for call in (lambda: admin.list_topics(), lambda: admin.cluster_id(), lambda: admin.poll(-1), lambda: pending.result()):
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        call()
        print("not interrupted")
    except KeyboardInterrupt:
        pass
assert not pending.done()
admin.close()
assert pending.exception(60) is not None
print("done")
"""

# With requests under way, at which nobody will ever look.
EXIT = """
admin = AdminClient(conf)
futures = [admin.describe_cluster(request_timeout=3_000) for _ in range(50)]
futures[0].add_done_callback(lambda future: None)
dropped = AdminClient(conf)
dropped.create_topics([NewTopic("t")], request_timeout=3_000)

async def main():
    client = AIOAdminClient(conf)
    task = asyncio.ensure_future(client.describe_cluster(request_timeout=3_000))
    await asyncio.sleep(0.05)
    return client

client = asyncio.run(main())
print("done")
"""

# Each closes while the others ask, one of them from a callback on the native thread.
CLOSE = """
for turn in range(20):
    admin = AdminClient(conf)
    futures, start = [], threading.Barrier(5)

    def ask():
        start.wait(60)
        try:
            for _ in range(50):
                futures.append(admin.describe_cluster(request_timeout=3_000))
        except RuntimeError as error:
            assert "has been closed" in str(error), error

    def close():
        start.wait(60)
        admin.close()

    late = admin.describe_cluster(request_timeout=0.001 * turn)
    late.add_done_callback(lambda future: admin.close())
    threads = [threading.Thread(target=call) for call in (ask, ask, ask, close, close)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(isinstance(future.exception(60), KafkaException) for future in [late, *futures])
print("done")
"""


@pytest.fixture(scope="module")
def silent() -> Iterator[SilentBroker]:
    with SilentBroker() as server:
        yield server


def test_a_forked_child_is_refused_and_leaves_the_parents_client_alone(broker: KafkaBroker) -> None:
    assert run_child(IMPORTS + FORK, broker.bootstrap).expect().out == "done\n"


@pytest.mark.parametrize("program", [INTERRUPT, EXIT, CLOSE], ids=["Ctrl-C", "exit", "close"])
def test_nothing_hangs(program: str, silent: SilentBroker) -> None:
    ended = run_child(IMPORTS + program, silent.bootstrap).expect()
    assert ended.out == "done\n"
    assert "Traceback" not in ended.err
