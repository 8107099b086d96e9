# SPDX-License-Identifier: Apache-2.0
"""Configuration callbacks as functions and as coroutine functions, and what a failing one does."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.aio import AIOConsumer, AIOProducer
from tests.aio.kit import DEADLINE, MakeAIOConsumer, MakeAIOProducer, Run, eventually, failure_of, poll_until, read
from tests.aio.oauth_broker import OAuthBroker, unsigned_token
from tests.integration.kit import UNREACHABLE, MakeTopic


def either(kind: str, callback: Callable[..., Any]) -> Callable[..., Any]:
    """The callback as a function or a coroutine function, which must run on the loop's thread."""
    thread = threading.get_ident()

    def function(*arguments: Any) -> Any:
        assert threading.get_ident() == thread
        return callback(*arguments)

    async def coroutine(*arguments: Any) -> Any:
        await asyncio.sleep(0)
        return function(*arguments)

    return function if kind == "function" else coroutine


both = pytest.mark.parametrize("kind", ["function", "coroutine function"])


@both
def test_statistics_errors_and_logs_of_a_producer(run: Run, aio_producer: MakeAIOProducer, kind: str) -> None:
    seen: dict[str, list[Any]] = {"stats": [], "error": [], "log": []}

    class Logger:
        log = staticmethod(either(kind, lambda *arguments: seen["log"].append(arguments)))

    conf = {
        "bootstrap.servers": UNREACHABLE,
        "statistics.interval.ms": 20,
        "stats_cb": either(kind, lambda text: seen["stats"].append(json.loads(text))),
        "error_cb": either(kind, seen["error"].append),
        "logger": Logger(),
        "debug": "conf",
    }
    before = dict(conf)

    async def main() -> None:
        producer = aio_producer(conf)
        await producer.poll(0)  # binds it to the loop: from now on nobody has to poll
        await eventually(lambda: all(seen.values()), f"each kind of callback, got {[k for k in seen if seen[k]]}")

    run(main)
    assert conf == before, "the caller's dict was changed"
    assert seen["stats"][0]["type"] == "producer"
    assert all(isinstance(error, KafkaError) for error in seen["error"])


@both
def test_statistics_and_commits_of_a_consumer(
    run: Run, aio_producer: MakeAIOProducer, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic, kind: str
) -> None:
    topic = make_topic()
    stats: list[str] = []
    commits: list[Any] = []

    async def main() -> None:
        await aio_producer().send(topic, b"v")
        consumer = aio_consumer(
            {
                "statistics.interval.ms": 20,
                "stats_cb": either(kind, stats.append),
                "on_commit": either(kind, lambda error, offsets: commits.append((error, offsets))),
                "enable.auto.commit": False,
            }
        )
        await consumer.subscribe([topic])
        await read(consumer, 1)
        await consumer.commit()
        await poll_until(consumer, lambda: stats and commits, "statistics and the outcome of the commit")

    run(main)
    [(error, offsets)] = commits
    assert error is None
    assert [(place.topic, place.offset) for place in offsets] == [(topic, 1)]


@both
def test_delivery_callbacks_beside_the_future(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, kind: str
) -> None:
    topic = make_topic()
    told: list[tuple[KafkaError | None, Any]] = []

    async def main() -> None:
        tell = either(kind, lambda error, message: told.append((error, message.value())))
        producer = aio_producer({"message.max.bytes": 1_000, "on_delivery": tell})
        delivered = await (await producer.produce(topic, b"by configuration"))
        assert delivered.value() == b"by configuration"
        await (await producer.produce(topic, b"by argument", callback=tell))
        await eventually(lambda: len(told) == 2, "both callbacks")
        error = await failure_of(await producer.produce(topic, b"x" * 2_000))
        assert error.code() == KafkaError.MSG_SIZE_TOO_LARGE

    run(main)
    assert told == [(None, b"by configuration"), (None, b"by argument")]


@both
def test_a_failing_callback_of_a_producer_goes_to_the_loop(
    run: Run, aio_producer: MakeAIOProducer, make_topic: MakeTopic, kind: str
) -> None:
    topic = make_topic()

    def fail(*_: Any) -> None:
        raise LookupError("callback")

    async def main() -> None:
        producer = aio_producer({"on_delivery": either(kind, fail)})
        futures = [await producer.produce(topic, b"v") for _ in range(3)]
        assert [message.offset() for message in await asyncio.gather(*futures)] == [0, 1, 2]
        await eventually(lambda: len(run.noise) == 3, "three failures")
        assert all(isinstance(context["exception"], LookupError) for context in run.noise)
        run.noise.clear()

    run(main)


@both
def test_a_failing_callback_of_a_consumer_comes_out_of_poll(
    run: Run, aio_producer: MakeAIOProducer, aio_consumer: MakeAIOConsumer, make_topic: MakeTopic, kind: str
) -> None:
    topic = make_topic()
    raised = 0

    def fail(*_: Any) -> None:
        nonlocal raised
        raised += 1
        raise LookupError(f"callback {raised}")

    async def main() -> None:
        await aio_producer().produce_batch(topic, [b"0", b"1", b"2"])
        consumer = aio_consumer({"statistics.interval.ms": 50, "stats_cb": either(kind, fail)})
        await consumer.subscribe([topic])
        values, failures = [], 0

        async def step() -> bool:
            nonlocal failures
            try:
                message = await consumer.poll(0.1)
            except LookupError:
                failures += 1
            else:
                if message is not None:
                    values.append(message.value())
            return failures >= 2 and len(values) == 3

        await eventually(step, "all messages, and the failures")
        assert values == [b"0", b"1", b"2"]
        await asyncio.gather(consumer.close(), return_exceptions=True)

    run(main)
    assert raised >= 2


@both
@pytest.mark.parametrize("client", ["producer", "consumer"])
def test_oauth_tokens_on_the_loop(run: Run, own_broker: OAuthBroker, kind: str, client: str) -> None:
    asked: list[str] = []

    def token(config: str) -> tuple[str, float]:
        asked.append(config)
        return unsigned_token("somebody")

    async def main() -> None:
        conf = {
            "bootstrap.servers": own_broker.oauth,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.oauthbearer.config": "scope=x",
            "oauth_cb": either(kind, token),
        }
        made: AIOProducer | AIOConsumer
        if client == "producer":
            made = AIOProducer(conf)
        else:
            made = AIOConsumer({**conf, "group.id": "g"})
        run.clients.append(made)
        assert await made.cluster_id(DEADLINE)

    run(main)
    assert asked[0] == "scope=x"


def test_an_error_of_a_dead_broker_is_told_and_nothing_else_breaks(run: Run, aio_consumer: MakeAIOConsumer) -> None:
    errors: list[KafkaError] = []

    async def main() -> None:
        consumer = aio_consumer({"bootstrap.servers": UNREACHABLE, "error_cb": errors.append, "log_level": 0})
        await consumer.subscribe(["anything"])
        await eventually(lambda: _polled(consumer, errors), "an error")
        with pytest.raises(KafkaException):
            await consumer.list_topics(timeout=0.2)

    run(main)
    assert {error.code() for error in errors} & {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN}


async def _polled(consumer: AIOConsumer, errors: list[KafkaError]) -> bool:
    await consumer.poll(0.1)
    return bool(errors)
