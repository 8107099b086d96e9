# SPDX-License-Identifier: Apache-2.0
"""Calls of the registry client: what is asked of the registry, what is remembered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from confluent_kafka.schema_registry import (
    AssociationCreateOrUpdateInfo,
    AssociationCreateOrUpdateRequest,
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaRegistryError,
    ServerConfig,
)
from confluent_kafka.schema_registry._core import ops
from confluent_kafka.schema_registry.common.schema_registry_client import SchemaVersion
from tests.unit.registry_kit import DOWN, Down, Script, error, reply

SUBJECT = "a/b ü"
QUOTED = "/subjects/a%2Fb%20%C3%BC"
SCHEMA = Schema('{"type":"int"}', "AVRO", [SchemaReference("n", "s", 1)])
ANSWER = {**SCHEMA.to_dict(), "id": 7, "guid": "g7", "subject": SUBJECT, "version": 3}
RULES = RuleSet([], [], [])
PAGE = {"offset": ["0"], "limit": ["-1"]}
Make = Callable[[Script], Any]

CALLS: list[tuple[str, Make, Any, Any, str, str, dict[str, list[str]], Any]] = [
    # name, operation, answer, result, method, path, query, body
    ("types", lambda s: ops.get_schema_types(s.reg), ["AVRO"], ["AVRO"], "GET", "/schemas/types", {}, None),
    (
        "subjects by id",
        lambda s: ops.get_subjects_by_schema_id(s.reg, 5, SUBJECT, True, 1, 2),
        ["x"], ["x"], "GET", "/schemas/ids/5/subjects",
        {"offset": ["1"], "limit": ["2"], "subject": [SUBJECT], "deleted": ["true"]}, None,
    ),
    (
        "versions by id",
        lambda s: ops.get_schema_versions(s.reg, 5, None, False, 0, -1),
        [{"subject": "x", "version": 2}], [SchemaVersion("x", 2)], "GET", "/schemas/ids/5/versions", PAGE, None,
    ),
    (
        "subjects",
        lambda s: ops.get_subjects(s.reg, "p&", False, True, 0, -1),
        ["x"], ["x"], "GET", "/subjects",
        {"deleted": ["false"], "deleted_only": ["true"], **PAGE, "subjectPrefix": ["p&"]}, None,
    ),
    (
        "delete subject",
        lambda s: ops.delete_subject(s.reg, SUBJECT, False), [1, 2], [1, 2], "DELETE", QUOTED, {}, None,
    ),
    (
        "delete subject for ever",
        lambda s: ops.delete_subject(s.reg, SUBJECT, True), [1], [1], "DELETE", QUOTED, {"permanent": ["true"]}, None,
    ),
    (
        "referenced by",
        lambda s: ops.get_referenced_by(s.reg, SUBJECT, "latest", 0, -1),
        [4], [4], "GET", f"{QUOTED}/versions/latest/referencedby", PAGE, None,
    ),
    (
        "versions",
        lambda s: ops.get_versions(s.reg, SUBJECT, True, False, 0, -1),
        [1, 2], [1, 2], "GET", f"{QUOTED}/versions", {"deleted": ["true"], "deleted_only": ["false"], **PAGE}, None,
    ),
    (
        "delete version",
        lambda s: ops.delete_version(s.reg, SUBJECT, 3, True),
        3, 3, "DELETE", f"{QUOTED}/versions/3", {"permanent": ["true"]}, None,
    ),
    (
        "set level",
        lambda s: ops.set_compatibility(s.reg, None, "full"),
        {"compatibility": "FULL"}, {"compatibility": "FULL"}, "PUT", "/config", {}, {"compatibility": "FULL"},
    ),
    (
        "level", lambda s: ops.get_compatibility(s.reg, SUBJECT),
        {"compatibilityLevel": "NONE"}, "NONE", "GET", "/config/a%2Fb%20%C3%BC", {}, None,
    ),
    (
        "test compatibility",
        lambda s: ops.test_compatibility(s.reg, SUBJECT, SCHEMA, 2, True, False),
        {"is_compatible": False, "messages": ["m"]}, False, "POST", f"/compatibility{QUOTED}/versions/2",
        {"normalize": ["true"], "verbose": ["false"]}, SCHEMA.to_dict(),
    ),
    (
        "test compatibility with all",
        lambda s: ops.test_compatibility(s.reg, SUBJECT, SCHEMA, None, False, True),
        {"is_compatible": True}, True, "POST", f"/compatibility{QUOTED}/versions",
        {"normalize": ["false"], "verbose": ["true"]}, SCHEMA.to_dict(),
    ),
    (
        "set config",
        lambda s: ops.set_config(s.reg, SUBJECT, ServerConfig(ConfigCompatibilityLevel.FULL)),
        {"compatibility": "FULL"}, {"compatibility": "FULL"}, "PUT", "/config/a%2Fb%20%C3%BC", {},
        {"compatibility": "FULL"},
    ),
    (
        "config", lambda s: ops.get_config(s.reg, None), {"compatibilityLevel": "FULL", "new": 1},
        ServerConfig(compatibility_level=ConfigCompatibilityLevel.FULL), "GET", "/config", {}, None,
    ),
    ("delete config", lambda s: ops.delete_config(s.reg, None), None, ServerConfig(), "DELETE", "/config", {}, None),
    ("mode", lambda s: ops.get_mode(s.reg, "x"), {"mode": "IMPORT"}, "IMPORT", "GET", "/mode/x", {}, None),
    ("global mode", lambda s: ops.get_mode(s.reg, None), {"mode": "IMPORT"}, "IMPORT", "GET", "/mode", {}, None),
    (
        "set mode", lambda s: ops.update_mode(s.reg, None, "READONLY", True), {"mode": "READONLY"}, "READONLY", "PUT",
        "/mode", {"force": ["true"]}, {"mode": "READONLY"},
    ),
    ("delete mode", lambda s: ops.delete_mode(s.reg, "x"), {"mode": "X"}, "X", "DELETE", "/mode/x", {}, None),
    ("contexts", lambda s: ops.get_contexts(s.reg, 0, -1), [":.:"], [":.:"], "GET", "/contexts", PAGE, None),
    (
        "associations",
        lambda s: ops.get_associations_by_resource_name(s.reg, "t/1", "-", "topic", ["key", "value"], 0, -1),
        [], [], "GET", "/associations/resources/-/t%2F1",
        {"resourceType": ["topic"], "associationType": ["key", "value"]}, None,
    ),
    (
        "associations by page",
        lambda s: ops.get_associations_by_resource_name(s.reg, "t", "-", None, None, 3, 2),
        [], [], "GET", "/associations/resources/-/t", {"offset": ["3"], "limit": ["2"]}, None,
    ),
    (
        "delete associations",
        lambda s: ops.delete_associations(s.reg, "r/1", "topic", ["key"], True),
        None, None, "DELETE", "/associations/resources/r%2F1",
        {"cascadeLifecycle": ["true"], "resourceType": ["topic"], "associationType": ["key"]}, None,
    ),
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS, ids=[call[0] for call in CALLS])
def test_request_and_result(call: tuple[Any, ...]) -> None:
    _, make, answer, result, method, path, query, body = call
    script = Script()
    assert script.run(make(script), reply(answer, 204 if answer is None else 200)) == result
    assert script.last == (method, path, query)
    assert script.body() == body


@pytest.mark.parametrize("call", CALLS, ids=[call[0] for call in CALLS])
def test_errors_of_the_registry(call: tuple[Any, ...]) -> None:
    script = Script()
    with pytest.raises(SchemaRegistryError) as raised:
        script.run(call[1](script), error(422, 42201, "no"))
    assert (raised.value.http_status_code, raised.value.error_code, raised.value.error_message) == (422, 42201, "no")


def test_arguments_that_are_missing() -> None:
    script = Script()
    with pytest.raises(ValueError, match="level must be set"):
        script.run(ops.set_compatibility(script.reg, None, None))
    with pytest.raises(ValueError, match="config must be set"):
        script.run(ops.set_config(script.reg, None, None))


@pytest.mark.parametrize(
    "make",
    [
        lambda s: ops.get_mode(s.reg, None),
        lambda s: ops.get_schema(s.reg, 1, None, None, None),
        lambda s: ops.get_latest_version(s.reg, "s", None),
        lambda s: ops.register(s.reg, "s", SCHEMA, False),
        lambda s: ops.lookup(s.reg, "s", SCHEMA, False, None, False),
    ],
)
@pytest.mark.parametrize("answer", [[], 5, "text"])
def test_answers_of_something_else(make: Make, answer: Any) -> None:
    script = Script()
    with pytest.raises(SchemaRegistryError, match="is this the URL of a Schema Registry"):
        script.run(make(script), reply(answer))


class TestRegister:
    def register(self, script: Script, *answers: Any, schema: Schema = SCHEMA, normalize: bool = False) -> Any:
        return script.run(ops.register(script.reg, SUBJECT, schema, normalize), *answers)

    def test_request(self) -> None:
        script = Script()
        found = self.register(script, reply({"id": 7}), normalize=True)
        assert script.last == ("POST", f"{QUOTED}/versions", {"normalize": ["true"]})
        assert script.body() == SCHEMA.to_dict()
        assert (found.subject, found.version, found.schema_id, found.guid, found.schema) == (
            SUBJECT, None, 7, None, SCHEMA,
        )  # fmt: skip

    def test_once(self) -> None:
        script = Script()
        assert self.register(script, reply(ANSWER)) is self.register(script)
        # what is known from it
        assert script.run(ops.get_schema(script.reg, 7, SUBJECT, None, None)) == SCHEMA
        assert script.run(ops.get_schema_by_guid(script.reg, "g7", None)) == SCHEMA
        assert script.run(ops.lookup(script.reg, SUBJECT, SCHEMA, False, None, False)).version == 3

    def test_other_normalization_other_references_other_metadata(self) -> None:
        script = Script()
        self.register(script, reply({"id": 1}))
        self.register(script, reply({"id": 2}), normalize=True)
        self.register(script, reply({"id": 3}), schema=Schema(SCHEMA.schema_str))
        self.register(script, reply({"id": 4}), reply({"schema": "x"}), schema=Schema("x", rule_set=RULES))

    def test_a_failure_is_not_remembered(self) -> None:
        script = Script()
        with pytest.raises(SchemaRegistryError):
            self.register(script, error(409))
        self.register(script, reply({"id": 1}))

    def test_rules_are_those_of_the_registry(self, caplog: pytest.LogCaptureFixture) -> None:
        metadata = Metadata(None, MetadataProperties({"a": "b"}), [])
        schema = Schema("{}", rule_set=RULES, metadata=metadata)
        # one that tells what it has made of the schema
        told = self.register(Script(), reply({**Schema("{ }", metadata=metadata).to_dict(), "id": 1}), schema=schema)
        assert told.schema == Schema("{ }", metadata=metadata)
        # one that only gives an id is asked
        script = Script()
        asked = self.register(script, reply({"id": 1}), reply({"schema": "{}"}), schema=schema)
        assert script.last == ("GET", "/schemas/ids/1", {"subject": [SUBJECT]})
        assert asked.schema == Schema("{}")
        assert caplog.text.count("has dropped the ruleSet") == 2

    def test_the_latest_version_is_another_one_now(self) -> None:
        script = Script()
        latest = partial(ops.get_latest_version, script.reg, SUBJECT, None)
        script.run(latest(), reply(ANSWER))
        self.register(script, reply({"id": 8}))
        script.run(latest(), reply({**ANSWER, "id": 8}))

    def test_an_answer_that_was_under_way_is_not_kept(self) -> None:
        script = Script()

        def registers_meanwhile() -> Any:
            answers, script.answers = script.answers, [reply({"id": 8})]
            script.drive(ops.register(script.reg, SUBJECT, SCHEMA, False))
            script.answers = answers
            return reply(ANSWER)

        latest = partial(ops.get_latest_version, script.reg, SUBJECT, None)
        script.run(latest(), registers_meanwhile)
        script.run(latest(), reply({**ANSWER, "id": 8}))


class TestSchemas:
    def get(self, script: Script, *answers: Any, args: tuple[Any, ...] = (7, None, None, None)) -> Any:
        return script.run(ops.get_schema(script.reg, *args), *answers)

    def test_once_per_everything_that_changes_the_answer(self) -> None:
        script = Script()
        variants = [
            (7, None, None, None), (8, None, None, None), (7, "s", None, None), (7, "s", "resolved", None),
            (7, "s", None, "resolved"),
        ]  # fmt: skip
        for number, args in enumerate(variants):
            assert self.get(script, reply({"schema": str(number)}), args=args).schema_str == str(number)
        assert script.last == ("GET", "/schemas/ids/7", {"subject": ["s"], "reference_format": ["resolved"]})
        for number, args in enumerate(variants):
            assert self.get(script, args=args).schema_str == str(number)

    def test_guid(self) -> None:
        script = Script()
        guid = partial(ops.get_schema_by_guid, script.reg, "g/1")
        assert script.run(guid(None), reply({"schema": "x"})).schema_str == "x"
        assert script.last == ("GET", "/schemas/guids/g%2F1", {})
        assert script.run(guid(None)).schema_str == "x"
        assert script.run(guid("f"), reply({"schema": "y"})).schema_str == "y"

    def test_the_answer_for_an_id_also_tells_the_guid(self) -> None:
        script = Script()
        self.get(script, reply({"schema": "x", "guid": "g"}))
        assert script.run(ops.get_schema_by_guid(script.reg, "g", None)).schema_str == "x"

    def test_what_is_not_there_is_remembered_for_a_second(self) -> None:
        script = Script()
        for _ in range(2):
            errors = []
            for answers in ((error(404, 40403),), (), ()):
                with pytest.raises(SchemaRegistryError) as raised:
                    self.get(script, *answers)
                errors.append(raised.value)
            assert {e.error_code for e in errors} == {40403}
            assert len({id(e) for e in errors}) == 3
            script.now += 1
        # unless something has been registered by this client
        with pytest.raises(SchemaRegistryError):
            self.get(script, error(404))
        script.run(ops.register(script.reg, "s", SCHEMA, False), reply({"id": 7}))
        self.get(script, reply({"schema": "x"}))

    def test_other_failures_are_not(self) -> None:
        script = Script()
        with pytest.raises(SchemaRegistryError):
            self.get(script, error(403))
        self.get(script, reply({"schema": "x"}))

    def test_capacity(self) -> None:
        script = Script(**{"cache.capacity": 10_001})
        for number in range(10_002):
            self.get(script, reply({"schema": "x"}), args=(number, None, None, None))
        assert len(script.caches.schemas) == 10_001
        self.get(script, args=(10_001, None, None, None))
        self.get(script, reply({"schema": "x"}), args=(0, None, None, None))


class TestVersions:
    def test_version(self) -> None:
        script = Script()
        version = partial(ops.get_version, script.reg, SUBJECT)
        found = script.run(version(3, False, None), reply(ANSWER))
        assert script.last == ("GET", f"{QUOTED}/versions/3", {"deleted": ["false"]})
        assert script.run(version(3, False, None)) is found
        script.run(version(3, True, None), reply(ANSWER))
        script.run(version(3, False, "f"), reply(ANSWER))
        # known from it
        assert script.run(ops.get_schema(script.reg, 7, SUBJECT, None, None)) == SCHEMA
        assert script.run(ops.lookup(script.reg, SUBJECT, SCHEMA, False, None, False)) is found
        assert script.run(ops.register(script.reg, SUBJECT, SCHEMA, False)) is found

    @pytest.mark.parametrize("name", ["latest", -1])
    def test_latest_is_asked_for_each_time(self, name: Any) -> None:
        script = Script()
        for _ in range(2):
            script.run(ops.get_version(script.reg, SUBJECT, name, False, None), reply(ANSWER))
            assert script.last[1] == f"{QUOTED}/versions/latest"
        script.run(ops.get_version(script.reg, SUBJECT, 3, False, None))

    def test_lookup(self) -> None:
        script = Script()
        look = partial(ops.lookup, script.reg, SUBJECT, SCHEMA)
        found = script.run(look(False, None, False), reply({**ANSWER, "schema": "{ }"}))
        assert script.last == ("POST", QUOTED, {"normalize": ["false"], "deleted": ["false"]})
        assert found.schema == SCHEMA  # the caller's
        assert script.run(look(False, None, False)) is found
        assert script.run(look(False, "f", False), reply({**ANSWER, "schema": "f"})).schema.schema_str == "f"
        script.run(look(True, None, False), reply(ANSWER))
        script.run(look(False, None, True), reply(ANSWER))

    @pytest.mark.parametrize("permanent", [False, True])
    @pytest.mark.parametrize("what", ["subject", "version"])
    def test_deleted(self, what: str, permanent: bool) -> None:
        script = Script()
        asked: list[Make] = [
            lambda s: ops.get_version(s.reg, SUBJECT, 3, False, None),
            lambda s: ops.lookup(s.reg, SUBJECT, SCHEMA, False, None, False),
            lambda s: ops.get_latest_version(s.reg, SUBJECT, None),
            lambda s: ops.get_schema(s.reg, 7, SUBJECT, None, None),
        ]
        other = {**ANSWER, "id": 9, "subject": "other", "version": 1}
        for make in asked[::2]:
            script.run(make(script), reply(ANSWER))
        script.run(ops.get_version(script.reg, "other", 1, False, None), reply(other))
        if what == "subject":
            script.run(ops.delete_subject(script.reg, SUBJECT, permanent), reply([3]))
        else:
            script.run(ops.delete_version(script.reg, SUBJECT, 3, permanent), reply(3))
        for make in asked[:3]:
            with pytest.raises(SchemaRegistryError):
                script.run(make(script), error(404))
        script.run(ops.get_version(script.reg, "other", 1, False, None))
        # messages written with a schema that was deleted softly can still be read
        script.run(asked[3](script), *([reply({"schema": "x"})] if permanent else []))

    def test_deleted_perhaps(self) -> None:
        script = Script(**{"max.retries": 0})
        script.run(ops.get_latest_version(script.reg, SUBJECT, None), reply(ANSWER))
        with pytest.raises(Down):
            script.run(ops.delete_subject(script.reg, SUBJECT, False), DOWN)
        script.now += 1
        script.run(ops.get_latest_version(script.reg, SUBJECT, None), reply(ANSWER))


class TestLatest:
    def latest(self, script: Script, *answers: Any, subject: str = "s", fmt: str | None = None) -> Any:
        return script.run(ops.get_latest_version(script.reg, subject, fmt), *answers).version

    def answer(self, version: int) -> Any:
        return reply({**ANSWER, "version": version})

    def test_for_ever(self) -> None:
        script = Script()
        assert self.latest(script, self.answer(1)) == 1
        script.now += 10**9
        assert self.latest(script) == 1
        assert self.latest(script, self.answer(5), fmt="f") == 5
        assert script.last == ("GET", "/subjects/s/versions/latest", {"format": ["f"]})

    def test_for_a_time(self) -> None:
        script = Script(**{"cache.latest.ttl.sec": 60})
        assert self.latest(script, self.answer(1)) == 1
        script.now += 59.9
        assert self.latest(script) == 1
        script.now += 0.1
        assert [self.latest(script, self.answer(2)), self.latest(script), self.latest(script)] == [2, 2, 2]
        script.now += 60
        assert self.latest(script, self.answer(3)) == 3

    def test_while_one_asks_the_others_go_on(self) -> None:
        script = Script(**{"cache.latest.ttl.sec": 60})
        self.latest(script, self.answer(1))
        script.now += 60
        asking = ops.get_latest_version(script.reg, "s", None)
        next(asking)
        assert self.latest(script) == 1
        with pytest.raises(StopIteration) as stopped:
            asking.send(self.answer(2))
        assert stopped.value.value.version == 2
        assert self.latest(script) == 2

    def test_one_that_was_cancelled_leaves_it_to_the_next(self) -> None:
        script = Script(**{"cache.latest.ttl.sec": 60})
        self.latest(script, self.answer(1))
        script.now += 60
        asking = ops.get_latest_version(script.reg, "s", None)
        next(asking)
        asking.close()
        assert self.latest(script, self.answer(2)) == 2

    @pytest.mark.parametrize("failure", [DOWN, reply(status=503), error(429)])
    def test_an_outage(self, failure: Any, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        script = Script(**{"cache.latest.ttl.sec": 60})
        self.latest(script, self.answer(1))
        self.latest(script, self.answer(7), subject="t")
        script.now += 60
        assert self.latest(script, failure) == 1
        assert script.slept == []  # nobody waits for what there is already
        assert [self.latest(script), self.latest(script)] == [1, 1]
        pauses: list[float] = []
        for _ in range(7):
            before = script.now
            while not script.requests or len(script.requests) == len(pauses) + 3:
                script.now += 1
                script.answers = [failure]
                assert script.drive(ops.get_latest_version(script.reg, "s", None)).version == 1
            pauses.append(script.now - before)
        assert pauses == [1, 2, 4, 8, 16, 30, 30]
        assert caplog.text.count("does not answer, cached schemas are used") == 1
        script.now += 30
        assert self.latest(script, self.answer(2)) == 2
        assert caplog.text.count("answers again") == 1

    def test_gone(self) -> None:
        script = Script(**{"cache.latest.ttl.sec": 60})
        self.latest(script, self.answer(1))
        script.now += 60
        for _ in range(2):
            with pytest.raises(SchemaRegistryError):
                self.latest(script, error(404, 40401))

    def test_never_seen_before_an_outage(self) -> None:
        with pytest.raises(Down):
            self.latest(Script(), *[DOWN] * 4)

    def test_metadata(self) -> None:
        script = Script()
        find = partial(ops.get_latest_with_metadata, script.reg, "s")
        script.run(find({"a": "1", "b": "x/y"}, False, None), reply(ANSWER))
        method, path, query = script.last
        assert (method, path) == ("GET", "/subjects/s/metadata")
        assert query == {"deleted": ["false"], "key": ["a", "b"], "value": ["1", "x/y"]}
        script.run(find({"b": "x/y", "a": "1"}, False, None))
        script.run(find({"a": "1"}, False, None), reply(ANSWER))
        script.run(find({"a": "1"}, True, None), reply(ANSWER))
        script.run(find({"a": "1"}, True, "f"), reply(ANSWER))
        assert self.latest(script, self.answer(1)) == 1

    def test_capacity(self) -> None:
        script = Script(**{"cache.capacity": 2})
        for subject in "abc":
            self.latest(script, self.answer(1), subject=subject)
        self.latest(script, subject="c")
        self.latest(script, self.answer(1), subject="a")

    def test_cleared(self) -> None:
        script = Script()
        self.latest(script, self.answer(1))
        script.caches.clear_latest()
        self.latest(script, self.answer(2))
        script.run(ops.get_schema(script.reg, 7, SUBJECT, None, None))
        script.caches.clear()
        self.latest(script, self.answer(2))
        script.caches.clear()
        script.run(ops.get_schema(script.reg, 7, SUBJECT, None, None), reply({"schema": "x"}))


class TestAssociations:
    def find(self, script: Script, *answers: Any) -> Any:
        found = ops.get_associations_by_resource_name(script.reg, "t", "-", None, None, 0, -1)
        return script.run(found, *answers)

    def test_create(self) -> None:
        script = Script()
        wanted = AssociationCreateOrUpdateRequest("t", "-", "r", "topic", [AssociationCreateOrUpdateInfo("s", "key")])
        assert script.run(ops.create_association(script.reg, wanted), reply(wanted.to_dict())).resource_name == "t"
        assert script.last[:2] == ("POST", "/associations")
        assert script.body() == wanted.to_dict()

    @pytest.mark.parametrize("answer", [reply(b"<html>", 404), reply({"error_code": 404, "message": "x"}, 404)])
    def test_a_registry_without_them_is_not_asked_for_every_topic(self, answer: Any) -> None:
        script = Script()
        for answers in ((answer,), (), ()):
            with pytest.raises(SchemaRegistryError) as raised:
                self.find(script, *answers)
            assert raised.value.http_status_code == 404
        script.now += 300
        assert self.find(script, reply([])) == []

    def test_a_topic_without_them(self) -> None:
        script = Script()
        for _ in range(2):
            with pytest.raises(SchemaRegistryError):
                self.find(script, error(404, 40403))
        assert self.find(script, reply([{"subject": "s", "resourceName": "t"}]))[0].subject == "s"


class TestOneRequest:
    """Two callers who both looked before the first one had an answer, and of whom the second waits after it."""

    @pytest.mark.parametrize(
        "make",
        [
            lambda s: ops.get_schema(s.reg, 7, None, None, None),
            lambda s: ops.get_schema_by_guid(s.reg, "g7", None),
            lambda s: ops.register(s.reg, SUBJECT, SCHEMA, False),
            lambda s: ops.lookup(s.reg, SUBJECT, SCHEMA, False, None, False),
            lambda s: ops.get_version(s.reg, SUBJECT, 3, False, None),
            lambda s: ops.get_latest_version(s.reg, SUBJECT, None),
        ],
    )
    def test_the_second_makes_none(self, make: Make) -> None:
        script = Script()
        first, second = make(script), make(script)
        effects = next(first), next(second)
        assert effects[0].key == effects[1].key
        found = script.drive_with(effects[0], reply(ANSWER))
        assert script.drive_with(effects[1]) == found

    def test_nor_does_one_who_finds_it_refreshed(self) -> None:
        script = Script(**{"cache.latest.ttl.sec": 60})
        key = ops.latest_key(SUBJECT, None)
        script.run(ops.get_latest_version(script.reg, SUBJECT, None), reply(ANSWER))
        script.now += 60
        old, mine = script.caches.claim(key)
        assert old is not None
        assert mine
        assert script.caches.claim(key) == (old, False)
        old.refreshing = False
        script.run(ops.get_latest_version(script.reg, SUBJECT, None), reply({**ANSWER, "version": 4}))
        fresh, mine = script.caches.claim(key)
        assert fresh is not None
        assert (fresh.registered.version, mine) == (4, False)
