# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_kafka._config import parse
from confluent_kafka._env import config_from_env
from confluent_kafka._property_table import properties


def test_variables_become_properties() -> None:
    conf = config_from_env(
        environ={
            "KAFKA_BOOTSTRAP_SERVERS": "broker:9092",
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_ENABLE_SSL_CERTIFICATE_VERIFICATION": "false",
            "KAFKA_LOG_LEVEL": "7",
            "PATH": "/bin",
        }
    )
    assert conf == {
        "bootstrap.servers": "broker:9092",
        "security.protocol": "SASL_SSL",
        "enable.ssl.certificate.verification": "false",
        "log_level": "7",
    }


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERY_OWN_CLIENT_ID", "me")
    assert config_from_env("VERY_OWN_") == {"client.id": "me"}


@given(name=st.sampled_from(sorted(name for name, entry in properties().items() if entry.settable)))
def test_every_property_with_a_text_form_has_a_variable(name: str) -> None:
    value = "true" if name == "delivery.report.only.error" else "7"
    assert list(config_from_env("P_", {"P_" + name.upper().replace(".", "_"): value})) == [name]


@pytest.mark.parametrize(
    "variable",
    [
        "KAFKA_HOME",
        "KAFKA_OPTS",
        "KAFKA_HEAP_OPTS",
        "KAFKA_JMX_PORT",
        "KAFKA_LOG_DIRS",
        "KAFKA_NODE_ID",
        "KAFKA_ADVERTISED_LISTENERS",
        "KAFKA_TRANSACTION_MAX_TIMEOUT_MS",
        "KAFKA_TOPIC",
        "KAFKA_BROKERS",
        "KAFKA_SCHEMA_REGISTRY_URL",
        "KAFKA_",
    ],
)
def test_variables_of_others_are_ignored(variable: str) -> None:
    assert config_from_env(environ={variable: "x", "KAFKA_ACKS": ""}) == {}


@pytest.mark.parametrize(
    ("variable", "advice"),
    [
        ("KAFKA_BOOTSTRAP_SERVER", "did you mean KAFKA_BOOTSTRAP_SERVERS"),
        ("KAFKA_SECURITY_PROTOCL", "did you mean KAFKA_SECURITY_PROTOCOL"),
        ("KAFKA_Group_Id", "did you mean KAFKA_GROUP_ID"),
        ("KAFKA_SASL_PASWORD", "did you mean KAFKA_SASL_PASSWORD"),
        ("KAFKA_SASL_JAAS_CONFIG", "`sasl.username` and `sasl.password`"),
    ],
)
def test_near_misses_are_named_without_their_values(variable: str, advice: str) -> None:
    with pytest.warns(UserWarning, match=variable) as caught:
        assert config_from_env(environ={variable: "hunter2"}) == {}
    text = str(caught[0].message)
    assert variable in text
    assert advice in text
    assert "hunter2" not in text
    assert caught[0].filename == __file__


def test_explicit_configuration_wins() -> None:
    environ = {"KAFKA_BOOTSTRAP_SERVERS": "far:9092", "KAFKA_GROUP_ID": "theirs", "KAFKA_ACKS": "1"}
    explicit: dict[str, Any] = {"bootstrap.servers": "near:9092", "acks": None}
    conf = config_from_env(environ=environ, group_id="mine", **explicit)
    assert conf == {"bootstrap.servers": "near:9092", "group.id": "mine"}


def test_explicit_configuration_wins_over_an_alias() -> None:
    environ = {"KAFKA_BOOTSTRAP_SERVERS": "far:9092", "KAFKA_LINGER_MS": "5"}
    explicit: dict[str, Any] = {"metadata.broker.list": "near:9092", "queue_buffering_max_ms": 9}
    conf = config_from_env(environ=environ, **explicit)
    assert conf == {"metadata.broker.list": "near:9092", "queue.buffering.max.ms": 9}


def test_other_keys_of_a_client_pass_through() -> None:
    conf = config_from_env(environ={"KAFKA_DELIVERY_REPORT_ONLY_ERROR": "TRUE"}, error_cb=print)
    assert conf == {"delivery.report.only.error": True, "error_cb": print}
    assert parse("producer", (conf,), {}).callbacks == conf


def test_a_flag_that_is_no_flag_is_refused() -> None:
    with pytest.raises(ValueError, match="KAFKA_DELIVERY_REPORT_ONLY_ERROR must be true or false"):
        config_from_env(environ={"KAFKA_DELIVERY_REPORT_ONLY_ERROR": "perhaps"})
