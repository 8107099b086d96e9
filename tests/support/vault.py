# SPDX-License-Identifier: Apache-2.0
"""HashiCorp Vault for tests: the real one where `python -m tools.vault` built it, and a server that answers alike."""

from __future__ import annotations

import base64
import contextlib
import fnmatch
import json
import os
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from confluent_kafka.testing._http import HttpReply, HttpRequest, Listener
from tests.support.certificates import Certificates
from tools import vault

ROOT = "root-token-of-this-test"  # not one
STOP_DEADLINE_S = 30
REAL = f"real Vault {vault.version()}"
LIKE = "test server of Vault's API"


def kinds() -> list[str]:
    """The kinds of Vault that there are here: without the binary of a real one, it is not among them."""
    return [LIKE] if vault.binary() is None else [LIKE, REAL]


@dataclass
class Server:
    """A Vault that is running, unsealed, with root token ``ROOT`` and nothing in it."""

    url: str
    trust: str | bool = True
    certificate: tuple[str, str] | None = None
    answers: Answers | None = None

    def admin(self, method: str, path: str, body: Any = None, token: str = ROOT) -> dict[str, Any]:
        """Send a request, with the root token if no other; return the answer's ``data`` or ``auth``."""
        context = ssl.create_default_context(cafile=self.trust if isinstance(self.trust, str) else None)
        if self.certificate is not None:
            context.load_cert_chain(*self.certificate)
        with httpx2.Client(verify=context, timeout=30) as http:
            reply = http.request(method, f"{self.url}/v1/{path}", json=body, headers={"X-Vault-Token": token})
        assert reply.status_code < 300, f"{method} {path}: {reply.status_code} {reply.text}"
        answer = reply.json() if reply.content else {}
        result: dict[str, Any] = answer.get("auth") or answer.get("data") or {}
        return result

    def key(self, name: str = "key1", mount: str = "transit") -> str:
        """Make a key; return its URL."""
        with contextlib.suppress(AssertionError):  # the engine may be there
            self.admin("POST", f"sys/mounts/{mount}", {"type": "transit"})
        self.admin("POST", f"{mount}/keys/{name}", {})
        return f"hcvault://{self.url}/{mount}/keys/{name}"

    def token(self, policy: str, **options: Any) -> str:
        """Make a token that may do what a policy says."""
        name = f"policy-{os.urandom(4).hex()}"
        self.admin("PUT", f"sys/policies/acl/{name}", {"policy": policy})
        made: str = self.admin("POST", "auth/token/create", {"policies": [name], **options})["client_token"]
        return made

    def approle(self, policy: str, **options: Any) -> dict[str, str]:
        """Make an AppRole; return the driver's properties for it."""
        with contextlib.suppress(AssertionError):
            self.admin("POST", "sys/auth/approle", {"type": "approle"})
        name = f"role-{os.urandom(4).hex()}"
        self.admin("PUT", f"sys/policies/acl/{name}", {"policy": policy})
        self.admin("POST", f"auth/approle/role/{name}", {"token_policies": [name], **options})
        role = self.admin("GET", f"auth/approle/role/{name}/role-id")["role_id"]
        secret = self.admin("POST", f"auth/approle/role/{name}/secret-id", {})["secret_id"]
        return {"approle.role.id": role, "approle.secret.id": secret}


@contextlib.contextmanager
def running(kind: str, certificates: Certificates | None = None) -> Iterator[Server]:
    """A Vault; with certificates over HTTPS, and clients need one."""
    trust: str | bool = True if certificates is None else str(certificates.ca)
    own = None if certificates is None else (str(certificates.client), str(certificates.client_key))
    if kind == LIKE:
        answers = Answers()
        listener = Listener("127.0.0.1", 0, answers.reply, _tls(certificates))
        try:
            scheme = "http" if certificates is None else "https"
            yield Server(f"{scheme}://127.0.0.1:{listener.port}", trust, own, answers)
        finally:
            listener.close(lambda: None)
        return
    binary = vault.binary()
    assert binary is not None
    with _process(binary, certificates) as url:
        yield Server(url, trust, own)


