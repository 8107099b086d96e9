# SPDX-License-Identifier: Apache-2.0
"""TLS, mutual TLS and SASL: what should pass does, what should not says why and keeps the password to itself."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import Any

import pytest

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from tests.integration.kit import DEADLINE, eventually, produce_all, read, unique_name, values_of
from tests.support.certificates import KEY_PASSWORD
from tests.support.secure_broker import PASSWORD, SecureBroker

WRONG = "wrong-but-still-secret"


def security(broker: SecureBroker, name: str) -> dict[str, str]:
    if name == "tls":
        return broker.ssl_config()
    if name == "mutual tls":
        return broker.mtls_config()
    if name == "mutual tls, PKCS#12":
        return {
            **broker.ssl_config(),
            "bootstrap.servers": broker.bootstrap_mtls,
            "ssl.keystore.location": str(broker.certificates.client_p12),
            "ssl.keystore.password": KEY_PASSWORD,
        }
    if name == "mutual tls, PEM text":
        return {
            "bootstrap.servers": broker.bootstrap_mtls,
            "security.protocol": "ssl",
            "ssl.ca.pem": broker.certificates.ca.read_text(),
            "ssl.certificate.pem": broker.certificates.client.read_text(),
            "ssl.key.pem": broker.certificates.client_key.read_text(),
        }
    if name == "plain":
        return broker.plain_config()
    return broker.scram_config("SCRAM-SHA-256" if name == "scram 256" else "SCRAM-SHA-512")


@pytest.mark.parametrize(
    "name", ["tls", "mutual tls", "mutual tls, PKCS#12", "mutual tls, PEM text", "scram 256", "scram 512", "plain"]
)
def test_produce_and_consume(secure_broker: SecureBroker, closing: ExitStack, name: str) -> None:
    conf: dict[str, Any] = security(secure_broker, name)
    topic = secure_broker.create_topic(unique_name("secure"))
    producer = closing.enter_context(Producer(conf))
    values = [str(number).encode() for number in range(100)]
    produce_all(producer, topic, values)
    consumer = closing.enter_context(
        Consumer({**conf, "group.id": unique_name("group"), "auto.offset.reset": "earliest"})
    )
    consumer.subscribe([topic])
    assert values_of(read(consumer, 100)) == values


class Collector(logging.Handler):
    """Keeps the text of every record, as a user's log would show it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class Refusal:
    """What a client tells about a broker that it cannot use: errors, exceptions, log lines."""

    def __init__(self, conf: dict[str, Any], code: int) -> None:
        self.errors: list[KafkaError] = []
        handler = Collector()
        logger = logging.Logger("refusal", logging.DEBUG)
        logger.addHandler(handler)
        producer = Producer({**conf, "error_cb": self.errors.append, "logger": logger, "debug": "security"})
        producer.produce("anything", b"x")
        try:
            eventually(
                lambda: producer.poll(0.1) is None or code in [error.code() for error in self.errors],
                f"error {code}, got {self.errors}",
            )
            with pytest.raises(KafkaException) as caught:
                producer.list_topics(timeout=0.5)
            self.text = "\n".join(
                [str(caught.value), repr(producer), *map(repr, self.errors), *map(str, self.errors), *handler.lines]
            )
        finally:
            producer.purge()
            producer.close()
        self.reasons = [error.str() for error in self.errors if error.code() == code]


@pytest.mark.parametrize("name", ["scram 256", "scram 512", "plain"])
def test_a_wrong_password_is_told_and_not_shown(secure_broker: SecureBroker, name: str) -> None:
    refusal = Refusal({**security(secure_broker, name), "sasl.password": WRONG}, KafkaError._AUTHENTICATION)
    assert any("authentication" in reason.lower() for reason in refusal.reasons), refusal.reasons
    assert WRONG not in refusal.text
    assert PASSWORD not in refusal.text


def test_an_unknown_user_is_told(secure_broker: SecureBroker) -> None:
    refusal = Refusal({**secure_broker.scram_config(), "sasl.username": "nobody"}, KafkaError._AUTHENTICATION)
    assert any("authentication" in reason.lower() for reason in refusal.reasons), refusal.reasons
    assert PASSWORD not in refusal.text


