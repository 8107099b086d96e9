# SPDX-License-Identifier: Apache-2.0
"""How the registry client says who it is."""

from __future__ import annotations

import base64
from collections.abc import Generator
from typing import Any, ClassVar
from urllib.parse import parse_qs

import pytest

from confluent_kafka.schema_registry import SchemaRegistryError
from confluent_kafka.schema_registry._core.effects import HttpReply, HttpRequest, Share
from confluent_kafka.schema_registry._core.rest import request
from confluent_kafka.schema_registry.error import OAuthTokenError
from tests.unit.registry_kit import DOWN, Script, error, reply
from tests.unit.test_registry_config import CUSTOM, OAUTH

IMDS = {
    "bearer.auth.credentials.source": "OAUTHBEARER_AZURE_IMDS",
    "bearer.auth.logical.cluster": "lsrc",
    "bearer.auth.issuer.endpoint.query": "resource=r",
}


STATIC = {"bearer.auth.credentials.source": "STATIC_TOKEN", "bearer.auth.logical.cluster": "lsrc"}


def token(value: str = "t1", life: Any = 100) -> HttpReply:
    return reply({"access_token": value, "expires_in": life, "token_type": "Bearer"})


def get(script: Script, *answers: Any) -> Any:
    return script.run(request(script.link, "GET", "subjects"), *answers)


def sent_token(script: Script) -> str | None:
    return script.requests[-1].headers.get("Authorization")


def test_basic() -> None:
    for conf in ({"url": "http://us%C3%A9r:p%3Aw@h"}, {"basic.auth.user.info": "usér:p:w"}):
        script = Script(**conf)
        get(script, reply([]))
        scheme, _, value = (sent_token(script) or "").partition(" ")
        assert (scheme, base64.b64decode(value).decode()) == ("Basic", "usér:p:w")
        assert "usér" not in repr(script.requests[-1])
        assert "@" not in script.requests[-1].url


def test_nobody() -> None:
    script = Script()
    get(script, reply([]))
    assert sent_token(script) is None


def test_static_token() -> None:
    script = Script(**{"bearer.auth.credentials.source": "static_token", "bearer.auth.token": "tok",
                       "bearer.auth.logical.cluster": "lsrc", "bearer.auth.identity.pool.id": ["a", "b"]})  # fmt: skip
    get(script, reply([]))
    headers = script.requests[-1].headers
    assert headers["Authorization"] == "Bearer tok"
    assert headers["target-sr-cluster"] == "lsrc"
    assert headers["Confluent-Identity-Pool-Id"] == "a,b"
    with pytest.raises(SchemaRegistryError):
        get(script, error(401))  # there is no other token to try with
    assert len(script.requests) == 2


@pytest.mark.parametrize("value", ["tok\n", " tok", "tok\r\n"])
def test_space_around_a_token_is_not_part_of_it(value: str) -> None:
    script = Script(**{**STATIC, "bearer.auth.token": value})
    get(script, reply([]))
    assert sent_token(script) == "Bearer tok"


@pytest.mark.parametrize("value", ["hunter2\nX: y", "hunter2é", "hunter2\x00"])
def test_a_token_that_is_no_header_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(ValueError, match=r"bearer\.auth\.token has characters") as raised:
        Script(**{**STATIC, "bearer.auth.token": value})
    assert "hunter2" not in str(raised.value)


class TestCustom:
    FIELDS: ClassVar = {"bearer.auth.token": "tok", "bearer.auth.logical.cluster": "lsrc"}

    def script(self, function: Any, config: Any = None) -> Script:
        own = {"bearer.auth.custom.provider.function": function, "bearer.auth.custom.provider.config": config or {}}
        return Script(**{**CUSTOM, **own})

    def test_called_with_its_configuration(self) -> None:
        seen = []

        def provide(config: Any) -> dict[str, str]:
            seen.append(config)
            return {**self.FIELDS, "bearer.auth.identity.pool.id": "pool"}

        script = self.script(provide, {"x": 1})
        get(script, reply([]))
        assert seen == [{"x": 1}]
        assert sent_token(script) == "Bearer tok"
        assert script.requests[-1].headers["Confluent-Identity-Pool-Id"] == "pool"

    @pytest.mark.parametrize("missing", FIELDS)
    def test_fields_missing(self, missing: str) -> None:
        fields = {name: value for name, value in self.FIELDS.items() if name != missing}
        with pytest.raises(ValueError, match=f"Missing required bearer auth fields.*{missing}"):
            get(self.script(lambda config: fields))

    def test_no_dict(self) -> None:
        with pytest.raises(TypeError, match="must return a dict, not str"):
            get(self.script(lambda config: "token"))

    def test_its_errors_come_out(self) -> None:
        def fail(config: Any) -> Any:
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            get(self.script(fail))


