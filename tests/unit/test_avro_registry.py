# SPDX-License-Identifier: Apache-2.0
"""Avro serializers and the registry: subjects, ids, rules, configuration."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import uuid
from typing import Any

import pytest

from confluent_kafka.schema_registry import (
    AssociationCreateOrUpdateInfo,
    AssociationCreateOrUpdateRequest,
    Metadata,
    MetadataProperties,
    Rule,
    RuleSet,
    Schema,
    SchemaRegistryClient,
    SchemaRegistryError,
    header_schema_id_serializer,
    prefix_schema_id_deserializer,
)
from confluent_kafka.schema_registry.avro import (
    AvroDeserializer,
    AvroDeserializerBuilder,
    AvroSerializer,
    AvroSerializerBuilder,
)
from confluent_kafka.schema_registry.error import RulesNotEnforcedError
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError
from tests.unit.avro_kit import AN_ORDER, AN_ORDER_BYTES, ORDER, RULE, STRING, UNION, Counting, context


@pytest.fixture
def client() -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": "mock://"})


def test_the_registry_is_asked_once_per_subject() -> None:
    client = Counting()
    serializer, deserializer = AvroSerializer(client, ORDER), AvroDeserializer(client)
    data = [serializer(AN_ORDER, context()) for _ in range(5)]
    assert client.calls == ["associations", "register"]
    assert [deserializer(one, context()) for one in data] == [AN_ORDER] * 5
    assert client.calls == ["associations", "register", "associations", "get"]


def test_concurrent_first_messages_register_once() -> None:
    client = Counting()
    serializer = AvroSerializer(client, ORDER)
    start, results = threading.Barrier(8), []

    def serialize() -> None:
        start.wait(30)
        results.append(serializer(AN_ORDER, context()))

    threads = [threading.Thread(target=serialize) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [b"\x00\x00\x00\x00\x01" + AN_ORDER_BYTES] * 8
    assert client.calls == ["associations", "register"]


def test_each_subject_keeps_its_own_id(client: SchemaRegistryClient) -> None:
    serializer = AvroSerializer(client, ORDER)
    first, second = context("first"), context("second")
    ids = [serializer(AN_ORDER, ctx)[:5] for ctx in (first, second, first, second, first)]  # type: ignore[index]
    one, two = b"\x00\x00\x00\x00\x01", b"\x00\x00\x00\x00\x02"
    assert ids == [one, two, one, two, one]


class TestSchemaFromTheRegistry:
    def test_latest_version(self, client: SchemaRegistryClient) -> None:
        serializer = AvroSerializer(client, conf={"auto.register.schemas": False, "use.latest.version": True})
        with pytest.raises(SchemaRegistryError):
            serializer("x", context())
        client.register_schema("orders-value", Schema('"int"'))
        assert serializer(1, context()) == b"\x00\x00\x00\x00\x01\x02"
        client.register_schema("orders-value", Schema('"string"'))
        assert serializer("x", context()) == b"\x00\x00\x00\x00\x02\x02x"

    def test_by_id(self, client: SchemaRegistryClient) -> None:
        client.register_schema("orders-value", Schema('"int"'))
        client.register_schema("orders-value", Schema('"string"'))
        serializer = AvroSerializer(client, conf={"use.schema.id": 1})
        assert serializer(1, context()) == b"\x00\x00\x00\x00\x01\x02"

    def test_by_metadata(self, client: SchemaRegistryClient) -> None:
        metadata = Metadata(None, MetadataProperties({"major": "1"}), None)
        client.register_schema("orders-value", Schema('"int"', metadata=metadata))
        client.register_schema("orders-value", Schema('"string"'))
        serializer = AvroSerializer(client, conf={"use.latest.with.metadata": {"major": "1"}})
        assert serializer(1, context()) == b"\x00\x00\x00\x00\x01\x02"

    def test_lookup_instead_of_registration(self, client: SchemaRegistryClient) -> None:
        serializer = AvroSerializer(client, STRING, conf={"auto.register.schemas": False})
        with pytest.raises(SchemaRegistryError) as raised:
            serializer("x", context())
        assert raised.value.http_status_code == 404
        assert client.get_subjects() == []
        client.register_schema("other", Schema(STRING))
        client.register_schema("orders-value", Schema(STRING))
        assert serializer("x", context()) == b"\x00\x00\x00\x00\x02\x02x"  # a failure is not remembered

    def test_no_schema_at_all(self, client: SchemaRegistryClient) -> None:
        with pytest.raises(TypeError, match="there is no schema"):
            AvroSerializer(client)({}, context())


class TestSubjects:
    @pytest.mark.parametrize(
        ("strategy", "subject"),
        [("TOPIC", "orders-value"), ("record", "shop.Order"), ("Topic_Record", "orders-shop.Order")],
    )
    def test_named_strategies(self, client: SchemaRegistryClient, strategy: str, subject: str) -> None:
        conf = {"subject.name.strategy.type": strategy}
        data = AvroSerializer(client, ORDER, conf=conf)(AN_ORDER, context())
        assert client.get_subjects() == [subject]
        assert AvroDeserializer(client, conf=conf)(data, context()) == AN_ORDER

    def test_callable(self, client: SchemaRegistryClient) -> None:
        seen = []

        def strategy(ctx: SerializationContext | None, record_name: str | None) -> str:
            assert ctx is not None
            seen.append((ctx.topic, record_name))
            return f"custom-{ctx.headers[0][1]!r}"  # type: ignore[index]  # it may look at anything

        # it wins over the type
        conf = {"subject.name.strategy": strategy, "subject.name.strategy.type": "RECORD"}
        serializer = AvroSerializer(client, ORDER, conf=conf)
        for tenant, number in ((b"a", 1), (b"b", 2), (b"a", 1)):
            data = serializer(AN_ORDER, context(headers=[("tenant", tenant)]))
            assert data is not None
            assert data[4] == number
            assert AvroDeserializer(client, conf=conf)(data, context(headers=[("tenant", tenant)])) == AN_ORDER
        assert client.get_subjects() == ["custom-b'a'", "custom-b'b'"]
        assert ("orders", "shop.Order") in seen

    def test_callable_without_answer(self, client: SchemaRegistryClient) -> None:
        with pytest.raises(SerializationError, match="returned None"):
            AvroSerializer(client, ORDER, conf={"subject.name.strategy": lambda *_: None})(AN_ORDER, context())

    def test_record_strategies_need_a_name(self, client: SchemaRegistryClient) -> None:
        with pytest.raises(SerializationError, match="name of a record"):
            AvroSerializer(client, UNION, conf={"subject.name.strategy.type": "RECORD"})({"v": 1}, context())

    def test_record_strategy_needs_no_context(self, client: SchemaRegistryClient) -> None:
        data = AvroSerializer(client, ORDER, conf={"subject.name.strategy.type": "RECORD"})(AN_ORDER)
        assert data is not None
        for conf in ({}, {"subject.name.strategy.type": "TOPIC"}):
            with pytest.raises(ValueError, match="SerializationContext is required"):
                AvroSerializer(client, ORDER, conf=conf)(AN_ORDER)

    def associate(self, client: SchemaRegistryClient, subject: str, cluster: str = "c1", resource: str = "r1") -> None:
        info = [AssociationCreateOrUpdateInfo(subject, "value")]
        client.create_association(AssociationCreateOrUpdateRequest("orders", cluster, resource, "topic", info))

    def test_associated_subject(self, client: SchemaRegistryClient) -> None:
        self.associate(client, "bound")
        data = AvroSerializer(client, ORDER)(AN_ORDER, context())
        AvroSerializer(client, STRING)("k", context(field=MessageField.KEY))  # no association: by topic
        assert client.get_subjects() == ["bound", "orders-key"]
        assert AvroDeserializer(client)(data, context()) == AN_ORDER

    def test_associations_of_this_cluster_only(self, client: SchemaRegistryClient) -> None:
        self.associate(client, "bound-1", "c1", "r1")
        self.associate(client, "bound-2", "c2", "r2")
        with pytest.raises(SerializationError, match="Multiple associated subjects found for topic orders"):
            AvroSerializer(client, ORDER)(AN_ORDER, context())
        asking = AvroSerializer(client, ORDER)
        asking.set_cluster_id_resolver(lambda: "c2")
        asking(AN_ORDER, context())
        conf = {"subject.name.strategy.conf": {"subject.name.strategy.kafka.cluster.id": "c1"}}
        AvroSerializer(client, ORDER, conf=conf)(AN_ORDER, context())
        assert client.get_subjects() == ["bound-1", "bound-2"]

    def test_cluster_id_that_cannot_be_had(self, client: SchemaRegistryClient) -> None:
        def fail() -> str:
            raise RuntimeError("no broker")

        serializer = AvroSerializer(client, ORDER)
        serializer.set_cluster_id_resolver(fail)
        with pytest.raises(SerializationError, match=r"no broker") as raised:
            serializer(AN_ORDER, context())
        assert isinstance(raised.value.__cause__, RuntimeError)
        serializer.set_cluster_id_resolver(lambda: "")
        with pytest.raises(SerializationError, match="is empty"):
            serializer(AN_ORDER, context())
        serializer.set_cluster_id_resolver(lambda: "c1")
        assert serializer(AN_ORDER, context())

    @pytest.mark.parametrize(
        ("fallback", "subject"),
        [("RECORD", "shop.Order"), ("topic_record", "orders-shop.Order"), ("TOPIC", "orders-value")],
    )
    def test_fallback(self, client: SchemaRegistryClient, fallback: str, subject: str) -> None:
        conf = {"subject.name.strategy.conf": {"subject.name.strategy.fallback.type": fallback}}
        AvroSerializer(client, ORDER, conf=conf)(AN_ORDER, context())
        assert client.get_subjects() == [subject]

    def test_no_fallback(self, client: SchemaRegistryClient) -> None:
        conf = {"subject.name.strategy.conf": {"subject.name.strategy.fallback.type": "NONE"}}
        with pytest.raises(SerializationError, match="No associated subject found for topic orders"):
            AvroSerializer(client, ORDER, conf=conf)(AN_ORDER, context())

    def test_registry_without_associations(self) -> None:
        class Old(SchemaRegistryClient):
            status = 404

            def get_associations_by_resource_name(self, *args: Any, **kwargs: Any) -> Any:
                raise SchemaRegistryError(self.status, 404, "HTTP 404 Not Found")

        client = Old({"url": "mock://"})
        AvroSerializer(client, ORDER)(AN_ORDER, context())
        assert client.get_subjects() == ["orders-value"]
        client.status = 500
        with pytest.raises(SchemaRegistryError):
            AvroSerializer(client, ORDER)(AN_ORDER, context())


class TestIds:
    def test_guid_in_header(self, client: SchemaRegistryClient) -> None:
        serializer = AvroSerializer(client, ORDER, conf={"schema.id.serializer": header_schema_id_serializer})
        headers: list[Any] = []
        data = serializer(AN_ORDER, context(headers=headers))
        assert data == AN_ORDER_BYTES
        ((name, frame),) = headers
        guid = client.get_latest_version("orders-value").guid
        assert (name, frame) == ("__value_schema_id", b"\x01" + uuid.UUID(guid).bytes)
        assert AvroDeserializer(client)(data, context(headers=headers)) == AN_ORDER
        assert AvroDeserializer(client)(data, context(headers=dict(headers))) == AN_ORDER

    @pytest.mark.parametrize("value", ["", "x", "four"])
    def test_short_payload_with_id_in_header(self, client: SchemaRegistryClient, value: str) -> None:
        serializer = AvroSerializer(client, STRING, conf={"schema.id.serializer": header_schema_id_serializer})
        headers: list[Any] = []
        data = serializer(value, context(headers=headers))
        assert AvroDeserializer(client)(data, context(headers=headers)) == value

    def test_prefix_only(self, client: SchemaRegistryClient) -> None:
        deserializer = AvroDeserializer(client, conf={"schema.id.deserializer": prefix_schema_id_deserializer})
        data = AvroSerializer(client, STRING)("x", context())
        assert deserializer(data, context(headers=[("__value_schema_id", b"not looked at")])) == "x"
        guid = uuid.UUID(client.get_latest_version("orders-value").guid)
        assert deserializer(b"\x01" + guid.bytes + b"\x02x", context()) == "x"

    def test_own_functions(self, client: SchemaRegistryClient) -> None:
        def put(payload: bytes, ctx: Any, schema_id: Any) -> bytes:
            number, schema_id.id = schema_id.id, 99  # the serializer's own must not change
            return payload + bytes([number])

        def take(payload: bytes, ctx: Any, schema_id: Any) -> io.BytesIO:
            schema_id.id = payload[-1]
            return io.BytesIO(payload[:-1])

        serializer = AvroSerializer(client, STRING, conf={"schema.id.serializer": put})
        deserializer = AvroDeserializer(client, conf={"schema.id.deserializer": take})
        for _ in range(2):
            assert serializer("x", context()) == b"\x02x\x01"
            assert deserializer(b"\x02x\x01", context()) == "x"
        nothing = AvroDeserializer(client, conf={"schema.id.deserializer": lambda data, ctx, schema_id: io.BytesIO()})
        with pytest.raises(SerializationError, match="neither a schema id nor a GUID"):
            nothing(b"x", context())


@pytest.mark.parametrize(
    ("conf", "text"),
    [
        ({"auto.register.schemas": 1}, "auto.register.schemas must be a boolean value"),
        ({"normalize.schemas": "x"}, "normalize.schemas must be a boolean value"),
        ({"use.schema.id": "x"}, "use.schema.id must be an int value"),
        ({"use.latest.version": "x"}, "use.latest.version must be a boolean value"),
        ({"use.latest.version": True}, "cannot enable both use.latest.version and auto.register.schemas"),
        ({"use.latest.with.metadata": 5}, "use.latest.with.metadata must be a dict value"),
        ({"subject.name.strategy": 5}, "subject.name.strategy must be callable"),
        ({"subject.name.strategy.type": "foo"}, "Invalid subject.name.strategy.type: foo"),
        ({"subject.name.strategy.type": "NONE"}, "NONE cannot be used as a subject name strategy"),
        ({"subject.name.strategy.conf": {"subject.name.strategy.fallback.type": "ASSOCIATED"}}, "as a fallback"),
        ({"subject.name.strategy.conf": {"subject.name.strategy.fallback.type": "x"}}, "fallback.type: x"),
        ({"schema.id.serializer": 5}, "schema.id.serializer must be callable"),
        ({"validate.strict": 5}, "validate.strict must be a boolean value"),
        ({"validate.strict.allow.default": 5}, "validate.strict.allow.default must be a boolean value"),
        ({"validation.rules.execution": "x"}, "must be one of DISABLED, BEFORE_DOMAIN_RULES, AFTER_DOMAIN_RULES"),
        ({"validation.rules.execution": "before_domain_rules"}, "must be one of DISABLED, BEFORE_DOMAIN_RULES"),
        (
            {"validation.rules.execution": "BEFORE_DOMAIN_RULES", "validation.rules.executor": 5},
            "validation.rules.executor must be a ValidationRuleExecutor instance",
        ),
        ({"validation.rules.fail.fast": 1}, "validation.rules.fail.fast must be a boolean value"),
        ({"foo": 1, "bar": 2}, "Unrecognized properties: foo, bar"),
        ({"auto.register.schema": True}, r"auto.register.schema \(did you mean auto.register.schemas\?\)"),
    ],
)
def test_wrong_serializer_configuration(client: SchemaRegistryClient, conf: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        AvroSerializer(client, STRING, conf=conf)


@pytest.mark.parametrize(
    ("conf", "text"),
    [
        ({"use.latest.version": "x"}, "use.latest.version must be a boolean value"),
        ({"use.latest.with.metadata": 5}, "use.latest.with.metadata must be a dict value"),
        ({"schema.id.deserializer": 5}, "schema.id.deserializer must be callable"),
        ({"auto.register.schemas": True}, "Unrecognized properties: auto.register.schemas"),
    ],
)
def test_wrong_deserializer_configuration(client: SchemaRegistryClient, conf: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        AvroDeserializer(client, STRING, conf=conf)


def test_wrong_arguments(client: SchemaRegistryClient) -> None:
    for text in ("", "  ", "string", "{", '{"type": "record", "name": "R"', "[" * 100_000):
        with pytest.raises(ValueError, match=r"."):
            AvroSerializer(client, text)
    with pytest.raises(ValueError, match="to_dict must be callable"):
        AvroSerializer(client, STRING, to_dict=5)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ValueError, match="from_dict must be callable"):
        AvroDeserializer(client, STRING, from_dict=5)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ValueError, match="return_record_name must be a boolean value"):
        AvroDeserializer(client, return_record_name=5)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(TypeError, match="schema string or schema object"):
        AvroDeserializer(client, 5)  # type: ignore[arg-type]  # on purpose


class TestRules:
    """A rule that is not run is a leak: what it would have encrypted would go out as clear text."""

    @pytest.mark.parametrize("rules", [RuleSet(None, [RULE]), RuleSet(None, None, [RULE], enable_at="ALL")])
    def test_own_schema(self, client: SchemaRegistryClient, rules: RuleSet) -> None:
        schema = Schema(STRING, rule_set=rules)
        serializer = AvroSerializer(client, schema)
        for _ in range(2):
            with pytest.raises(RulesNotEnforcedError, match=r"rule hide of subject orders-value .*ENCRYPT"):
                serializer("secret", context())

    @pytest.mark.parametrize(
        "conf",
        [
            {"use.latest.version": True, "auto.register.schemas": False},
            {"use.schema.id": 1},
            {"use.latest.with.metadata": {}, "auto.register.schemas": False},
        ],
    )
    def test_schema_of_the_registry(self, client: SchemaRegistryClient, conf: dict[str, Any]) -> None:
        client.register_schema("orders-value", Schema(STRING, rule_set=RuleSet([], [RULE])))
        serializer = AvroSerializer(client, STRING, conf=conf)
        for _ in range(2):
            with pytest.raises(SerializationError, match=r"rule hide of subject orders-value at mock:// cannot run"):
                serializer("secret", context())

    def test_rules_that_the_registry_adds(self) -> None:
        class Adding(SchemaRegistryClient):
            def register_schema_full_response(
                self, subject_name: str, schema: Schema, *args: Any, **kwargs: Any
            ) -> Any:
                added = Schema(schema.schema_str, rule_set=RuleSet([], [RULE]))
                return super().register_schema_full_response(subject_name, added)

        serializer = AvroSerializer(Adding({"url": "mock://"}), STRING)
        for _ in range(2):
            with pytest.raises(SerializationError, match=r"rule hide of subject orders-value .*cannot run"):
                serializer("secret", context())

    def test_writers_schema(self, client: SchemaRegistryClient) -> None:
        client.register_schema("orders-value", Schema(STRING, rule_set=RuleSet([], [RULE])))
        for ctx in (context(), None):
            with pytest.raises(SerializationError, match=r"Could not find rule executor of type ENCRYPT"):
                AvroDeserializer(client)(b"\x00\x00\x00\x00\x01\x02x", ctx)

    def test_latest_schema_for_reading(self, client: SchemaRegistryClient) -> None:
        data = AvroSerializer(client, STRING)("x", context())
        deserializer = AvroDeserializer(client, conf={"use.latest.version": True})
        assert deserializer(data, context()) == "x"
        client.register_schema("orders-value", Schema(STRING, rule_set=RuleSet([], [RULE])))
        with pytest.raises(SerializationError, match=r"rule hide \(ENCRYPT\) of subject orders-value failed"):
            deserializer(data, context())

    def test_no_rules_and_disabled_rules_are_no_obstacle(self, client: SchemaRegistryClient) -> None:
        off = Rule("off", None, None, None, "ENCRYPT", None, None, None, None, None, True)
        for rules in (RuleSet([], [], []), RuleSet(None, None), RuleSet([], [off])):
            data = AvroSerializer(client, Schema(STRING, rule_set=rules))("x", context())
            assert AvroDeserializer(client)(data, context()) == "x"


class TestBuilders:
    def test_chain(self) -> None:
        inits: list[Any] = []
        builder = (
            AvroSerializerBuilder()
            .set_schema_registry_config({"url": "mock://"})
            .set_schema(STRING)
            .set_to_dict(lambda obj, ctx: str(obj))
            .set_serializer_config({"subject.name.strategy.type": "TOPIC"})
            .set_rule_config({})
            .set_rule_registry(None)
            .set_serializer_init(inits.append)
        )
        conf = {"client.id": "x"}
        serializer, left = builder.build(conf, False)
        assert left == conf
        assert left is not conf
        assert inits == [serializer]
        assert serializer(5, context()) == b"\x00\x00\x00\x00\x01\x025"
        serializer.close()
        serializer.close()

    def test_deserializer_chain(self, client: SchemaRegistryClient) -> None:
        data = AvroSerializer(client, '"int"')(5, context())
        deserializer, _ = (
            AvroDeserializerBuilder()
            .set_schema_registry_client(client)
            .set_schema('"double"')
            .set_from_dict(lambda obj, ctx: [obj])
            .set_return_record_name(True)
            .set_deserializer_config({})
            .set_rule_config({})
            .set_rule_registry(None)
            .set_deserializer_init(lambda made: None)
            .build({}, True)
        )
        assert deserializer(data, context()) == [5.0]

    def test_whose_client_is_closed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        closed: list[Any] = []
        monkeypatch.setattr(SchemaRegistryClient, "close", lambda self: closed.append(self))
        given_client = SchemaRegistryClient({"url": "mock://"})
        for builder in (AvroSerializerBuilder, AvroDeserializerBuilder):
            serde, _ = builder(schema_registry_client=given_client).build({}, False)
            serde.close()
            assert closed == []
            serde, _ = builder({"url": "mock://"}).build({}, False)
            serde.close()
            serde.close()
            assert len(closed) == 1
            closed.clear()

    def test_failures(self, client: SchemaRegistryClient, monkeypatch: pytest.MonkeyPatch) -> None:
        closed: list[Any] = []
        monkeypatch.setattr(SchemaRegistryClient, "close", lambda self: closed.append(self))
        with pytest.raises(ValueError, match="Cannot specify both"):
            AvroSerializerBuilder({"url": "mock://"}, client).build({}, False)
        with pytest.raises(ValueError, match="no Schema Registry"):
            AvroDeserializerBuilder().build({}, False)
        with pytest.raises(ValueError, match="Unrecognized"):
            AvroSerializerBuilder({"url": "mock://"}, serializer_config={"foo": 1}).build({}, False)
        assert len(closed) == 1

        def fail(serde: Any) -> None:
            raise KeyError("init")

        with pytest.raises(KeyError, match="init"):
            AvroDeserializerBuilder({"url": "mock://"}, deserializer_init=fail).build({}, False)
        assert len(closed) == 2


def test_fastavro_is_needed_only_for_avro() -> None:
    script = """
import sys
sys.modules["fastavro"] = None  # as if it were not installed
import confluent_kafka
import confluent_kafka.schema_registry
import confluent_kafka.schema_registry.serde
try:
    import confluent_kafka.schema_registry.avro
except ImportError as e:
    print(e)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert 'pip install "ferrokafka[avro]"' in done.stdout
