# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import logging
import re
from typing import Any, Final

try:
    # by name: no type checker has to find an optional package
    boto3: Any = importlib.import_module("boto3")
except ImportError as e:
    raise ImportError(
        "Config 'sasl.oauthbearer.metadata.authentication.type=aws_iam' requires the optional 'oauthbearer-aws' extra. "
        "Install with:\n    pip install 'ferrokafka[oauthbearer-aws]'"
    ) from e

from . import jwt_extractor
from .aws_oauthbearer_config import AWS_DEBUG_CONSOLE, AwsOAuthBearerConfig

MINIMUM_BOTO3_VERSION: Final = "1.42.25"
_BOTOCORE_LOGGER_NAME: Final = "botocore"


class AwsStsTokenProvider:
    """Gets tokens from AWS STS with the credentials boto3 finds (environment, profile, instance role, ...).

    Args:
        config: what to ask for.
        sts_client: boto3 client to use instead of an own one.

    Raises: ImportError: the installed boto3 is older than GetWebIdentityToken.
    """

    def __init__(self, config: AwsOAuthBearerConfig, sts_client: Any | None = None) -> None:
        self._config = config
        if config.aws_debug == AWS_DEBUG_CONSOLE:
            boto3.set_stream_logger(_BOTOCORE_LOGGER_NAME, logging.DEBUG)
        if sts_client is None:
            _require_boto3_version()
            sts_client = boto3.client("sts", region_name=config.region, endpoint_url=config.sts_endpoint)
        self._sts = sts_client

    def token(self, oauthbearer_config: str = "") -> tuple[str, float, str, dict[str, str]]:
        """Get a token: an ``oauth_cb``. ``oauthbearer_config`` is not used, it was read at construction.

        Returns: token, expiry in seconds since the epoch, principal (the token's subject), SASL extensions.

        Raises:
            botocore.exceptions.BotoCoreError, ClientError: AWS could not be asked, or refused.
            ValueError: the reply lacks a token or its expiry, or the token names no subject.
        """
        config = self._config
        request: dict[str, Any] = {
            "Audience": [config.audience],
            "SigningAlgorithm": config.signing_algorithm,
            "DurationSeconds": config.duration_seconds,
        }
        if config.tags:
            request["Tags"] = [{"Key": key, "Value": value} for key, value in config.tags.items()]
        reply = self._sts.get_web_identity_token(**request)
        token = reply.get("WebIdentityToken")
        if not token:
            raise ValueError("STS response missing WebIdentityToken; cannot mint OAUTHBEARER token.")
        expiration = reply.get("Expiration")
        if expiration is None:
            raise ValueError("STS response missing Expiration; cannot compute token lifetime.")
        return token, expiration.timestamp(), jwt_extractor.extract_sub(token), dict(config.sasl_extensions or {})


def _version_tuple(version: str) -> tuple[int, ...]:
    """Return the leading numbers of each part: ``1.42rc1`` is (1, 42)."""
    leading = (re.match(r"\d*", part) for part in version.split("."))
    return tuple(int(match[0] or 0) for match in leading if match)


def _require_boto3_version() -> None:
    if _version_tuple(boto3.__version__) < _version_tuple(MINIMUM_BOTO3_VERSION):
        raise ImportError(
            f"The AWS IAM OAUTHBEARER path requires boto3>={MINIMUM_BOTO3_VERSION} (for the STS GetWebIdentityToken "
            f"operation), but found boto3 {boto3.__version__}. "
            "Upgrade with: pip install -U 'ferrokafka[oauthbearer-aws]'."
        )
