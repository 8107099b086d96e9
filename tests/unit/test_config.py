# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import enum
import logging
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import confluent_kafka
from confluent_kafka import _config, _native
from confluent_kafka._config import Kind, ParsedConfig, explain, parse, refused
from confluent_kafka._property_table import find, is_known, properties
from confluent_kafka._redact import is_secret, scrub, shown
from confluent_kafka.error import ConfigurationError, KafkaError, KafkaException

KINDS: tuple[Kind, ...] = ("producer", "consumer", "admin")
UNKNOWN = 'No such configuration property: "{}"'
ADMIN = [("topic.metadata.refresh.interval.ms", "5000"), ("metadata.max.age.ms", "1000")]


def own(parsed: ParsedConfig) -> list[tuple[str, str]]:
    """Return the properties without those every client, or every admin client, has."""
    assert [name for name, _ in parsed.properties[:2]] == ["client.software.name", "client.software.version"]
    return [pair for pair in parsed.properties[2:] if pair not in ADMIN]


def produce(*args: Any, **kwargs: Any) -> ParsedConfig:
    return parse("producer", args, kwargs)


def test_clients_say_what_they_are() -> None:
    version = f"{confluent_kafka.__version__}-rdkafka-{_native.librdkafka_version()[0]}"
    assert produce({}).properties == [
        ("client.software.name", "confluent-kafka-python"),
        ("client.software.version", version),
    ]
    assert produce({"client.software.name": "mine"}).properties[-1] == ("client.software.name", "mine")


def test_a_dict_and_keywords_are_merged_and_keywords_win() -> None:
    conf = {"bootstrap.servers": "a", "acks": 1}
    parsed = produce(conf, acks="all", retries=3)
    assert own(parsed) == [("bootstrap.servers", "a"), ("acks", "all"), ("retries", "3")]
    assert own(produce(**{"client.id": "x"})) == [("client.id", "x")]
    assert conf == {"bootstrap.servers": "a", "acks": 1}


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((), "expected configuration dict"),
        (("x",), "expected configuration dict, not str"),
        ((None,), "expected configuration dict, not NoneType"),
        (([("a", "b")],), "expected configuration dict, not list"),
        (({}, {}), "expected tuple containing single dict"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_anything_but_one_dict_is_refused(kind: Kind, args: tuple[Any, ...], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        parse(kind, args, {})


def test_values_become_text() -> None:
    class Level(str, enum.Enum):
        ALL = "all"

    class Number:
        def __str__(self) -> str:
            return "12"

    conf: dict[Any, Any] = {
        "enable.idempotence": True,
        "socket.keepalive.enable": False,
        "linger.ms": 0.5,
        "retries": 3,
        "acks": Level.ALL,
        "batch.size": Number(),
        1: 2,
    }
    values = dict(own(produce(conf)))
    assert values == {
        "enable.idempotence": "True",
        "socket.keepalive.enable": "False",
        "linger.ms": "0.5",
        "retries": "3",
        "acks": "all",
        "batch.size": "12",
        "1": "2",
    }
    assert all(type(value) is str for value in values.values())


def test_none_leaves_the_default() -> None:
    assert own(produce({"linger.ms": None, "debug": None, "plugin.library.paths": None, "retries": 1})) == [
        ("retries", "1")
    ]
    assert own(produce({"acks": "all"}, acks=None)) == []
    assert own(produce({"client.software.name": None, "default.topic.config": None})) == []


def test_none_does_not_hide_an_unknown_key() -> None:
    with pytest.raises(KafkaException, match=r"No such configuration property.*did you mean `linger.ms`") as caught:
        produce({"lingr.ms": None})
    assert caught.value.args[0].code() == KafkaError._INVALID_ARG


def test_debug_and_plugins_come_first() -> None:
    conf = {"acks": 1, "plugin.library.paths": "/p.so", "client.id": "c", "debug": "all"}
    assert own(produce(conf)) == [
        ("debug", "all"),
        ("plugin.library.paths", "/p.so"),
        ("acks", "1"),
        ("client.id", "c"),
    ]


def test_default_topic_config_is_merged_over_the_rest() -> None:
    nested = {"acks": 1}
    conf = {"default.topic.config": nested, "acks": 2, "retries": 1}
    assert own(produce(conf)) == [("acks", "1"), ("retries", "1")]
    assert conf["default.topic.config"] is nested
    with pytest.raises(TypeError, match=r"default\.topic\.config property as a dict, not int"):
        produce({"default.topic.config": 5})


@pytest.mark.parametrize("conf", [{"client.id": "x"}, {"group.id": None}, {"group.id": ""}])
def test_a_consumer_needs_a_group(conf: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^Failed to create consumer: group\.id must be set"):
        parse("consumer", (conf,), {})


def test_only_consumers_need_a_group() -> None:
    assert own(parse("consumer", (), {"group.id": 5})) == [("group.id", "5")]
    assert own(parse("admin", ({},), {})) == []


def test_an_admin_client_hears_soon_of_another_controller() -> None:
    assert parse("admin", ({},), {}).properties[2:] == ADMIN
    mine = (ADMIN[0][0], "300000")
    # librdkafka takes the later one.
    assert parse("admin", (dict([mine]),), {}).properties[2:] == [*ADMIN, mine]
    assert parse("producer", ({},), {}).properties[2:] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["error_cb", "stats_cb", "oauth_cb", "throttle_cb"])
def test_callbacks_stay_with_us(kind: Kind, key: str) -> None:
    parsed = parse(kind, ({"group.id": "g", key: len},), {})
    assert parsed.callbacks == {key: len}
    assert key not in dict(parsed.properties)
    expected = ValueError if key == "throttle_cb" else TypeError
    for wrong in (None, 5, "x"):
        with pytest.raises(expected, match=f"expected {key} property as a callable function"):
            parse(kind, ({"group.id": "g", key: wrong},), {})


def test_a_logger_needs_a_log_method() -> None:
    logger = logging.getLogger("x")
    assert produce({}, logger=logger).callbacks == {"logger": logger}
    assert produce({}, logger=None).callbacks == {}
    with pytest.raises(TypeError, match=r"logger property as an object with a log\("):
        produce({}, logger=5)


@pytest.mark.parametrize(("kind", "key"), [("producer", "on_delivery"), ("consumer", "on_commit")])
def test_report_callbacks_must_be_callable(kind: Kind, key: str) -> None:
    assert parse(kind, ({"group.id": "g", key: len},), {}).callbacks == {key: len}
    for wrong in (None, 5):
        with pytest.raises(KafkaException, match=f"{key} requires a callable object") as caught:
            parse(kind, ({"group.id": "g", key: wrong},), {})
        assert caught.value.args[0].code() == KafkaError._INVALID_ARG


def test_report_callbacks_of_the_other_client_are_left_to_librdkafka() -> None:
    assert "on_commit" in dict(produce({"on_commit": len}).properties)
    assert "on_delivery" in dict(parse("consumer", ({"group.id": "g", "on_delivery": len},), {}).properties)


def test_reports_of_errors_only_is_a_bool_of_producers() -> None:
    assert produce({"delivery.report.only.error": True}).callbacks == {"delivery.report.only.error": True}
    for wrong in (None, 1, "true"):
        with pytest.raises(TypeError, match=r"Expected delivery\.report\.only\.error to be bool type"):
            produce({"delivery.report.only.error": wrong})
    parsed = parse("admin", ({"delivery.report.only.error": True},), {})
    assert own(parsed) == [("delivery.report.only.error", "True")]


@pytest.mark.parametrize("value", [b"hunter2", bytearray(b"hunter2"), ["hunter2"], ("hunter2",), {"a": "hunter2"}])
def test_values_without_a_text_form_are_refused_without_showing_them(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"sasl.password.*not {type(value).__name__}") as caught:
        produce({"sasl.password": value})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["hunter2\0", "hunter2\udc80"])
def test_text_that_c_cannot_take_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        produce({"sasl.password": value})
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@given(
    conf=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
        st.one_of(st.integers(), st.booleans(), st.floats(), st.text(st.characters(exclude_categories=["Cs"]))),
    )
)
def test_the_callers_dict_is_never_changed(conf: dict[str, Any]) -> None:
    before = dict(conf)
    try:
        parse("producer", (conf,), {"client.id": "c"})
    except (ConfigurationError, TypeError, ValueError):
        pass
    assert list(conf.items()) == list(before.items())