@contextlib.contextmanager
def _process(binary: Path, certificates: Certificates | None) -> Iterator[str]:
    command = [str(binary), "-token", ROOT]
    if certificates is not None:
        store, ca = str(certificates.broker_store), str(certificates.ca)
        command += ["-certificate", store, "-key", store, "-client-ca", ca]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            assert url, f"{binary} has ended"
            yield url
        finally:
            process.stdin.close()  # it ends with it
            try:
                process.wait(STOP_DEADLINE_S)
            finally:
                process.kill()


def _tls(certificates: Certificates | None) -> ssl.SSLContext | None:
    if certificates is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.broker_store)
    context.load_verify_locations(certificates.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


class Refusal(Exception):
    """An answer that is an error.

    Args:
        status: the HTTP status.
        error: Vault's text.
    """

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


_DENIED = "1 error occurred:\n\t* permission denied\n\n"
_UNKNOWN = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"


@dataclass
class Key:
    """A key with its versions, the first being version 1."""

    versions: list[AESGCM] = field(default_factory=lambda: [AESGCM(os.urandom(32))])
    oldest: int = 1

    def encrypt(self, plaintext: str, associated: bytes) -> str:
        """Return ``vault:v<version>:<base64>``."""
        iv = os.urandom(12)
        sealed = iv + self.versions[-1].encrypt(iv, base64.b64decode(plaintext), associated)
        return f"vault:v{len(self.versions)}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, ciphertext: str, associated: bytes) -> str:
        """Return base64; Refusal with Vault's texts."""
        found = re.fullmatch(r"vault:v(\d+):(.*)", ciphertext)
        if found is None:
            raise Refusal(400, "invalid ciphertext: no prefix")
        version = int(found[1])
        if version > len(self.versions):
            raise Refusal(400, "invalid ciphertext: version is too new")
        if version < self.oldest:
            raise Refusal(400, "ciphertext or signature version is disallowed by policy (too old)")
        sealed = base64.b64decode(found[2])
        try:
            plain = self.versions[version - 1].decrypt(sealed[:12], sealed[12:], associated)
        except InvalidTag as e:
            raise Refusal(400, "cipher: message authentication failed") from e
        return base64.b64encode(plain).decode()


class Answers:
    """What the tests need of Vault's API, with its answers as they are in the real one (version 1.21).

    Attributes:
        requests: path and headers of each.
        failures: what becomes of the next requests: a status, 0 for a connection that is cut, or a whole reply.
        slow: answers wait for it.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.failures: list[int | HttpReply] = []
        self.slow: threading.Event | None = None
        self._keys: dict[str, Key] = {}
        self._policies: dict[str, str] = {"root": ""}
        self._tokens: dict[str, dict[str, Any]] = {ROOT: {"policies": ["root"], "num_uses": 0}}
        self._roles: dict[str, dict[str, Any]] = {}
        self._mounts: set[str] = set()
        self._sealed = False
        self._quota: int | None = None

    def reply(self, request: HttpRequest) -> HttpReply | None:
        """Answer a request."""
        path = request.target.removeprefix("/v1/")
        self.requests.append((path, dict(request.headers)))
        if self.slow is not None:
            self.slow.wait(STOP_DEADLINE_S)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, HttpReply):
                return failure
            return None if failure == 0 else _json(failure, {"errors": ["no luck"]})
        body = json.loads(request.body) if request.body else {}
        try:
            result = self._answer(request.method, path, body, request.headers.get("x-vault-token", ""))
        except Refusal as e:
            return _json(e.status, {"errors": [str(e)]})
        if result is None:
            return HttpReply(204, {}, b"")
        kind = "auth" if "client_token" in result else "data"
        return _json(200, {kind: result, "warnings": None})

    def _answer(self, method: str, path: str, body: dict[str, Any], token: str) -> dict[str, Any] | None:
        if self._sealed:
            raise Refusal(503, "Vault is sealed")
        if self._quota is not None:
            if self._quota == 0:
                raise Refusal(429, f'request path "{path}": rate limit quota exceeded')
            self._quota -= 1
        if path == "auth/approle/login":
            return self._login(body)
        may = self._capabilities(path, token)
        first, _, rest = path.partition("/")
        if first in ("sys", "auth"):
            if "root" not in may:
                raise Refusal(403, _DENIED)
            return self._system(first, rest, body)
        if path.rsplit("/", 2)[0] not in self._mounts and not any(path.startswith(f"{m}/") for m in self._mounts):
            raise Refusal(404, f'no handler for route "{path}". route entry not found.')
        return self._transit(method, path, body, may)

    def _capabilities(self, path: str, token: str) -> set[str]:
        known = self._tokens.get(token)
        if known is None:
            raise Refusal(403, _UNKNOWN if token else "permission denied")
        if known["num_uses"]:
            known["num_uses"] -= 1
            if known["num_uses"] == 0:
                del self._tokens[token]
        may: set[str] = set()
        for name in known["policies"]:
            if name == "root":
                return {"root", "create", "update"}
            for glob, words in re.findall(r'path "([^"]+)" \{ capabilities = \[([^\]]*)\] \}', self._policies[name]):
                if fnmatch.fnmatchcase(path, glob):
                    may |= set(re.findall(r"\w+", words))
        if not may:
            raise Refusal(403, _DENIED)
        return may

    def _new_token(self, policies: list[str], options: dict[str, Any]) -> dict[str, Any]:
        token = f"hvs.{os.urandom(24).hex()}"
        self._tokens[token] = {"policies": policies, "num_uses": options.get("num_uses", 0)}
        return {"client_token": token, "lease_duration": options.get("ttl", 3600), "renewable": True}

    def _login(self, body: dict[str, Any]) -> dict[str, Any]:
        if not body.get("secret_id"):
            raise Refusal(400, "missing secret_id")
        for role in self._roles.values():
            if role["id"] == body.get("role_id") and body["secret_id"] in role["secrets"]:
                options = {"num_uses": role.get("token_num_uses", 0), "ttl": role.get("token_ttl", 3600)}
                return self._new_token(role["token_policies"], options)
        raise Refusal(400, "invalid role or secret ID")

    def _system(self, first: str, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        name = path.rpartition("/")[2]
        if first == "auth" and path == "token/create":
            return self._new_token(body["policies"], body)
        if first == "auth" and path == "token/revoke":
            self._tokens.pop(body["token"], None)
            return None
        if first == "auth":
            _, _, rest = path.partition("approle/role/")
            role_name, _, what = rest.partition("/")
            if not what:
                self._roles[role_name] = {"id": os.urandom(16).hex(), "secrets": [], **body}
                return None
            role = self._roles[role_name]
            if what == "role-id":
                return {"role_id": role["id"]}
            role["secrets"].append(os.urandom(16).hex())
            return {"secret_id": role["secrets"][-1]}
        if path.startswith("mounts/"):
            self._mounts.add(path.removeprefix("mounts/"))
        elif path.startswith("policies/acl/"):
            self._policies[name] = body["policy"]
        elif path.startswith("quotas/"):
            self._quota = int(body["rate"])
        elif path == "seal":
            self._sealed = True
        return None

    def _transit(self, method: str, path: str, body: dict[str, Any], may: set[str]) -> dict[str, Any] | None:
        if "/keys/" in path:
            mount, _, rest = path.partition("/keys/")
            name, _, what = rest.partition("/")
            place = f"{mount}/{name}"
            if method == "DELETE":
                del self._keys[place]
                return None
            key = self._keys.setdefault(place, Key())
            if what == "rotate":
                key.versions.append(AESGCM(os.urandom(32)))
            elif what == "config":
                key.oldest = body.get("min_decryption_version", key.oldest)
            return {"latest_version": len(key.versions)}
        mount, action, name = path.rsplit("/", 2)
        place = f"{mount}/{name}"
        associated = base64.b64decode(body.get("associated_data", ""))
        if action == "encrypt":
            # a key that is not there is made: an answer that surprises whoever mistypes its name
            if place not in self._keys and "create" not in may:
                raise Refusal(403, _DENIED)
            key = self._keys.setdefault(place, Key())
            return {"ciphertext": key.encrypt(body["plaintext"], associated), "key_version": len(key.versions)}
        if place not in self._keys:
            raise Refusal(400, "encryption key not found")
        return {"plaintext": self._keys[place].decrypt(body["ciphertext"], associated)}


def _json(status: int, body: Any) -> HttpReply:
    return HttpReply(status, {"Content-Type": "application/json"}, json.dumps(body).encode())
