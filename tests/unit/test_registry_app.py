# SPDX-License-Identifier: Apache-2.0
"""The registry's REST interface, asked without a network."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import quote

import pytest

from confluent_kafka.schema_registry._core.memory import MemoryRegistry
from confluent_kafka.schema_registry._core.server import RegistryApp


def record(*fields: str, name: str = "R", **more: Any) -> str:
    """An Avro record of optional strings."""
    listed = [{"name": field, "type": ["null", "string"], "default": None} for field in fields]
    return json.dumps({"type": "record", "name": name, "fields": listed, **more})


A, AB, ABC = record("a"), record("a", "b"), record("a", "b", "c")


class Registry:
    """Calls with their status checked."""

    def __init__(self, app: RegistryApp | None = None) -> None:
        self.app = RegistryApp() if app is None else app

    def __call__(self, line: str, body: Any = None, **query: Any) -> Any:
        method, path = line.split(" ", 1)
        status, answer = self.app.handle(method, path, query, body)
        assert status in (200, 204), (line, status, answer)
        return answer

    def error(self, line: str, body: Any = None, **query: Any) -> tuple[int, int]:
        method, path = line.split(" ", 1)
        status, answer = self.app.handle(method, path, query, body)
        assert status >= 400, (line, answer)
        assert answer["message"]
        return status, answer["error_code"]

    def register(self, subject: str, text: str, **more: Any) -> int:
        query = {key: more.pop(key) for key in ("normalize",) if key in more}
        answer = self(f"POST /subjects/{quote(subject, safe='')}/versions", {"schema": text, **more}, **query)
        return int(answer["id"])


@pytest.fixture
def sr() -> Registry:
    return Registry()


class TestVersions:
    def test_ids_are_shared_by_subjects_and_versions_are_not(self, sr: Registry) -> None:
        assert sr.register("s", A) == 1
        assert sr.register("s", AB) == 2
        assert sr.register("t", AB) == 2
        assert sr.register("s", A) == 1
        assert sr("GET /subjects/s/versions") == [1, 2]
        assert sr("GET /subjects/t/versions") == [1]
        assert sr("GET /subjects") == ["s", "t"]
        assert sr("GET /schemas/ids/2/versions") == [{"subject": "s", "version": 2}, {"subject": "t", "version": 1}]
        assert sr("GET /schemas/ids/2/subjects") == ["s", "t"]
        assert sr("GET /schemas/ids/2/subjects", subject="t") == ["t"]
        assert sr("GET /schemas/ids/2/subjects", offset="1") == ["t"]

    def test_what_a_registration_returns(self, sr: Registry) -> None:
        made = sr("POST /subjects/s/versions", {"schema": A, "schemaType": "AVRO", "references": []})
        assert made["id"] == 1
        assert made["version"] == 1
        assert made["subject"] == "s"
        assert made["schema"] == A
        assert str(uuid.UUID(made["guid"])) == made["guid"]
        assert "schemaType" not in made
        assert sr("POST /subjects/s", {"schema": A}) == made == sr("GET /subjects/s/versions/1")
        assert sr("GET /schemas/ids/1")["guid"] == made["guid"]
        assert sr(f"GET /schemas/guids/{made['guid']}")["schema"] == A
        assert sr(f"GET /schemas/guids/{made['guid']}/ids") == [{"context": ".", "id": 1}]
        assert sr("GET /subjects/s/versions/latest/schema") == A == sr("GET /schemas/ids/1/schema")

    def test_spaces_make_no_new_version(self, sr: Registry) -> None:
        assert sr.register("s", A) == 1
        spaced = json.dumps(json.loads(A), indent=3)
        assert sr.register("s", spaced) == 1
        assert sr("POST /subjects/s", {"schema": spaced})["version"] == 1
        assert sr("GET /subjects/s/versions/-1")["schema"] == A

    def test_what_is_not_there(self, sr: Registry) -> None:
        sr.register("s", A)
        assert sr.error("GET /subjects/x/versions") == (404, 40401)
        assert sr.error("GET /subjects/x/versions/1") == (404, 40401)
        assert sr.error("GET /subjects/x/versions/latest") == (404, 40401)
        assert sr.error("GET /subjects/s/versions/7") == (404, 40402)
        assert sr.error("GET /subjects/s/versions/zero") == (422, 42202)
        assert sr.error("GET /subjects/s/versions/0") == (422, 42202)
        assert sr.error("GET /schemas/ids/9") == (404, 40403)
        assert sr.error("GET /schemas/ids/9/versions") == (404, 40403)
        assert sr.error("GET /schemas/guids/nothing") == (404, 40403)
        assert sr.error("GET /schemas/ids/x") == (400, 400)
        assert sr.error("POST /subjects/s", {"schema": AB}) == (404, 40403)
        assert sr.error("POST /subjects/x", {"schema": A}) == (404, 40401)
        assert sr.error("DELETE /subjects/x") == (404, 40401)
        assert sr.error("GET /nothing/here") == (404, 404)
        assert sr.error("PUT /subjects") == (405, 405)

    @pytest.mark.parametrize(
        "body",
        [
            {"schema": "{"},
            {"schema": ""},
            {},
            {"schema": "{}", "schemaType": "YAML"},
            {"schema": 5},
            {"schema": A, "references": [{"name": "x"}]},
            {"schema": A, "references": [{"name": "x", "subject": "y", "version": 1}]},
            {"schema": A, "metadata": 5},
        ],
    )
    def test_invalid_schemas(self, sr: Registry, body: Any) -> None:
        assert sr.error("POST /subjects/s/versions", body) == (422, 42201)
        assert sr("GET /subjects") == []

    def test_bodies_that_are_no_objects(self, sr: Registry) -> None:
        bodies: list[Any] = [None, [], "x", 5]
        for body in bodies:
            assert sr.error("POST /subjects/s/versions", body) == (422, 422)
            assert sr.error("PUT /config", body) == (422, 422)

    def test_subject_names(self, sr: Registry) -> None:
        assert sr.error("POST /subjects/a%00b/versions", {"schema": A}) == (422, 42208)
        assert sr.error("POST /subjects/__GLOBAL/versions", {"schema": A}) == (422, 42208)
        name = "a/b c%d?é:x"
        sr.register(name, A)
        assert sr("GET /subjects") == [name]
        assert sr(f"GET /subjects/{quote(name, safe='')}/versions") == [1]

    def test_pages(self, sr: Registry) -> None:
        for subject in ("c", "a", "b"):
            sr.register(subject, A)
        assert sr("GET /subjects") == ["a", "b", "c"]
        assert sr("GET /subjects", offset="1", limit="1") == ["b"]
        assert sr("GET /subjects", limit="-1", offset="2") == ["c"]
        assert sr("GET /subjects", subjectPrefix="b") == ["b"]
        sr.register("a", AB)
        assert sr("GET /subjects/a/versions", offset="1") == [2]
        assert [(s["subject"], s["version"]) for s in sr("GET /schemas", subjectPrefix="a")] == [("a", 1), ("a", 2)]
        assert [(s["subject"], s["version"]) for s in sr("GET /schemas", latestOnly="true")] == [
            ("a", 2),
            ("b", 1),
            ("c", 1),
        ]

    def test_normalized_text_is_found_whatever_its_order(self, sr: Registry) -> None:
        assert sr.register("s", '{"title": "x", "type": "object"}', schemaType="JSON", normalize="true") == 1
        other = '{"type":"object","title":"x"}'
        assert sr.register("s", other, schemaType="JSON", normalize="true") == 1
        assert sr.error("POST /subjects/s", {"schema": '{"title":"y"}', "schemaType": "JSON"}) == (404, 40403)
        found = sr("POST /subjects/s", {"schema": other, "schemaType": "JSON"}, normalize="true")
        assert (found["version"], found["schemaType"]) == (1, "JSON")

    def test_what_else_it_tells(self, sr: Registry) -> None:
        assert sorted(sr("GET /schemas/types")) == ["AVRO", "JSON", "PROTOBUF"]
        assert sr("GET /v1/metadata/id")["id"] == "embedded"
        assert sr("GET /v1/metadata/version")["version"]
        assert sr("GET /") == {}


class TestDeletion:
    def test_versions(self, sr: Registry) -> None:
        for text in (A, AB, ABC):
            sr.register("s", text)
        assert sr.error("DELETE /subjects/s/versions/2", permanent="true") == (404, 40407)
        assert sr("DELETE /subjects/s/versions/2") == 2
        assert sr.error("DELETE /subjects/s/versions/2") == (404, 40406)
        assert sr("GET /subjects/s/versions") == [1, 3]
        assert sr("GET /subjects/s/versions", deleted="true") == [1, 2, 3]
        assert sr("GET /subjects/s/versions", deletedOnly="true") == [2]
        assert sr.error("GET /subjects/s/versions/2") == (404, 40402)
        assert sr("GET /subjects/s/versions/2", deleted="true")["schema"] == AB
        assert sr("GET /schemas/ids/2")["schema"] == AB
        assert sr("GET /schemas/ids/2/versions") == []
        assert sr("GET /schemas/ids/2/versions", deleted="true") == [{"subject": "s", "version": 2}]
        assert sr.error("POST /subjects/s", {"schema": AB}) == (404, 40403)
        assert sr("POST /subjects/s", {"schema": AB}, deleted="true")["version"] == 2
        assert sr("DELETE /subjects/s/versions/2", permanent="true") == 2
        assert sr.error("GET /schemas/ids/2") == (404, 40403)
        assert sr.error("DELETE /subjects/s/versions/2") == (404, 40402)
        assert sr("DELETE /subjects/s/versions/latest") == 3

    def test_registered_again_it_has_its_id_and_a_new_version(self, sr: Registry) -> None:
        sr.register("s", A)
        sr.register("s", AB)
        sr("DELETE /subjects/s/versions/2")
        made = sr("POST /subjects/s/versions", {"schema": AB})
        assert (made["id"], made["version"]) == (2, 3)

    def test_subjects(self, sr: Registry) -> None:
        sr.register("s", A)
        sr.register("s", AB)
        sr("PUT /config/s", {"compatibility": "NONE"})
        assert sr.error("DELETE /subjects/s", permanent="true") == (404, 40405)
        assert sr("DELETE /subjects/s") == [1, 2]
        assert sr.error("DELETE /subjects/s") == (404, 40404)
        assert sr.error("GET /config/s") == (404, 40408)
        assert sr("GET /subjects") == []
        assert sr("GET /subjects", deleted="true") == sr("GET /subjects", deletedOnly="true") == ["s"]
        assert sr.error("GET /subjects/s/versions") == (404, 40401)
        assert sr("GET /subjects/s/versions", deleted="true") == [1, 2]
        assert sr("DELETE /subjects/s", permanent="true") == [1, 2]
        assert sr.error("DELETE /subjects/s", permanent="true") == (404, 40401)
        assert sr.error("GET /schemas/ids/1") == (404, 40403)
        assert sr.register("s", A) == 3

    def test_an_id_lives_as_long_as_somebody_has_it(self, sr: Registry) -> None:
        sr.register("s", A)
        sr.register("t", A)
        for permanent in ("false", "true"):
            sr("DELETE /subjects/s", permanent=permanent)
        assert sr("GET /schemas/ids/1/subjects") == ["t"]
        assert sr.register("u", A) == 1


class TestReferences:
    def test_checked_listed_and_protected(self, sr: Registry) -> None:
        sr.register("inner", record("x", name="Inner"))
        outer = json.dumps({"type": "record", "name": "Outer", "fields": [{"name": "i", "type": "Inner"}]})
        reference = {"name": "Inner", "subject": "inner", "version": 1}
        assert sr.register("outer", outer, references=[reference]) == 2
        assert sr("GET /subjects/inner/versions/1/referencedby") == [2]
        assert sr("GET /subjects/outer/versions/latest")["references"] == [reference]
        assert sr.error("DELETE /subjects/inner") == (422, 42206)
        assert sr.error("DELETE /subjects/inner/versions/1") == (422, 42206)
        sr("DELETE /subjects/outer")
        assert sr("DELETE /subjects/inner") == [1]
        assert sr.error("POST /subjects/outer/versions", {"schema": outer, "references": [reference]}) == (422, 42201)
        assert sr("GET /schemas/ids/2")["references"] == [reference]


class TestContexts:
    def test_each_has_its_own_ids(self, sr: Registry) -> None:
        assert sr.register("s", A) == 1
        assert sr.register("s", AB) == 2
        assert sr.register(":.dev:s", AB) == 1
        assert sr.register(":.:s", A) == 1
        assert sr("GET /contexts") == [".", ".dev"]
        assert sr("GET /subjects") == [":.dev:s", "s"]
        assert sr("GET /subjects", subjectPrefix=":.dev:") == [":.dev:s"]
        assert sr("GET /subjects", subjectPrefix="s") == ["s"]
        assert sr("GET /subjects", subjectPrefix=":*:s") == [":.dev:s", "s"]
        assert sr("GET /schemas/ids/1", subject=":.dev:s")["schema"] == AB
        assert sr("GET /schemas/ids/1", subject=":.dev:")["schema"] == AB
        assert sr("GET /schemas/ids/1", subject="s")["version"] == 1
        assert sr.error("GET /schemas/ids/2", subject=":.dev:") == (404, 40403)
        guid = sr("GET /schemas/ids/2")["guid"]
        assert sr("GET /schemas/ids/1", subject=":.dev:s")["guid"] == guid
        assert sr(f"GET /schemas/guids/{guid}/ids") == [{"context": ".", "id": 2}, {"context": ".dev", "id": 1}]

    def test_at_the_beginning_of_the_path(self, sr: Registry) -> None:
        sr.register("s", A)
        sr("POST /contexts/.dev/subjects/s/versions", {"schema": ABC})
        assert sr("GET /contexts/.dev/subjects") == [":.dev:s"]
        assert sr("GET /contexts/.dev/subjects/s/versions/1")["schema"] == ABC
        assert sr("GET /contexts/.dev/schemas/ids/1")["schema"] == ABC
        sr("PUT /contexts/.dev/config", {"compatibility": "FULL"})
        assert sr("GET /config/:.dev:s", defaultToGlobal="true")["compatibilityLevel"] == "FULL"
        assert sr("GET /config")["compatibilityLevel"] == "BACKWARD"

    def test_references_stay_in_it(self, sr: Registry) -> None:
        sr.register(":.dev:inner", record("x", name="Inner"))
        outer = json.dumps({"type": "record", "name": "Outer", "fields": [{"name": "i", "type": "Inner"}]})
        reference = {"name": "Inner", "subject": "inner", "version": 1}
        sr.register(":.dev:outer", outer, references=[reference])
        assert sr("GET /subjects/:.dev:inner/versions/1/referencedby") == [2]
        assert sr.error("POST /subjects/outer/versions", {"schema": outer, "references": [reference]}) == (422, 42201)


class TestModes:
    def test_get_set_delete(self, sr: Registry) -> None:
        assert sr("GET /mode") == {"mode": "READWRITE"}
        assert sr.error("GET /mode/s") == (404, 40409)
        assert sr("GET /mode/s", defaultToGlobal="true") == {"mode": "READWRITE"}
        assert sr("PUT /mode/s", {"mode": "readonly"}) == {"mode": "READONLY"}
        assert sr("GET /mode/s") == {"mode": "READONLY"}
        assert sr("DELETE /mode/s") == {"mode": "READONLY"}
        assert sr.error("DELETE /mode/s") == (404, 40401)
        assert sr.error("PUT /mode", {"mode": "x"}) == (422, 42204)
        assert sr.error("PUT /mode", {}) == (422, 42204)

    def test_read_only(self, sr: Registry) -> None:
        sr.register("s", A)
        sr("PUT /mode/s", {"mode": "READONLY"})
        assert sr.error("POST /subjects/s/versions", {"schema": AB}) == (422, 42205)
        assert sr.error("DELETE /subjects/s") == (422, 42205)
        assert sr.error("DELETE /subjects/s/versions/1") == (422, 42205)
        sr.register("t", A)
        sr("PUT /mode", {"mode": "READONLY_OVERRIDE"})
        sr("PUT /mode/t", {"mode": "READWRITE"})
        assert sr.error("POST /subjects/t/versions", {"schema": AB}) == (422, 42205)
        sr("PUT /mode", {"mode": "READONLY"})
        assert sr.register("t", AB) == 2

    def test_import(self, sr: Registry) -> None:
        sr.register("s", A)
        body = {"schema": AB, "id": 40, "version": 7}
        assert sr.error("POST /subjects/s/versions", body) == (422, 42205)
        assert sr.error("PUT /mode/s", {"mode": "IMPORT"}) == (422, 42205)
        sr("PUT /mode/s", {"mode": "IMPORT"}, force="true")
        assert sr.error("POST /subjects/s/versions", {"schema": AB}) == (422, 42205)
        made = sr("POST /subjects/s/versions", body)
        assert (made["id"], made["version"]) == (40, 7)
        assert sr("POST /subjects/s/versions", body)["version"] == 7
        assert sr.error("POST /subjects/s/versions", {"schema": AB, "id": 41}) == (422, 42207)
        assert sr.error("POST /subjects/s/versions", {"schema": ABC, "id": 40}) == (422, 42205)
        assert sr("POST /subjects/s/versions", {"schema": ABC, "id": 39, "version": 3})["version"] == 3
        assert sr("GET /subjects/s/versions") == [1, 3, 7]
        sr("DELETE /mode/s")
        assert sr.register("s", record("d")) == 41
        assert sr("GET /subjects/s/versions") == [1, 3, 7, 8]


class TestConfig:
    def test_get_set_delete(self, sr: Registry) -> None:
        assert sr("GET /config") == {"compatibilityLevel": "BACKWARD"}
        assert sr.error("GET /config/s") == (404, 40408)
        assert sr("PUT /config/s", {"compatibility": "full"}) == {"compatibility": "full"}
        assert sr("GET /config/s") == {"compatibilityLevel": "FULL"}
        sr("PUT /config/s", {"compatibilityGroup": "major", "normalize": True})
        expected = {"compatibilityLevel": "FULL", "compatibilityGroup": "major", "normalize": True}
        assert sr("GET /config/s") == expected
        sr("PUT /config/s", {"compatibilityGroup": None})
        del expected["compatibilityGroup"]
        assert sr("GET /config/s") == expected == sr("DELETE /config/s")
        assert sr.error("DELETE /config/s") == (404, 40401)
        assert sr("GET /config/s", defaultToGlobal="true") == {"compatibilityLevel": "BACKWARD"}
        sr("PUT /config", {"compatibility": "NONE"})
        assert sr("DELETE /config") == {"compatibilityLevel": "NONE"}
        assert sr("GET /config") == {"compatibilityLevel": "BACKWARD"}
        assert sr.error("PUT /config", {"compatibility": "SOME"}) == (422, 42203)
        assert sr.error("PUT /config", {"normalize": "yes"}) == (422, 422)
        assert sr.error("PUT /config", {"defaultMetadata": 5}) == (422, 422)

    def test_alias(self, sr: Registry) -> None:
        sr.register("long-name", A)
        sr("PUT /config/short", {"alias": "long-name"})
        assert sr("GET /subjects/short/versions/latest")["subject"] == "long-name"
        assert sr("POST /subjects/short", {"schema": A})["id"] == 1
        assert sr("POST /subjects/short/versions", {"schema": AB})["version"] == 2

    def test_defaults_and_overrides_of_contracts(self, sr: Registry) -> None:
        def rule(name: str, mode: str = "WRITE") -> dict[str, Any]:
            return {"name": name, "kind": "CONDITION", "mode": mode, "type": "CEL", "expr": name}

        sr(
            "PUT /config/s",
            {
                "defaultMetadata": {"properties": {"owner": "nobody", "team": "x"}, "tags": {"**.a": ["PII"]}},
                "overrideMetadata": {"properties": {"team": "y"}, "sensitive": ["team"]},
                "defaultRuleSet": {"domainRules": [rule("one"), rule("two", "READ")]},
                "overrideRuleSet": {"migrationRules": [rule("three", "UPGRADE")]},
            },
        )
        own = {"metadata": {"properties": {"owner": "me"}}, "ruleSet": {"domainRules": [rule("two")]}}
        made = sr("POST /subjects/s/versions", {"schema": A, **own})
        assert made["metadata"] == {
            "tags": {"**.a": ["PII"]},
            "properties": {"owner": "me", "team": "y"},
            "sensitive": ["team"],
        }
        assert [(r["name"], r["mode"]) for r in made["ruleSet"]["domainRules"]] == [("one", "WRITE"), ("two", "WRITE")]
        assert [r["name"] for r in made["ruleSet"]["migrationRules"]] == ["three"]
        assert sr("POST /subjects/s/versions", {"schema": A})["version"] == 1
        assert sr("POST /subjects/s", {"schema": A})["version"] == 1

    def test_inherited_from_the_version_before(self, sr: Registry) -> None:
        metadata = {"properties": {"owner": "me"}, "sensitive": []}
        sr("POST /subjects/s/versions", {"schema": A, "metadata": metadata})
        made = sr("POST /subjects/s/versions", {"schema": AB})
        assert made["metadata"] == metadata
        changed = sr("POST /subjects/s/versions", {"metadata": {"properties": {"owner": "you"}}})
        assert (changed["version"], changed["schema"]) == (3, AB)
        assert sr("GET /subjects/s/metadata", key=["owner"], value=["me"])["version"] == 2
        assert sr("GET /subjects/s/metadata", key="owner", value="you")["version"] == 3
        assert sr.error("GET /subjects/s/metadata", key="owner", value="they") == (404, 40403)
        assert sr.error("GET /subjects/x/metadata", key="owner", value="they") == (404, 40401)

    @pytest.mark.parametrize(
        "rules",
        [
            {"domainRules": [{"name": "a", "mode": "UPGRADE"}]},
            {"migrationRules": [{"name": "a", "mode": "READ"}]},
            {"domainRules": [{"name": "a", "mode": "READ"}, {"name": "a", "mode": "WRITE"}]},
            {"encodingRules": [{"mode": "READ"}]},
        ],
    )
    def test_rules_that_cannot_be(self, sr: Registry, rules: Any) -> None:
        assert sr.error("POST /subjects/s/versions", {"schema": A, "ruleSet": rules}) == (422, 42210)


BOUND: dict[str, Any] = {
    "resourceName": "orders",
    "resourceNamespace": "lkc-1",
    "resourceId": "id-1",
    "resourceType": "topic",
    "associations": [
        {"subject": "k", "associationType": "key", "lifecycle": "WEAK", "schema": {"schema": A}},
        {"subject": "v", "associationType": "value", "lifecycle": "STRONG", "schema": {"schema": AB}},
    ],
}


class TestCompatibility:
    """Levels and endpoints; what fits is for the tests of the formats."""

    @staticmethod
    def needs(*fields: str) -> str:
        listed = [{"name": name, "type": "string"} for name in fields]
        return json.dumps({"type": "record", "name": "R", "fields": listed})

    @pytest.mark.parametrize(
        ("level", "old", "new", "fits"),
        [
            ("BACKWARD", "a", "a b", False),
            ("BACKWARD", "a b", "a", True),
            ("FORWARD", "a", "a b", True),
            ("FORWARD", "a b", "a", False),
            ("FULL", "a", "a b", False),
            ("FULL", "a b", "a", False),
            ("FULL", "a", "a documented", True),
            ("NONE", "a", "x", True),
            ("BACKWARD", "a, a b", "a b documented", True),
            ("BACKWARD_TRANSITIVE", "a, a b", "a b documented", False),
            ("BACKWARD_TRANSITIVE", "a b c, a b", "a", True),
            ("FORWARD_TRANSITIVE", "a b, a b c", "a", False),
        ],
    )
    def test_levels(self, level: str, old: str, new: str, fits: bool) -> None:
        sr = Registry()
        sr("PUT /config/s", {"compatibility": "NONE"})
        for fields in old.split(", "):
            sr.register("s", self.needs(*fields.split()))
        sr("PUT /config/s", {"compatibility": level})
        text = self.needs(*new.removesuffix(" documented").split())
        if new.endswith("documented"):
            text = json.dumps({**json.loads(text), "doc": "changed"})
        if fits:
            assert sr.register("s", text)
        else:
            assert sr.error("POST /subjects/s/versions", {"schema": text}) == (409, 409)
        checked = sr("POST /compatibility/subjects/s/versions", {"schema": text}, verbose="true")
        assert checked["is_compatible"] is fits
        assert bool(checked["messages"]) is not fits

    def test_only_the_latest_counts_unless_transitive(self) -> None:
        sr = Registry()
        for fields in ("a", "a b"):
            sr("PUT /config/s", {"compatibility": "NONE"})
            sr.register("s", self.needs(*fields.split()))
        body = {"schema": self.needs("a", "b")}
        one, latest = (f"POST /compatibility/subjects/s/versions/{version}" for version in (1, "latest"))
        sr("PUT /config/s", {"compatibility": "BACKWARD"})
        assert sr(one, body) == {"is_compatible": False}
        assert sr(latest, body) == {"is_compatible": True}
        assert sr("POST /compatibility/subjects/s/versions", body) == {"is_compatible": True}
        sr("PUT /config/s", {"compatibility": "BACKWARD_TRANSITIVE"})
        assert sr("POST /compatibility/subjects/s/versions", body) == {"is_compatible": False}
        assert sr.error("POST /compatibility/subjects/s/versions/9", body) == (404, 40402)
        assert sr("POST /compatibility/subjects/none/versions/latest", body) == {"is_compatible": True}
        assert sr.error("POST /compatibility/subjects/s/versions/latest", {"schema": "{"}) == (422, 42201)

    def test_messages(self) -> None:
        sr = Registry()
        sr.register("s", self.needs("a"))
        body = {"schema": self.needs("a", "b")}
        status, answer = sr.app.handle("POST", "/subjects/s/versions", {}, body)
        assert status == 409
        assert "incompatible with an earlier schema" in answer["message"]
        checked = sr("POST /compatibility/subjects/s/versions/latest", body, verbose="true")
        assert "READER_FIELD_MISSING_DEFAULT_VALUE" in checked["messages"][0]
        assert "{oldSchemaVersion: 1}" in checked["messages"]
        assert "{compatibility: 'BACKWARD'}" in checked["messages"]

    def test_another_type_never_fits(self) -> None:
        sr = Registry()
        sr.register("s", A)
        assert sr.error("POST /subjects/s/versions", {"schema": "{}", "schemaType": "JSON"}) == (409, 409)

    def test_groups(self) -> None:
        sr = Registry()
        sr("PUT /config/s", {"compatibility": "BACKWARD", "compatibilityGroup": "major"})

        def body(major: str, *fields: str) -> dict[str, Any]:
            return {"schema": self.needs(*fields), "metadata": {"properties": {"major": major}}}

        assert sr("POST /subjects/s/versions", body("1", "a"))["version"] == 1
        assert sr.error("POST /subjects/s/versions", body("1", "a", "b")) == (409, 409)
        assert sr("POST /subjects/s/versions", body("2", "x"))["version"] == 2
        assert sr.error("POST /subjects/s/versions", body("1", "x")) == (409, 409)

    def test_references_are_looked_into(self) -> None:
        sr = Registry()
        for version, kind in enumerate(("int", "long"), start=1):
            inner = {"type": "record", "name": "Inner", "fields": [{"name": "x", "type": kind}]}
            assert sr("POST /subjects/inner/versions", {"schema": json.dumps(inner)})["version"] == version
        outer = json.dumps({"type": "record", "name": "Outer", "fields": [{"name": "i", "type": "Inner"}]})

        def body(version: int) -> dict[str, Any]:
            reference = {"name": "Inner", "subject": "inner", "version": version}
            return {"schema": outer, "references": [reference]}

        sr("POST /subjects/outer/versions", body(2))
        assert sr.error("POST /subjects/outer/versions", body(1)) == (409, 409)
        found = sr("GET /subjects/outer/versions/1", format="resolved")["schema"]
        assert json.loads(found)["fields"][0]["type"]["fields"][0]["type"] == "long"

    def test_all_types(self) -> None:
        sr = Registry()
        proto = 'syntax = "proto3"; message M { int32 a = 1; }'
        sr.register("p", proto, schemaType="PROTOBUF")
        assert sr.register("p", proto.replace(" { ", " {\n  "), schemaType="PROTOBUF") == 1
        changed = {"schema": proto.replace("int32", "string"), "schemaType": "PROTOBUF"}
        assert sr.error("POST /subjects/p/versions", changed) == (409, 409)
        encoded = sr("GET /schemas/ids/1", format="serialized")["schema"]
        assert sr.register("q", encoded, schemaType="PROTOBUF") == 2
        sr.register("j", '{"type": "integer"}', schemaType="JSON")
        sr.register("j", '{"type": "number"}', schemaType="JSON")
        again = {"schema": '{"type": "integer", "title": "x"}', "schemaType": "JSON"}
        assert sr.error("POST /subjects/j/versions", again) == (409, 409)


class TestAssociations:
    def test_made_found_and_dropped(self, sr: Registry) -> None:
        made = sr("POST /associations", BOUND)
        assert [item["subject"] for item in made["associations"]] == ["k", "v"]
        assert sr("GET /subjects") == ["k", "v"]
        for path in ("resources/lkc-1/orders", "resources/-/orders", "resources/id-1"):
            found = sr(f"GET /associations/{path}", resourceType="topic", associationType=["value", "other"])
            assert [item["subject"] for item in found] == ["v"]
            assert found[0]["resourceId"] == "id-1"
        assert len(sr("GET /associations/resources/-/orders")) == 2
        assert len(sr("GET /associations/subjects/k")) == 1
        assert sr("DELETE /associations/resources/id-1", cascadeLifecycle="true") is None
        assert sr("GET /associations/resources/-/orders") == []
        assert sr("GET /subjects") == ["k"]

    def test_what_cannot_be(self, sr: Registry) -> None:
        sr("POST /associations", BOUND)
        other = {**BOUND, "resourceId": "id-2", "resourceName": "other"}
        weak = {"subject": "v", "associationType": "value"}
        assert sr.error("POST /associations", {**other, "associations": [weak]}) == (409, 40905)
        strong = {"subject": "k", "associationType": "key", "lifecycle": "STRONG"}
        assert sr.error("POST /associations", {**other, "associations": [strong]}) == (409, 40904)
        unknown = {"subject": "nobody", "associationType": "key"}
        assert sr.error("POST /associations", {**other, "associations": [unknown]}) == (409, 40907)
        again = {**BOUND, "associations": [{"subject": "x", "associationType": "key", "schema": {"schema": A}}]}
        assert sr.error("POST /associations", again) == (409, 40903)
        assert sr("PUT /associations/resources/id-1", again)["associations"][0]["subject"] == "x"
        frozen = {**BOUND, "associations": [{**again["associations"][0], "frozen": True}]}
        sr("PUT /associations/resources/id-1", frozen)
        back = {**BOUND, "associations": [{"subject": "k", "associationType": "key"}]}
        assert sr.error("PUT /associations/resources/id-1", back) == (409, 40908)
        assert sr.error("POST /associations", {"associations": []}) == (422, 42212)
        assert sr.error("POST /associations", {**other, "associations": 5}) == (422, 42212)


class TestTheMocksManner:
    """What clients with a ``mock://`` URL expect."""

    def test_not_found_ids_and_deletion(self) -> None:
        sr = Registry(RegistryApp(MemoryRegistry()))
        assert sr.register("s", "no schema at all") == 1
        assert sr.register("t", "no schema at all") == 2
        assert sr.error("GET /schemas/ids/5") == (404, 40400)
        assert sr.error("GET /subjects/x/versions/1") == (404, 40400)
        assert sr("GET /subjects/x/versions") == []
        assert sr.register("t", "another") == 3
        assert sr("DELETE /subjects/t/versions/2") == 3
        assert sr("DELETE /subjects/t", permanent="true") == [1, 2]
        assert sr("DELETE /subjects/x") == []

    def test_formats_of_texts_that_are_no_schemas(self) -> None:
        sr = Registry(RegistryApp(MemoryRegistry()))
        missing = [{"name": "x.proto", "subject": "x", "version": 1}]
        assert sr.register("s", "no schema", schemaType="PROTOBUF", references=missing) == 1
        assert sr.register("t", 'syntax = "proto3"; message M { int32 a = 1; }', schemaType="PROTOBUF") == 2
        assert sr("GET /schemas/ids/1", format="serialized")["schema"] == "no schema"
        assert sr("GET /schemas/ids/2", format="serialized")["schema"].startswith("Cg1kZWZhdWx0")
