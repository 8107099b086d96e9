# SPDX-License-Identifier: Apache-2.0
"""Key management systems for tests: servers and transports that answer as the real ones do."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import google_crc32c
import grpc
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.cloud import kms_v1


class AzureVault:
    """Azure Key Vault behind a transport of its SDK: keys with versions, the authentication challenge, RSA-OAEP-256."""

    url = "https://tests.vault.azure.net"

    def __init__(self) -> None:
        self.versions: dict[str, rsa.RSAPrivateKey] = {}
        self.requests: list[str] = []
        self.challenged = 0
        self.status: int | None = None
        self.rotate()

    def rotate(self) -> str:
        """Make a new version of the key the current one; return its name."""
        name = os.urandom(16).hex()
        self.versions[name] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return name

    def transport(self) -> Any:
        from azure.core.pipeline.transport import HttpTransport

        vault = self

        class Transport(HttpTransport):  # type: ignore[type-arg]  # its generics are the SDK's own affair
            def open(self) -> None:
                pass

            def close(self) -> None:
                pass

            def __exit__(self, *args: Any) -> None:
                pass

            def send(self, request: Any, **options: Any) -> Any:
                return _azure_reply(request, *vault.answer(request))

        return Transport()

    def answer(self, request: Any) -> tuple[int, dict[str, str], Any]:
        path = request.url.removeprefix(self.url).partition("?")[0].strip("/").split("/")
        if "Authorization" not in request.headers:
            self.challenged += 1
            challenge = 'Bearer authorization="https://login.test/tenant", resource="https://vault.azure.net"'
            return 401, {"WWW-Authenticate": challenge}, {"error": {"code": "Unauthorized"}}
        self.requests.append(f"{request.method} {'/'.join(path)}")
        if self.status is not None:
            return self.status, {}, {"error": {"code": "Forbidden", "message": "no access"}}
        version = path[2] if len(path) > 2 else list(self.versions)[-1]
        key = self.versions[version]
        identity = f"{self.url}/keys/key1/{version}"
        if request.method == "GET":
            numbers = key.public_key().public_numbers()
            jwk = {
                "kid": identity,
                "kty": "RSA",
                "key_ops": ["encrypt", "decrypt"],
                "n": _number(numbers.n),
                "e": _number(numbers.e),
            }
            return 200, {}, {"key": jwk, "attributes": {"enabled": True}}
        body = json.loads(request.body if isinstance(request.body, (str, bytes)) else request.content)
        assert body["alg"] == "RSA-OAEP-256"
        scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        value = _from_url(body["value"])
        done = key.decrypt(value, scheme) if path[3] == "decrypt" else key.public_key().encrypt(value, scheme)
        return 200, {}, {"kid": identity, "value": _to_url(done)}


def _number(value: int) -> str:
    return _to_url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _to_url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _azure_reply(request: Any, status: int, headers: dict[str, str], body: Any) -> Any:
    from azure.core.rest._http_response_impl import HttpResponseImpl

    data = json.dumps(body).encode()
    made: Any = HttpResponseImpl(
        request=request,
        internal_response=None,
        status_code=status,
        headers={"Content-Type": "application/json", **headers},
        reason="",
        content_type="application/json",
        stream_download_generator=lambda *args, **options: iter([data]),
        block_size=4096,
    )
    made._content = data
    made._is_stream_consumed = made._is_closed = True
    return made


class AzureCredential:
    def get_token(self, *scopes: str, **options: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken("token", int(time.time()) + 3600)


class GcpKms:
    """Google's KeyManagementService: Encrypt and Decrypt with checksums."""

    name = "projects/p/locations/l/keyRings/r/cryptoKeys/key1"

    def __init__(self) -> None:
        self._key = AESGCM(os.urandom(32))
        self.failures: list[grpc.StatusCode] = []
        self.spoil = False
        self.calls = 0
        self._pool = ThreadPoolExecutor(2)
        self._server = grpc.server(self._pool)
        service = "google.cloud.kms.v1.KeyManagementService"
        handlers = {
            "Encrypt": self._handler(self._encrypt, kms_v1.EncryptRequest, kms_v1.EncryptResponse),
            "Decrypt": self._handler(self._decrypt, kms_v1.DecryptRequest, kms_v1.DecryptResponse),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def _handler(self, answer: Callable[[Any], Any], request: Any, reply: Any) -> Any:
        def call(message: Any, context: Any) -> Any:
            self.calls += 1
            if self.failures:
                context.abort(self.failures.pop(0), "no luck")
            if message.name != self.name:
                context.abort(grpc.StatusCode.NOT_FOUND, "no such key")
            return answer(message)

        return grpc.unary_unary_rpc_method_handler(call, request.deserialize, reply.serialize)

    def _encrypt(self, request: Any) -> Any:
        iv = os.urandom(12)
        sealed = iv + self._key.encrypt(iv, request.plaintext, None)
        return kms_v1.EncryptResponse(
            ciphertext=sealed,
            ciphertext_crc32c=google_crc32c.value(sealed) + self.spoil,
            verified_plaintext_crc32c=request.plaintext_crc32c == google_crc32c.value(request.plaintext),
        )

    def _decrypt(self, request: Any) -> Any:
        plain = self._key.decrypt(request.ciphertext[:12], request.ciphertext[12:], None)
        return kms_v1.DecryptResponse(plaintext=plain, plaintext_crc32c=google_crc32c.value(plain) + self.spoil)

    def client(self) -> Any:
        """Return the official client, on a connection without TLS."""
        from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport

        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        return kms_v1.KeyManagementServiceClient(transport=KeyManagementServiceGrpcTransport(channel=self.channel))

    def close(self) -> None:
        self.channel.close()
        self._server.stop(None).wait()
        self._pool.shutdown()