def test_a_parsed_configuration_does_not_show_secrets() -> None:
    shown_text = repr(produce({"sasl.password": "hunter2", "ssl.key.pem": "PRIVATE", "client.id": "c"}, error_cb=len))
    assert "hunter2" not in shown_text
    assert "PRIVATE" not in shown_text
    assert "client.id=c" in shown_text
    assert "error_cb" in shown_text


@pytest.mark.parametrize(
    ("kind", "key", "hint"),
    [
        ("producer", "bootstrap.server", "did you mean `bootstrap.servers`?"),
        ("producer", "bootstrap_servers", "did you mean `bootstrap.servers`? Keyword arguments cannot contain dots"),
        ("consumer", "Group.Id", "did you mean `group.id`?"),
        ("consumer", " client.id", "did you mean `client.id`?"),
        ("admin", "compresion.type", "did you mean `compression.type`?"),
        ("producer", "enable.auto.comit", "did you mean `enable.auto.commit`? It is a consumer property"),
        ("producer", "on_commit", "`on_commit` is a consumer property"),
        ("consumer", "on_delivery", "`on_delivery` is a producer property"),
        ("admin", "on_delivery", "`on_delivery` is a producer property"),
        ("producer", "eror_cb", "did you mean `error_cb`?"),
        ("consumer", "key.deserializer", "it is a property of DeserializingConsumer"),
        ("consumer", "max.poll.records", "pass the number to consume()"),
        ("producer", "sasl.jaas.config", "set `sasl.username` and `sasl.password`"),
        ("producer", "nothing-like-it", "CONFIGURATION.md"),
        ("producer", "", "CONFIGURATION.md"),
    ],
)
def test_an_unknown_key_is_explained(kind: Kind, key: str, hint: str) -> None:
    text = explain(kind, key, "hunter2", UNKNOWN.format(key))
    assert text.startswith(UNKNOWN.format(key) + "; ")
    assert hint in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("key", "value", "message", "hint"),
    [
        (
            "security.protocol",
            "SASL",
            'Invalid value "SASL" for configuration property "security.protocol"',
            "; allowed: plaintext, ssl, sasl_plaintext, sasl_ssl",
        ),
        (
            "linger.ms",
            "-5",
            'Configuration property "queue.buffering.max.ms" value -5 is outside allowed range 0..900000\n',
            "; given as `linger.ms`, allowed: 0 .. 900000 (float)",
        ),
        (
            "rebalance_cb",
            "x",
            'Property "rebalance_cb" must be set through dedicated .._set_..() function',
            "; pass on_assign, on_revoke and on_lost to subscribe()",
        ),
        ("opaque", "x", 'Property "opaque" must be set', "; `opaque` cannot be set from Python"),
        ("debug", "foo", 'Invalid value "foo" for configuration property "debug"', ""),
    ],
)
def test_a_refused_value_is_explained(key: str, value: str, message: str, hint: str) -> None:
    assert explain("producer", key, value, message) == message.strip() + hint


