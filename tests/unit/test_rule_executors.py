# SPDX-License-Identifier: Apache-2.0
"""Rules in CEL and JSONata, and the dead letter queue."""

from __future__ import annotations

import asyncio
import json
import threading
from decimal import Decimal
from typing import Any

import pytest

from confluent_kafka.schema_registry import RuleKind, RuleMode, SchemaRegistryClient
from confluent_kafka.schema_registry._core.codecs.protobuf_files import link, to_text
from confluent_kafka.schema_registry.avro import AsyncAvroSerializer, AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.common.serde import (
    ValidationRule,
    clear_original_key,
    default_validation_rule_executor,
    evaluate_validation_rule,
    parse_validation_rules,
    set_original_key,
)
from confluent_kafka.schema_registry.confluent.type.variant_utils import parse_json
from confluent_kafka.schema_registry.error import RuleConditionError
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.cel.cel_executor import CelExecutor
from confluent_kafka.schema_registry.rules.cel.cel_field_executor import CelFieldExecutor
from confluent_kafka.schema_registry.rules.cel.extra_func import EXTRA_FUNCS, validate_host_and_port
from confluent_kafka.schema_registry.rules.dlq.dlq_action import DlqAction, FieldRedactionExecutor
from confluent_kafka.schema_registry.rules.jsonata.jsonata_executor import JsonataExecutor
from confluent_kafka.serialization import SerializationError
from tests.unit.encryption_kit import KEK
from tests.unit.rules_kit import DeadLetters, Mark, context, rule, schema_with

# isort: split
from celpy import celtypes
from google.protobuf.message_factory import GetMessageClass

WRITE = RuleMode.WRITE
ORDERS = "orders-value"
PLAIN = {"id": 1, "card": "4111"}


@pytest.fixture
def client() -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": "mock://"})


@pytest.fixture
def registry() -> RuleRegistry:
    made = RuleRegistry()
    for executor in (CelExecutor(), CelFieldExecutor(), JsonataExecutor(), FieldRedactionExecutor()):
        made.register_executor(executor)
    return made


def written(client: SchemaRegistryClient, registry: RuleRegistry, one: Any, order: Any = PLAIN) -> Any:
    """What is read back, without rules, of an order written with a rule."""
    data = AvroSerializer(client, schema_with([one]), rule_registry=registry)(order, context())
    return AvroDeserializer(client, rule_registry=registry)(data, context())


