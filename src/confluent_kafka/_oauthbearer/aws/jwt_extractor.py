# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import binascii
import json
from typing import Final

MAX_LENGTH: Final = 8192


def extract_sub(jwt: str) -> str:
    """Return the ``sub`` claim of a JSON Web Token, without checking its signature: the broker does that.

    Raises: ValueError: the text is no such token (RFC 7519), is longer than 8192 characters, or names no subject.
        The token itself is not shown.
    """
    if jwt is None:
        raise ValueError("JWT is null.")
    if not jwt:
        raise ValueError("JWT is empty.")
    if len(jwt) > MAX_LENGTH:
        raise ValueError(f"JWT length {len(jwt)} exceeds maximum allowed ({MAX_LENGTH}).")
    segments = jwt.split(".")
    if len(segments) != 3:
        raise ValueError(f"JWT must have exactly 3 '.'-separated segments; got {len(segments)}.")
    payload = segments[1]
    try:
        raw = base64.b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as e:
        raise ValueError(f"JWT payload segment is not valid base64url: {e}") from None
    try:
        claims = json.loads(raw)
    except ValueError:
        # without the cause: a decoding error carries the payload
        raise ValueError("JWT payload is not valid JSON.") from None
    if not isinstance(claims, dict):
        raise ValueError("JWT payload is not a JSON object.")
    sub = claims.get("sub")
    if not isinstance(sub, str):
        raise ValueError("JWT payload is missing a 'sub' string claim.")
    if not sub:
        raise ValueError("JWT 'sub' claim value is empty.")
    return sub
