# SPDX-License-Identifier: Apache-2.0
"""The rule engine: which rules run, in which order, on which fields, and what follows; with executors of the tests."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import Any, ClassVar

import pytest

from confluent_kafka.schema_registry import (
    RuleKind,
    RuleMode,
    Schema,
    SchemaRegistryClient,
)
from confluent_kafka.schema_registry.avro import AsyncAvroSerializer, AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import RuleConditionError, RuleError, RulesNotEnforcedError
from confluent_kafka.schema_registry.rule_registry import RuleOverride, RuleRegistry
from confluent_kafka.schema_registry.wildcard_matcher import wildcard_match
from confluent_kafka.serialization import MessageField, SerializationError
from tests.unit.rules_kit import Act, EachField, Mark, context, rule, schema_with

PLAIN = {"id": 1, "card": "4111"}
LATEST = {"use.latest.version": True}
ORDERS = "orders-value"


@pytest.fixture
def client() -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": "mock://"})


@pytest.fixture
def registry() -> RuleRegistry:
    return RuleRegistry()


@pytest.fixture
def log() -> list[str]:
    return []


def serializer(client: SchemaRegistryClient, schema: Schema, registry: RuleRegistry, **conf: Any) -> AvroSerializer:
    return AvroSerializer(client, schema, conf=conf, rule_registry=registry)


def reader(client: SchemaRegistryClient, registry: RuleRegistry, **conf: Any) -> AvroDeserializer:
    return AvroDeserializer(client, conf=conf, rule_registry=registry)


class TestOrder:
    def test_reading_reverses(self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]) -> None:
        registry.register_executor(Mark("A", log))
        schema = schema_with([rule("A", "first"), rule("a", "second")], [rule("A", "third"), rule("A", "fourth")])
        data = serializer(client, schema, registry)(PLAIN, context())
        assert log == ["first:WRITE", "second:WRITE", "third:WRITE", "fourth:WRITE"]
        log.clear()
        assert reader(client, registry)(data, context())["card"] == "4111"
        assert log == ["fourth:READ", "third:READ", "second:READ", "first:READ"]

    def test_modes(self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]) -> None:
        registry.register_executor(Mark("A", log))
        schema = schema_with([rule("A", mode.value, mode=mode) for mode in RuleMode])
        data = serializer(client, schema, registry)(PLAIN, context())
        reader(client, registry)(data, context())
        assert log == ["WRITE:WRITE", "WRITEREAD:WRITE", "WRITEREAD:READ", "READ:READ"]

    def test_what_does_not_run(self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]) -> None:
        registry.register_executor(Mark("A", log))
        registry.register_executor(Mark("B", log))
        registry.register_override(RuleOverride("B", None, None, True))
        schema = schema_with([rule("A", "off", disabled=True), rule("B", "overridden"), rule("A", "replayed")])
        headers = [("__rule.name", b"other"), ("__rule.name", b"replayed")]
        serializer(client, schema, registry)(PLAIN, context(headers=headers))
        assert log == []
        server = schema_with([rule("A")], enable_at="SERVER")
        serializer(client, server, registry)(PLAIN, context("others"))
        assert log == []
        registry.register_override(RuleOverride("A", None, None, False))
        serializer(client, server, registry)(PLAIN, context("more"))
        assert log == ["rule:WRITE"]

    def test_messages_without_rules_are_not_touched(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        plain = serializer(client, schema_with(), registry)
        plain(PLAIN, context())
        assert plain._core._planner.by_message
        assert not plain._core._planner.ruled

    def test_none_stays_none(self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]) -> None:
        registry.register_executor(Mark("A", log))
        assert serializer(client, schema_with([rule("A")]), registry)(None, context()) is None
        assert reader(client, registry)(None, context()) is None
        assert log == []


class TestResults:
    def test_transform(self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]) -> None:
        registry.register_executor(Mark("A", log, lambda message: {**message, "card": "x"}))
        original = copy.deepcopy(PLAIN)
        data = serializer(client, schema_with([rule("A", mode=RuleMode.WRITE)]), registry)(original, context())
        assert original == PLAIN
        assert reader(client, registry)(data, context())["card"] == "x"

    @pytest.mark.parametrize(
        ("doc", "expr", "text"),
        [("why", "e", "why"), (None, "e", "Rule expr failed: e"), (None, None, "Rule failed: rule")],
    )
    def test_condition(
        self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str], doc: str, expr: str, text: str
    ) -> None:
        registry.register_executor(Mark("A", log, lambda message: False))
        one = rule("A", what=RuleKind.CONDITION, doc=doc, expr=expr)
        with pytest.raises(SerializationError, match=rf"rule rule \(A\) of subject {ORDERS} failed: {text}") as raised:
            serializer(client, schema_with([one]), registry)(PLAIN, context())
        assert isinstance(raised.value.__cause__, RuleConditionError)
        assert raised.value.__cause__.rule == one

    def test_none_is_a_failure(self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]) -> None:
        registry.register_executor(Mark("A", log, lambda message: None))
        with pytest.raises(SerializationError, match="returned no message"):
            serializer(client, schema_with([rule("A")]), registry)(PLAIN, context())

    def test_parameters(self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]) -> None:
        mark = Mark("A", log)
        registry.register_executor(mark)
        schema = schema_with([rule("A", params={"a": "1"})], properties={"a": "2", "b": "3"})
        serializer(client, schema, registry)(PLAIN, context(headers=[("h", b"v")]))
        (ctx,) = mark.contexts
        assert [ctx.get_parameter(name) for name in "abc"] == ["1", "3", None]
        assert (ctx.subject, ctx.rule_mode, ctx.index) == (ORDERS, RuleMode.WRITE, 0)
        assert ctx.original_value is PLAIN
        assert ctx.ser_ctx is not None
        assert ctx.ser_ctx.headers == [("h", b"v")]

    def test_key(self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]) -> None:
        mark = Mark("A", log)
        registry.register_executor(mark)
        serializer(client, schema_with([rule("A")]), registry)(PLAIN, context(field=MessageField.KEY))
        assert mark.contexts[0].original_key is PLAIN
        assert mark.contexts[0].original_value is None


class TestActions:
    def test_success_and_failure(self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]) -> None:
        registry.register_executor(Mark("GOOD", log))
        registry.register_executor(Mark("BAD", log, lambda message: 1 / 0))
        yes, no = Act("YES", log), Act("NO", log)
        registry.register_action(yes)
        registry.register_action(no)
        schema = schema_with(
            [
                rule("GOOD", "g", on_success="YES,NONE", on_failure="NO"),
                rule("BAD", "b", mode=RuleMode.WRITE, on_success="YES", on_failure="NO"),
                rule("BAD", "c", mode=RuleMode.WRITE, on_failure="NONE"),
            ]
        )
        data = serializer(client, schema, registry)(PLAIN, context())
        assert log == ["g:WRITE", "YES(g)", "b:WRITE", "NO(b)", "c:WRITE"]
        assert isinstance(no.seen[0][1], ZeroDivisionError)
        assert yes.seen == [(PLAIN, None)]
        log.clear()
        assert reader(client, registry)(data, context())["card"] == "4111"
        assert log == ["g:READ"]

    def test_overrides(self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]) -> None:
        registry.register_executor(Mark("BAD", log, lambda message: 1 / 0))
        registry.register_override(RuleOverride("BAD", None, "NONE", None))
        assert serializer(client, schema_with([rule("BAD")]), registry)(PLAIN, context())

    def test_unknown_action(self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]) -> None:
        registry.register_executor(Mark("A", log))
        with pytest.raises(RuleError, match="Could not find rule action of type NOWHERE"):
            serializer(client, schema_with([rule("A", on_success="NOWHERE")]), registry)(PLAIN, context())

    def test_actions_that_fail(self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]) -> None:
        registry.register_executor(Mark("A", log))
        registry.register_action(Act("OTHER", log, ValueError("no")))
        registry.register_action(Act("REFUSE", log, SerializationError("no")))
        assert serializer(client, schema_with([rule("A", on_success="OTHER")]), registry)(PLAIN, context())
        with pytest.raises(SerializationError, match="no"):
            serializer(client, schema_with([rule("A", on_success="REFUSE")]), registry)(PLAIN, context("others"))


class TestFields:
    def test_walk(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        seen: list[tuple[str, str, Any]] = []

        def note(field: Any, value: Any) -> Any:
            seen.append((field.full_name, field.type_name(), value))
            return value if value is None or isinstance(value, bytes) else value.upper()

        registry.register_executor(EachField("EACH", note))
        message = {
            "id": 1,
            "card": "a",
            "note": None,
            "photo": b"p",
            "emails": ["b", "c"],
            "phones": {"home": "d"},
            "address": {"street": "e", "city": "f", "other": {"street": "g", "city": "h"}},
        }
        before = copy.deepcopy(message)
        schema = schema_with([rule("EACH", tags=["PII"], mode=RuleMode.WRITE)])
        data = serializer(client, schema, registry)(message, context())
        assert message == before
        assert seen == [
            ("shop.Order.card", "STRING", "a"),
            ("shop.Order.note", "NULL", None),
            ("shop.Order.photo", "BYTES", b"p"),
            ("shop.Order.emails", "STRING", "b"),
            ("shop.Order.emails", "STRING", "c"),
            ("shop.Order.phones", "STRING", "d"),
            ("shop.Address.street", "STRING", "e"),
            ("shop.Address.street", "STRING", "g"),
        ]
        assert reader(client, registry)(data, context()) == {
            "id": 1,
            "card": "A",
            "note": None,
            "photo": b"p",
            "emails": ["B", "C"],
            "phones": {"home": "D"},
            "address": {"street": "E", "city": "f", "other": {"street": "G", "city": "h", "other": None}},
        }

    def test_tags_of_metadata(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        names: list[str] = []

        def note(field: Any, value: Any) -> Any:
            names.append(field.name)
            return value

        registry.register_executor(EachField("EACH", note))
        schema = schema_with(
            [rule("EACH", tags=["X"], mode=RuleMode.WRITE)], tags={"shop.*.c?rd": ["X"], "**.id": ["X"]}
        )
        serializer(client, schema, registry)(PLAIN, context())
        assert names == ["id", "card"]

    def test_field_condition(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        registry.register_executor(EachField("EACH", lambda field, value: value != "bad"))
        write = serializer(client, schema_with([rule("EACH", tags=["PII"], what=RuleKind.CONDITION)]), registry)
        assert write(PLAIN, context())
        with pytest.raises(SerializationError) as raised:
            write({**PLAIN, "card": "bad"}, context())
        assert isinstance(raised.value.__cause__, RuleConditionError)

    def test_rules_with_the_same_tags_run_once(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        registry.register_executor(EachField("EACH", lambda field, value: value + "!" if value else value))
        schema = schema_with([rule("EACH", "a", tags=["PII"]), rule("EACH", "b", tags=["PII"])])
        data = serializer(client, schema, registry)(PLAIN, context())
        assert AvroDeserializer(client, rule_registry=registry)(data, context())["card"] == "4111!!"

    def test_unions(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        record = {"type": "record", "name": "{}", "fields": [{"name": "x", "type": "string", "confluent:tags": ["T"]}]}
        first, second = ({**record, "name": name} for name in ("First", "Second"))
        second["fields"] = [{"name": "x", "type": "string"}, {"name": "y", "type": "int", "default": 0}]
        text = {
            "type": "record",
            "name": "U",
            "fields": [{"name": "u", "type": ["null", "int", "string", first, second], "confluent:tags": ["T"]}],
        }
        registry.register_executor(
            EachField("EACH", lambda field, value: "#" if field.type_name() == "STRING" else value)
        )
        write = serializer(client, schema_with([rule("EACH", tags=["T"], mode=RuleMode.WRITE)], text=text), registry)
        read = AvroDeserializer(client, return_record_name=True)

        def there_and_back(value: Any) -> Any:
            return read(write({"u": value}, context()), context())["u"]

        assert there_and_back(None) is None
        assert there_and_back(5) == 5
        assert there_and_back("secret") == "#"
        # both records fit: what the walk took is what is written
        assert there_and_back({"x": "secret"}) == ("First", {"x": "#"})
        assert there_and_back(("First", {"x": "secret"})) == ("First", {"x": "#"})
        assert there_and_back(("Second", {"x": "public"})) == ("Second", {"x": "public", "y": 0})
        assert there_and_back({"-type": "First", "x": "secret"}) == ("First", {"x": "#"})
        with pytest.raises(SerializationError):
            there_and_back(b"bytes")

    def test_defaults_go_through_rules(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        text = {
            "type": "record",
            "name": "D",
            "fields": [{"name": "d", "type": "string", "default": "def", "confluent:tags": ["T"]}],
        }
        registry.register_executor(EachField("EACH", lambda field, value: value[::-1]))
        schema = schema_with([rule("EACH", tags=["T"])], text=text)
        data = serializer(client, schema, registry)({}, context())
        assert data is not None
        assert data.endswith(b"fed")
        assert reader(client, registry)(data, context()) == {"d": "def"}


class TestAsync:
    def test_coroutine_functions(self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]) -> None:
        async def upper(field: Any, value: Any) -> Any:
            await asyncio.sleep(0)
            return value.upper() if isinstance(value, str) else value

        async def change(message: Any) -> Any:
            await asyncio.sleep(0)
            return {**message, "id": 7}

        registry.register_executor(EachField("EACH", upper))
        registry.register_executor(Mark("A", log, change))
        schema = schema_with([rule("A", mode=RuleMode.WRITE), rule("EACH", tags=["PII"], mode=RuleMode.WRITE)])

        async def write() -> Any:
            return await AsyncAvroSerializer(client, schema, rule_registry=registry)({"id": 1, "card": "a"}, context())

        data = asyncio.run(write())
        out = reader(client, registry)(data, context())
        assert (out["id"], out["card"]) == (7, "A")
        with pytest.raises(SerializationError) as raised:
            serializer(client, schema, registry)(PLAIN, context())
        assert isinstance(raised.value.__cause__, TypeError)


class TestMigrations:
    V1: ClassVar = {"type": "record", "name": "M", "fields": [{"name": "a", "type": "int"}]}
    V2: ClassVar = {"type": "record", "name": "M", "fields": [{"name": "b", "type": "int"}]}
    V3: ClassVar = {"type": "record", "name": "M", "fields": [{"name": "c", "type": "int"}]}

    def test_chain(self, registry: RuleRegistry, log: list[str]) -> None:
        client = SchemaRegistryClient({"url": "mock://"})
        up = True

        def move(message: Any) -> Any:
            (old,) = message
            return {chr(ord(old) + (1 if up else -1)): message[old]}

        registry.register_executor(Mark("MOVE", log, move))
        both = [rule("MOVE", name, mode=RuleMode.UPDOWN) for name in ("a_b", "b_c")]
        texts = [
            schema_with(text=self.V1, properties={"v": "1"}),
            schema_with(text=self.V2, migration=both[:1]),
            schema_with(text=self.V3, migration=both[1:]),
        ]
        old = serializer(client, texts[0], registry)({"a": 5}, context())
        for text in texts[1:]:
            client.register_schema(ORDERS, text)
        client.clear_caches()
        assert reader(client, registry, **LATEST)(old, context()) == {"c": 5}
        assert log == ["a_b:UPGRADE", "b_c:UPGRADE"]
        log.clear()
        new = serializer(client, texts[2], registry)({"c": 6}, context())
        up = False
        wanted = {"use.latest.with.metadata": {"v": "1"}}
        assert reader(client, registry, **wanted)(new, context()) == {"a": 6}
        assert log == ["b_c:DOWNGRADE", "a_b:DOWNGRADE"]
        assert reader(client, registry, **wanted)(old, context()) == {"a": 5}


class TestNeverInClear:
    def test_executor_missing(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        for schema in (schema_with([rule(on_failure="NONE")]), schema_with(encoding=[rule("ENCRYPT_PAYLOAD")])):
            write = serializer(client, schema, registry)
            with pytest.raises(RulesNotEnforcedError, match=f"rule rule of subject {ORDERS} at mock:// cannot run"):
                write(PLAIN, context())
            client.delete_subject(ORDERS)
            client.clear_caches()

    def test_lenient(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        schema = schema_with([rule(on_failure="NONE")])
        data = serializer(client, schema, registry, **{"allow.unenforced.rules": True})(PLAIN, context())
        assert data is not None
        assert b"4111" in data

    @pytest.mark.parametrize("action", ["NONE", "MINE"])
    def test_failures_are_not_ignored(
        self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str], action: str
    ) -> None:
        registry.register_executor(Mark("ENCRYPT", log, lambda message: 1 / 0))
        registry.register_action(Act("MINE", log))
        with pytest.raises(SerializationError) as raised:
            serializer(client, schema_with([rule(on_failure=action)]), registry)(PLAIN, context())
        assert isinstance(raised.value.__cause__, ZeroDivisionError)

    def test_headers_do_not_switch_encryption_off(
        self, client: SchemaRegistryClient, registry: RuleRegistry, log: list[str]
    ) -> None:
        registry.register_executor(Mark("ENCRYPT", log))
        serializer(client, schema_with([rule(name="e")]), registry)(PLAIN, context(headers={"__rule.name": "e"}))
        assert log == ["e:WRITE"]

    @pytest.mark.parametrize("register", [True, False])
    def test_registry_that_drops_rules(self, registry: RuleRegistry, log: list[str], register: bool) -> None:
        class Dropping(SchemaRegistryClient):
            def register_schema_full_response(self, subject_name: str, schema: Schema, *args: Any, **named: Any) -> Any:
                return super().register_schema_full_response(subject_name, Schema(schema.schema_str))

            def lookup_schema(self, subject_name: str, schema: Schema, *args: Any, **named: Any) -> Any:
                return super().lookup_schema(subject_name, Schema(schema.schema_str))

        registry.register_executor(Mark("ENCRYPT", log))
        client = Dropping({"url": "mock://"})
        schema = schema_with([rule(name="e")], tags={"a.b": ["X"]}, properties={"p": "q"})
        if not register:
            client.register_schema_full_response(ORDERS, schema)
        write = serializer(client, schema, registry, **{"auto.register.schemas": register})
        for _ in range(2):
            with pytest.raises(RulesNotEnforcedError) as raised:
                write(PLAIN, context())
            text = str(raised.value)
            for part in ("mock://", ORDERS, "domain rule e (ENCRYPT)", "tags of a.b", "property p", "allow.unenforced"):
                assert part in text
        lenient = serializer(
            client, schema, registry, **{"auto.register.schemas": register, "allow.unenforced.rules": True}
        )
        assert lenient(PLAIN, context())
        assert log == []

    def test_latest_version_without_the_rules(self, client: SchemaRegistryClient, registry: RuleRegistry) -> None:
        client.register_schema(ORDERS, Schema(json.dumps(json.loads(schema_with().schema_str or ""))))
        write = serializer(
            client, schema_with([rule(name="e")]), registry, **LATEST, **{"auto.register.schemas": False}
        )
        with pytest.raises(RulesNotEnforcedError, match=r"domain rule e \(ENCRYPT\)"):
            write(PLAIN, context())


def test_registries_are_configured_and_closed(client: SchemaRegistryClient, log: list[str]) -> None:
    registry = RuleRegistry()
    mark = Mark("A", log)
    registry.register_executor(mark)
    one = AvroSerializer(client, schema_with(), rule_conf={"secret": "s"}, rule_registry=registry)
    assert mark.configured == [(client.config(), {"secret": "s"})]
    late = Mark("B", log)
    registry.register_executor(late)
    one({"id": 1, "card": "x"}, context())
    one.close()
    assert mark.closed == 1


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("a.b", "a.b", True),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.**", "a.b.c", True),
        ("**.c", "a.b.c", True),
        ("**.*", "anything", True),
        ("a.?", "a.b", True),
        ("a.?", "a..", False),
        ("a.[bc]", "a.c", True),
        ("a.[!bc]", "a.c", False),
        ("a+b", "a+b", True),
        ("a+b", "aab", False),
        (r"a\*", "a*", True),
        (r"a\*", "ab", False),
    ],
)
def test_wildcards(pattern: str, text: str, matches: bool) -> None:
    assert wildcard_match(text, pattern) is matches
