# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Final

from ..._util.librdkafka_string_parser import parse_key_values

CONFIG_KEY: Final = "sasl.oauthbearer.extensions"


def parse(raw: str | None) -> dict[str, str] | None:
    """Read ``sasl.oauthbearer.extensions``: ``name=value,name=value``; None if there is none.

    Raises: ValueError: an entry is malformed.
    """
    return dict(parse_key_values(raw, ",", CONFIG_KEY)) or None if raw else None
