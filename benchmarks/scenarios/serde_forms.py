# SPDX-License-Identifier: Apache-2.0
"""The other forms of the serializers: awaited calls and batches, against plain calls of the same; ours only."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from _measure import expect, report
from _serde import AVRO, JSON, arguments, context, serdes

BATCH = 100
# Each form's best of so many rounds: what differs between rounds is other work of the machine.
ROUNDS = 10


def awaited(name: str, work: str, client: Any) -> Any:
    import json

    if name == "avro":
        from confluent_kafka.schema_registry.avro import AsyncAvroDeserializer, AsyncAvroSerializer

        return AsyncAvroSerializer(client, json.dumps(AVRO)) if work == "serialize" else AsyncAvroDeserializer(client)
    if name == "json":
        from confluent_kafka.schema_registry.json_schema import AsyncJSONDeserializer, AsyncJSONSerializer

        text = json.dumps(JSON)
        if work == "serialize":
            return AsyncJSONSerializer(text, client)
        return AsyncJSONDeserializer(text, schema_registry_client=client)
    from google.protobuf import descriptor_pool, message_factory

    from confluent_kafka.schema_registry.protobuf import AsyncProtobufDeserializer, AsyncProtobufSerializer

    message_type = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName("shop.Order"))
    if work == "serialize":
        return AsyncProtobufSerializer(message_type, client)
    return AsyncProtobufDeserializer(message_type, schema_registry_client=client)


async def measure(name: str, work: str, messages: int) -> dict[str, float]:
    client, order, serializer, deserializer = serdes(name)
    ctx = context()
    data = serializer(order, ctx)
    plain, given = (serializer, order) if work == "serialize" else (deserializer, data)
    many = serializer.serialize_many if work == "serialize" else deserializer.deserialize_many
    waiting = awaited(name, work, client)
    result = plain(given, ctx)
    expect("awaited", result, await waiting(given, ctx))
    batch = [given] * BATCH
    expect("in a batch", [result] * BATCH, many(batch, ctx))
    best = {"single": float("inf"), "async": float("inf"), "batch": float("inf")}
    count = messages // ROUNDS
    for _ in range(ROUNDS):
        times = {}
        began = time.thread_time_ns()
        for _ in range(count):
            plain(given, ctx)
        times["single"] = time.thread_time_ns() - began
        began = time.thread_time_ns()
        for _ in range(count):
            await waiting(given, ctx)
        times["async"] = time.thread_time_ns() - began
        began = time.thread_time_ns()
        for _ in range(count // BATCH):
            many(batch, ctx)
        times["batch"] = time.thread_time_ns() - began
        best = {form: min(best[form], taken / count) for form, taken in times.items()}
    return {
        **{f"{form}_ns": taken for form, taken in best.items()},
        "async_overhead_ns": best["async"] - best["single"],
        "batch_to_single": best["batch"] / best["single"],
    }


def main() -> None:
    options = arguments(__doc__).parse_args()
    report(options.messages, **asyncio.run(measure(options.format, options.work, options.messages)))


if __name__ == "__main__":
    main()
