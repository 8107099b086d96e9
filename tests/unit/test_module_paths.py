# SPDX-License-Identifier: Apache-2.0
"""Inner paths and names that existing code imports from, though they were never promised."""

from __future__ import annotations

import importlib

import pytest

PLACES = {
    "cimpl.Producer": "Producer",
    "aio._AIOConsumer.AIOConsumer": "aio.AIOConsumer",
    "aio.producer.AIOProducer": "aio.AIOProducer",
    "aio.producer._AIOProducer.AIOProducer": "aio.AIOProducer",
    "admin._ElectionType": "ElectionType",
    "schema_registry._sync.avro.AvroSerializer": "schema_registry.avro.AvroSerializer",
    "schema_registry._async.avro.AsyncAvroSerializer": "schema_registry.avro.AsyncAvroSerializer",
    "schema_registry._sync.serde.FALLBACK_TYPE": "schema_registry.serde.FALLBACK_TYPE",
    "schema_registry._async.serde.KAFKA_CLUSTER_ID": "schema_registry.serde.KAFKA_CLUSTER_ID",
    "schema_registry.protobuf._create_index_array": "schema_registry.common.protobuf._create_index_array",
    "schema_registry.protobuf._schema_to_str": "schema_registry.common.protobuf._schema_to_str",
}


def found(path: str) -> object:
    module, _, name = ("confluent_kafka." + path).rpartition(".")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("path", PLACES)
def test_same_object(path: str) -> None:
    assert found(path) is found(PLACES[path])
