# SPDX-License-Identifier: Apache-2.0
"""Requests of the registry client: retries, fail-over, redirects, answers."""

from __future__ import annotations

import email.utils
import json
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_kafka.schema_registry import SchemaRegistryError
from confluent_kafka.schema_registry._core.effects import HttpFailure, HttpReply
from confluent_kafka.schema_registry._core.rest import request
from confluent_kafka.schema_registry._core.retry import PROBE_INTERVAL_S, full_jitter, is_retriable, is_success
from confluent_kafka.schema_registry.common import schema_registry_client as common
from tests.unit.registry_kit import DOWN, URL, WALL, Down, Script, error, reply

TOKEN = {
    "bearer.auth.credentials.source": "STATIC_TOKEN",
    "bearer.auth.token": "t",
    "bearer.auth.logical.cluster": "lsrc-1",
    "bearer.auth.identity.pool.id": "pool",
}
TWO = "http://a:1,http://b:2/"


def get(script: Script, *answers: Any) -> Any:
    return script.run(request(script.link, "GET", "subjects"), *answers)


class TestRetries:
    @pytest.mark.parametrize("failure", [DOWN, *(reply(status=s) for s in (408, 429, 500, 502, 503, 504))])
    def test_tried_again_with_pauses_that_double(self, failure: Any) -> None:
        script = Script()
        assert get(script, failure, failure, failure, reply(["s"])) == ["s"]
        assert script.slept == [1.0, 2.0, 4.0]
        assert script.jitters == [(1000, 20000, n) for n in range(3)]

    def test_pauses_as_configured(self) -> None:
        script = Script(**{"max.retries": 2, "retries.wait.ms": 200, "retries.max.wait.ms": 300})
        assert get(script, DOWN, DOWN, reply([])) == []
        assert script.slept == [0.2, 0.3]

    def test_no_attempt_is_used_up_by_coming_too_early(self) -> None:
        script = Script(**{"retries.wait.ms": 1})
        assert get(script, DOWN, DOWN, DOWN, reply([])) == []
        assert script.slept == [pytest.approx(PROBE_INTERVAL_S)] * 3

    def test_no_answer_at_all(self) -> None:
        script = Script()
        with pytest.raises(Down) as raised:
            get(script, *[DOWN] * 4)
        assert len(script.slept) == 3
        (note,) = vars(raised.value)["__notes__"]
        assert "GET subjects at http://registry:8081 after 4 attempts" in note

    def test_last_answer_counts(self) -> None:
        script = Script(**{"max.retries": 1})
        with pytest.raises(SchemaRegistryError) as raised:
            get(script, DOWN, error(503, 50301, "busy"))
        assert (raised.value.http_status_code, raised.value.error_code) == (503, 50301)
        assert (raised.value.method, raised.value.url) == ("GET", f"{URL}/subjects")

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 501])
    def test_other_errors_at_once(self, status: int) -> None:
        script = Script()
        with pytest.raises(SchemaRegistryError):
            get(script, error(status))
        assert script.slept == []

    def test_retry_after_in_seconds(self) -> None:
        script = Script()
        assert get(script, reply(status=429, retry_after="7"), reply([])) == []
        assert script.slept == [7.0]

    def test_retry_after_shorter_than_the_pause(self) -> None:
        script = Script()
        assert get(script, reply(status=503, retry_after="0"), reply([])) == []
        assert script.slept == [1.0]

    def test_retry_after_as_date(self) -> None:
        script = Script()
        at = email.utils.formatdate(WALL + 5, usegmt=True)
        assert get(script, reply(status=503, retry_after=at), reply([])) == []
        assert script.slept == [5.0]

    def test_retry_after_too_long_to_wait(self) -> None:
        script = Script()
        with pytest.raises(SchemaRegistryError):
            get(script, reply(status=429, retry_after="3600"))
        assert script.slept == []

    @pytest.mark.parametrize("value", ["soon", "-1", "1e400", "Fri, 99 Foo"])
    def test_retry_after_nonsense(self, value: str) -> None:
        script = Script()
        assert get(script, reply(status=503, retry_after=value), reply([])) == []
        assert script.slept == [1.0]

    def test_one_attempt_when_impatient(self) -> None:
        script = Script()
        with pytest.raises(Down):
            script.run(request(script.link, "GET", "x", patient=False), DOWN)
        assert script.slept == []