class TestOAuth:
    def test_fetched_at_the_first_request_and_kept(self) -> None:
        script = Script(**OAUTH)
        get(script, token(), reply([]))
        asked = script.requests[0]
        assert (asked.method, asked.url) == ("POST", "http://idp/token")
        assert parse_qs((asked.body or b"").decode()) == {"grant_type": ["client_credentials"], "scope": ["scope"]}
        assert asked.headers["Authorization"] == "Basic " + base64.b64encode(b"id:secret").decode()
        assert sent_token(script) == "Bearer t1"
        assert script.requests[-1].headers["target-sr-cluster"] == "lsrc"
        script.now += 79
        get(script, reply([]))

    def test_renewed_when_a_fifth_of_its_life_is_left(self) -> None:
        script = Script(**OAUTH)
        get(script, token(), reply([]))
        script.now += 80
        get(script, token("t2"), reply([]))
        assert sent_token(script) == "Bearer t2"
        script.now += 79
        get(script, reply([]))

    def test_the_old_one_is_kept_when_it_cannot_be_renewed(self, caplog: pytest.LogCaptureFixture) -> None:
        script = Script(**OAUTH)
        get(script, token(), reply([]))
        script.now += 85
        get(script, DOWN, reply([]))
        assert sent_token(script) == "Bearer t1"
        assert "could not be renewed" in caplog.text
        get(script, reply([]))  # not tried again at once
        script.now += 5
        get(script, token("t2"), reply([]))
        assert sent_token(script) == "Bearer t2"

    def test_one_caller_renews_while_others_go_on(self) -> None:
        script = Script(**OAUTH)
        get(script, token(), reply([]))
        script.now += 85
        renewing: Generator[Any, Any, Any] = request(script.link, "GET", "a")
        effect = next(renewing)
        assert isinstance(effect, Share)  # it now waits for the token
        get(script, reply([]))
        assert sent_token(script) == "Bearer t1"
        sent = renewing.send(script.drive_with(effect, token("t2")))
        assert isinstance(sent, HttpRequest)
        assert sent.headers["Authorization"] == "Bearer t2"
        renewing.close()

    def test_the_second_of_two_who_need_one_does_not_fetch_it_again(self) -> None:
        script = Script(**OAUTH)
        first, second = (request(script.link, "GET", "a") for _ in range(2))
        effects = next(first), next(second)
        assert all(isinstance(effect, Share) for effect in effects)
        found = script.drive_with(effects[0], token())
        assert script.drive_with(effects[1]) is found

    def test_expired_and_away(self) -> None:
        script = Script(**OAUTH, **{"max.retries": 2})
        get(script, token(), reply([]))
        script.now += 100
        with pytest.raises(OAuthTokenError, match="Failed to retrieve token after 3 attempts due to error") as raised:
            get(script, DOWN, reply(status=503), DOWN)
        assert script.slept == [1.0, 2.0]
        assert raised.value.__cause__ is DOWN.error

    def test_its_server_is_spared_after_a_failure(self) -> None:
        script = Script(**OAUTH, **{"max.retries": 0})
        raised = []
        for answers in ((DOWN,), (), ()):
            with pytest.raises(OAuthTokenError, match="after 1 attempt") as info:
                get(script, *answers)
            raised.append(info.value)
        assert len({id(e) for e in raised}) == 3
        assert {e.__cause__ for e in raised} == {DOWN.error}
        script.now += 0.5
        assert get(script, token(), reply([])) == []

    def test_refused(self) -> None:
        script = Script(**OAUTH)
        with pytest.raises(OAuthTokenError, match=r"after 1 attempt .*HTTP 401.*\(invalid_client\)") as raised:
            get(script, reply({"error": "invalid_client", "error_description": "secret is wrong"}, 401))
        assert raised.value.status_code == 401
        assert "secret" not in str(raised.value)

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"access_token": 5}', b"secret-token"])
    def test_answers_without_a_token(self, body: bytes) -> None:
        with pytest.raises(OAuthTokenError) as raised:
            get(Script(**OAUTH), reply(body))
        assert "secret" not in str(raised.value)

    @pytest.mark.parametrize("life", [None, "x", "100"])
    def test_life_that_is_not_said(self, life: Any) -> None:
        script = Script(**OAUTH)
        get(script, token(life=life), reply([]))
        script.now += 79
        get(script, reply([]))

    def test_revoked(self) -> None:
        script = Script(**OAUTH)
        get(script, token(), reply([]))
        get(script, error(401), token("t2"), reply([]))
        assert sent_token(script) == "Bearer t2"
        with pytest.raises(SchemaRegistryError):
            get(script, error(401))  # it is not the token, then
        assert len(script.requests) == 6

    def test_azure(self) -> None:
        script = Script(**IMDS)
        get(script, token(life="100"), reply([]))
        asked = script.requests[0]
        assert (asked.method, dict(asked.headers), asked.body) == ("GET", {"Metadata": "true"}, None)
        assert asked.url == "http://169.254.169.254/metadata/identity/oauth2/token?resource=r"
        assert sent_token(script) == "Bearer t1"

    def test_nothing_shows_a_token(self) -> None:
        script = Script(**OAUTH)
        get(script, token("tok123"), reply([]))
        auth: Any = script.link.auth
        assert not any("tok123" in repr(thing) for thing in (auth, auth._token, script.link, *script.requests))
