# SPDX-License-Identifier: Apache-2.0
"""What the deprecated registry client raises."""

from __future__ import annotations

from typing import Any

from confluent_kafka.error import Error


class ClientError(Error):
    """The registry refused, or a schema is none.

    Args:
        message: what went wrong.
        http_code: status of the registry's answer, when there was one.
    """

    def __init__(self, message: str, http_code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.http_code = http_code

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.http_code)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(error={self.message})"

    def __str__(self) -> str:
        return self.message