class TestFailOver:
    def test_next_url_at_once_and_remembered(self) -> None:
        script = Script(url=TWO)
        assert get(script, DOWN, reply(["s"])) == ["s"]
        assert script.slept == []
        for _ in range(3):
            get(script, reply([]))
        assert script.hosts == ["a", "b", "b", "b", "b"]
        # when it fails in turn, the first one is asked again
        script.now += 10
        get(script, DOWN, reply([]))
        get(script, reply([]))
        assert script.hosts[5:] == ["b", "a", "a"]

    def test_each_url_gets_all_its_attempts(self) -> None:
        script = Script(url=TWO)
        with pytest.raises(Down):
            get(script, *[DOWN] * 8)
        assert script.hosts == ["a", "b"] * 4
        assert script.slept == [1.0, 2.0, 4.0]

    def test_an_error_of_the_request_is_the_same_everywhere(self) -> None:
        script = Script(url=TWO)
        with pytest.raises(SchemaRegistryError):
            get(script, error(422))
        assert script.hosts == ["a"]

    def test_a_url_that_wants_to_be_left_alone(self) -> None:
        script = Script(url=TWO)
        assert get(script, reply(status=429, retry_after="3600"), DOWN, reply([])) == []
        assert script.hosts == ["a", "b", "b"]


class TestOutage:
    def test_few_requests_however_many_calls(self) -> None:
        script = Script(**{"max.retries": 0})
        with pytest.raises(Down):
            get(script, DOWN)
        calls = 0
        start = script.now
        while script.now < start + 10:
            calls += 1
            script.now += 0.01
            script.answers = [DOWN]
            with pytest.raises(Down):
                script.drive(request(script.link, "GET", "x"))
        assert calls >= 1000
        assert len(script.requests) - 1 <= 10 / PROBE_INTERVAL_S

    def test_recovery_is_seen_by_the_next_probe(self) -> None:
        script = Script(**{"max.retries": 0})
        with pytest.raises(Down):
            get(script, DOWN)
        script.now += PROBE_INTERVAL_S
        assert get(script, reply(["s"])) == ["s"]
        assert get(script, reply(["s"])) == ["s"]  # and then there is no limit any more

    def test_what_is_told_without_a_request_is_a_new_exception(self) -> None:
        script = Script(**{"max.retries": 0})
        raised: list[Down] = []
        for answers in ((DOWN,), (), ()):
            with pytest.raises(Down) as info:
                get(script, *answers)
            raised.append(info.value)
        assert len({id(e) for e in raised}) == 3
        assert len(script.requests) == 1

    def test_every_url_is_probed(self) -> None:
        script = Script(url="http://a,http://b,http://c", **{"max.retries": 0})
        with pytest.raises(Down):
            get(script, DOWN, DOWN, DOWN)
        script.now += 3 * PROBE_INTERVAL_S
        assert get(script, DOWN, DOWN, reply(["c"])) == ["c"]

    def test_a_few_answers_with_500_are_no_outage(self) -> None:
        script = Script(**{"max.retries": 0})
        for _ in range(4):
            with pytest.raises(SchemaRegistryError):
                get(script, reply(status=500))
        assert get(script, reply([])) == []
        for _ in range(5):
            with pytest.raises(SchemaRegistryError):
                get(script, error(500))
        with pytest.raises(SchemaRegistryError) as raised:
            get(script)  # told what the others were told
        assert raised.value.http_status_code == 500

    def test_what_never_left_says_nothing_about_the_server(self) -> None:
        script = Script(**{"max.retries": 0})
        with pytest.raises(Down):
            get(script, HttpFailure(Down("pool"), sent=False))
        assert get(script, reply([])) == []

    def test_a_server_that_asked_for_time_gets_it_from_everyone(self) -> None:
        script = Script(**{"max.retries": 0})
        with pytest.raises(SchemaRegistryError):
            get(script, reply(status=429, retry_after="5"))
        script.now += 4
        with pytest.raises(SchemaRegistryError):
            get(script)
        script.now += 1
        assert get(script, reply([])) == []