class TestCel:
    @pytest.mark.parametrize(
        ("expr", "holds"),
        [
            ("message.id > 0 && message.card == '4111'", True),
            ("message.id > 1", False),
            ("message.id > 1 ; message.card == 'no'", True),
            ("message.id > 0 ; message.card == 'no'", False),
            ("has(message.card) && size(message.card) == 4", True),
            ("now > timestamp('2020-01-01T00:00:00Z')", True),
            ("'a@example.com'.isEmail() && !'a@'.isEmail()", True),
            ("isIpv4('127.0.0.1') && isHostname('example.com') && !isUuid('x')", True),
        ],
    )
    def test_condition(self, client: SchemaRegistryClient, registry: RuleRegistry, expr: str, holds: bool) -> None:
        one = rule("CEL", what=RuleKind.CONDITION, expr=expr, mode=WRITE)
        if holds:
            assert written(client, registry, one)["card"] == "4111"
        else:
            with pytest.raises(SerializationError) as raised:
                written(client, registry, one)
            assert isinstance(raised.value.__cause__, RuleConditionError)

    def test_transform(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        one = rule("CEL", expr="{'id': message.id + 1, 'card': message.card + '!'}", mode=WRITE)
        out = written(client, registry, one)
        assert (out["id"], out["card"], type(out["card"])) == (2, "4111!", str)
        guarded = rule("CEL", expr="message.id > 5 ; {'id': 9}", mode=WRITE)
        client.delete_subject(ORDERS)
        client.clear_caches()
        assert written(client, registry, guarded)["id"] == 1

    def test_fields(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        expr = "typeName == 'STRING' ; value + '-' + name + '-' + string(message.id) + '-' + tags[0]"
        out = written(client, registry, rule("CEL_FIELD", expr=expr, tags=["PII"], mode=WRITE))
        assert out["card"] == "4111-card-1-PII"
        assert out["note"] is None

    def test_logical_types_both_ways(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        parts = [{"name": "metadata", "type": "bytes"}, {"name": "value", "type": "bytes", "confluent:tags": ["PII"]}]
        fields = [
            {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
            {"name": "extra", "type": {"type": "record", "name": "Extra", "logicalType": "variant", "fields": parts}},
        ]
        text = {"type": "record", "name": "Order", "fields": fields}
        rules = [
            rule("CEL", "double", expr="{'price': decimals.mul(message.price, 2), 'extra': message.extra}"),
            rule("CEL", "check", what=RuleKind.CONDITION, expr="variants.type(message.extra) == 'int'"),
            # the parts of a variant are fields like others
            rule("CEL_FIELD", "five", expr="b'\\x0c\\x05'", tags=["PII"], mode=WRITE),
        ]
        serializer = AvroSerializer(client, schema_with(rules, text=text), rule_registry=registry)
        order = {"price": Decimal("1.25"), "extra": parse_json("7")}
        data = serializer(order, context())
        out = AvroDeserializer(client, rule_registry=registry)(data, context())
        assert out == {"price": Decimal("5.00"), "extra": parse_json("5")}
        assert order == {"price": Decimal("1.25"), "extra": parse_json("7")}

    def test_field_condition(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        one = rule("CEL_FIELD", what=RuleKind.CONDITION, expr="name != 'card' || value.startsWith('5')", mode=WRITE)
        with pytest.raises(SerializationError) as raised:
            written(client, registry, one)
        assert isinstance(raised.value.__cause__, RuleConditionError)

    def test_wrong_expressions(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        for expr in ("message.", "message.nothing > 1", "nowhere(1)"):
            with pytest.raises(SerializationError, match="rule rule \\(CEL\\)"):
                written(client, registry, rule("CEL", what=RuleKind.CONDITION, expr=expr, mode=WRITE))
            client.delete_subject(ORDERS)
            client.clear_caches()

    def test_protobuf(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        text = 'syntax = "proto3"; package p; message M { int32 a = 1; string b = 2; optional string c = 3; }'
        kind = GetMessageClass(link(text, {}).descriptor.message_types_by_name["M"])
        rules = [
            rule("CEL", "check", what=RuleKind.CONDITION, expr="message.a == 1 && message.b == 'x'", mode=WRITE),
            rule("CEL", "change", expr="{'a': message.a + 1, 'b': message.b}", mode=WRITE),
        ]
        schema = schema_with(rules, text=to_text(kind.DESCRIPTOR.file), kind="PROTOBUF")
        client.register_schema(ORDERS, schema)
        conf = {"use.latest.version": True, "auto.register.schemas": False}
        data = ProtobufSerializer(kind, client, conf, rule_registry=registry)(kind(a=1, b="x"), context())
        read = ProtobufDeserializer(kind, schema_registry_client=client)
        assert read(data, context()) == kind(a=2, b="x")

    @pytest.mark.parametrize(
        ("name", "good", "bad"),
        [
            ("isEmail", "a.b@example.com", "a@b@example.com"),
            ("isHostname", "a-b.example.com", "-a.example.com"),
            ("isIpv4", "10.0.0.1", "10.0.0.256"),
            ("isIpv6", "::1", "10.0.0.1"),
            ("isUri", "https://example.com/x", "example"),
            ("isUriRef", "./x", "#x"),
            ("isUuid", "6f1c3a34-8d1f-4a55-9f3f-6f5f1c1f1c1f", "6f1c"),
        ],
    )
    def test_functions(self, name: str, good: str, bad: str) -> None:
        assert EXTRA_FUNCS[name](celtypes.StringType(good))
        assert not EXTRA_FUNCS[name](celtypes.StringType(bad))

    def test_host_and_port(self) -> None:
        for text in ("example.com:80", "[::1]:80", "127.0.0.1:1"):
            assert validate_host_and_port(text, port_required=True)
        for text in ("example.com", "[::1]", ":80", "example.com:x", ""):
            assert not validate_host_and_port(text, port_required=True)

    def test_validation(self) -> None:
        executor = default_validation_rule_executor()
        rules = parse_validation_rules(
            [{"name": "big", "expr": "this > 5"}, {"name": "why", "expr": "this > 5 ? '' : 'small'"}, 5]
        )
        found: list[Any] = []
        for one in [*rules, ValidationRule("wrong", "doc", "this.x")]:
            evaluate_validation_rule(executor, one, None, 3, "a.b", found)
            evaluate_validation_rule(executor, rules[0], None, 7, "a.b", found)
        assert [str(one) for one in found[:2]] == ["a.b: big: this > 5", "a.b: why: small"]
        assert str(found[2]).startswith("a.b: wrong: doc (caused by: ")
        assert len(found) == 3


class TestJsonata:
    V1 = json.dumps({"type": "record", "name": "M", "fields": [{"name": "size", "type": "int"}]})
    V2 = json.dumps({"type": "record", "name": "M", "fields": [{"name": "height", "type": "int"}]})

    def test_migrations(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        up = rule(
            "JSONATA",
            "up",
            mode=RuleMode.UPGRADE,
            expr="$merge([$sift($, function($v, $k) {$k != 'size'}), {'height': $.'size'}])",
        )
        down = rule("JSONATA", "down", mode=RuleMode.DOWNGRADE, expr="{'size': height}")
        first = schema_with(text=self.V1, properties={"v": "1"})
        second = schema_with(text=self.V2, migration=[up, down])
        old = AvroSerializer(client, first, rule_registry=registry)({"size": 5}, context())
        new = AvroSerializer(client, second, rule_registry=registry)({"height": 6}, context())
        latest = AvroDeserializer(client, conf={"use.latest.version": True}, rule_registry=registry)
        assert latest(old, context()) == {"height": 5}
        assert latest(new, context()) == {"height": 6}
        one = AvroDeserializer(client, conf={"use.latest.with.metadata": {"v": "1"}}, rule_registry=registry)
        assert one(new, context()) == {"size": 6}

    def test_protobuf(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        texts = [
            f'syntax = "proto3"; package p; message M {{ int32 {name} = {number}; }}'
            for number, name in ((1, "size"), (2, "height"))
        ]
        kinds = [GetMessageClass(link(text, {}).descriptor.message_types_by_name["M"]) for text in texts]
        up = rule("JSONATA", "up", mode=RuleMode.UPGRADE, expr="{'height': size}")
        for kind, rules in zip(kinds, ([], [up]), strict=True):
            schema = schema_with(migration=rules, text=to_text(kind.DESCRIPTOR.file), kind="PROTOBUF")
            client.register_schema(ORDERS, schema)
        conf = {"use.schema.id": 1, "auto.register.schemas": False}
        data = ProtobufSerializer(kinds[0], client, conf)(kinds[0](size=5), context())
        read = ProtobufDeserializer(
            kinds[1], {"use.latest.version": True}, schema_registry_client=client, rule_registry=registry
        )
        assert read(data, context()) == kinds[1](height=5)


class TestDlq:
    def failing(self, registry: RuleRegistry, conf: dict[str, Any]) -> DeadLetters:
        producer = DeadLetters()
        registry.register_executor(Mark("ENCRYPT", [], lambda message: 1 / 0))
        registry.register_action(DlqAction({"producer": producer, **conf}))
        return producer

    def test_redacted_value(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        producer = self.failing(registry, {"dlq.topic": "dead", "dlq.auto.flush": "true"})
        schema = schema_with([rule(name="e", tags=["PII"], params=KEK, on_failure="DLQ")])
        write = AvroSerializer(client, schema, rule_registry=registry)
        set_original_key("k1")
        with pytest.raises(SerializationError, match="Rule failed: e") as raised:
            write({**PLAIN, "note": "x"}, context(headers=[("h", "v")]))
        clear_original_key()
        assert isinstance(raised.value.__cause__, ZeroDivisionError)
        (sent,) = producer.sent
        assert (sent["topic"], sent["key"], producer.flushed) == ("dead", b"k1", 1)
        assert json.loads(sent["value"]) == {"id": 1, "card": "<REDACTED>", "note": "<REDACTED>"}
        assert dict(sent["headers"]) == {
            "h": b"v",
            "__rule.name": b"e",
            "__rule.mode": b"WRITE",
            "__rule.subject": ORDERS.encode(),
            "__rule.topic": b"orders",
            "__rule.exception": b"division by zero",
        }

    def test_payloads_are_withheld(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        producer = self.failing(registry, {})
        registry.register_executor(Mark("ENCRYPT_PAYLOAD", []))
        bad = rule("CEL", what=RuleKind.CONDITION, expr="false", on_failure="DLQ", params={"dlq.topic": "dead"})
        schema = schema_with([bad], [rule("ENCRYPT_PAYLOAD", params=KEK)])
        with pytest.raises(SerializationError, match="Rule failed"):
            AvroSerializer(client, schema, rule_registry=registry)(PLAIN, context())
        assert producer.sent[0]["value"] == b"<REDACTED>"

    def test_no_topic(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        self.failing(registry, {})
        schema = schema_with([rule(on_failure="DLQ")])
        with pytest.raises(SerializationError, match="no topic is configured"):
            AvroSerializer(client, schema, rule_registry=registry)(PLAIN, context())

    def test_reading_sends_the_bytes_and_a_replay_passes(
        self, client: SchemaRegistryClient, registry: RuleRegistry
    ) -> None:
        producer = self.failing(registry, {"dlq.topic": "dead"})
        bad = rule("CEL", "c", what=RuleKind.CONDITION, mode=RuleMode.READ, expr="false", on_failure="DLQ")
        data = AvroSerializer(client, schema_with([bad]), rule_registry=registry)(PLAIN, context())
        read = AvroDeserializer(client, rule_registry=registry)
        with pytest.raises(SerializationError, match="Rule failed: c"):
            read(data, context())
        (sent,) = producer.sent
        assert sent["value"] == data
        assert read(sent["value"], context(headers=sent["headers"]))["card"] == "4111"

    def test_flush_does_not_block_an_event_loop(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        started, gate = threading.Event(), threading.Event()

        class Slow(DeadLetters):
            def flush(self) -> None:
                started.set()
                assert gate.wait(30)
                super().flush()

        producer = Slow()
        registry.register_executor(Mark("ENCRYPT", [], lambda message: 1 / 0))
        registry.register_action(DlqAction({"producer": producer, "dlq.topic": "dead", "dlq.auto.flush": True}))

        async def main() -> None:
            write = AsyncAvroSerializer(client, schema_with([rule(on_failure="DLQ")]), rule_registry=registry)
            task = asyncio.ensure_future(write(PLAIN, context()))
            for _ in range(30_000):
                if started.is_set():
                    break
                await asyncio.sleep(0.001)
            assert not task.done()
            gate.set()
            with pytest.raises(SerializationError, match="Rule failed: rule") as raised:
                await task
            assert isinstance(raised.value.__cause__, ZeroDivisionError)

        asyncio.run(main())
        assert (len(producer.sent), producer.flushed) == (1, 1)

    def test_producer_of_its_own(
        self, client: SchemaRegistryClient, registry: RuleRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made: list[dict[str, Any]] = []

        class Made(DeadLetters):
            def __init__(self, conf: dict[str, Any]) -> None:
                super().__init__()
                made.append(conf)

            def close(self) -> None:
                made.append({})

        monkeypatch.setattr("confluent_kafka.schema_registry.rules.dlq.dlq_action.Producer", Made)
        registry.register_executor(Mark("ENCRYPT", [], lambda message: 1 / 0))
        action = DlqAction({"dlq.topic": "dead", "bootstrap.servers": "nowhere:1"})
        registry.register_action(action)
        write = AvroSerializer(client, schema_with([rule(on_failure="DLQ")]), rule_registry=registry)
        for _ in range(2):
            with pytest.raises(SerializationError, match="Rule failed"):
                write(PLAIN, context())
        (conf,) = made
        assert conf["bootstrap.servers"] == "nowhere:1"
        assert "dlq.topic" not in conf
        action.close()
        assert made[1:] == [{}]
