"""Throw-away certificates for the secure broker, made by the ``cryptography`` package."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KEY_PASSWORD = "key-password"


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files, unless the name says otherwise.

    Attributes:
        ca: the authority that signed the broker's and the client's certificates.
        other_ca: an authority that signed neither.
        broker_store: the broker's key and chain in one file, as Kafka's PEM key store wants it.
        client, client_key, client_key_encrypted: of CN=client1; the latter's password is KEY_PASSWORD.
        client_p12: the same key and chain as PKCS#12, password KEY_PASSWORD.
        stranger, stranger_key: a client certificate signed by other_ca.
    """

    ca: Path
    other_ca: Path
    broker_store: Path
    client: Path
    client_key: Path
    client_key_encrypted: Path
    client_p12: Path
    stranger: Path
    stranger_key: Path


@dataclass(frozen=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self, password: str | None = None) -> bytes:
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            encryption = serialization.BestAvailableEncryption(password.encode())
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def _issue(name: str, issuer: _Pair | None, hosts: tuple[x509.GeneralName, ...] = ()) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        builder = builder.add_extension(usage, critical=False).add_extension(authority, critical=False)
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    return _Pair(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def make_certificates(directory: Path) -> Certificates:
    """Make an authority, a broker certificate for localhost and 127.0.0.1, and client certificates in ``directory``."""
    directory.mkdir(mode=0o700)
    ca, other_ca = _issue("Test CA", None), _issue("Other CA", None)
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    broker = _issue("localhost", ca, (x509.DNSName("localhost"), loopback))
    client, stranger = _issue("client1", ca), _issue("stranger", other_ca)
    p12 = pkcs12.serialize_key_and_certificates(
        b"client1",
        client.key,
        client.certificate,
        [ca.certificate],
        serialization.BestAvailableEncryption(KEY_PASSWORD.encode()),
    )
    contents = {
        "ca.pem": ca.pem(),
        "other_ca.pem": other_ca.pem(),
        "broker_store.pem": broker.key_pem() + broker.pem() + ca.pem(),
        "client.pem": client.pem(),
        "client_key.pem": client.key_pem(),
        "client_key_encrypted.pem": client.key_pem(KEY_PASSWORD),
        "client_p12.p12": p12,
        "stranger.pem": stranger.pem(),
        "stranger_key.pem": stranger.key_pem(),
    }
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    return Certificates(**{Path(name).stem: directory / name for name in contents})