class TestRedirects:
    CONF: ClassVar = {"basic.auth.user.info": "user:secret"}

    def redirect(self, location: str, status: int = 307) -> HttpReply:
        return reply(status=status, location=location)

    def test_same_host_keeps_credentials(self) -> None:
        script = Script(**self.CONF)
        assert get(script, self.redirect("/v2/subjects"), reply([])) == []
        assert script.requests[1].url == f"{URL}/v2/subjects"
        assert script.requests[1].headers["Authorization"] == script.requests[0].headers["Authorization"]

    @pytest.mark.parametrize(
        "location", ["http://other:8081/x", "http://registry:9/x", "https://registry:8081/x", "//other/x"]
    )
    def test_another_host_does_not_get_them(self, location: str) -> None:
        script = Script(**self.CONF)
        assert get(script, self.redirect(location), reply([])) == []
        assert "Authorization" not in script.requests[1].headers
        assert "Accept" in script.requests[1].headers

    def test_tokens_are_credentials_too(self) -> None:
        script = Script(**TOKEN)
        get(script, self.redirect("http://other/"), reply([]))
        text = str(dict(script.requests[1].headers))
        assert not any(word in text for word in ("Bearer", "lsrc-1", "pool"))

    def test_a_body_is_sent_again_only_where_that_is_meant(self) -> None:
        script = Script()
        assert script.run(request(script.link, "POST", "x", body={"a": 1}), self.redirect("/y", 308), reply({})) == {}
        assert script.requests[1].body == b'{"a": 1}'
        with pytest.raises(SchemaRegistryError):
            script.run(request(script.link, "POST", "x", body={"a": 1}), self.redirect("/y", 302))

    @pytest.mark.parametrize(
        "location", ["", "file:///etc/passwd", "ftp://x/", "http://[x", "http://h:99999/", "http://h:x/"]
    )
    def test_nowhere(self, location: str) -> None:
        with pytest.raises(SchemaRegistryError):
            get(Script(), self.redirect(location))

    def test_in_circles(self) -> None:
        with pytest.raises(SchemaRegistryError) as raised:
            get(Script(), *[self.redirect("/x")] * 6)
        assert raised.value.http_status_code == 307


class TestAnswers:
    def test_headers(self) -> None:
        script = Script()
        get(script, reply([]))
        headers = script.requests[0].headers
        assert headers["Accept"] == (
            "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json"
        )
        assert headers["Confluent-Client-Version"] == "python/2.16.1"
        assert "Content-Type" not in headers
        script.run(request(script.link, "POST", "x", body={"ä": 1}), reply({}))
        sent = script.requests[1]
        assert sent.body == b'{"\\u00e4": 1}'
        assert sent.headers["Content-Type"] == "application/vnd.schemaregistry.v1+json"
        assert sent.headers["Confluent-Accept-Unknown-Properties"] == "true"
        assert sent.headers["Accept"] == headers["Accept"]
        assert sent.timeout == 5.0

    @pytest.mark.parametrize("answer", [reply(status=204), reply(b""), reply(b" \n")])
    def test_nothing(self, answer: HttpReply) -> None:
        assert get(Script(), answer) is None

    def test_query(self) -> None:
        script = Script()
        query = [("a", True), ("b", None), ("c", "x y/&"), ("d", 1), ("d", 2)]
        script.run(request(script.link, "GET", "p", query), reply([]))
        assert script.requests[0].url == f"{URL}/p?a=true&c=x%20y%2F%26&d=1&d=2"

    @pytest.mark.parametrize(
        ("body", "code", "text"),
        [
            (b'{"error_code": 40401, "message": "m"}', 40401, "m"),
            (b"{}", None, None),
            (b"[1]", -1, "Unknown Schema Registry Error: b'[1]'"),
            (b"<html>", -1, "Unknown Schema Registry Error: b'<html>'"),
            (b"", -1, "Unknown Schema Registry Error: b''"),
            (b"\xff", -1, "Unknown Schema Registry Error: b'\\xff'"),
        ],
    )
    def test_errors(self, body: bytes, code: Any, text: Any) -> None:
        with pytest.raises(SchemaRegistryError) as raised:
            get(Script(), HttpReply(404, {}, body))
        assert (raised.value.error_code, raised.value.error_message) == (code, text)

    def test_success_that_is_no_registry(self) -> None:
        with pytest.raises(SchemaRegistryError, match=r"not JSON.*is this the URL of a Schema Registry") as raised:
            get(Script(), reply(b"<html>login</html>"))
        assert raised.value.http_status_code == 200

    @given(st.binary(max_size=60), st.integers(200, 599))
    def test_any_answer_is_a_value_or_an_error(self, body: bytes, status: int) -> None:
        script = Script(**{"max.retries": 0})
        try:
            value = get(script, HttpReply(status, {}, body))
        except SchemaRegistryError:
            return
        assert value is None or json.loads(body) == value


def test_statuses() -> None:
    assert [s for s in range(100, 600) if is_retriable(s)] == [408, 429, 500, 502, 503, 504]
    assert [s for s in (199, 200, 204, 299, 300) if is_success(s)] == [200, 204, 299]
    assert common.full_jitter is full_jitter


@given(st.integers(0, 10**5), st.integers(0, 10**5), st.integers(0, 10**6))
def test_jitter_stays_in_its_bounds(base: int, cap: int, retries: int) -> None:
    assert 0 <= full_jitter(base, cap, retries) <= min(cap, base * 2 ** min(retries, 60))
