# SPDX-License-Identifier: Apache-2.0
"""The embedded registry under any requests: it answers all, and what it says fits together."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from confluent_kafka.schema_registry._core.server import ROUTES, RegistryApp

WORDS = st.sampled_from(
    [
        "a",
        "b",
        ":.c:a",
        ":.c:",
        "latest",
        "-1",
        "0",
        "1",
        "2",
        "99999999999",
        "k",
        "true",
        "",
        "%00",
        "é",
        "topic",
        "AVRO",
    ]
)
SCHEMA = st.sampled_from(
    [
        {"schema": '"int"'},
        {"schema": '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}'},
        {"schema": '{"type": "object"}', "schemaType": "JSON"},
        {"schema": 'syntax = "proto3"; message M { int32 a = 1; }', "schemaType": "PROTOBUF"},
        {"schema": '"R"', "references": [{"name": "R", "subject": "a", "version": 1}]},
        {"schema": '"int"', "metadata": {"properties": {"a": "b"}}},
        {"mode": "IMPORT"},
        {"compatibility": "NONE", "alias": "b"},
        {"name": "k", "kmsType": "t", "kmsKeyId": "i", "shared": True},
    ]
)
KEYS = st.sampled_from(
    """schema schemaType references metadata ruleSet id version name subject mode compatibility alias defaultMetadata
    overrideRuleSet properties domainRules algorithm kmsType kmsKeyId kmsProps encryptedKeyMaterial associations
    resourceName resourceId""".split()
)
SCALARS = st.sampled_from([None, True, False, 0, 1, -7, "", "a", "READ", 2.5])
JSON = SCALARS | st.dictionaries(
    KEYS,
    SCALARS
    | st.lists(SCALARS | st.dictionaries(KEYS, SCALARS, max_size=3), max_size=2)
    | st.dictionaries(KEYS, SCALARS, max_size=3),
    max_size=4,
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, dict[str, Any], Any]:
    route = draw(st.sampled_from(ROUTES))
    parts = [quote(draw(WORDS), safe="") if part.startswith("{") else part for part in route.pattern]
    path = draw(st.sampled_from(["/", "/contexts/.c/"])) + "/".join(parts)
    query = draw(
        st.dictionaries(
            st.sampled_from(
                ["deleted", "permanent", "subject", "offset", "limit", "force", "format", "context", "key"]
            ),
            WORDS | st.lists(WORDS, max_size=2),
            max_size=2,
        )
    )
    return route.method, path, query, draw(SCHEMA | JSON)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(requests(), max_size=10))
def test_every_request_is_answered(asked: list[tuple[str, str, dict[str, Any], Any]]) -> None:
    app = RegistryApp()
    for method, path, query, body in asked:
        status, answer = app.handle(method, path, query, body)
        if status >= 400:
            assert status in (400, 404, 405, 409, 422)
            assert isinstance(answer["error_code"], int)
            assert answer["message"]
        else:
            assert status == (204 if answer is None else 200)
        json.dumps(answer)


SUBJECTS = st.sampled_from(["a", "b", ":.c:a"])
TEXTS = st.sampled_from(['"int"', '"long"', '"string"', '{"type":"array","items":"int"}'])


class RegistryMachine(RuleBasedStateMachine):
    """A registry beside a model: per subject the versions, each with its text and whether it is deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.app = RegistryApp()
        self.app.handle("PUT", "/config", {}, {"compatibility": "NONE"})
        self.model: dict[str, dict[int, list[Any]]] = {}
        self.ids: dict[tuple[str, str], int] = {}

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        return self.app.handle(method, path, query, body)

    @rule(subject=SUBJECTS, text=TEXTS, spaced=st.booleans())
    def register(self, subject: str, text: str, spaced: bool) -> None:
        status, answer = self.ask("POST", f"/subjects/{subject}/versions", {"schema": f" {text} " if spaced else text})
        assert status == 200
        versions = self.model.setdefault(subject, {})
        same = [number for number, (old, deleted) in versions.items() if old == text and not deleted]
        assert answer["version"] == (same[0] if same else max(versions, default=0) + 1)
        versions.setdefault(answer["version"], [text, False])
        context = subject.rpartition(":")[0]
        known = self.ids.setdefault((context, text), answer["id"])
        assert answer["id"] == known or not self.alive(context, text, but=(subject, answer["version"]))
        self.ids[context, text] = answer["id"]

    def alive(self, context: str, text: str, but: tuple[str, int]) -> bool:
        return any(
            subject.rpartition(":")[0] == context and old == text and (subject, number) != but
            for subject, versions in self.model.items()
            for number, (old, _) in versions.items()
        )

    @rule(subject=SUBJECTS, number=st.integers(1, 4), permanent=st.booleans())
    def delete_version(self, subject: str, number: int, permanent: bool) -> None:
        flag = str(permanent).lower()
        status, answer = self.ask("DELETE", f"/subjects/{subject}/versions/{number}", permanent=flag)
        versions = self.model.get(subject, {})
        if number not in versions:
            assert (status, answer["error_code"]) == (404, 40402 if versions else 40401)
        elif versions[number][1] is not permanent:
            assert (status, answer["error_code"]) == (404, 40407 if permanent else 40406)
        else:
            assert (status, answer) == (200, number)
            versions[number][1] = True
            if permanent:
                del versions[number]

    @rule(subject=SUBJECTS, permanent=st.booleans())
    def delete_subject(self, subject: str, permanent: bool) -> None:
        status, answer = self.ask("DELETE", f"/subjects/{subject}", permanent=str(permanent).lower())
        versions = self.model.get(subject, {})
        active = sorted(number for number, (_, deleted) in versions.items() if not deleted)
        if not versions:
            assert (status, answer["error_code"]) == (404, 40401)
        elif permanent and active:
            assert (status, answer["error_code"]) == (404, 40405)
        elif not permanent and not active:
            assert (status, answer["error_code"]) == (404, 40404)
        else:
            assert (status, answer) == (200, sorted(versions) if permanent else active)
            for number in answer:
                versions[number][1] = True
            if permanent:
                versions.clear()

    @precondition(lambda self: any(self.model.values()))
    @rule(text=TEXTS, subject=SUBJECTS, deleted=st.booleans())
    def look_up(self, subject: str, text: str, deleted: bool) -> None:
        status, answer = self.ask("POST", f"/subjects/{subject}", {"schema": text}, deleted=str(deleted).lower())
        versions = {n: entry for n, entry in self.model.get(subject, {}).items() if deleted or not entry[1]}
        found = [number for number, (old, _) in versions.items() if old == text]
        if found:
            assert (status, answer["version"]) == (200, max(found))
        else:
            assert (status, answer["error_code"]) == (404, 40403 if versions else 40401)

    @invariant()
    def lists_agree(self) -> None:
        for deleted in ("false", "true"):
            listed = {
                subject: sorted(n for n, entry in versions.items() if deleted == "true" or not entry[1])
                for subject, versions in self.model.items()
            }
            status, subjects = self.ask("GET", "/subjects", deleted=deleted)
            assert (status, subjects) == (200, sorted(subject for subject, numbers in listed.items() if numbers))
            for subject in subjects:
                assert self.ask("GET", f"/subjects/{subject}/versions", deleted=deleted) == (200, listed[subject])
                for number in listed[subject]:
                    self.same_by_every_way(subject, number, deleted)

    def same_by_every_way(self, subject: str, number: int, deleted: str) -> None:
        status, one = self.ask("GET", f"/subjects/{subject}/versions/{number}", deleted=deleted)
        assert status == 200
        assert json.loads(one["schema"]) == json.loads(self.model[subject][number][0])
        by_id = self.ask("GET", f"/schemas/ids/{one['id']}", subject=subject)[1]
        by_guid = self.ask("GET", f"/schemas/guids/{one['guid']}")[1]
        assert json.loads(by_id["schema"]) == json.loads(by_guid["schema"]) == json.loads(one["schema"])
        users = self.ask("GET", f"/schemas/ids/{one['id']}/versions", subject=subject, deleted=deleted)[1]
        assert {"subject": subject, "version": number} in users


TestRegistryMachine = RegistryMachine.TestCase
TestRegistryMachine.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
