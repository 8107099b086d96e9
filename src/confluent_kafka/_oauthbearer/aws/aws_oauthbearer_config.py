# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ..._util.librdkafka_string_parser import parse_key_values

CONFIG_KEY: Final = "sasl.oauthbearer.config"
TAG_KEY_PREFIX: Final = "tag_"
MAX_TAGS: Final = 50
MIN_DURATION_SECONDS: Final = 60
MAX_DURATION_SECONDS: Final = 3600
DEFAULT_DURATION_SECONDS: Final = 300
ALLOWED_SIGNING_ALGORITHMS: Final = ("ES384", "RS256")
DEFAULT_SIGNING_ALGORITHM: Final = "ES384"
AWS_DEBUG_NONE: Final = "none"
AWS_DEBUG_CONSOLE: Final = "console"
ALLOWED_AWS_DEBUG_VALUES: Final = (AWS_DEBUG_NONE, AWS_DEBUG_CONSOLE)

_PLAIN_KEYS = ("region", "audience", "signing_algorithm", "sts_endpoint", "aws_debug")


@dataclass(frozen=True)
class AwsOAuthBearerConfig:
    """What to ask STS for.

    Args:
        region: AWS region of the STS endpoint.
        audience: audience of the token.
        signing_algorithm: ES384 or RS256.
        duration_seconds: lifetime of a token, 60 to 3600 seconds.
        sts_endpoint: URL of another STS endpoint than the region's.
        aws_debug: "console" logs the exchange with AWS, tokens included, to the console.
        tags: at most 50 tags of the request, by name.
        sasl_extensions: SASL extensions sent to the broker with the token.

    Raises: ValueError: a value is empty or out of its range.
    """

    region: str
    audience: str
    signing_algorithm: str = DEFAULT_SIGNING_ALGORITHM
    duration_seconds: int = DEFAULT_DURATION_SECONDS
    sts_endpoint: str | None = None
    aws_debug: str = AWS_DEBUG_NONE
    tags: dict[str, str] | None = None
    sasl_extensions: dict[str, str] | None = None

    def __post_init__(self) -> None:
        for key in ("region", "audience", "sts_endpoint"):
            if getattr(self, key) == "":
                raise ValueError(f"{CONFIG_KEY} '{key}' must not be empty.")
        if self.signing_algorithm not in ALLOWED_SIGNING_ALGORITHMS:
            raise ValueError(
                f"{CONFIG_KEY} 'signing_algorithm' must be 'ES384' or 'RS256'; got '{self.signing_algorithm}'."
            )
        if not MIN_DURATION_SECONDS <= self.duration_seconds <= MAX_DURATION_SECONDS:
            raise ValueError(
                f"{CONFIG_KEY} 'duration_seconds' must be between {MIN_DURATION_SECONDS} and {MAX_DURATION_SECONDS} "
                f"inclusive; got {self.duration_seconds}."
            )
        if self.aws_debug not in ALLOWED_AWS_DEBUG_VALUES:
            raise ValueError(f"{CONFIG_KEY} 'aws_debug' must be one of: none, console. Got '{self.aws_debug}'.")
        if self.tags is not None and len(self.tags) > MAX_TAGS:
            raise ValueError(f"{CONFIG_KEY} has {len(self.tags)} tags; AWS allows at most {MAX_TAGS}.")

    @classmethod
    def parse(cls, raw: str, sasl_extensions: dict[str, str] | None = None) -> AwsOAuthBearerConfig:
        """Read ``sasl.oauthbearer.config``: ``region=...,audience=...`` and the optional keys, tags as ``tag_<name>``.

        Raises: ValueError: an entry is malformed, a key unknown, a required one missing, or a value unusable.
        """
        fields: dict[str, Any] = {}
        tags: dict[str, str] = {}
        for key, value in parse_key_values(raw, ",", CONFIG_KEY):
            if key.startswith(TAG_KEY_PREFIX):
                if key == TAG_KEY_PREFIX:
                    raise ValueError(f"{CONFIG_KEY} tag key '{key}' has empty name.")
                tags[key.removeprefix(TAG_KEY_PREFIX)] = value
            elif key == "duration_seconds":
                try:
                    fields[key] = int(value)
                except ValueError:
                    raise ValueError(f"{CONFIG_KEY} '{key}' must be an integer; got '{value}'.") from None
            elif key in _PLAIN_KEYS:
                fields[key] = value
            else:
                known = ", ".join((*_PLAIN_KEYS, "duration_seconds", f"{TAG_KEY_PREFIX}<name>"))
                raise ValueError(f"Unknown key '{key}' in {CONFIG_KEY}; known are {known}.")
        for key in ("region", "audience"):
            if key not in fields:
                raise ValueError(f"'{key}' is required in {CONFIG_KEY}.")
        return cls(**fields, tags=tags or None, sasl_extensions=sasl_extensions)
