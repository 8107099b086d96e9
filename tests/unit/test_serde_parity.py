# SPDX-License-Identifier: Apache-2.0
"""What the asyncio serializers offer is what the synchronous ones do."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from confluent_kafka.schema_registry import SchemaRegistryClient, avro, json_schema, protobuf
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from tests.unit.avro_kit import AN_ORDER, ORDER, context

FORMATS = {"Avro": avro, "JSON": json_schema, "Protobuf": protobuf}
PAIRS = [
    pytest.param(getattr(module, f"{name}{kind}"), getattr(module, f"Async{name}{kind}"), id=f"{name}{kind}")
    for name, module in FORMATS.items()
    for kind in ("Serializer", "Deserializer", "SerializerBuilder", "DeserializerBuilder")
]
# who offers a resolver looks for the name that it has; what has to be awaited is closed by a name of its own
ONLY_ASYNC = {"aclose", "set_async_cluster_id_resolver"}


def public(kind: type) -> dict[str, Any]:
    names = (name for name in dir(kind) if not name.startswith("_"))
    return {name: getattr(kind, name) for name in names if callable(getattr(kind, name))}


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    found = inspect.signature(function).parameters.values()
    return [(one.name, one.kind, one.default) for one in found if one.name != "self"]


@pytest.mark.parametrize(("sync", "waiting"), PAIRS)
def test_same_constructor_and_methods(sync: type, waiting: type) -> None:
    assert parameters(sync) == parameters(waiting)
    ours, theirs = public(sync), public(waiting)
    assert theirs.keys() - ours.keys() <= ONLY_ASYNC
    assert ours.keys() <= theirs.keys()
    for name, method in ours.items():
        assert parameters(method) == parameters(theirs[name]), name
        assert inspect.getdoc(method), name
    assert inspect.getdoc(waiting)


@pytest.mark.parametrize(("sync", "waiting"), [pair for pair in PAIRS if "Builder" not in str(pair.id)])
def test_calls_are_awaited(sync: type, waiting: type) -> None:
    for name in ("__call__", *(name for name in public(sync) if name.endswith("_many"))):
        assert not inspect.iscoroutinefunction(getattr(sync, name))
        assert inspect.iscoroutinefunction(getattr(waiting, name))


def test_the_strategy_can_be_changed() -> None:
    client = SchemaRegistryClient({"url": "mock://"})
    serializer, deserializer = AvroSerializer(client, ORDER), AvroDeserializer(client)
    data = serializer(AN_ORDER, context())
    serializer.configure_subject_name_strategy("RECORD")
    deserializer.configure_subject_name_strategy(subject_name_strategy=lambda ctx, name: "shop.Order")
    assert deserializer(serializer(AN_ORDER, context()), context()) == AN_ORDER
    assert client.get_subjects() == ["orders-value", "shop.Order"]
    serializer.configure_subject_name_strategy()
    assert serializer(AN_ORDER, context()) == data
    with pytest.raises(ValueError, match="NOPE"):
        serializer.configure_subject_name_strategy("NOPE")
