# SPDX-License-Identifier: Apache-2.0
"""Tokens of AWS IAM, made by STS (GetWebIdentityToken). Imported only when a configuration asks for it."""
