# SPDX-License-Identifier: Apache-2.0
"""The property, and its value, that ask for AWS IAM tokens."""

from __future__ import annotations

from typing import Final

AWS_IAM_MARKER_KEY: Final = "sasl.oauthbearer.metadata.authentication.type"
AWS_IAM_MARKER_VALUE: Final = "aws_iam"
