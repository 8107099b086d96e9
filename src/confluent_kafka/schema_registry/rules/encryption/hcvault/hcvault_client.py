# SPDX-License-Identifier: Apache-2.0
"""Vault's transit engine by its REST API."""

from __future__ import annotations

import base64
import os
import random
import re
import ssl
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from confluent_kafka.schema_registry.error import RuleError
from confluent_kafka.schema_registry.rules.encryption._kms import Aead, KmsClient
from confluent_kafka.schema_registry.rules.encryption._secrets import scrub
from confluent_kafka.schema_registry.rules.encryption.kms_driver_registry import (
    ATTEMPTS,
    DEFAULT_TIMEOUT_SEC,
    key_id_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NoReturn

__all__ = ["VAULT_KEYURI_PREFIX", "HcVaultKmsClient"]

VAULT_KEYURI_PREFIX = "hcvault://"
_RETRIABLE = frozenset((408, 412, 429, 472, 473, 500, 502, 503, 504))
_MAX_WAIT_SEC = 2.0
_MAX_REDIRECTS = 3
_NUMBER = re.compile(r"\d+ errors? occurred:")
# a token from a login is renewed when so much of its time is left
_LEFT = 0.2


class VaultError(RuleError):
    """Vault answered with an error.

    Args:
        status: status of the HTTP answer.
        reason: Vault's own texts.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return f"Vault answered with HTTP {self.status}: {self.reason}"


class HcVaultKmsClient(KmsClient):
    """A connection to a Vault. Thread-safe.

    Args:
        key_uri: a key, ``hcvault://https://host:port/transit/keys/name``.
        token: a token; or
        ns: the namespace.
        role_id, secret_id: an AppRole, which logs in for a token.
        verify: whether the server's certificate is verified, or the path of a CA file.
        cert: path of a client certificate, or of one and its key.
        timeout: seconds for one request.
        transport: a transport of httpx2, in place of the network.
    """

    def __init__(
        self,
        key_uri: str,
        token: str | None,
        ns: str | None = None,
        role_id: str | None = None,
        secret_id: str | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        timeout: float = DEFAULT_TIMEOUT_SEC,
        transport: Any = None,
    ) -> None:
        try:
            import httpx2
        except ImportError as e:
            raise ImportError('Vault needs httpx2: pip install "ferrokafka[encryption-vault]"', name="httpx2") from e
        url = urlsplit(key_id_of(key_uri, VAULT_KEYURI_PREFIX))
        if url.scheme not in ("http", "https") or not url.hostname:
            raise RuleError(f"invalid key URL {key_uri}: expected hcvault://https://host:port/transit/keys/name")
        self._prefix = f"{VAULT_KEYURI_PREFIX}{url.scheme}://{url.netloc}"
        headers = {"X-Vault-Request": "true"}
        if ns:
            headers["X-Vault-Namespace"] = ns
        self._errors = httpx2.TransportError
        self._bare_request: Callable[[], Any] = lambda: httpx2.Request("POST", self._prefix)
        self._http = httpx2.Client(
            base_url=f"{url.scheme}://{url.netloc}",
            headers=headers,
            timeout=timeout,
            verify=_context(verify, cert) if url.scheme == "https" else False,
            transport=transport,
        )
        # its connections are nobody's when this object goes
        weakref.finalize(self, self._http.close)
        self._login = None if role_id is None else {"role_id": role_id, "secret_id": secret_id or ""}
        self._lock = threading.Lock()
        self._token = token
        self._until = float("inf") if token else 0.0
        if token is None and self._login is None:
            raise RuleError(
                "no credentials for Vault: set token.id (VAULT_TOKEN), or approle.role.id and approle.secret.id "
                "(VAULT_APPROLE_ROLE_ID, VAULT_APPROLE_SECRET_ID)"
            )

    def __repr__(self) -> str:
        return f"<HcVaultKmsClient {self._prefix}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a connection to Vault is not pickled: it has a token")

    def does_support(self, key_uri: str) -> bool:
        """Whether the key is in this Vault."""
        return key_uri.startswith(f"{self._prefix}/")

    def get_aead(self, key_uri: str) -> _VaultAead:
        """Return a key; RuleError when the URL is not one of the transit engine."""
        path = urlsplit(key_id_of(key_uri, VAULT_KEYURI_PREFIX)).path.strip("/").split("/")
        if len(path) < 3 or path[-2] != "keys":
            raise RuleError(f"invalid key URL {key_uri}: expected hcvault://https://host:port/transit/keys/name")
        mount = "/".join(quote(part, safe="") for part in path[:-2])
        return _VaultAead(self, mount, quote(path[-1], safe=""))

    def call(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        """Send a request of the transit engine; the result is its answer's ``data``.

        Raises:
            VaultError: Vault answered with an error.
            httpx2.TransportError: it did not answer.
        """
        token = self._current()
        try:
            answer = self._post(path, body, token)
        except VaultError as e:
            if e.status != 403 or self._login is None:
                raise
            # the token may have been revoked: one login more
            with self._lock:
                if self._token == token:
                    self._token = None
            answer = self._post(path, body, self._current())
        data: dict[str, Any] = answer.get("data") or {}
        return data

    def _current(self) -> str:
        with self._lock:
            if self._login is not None and (self._token is None or time.monotonic() >= self._until):
                auth = self._post("auth/approle/login", self._login, None).get("auth") or {}
                self._token = str(auth["client_token"])
                lease = float(auth.get("lease_duration") or 0)
                self._until = time.monotonic() + lease * (1 - _LEFT) if lease else float("inf")
            return str(self._token)

    def _post(self, path: str, body: dict[str, str], token: str | None) -> dict[str, Any]:
        headers = {} if token is None else {"X-Vault-Token": token}
        for attempt in range(ATTEMPTS):
            try:
                reply = self._send(f"/v1/{path}", body, headers)
            except self._errors as e:
                # without what was sent, which is a token and a data key: errors are kept and shown
                e.request = self._bare_request()
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                if reply.status_code < 300:
                    answer: dict[str, Any] = reply.json()
                    return answer
                if reply.status_code not in _RETRIABLE or attempt == ATTEMPTS - 1:
                    secrets = (*headers.values(), *body.values())
                    raise VaultError(reply.status_code, _reason(reply, secrets))
            time.sleep(random.uniform(0, min(_MAX_WAIT_SEC, 0.1 * 2**attempt)))
        raise AssertionError("unreachable")

    def _send(self, path: str, body: dict[str, str], headers: dict[str, str]) -> Any:
        reply = self._http.post(path, json=body, headers=headers)
        for _ in range(_MAX_REDIRECTS):
            # a standby that does not forward requests names the active node
            follow = reply.next_request if reply.status_code in (307, 308) else None
            if follow is None or (self._http.base_url.scheme == "https" and follow.url.scheme != "https"):
                break
            reply = self._http.post(follow.url, json=body, headers=headers)
        return reply


def _reason(reply: Any, secrets: Iterable[str]) -> str:
    """Return Vault's texts as one line; they may be lists of their own, under a line with their number."""
    try:
        errors = reply.json().get("errors") or ()
    except (ValueError, AttributeError):
        return "no reason given"
    lines = (line.strip().removeprefix("* ") for error in errors for line in str(error).splitlines())
    reasons = [line for line in lines if line and not _NUMBER.fullmatch(line)]
    return scrub("; ".join(reasons), [one for one in secrets if one])[:300] or "no reason given"


def _context(verify: bool | str, cert: str | tuple[str, str] | None) -> ssl.SSLContext:
    if isinstance(verify, str):
        folder = os.path.isdir(verify)
        context = ssl.create_default_context(cafile=None if folder else verify, capath=verify if folder else None)
    else:
        context = ssl.create_default_context()
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
    if cert is not None:
        context.load_cert_chain(*((cert,) if isinstance(cert, str) else cert))
    return context


class _VaultAead(Aead):
    def __init__(self, client: HcVaultKmsClient, mount: str, name: str) -> None:
        self._client = client
        self._mount = mount
        self._name = name

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        body = {"plaintext": base64.b64encode(plaintext).decode(), **_associated(associated_data)}
        data = self._client.call(f"{self._mount}/encrypt/{self._name}", body)
        return str(data["ciphertext"]).encode()

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        body = {"ciphertext": ciphertext.decode(), **_associated(associated_data)}
        data = self._client.call(f"{self._mount}/decrypt/{self._name}", body)
        return base64.b64decode(data["plaintext"])


def _associated(associated_data: bytes) -> dict[str, str]:
    # not as "context", which Vault ignores unless the key derives others
    return {"associated_data": base64.b64encode(associated_data).decode()} if associated_data else {}
