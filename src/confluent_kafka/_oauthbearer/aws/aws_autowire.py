# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

from . import sasl_extensions_parser
from .aws_iam_marker import AWS_IAM_MARKER_KEY, AWS_IAM_MARKER_VALUE
from .aws_oauthbearer_config import CONFIG_KEY, AwsOAuthBearerConfig

__all__ = ["AWS_IAM_MARKER_KEY", "AWS_IAM_MARKER_VALUE", "CONFIG_KEY", "OAuthBearerCallback", "create_handler"]

OAuthBearerCallback = Callable[[str], tuple[str, float, str, dict[str, str]]]


def create_handler(sasl_oauthbearer_config: str, sasl_oauthbearer_extensions: str | None) -> OAuthBearerCallback:
    """Make the ``oauth_cb`` of a client configured for AWS IAM.

    Args:
        sasl_oauthbearer_config: value of ``sasl.oauthbearer.config``.
        sasl_oauthbearer_extensions: value of ``sasl.oauthbearer.extensions``.

    Raises:
        ValueError: one of the two cannot be used.
        ImportError: boto3 is missing or too old; names the extra to install.
    """
    extensions = sasl_extensions_parser.parse(sasl_oauthbearer_extensions)
    config = AwsOAuthBearerConfig.parse(sasl_oauthbearer_config, extensions)
    # after the checks, which need no boto3
    from .aws_sts_token_provider import AwsStsTokenProvider

    return AwsStsTokenProvider(config).token
