# SPDX-License-Identifier: Apache-2.0
"""A web service that produces a message per request and answers when it is delivered.

    KAFKA_BOOTSTRAP_SERVERS=localhost:9092 python asyncio_service.py [TOPIC] [PORT]
    curl -d 'two apples' http://localhost:8000/orders/customer-7

It needs the packages starlette and uvicorn. Ctrl-C or SIGTERM: answers the requests under way and sends what is queued.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from confluent_kafka import KafkaException, config_from_env
from confluent_kafka.aio import AIOProducer
from confluent_kafka.error import QueueFullError


class State(TypedDict):
    producer: AIOProducer
    topic: str


async def order(request: Request) -> JSONResponse:
    producer, customer = request.state.producer, request.path_params["customer"]
    try:
        # Requests do not wait for each other: messages of many go to the broker together.
        message = await producer.send(request.state.topic, await request.body(), customer, timeout=1)
    except QueueFullError:
        return JSONResponse({"error": "too many orders at once, try again later"}, 503, {"Retry-After": "1"})
    except KafkaException as e:
        return JSONResponse({"error": f"the order was not taken: {e.args[0].str()}"}, 503)
    return JSONResponse({"partition": message.partition(), "offset": message.offset()}, 201)


# In FastAPI, which is built on Starlette: app = FastAPI(lifespan=lifespan), @app.post("/orders/{customer}") on order.
def service(topic: str) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[State]:
        conf = {
            "bootstrap.servers": "localhost:9092",
            "enable.idempotence": True,
            # A client of the service waits that long at most: the default is five minutes.
            "message.timeout.ms": 10_000,
            **config_from_env(),
        }
        # One producer for all requests. Leaving the block sends what is queued.
        async with AIOProducer(conf) as producer:
            yield {"producer": producer, "topic": topic}

    return Starlette(routes=[Route("/orders/{customer}", order, methods=["POST"])], lifespan=lifespan)


def main(topic: str, port: int) -> int:
    uvicorn.run(service(topic), port=port)
    return 0


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("topic", nargs="?", default="example-orders")
    arguments.add_argument("port", nargs="?", type=int, default=8000)
    sys.exit(main(**vars(arguments.parse_args())))