def test_an_untrusted_authority_is_told(secure_broker: SecureBroker) -> None:
    conf = {**secure_broker.scram_config(), "ssl.ca.location": str(secure_broker.certificates.other_ca)}
    refusal = Refusal(conf, KafkaError._SSL)
    assert any("certificate verify failed" in reason for reason in refusal.reasons), refusal.reasons
    assert PASSWORD not in refusal.text


@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_a_client_without_a_trusted_certificate_gets_nothing_through(secure_broker: SecureBroker, who: str) -> None:
    """TLS 1.3 tells the refusal after the handshake, so it is the messages' time-out that ends the attempt."""
    conf: dict[str, Any] = {**secure_broker.ssl_config(), "bootstrap.servers": secure_broker.bootstrap_mtls}
    if who == "stranger":
        conf["ssl.certificate.location"] = str(secure_broker.certificates.stranger)
        conf["ssl.key.location"] = str(secure_broker.certificates.stranger_key)
    reports: list[Any] = []
    with Producer({**conf, "message.timeout.ms": 1_000, "log_level": 0}) as producer:
        producer.produce("anything", b"x", on_delivery=lambda error, message: reports.append(error))
    assert [error.code() for error in reports] == [KafkaError._MSG_TIMED_OUT]


def test_a_wrong_name_in_the_certificate_is_told(secure_broker: SecureBroker) -> None:
    conf = {**secure_broker.ssl_config(), "bootstrap.servers": f"127.0.0.2:{secure_broker.bootstrap_ssl.split(':')[1]}"}
    error = refused_at_creation_or_later(conf)
    assert error in (KafkaError._SSL, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN)


def refused_at_creation_or_later(conf: dict[str, Any]) -> int:
    errors: list[KafkaError] = []
    producer = Producer({**conf, "error_cb": errors.append, "log_level": 0})
    try:
        eventually(lambda: producer.poll(0.1) is None or errors, "an error")
    finally:
        producer.close()
    return errors[0].code()


@pytest.mark.parametrize(
    ("changes", "secret"),
    [
        ({"ssl.ca.location": "/does/not/exist.pem"}, PASSWORD),
        ({"ssl.key.password": WRONG}, WRONG),
        ({"sasl.mechanism": "NONSENSE"}, PASSWORD),
        ({"sasl.username": None}, PASSWORD),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_an_impossible_configuration_is_refused_at_creation(
    secure_broker: SecureBroker, changes: dict[str, Any], secret: str
) -> None:
    base = secure_broker.mtls_config() if "ssl.key.password" in changes else secure_broker.scram_config()
    with pytest.raises(KafkaException, match="Failed to create producer") as caught:
        Producer({**base, **changes, "log_level": 0})
    assert secret not in str(caught.value)
    assert secret not in repr(caught.value)


def test_credentials_can_be_replaced_on_a_live_client(secure_broker: SecureBroker, closing: ExitStack) -> None:
    topic = secure_broker.create_topic(unique_name("secure"))
    errors: list[KafkaError] = []
    producer = closing.enter_context(
        Producer(
            {
                **secure_broker.scram_config(),
                "sasl.password": WRONG,
                "error_cb": errors.append,
                "reconnect.backoff.max.ms": 200,
                "log_level": 0,
            }
        )
    )
    eventually(lambda: producer.poll(0.1) is None or errors, "a refusal")
    with pytest.raises(TypeError):
        producer.set_sasl_credentials("alice", None)  # type: ignore[arg-type]
    producer.set_sasl_credentials("alice", PASSWORD)
    produce_all(producer, topic, [b"after all"])


def test_a_refused_topic_is_an_authorization_error(secure_broker: SecureBroker, closing: ExitStack) -> None:
    topic = secure_broker.create_topic(unique_name("secure"))
    for operation in ("Read", "Write"):
        secure_broker.tool(
            "AclCommand", "--add", "--deny-principal", "User:alice", "--operation", operation, "--topic", topic
        )
    conf: dict[str, Any] = secure_broker.scram_config()
    producer = closing.enter_context(Producer(conf))
    reports: list[Any] = []
    producer.produce(topic, b"x", on_delivery=lambda error, message: reports.append(error))
    assert producer.flush(DEADLINE) == 0
    assert [error.code() for error in reports] == [KafkaError.TOPIC_AUTHORIZATION_FAILED]
    consumer = closing.enter_context(Consumer({**conf, "group.id": unique_name("group")}))
    consumer.subscribe([topic])
    message = eventually(lambda: consumer.poll(0.2), "the refusal")
    error = message.error()
    assert error is not None
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
