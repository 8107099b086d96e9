# SPDX-License-Identifier: Apache-2.0
"""A broker with a SASL/OAUTHBEARER listener that takes unsigned tokens, and such tokens."""

from __future__ import annotations

import base64
import json
import time

from tests.support.broker import HOST, KafkaBroker

_LOGIN = (
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
    'unsecuredLoginStringClaim_sub="broker";'
)


class OAuthBroker(KafkaBroker):
    """A KafkaBroker whose ``oauth`` listener is for clients with a token of ``unsigned_token``."""

    @property
    def oauth(self) -> str:
        """host:port of the SASL_PLAINTEXT listener."""
        return f"{HOST}:{self._port('OAUTH')}"

    def _listeners(self) -> dict[str, str]:
        return {**super()._listeners(), "OAUTH": "SASL_PLAINTEXT"}

    def _properties(self) -> dict[str, str]:
        return {
            "listener.name.oauth.sasl.enabled.mechanisms": "OAUTHBEARER",
            "listener.name.oauth.oauthbearer.sasl.jaas.config": _LOGIN,
        }


def unsigned_token(subject: str, lifetime_s: float = 3_600) -> tuple[str, float]:
    """A token (an unsecured JWS, RFC 7515 appendix A.5) and when it ends, seconds since the epoch."""
    now = time.time()

    def part(fields: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(fields).encode()).rstrip(b"=").decode()

    claims = {"sub": subject, "iat": now, "exp": now + lifetime_s, "scope": "all"}
    return f"{part({'alg': 'none'})}.{part(claims)}.", now + lifetime_s
