# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import importlib
import json
import sys
from datetime import datetime, timezone
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_kafka._config import parse
from confluent_kafka._oauthbearer.aws import sasl_extensions_parser
from confluent_kafka._oauthbearer.aws.aws_autowire import create_handler
from confluent_kafka._oauthbearer.aws.aws_oauthbearer_config import AwsOAuthBearerConfig
from confluent_kafka._oauthbearer.aws.jwt_extractor import extract_sub
from confluent_kafka._util.librdkafka_string_parser import parse_key_values, split

PROVIDER = "confluent_kafka._oauthbearer.aws.aws_sts_token_provider"


def jwt(claims: Any) -> str:
    return f"head.{base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.signature"


class Sts:
    """Stands for boto3's STS client: what AWS answers cannot be had without an account."""

    def __init__(self, reply: dict[str, Any]) -> None:
        self.reply = reply
        self.requests: list[dict[str, Any]] = []

    def get_web_identity_token(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        return self.reply


@pytest.fixture
def boto3(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A boto3 whose clients are noted, whether or not the real one is installed."""
    made: list[tuple[Any, Any]] = []
    sts = Sts({"WebIdentityToken": jwt({"sub": "arn:me"}), "Expiration": datetime(2030, 1, 1, tzinfo=timezone.utc)})

    def client(*args: Any, **kwargs: Any) -> Sts:
        made.append((args, kwargs))
        return sts

    module = ModuleType("boto3")
    module.__dict__.update(__version__="1.42.25", client=client)
    monkeypatch.setitem(sys.modules, "boto3", module)
    monkeypatch.delitem(sys.modules, PROVIDER, raising=False)
    return SimpleNamespace(module=module, made=made, sts=sts)


def test_a_client_configured_for_aws_gets_a_token_callback(boto3: SimpleNamespace) -> None:
    conf = {
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.metadata.authentication.type": "aws_iam",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.config": "region=eu-west-1,audience=kafka,tag_team=a,duration_seconds=600",
        "sasl.oauthbearer.extensions": "logicalCluster=lkc-1",
    }
    parsed = parse("producer", (conf,), {})
    names = dict(parsed.properties)
    # this librdkafka knows neither, and must not look for an OIDC endpoint
    assert "sasl.oauthbearer.metadata.authentication.type" not in names
    assert "sasl.oauthbearer.method" not in names
    assert names["sasl.mechanism"] == "OAUTHBEARER"
    token = parsed.callbacks["oauth_cb"]("ignored")
    assert token == (jwt({"sub": "arn:me"}), 1893456000.0, "arn:me", {"logicalCluster": "lkc-1"})
    assert boto3.made == [(("sts",), {"region_name": "eu-west-1", "endpoint_url": None})]
    assert boto3.sts.requests == [
        {
            "Audience": ["kafka"],
            "SigningAlgorithm": "ES384",
            "DurationSeconds": 600,
            "Tags": [{"Key": "team", "Value": "a"}],
        }
    ]


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ({}, "missing WebIdentityToken"),
        ({"WebIdentityToken": "a.b.c"}, "missing Expiration"),
        ({"WebIdentityToken": "a.b", "Expiration": datetime(2030, 1, 1, tzinfo=timezone.utc)}, "3 '.'-separated"),
    ],
)
def test_incomplete_replies_are_refused(boto3: SimpleNamespace, reply: dict[str, Any], text: str) -> None:
    boto3.sts.reply = reply
    with pytest.raises(ValueError, match=text):
        create_handler("region=r,audience=a", None)("")


def test_a_missing_boto3_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.delitem(sys.modules, PROVIDER, raising=False)
    with pytest.raises(ImportError, match=r"pip install 'ferrokafka\[oauthbearer-aws\]'"):
        create_handler("region=r,audience=a", None)


def test_an_old_boto3_is_refused(boto3: SimpleNamespace) -> None:
    boto3.module.__version__ = "1.42.9"
    with pytest.raises(ImportError, match=r"requires boto3>=1\.42\.25 .* found boto3 1\.42\.9"):
        create_handler("region=r,audience=a", None)


@pytest.mark.usefixtures("boto3")
def test_versions_compare_by_their_numbers() -> None:
    version_tuple = importlib.import_module(PROVIDER)._version_tuple
    assert version_tuple("1.42.25") == (1, 42, 25)
    assert version_tuple("1.42rc1.x") == (1, 42, 0)


def test_a_configuration_is_read() -> None:
    raw = "region=r, audience=https://a\\,b=c ,signing_algorithm=RS256,sts_endpoint=https://e,aws_debug=none,tag_x=1,tag_y="
    assert AwsOAuthBearerConfig.parse(raw) == AwsOAuthBearerConfig(
        "r", "https://a,b=c", "RS256", 300, "https://e", "none", {"x": "1", "y": ""}
    )


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("region=r", "'audience' is required"),
        ("audience=a", "'region' is required"),
        ("region=,audience=a", "'region' must not be empty"),
        ("region=r,audience=a,sts_endpoint=", "'sts_endpoint' must not be empty"),
        ("region=r,audience=a,foo=1", "Unknown key 'foo'"),
        ("region=r,audience=a,duration_seconds=x", "must be an integer"),
        ("region=r,audience=a,duration_seconds=59", "between 60 and 3600"),
        ("region=r,audience=a,duration_seconds=3601", "between 60 and 3600"),
        ("region=r,audience=a,signing_algorithm=HS256", "'ES384' or 'RS256'"),
        ("region=r,audience=a,aws_debug=file", "one of: none, console"),
        ("region=r,audience=a,tag_=1", "has empty name"),
        ("region=r,audience=a," + ",".join(f"tag_{n}=x" for n in range(51)), "51 tags; AWS allows at most 50"),
        ("region=r,hunter2", r"Malformed entry 2 in sasl\.oauthbearer\.config"),
    ],
)
def test_bad_configurations_are_refused(raw: str, text: str) -> None:
    with pytest.raises(ValueError, match=text) as caught:
        create_handler(raw, None)
    assert "hunter2" not in str(caught.value)


def test_extensions_are_read() -> None:
    assert sasl_extensions_parser.parse("a=b,c=d=e") == {"a": "b", "c": "d=e"}
    assert sasl_extensions_parser.parse(None) is None
    assert sasl_extensions_parser.parse("") is None
    with pytest.raises(ValueError, match=r"Malformed entry 1 in sasl\.oauthbearer\.extensions"):
        sasl_extensions_parser.parse("a")


def test_a_subject_is_found() -> None:
    assert extract_sub(jwt({"sub": "me", "aud": "a"})) == "me"


@pytest.mark.parametrize(
    ("token", "text"),
    [
        (None, "JWT is null"),
        ("", "JWT is empty"),
        ("hunter2" * 2000, r"length 14000 exceeds maximum allowed \(8192\)"),
        ("a.b", "got 2"),
        ("a.!!.c", "not valid base64url"),
        ("a.aHVudGVyMg.c", "not valid JSON"),
        (jwt([1]), "not a JSON object"),
        (jwt({}), "missing a 'sub'"),
        (jwt({"sub": 5}), "missing a 'sub'"),
        (jwt({"sub": ""}), "value is empty"),
    ],
)
def test_texts_that_name_no_subject_are_refused(token: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text) as caught:
        extract_sub(token)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "entries"),
    [
        ("", []),
        (" a , ,b\\,c,\\n\\x", ["a", "b,c", "\nx"]),
        ("a\\", ["a"]),
        ("a\\\\,b", ["a\\", "b"]),
        ("\\ a \\ ,b", [" a", "b"]),
    ],
)
def test_lists_split_as_librdkafka_splits_them(raw: str, entries: list[str]) -> None:
    assert split(raw, ",", True) == entries


def test_empty_entries_can_be_kept() -> None:
    assert split("a,,b,", ",", False) == ["a", "", "b", ""]
    assert split("", ",", False) == [""]


@given(st.lists(st.tuples(st.text("abc", min_size=1), st.text("abc,=\\"))))
def test_escaped_pairs_come_back(pairs: list[tuple[str, str]]) -> None:
    raw = ",".join(f"{key}={value}".replace("\\", "\\\\").replace(",", "\\,") for key, value in pairs)
    assert parse_key_values(raw, ",") == pairs
