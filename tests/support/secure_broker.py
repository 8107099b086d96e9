"""A Kafka broker with TLS, mutual TLS and SASL listeners beside the plaintext one."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tests.support.broker import HOST, KafkaBroker
from tests.support.certificates import KEY_PASSWORD, Certificates, make_certificates

USER, PASSWORD = "alice", "alice-secret"
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

ScramMechanism = Literal["SCRAM-SHA-256", "SCRAM-SHA-512"]


class SecureBroker(KafkaBroker):
    """Listeners: PLAINTEXT, SSL, MTLS (client certificate required), SASL_SSL and SASL_PLAINTEXT.

    Both SASL listeners take PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 with USER and PASSWORD. An authorizer is on:
    everybody may do everything until an access control list says otherwise (``tool("AclCommand", ...)``); clients of
    the plaintext listener are super users. The ``*_config()`` methods return client properties, a new dict each time.
    """

    @property
    def bootstrap_ssl(self) -> str:
        """host:port of the listener that shows a certificate."""
        return f"{HOST}:{self._port('SSL')}"

    @property
    def bootstrap_mtls(self) -> str:
        """host:port of the listener that wants the client's certificate too."""
        return f"{HOST}:{self._port('MTLS')}"

    @property
    def bootstrap_sasl_ssl(self) -> str:
        """host:port of SASL over TLS."""
        return f"{HOST}:{self._port('SASL_SSL')}"

    @property
    def bootstrap_sasl_plaintext(self) -> str:
        """host:port of SASL over plain TCP."""
        return f"{HOST}:{self._port('SASL_PLAINTEXT')}"

    @property
    def certificates(self) -> Certificates:
        """The files to trust and to show, and some to be refused with."""
        if self._certificates is None:
            raise RuntimeError("the broker was not started")
        return self._certificates

    def ssl_config(self) -> dict[str, str]:
        """TLS; the client shows no certificate."""
        ca = str(self.certificates.ca)
        return {"bootstrap.servers": self.bootstrap_ssl, "security.protocol": "SSL", "ssl.ca.location": ca}

    def mtls_config(self) -> dict[str, str]:
        """Mutual TLS with an encrypted PEM key; the broker sees User:CN=client1."""
        return {
            **self.ssl_config(),
            "bootstrap.servers": self.bootstrap_mtls,
            "ssl.certificate.location": str(self.certificates.client),
            "ssl.key.location": str(self.certificates.client_key_encrypted),
            "ssl.key.password": KEY_PASSWORD,
        }

    def scram_config(self, mechanism: ScramMechanism = "SCRAM-SHA-512") -> dict[str, str]:
        """SCRAM over TLS; the broker sees User:alice."""
        return {
            **self.ssl_config(),
            "bootstrap.servers": self.bootstrap_sasl_ssl,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": mechanism,
            "sasl.username": USER,
            "sasl.password": PASSWORD,
        }

    def plain_config(self) -> dict[str, str]:
        """SASL PLAIN over plain TCP."""
        return {
            "bootstrap.servers": self.bootstrap_sasl_plaintext,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": USER,
            "sasl.password": PASSWORD,
        }

    _certificates: Certificates | None = None

    def _listeners(self) -> dict[str, str]:
        kinds = {name: name for name in ("SSL", "SASL_SSL", "SASL_PLAINTEXT")}
        return {**super()._listeners(), "MTLS": "SSL", **kinds}

    def _prepare(self, directory: Path) -> None:
        self._certificates = make_certificates(directory / "certificates")

    def _properties(self) -> dict[str, str]:
        properties = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.certificates.broker_store),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.certificates.ca),
            "listener.name.mtls.ssl.client.auth": "required",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "allow.everyone.if.no.acl.found": "true",
        }
        for listener in ("sasl_ssl", "sasl_plaintext"):
            prefix = f"listener.name.{listener}"
            properties[f"{prefix}.sasl.enabled.mechanisms"] = ",".join(_MECHANISMS)
            properties[f"{prefix}.plain.sasl.jaas.config"] = f'{_PLAIN} required user_{USER}="{PASSWORD}";'
            for mechanism in _MECHANISMS[1:]:
                properties[f"{prefix}.{mechanism.lower()}.sasl.jaas.config"] = f"{_SCRAM} required;"
        return properties

    def _format_arguments(self) -> list[str]:
        arguments: list[str] = []
        for mechanism in _MECHANISMS[1:]:
            arguments += ["--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]"]
        return arguments