def test_a_refusal_is_an_invalid_argument_that_masks_secrets() -> None:
    exc = refused("producer", "sasl.password", "hunter2", 'cannot use "hunter2"')
    assert isinstance(exc, KafkaException)
    assert exc.args[0].code() == KafkaError._INVALID_ARG
    assert exc.args[0].str() == 'cannot use "***"'


@pytest.mark.parametrize(
    "name",
    [
        "sasl.password",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl_key",
        "ssl.keystore.password",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.client.credentials.client.secret",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.private.key.pem",
        "sasl.oauthbearer.config",
        "sasl.jaas.config",
        "SASL.PASSWORD",
    ],
)
def test_secret_properties_are_known_as_such(name: str) -> None:
    assert is_secret(name)
    assert shown(name, "hunter2") == "***"


def test_what_is_no_secret_is_shown() -> None:
    assert shown("bootstrap.servers", "broker:9092") == "broker:9092"
    url = "https://user:hunter2@example.com/t"
    assert shown("https.proxy.url", url) == "https://***@example.com/t"
    assert scrub(f"cannot reach {url}", "https.proxy.url", url) == "cannot reach https://***@example.com/t"


def test_the_property_table_is_that_of_the_linked_librdkafka() -> None:
    table = properties()
    assert len(table) > 150
    assert table["bootstrap.servers"].alias_of == "metadata.broker.list"
    assert (table["group.id"].clients, table["linger.ms"].clients, table["client.id"].clients) == ("C", "P", "*")
    assert (table["acks"].type, table["acks"].allowed) == ("integer", "-1 .. 1000")
    # one whose name is longer than the column
    assert table["sasl.oauthbearer.client.credentials.client.secret"].alias_of == "sasl.oauthbearer.client.secret"
    assert not table["rebalance_cb"].settable
    assert table["client.id"].default == "rdkafka"
    assert "<br>" not in table["client.id"].description
    assert find("topic.acks") is table["acks"]
    assert is_known("test.mock.num.brokers")
    assert not is_known("bootstrap_servers")


def aws(**more: Any) -> dict[str, Any]:
    return {
        "sasl.oauthbearer.metadata.authentication.type": "aws_iam",
        **{key.replace("_", "."): value for key, value in more.items()},
    }


def test_aws_iam_needs_the_oidc_method_and_a_configuration() -> None:
    with pytest.raises(ValueError, match=r"requires 'sasl\.oauthbearer\.method=oidc'.*<unset>"):
        produce(aws())
    for config in (None, ""):
        with pytest.raises(ValueError, match=r"'sasl\.oauthbearer\.config' is missing or empty"):
            produce(aws(sasl_oauthbearer_method="oidc", sasl_oauthbearer_config=config))


def test_aws_iam_gives_way_to_an_own_callback() -> None:
    parsed = produce(aws(sasl_oauthbearer_method="oidc"), oauth_cb=len)
    assert own(parsed) == []
    assert parsed.callbacks == {"oauth_cb": len}


def test_plugins_in_the_package_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_config, "__file__", str(tmp_path / "_config.py"))
    monkeypatch.setattr(sys, "platform", "linux")
    libs = tmp_path / ".libs"
    libs.mkdir()
    (libs / "one.so").touch()
    (libs / "two").touch()
    resolved = _config._resolve_plugins("one:two:three:./one:/abs/one:one.so")
    assert resolved == f"{libs}/one.so:{libs}/two:three:./one:/abs/one:{libs}/one.so"
    monkeypatch.setattr(sys, "platform", "win32")
    (tmp_path / "four.dll").touch()
    assert _config._resolve_plugins("four;one") == f"{tmp_path}/four.dll;one"
